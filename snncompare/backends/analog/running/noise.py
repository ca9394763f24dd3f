r"""What changes on chips from run to run: thresholds, membrane noise, events on their way, the read-out.

Membrane noise: in every step the membrane gets

.. math:: v \leftarrow v + \sigma\,(\theta - E_L)\sqrt{1 - e^{-2\,dt/\tau_m}}\; z

after its state update, z standard normal: a leaky membrane at rest then has the standard deviation :math:`\sigma` (in
fractions of threshold - leak) whatever the time step (the Ornstein-Uhlenbeck process, Gillespie 1996 Phys. Rev. E
54:2084, eq. 3.1). Parameters that are drawn anew: potentials get :math:`(\theta - E_L)(s_r z_r + s_t z_t)`, per run and
per trial; positive parameters :math:`\hat p\,(F_r F_t - 1)` with log-normal factors of mean 1.

Loss, rate cap and jitter act on spikes of neurons; those of inputs (`SpikeSource`) arrive as given. Synaptic currents
are clipped at :math:`\pm I_{sat} F`, F log-normal of mean 1, frozen, one for each neuron and sign of projections (as
are its synaptic time constants): projections of one sign have the same bound, but each current is clipped for itself.

Every draw depends on the seed of the run, the device seed, the population, the number of the trial, the step and the
neuron only.
"""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from snncompare.backends.analog.frozen.counters import normal, uniform
from snncompare.backends.analog.frozen.distributions import LogNormal
from snncompare.backends.analog.reading.roles import POTENTIALS
from snncompare.backends.analog.running.events import EventCounts, Link
from snncompare.backends.analog.running.readout import Converter
from snncompare.backends.analog.running.run_sizes import RunSizes
from snncompare.backends.emulation import Arrivals, EmulatedRun

if TYPE_CHECKING:
    from snncompare.backends.analog.chip import Fleet

__all__ = ["ChipRun"]

Array = NDArray[np.float64]


class ChipRun(EmulatedRun):
    """A run on the devices of a fleet.

    Parameters
    ----------
    fleet : Fleet
    n_trials : int
        Trials that each device carries out.
    dt : float
        Time step, seconds.
    seed : int
        Of the run.
    first_trial : int
        Number of the first trial.

    Attributes
    ----------
    device_seed, trial : int64 array (copy,)
        Of each copy.

    Raises
    ------
    InputError
        For what the profile says and this network cannot have, see `RunSizes`.
    """

    def __init__(self, fleet: "Fleet", *, n_trials: int, dt: float, seed: int, first_trial: int = 0) -> None:
        super().__init__(fleet, n_trials)
        self._fleet, self._seed, self._sizes = fleet, seed, RunSizes(fleet, dt)
        self.device_seed = np.repeat(np.array(fleet.device_seeds, dtype=np.int64), n_trials)
        self.trial = np.tile(np.arange(first_trial, first_trial + n_trials, dtype=np.int64), fleet.n_devices)
        self._links = {
            name: Link(rules, (seed, name), self.device_seed, self.trial, fleet.network.populations[name].size)
            for name, rules in self._sizes.links.items()
        }
        self._shown: dict[tuple[str, str], Array] = {}
        self.transmits = frozenset(self._links)
        self.longest_delay = max((2 * rules.latency for rules in self._sizes.links.values()), default=0)

    def offsets(self, population: str) -> Mapping[str, Array]:
        """Return what is added to parameters during this run, see `EmulatedRun.offsets`."""
        return {
            name: self._offset(population, name, per_run, per_trial)
            for name, (per_run, per_trial) in self._sizes.redrawn.get(population, {}).items()
        }

    def noise(self, population: str, first_step: int, n_steps: int) -> Mapping[str, Array]:
        """Return the membrane noise of some steps, see `EmulatedRun.noise`."""
        step = np.arange(first_step, first_step + n_steps, dtype=np.int64)[:, None, None]
        return {
            variable: amplitude * self._normal("membrane noise", population, variable, step)
            for variable, amplitude in self._sizes.membrane_noise.get(population, {}).items()
        }

    def events(self, population: str, step: int, fired: NDArray[np.bool_]) -> Arrivals | None:
        """Return when the spikes of this step set out, see `EmulatedRun.events` and `Link`."""
        return self._links[population].send(step, fired) if population in self._links else None

    def limits(self, population: str) -> Mapping[str, tuple[Array, Array]]:
        """Return the range of synaptic currents, see `EmulatedRun.limits`."""
        found = {}
        for variable, (sign, largest) in self._sizes.saturation.get(population, {}).items():
            drawn = self._draw(uniform, ("saturation", population, sign), frozen=True)
            top = largest * LogNormal(self._fleet.profile.saturation.cv.value).factor(drawn)
            found[variable] = (-top, top)
        return found

    def read(self, population: str, variable: str, values: Array, first_step: int) -> Array:
        """Return the latest sample of the converter at each step, see `EmulatedRun.read` and `Converter`.

        Raises
        ------
        UnsupportedError
            If the chip shows spikes only, or the variable is no membrane.
        """
        converter = self.converter(population, variable)
        if converter is None:
            return values
        steps = np.arange(first_step, first_step + values.shape[0])
        number = self._sizes.sampling.numbers(steps)
        new = np.diff(number, prepend=-1 if first_step == 0 else self._sizes.sampling.numbers(steps[:1] - 1)) > 0
        z = self._normal("read-out noise", population, variable, number[new][:, None, None])
        shown = converter.values(converter.codes(values[new], z))
        if not new[0]:
            shown = np.concatenate([self._shown[population, variable][None], shown])
        self._shown[population, variable] = shown[-1]
        return shown[number - number[0]]

    def converter(self, population: str, variable: str) -> Converter | None:
        """Return the converters that show a variable; None where a chip shows it as it is."""
        return self._sizes.converter(
            population,
            variable,
            lambda: self._draw(normal, ("read-out offset", population, variable), frozen=True),
        )

    def counts(self) -> dict[str, EventCounts]:
        """Return what became of the events of each population whose events can be lost or late."""
        return {name: link.counts() for name, link in self._links.items()}

    def _normal(self, what: str, population: str, variable: str, index: NDArray[np.int64]) -> Array:
        """Return standard normal numbers (index, copy, neuron)."""
        neuron = np.arange(self._fleet.network.populations[population].size)
        copies = (self.device_seed[:, None], self.trial[:, None])
        return normal((what, self._seed, population, variable), *copies, index, neuron)

    def _draw(self, draw: Callable[..., Array], key: tuple[str | int, ...], *, frozen: bool = False) -> Array:
        """Return one draw for each neuron of each copy; frozen ones are the same in every trial."""
        population = str(key[1])
        neuron = np.arange(self._fleet.network.populations[population].size)
        return draw(key, self.device_seed[:, None], *(() if frozen else (self.trial[:, None],)), neuron)

    def _offset(self, population: str, name: str, per_run: float, per_trial: float) -> Array:
        neuron = np.arange(self._fleet.network.populations[population].size)
        device, trial = self.device_seed[:, None], self.trial[:, None]
        of_run = normal(("per run", self._seed, population, name), device, neuron)
        of_trial = normal(("per trial", self._seed, population, name), device, trial, neuron)
        if self._fleet.roles[population][name] in POTENTIALS:
            distance: Array = self._fleet.distances[population]
            return distance * (per_run * of_run + per_trial * of_trial)
        got = self._got(population, name)
        return got * (_log_normal(of_run, per_run) * _log_normal(of_trial, per_trial) - 1.0)

    def _got(self, population: str, name: str) -> Array:
        """Return what each copy got of a parameter, shape (copy, neuron)."""
        asked = self._sizes.asked(population, name)
        mapped = self._fleet.parameter_maps.get(population, {}).get(name)
        if mapped is None:
            return np.broadcast_to(asked, (self.n_copies, self._fleet.network.populations[population].size))
        return np.repeat(mapped.apply(asked), self.n_trials, axis=0)


def _log_normal(z: Array, cv: float) -> Array:
    s = np.sqrt(np.log1p(cv**2))
    return np.exp(s * z - s**2 / 2)
