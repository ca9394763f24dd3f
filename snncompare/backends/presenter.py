"""A network that is shown one stimulus after another, while its plastic weights and slow variables go on changing."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from snncompare.backends.realisation import Realisation
from snncompare.errors import InputError, unknown
from snncompare.network.equations import assigned_names
from snncompare.network.network import Network

__all__ = ["Presenter", "Shown", "plastic_projections"]

Shown = tuple[
    dict[str, NDArray[np.int64]], Mapping[str, NDArray[np.float64]], Mapping[tuple[str, str], NDArray[np.float64]]
]


class Presenter(ABC):
    """Shows rasters to a network, each from rest but for what is kept: a pause in which all else decays.

    Several rasters may be shown side by side, to copies of the network that do not know of each other; their changes
    are added up (Saunders et al. 2019, arXiv 1909.02549), and weights kept to the sign of their projection.

    Parameters
    ----------
    network : Network
        With one spike source and at least one plastic projection.
    realisation : Realisation
        What it begins with.
    keep : mapping
        Population to variables that outlast a presentation, such as an adaptive threshold.

    Attributes
    ----------
    weights : dict
        Plastic projection to weights, shape (n_synapses,), in the order of its connections. To be changed in place
        between presentations.
    values : dict
        (population, variable) to what is kept, shape (n_neurons,).

    Raises
    ------
    InputError
        For a network without plastic synapses, with several spike sources, or without a variable that is to be kept.
    """

    def __init__(self, network: Network, realisation: Realisation, keep: Mapping[str, Sequence[str]]) -> None:
        self.network, self._realisation = network, realisation
        plastic = plastic_projections(network)
        if not plastic:
            raise InputError(f"no synapse of '{network.name}' changes its weight 'w'; nothing would be learnt.")
        if len(network.sources()) != 1:
            raise InputError(f"one spike source can be shown stimuli, '{network.name}' has {len(network.sources())}.")
        self.source = network.sources()[0]
        self.weights = {name: realisation.connections[name].weight.copy() for name in plastic}
        self.values = {(name, key): self._first(name, key) for name, kept in keep.items() for key in kept}

    def normalise(self, projection: str, total: float) -> None:
        """Scale plastic weights so that those onto each target neuron sum to `total`, in SI units."""
        connections, weight = self._realisation.connections[projection], self.weights[projection]
        sums = np.bincount(connections.target, weight, minlength=connections.shape[1])
        weight *= (total / np.where(sums > 0, sums, np.inf))[connections.target]

    def realisation(self) -> Realisation:
        """Return what the network has become."""
        connections = dict(self._realisation.connections)
        for name, weight in self.weights.items():
            connections[name] = replace(connections[name], weight=weight.copy())
        values = {name: dict(arrays) for name, arrays in self._realisation.values.items()}
        for (name, key), array in self.values.items():
            values.setdefault(name, {})[key] = array.copy()
        return Realisation(connections, values)

    def present(self, rasters: NDArray[np.bool_]) -> dict[str, NDArray[np.int64]]:
        """Show spikes, learn from them, and return how often neurons fired.

        Parameters
        ----------
        rasters : array of bool, shape (n_rasters, n_steps, n_source)

        Returns
        -------
        dict
            Spiking population to counts, shape (n_rasters, n_neurons).
        """
        counts, weights, values = self._shown(rasters)
        for name, weight in self.weights.items():
            np.add(weight, (weights[name] - weight).sum(axis=0), out=weight)
            sign = self.network.projections[name].sign
            if sign is not None:
                np.copyto(weight, 0.0, where=weight < 0 if sign == "positive" else weight > 0)
        for key, value in self.values.items():
            np.add(value, (values[key] - value).sum(axis=0), out=value)
        return counts

    @abstractmethod
    def _shown(self, rasters: NDArray[np.bool_]) -> Shown:
        """Return counts, weights and kept values after each raster, first dimension the rasters; change nothing."""

    def _first(self, population: str, variable: str) -> NDArray[np.float64]:
        if population not in self.network.populations or population == self.source:
            raise InputError("keep: " + unknown("population with state", population, self.network.populations))
        described = self.network.populations[population]
        if variable not in described.model.states():
            raise InputError("keep: " + unknown("state", variable, described.model.states()))
        given = self._realisation.values.get(population, {}).get(variable)
        amount = described.initial_state(variable)
        first = given if given is not None else (0.0 if amount is None else amount.value)
        return np.full(described.size, first, dtype=np.float64)


def plastic_projections(network: Network) -> list[str]:
    """Return the projections whose synapses change their own weight."""
    changed = {
        name: assigned_names(plain.on_pre) | assigned_names(plain.on_post)
        for name, projection in network.projections.items()
        for plain in (projection.synapse.written_out(),)
    }
    return [name for name, names in changed.items() if "w" in names]
