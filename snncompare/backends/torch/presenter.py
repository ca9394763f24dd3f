"""Presentations carried out in PyTorch."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray

from snncompare.backends.activity import spiking
from snncompare.backends.presenter import Presenter, Shown
from snncompare.backends.realisation import Realisation
from snncompare.backends.torch.module import TorchNetwork
from snncompare.backends.torch.network_state import NetworkState
from snncompare.backends.torch.threads import threads_for
from snncompare.network.composition import weight_name
from snncompare.network.network import Network

__all__ = ["TorchPresenter"]


class TorchPresenter(Presenter):
    """See `Presenter`.

    Parameters
    ----------
    dt : float
        Seconds.
    dtype : torch.dtype
        float32 takes about half the time of float64, in which every number is that of Brian2.
    """

    def __init__(
        self,
        network: Network,
        realisation: Realisation,
        keep: Mapping[str, Sequence[str]],
        dt: float,
        dtype: torch.dtype = torch.float64,
    ) -> None:
        super().__init__(network, realisation, keep)
        self._dtype = dtype
        self._module = TorchNetwork(network, dt, realisation, dtype=dtype)
        self._firing = spiking(network)

    def _shown(self, rasters: NDArray[np.bool_]) -> Shown:
        """Show spikes, see `Presenter.present`."""
        size = len(rasters) * max(population.size for population in self.network.populations.values())
        with torch.no_grad(), threads_for(size):
            shown = torch.from_numpy(rasters).transpose(0, 1)
            rest = self._module({self.source: shown[:0]}).state
            activity = self._module({self.source: shown}, record=self._firing, state=self._begun(rest, len(rasters)))
        after = activity.state
        weights = {name: after.synapses[name][weight_name(name)].double().numpy() for name in self.weights}
        values = {(name, key): after.populations[name][key].double().numpy() for name, key in self.values}
        return {n: spikes.sum(dim=0).long().numpy() for n, spikes in activity.spikes.items()}, weights, values

    def _begun(self, rest: NetworkState, batch: int) -> NetworkState:
        """Return the state of rest with the weights and values as they are."""
        populations = {name: dict(state) for name, state in rest.populations.items()}
        synapses = {name: dict(state) for name, state in rest.synapses.items()}
        for name, weight in self.weights.items():
            synapses[name][weight_name(name)] = torch.tensor(weight, dtype=self._dtype).repeat(batch, 1)
        for (name, key), value in self.values.items():
            populations[name][key] = torch.tensor(value, dtype=self._dtype).repeat(batch, 1)
        return replace(rest, populations=populations, synapses=synapses)
