r"""What one presynaptic spike does to the membrane, measured by simulation and not by formula.

Any neuron and synapse model has a postsynaptic potential: Brian2 runs the population's own equations, by its own method
and time step and without spikes of its own, once with and once without a presynaptic spike. Both start from where the
membrane settles under a given mean input, so that a model that is not linear (a conductance, an exponential
integrate-and-fire neuron) is linearised around its working point.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import brian2
import numpy as np
from brian2.codegen.runtime.numpy_rt.numpy_rt import NumpyCodeObject
from brian2.core.variables import ArrayVariable
from numpy.typing import NDArray

from snncompare.dynamics.brian_objects import brian2_errors, from_brian2, neuron_group, synapses, to_brian2
from snncompare.dynamics.postsynaptic import LADDER, PostsynapticPotential, ProbedTraces
from snncompare.errors import DescriptionError, unknown
from snncompare.network.composition import compose, compose_synapse, weight_name
from snncompare.network.deterministic import without_chance
from snncompare.network.equations import defined_names
from snncompare.network.network import Network
from snncompare.units import Quantity, QuantityLike, seconds

__all__ = ["MembraneProbe", "MembraneResponse", "postsynaptic_potential"]

_CHUNK = 0.1
_LONGEST = 12.8
_SETTLED = 1e-6

# Three neurons spike into every probed synapse: one in every step, one once, one in two successive steps.
_STEADY, _ONCE, _TWICE = range(3)
_NEVER = 2**31 - 1


@dataclass
class _Watched:
    """What is known of a run so far: the membrane after each chunk, in which the spikes came, how it answered them."""

    scale: float
    levels: list[float] = field(default_factory=list)
    spiked_at: int | None = None
    trace: NDArray[np.float64] | None = None


@dataclass(frozen=True)
class MembraneResponse:
    """Where the membrane settles, in SI units, and the postsynaptic potential of each projection around it."""

    potential: float
    kernels: dict[str, PostsynapticPotential]


def postsynaptic_potential(
    network: Network, projection: str, dt: QuantityLike, variable: str = "v"
) -> PostsynapticPotential:
    """Return the postsynaptic potential of a projection around the rest of its target.

    Parameters
    ----------
    network : Network
    projection : str
    dt : quantity
        Time step, e.g. ``"0.1 ms"``.
    variable : str
        The membrane variable of the target.

    Raises
    ------
    DescriptionError
        If the membrane does not settle or never forgets the spike, or if the response is not proportional to the weight
        or depends on earlier spikes.
    """
    if projection not in network.projections:
        raise DescriptionError(unknown("projection", projection, network.projections))
    target = network.projections[projection].target
    probe = MembraneProbe(network, target, [projection], seconds(dt, "dt"), variable)
    return probe.respond().kernels[projection]


class MembraneProbe:
    """Measures the postsynaptic potentials of projections onto one population.

    One group of unconnected neurons serves all: the first receives no probing spike, and three for each projection and
    weight of the ladder receive one spike, one with a negative weight, and two.

    Parameters
    ----------
    network : Network
    population : str
        The target; parameters with one value per neuron are taken at their mean.
    projections : sequence of str
        Projections that end on it.
    dt : float
        Time step, seconds.
    variable : str
        The membrane variable.

    Attributes
    ----------
    dimension : Dimension
        Of the membrane variable.

    Raises
    ------
    DescriptionError
        For a membrane variable that is not a state of the population, or whatever Brian2 refuses.
    """

    def __init__(self, network: Network, population: str, projections: Sequence[str], dt: float, variable: str) -> None:
        self.population, self.projections, self.dt, self.variable = population, tuple(projections), dt, variable
        plain = without_chance(network, population)
        kinds = defined_names(compose(plain, population).equations)
        states = [name for name, kind in kinds.items() if kind == "differential"]
        if variable not in states:
            raise DescriptionError(f"population '{population}': " + unknown("membrane variable", variable, states))
        self._group = neuron_group(plain, population, dt, 1 + 3 * LADDER.size * len(self.projections))
        self.dimension = from_brian2(self._group.variables[variable].dim)
        for thresholder in self._group.thresholder.values():
            thresholder.active = False
        self._source = brian2.NeuronGroup(
            3,
            "first : integer (constant)\nlast : integer (constant)",
            threshold="t_in_timesteps >= first and t_in_timesteps <= last",
            reset="",
            dt=dt * brian2.second,
            codeobj_class=NumpyCodeObject,
        )
        self._monitor = brian2.StateMonitor(
            self._group,
            variable,
            record=True,
            when="before_thresholds",
            dt=dt * brian2.second,
            codeobj_class=NumpyCodeObject,
        )
        self._synapses = {name: self._probed(plain, name, k) for k, name in enumerate(self.projections)}
        self._steps = max(1, round(_CHUNK / dt))
        self._watch = brian2.NetworkOperation(self._look, dt=self._steps * dt * brian2.second)
        self._simulation = brian2.Network(
            self._group, self._source, self._monitor, self._watch, *self._synapses.values()
        )
        self._simulation.store()

    def _ladder(self, position: int) -> NDArray[np.int64]:
        """Return the neurons that probe a projection, shape (3, n_weights): one spike, its negative, two spikes."""
        return 1 + 3 * LADDER.size * position + np.arange(3 * LADDER.size).reshape(3, LADDER.size)

    def _probed(self, plain: Network, projection: str, position: int) -> brian2.Synapses:
        """Return the synapses of a projection: the steady source on every neuron, the two others on its ladder."""
        made = synapses(plain, projection, self._source, self._group, self.dt)
        n_neurons, (plus, minus, twice) = len(self._group), self._ladder(position)
        made.connect(
            i=np.repeat([_STEADY, _ONCE, _TWICE], [n_neurons, plus.size + minus.size, twice.size]),
            j=np.concatenate([np.arange(n_neurons), plus, minus, twice]),
        )
        made.variables[weight_name(projection)].set_value(
            np.concatenate([np.zeros(n_neurons), LADDER, -LADDER, LADDER])
        )
        for name, amount in compose_synapse(plain, projection).initial.items():
            assert isinstance(amount, Quantity)  # nothing is drawn in a population without chance
            setattr(made, name, to_brian2(amount))
        return made

    def respond(self, drive: Mapping[str, float] | None = None, scale: float = 0.0) -> MembraneResponse:
        """Return where the membrane settles under a mean input, and the postsynaptic potentials there.

        Parameters
        ----------
        drive : mapping of str to float, optional
            Summed weight of the spikes that reach a neuron in every step through a projection, SI units; the mean of
            K independent inputs of rate r and weight w is ``K*r*w*dt``. Default: none, the membrane rests.
        scale : float
            Size of a membrane potential that matters, SI units; the membrane has settled when it moves by less than a
            millionth of that, or of itself.

        Raises
        ------
        DescriptionError
            If the membrane does not settle or never forgets a spike, or if a response is not proportional to the weight
            or depends on earlier spikes.
        """
        self._simulation.restore()
        for name, made in self._synapses.items():
            weights = made.variables[weight_name(name)].get_value().copy()
            weights[: len(self._group)] = (drive or {}).get(name, 0.0)
            made.variables[weight_name(name)].set_value(weights)
        self._driven = 0 if drive else _NEVER
        self._set_firing(first=[self._driven, _NEVER, _NEVER], last=[_NEVER, 0, 0])
        self._watched = _Watched(scale)
        # Large weights of the ladder may overflow; and Brian2 writes out every array that exprel returns.
        with (
            np.errstate(all="ignore"),
            np.printoptions(threshold=0, edgeitems=1),
            brian2_errors(f"population '{self.population}'"),
        ):
            self._simulation.run(2 * _LONGEST * brian2.second, namespace={})
        trace = self._watched.trace
        if trace is None:
            raise DescriptionError(self._failure())
        kernels = {
            name: self._probe(trace, k).potential(f"projection '{name}': the effect of a spike on '{self.variable}'")
            for k, name in enumerate(self.projections)
        }
        return MembraneResponse(potential=float(trace[0, -1]), kernels=kernels)

    def _look(self) -> None:
        """Watch the membrane settle, then set off the probing spikes, and stop once they are forgotten."""
        seen = self._watched
        seen.levels.append(float(self._group.variables[self.variable].get_value()[0]))
        chunks = len(seen.levels) - 1
        if seen.spiked_at is None:
            if chunks and chunks % 2 == 0 and self._settled(seen.levels[chunks // 2], seen.levels[-1]):
                step = chunks * self._steps
                seen.spiked_at = chunks
                self._set_firing(first=[self._driven, step, step], last=[_NEVER, step, step + 1])
            elif not np.isfinite(seen.levels[-1]) or chunks * _CHUNK > _LONGEST:
                self._stop()
            return
        chunks -= seen.spiked_at
        if chunks & (chunks - 1):  # look after 1, 2, 4, 8, ... chunks
            return
        trace = np.asarray(getattr(self._monitor, f"{self.variable}_"))[:, seen.spiked_at * self._steps :]
        if all(self._probe(trace, k).decayed() for k in range(len(self.projections))):
            seen.trace = trace.copy()
        if seen.trace is not None or chunks * _CHUNK > _LONGEST:
            self._stop()

    def _settled(self, before: float, now: float) -> bool:
        return abs(now - before) <= _SETTLED * max(abs(now), self._watched.scale)

    def _stop(self) -> None:
        """End the run with all neurons in the state of the first: Brian2 warns of those that overflowed."""
        for variable in self._group.variables.values():
            if isinstance(variable, ArrayVariable) and not variable.scalar and not variable.read_only:
                values = variable.get_value()
                values[:] = values[0]
        self._simulation.stop()

    def _failure(self) -> str:
        if self._watched.spiked_at is None:
            return (
                f"population '{self.population}': '{self.variable}' does not settle under its mean input with spiking "
                "disabled, so no postsynaptic potential can be measured; lower the mean or the rate of the input."
            )
        return (
            f"population '{self.population}': '{self.variable}' still remembers a spike after {_LONGEST:g} s; the "
            "fluctuations of a membrane without a leak have no size of their own."
        )

    def _probe(self, trace: NDArray[np.float64], position: int) -> ProbedTraces:
        plus, minus, twice = (trace[neurons] - trace[0] for neurons in self._ladder(position))
        return ProbedTraces(plus, minus, twice, self.dt)

    def _set_firing(self, *, first: Sequence[int], last: Sequence[int]) -> None:
        self._source.variables["first"].set_value(np.array(first))
        self._source.variables["last"].set_value(np.array(last))
