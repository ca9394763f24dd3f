"""A network on emulated chips, ready to run: every trial on every chip."""

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from snncompare.backends.activity import check_record, trials_of
from snncompare.backends.analog.chip import Chip, Fleet
from snncompare.backends.analog.frozen.opened import GivenRoles
from snncompare.backends.analog.limits.resources import resources
from snncompare.backends.analog.mapping import mapping
from snncompare.backends.analog.running.noise import ChipRun
from snncompare.backends.analog.running.run_sizes import RunSizes
from snncompare.backends.emulation import copies_of
from snncompare.backends.program import Program
from snncompare.backends.realisation import Realisation
from snncompare.backends.registry import backend_named
from snncompare.backends.simulation import Simulation
from snncompare.errors import UnsupportedError
from snncompare.provenance import fingerprint
from snncompare.recording.recording import Recording
from snncompare.units import QuantityLike

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["ENGINES", "AnalogProgram"]

ENGINES = ("torch", "brian2", "fused")
"""Backends that run the chips: side by side, one after the other, and one after the other without noise."""


class AnalogProgram(Program):
    """A network on one or several chips.

    Parameters
    ----------
    fleet : Fleet
        The chips.
    realisation : Realisation
        What was asked for.
    dt : float
        Seconds.
    dtype, engine : str
    options : mapping
        Of the engine.
    roles : mapping, optional
        Those with which the fleet was deployed.

    Attributes
    ----------
    network : Network
        The description that was asked for; ``fleet.network`` is what runs.
    realisation : Realisation
        Weights and values that were asked for; ``chips[k].realisation()`` is what a chip made of them.
    fleet : Fleet
    engine : str
    """

    def __init__(
        self,
        fleet: Fleet,
        realisation: Realisation,
        *,
        dt: float,
        dtype: str,
        engine: str,
        options: Mapping[str, Any],
        roles: GivenRoles | None = None,
    ) -> None:
        self.network, self.realisation, self.dt = fleet.asked, realisation, dt
        self.fleet, self.engine, self._roles = fleet, engine, roles
        self._sizes = RunSizes(fleet, dt)
        self._runs: list[ChipRun] = []
        self._frozen = self._sizes.silent and not self._sizes.has_readout
        if engine == "fused" and not self._sizes.silent:
            raise UnsupportedError(
                f"the engine 'fused' runs what is frozen on a chip only, but '{fleet.profile.name}' has "
                f"{', '.join(self._sizes.said())}; take engine='torch' or 'brian2', or set these to 0."
            )
        alone = engine != "torch" or (self._frozen and fleet.n_devices == 1)
        parts = [fleet.redrawn([seed]) for seed in fleet.device_seeds] if alone else [fleet]
        self._programs = [self._compiled(part, dtype, options) for part in parts]

    @cached_property
    def chips(self) -> tuple[Chip, ...]:
        """The chips, in the order of their device seeds."""
        return tuple(self.fleet.select(k) for k in range(self.fleet.n_devices))

    @property
    def left_out(self) -> tuple[str, ...]:
        """What the profile has and this run of the network has not, one sentence each.

        Those of the fleet, and what follows from inputs and the time step: events that arrive as given, jitter that is
        lost in time steps, events that are late by a constant, currents that do not saturate.
        """
        return (*self.fleet.left_out, *self._sizes.left_out)

    @cached_property
    def resources(self) -> pd.DataFrame:
        """What the network takes of a chip, see `resources.resources`."""
        return resources(self.network, self.fleet.profile)

    def mapping(self) -> pd.DataFrame:
        """Return what was asked and what each chip got, side by side, see `mapping.mapping`."""
        frames = [
            mapping(self.network, self.realisation, self.fleet.profile, chip, self._roles, dt=self.dt).assign(
                device_seed=chip.device_seed
            )
            for chip in self.chips
        ]
        return pd.concat(frames, ignore_index=True)

    def run(
        self,
        inputs: Mapping[str, Recording],
        *,
        duration: QuantityLike,
        seed: int = 0,
        record: Sequence[str] | None = None,
    ) -> Recording:
        """Return what every chip did in every trial, see `Program.run`.

        Traces of membranes are what the chip's converter shows of them, at its sampling times; where these do not lie
        evenly on time steps, its latest sample at every step (see `readout.Sampling`).

        Returns
        -------
        Recording
            One trial for each chip and trial of the inputs, the chip changing slowest, with the columns ``device``
            (position), ``device_seed`` and ``source_trial`` (label) beside those of the inputs. The provenance holds
            the profile, the device seeds and what became of the events.

        Raises
        ------
        UnsupportedError
            For traces of chips that show spikes only.
        """
        recorded = check_record(self.network, record)
        for population, variable in recorded.traces:
            self._check_shown(population, variable)
        self._runs = []
        parts = [program.run(inputs, duration=duration, seed=seed, record=record) for program in self._programs]
        trials = copies_of(trials_of(self.network, inputs), self.fleet.n_devices)
        trials = trials.rename(columns={"device_seed": "input_device_seed"})
        trials["device_seed"] = np.array(self.fleet.device_seeds)[trials["device"].to_numpy()]
        every = self._sizes.sampling.shown_every if recorded.traces else 1
        return _joined(parts, trials, every, self._provenance(parts[0], seed))

    def events(self) -> pd.DataFrame:
        """Return what became of the spikes of the last run on their way to the synapses.

        Returns
        -------
        DataFrame
            Columns ``device_seed``, ``trial`` (number), ``population``, ``fired``, ``lost`` and ``dropped``; one row
            for each copy and population whose events can be lost or late.
        """
        rows = [
            pd.DataFrame(
                {
                    "device_seed": run.device_seed,
                    "trial": run.trial,
                    "population": population,
                    "fired": counts.fired,
                    "lost": counts.lost,
                    "dropped": counts.dropped,
                }
            )
            for run in self._runs
            for population, counts in run.counts().items()
        ]
        empty = pd.DataFrame(columns=["device_seed", "trial", "population", "fired", "lost", "dropped"])
        return pd.concat(rows, ignore_index=True) if rows else empty

    def simulation(self, seed: int = 0) -> Simulation:
        """Return one chip without noise and converter at time zero, see `Program.simulation`."""
        if self.fleet.n_devices != 1 or not self._frozen:
            raise UnsupportedError(
                "what goes on where it stood is one chip without noise and converter; give one device_seed and a "
                "profile without them, or take program.run(...)."
            )
        return self._programs[0].simulation(seed)

    def _compiled(self, fleet: Fleet, dtype: str, options: Mapping[str, Any]) -> Program:
        engine = backend_named(self.engine)
        if self.engine == "fused" or (self._frozen and fleet.n_devices == 1):
            got = fleet.select(0).realisation(self.realisation)
            return engine.compile(fleet.network, dt=self.dt, dtype=dtype, realisation=got, **options)
        asked = fleet.opened(self.realisation)
        kept = _Kept(fleet, self._runs_of_last)
        return engine.compile(fleet.network, dt=self.dt, dtype=dtype, realisation=asked, emulation=kept, **options)

    def _runs_of_last(self) -> list[ChipRun]:
        return self._runs

    def _check_shown(self, population: str, variable: str) -> None:
        """Refuse a trace that a chip does not show."""
        ChipRun(self.fleet, n_trials=1, dt=self.dt, seed=0).converter(population, variable)
        if self.engine == "fused" and self._sizes.has_readout:
            raise UnsupportedError(
                f"the engine 'fused' has no read-out, through which '{self.fleet.profile.name}' shows '{population}."
                f"{variable}'; record spikes, or take engine='torch' or 'brian2'."
            )

    def _provenance(self, part: Recording, seed: int) -> dict[str, object]:
        profile = self.fleet.profile.plain()
        events = self.events().groupby(["device_seed", "population"])[["fired", "lost", "dropped"]].sum()
        return {
            **part.provenance,
            "backend": "analog",
            "engine": part.provenance,
            "network": self.network.fingerprint(),
            "profile": profile,
            "profile_hash": fingerprint(profile),
            "device_seeds": list(self.fleet.device_seeds),
            "seed": int(seed),
            "left_out": list(self.left_out),
            "events": events.reset_index().to_dict("records"),
        }


class _Kept:
    """A fleet that remembers the runs that began on it."""

    def __init__(self, fleet: Fleet, runs: Any) -> None:
        self._fleet, self._runs = fleet, runs
        self.n_devices, self.network = fleet.n_devices, fleet.network
        self.parameter_maps, self.weight_maps = fleet.parameter_maps, fleet.weight_maps

    def begin(self, *, n_trials: int, dt: float, seed: int, first_trial: int = 0) -> ChipRun:
        """Return a run that begins now."""
        run = ChipRun(self._fleet, n_trials=n_trials, dt=dt, seed=seed, first_trial=first_trial)
        self._runs().append(run)
        return run


def _joined(parts: Sequence[Recording], trials: pd.DataFrame, every: int, provenance: dict[str, object]) -> Recording:
    """Return recordings of the same units one after the other, with traces at every so many steps."""
    windows = pd.concat([part.trials[["start", "stop"]] for part in parts])
    trials = trials.assign(start=windows["start"].to_numpy(), stop=windows["stop"].to_numpy())
    shifts = np.cumsum([0, *(part.times.size for part in parts)])
    offsets = [part.offsets[1:] + shift for part, shift in zip(parts, shifts, strict=False)]
    traces = {}
    for name in parts[0].traces:
        values = np.concatenate([part.traces[name].to_numpy()[:, :, ::every] for part in parts])
        traces[name] = _thinned(parts[0].traces[name], values, trials.index, every)
    return Recording(
        times=np.concatenate([part.times for part in parts]),
        offsets=np.concatenate([[0], *offsets]),
        units=parts[0].units,
        trials=trials,
        traces=traces,
        provenance=provenance,
    )


def _thinned(like: "xr.DataArray", values: NDArray[np.float64], trials: pd.Index, every: int) -> "xr.DataArray":
    from snncompare.recording.traces import trace_array

    return trace_array(
        values,
        trials=trials,
        units=like.indexes["unit"],
        time=like["time"].to_numpy()[::every],
        unit=like.attrs["unit"],
        dt=like.attrs["dt"] * every,
    )
