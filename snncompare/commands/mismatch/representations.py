"""How far the responses of chips are from those of the network that was asked for, and from a recording."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from snncompare.commands.mismatch.probe import Ideal, Probe
from snncompare.comparison.alignment import MetricKey, align
from snncompare.recording.recording import Recording
from snncompare.representation.compiled.trains import Trains
from snncompare.representation.metrics import Metric
from snncompare.representation.rdm import rdm

if TYPE_CHECKING:
    from rsatoolbox.rdm import RDMs

__all__ = ["recording_similarity", "representation_rows", "spike_distances"]

Rows = list[list[dict[str, Any]]]


def representation_rows(ideal: Ideal, chips: Sequence[Recording], probe: Probe) -> Rows:
    """Return for each chip one row per metric: spike distances and similarities of RDMs.

    Parameters
    ----------
    ideal : Ideal
    chips : sequence of Recording
        What is compared of each chip, the trials in the order of the probe's.
    probe : Probe
    """
    metrics = list(probe.metrics)
    apart = spike_distances(ideal.spikes, chips, metrics)
    rdms = [rdm(spikes, metrics, probe.by) for spikes in chips]
    wanted = ideal.rdms.get_vectors()
    near = np.array(
        [[_similar(probe, own, asked) for own, asked in zip(each.get_vectors(), wanted, strict=True)] for each in rdms]
    )
    animal = recording_similarity(probe, rdms)
    with np.errstate(invalid="ignore", divide="ignore"):
        relative = np.where(ideal.between > 0, apart / ideal.between, np.nan)
    return [
        [
            {
                "metric": metric.label,
                "time_scale": float(metric.time_scale),
                "spike_distance": float(apart[k, m]),
                "relative_distance": float(relative[k, m]),
                "similarity_to_ideal": float(near[k, m]),
                "similarity_to_recording": float(animal[k, m]),
            }
            for m, metric in enumerate(metrics)
        ]
        for k in range(len(chips))
    ]


def spike_distances(ideal: Recording, chips: Sequence[Recording], metrics: Sequence[Metric]) -> NDArray[np.float64]:
    """Return the mean distance between what a chip and the ideal network fire to the same trial, (n_chips, n_metrics).

    Parameters
    ----------
    ideal : Recording
    chips : sequence of Recording
        The same units and trials, in the same order.
    metrics : sequence of Metric
    """
    n, trains = len(chips), _side_by_side([ideal, *chips])
    total = np.zeros((n, len(metrics)))
    for first in range(0, ideal.n_trials * (n + 1), n + 1):
        for m, metric in enumerate(metrics):
            columns = range(first + 1, first + 1 + n)
            total[:, m] += type(metric).between_trials([metric], trains, range(first, first + 1), columns)[0, 0]
    return total / ideal.n_trials


def recording_similarity(probe: Probe, rdms: "Sequence[RDMs]") -> NDArray[np.float64]:
    """Return the similarity of RDMs to the recording's, mean over its subjects, (n_rdms, n_metrics); else NaN.

    Raises
    ------
    InputError
        If conditions, metrics or windows are not those of the recording.
    """
    found = np.full((len(rdms), len(probe.metrics)), np.nan)
    if probe.recording is None:
        return found
    aligned = align(probe.recording, {f"chip {k}": each for k, each in enumerate(rdms)})
    for m, metric in enumerate(probe.metrics):
        key = MetricKey(metric.label, float(metric.time_scale))
        place = next((j for j, known in enumerate(aligned.metrics) if known.matches(key)), None)
        if place is not None:
            found[:, m] = probe.measure.between(aligned.data[place], aligned.models[place]).mean(axis=0)
    return found


def _similar(probe: Probe, own: NDArray[np.float64], asked: NDArray[np.float64]) -> float:
    return float(probe.measure.between(own[None], asked[None])[0, 0])


def _side_by_side(recordings: Sequence[Recording]) -> Trains:
    """Return the trains of all recordings, each trial of all of them before the next trial."""
    n_units, n_trials = recordings[0].n_units, recordings[0].n_trials
    times, counts = [], []
    for trial in range(n_trials):
        for each in recordings:
            offsets = each.offsets[trial * n_units : (trial + 1) * n_units + 1]
            times.append(each.times[offsets[0] : offsets[-1]])
            counts.append(np.diff(offsets))
    offsets = np.concatenate([[0], np.cumsum(np.concatenate(counts))]).astype(np.int64)
    start, stop = (float(recordings[0].trials[edge].iloc[0]) for edge in ("start", "stop"))
    return Trains(np.concatenate(times), offsets, n_units, start, stop)
