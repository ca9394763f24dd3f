import dataclasses

import numpy as np
import pandas as pd
import pytest

from snncompare.errors import InputError, UnsupportedError
from snncompare.recording.marks import Marks
from snncompare.recording.read import read
from snncompare.recording.recording import Recording
from snncompare.representation.distances import distances
from snncompare.representation.estimators import MeanDistance
from snncompare.representation.metrics import SpikeCount, VanRossum, VictorPurpura
from snncompare.representation.rdm import rdm
from snncompare.representation.repeats.replicates import replicates
from snncompare.representation.sessions import join_replicates, split_sessions

METRICS = [VanRossum(tau="0.1 s"), VictorPurpura(cost="5 Hz"), SpikeCount()]


def in_own_sessions(recording, seed=0, kept=None):
    """Return the same responses as if every unit had been recorded in a session of its own, in another order."""
    rng = np.random.default_rng(seed)
    times, unit, trial, rows = [], [], [], []
    for u in recording.units.index:
        for t in rng.permutation(recording.trials.index):
            label = recording.trials.loc[t, "song"]
            if kept is not None and not kept(u, label):
                continue
            train = recording.train(t, u)
            times += train.tolist()
            unit += [f"unit {u}"] * train.size
            trial += [len(rows)] * train.size
            rows.append({"start": 0.0, "stop": 10.0, "song": label, "session": f"day {u}"})
    names = [f"unit {u}" for u in recording.units.index]
    units = pd.DataFrame({"session": [f"day {u}" for u in recording.units.index]}, index=names)
    return Recording.from_arrays(times=times, unit=unit, trial=trial, units=units, trials=pd.DataFrame(rows))


@pytest.fixture(scope="module")
def scattered(noisy_recording):
    return in_own_sessions(noisy_recording)


def in_order_of(rdms, labels):
    place = [rdms.pattern_descriptors["condition"].index(label) for label in labels]
    return rdms.get_matrices()[:, place][:, :, place]


def test_joining_by_condition_equals_recording_the_units_together(noisy_recording, scattered):
    """Exact for additive metrics, since the estimate adds over units; 1e-12 is the rounding of other orders of sums."""
    together = rdm(noisy_recording, METRICS, by="song")
    joined = rdm(scattered, METRICS, by="song", join="session")
    labels = together.pattern_descriptors["condition"]
    np.testing.assert_allclose(in_order_of(joined, labels), together.get_matrices(), rtol=1e-12, atol=1e-12)
    assert joined.rdm_descriptors["joined"] == ["sum over 3 sessions, 3 units"] * 3
    assert joined.rdm_descriptors["metric"] == together.rdm_descriptors["metric"]


def test_trial_numbers_mean_nothing_across_sessions(noisy_recording, scattered):
    """Negative control: units put together trial by trial in the order of each session have another RDM."""
    by_number = rdm(noisy_recording, METRICS, by="song").get_matrices()
    parts = split_sessions(scattered, "session").values()
    stacked = [part.counts().to_numpy()[:, 0] for part in parts]
    labels = next(iter(split_sessions(scattered, "session").values())).trials["song"]
    assert any(list(part.trials["song"]) != list(labels) for part in parts)
    of_first = pd.DataFrame(np.stack(stacked, axis=1)).groupby(labels.to_numpy(), sort=False).mean().to_numpy()
    assert not np.isclose(np.linalg.norm(of_first[0] - of_first[1]) ** 2, by_number[2, 0, 1])


def test_sessions_may_differ_in_numbers_of_trials(scattered):
    fewer = scattered.select(trials=~((scattered.trials["session"] == "day 1") & (np.arange(72) % 3 == 0)))
    joined = rdm(fewer, VanRossum(tau="0.1 s"), by="song", join="session")
    parts = split_sessions(fewer, "session")
    assert len({part.n_trials for part in parts.values()}) == 2
    alone = [rdm(part, VanRossum(tau="0.1 s"), by="song") for part in parts.values()]
    labels = joined.pattern_descriptors["condition"]
    np.testing.assert_allclose(joined.get_matrices(), sum(in_order_of(one, labels) for one in alone), rtol=1e-12)


def test_recordings_of_sessions_can_be_given_one_by_one(scattered):
    parts = split_sessions(scattered, "session")
    one_by_one = rdm(parts, METRICS, by="song")
    assert (one_by_one.dissimilarities == rdm(scattered, METRICS, by="song", join="session").dissimilarities).all()
    with pytest.raises(InputError, match="nothing to split"):
        rdm(parts, METRICS, by="song", join="session")
    with pytest.raises(InputError, match="no sessions"):
        rdm({}, METRICS, by="song")


def test_metrics_that_do_not_add_over_units_are_refused(scattered):
    for metric in (VanRossum(tau="0.1 s", mixing=0.5), VictorPurpura(cost="5 Hz", pooled=True)):
        with pytest.raises(UnsupportedError, match="not a sum over units"):
            rdm(scattered, metric, by="song", join="session")
    with pytest.raises(UnsupportedError, match="only when squared"):
        rdm(scattered, SpikeCount(), by="song", join="session", estimator=MeanDistance())
    naive = rdm(scattered, VictorPurpura(cost="5 Hz"), by="song", join="session", estimator=MeanDistance())
    assert (naive.dissimilarities > 0).all()


def test_missing_conditions_are_named_or_left_out_when_asked_for(noisy_recording):
    lacking = in_own_sessions(noisy_recording, kept=lambda u, label: (u, label) != (1, "song 30"))
    with pytest.raises(InputError, match=r"1 of 4 conditions .* 'song 30' \(not in 'day 1'\).*conditions='common'"):
        rdm(lacking, SpikeCount(), by="song", join="session")
    common = rdm(lacking, SpikeCount(), by="song", join="session", conditions="common")
    assert set(common.pattern_descriptors["condition"]) == {"song 40", "song 10", "song 20"}
    assert common.rdm_descriptors["left_out"] == ["'song 30' (not in 'day 1')"]
    chosen = rdm(lacking, SpikeCount(), by="song", join="session", conditions=["song 20", "song 10"])
    assert chosen.pattern_descriptors["condition"] == ["song 20", "song 10"]
    at = [common.pattern_descriptors["condition"].index(label) for label in ("song 20", "song 10")]
    assert chosen.dissimilarities[0, 0] == common.get_matrices()[0][*at]
    with pytest.raises(InputError, match="'song 30'"):
        rdm(lacking, SpikeCount(), by="song", join="session", conditions=["song 20", "song 30"])
    with pytest.raises(InputError, match="list of labels or 'common'"):
        rdm(lacking, SpikeCount(), by="song", join="session", conditions="all")


def test_too_few_common_conditions_are_refused(noisy_recording):
    split = in_own_sessions(noisy_recording, kept=lambda u, label: (label in {"song 10", "song 20"}) == (u > 0))
    with pytest.raises(InputError, match="have 0 conditions in common"):
        rdm(split, SpikeCount(), by="song", join="session", conditions="common")


def changed(recording, table, **columns):
    return dataclasses.replace(recording, **{table: getattr(recording, table).assign(**columns)})


def test_tables_that_contradict_each_other_are_refused(scattered):
    with pytest.raises(InputError, match="did you mean 'session'"):
        split_sessions(scattered, "sesion")
    with pytest.raises(InputError, match=r"trials table has no column 'session'.*with_trials"):
        split_sessions(dataclasses.replace(scattered, trials=scattered.trials.drop(columns="session")), "session")
    with pytest.raises(InputError, match="fired in trial"):
        split_sessions(changed(scattered, "units", session=["day 1", "day 0", "day 2"]), "session")
    with pytest.raises(InputError, match=r"'day 0' has no units \(2 such\)"):
        split_sessions(changed(scattered, "units", session=["day 9", "day 1", "day 2"]), "session")
    with pytest.raises(InputError, match="1 units have no 'session'"):
        split_sessions(changed(scattered, "units", session=["day 0", None, "day 2"]), "session")
    later = np.where(scattered.trials["session"] == "day 1", 11.0, 10.0)
    with pytest.raises(InputError, match=r"session 'day 0' has trials of 0 to 10 s, session 'day 1' of 0 to 11 s"):
        rdm(changed(scattered, "trials", stop=later), SpikeCount(), by="song", join="session")


def test_replicates_add_over_sessions(noisy_recording, scattered):
    """Spread of the joint bootstrap: variances add, since sessions are drawn apart."""
    parts = split_sessions(scattered, "session")
    made = join_replicates(parts, METRICS, by="song", n_resamples=2000, n_splits=40, seed=3)
    joined = rdm(parts, METRICS, by="song")
    assert made.bootstrap.shape == (3, 2000, 6)
    assert made.half_a.shape == (3, 40, 6)
    assert list(made.conditions) == joined.pattern_descriptors["condition"]
    low, high = np.percentile(made.bootstrap, [1, 99], axis=1)
    assert ((low < joined.dissimilarities) & (joined.dissimilarities < high)).all()
    alone = [
        replicates(distances(part, METRICS), part.trials["song"], n_resamples=2000, seed=k)
        .bootstrap.var(axis=1)
        .mean(1)
        for k, part in enumerate(parts.values())
    ]
    ratio = made.bootstrap.var(axis=1).mean(axis=1) / sum(alone)
    assert ((ratio > 0.8) & (ratio < 1.25)).all()  # 2000 samples: a variance is known to 3 %, more where tails are long
    again = join_replicates(parts, METRICS, by="song", n_resamples=2000, n_splits=40, seed=3)
    assert (again.bootstrap == made.bootstrap).all()


def test_a_session_with_too_few_trials_says_why_there_are_no_replicates(scattered):
    parts = split_sessions(scattered, "session")
    few = parts["day 1"].trials.groupby("song").cumcount() < 3
    parts["day 1"] = parts["day 1"].select(trials=few.to_numpy())
    made = join_replicates(parts, SpikeCount(), by="song", n_resamples=5, n_splits=5)
    assert made.half_a is None
    assert made.no_halves.startswith("session 'day 1': split halves with BetweenMinusWithin needs at least 4")
    assert made.bootstrap is not None
    assert made.n_trials.tolist() == [3, 3, 3, 3]


INFERIOR_TEMPORAL = {
    "type": "rows",
    "times": "spike_time_ms",
    "time_unit": "ms",
    "unit": {"neuron": {"values": "spike_neuron", "names": "neuron_names"}},
    "trial": {"number": "spike_trial"},
    "session": {"of": "neuron", "until": "spk"},
    "labels": {
        "object": {"values": "object_index", "names": "objects", "missing": -1},
        "position": {"values": "position_index", "names": "positions", "missing": -1},
    },
    "window": ["-500 ms", "500 ms"],
}


@pytest.mark.slow
def test_neurons_of_inferior_temporal_cortex_agree_between_halves_of_their_trials(shared_data):
    """The data card: split-half RDM rank correlation 0.74 for the counts of these 64 neurons, chance before onset."""
    from scipy.stats import spearmanr

    recording = read(shared_data / "it_seven_objects_a" / "it_seven_objects_a.npz", layout=INFERIOR_TEMPORAL)
    recording = recording.with_trials(picture=recording.trials["object"] + " " + recording.trials["position"])
    onset = pd.DataFrame({"trial": recording.trials.index, "start": 0.0, "stop": 0.0})
    recording = recording.with_marks(onset=Marks("event", onset))

    def reliability(*window):
        parts = split_sessions(recording.cut("onset", window), "session")
        assert len(parts) == 12
        made = join_replicates(parts, SpikeCount(), by="picture", n_resamples=1, n_splits=20)
        assert len(made.conditions) == 21
        return np.mean([spearmanr(a, b)[0] for a, b in zip(made.half_a[0], made.half_b[0], strict=True)])

    assert reliability("100 ms", "400 ms") == pytest.approx(
        0.74, abs=0.06
    )  # the card names neither its splits nor its distance
    assert abs(reliability("-300 ms", "0 ms")) < 0.15  # 210 pairs of 21 conditions: chance spreads by about 0.07
