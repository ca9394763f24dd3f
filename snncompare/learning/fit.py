"""Train a network on a dataset by a rule."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from torch import nn
from tqdm import tqdm

from snncompare import provenance
from snncompare.backends.realisation import Given, realise
from snncompare.backends.torch.module import TorchNetwork
from snncompare.backends.torch.threads import threads_for
from snncompare.datasets.spike_dataset import SpikeDataset
from snncompare.errors import InputError
from snncompare.learning.checkpoint import Checkpoint
from snncompare.learning.distributed import SharedPenalty, joined
from snncompare.learning.dropout import Dropout
from snncompare.learning.early_stopping import EarlyStopping
from snncompare.learning.faults import FaultLimits
from snncompare.learning.fitting import check_fit, data_fingerprint, digest_of
from snncompare.learning.gradients.choose import engine_for
from snncompare.learning.gradients.engine import GradientEngine
from snncompare.learning.logs import Log, opened_log
from snncompare.learning.losses import Loss, Penalty
from snncompare.learning.on_chip.chips import Chips
from snncompare.learning.on_chip.engine import BackwardOnChip
from snncompare.learning.on_chip.settings import OnChip
from snncompare.learning.optimiser import Optimiser
from snncompare.learning.optimisers import Optimisation
from snncompare.learning.rule import LearningRule
from snncompare.learning.trained import Trained
from snncompare.learning.training import Training
from snncompare.network.network import Network
from snncompare.units import QuantityLike, seconds
from snncompare.values import check_arguments

__all__ = ["fit"]


def fit(
    network: Network,
    rule: LearningRule,
    dataset: SpikeDataset,
    *,
    loss: Loss,
    test: SpikeDataset | None,
    dt: QuantityLike,
    epochs: int = 10,
    batch_size: int = 64,
    batches_per_epoch: int | None = None,
    penalties: Sequence[Penalty] = (),
    dropout: Dropout | None = None,
    on_chip: OnChip | None = None,
    weights: Given | None = None,
    validation: SpikeDataset | None = None,
    early_stopping: EarlyStopping | None = None,
    faults: FaultLimits | None = None,
    seed: int = 0,
    checkpoint: str | Path | None = None,
    logs: str | Path | None = None,
    progress: Callable[[str], None] | None = None,
    callback: Callable[[Mapping[str, float], TorchNetwork], bool | None] | None = None,
) -> Trained:
    """Return the network trained on a dataset.

    Started by ``torchrun``, all processes train one network together, see `snncompare.learning.distributed`.

    Parameters
    ----------
    network : Network
        With one spike source, which receives the dataset's spikes, and the population that the loss names.
    rule : LearningRule
    dataset, test : SpikeDataset
        Training trials, and trials that are only used to measure how well the network does; None measures nothing.
        Silence follows trials that are shorter than the longest of all; several spikes of a unit in one step count as
        several.
    loss : Loss
    dt : quantity
        Time step.
    epochs, batch_size : int
    batches_per_epoch : int, optional
        An epoch is so many batches, drawn anew from all trials; by default every trial once. For datasets so large that
        training ends before it has seen all of them.
    penalties : sequence of Penalty
        What is added to the loss, such as a `RateLimit`.
    dropout : Dropout, optional
        Neurons whose spikes are dropped while the network learns; it is measured whole.
    on_chip : OnChip, optional
        Emulated or real chips on which it learns and is measured. What is returned is what is asked of the chips.
    weights : Realisation or mapping, optional
        What need not be drawn, see `snncompare.backends.realisation.Given`, for example of an earlier training.
    validation : SpikeDataset, optional
        Trials that are measured after every epoch for `early_stopping`.
    early_stopping : EarlyStopping, optional
    faults : FaultLimits, optional
        From when on silence, saturation and vanishing gradients are errors; default: `FaultLimits()`.
    seed : int
        Of the initial weights, the order of trials, what is dropped and what is random in the network.
    checkpoint : path, optional
        A file that is written after every epoch and removed at the end. If it exists, training goes on where it was
        interrupted and ends with the same weights, bit for bit.
    logs : path, optional
        A folder for TensorBoard.
    progress : callable, optional
        Receives one line per epoch; without it a progress bar is shown.
    callback : callable, optional
        Called after every epoch with its row of the history and the network; training ends when it returns True.

    Raises
    ------
    InputError
        If network, loss and dataset do not fit together.
    TrainingFaultError
        When training cannot lead anywhere, see `FaultLimits`; it is an `InputError`.
    FileError
        If the checkpoint belongs to another training.
    MissingDependencyError
        If `logs` need TensorBoard, which is not installed.
    """
    check_arguments(fit, locals())
    if epochs < 0 or batch_size < 1:
        raise InputError(f"epochs must be at least 0 and batch_size at least 1, got {epochs} and {batch_size}.")
    if batches_per_epoch is not None and batches_per_epoch < 1:
        raise InputError(f"batches_per_epoch must be at least 1, or None for every trial, got {batches_per_epoch}.")
    if early_stopping is not None and validation is None:
        raise InputError(
            "early_stopping needs validation=, trials that are neither learnt nor tested: "
            "learnt, validation = dataset.split(0.9, seed=0)."
        )
    step = seconds(dt, "dt")
    parts = {"dataset": dataset, "validation": validation, "test": test}
    data = {name: part for name, part in parts.items() if part is not None}
    check_fit(network, loss, penalties, data, step)
    drawn = realise(network, seed, weights, dt=step)
    record: dict[str, Any] = {
        "network": network.fingerprint(),
        "data": {name: data_fingerprint(part, loss.wants) for name, part in data.items()},
        "rule": repr(rule),
        "loss": repr(loss),
        "penalties": repr(tuple(penalties)),
        "dropout": repr(dropout),
        "early_stopping": repr(early_stopping),
        "dt_seconds": step,
        "epochs": epochs,
        "batch_size": batch_size,
    }
    if batches_per_epoch is not None:
        record["batches_per_epoch"] = batches_per_epoch
    module = TorchNetwork(
        network, step, drawn, surrogate=rule.surrogate, paths=rule.paths, checkpoint_every=rule.checkpoint_every
    )
    chips = None if on_chip is None else Chips(module, on_chip, rule, seed=seed)
    if on_chip is not None:
        record["on_chip"] = on_chip.record
    if weights is not None:
        record["weights"] = digest_of(module)
    processes = joined()
    shared = [SharedPenalty(one, processes) for one in penalties] if processes.size > 1 else penalties
    here = loss.for_step(step)
    engine = engine_for(module, rule, here, shared) if chips is None else BackwardOnChip(chips, rule, here, shared)
    training = Training(
        module=module,
        engine=engine,
        optimiser=Optimiser(module, rule, _feedback(engine)),
        loss=here,
        data=data,
        dt=dt,
        rng=np.random.default_rng([seed, 1]),
        processes=processes,
        dropout=dropout,
        limits=faults or FaultLimits(),
        chips=chips,
    )
    saved = Checkpoint(
        None if checkpoint is None else Path(checkpoint), provenance.fingerprint(record | {"seed": seed})
    )
    training.resume(saved)
    plan = _Plan(rule.optimiser, epochs, batch_size, batches_per_epoch, early_stopping, progress, callback)
    largest = batch_size * max(population.size for population in network.populations.values())
    with threads_for(largest), opened_log(logs if processes.is_first else None, len(training.rows)) as log:
        _carry_out(training, plan, saved, log)
    processes.wait()
    if processes.is_first:
        saved.remove()
    if training.best.weights:
        module.load_state_dict(training.best.weights)
        record["best_epoch"] = training.best.epoch
    history = pd.DataFrame(training.rows)
    return Trained(module.description(), module.realisation(), history, provenance.collect(seed=seed, **record))


@dataclass(frozen=True)
class _Plan:
    """What happens from epoch to epoch beside learning."""

    optimiser: Optimisation
    epochs: int
    batch_size: int
    batches_per_epoch: int | None
    early_stopping: EarlyStopping | None
    progress: Callable[[str], None] | None
    callback: Callable[[Mapping[str, float], TorchNetwork], bool | None] | None


def _feedback(engine: GradientEngine) -> dict[str, tuple[nn.Parameter, float]]:
    """Return the feedback weights that learn, with the unit in which they are changed."""
    named = engine.feedback.named_parameters()
    return {name: (parameter, engine.feedback.unit(name)) for name, parameter in named}


def _carry_out(training: Training, plan: _Plan, saved: Checkpoint, log: Log) -> None:
    """Carry out the epochs that remain."""
    first = training.processes.is_first
    bar = tqdm(
        total=plan.epochs,
        initial=len(training.rows),
        desc="training",
        unit="epoch",
        disable=plan.progress is not None or not first,
    )
    with bar:
        while len(training.rows) < plan.epochs and not training.ended:
            finished = len(training.rows)
            rate = plan.optimiser.rate_at(finished, plan.epochs)
            row, faults = training.epoch(rate, plan.batch_size, plan.batches_per_epoch)
            if plan.early_stopping is not None:
                training.ended = training.best.seen(plan.early_stopping, row, training.module.state_dict())
            if plan.callback is not None and plan.callback(row, training.module):
                training.ended = True
            if not first:
                continue
            saved.save(training.state)
            log.write(row, rate)
            told = ", ".join([_told(row), *faults])
            bar.update()
            bar.set_postfix_str(told)
            if plan.progress is not None:
                plan.progress(f"epoch {finished + 1}/{plan.epochs}: {told}")


def _told(row: Mapping[str, float]) -> str:
    """Return what is said of an epoch in a line."""
    said = [f"loss {row['loss']:.3f}"]
    if "test_accuracy" in row:
        said.append(f"held-out accuracy {row['test_accuracy']:.1%}")
    elif "test_loss" in row:
        said.append(f"held-out loss {row['test_loss']:.3f}")
    each = [f"{name.removeprefix('rate_')} {value:.0f} Hz" for name, value in row.items() if name.startswith("rate_")]
    mean = [f"{row['rate']:.0f} Hz"] if "rate" in row else []
    return ", ".join([*said, *(each if len(each) > 1 else mean)])
