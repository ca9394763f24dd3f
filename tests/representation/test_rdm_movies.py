import dataclasses

import numpy as np
import pytest

from snncompare.errors import InputError
from snncompare.recording.marks import Marks
from snncompare.representation.estimators import MeanDistance
from snncompare.representation.metrics import SpikeCount, VanRossum, VictorPurpura
from snncompare.representation.movie import rdm_movie
from snncompare.representation.rdm import rdm


def test_every_window_is_the_rdm_of_the_recording_cut_to_it(noisy_recording):
    metrics = [VanRossum(tau="0.1 s"), VictorPurpura(cost="5 Hz")]
    movie = rdm_movie(noisy_recording, metrics, by="song", window="2 s", step="0.5 s")
    starts = movie.rdm_descriptors["window_start"]
    assert starts == [0.5 * k for k in range(17) for _ in metrics]
    assert movie.rdm_descriptors["window_stop"] == [start + 2 for start in starts]
    assert movie.rdm_descriptors["metric"] == ["van Rossum", "Victor-Purpura"] * 17
    onsets = noisy_recording.trials.assign(trial=noisy_recording.trials.index, start=3.0, stop=3.0)
    cut = noisy_recording.with_marks(at=Marks("event", onsets[["trial", "start", "stop"]])).cut("at", ("0 s", "2 s"))
    one = rdm(cut.with_trials(song=noisy_recording.trials["song"].tolist()), metrics, by="song")
    np.testing.assert_allclose(movie.dissimilarities[12:14], one.dissimilarities, rtol=1e-12, atol=1e-12)  # times moved
    assert movie.pattern_descriptors["condition"] == one.pattern_descriptors["condition"]


def test_the_movie_shows_when_conditions_differ(noisy_recording):
    """The first unit fires at 3, 4, 5 or 6 s: before 2.5 s there is nothing to tell them apart by."""
    movie = rdm_movie(noisy_recording, SpikeCount(), by="song", window="1 s", step="1 s").dissimilarities.mean(axis=1)
    assert np.abs(movie[:2]).max() < 0.5
    assert movie[3] > 2
    assert movie[5] > 2


def test_adjoining_windows_share_out_all_spikes(recording_of):
    """Spikes on the grid of the windows, where 3 * 0.1 s is not 0.3 s in floating point."""
    grid = [0.0, 0.1, 0.2, 0.3, 0.6, 0.7, 0.9, 1.0]
    recording = recording_of([[grid], [[]]], window=(0.0, 1.0), odour=["a", "b"])
    movie = rdm_movie(recording, SpikeCount(), by="odour", window="100 ms", step="100 ms", estimator=MeanDistance())
    assert movie.dissimilarities[:, 0].tolist() == [1, 1, 1, 1, 0, 0, 1, 1, 0, 2]  # the last window is closed
    assert movie.rdm_descriptors["window_stop"][-1] == 1.0


def test_metrics_see_the_window_as_the_edges(recording_of):
    seen = []

    @dataclasses.dataclass(frozen=True)
    class Spy(SpikeCount.__mro__[1]):
        euclidean = True
        label = "spy"
        time_scale = np.nan

        @classmethod
        def between_trials(cls, metrics, trains, rows, columns):  # noqa: ARG003
            seen.append((trains.start, trains.stop, trains.times.tolist()))
            return np.zeros((1, len(rows), len(columns)))

    recording = recording_of([[[1.0, 4.0]], [[]]], odour=["a", "b"])
    rdm_movie(recording, Spy(), by="odour", window="4 s", step="3 s")
    assert seen == [(0.0, 4.0, [1.0]), (3.0, 7.0, [4.0]), (6.0, 10.0, [])]


def test_no_spike_is_binned(recording_of):
    """Two trains that share every 5 ms bin differ for a metric of 1 ms in the window that holds the spikes."""
    recording = recording_of([[[0.0502]], [[0.0528]]], window=(0.0, 0.1), odour=["a", "b"])
    movie = rdm_movie(recording, VictorPurpura.sweep(["1 ms"]), by="odour", window="50 ms", step="50 ms")
    assert movie.dissimilarities[:, 0] == pytest.approx([0.0, 2.0])
    early = rdm_movie(recording, VictorPurpura.sweep(["10 ms"]), by="odour", window="50 ms", step="50 ms")
    assert early.dissimilarities[1, 0] == pytest.approx(0.26)


@pytest.mark.parametrize(
    ("window", "step", "says"),
    [
        ("1 s", "1 us", "makes 9000001 windows"),
        ("11 s", "1 s", "window of 11 s is longer than the trials, which last 10 s"),
        ("0 s", "1 s", "the window of an RDM movie must be positive"),
        ("1 s", "-1 s", "the step of an RDM movie must be positive"),
        (1.0, "1 s", "the window must be a time"),
    ],
)
def test_impossible_windows_are_refused(noisy_recording, window, step, says):
    with pytest.raises(InputError, match=says):
        rdm_movie(noisy_recording, SpikeCount(), by="song", window=window, step=step)


def test_a_window_as_long_as_the_trials_is_the_whole_rdm(noisy_recording):
    whole = rdm_movie(noisy_recording, SpikeCount(), by="song", window="10 s", step="1 s")
    assert (whole.dissimilarities == rdm(noisy_recording, SpikeCount(), by="song").dissimilarities).all()


def test_the_movie_of_rsatoolbox_forgets_the_bins_of_a_list():
    """Why movies are made here: a list of data sets loses ``bins`` (analysis.md 5.4); a single one keeps them."""
    from rsatoolbox.data import TemporalDataset
    from rsatoolbox.rdm import calc_rdm_movie

    data = TemporalDataset(
        np.random.default_rng(0).normal(size=(4, 3, 6)),
        obs_descriptors={"c": [0, 1, 2, 3]},
        time_descriptors={"time": np.arange(6)},
    )
    bins = [np.array([0, 1, 2]), np.array([3, 4, 5])]
    assert calc_rdm_movie(data, descriptor="c", bins=bins).n_rdm == 2
    assert calc_rdm_movie([data], descriptor="c", bins=bins).n_rdm == 6


def test_units_of_different_sessions_make_a_movie_together(noisy_recording):
    parts = {name: noisy_recording.select(units=noisy_recording.units.index == u) for u, name in enumerate("xyz")}
    joined = rdm_movie(parts, VanRossum(tau="0.1 s"), by="song", window="2 s", step="2 s")
    together = rdm_movie(noisy_recording, VanRossum(tau="0.1 s"), by="song", window="2 s", step="2 s")
    np.testing.assert_allclose(joined.dissimilarities, together.dissimilarities, rtol=1e-11, atol=1e-12)
    assert joined.rdm_descriptors["joined"] == ["sum over 3 sessions, 3 units"] * 5
