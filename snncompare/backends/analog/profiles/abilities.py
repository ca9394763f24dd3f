"""What a chip has and can do: neurons, synapses, delays, equations, quantisers."""

from typing import Annotated

from pydantic import Field

from snncompare.backends.analog.profiles.evidence import Count, Stated, TimeLength
from snncompare.values import Value

__all__ = ["Delays", "Equations", "Quantiser", "Resources"]


class Resources(Value):
    """How many neurons and synapses there are.

    Parameters
    ----------
    neurons : Stated, optional
        Neuron circuits of one chip; None: as many as one likes.
    synapses_per_neuron : Stated, optional
        Rows of one circuit: synapses where a synapse needs one row.
    signed_rows : bool
        A projection whose weights have both signs takes two rows per input.
    mergeable : bool
        Several circuits may be joined to one neuron with more synapses.
    power_of_two : bool
        The number of joined circuits is a power of two.
    cores : Stated, optional
        Cores of one chip, among which the neurons are divided equally; the neurons of a core share their settings.
    sequential : bool
        A network that does not fit is carried out in several runs, layer by layer.
    inputs, hidden, outputs : Stated, optional
        Limits on spike sources, on neurons between, and on neurons that send nothing on.
    layer_per_core : bool
        Each population takes a core for itself.
    """

    neurons: Count | None = None
    synapses_per_neuron: Count | None = None
    signed_rows: bool = False
    mergeable: bool = False
    power_of_two: bool = False
    cores: Count | None = None
    sequential: bool = False
    inputs: Count | None = None
    hidden: Count | None = None
    outputs: Count | None = None
    layer_per_core: bool = False


class Delays(Value):
    """Synaptic delays that can be set, in hardware time; without a `high` there is no limit, with 0 there are none."""

    low: TimeLength | None = None
    high: TimeLength | None = None


class Equations(Value):
    """What the neurons and synapses of the chip can compute; all are possible where the profile says nothing.

    Parameters
    ----------
    leak : bool
        A membrane that leaks; without it the neurons only integrate.
    synaptic_time : bool
        Synapses with a time constant; without it a spike moves the membrane at once.
    exponential : bool
        Exponential (AdEx) term of the membrane equation.
    adaptation : bool
        A second variable of the neuron.
    conductances : bool
        Synaptic currents that depend on the membrane potential.
    plasticity : bool
        Weights that change while the network runs.
    short_term : bool
        Synapses with state of their own.
    only : bool
        Whether everything else that is not a leaky integrator with synaptic currents is refused.
    source : str
        Where this was found.
    """

    leak: bool = True
    synaptic_time: bool = True
    exponential: bool = True
    adaptation: bool = True
    conductances: bool = True
    plasticity: bool = True
    short_term: bool = True
    only: bool = False
    source: Annotated[str, Field(max_length=600)] = ""


class Quantiser(Value):
    """A quantiser of a digital chip: the name of its class in `digital`, and its numbers."""

    name: Annotated[str, Field(pattern=r"^[A-Za-z]\w{0,60}$")]
    numbers: dict[str, Stated] = Field(default_factory=dict)
