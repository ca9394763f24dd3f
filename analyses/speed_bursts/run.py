"""Measure what a simulated second costs on each backend: the bursting XOR network, a balanced network, a column."""

import argparse
import json
import multiprocessing
import os
import resource
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np

from snncompare import provenance

SEED, DT = 0, "0.1 ms"
REFERENCE = 0.45
"""Seconds of a plain C++ loop for one simulated second of the XOR network (measured once, on another day)."""
ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"), "1")
NETWORKS = ("xor", "balanced", "column")
# Simulated seconds of one run, long where a run is short.
DURATIONS = {
    "fused": 5.0,
    "torch": 0.2,
    "brian2 numpy": 0.2,
    "brian2 cython": 2.0,
    "brian2 C++ standalone": 5.0,
}
REPEATS = 3
TOO_MANY_PARTS = {("column", "brian2 cython"), ("column", "brian2 C++ standalone")}
"""Left out: the column's 80 projections and populations keep a C++ compiler busy for more than ten minutes."""
WAYS_OF_QUICK = ("fused", "torch")


def described(name: str, *, quick: bool) -> Any:
    """Return a network; with `quick`, a small one."""
    from snncompare.circuits.balanced import excitatory_inhibitory_network
    from snncompare.circuits.bursts.xor import burst_xor_network
    from snncompare.circuits.cortical_column import cortical_column

    match name:
        case "xor":
            return burst_xor_network(80, in_degree=20) if quick else burst_xor_network()
        case "balanced":
            return excitatory_inhibitory_network(400 if quick else 4000, delay="1 ms")
    return cortical_column(0.01 if quick else 0.1)


def recorded(network: Any) -> list[str]:
    """Return the populations whose spikes are kept: all but random backgrounds."""
    from snncompare.backends.activity import spiking

    return [name for name in spiking(network) if not name.startswith("background")]


def cpu() -> float:
    """Return processor seconds of this process and of those that it waited for."""
    own, others = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return own.ru_utime + own.ru_stime + others.ru_utime + others.ru_stime


def measured(network: Any, backend: str, duration: float, repeats: int, **options: Any) -> dict[str, Any]:
    """Return processor seconds to get ready and of single runs, and spikes per simulated second."""
    import snncompare as sc

    begin = cpu()
    program, record = sc.compile(network, backend, dt=DT, seed=SEED, **options), recorded(network)
    program.run({}, duration="10 ms", record=record)  # longer than the longest delay
    ready, runs, walls, spikes = cpu() - begin, [], [], 0
    for k in range(repeats):
        begin, clock = cpu(), time.perf_counter()
        spikes = len(program.run({}, duration=f"{duration} s", seed=k, record=record).times)
        runs.append((cpu() - begin) / duration)
        walls.append((time.perf_counter() - clock) / duration)
    return {"ready": ready, "runs": runs, "walls": walls, "spikes": spikes / duration}


def standalone(network: Any, duration: float, repeats: int) -> dict[str, Any]:
    """Return the same of the C++ program that Brian2 writes, the time to compile it apart."""
    import brian2

    from snncompare.backends.brian2.build import build
    from snncompare.backends.brian2.standalone import standalone_device
    from snncompare.backends.realisation import realise

    begin = cpu()
    realisation = realise(network, SEED, dt=1e-4)
    with standalone_device() as device:
        built = build(network, realisation, 1e-4, copies=1, target=None, spikes=recorded(network), traces=())
        brian2.Network(*built.objects()).run(duration * brian2.second, namespace={})
        folder = str(device.directory)
        brian2.device.build(directory=folder, compile=True, run=False, with_output=False, clean=False)
        ready, runs, walls = cpu() - begin, [], []
        for _ in range(repeats):
            begin, clock = cpu(), time.perf_counter()
            brian2.device.run(directory=folder, with_output=False, run_args=[])
            runs.append((cpu() - begin) / duration)
            walls.append((time.perf_counter() - clock) / duration)
        spikes = sum(int(monitor.num_spikes) for monitor in built.spike_monitors.values())
    return {"ready": ready, "runs": runs, "walls": walls, "spikes": spikes / duration}


def one(network: str, way: str, duration: float, repeats: int, *, quick: bool) -> dict[str, Any]:
    """Return what one way costs for one network."""
    made = described(network, quick=quick)
    calls: dict[str, Callable[[], dict[str, Any]]] = {
        "fused": lambda: measured(made, "fused", duration, repeats),
        "torch": lambda: measured(made, "torch", duration, repeats),
        "brian2 numpy": lambda: measured(made, "brian2", duration, repeats, target="numpy"),
        "brian2 cython": lambda: measured(made, "brian2", duration, repeats, target="cython"),
        "brian2 C++ standalone": lambda: standalone(made, duration, repeats),
    }
    return calls[way]()


def one_alone(*given: Any, quick: bool) -> dict[str, Any]:
    """Return the same, measured in a fresh process."""
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as process:
        return process.submit(one, *given, quick=quick).result()


def measure(found: dict[str, dict[str, Any]], *, quick: bool) -> Iterator[None]:
    """Measure one way after the other, the cheap ones first, and say when `found` has more.

    Each is measured in a fresh process; with `quick`, the first only, and the others in this one.
    """
    os.environ |= ONE_THREAD
    for way in WAYS_OF_QUICK if quick else tuple(DURATIONS):
        for network in NETWORKS:
            if (network, way) in TOO_MANY_PARTS:
                continue
            duration, repeats = (0.05, 1) if quick else (DURATIONS[way], REPEATS if way == "fused" else 1)
            measured_one = one if quick and found else one_alone
            found[f"{network}: {way}"] = measured_one(network, way, duration, repeats, quick=quick)
            yield


def metrics_of(found: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Return the entries of `results.json`."""
    metrics = {}
    for name, cost in found.items():
        runs, key = cost["runs"], name.replace(": ", "_").replace(" ", "_")
        metrics[f"{key}_per_simulated_second"] = entry(
            np.median(runs), f"processor seconds, median of {len(runs)}, {min(runs):.3g} to {max(runs):.3g}"
        )
        metrics[f"{key}_wall_per_simulated_second"] = entry(min(cost["walls"]), "shortest wall time, machine not idle")
        metrics[f"{key}_ready"] = entry(cost["ready"], "processor seconds from the description to the first step")
        metrics[f"{key}_spikes"] = entry(cost["spikes"], "spikes of the network in a simulated second")
    xor = metrics["xor_fused_per_simulated_second"]["value"]
    metrics["xor_plain_loop_over_fused"] = entry(REFERENCE / xor, f"{REFERENCE} s of a plain C++ loop")
    return metrics


def entry(value: float, source: str) -> dict[str, Any]:
    return {"value": float(value), "published": None, "source": source}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("out/speed_bursts"))
    parser.add_argument("--quick", action="store_true", help="small networks, nothing compiled by a C++ compiler")
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    begin, file, found = time.perf_counter(), arguments.out / "results.json", dict[str, dict[str, Any]]()
    for _ in measure(found, quick=arguments.quick):
        metrics = metrics_of(found)
        results = {
            "study": "speed_bursts",
            "metrics": metrics,
            "seconds": round(time.perf_counter() - begin, 1),
            "quick": arguments.quick,
            "provenance": provenance.collect(seed=SEED),
        }
        file.write_text(json.dumps(results, indent=2) + "\n")
        print(f"{list(found)[-1]}: {found[list(found)[-1]]}", flush=True)
    for name, value in metrics.items():
        print(f"{name}: {value['value']:.3g} ({value['source']})")
    print(file)


if __name__ == "__main__":
    main()
