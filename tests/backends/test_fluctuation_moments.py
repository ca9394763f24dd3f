"""Moments of weights: Campbell's theorem turned round, which contains every formula of Rossbroich et al. (2022)."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from snncompare.backends.weight_moments import Input, weight_moments
from snncompare.errors import DescriptionError
from snncompare.network.fan_in import FanIn

ALGEBRA = 1e-12
"""Two ways to compute the same number in float64."""
NU, E1, E2, THRESHOLD = 10.0, 0.0105, 0.00184, 1.0


def inputs(n, name="feed", *, integral=E1, squared=E2, rate=NU, coincident=0.0, **more):
    return Input(name, rate, FanIn(n, coincident), integral, squared, **more)


def dale(n, name, *, inhibits=False, c=2.0, integral=E1, **more):
    return inputs(n, name, integral=-integral if inhibits else integral, second_moment=c, **more)


@pytest.mark.parametrize(("mean", "xi"), [(0.0, 1.0), (0.0, 3.0), (0.3, 2.0)])
def test_one_projection_has_the_weights_of_the_paper(mean, xi):
    found = weight_moments([inputs(400)], mean, (THRESHOLD - mean) / xi)["feed"]
    weight = mean / (400 * NU * E1)
    assert found.mean == pytest.approx(weight, rel=ALGEBRA)
    variance = ((THRESHOLD - mean) / xi) ** 2 / (400 * NU * E2) - weight**2
    assert found.sd**2 == pytest.approx(variance, rel=ALGEBRA)


def test_feed_forward_and_recurrent_input_share_the_variance_as_in_the_paper():
    alpha, mean, sd = 0.9, 0.1, 0.5
    both = [inputs(400, "feed", share=alpha), inputs(128, "recur", share=1 - alpha)]
    found = weight_moments(both, mean, sd)
    weight = mean / ((400 + 128) * NU * E1)
    for name, n, share in (("feed", 400, alpha), ("recur", 128, 1 - alpha)):
        assert found[name].mean == pytest.approx(weight, rel=ALGEBRA)
        assert found[name].sd ** 2 == pytest.approx(share * sd**2 / (n * NU * E2) - weight**2, rel=ALGEBRA)


def test_without_recurrent_excitation_dale_weights_are_those_of_the_paper():
    n_e, n_i, e1_i, e2_i, xi = 400, 100, 0.021, 0.006, 2.0
    found = weight_moments(
        [dale(n_e, "exc"), dale(n_i, "inh", inhibits=True, integral=e1_i, squared=e2_i)], 0.0, THRESHOLD / xi
    )
    delta = n_i * e1_i * NU / (n_e * E1 * NU)
    lambda_e = xi * math.sqrt(2) * math.sqrt(delta**2 * n_e * NU * E2 + n_i * NU * e2_i) / (delta * THRESHOLD)
    assert 1 / found["exc"].mean == pytest.approx(lambda_e, rel=ALGEBRA)
    assert 1 / found["inh"].mean == pytest.approx(lambda_e * delta, rel=ALGEBRA)
    assert found["exc"].sd == pytest.approx(found["exc"].mean, rel=ALGEBRA), "exponential"


def test_with_recurrent_excitation_dale_weights_are_those_of_the_paper():
    n_ff, n_rec, n_i, e1_i, e2_i, xi, alpha = 400, 256, 64, 0.021, 0.006, 1.5, 0.8
    found = weight_moments(
        [
            dale(n_ff, "feed", share=alpha),
            dale(n_rec, "recur", share=1 - alpha),
            dale(n_i, "inh", inhibits=True, integral=e1_i, squared=e2_i),
        ],
        0.0,
        THRESHOLD / xi,
    )
    ratio = math.sqrt(alpha * n_rec / (n_ff * (1 - alpha)))
    delta = ratio * e1_i * n_i * NU / (ratio * E1 * n_ff * NU + E1 * n_rec * NU)
    root = math.sqrt(delta**2 * E2 * n_rec + ratio**2 * (n_ff * delta**2 * E2 + e2_i * n_i))
    lambda_ff = xi * math.sqrt(2 * NU) * root / (THRESHOLD * delta * ratio)
    assert 1 / found["feed"].mean == pytest.approx(lambda_ff, rel=ALGEBRA)
    assert 1 / found["recur"].mean == pytest.approx(lambda_ff * ratio, rel=ALGEBRA)
    assert 1 / found["inh"].mean == pytest.approx(lambda_ff * delta, rel=ALGEBRA)


def test_log_normal_weights_of_spread_one_are_those_of_the_paper():
    """Rossbroich et al. give m of ln w ~ N(m, 1): E[w] = exp(m + 1/2), E[w^2] = exp(2 m + 2)."""
    n_e, n_i, xi = 400, 100, 2.0
    found = weight_moments([dale(n_e, "exc", c=math.e), dale(n_i, "inh", inhibits=True, c=math.e)], 0.0, THRESHOLD / xi)
    delta = math.log(n_e / n_i)
    square = THRESHOLD**2 / (xi**2 * (n_e * E2 * NU + n_i * E2 * NU * math.exp(2 * delta)))
    m = (math.log(square) - 2) / 2
    assert found["exc"].mean == pytest.approx(math.exp(m + 0.5), rel=ALGEBRA)
    assert found["inh"].mean == pytest.approx(math.exp(m + delta + 0.5), rel=ALGEBRA)
    assert found["exc"].sd ** 2 + found["exc"].mean ** 2 == pytest.approx(math.exp(2 * m + 2), rel=ALGEBRA)


def membrane(parts, found):
    """Campbell's theorem: mean and variance of a membrane that many independent inputs drive."""
    mean = sum(p.fan_in.synapses * p.rate * p.integral * found[p.name].mean for p in parts)
    variance = {
        p.name: p.rate
        * p.squared_integral
        * (
            p.fan_in.synapses * (found[p.name].mean ** 2 + found[p.name].sd ** 2)
            + p.fan_in.coincident * found[p.name].mean ** 2
        )
        for p in parts
    }
    return mean, variance


numbers = st.floats(0.2, 5.0)


@given(
    scale=st.lists(st.tuples(numbers, numbers, numbers, numbers), min_size=2, max_size=5),
    shares=st.lists(numbers, min_size=5, max_size=5),
    sd=st.floats(0.5, 3.0),
    place=st.floats(-0.95, 0.95),
    coincident=st.floats(0, 50),
)
def test_any_excitation_and_inhibition_meet_mean_and_variance(scale, shares, sd, place, coincident):
    negative = [k % 2 == 1 for k in range(len(scale))]
    sums = {side: sum(s for s, n in zip(shares, negative, strict=False) if n == side) for side in (False, True)}
    parts = [
        dale(
            round(100 * n),
            f"p{k}",
            integral=E1 * a,
            squared=E2 * b,
            rate=NU * rate,
            inhibits=negative[k],
            c=2.0 if k < 3 else 4.0,
            share=shares[k] / sums[negative[k]],
            coincident=coincident,
        )
        for k, (n, a, b, rate) in enumerate(scale)
    ]
    alone = {
        side: sum(
            abs(p.mean_gain)
            * math.sqrt(p.share / (p.rate * p.squared_integral * (p.fan_in.synapses * p.second_moment + coincident)))
            for p, n in zip(parts, negative, strict=True)
            if n == side
        )
        for side in (False, True)
    }
    target = place * sd * alone[place < 0]
    found = weight_moments(parts, target, sd)
    mean, variance = membrane(parts, found)
    assert mean == pytest.approx(target, rel=1e-9, abs=1e-9 * sd)
    assert sum(variance.values()) == pytest.approx(sd**2, rel=1e-9)
    for side in (False, True):
        together = sum(variance[p.name] for p, n in zip(parts, negative, strict=True) if n == side)
        for p, n in zip(parts, negative, strict=True):
            if n == side:
                assert variance[p.name] == pytest.approx(p.share * together, rel=1e-9)
    assert all(each.mean > 0 for each in found.values())


@given(rates=st.lists(numbers, min_size=2, max_size=4), mean=st.floats(-0.5, 0.5), coincident=st.floats(0, 50))
def test_any_normal_inputs_meet_mean_and_variance(rates, mean, coincident):
    parts = [
        inputs(300, f"p{k}", rate=NU * rate, share=1 / len(rates), coincident=coincident)
        for k, rate in enumerate(rates)
    ]
    found = weight_moments(parts, mean, 1.0)
    reached, variance = membrane(parts, found)
    assert reached == pytest.approx(mean, rel=1e-9, abs=1e-12)
    assert list(variance.values()) == pytest.approx([1 / len(rates)] * len(rates), rel=1e-9)


def test_weights_of_an_inhibitory_projection_may_be_negative_instead_of_its_current():
    by_current = weight_moments([dale(400, "exc"), dale(100, "inh", inhibits=True)], 0.0, 1.0)
    by_weight = weight_moments([dale(400, "exc"), dale(100, "inh", sign=-1)], 0.0, 1.0)
    assert by_weight["inh"].mean == -by_current["inh"].mean
    assert by_weight["inh"].sd == by_current["inh"].sd


def test_a_negative_variance_is_a_clear_error():
    with pytest.raises(DescriptionError) as caught:
        weight_moments([inputs(4, "feed")], 1.0, 0.1, "volt")
    said = str(caught.value)
    for part in (
        "projection 'feed'",
        "-5.5",
        "4 inputs at 10 Hz",
        "mean of 1 volt",
        "0.1 volt",
        "larger sd",
        "smaller mean",
    ):
        assert part in said
    assert "\n" not in said
    weight_moments([inputs(4, "feed")], 1.0, 1.0)


@pytest.mark.parametrize(
    ("parts", "mean", "says"),
    [
        ([dale(400, "exc")], 0.0, "'exc' (400 inputs at 10 Hz) excites, nothing inhibits"),
        ([dale(100, "inh", inhibits=True)], 0.0, "nothing excites, 'inh' (100 inputs at 10 Hz) inhibits"),
        ([dale(400, "exc"), dale(100, "inh", inhibits=True)], 12.0, "reach means between -5.47 and 10.9"),
        ([inputs(100, "feed", share=0.9)], 0.0, "the shares of the variance add up to 0.9 in 'feed' (0.9)"),
        ([dale(9, "a", share=0.5), dale(9, "b", inhibits=True)], 0.0, "variance of excitation add up to 0.5"),
        ([dale(9, "a"), dale(9, "b", inhibits=True, share=0.5)], 0.0, "variance of inhibition add up to 0.5"),
        (
            [inputs(100, "up", share=0.5), inputs(100, "down", integral=-E1, share=0.5)],
            0.1,
            "cancel whatever their common mean weight",
        ),
    ],
)
def test_what_cannot_be_balanced_is_a_clear_error(parts, mean, says):
    with pytest.raises(DescriptionError) as caught:
        weight_moments(parts, mean, 1.0)
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)


def test_synapses_from_one_neuron_fire_together_and_count_for_more():
    twice = weight_moments([dale(100, "exc", coincident=100), dale(100, "inh", inhibits=True)], 0.0, 1.0)
    once = weight_moments([dale(100, "exc"), dale(100, "inh", inhibits=True)], 0.0, 1.0)
    assert twice["exc"].mean < 0.95 * once["exc"].mean
    assert np.isclose(once["exc"].mean, once["inh"].mean)
