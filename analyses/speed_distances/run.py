"""Measure our spike-train distances beside Elephant's: how much faster, and are they the same numbers."""

import argparse
import json
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import neo
import numba
import numpy as np
import pandas as pd
import quantities as pq
from elephant.spike_train_dissimilarity import van_rossum_distance, victor_purpura_distance

import snncompare as sc
from snncompare import provenance

Matrix = np.ndarray
N_TRAINS, N_SPIKES, DURATION, SEED = 150, 40, 1.0, 0
N_TRAINS_QUICK = 12
TOLERANCE = 1e-9
CASES = {
    "victor_purpura_10ms": (
        sc.VictorPurpura(cost="100 Hz"),
        lambda trains: victor_purpura_distance(trains, cost_factor=100 * pq.Hz, sort=False),
    ),
    "victor_purpura_100ms": (
        sc.VictorPurpura(cost="10 Hz"),
        lambda trains: victor_purpura_distance(trains, cost_factor=10 * pq.Hz, sort=False),
    ),
    "van_rossum_10ms": (
        sc.VanRossum(tau="10 ms"),
        lambda trains: van_rossum_distance(trains, time_constant=10 * pq.ms, sort=False),
    ),
    "van_rossum_100ms": (
        sc.VanRossum(tau="100 ms"),
        lambda trains: van_rossum_distance(trains, time_constant=100 * pq.ms, sort=False),
    ),
}


def trains_of(n_trains: int) -> tuple[sc.Recording, list[neo.SpikeTrain]]:
    """Return the same uniformly random trains as a recording, one per trial, and as Neo objects."""
    times = np.sort(np.random.default_rng(SEED).uniform(0, DURATION, (n_trains, N_SPIKES)), axis=1)
    recording = sc.Recording.from_arrays(
        times=times.ravel(),
        unit=np.zeros(times.size, dtype=int),
        trial=np.repeat(np.arange(n_trains), N_SPIKES),
        units=pd.DataFrame(index=[0]),
        trials=pd.DataFrame({"start": 0.0, "stop": DURATION}, index=range(n_trains)),
    )
    return recording, [neo.SpikeTrain(train, units="s", t_stop=DURATION) for train in times]


def clocked(compute: Callable[[], Matrix], repeats: int) -> tuple[Matrix, float, float]:
    """Return the result and the median wall-clock and processor seconds of ``repeats`` calls after a first one."""
    result = compute()
    wall, processor = [], []
    for _ in range(repeats):
        before = time.perf_counter(), time.process_time()
        compute()
        wall.append(time.perf_counter() - before[0])
        processor.append(time.process_time() - before[1])
    return result, statistics.median(wall), statistics.median(processor)


def ours(recording: sc.Recording, metric: object, repeats: int, n_threads: int) -> tuple[Matrix, float, float]:
    allowed, numba.config.NUMBA_NUM_THREADS = numba.config.NUMBA_NUM_THREADS, n_threads
    try:
        return clocked(lambda: sc.distances(recording, metric).to_numpy(), repeats)
    finally:
        numba.config.NUMBA_NUM_THREADS = allowed


def measure(quick: bool) -> dict[str, dict[str, object]]:
    """Return the numbers of every case, in microseconds per pair of trains, with ratios and differences."""
    recording, trains = trains_of(N_TRAINS_QUICK if quick else N_TRAINS)
    n_pairs = len(trains) * (len(trains) - 1) / 2
    metrics: dict[str, dict[str, object]] = {}

    def note(name: str, value: float, source: str) -> None:
        metrics[name] = {"value": value, "published": None, "source": source}

    for case, (metric, elephant) in CASES.items():
        repeats = 3 if quick else 31
        one, _, one_processor = ours(recording, metric, repeats, n_threads=1)
        two, two_wall, _ = ours(recording, metric, repeats, n_threads=2)
        theirs, wall, processor = clocked(lambda call=elephant: call(trains), 1)  # type: ignore[misc]
        difference = max(float(np.abs(one - theirs).max()), float(np.abs(two - theirs).max()))
        if difference > TOLERANCE:
            raise SystemExit(f"{case}: ours and Elephant's distances differ by {difference:.3g}.")
        note(f"{case}_ours_1_thread_us", 1e6 * one_processor / n_pairs, "processor time per pair")
        note(f"{case}_ours_2_threads_us", 1e6 * two_wall / n_pairs, "wall-clock time per pair")
        note(f"{case}_elephant_us", 1e6 * processor / n_pairs, "processor time per pair")
        note(f"{case}_ratio_1_thread", processor / one_processor, "Elephant / ours, processor time")
        note(f"{case}_ratio_2_threads", wall / two_wall, "Elephant / ours, wall-clock time")
        note(f"{case}_largest_difference", difference, "ours - Elephant, same run")
    return metrics


def table(metrics: dict[str, dict[str, object]]) -> str:
    columns = {"ours_1_thread_us": "1 thread", "ours_2_threads_us": "2 threads", "elephant_us": "Elephant"}
    columns |= {"ratio_1_thread": "ratio 1", "ratio_2_threads": "ratio 2", "largest_difference": "difference"}
    rows = {case: [metrics[f"{case}_{name}"]["value"] for name in columns] for case in CASES}
    frame = pd.DataFrame.from_dict(rows, orient="index", columns=list(columns.values()))
    return frame.to_string(float_format=lambda x: f"{x:.3g}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("out/speed_distances"))
    parser.add_argument("--quick", action="store_true", help=f"{N_TRAINS_QUICK} trains instead of {N_TRAINS}")
    arguments = parser.parse_args()
    begin = time.perf_counter()
    metrics = measure(arguments.quick)
    arguments.out.mkdir(parents=True, exist_ok=True)
    file = arguments.out / "results.json"
    results = {
        "study": "speed_distances",
        "metrics": metrics,
        "seconds": round(time.perf_counter() - begin, 1),
        "quick": arguments.quick,
        "provenance": provenance.collect(seed=SEED),
    }
    file.write_text(json.dumps(results, indent=2) + "\n")
    print("microseconds per pair of trains\n" + table(metrics))
    print(file)


if __name__ == "__main__":
    main()
