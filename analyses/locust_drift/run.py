"""Ask of two recordings of locust antennal lobe whether odours differ before they are given: the trap of drift."""

import argparse
import json
import os
import time
from pathlib import Path

import numpy as np
import yaml

import snncompare as sc
from snncompare.commands.compare_data import read_trials
from snncompare.commands.compare_parts import RecordingConfig
from snncompare.figures.rdm_panels import draw_rdm
from snncompare.figures.save import save_figure
from snncompare.figures.style import DOUBLE_COLUMN, new_figure, panel_letters, settle, style
from snncompare.recording.cutting import cut_at_zero
from snncompare.representation.quality import Drift

HERE = Path(__file__).parent
WINDOWS = {"april 2000": (("0 s", "2 s"), ("3 s", "5 s")), "february 2001": (("4 s", "6 s"), ("10 s", "12 s"))}
PUBLISHED = {
    ("april 2000", "baseline", "decoding"): 0.33,
    ("april 2000", "response", "decoding"): 0.44,
    ("april 2000", "baseline", "reliability"): 0.90,
    ("february 2001", "baseline", "decoding"): 0.24,
    ("february 2001", "response", "decoding"): 0.85,
}


def draw(recordings: dict[str, sc.Recording], found: dict[str, Drift], folder: Path) -> None:
    """Draw the RDMs of both windows of both recordings."""
    with style():
        figure = new_figure(DOUBLE_COLUMN, 150.0)
        axes = figure.subplots(2, 2)
        for row, (name, recording) in zip(axes, recordings.items(), strict=True):
            for ax, window, label in zip(row, WINDOWS[name], ("baseline", "response"), strict=True):
                rdms = sc.rdm(cut_at_zero(recording, window), sc.SpikeCount(), "odour")
                labels = [str(odour) for odour in rdms.pattern_descriptors["condition"]]
                draw_rdm(rdms.get_matrices()[0], labels, ax, dissimilarity="Spike counts", every=1)
                quality = getattr(found[name], label)
                where = "before the odour" if label == "baseline" else "odour"
                ax.set_title(f"{name.capitalize()}, {where}: rho {quality.reliability:.2f}", loc="left", fontsize=7)
        panel_letters(list(axes.ravel()), dx=-20.0, dy=4.0)
        table = found["april 2000"].table
        save_figure(settle(figure), table, folder, "drift")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("out/locust_drift"))
    parser.add_argument("--quick", action="store_true", help="200 permutations, 5 splits")
    arguments = parser.parse_args()
    data = Path(os.environ.get("SNNCOMPARE_SHARED", HERE.parents[2] / "shared")) / "data"
    given = yaml.safe_load((HERE / "config.yaml").read_text())
    if not all((data / given[name]["file"]).is_file() for name in WINDOWS):
        print(f"skipped: the recordings of the locust are not in {data}; they are not part of the repository")
        return
    begin = time.perf_counter()
    arguments.out.mkdir(parents=True, exist_ok=True)
    recordings, found, metrics = {}, {}, {}
    for name, (baseline, response) in WINDOWS.items():
        recordings[name] = read_trials(RecordingConfig.parse(given[name], "config.yaml"), data)
        n_permutations, n_splits = (400, 5) if arguments.quick else (1000, 50)
        found[name] = sc.drift(
            recordings[name], "odour", baseline, response, n_permutations=n_permutations, n_splits=n_splits
        )
        for window, values in found[name].table.iterrows():
            for what in ("decoding", "decoding_p", "reliability", "reliability_p"):
                metrics[f"{name}, {window}, {what}"] = {
                    "value": float(values[what]), "published": PUBLISHED.get((name, window, what)),
                    "source": "README of the data set; nearest mean, 100 ms bins; split halves",
                }  # fmt: skip
        metrics[f"{name}: dissimilarities before the odour / after"] = {
            "value": float(np.round(found[name].share, 6)), "published": None, "source": found[name].verdict,
        }  # fmt: skip
    draw(recordings, found, arguments.out)
    answer = "\n".join(f"{name}: {value.summary()}" for name, value in found.items())
    results = {"study": "locust_drift", "metrics": metrics, "seconds": round(time.perf_counter() - begin, 1)}
    results |= {"quick": arguments.quick, "answer": answer}
    target = arguments.out / "results.json"
    target.write_text(json.dumps(results, indent=2) + "\n")
    print(target)


if __name__ == "__main__":
    main()
