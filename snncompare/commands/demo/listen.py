"""Let the networks hear the animal's sounds, on both backends from the one description."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
import xarray as xr

from snncompare.backends.realisation import checked
from snncompare.commands.demo.settings import DemoSettings
from snncompare.commands.demo.train import Training
from snncompare.datasets.spike_dataset import SpikeDataset
from snncompare.encoding.receptors import ReceptorPopulation
from snncompare.encoding.stimuli import Signal
from snncompare.learning.trained import Trained
from snncompare.recording.recording import Recording

__all__ = ["BackendAgreement", "Responses", "differing_spikes", "listen", "sounds_of"]


@dataclass(frozen=True)
class BackendAgreement:
    """Spikes of the trained network in Brian2 and in PyTorch, and of a control with one weight changed.

    Attributes
    ----------
    brian2, torch : int
        Number of spikes.
    differing : int
        Spikes (unit, time) that only one of the two has.
    control_differing : int
        The same between Brian2 and PyTorch with one weight changed by a tenth.
    control : str
        Which weight that was.
    """

    brian2: int
    torch: int
    differing: int
    control_differing: int
    control: str


@dataclass(frozen=True, eq=False)
class Responses:
    """Spikes evoked by the animal's two sounds: of the receptors, the trained network and its untrained twin."""

    receptors: Recording
    trained: Recording
    untrained: Recording
    agreement: BackendAgreement


def listen(settings: DemoSettings, animal: SpikeDataset, training: Training) -> Responses:
    """Return the responses to the sounds of the recording."""
    stimulus = sounds_of(animal)
    rate = f"{stimulus.attrs['sampling_rate']} Hz"
    receptors = ReceptorPopulation(size=settings.receptors).encode(
        [Signal([envelope], rate) for envelope in stimulus.to_numpy()],
        seed=settings.seed + 1,
        trials=_labels(animal.spikes),
    )
    duration = f"{float(animal.spikes.trials['stop'].iloc[0])} s"

    def hear(trained: Trained, backend: str) -> Recording:
        program = trained.compile(backend, dt=settings.dt)
        return program.run({"receptors": receptors}, duration=duration, record=["hidden"])

    in_torch, in_brian2 = hear(training.trained, "torch"), hear(training.trained, "brian2")
    changed, which = _one_weight_changed(training.trained)
    agreement = BackendAgreement(
        brian2=in_brian2.times.size,
        torch=in_torch.times.size,
        differing=differing_spikes(in_torch, in_brian2),
        control_differing=differing_spikes(hear(changed, "torch"), in_brian2),
        control=which,
    )
    return Responses(receptors, in_torch, hear(training.untrained, "torch"), agreement)


def sounds_of(animal: SpikeDataset) -> xr.DataArray:
    """Return the envelopes the animal heard, dimensions (trial, time)."""
    if animal.stimulus is None:
        raise TypeError("the grasshopper dataset carries its sounds")  # our own mistake, never a user's
    return animal.stimulus


def _labels(recording: Recording) -> pd.DataFrame:
    return recording.trials.drop(columns=["start", "stop"])


def differing_spikes(a: Recording, b: Recording) -> int:
    """Return how many (trial, unit, time) spikes only one of two recordings of the same units has."""

    def rows(recording: Recording) -> set[tuple[int, int, float]]:
        trial, unit = recording.spike_index()
        return set(zip(trial.tolist(), unit.tolist(), recording.times.tolist(), strict=True))

    return len(rows(a) ^ rows(b))


def _one_weight_changed(trained: Trained) -> tuple[Trained, str]:
    """Return the network with its largest receptor weight a tenth larger, and the name of that weight."""
    feed = np.array(trained.weights["feed"])
    pre, post = np.unravel_index(np.abs(feed).argmax(), feed.shape)
    feed[pre, post] *= 1.1
    changed = checked(trained.network, {**trained.weights, "feed": feed})
    return Trained(trained.network, changed, trained.history), f"receptor {pre} to hidden neuron {post}, 10 % larger"
