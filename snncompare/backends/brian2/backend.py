"""Build the Brian2 network of a description, run it trial by trial, read the spikes back."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import brian2
import numpy as np
from brian2.codegen.runtime.numpy_rt.numpy_rt import NumpyCodeObject

from snncompare.backends.activity import (
    InputSpikes,
    check_record,
    input_spikes,
    n_steps,
    output_recording,
    spiking,
    trials_of,
)
from snncompare.backends.program import Backend, Program, Weights
from snncompare.dynamics.brian_objects import CodeTarget, brian2_errors, neuron_group, spike_source, synapses
from snncompare.errors import InputError, unknown
from snncompare.network.composition import weight_name
from snncompare.network.network import Network
from snncompare.network.neuron import SpikeSource
from snncompare.recording.recording import Recording
from snncompare.units import QuantityLike, seconds

__all__ = ["Brian2Backend", "Brian2Program"]


@contextmanager
def _seeded(seed: int) -> Iterator[None]:
    """Seed Brian2, which draws from numpy's global generator, and leave that generator as it was."""
    state = np.random.get_state()  # noqa: NPY002 - Brian2 knows no other generator
    brian2.seed(seed)
    try:
        yield
    finally:
        np.random.set_state(state)  # noqa: NPY002


def _targets() -> dict[str, CodeTarget]:
    from brian2.codegen.runtime.cython_rt.cython_rt import CythonCodeObject

    return {"numpy": NumpyCodeObject, "cython": CythonCodeObject}


class Brian2Backend(Backend):
    """Runs networks in Brian2's runtime mode.

    Options of `compile`: ``target="numpy"`` (no compilation) or ``"cython"`` (compiled, faster for long runs).
    """

    name = "brian2"

    def missing(self, network: Network) -> tuple[str, ...]:  # noqa: ARG002 - nothing is missing in any network
        """Return nothing: a description is Brian2's own language."""
        return ()

    def compile(self, network: Network, *, dt: float, dtype: str, weights: Weights, **options: Any) -> "Brian2Program":
        """Return the program; ``dtype`` must be ``"float64"``."""
        if dtype != "float64":
            raise InputError("the backend 'brian2' computes in float64; use dtype='float64'.")
        target = options.pop("target", "numpy")
        if options:
            raise InputError(unknown("option of the backend 'brian2'", next(iter(options)), ["target"]))
        if target not in _targets():
            raise InputError(unknown("target", target, _targets()))
        return Brian2Program(network, dt, weights, _targets()[target])


class Brian2Program(Program):
    """A network built once in Brian2 and run from the same initial state for every trial."""

    def __init__(self, network: Network, dt: float, weights: Weights, target: CodeTarget) -> None:
        self.network, self.dt, self.weights = network, dt, weights
        self._groups: dict[str, Any] = {}
        for name, population in network.populations.items():
            make = spike_source if isinstance(population.neuron, SpikeSource) else neuron_group
            self._groups[name] = make(network, name, dt, population.size, target)
        synapses_made = [self._connect(name, target) for name in sorted(network.projections)]
        self._monitors = {n: brian2.SpikeMonitor(self._groups[n], name=f"spikes_of_{n}") for n in spiking(network)}
        self._simulation = brian2.Network(
            *self._groups.values(), *filter(None, synapses_made), *self._monitors.values()
        )
        self._simulation.store()

    def _connect(self, name: str, target: CodeTarget) -> brian2.Synapses | None:
        """Return the synapses of a projection, or None where every weight is zero."""
        pre, post = np.nonzero(self.weights[name])
        if not pre.size:
            return None
        projection = self.network.projections[name]
        made = synapses(
            self.network, name, self._groups[projection.source], self._groups[projection.target], self.dt, target
        )
        made.connect(i=pre, j=post)
        made.variables[weight_name(name)].set_value(self.weights[name][pre, post])
        return made

    def run(
        self,
        inputs: Mapping[str, Recording],
        *,
        duration: QuantityLike,
        seed: int = 0,
        record: Sequence[str] | None = None,
    ) -> Recording:
        """Return the spikes of a run, see `Program.run`."""
        steps = n_steps(seconds(duration, "duration"), self.dt)
        trials = trials_of(self.network, inputs)
        recorded = check_record(self.network, record)
        given = {n: input_spikes(self.network, n, recording, self.dt, steps) for n, recording in inputs.items()}
        found: dict[str, list[tuple[Any, ...]]] = {name: [] for name in recorded}
        for trial in range(1 if trials is None else len(trials)):
            self._simulation.restore()
            with _seeded(seed + trial):
                self._run_trial(given, trial, steps)
            for name in recorded:
                monitor = self._monitors[name]
                step = np.rint(np.asarray(monitor.t_) / self.dt).astype(np.int64)
                found[name].append((np.full(step.size, trial), step, np.asarray(monitor.i, dtype=np.int64)))
        spikes = {name: tuple(np.concatenate(part) for part in zip(*runs, strict=True)) for name, runs in found.items()}
        return output_recording(self.network, spikes, self.dt, steps, trials, self._provenance())

    def _run_trial(self, given: Mapping[str, InputSpikes], trial: int, steps: int) -> None:
        for name, spikes in given.items():
            step, neuron = spikes.of_trial(trial)
            self._groups[name].set_spikes(neuron, step * self.dt * brian2.second)
        with brian2_errors(f"network '{self.network.name}'"):
            self._simulation.run(steps * self.dt * brian2.second, namespace={})

    def _provenance(self) -> dict[str, object]:
        return {"backend": "brian2", "dt_seconds": self.dt, "dtype": "float64", "network": self.network.fingerprint()}
