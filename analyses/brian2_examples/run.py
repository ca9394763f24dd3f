"""Run equations from Brian2's documentation, unchanged, on Brian2 and on PyTorch, and train them in PyTorch."""

import argparse
import json
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch

import snncompare as sc
from snncompare import provenance
from snncompare.backends.torch.module import TorchNetwork
from snncompare.backends.torch.surrogates import SuperSpike
from snncompare.testing.agreement import compared
from snncompare.testing.networks import poisson_input
from snncompare.testing.statistical import same_distribution

DT, RATE, SEED = 1e-4, 60.0, 1
SLOW = ("cuba", "cobahh", "unreliable_timing")
NETWORKS = Path(__file__).parent / "networks"


@dataclass(frozen=True)
class Example:
    """One file: whose firing is trained, the surrogate's width and scale, and whether there is noise."""

    population: str
    width: str
    scale: str
    noisy: bool = False
    rounds: int = 10


EXAMPLES = {
    "cuba": Example("excitatory", "5 mV", "10 mV"),
    "cobahh": Example("neurons", "10 mV", "20 mV"),
    "adaptive_threshold": Example("neurons", "5 mV", "10 mV"),
    "hodgkin_huxley_curve": Example("group", "10 mV", "20 mV"),
    "adaptive_exponential": Example("neuron", "10 mV", "20 mV"),
    "spike_timing_dependent_plasticity": Example("neurons", "3 mV", "6 mV"),
    "phase_locking": Example("neurons", "0.5", "1"),
    "unreliable_timing": Example("neurons", "0.5", "1", noisy=True),
}


def inputs_of(network: sc.Network, duration: float, trials: int = 1) -> dict[str, sc.Recording]:
    """Return random spikes for every spike source."""
    return {
        source: poisson_input(
            units=network.populations[source].size, trials=trials, rate=RATE, duration=duration, dt=DT, seed=SEED
        )
        for source in network.sources()
    }


def run(network: sc.Network, example: Example, duration: float) -> dict[str, Any]:
    """Return how far the two backends agree: spike for spike, or in distribution where there is noise."""
    length = f"{duration} s"
    if example.noisy:
        same = same_distribution(
            network.name, network, "torch", inputs=lambda k: inputs_of(network, duration, k), duration=length
        )
        return {"spikes": same.spikes, "differing": None, "p": same.p, "agrees": same.agrees}
    reference = sc.compile(network, "brian2", dt=f"{DT} s", seed=SEED)
    other = sc.compile(network, "torch", dt=f"{DT} s", seed=SEED, weights=reference.realisation)
    inputs = inputs_of(network, duration)
    theirs, ours = (program.run(inputs, duration=length) for program in (reference, other))
    found = compared(network.name, ours, theirs)
    return {"spikes": found.spikes, "differing": found.differing, "p": None, "agrees": found.differing == 0}


def train(network: sc.Network, example: Example, duration: float, rounds: int) -> dict[str, Any]:
    """Return the loss before and after training the population to fire half as often again."""
    surrogate = SuperSpike(example.width, example.scale)
    module = TorchNetwork(network, DT, {}, surrogate={example.population: surrogate}, seed=SEED)
    steps, size = round(duration / DT), network.populations[example.population].size
    rasters = {
        name: torch.from_numpy(recording.raster(f"{DT} s").to_numpy()[:, :, :steps].transpose(2, 0, 1).astype(float))
        for name, recording in inputs_of(network, duration).items()
    }
    parameters = [parameter for parameter in module.parameters() if parameter.requires_grad]
    groups = [{"params": [p], "lr": 0.02 * float(p.detach().square().mean().sqrt())} for p in parameters]
    optimiser = torch.optim.Adam(groups)
    losses, rates, target, norm = [], [], None, 0.0
    for k in range(rounds + 1):
        spikes = module(rasters, record=[example.population], shape=(steps, 1)).spikes[example.population]
        rate = spikes.sum() / (size * duration)
        target = 1.5 * float(rate.detach()) if target is None else target
        loss = ((rate - target) / target).square()
        losses.append(float(loss.detach()))
        rates.append(float(rate.detach()))
        if k < rounds:
            optimiser.zero_grad()
            loss.backward()
            norm = max(norm, *(float(p.grad.abs().max()) for p in parameters if p.grad is not None))
            optimiser.step()
            module.constrain_()
    trained = sum(parameter.numel() for parameter in parameters)
    return {"rate_before": rates[0], "rate_after": rates[-1], "target": target, "loss_before": losses[0],
            "loss_after": min(losses), "largest_gradient": norm, "trained": trained,
            "learns": bool(np.isfinite(norm) and norm > 0 and min(losses) < 0.5 * losses[0])}  # fmt: skip


def main(given: Iterable[str] | None = None) -> int:
    """Run every example and return 0 if all agree and learn."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("out/brian2_examples"))
    parser.add_argument("--quick", action="store_true")
    options = parser.parse_args(None if given is None else list(given))
    begin, rows = time.perf_counter(), []
    for name, example in EXAMPLES.items():
        if options.quick and name in SLOW:
            continue
        network = sc.Network.load(NETWORKS / f"{name}.yaml")
        agreed = run(network, example, 0.1 if options.quick else 1.0)
        learnt = train(network, example, 0.03 if options.quick else 0.1, 2 if options.quick else example.rounds)
        rows.append({"example": name, **agreed, **learnt})
        print(pd.DataFrame(rows[-1:]).to_string(index=False, header=len(rows) == 1), flush=True)
    table = pd.DataFrame(rows)
    options.out.mkdir(parents=True, exist_ok=True)
    table.to_csv(options.out / "examples.csv", index=False)
    metrics = {
        f"{row['example']}_{key}": {"value": row[key], "published": None, "source": "ours"}
        for row in rows
        for key in ("spikes", "differing", "p", "loss_before", "loss_after")
    }
    results = {
        "study": "brian2_examples",
        "metrics": metrics,
        "seconds": round(time.perf_counter() - begin, 1),
        "provenance": provenance.collect(seed=SEED, quick=options.quick),
    }
    (options.out / "results.json").write_text(json.dumps(results, indent=2, default=str) + "\n", encoding="utf-8")
    return 0 if table["agrees"].all() and (options.quick or table["learns"].all()) else 1


if __name__ == "__main__":
    raise SystemExit(main())
