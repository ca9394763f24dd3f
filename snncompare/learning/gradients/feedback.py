"""Feedback weights of a learning signal, drawn for one network."""

from collections.abc import Mapping, Sequence
from itertools import product

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor, nn

from snncompare.backends.activity import spiking
from snncompare.backends.torch.module import TorchNetwork
from snncompare.errors import InputError, UnsupportedError, unknown
from snncompare.learning.losses.loss import Loss
from snncompare.learning.signals import (
    AdaptiveFeedback,
    BurstFeedback,
    LearningSignal,
    LocalReadouts,
    RandomFeedback,
    Symmetric,
)
from snncompare.network.layers import readouts
from snncompare.network.network import Network
from snncompare.units import quantity

__all__ = ["Feedback"]


class Feedback(nn.Module):
    """The weights through which neurons learn of errors, beside the weights of the network itself.

    Fixed weights are buffers. Those that learn are parameters and get a gradient as all others do: they should be
    trained as the readout's weights are.

    Parameters
    ----------
    module : TorchNetwork
    signal : LearningSignal
    loss : Loss
        Says which population is the readout.

    Raises
    ------
    InputError
        If the signal needs a readout and the network has none, or the loss reads another population.
    UnsupportedError
        If bursts are to tell of errors by readout weights that are no matrix.
    """

    def __init__(self, module: TorchNetwork, signal: LearningSignal, loss: Loss) -> None:
        super().__init__()
        self.signal = signal
        self._names: dict[tuple[str, str], str] = {}
        self._local: dict[str, str] = {}
        self._units: dict[str, float] = {}
        self._readout_weights: list[nn.Parameter] = []
        self._own: dict[str, nn.Parameter] = {}
        self._readout, self._firing = loss.reads.population, tuple(spiking(module.network))
        if isinstance(signal, LocalReadouts):
            self._draw_local(module, signal, loss)
        elif isinstance(signal, BurstFeedback):
            there = _told(module.network)
            if self._readout not in there:
                raise InputError("signal: the loss must read a " + unknown("readout", self._readout, there))
            self._scale, self._unit = _one(loss), _root_mean_square(module, self._readout)
            if not isinstance(signal.feedback, RandomFeedback):
                self._own = {name: _readout_weights(module, name, self._readout) for name in self._firing}
            if not isinstance(signal.feedback, Symmetric):
                self._draw(module, signal.feedback, [self._readout])
        elif not isinstance(signal, Symmetric):
            self._draw(module, signal, _told(module.network))

    def _draw_local(self, module: TorchNetwork, signal: LocalReadouts, loss: Loss) -> None:
        """Draw the weights of each population's own readout."""
        network, size = module.network, module.network.populations[loss.reads.population].size
        for k, name in enumerate(self._firing):
            n = network.populations[name].size
            drawn = np.random.default_rng([signal.seed, k]).uniform(-1, 1, (n, size)) * signal.scale / np.sqrt(n)
            self._local[name] = f"local {name}"
            self.register_buffer(self._local[name], torch.as_tensor(drawn * _one(loss)).to(module.get_buffer("_like")))

    def _draw(self, module: TorchNetwork, wiring: RandomFeedback | AdaptiveFeedback, there: Sequence[str]) -> None:
        """Draw the weights from some readouts to all populations that fire."""
        network = module.network
        for k, (readout, name) in enumerate(product(there, self._firing)):
            unit = _root_mean_square(module, readout)
            shape = (network.populations[name].size, network.populations[readout].size)
            drawn = np.random.default_rng([wiring.seed, k]).normal(size=shape) * wiring.sd * unit
            key = self._names[name, readout] = f"{name} from {readout}"
            self._units[key] = unit
            weights = torch.as_tensor(drawn).to(module.get_buffer("_like"))
            self._put(key, weights, learns=isinstance(wiring, AdaptiveFeedback))
        self._readout_weights = [module.synapses[key].weight for readout in there for key in network.incoming(readout)]

    def broadcast(self) -> dict[tuple[str, str], Tensor] | None:
        """Return the weights from readouts to populations, or None where errors take the network's own weights.

        Returns
        -------
        dict
            Population and readout to weights as of a projection from one to the other, shape (population, readout).
            Empty for `LocalReadouts` and `BurstFeedback`: no path of errors leaves the readout.
        """
        if isinstance(self.signal, Symmetric):
            return None
        if isinstance(self.signal, BurstFeedback):
            return {}
        return {pair: getattr(self, key) for pair, key in self._names.items()}

    def local(self) -> dict[str, Tensor]:
        """Return the weights of each population's own readout (`LocalReadouts`), shape (population, readout).

        Its value is the population's spikes times these weights, in the unit of the network's readout.
        """
        return {name: getattr(self, key) for name, key in self._local.items()}

    @property
    def taught(self) -> dict[str, int]:
        """Populations that learn of errors by bursts (`BurstFeedback`), and their sizes."""
        return {name: weights.shape[0] for name, weights in self._to_dendrites().items()}

    def by_bursts(self, error: Tensor, share: float) -> dict[str, Tensor]:
        """Return what the burst probabilities of neurons tell them of an error (`BurstFeedback`).

        Parameters
        ----------
        error : Tensor
            Derivative of the loss by what is read of the readout, shape (..., batch, readout).
        share : float
            See `Loss.step_share`.

        Returns
        -------
        dict
            Population to what stands for the derivative of the loss by its spikes, shape (..., batch, neuron).
        """
        signal, trials = self.signal, error.shape[-2]
        if not isinstance(signal, BurstFeedback):
            return {}
        of_trial = error * (trials * self._scale / share)
        found = {}
        for name, weights in self._to_dendrites().items():
            potential = -of_trial @ (weights.detach().t() / self._unit)
            without = torch.sigmoid(torch.full_like(potential, signal.offset))
            deviation = torch.sigmoid(signal.slope * potential + signal.offset) - without
            found[name] = deviation * (-share / trials)
        return found

    def follow_(self) -> None:
        """Give learnt feedback of bursts the gradient of the readout's weights, once these have it."""
        for name, weight in self._own.items():
            key = self._names.get((name, self._readout))
            if key is not None and weight.grad is not None:
                getattr(self, key).grad = weight.grad.clone()

    def _to_dendrites(self) -> dict[str, Tensor]:
        """Return the weights from the readout to dendrites, shape (population, readout)."""
        if not isinstance(self.signal, BurstFeedback):
            return {}
        if isinstance(self.signal.feedback, Symmetric):
            return dict(self._own)
        return {name: getattr(self, self._names[name, self._readout]) for name in self._firing}

    def give(self, weights: Mapping[tuple[str, str], ArrayLike]) -> None:
        """Replace drawn weights, in SI units; keys and shapes as in `broadcast`."""
        for pair, values in weights.items():
            if pair not in self._names:
                raise InputError(
                    "feedback: " + unknown("pair of population and readout", str(pair), map(str, self._names))
                )
            own: Tensor = getattr(self, self._names[pair])
            given: NDArray[np.float64] = np.asarray(values, dtype=np.float64)
            if given.shape != tuple(own.shape):
                raise InputError(
                    f"feedback: weights of {pair} must have the shape {tuple(own.shape)}, got {given.shape}."
                )
            with torch.no_grad():
                own.copy_(torch.as_tensor(given))

    def unit(self, name: str) -> float:
        """Return the size in which a parameter is changed: that of the readout's initial weights."""
        return self._units[name]

    def decay_(self) -> None:
        """Let feedback and readout weights decay, after a change of weights (`AdaptiveFeedback`)."""
        signal = self.signal.feedback if isinstance(self.signal, BurstFeedback) else self.signal
        if isinstance(signal, AdaptiveFeedback):
            with torch.no_grad():
                for weight in (*self._readout_weights, *self.parameters()):
                    weight.mul_(1 - signal.decay)

    def _put(self, key: str, drawn: Tensor, *, learns: bool) -> None:
        if learns:
            self.register_parameter(key, nn.Parameter(drawn))
        else:
            self.register_buffer(key, drawn)


def _one(loss: Loss) -> float:
    """Return what counts as one at a loss's readout."""
    scale: str | None = getattr(loss, "scale", None)
    return 1.0 if scale is None else quantity(scale).value


def _told(network: Network) -> list[str]:
    """Return the readouts that errors can come from."""
    there = [name for name in readouts(network) if network.incoming(name)]
    if not there:
        raise InputError(f"signal: '{network.name}' has no readout, a population without threshold, to broadcast from.")
    return there


def _readout_weights(module: TorchNetwork, population: str, readout: str) -> nn.Parameter:
    """Return the weights of the one projection from a population to the readout, (population, readout)."""
    sizes = (module.network.populations[population].size, module.network.populations[readout].size)
    found = [name for name, each in module.network.incoming(readout).items() if each.source == population]
    weights: list[nn.Parameter] = [module.synapses[name].weight for name in found]
    if len(weights) != 1 or tuple(weights[0].shape) != sizes:
        raise UnsupportedError(
            f"bursts cannot tell '{population}' of errors by its weights to '{readout}', which are not one matrix; "
            "take feedback=RandomFeedback(), or one projection with all-to-all wiring and weights of their own."
        )
    return weights[0]


def _root_mean_square(module: TorchNetwork, readout: str) -> float:
    """Return the size of a readout's weights."""
    each = [module.synapses[name].realised().weight for name in module.network.incoming(readout)]
    values = np.concatenate([weight[weight != 0] for weight in each])
    return float(np.sqrt(np.mean(values**2))) if values.size else 1.0
