"""Exclusive or, learnt by bursts at three levels of description: how alike are the hidden representations."""

import argparse
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from rsatoolbox.rdm import RDMs
from scipy.spatial.distance import pdist, squareform

import snncompare as sc
from snncompare import provenance
from snncompare.backends.simulation import WEIGHT, Simulation
from snncompare.circuits.bursts.xor import burst_xor_network
from snncompare.figures.save import save_figure
from snncompare.figures.style import DOUBLE_COLUMN, new_figure, panel_letters, settle, style
from snncompare.learning.burstprop import (
    Backprop,
    BurstNetwork,
    Burstprop,
    Dense,
    Momentum,
    Patterns,
    train_burst_network,
)
from snncompare.learning.burstprop.continuous import ContinuousBurstprop, train_continuously
from snncompare.learning.bursts.teaching import learn_in_two_phases
from snncompare.learning.bursts.two_phases import XOR, TwoPhases
from snncompare.network.network import Network
from snncompare.number_archive import read_arrays, write_arrays
from snncompare.recording.bursts import events

SEEDS = (0, 1, 2)
CIRCUIT, RATES, REDUCED, BACKPROP = "spiking circuit", "rates in time", "burstprop", "backprop"
WHEN = ("before", "after")
HIDDEN = 20
"""Ensembles of the models."""
TEACHING = TwoPhases(prediction="3.6 s", teaching="0.4 s")
EPOCHS = 100


@dataclass(frozen=True)
class Plan:
    """How much is done."""

    seeds: tuple[int, ...] = SEEDS
    levels: int = 5
    size: int = 500
    in_degree: float = 100.0
    protocol: TwoPhases = TEACHING
    epochs: int = EPOCHS
    repeats: int = 2
    shown: float = 0.8
    settle: float = 0.2
    model_epochs: tuple[int, int] = (400, 60)
    n_resamples: int = 1000


QUICK = Plan(
    (0,), 3, 80, 20.0,
    TwoPhases(prediction="0.4 s", teaching="0.1 s", burn_in="0.4 s", test="0.4 s", settle="0.2 s", tau_average="0.4 s"),
    1, 2, 0.1, 0.05, (3, 3), 50,
)  # fmt: skip


def grid(levels: int) -> NDArray[np.float64]:
    """Return all combinations of graded inputs from 0 to 1, (condition, 2), in the order of how much one differs."""
    values = np.linspace(0, 1, levels)
    each = np.array([(a, b) for a in values for b in values])
    return each[np.lexsort((each[:, 0], each.sum(axis=1), graded(each)))]


def graded(inputs: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return exclusive or of numbers between 0 and 1: a + b - 2ab."""
    return inputs[:, 0] + inputs[:, 1] - 2 * inputs.prod(axis=1)


def named(inputs: NDArray[np.float64]) -> list[str]:
    """Return the names of conditions."""
    return [f"{a:.2f} {b:.2f}" for a, b in inputs]


def as_rdm(values: NDArray[np.float64], inputs: NDArray[np.float64], name: str) -> RDMs:
    """Return the RDM of Euclidean distances of values (condition, unit)."""
    return RDMs(
        pdist(values)[np.newaxis],
        pattern_descriptors={"condition": named(inputs)},
        rdm_descriptors={"name": [name]},
    )


def models(
    plan: Plan, inputs: NDArray[np.float64], folder: Path
) -> tuple[dict[tuple[str, str], RDMs], dict[str, float]]:
    """Return RDMs of ensembles' event rates before and after learning, and the error in the four corners."""
    file = folder / "models.npz"
    kept = read_arrays(file, 1 << 28, 1000) if file.is_file() else {}
    for name in (RATES, REDUCED, BACKPROP):
        for seed in plan.seeds:
            if f"{name} {seed} error" not in kept:
                kept |= {f"{name} {seed} {key}": value for key, value in model(name, plan, inputs, seed).items()}
                print(name, seed, "error", kept[f"{name} {seed} error"], flush=True)
    write_arrays(file, kept)
    found = {
        (name, when): sc.join_seeds(
            {seed: as_rdm(kept[f"{name} {seed} {when}"], inputs, f"{name} {when}") for seed in plan.seeds}
        )
        for name in (RATES, REDUCED, BACKPROP)
        for when in WHEN
    }
    errors = {
        name: float(np.mean([kept[f"{name} {seed} error"] for seed in plan.seeds]))
        for name in (RATES, REDUCED, BACKPROP)
    }
    return found, errors


def model(name: str, plan: Plan, inputs: NDArray[np.float64], seed: int) -> dict[str, NDArray[np.float64]]:
    """Return event rates (condition, ensemble) before and after learning, and the error in the four corners."""
    corners = np.array([list(example.inputs.values()) for example in XOR], dtype=float)
    labels = np.array([example.target for example in XOR])
    hidden, output, gain = ("exponential", "softmax", 0.5) if name == RATES else ("sigmoid", "sigmoid", 2.0)
    network = BurstNetwork(
        (Dense(HIDDEN), Dense(2)), inputs=2, hidden=hidden, output=output, gain=gain, seed=seed, dtype="float64"
    )
    shown_inputs = torch.from_numpy(2 * inputs - 1)
    before = network.rates(shown_inputs)[1].numpy().copy()
    if name == RATES:
        four, timed = (
            Patterns(2 * corners - 1, labels, n_classes=2),
            ContinuousBurstprop(feedback_scale=1.0, tau_weights=20.0),
        )
        train_continuously(network, timed, four, test=four, epochs=plan.model_epochs[0], copies=4, seed=seed)
    else:
        many = Patterns(np.tile(2 * corners - 1, (8, 1)), np.tile(labels, 8), n_classes=2)
        rule, rates = (Burstprop(), (1.0, 0.1)) if name == REDUCED else (Backprop(), (0.1, 0.1))
        train_burst_network(
            network, rule, many, epochs=plan.model_epochs[1], batch_size=4, steps=Momentum(rates), seed=seed
        )
    wrong = network.answers(torch.from_numpy(2 * corners - 1)).numpy() != labels
    return {"before": before, "after": network.rates(shown_inputs)[1].numpy(), "error": np.array(wrong.mean())}


@dataclass(frozen=True, eq=False)
class Taught:
    """Weights of a circuit after learning, epochs that it learnt, its cost in the last ones."""

    weights: Mapping[str, NDArray[np.float64]]
    epochs: int
    cost: float


def taught(plan: Plan, seed: int, circuits: Path, folder: Path) -> Taught:
    """Return a circuit of ``analyses/burst_xor`` as far as it has learnt, or teach one here."""
    for place in (circuits, folder):
        done, begun = place / f"learning_{seed}.npz", place / f"learning_{seed}.part.npz"
        if done.is_file():
            arrays = read_arrays(done, 1 << 28, 100)
            weights = {key.removeprefix("weights "): a for key, a in arrays.items() if key.startswith("weights ")}
            return Taught(weights, *_progress(arrays["history"]))
        if begun.is_file() and place is circuits:
            arrays = read_arrays(begun, 1 << 33, 100)
            simulation = begin(plan, seed)
            simulation.restore({key.removeprefix("state "): a for key, a in arrays.items() if key.startswith("state ")})
            weights = {name: simulation.get(name, WEIGHT) for name in plan.protocol.opened(simulation.network)}
            return Taught(weights, *_progress(arrays["table history"]))
    course = learn_in_two_phases(network_of(plan), plan.protocol, epochs=plan.epochs, seed=seed, checkpoint=begun)
    weights = {f"weights {name}": array for name, array in course.weights.items()}
    write_arrays(done, {"history": course.history.to_numpy(dtype=np.float64), **weights})
    return Taught(course.weights, plan.epochs, float(course.cost[-3:].mean()))


def _progress(history: NDArray[np.float64]) -> tuple[int, float]:
    """Return the number of epochs, and the cost per epoch in the last three."""
    n = round(history[-1, 0])
    last = min(n, 3)
    return n, float(history[history[:, 0] > n - last, 2].sum() / last)


def network_of(plan: Plan) -> Network:
    """Return the circuit; its plasticity is shut until it is opened."""
    return burst_xor_network(
        plan.size, learning_rate=4.0, in_degree=plan.in_degree, tau_average=plan.protocol.tau_average
    )


def begin(plan: Plan, seed: int) -> Simulation:
    """Return a simulation of the circuit as it was drawn."""
    return sc.compile(network_of(plan), "fused", dt="0.1 ms", seed=seed).simulation(seed=seed)


def shown(plan: Plan, seed: int, inputs: NDArray[np.float64], learnt: Taught | None) -> sc.Recording:
    """Return the events of the hidden populations in several presentations of each combination, in random order."""
    simulation = begin(plan, seed)
    for name, weights in (learnt.weights if learnt else {}).items():
        simulation.set(name, WEIGHT, weights)
    simulation.advance(f"{3 * plan.settle} s")
    random = np.random.default_rng(seed)
    times, unit, trial, conditions = [], [], [], []
    for _ in range(plan.repeats):
        for k in random.permutation(len(inputs)):
            for name, level in zip(("in1", "in2"), inputs[k], strict=True):
                simulation.set(name, "I_in", -350e-12 + 500e-12 * level)
            run = events(simulation.run(f"{plan.settle + plan.shown} s", record=["hid1", "hid2"]))
            late = run.times >= plan.settle
            times.append(run.times[late] - plan.settle)
            unit.append(np.repeat(run.units.index.to_numpy(), np.diff(run.offsets))[late])
            trial.append(np.full(late.sum(), len(conditions)))
            conditions.append(named(inputs)[k])
    trials = pd.DataFrame({"condition": conditions, "start": 0.0, "stop": plan.shown})
    return sc.Recording.from_arrays(
        times=np.concatenate(times), unit=np.concatenate(unit), trial=np.concatenate(trial), units=run.units,
        trials=trials,
    )  # fmt: skip


def circuit(
    plan: Plan, seed: int, inputs: NDArray[np.float64], circuits: Path, folder: Path
) -> tuple[dict[str, RDMs], Taught]:
    """Return the RDMs of the hidden neurons' event counts before and after learning."""
    learnt, file = taught(plan, seed, circuits, folder), folder / f"circuit_{seed}.npz"
    kept = read_arrays(file, 1 << 28, 10) if file.is_file() else {}
    if (
        not kept
        or int(kept["epochs"][0]) != learnt.epochs
        or len(kept["before"]) != len(inputs) * (len(inputs) - 1) // 2
    ):
        for when in WHEN:
            presented = shown(plan, seed, inputs, learnt if when == "after" else None)
            found = sc.rdm(presented, sc.SpikeCount(), by="condition", conditions=named(inputs))
            kept[when] = found.dissimilarities[0]
        kept["epochs"] = np.array([learnt.epochs])
        write_arrays(file, {key: kept[key] for key in (*WHEN, "epochs")})
    print(CIRCUIT, seed, f"after {learnt.epochs} epochs, cost {learnt.cost:.2f}", flush=True)
    described = {"metric": ["spike count"], "time_scale": [float("nan")]}
    return {
        when: RDMs(
            kept[when][np.newaxis], pattern_descriptors={"condition": named(inputs)}, rdm_descriptors=dict(described)
        )
        for when in WHEN
    }, learnt


def mean_rdm(each: list[RDMs]) -> RDMs:
    """Return the mean RDM of several circuits."""
    found = each[0].copy()
    found.dissimilarities = np.mean([rdms.dissimilarities for rdms in each], axis=0)
    return found


def compared(
    data: Mapping[str, RDMs], found: Mapping[tuple[str, str], RDMs], inputs: NDArray[np.float64], plan: Plan
) -> pd.DataFrame:
    """Return the similarity of every model, before and after learning, with the circuit before and after learning."""
    given = {f"{name}, {when}": rdms for (name, when), rdms in found.items()}
    given |= {
        "inputs": as_rdm(inputs, inputs, "inputs"),
        "exclusive or": as_rdm(graded(inputs)[:, None], inputs, "xor"),
    }
    tables = []
    for when, rdms in data.items():
        table = sc.compare(rdms, given, n_resamples=plan.n_resamples).table
        tables.append(table.assign(circuit=when))
    return pd.concat(tables, ignore_index=True)


def draw(
    data: Mapping[str, RDMs],
    found: Mapping[tuple[str, str], RDMs],
    table: pd.DataFrame,
    inputs: NDArray[np.float64],
    out: Path,
) -> None:
    """Draw RDMs before and after learning, and how alike they are."""
    with style():
        figure = new_figure(DOUBLE_COLUMN, 66.0)
        left, right = figure.add_gridspec(1, 2, width_ratios=[2.4, 1.0])
        order = np.lexsort((inputs[:, 1], inputs[:, 0]))
        cells, pictures = left.subgridspec(2, 4, wspace=0.08, hspace=0.08), []
        for column, name in enumerate((CIRCUIT, RATES, REDUCED, BACKPROP)):
            for row, when in enumerate(WHEN):
                values = (data[when] if name == CIRCUIT else found[name, when]).dissimilarities.mean(axis=0)
                ax = figure.add_subplot(cells[row, column])
                ax.imshow(
                    squareform(values)[np.ix_(order, order)],
                    cmap="viridis",
                    vmin=min(0, values.min()),
                    vmax=values.max(),
                )
                ax.set(xticks=[], yticks=[])
                ax.set_title(name if row == 0 else "")
                ax.set_ylabel(f"{when.capitalize()} learning" if column == 0 else "")
                pictures.append(ax)
        ax = figure.add_subplot(right)
        names = list(dict.fromkeys(table["model"]))
        for when, offset, fill in (("before", -0.15, "white"), ("after", 0.15, "0.3")):
            for row in table[table["circuit"] == when].itertuples():
                place = names.index(row.model) + offset
                ax.plot([row.ci_low, row.ci_high], [place, place], color="0.3", linewidth=0.8)
                label = f"{when} learning" if row.model == names[0] else None
                ax.plot(row.similarity, place, "o", color="0.3", markerfacecolor=fill, markersize=3.5, label=label)
        ax.axvline(0, color="0.7", linestyle="--")
        ax.set(yticks=range(len(names)), xlabel="RDM similarity to the circuit", ylim=(len(names) - 0.5, -0.5))
        ax.set_yticklabels(names)
        ax.legend(loc="upper center", bbox_to_anchor=(0.4, -0.24), ncols=2, title="Circuit")
        panel_letters([pictures[0], ax], dx=-16.0)
        save_figure(settle(figure), table, out, "bridges")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("out/burst_bridges"))
    parser.add_argument("--quick", action="store_true", help="small circuit, one seed, hardly any learning")
    parser.add_argument("--circuits", type=Path, default=Path("out/burst_xor/short"), help="of analyses/burst_xor")
    parser.add_argument("--only", choices=["models", "circuit"], help="compute one part, compare nothing")
    parser.add_argument("--seeds", type=int, nargs="+", help="of the circuits; all of them by default")
    arguments = parser.parse_args()
    start = time.perf_counter()
    torch.set_num_threads(1)
    plan, out = QUICK if arguments.quick else Plan(), arguments.out
    out.mkdir(parents=True, exist_ok=True)
    inputs, seeds, parts = grid(plan.levels), arguments.seeds or plan.seeds, []
    circuits = out if arguments.quick else arguments.circuits
    if arguments.only != "models":
        parts = [circuit(plan, seed, inputs, circuits, out) for seed in seeds]
    found, errors = models(plan, inputs, out) if arguments.only != "circuit" else ({}, {})
    if arguments.only:
        return
    data = {when: mean_rdm([rdms[when] for rdms, _ in parts]) for when in WHEN}
    table = compared(data, found, inputs, plan)
    draw(data, found, table, inputs, out)
    metrics = {}
    for row in table.itertuples():
        source = f"{row.ci_low:.3f} to {row.ci_high:.3f}, corrected p {row.p_corrected:.3f}"
        metrics[f"circuit {row.circuit}, {row.model}"] = {"value": row.similarity, "published": None, "source": source}
    for name, error in errors.items():
        metrics[f"{name}, error"] = {"value": error, "published": 0.0, "source": "four patterns"}
    for seed, (_, learnt) in zip(seeds, parts, strict=True):
        source = f"after {learnt.epochs} of {plan.epochs} epochs"
        metrics[f"circuit {seed}, cost"] = {"value": learnt.cost, "published": None, "source": source}
    results = {"study": "burst_bridges", "metrics": metrics, "seconds": round(time.perf_counter() - start, 1)}
    results |= {"quick": arguments.quick, "provenance": provenance.collect(seed=0, plan=repr(plan))}
    (out / "results.json").write_text(json.dumps(results, indent=2) + "\n")
    print(out / "results.json")


if __name__ == "__main__":
    main()
