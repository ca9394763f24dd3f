"""Training of a recurrent network of rates on what a spiking network was trained on."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch import Tensor

from snncompare import provenance
from snncompare.datasets.spike_dataset import SpikeDataset
from snncompare.errors import InputError
from snncompare.learning.batches import Batches
from snncompare.learning.checkpoint import Checkpoint
from snncompare.learning.cost import Cost, rate_network_cost
from snncompare.learning.losses import Form, Loss, Wants
from snncompare.learning.optimisers import Adam
from snncompare.learning.rate_networks.network import RateNetwork
from snncompare.recording.arguments import whole_number
from snncompare.units import QuantityLike, seconds
from snncompare.values import check_arguments

__all__ = ["TrainedRateNetwork", "evaluate_rate_network", "fit_rate_network"]


@dataclass(frozen=True, eq=False)
class TrainedRateNetwork:
    """What `fit_rate_network` returns.

    Attributes
    ----------
    network : RateNetwork
    history : pandas.DataFrame
        One row per epoch: ``epoch``, ``loss``, ``train_accuracy``, ``test_accuracy``.
    n_steps : int
        Length of a trial.
    input_firing : float
        Spikes per input and step in the test trials.
    provenance : dict
    """

    network: RateNetwork
    history: pd.DataFrame
    n_steps: int
    input_firing: float
    provenance: dict[str, Any] = field(default_factory=dict)

    def cost(self, *, inputs_are_spikes: bool = False) -> Cost:
        """Return what one inference costs, see `rate_network_cost`."""
        return rate_network_cost(
            self.network.kind,
            inputs=self.network.inputs,
            hidden=self.network.hidden,
            outputs=self.network.outputs,
            n_steps=self.n_steps,
            input_firing=self.input_firing if inputs_are_spikes else None,
        )


def fit_rate_network(
    network: RateNetwork,
    dataset: SpikeDataset,
    *,
    test: SpikeDataset,
    loss: Loss,
    dt: QuantityLike,
    epochs: int = 10,
    batch_size: int = 64,
    optimiser: Adam = Adam(),
    window: int | None = None,
    seed: int = 0,
    checkpoint: str | Path | None = None,
    progress: Callable[[str], None] | None = None,
) -> TrainedRateNetwork:
    """Train a network of rates on counts of spikes in time steps, by back-propagation through time.

    It gets the trials, steps, batches, loss, optimiser and learning rates over epochs that `fit` gives a spiking
    network with the same arguments and seed.

    Parameters
    ----------
    network : RateNetwork
        Is trained in place.
    dataset, test : SpikeDataset
    loss : Loss
        Of a readout's variable; its scale is what one unit of this readout counts as: ``"1"``.
    dt : time
        Time step, in which spikes are counted.
    epochs, batch_size : int
    optimiser : Adam
        Its learning rate counts in the numbers of weights as they are.
    window : int, optional
        Steps after which weights change and the gradient is cut while the state goes on, as in `truncated_bptt`; for a
        loss of every step. By default weights change after the trials.
    seed : int
        Of the order of trials.
    checkpoint : path, optional
        A file that is written after every epoch and removed at the end; an interrupted training goes on from it and
        ends with the same weights.
    progress : callable, optional
        Receives one line per epoch.

    Raises
    ------
    InputError
        If network, loss and dataset do not fit together, or when the loss stops being a number.
    FileError
        If the checkpoint belongs to another training.
    """
    check_arguments(fit_rate_network, locals())
    loss = loss.for_step(seconds(dt, "dt"))
    _check(network, dataset, loss)
    if window is not None and (loss.form is not Form.EACH_STEP or whole_number("window", window, 1) < 1):
        raise InputError("windows need a loss of every step, such as Classification(..., over=Over.EACH_STEP).")
    longest = f"{max(float((part.trials['stop'] - part.trials['start']).max()) for part in (dataset, test))!r} s"
    torch_optimiser = torch.optim.Adam(
        network.parameters(), betas=optimiser.betas, eps=optimiser.eps, weight_decay=optimiser.weight_decay
    )
    rng = np.random.default_rng([seed, 1])
    record: dict[str, Any] = {
        "network": [network.kind, network.inputs, network.hidden, network.outputs, _weights_hash(network)],
        "data": [part.source.fingerprint() for part in (dataset, test)],
        "loss": repr(loss),
        "optimiser": repr(optimiser),
        "window": window,
        "dt_seconds": seconds(dt, "dt"),
        "epochs": epochs,
        "batch_size": batch_size,
    }
    saved = Checkpoint(
        None if checkpoint is None else Path(checkpoint), provenance.fingerprint(record | {"seed": seed})
    )
    rows = _resumed(saved, network, torch_optimiser, rng)
    batches = Batches(dataset, "input", dt, longest, loss.wants)
    for epoch in range(len(rows) + 1, epochs + 1):
        for group in torch_optimiser.param_groups:
            group["lr"] = optimiser.rate_at(epoch - 1, epochs)
        learnt = [
            _learn(network, torch_optimiser, batches, indices, loss, optimiser.clip, window)
            for indices in dataset.batches(batch_size, seed=int(rng.integers(2**31)))
        ]
        value, accuracy = np.mean(learnt, axis=0)
        if not np.isfinite(value):
            rate = optimiser.learning_rate
            raise InputError(f"the loss is not a number in epoch {epoch}; use a smaller learning rate than {rate:g}.")
        held_out = evaluate_rate_network(network, test, loss, dt=dt, duration=longest)
        row = {"epoch": epoch, "loss": float(value), "train_accuracy": float(accuracy)}
        rows.append(row | {"test_accuracy": float(np.nanmean(held_out))})
        saved.save(
            {
                "rows": rows,
                "weights": network.state_dict(),
                "optimiser": torch_optimiser.state_dict(),
                "rng": rng.bit_generator.state,
            }
        )
        if progress is not None:
            progress(f"epoch {epoch}/{epochs}: loss {value:.3f}, held-out accuracy {rows[-1]['test_accuracy']:.1%}")
    saved.remove()
    counts = test.counts(np.arange(len(test)), dt, longest)
    return TrainedRateNetwork(
        network,
        pd.DataFrame(rows),
        counts.shape[1],
        float(counts.mean()),
        provenance.collect(seed=seed, **record),
    )


def evaluate_rate_network(
    network: RateNetwork,
    dataset: SpikeDataset,
    loss: Loss,
    *,
    dt: QuantityLike,
    duration: QuantityLike | None = None,
    batch_size: int = 256,
) -> NDArray[np.float64]:
    """Return which fraction of each trial is answered right, shape (n_trials,): 0 or 1 for one class per trial."""
    check_arguments(evaluate_rate_network, locals())
    loss = loss.for_step(seconds(dt, "dt"))
    batches, found = Batches(dataset, "input", dt, duration, loss.wants), []
    with torch.no_grad():
        for first in range(0, len(dataset), batch_size):
            inputs, target = batches(np.arange(first, min(first + batch_size, len(dataset))))
            right = loss.accuracy(network(inputs["input"]), target)
            assert right is not None
            found.append(right.numpy())
    return np.concatenate(found)


def _resumed(
    saved: Checkpoint, network: RateNetwork, optimiser: torch.optim.Optimizer, rng: np.random.Generator
) -> list[dict[str, float]]:
    """Restore what was saved, and return the rows of the epochs that are finished."""
    state = saved.resume()
    if state is None:
        return []
    network.load_state_dict(state["weights"])
    optimiser.load_state_dict(state["optimiser"])
    rng.bit_generator.state = state["rng"]
    return list(state["rows"])


def _learn(
    network: RateNetwork,
    optimiser: torch.optim.Optimizer,
    batches: Batches,
    indices: NDArray[np.int64],
    loss: Loss,
    clip: float | None,
    window: int | None,
) -> tuple[float, float]:
    """Change the weights by one batch; return loss and accuracy before each change."""
    inputs, target = batches(indices)
    raster, total, state, seen = inputs["input"], 0.0, None, []
    n_steps = raster.shape[0]
    for first in range(0, n_steps, window or n_steps):
        values, state = network.continued(raster[first : first + (window or n_steps)], state)
        value = loss(values, target) if window is None else _of_window(loss, values, target, first, n_steps)
        optimiser.zero_grad()
        value.backward()
        if clip is not None:
            torch.nn.utils.clip_grad_norm_(network.parameters(), clip)
        optimiser.step()
        total += float(value.detach())
        seen.append(values.detach())
    right = loss.accuracy(torch.cat(seen), target)
    assert right is not None
    return total, float(right.nanmean())


def _of_window(loss: Loss, values: Tensor, target: Tensor, first: int, n_steps: int) -> Tensor:
    """Return the part of the loss of the steps in a window."""
    asked = loss.prepared(target)
    each = [
        loss.at_step(one, asked if loss.wants is Wants.LABELS else asked[first + k], first + k, n_steps)
        for k, one in enumerate(values)
    ]
    return torch.stack(each).sum()


def _check(network: RateNetwork, dataset: SpikeDataset, loss: Loss) -> None:
    if len(dataset.units) != network.inputs:
        raise InputError(f"the network has {network.inputs} inputs, the dataset {len(dataset.units)} units.")
    if loss.reads.variable is None or loss.wants is Wants.INPUT:
        raise InputError(
            "a network of rates does not fire: take a loss of a readout's variable, such as Classification."
        )
    if loss.wants is Wants.LABELS and len(dataset.classes) != network.outputs:
        raise InputError(f"the network has {network.outputs} outputs for {len(dataset.classes)} classes.")


def _weights_hash(network: RateNetwork) -> str:
    digest = hashlib.sha256()
    for parameter in network.parameters():
        digest.update(parameter.detach().numpy().tobytes())
    return digest.hexdigest()
