"""Measure ISI-, SPIKE-distance and SPIKE-synchronisation beside PySpike and spikedist: how fast, the same numbers."""

import argparse
import json
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import numba
import numpy as np
import pandas as pd
import pyspike
import spikedist

import snncompare as sc
from snncompare import provenance
from snncompare.representation.metrics import ISI, SPIKE, Metric, SpikeSync

Matrix = np.ndarray
N_TRAINS, DURATION, SEED, REPEATS = 300, 1.0, 0, 7
N_SPIKES = (20, 40, 200)
N_TRAINS_QUICK, REPEATS_QUICK = 12, 3
N_TRAINS_PURE_PYTHON = 8
TOLERANCE = 1e-9
MEASURES: dict[str, tuple[Metric, Callable[..., Matrix], Callable[..., float]]] = {
    "isi": (ISI(), pyspike.isi_distance_matrix, spikedist.isi_distance),
    "spike": (SPIKE(), pyspike.spike_distance_matrix, spikedist.spike_distance),
    "spike_sync": (
        SpikeSync(),
        lambda trains: 1 - pyspike.spike_sync_matrix(trains),
        lambda a, b, interval: 1 - spikedist.spike_synchronization(a, b, interval=interval),
    ),
}


def trains_of(n_trains: int, n_spikes: int) -> tuple[sc.Recording, list[pyspike.SpikeTrain], list[list[float]]]:
    """Return the same uniformly random trains as a recording, one per trial, for PySpike and for spikedist."""
    times = np.sort(np.random.default_rng(SEED).uniform(0, DURATION, (n_trains, n_spikes)), axis=1)
    recording = sc.Recording.from_arrays(
        times=times.ravel(),
        unit=np.zeros(times.size, dtype=int),
        trial=np.repeat(np.arange(n_trains), n_spikes),
        units=pd.DataFrame(index=[0]),
        trials=pd.DataFrame({"start": 0.0, "stop": DURATION}, index=range(n_trains)),
    )
    return recording, [pyspike.SpikeTrain(train, [0.0, DURATION]) for train in times], times.tolist()


def clocked(compute: Callable[[], object], clock: Callable[[], float]) -> float:
    before = clock()
    compute()
    return clock() - before


def on_threads(n_threads: int, compute: Callable[[], Matrix]) -> Callable[[], Matrix]:
    """Return the computation, limited to a number of threads."""

    def limited() -> Matrix:
        allowed, numba.config.NUMBA_NUM_THREADS = numba.config.NUMBA_NUM_THREADS, n_threads
        try:
            return compute()
        finally:
            numba.config.NUMBA_NUM_THREADS = allowed

    return limited


def measure(quick: bool) -> dict[str, dict[str, object]]:
    """Return the numbers of every case, in microseconds per pair of trains, with ratios, their ranges and differences.

    Ours and PySpike's are clocked in turns, so that other work on the machine meets both; a ratio is that of one turn.
    """
    numbers: dict[str, dict[str, object]] = {}

    def note(name: str, value: float, source: str) -> None:
        numbers[name] = {"value": value, "published": None, "source": source}

    for n_spikes in N_SPIKES:
        recording, theirs, plain = trains_of(N_TRAINS_QUICK if quick else N_TRAINS, n_spikes)
        n_pairs = len(plain) * (len(plain) - 1) / 2
        for name, (metric, of_pyspike, of_spikedist) in MEASURES.items():
            case = f"{name}_{n_spikes}_spikes"
            ours = on_threads(1, lambda m=metric, r=recording: sc.distances(r, m).to_numpy())  # type: ignore[misc]
            ours_2 = on_threads(2, lambda m=metric, r=recording: sc.distances(r, m).to_numpy())  # type: ignore[misc]
            expected = of_pyspike(theirs)
            np.fill_diagonal(expected, 0.0)
            difference = max(float(np.abs(ours() - expected).max()), float(np.abs(ours_2() - expected).max()))
            difference = max(difference, _against_spikedist(ours(), plain, of_spikedist, note, case))
            if difference > TOLERANCE:
                raise SystemExit(f"{case}: our distances and theirs differ by {difference:.3g}.")
            turns = []
            for _ in range(REPEATS_QUICK if quick else REPEATS):
                one = clocked(ours, time.process_time)
                single = clocked(lambda f=of_pyspike, t=theirs: f(t), time.process_time)  # type: ignore[misc]
                two = clocked(ours_2, time.perf_counter)
                wall = clocked(lambda f=of_pyspike, t=theirs: f(t), time.perf_counter)  # type: ignore[misc]
                turns.append((one, single, two, wall))
            one, single, two, wall = (1e6 * statistics.median(column) / n_pairs for column in zip(*turns, strict=True))
            note(f"{case}_ours_1_thread_us", one, "processor time per pair")
            note(f"{case}_ours_2_threads_us", two, "wall-clock time per pair")
            note(f"{case}_pyspike_us", single, "processor time per pair")
            for threads, ratios in (
                ("1_thread", [t[1] / t[0] for t in turns]),
                ("2_threads", [t[3] / t[2] for t in turns]),
            ):
                note(f"{case}_ratio_{threads}", statistics.median(ratios), "PySpike / ours, median over turns")
                note(f"{case}_lowest_ratio_{threads}", min(ratios), "PySpike / ours, lowest turn")
                note(f"{case}_highest_ratio_{threads}", max(ratios), "PySpike / ours, highest turn")
            note(f"{case}_largest_difference", difference, "ours - theirs, same run")
    return numbers


def _against_spikedist(
    ours: Matrix, trains: list[list[float]], function: Callable[..., float], note: Callable[..., None], case: str
) -> float:
    """Clock spikedist, which is pure Python, on the first few trains; return the largest difference."""
    few = min(N_TRAINS_PURE_PYTHON, len(trains))
    pairs = [(i, j) for j in range(few) for i in range(j)]
    before = time.process_time()
    values = [function(trains[i], trains[j], interval=[0.0, DURATION]) for i, j in pairs]
    note(f"{case}_spikedist_us", 1e6 * (time.process_time() - before) / len(pairs), "processor time per pair, one call")
    return max(abs(ours[pair] - value) for pair, value in zip(pairs, values, strict=True))


def table(numbers: dict[str, dict[str, object]]) -> str:
    columns = {"ours_1_thread_us": "1 thread", "ours_2_threads_us": "2 threads", "pyspike_us": "PySpike"}
    columns |= {"spikedist_us": "spikedist"}
    rows = {}
    for case in (f"{name}_{n}_spikes" for name in MEASURES for n in N_SPIKES):
        row = [f"{numbers[f'{case}_{name}']['value']:.3g}" for name in columns]
        for threads in ("1_thread", "2_threads"):
            low, middle, high = (
                numbers[f"{case}_{kind}ratio_{threads}"]["value"] for kind in ("lowest_", "", "highest_")
            )
            row.append(f"{middle:.0f} ({low:.0f} to {high:.0f})")
        rows[case] = [*row, f"{numbers[f'{case}_largest_difference']['value']:.0e}"]
    titles = [*columns.values(), "ratio 1", "ratio 2", "difference"]
    return pd.DataFrame.from_dict(rows, orient="index", columns=titles).to_string()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("out/speed_profiles"))
    parser.add_argument("--quick", action="store_true", help=f"{N_TRAINS_QUICK} trains instead of {N_TRAINS}")
    arguments = parser.parse_args()
    begin = time.perf_counter()
    numbers = measure(arguments.quick)
    arguments.out.mkdir(parents=True, exist_ok=True)
    file = arguments.out / "results.json"
    results = {
        "study": "speed_profiles",
        "metrics": numbers,
        "seconds": round(time.perf_counter() - begin, 1),
        "quick": arguments.quick,
        "provenance": provenance.collect(seed=SEED),
    }
    file.write_text(json.dumps(results, indent=2) + "\n")
    print("microseconds per pair of trains; ratios are PySpike / ours\n" + table(numbers))
    print(file)


if __name__ == "__main__":
    main()
