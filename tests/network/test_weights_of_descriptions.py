"""Weights come from seed and name only; distributions are those described; what does not fit is refused."""

import tracemalloc
import zlib

import numpy as np
import pytest
from scipy import stats

from snncompare.backends.draw_values import draw_values
from snncompare.backends.realisation import checked, realise
from snncompare.circuits.recurrent import recurrent_classifier
from snncompare.errors import DescriptionError, InputError
from snncompare.network.initialisers import Constant, Exponential, Gamma, LogNormal, Normal, Uniform
from snncompare.network.network import Network, Population, Projection
from snncompare.network.neuron import SpikeSource
from snncompare.network.neurons import leaky_integrate_and_fire
from snncompare.network.synapses import delta
from snncompare.network.wiring import AllToAll, FixedProbability, OneToOne
from snncompare.units import quantity

MV = Constant(value=quantity("1 mV"))
NOISE = Normal(mean=quantity("1 mV"), sd=quantity("2 mV"))


def _projection(weight=NOISE, wiring=None, source="source", **more):
    return Projection(
        source=source, target="cells", synapse=delta(), weight=weight, wiring=wiring or AllToAll(), **more
    )


def _network(projections, n_source=30, n_cells=40):
    cells = Population(size=n_cells, neuron=leaky_integrate_and_fire())
    return Network(
        populations={"source": Population(size=n_source, neuron=SpikeSource()), "cells": cells}, projections=projections
    )


def _weights(network, seed=3):
    return realise(network, seed).dense_weights()


RANDOM = _projection(wiring=FixedProbability(p=0.3))


def test_the_same_seed_draws_the_same_weights_and_another_seed_others():
    network = _network({"feed": RANDOM})
    one, again, other = (_weights(network, seed)["feed"] for seed in (3, 3, 4))
    assert np.array_equal(one, again)
    assert not np.array_equal(one, other)


def test_adding_a_projection_leaves_the_others_as_they_were():
    alone = _weights(_network({"feed": RANDOM}))
    more = _weights(_network({"aaa": RANDOM, "feed": RANDOM, "zzz": _projection(MV)}))
    assert np.array_equal(alone["feed"], more["feed"])
    assert not np.array_equal(more["aaa"], more["feed"]), "each projection has draws of its own"


def test_the_global_generator_is_neither_read_nor_set():
    network = _network({"feed": RANDOM})
    np.random.seed(0)  # noqa: NPY002 - the global generator is what must not matter
    before = np.random.get_state()[1].tolist()  # noqa: NPY002
    one = _weights(network)["feed"]
    assert np.random.get_state()[1].tolist() == before  # noqa: NPY002
    np.random.seed(1)  # noqa: NPY002
    assert np.array_equal(one, _weights(network)["feed"])


def test_dense_normal_weights_are_the_published_draw_bit_for_bit():
    """The numbers of the demo in the README rest on these weights: one matrix of normal draws for each projection."""
    network = recurrent_classifier(inputs=40, hidden=100, classes=8)
    drawn = _weights(network, 0)
    for name, sd in (("feed", 60e-3), ("recur", 30e-3), ("read", 10e-3)):
        n_source, n_target = drawn[name].shape
        rng = np.random.default_rng([0, zlib.crc32(name.encode())])
        expected = rng.normal(0.5e-3 if name == "feed" else 0.0, sd / np.sqrt(n_source), (n_source, n_target))
        if name == "recur":
            np.fill_diagonal(expected, 0.0)
        assert drawn[name].tobytes() == expected.tobytes(), name


@pytest.mark.parametrize("wiring", [AllToAll(), FixedProbability(p=0.9)])
def test_no_neuron_feeds_itself_unless_asked(wiring):
    def diagonal(wiring, source="cells"):
        return np.diag(_weights(_network({"rec": _projection(MV, wiring, source)}, 40, 40))["rec"])

    assert not diagonal(wiring).any()
    assert diagonal(wiring.model_copy(update={"autapses": True})).any()
    assert diagonal(wiring, "source").any(), "two populations of one size have no autapses"


def test_one_to_one_is_the_diagonal():
    network = _network({"feed": _projection(MV, OneToOne())}, 5, 5)
    assert np.array_equal(_weights(network)["feed"], 1e-3 * np.eye(5))


N = 40_000
DISTRIBUTIONS = {
    "normal": (NOISE, stats.norm(1e-3, 2e-3)),
    "uniform": (Uniform(low=quantity("-1 mV"), high=quantity("3 mV")), stats.uniform(-1e-3, 4e-3)),
    "exponential": (Exponential(mean=quantity("2 mV")), stats.expon(scale=2e-3)),
    "log-normal": (
        LogNormal(mean=quantity("2 mV"), sd=quantity("1 mV")),
        stats.lognorm(np.sqrt(np.log(1.25)), scale=2e-3 / np.sqrt(1.25)),
    ),
    "gamma": (Gamma(mean=quantity("30 ms"), sd=quantity("10 ms")), stats.gamma(9, scale=30e-3 / 9)),
    "cut normal": (
        Normal(mean=quantity("1 mV"), sd=quantity("2 mV"), low=quantity("0 mV"), high=quantity("4 mV")),
        stats.truncnorm(-0.5, 1.5, 1e-3, 2e-3),
    ),
}


@pytest.mark.parametrize(("distribution", "expected"), DISTRIBUTIONS.values(), ids=DISTRIBUTIONS)
def test_draws_follow_their_distribution(distribution, expected):
    draws = draw_values(distribution, N, np.random.default_rng(0))
    assert stats.kstest(draws, expected.cdf).pvalue > 0.001  # a seed is fixed; one in a thousand would fail
    wrong = stats.kstest(draws * 1.03, expected.cdf)
    assert wrong.pvalue < 0.001, "negative control: 3 % too large is noticed"


@pytest.mark.parametrize("name", ["exponential", "log-normal", "gamma"])
def test_a_negative_mean_mirrors_a_distribution(name):
    distribution, _ = DISTRIBUTIONS[name]
    mirrored = distribution.model_copy(update={"mean": quantity(f"-{distribution.mean}")})
    draws, negative = (draw_values(d, 100, np.random.default_rng(0)) for d in (distribution, mirrored))
    assert np.allclose(draws, -negative, rtol=1e-14, atol=0)  # one rounding apart
    assert (draws > 0).all()


def test_log_normal_and_gamma_have_the_stated_mean_and_sd():
    for distribution in (
        LogNormal(mean=quantity("2 mV"), sd=quantity("1 mV")),
        Gamma(mean=quantity("2 mV"), sd=quantity("1 mV")),
    ):
        draws = draw_values(distribution, N, np.random.default_rng(1))
        assert abs(draws.mean() - 2e-3) < 4 * 1e-3 / np.sqrt(N)  # four standard errors
        assert abs(draws.std() - 1e-3) < 0.04e-3  # four standard errors at the kurtosis of this log-normal, 8.6


def test_a_cut_normal_never_leaves_its_range_and_an_uncut_one_does():
    cut = DISTRIBUTIONS["cut normal"][0]
    draws = draw_values(cut, N, np.random.default_rng(2))
    assert draws.min() >= 0
    assert draws.max() <= 4e-3
    assert draw_values(NOISE, N, np.random.default_rng(2)).min() < 0
    at_its_mean = Normal(mean=quantity("0 mV"), sd=quantity("0 mV"), low=quantity("0 mV"))
    assert not draw_values(at_its_mean, 5, np.random.default_rng(0)).any()


def test_scaling_divides_the_spread_by_the_root_of_the_number_of_sources():
    n = 200
    scaled = NOISE.model_copy(update={"scale_by_sources": True})
    plain, divided = (_weights(_network({"feed": _projection(weight)}, n, n))["feed"] for weight in (NOISE, scaled))
    assert np.allclose((divided - 1e-3) * np.sqrt(n), plain - 1e-3, rtol=1e-9, atol=0)  # rounding of the small sums


@pytest.mark.parametrize(
    ("made", "says"),
    [
        (lambda: Normal(mean=quantity("1 mV"), sd=quantity("1 pA")), "sd must have the unit of the mean"),
        (lambda: Normal(mean=quantity("1 mV"), sd=quantity("-1 mV")), "not be negative"),
        (lambda: Normal(mean=quantity("1 mV"), sd=quantity("1 mV"), low=quantity("2 mV")), "low must"),
        (lambda: Normal(mean=quantity("1 mV"), sd=quantity("1 mV"), high=quantity("0 mV")), "high must"),
        (lambda: Normal(mean=quantity("1 mV"), sd=quantity("1 mV"), low=quantity("0 ms")), "unit of the mean"),
        (
            lambda: Normal(mean=quantity("1 mV"), sd=quantity("1 V"), low=quantity("0.9 mV"), high=quantity("1.1 mV")),
            "less than 1%",
        ),
        (lambda: Uniform(low=quantity("1 mV"), high=quantity("0 mV")), "not lie below it"),
        (lambda: Uniform(low=quantity("1 mV"), high=quantity("1")), "unit of low"),
        (lambda: Exponential(mean=quantity("0 mV")), "mean must not be zero"),
        (lambda: LogNormal(mean=quantity("0 mV"), sd=quantity("1 mV")), "mean must not be zero"),
        (lambda: LogNormal(mean=quantity("1 mV"), sd=quantity("0 mV")), "larger than zero"),
        (lambda: Gamma(mean=quantity("1 mV"), sd=quantity("2 V")), "at most 1000 times the mean"),
        (lambda: Gamma(mean=quantity("1 mV"), sd=quantity("1 ms")), "unit of the mean"),
    ],
    ids=range(13),
)
def test_distributions_that_do_not_exist_are_refused(made, says):
    with pytest.raises(DescriptionError, match=says) as caught:
        made()
    assert "\n" not in str(caught.value)


def test_draws_too_large_for_a_float_are_refused():
    huge = Exponential(mean=quantity("1e308 V"))
    with pytest.raises(InputError, match="Exponential around '1e308 V' draws infinite numbers"):
        draw_values(huge, 100, np.random.default_rng(0))


@pytest.mark.parametrize("wiring", [AllToAll(), FixedProbability(p=1e-3)])
def test_absurd_sizes_are_refused_before_anything_is_allocated(wiring):
    network = _network({"feed": _projection(NOISE, wiring)}, 10_000_000, 10_000_000)
    tracemalloc.start()
    with pytest.raises(InputError, match=r"'feed' joins 10,000,000 to 10,000,000 neurons .* 100,000,000 are allowed"):
        realise(network, 0)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 1e6


def test_the_number_of_synapses_is_limited_for_all_projections_together():
    sizes = {"feed": _projection(NOISE), "rec": _projection(NOISE, source="cells")}
    with pytest.raises(
        InputError, match=r"'rec' joins 9,000 to 9,000 neurons by 80,991,000 .* 134,991,000 in the network"
    ):
        realise(_network(sizes, 6000, 9000), 0)


@pytest.mark.parametrize("seed", [-1, 1.5, None, True, "0", [1]])
def test_a_seed_is_a_whole_number(seed):
    with pytest.raises(InputError, match="seed must be a whole number from 0 on"):
        realise(_network({"feed": RANDOM}), seed)


@pytest.mark.parametrize(
    ("weights", "says"),
    [
        ({"fed": np.zeros((2, 3))}, "weights: no projection or population 'fed'; did you mean 'feed'?"),
        ({"feed": np.zeros((3, 2))}, "weights of 'feed' must have the shape (2, 3) (source, target), got (3, 2)."),
        ({"feed": np.zeros(6)}, "got (6,)."),
        ({"feed": 1.0}, "got ()."),
        ({"feed": np.full((2, 3), np.nan)}, "weights of 'feed': 6 of 6 are not finite"),
        ({"feed": np.array([[0, np.inf, 0], [0, 0, 0]])}, "weights of 'feed': 1 of 6 are not finite"),
        ({"feed": np.full((2, 3), "1")}, "must be real numbers"),
        ({"feed": np.full((2, 3), 1j)}, "must be real numbers"),
        ({"feed": np.full((2, 3), None)}, "must be real numbers"),
        ({"feed": [[1, 2], [3]]}, "must be an array of real numbers"),
        ({"feed": {"w": 1}}, "must be real numbers"),
    ],
    ids=range(11),
)
def test_given_weights_must_fit(weights, says):
    with pytest.raises(InputError) as caught:
        checked(_network({"feed": RANDOM}, 2, 3), weights)
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)


def test_given_weights_are_copied_and_their_zeros_are_no_synapses():
    given = np.arange(6, dtype=np.float32).reshape(2, 3)
    connections = checked(_network({"feed": RANDOM}, 2, 3), {"feed": given}).connections["feed"]
    assert connections.n_synapses == 5
    assert connections.weight.dtype == np.float64
    assert np.array_equal(connections.dense(), given)
    given[1, 2] = 7
    assert connections.dense()[1, 2] == 5
