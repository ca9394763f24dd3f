"""Dissimilarities are shared out between events and bursts exactly, and known codes are told apart."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from snncompare.errors import InputError
from snncompare.recording.bursts import bursts, events, later_spikes
from snncompare.recording.recording import Recording
from snncompare.representation.burst_decomposition import BURST_CODES, burst_decomposition
from snncompare.representation.estimators import BetweenMinusWithin
from snncompare.representation.metrics import SpikeCount
from snncompare.representation.rdm import rdm
from snncompare.testing.burst_codes import CODES, burst_code

FAST = {"n_surrogates": 19, "n_splits": 2, "n_resamples": 100}


@pytest.fixture(scope="module")
def truths():
    return {code: burst_decomposition(burst_code(code, n_units=20), "condition", **FAST) for code in CODES}


def test_the_rdms_are_those_of_the_package_on_events_and_bursts():
    recording = burst_code("both", n_units=6, n_conditions=4, n_trials=8)
    found = burst_decomposition(recording, "condition", **FAST)
    assert found.rdms.rdm_descriptors["name"] == list(BURST_CODES)
    for k, kept in enumerate([recording, events(recording), later_spikes(recording), bursts(recording)]):
        expected = rdm(kept, SpikeCount(), "condition", BetweenMinusWithin()).dissimilarities[0]
        # sums of a few hundred squared counts
        assert found.rdms.dissimilarities[k] == pytest.approx(expected, rel=1e-9, abs=1e-9)
    spikes, first, later = (found.codes.loc[code, "dissimilarity"] for code in BURST_CODES[:3])
    assert found.shares["share"].tolist() == pytest.approx(
        [first / spikes, later / spikes, 1 - (first + later) / spikes]
    )
    assert found.shares["surrogate"].sum() == pytest.approx(1.0)
    assert (found.units["spikes"] == np.diff(recording.offsets).reshape(-1, 6).sum(axis=0)).all()


def test_sessions_add_up_unit_by_unit():
    parts = [burst_code("both", n_units=3, n_conditions=3, n_trials=6, seed=seed) for seed in (1, 2)]
    rows = [(part, *part.spike_index(), k) for k, part in enumerate(parts)]
    joined = Recording.from_arrays(
        times=np.concatenate([part.times for part, *_ in rows]),
        trial=np.concatenate([trial + 18 * k for _, trial, _, k in rows]),
        unit=np.concatenate([unit + 3 * k for _, _, unit, k in rows]),
        units=pd.DataFrame({"session": ["s"] * 3 + ["t"] * 3}),
        trials=pd.DataFrame(
            {"start": 0.0, "stop": 0.5, "condition": np.tile(np.arange(3), 12), "session": ["s"] * 18 + ["t"] * 18}
        ),
    )
    found = burst_decomposition(joined, "condition", join="session", **FAST)
    alone = [burst_decomposition(part, "condition", **FAST) for part in parts]
    total = sum(one.rdms.dissimilarities[:4] for one in alone)
    assert found.rdms.dissimilarities[:4] == pytest.approx(total, rel=1e-9, abs=1e-9)
    assert found.units["dissimilarity"].tolist() == pytest.approx(
        [value for one in alone for value in one.units["dissimilarity"]]
    )
    # the control: taken for one session, units have empty trials and other dissimilarities
    assert burst_decomposition(joined, "condition", **FAST).rdms.dissimilarities[0] != pytest.approx(total[0], rel=1e-2)


def test_the_codes_that_were_put_in_are_found(truths):
    excess = {code: one.codes.loc["excess"] for code, one in truths.items()}
    assert excess["bursts"]["p"] < 1e-4
    assert excess["both"]["p"] < 1e-4
    for code in ("events", "rate"):
        assert excess[code]["relative"] < 0.01  # of a dissimilarity of which bursts themselves have 0.07
        assert truths[code].codes.loc["bursts", "p"] < 1e-4  # the control: bursts do differ between the conditions
    events_alone = {code: one.shares.loc["events alone", "share"] for code, one in truths.items()}
    assert abs(events_alone["bursts"]) < 0.1
    assert events_alone["events"] > 0.2


def test_surrogates_see_burst_structure_and_none_in_poisson_trains(truths):
    more = {code: one.shares.loc["later spikes alone"] for code, one in truths.items()}
    for code in ("events", "bursts", "both"):
        assert more[code]["p"] == 1 / 20  # above all of 19 surrogates
        assert more[code]["share"] > more[code]["surrogate_high"]
    # three standard deviations of the surrogates' shares: their central 95 % span four
    width = 0.75 * (more["rate"]["surrogate_high"] - more["rate"]["surrogate_low"])
    assert abs(more["rate"]["share"] - more["rate"]["surrogate"]) < width
    units = truths["rate"].units
    assert (units["burst_probability"] - units["expected_probability"]).abs().max() < 0.1
    assert (truths["events"].units.eval("burst_probability - expected_probability") > 0.05).all()


def test_reliabilities_are_of_what_was_put_in(truths):
    codes = truths["bursts"].codes
    assert codes.loc["bursts", "rdm_reliability"] > 0.6
    assert abs(codes.loc["events", "pattern_reliability"]) < 0.3
    assert codes.loc["excess", "pattern_reliability"] > 0.6
    assert np.isnan(codes.loc["excess", "rdm_reliability"])


def test_the_sentence_says_what_the_table_says(truths):
    assert "Bursts say more" in truths["both"].summary()
    assert "no sign that bursts say more" in truths["both"].summary(level=1e-30)


def test_the_seed_decides():
    recording = burst_code("both", n_units=4, n_conditions=3, n_trials=6)
    first, again, other = (burst_decomposition(recording, "condition", seed=seed, **FAST) for seed in (0, 0, 1))
    pd.testing.assert_frame_equal(first.codes, again.codes)
    pd.testing.assert_frame_equal(first.shares, again.shares)
    assert not first.shares.equals(other.shares)
    assert first.codes["dissimilarity"].iloc[:4].equals(other.codes["dissimilarity"].iloc[:4])


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        pytest.param({"by": "odour"}, "condition", id="column"),
        pytest.param({"interval": "0 ms"}, "positive", id="interval"),
        pytest.param({"interval": "200 ms"}, "too short", id="window"),
        pytest.param({"n_surrogates": 5}, "n_surrogates", id="surrogates"),
        pytest.param({"n_splits": 0}, "n_splits", id="splits"),
        pytest.param({"seed": -1}, "seed", id="seed"),
        pytest.param({"join": "session"}, "session", id="join"),
    ],
)
def test_what_cannot_be_decomposed_is_refused(arguments, said):
    recording = burst_code("rate", n_units=3, n_conditions=2, n_trials=4)
    with pytest.raises(InputError, match=said):
        burst_decomposition(recording, **({"by": "condition"} | FAST | arguments))


def test_too_few_trials_units_and_silence_are_refused():
    with pytest.raises(InputError, match="at least 4 trials"):
        burst_decomposition(burst_code("rate", n_units=3, n_conditions=2, n_trials=3), "condition", **FAST)
    with pytest.raises(InputError, match="three"):
        burst_decomposition(burst_code("rate", n_units=2, n_conditions=2, n_trials=4), "condition", **FAST)
    recording = burst_code("rate", n_units=3, n_conditions=2, n_trials=4)
    silent = replace(recording, times=np.zeros(0), offsets=np.zeros_like(recording.offsets))
    with pytest.raises(InputError, match="nothing to share out"):
        burst_decomposition(silent, "condition", **FAST)


def test_a_silent_unit_is_no_obstacle():
    recording = burst_code("both", n_units=4, n_conditions=3, n_trials=6)
    keep = recording.spike_index()[1] != 2
    trial, unit = (position[keep] for position in recording.spike_index())
    without = Recording.from_arrays(
        times=recording.times[keep], trial=trial, unit=unit, units=recording.units, trials=recording.trials
    )
    found = burst_decomposition(without, "condition", **FAST)
    assert np.isnan(found.units.loc[2, "burst_probability"])
    assert found.units.loc[2, ["dissimilarity", "excess", "propensity"]].tolist() == [0.0, 0.0, 0.0]
    assert np.isfinite(found.shares["share"]).all()
