r"""The frozen mismatch of devices: maps of parameters and weights from a profile, drawn by counter.

A draw depends on the device seed, on the names of what it is for and on the numbers of its neurons, on nothing else.
Synaptic parameters are keyed by the population, by their name in the synapse model and by the sign of the projection:
projections of one sign onto a neuron end on one and the same synaptic input circuit of it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from snncompare.backends.analog.frozen.counters import uniform
from snncompare.backends.analog.frozen.distributions import Mismatch, mismatch
from snncompare.backends.analog.frozen.maps import ParameterMap, WeightMap
from snncompare.backends.analog.reading.roles import POTENTIALS, Role
from snncompare.backends.connections import MAX_PAIRS, Connections
from snncompare.errors import InputError
from snncompare.network.network import Projection

if TYPE_CHECKING:
    from snncompare.backends.analog.profiles.measured import Measured
    from snncompare.backends.analog.profiles.profile import ChipProfile
    from snncompare.backends.analog.profiles.sections import Parameter, Tail

__all__ = ["Draws", "differing_roles", "differs", "has_weight_factors"]

Array = NDArray[np.float64]
MeasuredTable = Mapping[str, Mapping[str, "Measured"]]

_POSITIVE = frozenset(
    {
        Role.MEMBRANE_TIME_CONSTANT,
        Role.SYNAPTIC_TIME_CONSTANT,
        Role.ADAPTATION_TIME_CONSTANT,
        Role.OTHER_TIME,
        Role.REFRACTORY,
    }
)


def differs(parameter: "Parameter") -> bool:
    """Return whether a profile makes a parameter of this role anything but what was asked for, in any run."""
    sizes = ("cv", "sd_fraction", "mean_fraction", "per_run", "per_trial")
    return any(getattr(parameter, name).value for name in sizes)


def differing_roles(profile: "ChipProfile", measured: Mapping[str, "Measured"]) -> set[Role]:
    """Return the roles in which the neurons of a population differ from what was asked for."""
    found = {Role(role) for role, parameter in profile.parameters.items() if differs(parameter)}
    found |= {Role(name) for name in profile.quantisers if name in list(Role)}
    return found | {Role(name) for name in measured if name in list(Role)}


def has_weight_factors(profile: "ChipProfile", measured: Mapping[str, "Measured"]) -> bool:
    """Return whether synapses onto a population have efficacies of their own."""
    weights = profile.weights
    sizes = (weights.cv, weights.gain_cv, weights.polarity_cv)
    return any(size.value for size in sizes) or "weight_gain" in measured


def distribution(name: str, cv: float, tail: "Tail | None") -> Mismatch:
    """Return the distribution of a profile's section."""
    numbers: dict[str, float] = {}
    if tail is not None and name == "contaminated":
        numbers["fraction"] = tail.fraction.value
        numbers |= {} if tail.ratio is None else {"ratio": tail.ratio.value}
    if tail is not None and name == "student" and tail.degrees_of_freedom is not None:
        numbers["degrees_of_freedom"] = tail.degrees_of_freedom.value
    return mismatch(name, cv, **numbers)


@dataclass(frozen=True, eq=False)
class Draws:
    """What is frozen on some devices.

    Parameters
    ----------
    profile : ChipProfile
    device_seeds : tuple of int
    measured : mapping
        Population to role (or ``"weight_gain"``) to what was measured, used instead of draws on all devices.
    """

    profile: "ChipProfile"
    device_seeds: tuple[int, ...]
    measured: MeasuredTable

    def dead(self, population: str, size: int) -> NDArray[np.bool_]:
        """Return which neurons never fire, (n_devices, n_neurons); masked failed ones included."""
        neurons = self.profile.neurons
        dead = self._uniform("dead", population, size=size) < neurons.dead_fraction.value
        return dead | self.failed(population, size) if neurons.mask_failed else dead

    def failed(self, population: str, size: int) -> NDArray[np.bool_]:
        """Return whose calibration failed, (n_devices, n_neurons)."""
        return self._uniform("failed", population, size=size) < self.profile.neurons.failed_fraction.value

    def parameter(
        self, population: str, key: tuple[str, ...], role: Role, asked: Array, chip: Array, distance: Array | None
    ) -> ParameterMap:
        """Return the map of one parameter.

        Parameters
        ----------
        population : str
        key : tuple of str
            What the draw is for.
        role : Role
        asked, chip : float64 array (n_neurons,)
            What was asked for, and the nearest that a digital chip can hold; the same on an analog chip.
        distance : float64 array (n_neurons,), optional
            Threshold - leak.

        Raises
        ------
        InputError
            If a time constant comes out at zero or below.
        """
        factor, offset = self._mismatch(population, key, role, asked.size, distance)
        if role in _POSITIVE and (factor <= 0).any():
            device, neuron = np.argwhere(factor <= 0)[0]
            raise InputError(
                f"population '{population}': the {role} '{key[0]}' of neuron {neuron} on device "
                f"{self.device_seeds[device]} would be {factor[device, neuron]:.3g} times what was asked for; use a "
                "distribution over positive numbers (log_normal, gaussian_truncated) or a smaller cv."
            )
        return ParameterMap(factor, offset + factor * (chip - asked))

    def _mismatch(
        self, population: str, key: tuple[str, ...], role: Role, size: int, distance: Array | None
    ) -> tuple[Array, Array]:
        shape = (len(self.device_seeds), size)
        factor, offset = np.ones(shape), np.zeros(shape)
        measured = self.measured.get(population, {}).get(role)
        if measured is not None:
            values = _of_size(measured.values, size, population, role)
            if measured.factor is not None:
                return factor * values, offset
            return factor, offset + _needed(distance, population, role) * values
        there = self.profile.parameter(role)
        cv, sd, shift = there.cv.value, there.sd_fraction.value, there.mean_fraction.value
        if not (cv or sd or shift):
            return factor, offset
        u = self._uniform("parameter", population, *key, size=size)
        spread = self._spread(population, size)
        if role in POTENTIALS:
            unit = distribution(there.distribution, sd, there.tail)
            deviation = sd * spread * unit.standard(u) if sd else np.zeros(shape)
            return factor, _needed(distance, population, role) * (shift + deviation)
        return (1.0 + shift) * self._factor(there.distribution, cv, there.tail, spread, u), offset

    def _factor(self, name: str, cv: float, tail: "Tail | None", spread: Array, u: Array) -> Array:
        found = np.ones(u.shape)
        for times in np.unique(spread) if cv else ():
            here = spread == times
            found[here] = distribution(name, cv * float(times), tail).factor(u[here])
        return found

    def _spread(self, population: str, size: int) -> Array:
        """Return by how much the mismatch of each neuron is larger than the profile says, (n_devices, n_neurons)."""
        wider = self.profile.neurons.failed_spread
        return np.where(self.failed(population, size), 1.0 if wider is None else wider.value, 1.0)

    def weight_factors(self, name: str, projection: Projection, there: Connections) -> Array | None:
        r"""Return the efficacy of each synapse, (n_devices, n_synapses); None where all are 1.

        :math:`F_{ij}\,g_j\,g_j^{\pm}`: of the synapse, of its target neuron, and of the target's circuit for this sign.

        Raises
        ------
        InputError
            If a synapse of a projection with a sign would change it, or for too many synapses on too many devices.
        """
        weights, target, size = self.profile.weights, projection.target, there.shape[1]
        measured = self.measured.get(target, {}).get("weight_gain")
        if not has_weight_factors(self.profile, self.measured.get(target, {})):
            return None
        n_values = len(self.device_seeds) * there.n_synapses
        if n_values > MAX_PAIRS:
            raise InputError(
                f"projection '{name}' has {n_values:,} synapses on {len(self.device_seeds)} devices together; "
                f"{MAX_PAIRS:,} are allowed; deploy fewer devices at once."
            )
        found = np.ones((len(self.device_seeds), there.n_synapses))
        if weights.cv.value:
            which = (there.source, there.target, _occurrence(there))
            u = uniform(("synapse", name), self._seeds, *which)
            found *= distribution(weights.distribution, weights.cv.value, weights.tail).factor(u)
        if measured is not None:
            found *= _of_size(measured.values, size, target, "weight_gain")[there.target]
        elif weights.gain_cv.value:
            found *= self._gain("gain", target, size, weights.gain_cv.value)[:, there.target]
        if weights.polarity_cv.value:
            sides = (("excitatory", there.weight >= 0), ("inhibitory", there.weight < 0))
            for side, here in sides:
                gain = self._gain(side, target, size, weights.polarity_cv.value)
                found[:, here] *= gain[:, there.target[here]]
        if projection.sign is not None and (found < 0).any():
            raise InputError(
                f"projection '{name}': the efficacy of {int((found < 0).sum())} synapses is below zero, which a "
                f"{projection.sign} projection cannot have; use weights.distribution log_normal or gaussian_truncated."
            )
        return found

    def _gain(self, what: str, population: str, size: int, cv: float) -> Array:
        u, weights = self._uniform(what, population, size=size), self.profile.weights
        return self._factor(weights.distribution, cv, weights.tail, self._spread(population, size), u)

    @property
    def _seeds(self) -> NDArray[np.int64]:
        return np.array(self.device_seeds, dtype=np.int64)[:, None]

    def _uniform(self, *key: str, size: int) -> Array:
        return uniform(key, self._seeds, np.arange(size))

    def weight_map(self, name: str, projection: Projection, there: Connections, scale: float | None) -> WeightMap:
        """Return the map of the weights of a projection, `scale` being levels per SI unit or None, see `WeightMap`."""
        top, bottom = self.profile.weights.top, self.profile.weights.bottom
        factor = self.weight_factors(name, projection, there)
        if top is None or bottom is None:
            return WeightMap(factor=factor)
        return WeightMap(scale, float(bottom), float(top), rounds=True, factor=factor)


def _occurrence(there: Connections) -> NDArray[np.int64]:
    """Return how many synapses of the same pair of neurons come before each."""
    pair = there.source * there.shape[1] + there.target
    first = np.r_[True, pair[1:] != pair[:-1]][: pair.size]
    number = np.arange(pair.size)
    return number - np.maximum.accumulate(np.where(first, number, 0)) if pair.size else number


def _of_size(values: Array, size: int, population: str, what: str) -> Array:
    if values.shape != (size,):
        raise InputError(
            f"population '{population}' has {size} neurons, and '{what}' was measured of {values.size}; measure all."
        )
    return values


def _needed(distance: Array | None, population: str, role: Role) -> Array:
    if distance is None:  # the plan does not open potentials without a measure
        raise TypeError(f"'{population}' has no threshold - leak that the mismatch of its {role} could be measured in")
    return distance
