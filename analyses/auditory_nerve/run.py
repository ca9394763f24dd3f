"""Measure model fibres of the auditory nerve as physiologists measured those of cats, and draw both."""

import argparse
import json
import time
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from scipy.optimize import curve_fit

from snncompare.encoding.auditory.auditory_nerve import AuditoryNerve
from snncompare.encoding.auditory.basilar_membrane import REFERENCE_PRESSURE, DualResonance
from snncompare.encoding.auditory.bushy_cells import BushyCells
from snncompare.encoding.auditory.fibres import HIGH_RATE, FibreType
from snncompare.encoding.auditory.hair_cell import HairCell
from snncompare.encoding.auditory.place_maps import PLACE_MAPS, place_of, ten_db_bandwidth
from snncompare.encoding.auditory.single_precision import LANES
from snncompare.encoding.auditory.tone_experiments import (
    driven_rate,
    dynamic_range,
    fibres_at,
    masked_pip,
    pip,
    poststimulus_rate,
    quiet,
    rate_level,
    sharpness,
    spikes_to,
    threshold,
    vector_strength,
)
from snncompare.figures.save import save_figure
from snncompare.figures.style import (
    DATA_COLOUR,
    DOUBLE_COLUMN,
    FAINT_COLOUR,
    PALETTE,
    SMALL,
    new_figure,
    panel_letters,
    plain,
    settle,
    style,
)

CLASSES = {"high": PALETTE[1], "medium": PALETTE[0], "low": PALETTE[2]}
LEVELS = np.arange(-10.0, 101.0, 5.0)
PROBE = 8000.0  # Hz, characteristic frequency of the fibres whose levels and adaptation are shown
PUBLISHED = {"color": DATA_COLOUR, "lw": 0.8, "ls": (0, (4, 2))}
BAND = {"color": "#DDDDDD", "lw": 0, "zorder": 0}

Metrics = dict[str, dict[str, object]]


def entry(value: float, published: float | None, source: str) -> dict[str, object]:
    return {"value": round(float(value), 4), "published": published, "source": source}


def tuning(ax: Axes, n: int, metrics: Metrics) -> pd.DataFrame:
    rows = []
    for cf in (250.0, 500.0, 1000.0, 2000.0, 4000.0, 8000.0):
        fibres = fibres_at(cf, "high", n)
        tones = cf * 2.0 ** np.concatenate([np.arange(-3.0, -0.5, 0.25), np.arange(-0.5, 1.1, 0.125)])
        levels = np.array([threshold(fibres, tone) for tone in tones])
        rows += [
            {"cf_hz": cf, "tone_hz": tone, "threshold_db": level} for tone, level in zip(tones, levels, strict=True)
        ]
        ax.plot(tones / 1e3, levels, color=PALETTE[0])
        # The most sensitive frequency between samples, by a parabola through the lowest three.
        at = int(np.argmin(levels))
        a, b, _ = np.polyfit(np.log2(tones[at - 1 : at + 2] / cf), levels[at - 1 : at + 2], 2)
        best = cf * 2.0 ** (-b / (2 * a))
        metrics[f"best frequency of the place of {cf:g} Hz in the cat, {float(place_of(cf, 'cat')):.1f} mm (Hz)"] = (
            entry(best, cf, "Greenwood (1990), Liberman (1982)")
        )
    ax.set(xscale="log", xlim=(0.05, 20), ylim=(-15, 105), xlabel="Tone frequency (kHz)", ylabel="Threshold (dB SPL)")
    ax.axhspan(-10, 10, label="tips, published", **BAND)
    law = PLACE_MAPS["cat"]
    place = ax.secondary_xaxis(
        "top",
        functions=(
            lambda khz: law.length * np.log10(np.maximum(1e3 * khz / law.scale + law.offset, 1e-3)) / law.slope,
            lambda mm: law.scale * (10.0 ** (law.slope * mm / law.length) - law.offset) / 1e3,
        ),
    )
    place.set_xticks([1, 5, 10, 15, 20], minor=False)
    place.set_xticks([], minor=True)
    place.xaxis.set_major_formatter(plain)
    place.set_xlabel("Place from the apex (mm)")
    ax.set_xticks([0.1, 1, 10])
    ax.xaxis.set_major_formatter(plain)
    ax.legend(loc="upper left")
    return pd.DataFrame(rows)


def q10(ax: Axes, n: int, metrics: Metrics) -> pd.DataFrame:
    rows = []
    for name in ("cat", "human"):
        for cf in 1e3 * 2.0 ** np.arange(-2.0, 3.6, 1.0):
            value, _ = sharpness(fibres_at(cf, "high", n, filters=DualResonance(tuning=name)), cf)
            law = float(cf / ten_db_bandwidth(cf, name))
            rows.append({"tuning": name, "cf_hz": cf, "q10": value, "published": law})
            if name == "cat":
                metrics[f"Q10 at {cf:g} Hz"] = entry(
                    value, round(law, 3), "Zhang et al. (2001), median of Miller et al. (1997)"
                )
    table = pd.DataFrame(rows)
    x = np.geomspace(0.2, 11.0, 50)
    for name, colour in (("cat", PALETTE[0]), ("human", PALETTE[1])):
        law = 1e3 * x / ten_db_bandwidth(1e3 * x, name)
        ax.plot(x, law, label="published" if name == "human" else None, **PUBLISHED)
        part = table[table["tuning"] == name]
        ax.plot(part["cf_hz"] / 1e3, part["q10"], "o", color=colour, label=f"{name} tuning")
    ax.set(xscale="log", yscale="log", xlabel="Characteristic frequency (kHz)", ylabel="Q10", ylim=(0.8, 20))
    for axis, ticks in ((ax.xaxis, [0.25, 1, 4, 8]), (ax.yaxis, [1, 2, 5, 10])):
        axis.set_ticks(ticks)
        axis.set_major_formatter(plain)
        axis.set_minor_formatter("")
    ax.legend(loc="upper left")
    return table


def compression(ax: Axes, metrics: Metrics) -> pd.DataFrame:
    rate, rows = 50_000.0, []
    stages = DualResonance().stages(np.array([PROBE]), rate)
    t, alike = np.arange(5000) / rate, np.zeros(LANES, dtype=np.int64)
    for tone in (PROBE, PROBE / 2):
        for level in LEVELS:
            sound = np.sqrt(2) * REFERENCE_PRESSURE * 10 ** (level / 20) * np.sin(2 * np.pi * tone * t)
            motion = stages.motion(sound.astype(np.float32), alike).reshape(-1, LANES)[:, 0]
            moved = 20 * np.log10(np.sqrt(np.mean(motion[2500:] ** 2)) / REFERENCE_PRESSURE)
            rows.append({"tone_hz": tone, "level_db": level, "motion_db": moved})
    table = pd.DataFrame(rows)
    for tone, colour, label in ((PROBE, PALETTE[0], "at the CF"), (PROBE / 2, PALETTE[4], "an octave below")):
        part = table[table["tone_hz"] == tone]
        ax.plot(part["level_db"], part["motion_db"], color=colour, label=label)
    at_cf = table[(table["tone_hz"] == PROBE) & table["level_db"].between(40, 80)]
    slope = np.polyfit(at_cf["level_db"], at_cf["motion_db"], 1)[0]
    metrics["growth of basilar-membrane motion at the CF, 40 to 80 dB SPL (dB/dB)"] = entry(
        slope, None, "published 0.2 to 0.5: Robles & Ruggero (2001)"
    )
    x = np.array([30.0, 80.0])
    ax.fill_between(x, 30 + 0.2 * (x - 30), 30 + 0.5 * (x - 30), label="published growth", **BAND)
    ax.set(xlabel="Level (dB SPL)", ylabel="Motion (dB re 0 dB SPL)", ylim=(-20, 75), xlim=(-12, 108))
    ax.legend(loc="upper left")
    return table


def levels(ax: Axes, n: int, metrics: Metrics) -> pd.DataFrame:
    rows = []
    for kind, colour in CLASSES.items():
        fibres = fibres_at(PROBE, kind, n)
        rates = rate_level(fibres, PROBE, LEVELS)
        rows += [{"class": kind, "level_db": x, "rate": y} for x, y in zip(LEVELS, rates, strict=True)]
        ax.plot(LEVELS, rates, color=colour, label=kind)
        found = {"threshold": threshold(fibres, PROBE), "dynamic range": dynamic_range(LEVELS, rates)}
        expected = {
            "high": ("-10 to 10: Liberman (1978)", "20 to 30, saturating: Johnson (1980), Sachs & Abbas (1974)"),
            "medium": ("about 10 above high: Liberman (1978)", "sloping saturation: Winter et al. (1990)"),
            "low": ("10 to 50 above high: Liberman (1978)", "straight, no saturation: Winter et al. (1990)"),
        }[kind]
        for (what, value), source in zip(found.items(), expected, strict=True):
            metrics[f"{what}, {kind} spontaneous rate (dB)"] = entry(value, None, f"published {source}")
    ax.set(xlabel="Level (dB SPL)", ylabel="Rate in 50 ms (spikes/s)", ylim=(0, 330), xlim=(-12, 108))
    ax.legend(title="spontaneous rate", loc="lower right", title_fontsize=SMALL)
    return pd.DataFrame(rows)


def locking(encoder: AuditoryNerve | BushyCells, frequency: float) -> float:
    """Return the largest vector strength over levels, as Johnson (1980) and Joris et al. (1994) report it."""
    found = [spikes_to(encoder, pip(frequency, level, 0.12)).times for level in (5.0, 15.0, 30.0, 50.0)]
    return max(vector_strength(times[times > 0.02], frequency) for times in found)


def phase_locking(ax: Axes, n: int, metrics: Metrics) -> pd.DataFrame:
    rows = []
    guinea_pig = HairCell(cutoff="1.5 kHz")
    for frequency in 1e3 * np.array([0.25, 0.35, 0.5, 0.7, 1, 1.5, 2, 2.5, 3, 4, 5, 6]):
        nerve = fibres_at(frequency, "high", n)
        bushy = BushyCells(nerve=nerve, cells_per_channel=n // 2, inputs_per_cell=20, reach=0)
        slow = locking(fibres_at(frequency, "high", n, hair_cell=guinea_pig), frequency)
        found = {"nerve": locking(nerve, frequency), "guinea pig": slow, "bushy": locking(bushy, frequency)}
        rows.append({"tone_hz": frequency} | found)
    table = pd.DataFrame(rows)
    x = table["tone_hz"] / 1e3
    # Read off Johnson (1980), the range of most fibres' maximal synchronisation.
    band = np.array([[0.25, 0.75, 0.9], [1, 0.75, 0.9], [2, 0.6, 0.8], [3, 0.4, 0.65], [4, 0.2, 0.5], [6, 0, 0.15]])
    ax.fill_between(band[:, 0], band[:, 1], band[:, 2], label="cat nerve, published", **BAND)
    ax.plot(x, table["nerve"], "o-", color=PALETTE[1], label="nerve")
    ax.plot(x, table["guinea pig"], "s-", color=PALETTE[3], ms=2.5, lw=0.7, label="nerve, slower hair cell")
    ax.plot(x[x <= 3], table["bushy"][x <= 3], "^-", color=PALETTE[2], label="bushy cells")
    ax.plot([0.22, 0.7], [0.9, 0.9], label="bushy, published", **PUBLISHED)
    ax.set(xscale="log", ylim=(0, 1.02), xlabel="Tone frequency (kHz)", ylabel="Vector strength")
    ax.set_xticks([0.25, 0.5, 1, 2, 4])
    ax.xaxis.set_major_formatter(plain)
    ax.xaxis.set_minor_formatter("")
    ax.legend(loc="lower left")
    told = {
        500.0: "0.75 to 0.9",
        1000.0: "0.75 to 0.9",
        2000.0: "0.6 to 0.8",
        4000.0: "0.2 to 0.5",
        6000.0: "below 0.15",
    }
    for frequency, text in told.items():
        value = table.loc[table["tone_hz"] == frequency, "nerve"].iloc[0]
        metrics[f"vector strength at {frequency:g} Hz"] = entry(value, None, f"published {text}: Johnson (1980), cat")
    value = table.loc[table["tone_hz"] == 500.0, "bushy"].iloc[0]
    metrics["vector strength of bushy cells at 500 Hz"] = entry(
        value, None, "published 0.9 and more: Joris et al. (1994)"
    )
    return table


def two_exponentials(t, steady, rapid, fast, short, slow):
    return steady + rapid * np.exp(-t / fast) + short * np.exp(-t / slow)


def adaptation(ax: Axes, n: int, metrics: Metrics) -> pd.DataFrame:
    bins = np.arange(0.0, 0.4001, 1e-3)
    sound = pip(PROBE, 25.0, 0.25, before=0.05, after=0.1)
    rates = poststimulus_rate(fibres_at(PROBE, "high", n), sound, bins, seeds=5)
    tone = slice(int(rates.argmax()), 300)
    t = bins[tone] - bins[tone.start]
    bounds = ([0, 0, 3e-4, 0, 15e-3], [500, 5000, 40e-3, 1000, 0.5])
    fit = curve_fit(two_exponentials, t, rates[tone], (150, 300, 4e-3, 100, 60e-3), bounds=bounds)[0]
    ax.stairs(rates, 1e3 * bins - 50, color=PALETTE[1], fill=True, alpha=0.5, lw=0)
    ax.plot(1e3 * bins[tone] - 50, two_exponentials(t, *fit), color=DATA_COLOUR, lw=0.8)
    ax.text(
        0.97, 0.95, f"τ = {1e3 * fit[2]:.1f} and {1e3 * fit[4]:.0f} ms", transform=ax.transAxes, ha="right", va="top"
    )
    ax.plot([0, 250], [-25, -25], color=FAINT_COLOUR, lw=2, solid_capstyle="butt", clip_on=False)
    ax.set(xlabel="Time after tone onset (ms)", ylabel="Rate (spikes/s)", ylim=(-40, 550), xlim=(-50, 350))
    metrics["rapid adaptation (ms)"] = entry(
        1e3 * fit[2], 4.8, "Chimento & Schreiner (1990), neurophonic of the cat; SD 2.1"
    )
    metrics["short-term adaptation (ms)"] = entry(1e3 * fit[4], 60.0, "Westerman & Smith (1984), gerbil; 20 to 100")
    return pd.DataFrame({"time_s": bins[:-1], "rate": rates})


def masking(ax: Axes, n: int, metrics: Metrics) -> pd.DataFrame:
    gaps = np.array([2, 4, 7, 10, 15, 20, 35, 50, 75, 100, 150, 200, 300]) * 1e-3
    fibres = fibres_at(PROBE, "high", n)
    silent = fibres.units()["spontaneous_rate"].mean()
    probe = pip(PROBE, 25.0, 0.015, after=0.005)

    def answer(masker_db: float, gap: float, seed: int) -> float:
        sound = masked_pip(pip(PROBE, masker_db, 0.1), gap, probe)
        return driven_rate(fibres, sound, 0.1 + gap, 0.118 + gap, seed) - silent

    alone = np.mean([answer(-100.0, 0.1, seed) for seed in range(5)])
    rows = []
    for masker, colour in ((15.0, PALETTE[4]), (45.0, PALETTE[0]), (75.0, PALETTE[5])):
        found = np.array([np.mean([answer(masker, gap, seed) for seed in range(5)]) for gap in gaps]) / alone
        fit = curve_fit(
            lambda t, rapid, fast, short, slow: 1 - rapid * np.exp(-t / fast) - short * np.exp(-t / slow),
            gaps,
            found,
            (0.2, 10e-3, 0.4, 0.1),
            bounds=([0, 1e-3, 0, 40e-3], [1, 40e-3, 1, 0.5]),
        )[0]
        ax.plot(1e3 * gaps, found, "o-", color=colour, ms=2.5, label=f"{masker:g} dB SPL")
        rows += [{"masker_db": masker, "gap_s": x, "answer": y} for x, y in zip(gaps, found, strict=True)]
        if masker == 45.0:
            source = "Chimento & Schreiner (1990), neurophonic of the cat; SD"
            metrics["rapid recovery from masking (ms)"] = entry(1e3 * fit[1], 16.2, f"{source} 9.8")
            metrics["short-term recovery from masking (ms)"] = entry(1e3 * fit[3], 125.0, f"{source} 50")
    t = np.geomspace(2e-3, 0.3, 60)
    # Time constants as published; the amplitudes are those of the model.
    recovering = 1 - fit[0] * np.exp(-t / 16.2e-3) - fit[2] * np.exp(-t / 0.125)
    ax.plot(1e3 * t, recovering, label="published times", **PUBLISHED)
    ax.set(xscale="log", xlabel="Gap after the masker (ms)", ylabel="Answer to the probe, relative", ylim=(0, 1.1))
    ax.set_xticks([2, 10, 50, 300])
    ax.xaxis.set_major_formatter(plain)
    ax.xaxis.set_minor_formatter("")
    ax.legend(title="masker", loc="lower right", title_fontsize=SMALL)
    return pd.DataFrame(rows)


def refractoriness(ax: Axes, n: int, metrics: Metrics) -> pd.DataFrame:
    kind = FibreType(
        lowest_rate="60 Hz", highest_rate="60 Hz", saturated_rate="220 Hz", threshold=0.0,
        half_activation=HIGH_RATE.half_activation,
    )  # fmt: skip
    spikes = spikes_to(fibres_at(1000.0, "high", n, high=kind), quiet(8.0))
    trains = np.split(spikes.times, np.cumsum(spikes.counts)[:-1])
    intervals = np.concatenate([np.diff(train) for train in trains])
    edges = np.arange(0.0, 40e-3, 0.5e-3)
    ended = np.histogram(intervals, edges)[0]
    risk = np.array([(np.clip(intervals, a, a + 0.5e-3) - a).sum() for a in edges[:-1]])
    hazard = ended / risk
    middle = edges[:-1] + 0.25e-3
    s = np.maximum(np.linspace(0, 40e-3, 400) - 0.75e-3, 0.0)
    w = (s > 0) * (1 - 0.5 * np.exp(-s / 1e-3) - 0.5 * np.exp(-s / 12.5e-3))
    level = hazard[middle > 30e-3].mean()
    ax.plot(1e3 * middle, hazard, "o", ms=2, color=PALETTE[1])
    ax.plot(np.linspace(0, 40, 400), level / w[-1] * w, label="published recovery", **PUBLISHED)
    ax.legend(loc="lower right")
    ax.set(xlabel="Time after a spike (ms)", ylabel="Hazard in silence (1/s)", ylim=(0, None), xlim=(0, 40))
    metrics["shortest interval (ms)"] = entry(1e3 * intervals.min(), 0.75, "Gaumond et al. (1982), Carney (1993)")
    metrics["rate in silence (1/s)"] = entry(spikes.counts.mean() / 8.0, 60.0, "as asked for")
    return pd.DataFrame({"time_s": middle, "hazard": hazard})


def entrainment(ax: Axes, n: int, metrics: Metrics) -> pd.DataFrame:
    frequency = 350.0
    nerve = fibres_at(frequency, "high", n)
    bushy = BushyCells(nerve=nerve, cells_per_channel=n, inputs_per_cell=20, reach=0)
    rows = []
    for name, encoder, colour in (("nerve", nerve, PALETTE[1]), ("bushy cells", bushy, PALETTE[2])):
        spikes = spikes_to(encoder, pip(frequency, 40.0, 0.3))
        times = spikes.times[spikes.times > 0.05]
        angle = np.angle(np.exp(2j * np.pi * frequency * times).mean()) / (2 * np.pi)
        phase = (frequency * times - angle + 0.5) % 1.0 - 0.5
        edges = np.linspace(-0.5, 0.5, 51)
        rate = np.histogram(phase, edges)[0] / (0.25 * 0.02 * spikes.counts.size)
        ax.stairs(rate, edges, color=colour, fill=True, alpha=0.5, lw=0, label=name)
        rows += [{"who": name, "cycle": x, "rate": y} for x, y in zip(edges[:-1], rate, strict=True)]
        if name == "bushy cells":
            value = times.size / (0.25 * frequency * spikes.counts.size)
            metrics["spikes per cycle of bushy cells at 350 Hz"] = entry(value, 1.0, "entrainment: Joris et al. (1994)")
    ax.set(xlabel="Phase of a 350 Hz tone (cycles)", ylabel="Rate (spikes/s)", xlim=(-0.5, 0.5))
    ax.legend(loc="upper left")
    return pd.DataFrame(rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("out/auditory_nerve"))
    parser.add_argument("--quick", action="store_true", help="a fifth of the fibres")
    arguments = parser.parse_args()
    begin = time.perf_counter()
    n = 40 if arguments.quick else 200
    metrics: Metrics = {}
    tables = {}
    with style():
        figure = new_figure(DOUBLE_COLUMN, 150.0)
        axes = figure.subplots(3, 3).ravel()
        tables["tuning"] = tuning(axes[0], n // 2, metrics)
        tables["q10"] = q10(axes[1], n, metrics)
        tables["compression"] = compression(axes[2], metrics)
        tables["levels"] = levels(axes[3], n, metrics)
        tables["locking"] = phase_locking(axes[4], n, metrics)
        tables["cycle"] = entrainment(axes[5], n, metrics)
        tables["adaptation"] = adaptation(axes[6], n, metrics)
        tables["masking"] = masking(axes[7], n, metrics)
        tables["hazard"] = refractoriness(axes[8], n, metrics)
        panel_letters(list(axes), dx=-24.0)
        save_figure(settle(figure), tables, arguments.out, "physiology")
    seconds = round(time.perf_counter() - begin, 1)
    results = {"study": "auditory_nerve", "metrics": metrics, "seconds": seconds, "quick": arguments.quick}
    target = arguments.out / "results.json"
    target.write_text(json.dumps(results, indent=2) + "\n")
    print(target)


if __name__ == "__main__":
    main()
