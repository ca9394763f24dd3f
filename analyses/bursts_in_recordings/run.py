"""Ask how much of what cortical neurons tell about stimuli is in bursts, how much in events, and what is chance."""

import argparse
import json
import os
import time
from pathlib import Path

import numpy as np
import pandas as pd
import yaml

import snncompare as sc
from snncompare.commands.compare_data import read_trials
from snncompare.commands.compare_parts import RecordingConfig
from snncompare.figures.burst_panels import draw_burst_probability, draw_excess, draw_shares, excess_data, shares_data
from snncompare.figures.save import save_figure
from snncompare.figures.style import DOUBLE_COLUMN, FAINT_COLOUR, new_figure, panel_letters, settle, style
from snncompare.provenance import collect
from snncompare.representation.burst_decomposition import BurstDecomposition, burst_decomposition
from snncompare.testing.burst_codes import burst_code

HERE = Path(__file__).parent
INTERVALS = {"IT": ("8 ms", "16 ms", "32 ms"), "V1": ("8 ms", "16 ms")}  # V1: 60 ms are too short for 32 ms
REFRACTORY = 2e-3
TRUTHS = {
    "events": {"code": "events"},
    "bursts": {"code": "bursts"},
    "both": {"code": "both"},
    "rate": {"code": "rate"},
    "rate, 30 Hz": {"code": "rate", "rate": 30.0},
    "rate, slow recovery": {"code": "rate", "recovery": 0.6},
    "rate, gain 0.4": {"code": "rate", "gain": 0.4},
    "events, transient": {"code": "events", "transient": 3.0},
    "both, weak": {"code": "both", "depth": 0.25},
}
"""Codes of the calibration; `burst_code` says what they are."""


def read(name: str, shared: Path) -> tuple[sc.Recording, str, str | None]:
    """Return a recording, the column of its conditions, and of its sessions if they share no trials."""
    given = yaml.safe_load((HERE / "config.yaml").read_text())[name]
    recording = read_trials(RecordingConfig.parse(given, "config.yaml"), shared / "data")
    if name == "it":
        trials = recording.trials
        return (
            recording.with_trials(picture=(trials["object"] + ", " + trials["position"]).to_list()),
            "picture",
            "session",
        )
    return recording, "orientation_deg", None


def intervals(recording: sc.Recording) -> np.ndarray:
    """Return all interspike intervals inside trials, seconds."""
    train = np.repeat(np.arange(recording.offsets.size - 1), np.diff(recording.offsets))
    return np.diff(recording.times)[train[1:] == train[:-1]]


def calibration(n: int) -> pd.DataFrame:
    """Return how often an excess is found in codes that are known, and how large it is."""
    rows = []
    for name, how in TRUTHS.items():
        found = [
            burst_decomposition(
                burst_code(seed=seed, n_units=20, duration=0.4, **how),
                "condition", n_surrogates=19, n_splits=3, n_resamples=100, seed=seed,
            )
            for seed in range(n)
        ]  # fmt: skip
        codes = pd.concat([one.codes.loc[["excess"]] for one in found])
        more = [one.shares.loc["later spikes alone", "p"] <= 0.05 for one in found]
        rows.append(
            {"code": name, "found": (codes["p"] <= 0.05).mean(), "relative": codes["relative"].mean(),
             "bursts beyond counts": np.mean(more)}
        )  # fmt: skip
    return pd.DataFrame(rows).set_index("code")


def metrics_of(
    name: str, recording: sc.Recording, found: dict[str, BurstDecomposition]
) -> dict[str, dict[str, object]]:
    """Return the numbers of one recording, as they are stored."""
    rows: dict[str, tuple[object, str]] = {}
    usual = found["16 ms"].units
    for column in ("spikes", "events", "bursts", "burst_probability", "expected_probability", "propensity"):
        rows[f"{column} per unit, median"] = (float(usual[column].median()), "window and trials of config.yaml")
    rows["units with at least 50 bursts"] = (int((usual["bursts"] >= 50).sum()), f"of {len(usual)}")
    rows["units that burst more than their rate makes by chance"] = (
        float((usual["burst_probability"] > usual["expected_probability"]).mean()), "share of units",
    )  # fmt: skip
    short = intervals(recording) < REFRACTORY - 1e-9
    rows["intervals below 2 ms"] = (float(short.mean()), "share of all intervals: refractory violations")
    for interval, one in found.items():
        for part, row in one.shares.iterrows():
            rows[f"{part}, {interval}"] = (row["share"], f"95 % over units {row['ci_low']:.3f} to {row['ci_high']:.3f}")
            rows[f"{part}, {interval}, surrogates"] = (row["surrogate"], "same counts and rates, bursts by chance")
        excess = excess_data({interval: one}).iloc[0]
        ends = f"95 % over units {excess['ci_low']:.4f} to {excess['ci_high']:.4f}, p = {excess['p']:.3g}"
        rows[f"bursts beyond event rates, {interval}"] = (excess["relative"], ends)
        for code in ("spikes", "events", "bursts"):
            rows[f"RDM reliability, {code}, {interval}"] = (
                one.codes.loc[code, "rdm_reliability"],
                "halves of the trials",
            )
    return {f"{name}: {key}": {"value": v, "published": None, "source": s} for key, (v, s) in rows.items()}


def draw(found: dict[str, dict[str, BurstDecomposition]], spikes: dict[str, sc.Recording], folder: Path) -> None:
    """Draw shares, burst probabilities, intervals and the excess."""
    named = {f"{name}\n{interval}": one for name, several in found.items() for interval, one in several.items()}
    with style():
        figure = new_figure(DOUBLE_COLUMN, 125.0)
        axes = figure.subplots(2, 2).ravel()
        draw_shares(named, axes[0])
        draw_burst_probability(found["IT"]["16 ms"], axes[1])
        edges = np.arange(0, 0.0505, 1e-3)
        for (name, recording), colour in zip(spikes.items(), ("black", FAINT_COLOUR), strict=False):
            share = np.histogram(intervals(recording) + 1e-9, edges)[0] / intervals(recording).size
            axes[2].stairs(100 * share, 1e3 * edges, color=colour, label=name)
        axes[2].axvline(16, color="black", linewidth=0.6, linestyle=(0, (4, 2)))
        axes[2].set(xlabel="Interspike interval (ms)", ylabel="Intervals (%)", xlim=(0, 50))
        axes[2].legend()
        draw_excess({name.replace("\n", ", "): one for name, one in named.items()}, axes[3])
        panel_letters(list(axes), dx=-24.0, dy=6.0)
        tables = {"shares": shares_data(named), "excess": excess_data(named), "units": found["IT"]["16 ms"].units}
        save_figure(settle(figure), tables, folder, "bursts")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("out/bursts_in_recordings"))
    parser.add_argument("--quick", action="store_true", help="19 surrogates, 2 splits, 2 repeats of the calibration")
    arguments = parser.parse_args()
    shared = Path(os.environ.get("SNNCOMPARE_SHARED", HERE.parents[2] / "shared"))
    files = {"it": "it_seven_objects_a/it_seven_objects_a.npz", "v1": "mouse_v1_gratings/mouse_v1_gratings.npz"}
    missing = [file for file in files.values() if not (shared / "data" / file).is_file()]
    if missing:
        print(f"skipped: {', '.join(missing)} not in {shared / 'data'}; not part of the repository")
        return
    begin, quick = time.perf_counter(), arguments.quick
    arguments.out.mkdir(parents=True, exist_ok=True)
    metrics: dict[str, dict[str, object]] = {}
    found: dict[str, dict[str, BurstDecomposition]] = {}
    spikes: dict[str, sc.Recording] = {}
    for title, name in (("IT", "it"), ("V1", "v1")):
        recording, by, join = read(name, shared)
        spikes[title] = recording
        found[title] = {
            interval: burst_decomposition(
                recording, by, interval=interval, join=join,
                n_surrogates=19 if quick else 99, n_splits=2 if quick else 10,
            )
            for interval in INTERVALS[title]
        }  # fmt: skip
        metrics |= metrics_of(title, recording, found[title])
    table = calibration(2 if quick else 40)
    for code, row in table.iterrows():
        how = "share of simulations with p <= 0.05"
        metrics[f"ground truth '{code}': excess found"] = {"value": row["found"], "published": None, "source": how}
        metrics[f"ground truth '{code}': excess"] = {
            "value": row["relative"], "published": None, "source": "mean part of the dissimilarity",
        }  # fmt: skip
    draw(found, spikes, arguments.out)
    results = {"study": "bursts_in_recordings", "metrics": metrics, "seconds": round(time.perf_counter() - begin, 1)}
    inputs = [shared / "data" / file for file in files.values()]
    results |= {
        "quick": quick,
        "answer": {title: several["16 ms"].summary() for title, several in found.items()},
        "provenance": collect(inputs=inputs, seed=0)
        | {"decomposition": found["IT"]["16 ms"].provenance["decomposition"]},
    }
    target = arguments.out / "results.json"
    target.write_text(json.dumps(results, indent=2, default=float) + "\n")
    print(target)


if __name__ == "__main__":
    main()
