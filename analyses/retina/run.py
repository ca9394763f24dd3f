"""Ask whether the model retina and geniculate answer laboratory stimuli as the primate's do."""

import argparse
import json
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.collections import EllipseCollection
from matplotlib.ticker import FixedLocator, NullFormatter
from scipy.optimize import curve_fit

from snncompare.encoding.encoder import Spikes, presentation_seed
from snncompare.encoding.stimuli import Movie
from snncompare.encoding.visual.ganglion_cells import MIDGET_OFF, MIDGET_ON, PARASOL_OFF, PARASOL_ON
from snncompare.encoding.visual.laboratory_stimuli import drifting_grating, first_harmonic, flicker, light_step
from snncompare.encoding.visual.lgn import LGN
from snncompare.encoding.visual.retina import Retina
from snncompare.encoding.visual.spiking import IntegrateAndFire, PoissonSpiking
from snncompare.figures.save import save_figure
from snncompare.figures.style import (
    DATA_COLOUR,
    DOUBLE_COLUMN,
    FAINT_COLOUR,
    PALETTE,
    new_figure,
    note,
    panel_letters,
    plain,
    settle,
    style,
)

CLASSES = {"ON parasol": PARASOL_ON, "OFF parasol": PARASOL_OFF, "ON midget": MIDGET_ON, "OFF midget": MIDGET_OFF}
COLOURS = dict(zip(CLASSES, (PALETTE[1], PALETTE[3], PALETTE[0], PALETTE[4]), strict=True))
SPIKING = {
    "Poisson": (PoissonSpiking(refractory="0 ms", recovery="0 ms"), FAINT_COLOUR, "s"),
    "refractory": (PoissonSpiking(), PALETTE[1], "o"),
    "integrate and fire": (IntegrateAndFire(), PALETTE[2], "^"),
}
# Croner & Kaplan (1995), Table 1: median centre radius (degrees) in groups of eccentricity.
RADII = {"parasol": {5.0: 0.10, 15.0: 0.18}, "midget": {2.5: 0.03, 15.0: 0.07}}


def middle(kind, eccentricity=10.0, **options):
    """Return a retina of one class and the number of its cell nearest to the middle."""
    retina = Retina(classes=(kind,), field=(0.6, 0.6), centre=(eccentricity, 0.0), **options)
    cells = retina.cells()
    return retina, int(np.argmin(np.hypot(cells["x_degrees"] - eccentricity, cells["y_degrees"])))


def spatial(kind, frequencies, temporal, eccentricity=10.0):
    retina, cell = middle(kind, eccentricity)
    side = 6.0 * kind.receptive_field.surround_ratio * float(kind.receptive_field.radius(eccentricity))
    gain = []
    for u in frequencies:
        movie = drifting_grating(
            u, temporal, 0.02, degrees=side, pixels=150, duration=0.2 + 2 / temporal, frame_rate=250.0
        )
        rates = retina.rates(movie)
        gain.append(abs(first_harmonic(rates.values[[cell]], rates.dt, temporal)[0]) / 0.02)
    return np.array(gain)


def radius_from_gratings(kind, eccentricity):
    """Return the centre radius of the difference of Gaussians that fits responses to gratings best."""
    u = np.array([0.02, 0.1, 0.2, 0.35, 0.6, 1.0, 1.5, 2.0, 3.0, 4.5]) * 0.1 / kind.receptive_field.radius(eccentricity)
    lag = np.exp(-2j * np.pi * 4.0 * 0.008)

    def model(f, a, r, k, q):
        return a * abs(np.exp(-((np.pi * r * f) ** 2)) - k * lag * np.exp(-((np.pi * r * q * f) ** 2)))

    start = (20.0, float(kind.receptive_field.radius(eccentricity)) * 0.7, 0.4, 4.0)
    gain = spatial(kind, u, 4.0, eccentricity)
    return curve_fit(model, u, gain / gain.max(), p0=(1.0, *start[1:]), bounds=(0.0, (5.0, 2.0, 1.0, 15.0)))[0][1:]


def temporal(kind, frequencies, contrast):
    retina, cell = middle(replace(kind, baseline=1e4))
    gain = []
    for f in frequencies:
        movie = drifting_grating(
            0.8, f, contrast, degrees=4.0, pixels=40, duration=0.3 + max(0.5, 2 / f), frame_rate=500.0
        )
        rates = retina.rates(movie)
        gain.append(abs(first_harmonic(rates.values[[cell]], rates.dt, f)[0]) / contrast)
    return np.array(gain)


def contrast_response(kind, contrasts):
    retina, cell = middle(kind)
    found = [retina.rates(drifting_grating(0.8, 4.0, c, degrees=4.0, pixels=40, duration=0.7)) for c in contrasts]
    return np.array([abs(first_harmonic(r.values[[cell]], r.dt, 4.0)[0]) for r in found])


def impulse(kind):
    retina, cell = middle(replace(kind, baseline=1e4), background=0.5, step="1 ms")
    flash = np.full((300, 1, 1), 0.5)
    flash[20:22] = 0.525
    rates = retina.rates(Movie(flash, "1 kHz", 20.0)).values[cell] - 1e4
    return np.arange(280), rates[20:] / 0.05 / 2.0


def step_response(kind):
    retina, cell = middle(kind, background=0.5)
    radius = 2.0 * float(kind.receptive_field.radius(10.0)) / np.sqrt(2.0) * 1.5
    rates = retina.rates(light_step(0.3 * kind.sign, radius=radius, degrees=2.0, pixels=120))
    return (np.arange(rates.values.shape[1]) + 0.5) * rates.dt * 1e3 - 200.0, rates.values[cell]


def latency(kind, contrast, n):
    """Return mean and standard error of the first spike later than 20 ms after a step, ms."""
    retina, cell = middle(kind, background=0.5)
    movie = light_step(contrast, radius=0.2, degrees=2.0, pixels=40, lasting=0.3)
    rates = retina.rates(movie)
    first = []
    for k in range(n):
        rng = np.random.default_rng(presentation_seed(0, k))
        train = retina.spiking.fire(rates.values[[cell]], rates.dt, rng).times
        first.extend(train[train > 0.22][:1])
    return 1e3 * (np.mean(first) - 0.2), 1e3 * np.std(first) / np.sqrt(len(first))


def counts_of(spiking, n):
    """Return mean and variance of counts in 25 ms windows of flicker at full contrast, over presentations."""
    retina = Retina(classes=(PARASOL_ON,), field=(0.6, 0.6), spiking=spiking)
    movie = flicker(4.0, 1.0, duration=1.0, frame_rate=500.0)
    windows = np.arange(0.2, 1.0001, 0.025)
    counts = []
    for k in range(n):
        spikes = retina.fire(movie, presentation_seed(0, k))
        trains = np.split(spikes.times, np.cumsum(spikes.counts)[:-1])
        counts.append([np.histogram(train, windows)[0] for train in trains[:3]])
    counts = np.array(counts, dtype=float)
    return counts.mean(axis=0).ravel(), counts.var(axis=0, ddof=1).ravel()


def efficacy(gap, n):
    """Return how often the first and the second of two retinal spikes, ``gap`` seconds apart, are relayed."""
    lgn = LGN()
    spikes = lgn.relay(Spikes(np.tile([0.1, 0.1 + gap], n), np.full(n, 2)), 0.4, np.random.default_rng(0))
    second = 0.1 + gap + lgn.delay.value
    trains = np.split(spikes.times, np.cumsum(spikes.counts)[:-1])
    return np.mean([np.any((train > second) & (train < second + 0.06)) for train in trains])


def speed(size):
    """Return frames per second of a movie of 60 frames at 60 Hz, 2 x 2 degrees, mosaics and compilation at hand."""
    retina = Retina()
    movie = Movie(np.random.default_rng(0).random((60, size, size)), "60 Hz", 2.0 / size)
    retina.fire(movie, presentation_seed(0, 0))
    begin = time.perf_counter()
    retina.fire(movie, presentation_seed(0, 1))
    return 60 / (time.perf_counter() - begin)


def measured(quick):
    """Return everything that the figure shows, by panel."""
    u = np.geomspace(0.05, 12.0, 9 if quick else 17)
    f = np.geomspace(0.7, 60.0, 8 if quick else 14)
    c = np.geomspace(0.02, 1.0, 8)
    gaps = np.array([2, 4, 6, 8, 10, 15, 20, 25, 30, 35, 40, 50, 60, 80]) / 1000
    n = 40 if quick else 200
    found = {"u": u, "f": f, "c": c, "gaps": gaps}
    found["spatial"] = {
        (name, w): spatial(CLASSES[name], u, w) for name in ("ON parasol", "ON midget") for w in (4.0, 30.0)
    }
    found["radii"] = {
        name: {e: radius_from_gratings(CLASSES[f"ON {name}"], e) for e in places} for name, places in RADII.items()
    }
    found["temporal"] = {
        (name, k): temporal(CLASSES[name], f, k) for name in COLOURS if "ON" in name for k in (0.01, 0.3)
    }
    found["contrast"] = {name: contrast_response(CLASSES[name], c) for name in ("ON parasol", "ON midget")}
    found["impulse"] = {name: impulse(kind) for name, kind in CLASSES.items()}
    found["step"] = {name: step_response(kind) for name, kind in CLASSES.items()}
    found["latency"] = {
        name: np.array([latency(CLASSES[name], k, 2 * n) for k in c[1:]]) for name in ("ON parasol", "ON midget")
    }
    found["counts"] = {name: counts_of(kind, n) for name, (kind, *_) in SPIKING.items()}
    found["efficacy"] = np.array([efficacy(gap, 10 * n) for gap in gaps])
    found["alone"] = efficacy(0.25, 10 * n)
    return found


def logarithmic(ax, x=None, y=None):
    """Make axes with ticks given logarithmic, and write the ticks in full."""
    for ticks, axis, scale in ((x, ax.xaxis, ax.set_xscale), (y, ax.yaxis, ax.set_yscale)):
        if ticks is not None:
            scale("log")
            axis.set_major_locator(FixedLocator(ticks))
            axis.set_major_formatter(plain)
            axis.set_minor_formatter(NullFormatter())


def draw_mosaics(ax, metrics):
    retina = Retina(field=(4.5, 1.3), centre=(8.0, 0.0))
    cells = retina.cells()
    for name in ("ON midget", "ON parasol"):
        polarity, kind = name.split()
        chosen = cells[(cells["cell_class"] == kind) & (cells["polarity"] == polarity)]
        width = 2 * chosen["radius_degrees"] / np.sqrt(2)
        fields = EllipseCollection(
            width, width, 0.0, units="x", offsets=chosen[["x_degrees", "y_degrees"]], transOffset=ax.transData
        )
        fields.set(facecolor="none", edgecolor=COLOURS[name], linewidth=0.7 if kind == "parasol" else 0.25)
        ax.add_collection(fields)
        metrics[f"{name} cells in 4.5 x 1.3 degrees at 8 degrees"] = (
            len(chosen),
            None,
            "one standard deviation circles",
        )
    ax.set(xlim=(5.75, 10.25), ylim=(-0.65, 0.65), aspect="equal", yticks=[-0.5, 0, 0.5])
    ax.set(xlabel="eccentricity (°)", ylabel="elevation (°)")
    ax.set_title("ON parasol and ON midget mosaics, circles of one s.d.")


def draw_radii(ax, found, metrics):
    e = np.linspace(0, 25, 50)
    for kind, places in RADII.items():
        colour = COLOURS[f"ON {kind}"]
        ax.plot(e, 60 * CLASSES[f"ON {kind}"].receptive_field.radius(e), color=colour, label=kind)
        fits = found["radii"][kind]
        ax.plot(list(fits), [60 * fits[x][0] for x in fits], "o", color=colour, mfc="white")
        ax.plot(list(places), [60 * r for r in places.values()], "x", color=DATA_COLOUR, ms=5)
        for x, published in places.items():
            source = "Croner & Kaplan 1995, Table 1"
            metrics[f"{kind} centre radius at {x:g} degrees, from gratings (degrees)"] = (fits[x][0], published, source)
            metrics[f"{kind} surround strength at {x:g} degrees"] = (fits[x][1], 0.55, "Croner & Kaplan 1995, abstract")
    ax.plot([], [], "x", color=DATA_COLOUR, label="macaque")
    ax.plot([], [], "o", color=FAINT_COLOUR, mfc="white", label="from gratings")
    ax.set(
        xlabel="eccentricity (°)", ylabel="centre radius (arcmin)", xlim=(0, 26), ylim=(0, 22), yticks=[0, 5, 10, 15]
    )
    ax.legend(loc="upper left")


def draw_spatial(ax, found, metrics):
    top = {}
    for (name, w), gain in found["spatial"].items():
        look = "-" if w == 4.0 else "--"
        ax.plot(found["u"], gain, look, color=COLOURS[name], label=f"{name.split()[1]}, {w:g} Hz")
        top[name, w] = gain.max()
    ratio = top["ON parasol", 4.0] / top["ON midget", 4.0]
    metrics["contrast gain of parasol over midget cells, 4 Hz"] = (ratio, 6.0, "Croner & Kaplan 1995, abstract")
    logarithmic(ax, [0.1, 1, 10], [1, 10, 100])
    ax.set(xlabel="spatial frequency (cycles/°)", ylabel="gain (spikes/s)", ylim=(0.5, 600))
    ax.legend(loc="lower left")


def draw_impulse(ax, found, metrics):
    for name, (t, response) in found["impulse"].items():
        ax.plot(t, response / abs(response).max(), color=COLOURS[name], label=name)
        metrics[f"{name}: time to peak of the impulse response (ms)"] = (float(t[abs(response).argmax()]), None, "")
    ax.axhline(0, color=FAINT_COLOUR, lw=0.5)
    ax.set(xlabel="time after flash (ms)", ylabel="response (normalised)", xlim=(0, 200), ylim=(-1.1, 1.1))
    ax.legend(loc="lower right")


def draw_temporal(ax, found, metrics):
    f = found["f"]
    for (name, contrast), gain in found["temporal"].items():
        ax.plot(
            f, gain, "-" if contrast < 0.1 else "--", color=COLOURS[name], label=f"{name.split()[1]}, {contrast:.0%}"
        )
        fitted = abs(CLASSES[name].temporal_filter.transfer(f))
        if contrast < 0.1:
            ax.plot(f, fitted * gain[len(f) // 2] / fitted[len(f) // 2], ":", color=DATA_COLOUR, lw=1.2)
    low, high = (found["temporal"]["ON parasol", k] for k in (0.01, 0.3))
    metrics["parasol gain at 30 % over 1 % contrast, slowest flicker"] = (high[0] / low[0], None, "")
    metrics["parasol gain at 30 % over 1 % contrast, 4 Hz"] = (float(np.interp(4, f, high / low)), None, "")
    metrics["parasol gain at 30 % over 1 % contrast, 40 Hz"] = (float(np.interp(40, f, high / low)), None, "")
    ax.plot([], [], ":", color=DATA_COLOUR, label="macaque, fit")
    logarithmic(ax, [1, 3, 10, 30], [1, 10, 100])
    ax.set(xlabel="temporal frequency (Hz)", ylabel="gain (spikes/s)", ylim=(0.3, 600))
    ax.legend(loc="lower left")


def draw_contrast(ax, found, metrics):
    c = found["c"]
    for name, response in found["contrast"].items():
        ax.plot(100 * c, response, "o-", color=COLOURS[name], label=name.split()[1])
    parasol = found["contrast"]["ON parasol"]
    (_, half), _ = curve_fit(lambda x, top, half: top * x / (x + half), c, parasol, p0=(60.0, 0.2))
    published = c / (c + 0.13)
    scale = (parasol @ published) / (published @ published)
    ax.plot(100 * c, scale * published, ":", color=DATA_COLOUR, label="macaque M")
    metrics["parasol half-saturating contrast"] = (half, 0.13, "Kaplan & Shapley 1986, M cells, as usually quoted")
    ax.set(xlabel="contrast (%)", ylabel="response (spikes/s)", ylim=(0, 85), yticks=[0, 20, 40, 60])
    ax.legend(loc="upper left")


def draw_step(ax, found, metrics):
    for name, (t, rate) in found["step"].items():
        ax.plot(t, rate, color=COLOURS[name])
        kind = CLASSES[name]
        late, peak = rate[(t > 400) & (t < 500)].mean() - kind.baseline, rate[(t > 0) & (t < 500)].max() - kind.baseline
        strength = kind.temporal_filter.high_pass_strength
        metrics[f"{name}: sustained over peak response to a step"] = (
            late / peak,
            None,
            f"high-pass strength {strength:g}",
        )
    ax.plot([0, 500], [0, 0], color=DATA_COLOUR, lw=3, solid_capstyle="butt")
    note(ax, "ON: lighter, OFF: darker\n30 % contrast", x=0.98, y=0.95, ha="right", va="top")
    ax.set(xlabel="time after step (ms)", ylabel="firing rate (spikes/s)", xlim=(-100, 650), ylim=(0, 135))


def draw_latency(ax, found, metrics):
    c = found["c"][1:]
    for name, values in found["latency"].items():
        ax.errorbar(100 * c, values[:, 0], values[:, 1], fmt="o-", color=COLOURS[name], label=name.split()[1])
        metrics[f"{name}: first spike at {c[0]:.0%} contrast (ms)"] = (values[0, 0], None, "")
        metrics[f"{name}: first spike at 100% contrast (ms)"] = (values[-1, 0], None, "")
    logarithmic(ax, [3, 10, 30, 100])
    ax.set(xlabel="contrast of the step (%)", ylabel="first spike (ms)", ylim=(30, 49), yticks=[30, 35, 40, 45])
    ax.legend(loc="lower left")


def draw_counts(ax, found, metrics):
    for name, (mean, variance) in found["counts"].items():
        ax.plot(mean, variance, SPIKING[name][2], color=SPIKING[name][1], ms=2, alpha=0.5, mew=0, label=name)
        strong = mean > 1.0
        published = "1" if name == "Poisson" else "far below 1"
        value = (variance[strong] / mean[strong]).mean()
        metrics[f"Fano factor, {name}, windows with more than one spike"] = (
            value, published, "Uzzell & Chichilnisky 2004, abstract",
        )  # fmt: skip
    top = max(mean.max() for mean, _ in found["counts"].values())
    grid = np.linspace(0, top, 400)
    ax.plot(grid, grid, color=DATA_COLOUR, lw=0.7)
    ax.plot(grid, (grid % 1) * (1 - grid % 1), ":", color=DATA_COLOUR, label="least possible")
    ax.set(xlabel="mean count in 25 ms", ylabel="variance of count", ylim=(0, 1.5 * top))
    ax.legend(loc="upper left", markerscale=2)


def draw_efficacy(ax, found, metrics):
    gaps = 1e3 * found["gaps"]
    ax.axvspan(0, 30, color="#EEEEEE", lw=0)
    ax.plot(gaps, 100 * found["efficacy"], "o-", color=PALETTE[2], label="second spike")
    ax.axhline(100 * found["alone"], ls="--", color=FAINT_COLOUR, label="spike alone")
    metrics["efficacy of a retinal spike alone"] = (found["alone"], "rare", "Sincich et al. 2007, abstract")
    metrics["efficacy of a second spike after 30 ms"] = (
        float(np.interp(30, gaps, found["efficacy"])), "more than alone", "Usrey et al. 1998, abstract",
    )  # fmt: skip
    ax.set(xlabel="interval between spikes (ms)", ylabel="spikes relayed (%)", xlim=(0, 82), ylim=(0, 105))
    ax.legend()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("out/retina"))
    parser.add_argument("--quick", action="store_true", help="fewer frequencies, a fifth of the presentations")
    arguments = parser.parse_args()
    begin = time.perf_counter()
    found, metrics = measured(arguments.quick), {}
    with style():
        figure = new_figure(DOUBLE_COLUMN, 150.0)
        axes = figure.subplot_mosaic("AAAB\nCDEF\nGHIJ")
        draw_mosaics(axes["A"], metrics)
        draws = (draw_radii, draw_spatial, draw_impulse, draw_temporal, draw_contrast, draw_step, draw_latency)
        for letter, draw in zip("BCDEFGHIJ", (*draws, draw_counts, draw_efficacy), strict=True):
            draw(axes[letter], found, metrics)
        panel_letters([axes[letter] for letter in "ABCDEFGHIJ"], dx=-24.0)
        table = pd.DataFrame(
            [{"metric": k, "value": v[0], "published": v[1], "source": v[2]} for k, v in metrics.items()]
        )
        save_figure(settle(figure), table, arguments.out, "retina", dpi=200.0)
    for size in (28, 256):
        metrics[f"frames per second at {size} x {size} pixels, {len(Retina().cells())} cells"] = (speed(size), None, "")
    entries = {k: dict(zip(("value", "published", "source"), v, strict=True)) for k, v in metrics.items()}
    results = {"study": "retina", "metrics": entries, "seconds": round(time.perf_counter() - begin, 1)}
    results["quick"] = arguments.quick
    target = arguments.out / "results.json"
    target.write_text(json.dumps(results, indent=2) + "\n")
    print(target)


if __name__ == "__main__":
    main()
