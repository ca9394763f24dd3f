"""Teach a network of bursting neurons in two phases, example after example; a killed run goes on with the same bits."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from snncompare import provenance
from snncompare.backends.realisation import Given, Realisation
from snncompare.backends.registry import compile as compile_network
from snncompare.backends.simulation import WEIGHT, Simulation
from snncompare.errors import InputError
from snncompare.learning.bursts.rates import RATES, population_rates, ratio
from snncompare.learning.bursts.saved import SavedSimulation
from snncompare.learning.bursts.two_phases import Example, TwoPhases
from snncompare.network.network import Network
from snncompare.network.neuron import NeuronModel
from snncompare.recording.ensemble_rates import ensemble_rates
from snncompare.units import QuantityLike, quantity, seconds

__all__ = ["TwoPhaseCourse", "learn_in_two_phases"]


@dataclass(frozen=True, eq=False)
class TwoPhaseCourse:
    """What became of a network that was taught in two phases.

    Attributes
    ----------
    history : pandas.DataFrame
        One row per example: ``epoch`` (from 1), ``example`` (its place in the epoch), ``cost``, ``teacher`` (mean
        current, amperes); for each population ``NAME event_rate`` (hertz) and ``NAME burst_probability`` at the end of
        the prediction, ``NAME taught`` its burst probability in the teaching phase alone; for each gated projection
        ``NAME weight``, the mean weight after the example, SI units.
    before, after : pandas.DataFrame
        The tests: index (``example``, ``population``), columns ``event_rate, burst_rate`` (hertz) and
        ``burst_probability``.
    courses : dict
        ``"before"`` and ``"after"`` to the event rates in the tests over time, hertz, shape (example, population, bin);
        populations and examples as in the tables.
    weights : dict
        Gated projection to its weights at the end, shape (n_synapses,), SI units.
    provenance : dict
    """

    history: pd.DataFrame
    before: pd.DataFrame
    after: pd.DataFrame
    courses: dict[str, NDArray[np.float64]]
    weights: dict[str, NDArray[np.float64]]
    provenance: dict[str, Any]

    @property
    def cost(self) -> NDArray[np.float64]:
        """Cost of each epoch, summed over its examples."""
        return self.history.groupby("epoch")["cost"].sum().to_numpy()


def learn_in_two_phases(
    network: Network,
    protocol: TwoPhases,
    *,
    epochs: int,
    backend: str = "fused",
    dt: QuantityLike = "0.1 ms",
    seed: int = 0,
    weights: Given | None = None,
    checkpoint: str | Path | None = None,
    save_every: int = 10,
    progress: Callable[[str], None] | None = None,
    **options: Any,
) -> TwoPhaseCourse:
    """Return what becomes of a network that is taught a protocol; before and after, every example is tested.

    Parameters
    ----------
    network : Network
        Of neurons made by `with_bursts` with averages, such as `burst_xor_network`.
    protocol : TwoPhases
    epochs : int
        Times that all examples are shown; 0 only tests.
    backend : str
        One whose programs have a `Program.simulation`.
    dt : time
    seed : int
        Of what is drawn in the network, and of its noise.
    weights : Realisation or mapping, optional
        What is not drawn.
    checkpoint : path, optional
        A file from which an interrupted run goes on, with the same bits; it is removed at the end.
    save_every : int
        Epochs between two checkpoints.
    progress : callable, optional
        Receives one line per epoch.
    **options
        Of the backend.

    Raises
    ------
    InputError
        If network and protocol do not fit together, or a phase is no multiple of `dt`.
    UnsupportedError
        If the backend runs whole trials only.
    FileError
        If the checkpoint belongs to something else.
    """
    if epochs < 0 or save_every < 1:
        raise InputError(f"epochs is 0 or more and save_every 1 or more, got {epochs} and {save_every}.")
    protocol.check(network)
    program = compile_network(network, backend, dt=dt, seed=seed, weights=weights, **options)
    for name in ("prediction", "teaching", "burn_in", "test"):
        _check_steps(name, getattr(protocol, name), program.dt)
    record: dict[str, Any] = {
        "network": network.fingerprint(),
        "protocol": repr(protocol),
        "dt_seconds": program.dt,
        "backend": backend,
        "options": repr(options),
        "realisation": _mark(program.realisation),
    }
    saved = SavedSimulation(
        None if checkpoint is None else Path(checkpoint), provenance.fingerprint(record | {"seed": seed})
    )
    lesson = _Lesson(program.simulation(seed=seed), protocol)
    tables = saved.resume(lesson.simulation)
    if not tables:
        if seconds(protocol.burn_in) > 0:
            lesson.simulation.advance(protocol.burn_in)
        tables = lesson.test("before")
    names = lesson.columns()
    rows = list(tables.get("history", np.zeros((0, len(names)))))
    each = len(protocol.examples)
    for epoch in range(len(rows) // each + 1, epochs + 1):
        rows += [lesson.show(epoch, place, example) for place, example in enumerate(protocol.examples)]
        if epoch % save_every == 0 or epoch == epochs:
            saved.save(lesson.simulation, {**tables, "history": np.array(rows)})
        if progress is not None:
            progress(lesson.told(pd.DataFrame(rows[-each:], columns=names)))
    tables |= lesson.test("after")
    course = TwoPhaseCourse(
        _history(rows[: epochs * each], names),
        lesson.table(tables["before"]),
        lesson.table(tables["after"]),
        {when: tables[f"{when} course"] for when in ("before", "after")},
        {name: lesson.simulation.get(name, WEIGHT) for name in lesson.gated},
        provenance.collect(seed=seed, epochs=epochs, **record),
    )
    saved.remove()
    return course


class _Lesson:
    """A simulation that is shown examples.

    Parameters
    ----------
    simulation : Simulation
    protocol : TwoPhases
    """

    def __init__(self, simulation: Simulation, protocol: TwoPhases) -> None:
        self.simulation, self._protocol, network = simulation, protocol, simulation.network
        self.populations = [n for n, p in network.populations.items() if isinstance(p.neuron, NeuronModel)]
        self.gated = protocol.opened(network)
        self._tau = seconds(protocol.tau_average)
        self._codes = [float(quantity(code).value) for code in (protocol.zero, protocol.one)]
        self.shut()

    def shut(self) -> None:
        """Shut plasticity and silence the teacher."""
        for name in self.gated:
            self.simulation.set(name, self._protocol.gate, 0.0)
        self.simulation.set(self._protocol.output, self._protocol.teacher_current, 0.0)

    def columns(self) -> list[str]:
        """Return the columns of the history."""
        of_populations = [
            f"{n} {key}" for n in self.populations for key in ("event_rate", "burst_probability", "taught")
        ]
        return ["epoch", "example", "cost", "teacher", *of_populations, *(f"{name} weight" for name in self.gated)]

    def show(self, epoch: int, place: int, example: Example) -> NDArray[np.float64]:
        """Show an example, teach it, and return its row of the history."""
        simulation, protocol = self.simulation, self._protocol
        self._encode(example)
        simulation.advance(protocol.prediction)
        averages = {name: self._averages(name) for name in self.populations}
        rates = averages[protocol.output][0] / self._tau
        current = protocol.teacher.current(rates, example.target)
        simulation.set(protocol.output, protocol.teacher_current, current)
        for name in self.gated:
            simulation.set(name, protocol.gate, 1.0)
        simulation.advance(protocol.teaching)
        self.shut()
        row = [epoch, place, protocol.teacher.cost(float(rates.mean()), example.target), current.mean()]
        for name in self.populations:
            events, bursts = averages[name]
            row += [events.mean() / self._tau, ratio(bursts.sum(), events.sum()), self._taught(name, events, bursts)]
        return np.array([*row, *(simulation.get(name, WEIGHT).mean() for name in self.gated)], dtype=np.float64)

    def test(self, when: str) -> dict[str, NDArray[np.float64]]:
        """Show every example without teaching.

        Returns
        -------
        dict
            The name to measures (example, population, measure), the name and "course" to event rates over time.
        """
        self.shut()
        found, courses = [], []
        for example in self._protocol.examples:
            self._encode(example)
            recording = self.simulation.run(self._protocol.test, record=self.populations)
            found.append(population_rates(recording, self._protocol.settle).loc[self.populations].to_numpy())
            rates = ensemble_rates(recording, self._protocol.bin)["event_rate"]
            courses.append(rates.sel(population=self.populations).to_numpy())
        return {when: np.array(found), f"{when} course": np.array(courses)}

    def table(self, measures: NDArray[np.float64]) -> pd.DataFrame:
        """Return the measures of a test by example and population."""
        names = [example.name for example in self._protocol.examples]
        index = pd.MultiIndex.from_product([names, self.populations], names=["example", "population"])
        return pd.DataFrame(measures.reshape(len(index), len(RATES)), index=index, columns=list(RATES))

    def told(self, rows: pd.DataFrame) -> str:
        """Return a line about an epoch."""
        rates = ", ".join(f"{rate:.2f}" for rate in rows[f"{self._protocol.output} event_rate"])
        return f"epoch {int(rows['epoch'].iloc[0])}: cost {rows['cost'].sum():.3f}, output {rates} Hz"

    def _encode(self, example: Example) -> None:
        for name, value in example.inputs.items():
            self.simulation.set(name, self._protocol.input_current, self._codes[value])

    def _averages(self, name: str) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        return self.simulation.get(name, "events_average"), self.simulation.get(name, "bursts_average")

    def _taught(self, name: str, events: NDArray[np.float64], bursts: NDArray[np.float64]) -> float:
        """Return the burst probability of the teaching phase: what the averages hold beyond what has decayed."""
        kept = np.exp(-seconds(self._protocol.teaching) / self._tau)
        now = self._averages(name)
        return ratio(now[1].sum() - kept * bursts.sum(), now[0].sum() - kept * events.sum())


def _history(rows: list[NDArray[np.float64]], names: list[str]) -> pd.DataFrame:
    table = pd.DataFrame(np.array(rows).reshape(len(rows), len(names)), columns=names)
    return table.astype({"epoch": int, "example": int})


def _check_steps(name: str, given: QuantityLike, dt: float) -> None:
    steps = seconds(given, name) / dt
    if not np.isclose(steps, round(steps), rtol=1e-9, atol=0):
        raise InputError(f"{name}, '{given}', is no multiple of the time step {dt * 1e3:g} ms.")


def _mark(realisation: Realisation) -> str:
    """Return a fingerprint of everything that was drawn or given."""
    digest = sha256()
    for name, connections in sorted(realisation.connections.items()):
        arrays = {"source": connections.source, "target": connections.target, "weight": connections.weight}
        arrays |= {f"value {key}": array for key, array in connections.values.items()}
        arrays |= {} if connections.delay is None else {"delay": connections.delay}
        _digest(digest, name, arrays)
    for name, values in sorted(realisation.values.items()):
        _digest(digest, name, values)
    return digest.hexdigest()


def _digest(digest: Any, name: str, arrays: Mapping[str, NDArray[Any]]) -> None:
    for key, array in sorted(arrays.items()):
        digest.update(f"{name} {key} {array.dtype} {array.shape}".encode())
        digest.update(np.ascontiguousarray(array).tobytes())
