"""A network as a model: described in YAML, compiled and checked first, run on recorded or encoded spikes later."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from snncompare.commands.compare_data import at, with_condition
from snncompare.commands.compare_parts import FromNetwork
from snncompare.errors import InputError

if TYPE_CHECKING:
    from snncompare.backends.program import Program
    from snncompare.recording.recording import Recording

__all__ = ["NetworkRun", "prepare_network"]


@dataclass(frozen=True)
class NetworkRun:
    """A compiled network with its inputs."""

    config: FromNetwork
    program: "Program"
    inputs: "Mapping[str, Recording]"

    @property
    def condition(self) -> str:
        """Label of the trials that names the condition."""
        return self.config.by

    @property
    def conditions(self) -> list[Any]:
        """The conditions that the inputs hold."""
        return list(next(iter(self.inputs.values())).trials[self.condition].unique())

    @property
    def words(self) -> str:
        """How the model is made, in words."""
        sizes = ", ".join(f"{p.size} {name}" for name, p in self.program.network.populations.items())
        n_trials = next(iter(self.inputs.values())).n_trials
        return (
            f"network '{self.program.network.name}' ({sizes} neurons), {n_trials} trials of {self.config.duration}, "
            f"run by {self.config.backend} with a time step of {self.config.dt}"
        )

    def spikes(self, seed: int) -> "Recording":
        """Run the network and return its spikes in the window that is compared.

        Raises
        ------
        InputError
            If no neuron fires there.
        """
        recording = self.program.run(self.inputs, duration=self.config.duration, seed=seed, record=self.config.record)
        if self.config.window is not None:
            from snncompare.recording.cutting import cut_at_zero

            recording = cut_at_zero(recording, self.config.window)
        if recording.times.size == 0:
            raise InputError(
                f"the network '{self.program.network.name}' never fires in the window that is compared; "
                "strengthen its weights or its input."
            )
        return recording


def prepare_network(config: FromNetwork, folder: Path, seed: int) -> NetworkRun:
    """Return the network compiled, its inputs read, and both checked against each other.

    Raises
    ------
    SnncompareError
        If description, weights, inputs, backend, time step or window do not fit together.
    """
    from snncompare.backends.activity import check_record, input_spikes, n_steps, trials_of
    from snncompare.backends.registry import compile as compile_network
    from snncompare.backends.sidecar import load_realisation
    from snncompare.network.network import Network
    from snncompare.recording.read import read

    network = Network.load(folder / config.network)
    weights = None if config.weights is None else load_realisation(folder / config.weights)
    inputs = {name: read(folder / file) for name, file in config.inputs.items()}
    trials_of(network, inputs)
    check_record(network, config.record)
    steps = n_steps(config.duration.value, config.dt.value)
    labelled = {}
    for name, recording in inputs.items():
        with at(f"inputs.{name}"):
            input_spikes(network, name, recording, config.dt.value, steps)
            labelled[name] = with_condition(recording, config.condition)
    if config.window is not None and not 0 <= config.window[0].value < config.window[1].value <= config.duration.value:
        raise InputError(
            f"the window {config.window[0]} to {config.window[1]} must lie in the run, 0 s to {config.duration}."
        )
    program = compile_network(network, config.backend, dt=config.dt, weights=weights, seed=seed)
    return NetworkRun(config, program, labelled)
