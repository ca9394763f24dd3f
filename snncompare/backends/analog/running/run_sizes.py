"""How large everything is that changes on a chip from run to run, for one network and time step."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from snncompare.backends.analog.frozen.opened import ALIVE, parameter_source
from snncompare.backends.analog.reading.roles import POTENTIALS, Role
from snncompare.backends.analog.running.events import LinkRules
from snncompare.backends.analog.running.readout import Converter, Sampling
from snncompare.errors import InputError, UnsupportedError, unknown
from snncompare.network.composition import compose
from snncompare.network.equations import definitions
from snncompare.network.neuron import NeuronModel
from snncompare.units import Dimension, parse_unit

if TYPE_CHECKING:
    from snncompare.backends.analog.chip import Fleet

__all__ = ["RunSizes"]

Array = NDArray[np.float64]


class RunSizes:
    """The sizes of noise, losses, delays, limits and of the read-out, in SI units and time steps.

    Parameters
    ----------
    fleet : Fleet
    dt : float
        Time step, seconds.

    Attributes
    ----------
    redrawn : dict
        Population to parameter to its standard deviation per run and per trial, in the measure of the profile.
    membrane_noise : dict
        Population to membrane variable to what a step adds, standard deviation (neuron,).
    links : dict
        Population of neurons to what its spikes have to pass; those whose spikes all pass at once are left out, and so
        are inputs: their spikes arrive as given.
    saturation : dict
        Population to synaptic current to the sign of its projection, and to its largest magnitude (neuron,), before
        mismatch.

    Raises
    ------
    InputError
        Where a size is stated in a measure that the network does not have (a membrane or synaptic time constant, a
        threshold), or where the window of the rate cap is shorter than a step.
    UnsupportedError
        For a saturation that cannot be emulated.
    """

    def __init__(self, fleet: "Fleet", dt: float) -> None:
        self._fleet, self._profile, self._dt = fleet, fleet.profile, dt
        self._neurons = [n for n, p in fleet.asked.populations.items() if isinstance(p.neuron, NeuronModel)]
        self.redrawn = {name: drawn for name in self._neurons if (drawn := self._redrawn(name))}
        noisy = self._neurons if self._profile.noise.membrane.value else []
        self.membrane_noise = {name: noise for name in noisy if (noise := self._membrane_noise(name))}
        self._senders = {projection.source for projection in fleet.asked.projections.values()}
        rules = {name: self._rules(name) for name in self._neurons if name in self._senders}
        self.links = {name: rule for name, rule in rules.items() if not rule.silent}
        self._jitters = {name: rule for name, rule in rules.items() if rule.jitter}
        saturates = self._neurons if self._profile.saturation.current is not None else []
        self.saturation = {name: largest for name in saturates if (largest := self._saturation(name))}

    @property
    def silent(self) -> bool:
        """Whether nothing changes from run to run and nothing is limited, so that the frozen part is all."""
        return not (self.redrawn or self.membrane_noise or self.links or self.saturation)

    @property
    def has_readout(self) -> bool:
        """Whether traces are seen through a converter, or not at all."""
        return self._profile.readout.bits is not None or self._profile.readout.spikes_only

    @property
    def left_out(self) -> tuple[str, ...]:
        """What changes from run to run on the chip and not, or differently, in its emulation, one sentence each."""
        return (*self._of_events(), *self._of_saturation())

    def said(self) -> list[str]:
        """Return, in words, what changes from run to run or is limited."""
        parts = {
            "values drawn anew in every run or trial": self.redrawn,
            "membrane noise": self.membrane_noise,
            "loss, a rate cap or jitter of events": self.links,
            "saturation": self.saturation,
        }
        return [words for words, there in parts.items() if there]

    def asked(self, population: str, name: str) -> Array:
        """Return a parameter as asked for, (neuron,), SI unit."""
        realised = self._fleet.realised.values.get(population, {})
        size = self._fleet.asked.populations[population].size
        if name in realised:
            return realised[name]
        composed = compose(self._fleet.network, population)
        value = composed.parameters[name] if name in composed.parameters else composed.initial[name]
        return np.full(size, value.value)

    @property
    def sampling(self) -> Sampling:
        """When the read-out samples."""
        period = self._profile.readout.period
        return Sampling(None if period is None else self._profile.biological(period), self._dt)

    def converter(self, population: str, variable: str, channels: Callable[[], Array]) -> Converter | None:
        """Return the converters that show a variable, None where it is shown as it is.

        Parameters
        ----------
        population, variable : str
        channels : callable
            Returns standard normal numbers (copy, neuron), one for each channel.
        """
        stated = self._profile.readout
        if stated.spikes_only:
            raise UnsupportedError(
                f"the chip '{self._profile.name}' shows spikes only, '{population}.{variable}' cannot be read; record "
                "spikes, or change 'readout.spikes_only' of the profile."
            )
        if stated.bits is None:
            return None
        membranes = self._fleet.readings[population].membranes
        if variable not in membranes:
            known = [f"{population}.{name}" for name in membranes]
            said = unknown("variable", f"{population}.{variable}", known)
            raise UnsupportedError(f"the converter of the chip '{self._profile.name}' shows membranes only: {said}")
        assert stated.gain is not None  # a converter with bits has both, says the profile
        assert stated.offset is not None
        spread = 0.0 if stated.offset_lsb is None else stated.offset_lsb.value
        return Converter(
            gain=stated.gain.value,
            offset=stated.offset.value,
            channel_offsets=spread * channels() if spread else np.zeros(1),
            noise=0.0 if stated.noise_lsb is None else stated.noise_lsb.value,
            low=0.0,
            high=2.0**stated.bits.value - 1,
            leak=self._leak(population),
            distance=self._distance(population, "the read-out"),
        )

    def _named(self, population: str, role: Role) -> list[str]:
        return [name for name, its in self._fleet.roles[population].items() if its == role]

    def _redrawn(self, population: str) -> dict[str, tuple[float, float]]:
        found = {}
        for name in self._fleet.parameter_maps.get(population, {}):
            if name == ALIVE:  # which neurons are dead is frozen
                continue
            role = self._fleet.roles[population].get(name, Role.OTHER)
            stated = self._profile.parameter(role)
            sizes = (stated.per_run.value, stated.per_trial.value)
            if any(sizes) and (role not in POTENTIALS or population in self._fleet.distances):
                found[name] = sizes
        return found

    def _membrane_noise(self, population: str) -> dict[str, Array]:
        if population not in self._fleet.membranes:
            return {}
        tau = self._fleet.membrane_time_constants.get(population)
        if tau is None:
            raise InputError(
                f"membrane noise needs the membrane time constant of '{population}', which is not seen in its "
                f"equations; give roles={{'{population}': {{NAME: 'membrane_time_constant'}}}}, or set "
                "'noise.membrane' to 0."
            )
        distance = self._distance(population, "membrane noise")
        sigma = self._profile.noise.membrane.value
        return {self._fleet.membranes[population]: sigma * np.abs(distance) * np.sqrt(-np.expm1(-2.0 * self._dt / tau))}

    def _leak(self, population: str) -> Array:
        """Return the potential from which the threshold is measured."""
        if named := self._named(population, Role.LEAK):
            return self.asked(population, named[0])
        threshold = self._named(population, Role.THRESHOLD)
        if threshold and population in self._fleet.distances:
            return self.asked(population, threshold[0]) - self._fleet.distances[population]
        return np.zeros(1)

    def _distance(self, population: str, what: str) -> Array:
        """Return threshold - leak, that of other populations where a population has no threshold."""
        if population not in self._fleet.distances:
            raise InputError(
                f"{what} is measured in fractions of threshold - leak, but neither '{population}' nor any other "
                "population with such a membrane has a threshold."
            )
        return self._fleet.distances[population]

    def _dimension(self, population: str) -> Dimension | None:
        membrane = self._fleet.membranes.get(population)
        if membrane is None:
            return None
        return parse_unit(definitions(compose(self._fleet.asked, population).equations)[membrane].unit)[1]

    def _rules(self, population: str) -> LinkRules:
        noise, cap = self._profile.noise, self._profile.noise.rate_cap
        window = 1.0 if cap is None else self._profile.biological(cap.window) / self._dt
        if window < 1 - 1e-9:
            raise InputError(
                f"the rate cap of '{self._profile.name}' counts events in windows of {window * self._dt * 1e3:g} ms, "
                f"shorter than the time step of {self._dt * 1e3:g} ms; take a smaller dt, or change 'noise.rate_cap'."
            )
        return LinkRules(
            loss=noise.event_loss.value,
            most=None if cap is None else int(cap.events.value),
            window=window,
            jitter=self._jitter(population) / self._dt,
        )

    def _jitter(self, population: str) -> float:
        """Return the standard deviation of the time of events, seconds."""
        stated = self._profile.noise.jitter
        if not stated.value:
            return 0.0
        if stated.unit != "tau_syn":
            return self._profile.biological(stated)
        times = [
            float(self.asked(projection.target, name).min())
            for key, projection in self._fleet.asked.projections.items()
            if projection.source == population
            for name in self._named(projection.target, Role.SYNAPTIC_TIME_CONSTANT)
            if parameter_source(self._fleet.network, projection.target, name)[0] == key
        ]
        if not times:
            raise InputError(
                f"the jitter of '{self._profile.name}' is a fraction of the synaptic time constant, but no synapse "
                f"from '{population}' has one; give it as a time: profile.changed(**{{'noise.jitter': '60 ns'}})."
            )
        return stated.value * min(times)

    def _of_events(self) -> list[str]:
        noise, step = self._profile.noise, f"{self._dt * 1e3:g} ms"
        parts = {
            "loss": noise.event_loss.value,
            "the rate cap": noise.rate_cap is not None,
            "jitter": noise.jitter.value,
        }
        acting = [words for words, there in parts.items() if there]
        inputs = [name for name in self._fleet.asked.populations if name in self._senders and name not in self._neurons]
        given = [
            f"population '{name}': its spikes are inputs and arrive as given; {', '.join(acting)} act on spikes of "
            "neurons only."
            for name in inputs
            if acting
        ]
        return given + [
            f"population '{name}': its spikes act {rule.latency * self._dt * 1e3:g} ms late, as no spike with jitter "
            "can act before it was fired."
            if rule.latency
            else f"population '{name}': jitter of {rule.jitter * self._dt * 1e3:g} ms is lost in time steps of {step}; "
            "it is not emulated."
            for name, rule in self._jitters.items()
        ]

    def _of_saturation(self) -> list[str]:
        if self._profile.saturation.current is None:
            return []
        found = []
        for population in self._neurons:
            incoming = self._fleet.asked.incoming(population)
            found += [
                f"projection '{key}': its synapses have no current and do not saturate."
                for key, projection in incoming.items()
                if projection.into is None
            ]
            signs = {key: projection.sign for key, projection in incoming.items() if projection.into is not None}
            if len(signs) > 1 and (None in signs.values() or len(set(signs.values())) < len(signs)):
                names = ", ".join(f"'{key}'" for key in signs)
                found.append(f"population '{population}': {names} saturate each for itself, not their sum.")
        return found

    def _saturation(self, population: str) -> dict[str, tuple[str, Array]]:
        stated = self._profile.saturation
        assert stated.current is not None
        largest = stated.current.value * np.abs(self._distance(population, "saturation"))
        lines = definitions(compose(self._fleet.asked, population).equations)
        found: dict[str, tuple[str, Array]] = {}
        for key, projection in self._fleet.asked.incoming(population).items():
            if projection.into is None:
                continue
            variable = f"{projection.synapse.written_out().current}_{key}"
            if variable not in lines or parse_unit(lines[variable].unit)[1] != self._dimension(population):
                raise UnsupportedError(
                    f"saturation of projection '{key}' is not emulated: its current is no state in the unit of the "
                    "membrane; set 'saturation.current' to null."
                )
            found[variable] = (projection.sign or "both signs", largest)
        return found
