"""Ask what neurons of monkey inferior temporal cortex (IT), recorded one session at a time, tell apart, and when."""

import argparse
import json
import os
import time
from pathlib import Path

import numpy as np
import pandas as pd
import yaml
from scipy.spatial.distance import pdist
from scipy.stats import spearmanr

import snncompare as sc
from snncompare.commands.compare_data import read_trials
from snncompare.commands.compare_parts import RecordingConfig
from snncompare.figures.condition_rasters import draw_condition_raster
from snncompare.figures.rdm_panels import draw_rdm
from snncompare.figures.save import save_figure
from snncompare.figures.scaling import draw_scaling
from snncompare.figures.style import DOUBLE_COLUMN, PALETTE, colours_for, new_figure, panel_letters, settle, style
from snncompare.representation.model_rdms import categorical
from snncompare.representation.sessions import join_replicates, split_sessions

HERE = Path(__file__).parent
FILE = "it_seven_objects_a/it_seven_objects_a.npz"
RESPONSE, BEFORE = ("100 ms", "400 ms"), ("-300 ms", "0 ms")
METRICS = (*sc.VanRossum.sweep(["5 ms", "20 ms", "100 ms"]), sc.SpikeCount())
SHOWN = METRICS[2]
UNIT = "bp1004spk_04A"


def read(file: Path, window: tuple[str, str]) -> sc.Recording:
    """Return all sessions in one window, with the picture (object and position) as a label of the trials."""
    given = yaml.safe_load((HERE / "config.yaml").read_text())["recording"]
    given |= {"file": file.name, "window": list(window)}
    recording = read_trials(RecordingConfig.parse(given, "config.yaml"), file.parent)
    trials = recording.trials
    return recording.with_trials(picture=(trials["object"] + ", " + trials["position"]).to_list())


def reliability(recording: sc.Recording, metrics: tuple, n_splits: int):
    """Return the RDMs of halves of the trials, and their mean Spearman correlation for each metric."""
    halves = join_replicates(
        split_sessions(recording, "session"), metrics, "picture", n_resamples=50, n_splits=n_splits
    )
    pairs = zip(halves.half_a, halves.half_b, strict=True)
    return halves, [np.mean([spearmanr(x, y).statistic for x, y in zip(a, b, strict=True)]) for a, b in pairs]


def reliability_of_means(recording: sc.Recording, n_splits: int) -> float:
    """Return what the data set is known for: Euclidean distances of mean square-rooted counts, halves of the trials."""
    responses = np.sqrt(recording.counts().to_numpy())
    picture, session = (recording.trials[label].to_numpy() for label in ("picture", "session"))
    blocks = [
        np.flatnonzero((picture == p) & (session == s)) for p in sorted(set(picture)) for s in sorted(set(session))
    ]
    own = recording.units["session"].to_numpy()
    rng, found = np.random.default_rng(0), []
    for _ in range(n_splits):
        halves = np.zeros((2, len(set(picture)), recording.n_units))
        for k, block in enumerate(blocks):
            condition, shuffled = k // len(set(session)), rng.permutation(block)
            units = own == session[block[0]]
            for half, trials in zip(halves, np.array_split(shuffled, 2), strict=True):
                half[condition, units] = responses[np.ix_(trials, units)].mean(axis=0)
        found.append(spearmanr(pdist(halves[0]), pdist(halves[1])).statistic)
    return float(np.mean(found))


def over_time(file: Path, quick: bool) -> pd.DataFrame:
    """Return the reliability of the RDM in windows of 100 ms."""
    begin = np.arange(-500, 401, 600 if quick else 50)
    rows = []
    for start in begin:
        recording = read(file, (f"{start} ms", f"{start + 100} ms"))
        rows.append({"start_ms": start, "spearman": reliability(recording, (SHOWN,), 5 if quick else 20)[1][0]})
    return pd.DataFrame(rows)


def draw(file: Path, rdms: sc.RDM, curve: pd.DataFrame, folder: Path) -> None:
    """Draw spikes, dissimilarities, their plane, and their reliability over time."""
    labels = [str(label) for label in rdms.pattern_descriptors["condition"]]
    order = np.argsort(labels)
    matrix = rdms.get_matrices()[METRICS.index(SHOWN)][np.ix_(order, order)]
    labels = [labels[k] for k in order]
    objects = [label.split(",")[0] for label in labels]
    recording = read(file, ("-100 ms", "400 ms"))
    session = recording.units.loc[UNIT, "session"]
    middle = (recording.trials["session"] == session) & (recording.trials["position"] == "middle")
    with style():
        figure = new_figure(DOUBLE_COLUMN, 150.0)
        axes = figure.subplots(2, 2).ravel()
        one = recording.select(trials=middle.to_numpy(), units=(recording.units.index == UNIT))
        colours = colours_for(sorted(set(objects)))
        draw_condition_raster(one, UNIT, "object", axes[0], colours=colours)
        draw_rdm(matrix, objects, axes[1], every=3, dissimilarity="van Rossum distance, 100 ms")
        draw_scaling(matrix, [label.split(", ")[1] for label in labels], axes[2], groups=objects, colours=colours)
        axes[3].axvspan(0, 500, color="#F2F2F2", linewidth=0)
        axes[3].axhline(0, color="#8C8C8C", linewidth=0.6, linestyle=(0, (4, 2)))
        axes[3].plot(curve["start_ms"] + 50, curve["spearman"], "o-", color=PALETTE[0])
        axes[3].set(xlabel="Middle of the window (ms from picture onset)", ylabel="Split-half Spearman correlation")
        axes[3].text(250, axes[3].get_ylim()[1], "picture", ha="center", va="top")
        panel_letters(list(axes), dx=-24.0, dy=4.0)
        save_figure(settle(figure), curve, folder, "objects")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("out/it_objects"))
    parser.add_argument("--quick", action="store_true", help="4 windows over time, 5 splits")
    arguments = parser.parse_args()
    file = Path(os.environ.get("SNNCOMPARE_SHARED", HERE.parents[2] / "shared")) / "data" / FILE
    if not file.is_file():
        print(f"skipped: {FILE} is not in {file.parents[1]}; it is not part of the repository")
        return
    begin = time.perf_counter()
    arguments.out.mkdir(parents=True, exist_ok=True)
    metrics, n_splits = {}, 20 if arguments.quick else 100
    for name, window, published in (("100 to 400 ms", RESPONSE, 0.74), ("-300 to 0 ms", BEFORE, None)):
        recording = read(file, window)
        halves, found = reliability(recording, METRICS, n_splits)
        metrics[f"split-half Spearman, {name}, distances of mean square-rooted counts"] = {
            "value": reliability_of_means(recording, n_splits), "published": published,
            "source": "shared/data/it_seven_objects_a/README.md",
        }  # fmt: skip
        for metric, value in zip(METRICS, found, strict=True):
            metrics[f"split-half Spearman, {name}, {metric!r}"] = {
                "value": float(value), "published": None, "source": "unbiased, sessions joined by condition",
            }  # fmt: skip
        if window == RESPONSE:
            rdms = sc.rdm(recording, METRICS, "picture", join="session")
            result = compare(rdms, halves)
    result.save(arguments.out / "result")
    curve = over_time(file, arguments.quick)
    draw(file, rdms, curve, arguments.out)
    results = {"study": "it_objects", "metrics": metrics, "seconds": round(time.perf_counter() - begin, 1)}
    results |= {"quick": arguments.quick, "answer": result.summary(), "provenance": result.provenance}
    target = arguments.out / "results.json"
    target.write_text(json.dumps(results, indent=2) + "\n")
    print(target)


def compare(rdms: sc.RDM, halves) -> sc.Result:
    """Compare the RDMs with what a code for objects, and one for positions, would give."""
    pictures = rdms.pattern_descriptors["condition"]
    kinds = {"object": [p.split(", ")[0] for p in pictures], "position": [p.split(", ")[1] for p in pictures]}
    kinds["face or not"] = ["face" if kind == "face" else "other" for kind in kinds["object"]]
    models = {name: categorical(pictures, groups, name) for name, groups in kinds.items()}
    return sc.compare(rdms, models, sc.SpearmanRhoA(), replicates=halves)


if __name__ == "__main__":
    main()
