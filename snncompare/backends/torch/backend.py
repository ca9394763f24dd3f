"""Compile a description for PyTorch and run it on recordings, all trials at once."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from snncompare.backends.activity import InputSpikes, check_samples, output_recording, planned_run
from snncompare.backends.emulation import Emulation, copies_of
from snncompare.backends.program import Backend, Program
from snncompare.backends.realisation import Realisation
from snncompare.backends.torch.module import STRETCH, TorchNetwork
from snncompare.backends.torch.refusals import missing_in_torch
from snncompare.backends.torch.simulation import TorchSimulation
from snncompare.backends.torch.threads import threads_for
from snncompare.errors import InputError, UnsupportedError, unknown
from snncompare.network.network import Network
from snncompare.recording.recording import Recording
from snncompare.units import QuantityLike

__all__ = ["TorchBackend", "TorchProgram"]

_Spikes = tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]

_DTYPES = {"float64": torch.float64, "float32": torch.float32}


class TorchBackend(Backend):
    """Runs networks in PyTorch. Options of `compile`: ``device="cpu"``, and `emulation`, see `TorchProgram`."""

    name = "torch"

    def missing(self, network: Network) -> tuple[str, ...]:
        """Return, in words, what of this network cannot be run here."""
        return missing_in_torch(network, 1e-4)

    def compile(
        self, network: Network, *, dt: float, dtype: str, realisation: Realisation, **options: Any
    ) -> "TorchProgram":
        """Return the program."""
        device, emulation = options.pop("device", "cpu"), options.pop("emulation", None)
        if options:
            raise InputError(unknown("option of the backend 'torch'", next(iter(options)), ["device", "emulation"]))
        return TorchProgram(network, dt, realisation, _DTYPES[dtype], device, emulation)


class TorchProgram(Program):
    """A network as a `TorchNetwork`, run without gradients.

    Parameters
    ----------
    network : Network
    dt : float
        Seconds.
    realisation : Realisation
    dtype : torch.dtype
    device : str
    emulation : Emulation, optional
        Chips that carry the network: the program runs their opened description, the realisation is what they are asked
        for, and the trials of a recording are copies (`snncompare.backends.emulation.copies_of`).
    """

    def __init__(
        self,
        network: Network,
        dt: float,
        realisation: Realisation,
        dtype: torch.dtype,
        device: str,
        emulation: Emulation | None = None,
    ) -> None:
        network = network if emulation is None else emulation.network
        self.network, self.dt, self.realisation, self.emulation = network, dt, realisation, emulation
        self.dtype, self.device = dtype, torch.device(device)
        self.module = TorchNetwork(network, dt, realisation, dtype=dtype).to(self.device)

    def run(
        self,
        inputs: Mapping[str, Recording],
        *,
        duration: QuantityLike,
        seed: int = 0,
        record: Sequence[str] | None = None,
    ) -> Recording:
        """Return what was recorded in a run, see `Program.run`."""
        seed = _whole(seed)
        plan = planned_run(self.network, self.realisation, self.dt, inputs, duration, record)
        emulated, trials, n_copies = None, plan.trials, plan.n_trials
        if self.emulation is not None:
            emulated = self.emulation.begin(n_trials=plan.n_trials, dt=self.dt, seed=seed)
            trials, n_copies = copies_of(trials, self.emulation.n_devices), emulated.n_copies
            check_samples(self.network, plan.recorded, n_copies, plan.steps)
        sizes = [population.size for population in self.network.populations.values()]
        each = max(1, STRETCH // (n_copies * sum(sizes)))
        spikes: dict[str, list[_Spikes]] = {name: [] for name in plan.recorded.spikes}
        traces: dict[tuple[str, str], list[NDArray[np.float64]]] = {key: [] for key in plan.recorded.traces}
        state = None
        with torch.no_grad(), threads_for(n_copies * max(sizes)):
            for first in range(0, plan.steps, each):
                last = min(first + each, plan.steps)
                rasters = {n: self._raster(n, part, plan.n_trials, first, last) for n, part in plan.inputs.items()}
                activity = self.module(
                    rasters,
                    record=plan.recorded.spikes,
                    traces=plan.recorded.traces,
                    shape=(last - first, plan.n_trials),
                    state=state,
                    seed=seed,
                    emulated=emulated,
                )
                state = activity.state
                for name, raster in activity.spikes.items():
                    step, trial, neuron = (index.cpu().numpy() for index in raster.nonzero(as_tuple=True))
                    spikes[name].append((trial, step + first, neuron))
                for key, values in activity.traces.items():
                    traces[key].append(values.permute(1, 2, 0).cpu().double().numpy())
        return output_recording(
            self.network,
            {name: _sorted(parts) for name, parts in spikes.items()},
            self.dt,
            plan.steps,
            trials,
            self._provenance(),
            {key: np.concatenate(parts, axis=2) for key, parts in traces.items()},
        )

    def simulation(self, seed: int = 0) -> TorchSimulation:
        """Return the network at time zero, see `Program.simulation`."""
        if self.emulation is not None:
            raise UnsupportedError("emulated chips run whole trials only; compile the network without an emulation.")
        return TorchSimulation(
            self.network,
            self.realisation,
            self.dt,
            self._provenance(),
            dtype=self.dtype,
            device=self.device,
            seed=seed,
        )

    def _raster(self, source: str, spikes: InputSpikes, n_trials: int, first: int, last: int) -> Tensor:
        raster = np.zeros((last - first, n_trials, self.network.populations[source].size), dtype=np.bool_)
        now = (spikes.step >= first) & (spikes.step < last)
        raster[spikes.step[now] - first, spikes.trial[now], spikes.neuron[now]] = True
        return torch.from_numpy(raster).to(self.device)

    def _provenance(self) -> dict[str, object]:
        dtype = str(self.dtype).removeprefix("torch.")
        return {"backend": "torch", "dt_seconds": self.dt, "dtype": dtype, "network": self.network.fingerprint()}


def _whole(seed: Any) -> int:
    if isinstance(seed, bool) or not isinstance(seed, int | np.integer) or not 0 <= seed < 2**63:
        raise InputError(f"seed must be a whole number from 0 to 2**63 - 1, got {seed!r:.40}.")
    return int(seed)


def _sorted(parts: Sequence[_Spikes]) -> _Spikes:
    """Return spikes of successive stretches of a run together, sorted by trial, then step."""
    trial, step, neuron = (np.concatenate(arrays) for arrays in zip(*parts, strict=True))
    order = np.argsort(trial, kind="stable")
    return trial[order], step[order], neuron[order]
