"""Try burst-dependent plasticity on prescribed spikes and on two populations (Payeur et al. 2021, figure 2)."""

import argparse
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from snncompare import provenance
from snncompare.backends.registry import compile as compile_network
from snncompare.circuits.bursts.plasticity import burst_plasticity_network, pairing_network
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
from snncompare.learning.bursts.burst_control import (
    PUBLISHED_PHASES,
    DendriticPhase,
    control_bursts,
    phase_summary,
)
from snncompare.learning.bursts.pairing import (
    Trains,
    burst_poisson_pairing,
    periodic_pairing,
    poisson_pairing,
)
from snncompare.learning.bursts.rule import BurstRule
from snncompare.recording.recording import Recording

CODE = "authors' Python module, run with its own parameters"
MEASURED = "notes on the authors' code 4.2, measured with a plain C++ loop, one seed"
PERIODIC = {1.0: -0.2387, 58.3: -0.6150, 62.0: -0.6262, 63.5: 0.1502, 100.0: 0.2839}
CHANGES = {2: 0.054, 3: -0.052, 4: -0.037, 5: 0.028, 6: -0.0006}
"""Relative change of the mean weight in the phases of the reference."""
LETTERS = ("x1", "x1.5", "x1", "x0.55", "x1", "pre +40 pA")
SHORT = tuple(
    DendriticPhase(duration=f"{seconds} s", post=p.post, pre=p.pre, plastic=p.plastic)
    for seconds, p in zip((3, 2, 2, 2, 2, 2, 2), PUBLISHED_PHASES, strict=True)
)

Metrics = dict[str, dict[str, object]]


def periodic(frequencies: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the change of a weight by pairs at some frequencies."""
    rule = BurstRule(event_rate="5 Hz", burst_rate="0.75 Hz")
    return np.array([rule.course(*periodic_pairing(f"{f!r} Hz")).change for f in frequencies.tolist()])


def mean_change(rule: BurstRule, trains: Callable[[int], Trains], repeats: int) -> tuple[float, float]:
    """Return the mean change of a weight over draws of the trains, and its standard error."""
    each = [rule.course(*trains(seed)).change for seed in range(repeats)]
    return float(np.mean(each)), float(np.std(each) / np.sqrt(repeats))


def poisson(rates: NDArray[np.float64], probability: float, repeats: int) -> pd.DataFrame:
    """Return the change by independent Poisson spikes of both neurons, for an initial moving average."""
    rule = BurstRule(event_rate="5 Hz", burst_rate=f"{5 * probability!r} Hz")
    found = [
        mean_change(rule, lambda k, r=rate: poisson_pairing(f"{r!r} Hz", "100 s", k), repeats)
        for rate in rates.tolist()
    ]
    return pd.DataFrame(found, index=rates, columns=["change", "error"])


def burst_poisson(probabilities: NDArray[np.float64], rate: float, repeats: int) -> pd.DataFrame:
    """Return the change by independent events of both neurons, each a burst with a probability."""
    rule = BurstRule(event_rate=f"{rate!r} Hz", burst_rate=f"{0.2 * rate!r} Hz")
    found = [
        mean_change(rule, lambda k, p=p: burst_poisson_pairing(f"{rate!r} Hz", p, "100 s", k), repeats)
        for p in probabilities.tolist()
    ]
    return pd.DataFrame(found, index=probabilities, columns=["change", "error"])


def crossing(table: pd.DataFrame) -> float:
    """Return where the change passes from depression to potentiation, between the last two points around it."""
    change, x = table["change"].to_numpy(), table.index.to_numpy()
    last = np.flatnonzero(change < 0)[-1]
    if last + 1 == len(x):
        return float("nan")
    return float(x[last] + (x[last + 1] - x[last]) * change[last] / (change[last] - change[last + 1]))


def trains_of(pairs: int, length: float) -> list[Trains]:
    """Return Poisson trains of several rates on a grid of a millisecond."""
    found = []
    for k in range(pairs):
        trains = poisson_pairing(f"{10 * (k + 1)} Hz", f"{length} s", k)
        pre, post = (np.unique(np.round(train * 1e3)).clip(0, 1e3 * length - 3) * 1e-3 for train in trains)
        found.append((np.unique(pre), np.unique(post)))
    return found


def one_trial(trains: list[NDArray[np.float64]], length: float) -> Recording:
    """Return trains as a recording of one trial."""
    units = pd.DataFrame(index=[str(k) for k in range(len(trains))])
    return Recording.from_arrays(
        times=np.concatenate(trains),
        unit=np.repeat(units.index, [len(train) for train in trains]),
        trial=np.repeat("0", sum(map(len, trains))),
        units=units,
        trials=pd.DataFrame({"start": [0.0], "stop": [length]}, index=["0"]),
        provenance={},
    )


def trajectories(
    backends: list[str], pairs: int = 4, length: float = 8.0, pieces: int = 16
) -> dict[str, NDArray[np.float64]]:
    """Return weights of pairs with prescribed spikes after each piece of a run, (piece, pair), and the exact ones."""
    trains, each = trains_of(pairs, length), length / pieces
    found: dict[str, NDArray[np.float64]] = {}
    for backend in backends:
        simulation, rows = compile_network(pairing_network(pairs), backend, dt="1 ms").simulation(), []
        for piece in range(pieces):
            begin = round(piece * each, 9)
            cut = [
                [train[(train > begin - 5e-4) & (train < begin + each - 5e-4)] - begin for train in of]
                for of in zip(*trains, strict=True)
            ]
            inputs = {
                name: one_trial([t.clip(0) for t in part], each)
                for name, part in zip(("sender", "forced"), cut, strict=True)
            }
            simulation.advance(f"{each!r} s", inputs)
            rows.append(simulation.get("synapses", "weight"))
        found[backend] = np.array(rows)
    edges, begun = (
        each * np.arange(1, pieces + 1),
        float(np.exp(-1e-3 / 15.0)),
    )  # averages decay in the first step already
    averages = {"event_rate": f"{5 * begun!r} Hz", "burst_rate": f"{0.75 * begun!r} Hz"}
    rule = BurstRule(**averages, weight=5.0, bounds=(0.0, 10.0))
    courses = [rule.course(pre + 1e-3, post + 1e-3) for pre, post in trains]  # spikes are carried out a step later
    last = [np.searchsorted(course.time, edges - 5e-4) for course in courses]
    found["exact"] = np.stack(
        [np.concatenate([[5.0], c.weight])[k] for c, k in zip(courses, last, strict=True)], axis=1
    )
    return found


def population(seed: int, folder: Path, phases: tuple[DendriticPhase, ...], size: int) -> pd.DataFrame:
    """Return the course of weights and rates in the phases; what an earlier run finished is used."""
    file = folder / f"population_{size}_{seed}.csv"
    if not file.is_file():
        network = burst_plasticity_network(size, weight=80.0 / size, in_degree=0.2 * size)
        program = compile_network(network, "fused", seed=seed)
        table = control_bursts(
            program, phases, seed=seed, progress=lambda line: print(f"seed {seed}: {line}", flush=True)
        )
        table.to_csv(file, index=False)
    return pd.read_csv(file)


def draw(tables: dict[str, Any], phases: tuple[DendriticPhase, ...], folder: Path) -> None:
    """Draw the pairing protocols above, and below the burst probability, rates and weights of two populations."""
    black, grey = "black", FAINT_COLOUR
    with style():
        figure = new_figure(DOUBLE_COLUMN, 115.0)
        axes = figure.subplots(2, 3)
        top, bottom = axes
        top[0].plot(tables["periodic"].index, tables["periodic"]["change"], color=black)
        top[0].axvline(62.5, color=grey, linewidth=0.8, linestyle=(0, (4, 2)))
        top[0].text(61, 0.22, "1/16 ms", color=NOTE_COLOUR, ha="right")
        top[0].set(xlabel="Pairing frequency (Hz)", ylabel="Change of weight", title="Periodic")
        for ax, names, title, label in (
            (top[1], ("30 %", "50 %"), "Poisson", "Average at first "),
            (top[2], ("5 Hz", "10 Hz"), "Poisson events and bursts", "Events at "),
        ):
            for name, colour in zip(names, (black, PALETTE[1]), strict=True):
                table = tables[name]
                scale = 100 if ax is top[2] else 1
                ax.errorbar(scale * table.index, table["change"], table["error"], color=colour, label=f"{label}{name}")
            ax.set(xlabel="Burst probability (%)" if ax is top[2] else "Rate (Hz)", title=title)
            ax.legend(loc="upper left")
        for ax in top:
            ax.axhline(0.0, color=grey, linewidth=0.8)
            ax.set_title(ax.get_title(), loc="center")
        draw_population(list(bottom), tables["population"], phases)
        panel_letters([*top, *bottom], dx=-28.0)
        saved = {
            name: table.rename_axis(table.index.name or "x") for name, table in tables.items() if name != "population"
        }
        saved = {name.replace(" ", "_").replace("%", "percent"): table for name, table in saved.items()}
        mean = tables["population"].drop(columns="seed").groupby("time").mean()
        save_figure(settle(figure), {**saved, "population": mean}, folder, "burst_rule")


def draw_population(axes: list[Any], table: pd.DataFrame, phases: tuple[DendriticPhase, ...]) -> None:
    """Draw burst probability, event rate and mean weight of the two populations over time."""
    edges = np.concatenate([[0.0], np.cumsum([float(phase.duration.split()[0]) for phase in phases])])  # type: ignore[union-attr]
    columns = (("burst_probability", 100.0, "Burst probability (%)"), ("event_rate", 1.0, "Event rate (Hz)"))
    for ax, (column, scale, label) in zip(axes[:2], columns, strict=True):
        for which, name, colour in (("sender", "Presynaptic", PALETTE[1]), ("receiver", "Postsynaptic", PALETTE[0])):
            band(ax, table, f"{which} {column}", scale, colour, name)
        ax.set(ylabel=label, ylim=(0, None))
    axes[0].set_ylim(0, 52)
    axes[0].legend(loc="upper left")
    band(axes[2], table, "change", 100.0, "black", "")
    axes[2].axhline(0.0, color=FAINT_COLOUR, linewidth=0.8)
    axes[2].set(ylabel="Mean weight, change (%)")
    for ax in axes:
        ax.set(xlabel="Time (s)", xlim=(0, edges[-1]))
        for index, (begin, end, phase) in enumerate(zip(edges[:-1], edges[1:], phases, strict=True)):
            if index % 2:
                ax.axvspan(begin, end, color="0.93", linewidth=0, zorder=0)
            said = "off" if not phase.plastic else "pre" if phase.pre != "0 pA" else f"x{phase.post:g}"
            ax.text(
                (begin + end) / 2,
                1.01,
                said,
                transform=ax.get_xaxis_transform(),
                ha="center",
                color=NOTE_COLOUR,
                fontsize=6,
            )


def band(ax: Any, table: pd.DataFrame, column: str, scale: float, colour: str, label: str) -> None:
    """Draw the mean over seeds and two standard deviations around it."""
    wide = scale * table.pivot(index="time", columns="seed", values=column)
    mean, spread = wide.mean(axis=1), wide.std(axis=1) if wide.shape[1] > 1 else 0 * wide.mean(axis=1)
    ax.fill_between(wide.index, mean - 2 * spread, mean + 2 * spread, color=colour, alpha=0.25, linewidth=0)
    ax.plot(wide.index, mean, color=colour, label=label)


def measured(tables: dict[str, Any], courses: dict[str, NDArray[np.float64]]) -> Metrics:
    """Return what was found beside what is known."""
    metrics: Metrics = {}

    def add(name: str, value: float, published: float | None = None, source: str = "") -> None:
        metrics[name] = {"value": float(value), "published": published, "source": source}
        print(f"{name}: {value:.4g}" + ("" if published is None else f" (reference {published:g})"), flush=True)

    for frequency, known in PERIODIC.items():
        add(f"periodic, change at {frequency:g} Hz", periodic(np.array([frequency]))[0], known, CODE)
    fine = np.arange(62.0, 63.01, 0.05)
    add("periodic, frequency of the first potentiation (Hz)", fine[np.argmax(periodic(fine) > 0)], 62.5, "1/16 ms")
    for name, known in (("30 %", "23 to 25"), ("50 %", "45 to 50")):
        add(f"Poisson, P(0) = {name}: crossing (Hz)", crossing(tables[name]))
        metrics[f"Poisson, P(0) = {name}: crossing (Hz)"]["source"] = f"notes on the authors' code 4.1: {known}"
    for name in ("5 Hz", "10 Hz"):
        add(
            f"burst-Poisson, events at {name}: crossing (burst probability)",
            crossing(tables[name]),
            0.2,
            "Payeur et al. 2021, fig. 2d: at P(0)",
        )
    slopes = [np.polyfit(tables[name].index, tables[name]["change"], 1)[0] for name in ("5 Hz", "10 Hz")]
    add(
        "burst-Poisson, ratio of slopes, 10 Hz to 5 Hz",
        slopes[1] / slopes[0],
        4.0,
        "rate squared",
    )
    for name in (key for key in courses if key != "exact"):
        add(
            f"weights on {name}: largest difference from the exact rule", np.abs(courses[name] - courses["exact"]).max()
        )
    if "brian2" in courses and "torch" in courses:
        add(
            "weights: largest difference between brian2 and torch",
            np.abs(courses["brian2"] - courses["torch"]).max(),
            0.0,
            "float64, prescribed spikes",
        )
    each = [phase_summary(part.drop(columns="seed")) for _, part in tables["population"].groupby("seed")]
    summary, spread = sum(each) / len(each), np.std([part["change"] for part in each], axis=0)
    for phase, letter in enumerate(LETTERS, start=1):
        add(
            f"population, phase {phase} ({letter}): relative change of the mean weight",
            summary.loc[phase, "change"],
            CHANGES.get(phase),
            MEASURED if phase in CHANGES else "",
        )
        add(f"population, phase {phase} ({letter}): standard deviation over seeds", spread[phase])
    known = {1: 0.103, 2: 0.243, 4: 0.016}
    for phase, value in known.items():
        add(
            f"population, phase {phase}: postsynaptic burst probability",
            summary.loc[phase, "receiver burst_probability"],
            value,
            MEASURED,
        )
    add("population, phase 1: postsynaptic event rate (Hz)", summary.loc[1, "receiver event_rate"], 3.83, MEASURED)
    add(
        "population, phase 1: presynaptic event rate (Hz)",
        summary.loc[1, "sender event_rate"],
        4.09,
        "notes on the authors' code 6.1; 4 to 5 in the authors' comment",
    )
    add(
        "population, phase 1: presynaptic burst probability",
        summary.loc[1, "sender burst_probability"],
        0.118,
        MEASURED,
    )
    add(
        "population, phase 6: presynaptic burst probability",
        summary.loc[6, "sender burst_probability"],
        0.236,
        MEASURED,
    )
    return metrics


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("out/burst_rule"))
    parser.add_argument("--quick", action="store_true", help="few repeats, 200 neurons, phases of 2 s")
    parser.add_argument("--seeds", type=int, default=3, help="of the populations; the paper has 20")
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    begin = time.process_time()
    quick, repeats = arguments.quick, 5 if arguments.quick else 200
    frequencies = np.linspace(1.0, 100.0, 20)
    tables: dict[str, Any] = {"periodic": pd.DataFrame({"change": periodic(frequencies)}, index=frequencies)}
    rates, probabilities = np.linspace(1.0, 50.0, 10), np.linspace(0.0, 0.45, 10)
    tables |= {f"{100 * p:.0f} %": poisson(rates, p, repeats) for p in (0.3, 0.5)}
    tables |= {f"{rate:.0f} Hz": burst_poisson(probabilities, rate, repeats) for rate in (5.0, 10.0)}
    phases, size, seeds = (SHORT, 200, 1) if quick else (PUBLISHED_PHASES, 1000, arguments.seeds)
    runs = {seed: population(seed, arguments.out, phases, size) for seed in range(seeds)}
    tables["population"] = pd.concat([table.assign(seed=seed) for seed, table in runs.items()])
    courses = trajectories(["brian2", "torch", "fused"], length=1.0 if quick else 8.0, pieces=4 if quick else 16)
    metrics = measured(tables, courses)
    draw(tables, phases, arguments.out)
    results: dict[str, Any] = {"study": "burst_rule", "metrics": metrics, "quick": quick}
    results |= {"settings": {"repeats": repeats, "seeds": seeds, "size": size}}
    results |= {"seconds": round(time.process_time() - begin, 1), "provenance": provenance.collect(seed=0)}
    target = arguments.out / "results.json"
    target.write_text(json.dumps(results, indent=2) + "\n")
    print(target)


if __name__ == "__main__":
    main()
