"""A network as a `torch.nn.Module`: weights and trained values are its parameters, a run is its forward pass."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from snncompare.backends.emulation import EmulatedRun
from snncompare.backends.realisation import Given, Realisation, delay_steps, realise
from snncompare.backends.torch.arguments import check_run, several_in_a_step
from snncompare.backends.torch.dropout import checked_dropout, sends_whole_spikes
from snncompare.backends.torch.linear import LinearProjection
from snncompare.backends.torch.network_state import Activity, NetworkState
from snncompare.backends.torch.observed import checked_observed
from snncompare.backends.torch.on_chip import TorchChips, check_emulated
from snncompare.backends.torch.parameters import Named, neuron_values, with_trained_values
from snncompare.backends.torch.passages import Passages, broadcasts, check_passages, checked_feedback, passages
from snncompare.backends.torch.population import PopulationStep
from snncompare.backends.torch.refusals import kind_of_synapses, refused_of_synapses
from snncompare.backends.torch.routes import LinearRoute, Route, SynapseRoute, written_by
from snncompare.backends.torch.run import Begun, NetworkRun, Piece, joined
from snncompare.backends.torch.run_options import RunOptions
from snncompare.backends.torch.surrogates import Surrogate
from snncompare.backends.torch.synapses import SynapseProjection
from snncompare.backends.torch.thresholds import surrogates_of
from snncompare.dynamics.linear import linear_effects, source_states
from snncompare.dynamics.paths import Paths
from snncompare.dynamics.program import NetworkProgram, SynapseProgram
from snncompare.dynamics.step_program import network_program
from snncompare.errors import UnsupportedError
from snncompare.network.network import Network
from snncompare.network.wiring import Convolution

__all__ = ["STRETCH", "TorchNetwork"]

_KINDS = 4
"""Kinds of runs (number of trials, with gradients or without) that a module remembers."""

STRETCH = 4_000_000
"""Neurons times trials times steps that are carried out at once without gradients; then memory is freed."""

_OF_SYNAPSES = ("weight", "delay")


class TorchNetwork(nn.Module):
    """A network for one time step `dt` (seconds), batched over trials.

    Per step and in Brian2's order: state update, thresholds, synapses (through delays), resets. In float64, without
    gradients and on the processor, everything is computed as Brian2's numpy target computes it, and spikes are added
    one by one in the order in which Brian2 adds them, so that not even rounding differs; otherwise the same sums are
    matrix products.

    Parameters
    ----------
    network : Network
    dt : float
    weights : Realisation or mapping
        What need not be drawn, see `snncompare.backends.realisation.Given`; the rest is drawn with `seed`.
    surrogate : Surrogate or mapping, optional
        Derivative of the spike; needed for gradients. A mapping from populations has one for each; spikes of a
        population that it leaves out have no derivative.
    paths : Paths
        Which derivatives are followed. By default all but the reset of the membrane (Zenke and Vogels 2021, Neural
        Computation 33:899).
    dtype : torch.dtype
    checkpoint_every : int, optional
        Steps after which the state is kept when gradients are computed; what lies between is computed again in the
        backward pass. Memory then grows with the number of such pieces, plus one piece.
    unroll : int, optional
        Steps that ``torch.compile(module)`` compiles at a time, for example 10: it takes minutes to compile all steps
        of a long run. Without `torch.compile` it makes no difference.
    seed : int

    Attributes
    ----------
    neurons : Named
        Population to the values of its neurons that are trained or differ (`NeuronValues`).
    synapses : Named
        Projection to its weights and delays (`SynapseParameters`).

    Raises
    ------
    InputError
        If a surrogate has not the unit of the threshold.
    UnsupportedError
        For what this backend cannot do.
    """

    def __init__(
        self,
        network: Network,
        dt: float,
        weights: Given,
        *,
        surrogate: Surrogate | Mapping[str, Surrogate] | None = None,
        paths: Paths = Paths(reset=False),
        dtype: torch.dtype = torch.float64,
        checkpoint_every: int | None = None,
        unroll: int | None = None,
        seed: int = 0,
    ) -> None:
        super().__init__()
        realisation = realise(network, seed, weights, dt=dt)
        program = network_program(network, dt)
        self.network, self.dt, self.checkpoint_every, self.unroll = network, dt, checkpoint_every, unroll
        self.register_buffer("_like", torch.empty(0, dtype=dtype), persistent=False)
        self.neurons = Named(
            {
                name: neuron_values(network, name, realisation.values.get(name, {}), dt=dt, dtype=dtype)
                for name in program.populations
            }
        )
        self._steps = self._population_steps(program, surrogates_of(program, surrogate), paths)
        self._routes: dict[str, Route] = {}
        projections: dict[str, nn.Module] = {}
        for name, described in program.projections.items():
            self._routes[name], projections[name] = self._projection(name, described, realisation, dtype)
        self.synapses = Named(projections)
        self.paths = paths
        self._passages = {flag: passages(network, paths, broadcast=flag) for flag in (False, True)}
        if surrogate is not None:
            check_passages(self._routes, self._passages[False])
        self._kinds: dict[tuple[RunOptions, bool], NetworkRun] = {}

    @torch.compiler.disable(recursive=False)
    def forward(
        self,
        inputs: Mapping[str, Tensor],
        *,
        record: Sequence[str] = (),
        traces: Sequence[tuple[str, str]] = (),
        shape: tuple[int, int] | None = None,
        state: NetworkState | None = None,
        seed: int = 0,
        checkpoint_every: int | None = None,
        dropout: Mapping[str, Tensor] | None = None,
        feedback: Mapping[tuple[str, str], Tensor] | None = None,
        emulated: EmulatedRun | None = None,
        observed: Mapping[str, Tensor] | None = None,
        observed_traces: Mapping[tuple[str, str], Tensor] | None = None,
    ) -> Activity:
        """Return the activity that input spikes evoke.

        Parameters
        ----------
        inputs : mapping
            Spike source to raster of 0 and 1, shape (step, batch, neuron). Larger numbers are several spikes in one
            step, where synapses only add to their targets.
        record : sequence of str
            Populations whose spikes are kept.
        traces : sequence of (population, variable)
            Variables kept after the update of every step, before thresholds and resets.
        shape : (steps, batch), optional
            For a network without inputs.
        state : NetworkState, optional
            Where an earlier run ended, to go on from there; `NetworkState.detach` cuts the gradient.
        seed : int
            Of what is random in the network, for a run that begins.
        checkpoint_every : int, optional
            Instead of what the module was made with.
        dropout : mapping, optional
            Population to what the spikes it sends are multiplied by, shape (batch, neuron); 0 for neurons that are
            dropped. What is recorded of them, and their own reset, stay as they are.
        feedback : mapping, optional
            Population and readout to weights, shape (population, readout), in SI units. Given, errors leave readouts
            not by the projections that lead there, but as if by projections with these weights from the populations,
            otherwise like those that lead there. The run itself stays the same.
        emulated : EmulatedRun, optional
            The run on chips: each device carries out all trials, copies have the shape (step, device * trial, neuron),
            the device changing slowest. Values and weights of the module are what the chips are asked for. Inputs and
            what is observed may have an axis of trials or one of copies.
        observed : mapping, optional
            Hardware in the loop: population to the raster of 0 and 1 that was measured, (step, batch, neuron). It goes
            on in the run; gradients pass to the spikes of the model.
        observed_traces : mapping, optional
            The same for state: population and variable to values after the update of every step, SI units; NaN where
            nothing was measured.
        """
        steps, batch = shape or next(iter(inputs.values())).shape[:2]
        like = self.get_buffer("_like")
        chips = None if emulated is None else self._on_chips(emulated, feedback is not None)
        batches = (batch,) if chips is None else (chips.trials, chips.copies)
        batch = batches[-1]
        check_run(inputs, record, traces, network=self.network, steps=self._steps, n_steps=steps, batches=batches)
        sizes = {n: p.size for n, p in self.network.populations.items() if n in inputs or self._spikes(n)}
        dropped = checked_dropout(dropout, self._routes, sizes, batch, like)
        checked_feedback(feedback, self.network, [name for name in self._steps if self._spikes(name)])
        whole = not several_in_a_step(inputs, self._routes, self.dt) and not dropped and sends_whole_spikes(state)
        run = self._kind(batch, whole=whole, broadcast=feedback is not None, devices=chips.devices if chips else 0)
        values = {name: self.neurons[name].values() for name in self.neurons} if chips is None else chips.values
        errors = broadcasts(feedback or {}, self.network, self._routes, self.synapses, values)
        step = 0 if state is None else state.step
        seen = checked_observed(observed, observed_traces, self._steps, (steps, batch), step, chips)
        begun = run.begin(values, like, dropped, errors if torch.is_grad_enabled() else (), chips, seen)
        now = run.initial(values, like, seed, chips) if state is None else state
        every, carry_out = self._stretch(steps, batch, checkpoint_every)
        pieces = []
        for first in range(0, steps, every):
            part = {name: raster[first : first + every] for name, raster in inputs.items()}
            if chips is not None:
                now, part = chips.inputs(now, part, last=step + steps)
            with np.errstate(all="ignore"):  # what Brian2 computes in numpy may overflow, too
                now, piece = carry_out(run, begun, now, part, min(every, steps - first), record, traces)
            pieces.append(piece)
        activity = joined(pieces, now, record, traces)
        return activity if chips is None else chips.shown(activity, inputs, step)

    def trained(self) -> dict[str, dict[str, nn.Parameter]]:
        """Return what the description marks as trainable: population or projection to name to parameter."""
        found: dict[str, dict[str, nn.Parameter]] = {
            name: {key: self.neurons[name][key] for key in population.trainable}
            for name, population in self.network.populations.items()
        }
        for name, projection in self.network.projections.items():
            own = self.neurons[projection.target]
            found[name] = {
                key: getattr(self.synapses[name], key) if key in _OF_SYNAPSES else own[f"{key}_{name}"]
                for key in projection.trainable
            }
        return {name: parameters for name, parameters in found.items() if parameters}

    def unit(self, name: str, key: str) -> float:
        """Return the size in which something trained is changed: the root mean square of what it is now, in SI units.

        Parameters
        ----------
        name, key : str
            As in `trained`.

        Raises
        ------
        InputError
            If a value is zero and has no bounds that tell its size.
        """
        if name in self.network.populations:
            return float(self.neurons[name].unit(key))
        if key not in _OF_SYNAPSES:
            return float(self.neurons[self.network.projections[name].target].unit(f"{key}_{name}"))
        realised = self.synapses[name].realised()
        values = realised.weight if key == "weight" else realised.delay
        existing = values[values != 0]
        return float(np.sqrt(np.mean(existing**2))) if existing.size else (1.0 if key == "weight" else self.dt)

    @property
    def steps(self) -> Mapping[str, PopulationStep]:
        """What each population does in a step."""
        return self._steps

    @property
    def routes(self) -> Mapping[str, Route]:
        """What each projection does in a step."""
        return self._routes

    @property
    def weights(self) -> dict[str, nn.Parameter]:
        """The weights of all projections, see `SynapseParameters` for their shapes."""
        return {name: self.synapses[name].weight for name in self.synapses}

    def weights_array(self) -> dict[str, NDArray[np.float64]]:
        """Return the weights as float64 arrays (n_source, n_target), zeros where there is no synapse."""
        return self.realisation().dense_weights()

    def realisation(self) -> Realisation:
        """Return weights, delays and values of single neurons as they are now."""
        values = {name: self.neurons[name].arrays() for name in self.neurons}
        each = {name: {n: array for n, array in arrays.items() if array.ndim} for name, arrays in values.items()}
        connections = {name: self.synapses[name].realised() for name in self.synapses}
        return Realisation(connections, {name: arrays for name, arrays in each.items() if arrays})

    def description(self) -> Network:
        """Return the network with what was trained for whole populations and projections written into it."""
        return with_trained_values(self.network, {name: self.neurons[name].arrays() for name in self.neurons})

    def constrain_(self) -> None:
        """Move everything that is trained to the nearest allowed values; to be called after every optimiser step."""
        for part in (self.neurons, self.synapses):
            for name in part:
                part[name].constrain_()

    def __getstate__(self) -> dict[str, Any]:
        """Leave out what is made again when it is needed."""
        return {**super().__getstate__(), "_kinds": {}}

    def _population_steps(
        self, program: NetworkProgram, surrogates: Mapping[str, Surrogate], paths: Paths
    ) -> dict[str, PopulationStep]:
        written: dict[str, set[str]] = {name: set() for name in self.network.populations}
        for described in program.projections.values():
            for population, variables in written_by(described).items():
                written[population] |= variables
        return {
            name: PopulationStep(
                program=described,
                size=self.network.populations[name].size,
                dt=self.dt,
                surrogate=surrogates.get(name),
                paths=paths,
                written=frozenset(written[name]),
                given=frozenset(self.neurons[name].values()),
            )
            for name, described in program.populations.items()
        }

    def _projection(
        self, name: str, program: SynapseProgram, realisation: Realisation, dtype: torch.dtype
    ) -> tuple[Route, nn.Module]:
        described, connections = self.network.projections[name], realisation.connections[name]
        steps = delay_steps(connections, described, self.dt)
        source, target = self._steps.get(program.source), self._steps[program.target]
        ends = (program, source, target, self.network.populations[program.source].size)
        rest: dict[str, Any] = {
            "dtype": dtype,
            "sign": described.sign,
            "dt": self.dt,
            "trainable": {n: mark for n, mark in described.trainable.items() if n in _OF_SYNAPSES},
        }
        kind = kind_of_synapses(program, described, target.program)
        kind["one_delay"] &= np.unique(steps).size <= 1
        kind["drawn"] += [f"{key}_{name}" for key in connections.values]
        effects = linear_effects(program, **kind)
        if effects is None:
            refused = refused_of_synapses(name, program, described)
            if refused:
                raise UnsupportedError(f"{refused[0]}.")
            return SynapseRoute(*ends), SynapseProjection(program, connections, steps, **rest)
        wiring = described.wiring if isinstance(described.wiring, Convolution) else None
        linear = LinearProjection(effects, connections, steps, convolution=wiring, **rest)
        return LinearRoute(*ends, effects, source_states(program, **kind)), linear

    def _stretch(self, steps: int, batch: int, checkpoint_every: int | None) -> tuple[int, Any]:
        """Return how many steps are carried out at a time, and what carries them out."""
        if not torch.is_grad_enabled():
            return max(1, STRETCH // (batch * sum(p.size for p in self.network.populations.values()))), NetworkRun.piece
        every = self.checkpoint_every if checkpoint_every is None else checkpoint_every
        return (steps, NetworkRun.piece) if every is None else (every, _again)

    @torch.compiler.disable
    def _kind(self, batch: int, *, whole: bool, broadcast: bool, devices: int = 0) -> NetworkRun:
        """Return the network bound to the kind of run asked for now.

        `whole` says that every spike counts once, `broadcast` that errors leave readouts by ways of their own.
        """
        like, gradients = self.get_buffer("_like"), torch.is_grad_enabled()
        smooth = any(step.surrogate is not None and step.surrogate.smooth for step in self._steps.values())
        exact = whole and not gradients and not smooth and like.dtype is torch.float64 and like.device.type == "cpu"
        options = RunOptions(batch, like.dtype, like.device, exact, gradients, smooth, devices, whole)
        key = (options, broadcast)
        if key not in self._kinds:
            sizes = {name: population.size for name, population in self.network.populations.items()}
            while len(self._kinds) >= _KINDS:
                self._kinds.pop(next(iter(self._kinds)))
            found = self._passages[broadcast] if gradients else Passages()
            check_passages(self._routes, found)
            self._kinds[key] = NetworkRun(
                self._steps, self._routes, self.synapses, sizes, self.dt, options, self.unroll, passages=found
            )
        return self._kinds[key]

    def _on_chips(self, emulated: EmulatedRun, broadcast: bool) -> TorchChips:
        """Return the run on chips, with what they make of values and weights."""
        check_emulated(emulated, self.network, self._passages[broadcast], self._steps, broadcast=broadcast)
        return TorchChips(
            emulated,
            self.neurons,
            self.synapses,
            steps=self._steps,
            routes=self._routes,
            sizes={name: population.size for name, population in self.network.populations.items()},
            like=self.get_buffer("_like"),
        )

    def _spikes(self, name: str) -> bool:
        return name in self._steps and self._steps[name].program.threshold is not None


def _again(
    run: NetworkRun,
    begun: Begun,
    state: NetworkState,
    inputs: Mapping[str, Tensor],
    steps: int,
    record: Sequence[str],
    traces: Sequence[tuple[str, str]],
) -> tuple[NetworkState, Piece]:
    """Carry out some steps, and again in the backward pass: random numbers are drawn anew from the same state."""
    found: tuple[NetworkState, Piece] = checkpoint(
        run.piece, begun, state, inputs, steps, record, traces, use_reentrant=False, preserve_rng_state=False
    )
    return found
