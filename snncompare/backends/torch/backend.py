"""Compile a description for PyTorch and run it on recordings, all trials at once."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from snncompare.backends.activity import InputSpikes, check_record, input_spikes, n_steps, output_recording, trials_of
from snncompare.backends.program import Backend, Program, Weights
from snncompare.backends.torch.module import TorchNetwork
from snncompare.backends.torch.threads import threads_for
from snncompare.dynamics.step_program import network_program
from snncompare.errors import InputError, UnsupportedError, unknown
from snncompare.network.network import Network
from snncompare.recording.recording import Recording
from snncompare.units import QuantityLike, seconds

__all__ = ["TorchBackend", "TorchProgram"]

_DTYPES = {"float64": torch.float64, "float32": torch.float32}


class TorchBackend(Backend):
    """Runs networks in PyTorch. Options of `compile`: ``device="cpu"``."""

    name = "torch"

    def missing(self, network: Network) -> tuple[str, ...]:
        """Return what the step program of this network cannot express."""
        try:
            network_program(network, 1e-4)
        except UnsupportedError as error:
            return (str(error).rstrip("."),)
        return ()

    def compile(self, network: Network, *, dt: float, dtype: str, weights: Weights, **options: Any) -> "TorchProgram":
        """Return the program."""
        device = options.pop("device", "cpu")
        if options:
            raise InputError(unknown("option of the backend 'torch'", next(iter(options)), ["device"]))
        return TorchProgram(network, dt, weights, _DTYPES[dtype], device)


class TorchProgram(Program):
    """A network as a `TorchNetwork`, run without gradients."""

    def __init__(self, network: Network, dt: float, weights: Weights, dtype: torch.dtype, device: str) -> None:
        self.network, self.dt, self.weights = network, dt, weights
        self.dtype, self.device = dtype, torch.device(device)
        self.module = TorchNetwork(network, dt, weights, dtype=dtype).to(self.device)

    def run(
        self,
        inputs: Mapping[str, Recording],
        *,
        duration: QuantityLike,
        seed: int = 0,  # noqa: ARG002 - nothing in a step program is random yet
        record: Sequence[str] | None = None,
    ) -> Recording:
        """Return the spikes of a run, see `Program.run`."""
        steps = n_steps(seconds(duration, "duration"), self.dt)
        trials = trials_of(self.network, inputs)
        recorded = check_record(self.network, record)
        n_trials = 1 if trials is None else len(trials)
        rasters = {
            n: self._raster(n, input_spikes(self.network, n, r, self.dt, steps), n_trials, steps)
            for n, r in inputs.items()
        }
        largest = n_trials * max(population.size for population in self.network.populations.values())
        with torch.no_grad(), threads_for(largest):
            activity = self.module(rasters, record=recorded, shape=(steps, n_trials))
        spikes = {}
        for name, raster in activity.spikes.items():
            trial, step, neuron = (index.cpu().numpy() for index in raster.transpose(0, 1).nonzero(as_tuple=True))
            spikes[name] = (trial, step, neuron)
        return output_recording(self.network, spikes, self.dt, steps, trials, self._provenance())

    def _raster(self, source: str, spikes: InputSpikes, n_trials: int, steps: int) -> Tensor:
        raster = np.zeros((steps, n_trials, self.network.populations[source].size), dtype=np.bool_)
        raster[spikes.step, spikes.trial, spikes.neuron] = True
        return torch.from_numpy(raster).to(self.device, self.dtype)

    def _provenance(self) -> dict[str, object]:
        dtype = str(self.dtype).removeprefix("torch.")
        return {"backend": "torch", "dt_seconds": self.dt, "dtype": dtype, "network": self.network.fingerprint()}
