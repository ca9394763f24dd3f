"""Time a whole precision study: RDMs of a recording and of 200 surrogates at ten time scales, against a model."""

import argparse
import json
import os
import resource
import time
from pathlib import Path

import numba
import numpy as np
import pandas as pd

import snncompare as sc
from snncompare import provenance
from snncompare.comparison.precision.timing import timing_contribution
from snncompare.representation.model_rdms import circular

SEED, DURATION, RATE, TUNING = 0, 1.0, 10.0, 0.5
SIZE = {"conditions": 40, "repeats": 10, "units": 100, "time_scales": 10, "surrogates": 200}
QUICK = {"conditions": 6, "repeats": 3, "units": 5, "time_scales": 3, "surrogates": 19}
WIDTH = "20 ms"
ALL_PAIRS = 3
"""Surrogates that are also computed from the distances of all pairs of trials, as a check and for the ratio."""


def population(conditions: int, repeats: int, units: int) -> sc.Recording:
    """Return Poisson neurons at 10 Hz whose rates follow the conditions, which lie on a circle."""
    rng = np.random.default_rng(SEED)
    angle = np.repeat(np.arange(conditions), repeats) * 2 * np.pi / conditions
    preferred = np.linspace(0, 2 * np.pi, units, endpoint=False)
    mean = RATE * DURATION * (1 + TUNING * np.cos(angle[:, None] - preferred))
    counts = rng.poisson(mean).ravel()
    train = np.repeat(np.arange(counts.size), counts)
    return sc.Recording.from_arrays(
        times=rng.uniform(0, DURATION, train.size),
        unit=train % units,
        trial=train // units,
        units=pd.DataFrame(index=range(units)),
        trials=pd.DataFrame({"start": 0.0, "stop": DURATION, "degrees": np.rad2deg(angle).round(9)}),
    )


def largest_difference(recording: sc.Recording, metrics: tuple[sc.VanRossum, ...], n: int) -> tuple[float, float]:
    """Return how far the dissimilarities are from those of all pairs of trials, and their processor seconds."""
    from snncompare.recording.surrogates import WindowedJitter
    from snncompare.representation.pooled_conditions import condition_dissimilarities

    differences, seconds = [], 0.0
    for seed in range(n):
        moved = WindowedJitter(WIDTH).apply(recording, seed)
        begin = time.process_time()
        squared = sc.distances(moved, metrics).to_numpy() ** 2
        every = _unbiased(squared, moved.trials["degrees"].to_numpy())
        seconds += time.process_time() - begin
        found = condition_dissimilarities(moved, metrics, "degrees", sc.BetweenMinusWithin())
        differences.append(np.abs(found - every).max() / np.abs(every).max())
    return max(differences), seconds / n


def _unbiased(squared: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Return between minus within, straight from its definition."""
    names = list(dict.fromkeys(labels))
    rows = [np.flatnonzero(labels == name) for name in names]
    within = [squared[:, r][:, :, r].sum(axis=(1, 2)) / (r.size * (r.size - 1)) for r in rows]
    first, second = np.triu_indices(len(names), 1)
    return np.stack(
        [
            squared[:, rows[a]][:, :, rows[b]].mean(axis=(1, 2)) - (within[a] + within[b]) / 2
            for a, b in zip(first, second, strict=True)
        ],
        axis=1,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("out/speed_study"))
    parser.add_argument("--quick", action="store_true", help="a small study of the same kind")
    arguments = parser.parse_args()
    size = QUICK if arguments.quick else SIZE
    recording = population(size["conditions"], size["repeats"], size["units"])
    taus = np.geomspace(1e-3, 0.5, size["time_scales"])
    metrics = sc.VanRossum.sweep([f"{tau:.6g} s" for tau in taus])
    model = {"circle": circular(recording.trials["degrees"].unique(), 360.0)}
    sc.rdm(recording.select(trials=recording.trials["degrees"] < 90), metrics, by="degrees")  # compiles
    before = _megabytes()
    wall, processor = time.perf_counter(), time.process_time()
    found = timing_contribution(
        recording, model, metrics, "degrees", [WIDTH], n_surrogates=size["surrogates"], seed=SEED
    )
    wall, processor = time.perf_counter() - wall, time.process_time() - processor
    peak = _megabytes()
    difference, pairs_seconds = largest_difference(recording, metrics, ALL_PAIRS)
    per_surrogate = processor / (size["surrogates"] + 1)
    metrics_out = {
        "minutes, wall clock": wall / 60,
        "minutes, processor": processor / 60,
        "load of the machine, mean of 5 minutes": os.getloadavg()[1],
        "peak memory, MB": peak,
        "peak memory before the study, MB": before,
        "processor seconds per surrogate": per_surrogate,
        "processor seconds per surrogate from all pairs of trials": pairs_seconds,
        "largest relative difference from all pairs": difference,
        "spikes": float(recording.times.size),
        "smallest p over time scales": float(found.table["p"].min()),
        "similarity at the largest time scale": float(found.table["similarity"].iloc[-1]),
    }
    arguments.out.mkdir(parents=True, exist_ok=True)
    found.table.to_csv(arguments.out / "contribution.csv", index=False)
    source = f"{size}, {numba.config.NUMBA_NUM_THREADS} threads"
    results = {
        "study": "speed_study",
        "metrics": {name: {"value": v, "published": None, "source": source} for name, v in metrics_out.items()},
        "seconds": round(wall, 1),
        "quick": arguments.quick,
        "provenance": provenance.collect(seed=SEED),
    }
    file = arguments.out / "results.json"
    file.write_text(json.dumps(results, indent=2) + "\n")
    print(source)
    print("\n".join(f"{name:60s} {value:.4g}" for name, value in metrics_out.items()))
    print(file)


def _megabytes() -> float:
    """Return the largest memory that this process has held, in megabytes (Linux counts kilobytes)."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    main()
