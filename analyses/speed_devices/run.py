"""Measure what 64 emulated chips at once cost beside 64 runs of one chip each, and what the emulation costs."""

import argparse
import json
import os
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor

import snncompare as sc
from snncompare import provenance
from snncompare.backends.analog.chip import Fleet, deploy_many
from snncompare.backends.analog.profiles.profile import ChipProfile
from snncompare.backends.emulation import EmulatedRun
from snncompare.backends.realisation import realise
from snncompare.backends.torch.module import TorchNetwork
from snncompare.backends.torch.surrogates import SuperSpike
from snncompare.backends.torch.threads import threads_for
from snncompare.network.network import Network, Population, Projection
from snncompare.network.neuron import SpikeSource
from snncompare.network.neurons import leaky_integrate_and_fire, leaky_readout
from snncompare.network.synapses import exponential
from snncompare.recording.recording import Recording

SEED, DT, STEPS, PROFILE = 0, 0.85e-3, 100, "bss2_calibrated"  # two steps for each sample of the membranes
FULL = {"devices": 64, "rounds": 3, "trials": {"yin_yang": (1, 10, 50), "recurrent_256": (1, 10)}}
QUICK = {"devices": 6, "rounds": 1, "trials": {"yin_yang": (1, 2)}}
SIZES = {"yin_yang": (5, 30, 3), "recurrent_256": (100, 256, 10)}
INPUT_RATE = {"yin_yang": 0.05, "recurrent_256": 0.02}
"""Spikes of an input per step."""
DTYPES = {"float64": torch.float64, "float32": torch.float32}
ASKED = 8.0

Timed = dict[str, list[tuple[float, float]]]
"""What was done to (wall, processor) seconds of each round."""


def described(name: str) -> Network:
    """Return a network: inputs, leaky hidden neurons (recurrent ones but for yin_yang), leaky readouts."""
    n_inputs, n_hidden, n_outputs = SIZES[name]
    strength = {"feed": ("inputs", "hidden", 30.0 / n_inputs**0.5), "read": ("hidden", "readout", 10.0 / n_hidden**0.5)}
    if name != "yin_yang":
        strength["recur"] = ("hidden", "hidden", 6.0 / n_hidden**0.5)
    return Network(
        populations={
            "inputs": Population(size=n_inputs, neuron=SpikeSource()),
            "hidden": Population(size=n_hidden, neuron=leaky_integrate_and_fire(v_threshold="10 mV")),
            "readout": Population(size=n_outputs, neuron=leaky_readout(tau="20 ms")),
        },
        projections={
            projection: Projection(
                source=source,
                target=target,
                synapse=exponential(tau="5 ms"),
                into="I",
                trainable={"weight": {}},
                weight={"type": "Normal", "mean": f"{size / 4} mV", "sd": f"{size} mV"},
            )
            for projection, (source, target, size) in strength.items()
        },
    )


@dataclass(frozen=True)
class Bench:
    """One network, its chips, and how many trials each of them carries out."""

    name: str
    devices: int
    trials: int
    dtype: str = "float64"

    @cached_property
    def network(self) -> Network:
        """The description."""
        return described(self.name)

    @cached_property
    def fleet(self) -> Fleet:
        """All chips."""
        return deploy_many(self.network, ChipProfile.load(PROFILE), device_seeds=range(self.devices), dt=f"{DT} s")

    @cached_property
    def alone(self) -> list[Fleet]:
        """Each chip by itself."""
        return [self.fleet.redrawn([seed]) for seed in self.fleet.device_seeds]

    @cached_property
    def module(self) -> TorchNetwork:
        """What the chips run."""
        options: dict[str, Any] = {"surrogate": SuperSpike("2 mV", "10 mV"), "dtype": DTYPES[self.dtype]}
        return TorchNetwork(self.fleet.network, DT, self.fleet.opened(), **options)

    @cached_property
    def ideal(self) -> TorchNetwork:
        """The network without chips."""
        return TorchNetwork(self.network, DT, realise(self.network, SEED, dt=DT), dtype=DTYPES[self.dtype])

    @cached_property
    def inputs(self) -> Tensor:
        """Raster (step, trial, input)."""
        fired = np.random.default_rng(SEED).random((STEPS, self.trials, SIZES[self.name][0])) < INPUT_RATE[self.name]
        return torch.from_numpy(fired)

    def run(self, fleet: Fleet, *, noise: bool = True) -> Tensor:
        """Return the hidden spikes of a run on chips, (step, copy, neuron)."""
        began = fleet.begin(n_trials=self.trials, dt=DT, seed=SEED) if noise else EmulatedRun(fleet, self.trials)
        with torch.no_grad(), threads_for(began.n_copies * max(SIZES[self.name])):
            return self.module({"inputs": self.inputs}, emulated=began, record=["hidden"]).spikes["hidden"]

    def at_once(self, *, noise: bool = True) -> list[Tensor]:
        """Return the spikes of each device, all run at once."""
        return list(self.run(self.fleet, noise=noise).split(self.trials, dim=1))

    def one_by_one(self) -> list[Tensor]:
        """Return the spikes of each device, run one after the other."""
        return [self.run(one) for one in self.alone]

    def without_chips(self) -> Tensor:
        """Return the hidden spikes of as many copies of the ideal network, all at once."""
        inputs = self.inputs.repeat(1, self.devices, 1)
        with torch.no_grad(), threads_for(inputs.shape[1] * max(SIZES[self.name])):
            return self.ideal({"inputs": inputs}, record=["hidden"]).spikes["hidden"]

    def learn(self, fleets: Sequence[Fleet]) -> list[float]:
        """Carry out forward and backward pass on several sets of chips in turn; return the losses."""
        losses = []
        self.module.zero_grad()
        for fleet in fleets:
            began = fleet.begin(n_trials=self.trials, dt=DT, seed=SEED)
            with threads_for(began.n_copies * max(SIZES[self.name])):
                v = self.module({"inputs": self.inputs}, emulated=began, traces=[("readout", "v")]).traces[
                    "readout", "v"
                ]
                loss = v.square().sum() * 1e6
                loss.backward()
            losses.append(float(loss.detach()))
        return losses

    def compiled(self, seeds: Sequence[int]) -> Recording:
        """Return the recording of a program that is compiled for some chips and run once."""
        trial, step, unit = self.inputs.permute(1, 0, 2).nonzero(as_tuple=True)
        trials = pd.DataFrame({"start": 0.0, "stop": STEPS * DT}, index=[f"t{k}" for k in range(self.trials)])
        units = pd.DataFrame(index=[f"u{k}" for k in range(SIZES[self.name][0])])
        given = Recording.from_arrays(
            times=step.numpy() * DT,
            trial=trials.index.to_numpy()[trial.numpy()],
            unit=units.index.to_numpy()[unit.numpy()],
            units=units,
            trials=trials,
        )
        program = sc.compile(self.network, backend="analog", dt=f"{DT} s", profile=PROFILE, device_seed=seeds)
        return program.run({"inputs": given}, duration=f"{STEPS * DT} s", seed=SEED)


def check_same(at_once: Sequence[Tensor], one_by_one: Sequence[Tensor]) -> None:
    """Stop where chips beside each other do not fire the very spikes that they fire alone, or none do."""
    wrong = [k for k, (one, two) in enumerate(zip(at_once, one_by_one, strict=True)) if not torch.equal(one, two)]
    if wrong:
        raise SystemExit(f"devices {wrong} fire other spikes at once than alone: the times say nothing.")
    if not any(bool(spikes.any()) for spikes in at_once):
        raise SystemExit("nobody fires: the times say nothing.")


def interleaved(ways: dict[str, Callable[[], Any]], rounds: int) -> Timed:
    """Time ways of doing the same in turn, in every round in another order; each runs once before."""
    found: Timed = {name: [] for name in ways}
    for way in ways.values():
        way()
    for k in range(rounds):
        order = list(ways)[k % len(ways) :] + list(ways)[: k % len(ways)]
        for name in order:
            wall, cpu = time.perf_counter(), time.process_time()
            ways[name]()
            found[name].append((time.perf_counter() - wall, time.process_time() - cpu))
    return found


def ratio(timed: Timed, over: str, under: str, clock: int) -> float:
    """Return the median over rounds of one time by another; clock 0 is the wall's, 1 the processor's."""
    return statistics.median(a[clock] / b[clock] for a, b in zip(timed[over], timed[under], strict=True))


def entry(value: float, source: str, published: float | None = None) -> dict[str, Any]:
    return {"value": round(value, 4), "published": published, "source": source}


def measured_runs(bench: Bench, rounds: int) -> dict[str, dict[str, Any]]:
    """Return times of the runs of one network with so many trials."""
    at_once = bench.at_once()
    check_same(at_once, bench.one_by_one())
    ways: dict[str, Callable[[], Any]] = {
        "at once": bench.at_once,
        "one by one": bench.one_by_one,
        "frozen": lambda: bench.at_once(noise=False),
        "ideal": bench.without_chips,
    }
    timed = interleaved(ways, rounds)
    key, n = f"{bench.name}_{bench.trials}_trials_{bench.dtype}", bench.devices
    found = {
        f"{key}_ratio": entry(ratio(timed, "one by one", "at once", 0), f"{n} runs one by one / at once, wall", ASKED),
        f"{key}_ratio_cpu": entry(ratio(timed, "one by one", "at once", 1), "the same, processor seconds", ASKED),
        f"{key}_overhead": entry(ratio(timed, "at once", "ideal", 1), "chips / as many copies without, processor"),
        f"{key}_overhead_frozen": entry(ratio(timed, "frozen", "ideal", 1), "the same without noise and event limits"),
    }
    for name, rounds_of in timed.items():
        milliseconds = 1e3 * statistics.median(cpu for _, cpu in rounds_of)
        found[f"{key}_{name.replace(' ', '_')}_ms"] = entry(milliseconds, f"{STEPS} steps, processor milliseconds")
    rate = float(torch.stack([spikes.double().mean() for spikes in at_once]).mean()) / DT
    found[f"{key}_rate"] = entry(rate, "spikes per hidden neuron and second")
    return found


def measured_training(bench: Bench, rounds: int) -> dict[str, dict[str, Any]]:
    """Return how much faster a training step is on all devices at once."""
    together, apart = bench.learn([bench.fleet]), bench.learn(bench.alone)
    if not np.isclose(sum(together), sum(apart), rtol=1e-6 if bench.dtype == "float64" else 1e-2):
        raise SystemExit(f"the loss is {sum(together):g} at once, {sum(apart):g} one by one: the times say nothing.")
    ways = {"at once": lambda: bench.learn([bench.fleet]), "one by one": lambda: bench.learn(bench.alone)}
    timed = interleaved(ways, rounds)
    key = f"{bench.name}_{bench.trials}_trials_{bench.dtype}_training"
    return {
        f"{key}_ratio": entry(ratio(timed, "one by one", "at once", 0), "forward and backward, wall", ASKED),
        f"{key}_ratio_cpu": entry(ratio(timed, "one by one", "at once", 1), "the same, processor seconds", ASKED),
    }


def measured_programs(bench: Bench, rounds: int) -> dict[str, dict[str, Any]]:
    """Return how much faster one program for all devices is than a program for each: compile and run."""
    seeds = list(range(bench.devices))
    ways = {
        "at once": lambda: bench.compiled(seeds),
        "one by one": lambda: [bench.compiled([seed]) for seed in seeds],
    }
    timed = interleaved(ways, rounds)
    key, source = f"{bench.name}_{bench.trials}_trials_programs", "sc.compile(backend='analog') and run, wall"
    return {
        f"{key}_ratio": entry(ratio(timed, "one by one", "at once", 0), source, ASKED),
        f"{key}_ratio_cpu": entry(ratio(timed, "one by one", "at once", 1), "the same, processor seconds", ASKED),
    }


def measure(plan: dict[str, Any]) -> Iterator[dict[str, dict[str, Any]]]:
    """Yield metrics as they are measured."""
    n, rounds = plan["devices"], plan["rounds"]
    for name, each in plan["trials"].items():
        for trials in each:
            for dtype in DTYPES:
                yield measured_runs(Bench(name, n, trials, dtype), rounds)
    yield measured_training(Bench("yin_yang", n, plan["trials"]["yin_yang"][1], "float32"), rounds)
    yield measured_programs(Bench("yin_yang", n, 1), 1)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("out/speed_devices"))
    parser.add_argument("--quick", action="store_true", help="six devices, the smallest network, one round")
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(2)
    begin, file = time.perf_counter(), arguments.out / "results.json"
    metrics: dict[str, dict[str, Any]] = {}
    for found in measure(QUICK if arguments.quick else FULL):
        metrics |= found | {"load": entry(os.getloadavg()[0], "running programs, one minute before the end")}
        results = {
            "study": "speed_devices",
            "metrics": metrics,
            "seconds": round(time.perf_counter() - begin, 1),
            "quick": arguments.quick,
            "provenance": provenance.collect(seed=SEED),
        }
        file.write_text(json.dumps(results, indent=2) + "\n")
        for name, value in found.items():
            print(f"{name}: {value['value']:.4g} ({value['source']})", flush=True)
    print(file)


if __name__ == "__main__":
    main()
