"""The step program: what one time step of a network does, as ordered assignments. Plain data, no simulator.

Per step, in Brian2's order: sums over synapses; state update of every population; clock-driven state of synapses;
thresholds; `on_pre`, then `on_post` of the synapses, through their delays; resets.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from snncompare.units import Dimension

__all__ = [
    "Assignment",
    "Block",
    "NetworkProgram",
    "PopulationProgram",
    "SynapseProgram",
    "SynapticSum",
    "Threshold",
]


@dataclass(frozen=True)
class Assignment:
    """``target operator expression``; with a `condition`, `expression` holds where it is true, else `otherwise`.

    The operator is ``=`` (a variable), ``:=`` (an intermediate value), ``+=``, ``-=``, ``*=`` or ``/=``.
    """

    target: str
    operator: str
    expression: str
    condition: str | None = None
    otherwise: str | None = None


@dataclass(frozen=True)
class Block:
    """Assignments in order, with what they read that does not change during a run.

    Attributes
    ----------
    constants : mapping
        Shared parameters, units and the time step ``dt``: name to value in SI units.
    once : tuple of Assignment
        Computed once per run from the constants, in order: decay factors and the like.
    assignments : tuple of Assignment
        Carried out every time, in order.
    """

    constants: Mapping[str, float]
    once: tuple[Assignment, ...]
    assignments: tuple[Assignment, ...]


NOTHING = Block({}, (), ())


@dataclass(frozen=True)
class Threshold:
    """The condition for a spike: after `block`, the expression `condition` is true.

    `dimensions` are those of the comparisons in the condition, in the order in which they stand there.
    """

    block: Block
    condition: str
    dimensions: tuple[Dimension, ...]


@dataclass(frozen=True)
class PopulationProgram:
    """What a population does in one step.

    Attributes
    ----------
    states : tuple of str
        Variables with one value per neuron that may change in a run.
    fixed : tuple of str
        Variables with one value per neuron that stay: per-neuron parameters.
    shared : tuple of str
        Variables with one value for the population.
    initial : mapping
        Every variable to its value before the first step, in SI units, where the description gives one for all neurons
        (zero without); for drawn values it is only a placeholder.
    dtypes : mapping
        Variables that are not numbers with a fraction: name to ``"boolean"`` or ``"integer"``.
    update, reset : Block
        The state update of all neurons, and the statements for those that fired.
    threshold : Threshold or None
        None for a population that never fires.
    refractory : bool
        Whether neurons pause after a spike; then `held` names the variables that do not change meanwhile.
    """

    states: tuple[str, ...]
    fixed: tuple[str, ...]
    shared: tuple[str, ...]
    initial: Mapping[str, float]
    dtypes: Mapping[str, str]
    update: Block
    threshold: Threshold | None
    reset: Block
    refractory: bool
    held: frozenset[str]


@dataclass(frozen=True)
class SynapticSum:
    """``variable`` of the target neuron = sum over its synapses of `expression`, computed after `block`."""

    variable: str
    block: Block
    expression: str


@dataclass(frozen=True)
class SynapseProgram:
    """What the synapses of a projection do.

    Blocks read variables of the two neurons as ``name_pre`` and ``name_post``, and the time as ``t``; a block of an
    event-driven synapse also reads and writes ``lastupdate``, the time of its latest event. Where the target neuron is
    refractory, variables that are `held` do not change.

    Attributes
    ----------
    source, target : str
        Populations.
    weight : str
        What the weight is called in the blocks.
    states : tuple of str
        Variables of each synapse that may change in a run, a plastic weight among them.
    fixed : tuple of str
        Variables of each synapse that stay, a static weight among them.
    initial : mapping
        As in `PopulationProgram`; the weight left out.
    update : Block or None
        Clock-driven state, every step.
    sums : tuple of SynapticSum
    on_pre, on_post : Block or None
        At a spike of the source and of the target, for the synapses of the neuron that fired.
    held : frozenset of str
        Target variables (without ``_post``) that do not change in a refractory neuron.
    event_driven : bool
        Whether the blocks use ``lastupdate``.
    """

    source: str
    target: str
    weight: str
    states: tuple[str, ...]
    fixed: tuple[str, ...]
    initial: Mapping[str, float]
    update: Block | None
    sums: tuple[SynapticSum, ...]
    on_pre: Block | None
    on_post: Block | None
    held: frozenset[str]
    event_driven: bool


@dataclass(frozen=True)
class NetworkProgram:
    """The step programs of all populations that have equations, and of all projections, by name."""

    populations: Mapping[str, PopulationProgram]
    projections: Mapping[str, SynapseProgram]
