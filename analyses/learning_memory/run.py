"""Measure memory and time of gradients computed forwards (e-prop) and backwards (BPTT, with checkpoints too)."""

import argparse
import ctypes
import gc
import json
import math
import multiprocessing
import os
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import pandas as pd
import torch
from torch import Tensor

from snncompare import provenance
from snncompare.backends.torch.module import TorchNetwork
from snncompare.backends.torch.surrogates import Triangle
from snncompare.learning.gradients.choose import engine_for
from snncompare.learning.gradients.forward.engine import Forward
from snncompare.learning.gradients.forward.errors import Errors
from snncompare.learning.losses import Regression
from snncompare.learning.presets import bptt, checkpointed_bptt, eprop
from snncompare.learning.rule import LearningRule
from snncompare.network.initialisers import Normal
from snncompare.network.network import Network, Population, Projection
from snncompare.network.neuron import SpikeSource
from snncompare.network.neurons import adaptive_current_based_leaky_integrate_and_fire, current_based_readout
from snncompare.network.synapses import delta
from snncompare.network.trainable import Trainable
from snncompare.units import quantity

SEED, DT, N_INPUTS, N_HIDDEN, N_OUTPUTS, BATCH, RATE = 0, 1e-3, 100, 100, 2, 32, 0.02
CHECKPOINT_EVERY = 100
SURROGATE = Triangle("1", "3.33")
RULES: dict[str, LearningRule] = {
    "e-prop, forwards": eprop(SURROGATE),
    "BPTT": bptt(SURROGATE),
    "BPTT with checkpoints": checkpointed_bptt(SURROGATE, CHECKPOINT_EVERY),
}
LOSS = Regression("readout", scale="1")
FULL: dict[str, Any] = {
    "steps": (100, 300, 1000, 3000, 10000),
    "batches": (1, 8, 32),
    "timed": 300,
    "rounds": 3,
    "rules": 3,
}
QUICK: dict[str, Any] = {"steps": (20, 60), "batches": (1,), "timed": 20, "rounds": 1, "rules": 2}
MEGABYTES = (10, 100, 1000)
GIVE_BACK = {"MALLOC_MMAP_THRESHOLD_": "32768", "MALLOC_MMAP_MAX_": "1000000"}  # glibc: what is freed is given back


def network() -> Network:
    """Return 100 recurrent neurons with adaptive thresholds and a readout."""
    neuron = adaptive_current_based_leaky_integrate_and_fire(
        beta="0.07", v_threshold="1", tau_adaptation="200 ms", input_gain="plain", adaptation_gain="plain"
    )

    def projection(source: str, target: str, sd: float) -> Projection:
        weight = Normal(mean=quantity("0"), sd=quantity(repr(sd)))
        synapse = delta(variable="x", unit="1")
        return Projection(
            source=source, target=target, synapse=synapse, weight=weight, trainable={"weight": Trainable()}
        )

    return Network(
        populations={
            "source": Population(size=N_INPUTS, neuron=SpikeSource()),
            "hidden": Population(size=N_HIDDEN, neuron=neuron),
            "readout": Population(size=N_OUTPUTS, neuron=current_based_readout(tau_syn=None)),
        },
        projections={
            "feed": projection("source", "hidden", 0.25),
            "recur": projection("hidden", "hidden", 0.1),
            "read": projection("hidden", "readout", 0.1),
        },
    )


def spikes_of(step: int, batch: int) -> Tensor:
    """Return the input spikes of one step, (batch, input)."""
    generator = torch.Generator().manual_seed(SEED + step)
    return (torch.rand(batch, N_INPUTS, generator=generator) < RATE).float()


def answer_of(step: int, batch: int) -> Tensor:
    """Return what is asked of the readout in one step, (batch, readout)."""
    return torch.tensor([[math.sin(step / 20), math.sin(step / 50)]]).expand(batch, N_OUTPUTS).float()


def gradient(name: str, module: TorchNetwork, steps: int, batch: int) -> float:
    """Compute the gradient of one batch of trials; return the mean firing rate of hidden neurons (Hz)."""
    engine = engine_for(module, RULES[name], LOSS)
    if isinstance(engine, Forward):
        run = engine.begin(batch)
        errors = Errors(engine.loss, (), run, steps)
        for step in range(steps):
            errors.step(step, run.advance({"source": spikes_of(step, batch)}), answer_of(step, batch))
        counts = errors.block(steps).counts["hidden"]
    else:
        inputs = {"source": torch.stack([spikes_of(step, batch) for step in range(steps)])}
        target = torch.stack([answer_of(step, batch) for step in range(steps)])
        (learnt,) = engine.trials(inputs, target)
        counts = learnt.counts["hidden"]
    return float(counts.mean()) / steps / DT


def status(key: str) -> int:
    """Return an entry of the process's memory status, bytes."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return 1024 * int(next(line for line in lines if line.startswith(f"{key}:")).split()[1])


def module_for(name: str) -> TorchNetwork:
    rule = RULES[name]
    return TorchNetwork(
        network(), DT, {}, surrogate=rule.surrogate, paths=rule.paths, checkpoint_every=rule.checkpoint_every,
        dtype=torch.float32, seed=SEED,
    )  # fmt: skip


def measure(name: str, steps: int, batch: int) -> dict[str, float]:
    """Return the peak of resident memory above that before, bytes, and processor seconds per step."""
    torch.set_num_threads(1)
    gradient(name, module_for(name), 10, 1)
    module = module_for(name)
    gc.collect()
    ctypes.CDLL("libc.so.6").malloc_trim(0)
    Path("/proc/self/clear_refs").write_text("5")
    before, begin = status("VmRSS"), time.process_time()
    rate = gradient(name, module, steps, batch)
    seconds = time.process_time() - begin
    norms = [float(weight.grad.norm()) for weight in module.weights.values() if weight.grad is not None]
    if not (5 < rate < 200 and len(norms) == 3 and min(norms) > 0):
        raise SystemExit(f"{name}: the network is not alive, {rate:.0f} Hz, norms of gradients {norms}.")
    return {"peak": float(status("VmHWM") - before), "seconds_per_step": seconds / steps, "rate": rate}


def measured_alone(name: str, steps: int, batches: Sequence[int]) -> list[dict[str, Any]]:
    """Measure one batch size after the other in a fresh process."""
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        each = [(batch, pool.submit(measure, name, steps, batch).result()) for batch in batches]
    return [{"rule": name, "steps": steps, "batch": batch, **found} for batch, found in each]


def measured_here(name: str, steps: int, batches: Sequence[int]) -> list[dict[str, Any]]:
    """Measure in this process, where numbers do not matter."""
    return [{"rule": name, "steps": steps, "batch": batch, **measure(name, steps, batch)} for batch in batches]


def draw(memory: pd.DataFrame, times: pd.DataFrame, out: Path) -> None:
    """Draw peak memory against steps, and time per step against trials side by side."""
    from snncompare.figures.save import save_figure
    from snncompare.figures.style import DOUBLE_COLUMN, PALETTE, new_figure, panel_letters, settle, style

    with style():
        figure = new_figure(DOUBLE_COLUMN, 62)
        left, right = figure.subplots(1, 2)
        for name, colour, marker in zip(RULES, (PALETTE[3], "black", PALETTE[1]), "osD", strict=True):
            rows = memory[memory["rule"] == name]
            left.plot(rows["steps"], rows["peak"] / 1e6, color=colour, marker=marker, label=name)
            rows = times[times["rule"] == name].groupby("batch")["seconds_per_step"].median()
            right.plot(rows.index, 1e3 * rows, color=colour, marker=marker, label=name)
        left.set(xscale="log", yscale="log", xlabel="time steps", ylabel="peak memory (MB)")
        right.set(xscale="log", xlabel="trials side by side", ylabel="processor time per step (ms)", ylim=(0, None))
        steps, batches = sorted(memory["steps"].unique()), sorted(times["batch"].unique())
        left.set_xticks(steps, [str(n) for n in steps])
        left.set_yticks(MEGABYTES, [str(n) for n in MEGABYTES])
        right.set_xticks(batches, [str(batch) for batch in batches])
        for ax in (left, right):
            ax.minorticks_off()
        left.legend()
        panel_letters([left, right])
        save_figure(settle(figure), {"memory": memory, "time": times}, out, "memory")


def metrics_of(memory: pd.DataFrame, times: pd.DataFrame) -> dict[str, dict[str, Any]]:
    metrics: dict[str, dict[str, Any]] = {}

    def note(key: str, value: float, source: str) -> None:
        metrics[key] = {"value": float(value), "published": None, "source": source}

    for name, rows in memory.groupby("rule", sort=False):
        peaks = rows.set_index("steps")["peak"]
        for steps, peak in peaks.items():
            note(f"{name}, {steps} steps, peak MB", peak / 1e6, f"resident memory above that before, batch of {BATCH}")
        note(f"{name}, peak of the longest run / of the shortest", peaks.iloc[-1] / peaks.iloc[0], f"batch of {BATCH}")
    for (name, batch), rows in times.groupby(["rule", "batch"], sort=False):
        each = 1e3 * rows["seconds_per_step"]
        source = f"processor time, median of {len(each)} rounds, {each.min():.3g} to {each.max():.3g}"
        note(f"{name}, batch of {batch}, ms per step", each.median(), source)
    note("firing rate, Hz", memory["rate"].mean(), "hidden neurons")
    return metrics


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("out/learning_memory"))
    parser.add_argument("--quick", action="store_true", help="few steps: only checks the path")
    arguments = parser.parse_args()
    scale, begin = QUICK if arguments.quick else FULL, time.perf_counter()
    os.environ |= {"OMP_NUM_THREADS": "1"}
    batches = scale["batches"] * scale["rounds"]
    timed = measured_here if arguments.quick else measured_alone
    times = [row for name in RULES for row in timed(name, scale["timed"], batches)]
    os.environ |= GIVE_BACK
    rules = list(RULES)[: scale["rules"]]
    memory = [row for steps in scale["steps"] for name in rules for row in measured_alone(name, steps, [BATCH])]
    tables = pd.DataFrame(memory), pd.DataFrame(times)
    arguments.out.mkdir(parents=True, exist_ok=True)
    draw(*tables, arguments.out)
    metrics = metrics_of(*tables)
    results = {
        "study": "learning_memory",
        "metrics": metrics,
        "seconds": round(time.perf_counter() - begin, 1),
        "quick": arguments.quick,
        "provenance": provenance.collect(seed=SEED, processors=os.cpu_count(), load=os.getloadavg()[0]),
    }
    (arguments.out / "results.json").write_text(json.dumps(results, indent=2) + "\n")
    for key, metric in metrics.items():
        print(f"{key}: {metric['value']:.4g} ({metric['source']})")
    print(arguments.out / "results.json")


if __name__ == "__main__":
    main()
