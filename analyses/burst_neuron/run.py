"""Event rate and burst probability of the bursting neurons against somatic and dendritic current, on every backend."""

import argparse
import json
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

import snncompare as sc
from snncompare import provenance
from snncompare.circuits.bursts.background import DENDRITE, SOMA, with_background
from snncompare.figures.save import save_figure
from snncompare.figures.style import (
    DATA_COLOUR,
    DOUBLE_COLUMN,
    PALETTE,
    SMALL,
    new_figure,
    panel_letters,
    settle,
    style,
)
from snncompare.network.initialisers import Normal, Uniform
from snncompare.network.network import Network, Population
from snncompare.network.neuron import NeuronModel
from snncompare.network.neurons import burst_poisson_neuron, two_compartment_pyramidal, with_bias
from snncompare.recording.bursts import BURST, EVENT, spike_kinds
from snncompare.units import quantity

BURN_IN = 1.0
"""Seconds before anything is counted: ten time constants of the slowest variable, the spike-triggered adaptation."""
SOURCE = "measured with a C++ re-implementation of the authors' code, 0.1 ms Euler steps"
BANDS = {"ER": 0.05, "BP": 0.015}
"""Tolerances of the specification: event rate relative, burst probability absolute."""
SPECIFIED = (500, 20.0)
"""Neurons at a point and seconds for which the bands are meant; the backend that takes a minute for them has them."""
OPTIONS: dict[str, dict[str, Any]] = {"brian2": {"target": "cython"}, "torch": {}, "fused": {}}
TITLES = {"full": "two-compartment pyramidal neuron", "burst-Poisson": "burst-Poisson neuron"}
NAN = float("nan")


def curve(currents: list[float], *, soma: bool, er: list[float], bp: list[float], other: float = 0.0) -> pd.DataFrame:
    """Return points of a curve: somatic and dendritic current (pA) and what was measured there."""
    held = [other] * len(currents)
    both = {"I_s": currents, "I_d": held} if soma else {"I_s": held, "I_d": currents}
    return pd.DataFrame({**both, "ER reference": er, "BP reference": bp})


CURVES: dict[str, tuple[str, str, pd.DataFrame]] = {
    "full, somatic current": (
        "somatic drive", "6.2",
        curve([-200, -100, 0, 100, 200, 300], soma=True, other=50, er=[3.32, 4.38, 5.54, 6.71, 7.87, 8.98],
              bp=[0.181, 0.198, 0.226, 0.258, 0.280, 0.304]),
    ),
    "full, dendritic current": (
        "somatic drive", "6.2",
        curve([-100, 0, 50, 100, 150, 200, 300, 400], soma=False,
              er=[5.77, 5.65, 5.54, 5.38, 5.25, 5.15, 5.37, 6.11],
              bp=[0.121, 0.170, 0.226, 0.318, 0.434, 0.564, 0.730, 0.754]),
    ),
    "local drive, dendritic current": (
        "local drive", "6.2",
        curve([-100, 0, 50, 100, 150, 200, 300, 400], soma=False, er=[NAN] * 8,
              bp=[0.120, 0.153, 0.180, 0.228, 0.294, 0.377, 0.582, 0.732]),
    ),
    "burst-Poisson, somatic current": (
        "burst-Poisson", "6.4",
        curve([-350, -200, -100, 0, 100, 150, 300], soma=True, er=[1.99, 3.41, 4.61, 5.99, 7.60, 8.42, 11.2],
              bp=[NAN] * 7),
    ),
    "burst-Poisson, dendritic current": (
        "burst-Poisson", "6.4",
        curve([-200, 0, 100, 200, 300, 400, 500, 600, 800, 1000, 1400], soma=False, er=[5.99] * 11,
              bp=[0.046, 0.106, 0.150, 0.220, 0.305, 0.410, 0.515, 0.620, 0.800, 0.905, 0.980]),
    ),
}  # fmt: skip


def neuron(kind: str) -> NeuronModel:
    """Return a neuron with the background of the multiplexing and XOR networks."""
    model = burst_poisson_neuron() if kind == "burst-Poisson" else two_compartment_pyramidal(
        dendritic_drive="local" if kind == "local drive" else "soma"
    )  # fmt: skip
    return with_background(with_background(model, SOMA), DENDRITE, "dendrite")


def measured(kind: str, points: pd.DataFrame, backend: str, size: int, duration: float) -> pd.DataFrame:
    """Return event rate and burst probability at every point, from `size` neurons each, with their standard errors."""
    model = with_bias(with_bias(neuron(kind), "0 pA"), "0 pA", into="I_d")
    placeholder = Uniform(low=quantity("0 pA"), high=quantity("1 pA"))
    currents = {
        name: np.repeat(points[of].to_numpy() * 1e-12, size) for name, of in (("bias_I", "I_s"), ("bias_I_d", "I_d"))
    }
    cells = Population(
        size=size * len(points),
        neuron=model,
        parameters=dict.fromkeys(currents, placeholder),
        initial={"v": Normal(mean=quantity("-70 mV"), sd=quantity("5 mV"))},
    )
    program = sc.compile(
        Network(populations={"cells": cells}), backend, weights={"cells": currents}, **OPTIONS[backend]
    )
    burn_in = min(BURN_IN, duration)
    run = program.run({}, duration=f"{burn_in + duration} s", seed=1)
    kinds, point = spike_kinds(run), run.spike_index()[1] // size
    events, bursts = (
        np.bincount(point[(kinds == kind) & (run.times >= burn_in)], minlength=len(points)) for kind in (EVENT, BURST)
    )
    probability = bursts / np.maximum(events, 1)
    return points.assign(
        backend=backend,
        ER=events / (size * duration),
        BP=probability,
        # Above one, where a burst's event was before what is counted.
        BP_error=np.sqrt(np.clip(probability * (1 - probability), 0, None) / np.maximum(events, 1)),
    )


def all_curves(backend: str, size: int, duration: float) -> pd.DataFrame:
    """Return every point of every curve on a backend, with the seconds that it took."""
    named = pd.concat(
        [points.assign(curve=name, kind=kind, section=section) for name, (kind, section, points) in CURVES.items()]
    )
    begin = time.perf_counter()
    tables = [measured(str(kind), of, backend, size, duration) for kind, of in named.groupby("kind", sort=False)]
    return pd.concat(tables, ignore_index=True).assign(
        size=size, duration=duration, seconds=round(time.perf_counter() - begin, 1)
    )


def kept(backend: str, size: int, duration: float, out: Path) -> pd.DataFrame:
    """Return the points of a backend, from the file of an earlier run of this size if there is one."""
    file = out / f"points_{backend}.csv"
    if file.exists():
        table = pd.read_csv(file)
        if (table["size"] == size).all() and (table["duration"] == duration).all():
            return table
    table = all_curves(backend, size, duration)
    table.to_csv(file, index=False)
    return table


def metrics(table: pd.DataFrame) -> dict[str, dict[str, Any]]:
    """Return every number with its reference, and the largest deviation of each curve."""
    found: dict[str, dict[str, Any]] = {}
    for row in table.to_dict("records"):
        for what in ("ER", "BP"):
            reference = row[f"{what} reference"]
            if np.isfinite(reference):
                point = f"{row['backend']}: {row['curve']}, I_s {row['I_s']:g} pA, I_d {row['I_d']:g} pA, {what}"
                found[point] = {"value": round(row[what], 4), "published": reference, "source": SOURCE}
    table = table.assign(
        relative=(table["ER"] / table["ER reference"] - 1).abs(), absolute=(table["BP"] - table["BP reference"]).abs()
    )
    events = table["ER"] * table["size"] * table["duration"]
    outside = {"ER": table["relative"] > BANDS["ER"] + 3 / np.sqrt(events)}
    outside |= {"BP": table["absolute"] > BANDS["BP"] + 3 * table["BP_error"]}
    plainly = {"ER": table["relative"] > BANDS["ER"], "BP": table["absolute"] > BANDS["BP"]}
    for backend, part in table.groupby("backend", sort=False):
        for what, out in outside.items():
            found[f"{backend}: points of {what} outside the band and three standard errors"] = {
                "value": int(out[part.index].sum()), "published": 0,
                "source": f"of {int(part[f'{what} reference'].notna().sum())}; the band is {BANDS[what]}",
            }  # fmt: skip
            if (part["size"].iloc[0], part["duration"].iloc[0]) == SPECIFIED:
                found[f"{backend}: points of {what} outside the band"] = {
                    "value": int(plainly[what][part.index].sum()), "published": 0,
                    "source": f"{SPECIFIED[0]} neurons for {SPECIFIED[1]:g} s, as the band is specified",
                }  # fmt: skip
    for (backend, name), part in table.groupby(["backend", "curve"], sort=False):
        for what, column in (("ER", "relative"), ("BP", "absolute")):
            if part[column].notna().any():
                kind = "relative" if what == "ER" else "absolute"
                found[f"{backend}: {name}, largest {kind} deviation of {what}"] = {
                    "value": round(part[column].max(), 4), "published": None, "source": f"the band is {BANDS[what]}",
                }  # fmt: skip
    return found


def draw(table: pd.DataFrame, out: Path) -> None:
    """Draw the curves with their references."""
    panels = [
        ("full, somatic current", "ER", "I_s", ["full, somatic current"]),
        ("full, dendritic current", "BP", "I_d", ["full, dendritic current", "local drive, dendritic current"]),
        ("burst-Poisson, somatic current", "ER", "I_s", ["burst-Poisson, somatic current"]),
        ("burst-Poisson, dendritic current", "BP", "I_d", ["burst-Poisson, dendritic current"]),
    ]
    backends = list(dict.fromkeys(table["backend"]))
    axis = {
        "ER": "event rate (Hz)",
        "BP": "burst probability",
        "I_s": "somatic current (pA)",
        "I_d": "dendritic current (pA)",
    }
    with style():
        figure = new_figure(DOUBLE_COLUMN, 110.0)
        axes = figure.subplots(2, 2).ravel()
        for ax, (title, what, current, curves) in zip(axes, panels, strict=True):
            for name in curves:
                part = table[table["curve"] == name]
                reference = part[part["backend"] == backends[0]]
                ax.plot(reference[current], reference[f"{what} reference"], color=DATA_COLOUR, lw=1, label="reference",
                        ls="--" if name.startswith("local") else "-")  # fmt: skip
                for marker, colour, backend in zip("osx", PALETTE, backends, strict=False):
                    of = part[part["backend"] == backend]
                    ax.plot(of[current], of[what], marker, color=colour, ms=4, mfc="none", label=backend)
            ax.set(xlabel=axis[current], ylabel=axis[what], title=TITLES[title.split(",")[0]], ylim=(0, None))
        axes[1].text(250, 0.33, "local drive", fontsize=SMALL)
        axes[1].text(95, 0.62, "somatic drive", fontsize=SMALL, ha="right")
        handles, labels = axes[0].get_legend_handles_labels()
        axes[0].legend(handles, labels, loc="lower right")
        panel_letters(list(axes))
        settle(figure)
        save_figure(figure, table, out, "curves")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("out/burst_neuron"))
    parser.add_argument("--quick", action="store_true", help="10 neurons a point for 0.2 s")
    parser.add_argument("--backends", nargs="+", default=["brian2", "torch"], choices=list(OPTIONS))
    parser.add_argument("--size", type=int, default=150, help=f"neurons at every point, except {SPECIFIED} for fused")
    parser.add_argument("--duration", type=float, default=4.0, help="seconds that are counted")
    arguments = parser.parse_args()
    given = (arguments.size, arguments.duration)
    sizes = {name: (10, 0.2) if arguments.quick else SPECIFIED if name == "fused" else given for name in OPTIONS}
    arguments.out.mkdir(parents=True, exist_ok=True)
    table = pd.concat([kept(name, *sizes[name], arguments.out) for name in arguments.backends], ignore_index=True)
    draw(table, arguments.out)
    results = {"study": "burst_neuron", "metrics": metrics(table)}
    results |= {"neurons a point, seconds counted": {name: sizes[name] for name in arguments.backends}}
    results |= {"quick": arguments.quick}
    results |= {"seconds by backend": table.groupby("backend")["seconds"].first().to_dict()}
    results |= {"seconds": float(table.groupby("backend")["seconds"].first().sum())}
    results |= {"provenance": provenance.collect(seed=1)}
    target = arguments.out / "results.json"
    target.write_text(json.dumps(results, indent=2) + "\n")
    print(target)


if __name__ == "__main__":
    main()
