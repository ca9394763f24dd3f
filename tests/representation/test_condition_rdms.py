import numpy as np
import pytest
from rsatoolbox.rdm import RDMs

import snncompare as sc
from snncompare.errors import InputError
from snncompare.representation import rdm as module
from snncompare.representation.conditions import Conditions
from snncompare.representation.distances import distances
from snncompare.representation.estimators import BetweenMinusWithin, MeanDistance
from snncompare.representation.metrics import SpikeCount, VanRossum, VictorPurpura
from snncompare.representation.rdm import rdm, rdm_from_distances


def test_conditions_keep_the_order_of_first_appearance(noisy_recording):
    numbers = rdm(noisy_recording, VanRossum(tau="0.1 s"), by="orientation")
    assert numbers.pattern_descriptors["condition"] == [40, 10, 30, 20]
    assert all(type(label) is int for label in numbers.pattern_descriptors["condition"])
    texts = rdm(noisy_recording, VanRossum(tau="0.1 s"), by="song")
    assert texts.pattern_descriptors["condition"] == ["song 40", "song 10", "song 30", "song 20"]
    assert (numbers.dissimilarities == texts.dissimilarities).all()


def test_the_rdm_shows_which_conditions_are_far_apart(noisy_recording):
    """The first unit fires 1 s later per 10 degrees: at a time scale of 10 s, further apart is more different."""
    from_forty = rdm(noisy_recording, VanRossum(tau="10 s"), by="orientation").get_matrices()[0][0]
    distance_to = dict(zip([40, 10, 30, 20], from_forty, strict=True))
    assert distance_to[10] > distance_to[20] > distance_to[30] > distance_to[40] == 0


def test_there_is_one_labelled_rdm_per_metric(noisy_recording):
    several = rdm(noisy_recording, [*VictorPurpura.sweep(["10 ms", "0.1 s"]), SpikeCount()], by="song", name="LFP? no")
    assert several.n_rdm == 3
    assert several.rdm_descriptors["metric"] == ["Victor-Purpura", "Victor-Purpura", "spike count"]
    assert several.rdm_descriptors["time_scale"][:2] == [0.01, 0.1]
    assert several.rdm_descriptors["name"] == ["LFP? no"] * 3
    assert several.rdm_descriptors["estimator"] == ["BetweenMinusWithin()"] * 3
    assert several.subset("metric", "spike count").n_rdm == 1


def test_an_rdm_follows_the_estimator(noisy_recording):
    metric = VictorPurpura(cost="5 Hz")
    default = rdm(noisy_recording, metric, by="song")
    unbiased = rdm(noisy_recording, metric, by="song", estimator=BetweenMinusWithin())
    naive = rdm(noisy_recording, metric, by="song", estimator=MeanDistance())
    assert (default.dissimilarities == unbiased.dissimilarities).all()
    assert (naive.dissimilarities > unbiased.dissimilarities).all()
    d, index = distances(noisy_recording, metric).to_numpy(), Conditions.of(noisy_recording, "song").index
    assert naive.dissimilarities[0, 0] == pytest.approx(d[np.ix_(index == 0, index == 1)].mean())


def test_single_trials_give_the_distances_themselves(recording_of):
    recording = recording_of([[[1.0]], [[1.5]], [[]]], stimulus=["x", "y", "z"])
    assert rdm(recording, VictorPurpura(cost="1 Hz"), by="stimulus").dissimilarities.tolist() == [[0.5, 1.0, 1.0]]


def test_distances_can_be_grouped_again(noisy_recording):
    metric = VanRossum(tau="0.1 s")
    d = distances(noisy_recording, [metric])
    again = rdm_from_distances(d, noisy_recording.trials["song"].tolist())
    assert again == rdm(noisy_recording, metric, by="song")


def test_spike_counts_give_the_unbiased_squared_distance(noisy_recording):
    counts = noisy_recording.counts().to_numpy().astype(float)
    index = Conditions.of(noisy_recording, "song").index
    x, y = counts[index == 0], counts[index == 1]
    difference = x.mean(axis=0) - y.mean(axis=0)
    noise = x.var(axis=0, ddof=1).sum() / len(x) + y.var(axis=0, ddof=1).sum() / len(y)
    ours = rdm(noisy_recording, SpikeCount(), by="song").dissimilarities[0, 0]
    assert ours == pytest.approx(difference @ difference - noise)


@pytest.mark.parametrize(
    ("by", "says"),
    [
        ("orientatoin", "did you mean 'orientation'"),
        ("same", "name 1 condition"),
        ("gap", "missing for 1"),
    ],
)
def test_columns_that_name_no_conditions_are_refused(recording_of, by, says):
    recording = recording_of([[[1.0]], [[2.0]], [[3.0]]], orientation=[1, 2, 3], same="x", gap=["a", None, "b"])
    with pytest.raises(InputError, match=says):
        rdm(recording, SpikeCount(), by=by)


def test_labels_must_fit_the_trials(noisy_recording):
    d = distances(noisy_recording, SpikeCount())
    with pytest.raises(InputError, match="3 condition labels for 24 trials"):
        rdm_from_distances(d, [1, 2, 3])
    with pytest.raises(InputError, match="compute them anew"):
        rdm_from_distances(d.drop_vars("label"), noisy_recording.trials["song"])
    with pytest.raises(InputError, match="text or numbers"):
        rdm_from_distances(d, [(k,) for k in range(24)])


def test_too_few_trials_are_refused_before_the_distances_are_computed(noisy_recording, monkeypatch):
    monkeypatch.setattr(SpikeCount, "between_trials", lambda *_: pytest.fail("computed"))
    alone = noisy_recording.select(trials=np.arange(24) < 5)
    with pytest.raises(InputError, match="at least 2 trials"):
        rdm(alone, SpikeCount(), by="song", estimator=BetweenMinusWithin())


def test_the_package_offers_the_container_of_rsatoolbox():
    assert sc.RDM is module.RDM is RDMs
    with pytest.raises(AttributeError):
        _ = module.NONE
