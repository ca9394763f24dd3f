"""One epoch of training after the other: what changes, and what of it goes into a checkpoint."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from itertools import islice
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from snncompare.backends.torch.module import TorchNetwork
from snncompare.datasets.spike_dataset import SpikeDataset
from snncompare.errors import FileError
from snncompare.learning.batches import Batches
from snncompare.learning.checkpoint import Checkpoint
from snncompare.learning.distributed import Processes
from snncompare.learning.dropout import Dropout
from snncompare.learning.early_stopping import Best
from snncompare.learning.evaluate import evaluate
from snncompare.learning.faults import FaultLimits, TrainingFaultError, check_numbers, faults_of, largest_rate
from snncompare.learning.fitting import longest_window
from snncompare.learning.gradients.engine import GradientEngine
from snncompare.learning.losses import Loss, Wants
from snncompare.learning.on_chip.chips import Chips
from snncompare.learning.optimiser import Optimiser
from snncompare.network.randomness import is_random
from snncompare.units import QuantityLike

__all__ = ["Course", "Training"]


@dataclass
class Course:
    """What is summed up in an epoch of training: sums over trials, and over updates."""

    trials: int = 0
    seconds: float = 0.0
    loss: float = 0.0
    right: float | None = None
    spikes: dict[str, float] = field(default_factory=dict)
    squares: dict[str, float] = field(default_factory=dict)
    updates: int = 0

    @property
    def norms(self) -> dict[str, float]:
        """Parameter to the root mean square of the norm of its gradient."""
        return {name: math.sqrt(total / max(1, self.updates)) for name, total in self.squares.items()}


@dataclass(kw_only=True)
class Training:
    """A network that is being trained.

    Parameters
    ----------
    module : TorchNetwork
    engine : GradientEngine
    optimiser : Optimiser
    loss : Loss
        For the time step of the network.
    data : mapping
        ``"dataset"`` and perhaps ``"test"`` and ``"validation"``.
    dt : quantity
    rng : numpy.random.Generator
        Of the order of trials, what is dropped and what is random in the network.
    processes : Processes
    dropout : Dropout, optional
    limits : FaultLimits
    chips : Chips, optional
        On which the network runs, of the engine.

    Attributes
    ----------
    rows : list
        The history, one row per finished epoch.
    best : Best
    lasting : dict
        Fault to the number of epochs it has lasted for.
    ended : bool
        Whether no more epoch follows.
    """

    module: TorchNetwork
    engine: GradientEngine
    optimiser: Optimiser
    loss: Loss
    data: Mapping[str, SpikeDataset]
    dt: QuantityLike
    rng: np.random.Generator
    processes: Processes
    dropout: Dropout | None
    limits: FaultLimits
    chips: Chips | None = None
    rows: list[dict[str, float]] = field(default_factory=list)
    best: Best = field(default_factory=Best)
    lasting: dict[str, int] = field(default_factory=dict)
    ended: bool = False

    @property
    def state(self) -> dict[str, Any]:
        """What the following epochs depend on."""
        return {
            "rows": self.rows,
            "weights": self.module.state_dict(),
            "feedback": self.engine.feedback.state_dict(),
            "optimiser": self.optimiser.state,
            "rng": self.rng.bit_generator.state,
            "chips": None if self.chips is None else self.chips.rng.bit_generator.state,
            "best": self.best.state,
            "lasting": self.lasting,
            "ended": self.ended,
        }

    def resume(self, saved: Checkpoint) -> None:
        """Take the state of a checkpoint, if there is one, in all processes before any goes on.

        Raises
        ------
        FileError
            If the file is no checkpoint of this training.
        """
        state = saved.resume()
        if state is not None:
            try:
                self.module.load_state_dict(state["weights"])
                self.engine.feedback.load_state_dict(state["feedback"])
                self.optimiser.state = state["optimiser"]
                self.rng.bit_generator.state = state["rng"]
                if self.chips is not None:
                    self.chips.rng.bit_generator.state = state["chips"]
                self.best.state = state["best"]
                self.rows = [{**row, "epoch": int(row["epoch"]), "loss": float(row["loss"])} for row in state["rows"]]
                self.lasting, self.ended = dict(state["lasting"]), bool(state["ended"])
            except (AttributeError, KeyError, TypeError, ValueError, RuntimeError) as problem:
                raise FileError(f"the checkpoint '{saved.path}' is damaged; remove it to begin anew.") from problem
        self.processes.wait()

    def epoch(self, rate: float, batch_size: int, n_batches: int | None = None) -> tuple[dict[str, float], list[str]]:
        """Learn from all trials once, or from so many batches; return the row of the history, and faults that may pass.

        Raises
        ------
        TrainingFaultError
        """
        number, course = len(self.rows) + 1, Course()
        if self.chips is not None:
            self.chips.renew("epoch")
        self.optimiser.set_rate(rate)
        order = self.data["dataset"].batches(batch_size, seed=int(self.rng.integers(2**31)))
        for k, indices in enumerate(islice(order, n_batches), 1):
            self._learn(course, indices, (number, k, rate))
        faults = self._check(course, number)
        self.rows.append(self._row(course, number))
        return self.rows[-1], faults

    @cached_property
    def _duration(self) -> str:
        return f"{longest_window(self.data.values())!r} s"

    @cached_property
    def _is_random(self) -> bool:
        surrogates = [step.surrogate for step in self.module.steps.values() if step.surrogate is not None]
        noisy = any(surrogate.alters_spikes and not surrogate.smooth for surrogate in surrogates)
        return noisy or is_random(self.module.network)

    @cached_property
    def _batches(self) -> Batches:
        source, exact = self.module.network.sources()[0], self.loss.reads.variable is None
        return Batches(self.data["dataset"], source, self.dt, self._duration, self.loss.wants, exact)

    def _row(self, course: Course, number: int) -> dict[str, float]:
        row = {"epoch": number, "loss": course.loss / course.trials}
        if course.right is not None:
            row["train_accuracy"] = course.right / course.trials
        run, together = None, 256
        if self.chips is not None:
            run, together = self.chips.measured, max(1, together // len(self.chips.on_chip.device_seeds))
        measured = {
            name: evaluate(
                self.module, part, self.loss, dt=self.dt, duration=self._duration, run=run, batch_size=together
            )
            for name, part in self.data.items()
            if name != "dataset"
        }
        row |= {f"{name}_accuracy": found.accuracy for name, found in measured.items() if found.accuracy is not None}
        rates = measured["test"].rates if "test" in measured else self._rates(course)
        sizes = {name: self.module.network.populations[name].size for name in rates}
        if "test" in measured:
            row["rate"] = measured["test"].rate
        elif rates:
            row["rate"] = sum(rates[name] * sizes[name] for name in rates) / sum(sizes.values())
        row |= {f"{name}_loss": found.loss for name, found in measured.items()}
        row |= {f"rate_{name}": rate for name, rate in rates.items()}
        return row | {"gradient_norm": math.sqrt(sum(norm**2 for norm in course.norms.values()))}

    def _learn(self, course: Course, indices: NDArray[np.int64], now: tuple[int, int, float]) -> None:
        """Change the weights by one batch; what is measured is from before the change."""
        factors = None
        if self.dropout is not None:
            factors = self.dropout.factors(self.module.network, indices.size, self.rng)
        part = self.processes.part(indices.size)
        mine = indices[part]
        if factors is not None:
            factors = {name: values[part] for name, values in factors.items()}
        everyone = self.processes.trials(indices.size)
        inputs, target = self._batches(mine)
        if self.chips is not None:
            self.chips.renew("batch", first_trial=part.start)
        self.optimiser.clear()
        share, steps = mine.size / everyone, 0
        for learnt in self.engine.trials(inputs, target, dropout=factors, seed=self._noise()):
            (loss,) = self.processes.total([learnt.loss * share])
            self.processes.average(self.optimiser.parameters, share)
            norms = self.optimiser.norms()
            epoch, batch, rate = now
            check_numbers(loss, norms, epoch, batch, rate)
            self.optimiser.update()
            if self.chips is not None:
                self.chips.clip_()
            course.updates += 1
            for name, norm in norms.items():
                course.squares[name] = course.squares.get(name, 0.0) + norm**2
            course.loss += loss * indices.size
            self._count(course, learnt.counts, indices.size / everyone / learnt.copies)
            steps += learnt.n_steps
            if learnt.evidence is not None and self._batches.wants is Wants.LABELS:
                right = (learnt.evidence.argmax(dim=1) == target.repeat(learnt.copies)).double().sum() / learnt.copies
                (found,) = self.processes.total([float(right)])
                course.right = (course.right or 0.0) + found * indices.size / everyone
        course.trials += indices.size
        course.seconds = steps * self.module.dt

    def _noise(self) -> int:
        """Return the seed of what is random in a batch; networks without chance take nothing from the generator."""
        return int(self.rng.integers(2**31)) + self.processes.rank if self._is_random else 0

    def _count(self, course: Course, counts: Mapping[str, Tensor], share: float) -> None:
        fired = self.processes.total([float(count.sum()) for count in counts.values()])
        for name, number in zip(counts, fired, strict=True):
            course.spikes[name] = course.spikes.get(name, 0.0) + number * share

    def _rates(self, course: Course) -> dict[str, float]:
        """Return the mean firing rate of each population in an epoch of training, in hertz."""
        return {
            name: number / (course.trials * course.seconds * self.module.network.populations[name].size)
            for name, number in course.spikes.items()
        }

    def _check(self, course: Course, number: int) -> list[str]:
        """Return the kinds of faults of an epoch that may still pass.

        Raises
        ------
        TrainingFaultError
            If one has lasted too long.
        """
        rates, loss = self._rates(course), course.loss / course.trials
        largest = {name: largest_rate(self.module.network, name, self.module.dt) for name in rates}
        found = faults_of(self.limits, rates, largest, course.norms, loss)
        self.lasting = {f"{kind} {where}": self.lasting.get(f"{kind} {where}", 0) + 1 for kind, where in found}
        for (kind, where), said in found.items():
            lasted = self.lasting[f"{kind} {where}"]
            if lasted > self.limits.grace:
                raise TrainingFaultError(kind, where, number, f"in epoch {number}, for {lasted} epochs: {said}")
        return [f"{where} {kind}" if kind != "vanishing" else "vanishing gradient" for kind, where in found]
