"""Who is connected to whom: rules as values, drawn into arrays only when a network is compiled."""

from typing import Annotated, Literal

from pydantic import Field

from snncompare.values import Value

__all__ = ["AllToAll", "FixedProbability", "OneToOne", "Wiring"]


class AllToAll(Value):
    """Every source neuron to every target neuron; within one population not to itself unless ``autapses``."""

    type: Literal["AllToAll"] = "AllToAll"
    autapses: bool = False


class OneToOne(Value):
    """Source neuron i to target neuron i; both populations have the same size."""

    type: Literal["OneToOne"] = "OneToOne"


class FixedProbability(Value):
    """Each pair connected independently with probability ``p``; no neuron to itself unless ``autapses``."""

    type: Literal["FixedProbability"] = "FixedProbability"
    p: Annotated[float, Field(gt=0, le=1)]
    autapses: bool = False


Wiring = Annotated[AllToAll | OneToOne | FixedProbability, Field(discriminator="type")]
