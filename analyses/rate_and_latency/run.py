"""Turn one knob from rate to latency at fixed spike count: where the information is, and what networks learn."""

import argparse
import json
import time
from pathlib import Path

import numpy as np
import pandas as pd

import snncompare as sc
from snncompare import provenance
from snncompare.backends.torch.module import TorchNetwork
from snncompare.circuits.recurrent import recurrent_classifier
from snncompare.encoding.codes.latency_rate_mixture import LatencyRateMixture
from snncompare.encoding.encoder import presentation_seed
from snncompare.figures.save import save_figure
from snncompare.figures.style import (
    DOUBLE_COLUMN,
    FAINT_COLOUR,
    PALETTE,
    SMALL,
    new_figure,
    panel_letters,
    settle,
    style,
)
from snncompare.learning.batches import Batches
from snncompare.learning.losses import Classification, RateLimit
from snncompare.learning.rule import surrogate_gradient
from snncompare.representation.label_information import label_information
from snncompare.units import seconds

VERSIONS = {"rate": 0.0, "mixture": 0.5, "latency": 1.0}
KNOBS = (0.0, 0.25, 0.5, 0.75, 1.0)
CODES = {"counts": "spike counts", "latencies": "first spikes", "latencies given counts": "first spikes, given counts"}
DT = "1 ms"
LOSS = Classification("readout", scale="2 mV")
CHANCE = 0.1


def digits(mixture: float, quick: bool) -> sc.SpikeDataset:
    """Return the digits at one position of the knob."""
    chosen = {"n_per_class": 30} if quick else {}
    return sc.datasets.load("digits_rate", encoder={"mixture": mixture}, **chosen)


def information(quick: bool) -> pd.DataFrame:
    """Return what codes tell about the digit, for positions of the knob; and the count of every trial."""
    tables = []
    for knob in KNOBS:
        spikes = digits(knob, quick).spikes
        counts = spikes.counts().to_numpy().sum(axis=1)
        found = label_information(
            spikes,
            "digit",
            time_scales=["10 ms"],
            n_permutations=20 if quick else 50,
            most_trials=None if quick else 600,
        )
        tables.append(found.table.assign(mixture=knob, least_count=counts.min(), largest_count=counts.max()))
    return pd.concat(tables, ignore_index=True)


def trained(version: str, seed: int, quick: bool) -> TorchNetwork:
    """Return a recurrent network trained on one version of the digits; the same initial weights for all versions."""
    learnt, held_out = digits(VERSIONS[version], quick).split(0.7, seed=0)
    begin = time.perf_counter()
    network = sc.fit(
        recurrent_classifier(inputs=len(learnt.units), hidden=20 if quick else 100, classes=10),
        surrogate_gradient(width="0.5 mV", scale="10 mV", learning_rate=0.05),
        learnt,
        test=held_out,
        loss=LOSS,
        penalties=[RateLimit("2 Hz", "80 Hz")],
        dt=DT,
        epochs=1 if quick else 12,
        batch_size=64,
        seed=seed,
        progress=lambda _: None,
    )
    held = network.history["test_accuracy"].iloc[-1]
    print(f"trained on {version}, seed {seed}: {held:.1%} held out, {time.perf_counter() - begin:.0f} s", flush=True)
    return TorchNetwork(network.network, seconds(DT), network.realisation)


def conflict(quick: bool) -> tuple[sc.SpikeDataset, np.ndarray]:
    """Return held-out trials whose counts tell one digit and whose first spikes another, and the latter's numbers."""
    held_out = digits(0.0, quick).split(0.7, seed=0)[1]
    labels, order = held_out.labels, np.arange(len(held_out))
    partner = np.array([next(j for j in np.roll(order, -i - 1) if labels[j] != labels[i]) for i in order])
    code, picture = LatencyRateMixture(spikes_per_feature=8), held_out.source.stimulus
    fired = [code.conflict(picture(i), picture(partner[i]), presentation_seed(1, i)) for i in order]
    spikes = sc.Recording(
        times=np.concatenate([one.times for one in fired]),
        offsets=np.concatenate([[0], np.cumsum(np.concatenate([one.counts for one in fired]))]),
        units=held_out.units,
        trials=held_out.trials,
    )
    return sc.SpikeDataset(spikes=spikes, label="digit", name="conflict", classes=held_out.classes), labels[partner]


def answers(module: TorchNetwork, dataset: sc.SpikeDataset) -> np.ndarray:
    """Return the class that the readout says when it is read up to each time step, shape (trial, step)."""
    import torch

    batches = Batches(dataset, module.network.sources()[0], DT)
    said = []
    with torch.no_grad():
        for first in range(0, len(dataset), 256):
            inputs, _ = batches(np.arange(first, min(first + 256, len(dataset))))
            evidence = LOSS.reads.of(module(inputs, traces=LOSS.reads.traces)).cumsum(dim=0)
            said.append(evidence.argmax(dim=2).numpy().T)
    return np.concatenate(said)


def crossed(seeds: int, quick: bool) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return accuracies of every network on every version against the time of reading, and what conflicts lead to."""
    rows, choices = [], []
    both, timed = conflict(quick)
    tests = {name: digits(knob, quick).split(0.7, seed=0)[1] for name, knob in VERSIONS.items()}
    for seed in range(seeds):
        for learnt in VERSIONS:
            module = trained(learnt, seed, quick)
            for tested, held_out in tests.items():
                curve = (answers(module, held_out) == held_out.labels[:, np.newaxis]).mean(axis=0)
                table = pd.DataFrame({"time": (np.arange(curve.size) + 1) * seconds(DT), "accuracy": curve})
                rows.append(table.assign(trained_on=learnt, tested_on=tested, seed=seed, trials=len(held_out)))
            said = answers(module, both)[:, -1]
            shares = {"counts": (said == both.labels).mean(), "first spikes": (said == timed).mean()}
            choices += [{"trained_on": learnt, "seed": seed, "follows": what, "share": n} for what, n in shares.items()]
    return pd.concat(rows, ignore_index=True), pd.DataFrame(choices)


def draw(told: pd.DataFrame, networks: pd.DataFrame, choices: pd.DataFrame, out: Path) -> None:
    """Draw rasters of a digit, information, crossed accuracies, accuracy against time, and answers to conflicts."""
    end = networks[networks["time"] == networks["time"].max()]
    with style():
        figure = new_figure(DOUBLE_COLUMN, 110.0)
        top, bottom = figure.subfigures(2, 1, height_ratios=(0.9, 1.1))
        rasters, axes = top.subplots(1, 3), bottom.subplots(1, 4)
        for ax, (name, knob) in zip(rasters, VERSIONS.items(), strict=True):
            draw_raster(ax, name, knob)
        draw_information(axes[0], told)
        draw_matrix(axes[1], end)
        draw_time(axes[2], networks)
        draw_conflict(axes[3], choices)
        panel_letters([rasters[0], *axes], dx=-26.0)
        data = {"information": told, "accuracy": networks, "conflict": choices}
        save_figure(settle(figure), data, out, "knob")


def draw_conflict(ax, choices: pd.DataFrame) -> None:
    for k, (what, colour) in enumerate(zip(("counts", "first spikes"), PALETTE, strict=False)):
        shares = 100 * choices[choices["follows"] == what].pivot_table(
            index="trained_on", columns="seed", values="share"
        )
        shares = shares.loc[list(VERSIONS)]
        at = np.arange(3) + 0.4 * (k - 0.5)
        ax.bar(at, shares.mean(axis=1), width=0.38, color=colour, label=f"follows {what}")
        ax.plot(np.repeat(at, shares.shape[1]), shares.to_numpy().ravel(), ".", color="black", markersize=2)
    ax.axhline(100 * CHANCE, color=FAINT_COLOUR, linewidth=0.5, linestyle="--")
    ax.set(xticks=range(3), xticklabels=list(VERSIONS), ylim=(0, 104))
    ax.set(xlabel="network trained on", ylabel="answers to conflicts (%)")
    ax.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0))


def draw_raster(ax, name: str, knob: float) -> None:
    dataset = digits(knob, quick=True)
    times, units, _, _ = dataset[0]
    picture = dataset.source.stimulus(0).luminance.ravel()
    rank = np.argsort(np.argsort(picture, kind="stable"))
    on = units % 2 == 0
    ax.plot(1e3 * times[on], rank[units[on] // 2], "|", color="black", markersize=3, markeredgewidth=0.6)
    ax.set(xlim=(0, 100), ylim=(-1, 64), xlabel="time (ms)", yticks=[0, 63], yticklabels=["dark", "bright"])
    ax.set_title(f"{name}, knob {knob:g}: {int(on.sum())} spikes ON, {int((~on).sum())} OFF")
    if knob == 0:
        ax.set_ylabel("ON units, by pixel")


def draw_information(ax, told: pd.DataFrame) -> None:
    for (code, label), colour, marker in zip(CODES.items(), PALETTE, "os^", strict=False):
        rows = told[told["code"] == code]
        spread = np.abs(rows[["accuracy_low", "accuracy_high"]].to_numpy().T - rows["accuracy"].to_numpy())
        ax.errorbar(
            rows["mixture"],
            100 * rows["accuracy"],
            100 * spread,
            marker=marker,
            color=colour,
            label=label,
            elinewidth=0.6,
        )
    ax.axhline(100 * CHANCE, color=FAINT_COLOUR, linewidth=0.5, linestyle="--")
    ax.set(xlabel="knob, from rate (0) to latency (1)", ylabel="digits decoded (%)", ylim=(0, 104), xticks=KNOBS)
    ax.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), handlelength=1.2)


def draw_matrix(ax, end: pd.DataFrame) -> None:
    mean = (
        100
        * end.pivot_table(index="trained_on", columns="tested_on", values="accuracy").loc[
            list(VERSIONS), list(VERSIONS)
        ]
    )
    low = (
        100
        * end.pivot_table(index="trained_on", columns="tested_on", values="accuracy", aggfunc="min").loc[
            mean.index, mean.columns
        ]
    )
    high = (
        100
        * end.pivot_table(index="trained_on", columns="tested_on", values="accuracy", aggfunc="max").loc[
            mean.index, mean.columns
        ]
    )
    ax.imshow(mean, cmap="Greys", vmin=60, vmax=110, aspect="auto")
    for (i, j), value in np.ndenumerate(mean.to_numpy()):
        colour = "white" if value > 85 else "black"
        ax.text(
            j,
            i,
            f"{value:.0f}\n{low.iat[i, j]:.0f} to {high.iat[i, j]:.0f}",
            ha="center",
            va="center",
            color=colour,
            fontsize=SMALL,
        )
    ax.set(xticks=range(3), xticklabels=mean.columns, yticks=range(3), yticklabels=mean.index)
    ax.set(xlabel="tested on", ylabel="network trained on", title="held-out digits right (%)")
    ax.tick_params(length=0)
    ax.spines[:].set_visible(False)


def draw_time(ax, networks: pd.DataFrame) -> None:
    own = networks[networks["trained_on"] == networks["tested_on"]]
    for name, colour in zip(VERSIONS, (PALETTE[0], PALETTE[2], PALETTE[1]), strict=True):
        curve = own[own["trained_on"] == name].groupby("time")["accuracy"].agg(["mean", "min", "max"])
        ax.plot(1e3 * curve.index, 100 * curve["mean"], color=colour, label=name)
        ax.fill_between(1e3 * curve.index, 100 * curve["min"], 100 * curve["max"], color=colour, alpha=0.2, linewidth=0)
    ax.axhline(100 * CHANCE, color=FAINT_COLOUR, linewidth=0.5, linestyle="--")
    ax.set(xlabel="read until (ms)", ylabel="held-out digits right (%)", ylim=(0, 104), xlim=(0, 100))
    ax.legend(title="trained and tested on", title_fontsize=SMALL, loc="lower center", bbox_to_anchor=(0.5, 1.0))


def measured(told: pd.DataFrame, networks: pd.DataFrame, choices: pd.DataFrame) -> dict[str, dict[str, object]]:
    """Return the numbers of the study."""
    metrics: dict[str, dict[str, object]] = {}
    for row in told[told["code"].isin([*CODES, "trains"])].itertuples():
        source = f"linear discriminant, {row.accuracy_low:.3f} to {row.accuracy_high:.3f}, p = {row.p_corrected:.3g}"
        metrics[f"{row.code} decode the digit, knob {row.mixture:g}"] = {
            "value": row.accuracy,
            "published": None,
            "source": source,
        }
    counts = (
        f"{told['least_count'].min():g} to {told['largest_count'].max():g} in all trials of all positions of the knob"
    )
    metrics["spikes in a trial"] = {"value": float(told["least_count"].min()), "published": None, "source": counts}
    end = networks[networks["time"] == networks["time"].max()]
    for (learnt, tested), rows in end.groupby(["trained_on", "tested_on"], sort=False):
        low, high = rows["accuracy"].min(), rows["accuracy"].max()
        source = f"{len(rows)} seeds, {low:.3f} to {high:.3f}, {rows['trials'].iloc[0]} trials"
        value = {"value": rows["accuracy"].mean(), "published": None, "source": source}
        metrics[f"network trained on {learnt}, tested on {tested}"] = value
    for (learnt, what), rows in choices.groupby(["trained_on", "follows"], sort=False):
        source = f"{len(rows)} seeds, {rows['share'].min():.3f} to {rows['share'].max():.3f}"
        value = {"value": rows["share"].mean(), "published": None, "source": source}
        metrics[f"conflict, network trained on {learnt}: follows {what}"] = value
    own = networks[networks["trained_on"] == networks["tested_on"]].groupby(["trained_on", "time"])["accuracy"].mean()
    for name in VERSIONS:
        reached = own[name].index[(own[name] >= 0.9 * own[name].iloc[-1]).to_numpy()][0]
        metrics[f"{name}: time (s) to nine tenths of the final accuracy"] = {
            "value": reached,
            "published": None,
            "source": "mean of seeds",
        }
    return metrics


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("out/rate_and_latency"))
    parser.add_argument("--quick", action="store_true", help="300 digits, 20 neurons, one epoch, one seed")
    arguments = parser.parse_args()
    begin = time.perf_counter()
    arguments.out.mkdir(parents=True, exist_ok=True)
    told = information(arguments.quick)
    networks, choices = crossed(1 if arguments.quick else 3, arguments.quick)
    draw(told, networks, choices, arguments.out)
    results = {"study": "rate_and_latency", "metrics": measured(told, networks, choices)}
    results |= {"seconds": round(time.perf_counter() - begin, 1), "quick": arguments.quick}
    results |= {"provenance": provenance.collect(seed=0)}
    target = arguments.out / "results.json"
    target.write_text(json.dumps(results, indent=2) + "\n")
    print(target)


if __name__ == "__main__":
    main()
