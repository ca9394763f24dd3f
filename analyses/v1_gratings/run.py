"""Ask whether mouse visual cortex tells orientations apart as a circle, and whether a spiking network does it alike."""

import argparse
import json
import os
import shutil
import time
from pathlib import Path

import numpy as np
import pandas as pd
import yaml

import snncompare as sc
from snncompare import cli
from snncompare.commands.compare_data import read_trials
from snncompare.commands.compare_parts import RecordingConfig
from snncompare.representation.quality import Drift

HERE = Path(__file__).parent
RECORDING = "neo_recordings/mouse_v1_gratings_60units.nwb"
ALL_UNITS = "mouse_v1_gratings/mouse_v1_gratings.npz"
ORIENTATIONS = (0, 45, 90, 135)
POSITIONS = np.stack(np.meshgrid(np.arange(8), np.arange(8)), -1).reshape(-1, 2) - 3.5
CYCLES = 0.2  # per position
DT, DURATION, LATENCY = 5e-4, 0.1, 0.035


def gratings(orientation_deg: np.ndarray, phase: np.ndarray) -> np.ndarray:
    """Return sinusoidal gratings at the 64 positions, shape (n_gratings, 64)."""
    across = np.deg2rad(orientation_deg + 90)
    along = POSITIONS @ np.stack([np.cos(across), np.sin(across)])
    return np.cos(2 * np.pi * CYCLES * along.T - phase[:, None])


def lgn_spikes(n_repeats: int, rng: np.random.Generator) -> sc.Recording:
    """Return ON and OFF cells: 5 Hz, from 35 ms on up to 80 Hz more where it is bright or dark; Bernoulli bins."""
    shown = np.repeat(ORIENTATIONS, n_repeats)
    image = gratings(shown, np.zeros(shown.size))
    drive = np.concatenate([image, -image], axis=1).clip(0)
    begin = np.arange(0, DURATION, DT)
    rate = 5 + 80 * drive[:, :, None] * (begin >= LATENCY)
    trial, unit, step = np.nonzero(rng.random(rate.shape) < rate * DT)
    return sc.Recording.from_arrays(
        times=begin[step],
        unit=unit,
        trial=trial,
        units=pd.DataFrame({"kind": ["ON"] * 64 + ["OFF"] * 64}, index=range(128)),
        trials=pd.DataFrame({"start": 0.0, "stop": DURATION, "orientation_deg": shown}, index=range(shown.size)),
    )


def gabor_weights(rng: np.random.Generator) -> np.ndarray:
    """Return volts (128 LGN cells, 60 V1 cells): preferred orientations even on the circle, phases random."""
    filters = gratings(np.arange(60) * 3.0, rng.uniform(0, 2 * np.pi, 60))
    filters = filters * np.exp(-(POSITIONS**2).sum(axis=1) / (2 * 2.0**2))
    weights = np.concatenate([filters, -filters], axis=1).clip(0).T
    return 0.13 * weights / weights.sum(axis=0)  # so that the network fires at about the rate of the recording


def prepare(folder: Path, recording: Path, quick: bool) -> Path:
    """Put everything that the configuration names into one folder and return its path there."""
    folder.mkdir(parents=True, exist_ok=True)
    spikes, weights, shuffling = np.random.default_rng(0).spawn(3)
    lgn_spikes(5 if quick else 20, spikes).save(folder / "lgn_spikes.npz")
    feed = gabor_weights(weights)
    np.savez(folder / "weights.npz", feed=feed)
    np.savez(folder / "weights_shuffled.npz", feed=shuffling.permuted(feed, axis=0))
    for file in (recording, HERE / "network.yaml"):
        shutil.copy(file, folder)
    config = yaml.safe_load((HERE / "config.yaml").read_text())
    config["resamples"] = 100 if quick else config["resamples"]
    path = folder / "config.yaml"
    path.write_text(yaml.safe_dump(config, sort_keys=False))
    return path


def spikes_that_differ(folder: Path) -> int:
    """Return how many spikes of the Gabor network differ between the backends, out of all trials."""
    network, feed = sc.Network.load(folder / "network.yaml"), np.load(folder / "weights.npz")["feed"]
    runs = [
        sc.compile(network, backend, dt=f"{DT} s", weights={"feed": feed}).run(
            {"lgn": sc.read(folder / "lgn_spikes.npz")}, duration=f"{DURATION} s"
        )
        for backend in ("torch", "brian2")
    ]
    found = [set(zip(*run.spike_index(), run.times.round(9), strict=True)) for run in runs]
    return len(found[0] ^ found[1])


def before_and_after(folder: Path, quick: bool) -> Drift:
    """Return what all 1000 units say from 0 to 40 ms, before anything has reached the cortex, and from 50 to 90 ms."""
    config = {
        "file": ALL_UNITS,
        "layout": {
            "type": "counts",
            "times": "spike_time_s",
            "counts": "count",
            "time_unit": "s",
            "labels": "orientation_deg",
            "window": ["0 s", "100 ms"],
        },
        "condition": "orientation_deg",
    }
    recording = read_trials(RecordingConfig.parse(config, "before_and_after"), folder)
    windows = ("0 ms", "40 ms"), ("50 ms", "90 ms")
    return sc.drift(recording, "orientation_deg", *windows, bins="10 ms", n_splits=5 if quick else 50)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("out/v1_gratings"))
    parser.add_argument("--quick", action="store_true", help="5 repeats of the network's input, 100 resamples")
    arguments = parser.parse_args()
    shared = Path(os.environ.get("SNNCOMPARE_SHARED", HERE.parents[2] / "shared"))
    if not (shared / "data" / RECORDING).is_file():
        print(f"skipped: {RECORDING} is not in {shared / 'data'}; it is not part of the repository")
        return
    begin = time.perf_counter()
    config = prepare(arguments.out / "inputs", shared / "data" / RECORDING, arguments.quick)
    if cli.main(["compare", str(config), "--out", str(arguments.out)]) != 0:
        raise SystemExit("the comparison failed")
    result = sc.Result.load(arguments.out / "result")
    at_10ms = result.table[result.table["time_scale"].round(6) == 0.01].set_index("model")
    metrics = {
        f"similarity, {name}, 10 ms": {"value": row["similarity"], "published": None, "source": "van Rossum, Spearman"}
        for name, row in at_10ms.iterrows()
    }
    for edge in ("ceiling_low", "ceiling_high"):
        metrics[f"{edge}, 10 ms"] = {"value": at_10ms[edge].iloc[0], "published": None, "source": "halves of trials"}
    differ = spikes_that_differ(arguments.out / "inputs")
    metrics["spikes that differ, torch and brian2"] = {"value": differ, "published": None, "source": "float64, 0.5 ms"}
    if (shared / "data" / ALL_UNITS).is_file():
        found = before_and_after(shared / "data", arguments.quick)
        for window, published in (("baseline", 0.25), ("response", 1.0)):
            at = "0 to 40 ms" if window == "baseline" else "50 to 90 ms"
            values = getattr(found, window)
            metrics[f"decoding of 4 orientations, 1000 units, {at}"] = {
                "value": values.decoding,
                "published": published,
                "source": "shared/data/mouse_v1_gratings/README.md: chance before 40 ms, 1.00 from 40 ms on",
            }
            metrics[f"split-half Spearman of the RDM, 1000 units, {at}"] = {
                "value": values.reliability,
                "published": None if window == "baseline" else 0.99,
                "source": f"permutation p = {values.reliability_p:.3g}",
            }
    results = {"study": "v1_gratings", "metrics": metrics, "seconds": round(time.perf_counter() - begin, 1)}
    results |= {"quick": arguments.quick, "answer": result.summary(), "provenance": result.provenance}
    file = arguments.out / "results.json"
    file.write_text(json.dumps(results, indent=2) + "\n")
    print(file)


if __name__ == "__main__":
    main()
