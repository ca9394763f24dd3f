"""What a backend has to ask while a network runs on chips: their frozen part, and what changes from run to run.

Words: a *device* is one chip with its device seed; a *copy* is one device in one trial, ``copy = device * n_trials +
trial``, so that the copies of a device lie side by side. Numbers are in SI units, float64. What is frozen is a
transform of the description and of its weights (`Devices`); what is random or limited in a run is asked at fixed points
of a step (`EmulatedRun`), in this order:

1. state update, then `EmulatedRun.noise` is added (traces and thresholds see it);
2. thresholds, then `EmulatedRun.events` says which spikes set out when (the neuron's own reset, what is recorded of it
   and synapses that react to spikes of their target see the true spikes);
3. synapses, then the state is clipped to `EmulatedRun.limits`;
4. resets.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Literal, Protocol

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from snncompare.backends.realisation import Realisation
from snncompare.errors import InputError
from snncompare.network.network import Network

__all__ = [
    "Arrivals",
    "Devices",
    "EmulatedRun",
    "Emulation",
    "ParameterTransform",
    "WeightTransform",
    "as_on_device",
    "copies_of",
]

Arrivals = Sequence[tuple[int, NDArray[np.bool_]]]
"""Delay in steps and who sets out with it, bool (copy, neuron); each spike in one of them at most."""


class ParameterTransform(Protocol):
    r"""What chips make of a parameter that was asked for, :math:`p`, neuron by neuron.

    .. math:: \hat p = \min(\max(p f + o,\; l),\; h)

    Arrays have the shape (neuron,) or (device, neuron).
    """

    def apply(self, asked: NDArray[np.float64]) -> NDArray[np.float64]:
        r"""Return :math:`\hat p`, of the shape of `factor`."""
        ...

    @property
    def factor(self) -> NDArray[np.float64]:
        """Factor f."""
        ...

    @property
    def offset(self) -> NDArray[np.float64]:
        """Offset o, in the unit of the parameter."""
        ...

    @property
    def low(self) -> float:
        """Lowest value l, in the unit of the parameter; minus infinity where there is none."""
        ...

    @property
    def high(self) -> float:
        """Highest value h, likewise."""
        ...


class WeightTransform(Protocol):
    r"""What chips make of a weight that was asked for, :math:`w`, synapse by synapse.

    .. math:: \hat w = \frac{\min(\max(\mathrm{round}(w s),\; l),\; h)}{s}\, f

    with halves rounded to even; :math:`\hat w = w f` where nothing is rounded or clipped.
    """

    def apply(self, asked: NDArray[np.float64]) -> NDArray[np.float64]:
        r"""Return :math:`\hat w`, of the shape of `asked`, or of `factor` where there is one."""
        ...

    @property
    def quantises(self) -> bool:
        """Whether anything is rounded or clipped."""
        ...

    def scale_of(self, asked: NDArray[np.float64]) -> float:
        """Return the scale s for all weights of a projection, in levels per unit of weight (SI)."""
        ...

    @property
    def low(self) -> float:
        """Lowest level; minus infinity where there is none."""
        ...

    @property
    def high(self) -> float:
        """Highest level, likewise."""
        ...

    @property
    def rounds(self) -> bool:
        """Whether values between levels are rounded."""
        ...

    @property
    def factor(self) -> NDArray[np.float64] | None:
        """Factor f, (synapse,) or (device, synapse), synapses in the order of `Connections`; None where all are 1."""
        ...

    @property
    def gradient(self) -> Literal["straight_through", "clipped"]:
        """Whether the derivative passes rounding and clipping as if they were not there, or is 0 where clipped."""
        ...


class Devices(Protocol):
    """The frozen part of one or several chips that carry the same network."""

    @property
    def n_devices(self) -> int:
        """Number of chips."""
        ...

    @property
    def network(self) -> Network:
        """Opened description, what a backend compiles: what is in `parameter_maps` has a value for each neuron."""
        ...

    @property
    def parameter_maps(self) -> Mapping[str, Mapping[str, ParameterTransform]]:
        """Population to parameter to its transform; parameters of synapses end in ``_projection``, see `compose`."""
        ...

    @property
    def weight_maps(self) -> Mapping[str, WeightTransform]:
        """Projection to what the chips make of its weights."""
        ...


def as_on_device(
    asked: Realisation,
    network: Network,
    parameter_maps: Mapping[str, Mapping[str, ParameterTransform]],
    weight_maps: Mapping[str, WeightTransform],
) -> Realisation:
    """Return what one device makes of the values and weights that were asked for.

    A state that begins at a parameter, and was not given another value, begins at what the device made of it.

    Parameters
    ----------
    asked : Realisation
        Of the opened network, complete.
    network, parameter_maps, weight_maps
        As those of `Devices`, of one device.

    Raises
    ------
    InputError
        For a parameter that has no values of single neurons.
    """
    values = {name: dict(arrays) for name, arrays in asked.values.items()}
    for population, maps in parameter_maps.items():
        before = asked.values.get(population, {})
        for name, one in maps.items():
            if name not in before:
                raise InputError(f"'{name}' of '{population}' has one value for all neurons; open the network first.")
            values[population][name] = one.apply(before[name]).reshape(before[name].shape)
        described = network.populations[population]
        begins = {**described.model.initial, **described.initial}
        for state, parameter in ((name, value) for name, value in begins.items() if isinstance(value, str)):
            if parameter in maps and np.array_equal(before.get(state, ()), before[parameter]):
                values[population][state] = values[population][parameter].copy()
    connections = dict(asked.connections)
    for name, each in weight_maps.items():
        weight = connections[name].weight
        connections[name] = replace(connections[name], weight=each.apply(weight).reshape(weight.shape))
    return Realisation(connections, values)


class EmulatedRun:
    """One run on some chips. As it is here nothing is random in it and nothing limited; subclasses say what is.

    Everything random depends on the seed of the run, the device, the number of the trial, the step and the neuron only:
    not on how many trials or devices run side by side, and not on the pieces in which a run is carried out.

    Parameters
    ----------
    devices : Devices
    n_trials : int
        Trials that each device carries out.

    Attributes
    ----------
    transmits : frozenset of str
        Populations, spike sources included, whose `events` are not always None.
    longest_delay : int
        Largest delay of `events`, steps.
    """

    transmits: frozenset[str] = frozenset()
    longest_delay: int = 0

    def __init__(self, devices: Devices, n_trials: int) -> None:
        self.devices, self.n_trials = devices, n_trials

    @property
    def n_copies(self) -> int:
        """Devices times trials."""
        return self.devices.n_devices * self.n_trials

    def offsets(self, population: str) -> Mapping[str, NDArray[np.float64]]:  # noqa: ARG002 - of the interface
        """Return what is added, during this run, to values of single neurons after their `ParameterTransform`.

        Returns
        -------
        mapping
            Parameter to array that broadcasts with (copy, neuron), in the parameter's unit.
        """
        return {}

    def noise(
        self,
        population: str,  # noqa: ARG002
        first_step: int,  # noqa: ARG002
        n_steps: int,  # noqa: ARG002
    ) -> Mapping[str, NDArray[np.float64]]:
        """Return what is added to state after the state update of each step.

        Variables that are held in refractory neurons are left alone there.

        Returns
        -------
        mapping
            Variable to array (step, copy, neuron) in the variable's unit; the same variables in every call.
        """
        return {}

    def events(self, population: str, step: int, fired: NDArray[np.bool_]) -> Arrivals | None:  # noqa: ARG002
        """Return when the spikes of this step set out to the synapses.

        Asked once for every step in their order, also when nobody fired, so that it may count. A spike in none of the
        parts is lost. Spikes of one neuron that set out in the same step are one event.

        Parameters
        ----------
        population : str
            One of `transmits`.
        step : int
        fired : bool array (copy, neuron)

        Returns
        -------
        Arrivals or None
            Delay in steps, at least 0, and who sets out with it. None where all set out at once.
        """
        return None

    def limits(self, population: str) -> Mapping[str, tuple[NDArray[np.float64], NDArray[np.float64]]]:  # noqa: ARG002
        """Return the range to which state is clipped after the synapses of each step.

        Returns
        -------
        mapping
            Variable to (low, high), arrays that broadcast with (copy, neuron), in the variable's unit.
        """
        return {}

    def read(
        self,
        population: str,  # noqa: ARG002
        variable: str,  # noqa: ARG002
        values: NDArray[np.float64],
        first_step: int,  # noqa: ARG002
    ) -> NDArray[np.float64]:
        """Return what the read-out shows of a trace, both of shape (step, copy, neuron), in the variable's unit."""
        return values


class Emulation(Devices, Protocol):
    """Chips that runs can begin on: the frozen part, and where the random part comes from."""

    def begin(self, *, n_trials: int, dt: float, seed: int, first_trial: int = 0) -> EmulatedRun:
        """Return a run that begins now.

        Parameters
        ----------
        n_trials : int
        dt : float
            Time step, seconds.
        seed : int
            Of what is random in the run.
        first_trial : int
            Number of the first of these trials, so that a dataset may be run in parts.
        """
        ...


def copies_of(trials: pd.DataFrame | None, n_devices: int) -> pd.DataFrame:
    """Return the trials of a run in which several devices carry out the same trials, the device changing slowest.

    Parameters
    ----------
    trials : DataFrame or None
        Those of the inputs; None for a network without inputs, which runs once.
    n_devices : int

    Returns
    -------
    DataFrame
        The columns of the trials, ``device`` (position) and ``source_trial`` (label of the trial); what the trials had
        under these names is in ``input_device`` and ``input_source_trial``. Labels are ``trial@device``, or those of
        the trials where there is one device.
    """
    table = pd.DataFrame({"start": 0.0, "stop": 0.0}, index=["0"]) if trials is None else trials
    table = table.rename(columns={name: f"input_{name}" for name in ("device", "source_trial")})
    copies = table.iloc[np.tile(np.arange(len(table)), n_devices)]
    device = np.repeat(np.arange(n_devices), len(table))
    copies = copies.assign(device=device, source_trial=copies.index)
    if n_devices > 1:
        copies.index = pd.Index([f"{trial}@{k}" for trial, k in zip(copies.index, device, strict=True)])
    return copies
