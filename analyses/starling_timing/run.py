"""Ask at which precision two neurons of starling forebrain tell songs apart, and whether spike counts would do."""

import argparse
import json
import os
import time
from pathlib import Path

import numpy as np
import pandas as pd
import yaml
from scipy.stats import spearmanr

import snncompare as sc
from snncompare.commands.compare_data import read_trials
from snncompare.commands.compare_parts import RecordingConfig
from snncompare.comparison.precision.timing import TimingContribution
from snncompare.figures.condition_rasters import draw_condition_raster
from snncompare.figures.save import save_figure
from snncompare.figures.style import DOUBLE_COLUMN, PALETTE, colours_for, new_figure, panel_letters, settle, style
from snncompare.figures.timing_curve import draw_timing_contribution
from snncompare.representation.conditions import Conditions
from snncompare.representation.nearest_mean import accuracy, root_counts
from snncompare.units import seconds

HERE = Path(__file__).parent
SPIKES = "starling_songs/spikes"
UNITS = {"st11_1_2_1": (0.47, 0.90), "st49_2_4_1": (0.20, 0.67)}
SCALES = ("5 ms", "10 ms", "20 ms", "50 ms", "100 ms", "200 ms", "500 ms")
WIDTHS = ("10 ms", "20 ms", "50 ms", "100 ms", "200 ms", "500 ms", "1 s")
METRICS = (*sc.VanRossum.sweep(SCALES), sc.SpikeCount())


def read(spikes: Path, unit: str) -> sc.Recording:
    """Return the trials of one unit, numbered within each song."""
    given = yaml.safe_load((HERE / "config.yaml").read_text())["recording"] | {"file": unit}
    recording = read_trials(RecordingConfig.parse(given, "config.yaml"), spikes)
    return recording.with_trials(presentation=recording.trials.groupby("song").cumcount().to_list())


def precision(recording: sc.Recording, n_splits: int) -> pd.DataFrame:
    """Return the split-half Spearman correlation of the RDM at every time scale; a missing one stands for the count."""
    halves = sc.replicates(
        sc.distances(recording, METRICS), recording.trials["song"].to_list(), n_resamples=50, n_splits=n_splits
    )
    pairs = zip(halves.half_a, halves.half_b, strict=True)
    found = [np.mean([spearmanr(x, y).statistic for x, y in zip(a, b, strict=True)]) for a, b in pairs]
    return pd.DataFrame({"time_scale": halves.time_scale, "spearman": found})


def timing(recording: sc.Recording, n_surrogates: int) -> TimingContribution:
    """Return what is lost when spikes of every other presentation are moved within widths up to 1 s.

    The songs are cut into pieces of 1 s, each a condition; the model is the RDM of the other presentations.
    """
    cut = recording.cut_windows("1 s")
    second = cut.trials["onset"].round().astype(int).astype(str)
    pieces = cut.with_trials(piece=(cut.trials["song"] + " " + second).to_list())
    even = (pieces.trials["presentation"] % 2 == 0).to_numpy()
    metrics = sc.VanRossum.sweep(["10 ms", "50 ms", "200 ms"])
    others = sc.rdm(pieces.select(trials=~even), metrics, "piece")
    return sc.timing_contribution(
        pieces.select(trials=even), {"other presentations": others}, metrics, "piece", WIDTHS, n_surrogates=n_surrogates
    )


def draw(recordings: dict, curves: dict, timings: dict, folder: Path) -> None:
    """Draw spikes by song, reliability against time scale, and the timing contribution of both units."""
    with style():
        figure = new_figure(DOUBLE_COLUMN, 110.0)
        axes = figure.subplots(2, 2).ravel()
        for ax, (unit, recording) in zip(axes, recordings.items(), strict=False):
            draw_condition_raster(recording, recording.units.index[0], "song", ax).set_title(unit)
        for colour, (unit, curve) in zip(PALETTE, curves.items(), strict=False):
            timed = curve.dropna()
            axes[2].plot(1e3 * timed["time_scale"], timed["spearman"], "o-", color=colour, label=unit)
            axes[2].axhline(curve["spearman"].iloc[-1], color=colour, linestyle=(0, (6, 1.5)), linewidth=0.8)
        axes[2].set_xscale("log")
        axes[2].set_xticks([1e3 * seconds(scale) for scale in SCALES], [scale.split()[0] for scale in SCALES])
        axes[2].minorticks_off()
        axes[2].set(xlabel="Time constant (ms)", ylabel="Split-half Spearman correlation")
        axes[2].set_title("Dashed: spike count", loc="left")
        axes[2].legend()
        table = pd.concat([found.table.assign(model=unit) for unit, found in timings.items()])
        table = table[np.isclose(table["time_scale"], 0.05)]
        draw_timing_contribution(table, axes[3], colours=colours_for(timings), measure="Spearman correlation")
        panel_letters(list(axes), dx=-24.0)
        save_figure(settle(figure), {"reliability": pd.concat(curves), "timing": table}, folder, "timing")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("out/starling_timing"))
    parser.add_argument("--quick", action="store_true", help="19 surrogates, 20 splits")
    arguments = parser.parse_args()
    spikes = Path(os.environ.get("SNNCOMPARE_SHARED", HERE.parents[2] / "shared")) / "data" / SPIKES
    if not spikes.is_dir():
        print(f"skipped: {SPIKES} is not in {spikes.parents[1]}; it is not part of the repository")
        return
    begin = time.perf_counter()
    arguments.out.mkdir(parents=True, exist_ok=True)
    metrics, answers = {}, []
    recordings, curves, timings = {}, {}, {}
    for unit, published in UNITS.items():
        recordings[unit] = recording = read(spikes, unit)
        songs = Conditions.of(recording, "song").index
        for what, bins, told in (("count", None, published[0]), ("100 ms bins", "100 ms", published[1])):
            metrics[f"{unit}: decoding of 6 songs, {what}"] = {
                "value": accuracy(root_counts(recording, bins), songs), "published": told,
                "source": "shared/data/starling_songs/README.md",
            }  # fmt: skip
        curves[unit] = precision(recording, 20 if arguments.quick else 200)
        for row in curves[unit].itertuples():
            at = "spike count" if np.isnan(row.time_scale) else f"van Rossum {1e3 * row.time_scale:g} ms"
            metrics[f"{unit}: split-half Spearman, {at}"] = {"value": row.spearman, "published": None, "source": ""}
        timings[unit] = found = timing(recording, 19 if arguments.quick else 999)
        width = float(found.breaking_width.iloc[0])
        metrics[f"{unit}: jitter that breaks the match (s)"] = {"value": None if np.isnan(width) else width,
            "published": None, "source": found.surrogate}  # fmt: skip
        answers.append(f"{unit}: {found.summary()}")
    draw(recordings, curves, timings, arguments.out)
    results = {"study": "starling_timing", "metrics": metrics, "seconds": round(time.perf_counter() - begin, 1)}
    results |= {"quick": arguments.quick, "answer": "\n".join(answers), "provenance": found.provenance}
    target = arguments.out / "results.json"
    target.write_text(json.dumps(results, indent=2) + "\n")
    print(target)


if __name__ == "__main__":
    main()
