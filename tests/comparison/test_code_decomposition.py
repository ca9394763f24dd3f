"""Rate, latency and residual timing: each code is attributed to its component, and the parts add up."""

import numpy as np
import pytest
from scipy.optimize import nnls

import snncompare as sc
from snncompare.comparison.precision.decomposition import COMPONENTS, decompose
from snncompare.comparison.precision.variance_partition import commonality, explained, increment_p, increments, subsets
from snncompare.errors import InputError
from snncompare.representation.metrics import SpikeCount
from snncompare.testing.ground_truth import (
    Design,
    latency_code,
    mixture,
    pattern_code,
    rate_code,
    true_rdm,
)

METRIC = sc.VanRossum("30 ms")
CODES = {"rate": rate_code, "latency": latency_code, "timing": pattern_code}


def design(**change):
    return Design(**({"conditions": 8, "repeats": 8, "units": 10} | change))


def decomposed(recording, models=None, **options):
    numbers = {"n_surrogates": 10, "n_splits": 4, "n_permutations": 99}
    return decompose(recording, "condition", METRIC, models, **(numbers | options))


def row(found, response, component):
    table = found.table
    return table[(table["response"] == response) & (table["component"] == component)].iloc[0]


@pytest.fixture(scope="module")
def mixed():
    """Return a population whose three codes put the conditions in three different orders, with what they are."""
    recording = mixture(
        rate_code(design(), depth=0.5), latency_code(design(order=1)), pattern_code(design(order=2), depth=0.01)
    )
    named = {"rate": "rate", "latency": "latency", "timing": "pattern"}
    return decomposed(recording, {name: true_rdm(recording, code) for name, code in named.items()}, n_splits=10)


@pytest.mark.parametrize("code", CODES)
def test_a_pure_code_is_attributed_to_its_component_only(code):
    recording = CODES[code](design())
    found = decomposed(recording, {"truth": true_rdm(recording)})
    for response in ("data", "truth"):
        own = row(found, response, code)
        assert own["p"] <= 0.02
        for other in set(COMPONENTS) - {code}:
            assert row(found, response, other)["attributed"] < 0.4 * own["attributed"]
    later = COMPONENTS[COMPONENTS.index(code) + 1 :]
    assert all(row(found, "truth", other)["attributed"] < 0.05 for other in later)


@pytest.mark.parametrize("code", CODES)
def test_in_a_mixture_a_model_of_one_code_is_explained_by_that_component(mixed, code):
    own = row(mixed, code, code)
    assert own["attributed"] > 0.4
    assert own["unique"] > 0.4
    assert own["p"] <= 0.02
    assert all(row(mixed, code, other)["attributed"] < 0.1 for other in set(COMPONENTS) - {code})


def test_parts_add_up(mixed):
    by_response = mixed.table.groupby("response", sort=False)
    assert np.allclose(by_response["attributed"].sum(), 1.0, atol=1e-12)
    explained_ = 1 - mixed.table[mixed.table["component"] == "unexplained"].set_index("response")["attributed"]
    shares = mixed.commonality.groupby("response", sort=False)["share"].sum()
    assert np.allclose(shares, explained_[shares.index], atol=1e-12)
    unique = mixed.commonality.set_index(["response", "components"])["share"]
    assert unique["rate", "latency"] == row(mixed, "rate", "latency")["unique"]


def test_components_add_up_to_the_rdm_of_the_recording_and_counts_have_a_rate_component_only():
    recording = mixture(rate_code(design()), latency_code(design()))
    found = decomposed(recording, n_splits=1)
    whole = sc.rdm(recording, METRIC, by="condition")
    assert list(found.components.rdm_descriptors["name"]) == list(COMPONENTS)
    assert list(found.components.pattern_descriptors["condition"]) == list(whole.pattern_descriptors["condition"])
    assert np.allclose(found.components.get_vectors().sum(axis=0), whole.get_vectors()[0], atol=1e-9)
    counted = decompose(recording, "condition", SpikeCount(), n_surrogates=3, n_splits=1, n_permutations=19)
    assert np.abs(counted.components.get_vectors()[1:]).max() < 1e-9


def test_the_order_of_trials_does_not_mix_up_conditions():
    recording = rate_code(design())
    shuffled = np.random.default_rng(0).permutation(recording.n_trials)
    trial, unit = recording.spike_index()
    other = sc.Recording.from_arrays(
        times=recording.times,
        unit=recording.units.index[unit],
        trial=trial,
        units=recording.units,
        trials=recording.trials.iloc[shuffled],
    )
    found = decomposed(other, {"truth": true_rdm(recording)})
    assert row(found, "truth", "rate")["attributed"] > 0.8
    assert row(found, "data", "rate")["attributed"] > 0.6


def test_the_same_seed_repeats_and_another_does_not():
    recording = latency_code(design(repeats=4))
    first, again, other = (decomposed(recording, seed=seed).table for seed in (0, 0, 1))
    assert first.equals(again)
    assert not first.equals(other)


@pytest.mark.slow
def test_timing_is_claimed_for_rate_codes_no_more_often_than_stated():
    """30 rate codes: p of latency and timing, of the data and of a model."""
    p = []
    for k in range(30):
        recording = rate_code(Design(conditions=6, repeats=6, units=5, noise=k, layout="line"))
        found = decomposed(
            recording, {"truth": true_rdm(recording)}, n_surrogates=6, n_splits=4, n_permutations=39, seed=k
        )
        p.append([row(found, who, part)["p"] for who in ("data", "truth") for part in ("latency", "timing")])
    false = (np.array(p) <= 0.05).sum(axis=0)
    assert false.max() <= 6  # binomial quantile 0.999 of 30 experiments at 0.05


def test_explained_variance_is_that_of_non_negative_least_squares():
    rng = np.random.default_rng(0)
    components = rng.normal(size=(3, 40))
    components[2] += components[0]
    responses = rng.normal(size=(20, 40)) + components[0] - 0.5 * components[1]
    shares = explained(responses, components)
    for subset in subsets(3):
        x = components[list(subset)] - components[list(subset)].mean(axis=1, keepdims=True)
        for k, response in enumerate(responses):
            y = response - response.mean()
            _, rest = nnls(x.T, y)
            assert shares[subset][k] == pytest.approx(1 - rest**2 / (y @ y), abs=1e-10)
    assert (shares[(1,)] < 0.2).any()


def test_commonality_of_known_shares():
    shares = {(): 0.0, (0,): 0.5, (1,): 0.4, (0, 1): 0.6}
    common = commonality({subset: np.array([value]) for subset, value in shares.items()})
    assert {subset: round(float(c[0]), 12) for subset, c in common.items()} == {(0,): 0.2, (1,): 0.1, (0, 1): 0.3}
    assert increments({subset: np.array([value]) for subset, value in shares.items()})[:, 0] == pytest.approx(
        [0.5, 0.1]
    )


def test_constant_components_and_responses_explain_nothing():
    rng = np.random.default_rng(1)
    components = np.stack([np.ones(21), rng.normal(size=21)])
    shares = explained(np.stack([np.full(21, 3.3), components[1]]), components)
    assert np.allclose(shares[(0, 1)], [0.0, 1.0])
    assert np.allclose(shares[(0,)], 0.0)


def test_the_test_of_an_increment_sees_what_the_component_before_leaves_and_nothing_else():
    rng = np.random.default_rng(2)
    first, second = rng.normal(size=(2, 28))
    pairs = np.stack([rng.permutation(28) for _ in range(199)])
    noise = 0.3 * rng.normal(size=28)
    p = increment_p([(first + noise, np.stack([first, second]))], pairs)
    assert p[0] == 0.005
    assert p[1] > 0.05
    assert (increment_p([(first + second + noise, np.stack([first, second]))], pairs) == 0.005).all()


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"n_splits": 0}, "nothing to partition"),
        ({"n_surrogates": 1}, "n_surrogates must be a whole number of at least 2"),
        ({"n_permutations": 5}, "at least 19"),
    ],
    ids=["nothing", "surrogates", "permutations"],
)
def test_what_cannot_be_is_refused(change, sentence):
    with pytest.raises(InputError, match=sentence):
        decomposed(rate_code(design(repeats=4, units=2)), **change)


def test_too_few_trials_for_halves_are_refused_but_models_can_still_be_explained():
    recording = rate_code(design(repeats=3))
    with pytest.raises(InputError, match="two halves of at least 2 trials of every condition; condition 0 has 3"):
        decomposed(recording)
    found = decomposed(recording, {"truth": true_rdm(recording)}, n_splits=0)
    assert set(found.table["response"]) == {"truth"}
    assert row(found, "truth", "rate")["attributed"] > 0.5
