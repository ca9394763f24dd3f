"""Whether network, loss and data can be trained together, said before training begins."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from snncompare.backends.activity import spiking
from snncompare.backends.torch.module import TorchNetwork
from snncompare.datasets.spike_dataset import SpikeDataset
from snncompare.datasets.time_grid import steps_of
from snncompare.errors import InputError, unknown
from snncompare.learning.answers import outputs_of
from snncompare.learning.losses import Loss, Penalty, Wants
from snncompare.network.equations import definitions
from snncompare.network.network import Network
from snncompare.network.neuron import NeuronModel
from snncompare.units import parse_unit, quantity

__all__ = ["check_fit", "check_read", "data_fingerprint", "digest_of", "longest_window"]


def check_fit(
    network: Network, loss: Loss, penalties: Sequence[Penalty], data: Mapping[str, SpikeDataset], dt: float
) -> None:
    """Refuse what does not fit together.

    Parameters
    ----------
    network : Network
    loss : Loss
    penalties : sequence of Penalty
    data : mapping
        What a dataset is for to the dataset; ``"dataset"`` is what is learnt.
    dt : float
        Seconds.

    Raises
    ------
    InputError
    """
    if len(network.sources()) != 1:
        raise InputError(
            f"training needs a network with one spike source, '{network.name}' has {len(network.sources())}."
        )
    check_read(network, loss)
    for penalty in penalties:
        for name in penalty.populations or ():
            if name not in spiking(network):
                raise InputError("penalties: " + unknown("population that spikes", name, spiking(network)))
    source = network.populations[network.sources()[0]]
    for what, part in data.items():
        if source.size != len(part.units):
            raise InputError(f"the spike source has {source.size} neurons, the {what} {len(part.units)} units.")
        _check_target(network, loss, what, part)
        if loss.wants is Wants.LABELS and part.classes != data["dataset"].classes:
            raise InputError(
                f"the classes of '{what}', {part.classes}, are not those of the dataset, {data['dataset'].classes}, in "
                "the same order; make both with SpikeDataset(..., classes=...), or split one dataset."
            )
    n_steps = steps_of(data["dataset"].source, dt, longest_window(data.values()))
    loss.for_step(dt).steps(n_steps)


def check_read(network: Network, loss: Loss) -> None:
    """Refuse a loss that reads what the network has not, or counts it in another unit.

    Raises
    ------
    InputError
    """
    name, variable = loss.reads.population, loss.reads.variable
    if name not in network.populations:
        raise InputError("loss: " + unknown("population", name, network.populations))
    if variable is None:
        if name not in spiking(network):
            raise InputError("the loss reads spikes: " + unknown("population that spikes", name, spiking(network)))
        return
    neuron = network.populations[name].neuron
    there = definitions(neuron.written_out().equations) if isinstance(neuron, NeuronModel) else {}
    if variable not in there:
        if not any(variable.endswith(f"_{projection}") for projection in network.incoming(name)):
            raise InputError(f"loss: '{name}' has " + unknown("variable", variable, there))
        return
    scale, unit = getattr(loss, "scale", None), there[variable].unit
    if scale is not None and quantity(scale).dimension != parse_unit(unit)[1]:
        raise InputError(
            f"scale of the loss must have the unit of '{variable}' of '{name}', {unit}, got '{scale}'; write for "
            f"example '1 {unit}'."
        )


def _check_target(network: Network, loss: Loss, what: str, part: SpikeDataset) -> None:
    name = loss.reads.population
    size = network.populations[name].size
    if loss.wants is Wants.LABELS:
        if part.label is None:
            raise InputError(
                f"the loss asks for a class, but the {what} '{part.name}' has none; take a loss of answers over time, "
                "such as Regression or Classification(..., over=Over.EACH_STEP, answers=True)."
            )
        if size != len(part.classes):
            raise InputError(f"the readout '{name}' has {size} neurons for {len(part.classes)} classes.")
    elif loss.wants is Wants.ANSWERS and size != outputs_of(part):
        raise InputError(f"the readout '{name}' has {size} neurons for {outputs_of(part)} answers over time.")


def longest_window(parts: Iterable[SpikeDataset]) -> float:
    """Return the longest window of all trials, in seconds."""
    return max(float((part.trials["stop"] - part.trials["start"]).max()) for part in parts)


def data_fingerprint(dataset: SpikeDataset, wants: Wants = Wants.LABELS) -> str:
    """Return a hash of the spikes, or of the recipe they are made by, and of what is asked."""
    digest = hashlib.sha256(dataset.source.fingerprint().encode())
    if wants is Wants.LABELS:
        digest.update(np.ascontiguousarray(dataset.labels).tobytes())
    elif wants is Wants.ANSWERS:
        for i in range(len(dataset)):
            answer = dataset.target(i)
            if answer is not None:
                digest.update(np.ascontiguousarray(answer.to_numpy()).tobytes())
    return digest.hexdigest()


def digest_of(module: TorchNetwork) -> str:
    """Return a hash of the weights and values of a network as they are now."""
    digest = hashlib.sha256()
    for name, tensor in sorted(module.state_dict().items()):
        digest.update(name.encode())
        digest.update(np.ascontiguousarray(tensor.cpu().numpy()).tobytes())
    return digest.hexdigest()
