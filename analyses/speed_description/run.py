"""Measure what running Brian2 through a description costs beside a plain Brian2 script of the same network."""

import argparse
import json
import multiprocessing
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

import snncompare as sc
from snncompare import provenance
from snncompare.backends.connections import Connections

FOLDER = Path(__file__).parent
SEED, P_CONNECTED, DT = 0, 0.02, 1e-4
WEIGHT_E, WEIGHT_I = 1.62e-3, -9e-3
FULL = {"pairs": 7, "neurons": 4000, "duration": 10.0, "target": "cython"}
QUICK = {"pairs": 1, "neurons": 400, "duration": 0.2, "target": "numpy"}
CUBA = """dv/dt = (ge + gi - (v - El))/tau_m : volt (unless refractory)
dge/dt = -ge/tau_e : volt
dgi/dt = -gi/tau_i : volt"""


def cuba_connections(n: int) -> dict[str, Connections]:
    """Return excitatory synapses from four fifths of n neurons and inhibitory ones from the rest, 2 % of all pairs."""
    joined = np.random.default_rng(SEED).random((n, n)) < P_CONNECTED
    np.fill_diagonal(joined, val=False)
    source, target = np.nonzero(joined)
    from_e = source < 4 * n // 5
    signs = {"exc": (from_e, WEIGHT_E), "inh": (~from_e, WEIGHT_I)}
    return {k: Connections((n, n), source[m], target[m], np.full(int(m.sum()), w)) for k, (m, w) in signs.items()}


def described(n: int, duration: float, target: str) -> tuple[list[float], np.ndarray]:
    """Return seconds of set-up, run and second run of the described network, and its spikes, rows (step, neuron)."""
    import snncompare.backends.brian2  # noqa: F401 - so that importing is not part of the set-up

    weights, clock = cuba_connections(n), [time.process_time()]
    plain = sc.Network.load(FOLDER / "cuba.yaml").plain()
    plain["populations"]["cells"]["size"] = n
    program = sc.compile(sc.Network.parse(plain, "CUBA"), "brian2", dt="0.1 ms", weights=weights, target=target)
    clock.append(time.process_time())
    for _ in range(2):
        recording = program.run({}, duration=f"{duration} s")
        clock.append(time.process_time())
    return list(np.diff(clock)), np.column_stack([np.rint(recording.times / DT), recording.spike_index()[1]])


def by_hand(n: int, duration: float, target: str, *, shared: bool = False) -> tuple[list[float], np.ndarray]:
    """Return the same of a plain Brian2 script; with `shared`, all synapses of a kind have one weight in common."""
    from brian2 import Network, NeuronGroup, SpikeMonitor, Synapses, ms, mV, prefs, second

    joined, clock = cuba_connections(n), [time.process_time()]
    prefs.codegen.target = target
    values = {"El": -49 * mV, "Vt": -50 * mV, "Vr": -60 * mV, "tau_m": 20 * ms, "tau_e": 5 * ms, "tau_i": 10 * ms}
    cells = NeuronGroup(
        n, CUBA, threshold="v > Vt", reset="v = Vr", refractory=5 * ms, method="exact", namespace=values, dt=0.1 * ms
    )
    cells.v = values["Vr"]
    synapses = []
    for name, g, weight in (("exc", "ge", 1.62 * mV), ("inh", "gi", -9 * mV)):
        model = {"namespace": {"w": weight}} if shared else {"model": "w : volt (constant)"}
        made = Synapses(cells, cells, on_pre=f"{g}_post += w", dt=0.1 * ms, **model)
        made.connect(i=joined[name].source, j=joined[name].target)
        if not shared:
            made.w = weight
        synapses.append(made)
    monitor = SpikeMonitor(cells)
    simulation = Network(cells, *synapses, monitor)
    clock.append(time.process_time())
    simulation.store()
    stored = time.process_time() - clock[-1]
    for k in range(2):
        if k:
            simulation.restore()
        simulation.run(duration * second)
        spikes = np.column_stack([np.rint(np.asarray(monitor.t_) / DT), np.asarray(monitor.i)])
        clock.append(time.process_time())
    return list(np.diff(clock) - [0, stored, 0]), spikes


WAYS: dict[str, tuple[Callable[..., Any], dict[str, Any]]] = {
    "described": (described, {}),
    "by_hand": (by_hand, {}),
    "by_hand_shared_weights": (by_hand, {"shared": True}),
}


def measure(pairs: int, neurons: int, duration: float, target: str) -> pd.DataFrame:
    """Return processor seconds, one row per way to run the network and repeat; every run in a fresh process."""
    rows = []
    for k in range(-1 if target == "cython" else 0, pairs):  # the first fills Brian2's cache of compiled code
        found = {}
        for name, (way, arguments) in WAYS.items():
            with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as process:
                run = process.submit(way, neurons, duration if k >= 0 else 0.01, target, **arguments)
                seconds, found[name] = run.result()
            if k >= 0:
                times = dict(zip(("setup", "run", "again"), seconds, strict=True))
                rows.append({"way": name, "pair": k, "spikes": len(found[name]), **times})
        check_same_spikes(found)
    return pd.DataFrame(rows)


def check_same_spikes(found: Mapping[str, np.ndarray]) -> None:
    """Stop unless every way to run the network gave exactly the spikes that the description gave."""
    sets = {name: set(map(tuple, spikes)) for name, spikes in found.items()}
    for name, spikes in sets.items():
        if spikes != sets["described"]:
            raise SystemExit(f"{name}: {len(spikes ^ sets['described'])} spikes differ from those of the description.")


def entry(value: float, source: str) -> dict[str, Any]:
    return {"value": float(value), "published": None, "source": source}


def spread(values: pd.Series) -> str:
    return f"median of {len(values)}, {values.min():.3g} to {values.max():.3g}"


def metrics_of(table: pd.DataFrame) -> dict[str, dict[str, Any]]:
    """Return seconds of every way, and the overhead of the description over the hand-written scripts."""
    times = {part: table.pivot_table(part, "pair", "way") for part in ("setup", "run", "again")}
    metrics = {
        f"{way}_{part}_seconds": entry(seconds[way].median(), f"processor time, {spread(seconds[way])}")
        for part, seconds in times.items()
        for way in seconds
    }
    whole, again = times["setup"] + times["run"], times["again"]
    for way in ("by_hand", "by_hand_shared_weights"):
        more = 100 * (whole["described"] - whole[way]) / times["run"][way]
        source = f"% of the run time, {spread(more)}"
        metrics[f"overhead_over_{way}_set_up_and_run"] = entry(more.median(), f"set-up and first run: {source}")
        more = 100 * (again["described"] / again[way] - 1)
        source = f"% of the run time, {spread(more)}"
        metrics[f"overhead_over_{way}_second_run"] = entry(more.median(), f"a second run: {source}")
    metrics["spikes"] = entry(table["spikes"].iloc[0], "the same in all ways")
    return metrics


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("out/speed_description"))
    parser.add_argument("--quick", action="store_true", help="a small network, not compiled: only checks the path")
    arguments = parser.parse_args()
    begin = time.perf_counter()
    metrics = metrics_of(measure(**(QUICK if arguments.quick else FULL)))
    arguments.out.mkdir(parents=True, exist_ok=True)
    file = arguments.out / "results.json"
    results = {
        "study": "speed_description",
        "metrics": metrics,
        "seconds": round(time.perf_counter() - begin, 1),
        "quick": arguments.quick,
        "provenance": provenance.collect(seed=SEED),
    }
    file.write_text(json.dumps(results, indent=2) + "\n")
    for name, measured in metrics.items():
        print(f"{name}: {measured['value']:.3g} ({measured['source']})")
    print(file)


if __name__ == "__main__":
    main()
