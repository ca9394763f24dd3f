"""The forward pass of a training on a chip that is given: what it is asked for goes out, what it did comes back."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch import Tensor

from snncompare.backends.hardware.adapter import HardwareAdapter
from snncompare.backends.program import Program
from snncompare.backends.torch.module import TorchNetwork
from snncompare.backends.torch.network_state import Activity, NetworkState
from snncompare.errors import InputError
from snncompare.recording.recording import Recording
from snncompare.recording.time_steps import brian2_step

__all__ = ["GivenChip"]

_NOWHERE = NetworkState(0, {}, {}, {}, torch.empty(0))
"""Whole trials run on the chip: there is nothing to go on from."""


@dataclass(frozen=True)
class GivenChip:
    """A chip behind an adapter, or a program that a function compiles from a realisation.

    Parameters
    ----------
    chip : HardwareAdapter or function
        A function takes a `Realisation` and returns a `Program` with the time step of the training.
    module : TorchNetwork
        What learns; its weights are written to the chip before every run.
    """

    chip: object
    module: TorchNetwork

    def run(
        self,
        inputs: Mapping[str, Tensor],
        *,
        record: Sequence[str],
        traces: Sequence[tuple[str, str]],
        seed: int,
    ) -> Activity:
        """Return what the chip does, without gradients; not a number where a trace was not sampled.

        Parameters
        ----------
        inputs : mapping
            Spike source to raster (step, trial, neuron).
        record : sequence of str
            Populations that fire.
        traces : sequence of (population, variable)
        seed : int
            Of what is random in a program.

        Raises
        ------
        InputError
            If spikes of a unit share a step, or what comes back does not fit to what was asked for.
        """
        n_steps, n_trials = next(iter(inputs.values())).shape[:2]
        dt = self.module.dt
        recordings = {name: _recording(name, raster, dt) for name, raster in inputs.items()}
        asked = [*record, *(f"{population}.{variable}" for population, variable in traces)]
        given = {"duration": f"{n_steps * dt!r} s", "record": asked}
        if isinstance(self.chip, HardwareAdapter):
            network, realisation = self.module.description(), self.module.realisation()
            found = self.chip.run(network, realisation, recordings, **given)
        else:
            found = self._program().run(recordings, seed=seed, **given)
        if found.n_trials != n_trials:
            raise InputError(f"the chip ran {n_trials} trials, but {found.n_trials} came back.")
        like, networks = self.module.get_buffer("_like"), self.module.network.populations
        spikes = _spikes(found, {name: networks[name].size for name in record}, n_steps, dt)
        sampled = {
            (name, variable): _samples(found, f"{name}.{variable}", networks[name].size, n_steps, dt)
            for name, variable in traces
        }
        return Activity(
            {name: torch.from_numpy(raster).to(like) for name, raster in spikes.items()},
            {key: torch.from_numpy(values).to(like) for key, values in sampled.items()},
            _NOWHERE,
            {},
        )

    def _program(self) -> Program:
        program = self.chip(self.module.realisation())  # type: ignore[operator]
        if not isinstance(program, Program):
            raise InputError(
                "chip must be a HardwareAdapter, or a function from a Realisation to a Program; it returned "
                f"{type(program).__name__}. Write chip=lambda weights: "
                "sc.compile(network, 'analog', weights=weights, ...)."
            )
        if abs(program.dt - self.module.dt) > 1e-9 * self.module.dt:
            raise InputError(f"the chip's program has dt={program.dt:g} s, the training dt={self.module.dt:g} s.")
        return program


def _recording(source: str, raster: Tensor, dt: float) -> Recording:
    """Return a raster (step, trial, neuron) as the recording that a chip is given."""
    if raster.numel() and float(raster.max()) > 1:
        raise InputError(
            f"several spikes of a unit of '{source}' share a step of {dt:g} s, which a chip is not given as such; take "
            "a smaller dt."
        )
    n_steps, n_trials, size = raster.shape
    step, trial, unit = (index.cpu().numpy() for index in raster.nonzero(as_tuple=True))
    return Recording.from_arrays(
        times=step * dt,
        unit=unit,
        trial=trial,
        units=pd.DataFrame(index=range(size)),
        trials=pd.DataFrame({"start": 0.0, "stop": n_steps * dt}, index=range(n_trials)),
    )


def _spikes(found: Recording, sizes: Mapping[str, int], n_steps: int, dt: float) -> dict[str, NDArray[np.float64]]:
    """Return the spikes of populations, 0 or 1, shape (step, trial, neuron)."""
    trial, unit = found.spike_index()
    step = brian2_step(found.times, dt)
    population, index = (found.units[column].to_numpy() for column in _columns(found))
    inside = (step >= 0) & (step < n_steps)
    rasters = {}
    for name, size in sizes.items():
        there = population == name
        if int(there.sum()) != size or sorted(index[there]) != list(range(size)):
            raise InputError(f"the chip was asked for the {size} neurons of '{name}', {int(there.sum())} came back.")
        own = there[unit] & inside
        raster = np.zeros((n_steps, found.n_trials, size))
        np.add.at(raster, (step[own], trial[own], index[unit[own]].astype(np.int64)), 1.0)
        if raster.max(initial=0.0) > 1:
            raise InputError(
                f"a neuron of '{name}' fired several times on the chip within {dt:g} s; train it with a smaller dt."
            )
        rasters[name] = raster
    return rasters


def _samples(found: Recording, name: str, size: int, n_steps: int, dt: float) -> NDArray[np.float64]:
    """Return a trace on the grid of steps, shape (step, trial, neuron), not a number between samples."""
    if name not in found.traces:
        raise InputError(f"the chip was asked for the trace '{name}', which did not come back; observe spikes only.")
    trace = found.traces[name]
    if trace.sizes["unit"] != size:
        raise InputError(f"the chip was asked for '{name}' of {size} neurons, {trace.sizes['unit']} came back.")
    step = brian2_step(trace["time"].to_numpy(), dt)
    values = np.full((n_steps, found.n_trials, size), np.nan)
    inside = (step >= 0) & (step < n_steps)
    values[step[inside]] = trace.transpose("time", "trial", "unit").to_numpy()[inside]
    return values


def _columns(found: Recording) -> tuple[str, str]:
    for column in ("population", "index"):
        if column not in found.units:
            raise InputError(f"what came back from the chip has units without the column '{column}'.")
    return "population", "index"
