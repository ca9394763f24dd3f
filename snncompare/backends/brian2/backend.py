"""Run a description in Brian2: all trials side by side, in numpy, in Cython, or as a C++ program of its own."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import brian2
import numpy as np
from numpy.typing import NDArray

from snncompare.backends.activity import (
    InputSpikes,
    Recorded,
    RunPlan,
    output_recording,
    planned_run,
)
from snncompare.backends.brian2.build import Built, build, copies_allowed
from snncompare.backends.brian2.emulated import EmulatedSteps, on_device
from snncompare.backends.brian2.simulation import Brian2Simulation
from snncompare.backends.brian2.standalone import standalone_device
from snncompare.backends.brian2.targets import STANDALONE, TARGETS, code_target
from snncompare.backends.emulation import Emulation, copies_of
from snncompare.backends.program import Backend, Program
from snncompare.backends.realisation import Realisation
from snncompare.dynamics.brian_objects import brian2_errors
from snncompare.dynamics.step_program import check_network
from snncompare.errors import InputError, UnsupportedError, unknown
from snncompare.network.network import Network
from snncompare.recording.recording import Recording
from snncompare.units import QuantityLike

__all__ = ["Brian2Backend", "Brian2Program"]

_Found = tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]


class Brian2Backend(Backend):
    """Runs networks in Brian2.

    Options of `compile`: ``target="numpy"`` (no compilation), ``"cython"`` (compiled, faster for long runs) or
    ``"cpp_standalone"`` (Brian2 writes, compiles and runs a C++ program for every run: fastest for very long runs);
    ``emulation``, the chip that carries the network (one device, whose opened network is compiled).
    """

    name = "brian2"

    def missing(self, network: Network) -> tuple[str, ...]:  # noqa: ARG002 - nothing is missing in any network
        """Return nothing: a description is Brian2's own language."""
        return ()

    def compile(
        self, network: Network, *, dt: float, dtype: str, realisation: Realisation, **options: Any
    ) -> "Brian2Program":
        """Return the program; ``dtype`` must be ``"float64"``."""
        if dtype != "float64":
            raise InputError("the backend 'brian2' computes in float64; use dtype='float64'.")
        target, emulation = options.pop("target", "numpy"), options.pop("emulation", None)
        if options:
            raise InputError(unknown("option of the backend 'brian2'", next(iter(options)), ["target", "emulation"]))
        if target not in TARGETS:
            raise InputError(unknown("target", target, TARGETS))
        if emulation is None:
            return Brian2Program(network, dt, realisation, target)
        if target == STANDALONE:
            raise UnsupportedError(
                f"the target '{STANDALONE}' emulates no chip: its program cannot ask for noise and losses; take "
                "target='numpy' or 'cython'."
            )
        if network != emulation.network:
            raise InputError(f"'{network.name}' is not the network that the chip carries; compile emulation.network.")
        return Brian2Program(network, dt, on_device(realisation, emulation), target, emulation)


class Brian2Program(Program):
    """A network that Brian2 runs from the same initial state for every trial.

    With an emulation, the realisation is what the chip has made of it.
    """

    def __init__(
        self,
        network: Network,
        dt: float,
        realisation: Realisation,
        target: str,
        emulation: Emulation | None = None,
    ) -> None:
        self.network, self.dt, self.realisation, self.target = network, dt, realisation, target
        self._emulation = emulation
        self._most_copies = copies_allowed(network, realisation)
        self._built: dict[tuple[int, Recorded], tuple[Built, brian2.Network, EmulatedSteps | None]] = {}
        check_network(network, dt)

    def run(
        self,
        inputs: Mapping[str, Recording],
        *,
        duration: QuantityLike,
        seed: int = 0,
        record: Sequence[str] | None = None,
    ) -> Recording:
        """Return the activity of a run, see `Program.run`."""
        plan = planned_run(self.network, self.realisation, self.dt, inputs, duration, record)
        spikes: dict[str, list[_Found]] = {name: [] for name in plan.recorded.spikes}
        traces: dict[tuple[str, str], list[NDArray[np.float64]]] = {key: [] for key in plan.recorded.traces}
        for first in range(0, plan.n_trials, self._most_copies):
            copies = min(self._most_copies, plan.n_trials - first)
            with _seeded(seed + first), self._finished(plan, copies, first, seed) as (built, emulated):
                for name, kept in spikes.items():
                    kept.append(self._spikes(built, name, first))
                for key, kept_traces in traces.items():
                    values = np.asarray(built.state_monitors[key].variables[key[1]].get_value()).T
                    values = values.reshape(copies, -1, values.shape[-1])
                    kept_traces.append(values if emulated is None else emulated.read(*key, values))
        joined = {name: tuple(map(np.concatenate, zip(*runs, strict=True))) for name, runs in spikes.items()}
        together = {key: np.concatenate(parts) for key, parts in traces.items()}
        trials = plan.trials if self._emulation is None else copies_of(plan.trials, 1)
        return output_recording(self.network, joined, self.dt, plan.steps, trials, self._provenance(), together)  # type: ignore[arg-type]

    def simulation(self, seed: int = 0) -> Brian2Simulation:
        """Return the network at time zero, see `Program.simulation`."""
        if self._emulation is not None:
            raise UnsupportedError("a network on an emulated chip runs whole trials only; take program.run(...).")
        return Brian2Simulation(
            self.network, self.realisation, self.dt, self._provenance(), target=self.target, seed=seed
        )

    @contextmanager
    def _finished(
        self, plan: RunPlan, copies: int, first: int, seed: int
    ) -> Iterator[tuple[Built, EmulatedSteps | None]]:
        """Run some trials side by side, and hand out the Brian2 objects while their results can be read."""
        where, duration = brian2_errors(f"network '{self.network.name}'"), plan.steps * self.dt * brian2.second
        if self.target == STANDALONE:
            with where, standalone_device() as device:
                built, simulation, _ = self._network(plan.recorded, copies)
                self._give_spikes(built, plan.inputs, first)
                simulation.run(duration, namespace={})
                device.build_and_run()
                yield built, None
            return
        if (copies, plan.recorded) not in self._built:
            self._built = {(copies, plan.recorded): self._network(plan.recorded, copies)}
            self._built[copies, plan.recorded][1].store()
        built, simulation, emulated = self._built[copies, plan.recorded]
        simulation.restore()
        self._give_spikes(built, plan.inputs, first)
        if emulated is not None and self._emulation is not None:
            emulated.begin(self._emulation.begin(n_trials=copies, dt=self.dt, seed=seed, first_trial=first))
        with where:
            simulation.run(duration, namespace={})
        yield built, emulated

    def _network(self, recorded: Recorded, copies: int) -> tuple[Built, brian2.Network, EmulatedSteps | None]:
        built = build(
            self.network,
            self.realisation,
            self.dt,
            copies=copies,
            target=code_target(self.target),
            spikes=recorded.spikes,
            traces=recorded.traces,
        )
        if self._emulation is None:
            return built, brian2.Network(*built.objects()), None
        emulated = EmulatedSteps(self.network, built.groups, self.dt, copies)
        return built, brian2.Network(*built.objects(), *emulated.operations()), emulated

    def _give_spikes(self, built: Built, given: Mapping[str, InputSpikes], first: int) -> None:
        for name, spikes in given.items():
            here = (spikes.trial >= first) & (spikes.trial < first + built.copies)
            neuron = (spikes.trial[here] - first) * self.network.populations[name].size + spikes.neuron[here]
            built.groups[name].set_spikes(neuron, spikes.step[here] * self.dt * brian2.second)

    def _spikes(self, built: Built, name: str, first: int) -> _Found:
        monitor, size = built.spike_monitors[name], self.network.populations[name].size
        step = np.rint(np.asarray(monitor.t_) / self.dt).astype(np.int64)
        copy, neuron = np.divmod(np.asarray(monitor.i, dtype=np.int64), size)
        order = np.argsort(copy, kind="stable")
        return (copy + first)[order], step[order], neuron[order]

    def _provenance(self) -> dict[str, object]:
        return {
            "backend": "brian2",
            "target": self.target,
            "dt_seconds": self.dt,
            "dtype": "float64",
            "network": self.network.fingerprint(),
        }


@contextmanager
def _seeded(seed: int) -> Iterator[None]:
    """Seed Brian2, which draws from numpy's global generator, and leave that generator as it was."""
    state = np.random.get_state()  # noqa: NPY002 - Brian2 knows no other generator
    brian2.seed(seed)
    try:
        yield
    finally:
        np.random.set_state(state)  # noqa: NPY002
