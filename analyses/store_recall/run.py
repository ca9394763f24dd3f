"""How fast twenty spiking neurons learn to store and recall a bit: e-prop, BPTT, and cells without adaptation."""

import argparse
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
import xarray as xr
from torch import Tensor
from torch.nn.functional import cross_entropy

import snncompare as sc
from snncompare import provenance
from snncompare.backends.torch.module import TorchNetwork
from snncompare.backends.torch.surrogates import Triangle
from snncompare.circuits.discrete_projections import uniform
from snncompare.circuits.lsnn import lsnn
from snncompare.figures.save import save_figure
from snncompare.figures.style import (
    DATA_COLOUR,
    DOUBLE_COLUMN,
    FAINT_COLOUR,
    PALETTE,
    new_figure,
    panel_letters,
    settle,
    style,
)
from snncompare.learning.batches import Batches
from snncompare.learning.learning_rates import StepDecay
from snncompare.learning.losses import Loss, RateTarget, Reads, Wants
from snncompare.learning.optimisers import Adam, Units
from snncompare.learning.presets import bptt, eprop
from snncompare.learning.rule import LearningRule
from snncompare.learning.schedule import Execution
from snncompare.learning.trained import Trained
from snncompare.network.network import Network
from snncompare.units import seconds

DT, SYMBOLS, BATCH, EVERY, MOST, SEEDS = "2 ms", 12, 128, 5, 200, 3
"""Iterations are trained in epochs of EVERY batches, drawn from a pool of trials, at most MOST in all."""

CELLS, CRITERION = 20, 0.05
LEAK, FORGETS = 1 - np.exp(-1 / 20), 1 - np.exp(-1 / 1200)
THRESHOLD = 0.01 / LEAK
"""Where an input counts in full; published is 0.01 where it counts 1 - exp(-dt/tau)."""

BETA = 1.7 * FORGETS / LEAK
LIMIT = (6 / (CELLS + 2)) ** 0.5
"""Of the readout's uniform weights (Glorot and Bengio 2010, the default of TensorFlow)."""

CONDITIONS = {
    "e-prop, with adaptation": ("e-prop", "adaptive"),
    "BPTT, with adaptation": ("BPTT", "adaptive"),
    "BPTT, without adaptation": ("BPTT", "regular"),
}
PUBLISHED = {"BPTT, with adaptation": "within 200"}
SOURCE = (
    "IGITUGraz/LSNN-official, tutorial_storerecall_with_LSNN.py: 20 neurons, error < 0.05 in 200 iterations of BPTT. "
    "Bellec et al. (2019) arXiv 1901.09049, as quoted by others, for another network: 50 by e-prop, 28 by BPTT"
)


@dataclass(frozen=True)
class RecalledBit(Loss):
    r"""Cross-entropy of the stored bit with the readout's mean during each RECALL, mean over all of a batch.

    The readout is a mean of spikes per step; it is counted per millisecond, the published step.

    Parameters
    ----------
    symbols : int
        Symbols of a trial.
    """

    symbols: int = SYMBOLS
    wants = Wants.ANSWERS

    @property
    def reads(self) -> Reads:
        """The readout's membrane."""
        return Reads("readout", "v")

    def _asked(self, values: Tensor, target: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return the mean answer (symbol, batch, bit), the right one (symbol, batch), and whether one is asked for."""
        answer = values.unflatten(0, (self.symbols, -1)).mean(dim=1) / (1e3 * seconds(DT))
        right = target.unflatten(0, (self.symbols, -1))[:, 0]
        asked = ~right[..., 0].isnan()
        return answer, right.nan_to_num().argmax(dim=-1), asked

    def __call__(self, values: Tensor, target: Tensor) -> Tensor:
        """Return the cross-entropy."""
        answer, right, asked = self._asked(values, target)
        return cross_entropy(answer[asked], right[asked])

    def accuracy(self, values: Tensor, target: Tensor) -> Tensor:
        """Return the fraction of recalled bits that are right, by trial."""
        answer, right, asked = self._asked(values, target)
        return ((answer.argmax(dim=-1) == right) & asked).sum(dim=0).double() / asked.sum(dim=0)


class KeptTrials(sc.SpikeDataset):
    """Trials whose answers are made once."""

    def __init__(self, made: sc.SpikeDataset) -> None:
        super().__init__(spikes=made.spikes, label=None, name=made.name)
        self._bits = [made.target(i) for i in range(len(made))]

    def target(self, index: int) -> xr.DataArray | None:
        """Return the bits to be recalled in a trial."""
        return self._bits[index]


def trials(n_train: int, n_test: int) -> tuple[sc.SpikeDataset, sc.SpikeDataset]:
    """Return trials to learn from, and others."""
    sizes = {"n_train": n_train, "n_validation": 0, "n_test": n_test}
    whole = sc.datasets.load("store_recall", n_symbols=SYMBOLS, expected_delay=7.0, **sizes)
    return KeptTrials(whole.part("train")), KeptTrials(whole.part("test"))


def network(kind: str) -> tuple[Network, dict[str, Any]]:
    """Return a network and what is given of it: half of the cells of ``"adaptive"`` adapt, none of ``"regular"``.

    As published, there is a spike every 4 ms at most.
    Cells that do not adapt are cells with beta 0, which is the same as a population of its own and less to compute.
    """
    sizes = {"adaptive": 0, "regular": 0} | {kind: CELLS}
    made = lsnn(
        inputs=100,
        outputs=2,
        tau_adaptation="1200 ms",
        v_threshold=repr(float(THRESHOLD)),
        beta=repr(float(BETA)),
        refractory_steps=1,
        name=f"LSNN, {kind} cells",
        **sizes,
    )
    reads = f"{kind}_to_readout"
    projections = made.projections | {reads: made.projections[reads].model_copy(update={"weight": uniform(LIMIT)})}
    changed = {"projections": projections}
    if kind == "regular":
        return made.model_copy(update=changed), {}
    cells = made.populations[kind]
    own = cells.model_copy(update={"parameters": {**cells.parameters, "beta": uniform(float(BETA))}})
    changed["populations"] = {**made.populations, kind: own}
    return made.model_copy(update=changed), {kind: {"beta": np.repeat([0.0, BETA], CELLS // 2)}}


def rule(name: str) -> LearningRule:
    """Return a learning rule with the published optimiser."""
    decay = StepDecay(every=100 // EVERY, factor_of_step=0.3)
    optimiser = Adam(0.01, clip=None, schedule=decay, units=Units.SI, epsilon_hat=True)
    surrogate = Triangle(repr(float(THRESHOLD)), repr(float(THRESHOLD / 0.3)))
    if name == "BPTT":
        return bptt(surrogate, optimiser=optimiser)
    return eprop(surrogate, execution=Execution.BACKWARD, optimiser=optimiser)


def trained(
    data: tuple[sc.SpikeDataset, sc.SpikeDataset], condition: str, seed: int, epochs: int, out: Path
) -> Trained:
    """Return a trained network: loaded, or trained until fewer than 5 % of the bits in unseen trials are wrong."""
    name = f"{condition.replace(', ', '_').replace(' ', '_')}_{seed}"
    if (out / name / "network.yaml").exists():
        return Trained.load(out / name)
    by, kind = CONDITIONS[condition]
    described, given = network(kind)
    learnt, test = data
    result = sc.fit(
        described,
        rule(by),
        learnt,
        test=test,
        loss=RecalledBit(),
        penalties=[RateTarget("10 Hz", strength=0.02)],
        dt=DT,
        epochs=epochs,
        batch_size=BATCH,
        batches_per_epoch=EVERY,
        weights=given,
        seed=seed,
        checkpoint=out / f"{name}.checkpoint",
        progress=lambda line: print(f"{condition}, seed {seed}, {line}", flush=True),
        callback=lambda row, _: 1 - row["test_accuracy"] < CRITERION,
    )
    result.save(out / name)
    return result


def iterations(result: Trained) -> int | None:
    """Return after how many iterations the task was solved; None: not at all."""
    error = 1 - result.history["test_accuracy"].to_numpy()
    return EVERY * len(error) if error[-1] < CRITERION else None


def recall_of(result: Trained, test: sc.SpikeDataset) -> dict[str, Any]:
    """Return input, spikes and the readout's answer in the test trial that asks most often."""
    module = TorchNetwork(result.network, seconds(DT), result.realisation)
    chosen = int(test.trials["n_recalls"].to_numpy().argmax())
    inputs, _ = Batches(test, "input", DT, wants=Wants.ANSWERS)(np.array([chosen]))
    with torch.no_grad():
        run = module(inputs, record=["adaptive"], traces=[("readout", "v")])
    probability = torch.softmax(run.traces["readout", "v"][:, 0] / (1e3 * seconds(DT)), dim=1)[:, 1]
    return {
        "input": inputs["input"][:, 0].numpy(),
        "cells": run.spikes["adaptive"][:, 0].numpy(),
        "probability": probability.numpy(),
        "symbols": test.trials["symbols"].iloc[chosen].split(),
    }


def draw_recall(ax: Any, shown: Mapping[str, Any]) -> None:
    """Draw input, spikes and answer of a trial."""
    step_ms, length = 1e3 * seconds(DT), 1e3 * seconds(DT) * shown["input"].shape[0] / SYMBOLS
    base = shown["input"].shape[1] + 6
    top = base + 3 * CELLS + 8
    for raster, colour, size, shift in ((shown["input"], FAINT_COLOUR, 1, 0), (shown["cells"], DATA_COLOUR, 3, base)):
        step, unit = np.nonzero(raster)
        ax.plot(step_ms * step, size * unit + shift, "|", ms=1.0 + 0.4 * size, mew=0.4, color=colour)
    at = step_ms * np.arange(shown["probability"].size)
    ax.plot(at, top + 40 * shown["probability"], color=PALETTE[0], lw=0.6)
    stored = ""
    for number, symbol in enumerate(shown["symbols"]):
        stored = symbol[1] if symbol.startswith("S") else stored
        ax.text((number + 0.5) * length, top + 45, symbol, ha="center", fontsize=6)
        if symbol == "R":
            ax.axvspan(number * length, (number + 1) * length, color="#E3E3E3", zorder=0, lw=0)
            height = top + 40 * int(stored)
            ax.plot([number * length, (number + 1) * length], [height, height], color=PALETTE[1], lw=1.2)
    places = {"Bit 0": 12, "Bit 1": 37, "Store": 62, "Recall": 87, "Not\nadapting": base + 15, "Adapting": base + 45}
    ax.set_yticks([*places.values(), top + 20], [*places, "P(bit 1)"])
    ax.set(xlabel="Time (ms)", ylim=(-3, top + 58), xlim=(0, at[-1]))


def figure(results: Mapping[tuple[str, int], Trained], test: sc.SpikeDataset, out: Path) -> None:
    """Draw errors in unseen trials over iterations, a line per network, and one trial after learning."""
    with style():
        drawn = new_figure(DOUBLE_COLUMN, 72.0)
        left, right = drawn.subplots(1, 2)
        for colour, condition in zip(PALETTE, CONDITIONS, strict=False):
            label = condition
            for (name, _), result in results.items():
                if name == condition:
                    error = 100 * (1 - result.history["test_accuracy"])
                    left.plot(EVERY * result.history["epoch"], error, color=colour, label=label, lw=0.9)
                    left.plot(EVERY * len(error), error.iloc[-1], "o", ms=2.5, color=colour)
                    label = None
        left.axhline(100 * CRITERION, color=FAINT_COLOUR, lw=0.8, ls="--")
        left.axhline(50, color=FAINT_COLOUR, lw=0.8, ls=":")
        left.set(xlabel=f"Iteration ({BATCH} trials)", ylabel="Wrong bits (%)", ylim=(0, 65), xlim=(0, None))
        left.legend(loc="upper right")
        draw_recall(right, recall_of(results[next(iter(results))], test))
        panel_letters([left, right], dx=-26)
        histories = [one.history.assign(condition=name, seed=seed) for (name, seed), one in results.items()]
        save_figure(settle(drawn), pd.concat(histories), out, "learning")


def measured(results: Mapping[tuple[str, int], Trained]) -> dict[str, dict[str, Any]]:
    """Return the numbers of the study; iterations to criterion are a mean over the seeds that reach it."""
    metrics: dict[str, dict[str, Any]] = {}
    for condition in CONDITIONS:
        own = {seed: result for (name, seed), result in results.items() if name == condition}
        needed = {str(seed): iterations(result) for seed, result in own.items()}
        there = [number for number in needed.values() if number is not None]
        last = [float(1 - result.history["test_accuracy"].iloc[-1]) for result in own.values()]
        metrics[f"{condition}: iterations until error < {CRITERION}"] = {
            "value": float(np.mean(there)) if there else None,
            "published": PUBLISHED.get(condition),
            "source": SOURCE,
            "seeds": needed,
        }
        metrics[f"{condition}: error at the end"] = {
            "value": float(np.mean(last)),
            "published": CRITERION if condition == "BPTT, with adaptation" else None,
            "source": SOURCE,
            "iterations": {str(seed): EVERY * len(result.history) for seed, result in own.items()},
        }
    return metrics


def main() -> None:
    """Run the study and write ``results.json``."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("out/store_recall"))
    parser.add_argument("--quick", action="store_true", help="two iterations of each rule, one seed")
    parser.add_argument("--seeds", type=int, default=SEEDS)
    arguments = parser.parse_args()
    begin, out, quick = time.perf_counter(), arguments.out, arguments.quick
    out.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(1)  # more wait for each other, see snncompare.backends.torch.threads
    data = trials(*((24, 8) if quick else (2560, 128)))
    results: dict[tuple[str, int], Trained] = {}
    for seed in range(1 if quick else arguments.seeds):
        for condition in CONDITIONS:
            if condition == "BPTT, without adaptation" and seed > 0:
                continue  # one network, for as long as the slowest of the others took, at least 100 iterations
            slowest = max([len(result.history) for result in results.values()], default=0)
            most = max(slowest, 100 // EVERY) if condition == "BPTT, without adaptation" else MOST // EVERY
            results[condition, seed] = trained(data, condition, seed, 1 if quick else most, out)
    figure(results, data[1], out)
    metrics = measured(results)
    for name, entry in metrics.items():
        print(f"{name:60s} {entry['value']}  published: {entry['published']}")
    said = {"study": "store_recall", "metrics": metrics, "seconds": round(time.perf_counter() - begin, 1)}
    said |= {"quick": quick, "dt": DT, "batch": BATCH, "batches in an epoch": EVERY}
    said["accuracy in 128 unseen trials"] = {
        f"{name}, seed {seed}": list(one.history["test_accuracy"]) for (name, seed), one in results.items()
    }
    said["provenance"] = provenance.collect(seed=0)
    target = out / "results.json"
    target.write_text(json.dumps(said, indent=2) + "\n", encoding="utf-8")
    print(target)


if __name__ == "__main__":
    main()
