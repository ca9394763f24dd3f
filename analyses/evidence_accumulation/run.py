"""Spiking neurons learn by e-prop to weigh evidence over seconds; cells without adaptation are the control."""

import argparse
import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

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
from snncompare.learning.evaluate import evaluate
from snncompare.learning.learning_rates import Constant, HalfCosine, RateSchedule
from snncompare.learning.losses import Classification, Over, RateTarget
from snncompare.learning.optimisers import Adam, Units
from snncompare.learning.presets import eprop
from snncompare.learning.schedule import Execution
from snncompare.learning.signals import RandomFeedback
from snncompare.learning.trained import Trained
from snncompare.network.network import Network
from snncompare.units import seconds

DT, BATCH, EVERY, MOST = "2 ms", 32, 10, 500
"""Iterations are trained in epochs of EVERY batches of fresh trials, MOST in all."""

CELLS, BETA = 100, 0.0174
CRITERION = 0.07
LIMIT = (6 / (CELLS + 2)) ** 0.5
"""Of the readout's uniform weights (Glorot and Bengio 2010, the default of TensorFlow), whose size is LIMIT/3**0.5."""

SOURCE = (
    "Bellec et al. (2020), IGITUGraz/eligibility_propagation, Figure_3_and_S7_e_prop_tutorials/README.md: "
    "-feedback random -eprop -n_batch 32 reaches an error below 0.07 after around 200 to 500 iterations"
)
CONDITIONS: dict[str, tuple[str, RateSchedule]] = {
    "with adaptation": ("adaptive", HalfCosine()),
    "without adaptation": ("regular", HalfCosine()),
    "with adaptation, constant learning rate": ("adaptive", Constant()),
}
"""Cells and learning rate; published is a constant one, until the task is solved."""

LOSS = Classification("readout", scale=DT.removesuffix(" ms"), over=Over.EACH_STEP, window=("2104 ms", None))
"""In the recall cue, which begins at 2100 ms and reaches the readout two steps later.

The readout is a mean of spikes per step, of which there are twice as many as in the published steps of 1 ms.
"""

Parts = Mapping[str, sc.SpikeDataset]


def trials(n_train: int) -> Parts:
    """Return the trials of the tutorial, which are equally long, in parts."""
    sizes = {"n_train": n_train, "n_validation": min(512, n_train), "n_test": min(64, n_train)}
    whole = sc.datasets.load("evidence_accumulation", shortest_delay="1050 ms", longest_delay="1050 ms", **sizes)
    return {
        name: sc.SpikeDataset(spikes=whole.part(name).source, label="side", name=name, classes=("left", "right"))
        for name in ("train", "validation", "test")
    }


def network(kind: str) -> tuple[Network, dict[str, Any]]:
    """Return a network and what is given of it: half of the cells of ``"adaptive"`` adapt, none of ``"regular"``.

    Published is a spike every 5 ms at most, here every 6 ms.
    Cells that do not adapt are cells with beta 0, which is the same as a population of its own and less to compute.
    """
    sizes = {"adaptive": 0, "regular": 0} | {kind: CELLS}
    made = lsnn(inputs=40, outputs=2, beta=str(BETA), refractory_steps=2, name=f"LSNN, {kind} cells", **sizes)
    reads = f"{kind}_to_readout"
    projections = made.projections | {reads: made.projections[reads].model_copy(update={"weight": uniform(LIMIT)})}
    changed = {"projections": projections}
    if kind == "regular":
        return made.model_copy(update=changed), {}
    cells = made.populations[kind]
    own = cells.model_copy(update={"parameters": {**cells.parameters, "beta": uniform(BETA)}})
    changed["populations"] = {**made.populations, kind: own}
    return made.model_copy(update=changed), {kind: {"beta": np.repeat([0.0, BETA], CELLS // 2)}}


def solved(module: TorchNetwork, parts: Parts) -> float:
    """Return the error in 512 trials that are in neither of the other parts."""
    return 1 - (evaluate(module, parts["validation"], LOSS, dt=DT, batch_size=64).accuracy or 0.0)


def trained(parts: Parts, condition: str, epochs: int, out: Path, *, stops: bool, seed: int) -> Trained:
    """Return a trained network: loaded, or trained until it solves the task, as in the tutorial."""
    name = condition.replace(", ", "_").replace(" ", "_")
    if (out / name / "network.yaml").exists():
        return Trained.load(out / name)
    kind, schedule = CONDITIONS[condition]
    described, given = network(kind)

    def reached(row: Mapping[str, float], module: TorchNetwork) -> bool:
        return stops and 1 - row["test_accuracy"] < CRITERION and solved(module, parts) < CRITERION

    result = sc.fit(
        described,
        eprop(
            Triangle("0.6", "2"),
            feedback=RandomFeedback(sd=3**0.5 / LIMIT, seed=seed),
            execution=Execution.BACKWARD,
            optimiser=Adam(5e-3, clip=None, schedule=schedule, units=Units.SI, epsilon_hat=True),
        ),
        parts["train"],
        test=parts["test"],
        loss=LOSS,
        penalties=[RateTarget("10 Hz", strength=2.0)],
        dt=DT,
        epochs=epochs,
        batch_size=BATCH,
        batches_per_epoch=EVERY,
        weights=given,
        seed=seed,
        checkpoint=out / f"{name}.checkpoint",
        progress=lambda line: print(f"{condition}, {line}", flush=True),
        callback=reached,
    )
    result.save(out / name)
    return result


def of_one_trial(result: Trained, parts: Parts) -> dict[str, NDArray[np.float64]]:
    """Return spikes (step, unit) of input and cells, and the probability of the right answer, in one test trial."""
    module = TorchNetwork(result.network, seconds(DT), result.realisation)
    (cells,) = {"adaptive", "regular"} & set(result.network.populations)
    inputs, label = Batches(parts["test"], "input", DT)(np.array([0]))
    with torch.no_grad():
        run = module(inputs, record=[cells], traces=[("readout", "v")])
    probability = torch.softmax(run.traces["readout", "v"][:, 0] / (1e3 * seconds(DT)), dim=1)[:, int(label[0])]
    return {
        "input": inputs["input"][:, 0].numpy(),
        "cells": run.spikes[cells][:, 0].numpy(),
        "probability": probability.numpy(),
    }


def figure(results: Mapping[str, Trained], parts: Parts, out: Path) -> None:
    """Draw the errors in unseen trials over iterations, and one trial after learning."""
    shown = of_one_trial(results["with adaptation"], parts)
    with style():
        drawn = new_figure(DOUBLE_COLUMN, 72.0)
        left, right = drawn.subplots(1, 2)
        for colour, (condition, result) in zip(PALETTE, results.items(), strict=False):
            history = result.history
            done = EVERY * history["epoch"]
            left.plot(done, 100 * (1 - history["test_accuracy"]), color=colour, label=condition.capitalize(), lw=0.9)
        left.axhline(100 * CRITERION, color=FAINT_COLOUR, lw=0.8, ls="--")
        left.text(1, 100 * CRITERION - 1, "Solved (7\N{NO-BREAK SPACE}%)", fontsize=6, color=FAINT_COLOUR, va="top")
        left.axhline(50, color=FAINT_COLOUR, lw=0.8, ls=":")
        left.axvspan(200, 500, color="#E3E3E3", zorder=0, lw=0, label="Published: solved in this range")
        left.set(xlabel="Iteration (32 trials)", ylabel="Wrong answers (%)", ylim=(0, 84))
        left.set_yticks(range(0, 61, 10))
        left.legend(loc="upper right", ncols=2)
        n_in = shown["input"].shape[1]
        for raster, base, colour in ((shown["input"], 0, FAINT_COLOUR), (shown["cells"], n_in + 5, DATA_COLOUR)):
            step, unit = np.nonzero(raster)
            right.plot(1e3 * seconds(DT) * step, unit + base, "|", ms=1.2, mew=0.4, color=colour)
        top = n_in + 5 + CELLS + 6
        at = 1e3 * seconds(DT) * np.arange(shown["probability"].size)
        right.plot(at, top + 30 * shown["probability"], color=PALETTE[0])
        right.axhline(top + 15, color=FAINT_COLOUR, lw=0.5, ls=":")
        right.axvline(2100, color=FAINT_COLOUR, lw=0.5)
        half = CELLS // 2
        places = {
            "Left": 5, "Right": 15, "Recall": 25, "Noise": 35, "Not\nadapting": n_in + 5 + half / 2,
            "Adapting": n_in + 5 + 1.5 * half, "P(right\nanswer)": top + 15,
        }  # fmt: skip
        right.set_yticks([*places.values()], [*places])
        right.set(xlabel="Time (ms)", ylim=(-2, top + 33), xlim=(0, at[-1]))
        panel_letters([left, right], dx=-26)
        tables = {
            "learning": pd.concat([one.history.assign(network=name) for name, one in results.items()]),
            "trial": pd.DataFrame({"time_ms": at, "probability_of_right_answer": shown["probability"]}),
        }
        save_figure(settle(drawn), tables, out, "learning")


def measured(results: Mapping[str, Trained], parts: Parts) -> dict[str, dict[str, Any]]:
    """Return the numbers of the study."""
    metrics: dict[str, dict[str, Any]] = {}
    for condition, result in results.items():
        module = TorchNetwork(result.network, seconds(DT), result.realisation)
        there = result.history
        published = CRITERION if condition.startswith("with adaptation") else None
        numbers = {
            "error in 512 unseen trials": (solved(module, parts), published),
            "iterations": (EVERY * len(there), "200 to 500" if published else None),
            "smallest error in 64 unseen trials": (float(1 - there["test_accuracy"].max()), None),
            "firing rate at the end (Hz)": (float(there["rate"].iloc[-1]), None),
        }
        for name, (value, given) in numbers.items():
            metrics[f"{condition}: {name}"] = {"value": value, "published": given, "source": SOURCE}
            if name.startswith("error"):
                metrics[f"{condition}: {name}"]["standard_error"] = (value * (1 - value) / 512) ** 0.5
    return metrics


def main() -> None:
    """Run the study and write ``results.json``."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("out/evidence_accumulation"))
    parser.add_argument("--quick", action="store_true", help="one iteration of each network")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    begin, out, quick = time.perf_counter(), arguments.out, arguments.quick
    out.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(1)  # more wait for each other, see snncompare.backends.torch.threads
    parts = trials(8 if quick else 20_000)
    most = 1 if quick else MOST // EVERY
    results = {
        condition: trained(parts, condition, most, out, stops=kind == "adaptive", seed=arguments.seed)
        for condition, (kind, _) in CONDITIONS.items()
    }
    figure(results, parts, out)
    metrics = measured(results, parts)
    for name, entry in metrics.items():
        print(f"{name:60s} {entry['value']:8.3f}  published: {entry['published']}")
    said = {"study": "evidence_accumulation", "metrics": metrics, "seconds": round(time.perf_counter() - begin, 1)}
    said |= {"quick": quick, "seed": arguments.seed, "dt": DT, "batch": BATCH, "batches in an epoch": EVERY}
    said["accuracy in 64 unseen trials"] = {name: list(one.history["test_accuracy"]) for name, one in results.items()}
    said["provenance"] = provenance.collect(seed=arguments.seed)
    target = out / "results.json"
    target.write_text(json.dumps(said, indent=2) + "\n", encoding="utf-8")
    print(target)


if __name__ == "__main__":
    main()
