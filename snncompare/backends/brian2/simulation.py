"""A network in Brian2 that goes on where it stood."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import brian2
import numpy as np
from numpy.typing import NDArray

from snncompare.backends.activity import InputSpikes, Recorded
from snncompare.backends.brian2.build import build, monitors
from snncompare.backends.brian2.targets import STANDALONE, code_target
from snncompare.backends.realisation import MAX_DELAY_STEPS, Realisation
from snncompare.backends.simulation import WEIGHT, Simulation, Stretch
from snncompare.dynamics.brian_objects import brian2_errors
from snncompare.errors import FileError, UnsupportedError
from snncompare.network.composition import compose, compose_synapse, weight_name
from snncompare.network.equations import names_in_equations, names_in_statements
from snncompare.network.network import Network
from snncompare.network.neuron import NeuronModel

__all__ = ["Brian2Simulation"]

_RANDOM = {"rand", "randn", "poisson", "xi"}
_CLOCKED = ("lastspike", "not_refractory", "lastupdate")
"""What Brian2 itself keeps for neurons and synapses."""


class Brian2Simulation(Simulation):
    """See `Simulation`.

    Parameters
    ----------
    network, realisation, dt, provenance
        See `Simulation`.
    target : str
        ``"numpy"``, or ``"cython"`` for a network without random numbers, of which Brian2 keeps a stock there.
    seed : int

    Raises
    ------
    UnsupportedError
        For a target that cannot be stopped.
    """

    def __init__(
        self,
        network: Network,
        realisation: Realisation,
        dt: float,
        provenance: Mapping[str, object] | None = None,
        *,
        target: str = "numpy",
        seed: int = 0,
    ) -> None:
        super().__init__(network, realisation, dt, provenance)
        if target == STANDALONE:
            raise UnsupportedError(
                f"the target '{STANDALONE}' runs whole trials only; take target='numpy' or 'cython'."
            )
        if target != "numpy" and _is_random(network):
            raise UnsupportedError(
                f"'{network.name}' draws random numbers, of which Brian2 keeps a stock in target='{target}'; take "
                "target='numpy', whose numbers are the same however a run is cut."
            )
        self._target = code_target(target)
        self._built = build(network, realisation, dt, copies=1, target=self._target, spikes=(), traces=())
        self._brian2 = brian2.Network(*self._built.objects())
        generator = np.random.RandomState(seed)
        self._random: Any = generator.get_state()[1:]  # type: ignore[index] # the legacy form is a tuple

    def _advance(self, steps: int, inputs: Mapping[str, InputSpikes], recorded: Recorded) -> Stretch:
        spikes, traces = monitors(self._built.groups, self.dt, self._target, recorded.spikes, recorded.traces)
        for name, given in inputs.items():
            self._built.groups[name].set_spikes(given.neuron, (given.step + self.steps) * self.dt * brian2.second)
        fresh = [*spikes.values(), *traces.values()]
        self._brian2.add(*fresh)
        try:
            self._carry_out(steps)
        finally:
            self._brian2.remove(*fresh)
        found = {}
        for name, monitor in spikes.items():
            step = np.rint(np.asarray(monitor.t_) / self.dt).astype(np.int64) - self.steps
            found[name] = (step, np.asarray(monitor.i, dtype=np.int64))
        return found, {key: np.array(monitor.variables[key[1]].get_value()).T for key, monitor in traces.items()}

    def _carry_out(self, steps: int) -> None:
        self._brian2.t_ = self.steps * self.dt
        with brian2_errors(f"network '{self.network.name}'"), self._own_random_numbers():
            self._brian2.run(steps * self.dt * brian2.second, namespace={})

    @contextmanager
    def _own_random_numbers(self) -> Iterator[None]:
        """Let Brian2 draw what this simulation would draw if nothing else drew from numpy's global generator."""
        outside = np.random.get_state()  # noqa: NPY002
        np.random.set_state(("MT19937", *self._random))  # noqa: NPY002
        try:
            yield
            self._random = np.random.get_state()[1:]  # type: ignore[index] # noqa: NPY002
        finally:
            np.random.set_state(outside)  # noqa: NPY002

    def _read(self, name: str, variable: str) -> NDArray[np.float64]:
        if name not in self._built.groups and name not in self._built.synapses:
            return np.zeros(0)
        return np.asarray(self._array(name, variable), dtype=np.float64)

    def _write(self, name: str, variable: str, value: NDArray[np.float64]) -> None:
        if value.size:
            self._array(name, variable)[:] = value

    def _array(self, name: str, variable: str) -> NDArray[Any]:
        """Return the array itself."""
        if name in self._built.groups:
            owner, key = self._built.groups[name], variable
        else:
            owner, key = self._built.synapses[name], weight_name(name) if variable == WEIGHT else f"{variable}_{name}"
        found: NDArray[Any] = owner.variables[key].get_value()
        return found

    def _owned(self) -> dict[str, NDArray[Any]]:
        """Return the arrays themselves that hold the state, by name."""
        found = {
            f"{name} {key}": self._array(name, key)
            for name, keys in self.variables.items()
            for key in keys
            if name in self._built.groups or name in self._built.synapses
        }
        for name, owner in {**self._built.groups, **self._built.synapses}.items():
            found |= {f"{name} {key}": owner.variables[key].get_value() for key in _CLOCKED if key in owner.variables}
        return found

    def _pathways(self) -> dict[str, Any]:
        return {path.name: path for joined in self._built.synapses.values() for path in joined._pathways}

    def _state(self) -> dict[str, NDArray[Any]]:
        self._prepare()
        key, position, has_gauss, gauss = self._random
        arrays = {name: array.copy() for name, array in self._owned().items()}
        arrays |= {"random key": np.array(key), "random position": np.array([position, has_gauss])}
        arrays["random gauss"] = np.array([gauss])
        for name, path in self._pathways().items():
            arrays |= {f"{name} {part}": array for part, array in _waiting(path.queue).items()}
        return arrays

    def _restore(self, state: Mapping[str, NDArray[Any]], steps: int) -> None:  # noqa: ARG002 - the clock is set in runs
        for name, array in self._owned().items():
            if state[name].shape != array.shape:
                raise FileError(f"'{name}' of this state has not the shape {array.shape}, but {state[name].shape}.")
        for name, array in self._owned().items():
            array[:] = state[name]
        position, has_gauss = state["random position"].tolist()
        self._random = (state["random key"].astype(np.uint32), position, has_gauss, float(state["random gauss"][0]))
        for name, path in self._pathways().items():
            _wait(path, {part: state[f"{name} {part}"] for part in ("position", "count", "synapse")})

    def _prepare(self) -> None:
        """Let Brian2 make the queues of spikes under way."""
        if any(path.queue is None for path in self._pathways().values()):
            self._carry_out(0)


def _is_random(network: Network) -> bool:
    """Return whether a run draws random numbers."""
    read: set[str] = set()
    for name, population in network.populations.items():
        if isinstance(population.neuron, NeuronModel):
            composed = compose(network, name)
            read |= names_in_equations(composed.equations) | names_in_statements(composed.model.reset)
            read |= names_in_equations(f"threshold = {composed.model.threshold or '1 < 0'} : boolean")
    for name in network.projections:
        composed_synapse = compose_synapse(network, name)
        read |= names_in_equations(composed_synapse.equations)
        read |= names_in_statements(composed_synapse.on_pre) | names_in_statements(composed_synapse.on_post)
    return any(name in _RANDOM or name.startswith("xi_") for name in read)


def _waiting(queue: Any) -> dict[str, NDArray[np.int64]]:
    """Return the spikes that are under way: which synapse each will reach, and how many in each slot of the ring."""
    kept = queue._full_state()
    if len(kept) == 2:  # Brian2's compiled queue
        position, slots = kept
    else:  # its queue in Python
        spikes, (n_slots, _) = kept[1:]
        position, slots = 0, [spikes[spikes[:, 0] == slot, 1] for slot in range(n_slots)]
    return {
        "position": np.array([position], dtype=np.int64),
        "count": np.array([len(slot) for slot in slots], dtype=np.int64),
        "synapse": np.concatenate([np.zeros(0, np.int64), *(np.asarray(slot, np.int64) for slot in slots)]),
    }


def _wait(path: Any, parts: Mapping[str, NDArray[np.int64]]) -> None:
    """Put spikes under way, as `_waiting` returns them; Brian2 lengthens the ring where a delay asks for it."""
    (position,), count, synapse = parts["position"].tolist(), parts["count"], parts["synapse"]
    fits = 0 <= position < count.size <= MAX_DELAY_STEPS + 1 and (count >= 0).all() and count.sum() == synapse.size
    if not fits or ((synapse < 0) | (synapse >= len(path.synapses))).any():
        raise FileError(f"the spikes under way in '{path.name}' do not fit to this network.")
    kept = path.queue._full_state()
    if len(kept) == 2:
        each = [part.tolist() for part in np.split(synapse, np.cumsum(count)[:-1])]
        path.queue._restore_from_full_state((position, each))
    else:
        when, shape = np.repeat(np.arange(count.size), count), (count.size, max(1, int(count.max())))
        path.queue._restore_from_full_state((kept[0], np.stack([when, synapse], axis=1), shape))
