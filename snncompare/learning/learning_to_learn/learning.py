"""Let a generator of learning signals learn to teach."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor
from tqdm import tqdm

from snncompare import provenance
from snncompare.errors import InputError
from snncompare.learning.checkpoint import Checkpoint
from snncompare.learning.learning_to_learn.tasks import Clock, Sines, TuningCurves
from snncompare.learning.learning_to_learn.teacher import Taught, Teacher, Teaching, Trial
from snncompare.learning.losses.loss import Penalty
from snncompare.learning.optimiser import Optimiser
from snncompare.learning.optimisers import Adam, Optimisation
from snncompare.learning.rule import LearningRule
from snncompare.learning.trained import Trained
from snncompare.units import QuantityLike, seconds
from snncompare.values import check_arguments

__all__ = ["Lesson", "TaughtPair", "learn_to_teach"]


@dataclass(frozen=True, kw_only=True)
class Lesson:
    """What is taught: tasks of a family, how long they last, and what trainee and generator see of them.

    Parameters
    ----------
    family : Sines
    duration : time
    clock : Clock
        Input of the trainee.
    shown : TuningCurves
        The target, as the generator sees it.
    """

    family: Sines = field(default_factory=Sines)
    duration: QuantityLike = "250 ms"
    clock: Clock = field(default_factory=Clock)
    shown: TuningCurves = field(default_factory=TuningCurves)

    def draw(self, n_tasks: int, dt: float, rng: np.random.Generator) -> Trial:
        """Return new tasks."""
        n_steps = round(seconds(self.duration, "duration") / dt)
        target = self.family.draw(n_tasks, n_steps, dt, rng)
        arrays = (self.clock.raster(n_steps, dt), target, self.shown.raster(target, dt, rng))
        return Trial(*(torch.from_numpy(array) for array in arrays))


@dataclass(frozen=True, eq=False)
class TaughtPair:
    """What `learn_to_teach` returns.

    Attributes
    ----------
    trainee, generator : Trained
        With the weights that teaching begins with.
    history : pandas.DataFrame
        One row per iteration: ``iteration``, ``before`` and ``after`` (mean squared error before and after the one
        change of weights, on new tasks), ``rate`` (Hz, of the trainee).
    """

    trainee: Trained
    generator: Trained
    history: pd.DataFrame

    def teacher(self, teaching: Teaching) -> Teacher:
        """Return both as a module again."""
        return Teacher(teaching, trainee=self.trainee.realisation, generator=self.generator.realisation)


def learn_to_teach(
    teaching: Teaching,
    lesson: Lesson,
    *,
    iterations: int = 300,
    n_tasks: int = 16,
    optimiser: Optimisation = Adam(0.01),
    penalty: Penalty | None = None,
    seed: int = 0,
    checkpoint: str | Path | None = None,
    progress: Callable[[str], None] | None = None,
) -> TaughtPair:
    """Return trainee and generator with the weights from which one change of weights makes the error smallest.

    In every iteration new tasks are drawn. Back-propagation through time goes through the second run of the trainee,
    the change of its weights with the eligibility traces, the generator and the first run of the trainee.

    Parameters
    ----------
    teaching : Teaching
    lesson : Lesson
    iterations, n_tasks : int
        Changes of what both begin with, and tasks in each.
    optimiser : Optimisation
        Of both networks.
    penalty : Penalty, optional
        On the firing rates of the trainee after it was taught.
    seed : int
        Of the initial weights and the tasks.
    checkpoint : path, optional
        A file that is written after every tenth iteration and removed at the end. If it exists, learning goes on where
        it was interrupted and ends with the same weights, bit for bit.
    progress : callable, optional
        Receives one line per iteration; without it a progress bar is shown.

    Raises
    ------
    InputError
        When the error stops being a number.
    FileError
        If the checkpoint belongs to another training.
    """
    check_arguments(learn_to_teach, locals())
    if iterations < 0 or n_tasks < 1:
        raise InputError(f"iterations must be at least 0 and n_tasks at least 1, got {iterations} and {n_tasks}.")
    teacher, rng = Teacher(teaching, seed), np.random.default_rng([seed, 4])
    both = _Both(teacher, LearningRule(surrogate=teaching.surrogate, optimiser=optimiser))
    record: dict[str, Any] = {
        "networks": [teaching.trainee.fingerprint(), teaching.generator.fingerprint()],
        "teaching": repr((teaching.changed, teaching.rate, teaching.surrogate, teaching.scale, teaching.signal_scale)),
        "dt_seconds": teaching.dt,
        "lesson": repr(lesson),
        "optimiser": repr(optimiser),
        "penalty": repr(penalty),
        "iterations": iterations,
        "n_tasks": n_tasks,
    }
    saved = Checkpoint(
        None if checkpoint is None else Path(checkpoint), provenance.fingerprint(record | {"seed": seed})
    )
    rows: list[dict[str, float]] = []
    if (state := saved.resume()) is not None:
        teacher.load_state_dict(state["weights"])
        both.state, rng.bit_generator.state, rows = state["optimiser"], state["rng"], state["rows"]
    with tqdm(total=iterations, initial=len(rows), unit="iteration", disable=progress is not None) as bar:
        for number in range(len(rows) + 1, iterations + 1):
            both.set_rate(optimiser.rate_at(number - 1, iterations))
            trial = lesson.draw(n_tasks, teaching.dt, rng)
            taught = teacher(trial)
            row = {"iteration": number, **_step(both, taught, trial, penalty, teaching.dt)}
            if not np.isfinite(row["after"]):
                raise InputError(f"the error is not a number in iteration {number}; use a smaller learning rate.")
            rows.append(row)
            if number % 10 == 0:
                state = {"weights": teacher.state_dict(), "optimiser": both.state, "rng": rng.bit_generator.state}
                saved.save({**state, "rows": rows})
            bar.update()
            if progress is not None:
                progress(f"{number}/{iterations}: error {row['before']:.3f}, taught {row['after']:.3f}")
    saved.remove()
    history = pd.DataFrame(rows)
    collected = provenance.collect(seed=seed, **record)
    pair = [
        Trained(module.description(), module.realisation(), history, collected)
        for module in (teacher.trainee, teacher.generator)
    ]
    return TaughtPair(pair[0], pair[1], history)


def _step(both: "_Both", taught: Taught, trial: Trial, penalty: Penalty | None, dt: float) -> dict[str, float]:
    """Change what both networks begin with; return what was measured before."""
    error = _error(taught.after, trial.target)
    lasted = trial.target.shape[0] * dt
    rates = [each / lasted for each in taught.counts.values()]
    loss = error + sum((penalty.of_counts(each, 1.0) for each in rates if penalty is not None), torch.zeros(()))
    both.step(loss)
    return {
        "before": float(_error(taught.before, trial.target).detach()),
        "after": float(error.detach()),
        "rate": float(torch.cat(rates, dim=1).mean().detach()),
    }


def _error(answer: Tensor, target: Tensor) -> Tensor:
    return (answer - target).square().mean()


class _Both:
    """The optimisers of trainee and generator."""

    def __init__(self, teacher: Teacher, rule: LearningRule) -> None:
        self._each = (Optimiser(teacher.trainee, rule), Optimiser(teacher.generator, rule))

    def set_rate(self, rate: float) -> None:
        for each in self._each:
            each.set_rate(rate)

    @property
    def state(self) -> dict[str, Any]:
        return {str(i): each.state for i, each in enumerate(self._each)}

    @state.setter
    def state(self, saved: dict[str, Any]) -> None:
        for i, each in enumerate(self._each):
            each.state = saved[str(i)]

    def step(self, loss: Tensor) -> None:
        for each in self._each:
            each.clear()
        loss.backward()
        for each in self._each:
            each.update()
