"""Feedback weights of a learning signal, drawn for one network."""

from collections.abc import Mapping

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor, nn

from snncompare.backends.activity import spiking
from snncompare.backends.torch.module import TorchNetwork
from snncompare.errors import InputError, unknown
from snncompare.learning.losses.loss import Loss
from snncompare.learning.signals import AdaptiveFeedback, LearningSignal, LocalReadouts, Symmetric
from snncompare.network.layers import readouts
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
        If the signal needs a readout and the network has none.
    """

    def __init__(self, module: TorchNetwork, signal: LearningSignal, loss: Loss) -> None:
        super().__init__()
        self.signal = signal
        self._names: dict[tuple[str, str], str] = {}
        self._local: dict[str, str] = {}
        self._units: dict[str, float] = {}
        self._readout_weights: list[nn.Parameter] = []
        if isinstance(signal, Symmetric):
            return
        network = module.network
        firing, like = spiking(network), module.get_buffer("_like")
        if isinstance(signal, LocalReadouts):
            size = network.populations[loss.reads.population].size
            for k, name in enumerate(firing):
                n = network.populations[name].size
                drawn = np.random.default_rng([signal.seed, k]).uniform(-1, 1, (n, size)) * signal.scale / np.sqrt(n)
                self._local[name] = f"local {name}"
                self.register_buffer(self._local[name], torch.as_tensor(drawn * _one(loss)).to(like))
            return
        there = [name for name in readouts(network) if network.incoming(name)]
        if not there:
            raise InputError(
                f"signal: '{network.name}' has no readout, a population without threshold, to broadcast from."
            )
        pairs = [(name, readout) for readout in there for name in firing]
        for k, (name, readout) in enumerate(pairs):
            unit = _root_mean_square(module, readout)
            shape = (network.populations[name].size, network.populations[readout].size)
            drawn = np.random.default_rng([signal.seed, k]).normal(size=shape) * signal.sd * unit
            key = self._names[name, readout] = f"{name} from {readout}"
            self._units[key] = unit
            self._put(key, torch.as_tensor(drawn).to(like), learns=isinstance(signal, AdaptiveFeedback))
        self._readout_weights = [module.synapses[key].weight for readout in there for key in network.incoming(readout)]

    def broadcast(self) -> dict[tuple[str, str], Tensor] | None:
        """Return the weights from readouts to populations, or None where errors take the network's own weights.

        Returns
        -------
        dict
            Population and readout to weights as of a projection from one to the other, shape (population, readout).
            Empty for `LocalReadouts`: errors do not leave the readout at all.
        """
        if isinstance(self.signal, Symmetric):
            return None
        return {pair: getattr(self, key) for pair, key in self._names.items()}

    def local(self) -> dict[str, Tensor]:
        """Return the weights of each population's own readout (`LocalReadouts`), shape (population, readout).

        Its value is the population's spikes times these weights, in the unit of the network's readout.
        """
        return {name: getattr(self, key) for name, key in self._local.items()}

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
        if isinstance(self.signal, AdaptiveFeedback):
            with torch.no_grad():
                for weight in (*self._readout_weights, *self.parameters()):
                    weight.mul_(1 - self.signal.decay)

    def _put(self, key: str, drawn: Tensor, *, learns: bool) -> None:
        if learns:
            self.register_parameter(key, nn.Parameter(drawn))
        else:
            self.register_buffer(key, drawn)


def _one(loss: Loss) -> float:
    """Return what counts as one at a loss's readout."""
    scale: str | None = getattr(loss, "scale", None)
    return 1.0 if scale is None else quantity(scale).value


def _root_mean_square(module: TorchNetwork, readout: str) -> float:
    """Return the size of a readout's weights."""
    each = [module.synapses[name].realised().weight for name in module.network.incoming(readout)]
    values = np.concatenate([weight[weight != 0] for weight in each])
    return float(np.sqrt(np.mean(values**2))) if values.size else 1.0
