"""The two-phase protocol as values: what an example is, how long its phases last, what is open and what is taught."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from snncompare.errors import InputError, unknown
from snncompare.learning.bursts.teacher import Teacher
from snncompare.network.composition import compose
from snncompare.network.equations import definitions
from snncompare.network.network import Network
from snncompare.network.neuron import NeuronModel
from snncompare.units import QuantityLike, quantity, seconds

__all__ = ["XOR", "Example", "TwoPhases", "gated_projections"]


@dataclass(frozen=True)
class Example:
    """What one presentation shows and asks for.

    Parameters
    ----------
    inputs : mapping
        Population to 0 or 1.
    target : int
        0 or 1.
    """

    inputs: Mapping[str, int]
    target: int

    def __post_init__(self) -> None:
        for what, value in (*self.inputs.items(), ("target", self.target)):
            if value not in (0, 1):
                raise InputError(f"'{what}' of an example is 0 or 1, got {value!r}.")

    @property
    def name(self) -> str:
        """Its inputs, such as ``"(1, 0)"``."""
        return f"({', '.join(map(str, self.inputs.values()))})"


XOR = tuple(Example({"in1": a, "in2": b}, a ^ b) for a, b in ((0, 0), (1, 0), (0, 1), (1, 1)))
"""Exclusive or, in the fixed order in which the authors of the paper show it."""


@dataclass(frozen=True, kw_only=True)
class TwoPhases:
    r"""How a network of bursting neurons is taught: prediction, then teaching, example after example.

    In the *prediction* the input is shown, plasticity is shut and the moving averages follow; at its end the teacher's
    current of each output neuron is computed from its own moving average of events. In the *teaching* it flows into the
    output dendrites, plasticity is open, and a change of burst probability on top changes burst probabilities below.
    Nothing is reset between examples. Payeur et al. (2021) Nature Neuroscience 24:1010, figure 4; the defaults are
    those of the authors' code.

    Parameters
    ----------
    prediction, teaching : time
        Durations of the phases of an example; multiples of the time step.
    burn_in : time
        Before anything else, without input currents; three times `tau_average` in the paper.
    test : time
        How long each example is shown before and after learning, without plasticity.
    settle : time
        Beginning of a test that is not counted.
    bin : time
        Of the event rates over time in a test, which it divides.
    examples : sequence of Example
        One epoch, in order.
    zero, one : current
        What stands for 0 and 1 in the somata of the input populations.
    teacher : Teacher
    tau_average : time
        Time constant of the moving averages, as in the neurons (`with_bursts`).
    output : str
        The population that is taught.
    input_current, teacher_current : str
        The states of input and output neurons that hold the currents.
    gate : str
        The state of plastic synapses that opens and shuts plasticity.
    plastic : tuple of str, optional
        Projections whose gate is opened; default: all that have one.

    Raises
    ------
    InputError
        For a duration that is not above zero, an averaging window longer than an example, or no example.
    """

    prediction: QuantityLike = "7.2 s"
    teaching: QuantityLike = "0.8 s"
    burn_in: QuantityLike = "6 s"
    test: QuantityLike = "8 s"
    settle: QuantityLike = "2 s"
    bin: QuantityLike = "200 ms"
    examples: tuple[Example, ...] = XOR
    zero: QuantityLike = "-350 pA"
    one: QuantityLike = "150 pA"
    teacher: Teacher = field(default_factory=Teacher)
    tau_average: QuantityLike = "2 s"
    output: str = "out"
    input_current: str = "I_in"
    teacher_current: str = "I_teacher"
    gate: str = "plasticity"
    plastic: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        names = ("prediction", "teaching", "test", "tau_average")
        times = {name: seconds(getattr(self, name), name) for name in names}
        for name, time in times.items():
            if not 0 < time < np.inf:
                raise InputError(f"{name} must be a time above zero, got '{getattr(self, name)}'.")
        if not 0 <= seconds(self.burn_in, "burn_in") < np.inf:
            raise InputError(f"burn_in must be a time from 0 s on, got '{self.burn_in}'.")
        if not 0 <= seconds(self.settle, "settle") < times["test"]:
            raise InputError(f"settle must be shorter than test, got '{self.settle}' of '{self.test}'.")
        bins = times["test"] / seconds(self.bin, "bin")
        if not (bins > 0.5 and np.isclose(bins, round(bins), rtol=1e-9, atol=0)):
            raise InputError(f"bin must divide the test of '{self.test}', got '{self.bin}'.")
        if times["tau_average"] > times["prediction"]:
            raise InputError(
                f"the averaging window, '{self.tau_average}', is longer than the prediction, '{self.prediction}': "
                "rates would be those of earlier examples. Take a shorter tau_average or a longer prediction."
            )
        if not self.examples:
            raise InputError("a protocol needs at least one example.")
        amperes = quantity("1 A").dimension
        for name in ("zero", "one"):
            if quantity(getattr(self, name)).dimension != amperes:
                raise InputError(f"{name} is a current, such as '150 pA', got '{getattr(self, name)}'.")

    def check(self, network: Network) -> None:
        """Refuse a network that the protocol cannot be carried out with.

        Raises
        ------
        InputError
            For populations or states that are missing, or a projection without a gate.
        """
        for example in self.examples:
            for name in example.inputs:
                _check_state(network, name, self.input_current)
        _check_state(network, self.output, self.teacher_current)
        for name in network.populations:
            if isinstance(network.populations[name].neuron, NeuronModel):
                _check_state(network, name, "events_average")
        there = gated_projections(network, self.gate)
        for name in there if self.plastic is None else self.plastic:
            if name not in there:
                raise InputError(unknown(f"projection with the gate '{self.gate}'", name, there))

    def opened(self, network: Network) -> tuple[str, ...]:
        """Return the projections whose gate is opened while teaching."""
        return gated_projections(network, self.gate) if self.plastic is None else self.plastic


def gated_projections(network: Network, gate: str = "plasticity") -> tuple[str, ...]:
    """Return the projections whose synapses have a gate of plasticity."""
    return tuple(n for n, projection in network.projections.items() if gate in projection.synapse.synapse_names())


def _check_state(network: Network, population: str, state: str) -> None:
    if population not in network.populations:
        raise InputError(unknown("population", population, network.populations))
    if not isinstance(network.populations[population].neuron, NeuronModel):
        raise InputError(f"the population '{population}' is a spike source; it has no state '{state}'.")
    states = definitions(compose(network, population).equations)
    if state not in states:
        raise InputError(f"the protocol needs '{state}' in '{population}'; " + unknown("state", state, states))
