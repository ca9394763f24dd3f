"""Projections between neurons that are recursions per time step (`snncompare.network.neurons.discrete_time`)."""

from snncompare.network.initialisers import Normal, Uniform
from snncompare.network.network import Projection
from snncompare.network.synapses import delta
from snncompare.network.trainable import Trainable
from snncompare.network.wiring import AllToAll
from snncompare.units import Quantity, QuantityLike, quantity

__all__ = ["dense", "normal", "positive_times", "uniform"]


def dense(
    source: str, target: str, weight: Normal | Uniform | None, *, delay: QuantityLike = "0 ms", autapses: bool = True
) -> Projection:
    r"""Return all-to-all synapses that add to the target's current ``x``.

    Parameters
    ----------
    source, target : str
    weight : distribution, optional
        Without it :math:`N(0, 1/n)` for n sources.
    delay : time
    autapses : bool
        Within a population: whether a neuron has a synapse on itself.
    """
    drawn = weight or Normal(mean=quantity("0"), sd=quantity("1"), scale_by_sources=True)
    return Projection(
        source=source,
        target=target,
        synapse=delta(unit="1", variable="x"),
        weight=drawn,
        delay=quantity(delay),
        wiring=AllToAll(autapses=autapses and source == target),
    )


def normal(sd: float) -> Normal:
    """Return weights around zero with this standard deviation."""
    return Normal(mean=quantity("0"), sd=Quantity(sd, quantity("1").dimension))


def uniform(bound: float) -> Uniform:
    """Return weights between minus and plus `bound`."""
    dimension = quantity("1").dimension
    return Uniform(low=Quantity(-bound, dimension), high=Quantity(bound, dimension))


def positive_times(*names: str) -> dict[str, Trainable]:
    """Return marks by which every neuron learns time constants of these names."""
    return dict.fromkeys(names, Trainable(low=quantity("0 ms")))
