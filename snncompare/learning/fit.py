"""Train a network on a dataset by a rule."""

import hashlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from tqdm import tqdm

from snncompare import provenance
from snncompare.backends.activity import spiking
from snncompare.backends.realisation import realise
from snncompare.backends.torch.module import TorchNetwork
from snncompare.backends.torch.threads import threads_for
from snncompare.datasets.spike_dataset import SpikeDataset
from snncompare.errors import InputError, unknown
from snncompare.learning.batches import Batches
from snncompare.learning.checkpoint import Checkpoint
from snncompare.learning.dropout import Dropout
from snncompare.learning.evaluate import evaluate
from snncompare.learning.losses import Classification, RateLimit
from snncompare.learning.optimiser import Optimiser
from snncompare.learning.rule import LearningRule
from snncompare.learning.trained import Trained
from snncompare.network.network import Network
from snncompare.units import QuantityLike, seconds

__all__ = ["fit"]


def fit(
    network: Network,
    rule: LearningRule,
    dataset: SpikeDataset,
    *,
    loss: Classification,
    test: SpikeDataset,
    dt: QuantityLike,
    epochs: int = 10,
    batch_size: int = 64,
    rates: RateLimit | None = None,
    dropout: Dropout | None = None,
    seed: int = 0,
    checkpoint: str | Path | None = None,
    progress: Callable[[str], None] | None = None,
) -> Trained:
    """Return the network trained on a dataset.

    Parameters
    ----------
    network : Network
        With one spike source, which receives the dataset's spikes, and the readout that the loss names.
    rule : LearningRule
    dataset, test : SpikeDataset
        Training trials, and trials that are only used to measure accuracy. Silence follows those that are shorter than
        the longest of both; several spikes of a unit in one step count as several.
    loss : Classification
    dt : quantity
        Time step.
    epochs, batch_size : int
    rates : RateLimit, optional
        Penalty that keeps the spiking populations in a band of firing rates.
    dropout : Dropout, optional
        Neurons whose spikes are dropped while the network learns; it is measured whole.
    seed : int
        Of the initial weights, the order of trials and what is dropped.
    checkpoint : path, optional
        A file that is written after every epoch and removed at the end. If it exists, training goes on where it was
        interrupted and ends with the same weights, bit for bit.
    progress : callable, optional
        Receives one line per epoch; without it a progress bar is shown.

    Raises
    ------
    InputError
        If network, loss and dataset do not fit together, or when the loss stops being a number.
    FileError
        If the checkpoint belongs to another training.
    """
    _check(network, loss, dataset)
    step = seconds(dt, "dt")
    drawn = realise(network, seed, dt=step)
    module = TorchNetwork(network, step, drawn, surrogate=rule.surrogate, detach_reset=rule.detach_reset)
    optimiser, rng = Optimiser(module, rule), np.random.default_rng([seed, 1])
    longest = f"{max(float((part.trials['stop'] - part.trials['start']).max()) for part in (dataset, test))!r} s"
    batches = Batches(dataset, network.sources()[0], dt, longest)
    record: dict[str, Any] = {
        "network": network.fingerprint(),
        "data": [_data_fingerprint(part) for part in (dataset, test)],
        "rule": repr(rule),
        "loss": repr(loss),
        "rates": repr(rates),
        "dropout": repr(dropout),
        "dt_seconds": step,
        "epochs": epochs,
        "batch_size": batch_size,
    }
    saved = Checkpoint(
        None if checkpoint is None else Path(checkpoint), provenance.fingerprint(record | {"seed": seed})
    )
    finished = saved.resume(module, optimiser, rng)
    hidden = progress is not None
    largest = batch_size * max(population.size for population in network.populations.values())
    with (
        threads_for(largest),
        tqdm(total=epochs, initial=finished, desc="training", unit="epoch", disable=hidden) as bar,
    ):
        for epoch in range(finished + 1, epochs + 1):
            optimiser.set_rate(rule.optimiser.rate_at((epoch - 1) / epochs))
            order = dataset.batches(batch_size, seed=int(rng.integers(2**31)))
            learnt = []
            for indices in order:
                factors = None if dropout is None else dropout.factors(network, indices.size, rng)
                learnt.append(_learn(module, optimiser, batches, indices, loss, rates, factors))
            row = {"epoch": epoch, **_means(learnt, epoch, rule), **_held_out(module, test, loss, dt, longest)}
            saved.rows.append(row)
            saved.save(module, optimiser, rng)
            measured = f"loss {row['loss']:.3f}, held-out accuracy {row['test_accuracy']:.1%}, {row['rate']:.0f} Hz"
            bar.update()
            bar.set_postfix_str(measured)
            if progress is not None:
                progress(f"epoch {epoch}/{epochs}: {measured}")
    saved.remove()
    history = pd.DataFrame(saved.rows)
    return Trained(module.description(), module.realisation(), history, provenance.collect(seed=seed, **record))


def _learn(
    module: TorchNetwork,
    optimiser: Optimiser,
    batches: Batches,
    indices: NDArray[np.int64],
    loss: Classification,
    rates: RateLimit | None,
    dropout: Mapping[str, torch.Tensor] | None,
) -> tuple[float, float]:
    """Change the weights by one batch; return the loss and the accuracy before the change."""
    rasters, labels = batches(indices)
    firing = spiking(module.network) if rates is not None else []
    activity = module(rasters, record=firing, traces=loss.reads.traces, dropout=dropout)
    values = loss.reads.of(activity)
    value, logits = loss(values, labels), loss.evidence(values)
    duration = values.shape[0] * module.dt
    penalties = [] if rates is None else [rates.of_counts(z.sum(dim=0), duration) for z in activity.spikes.values()]
    optimiser.step(value + sum(penalties, torch.zeros((), dtype=value.dtype)))
    return float(value.detach()), float((logits.argmax(dim=1) == labels).double().mean())


def _means(learnt: list[tuple[float, float]], epoch: int, rule: LearningRule) -> dict[str, float]:
    if not np.isfinite(learnt).all():
        raise InputError(
            f"the loss is not a number in epoch {epoch}; use a smaller learning rate than "
            f"{rule.optimiser.learning_rate:g}."
        )
    loss, accuracy = np.mean(learnt, axis=0)
    return {"loss": float(loss), "train_accuracy": float(accuracy)}


def _held_out(
    module: TorchNetwork, test: SpikeDataset, loss: Classification, dt: QuantityLike, duration: str
) -> dict[str, float]:
    measured = evaluate(module, test, loss, dt=dt, duration=duration)
    return {"test_accuracy": measured.accuracy, "rate": measured.rate}


def _data_fingerprint(dataset: SpikeDataset) -> str:
    """Return a hash of the spikes, or of the recipe they are made by, and of the labels."""
    digest = hashlib.sha256(dataset.source.fingerprint().encode())
    digest.update(np.ascontiguousarray(dataset.labels).tobytes())
    return digest.hexdigest()


def _check(network: Network, loss: Classification, dataset: SpikeDataset) -> None:
    if len(network.sources()) != 1:
        raise InputError(
            f"training needs a network with one spike source, '{network.name}' has {len(network.sources())}."
        )
    if loss.readout not in network.populations:
        raise InputError("loss: " + unknown("population", loss.readout, network.populations))
    if network.populations[loss.readout].size != len(dataset.classes):
        raise InputError(
            f"the readout '{loss.readout}' has {network.populations[loss.readout].size} neurons for "
            f"{len(dataset.classes)} classes."
        )
    source = network.populations[network.sources()[0]]
    if source.size != len(dataset.units):
        raise InputError(f"the spike source has {source.size} neurons, the dataset {len(dataset.units)} units.")
