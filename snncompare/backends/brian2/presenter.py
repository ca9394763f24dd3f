"""Presentations carried out in Brian2."""

from collections.abc import Mapping, Sequence

import brian2
import numpy as np
from numpy.typing import NDArray

from snncompare.backends.activity import spiking
from snncompare.backends.brian2.build import build
from snncompare.backends.brian2.targets import code_target
from snncompare.backends.presenter import Presenter, Shown
from snncompare.backends.realisation import Realisation
from snncompare.dynamics.brian_objects import brian2_errors
from snncompare.network.composition import weight_name
from snncompare.network.network import Network

__all__ = ["Brian2Presenter"]


class Brian2Presenter(Presenter):
    """See `Presenter`.

    Parameters
    ----------
    dt : float
        Seconds.
    target : str
        ``"numpy"`` or ``"cython"``.
    """

    def __init__(
        self,
        network: Network,
        realisation: Realisation,
        keep: Mapping[str, Sequence[str]],
        dt: float,
        target: str = "numpy",
    ) -> None:
        super().__init__(network, realisation, keep)
        self._dt = dt
        self._built = build(
            network, realisation, dt, copies=1, target=code_target(target), spikes=spiking(network), traces=()
        )
        self._simulation = brian2.Network(*self._built.objects())
        self._simulation.store()

    def _shown(self, rasters: NDArray[np.bool_]) -> Shown:
        """Show spikes one after the other, see `Presenter.present`."""
        counts: dict[str, list[NDArray[np.int64]]] = {name: [] for name in self._built.spike_monitors}
        weights: dict[str, list[NDArray[np.float64]]] = {name: [] for name in self.weights}
        values: dict[tuple[str, str], list[NDArray[np.float64]]] = {key: [] for key in self.values}
        for raster in rasters:
            self._run(raster)
            for name, monitor in self._built.spike_monitors.items():
                counts[name].append(np.array(monitor.count, dtype=np.int64))
            for name, found in weights.items():
                found.append(self._weight(name).copy())
            for key, held in values.items():
                held.append(self._value(key).copy())
        return (
            {name: np.stack(each) for name, each in counts.items()},
            {name: np.stack(each) for name, each in weights.items()},
            {key: np.stack(each) for key, each in values.items()},
        )

    def _run(self, raster: NDArray[np.bool_]) -> None:
        self._simulation.restore()
        for name, weight in self.weights.items():
            self._weight(name)[:] = weight
        for key, value in self.values.items():
            self._value(key)[:] = value
        step, neuron = raster.nonzero()
        self._built.groups[self.source].set_spikes(neuron, step * self._dt * brian2.second)
        with brian2_errors(f"network '{self.network.name}'"):
            self._simulation.run(len(raster) * self._dt * brian2.second, namespace={})

    def _weight(self, projection: str) -> NDArray[np.float64]:
        """Return the array itself."""
        found: NDArray[np.float64] = self._built.synapses[projection].variables[weight_name(projection)].get_value()
        return found

    def _value(self, key: tuple[str, str]) -> NDArray[np.float64]:
        """Return the array itself."""
        found: NDArray[np.float64] = self._built.groups[key[0]].variables[key[1]].get_value()
        return found
