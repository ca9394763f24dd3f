"""Ask whether latent predictive learning finds what is slow: with rates, and with spikes and plastic synapses."""

import argparse
import json
import time
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from snncompare import provenance
from snncompare.backends.torch.module import TorchNetwork
from snncompare.circuits.latent_predictive import latent_predictive_network
from snncompare.figures.save import save_figure
from snncompare.figures.style import DOUBLE_COLUMN, PALETTE, new_figure, panel_letters, settle, style
from snncompare.learning.unsupervised.latent_prediction import LatentPrediction
from snncompare.number_archive import read_arrays, write_arrays

RULES = {
    "LPL": LatentPrediction(decorrelation=0.0),
    "Hebbian only": LatentPrediction(pull=0.0, decorrelation=0.0),
    "prediction only": LatentPrediction(push=0.0, decorrelation=0.0),
}
NOISES = (0.1, 1.0, 3.0)
SPIKING = {"LPL": 1.0, "Hebbian only": 0.0}
"""Weight of the predictive term."""
POPULATIONS = ("constant", "slow 1", "shuffled 1", "slow 2", "shuffled 2")
SIZE, NEURONS = 20, 10
"""Inputs of a population, and neurons that learn."""
PIECE = 2000
"""Steps of 1 ms that are simulated at a time."""
PUBLISHED = {("LPL", s): 1.0 for s in NOISES} | {
    ("Hebbian only", s): v for s, v in zip(NOISES, (1.0, 0.394, 0.027), strict=True)
}
SOURCE = "notes on learning rules R8.2, computed after notebook 2 of fmi-basel/latent-predictive-learning"


def clusters(rng: np.random.Generator, n: int, noise: float) -> tuple[torch.Tensor, torch.Tensor]:
    """Return two successive glimpses (sample, 2) of a cluster at x = -1 or 1; y is noise that is new each time."""
    place = rng.choice([-1.0, 1.0], size=n)
    glimpses = [np.stack([place + 0.1 * rng.standard_normal(n), noise * rng.standard_normal(n)], axis=1) for _ in "ab"]
    return torch.from_numpy(glimpses[0]), torch.from_numpy(glimpses[1])


def rate_toy(rule: LatentPrediction, noise: float, seed: int, steps: int) -> dict[str, float]:
    """Return how a linear unit's weights point along x after learning, and their length."""
    rng = np.random.default_rng([seed, 0])
    weights = torch.from_numpy(0.5 * rng.standard_normal((2, 1)))
    for _ in range(steps):
        before, now = clusters(rng, 200, noise)
        weights = weights + 1e-2 * rule.weight_change(now, now @ weights, before @ weights, torch.ones(200, 1))
    length = float(weights.norm())
    return {"cosine": abs(float(weights[0, 0])) / length, "length": length}


def two_signals(decorrelation: float, seed: int, steps: int) -> float:
    """Return the absolute correlation of two units that may learn two slow signals, or the same one twice."""
    rng = np.random.default_rng([seed, 1])
    rule = LatentPrediction(decorrelation=decorrelation)
    weights = torch.from_numpy(0.5 * rng.standard_normal((4, 2)))
    for _ in range(steps):
        first, second = clusters(rng, 200, 1.0), clusters(rng, 200, 1.0)
        before, now = (torch.cat([a, b], dim=1) for a, b in zip(first, second, strict=True))
        weights = weights + 1e-2 * rule.weight_change(now, now @ weights, before @ weights, torch.ones(200, 2))
    return abs(float(np.corrcoef((now @ weights).numpy().T)[0, 1]))


def slow_signal(rng: np.random.Generator, period: float) -> NDArray[np.float64]:
    """Return a periodic random rate (Hz) around 5 Hz, one value in 10 ms, eleven periods long."""
    times = np.arange(0.0, 11 * period, 0.01)
    parts = rng.random((128, 2))
    summed = sum(1.1**-k * a * np.sin(2 * np.pi * k * (times + b) / period) for k, (a, b) in enumerate(parts))
    signal = np.asarray(summed)
    return np.clip(5.0 + 4.0 * (signal - signal.mean()) / signal.std(), 0.1, None)


def rates(seed: int) -> list[NDArray[np.float64]]:
    """Return the rates of `POPULATIONS`; shuffled ones have the values of the slow ones in random order."""
    rng = np.random.default_rng([seed, 2])
    found = [np.full(100, 5.0)]
    for period in (3.0, 3.0 + 1 / 13):
        slow = slow_signal(rng, period)
        found += [slow, rng.permutation(slow)]
    return found


def spiking(pull: float, seeds: int, seconds: int) -> dict[str, NDArray[np.float64]]:
    """Return mean weights (time, seed, population) and rates (time, seed) of neurons that learn from spikes.

    Seeds differ in signals, input spikes and first weights, and learn side by side.
    """
    network = latent_predictive_network(
        len(POPULATIONS) * SIZE, NEURONS, pull=pull, push="5 Hz", weight=0.25, tau_variance="10 s"
    )
    module = TorchNetwork(network, 1e-3, {}, dtype=torch.float32)
    population = module.realisation().connections["feed"].source // SIZE
    signals = [rates(seed) for seed in range(seeds)]
    rngs = [np.random.default_rng([seed, 3]) for seed in range(seeds)]
    with torch.no_grad():
        state = module({"input": torch.zeros(0, seeds, len(POPULATIONS) * SIZE)}).state
    first = np.stack([rng.uniform(0.0, 0.5, population.size) for rng in rngs])
    state.synapses["feed"]["w_feed"].copy_(torch.from_numpy(first))
    weights, fired = [by_population(first, population)], [np.full(seeds, np.nan)]
    for start in range(0, 1000 * seconds, PIECE):
        shown = np.stack([raster(s, start, rng) for s, rng in zip(signals, rngs, strict=True)], axis=1)
        with torch.no_grad():
            activity = module({"input": torch.from_numpy(shown)}, record=["neurons"], state=state)
        state = activity.state
        weights.append(by_population(state.synapses["feed"]["w_feed"].numpy(), population))
        fired.append(activity.spikes["neurons"].sum(dim=0).mean(dim=1).numpy() / (PIECE * 1e-3))
    return {"weights": np.stack(weights), "rates": np.stack(fired)}


def kept(path: Path, pull: float, seeds: int, seconds: int) -> dict[str, NDArray[np.float64]]:
    """Return what an earlier run found, or find it and keep it."""
    if not path.is_file():
        write_arrays(path, spiking(pull, seeds, seconds))
    return read_arrays(path, max_bytes=1 << 24, max_arrays=2)


def raster(signals: list[NDArray[np.float64]], start: int, rng: np.random.Generator) -> NDArray[np.bool_]:
    """Return Poisson spikes (step, input) of all populations in the piece that begins at a step."""
    bins = np.arange(start, start + PIECE) // 10
    rate = np.stack([signal[bins % signal.size] for signal in signals], axis=1)
    return (rng.random((PIECE, len(signals), SIZE)) < 1e-3 * rate[:, :, None]).reshape(PIECE, -1)


def by_population(weights: NDArray[np.float64], population: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the mean weight of the synapses of each input population, (seed, population)."""
    return np.stack([weights[:, population == k].mean(axis=1) for k in range(len(POPULATIONS))], axis=1)


def selectivity(weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return (slow - shuffled)/(slow + shuffled) of mean weights (..., population): 1 if only slow inputs remain."""
    slow, shuffled = weights[..., [1, 3]].mean(axis=-1), weights[..., [2, 4]].mean(axis=-1)
    found: NDArray[np.float64] = (slow - shuffled) / (slow + shuffled)
    return found


def draw(toy: pd.DataFrame, learnt: dict[str, dict[str, NDArray[np.float64]]], folder: Path) -> None:
    """Draw the toy, a slow signal beside its control, weights over time, and selectivity."""
    colours = dict(zip(RULES, PALETTE, strict=False))
    with style():
        figure = new_figure(DOUBLE_COLUMN, 100.0)
        axes = figure.subplots(2, 2).ravel()
        for (name, colour), shift in zip(colours.items(), (-0.2, 0.0, 0.2), strict=True):
            part = toy[toy["rule"] == name]
            at = np.array([NOISES.index(s) for s in part["noise"]]) + shift
            axes[0].plot(at, part["cosine"], "o", color=colour, markersize=2.5, label=name)
        axes[0].set_xticks(range(len(NOISES)), [f"{s:g}" for s in NOISES])
        axes[0].set(xlabel="Noise along y (s.d.)", ylabel="|cos(weights, predictable axis)|", ylim=(0, 1.05))
        axes[0].legend(loc="lower left")
        _, slow, shuffled, _, _ = rates(0)
        times = 0.01 * np.arange(300)
        axes[1].plot(times, shuffled[:300], color="#BBBBBB", linewidth=0.5, label="shuffled")
        axes[1].plot(times, slow[:300], color="black", linewidth=0.9, label="slow")
        axes[1].set(xlabel="Time (s)", ylabel="Input rate (Hz)")
        axes[1].legend(loc="upper right", ncols=2)
        table = []
        for style_of, (name, found) in zip(("-", "--"), learnt.items(), strict=True):
            mean = found["weights"].mean(axis=1)
            seconds = 1e-3 * PIECE * np.arange(len(mean))
            kinds = {"slow": [1, 3], "shuffled": [2, 4], "constant": [0]}
            for colour, (kind, which) in zip(("black", "#999999", PALETTE[4]), kinds.items(), strict=True):
                label = f"{kind}, {name}"
                axes[2].plot(seconds, mean[:, which].mean(axis=1), style_of, color=colour, linewidth=1.0, label=label)
            each = selectivity(found["weights"])
            for seed in range(each.shape[1]):
                axes[3].plot(
                    seconds, each[:, seed], color=colours[name], linewidth=0.6, label=name if not seed else None
                )
            table.append(pd.DataFrame(each, index=pd.Index(seconds, name="time")).add_prefix(f"{name} "))
        axes[2].set(xlabel="Simulated time (s)", ylabel="Mean weight (leak units)")
        axes[2].set_ylim(0, 1.5 * axes[2].get_ylim()[1])
        axes[2].legend(loc="upper left", ncols=2, fontsize=6)
        axes[3].axhline(0.0, color="#8C8C8C", linewidth=0.6)
        axes[3].set(xlabel="Simulated time (s)", ylabel="Selectivity for slow inputs")
        axes[3].set_ylim(top=1.3 * axes[3].get_ylim()[1])
        axes[3].legend(loc="upper left", ncols=2)
        panel_letters(list(axes), dx=-26.0)
        save_figure(settle(figure), {"toy": toy, "selectivity": pd.concat(table, axis=1)}, folder, "latent_prediction")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("out/latent_predictive_learning"))
    parser.add_argument("--quick", action="store_true", help="two seeds, few steps, six simulated seconds")
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(1)
    begin = time.perf_counter()
    seeds, steps, seconds = (2, 400, 6) if arguments.quick else (8, 4000, 240)
    metrics = {}
    rows = [
        {"rule": name, "noise": noise, "seed": seed, **rate_toy(rule, noise, seed, steps)}
        for name, rule in RULES.items()
        for noise in NOISES
        for seed in range(seeds)
    ]
    toy = pd.DataFrame(rows)
    for (name, noise), part in toy.groupby(["rule", "noise"], sort=False):
        told = PUBLISHED.get((name, noise))
        metrics[f"rates, {name}, noise {noise:g}: |cosine|"] = {
            "value": float(part["cosine"].mean()), "published": told, "source": SOURCE if told is not None else "",
        }  # fmt: skip
        metrics[f"rates, {name}, noise {noise:g}: length"] = {
            "value": float(part["length"].mean()), "published": None, "source": "",
        }  # fmt: skip
    for decorrelation in (10.0, 0.0):
        found = [two_signals(decorrelation, seed, steps) for seed in range(seeds)]
        metrics[f"rates, decorrelation {decorrelation:g}: |correlation| of two units"] = {
            "value": float(np.mean(found)), "published": None, "source": "",
        }  # fmt: skip
    print(toy.groupby(["rule", "noise"], sort=False)[["cosine", "length"]].mean(), flush=True)
    learnt = {}
    for name, pull in SPIKING.items():
        learnt[name] = kept(arguments.out / f"{name.replace(' ', '_')}_{seeds}_{seconds}.npz", pull, seeds, seconds)
        last = selectivity(learnt[name]["weights"][-1])
        gained = last - selectivity(learnt[name]["weights"][0])
        for what, value in (("mean", last.mean()), ("lowest seed", last.min()), ("highest seed", last.max())):
            metrics[f"spikes, {name}: selectivity, {what}"] = {"value": float(value), "published": None, "source": ""}
        metrics[f"spikes, {name}: firing rate in the last 20 s (Hz)"] = {
            "value": float(learnt[name]["rates"][-10:][np.isfinite(learnt[name]["rates"][-10:])].mean()),
            "published": None, "source": "",
        }  # fmt: skip
        metrics[f"spikes, {name}: selectivity gained, lowest seed"] = {
            "value": float(gained.min()), "published": None, "source": "",
        }  # fmt: skip
        print(name, last.round(3), flush=True)
    draw(toy, learnt, arguments.out)
    settings = {"seeds": seeds, "steps": steps, "simulated_seconds": seconds}
    results = {"study": "latent_predictive_learning", "metrics": metrics, "settings": settings}
    results |= {"quick": arguments.quick, "seconds": round(time.perf_counter() - begin, 1)}
    results |= {"provenance": provenance.collect(seed=0)}
    target = arguments.out / "results.json"
    target.write_text(json.dumps(results, indent=2) + "\n")
    print(target)


if __name__ == "__main__":
    main()
