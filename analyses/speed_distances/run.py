"""Measure our spike-train distances beside those of Elephant and spikedist: how much faster, and the same or not."""

import argparse
import itertools
import json
import math
import statistics
import time
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

import neo
import numba
import numpy as np
import pandas as pd
import quantities as pq
import spikedist
from elephant.spike_train_dissimilarity import van_rossum_distance, victor_purpura_distance

import snncompare as sc
from snncompare import provenance

Matrix = np.ndarray
Call = Callable[[], Matrix]
Numbers = dict[str, dict[str, object]]
N_EDITED, N_FILTERED, N_SPIKES, DURATION, SEED = 150, 300, 40, 1.0, 0
N_TRIALS, N_UNITS, N_PAIRS = 300, 50, 40
N_ROUNDS, N_CALLS = 3, 15
QUICK = {"N_EDITED": 12, "N_FILTERED": 12, "N_TRIALS": 20, "N_UNITS": 5, "N_PAIRS": 5, "N_ROUNDS": 2, "N_CALLS": 3}
TOLERANCE = 1e-9
MULTI_UNIT = "van_rossum_multi_unit"


def recording_of(trains: list[list[np.ndarray]]) -> sc.Recording:
    """Return ``trains[trial][unit]`` as a recording."""
    spikes = [(unit, trial, train) for trial, units in enumerate(trains) for unit, train in enumerate(units)]
    return sc.Recording.from_arrays(
        times=np.concatenate([train for *_, train in spikes]),
        unit=np.repeat([unit for unit, *_ in spikes], [train.size for *_, train in spikes]),
        trial=np.repeat([trial for _, trial, _ in spikes], [train.size for *_, train in spikes]),
        units=pd.DataFrame(index=range(len(trains[0]))),
        trials=pd.DataFrame({"start": 0.0, "stop": DURATION}, index=range(len(trains))),
    )


def with_threads(n_threads: int, call: Call) -> Matrix:
    allowed, numba.config.NUMBA_NUM_THREADS = numba.config.NUMBA_NUM_THREADS, n_threads
    try:
        return call()
    finally:
        numba.config.NUMBA_NUM_THREADS = allowed


def clocked(call: Call, repeats: int) -> tuple[Matrix, float, float]:
    """Return the result and the median wall-clock and processor seconds of ``repeats`` calls."""
    wall, processor = [], []
    for _ in range(repeats):
        before = time.perf_counter(), time.process_time()
        result = call()
        wall.append(time.perf_counter() - before[0])
        processor.append(time.process_time() - before[1])
    return result, statistics.median(wall), statistics.median(processor)


def distances(recording: sc.Recording, metric: object) -> Matrix:
    return sc.distances(recording, metric).to_numpy()


def by_pair(trains: list[list[float]], distance: Callable[[list[float], list[float]], float], factor: float) -> Matrix:
    """Return the matrix of a function of two trains, each pair once, in our normalisation."""
    result = np.zeros((len(trains), len(trains)))
    for i, j in itertools.combinations(range(len(trains)), 2):
        result[i, j] = result[j, i] = factor * distance(trains[i], trains[j])
    return result


def single_unit_cases(kind: str, n_trains: int) -> dict[str, tuple[Call, dict[str, Call]]]:
    """Return for each case our call and those of the others, on the same uniformly random trains."""
    times = np.sort(np.random.default_rng(SEED).uniform(0, DURATION, (n_trains, N_SPIKES)), axis=1)
    recording, lists = recording_of([[train] for train in times]), times.tolist()
    objects = [neo.SpikeTrain(train, units="s", t_stop=DURATION) for train in times]
    cases: dict[str, tuple[Call, dict[str, Call]]] = {}
    for scale in (0.01, 0.1):
        if kind == "victor_purpura":
            metric: object = sc.VictorPurpura.sweep([f"{scale} s"])[0]
            others: dict[str, Call] = {
                "elephant": partial(victor_purpura_distance, objects, cost_factor=pq.Hz / scale, sort=False),
                "spikedist": partial(by_pair, lists, partial(spikedist.victor_purpura, cost=1 / scale), 1.0),
            }
        else:
            metric = sc.VanRossum(tau=f"{scale} s")
            others = {
                "elephant": partial(van_rossum_distance, objects, time_constant=scale * pq.s, sort=False),
                "spikedist": partial(by_pair, lists, partial(spikedist.van_rossum, tau=scale), math.sqrt(2)),
            }
        cases[f"{kind}_{1e3 * scale:.0f}ms"] = (partial(distances, recording, metric), others)
    return cases


def compared(case: str, ours: Call, others: Mapping[str, Call], n_pairs: int, size: Mapping[str, int]) -> Numbers:
    """Return the numbers of a case: in every round ours, then the others, one after the other on the same machine."""
    with_threads(1, ours), with_threads(2, ours)
    kept: dict[str, list[float]] = {}

    def keep(name: str, value: float) -> None:
        kept.setdefault(f"{case}_{name}", []).append(value)

    for _ in range(size["N_ROUNDS"]):
        one, _, one_processor = clocked(lambda: with_threads(1, ours), size["N_CALLS"])
        _, two_wall, _ = clocked(lambda: with_threads(2, ours), size["N_CALLS"])
        keep("ours_1_thread_us", 1e6 * one_processor / n_pairs)
        keep("ours_2_threads_us", 1e6 * two_wall / n_pairs)
        for name, other in others.items():
            theirs, _, processor = clocked(other, 1)
            difference = float(np.abs(one - theirs).max())
            if difference > TOLERANCE:
                raise SystemExit(f"{case}: the distances of snncompare and {name} differ by {difference:.3g}.")
            keep(f"{name}_us", 1e6 * processor / n_pairs)
            keep(f"{name}_ratio_1_thread", processor / one_processor)
            keep(f"{name}_difference", difference)
    return {name: number(values) for name, values in kept.items()}


def number(values: list[float]) -> dict[str, object]:
    low, middle, high = min(values), statistics.median(values), max(values)
    return {"value": middle, "published": None, "source": f"median of {len(values)} rounds, {low:.4g} to {high:.4g}"}


def multi_unit(size: Mapping[str, int]) -> Numbers:
    """Return the time of a whole matrix of multi-unit distances, and of some pairs of it in spikedist."""
    rng = np.random.default_rng(SEED)
    n_trials, n_units = size["N_TRIALS"], size["N_UNITS"]
    trains = [
        [np.sort(rng.uniform(0, DURATION, rng.poisson(N_SPIKES))) for _ in range(n_units)] for _ in range(n_trials)
    ]
    recording, metric = recording_of(trains), sc.VanRossum(tau="20 ms")
    labelled = [{str(unit): train.tolist() for unit, train in enumerate(units)} for units in trains]
    some = list(itertools.combinations(range(n_trials), 2))[:: n_trials * (n_trials - 1) // 2 // size["N_PAIRS"]]
    kept: dict[str, list[float]] = {"seconds_1_thread": [], "seconds_2_threads": [], "spikedist_ratio_1_thread": []}
    for _ in range(size["N_ROUNDS"]):
        ours, one_wall, one_processor = clocked(
            lambda: with_threads(1, lambda: sc.distances(recording, metric).to_numpy()), 3
        )
        _, two_wall, _ = clocked(lambda: with_threads(2, lambda: sc.distances(recording, metric).to_numpy()), 3)
        theirs, _, processor = clocked(
            lambda: np.array(
                [spikedist.van_rossum_multiunit(labelled[i], labelled[j], tau=0.02, c=0.0) for i, j in some]
            ),
            1,
        )
        difference = max(abs(ours[i, j] - math.sqrt(2) * d) for (i, j), d in zip(some, theirs, strict=True))
        if difference > TOLERANCE:
            raise SystemExit(f"multi-unit van Rossum: snncompare and spikedist differ by {difference:.3g}.")
        kept["seconds_1_thread"].append(one_wall)
        kept["seconds_2_threads"].append(two_wall)
        kept["spikedist_ratio_1_thread"].append(
            (processor / len(some)) / (one_processor / (n_trials * (n_trials - 1) / 2))
        )
    kept["spikedist_difference"] = [difference]
    return {f"{MULTI_UNIT}_{name}": number(values) for name, values in kept.items()}


def table(metrics: Numbers, cases: list[str]) -> str:
    columns = ["ours_1_thread_us", "ours_2_threads_us"]
    columns += [f"{other}_{what}" for other in ("elephant", "spikedist") for what in ("us", "ratio_1_thread")]
    columns += ["elephant_difference"]
    rows = {case: [metrics[f"{case}_{name}"]["value"] for name in columns] for case in cases}
    frame = pd.DataFrame.from_dict(rows, orient="index", columns=columns)
    several = "\n".join(f"{name} {entry['value']:.3g}" for name, entry in metrics.items() if MULTI_UNIT in name)
    return frame.T.to_string(float_format=lambda x: f"{x:.3g}") + "\n" + several


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("out/speed_distances"))
    parser.add_argument("--quick", action="store_true", help="few trains, for a look at whether it works")
    arguments = parser.parse_args()
    begin = time.perf_counter()
    size = {name: QUICK[name] if arguments.quick else globals()[name] for name in QUICK}
    metrics, cases = multi_unit(size), []
    for kind, n_trains in (("van_rossum", size["N_FILTERED"]), ("victor_purpura", size["N_EDITED"])):
        for case, (ours, others) in single_unit_cases(kind, n_trains).items():
            metrics |= compared(case, ours, others, n_trains * (n_trains - 1) // 2, size)
            cases.append(case)
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
    print("microseconds per pair of trains, ratios of times\n" + table(metrics, cases))
    print(file)


if __name__ == "__main__":
    main()
