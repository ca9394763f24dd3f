"""Teach the spiking XOR network of Payeur et al. (2021) by bursts, with several seeds and controls (their figure 4)."""

import argparse
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from snncompare import provenance
from snncompare.circuits.bursts.xor import FEEDBACK, burst_xor_network
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
from snncompare.learning.bursts.teaching import TwoPhaseCourse, learn_in_two_phases
from snncompare.learning.bursts.two_phases import XOR, TwoPhases
from snncompare.number_archive import read_arrays, write_arrays
from snncompare.units import seconds

POPULATIONS = ("in1", "in2", "hid1", "hid2", "out")
TEXT = "notes on the authors' code 4.4 (authors' code; measured with a plain C++ loop, one seed)"
HIDDEN = {"hid1": (1.92, 3.98, 3.02, 1.97), "hid2": (3.45, 5.64, 5.98, 6.82)}
"""Event rates of the hidden populations after learning in the reference, short protocol, hertz."""
OUTPUT = {"short": (4.82, 8.45, 6.84, 4.44), "published": (5.05, 9.07, 6.89, 5.62)}
"""Output event rates after learning of the four patterns in the reference, hertz; its "published" has T = 4 s too."""
COSTS = {
    "short": {1: 3.09, 25: 2.76, 50: 2.42, 75: 2.05, 100: 1.84},
    "published": {1: 2.97, 25: 2.75, 50: 2.66, 75: 2.62, 100: 2.59, 150: 2.35, 200: 1.98},
}
BEFORE = {
    "in1": (1.96, 8.44, 2.04, 8.47), "in2": (1.95, 1.95, 8.38, 8.54), "hid1": (2.73, 4.34, 4.28, 4.97),
    "hid2": (2.80, 4.32, 4.34, 5.03), "out": (3.78, 4.81, 4.91, 5.18),
}  # fmt: skip
"""Event rates before learning in the reference, hertz."""


@dataclass(frozen=True)
class Plan:
    """What is run: protocol, factor of the learning rates, epochs, size of populations."""

    protocol: TwoPhases
    learning_rate: float
    epochs: int
    size: int = 500
    in_degree: float = 100.0


PLANS = {
    "short": Plan(TwoPhases(prediction="3.6 s", teaching="0.4 s"), 4.0, 100),
    "published": Plan(TwoPhases(), 1.0, 500),
}
QUICK = Plan(
    TwoPhases(prediction="0.4 s", teaching="0.1 s", burn_in="0.4 s", test="0.6 s", settle="0.2 s", tau_average="0.4 s"),
    4.0, 2, 80, 20.0,
)  # fmt: skip
CONTROLS: Mapping[str, Mapping[str, Any]] = {
    "hidden weights fixed": {"plastic": ("hid1_to_out_excitation", "hid2_to_out_excitation")},
    "no feedback": {"feedback": dict.fromkeys(FEEDBACK, (0.0, 0.0))},
}


@dataclass(frozen=True, eq=False)
class Found:
    """One run: history by example, measures before and after by example and population, and its price."""

    history: pd.DataFrame
    before: NDArray[np.float64]
    after: NDArray[np.float64]
    courses: Mapping[str, NDArray[np.float64]]
    seconds: float
    simulated: float

    @property
    def cost(self) -> NDArray[np.float64]:
        """Cost of each epoch, summed over its examples."""
        return self.history.groupby("epoch")["cost"].sum().to_numpy()


def learnt(name: str, seed: int, folder: Path) -> Found | None:
    """Return a run that is finished, if it is."""
    file = folder / f"{name.replace(' ', '_')}_{seed}.npz"
    if not file.is_file():
        return None
    arrays = read_arrays(file, 1 << 28, 100)
    names = [f"{n} {key}" for n in POPULATIONS for key in ("event_rate", "burst_probability", "taught")]
    names = ["epoch", "example", "cost", "teacher", *names]
    history = pd.DataFrame(arrays["history"][:, : len(names)], columns=names)
    courses = {when: arrays[f"course {when}"] for when in ("before", "after")}
    return Found(history, arrays["before"], arrays["after"], courses, *arrays["price"].tolist())


def learn(name: str, plan: Plan, seed: int, folder: Path, backend: str) -> None:
    """Carry out a run, or what is left of it, and keep what was found."""
    control = dict(CONTROLS.get(name, {}))
    protocol = plan.protocol
    if "plastic" in control:
        protocol = TwoPhases(**{**vars(protocol), "plastic": control.pop("plastic")})
    network = burst_xor_network(
        plan.size,
        learning_rate=plan.learning_rate,
        in_degree=plan.in_degree,
        tau_average=protocol.tau_average,
        **control,
    )
    stem = f"{name.replace(' ', '_')}_{seed}"
    begin = time.process_time()
    course = learn_in_two_phases(
        network, protocol, epochs=plan.epochs, backend=backend, seed=seed, checkpoint=folder / f"{stem}.part.npz",
        progress=lambda line: print(f"{name} {seed}: {line}, {time.process_time() - begin:.0f} CPU s", flush=True),
    )  # fmt: skip
    keep(course, plan, folder / f"{stem}.npz", time.process_time() - begin)


def keep(course: TwoPhaseCourse, plan: Plan, file: Path, price: float) -> None:
    """Write a run."""
    tests = {
        when: table.to_numpy().reshape(len(XOR), len(POPULATIONS), -1)
        for when, table in (("before", course.before), ("after", course.after))
    }
    write_arrays(
        file,
        {
            "history": course.history.to_numpy(dtype=np.float64),
            **tests,
            **{f"course {when}": array for when, array in course.courses.items()},
            **{f"weights {name}": array for name, array in course.weights.items()},
            "price": np.array([price, simulated(plan)]),
        },
    )


def simulated(plan: Plan) -> float:
    """Return the seconds of biological time of a run."""
    p = plan.protocol
    each = plan.epochs * (seconds(p.prediction) + seconds(p.teaching)) + 2 * seconds(p.test)
    return seconds(p.burn_in) + len(p.examples) * each


def draw(runs: Mapping[int, Found], plan: Plan, folder: Path, name: str) -> None:
    """Draw what output and hidden populations do before and after learning, the cost, and the teaching signal."""
    patterns = [example.name for example in XOR]
    with style():
        figure = new_figure(DOUBLE_COLUMN, 120.0)
        grid = figure.add_gridspec(2, 4, width_ratios=(1.25, 1.25, 1.0, 1.0))
        before, after, cost, taught = (
            figure.add_subplot(grid[k // 2, 2 * (k % 2) : 2 * (k % 2) + 2]) for k in (0, 1, 2, 3)
        )
        for ax, when, title in ((before, "before", "Before learning"), (after, "after", "After learning")):
            draw_courses(ax, runs, when, plan)
            ax.set_title(title, loc="center")
            ax.set(ylabel="Event rate (Hz)", ylim=(0, 13))
        before.legend(loc="upper left", ncol=3, bbox_to_anchor=(0.0, 0.93))
        costs = pd.DataFrame({seed: run.cost for seed, run in runs.items()})
        epochs = np.arange(1, len(costs) + 1)
        mean, spread = costs.mean(axis=1), costs.std(axis=1).fillna(0.0)
        cost.fill_between(epochs, mean - 2 * spread, mean + 2 * spread, color="black", alpha=0.2, linewidth=0)
        cost.plot(epochs, mean, color="black", label="Mean of seeds, 2 s.d.")
        known = {epoch: value for epoch, value in COSTS.get(name, {}).items() if epoch <= len(costs)}
        cost.plot(list(known), list(known.values()), "o", color=PALETTE[1], label="Reference, one seed")
        cost.set(xlabel="Epoch", ylabel="Cost", ylim=(0, None))
        cost.legend(loc="lower left")
        draw_teaching(taught, runs, patterns)
        panel_letters([before, after, cost, taught], dx=-26.0)
        index = pd.Index(epochs, name="epoch")
        tables = {"cost": costs.set_index(index).rename(columns=str)}
        for when in ("before", "after"):
            rates = np.mean([getattr(run, when)[:, :, 0] for run in runs.values()], axis=0)
            tables[when] = pd.DataFrame(rates, index=pd.Index(patterns, name="pattern"), columns=list(POPULATIONS))
        save_figure(settle(figure), tables, folder, "burst_xor")


def draw_courses(ax: Any, runs: Mapping[int, Found], when: str, plan: Plan) -> None:
    """Draw the event rates of hidden and output populations in the four tests, one after the other."""
    length, width = seconds(plan.protocol.test), seconds(plan.protocol.bin)
    courses = np.array([run.courses[when] for run in runs.values()])
    time_of = width * (np.arange(courses.shape[-1]) + 0.5)
    for population, colour in (("hid1", PALETTE[4]), ("hid2", PALETTE[3]), ("out", "black")):
        each = courses[:, :, POPULATIONS.index(population)]
        for k, example in enumerate(XOR):
            mean, spread = each[:, k].mean(axis=0), 2 * each[:, k].std(axis=0)
            x, label = time_of + k * length, {"hid1": "Hidden 1", "hid2": "Hidden 2", "out": "Output"}[population]
            ax.fill_between(x, mean - spread, mean + spread, color=colour, alpha=0.25, linewidth=0)
            ax.plot(
                x, mean, color=colour, linewidth=1.4 if population == "out" else 1.0, label=label if k == 0 else None
            )
            if population == "out":
                ax.text((k + 0.5) * length, 12.4, f"{example.name}: {example.target}", ha="center", color=NOTE_COLOUR)
                ax.axvline(k * length, color=FAINT_COLOUR, linewidth=0.5)
    ax.axhline(6.0, color=FAINT_COLOUR, linewidth=0.8, linestyle=(0, (4, 2)))
    ax.set(xlabel="Time (s)", xlim=(0, len(XOR) * length))


def draw_teaching(ax: Any, runs: Mapping[int, Found], patterns: list[str]) -> None:
    """Draw by how much burst probabilities differ between teaching and prediction in the first ten epochs."""
    for offset, (population, label, colour) in enumerate(
        (("out", "Output", "black"), ("hid1", "Hidden 1", PALETTE[4]), ("hid2", "Hidden 2", PALETTE[3]))
    ):
        signal = np.array([teaching_signal(run, population) for run in runs.values()])
        x = np.arange(len(patterns)) + 0.25 * (offset - 1)
        ax.bar(x, 100 * signal.mean(axis=0), width=0.22, color=colour, label=label)
        if len(signal) > 1:
            ax.errorbar(
                x, 100 * signal.mean(axis=0), 200 * signal.std(axis=0), color=NOTE_COLOUR, fmt="none", linewidth=0.8
            )
    ax.axhline(0.0, color=FAINT_COLOUR, linewidth=0.8)
    ax.set_xticks(
        range(len(patterns)), [f"{name}\ntarget {example.target}" for name, example in zip(patterns, XOR, strict=True)]
    )
    ax.set(ylabel="Burst probability, teaching\nminus prediction (%)")
    ax.set_ylim(None, 45.0)
    ax.legend(loc="upper left", ncol=3)


def teaching_signal(run: Found, population: str, epochs: int = 10) -> NDArray[np.float64]:
    """Return burst probability in the teaching minus in the prediction by example, mean of the first epochs."""
    early = run.history[run.history["epoch"] <= epochs]
    difference = early[f"{population} taught"] - early[f"{population} burst_probability"]
    return difference.groupby(early["example"]).mean().to_numpy()


def measured(runs: Mapping[int, Found], controls: Mapping[str, Found], name: str) -> dict[str, dict[str, object]]:
    """Return what was found beside what is known."""
    metrics: dict[str, dict[str, object]] = {}

    def add(what: str, value: float, reference: float | None = None, source: str = "") -> None:
        metrics[what] = {
            "value": float(value),
            "published": reference,
            "source": source if reference is not None else "",
        }
        print(f"{what}: {value:.4g}" + ("" if reference is None else f" (reference {reference:g})"), flush=True)

    def rates(of: Mapping[Any, Found], when: str, population: str) -> NDArray[np.float64]:
        return np.array([getattr(run, when)[:, POPULATIONS.index(population), 0] for run in of.values()])

    solved = [
        all((rate > 6.0) == bool(e.target) for rate, e in zip(row, XOR, strict=True))
        for row in rates(runs, "after", "out")
    ]
    before = [
        all((rate > 6.0) == bool(e.target) for rate, e in zip(row, XOR, strict=True))
        for row in rates(runs, "before", "out")
    ]
    add("seeds", len(runs), 5, "Payeur et al. 2021, fig. 4")
    add("seeds that solve XOR at 6 Hz, before learning", sum(before), 0, "Payeur et al. 2021, fig. 4c")
    add("seeds that solve XOR at 6 Hz, after learning", sum(solved), len(runs), "Payeur et al. 2021, fig. 4")
    for k, example in enumerate(XOR):
        for population in POPULATIONS:
            add(
                f"before, {example.name}: event rate of {population} (Hz)",
                rates(runs, "before", population)[:, k].mean(),
                BEFORE[population][k],
                TEXT,
            )
    for k, example in enumerate(XOR):
        of_seeds = rates(runs, "after", "out")[:, k]
        add(f"after, {example.name}: event rate of out (Hz)", of_seeds.mean(), OUTPUT.get(name, (None,) * 4)[k], TEXT)
        add(f"after, {example.name}: event rate of out, s.d. over seeds (Hz)", of_seeds.std())
        for population in ("hid1", "hid2"):
            add(
                f"after, {example.name}: event rate of {population} (Hz)",
                rates(runs, "after", population)[:, k].mean(),
                HIDDEN[population][k] if name == "short" else None,
                TEXT,
            )
    costs = np.array([run.cost for run in runs.values()])
    for epoch, known in COSTS.get(name, {}).items():
        if epoch <= costs.shape[1]:
            add(f"cost of epoch {epoch}", costs[:, epoch - 1].mean(), known, TEXT)
    add("cost of the last epoch, largest over seeds", costs[:, -1].max())
    for population in ("out", "hid1", "hid2"):
        for k, example in enumerate(XOR):
            add(
                f"teaching signal of {population}, {example.name} (burst probability)",
                np.mean([teaching_signal(run, population)[k] for run in runs.values()]),
            )
    for control, run in controls.items():
        for k, example in enumerate(XOR):
            add(f"{control}, {example.name}: event rate of out after (Hz)", rates({0: run}, "after", "out")[0, k])
        add(f"{control}: cost of the last epoch", run.cost[-1])
    add(
        "CPU seconds per simulated second, with compilation",
        np.mean([run.seconds / run.simulated for run in runs.values()]),
        0.45,
        "notes on the authors' code 4.4, plain C++ loop on another machine",
    )
    return metrics


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("out/burst_xor"))
    parser.add_argument("--quick", action="store_true", help="80 neurons in each population, two epochs")
    parser.add_argument("--protocol", choices=list(PLANS), default="short")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--only", choices=["learning", *CONTROLS], help="carry out one kind of run and draw nothing")
    parser.add_argument("--finished", action="store_true", help="carry out nothing, draw what is finished")
    parser.add_argument("--backend", default="fused")
    arguments = parser.parse_args()
    plan = QUICK if arguments.quick else PLANS[arguments.protocol]
    runs = [("learning", seed) for seed in arguments.seeds] + [(name, 0) for name in CONTROLS]
    if arguments.only:
        runs = [(arguments.only, seed) for seed in (arguments.seeds if arguments.only == "learning" else [0])]
    folder = arguments.out / ("quick" if arguments.quick else arguments.protocol)
    folder.mkdir(parents=True, exist_ok=True)
    for name, seed in runs:
        if not arguments.finished and learnt(name, seed, folder) is None:
            learn(name, plan, seed, folder, arguments.backend)
    if arguments.only:
        return
    found = {(name, seed): run for name, seed in runs if (run := learnt(name, seed, folder)) is not None}
    learning = {seed: run for (name, seed), run in found.items() if name == "learning"}
    if not learning:
        raise SystemExit("no run is finished yet")
    name = "quick" if arguments.quick else arguments.protocol
    metrics = measured(learning, {n: run for (n, _), run in found.items() if n != "learning"}, name)
    draw(learning, plan, arguments.out, name)
    results: dict[str, Any] = {"study": "burst_xor", "metrics": metrics, "quick": arguments.quick}
    results |= {
        "settings": {
            "protocol": name,
            "epochs": plan.epochs,
            "seeds": list(learning),
            "size": plan.size,
            "backend": arguments.backend,
        }
    }
    results |= {
        "seconds": round(sum(run.seconds for run in found.values()), 1),
        "provenance": provenance.collect(seed=0),
    }
    target = arguments.out / "results.json"
    target.write_text(json.dumps(results, indent=2) + "\n")
    print(target)


if __name__ == "__main__":
    main()
