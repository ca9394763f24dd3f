"""The frozen device: a network description on a chip profile with a device seed, and several such devices at once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from snncompare.backends.analog.frozen.drawing import Draws
from snncompare.backends.analog.frozen.equality import same_arrays, same_maps, same_realised
from snncompare.backends.analog.frozen.maps import Gradient, ParameterMap, WeightMap
from snncompare.backends.analog.frozen.opened import ALIVE, GivenRoles, parameter_source
from snncompare.backends.analog.frozen.planning import Plan, plan
from snncompare.backends.analog.reading.roles import Reading, Role
from snncompare.backends.connections import Connections
from snncompare.backends.emulation import as_on_device
from snncompare.backends.realisation import Given, Realisation, realise
from snncompare.errors import InputError, unknown
from snncompare.network.network import Network
from snncompare.units import QuantityLike, seconds

if TYPE_CHECKING:
    import pandas as pd

    from snncompare.backends.analog.profiles.profile import ChipProfile
    from snncompare.backends.analog.running.noise import ChipRun

__all__ = ["Chip", "Fleet", "deploy", "deploy_many", "seeds_of_devices"]

Maps = Mapping[str, Mapping[str, ParameterMap]]

_MOST_DEVICES = 100_000


@dataclass(frozen=True, eq=False)
class _Devices:
    """What `Chip` and `Fleet` have in common: all that follows from network and profile, whatever the device."""

    plan: Plan

    @property
    def profile(self) -> "ChipProfile":
        """The chip profile."""
        return self.plan.profile

    @property
    def asked(self) -> Network:
        """The description that was deployed."""
        return self.plan.asked

    @property
    def network(self) -> Network:
        """The opened description that a backend compiles.

        Every parameter that differs from neuron to neuron has one value per neuron (`Population.individual`,
        `Projection.individual`), neurons that can be dead have the parameter ``alive`` in their threshold. It depends
        on the profile, never on the device seed, and is `asked` itself where nothing differs.
        """
        return self.plan.opened.network

    @property
    def realised(self) -> Realisation:
        """What was asked for: a complete realisation of `asked`."""
        return self.plan.realised

    @property
    def left_out(self) -> tuple[str, ...]:
        """What the profile has and the emulation of this network has not, one sentence each."""
        return self.plan.opened.left_out

    @property
    def readings(self) -> Mapping[str, Reading]:
        """Population to what its equations say: membrane variables, kinds of states, roles of parameters."""
        return self.plan.opened.readings

    @property
    def roles(self) -> Mapping[str, Mapping[str, Role]]:
        """Population to parameter to role, of the opened description."""
        return {name: found.roles for name, found in self.readings.items()}

    @property
    def membranes(self) -> Mapping[str, str]:
        """Population to its membrane variable: the one in the threshold, or that receives the input."""
        return {name: found.membranes[0] for name, found in self.readings.items() if found.membranes}

    @property
    def distances(self) -> Mapping[str, NDArray[np.float64]]:
        """Population to threshold - leak as asked for, (n_neurons,) in SI units; only where there is a threshold."""
        return self.plan.distances

    @property
    def membrane_time_constants(self) -> Mapping[str, NDArray[np.float64]]:
        """Population to membrane time constant as asked for, (n_neurons,) in seconds; only where there is one."""
        return self.plan.time_constants

    def opened(self, asked: Realisation | None = None) -> Realisation:
        """Return what was asked for in the shape of the opened network, before any map.

        Parameters
        ----------
        asked : Realisation, optional
            Of the network that was asked for or of the opened one; what it does not have is that of `realised`.
        """
        if self.network is self.asked and asked is None:
            return self.realised
        given = asked or Realisation()
        values = {
            name: {**self.realised.values.get(name, {}), **given.values.get(name, {})}
            for name in self.network.populations
        }
        connections = {
            name: _unrolled(self.network, name, there)
            for name, there in {**self.realised.connections, **given.connections}.items()
        }
        known = Realisation(connections, {name: found for name, found in values.items() if found})
        return realise(self.network, self.plan.seed, known, dt=self.plan.dt)


def _unrolled(network: Network, projection: str, there: Connections) -> Connections:
    """Return connections without a common kernel where the opened description is no convolution any more."""
    convolution = network.projections[projection].wiring.type == "Convolution"
    return there if convolution or there.shared is None else replace(there, shared=None)


@dataclass(frozen=True, eq=False)
class Chip(_Devices):
    """One frozen device: a network as it is on one chip.

    Attributes
    ----------
    device_seed : int
    parameter_maps : mapping
        Population to mapping from the name of a parameter, as in `compose` (those of synapses with the projection's
        suffix), to `ParameterMap` with arrays (n_neurons,).
    weight_maps : mapping
        Projection to `WeightMap` with factors (n_synapses,) in the order of ``realised.connections[name]``; projections
        whose weights are what was asked for are left out.
    dead : mapping
        Population to bool array (n_neurons,); populations whose neurons cannot be dead are left out.
    """

    device_seed: int
    parameter_maps: Maps
    weight_maps: Mapping[str, WeightMap]
    dead: Mapping[str, NDArray[np.bool_]]

    def realisation(self, asked: Realisation | None = None) -> Realisation:
        """Return what the chip made of a realisation, to be compiled as ``compile(chip.network, weights=...)``.

        Parameters
        ----------
        asked : Realisation, optional
            Of the network that was asked for or of the opened one; what it does not have is that of `realised`.

        Raises
        ------
        InputError
            For synapses between other neurons than those that were deployed, or other values on a digital chip's grid.
        """
        if not self.parameter_maps and not self.weight_maps:
            return self.realised if asked is None else asked
        there = self.opened(asked)
        self.plan.check_grids(there)
        for name in self.weight_maps:
            self._check_same(name, there.connections[name])
        return as_on_device(there, self.network, self.parameter_maps, self.weight_maps)

    def _check_same(self, projection: str, there: Connections) -> None:
        """Refuse connections between other neurons than those that were deployed."""
        deployed = self.realised.connections[projection]
        if not (np.array_equal(there.source, deployed.source) and np.array_equal(there.target, deployed.target)):
            raise InputError(
                f"projection '{projection}': other neurons are joined than on this chip; use "
                "deploy(network, profile, weights=...) with these connections."
            )

    def table(self) -> "pd.DataFrame":
        """Return a short summary: what the chip made of each parameter and projection, and what is not emulated.

        It needs no program and no range of the chip, and shows `left_out` beside what is emulated.
        What was written to the chip, its legal range, what was clipped and the evidence are in `AnalogProgram.mapping`.

        Columns ``where`` (population or projection), ``what`` (parameter, ``weight``, ``dead neurons``, or empty),
        ``role``, ``asked`` and ``got`` (means, SI units), ``cv`` (standard deviation over neurons of what was got, over
        the mean; for potentials over threshold - leak), ``emulated``, ``note``.
        """
        from snncompare.backends.analog.tables import chip_table

        return chip_table(self)

    def equals(self, other: "Chip") -> bool:
        """Return whether two chips are the same to the last bit.

        They have the same device seed, profile, network that was asked for and opened network, what was realised of it,
        and what is frozen on the chip.
        """
        return (
            self.device_seed == other.device_seed
            and self.profile == other.profile
            and self.asked == other.asked
            and self.network == other.network
            and same_realised(self.realised, other.realised)
            and self.parameter_maps.keys() == other.parameter_maps.keys()
            and all(same_maps(maps, other.parameter_maps[name]) for name, maps in self.parameter_maps.items())
            and same_maps(self.weight_maps, other.weight_maps)
            and same_arrays(self.dead, other.dead)
        )


@dataclass(frozen=True, eq=False)
class Fleet(_Devices):
    """Several devices of one profile with one network: the maps of `Chip` with a device axis in front.

    Attributes
    ----------
    device_seeds : tuple of int
    parameter_maps : mapping
        As those of `Chip`, arrays (n_devices, n_neurons).
    weight_maps : mapping
        As those of `Chip`, factors (n_devices, n_synapses).
    dead : mapping
        Population to bool array (n_devices, n_neurons); populations whose neurons cannot be dead are left out.
    """

    device_seeds: tuple[int, ...]
    parameter_maps: Maps
    weight_maps: Mapping[str, WeightMap]
    dead: Mapping[str, NDArray[np.bool_]]

    @property
    def n_devices(self) -> int:
        """Number of devices."""
        return len(self.device_seeds)

    def select(self, device: int) -> Chip:
        """Return one of the devices, equal to ``deploy(device_seed=device_seeds[device])`` to the last bit."""
        return Chip(
            self.plan,
            self.device_seeds[device],
            {
                name: {key: one.select(device) for key, one in maps.items()}
                for name, maps in self.parameter_maps.items()
            },
            {name: one.select(device) for name, one in self.weight_maps.items()},
            {name: found[device] for name, found in self.dead.items()},
        )

    def redrawn(self, device_seeds: Sequence[int]) -> "Fleet":
        """Return other devices of the same profile with the same network; only what is drawn is computed anew."""
        return _fleet(self.plan, seeds_of_devices(device_seeds))

    def begin(self, *, n_trials: int, dt: float, seed: int, first_trial: int = 0) -> "ChipRun":
        """Return one run on these devices with everything that is drawn anew in it, see `EmulatedRun`."""
        from snncompare.backends.analog.running.noise import ChipRun

        return ChipRun(self, n_trials=n_trials, dt=dt, seed=seed, first_trial=first_trial)


def deploy(
    network: Network,
    profile: "ChipProfile | str | Path",
    *,
    device_seed: int = 0,
    weights: Given | None = None,
    dt: QuantityLike = "0.1 ms",
    seed: int = 0,
    roles: GivenRoles | None = None,
    measured: Any = None,
    gradient: Gradient = "straight_through",
) -> Chip:
    """Return a network as it is on one chip.

    Parameters
    ----------
    network : Network
    profile : ChipProfile, or its name or path
    device_seed : int
        Which chip: everything that is frozen on it follows from this number and from names and indices.
    weights : Realisation or mapping, optional
        What is known already, as in `compile`; the rest is drawn with `seed`.
    dt : time
        Digital chips quantise in steps.
    seed : int
        Of what the description leaves to chance; not of the chip.
    roles : mapping, optional
        Population to mapping from parameter to `Role`, where the equations are read wrongly; None as a role leaves the
        parameter alone.
    measured : pandas.DataFrame, optional
        Used instead of draws where it has an entry: columns ``population``, ``neuron``, ``parameter`` (a role) and
        ``factor`` or ``offset``, see `measured.read_measured`; added to those of the profile.
    gradient : str
        What a gradient makes of rounding and clipping: ``"straight_through"`` or ``"clipped"``.

    Raises
    ------
    InputError
        For weights that do not fit to the network, a role, parameter or population that does not exist, a device seed
        that is no whole number from 0 to 2**63 - 1, or a draw that the network cannot have (a negative time constant).
    """
    fleet = deploy_many(
        network,
        profile,
        device_seeds=(device_seed,),
        weights=weights,
        dt=dt,
        seed=seed,
        roles=roles,
        measured=measured,
        gradient=gradient,
    )
    return fleet.select(0)


def deploy_many(
    network: Network,
    profile: "ChipProfile | str | Path",
    *,
    device_seeds: Sequence[int],
    weights: Given | None = None,
    dt: QuantityLike = "0.1 ms",
    seed: int = 0,
    roles: GivenRoles | None = None,
    measured: Any = None,
    gradient: Gradient = "straight_through",
) -> Fleet:
    """Return a network on several chips, one for each device seed, all different; arguments as for `deploy`."""
    from snncompare.backends.analog.profiles.profile import ChipProfile

    loaded = profile if isinstance(profile, ChipProfile) else ChipProfile.load(profile)
    seen = loaded if measured is None else loaded.with_measured(measured)
    seeds = seeds_of_devices(device_seeds)
    for what, given in (("roles", roles or {}), ("the measured table", seen.measured)):
        for name in given:
            if name not in network.populations:
                raise InputError(f"{what}: " + unknown("population", name, network.populations))
    found = plan(
        network,
        seen,
        weights=weights,
        dt=seconds(dt, "dt"),
        seed=seed,
        roles=roles,
        measured=seen.measured,
        gradient=gradient,
    )
    return _fleet(found, seeds)


def _fleet(plan: Plan, device_seeds: tuple[int, ...]) -> Fleet:
    draws = Draws(plan.profile, device_seeds, plan.measured)
    dead = {name: draws.dead(name, plan.asked.populations[name].size) for name in plan.opened.mortal}
    maps: dict[str, dict[str, ParameterMap]] = {}
    for population, parameters in plan.opened.parameters.items():
        for name, role in parameters.items():
            asked = plan.values[population][name]
            chip, apart = plan.on_chip(population, name, role), plan.distances.get(population)
            key = _key(plan.opened.network, population, name)
            maps.setdefault(population, {})[name] = draws.parameter(population, key, role, asked, chip, apart)
    for population, silent in dead.items():
        alive = np.where(silent, 0.0, 1.0)
        maps.setdefault(population, {})[ALIVE] = ParameterMap(alive, np.zeros(alive.shape))
    weights = {
        name: replace(
            draws.weight_map(name, projection, plan.realised.connections[name], plan.scales[name]),
            gradient=plan.gradient,
        )
        for name, projection in plan.opened.network.projections.items()
    }
    there = {name: one for name, one in weights.items() if one.quantises or one.factor is not None}
    return Fleet(plan, device_seeds, maps, there, dead)


def _key(network: Network, population: str, parameter: str) -> tuple[str, ...]:
    """Return what the draw of a parameter is for."""
    projection, own = parameter_source(network, population, parameter)
    if projection is None:
        return (own,)
    return (own, network.projections[projection].sign or "both signs")


def seeds_of_devices(given: Any) -> tuple[int, ...]:
    """Return device seeds, given as one or several.

    Raises
    ------
    InputError
        For a seed that is no whole number from 0 to 2**63 - 1, for none, one that comes twice, or more than 100,000.
    """
    several = isinstance(given, Sequence | range) or (isinstance(given, np.ndarray) and given.ndim > 0)
    seeds = list(given) if several and not isinstance(given, str | bytes) else [given]
    for seed in seeds:
        if isinstance(seed, bool) or not isinstance(seed, int | np.integer) or not 0 <= seed < 2**63:
            raise InputError(f"a device seed is a whole number from 0 to 2**63 - 1, got {seed!r:.40}.")
    if not seeds or len(set(seeds)) != len(seeds) or len(seeds) > _MOST_DEVICES:
        raise InputError(f"1 to {_MOST_DEVICES:,} different seeds of devices are needed, got {given!r:.60}.")
    return tuple(int(seed) for seed in seeds)
