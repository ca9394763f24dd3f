"""RDMs of the models, and of simple references that any model should beat."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import xarray as xr
from scipy.signal import lfilter
from scipy.spatial.distance import pdist

from snncompare.recording.recording import Recording
from snncompare.representation.labelled import labelled_rdms
from snncompare.representation.metrics import Metric, SpikeCount, VanRossum, VictorPurpura
from snncompare.representation.model_rdms import from_matrix
from snncompare.representation.rdm import rdm

if TYPE_CHECKING:
    from snncompare.representation.rdm import RDM

__all__ = ["by_spike_train", "elapsed_time", "smoothed_level", "spike_counts", "windows"]

LEVEL_SAMPLING = 2000.0
"""Hertz; fine enough for the shortest time scale of 1 ms."""


def windows(recording: Recording, length: str) -> Recording:
    """Return the recording cut into consecutive windows, each a condition of its own, named by sound and onset."""
    cut = recording.cut_windows(length)
    names = [
        f"{sound}, {round(onset, 6):g} s" for sound, onset in zip(cut.trials["sound"], cut.trials["onset"], strict=True)
    ]
    return cut.with_trials(window=names)


def by_spike_train(cut: Recording, time_scales: Sequence[str], name: str) -> "RDM":
    """Return the RDMs of windows by van Rossum and Victor-Purpura distances at every time scale."""
    return rdm(cut, _metrics(time_scales), by="window", name=name)


def _metrics(time_scales: Sequence[str]) -> list[Metric]:
    return [*VanRossum.sweep(time_scales), *VictorPurpura.sweep(time_scales)]


def spike_counts(cut: Recording, name: str) -> "RDM":
    """Return the RDM that knows how many spikes each neuron fired in a window, and not when."""
    return rdm(cut, SpikeCount(), by="window", name=name)


def smoothed_level(stimulus: xr.DataArray, cut: Recording, time_scales: Sequence[str], name: str) -> "RDM":
    r"""Return the distances between the sounds themselves at every time scale.

    The level :math:`L(t) = 20 \log_{10} A(t)` of the envelope is smoothed by :math:`e^{-t/\tau}`, as a spike train is
    for the van Rossum distance; windows are compared by the Euclidean distance.
    """
    rate = float(stimulus.attrs["sampling_rate"])
    level = 20 * np.log10(stimulus.to_numpy())
    step, trials = round(rate / LEVEL_SAMPLING), list(stimulus["trial"].to_numpy())
    metrics, vectors = _metrics(time_scales), []
    for metric in metrics:
        decay = np.exp(-1 / (rate * metric.time_scale))
        smooth = lfilter([1 - decay], [1, -decay], level - level.mean(), axis=1)[:, ::step]
        vectors.append(pdist(_cut_like(smooth, cut, trials)))
    return labelled_rdms(
        np.array(vectors),
        cut.trials["window"].tolist(),
        metric=[metric.label for metric in metrics],
        time_scale=[metric.time_scale for metric in metrics],
        name=[name] * len(metrics),
        estimator="Euclidean",
    )


def _cut_like(traces: np.ndarray, cut: Recording, trials: list[str]) -> np.ndarray:
    n = round(float(cut.trials["stop"].iloc[0] - cut.trials["start"].iloc[0]) * LEVEL_SAMPLING)
    rows = zip(cut.trials["source_trial"], cut.trials["onset"], strict=True)
    return np.array(
        [traces[trials.index(trial), (first := round(onset * LEVEL_SAMPLING)) : first + n] for trial, onset in rows]
    )


def elapsed_time(cut: Recording, name: str) -> "RDM":
    """Return how far apart windows lie in time since sound onset: what slow adaptation alone would give."""
    onset = cut.trials["onset"].to_numpy(dtype=float)
    return from_matrix(cut.trials["window"].tolist(), np.abs(onset[:, None] - onset[None, :]), name)
