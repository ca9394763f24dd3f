"""Do events carry what goes up and bursts what goes down? The network of figure 3 of Payeur et al. (2021)."""

import argparse
import json
import time
from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.patches import FancyBboxPatch

import snncompare as sc
from snncompare.circuits.bursts.currents import with_rectangular_current
from snncompare.circuits.bursts.decoding import burst_decoding_network
from snncompare.circuits.bursts.population import burst_population
from snncompare.figures.save import save_figure
from snncompare.figures.style import (
    DOUBLE_COLUMN,
    FAINT_COLOUR,
    NOTE_COLOUR,
    PALETTE,
    SMALL,
    new_figure,
    panel_letters,
    settle,
    style,
)
from snncompare.network.dale import check_dale
from snncompare.network.neurons.two_compartment import two_compartment_pyramidal
from snncompare.recording.bursts import BURST, EVENT, spike_kinds
from snncompare.recording.ensemble_rates import ensemble_rates

EVENTS, BURSTS, RATES = PALETTE[0], PALETTE[1], PALETTE[3]
LABELS = {"event_rate": "Event rate (Hz)", "burst_probability": "Burst probability", "burst_rate": "Burst rate (Hz)"}
COLOURS = {"event_rate": EVENTS, "burst_probability": BURSTS, "burst_rate": RATES}
SETTINGS = {
    "robust": {},
    "authors' weights": {"preset": "payeur2021"},
    "authors' weights, local drive": {"preset": "payeur2021", "dendritic_drive": "local"},
}
BURN_IN = 1.0  # s
BIN = 0.05  # s
# Correlations that an independent C++ program gave (notes on the authors' code 4.3): robust, authors' with local drive
DIRECT = {
    "ER1, I_s": (0.95, 0.968),
    "BP2, I_d": (0.93, 0.864),
    "ER2, ER1": (0.935, 0.938),
    "BP1, BR2": (0.94, 0.861),
}
CROSS = ("ER1, I_d", "BP2, I_s", "ER2, I_d")
PRODUCT = "BP1, I_s"
CONTROL = ("FR2, I_s", "FR2, I_d")


def signals(middle: np.ndarray) -> dict[str, np.ndarray]:
    """Return the two injected currents (pA) at times (s) after the onset."""
    return {
        "I_s": 200 * np.sin(2 * np.pi * middle / 0.5),
        "I_d": 100 + 100 * np.sin(2 * np.pi * middle / (0.5 * 5**0.5)),
    }


def correlations(rates: xr.Dataset) -> dict[str, float]:
    """Return Pearson's r of all pairs of signals that the study asks about."""
    kinds = {"ER": "event_rate", "BP": "burst_probability", "BR": "burst_rate", "FR": "firing_rate"}
    values = {
        f"{short}{k}": rates[name].sel(population=f"pyr{k}").values for short, name in kinds.items() for k in (1, 2)
    }
    values |= signals(rates.time.values + BIN / 2 - BURN_IN)
    pairs = [pair.split(", ") for pair in (*DIRECT, *CROSS, PRODUCT, *CONTROL)]
    return {f"{a}, {b}": float(np.corrcoef(values[a], values[b])[0, 1]) for a, b in pairs}


def network_run(options: dict[str, str], size: int, seconds: float, seed: int) -> sc.Recording:
    network = burst_decoding_network(size=size, **options)
    check_dale(network)
    program = sc.compile(network, "fused", seed=seed)
    return program.run({}, duration=f"{BURN_IN + seconds:g} s", seed=seed)


def two_streams(size: int) -> tuple[xr.Dataset, dict[str, np.ndarray], dict[str, float]]:
    """Return rates of an unconnected ensemble with alternating currents, these currents, and the correlations."""
    model = with_rectangular_current(
        two_compartment_pyramidal(), first="220 pA", second="280 pA", first_duration="100 ms", second_duration="100 ms"
    )
    model = with_rectangular_current(
        model, first="-210 pA", second="140 pA", first_duration="85 ms", second_duration="115 ms", lag="65 ms",
        into="I_d",
    )  # fmt: skip
    program = sc.compile(burst_population(size, noise="fluctuating", model=model), "fused")
    rates = ensemble_rates(program.run({}, duration="1 s", seed=1), bin="10 ms").isel(population=0)
    rates = rates.isel(time=slice(20, None))
    given = {}
    for lag in (0.0, 0.01):
        t = rates.time.values + 5e-3 - lag
        given[lag] = {"I_s": np.where(t % 0.2 < 0.1, 220, 280), "I_d": np.where((t - 0.065) % 0.2 < 0.085, -210, 140)}
    named = {"ER": rates.event_rate, "BP": rates.burst_probability, "FR": rates.firing_rate}
    found = {
        f"{a}, {b}": float(np.corrcoef(values.values, given[0.01][b])[0, 1])
        for a, values in named.items()
        for b in ("I_s", "I_d")
    }
    mean = {"ER": float(rates.event_rate.mean()), "BP": float(rates.burst_rate.mean() / rates.event_rate.mean())}
    return rates, given[0.0], found | mean


def draw_circuit(ax: Axes) -> None:
    ax.set_axis_off()
    ax.set(xlim=(-2, 11.4), ylim=(-0.6, 10.6))
    boxes = {"Pyr2": (3.0, 7.4, 3.4), "Pyr1": (3.0, 1.2, 3.4), "PV": (-1.6, 4.4, 1.8), "SOM": (9.2, 4.4, 1.9)}
    for name, (x, y, wide) in boxes.items():
        ax.add_patch(FancyBboxPatch((x, y), wide, 1.2, boxstyle="round,pad=0.15", facecolor="white", edgecolor="black"))
        ax.text(x + wide / 2, y + 0.6, name, ha="center", va="center")
    for start, end, colour, head in (
        ((4.1, 2.6), (4.1, 7.2), EVENTS, "-|>"),
        ((2.8, 2.4), (-0.4, 4.2), EVENTS, "-|>"),
        ((-0.4, 5.8), (2.8, 7.6), NOTE_COLOUR, "-[,widthB=0.25"),
        ((5.3, 7.2), (5.3, 2.6), BURSTS, "-|>"),
        ((6.6, 7.6), (9.8, 5.8), BURSTS, "-|>"),
        ((9.8, 4.2), (6.6, 2.4), NOTE_COLOUR, "-[,widthB=0.25"),
    ):
        ax.annotate("", end, start, arrowprops={"arrowstyle": head, "color": colour, "linewidth": 1.0})
    ax.text(3.85, 5.0, "events\nup", color=EVENTS, fontsize=SMALL, ha="right", va="center")
    ax.text(5.55, 5.0, "bursts\ndown", color=BURSTS, fontsize=SMALL, ha="left", va="center")
    ax.text(4.7, 10.3, "top-down current, dendrite", ha="center", va="top", fontsize=SMALL)
    ax.text(4.7, -0.3, "bottom-up current, soma", ha="center", va="bottom", fontsize=SMALL)


def draw_raster(recording: sc.Recording, ax: Axes, stop: float, rows: int = 40) -> None:
    """Draw some neurons of both populations: events, bursts (second spikes), and later spikes of bursts."""
    kinds = spike_kinds(recording, "16 ms")
    _, unit = recording.spike_index()
    shown = (recording.times >= BURN_IN) & (recording.times < BURN_IN + stop)
    for k, name in enumerate(("pyr1", "pyr2")):
        first = int(np.flatnonzero((recording.units["population"] == name).to_numpy())[0])
        row = unit - first
        ours = shown & (row >= 0) & (row < rows)
        for kind, colour, label in ((EVENT, EVENTS, "event"), (BURST, BURSTS, "burst (second spike)")):
            these = ours & (kinds == kind)
            ax.plot(
                recording.times[these] - BURN_IN, row[these] + k * (rows + 6), "|", color=colour, markersize=2.2,
                markeredgewidth=0.7, label=label if k == 0 else None,
            )  # fmt: skip
    ax.set(xlim=(0, stop), ylim=(-2, 2 * rows + 8), xlabel="Time (s)", yticks=[rows / 2, 1.5 * rows + 6])
    ax.set_yticklabels(["Pyr1", "Pyr2"])
    ax.tick_params(axis="y", length=0)
    ax.legend(loc="lower center", bbox_to_anchor=(0.5, 0.98), ncols=2, handletextpad=0.2, markerscale=2)


def draw_trace(
    ax: Axes, runs: list[xr.Dataset], population: str, name: str, drive: tuple[str, np.ndarray] | None
) -> None:
    """Draw mean and standard deviation over seeds, and the signal that it should follow, scaled, dashed."""
    values = np.stack([run[name].sel(population=population).values for run in runs])
    t = runs[0].time.values + BIN / 2 - BURN_IN
    mean, sd = values.mean(axis=0), values.std(axis=0)
    if drive is not None:
        label, signal = drive
        scaled = mean.mean() + (signal - signal.mean()) / signal.std() * mean.std()
        ax.plot(t, scaled, "--", color=FAINT_COLOUR, linewidth=0.8, label=label)
        ax.legend(loc="lower center", bbox_to_anchor=(0.5, 0.94), borderaxespad=0.1)
    ax.fill_between(t, mean - sd, mean + sd, color=COLOURS[name], alpha=0.3, linewidth=0)
    ax.plot(t, mean, color=COLOURS[name])
    ax.set(xlim=(0, t[-1] + BIN / 2), ylim=(0, None), ylabel=f"{population.title()}\n{LABELS[name]}")


def draw_correlations(ax: Axes, table: pd.DataFrame) -> None:
    pairs = [*DIRECT, *CROSS, PRODUCT, *CONTROL]
    for k, (setting, colour) in enumerate(zip(SETTINGS, ("black", PALETTE[1], PALETTE[4]), strict=True)):
        of = table[table["setting"] == setting]
        x = np.array([pairs.index(pair) for pair in of["pair"]]) + 0.22 * (k - 1)
        ax.plot(x, of["r"], "o", color=colour, markersize=2.2, alpha=0.7, linewidth=0, label=setting)
    for low, high, first, last in ((0.8, 1.0, 0, 3), (-0.2, 0.2, 4, 6)):
        ax.fill_between([first - 0.45, last + 0.45], low, high, color="#E3E3E3", linewidth=0, zorder=0)
    for at, text in ((1.5, "direct"), (5.0, "cross"), (7.0, "product"), (8.5, "plain rate")):
        ax.text(at, 1.06, text, ha="center", va="bottom", fontsize=SMALL, color=NOTE_COLOUR)
    ax.axhline(0, color=FAINT_COLOUR, linewidth=0.5)
    ax.set(ylim=(-0.5, 1.03), xlim=(-0.6, len(pairs) - 0.4), ylabel="Correlation")
    ax.set_xticks(range(len(pairs)), [pair.replace(", ", "\n").replace("_", "") for pair in pairs])
    ax.legend(loc="lower left", ncols=3, columnspacing=0.8, handletextpad=0.1, borderaxespad=0)


def draw_ensemble(upper: Axes, lower: Axes, rates: xr.Dataset, given: dict[str, np.ndarray]) -> None:
    """Draw event rate and burst probability of the unconnected ensemble, over the currents that alternate."""
    t = rates.time.values + 5e-3 - rates.time.values[0]
    for ax, name, current in ((upper, "event_rate", given["I_s"]), (lower, "burst_probability", given["I_d"])):
        values = rates[name].values
        scaled = values.mean() + (current - current.mean()) / current.std() * values.std()
        ax.step(t, scaled, where="mid", color=FAINT_COLOUR, linestyle="--", linewidth=0.8)
        ax.plot(t, values, color=COLOURS[name])
        ax.set(xlim=(0, t[-1]), ylim=(0, None), ylabel=LABELS[name].replace(" ", "\n", 1))
    upper.set_title("One ensemble, alternating currents")
    upper.tick_params(labelbottom=False)
    lower.set_xlabel("Time (s)")


def draw_all(
    runs: dict[str, list[xr.Dataset]], raster: sc.Recording, table: pd.DataFrame, ensemble: tuple, out: Path
) -> None:
    robust = runs["robust"]
    t = robust[0].time.values + BIN / 2 - BURN_IN
    drives = signals(t)

    def mean_of(population: str, name: str) -> np.ndarray:
        return np.mean([run[name].sel(population=population).values for run in robust], axis=0)

    with style():
        figure = new_figure(DOUBLE_COLUMN, 175.0)
        grid = figure.add_gridspec(4, 6, height_ratios=(1.25, 1, 1, 1.15))
        top = [figure.add_subplot(grid[0, :2]), figure.add_subplot(grid[0, 2:])]
        draw_circuit(top[0])
        draw_raster(raster, top[1], stop=min(1.5, float(t[-1] + BIN / 2)))
        followed = {
            ("pyr2", "event_rate"): ("event rate of Pyr1", mean_of("pyr1", "event_rate")),
            ("pyr2", "burst_probability"): ("current into dendrites of Pyr2", drives["I_d"]),
            ("pyr2", "burst_rate"): None,
            ("pyr1", "event_rate"): ("current into somata of Pyr1", drives["I_s"]),
            ("pyr1", "burst_probability"): ("burst rate of Pyr2", mean_of("pyr2", "burst_rate")),
            ("pyr1", "burst_rate"): None,
        }
        panels = []
        for k, ((population, name), drive) in enumerate(followed.items()):
            ax = figure.add_subplot(grid[1 + k // 3, 2 * (k % 3) : 2 * (k % 3) + 2])
            draw_trace(ax, robust, population, name, drive)
            if population == "pyr1":
                ax.set_xlabel("Time (s)")
            panels.append(ax)
        last = [figure.add_subplot(grid[3, :4]), *map(figure.add_subplot, grid[3, 4:].subgridspec(2, 1))]
        draw_correlations(last[0], table)
        draw_ensemble(last[1], last[2], ensemble[0], ensemble[1])
        panel_letters([*top, *panels, *last[:2]], dx=-22.0)
        frames = {
            "traces": pd.concat(run.to_dataframe().assign(seed=k) for k, run in enumerate(robust)),
            "correlations": table,
            "ensemble": ensemble[0].to_dataframe()[["event_rate", "burst_probability", "firing_rate"]],
        }
        save_figure(settle(figure), frames, out, "multiplexing")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("out/burst_multiplexing"))
    parser.add_argument("--quick", action="store_true", help="800 neurons, two settings, one seed, one second")
    arguments = parser.parse_args()
    begin = time.perf_counter()
    size, length, seeds = (800, 1.0, 1) if arguments.quick else (4000, 3.0, 5)
    runs: dict[str, list[xr.Dataset]] = {}
    rows, means, raster = [], {}, None
    for setting, options in list(SETTINGS.items())[: 2 if arguments.quick else None]:
        runs[setting] = []
        for seed in range(1, seeds + 1):
            recording = network_run(options, size, length, seed)
            rates = ensemble_rates(recording, bin=f"{BIN} s").isel(time=slice(round(BURN_IN / BIN), None))
            runs[setting].append(rates)
            rows += [{"setting": setting, "seed": seed, "pair": p, "r": r} for p, r in correlations(rates).items()]
            raster = recording if raster is None else raster
        every = xr.concat(runs[setting], "seed")
        for name in ("pyr1", "pyr2"):
            of = every.sel(population=name)
            means[f"{setting}: ER {name} (Hz)"] = float(of.event_rate.mean())
            means[f"{setting}: largest ER {name} (Hz)"] = float(of.event_rate.max())
            means[f"{setting}: BP {name}"] = float(of.burst_rate.mean() / of.event_rate.mean())
        for name in ("pv", "som"):
            means[f"{setting}: rate {name} (Hz)"] = float(every.firing_rate.sel(population=name).mean())
        print(setting, f"{time.perf_counter() - begin:.0f} s", flush=True)
    table = pd.DataFrame(rows)
    ensemble = two_streams(1000 if arguments.quick else 4000)
    draw_all(runs, raster, table, ensemble, arguments.out)
    metrics = {}
    for (setting, pair), of in table.groupby(["setting", "pair"], sort=False)["r"]:
        known = DIRECT.get(pair, (None, None))[{"robust": 0, "authors' weights, local drive": 1}.get(setting, 0)]
        reference = None if setting == "authors' weights" else known
        metrics[f"{setting}: r({pair})"] = {
            "value": round(float(of.mean()), 3),
            "range": [round(float(of.min()), 3), round(float(of.max()), 3)],
            "published": None,
            "source": "no value in the paper" + (f"; an independent C++ program gave {reference}" if reference else ""),
        }
    told = {"robust: ER pyr1 (Hz)": 5.7, "robust: BP pyr1": 0.24, "robust: BP pyr2": 0.22}
    told |= {"robust: rate pv (Hz)": 13, "robust: rate som (Hz)": 20, "authors' weights: largest ER pyr1 (Hz)": 21}
    for name, value in means.items():
        source = f"an independent C++ program gave {told[name]}" if name in told else "measured here"
        metrics[name] = {"value": round(value, 3), "published": None, "source": source}
    told = {"ER": 5.7, "BP": "0.08-0.10", "ER, I_s": 0.88, "BP, I_d": "0.85-0.87"}
    for name, value in ensemble[2].items():
        source = f"an independent C++ program gave {told[name]}" if name in told else "measured here"
        metrics[f"one ensemble: {name}"] = {"value": round(value, 3), "published": None, "source": source}
    results = {"study": "burst_multiplexing", "metrics": metrics, "seconds": round(time.perf_counter() - begin, 1)}
    results |= {"quick": arguments.quick, "neurons": size, "seeds": seeds, "seconds_simulated": length}
    target = arguments.out / "results.json"
    target.write_text(json.dumps(results, indent=2) + "\n")
    print(target)


if __name__ == "__main__":
    main()
