"""Similarity against the number of units: it rises, its intervals narrow, and models share the draws."""

import numpy as np
import pytest

import snncompare as sc
from snncompare.comparison.observation import unit_curve
from snncompare.errors import InputError
from snncompare.representation.metrics import SpikeCount
from snncompare.testing.ground_truth import Design, rate_code, true_rdm

DESIGN = Design(conditions=8, repeats=5, units=16)


def curve(n_units=(1, 4, 12, 16), metric=None, models=None, **options):
    recording = rate_code(DESIGN, depth=0.4)
    given = {"truth": true_rdm(recording)} if models is None else models
    chosen = SpikeCount() if metric is None else metric
    return unit_curve(recording, given, chosen, "condition", n_units, **({"n_draws": 30} | options))


def test_more_units_are_more_similar_and_leave_less_to_the_choice_of_electrodes():
    table = curve().table
    assert table["n_units"].tolist() == [1, 4, 12, 16]
    assert (np.diff(table["similarity"]) > 0).all()
    assert (np.diff(table["high"] - table["low"])[1:] < 0).all()  # one unit is alike wherever it lies
    assert ((table["low"] <= table["similarity"]) & (table["similarity"] <= table["high"])).all()
    assert table["n_draws"].tolist() == [30, 30, 30, 1]


def test_all_units_give_the_similarity_of_the_recording():
    recording = rate_code(DESIGN, depth=0.4)
    rdm = sc.rdm(recording, SpikeCount(), by="condition").get_vectors()
    expected = sc.Spearman().between(rdm, true_rdm(recording).get_vectors()).item()
    assert curve([16]).table["similarity"].item() == pytest.approx(expected, abs=1e-12)


def test_an_unrelated_model_stays_at_chance_and_the_other_does_not_change():
    unrelated = true_rdm(rate_code(Design(conditions=8, repeats=1, units=1, order=5)))
    both = curve(models={"z": true_rdm(rate_code(DESIGN)), "a": unrelated}).table
    assert both["model"].tolist() == ["z"] * 4 + ["a"] * 4
    assert np.array_equal(both["similarity"][:4], curve().table["similarity"])
    assert both["similarity"].iloc[-1] < 0.4 < both["similarity"].iloc[3]  # 28 pairs: standard deviation about 0.2


def test_every_argument_matters():
    plain = curve([4]).table.iloc[0]
    assert curve([4]).table.iloc[0].equals(plain)
    for change in ({"seed": 1}, {"n_draws": 31}, {"measure": sc.Pearson()}, {"estimator": sc.MeanDistance()}):
        assert curve([4], **change).table["similarity"].item() != plain["similarity"]
    assert curve([4], level=0.5).table["low"].item() > plain["low"]
    sweep = curve([4], metric=sc.VanRossum.sweep(["5 ms", "50 ms"])).table
    assert sweep["time_scale"].tolist() == [0.005, 0.05]
    assert sweep["similarity"].nunique() == 2


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"n_units": [0]}, "from 1 to the 16 units"),
        ({"n_units": [17]}, "got 17"),
        ({"n_units": [2, 2]}, "different numbers"),
        ({"n_units": 4}, "a list of different numbers"),
        ({"n_draws": 1}, "n_draws must be"),
        ({"level": 1.0}, "level must lie"),
        ({"seed": -1}, "seed must be"),
        ({"measure": "corr"}, "must be a measure"),
    ],
    ids=["none", "too many", "twice", "no list", "draws", "level", "seed", "measure"],
)
def test_what_cannot_be_is_refused(change, sentence):
    with pytest.raises(InputError, match=sentence):
        curve(**change)
