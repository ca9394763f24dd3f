"""Ask whether the spectrum of sounds says how a neuron of gerbil inferior colliculus tells them apart."""

import argparse
import itertools
import json
import os
import time
from pathlib import Path

import numpy as np
import yaml
from scipy.io import wavfile
from scipy.signal import spectrogram

import snncompare as sc
from snncompare.commands.compare_data import read_trials
from snncompare.commands.compare_parts import RecordingConfig
from snncompare.figures.condition_rasters import draw_condition_raster
from snncompare.figures.save import save_figure
from snncompare.figures.similarity_curve import draw_similarity
from snncompare.figures.style import DOUBLE_COLUMN, new_figure, panel_letters, settle, style
from snncompare.representation.model_rdms import from_features

HERE = Path(__file__).parent
FOLDER = "gerbil_ic_fm_sounds"
PIECE = 0.5  # s
METRICS = (*sc.VanRossum.sweep(["5 ms", "10 ms", "20 ms", "50 ms", "100 ms", "200 ms"]), sc.SpikeCount())
BANDS = np.geomspace(200, 20_000, 25)


def pieces(folder: Path) -> tuple[sc.Recording, sc.Recording]:
    """Return the recording of whole sounds, and cut into pieces, each of which is a condition."""
    given = yaml.safe_load((HERE / "config.yaml").read_text())["recording"]
    whole = read_trials(RecordingConfig.parse(given, "config.yaml"), folder)
    cut = whole.cut_windows(f"{PIECE} s")
    number = (cut.trials["onset"] / PIECE).round().astype(int)
    return whole, cut.with_trials(piece=(cut.trials["sound"] + " " + number.astype(str)).to_list())


def spectra(folder: Path, names: list[str]) -> np.ndarray:
    """Return the level (dB) in 24 bands and 25 ms steps of every piece, shape (n_pieces, n_features)."""
    features = {}
    for sound in sorted({name.rsplit(" ", 1)[0] for name in names}):
        rate, wave = wavfile.read(folder / "wav" / sound)
        frequency, _, power = spectrogram(wave.astype(float), rate, nperseg=int(0.025 * rate), noverlap=0)
        band = np.stack([power[(frequency >= a) & (frequency < b)].sum(0) for a, b in itertools.pairwise(BANDS)])
        level = 10 * np.log10(band + 1e-3 * band.mean())
        steps = int(PIECE / 0.025)
        for k in range(level.shape[1] // steps):
            features[f"{sound} {k}"] = level[:, k * steps : (k + 1) * steps]
    return np.stack([features[name].ravel() for name in names])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("out/gerbil_sounds"))
    parser.add_argument("--quick", action="store_true", help="the first 3 s of every sound, 50 resamples")
    arguments = parser.parse_args()
    folder = Path(os.environ.get("SNNCOMPARE_SHARED", HERE.parents[2] / "shared")) / "data" / FOLDER
    if not (folder / "gerbil_ic_spikes.npz").is_file():
        print(f"skipped: {FOLDER} is not in {folder.parent}; it is not part of the repository")
        return
    begin = time.perf_counter()
    arguments.out.mkdir(parents=True, exist_ok=True)
    whole, cut = pieces(folder)
    if arguments.quick:
        cut = cut.select(trials=(cut.trials["onset"] < 3 - PIECE / 2).to_numpy())
    between = sc.distances(cut, METRICS)
    conditions = cut.trials["piece"].to_list()
    repeated = sc.replicates(between, conditions, n_resamples=50, n_splits=10 if arguments.quick else 50)
    rdms = sc.rdm(cut, METRICS, "piece")
    names = list(rdms.pattern_descriptors["condition"])
    features = spectra(folder, names)
    bands = features.reshape(len(names), len(BANDS) - 1, -1)
    models = {
        "spectrogram": from_features(names, features, "spectrogram"),
        "mean spectrum": from_features(names, bands.mean(axis=2), "mean spectrum"),
        "loudness": from_features(names, bands.mean(axis=1), "loudness"),
    }
    n_resamples = 50 if arguments.quick else 1000
    result = sc.compare(rdms, models, sc.Spearman(), replicates=repeated, n_resamples=n_resamples)
    result.save(arguments.out / "result")
    with style():
        figure = new_figure(DOUBLE_COLUMN, 75.0)
        axes = figure.subplots(1, 2)
        short = whole.with_trials(sound=[f"sound {name.split('_')[2]}" for name in whole.trials["sound"]])
        few = short.trials["sound"].isin([f"sound {k}" for k in range(1, 5)]).to_numpy()
        draw_condition_raster(short.select(trials=few), whole.units.index[0], "sound", axes[0])
        draw_similarity(result, axes[1], metric="van Rossum")
        panel_letters(list(axes), dx=-24.0)
        save_figure(settle(figure), result.table, arguments.out, "sounds")
    metrics = {}
    for row in result.table.itertuples():
        at = "spike count" if np.isnan(row.time_scale) else f"van Rossum {1e3 * row.time_scale:g} ms"
        metrics[f"{row.model}, {at}"] = {"value": row.similarity, "published": None, "source": row.verdict}
        metrics[f"ceiling_low, {at}"] = {"value": row.ceiling_low, "published": None, "source": "halves of trials"}
    results = {"study": "gerbil_sounds", "metrics": metrics, "seconds": round(time.perf_counter() - begin, 1)}
    results |= {"quick": arguments.quick, "answer": result.summary(), "provenance": result.provenance}
    target = arguments.out / "results.json"
    target.write_text(json.dumps(results, indent=2) + "\n")
    print(target)


if __name__ == "__main__":
    main()
