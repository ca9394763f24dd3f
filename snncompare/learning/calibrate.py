"""A few trials on one chip after deployment: what is lost by its mismatch is learnt back."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from snncompare.backends.activity import spiking
from snncompare.backends.analog.chip import Chip
from snncompare.backends.analog.frozen.opened import opened
from snncompare.backends.analog.reading.roles import Role, reading
from snncompare.datasets.spike_dataset import SpikeDataset
from snncompare.errors import InputError, unknown
from snncompare.learning.fit import fit
from snncompare.learning.losses import Loss, Wants
from snncompare.learning.on_chip.settings import OnChip
from snncompare.learning.rule import LearningRule
from snncompare.learning.trained import Trained
from snncompare.network.network import Network
from snncompare.network.trainable import Trainable
from snncompare.units import QuantityLike
from snncompare.values import check_arguments

__all__ = ["CALIBRATED", "calibrate", "few", "with_trained_thresholds"]

CALIBRATED = ("readout", "thresholds", "weights")
"""What can be calibrated."""


def calibrate(
    trained: Trained,
    chip: Chip | OnChip,
    dataset: SpikeDataset,
    *,
    loss: Loss,
    rule: LearningRule,
    dt: QuantityLike,
    what: str = "readout",
    shots: int | None = None,
    test: SpikeDataset | None = None,
    epochs: int = 20,
    batch_size: int = 16,
    seed: int = 0,
    progress: Callable[[str], None] | None = None,
) -> Trained:
    """Return a trained network after some training on the one chip that it is deployed on.

    Parameters
    ----------
    trained : Trained
    chip : Chip or OnChip
        A device, or how it is trained on: in the loop, on real hardware. An `OnChip` with several devices calibrates
        for all of them together.
    dataset : SpikeDataset
    loss : Loss
    rule : LearningRule
        `calibrate` chooses what of the network learns by it.
    dt : quantity
        Time step.
    what : str
        ``"readout"``: weights of the projections to the population that the loss reads. ``"thresholds"``: the threshold
        of each neuron, as it is set on the chip. ``"weights"``: all weights that the description marks as trainable.
    shots : int, optional
        So many trials of each class are used (of all trials, where the loss asks for no class), chosen by `seed`; by
        default all.
    test : SpikeDataset, optional
        Trials on which the history measures how well the chip does.
    epochs, batch_size, seed, progress
        See `fit`.

    Returns
    -------
    Trained
        With the values that are to be asked of this chip.

    Raises
    ------
    InputError
        If there is nothing of that kind that can be trained, or too few trials.
    """
    check_arguments(calibrate, locals())
    if what not in CALIBRATED:
        raise InputError(unknown("part of a network to calibrate", what, CALIBRATED))
    on_chip = chip if isinstance(chip, OnChip) else _training_on(chip)
    network = trained.network
    if what == "thresholds":
        network, names = with_trained_thresholds(network, on_chip.roles)
    else:
        names = tuple(
            f"{name}.weight"
            for name, projection in network.projections.items()
            if "weight" in projection.trainable and (what == "weights" or projection.target == loss.reads.population)
        )
        if not names:
            raise InputError(
                f"no {what if what == 'weights' else 'weights of the readout'} of '{network.name}' can be trained."
            )
    return fit(
        network,
        replace(rule, trainable=names),
        dataset if shots is None else few(dataset, shots, seed=seed, by_class=loss.wants is Wants.LABELS),
        loss=loss,
        test=test,
        dt=dt,
        epochs=epochs,
        batch_size=batch_size,
        weights=trained.realisation,
        seed=seed,
        progress=progress,
        on_chip=on_chip,
    )


def _training_on(chip: Chip) -> OnChip:
    """Return how a device is trained on as it was deployed: with the roles that were given then, and its gradient."""
    roles: dict[str, dict[str, Role | None]] = {}
    for name, found in chip.roles.items():
        read = reading(chip.network, name).roles
        given = {parameter: found.get(parameter) for parameter in read if found.get(parameter) != read[parameter]}
        roles |= {name: given} if given else {}
    return OnChip(chip.profile, (chip.device_seed,), gradient=chip.plan.gradient, roles=roles or None)


def with_trained_thresholds(
    network: Network, roles: Mapping[str, Any] | None = None
) -> tuple[Network, tuple[str, ...]]:
    """Return a description in which the threshold of each neuron is trained, and the names of these thresholds.

    The names are those that `LearningRule.trainable` takes, for example ``"hidden.v_threshold"``.

    Parameters
    ----------
    network : Network
    roles : mapping, optional
        See `OnChip`.

    Raises
    ------
    InputError
        If no population has a threshold that can be one for each neuron.
    """
    found = opened(network, {name: {Role.THRESHOLD} for name in spiking(network)}, roles=roles)
    populations = dict(found.network.populations)
    for name, parameters in found.parameters.items():
        marks = {parameter: Trainable() for parameter in parameters}
        trainable = {**populations[name].trainable, **marks}
        populations[name] = populations[name].model_copy(update={"trainable": trainable})
    names = tuple(f"{name}.{parameter}" for name, there in found.parameters.items() for parameter in there)
    if not names:
        raise InputError(
            f"no threshold of '{network.name}' can be trained: {' '.join(found.left_out) or 'nothing in it fires.'} "
            "Calibrate its readout or its weights."
        )
    return found.network.model_copy(update={"populations": populations}), names


def few(dataset: SpikeDataset, shots: int, *, seed: int, by_class: bool = True) -> SpikeDataset:
    """Return a part of a dataset with few trials.

    Parameters
    ----------
    dataset : SpikeDataset
    shots : int
        Number of trials of each class, or of all.
    seed : int
        Of which trials.
    by_class : bool

    Raises
    ------
    InputError
        If there are not so many.
    """
    labels: NDArray[np.int64] = dataset.labels if by_class else np.zeros(len(dataset), dtype=np.int64)
    fewest = int(np.bincount(labels).min())
    if not 1 <= shots <= fewest:
        raise InputError(f"shots must lie between 1 and {fewest}, the trials that the smallest class has, got {shots}.")
    rng = np.random.default_rng([seed, 2])
    chosen = np.zeros(len(dataset), dtype=np.bool_)
    for label in np.unique(labels):
        chosen[rng.choice(np.flatnonzero(labels == label), shots, replace=False)] = True
    return dataset.subset(chosen)
