"""Show how model afferents of touch, smell and whiskers answer, beside what was published of recorded ones."""

import argparse
import json
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from snncompare.encoding.encoder import presentation_seed
from snncompare.encoding.olfactory.projection_neurons import ProjectionNeurons
from snncompare.encoding.olfactory.receptor_neurons import ReceptorNeurons
from snncompare.encoding.stimuli import Signal
from snncompare.encoding.tactile.afferents import PC, RA1, SA1, Afferent
from snncompare.encoding.tactile.touch import TouchAfferents
from snncompare.encoding.whisker import WhiskerAfferents
from snncompare.figures.save import save_figure
from snncompare.figures.style import DOUBLE_COLUMN, PALETTE, new_figure, panel_letters, plain, settle, style

KINDS = {"SA1": SA1(), "RA1": RA1(), "PC": PC()}
COLOURS = dict(zip(KINDS, PALETTE, strict=False))
TOUCH_RATE = 20_000
ODOUR_RATE = 1_000
WHISKER_RATE = 5_000


def touch(kind: Afferent, indentation: np.ndarray, number: int = 0) -> np.ndarray:
    skin = TouchAfferents(kinds=(kind,), heterogeneity=0.0)
    return skin.fire(Signal([indentation], f"{TOUCH_RATE} Hz"), presentation_seed(0, number)).times


def ramp(depth: float, speed: float, held: float) -> tuple[np.ndarray, float]:
    """Return indentation (mm) from 0.1 s on, and when its depth is reached (s)."""
    reached = 0.1 + depth / speed
    seconds = np.arange(round((reached + held + depth / speed + 0.2) * TOUCH_RATE)) / TOUCH_RATE
    down = (reached + held + depth / speed - seconds) * speed
    return np.clip(np.minimum((seconds - 0.1) * speed, down), 0.0, depth), reached


def entrainment_threshold(kind: Afferent, frequency: float, n_amplitudes: int) -> float:
    """Return the amplitude (mm) of a vibration that is answered by one spike per cycle, nan if none is below 3 mm."""
    seconds = np.arange(round(max(0.5, 5 / frequency) * TOUCH_RATE)) / TOUCH_RATE
    shape, cycles = 1.0 - np.cos(2 * np.pi * frequency * seconds), seconds.size / TOUCH_RATE * frequency
    amplitudes = np.geomspace(1e-4, 3.0, n_amplitudes)
    low, high = 0, n_amplitudes
    while low < high:
        middle = (low + high) // 2
        if touch(kind, amplitudes[middle] * shape).size >= 0.9 * cycles:
            high = middle
        else:
            low = middle + 1
    return float(amplitudes[low]) if low < n_amplitudes else float("nan")


def draw_ramp(ax: Axes, table: dict[str, pd.DataFrame], metrics: dict[str, dict]) -> None:
    """Draw spikes during an indentation that is held."""
    indentation, _ = ramp(0.5, 20.0, 0.5)
    rows = []
    for row, (name, kind) in enumerate(KINDS.items()):
        for number in range(5):
            times = touch(kind, indentation, number)
            rows += [{"kind": name, "presentation": number, "time": t} for t in times]
            height = -6.0 * row - number
            ax.vlines(1e3 * times, height - 0.4, height + 0.4, color=COLOURS[name], linewidth=0.7)
        ax.text(
            -0.02,
            -6.0 * row - 2,
            name,
            ha="right",
            va="center",
            color=COLOURS[name],
            transform=ax.get_yaxis_transform(),
        )
    seconds = np.arange(indentation.size) / TOUCH_RATE
    ax.plot(1e3 * seconds, 2.0 + 6.0 * indentation, color="black", linewidth=0.7)
    ax.text(1e3 * seconds[-1], 3.4, "0.5 mm", ha="right")
    ax.set(xlabel="Time (ms)", yticks=[])
    ax.spines["left"].set_visible(False)
    table["ramp"] = pd.DataFrame(rows)
    for depth, published in ((0.65, 0.38), (1.3, 0.36)):
        course, reached = ramp(depth, 0.4, 12.2)
        counts = [np.histogram(touch(SA1(), course, k), reached + np.array([0, 0.5, 11.5, 12.0]))[0] for k in range(4)]
        first, _, last = np.sum(counts, axis=0)
        metrics[f"SA1: decline of rate in 12 s of {depth} mm"] = {
            "value": float(1 - last / first),
            "published": published,
            "source": "Burgess et al. 1983 J Neurosci 3:2652 (abstract)",
        }


def draw_tuning(ax: Axes, quick: bool, table: dict[str, pd.DataFrame], metrics: dict[str, dict]) -> None:
    """Draw the amplitude that entrains each kind, against frequency."""
    frequencies = np.array([2, 4, 8, 16, 32, 40, 64, 100, 128, 200, 250, 300, 400.0])[:: 2 if quick else 1]
    published = {"SA1": "2 to 32", "RA1": "8 to 64", "PC": "64 to 400"}
    rows = []
    for name, kind in KINDS.items():
        thresholds = 1e3 * np.array([entrainment_threshold(kind, f, 30 if quick else 80) for f in frequencies])
        ax.loglog(frequencies, thresholds, "o-", color=COLOURS[name], label=name, markersize=2.5)
        rows += [
            {"kind": name, "frequency": f, "threshold_um": t} for f, t in zip(frequencies, thresholds, strict=True)
        ]
        metrics[f"{name}: best frequency (Hz)"] = {
            "value": float(frequencies[np.nanargmin(thresholds)]),
            "published": published[name],
            "source": "Johansson, Landström & Lundström 1982 Brain Res 244:17; Talbot et al. 1968 for 40 and 250 Hz",
        }
        metrics[f"{name}: lowest threshold (um)"] = {
            "value": float(np.nanmin(thresholds)),
            "published": None,
            "source": "amplitude for one spike per cycle",
        }
    ax.set(xlabel="Frequency (Hz)", ylabel="Entrainment threshold (µm)", xticks=[2, 10, 50, 250], ylim=(0.5, 4000))
    for axis in (ax.xaxis, ax.yaxis):
        axis.set_major_formatter(plain)
        axis.set_minor_formatter("")
    ax.legend(loc="lower left")
    table["tuning"] = pd.DataFrame(rows)


def puff(concentration: float) -> Signal:
    seconds = np.arange(ODOUR_RATE) / ODOUR_RATE
    return Signal([np.where((seconds >= 0.2) & (seconds < 0.7), concentration, 0.0)], f"{ODOUR_RATE} Hz")


def draw_concentration(ax: Axes, table: dict[str, pd.DataFrame], metrics: dict[str, dict]) -> None:
    """Draw the mean peak rate of receptor and projection neurons against concentration."""
    receptors = ReceptorNeurons()
    projections = ProjectionNeurons(receptors=receptors)
    concentrations = np.geomspace(1e-5, 1.0, 21)
    rows = []
    for c in concentrations:
        received = np.maximum(receptors.rates(puff(c)) - receptors.spontaneous_rates()[:, np.newaxis], 0.0)
        sent = projections.normalised(received)
        rows.append({"concentration": c, "receptor": received.max(1).mean(), "projection": sent.max(1).mean()})
    frame = pd.DataFrame(rows)
    for column, colour in (("receptor", PALETTE[3]), ("projection", PALETTE[4])):
        ax.semilogx(frame["concentration"], frame[column], color=colour, label=f"{column} neurons")
    ax.set(xlabel="Concentration (dilution)", ylabel="Mean peak rate (Hz)", xticks=[1e-5, 1e-3, 1e-1], ylim=(0, None))
    ax.set_xticklabels(["0.00001", "0.001", "0.1"])
    ax.minorticks_off()
    ax.legend(loc="upper left")
    table["concentration"] = frame
    tenfold = frame.set_index(frame["concentration"].round(8))
    low, high = tenfold.loc[0.001], tenfold.loc[0.1]
    for column in ("receptor", "projection"):
        metrics[f"{column} neurons: growth of the mean rate from 0.001 to 0.1"] = {
            "value": float(high[column] / low[column]),
            "published": None,
            "source": "equalisation: Olsen et al. 2010 Neuron 66:287; Luo et al. 2010 PNAS 107:10713",
        }


def draw_reliability(ax: Axes, quick: bool, table: dict[str, pd.DataFrame], metrics: dict[str, dict]) -> None:
    """Draw the variability of counts of projection neurons against that of their receptor neurons."""
    receptors = ReceptorNeurons()
    stimuli = [puff(0.003)] * (10 if quick else 40)
    evoked = (receptors.rates(stimuli[0]) - receptors.spontaneous_rates()[:, np.newaxis]).max(axis=1)
    found = {}
    for name, neurons in (("receptor", receptors), ("projection", ProjectionNeurons(receptors=receptors))):
        recording = neurons.encode(stimuli, seed=0)
        trial, unit = recording.spike_index()
        inside = (recording.times >= 0.2) & (recording.times < 0.7)
        counts = np.zeros((recording.n_trials, recording.n_units))
        np.add.at(counts, (trial[inside], unit[inside]), 1)
        found[name] = (counts.std(axis=0) / counts.mean(axis=0)).reshape(receptors.n_types, -1).mean(axis=1)
    frame = pd.DataFrame(found | {"evoked_hz": evoked})[evoked > 10.0]
    ax.plot([0, 0.5], [0, 0.5], color="#8C8C8C", linewidth=0.5)
    ax.plot(frame["receptor"], frame["projection"], "o", color="black", markersize=2.5)
    ax.set(xlabel="CV of counts, receptor neurons", ylabel="CV, projection neurons", xlim=(0, 0.5), ylim=(0, 0.5))
    ax.set_aspect("equal")
    table["reliability"] = frame
    metrics["glomeruli whose projection neurons vary less than their receptor neurons"] = {
        "value": float((frame["projection"] < frame["receptor"]).mean()),
        "published": "more reproducible",
        "source": "Bhandawat et al. 2007 Nat Neurosci 10:1474 (abstract)",
    }


def draw_whisker(ax: Axes, table: dict[str, pd.DataFrame], metrics: dict[str, dict]) -> None:
    """Draw the onset response of both kinds against the direction of a deflection."""
    directions = np.arange(0, 360, 45)
    seconds = np.arange(round(0.2 * WHISKER_RATE)) / WHISKER_RATE
    size = np.clip((seconds - 0.05) * 700.0, 0.0, 5.7)
    stimuli = [Signal([size * np.cos(a), size * np.sin(a)], f"{WHISKER_RATE} Hz") for a in np.deg2rad(directions)]
    recording = WhiskerAfferents(size=160).encode(stimuli, seed=0)
    trial, unit = recording.spike_index()
    onset = (recording.times >= 0.05) & (recording.times < 0.08)
    counts = np.zeros((directions.size, recording.n_units))
    np.add.at(counts, (trial[onset], unit[onset]), 1)
    preferred = recording.units["preferred_degrees"].to_numpy()
    away = (directions[:, np.newaxis] - preferred + 180.0) % 360.0 - 180.0
    centres = np.arange(-165, 180, 30)
    rows = []
    for kind, colour in (("slowly adapting", PALETTE[0]), ("rapidly adapting", PALETTE[1])):
        of = (recording.units["kind"] == kind).to_numpy()
        course = [counts[:, of][np.abs(away[:, of] - centre) < 15.0].mean() for centre in centres]
        ax.plot(centres, course, "o-", color=colour, label=kind, markersize=2.5)
        rows += [{"kind": kind, "direction": d, "spikes": s} for d, s in zip(centres.tolist(), course, strict=True)]
    ax.set(
        xlabel="Direction from the preferred one (degrees)",
        ylabel="Spikes at the onset",
        xticks=[-180, -90, 0, 90, 180],
    )
    ax.set_ylim(0, 1.45 * max(row["spikes"] for row in rows))
    ax.legend(loc="upper left")
    table["whisker"] = pd.DataFrame(rows)
    best, every = counts.argmax(axis=0), np.arange(counts.shape[1])
    metrics["whisker: best direction over the opposite one"] = {
        "value": float(counts[best, every].sum() / max(counts[(best + 4) % 8, every].sum(), 1)),
        "published": "more than 4",
        "source": "Kwegyir-Afful et al. 2008 Somatosens Mot Res 25:209 (mouse, abstract)",
    }


def draw_depth(ax: Axes, table: dict[str, pd.DataFrame]) -> None:
    """Draw spikes to a probe that stays for a second, against its depth."""
    depths = np.arange(0.05, 0.551, 0.05)
    rows = []
    for name, kind in KINDS.items():
        counts = [
            np.mean([touch(kind, ramp(d, d / 0.02, 1.0)[0][: round(1.1 * TOUCH_RATE)], k).size for k in range(5)])
            for d in depths
        ]
        ax.plot(1e3 * depths, counts, "o-", color=COLOURS[name], markersize=2.5)
        rows += [{"kind": name, "depth_um": 1e3 * d, "spikes": c} for d, c in zip(depths, counts, strict=True)]
    ax.set(xlabel="Indentation (µm)", ylabel="Spikes in 1 s", ylim=(0, None))
    table["depth"] = pd.DataFrame(rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("out/body_senses"))
    parser.add_argument("--quick", action="store_true", help="half of the frequencies, a quarter of the repeats")
    arguments = parser.parse_args()
    begin = time.perf_counter()
    arguments.out.mkdir(parents=True, exist_ok=True)
    table: dict[str, pd.DataFrame] = {}
    metrics: dict[str, dict] = {}
    panels: list[Callable[[Axes], None]] = [
        lambda ax: draw_ramp(ax, table, metrics),
        lambda ax: draw_depth(ax, table),
        lambda ax: draw_tuning(ax, arguments.quick, table, metrics),
        lambda ax: draw_concentration(ax, table, metrics),
        lambda ax: draw_reliability(ax, arguments.quick, table, metrics),
        lambda ax: draw_whisker(ax, table, metrics),
    ]
    with style():
        figure = new_figure(DOUBLE_COLUMN, 100.0)
        axes = figure.subplots(2, 3).ravel()
        for ax, draw in zip(axes, panels, strict=True):
            draw(ax)
        panel_letters(list(axes), dx=-24.0)
        save_figure(settle(figure), table, arguments.out, "body_senses")
    results = {"study": "body_senses", "metrics": metrics, "seconds": round(time.perf_counter() - begin, 1)}
    target = arguments.out / "results.json"
    target.write_text(json.dumps(results | {"quick": arguments.quick}, indent=2, ensure_ascii=False) + "\n")
    print(target)


if __name__ == "__main__":
    main()
