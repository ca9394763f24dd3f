"""Print the conformance table: every neuron model with every synapse model, on Brian2 and on another backend.

Deterministic models must give the same spikes and the same membranes, noisy ones and the cortical column the same
distribution, and networks that were changed on purpose must be seen to differ.
"""

import argparse
import json
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import pandas as pd

from snncompare import provenance
from snncompare.circuits.cortical_column import LAYERS, cortical_column
from snncompare.network.network import Network
from snncompare.testing.agreement import CONTROLS, MEMBRANE_TOLERANCE, MIN_SPIKES, agreement
from snncompare.testing.models import NEURONS, NOISY_NEURONS, SYNAPSES, conformance_input, conformance_network
from snncompare.testing.statistical import same_distribution

QUICK_NEURONS, QUICK_SYNAPSES, QUICK_NOISY = ("LIF", "AdEx"), ("delta", "conductance", "depressing"), ("white noise",)
CONTROL_OF_NOISE = "control: white noise, thresholds 1 mV higher"
COLUMN, COLUMN_SCALE, COLUMN_RUNS = "cortical column", 0.02, 6


def deterministic(neuron: str, synapse: str, backend: str, duration: str) -> dict[str, Any]:
    """Return a row of the table: spikes, spikes that differ, largest relative difference of membranes."""
    found = agreement(neuron, synapse, backend, duration=duration)
    return {"neuron": neuron, "synapse": synapse, **vars(found), "passed": found.identical}


def control(name: str, backend: str, duration: str) -> dict[str, Any]:
    """Return a row for a network that was changed on purpose: it passes if the difference is seen."""
    neuron, synapse, change = CONTROLS[name]
    found = agreement(neuron, synapse, backend, duration=duration, change=change)
    return {"neuron": neuron, "synapse": synapse, **vars(found), "name": name, "passed": not found.identical}


def noisy(name: str, backend: str, duration: str, runs: int) -> dict[str, Any]:
    """Return a row for a noisy network: distances between and within backends, and the probability."""
    if name == COLUMN:
        network, changed = cortical_column(COLUMN_SCALE), None
    else:
        network = conformance_network("white noise" if name == CONTROL_OF_NOISE else name, "exponential")
        changed = _higher_threshold(network) if name == CONTROL_OF_NOISE else None
    found = same_distribution(
        name,
        network,
        backend,
        inputs=lambda trials: {} if name == COLUMN else conformance_input(duration=duration, trials=trials),
        duration=duration,
        runs=runs,
        record=list(LAYERS) if name == COLUMN else None,
        changed=changed,
    )
    return {**vars(found), "passed": found.agrees != (name == CONTROL_OF_NOISE)}


def _higher_threshold(network: Network) -> Network:
    cells = network.populations["cells"]
    value = cells.model.parameters["v_threshold"]
    higher = cells.model_copy(update={"parameters": {**cells.parameters, "v_threshold": f"{value.value + 1e-3} volt"}})
    return network.model_copy(update={"populations": {**network.populations, "cells": higher}})


def measure(backend: str, *, quick: bool, jobs: int) -> dict[str, list[dict[str, Any]]]:
    """Return the rows of the three tables, computed in `jobs` processes; one is this one."""
    neurons, synapses = (QUICK_NEURONS, QUICK_SYNAPSES) if quick else (tuple(NEURONS), tuple(SYNAPSES))
    duration, runs = ("0.3 s", 6) if quick else ("1 s", 8)
    work: list[tuple[str, Any, tuple[Any, ...]]] = [
        ("deterministic", deterministic, (neuron, synapse, backend, duration))
        for neuron in neurons
        for synapse in synapses
    ]
    work += [("controls", control, (name, backend, duration)) for name in CONTROLS]
    random = [*QUICK_NOISY, CONTROL_OF_NOISE] if quick else [*NOISY_NEURONS, CONTROL_OF_NOISE, COLUMN]
    work += [
        (
            "noisy",
            noisy,
            (name, backend, "0.5 s" if name == COLUMN else duration, COLUMN_RUNS if name == COLUMN else runs),
        )
        for name in random
    ]
    rows: dict[str, list[dict[str, Any]]] = {"deterministic": [], "controls": [], "noisy": []}
    for table, row in done(work, jobs):
        rows[table].append(row)
        print(f"{'ok' if row['passed'] else 'DIFFERS':>8}  {row['name']}", flush=True)
    return rows


def done(work: list[tuple[str, Any, tuple[Any, ...]]], jobs: int) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the table and the row of each piece of work as it is done."""
    if jobs == 1:
        yield from ((table, function(*arguments)) for table, function, arguments in work)
        return
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:
        waiting = {pool.submit(function, *arguments): table for table, function, arguments in work}
        yield from ((waiting[finished], finished.result()) for finished in as_completed(waiting))


def tables(rows: dict[str, list[dict[str, Any]]]) -> str:
    """Return the tables as text: differing spikes of all spikes, then controls, then noisy networks."""
    found = pd.DataFrame(rows["deterministic"])
    found["cell"] = found["differing"].astype(str) + "/" + found["spikes"].astype(str)
    order = {"index": [n for n in NEURONS if n in set(found["neuron"])]}
    matrix = found.pivot(index="neuron", columns="synapse", values="cell").reindex(**order)[
        [s for s in SYNAPSES if s in set(found["synapse"])]
    ]
    noise = pd.DataFrame(rows["noisy"])[["name", "spikes", "within", "between", "p", "passed"]]
    controls = pd.DataFrame(rows["controls"])[["name", "spikes", "differing", "membrane_error", "passed"]]
    largest = f"{found['membrane_error'].max():.2g}"
    return "\n\n".join(
        [
            f"Differing spikes / spikes (membranes differ by up to {largest} of the largest value)",
            matrix.to_string(),
            "Changed on purpose: must differ",
            controls.to_string(index=False),
            "Noisy: van Rossum distance within Brian2's seeds and between backends, probability if both are the same",
            noise.to_string(index=False),
        ]
    )


def metrics(rows: dict[str, list[dict[str, Any]]]) -> dict[str, dict[str, Any]]:
    """Return the summary that `results.json` holds."""
    pairs = rows["deterministic"]
    numbers = {
        "pairs": len(pairs),
        "neuron_models": len({row["neuron"] for row in pairs}),
        "synapse_models": len({row["synapse"] for row in pairs}),
        "spikes": sum(row["spikes"] for row in pairs),
        "fewest_spikes_of_a_pair": min(row["spikes"] for row in pairs),
        "differing_spikes": sum(row["differing"] for row in pairs),
        "largest_membrane_difference": max(row["membrane_error"] for row in pairs),
        "pairs_that_differ": sum(not row["passed"] for row in pairs),
        "controls_seen": sum(row["passed"] for row in rows["controls"]),
        "noisy_that_agree": sum(row["passed"] for row in rows["noisy"]),
    }
    named = {f"noisy_p_{row['name']}": row["p"] for row in rows["noisy"]}
    source = f"ours; required: no differing spikes, membranes within {MEMBRANE_TOLERANCE:g}, {MIN_SPIKES} spikes a pair"
    return {name: {"value": value, "published": None, "source": source} for name, value in (numbers | named).items()}


def main(given: Iterable[str] | None = None) -> int:
    """Run the study and return 0 if every row passed, else 1."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("out/conformance"))
    parser.add_argument("--backend", default="torch")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--quick", action="store_true")
    options = parser.parse_args(None if given is None else list(given))
    begin = time.perf_counter()
    rows = measure(options.backend, quick=options.quick, jobs=options.jobs)
    text = tables(rows)
    print(f"\n{text}")
    options.out.mkdir(parents=True, exist_ok=True)
    (options.out / "table.txt").write_text(text + "\n", encoding="utf-8")
    pd.DataFrame(rows["deterministic"]).sort_values("name").to_csv(options.out / "pairs.csv", index=False)
    results = {
        "study": "conformance",
        "metrics": metrics(rows),
        "seconds": round(time.perf_counter() - begin, 1),
        "provenance": provenance.collect(seed=1, backend=options.backend, quick=options.quick),
    }
    (options.out / "results.json").write_text(json.dumps(results, indent=2, default=str) + "\n", encoding="utf-8")
    return 0 if all(row["passed"] for table in rows.values() for row in table) else 1


if __name__ == "__main__":
    raise SystemExit(main())
