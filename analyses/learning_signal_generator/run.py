"""One change of weights, told by another network, is enough to learn a sine: the learning-signal generator."""

import argparse
import json
import time
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from matplotlib.axes import Axes
from numpy.typing import NDArray

from snncompare import provenance
from snncompare.backends.torch.surrogates import Triangle
from snncompare.circuits.learning_signals import learning_signal_generator, trainee
from snncompare.figures.style import (
    DOUBLE_COLUMN,
    FAINT_COLOUR,
    PALETTE,
    new_figure,
    panel_letters,
    settle,
    style,
)
from snncompare.learning.learning_to_learn.learning import Lesson, TaughtPair, learn_to_teach
from snncompare.learning.learning_to_learn.teacher import Teacher, Teaching
from snncompare.learning.losses import RateLimit
from snncompare.learning.optimisers import Adam
from snncompare.learning.trained import Trained

NEURONS, ADAPTIVE, TAUGHT = 42, 18, 40
"""Of the generator (60 in all, 30 % adaptive) and of the trainee."""
DT = 2e-3
FULL, QUICK = (300, 10, 128, (0,)), (3, 2, 4, (0,))
"""Iterations, tasks in each, held-out tasks, seeds."""
HELD_OUT = 1000
"""Added to the seed for the tasks that were never learnt from."""
CONTROLS = ("before", "after", "shuffled signals", "random signals", "untrained generator", "answer 0")
LESSON = Lesson()


def teaching() -> Teaching:
    """Return trainee and generator."""
    return Teaching(
        trainee=trainee(clock=LESSON.clock.size, hidden=TAUGHT),
        generator=learning_signal_generator(
            clock=LESSON.clock.size, taught=TAUGHT, target=LESSON.shown.n, hidden=NEURONS, adaptive=ADAPTIVE
        ),
        dt=DT,
        surrogate=Triangle("10 mV", "33 mV"),
    )


def learnt(seed: int, iterations: int, n_tasks: int, out: Path) -> TaughtPair:
    """Return what was learnt with a seed, or what is stored of it."""
    folder = out / f"seed_{seed}"
    if (folder / "generator" / "network.yaml").is_file():
        trainee_there, generator = (Trained.load(folder / name) for name in ("trainee", "generator"))
        return TaughtPair(trainee_there, generator, generator.history)
    pair = learn_to_teach(
        teaching(),
        LESSON,
        iterations=iterations,
        n_tasks=n_tasks,
        optimiser=Adam(0.02),
        penalty=RateLimit("5 Hz", "40 Hz", strength=0.5),
        seed=seed,
        checkpoint=out / f"seed_{seed}.pt",
        progress=lambda line: print(f"seed {seed}: {line}", flush=True),
    )
    pair.trainee.save(folder / "trainee")
    pair.generator.save(folder / "generator")
    return pair


def held_out(pair: TaughtPair, n_tasks: int, seed: int) -> tuple[dict[str, float], dict[str, NDArray[np.float64]]]:
    """Return mean squared errors on tasks never learnt from, by condition, and some answers."""
    teacher, rng = pair.teacher(teaching()), np.random.default_rng(HELD_OUT + seed)
    trial = LESSON.draw(n_tasks, DT, rng)
    taught = teacher(trial)
    signals = taught.signals.detach()
    untrained = Teacher(teaching(), seed, trainee=pair.trainee.realisation)
    random = torch.from_numpy(rng.normal(size=signals.shape)) * signals.std(dim=(0, 1))
    answers = {
        "before": taught.before,
        "after": taught.after,
        "shuffled signals": teacher(trial, signals.roll(1, dims=1)).after,
        "random signals": teacher(trial, random).after,
        "untrained generator": untrained(trial).after,
        "answer 0": torch.zeros_like(trial.target),
    }
    errors = {name: float((each.detach() - trial.target).square().mean()) for name, each in answers.items()}
    shown = {name: answers[name].detach()[:, :3, 0].numpy() for name in ("before", "after")}
    return errors, shown | {"target": trial.target[:, :3, 0].numpy()}


def figure(history: pd.DataFrame, errors: pd.DataFrame, shown: dict[str, NDArray[np.float64]], path: Path) -> None:
    """Draw error against iteration, answers to tasks never learnt from, and their errors by condition."""
    with style():
        drawn = new_figure(DOUBLE_COLUMN, 55.0)
        axes = list(drawn.subplots(1, 3, width_ratios=[1.1, 1.2, 1.2]))
        for seed, rows in history.groupby("seed"):
            for colour, name in ((FAINT_COLOUR, "before"), (PALETTE[0], "after")):
                smooth = rows[name].rolling(10, min_periods=1).mean()
                axes[0].plot(rows["iteration"], smooth, color=colour, linewidth=0.8, label=name if seed == 0 else None)
        axes[0].set(xlabel="Iteration", ylabel="Squared error", ylim=(0, None))
        axes[0].legend(title="one change of weights", loc="upper right")
        _answers(axes[1], shown)
        for i, name in enumerate(CONTROLS):
            axes[2].plot(errors[name], np.full(len(errors), i), "o", color=PALETTE[0] if name == "after" else "#4D4D4D")
        axes[2].set(yticks=range(len(CONTROLS)), yticklabels=CONTROLS, xlabel="Squared error, new tasks")
        axes[2].set_xlim(0, None)
        axes[2].invert_yaxis()
        panel_letters(axes)
        settle(drawn).savefig(path, dpi=200, metadata={"Software": None})


def _answers(ax: Axes, shown: dict[str, NDArray[np.float64]]) -> None:
    time_ms = np.arange(len(shown["target"])) * DT * 1e3
    looks = {"target": ("black", "--"), "before": (FAINT_COLOUR, "-"), "after": (PALETTE[0], "-")}
    for k in range(shown["target"].shape[1]):
        for name, (colour, dashes) in looks.items():
            ax.plot(
                time_ms,
                shown[name][:, k] - 4.5 * k,
                dashes,
                color=colour,
                linewidth=0.8,
                label=name if k == 0 else None,
            )
    ax.set(xlabel="Time (ms)", yticks=[-4.5 * k for k in range(shown["target"].shape[1])], ylim=(None, 4.2))
    ax.set_yticklabels([f"task {k + 1}" for k in range(shown["target"].shape[1])])
    end = time_ms[-1] + 12
    ax.plot([end, end], [-0.5, 0.5], color="black", linewidth=1.5)
    ax.text(end + 5, 0, "1", va="center")
    ax.legend(loc="upper center", ncols=3)


def main() -> None:
    """Run the study and write ``results.json`` and ``learning_signal_generator.png``."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("out/learning_signal_generator"))
    parser.add_argument("--quick", action="store_true", help="three iterations of two tasks, one seed")
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    begin = time.perf_counter()
    iterations, n_tasks, n_held_out, seeds = QUICK if arguments.quick else FULL
    histories, rows = [], []
    for seed in seeds:
        pair = learnt(seed, iterations, n_tasks, arguments.out)
        histories.append(pair.history.assign(seed=seed))
        errors, shown = held_out(pair, n_held_out, seed)
        rows.append({"seed": seed, **errors})
        print(rows[-1], flush=True)
    table = pd.DataFrame(rows)
    figure(pd.concat(histories), table, shown, arguments.out / "learning_signal_generator.png")
    source = f"mean squared error on {n_held_out} tasks never learnt from, mean over {len(seeds)} seeds"
    metrics = {name: {"value": float(table[name].mean()), "published": None, "source": source} for name in CONTROLS}
    results = {"study": "learning_signal_generator", "metrics": metrics, "seconds": round(time.perf_counter() - begin)}
    results |= {"quick": arguments.quick, "seeds": rows, "provenance": provenance.collect(seed=seeds[0])}
    target = arguments.out / "results.json"
    target.write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")
    print(target)


if __name__ == "__main__":
    main()
