"""Surrogate gradients on two tasks that live in spike times: random manifolds, and Braille under a fingertip."""

import argparse
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

import snncompare as sc
from snncompare import provenance
from snncompare.backends.torch.surrogates import SuperSpike
from snncompare.circuits.heterogeneous import heterogeneous_recurrent_network
from snncompare.datasets.spike_dataset import SpikeDataset
from snncompare.figures.save import save_figure
from snncompare.figures.style import DOUBLE_COLUMN, FAINT_COLOUR, PALETTE, new_figure, panel_letters, settle, style
from snncompare.learning.losses import Classification, Over, RateLimit
from snncompare.learning.optimisers import Adam
from snncompare.learning.rule import LearningRule
from snncompare.network.fluctuations import FluctuationDrivenCentred
from snncompare.network.network import Network, Population, Projection
from snncompare.network.neuron import SpikeSource
from snncompare.network.neurons import current_based_leaky_integrate_and_fire, current_based_readout
from snncompare.network.synapses import delta


@dataclass(frozen=True)
class Task:
    """A dataset with the network that learns it, and what others reached on it."""

    dataset: str
    network: Callable[[SpikeDataset], Network]
    loss: Classification
    dt: str
    batch_size: int
    epochs: int
    published: float
    source: str
    rates: RateLimit
    optimiser: Adam
    seeds: tuple[int, ...]


def feedforward(data: SpikeDataset) -> Network:
    """Return 128 current-based neurons without recurrence and a leaky readout, with fluctuation-driven weights."""

    def synapses(source: str, target: str, rate: str) -> Projection:
        weight = FluctuationDrivenCentred(rate=rate, sd="1", variable="v")
        return Projection(source=source, target=target, synapse=delta(variable="x", unit="1"), weight=weight)

    tau, tau_syn = "20 ms", "10 ms"
    return Network(
        name="surrogate gradients, randman",
        populations={
            "input": Population(size=len(data.units), neuron=SpikeSource()),
            "hidden": Population(size=128, neuron=current_based_leaky_integrate_and_fire(tau=tau, tau_syn=tau_syn)),
            "readout": Population(size=len(data.classes), neuron=current_based_readout(tau=tau, tau_syn=tau_syn)),
        },
        projections={"feed": synapses("input", "hidden", "5 Hz"), "read": synapses("hidden", "readout", "10 Hz")},
    )


def recurrent(data: SpikeDataset) -> Network:
    """Return 100 recurrent neurons that learn time constants of their own, as in `analyses/spiking_or_not`."""
    return heterogeneous_recurrent_network(
        inputs=len(data.units), hidden=100, classes=len(data.classes), tau="100 ms", tau_syn="50 ms", gain=2.0
    )


TASKS = {
    "randman": Task(
        dataset="randman",
        network=feedforward,
        loss=Classification("readout", scale="1", over=Over.MAX),
        dt="2 ms",
        batch_size=250,
        epochs=60,
        published=0.963,
        source="stork, examples/01: 20 units, 10 classes, 128 hidden, 200 epochs (Rossbroich, Gygax & Zenke 2022)",
        rates=RateLimit("1 Hz", "60 Hz"),
        optimiser=Adam(0.05),
        seeds=(0,),
    ),
    "braille": Task(
        dataset="braille_events",
        network=recurrent,
        loss=Classification("readout", scale="0.05"),
        dt="20 ms",
        batch_size=64,
        epochs=30,
        published=0.967,
        source="spytorch, tutorial 5: 128 trained encoders, 200 recurrent, 100 epochs (Zenke 2022)",
        rates=RateLimit("0.5 Hz", "20 Hz"),
        optimiser=Adam(0.03),
        seeds=(0, 1, 2),
    ),
}


TITLES = {"randman": "Random manifolds", "braille": "Braille letters"}


def learnt(name: str, seed: int, quick: bool, folder: Path) -> pd.DataFrame:
    """Return the learning curve of one network; what is finished is read from the folder."""
    task, finished = TASKS[name], folder / f"{name}_{seed}.csv"
    if finished.exists():
        return pd.read_csv(finished)
    data = sc.datasets.load(task.dataset)
    train, test = data.part("train"), data.part("test")
    if quick:
        train, test = (part.split(n / len(part), seed=0)[0] for part, n in ((train, 1000), (test, 300)))
    history = sc.fit(
        task.network(data),
        LearningRule(surrogate=SuperSpike("0.1", "1"), optimiser=task.optimiser),
        train,
        test=test,
        loss=task.loss,
        dt=task.dt,
        epochs=5 if quick else task.epochs,
        batch_size=50 if quick else task.batch_size,
        penalties=[task.rates],
        seed=seed,
        checkpoint=folder / f"{name}_{seed}.checkpoint",
    ).history
    history.to_csv(finished, index=False)
    return history


def draw(curves: dict[str, list[pd.DataFrame]], out: Path) -> None:
    """Draw how held-out accuracy rises with the epochs, against what was published."""
    with style():
        figure = new_figure(DOUBLE_COLUMN, 60.0)
        axes = figure.subplots(1, len(curves), sharey=True)
        for ax, (name, histories), colour in zip(axes, curves.items(), PALETTE, strict=False):
            for history in histories:
                ax.plot(history["epoch"], history["test_accuracy"], color=colour)
            ax.axhline(TASKS[name].published, color=FAINT_COLOUR, linestyle="--", label="Published")
            ax.set(title=TITLES[name], xlabel="Epoch", ylim=(0, 1.03))
        axes[0].set_ylabel("Held-out accuracy")
        axes[0].legend()
        panel_letters(list(axes), dx=-20.0)
        table = pd.concat([h.assign(task=name, seed=k) for name, hs in curves.items() for k, h in enumerate(hs)])
        save_figure(settle(figure), table, out, "learning_curves")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("out/surrogate_gradients"))
    parser.add_argument("--quick", action="store_true", help="1000 trials, five epochs, one seed, only the manifolds")
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    begin, curves, metrics = time.perf_counter(), {}, {}
    for name, task in TASKS.items():
        if arguments.quick and name != "randman":
            continue
        seeds = task.seeds[:1] if arguments.quick else task.seeds
        curves[name] = [learnt(name, seed, arguments.quick, arguments.out) for seed in seeds]
        reached = [history["test_accuracy"].iloc[-1] for history in curves[name]]
        told = f"{task.source}; seeds here: {len(reached)}, {min(reached):.3f} to {max(reached):.3f}"
        metrics[f"{name}, held-out accuracy"] = {
            "value": float(np.mean(reached)),
            "published": task.published,
            "source": told,
            "each seed": [float(value) for value in reached],
        }
        print(name, reached, flush=True)
    if not arguments.quick:
        draw(curves, arguments.out)
    results = {"study": "surrogate_gradients", "metrics": metrics, "seconds": round(time.perf_counter() - begin, 1)}
    results |= {
        "quick": arguments.quick,
        "seeds": {name: list(task.seeds) for name, task in TASKS.items()},
        "provenance": provenance.collect(seed=0),
    }
    target = arguments.out / "results.json"
    target.write_text(json.dumps(results, indent=2) + "\n")
    print(target)


if __name__ == "__main__":
    main()
