"""Presentations carried out in compiled kernels."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from snncompare.backends.activity import InputSpikes, Recorded, spiking
from snncompare.backends.fused.machine import Machine
from snncompare.backends.presenter import Presenter, Shown
from snncompare.backends.realisation import Realisation
from snncompare.network.composition import weight_name
from snncompare.network.network import Network

__all__ = ["FusedPresenter"]


class FusedPresenter(Presenter):
    """See `Presenter`.

    Parameters
    ----------
    dt : float
        Seconds.
    """

    def __init__(
        self, network: Network, realisation: Realisation, keep: Mapping[str, Sequence[str]], dt: float
    ) -> None:
        super().__init__(network, realisation, keep)
        self._machine = Machine(network, dt, realisation)
        self._rest = self._machine.start(0)
        self._recorded = Recorded(tuple(spiking(network)), ())
        self._weights = {name: self._machine.synapse_places(name, weight_name(name)) for name in self.weights}
        populations = self._machine.memory.populations
        self._values = {(name, key): populations[name].place_of(key) for name, key in self.values}

    def _shown(self, rasters: NDArray[np.bool_]) -> Shown:
        """Show spikes one after the other, see `Presenter.present`."""
        shown = [self._after(raster) for raster in rasters]
        counts, weights, values = zip(*shown, strict=True)
        return (
            {name: np.stack([each[name] for each in counts]) for name in counts[0]},
            {name: np.stack([each[name] for each in weights]) for name in weights[0]},
            {key: np.stack([each[key] for each in values]) for key in values[0]},
        )

    def _after(
        self, raster: NDArray[np.bool_]
    ) -> tuple[
        dict[str, NDArray[np.int64]], dict[str, NDArray[np.float64]], dict[tuple[str, str], NDArray[np.float64]]
    ]:
        """Return counts, weights and kept values after one raster."""
        state = self._rest.copy()
        for name, places in self._weights.items():
            if places is not None:
                state.F[places] = self.weights[name]
        for key, places in self._values.items():
            state.F[places] = self.values[key]
        step, neuron = raster.nonzero()
        given = {self.source: InputSpikes(np.zeros_like(step), step, neuron)}
        fired, _ = self._machine.advance(state, 0, len(raster), given, 0, self._recorded)
        sizes = {name: self.network.populations[name].size for name in fired}
        return (
            {name: np.bincount(who, minlength=sizes[name]) for name, (_, who) in fired.items()},
            {name: self.weights[name] if places is None else state.F[places] for name, places in self._weights.items()},
            {key: state.F[places] for key, places in self._values.items()},
        )
