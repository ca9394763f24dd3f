"""Exclusive or of spike trains, learnt by bursts, by e-prop and by back-propagation through the same call."""

import argparse
import json
import time
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd

import snncompare as sc
from snncompare import provenance
from snncompare.backends.torch.surrogates import Event, SuperSpike
from snncompare.datasets.spike_dataset import SpikeDataset
from snncompare.figures.save import save_figure
from snncompare.figures.style import SINGLE_COLUMN, new_figure, settle, style
from snncompare.learning.losses import Classification
from snncompare.learning.optimisers import Adam
from snncompare.learning.presets import bptt, burst_dependent, eprop
from snncompare.learning.rule import LearningRule
from snncompare.learning.schedule import Execution
from snncompare.learning.signals import RandomFeedback, Symmetric
from snncompare.network.initialisers import Normal
from snncompare.network.network import Network, Population, Projection
from snncompare.network.neuron import SpikeSource
from snncompare.network.neurons import leaky_integrate_and_fire, leaky_readout
from snncompare.network.synapses import exponential
from snncompare.units import quantity

SEEDS, EPOCHS = (0, 1, 2), 40
SOFT, EVENT, RATE, BACK = SuperSpike("1 mV", "10 mV"), Event("10 mV"), Adam(0.05), Execution.BACKWARD
RULES: Mapping[str, LearningRule] = {
    "BPTT": bptt(SOFT, optimiser=RATE),
    "e-prop": eprop(SOFT, execution=BACK, optimiser=RATE),
    "random e-prop": eprop(SOFT, feedback=RandomFeedback(), execution=BACK, optimiser=RATE),
    "bursts": burst_dependent(EVENT, feedback=Symmetric(), slope=2.0, execution=BACK, optimiser=RATE),
    "bursts, random feedback": burst_dependent(EVENT, slope=2.0, execution=BACK, optimiser=RATE),
    "readout only": burst_dependent(EVENT, slope=0.0, execution=BACK, optimiser=RATE),
}
"""All computed backwards: the same gradient as forwards, sooner. In the last, bursts never deviate."""


def xor_trains(n: int, seed: int) -> SpikeDataset:
    """Return trials of 100 ms in which two groups of ten inputs fire at 10 or 120 Hz; the class is their parity."""
    random = np.random.default_rng(seed)
    bits = np.stack([np.arange(n) % 2, np.arange(n) // 2 % 2], axis=1)
    counts = random.poisson(np.where(np.repeat(bits, 10, axis=1) == 1, 12.0, 1.0))
    trial, unit = (np.repeat(index, counts[counts > 0]) for index in np.nonzero(counts))
    trials = pd.DataFrame({"parity": bits[:, 0] ^ bits[:, 1], "start": 0.0, "stop": 0.1})
    times, units = random.uniform(0, 0.099, trial.size), pd.DataFrame(index=range(20))
    spikes = sc.Recording.from_arrays(times=times, unit=unit, trial=trial, units=units, trials=trials)
    return SpikeDataset(spikes=spikes, label="parity", name="exclusive or", classes=(0, 1))


def point_network() -> Network:
    """Return eight leaky neurons between twenty inputs and a readout: too few to solve the task undone."""
    synapse = exponential(tau="4 ms")

    def dense(source: str, target: str, mean: str, sd: str) -> Projection:
        weight = Normal(mean=quantity(mean), sd=quantity(sd), scale_by_sources=True)
        return Projection(source=source, target=target, synapse=synapse, into="I", weight=weight)

    return Network(
        name="eight point neurons",
        populations={
            "inputs": Population(size=20, neuron=SpikeSource()),
            "hidden": Population(size=8, neuron=leaky_integrate_and_fire(tau="10 ms", refractory="2 ms")),
            "readout": Population(size=2, neuron=leaky_readout(tau="20 ms")),
        },
        projections={
            "feed": dense("inputs", "hidden", "5 mV", "60 mV"),
            "read": dense("hidden", "readout", "0 mV", "10 mV"),
        },
    )


def accuracies(quick: bool, folder: Path) -> pd.DataFrame:
    """Return the held-out accuracy of every rule and seed, mean over the last three epochs."""
    file, rows = folder / "rules.csv", []
    if file.is_file():
        return pd.read_csv(file)
    learnt, shown = xor_trains(80, 1), xor_trains(80, 2)
    for name, rule in RULES.items():
        for seed in SEEDS[:1] if quick else SEEDS:
            begin = time.perf_counter()
            found = sc.fit(
                point_network(), rule, learnt, test=shown, loss=Classification("readout", scale="2 mV"), dt="1 ms",
                epochs=1 if quick else EPOCHS, batch_size=20, seed=seed, progress=lambda _line: None,
            )  # fmt: skip
            rows.append({"rule": name, "seed": seed, "accuracy": found.history["test_accuracy"].iloc[-3:].mean()})
            rows[-1]["seconds"] = time.perf_counter() - begin
            print(rows[-1], flush=True)
    table = pd.DataFrame(rows)
    table.to_csv(file, index=False)
    return table


def draw(table: pd.DataFrame, out: Path) -> None:
    """Draw the accuracy of every rule and seed."""
    with style():
        figure = new_figure(SINGLE_COLUMN, 65.0)
        ax = figure.subplots()
        names = list(dict.fromkeys(table["rule"]))
        for place, name in enumerate(names):
            rows = table[table["rule"] == name]
            ax.plot([place] * len(rows), rows["accuracy"], "o", color="0.3", markersize=3.5, clip_on=False)
        ax.axhline(0.5, color="0.7", linestyle=":")
        ax.set(xticks=range(len(names)), ylim=(0.4, 1.0), xlim=(-0.5, len(names) - 0.5), ylabel="Held-out accuracy")
        ax.set_xticklabels(names, rotation=35, ha="right")
        save_figure(settle(figure), table, out, "accuracy")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("out/burst_learning_rule"))
    parser.add_argument("--quick", action="store_true", help="one network of each rule, one epoch")
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    table = accuracies(arguments.quick, arguments.out)
    draw(table, arguments.out)
    metrics = {}
    for rule, rows in table.groupby("rule", sort=False):
        source = "chance 0.50; networks " + ", ".join(f"{x:.2f}" for x in rows["accuracy"])
        metrics[f"{rule}, accuracy"] = {"value": float(rows["accuracy"].mean()), "published": None, "source": source}
    seconds = round(float(table["seconds"].sum()), 1)
    results = {"study": "burst_learning_rule", "metrics": metrics, "seconds": seconds}
    results |= {"quick": arguments.quick, "seeds": list(SEEDS[:1] if arguments.quick else SEEDS)}
    results |= {"provenance": provenance.collect(seed=0, rules={name: repr(rule) for name, rule in RULES.items()})}
    (arguments.out / "results.json").write_text(json.dumps(results, indent=2) + "\n")
    print(arguments.out / "results.json")


if __name__ == "__main__":
    main()
