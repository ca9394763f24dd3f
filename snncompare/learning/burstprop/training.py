"""Training of a network of ensembles."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch

from snncompare import provenance
from snncompare.errors import InputError
from snncompare.learning.burstprop.network import BurstNetwork
from snncompare.learning.burstprop.patterns import Patterns
from snncompare.learning.burstprop.probe import Probe, error_rate
from snncompare.learning.burstprop.rule import EnsembleRule, Kept
from snncompare.learning.burstprop.shifts import shifted
from snncompare.learning.burstprop.steps import Momentum, Movement
from snncompare.learning.checkpoint import Checkpoint
from snncompare.recording.arguments import whole_number
from snncompare.values import check_arguments

__all__ = ["TrainedBurstNetwork", "train_burst_network"]


@dataclass(frozen=True, eq=False)
class TrainedBurstNetwork:
    """What `train_burst_network` returns.

    Attributes
    ----------
    network : BurstNetwork
        The one that was given, after learning.
    kept : dict
        Feedback weights and what else the rule keeps.
    history : pandas.DataFrame
        A row before learning (epoch 0) and one after each epoch: ``loss`` and ``training_error`` (of answers given
        while learning), ``validation_error``, ``test_error``, and the columns of `Probe.row`.
    provenance : dict
    """

    network: BurstNetwork
    kept: Kept
    history: pd.DataFrame
    provenance: dict[str, Any] = field(default_factory=dict)


def train_burst_network(
    network: BurstNetwork,
    rule: EnsembleRule,
    training: Patterns,
    *,
    validation: Patterns | None = None,
    test: Patterns | None = None,
    epochs: int = 10,
    batch_size: int = 32,
    steps: Momentum | None = None,
    shift: int = 0,
    n_probe: int = 500,
    seed: int = 0,
    checkpoint: str | Path | None = None,
    progress: Callable[[str], None] | None = None,
) -> TrainedBurstNetwork:
    """Let a network of ensembles learn classes.

    Parameters
    ----------
    network : BurstNetwork
        Is trained in place.
    rule : EnsembleRule
        `Burstprop`, `BurstCCN`, or a control: `Backprop`, `FeedbackAlignment`, `NodePerturbation`.
    training : Patterns
    validation, test : Patterns, optional
        Errors on them are noted after every epoch; neither changes what is learnt.
    epochs, batch_size : int
        The last batch of an epoch may be smaller.
    steps : Momentum, optional
        Default ``Momentum()``.
    shift : int
        Training pictures (channels, height, width) are moved at random by up to so many pixels in each direction, each
        time anew; 0 shows them as they are.
    n_probe : int
        How many of the first training examples angles and burst probabilities are measured on after each epoch.
    seed : int
        Of feedback, order of examples and noise; the seed of the weights is the network's.
    checkpoint : path, optional
        A file that is written after every epoch and removed at the end; an interrupted training goes on from it and
        ends with the same bits.
    progress : callable, optional
        Receives one line per epoch.

    Raises
    ------
    InputError
        If network, patterns and learning rates do not fit together, or weights stop being finite.
    FileError
        If the checkpoint belongs to another training.
    """
    check_arguments(train_burst_network, locals())
    epochs, batch_size = whole_number("epochs", epochs, 1), whole_number("batch_size", batch_size, 1)
    steps = steps or Momentum()
    course = _Course(network, rule, training, steps, batch_size, shift, seed)
    parts = {name: part for name, part in (("validation", validation), ("test", test)) if part is not None}
    held_out = {name: part.for_network(network) for name, part in parts.items()}
    record = course.record | {
        "held_out": {name: part.fingerprint() for name, part in parts.items()},
        "epochs": epochs,
        "n_probe": whole_number("n_probe", n_probe, 1),
    }
    saved = Checkpoint(None if checkpoint is None else Path(checkpoint), provenance.fingerprint(record))
    rows = course.resume(saved.resume())
    probe = Probe(course.inputs[:n_probe], course.targets[:n_probe], seed)
    if not rows:
        rows.append({"epoch": 0.0, **error_rate(network, held_out), **probe.row(network, rule, course.kept)})
    for epoch in range(len(rows), epochs + 1):
        found = course.epoch(steps.schedule.factor(epoch - 1, epochs))
        rows.append({"epoch": float(epoch), **found, **error_rate(network, held_out)})
        rows[-1] |= probe.row(network, rule, course.kept)
        saved.save({"rows": rows, **course.state})
        if progress is not None:
            progress(_line(rows[-1], epochs))
    saved.remove()
    history = pd.DataFrame(rows).astype({"epoch": int})
    return TrainedBurstNetwork(network, course.kept, history, provenance.collect(**record))


class _Course:
    """Everything that changes while a network learns."""

    def __init__(
        self,
        network: BurstNetwork,
        rule: EnsembleRule,
        training: Patterns,
        steps: Momentum,
        batch_size: int,
        shift: int,
        seed: int,
    ) -> None:
        if whole_number("shift", shift, 0) and len(network.inputs) != 3:
            raise InputError(f"shift moves pictures (channels, height, width), got inputs of shape {network.inputs}.")
        self.network, self.rule, self._steps, self._batch_size, self._shift = network, rule, steps, batch_size, shift
        self.inputs, self.labels = training.for_network(network)
        self.targets = torch.eye(network.n_outputs, dtype=network.torch_dtype)[self.labels]
        self.kept = rule.prepare(network, whole_number("seed", seed, 0))
        self._movement = Movement(network, steps)
        self._order = np.random.default_rng([seed, 1])
        self._noise = torch.Generator().manual_seed(seed + 1)
        self.record: dict[str, Any] = {
            "network": network.described(),
            "weights": [float(weight.double().abs().sum()) for weight in (*network.weights, *network.biases)],
            "rule": repr(rule),
            "training": training.fingerprint(),
            "steps": repr(steps),
            "batch_size": batch_size,
            "shift": shift,
            "seed": seed,
        }

    def epoch(self, factor: float) -> dict[str, float]:
        """Go through the examples once; return loss and error of the answers given meanwhile."""
        order = torch.from_numpy(self._order.permutation(len(self.labels)))
        loss, wrong = 0.0, 0
        for chosen in order.split(self._batch_size):
            inputs, targets = self.inputs[chosen], self.targets[chosen]
            if self._shift:
                inputs = shifted(inputs, self._shift, self._noise)
            rates = self.network.rates(inputs)
            signals = self.rule.signals(self.network, self.kept, rates, targets, self._noise)
            moved = self._movement.step(signals.changes, rates, factor)
            self.rule.adapt(self.network, self.kept, signals, rates, moved, factor * self._steps.weight_decay)
            loss += float(self.network.loss(rates[-1], targets).sum())
            wrong += int((rates[-1].argmax(1) != self.labels[chosen]).sum())
        if not all(bool(torch.isfinite(weight).all()) for weight in self.network.weights) or not np.isfinite(loss):
            raise InputError(
                "weights are no longer finite numbers; use smaller learning rates than "
                f"{self._steps.learning_rates}, or a smaller recurrent_rate or feedback_scale of the rule."
            )
        return {"loss": loss / len(order), "training_error": wrong / len(order)}

    def resume(self, state: dict[str, Any] | None) -> list[dict[str, float]]:
        """Restore what was saved, and return the rows of the history so far."""
        if state is None:
            return []
        for now, then in ((self.network.weights, state["weights"]), (self.network.biases, state["biases"])):
            for tensor, value in zip(now, then, strict=True):
                tensor.copy_(value)
        self.kept = {name: list(tensors) for name, tensors in state["kept"].items()}
        self._movement.state = state["movement"]
        self._order.bit_generator.state = state["order"]
        self._noise.set_state(state["noise"])
        return list(state["rows"])

    @property
    def state(self) -> dict[str, Any]:
        """Everything, for a checkpoint."""
        return {
            "weights": self.network.weights,
            "biases": self.network.biases,
            "kept": self.kept,
            "movement": self._movement.state,
            "order": self._order.bit_generator.state,
            "noise": self._noise.get_state(),
        }


def _line(row: dict[str, float], epochs: int) -> str:
    said = [f"epoch {row['epoch']:.0f}/{epochs}: loss {row['loss']:.4f}"]
    said += [
        f"{part} error {row[f'{part}_error']:.2%}"
        for part in ("training", "validation", "test")
        if f"{part}_error" in row
    ]
    return ", ".join([*said, f"angle to the gradient in layer 1 {row['angle_1']:.0f} degrees"])
