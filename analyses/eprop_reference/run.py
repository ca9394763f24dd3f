"""Reproduce the losses that NEST publishes of e-prop from descriptions of the networks, and go on until it has learnt.

The two tasks of the test suite of NEST (test_eprop_bsshslm_2020_plasticity.py): generation of a pattern by 100 neurons,
and evidence accumulation by 50 neurons and 50 adaptive neurons (Bellec et al. 2020, Nature Communications 11:3625).
"""

import argparse
import itertools
import json
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch import Tensor

from snncompare import provenance
from snncompare.backends.torch.module import TorchNetwork
from snncompare.backends.torch.surrogates import Triangle
from snncompare.figures.save import save_figure
from snncompare.figures.style import (
    DATA_COLOUR,
    DOUBLE_COLUMN,
    FAINT_COLOUR,
    PALETTE,
    new_figure,
    panel_letters,
    settle,
    style,
)
from snncompare.learning.gradients.choose import engine_for
from snncompare.learning.learning_rates import Constant as ConstantRate
from snncompare.learning.losses import Classification, Loss, Over, RateTarget, Regression
from snncompare.learning.optimiser import Optimiser
from snncompare.learning.optimisers import Adam, GradientDescent, Optimisation, Units
from snncompare.learning.presets import eprop
from snncompare.learning.schedule import Execution
from snncompare.learning.signals import RandomFeedback
from snncompare.network.initialisers import Constant
from snncompare.network.network import Network, Population, Projection
from snncompare.network.neuron import NeuronModel, SpikeSource
from snncompare.network.neurons.discrete_time import (
    adaptive_current_based_leaky_integrate_and_fire,
    current_based_leaky_integrate_and_fire,
    current_based_readout,
)
from snncompare.network.synapses import delta

HERE = Path(__file__).parent
NEST = "NEST, testsuite/pytests/synapses/test_eprop_bsshslm_2020_plasticity.py"
REGRESSION = (101.964356999041, 103.466731126205, 103.340607074771, 103.680244037686, 104.412775748752)
CLASSIFICATION = {
    1: (0.741152550006, 0.740388187700, 0.665785233177, 0.663644193322, 0.729428962844),
    2: (0.702163370672, 0.735555303152, 0.740354864111, 0.683882815282, 0.707841122268),
}
CURVE = {50: 103.1, 150: 80.7, 350: 31.7, 550: 15.7, 750: 10.1, 1000: 7.13}
"""Loss after so many iterations in our NumPy implementation of the equations of Bellec et al. (2020)."""

RECALL = 150
"""Steps at the end of a trial of evidence accumulation; NEST divides the whole gradient by them."""

LATE = 2
"""Steps after which the readout shows an input: one from an input to spikes, one from spikes to the readout."""

Array = NDArray[np.float64]
Trials = tuple[dict[str, Tensor], Tensor]


def single(values: NDArray[Any]) -> Array:
    """Return values rounded to float32, as NEST's tests store them."""
    return values.astype(np.float32).astype(np.float64)


def described(cells: Mapping[str, NeuronModel], sizes: Mapping[str, int], readout: NeuronModel) -> Network:
    """Return a network in which all cells project to all cells and to the readout.

    A source called "silence" keeps the neurons from firing in the last step, when only the readout is still looked at.
    """
    populations = {name: Population(size=sizes[name], neuron=SpikeSource()) for name in ("input", "silence")}
    populations |= {name: Population(size=sizes[name], neuron=model) for name, model in cells.items()}
    populations["readout"] = Population(size=sizes["readout"], neuron=readout)
    pairs = [(source, target) for source in ("input", *cells) for target in cells]
    pairs += [("silence", target) for target in cells] + [(source, "readout") for source in cells]
    projections = {
        f"{source}_{target}": Projection(
            source=source,
            target=target,
            synapse=delta(unit="1", variable="x"),
            weight=Constant(value="0"),
            trainable={} if source == "silence" else {"weight": {}},
        )
        for source, target in pairs
    }
    return Network(populations=populations, projections=projections)


@dataclass
class Study:
    """A network with all that learning needs; weights and feedback are matrices over all cells."""

    network: Network
    cells: tuple[str, ...]
    n_steps: int
    threshold: str
    loss: Loss
    optimiser: Optimisation
    strength: float
    w_in: Array
    w_rec: Array
    w_out: Array
    feedback: Array

    def learn(
        self, trials: Iterator[Trials], execution: Execution, weights: Mapping[str, Array] | None = None
    ) -> Iterator[tuple[float, TorchNetwork, float]]:
        """Yield the loss of each batch of trials before weights change by it, the network, and its firing rate (Hz)."""
        surrogate = Triangle(self.threshold, repr(float(self.threshold) / 0.3))
        rule = eprop(surrogate, feedback=RandomFeedback(), execution=execution, optimiser=self.optimiser)
        module = TorchNetwork(self.network, 1e-3, weights or self.weights(), surrogate=surrogate, paths=rule.paths)
        longer = (self.n_steps + LATE) / self.n_steps  # rates are counted over the steps of the task
        penalty = RateTarget(rate=f"{10 / longer!r} Hz", strength=self.strength, step=f"{longer!r} ms", each_trial=True)
        engine = engine_for(module, rule, self.loss, [penalty])
        engine.feedback.give({(name, "readout"): self.part(self.feedback, name) for name in self.cells})
        optimiser = Optimiser(module, rule)
        optimiser.set_rate(self.optimiser.learning_rate)
        for inputs, target in trials:
            (learnt,) = engine.trials(inputs, target)
            duration = learnt.n_steps * 1e-3
            extra = sum(float(penalty.of_counts(count, duration)) for count in learnt.counts.values())
            rate = float(torch.cat([*learnt.counts.values()], dim=1).mean()) / (self.n_steps * 1e-3)
            yield learnt.loss - extra, module, rate
            optimiser.update()

    def part(self, values: Array, name: str, axis: int = 0) -> Array:
        """Return the rows or columns of a matrix that belong to one of the populations of cells."""
        return np.split(values, len(self.cells), axis)[self.cells.index(name)]

    def weights(self) -> dict[str, Array]:
        """Return the initial weights by projection."""
        found = {f"{a}_{b}": self.part(self.part(self.w_rec, a), b, 1) for a in self.cells for b in self.cells}
        for name in self.cells:
            found[f"input_{name}"] = self.part(self.w_in, name, 1)
            found[f"{name}_readout"] = self.part(self.w_out, name)
            found[f"silence_{name}"] = np.full((1, self.network.populations[name].size), -1e6)
        return found

    def inputs(self, spikes: NDArray[np.bool_]) -> dict[str, Tensor]:
        """Return rasters (step, batch, neuron) for spikes of the shape (batch, step, neuron)."""
        batch, n_steps, n_in = spikes.shape
        raster, silence = np.zeros((n_steps + LATE, batch, n_in)), np.zeros((n_steps + LATE, batch, 1))
        raster[:n_steps], silence[n_steps] = spikes.transpose(1, 0, 2), 1.0
        return {"input": torch.from_numpy(raster), "silence": torch.from_numpy(silence)}


def recurrent_weights(rng: np.random.RandomState, n_in: int) -> tuple[Array, Array]:
    """Return weights of the input and among 100 cells."""
    w_in, w_rec = rng.randn(n_in, 100) / np.sqrt(n_in), rng.randn(100, 100) / 10
    np.fill_diagonal(w_rec, 0.0)
    return single(w_in), single(w_rec)


def pattern_generation() -> tuple[Study, Iterator[Trials]]:
    """Return the study of pattern generation and the same trial for ever."""
    rng, n_steps = np.random.RandomState(1), 1000
    w_in, w_rec = recurrent_weights(rng, 100)
    w_out, feedback = single(rng.randn(100, 1) / 10), single(rng.randn(100, 1) / 10)
    spikes = rng.rand(1, n_steps, 100) < 0.05
    spikes[:, 0] = False
    amplitudes, phases = rng.uniform(0.5, 2.0, 4), rng.uniform(0.0, 2 * np.pi, 4)
    waves = [
        amplitude * np.sin(np.linspace(phase, phase + 2 * np.pi * (n_steps // period), n_steps))
        for amplitude, phase, period in zip(amplitudes, phases, (1000, 500, 333, 200), strict=True)
    ]
    wave = np.sum(waves, axis=0) - np.sum(waves, axis=0)[0]
    cell = current_based_leaky_integrate_and_fire(
        tau="30 ms", tau_syn=None, v_threshold="0.03", reset="subtract base threshold"
    )
    sizes = {"input": 100, "silence": 1, "cells": 100, "readout": 1}
    network = described({"cells": cell}, sizes, current_based_readout(tau="30 ms", tau_syn=None))
    optimiser = GradientDescent(1e-4, clip=None, units=Units.SI, schedule=ConstantRate())
    loss = Regression("readout", "1")
    study = Study(network, ("cells",), n_steps, "0.03", loss, optimiser, 300.0, w_in, w_rec, w_out, feedback)
    target = torch.full((n_steps + LATE, 1, 1), torch.nan, dtype=torch.float64)
    target[LATE:, 0, 0] = torch.from_numpy(wave / np.abs(wave).max())
    trial = (study.inputs(spikes), target)
    return study, iter(lambda: trial, None)


def evidence_accumulation(batch: int) -> tuple[Study, Iterator[Trials]]:
    """Return the study of evidence accumulation and its trials."""
    rng, n_steps = np.random.RandomState(1), 2250
    w_in, w_rec = recurrent_weights(rng, 40)
    limit = np.sqrt(3.0 / ((100 + 2) / 2.0))
    w_out, feedback = single(rng.uniform(-limit, limit, (100, 2))), single(rng.randn(100, 2))
    rest: dict[str, Any] = {
        "tau": "20 ms", "tau_syn": None, "v_threshold": "0.6", "input_gain": "plain",
        "reset": "subtract base threshold", "refractory_steps": 4,
    }  # fmt: skip
    beta = 1.7 * (1 - np.exp(-1 / 2000)) / (1 - np.exp(-1 / 20))
    cells = {
        "plain": current_based_leaky_integrate_and_fire(**rest),
        "adaptive": adaptive_current_based_leaky_integrate_and_fire(
            tau_adaptation="2000 ms", beta=repr(float(beta)), adaptation_gain="plain", **rest
        ),
    }
    sizes = {"input": 40, "silence": 1, "plain": 50, "adaptive": 50, "readout": 2}
    network = described(cells, sizes, current_based_readout(tau="20 ms", tau_syn=None))
    optimiser = Adam(5e-3, clip=None, units=Units.SI, schedule=ConstantRate(), epsilon_hat=True)
    loss = Classification("readout", "1", over=Over.EACH_STEP, window=(f"{n_steps + LATE - RECALL} ms", None))
    study = Study(network, tuple(cells), n_steps, "0.6", loss, optimiser, 300.0 / RECALL, w_in, w_rec, w_out, feedback)
    return study, (cue_trial(study, rng, batch) for _ in iter(int, 1))


def cue_trial(study: Study, rng: np.random.RandomState, batch: int) -> Trials:
    """Return trials in which seven cues come from the left or the right, and the side with more is asked for."""
    side = rng.choice([0, 1], batch)
    p = np.array([0.3, 0.7], dtype=np.float32)
    cues = np.stack([rng.choice([0, 1], 7, p=p if one == 0 else p[::-1]) for one in side])
    probability = np.zeros((batch, study.n_steps, 40))
    for trial, number in np.ndindex(cues.shape):
        start, first = number * 150 + 50, 10 * cues[trial, number]
        probability[trial, start : start + 100, first : first + 10] = 0.04
    probability[:, -RECALL:, 20:30] = 0.04
    probability[:, :, 30:] = 0.01
    spikes = probability > rng.rand(*probability.shape)
    spikes[:, 0] = False
    return study.inputs(spikes), torch.from_numpy((cues.sum(axis=1) > 3).astype(np.int64))


def first_losses(execution: Execution, number: int = 5) -> dict[str, list[float]]:
    """Return the losses of the first iterations of each task."""
    tasks = {"pattern generation": pattern_generation()}
    tasks |= {f"evidence accumulation, {batch} per batch": evidence_accumulation(batch) for batch in CLASSIFICATION}
    return {
        name: [loss for loss, _, _ in itertools.islice(study.learn(trials, execution), number)]
        for name, (study, trials) in tasks.items()
    }


def published() -> dict[str, tuple[float, ...]]:
    """Return what NEST publishes, by task."""
    accumulation = {f"evidence accumulation, {batch} per batch": losses for batch, losses in CLASSIFICATION.items()}
    return {"pattern generation": REGRESSION} | accumulation


def shown(study: Study, trial: Trials, weights: Mapping[str, Array]) -> tuple[Array, Array]:
    """Return the readout's course and the cells' spikes (step, cell) with some weights."""
    module = TorchNetwork(study.network, 1e-3, weights)
    with torch.no_grad():
        run = module(trial[0], record=["cells"], traces=[("readout", "v")])
    return run.traces["readout", "v"][LATE:, 0, 0].numpy(), run.spikes["cells"][1:-1, 0].numpy()


def long_run(iterations: int, kept: Path, echo: bool) -> tuple[list[float], list[float], dict[str, Array]]:
    """Return losses, rates and final weights of pattern generation; goes on from a file if there is one."""
    study, trials = pattern_generation()
    losses: list[float] = []
    rates: list[float] = []
    weights = study.weights()
    if kept.is_file():
        with np.load(kept) as saved:
            losses, rates = saved["losses"].tolist(), saved["rates"].tolist()
            weights = {name: saved[f"weight {name}"] for name in weights}
    left = itertools.islice(study.learn(trials, Execution.BACKWARD, weights), iterations + 1 - len(losses))
    for loss, module, rate in left:  # the weights of a pause are those before the change that its loss asks for
        weights = module.weights_array()
        if losses and len(losses) % 50 == 0:
            parts = {f"weight {name}": values for name, values in weights.items()}
            np.savez(kept, losses=losses, rates=rates, **parts)
            if echo:
                print(f"{len(losses)} iterations: next loss {loss:.2f}, {rate:.1f} Hz", flush=True)
        if len(losses) < iterations:
            losses.append(loss)
            rates.append(rate)
    return losses, rates, weights


def draw(losses: list[float], weights: Mapping[str, Array], out: Path) -> None:
    """Draw the course of the loss, the pattern before and after, and the spikes after."""
    study, trials = pattern_generation()
    trial = next(trials)
    before, _ = shown(study, trial, study.weights())
    after, spikes = shown(study, trial, weights)
    answer = trial[1][LATE:, 0, 0].numpy()
    time_ms, number = np.arange(study.n_steps), np.arange(1, len(losses) + 1)
    with style():
        figure = new_figure(DOUBLE_COLUMN, 70.0)
        left, middle, right = figure.subplots(1, 3)
        left.plot(number, losses, color=PALETTE[0], label="snncompare")
        there = [n for n in CURVE if n <= len(losses)]
        left.plot(there, [CURVE[n] for n in there], "o", color=DATA_COLOUR, markersize=3, label="NumPy reference")
        left.set(xlabel="Iteration", ylabel="Loss", yscale="log", ylim=(5, 130))
        left.set_yticks([5, 10, 20, 50, 100], ["5", "10", "20", "50", "100"])
        left.minorticks_off()
        left.legend(frameon=False)
        middle.plot(time_ms, answer, color=DATA_COLOUR, label="target")
        middle.plot(time_ms, before, color=FAINT_COLOUR, label="before learning")
        middle.plot(time_ms, after, color=PALETTE[0], label=f"after {len(losses)} iterations")
        middle.set(xlabel="Time (ms)", ylabel="Readout", ylim=(-0.5, 1.7))
        middle.legend(frameon=False, loc="upper right")
        step, cell = np.nonzero(spikes)
        right.plot(step, cell, "|", color=DATA_COLOUR, markersize=1.5, markeredgewidth=0.5)
        right.set(xlabel="Time (ms)", ylabel="Neuron")
        panel_letters([left, middle, right])
        tables = {
            "loss": pd.DataFrame({"iteration": number, "loss": losses}),
            "pattern": pd.DataFrame({"time_ms": time_ms, "target": answer, "before": before, "after": after}),
        }
        save_figure(settle(figure), tables, out, "pattern_generation")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("out/eprop_reference"))
    parser.add_argument(
        "--quick", action="store_true", help="the first loss of each task, three iterations of learning"
    )
    arguments = parser.parse_args()
    begin = time.perf_counter()
    arguments.out.mkdir(parents=True, exist_ok=True)
    losses, rates, weights = long_run(
        3 if arguments.quick else 1000, arguments.out / "pattern.npz", not arguments.quick
    )
    metrics = {}
    for execution in (Execution.BACKWARD,) if arguments.quick else (Execution.BACKWARD, Execution.FORWARD):
        for task, first in first_losses(execution, 1 if arguments.quick else 5).items():
            for number, (found, given) in enumerate(zip(first, published()[task], strict=False), 1):
                name = f"{task}, {execution.value}, iteration {number}"
                metrics[name] = {"value": found, "published": given, "source": NEST}
    for number, expected in CURVE.items():
        if number <= len(losses):
            entry = {"value": losses[number - 1], "published": None, "source": f"{expected} in our NumPy reference"}
            metrics[f"pattern generation, loss of iteration {number}"] = entry
    metrics["pattern generation, firing rate at the end (Hz)"] = {
        "value": rates[-1], "published": None, "source": "15.8 in our NumPy reference after 1000 iterations"
    }  # fmt: skip
    draw(losses, weights, arguments.out)
    results = {"study": "eprop_reference", "metrics": metrics, "seconds": round(time.perf_counter() - begin, 1)}
    results |= {"quick": arguments.quick, "provenance": provenance.collect(seed=1)}
    target = arguments.out / "results.json"
    target.write_text(json.dumps(results, indent=2) + "\n")
    print(target)


if __name__ == "__main__":
    main()
