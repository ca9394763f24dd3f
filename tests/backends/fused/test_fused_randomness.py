"""Random numbers of kernels: their distributions, and that they follow the seed, the trial and the name."""

import numpy as np
import pytest
from scipy import stats

from snncompare.backends.fused import random_numbers as rn
from snncompare.backends.registry import compile as compile_network
from snncompare.errors import InputError
from snncompare.network.network import Network, Population
from snncompare.network.neuron import NeuronModel

N = 200_000
LIKELY = 1e-4
"""Below this probability a deviation counts; the seeds are fixed, so a test that passes always does."""


def _filled(fill, *more, n=N, rounds=1):
    words, found, gaps = rn.seeded_words(7, 0, "cells"), np.empty(n), np.full(1, -1)
    parts = []
    for _ in range(rounds):
        fill(found, 0, n, words, 0, *((gaps, 0, *more) if more else ()))
        parts.append(found.copy())
    return np.concatenate(parts)


def test_uniform_numbers_are_uniform():
    drawn = _filled(rn.fill_uniform)
    assert stats.kstest(drawn, "uniform").pvalue > LIKELY
    assert abs(np.corrcoef(drawn[1:], drawn[:-1])[0, 1]) < 4 / np.sqrt(N)


def test_filling_equals_drawing_one_by_one():
    words = rn.seeded_words(7, 0, "cells")
    assert np.array_equal(_filled(rn.fill_uniform, n=20), [rn.uniform(words, 0) for _ in range(20)])


def test_normal_numbers_are_normal():
    drawn = _filled(rn.fill_normal)
    assert stats.kstest(drawn, "norm").pvalue > LIKELY
    assert stats.kstest(drawn * 1.02, "norm").pvalue < LIKELY  # control: two per cent too wide is seen


def test_exponential_numbers_are_exponential_and_so_is_their_tail():
    words = rn.seeded_words(7, 0, "cells")
    drawn = np.array([rn.exponential(words, 0) for _ in range(N)])
    assert stats.kstest(drawn, "expon").pvalue > LIKELY
    assert stats.kstest(drawn * 1.02, "expon").pvalue < LIKELY
    beyond = drawn[drawn > 7.697117470131487] - 7.697117470131487  # where the ziggurat's tail begins
    assert beyond.size == pytest.approx(N * np.exp(-7.697117470131487), abs=4 * np.sqrt(N * np.exp(-7.697117470131487)))
    assert stats.kstest(beyond, "expon").pvalue > LIKELY


@pytest.mark.parametrize("p", [0.0, 1e-4, 0.05, 0.5, 0.99, 1.0, 1.5])
def test_hits_are_independent_trials(p):
    """Also where the gaps reach from one step into the next: steps of 100 trials."""
    hits = _filled(rn.fill_hits, rn.hit_scale(p), n=100, rounds=2000)
    expected = min(p, 1.0)
    assert set(hits) <= {0.0, 1.0}
    assert abs(hits.mean() - expected) <= 4 * np.sqrt(expected * (1 - expected) / hits.size)
    if 0.01 < p < 0.9:  # neighbours and trials one step apart do not know of each other
        for lag in (1, 100):
            assert abs(np.corrcoef(hits[lag:], hits[:-lag])[0, 1]) < 4 / np.sqrt(hits.size)


@pytest.mark.parametrize("rate", [0.0, 0.03, 0.7, 3.0, 900.0])
def test_counts_are_poisson(rate):
    counts = _filled(rn.fill_counts, rate, n=100, rounds=2000)
    assert abs(counts.mean() - rate) <= 4 * np.sqrt(rate / counts.size)
    assert counts.var() == pytest.approx(rate, rel=0.03)  # of 200 000 draws it scatters by one per cent at most
    if 0 < rate < 10:
        seen = np.bincount(counts.astype(int), minlength=12)[:12]
        expected = stats.poisson.pmf(np.arange(12), rate) * counts.size
        enough = expected > 10
        assert (
            stats.chisquare(seen[enough], expected[enough] * seen[enough].sum() / expected[enough].sum()).pvalue
            > LIKELY
        )


@pytest.mark.parametrize("rate", [0.0, 0.4, 19.0, 75.0])
def test_single_poisson_numbers_have_mean_and_variance_of_the_rate(rate):
    words = rn.seeded_words(7, 0, "cells")
    drawn = np.array([rn.poisson(words, 0, rate) for _ in range(20_000)])
    assert abs(drawn.mean() - rate) <= 4 * np.sqrt(rate / drawn.size)
    assert abs(drawn.var() - rate) <= 4 * np.sqrt((rate + 2 * rate**2) / drawn.size)


def test_generators_follow_seed_trial_and_name():
    first = rn.seeded_words(1, 0, "a")
    assert np.array_equal(first, rn.seeded_words(1, 0, "a"))
    assert not any(np.array_equal(first, rn.seeded_words(*other)) for other in [(2, 0, "a"), (1, 1, "a"), (1, 0, "b")])
    with pytest.raises(InputError, match="whole number"):
        rn.seeded_words(-1, 0, "a")


def _network(equations, **more):
    model = NeuronModel(equations=equations, **{"threshold": "v > 1", "reset": "v = 0", "method": "euler", **more})
    return Network(name="noise", populations={"cells": Population(size=100, neuron=model)})


DRAWS = {
    "rand()": (1 / 2, 1 / 12),
    "randn()": (0.0, 1.0),
    "poisson(0.3)": (0.3, 0.3),
    "int(rand() < 0.3)": (0.3, 0.21),
    "2*int(rand() <= 0.3) + 0": (0.6, 0.84),
    "int(0.3 > rand())": (0.3, 0.21),
    "int(rand() < 0.3 + p)": (0.3, 0.21),
    "poisson(0.3 + p)": (0.3, 0.3),
}
"""Expression to mean and variance; p is a variable that is zero."""


@pytest.fixture(scope="module")
def drawn():
    lines = [f"u{k} = {text} : 1 (constant over dt)\ndv{k}/dt = (u{k} - v{k})/dt : 1" for k, text in enumerate(DRAWS)]
    network = _network("\n".join(["p : 1", *lines]), threshold=None, reset="")
    record = [f"cells.v{k}" for k in range(len(DRAWS))]
    traces = compile_network(network, "fused", dt="1 ms").run({}, duration="500 ms", record=record).traces
    return {text: traces[name].to_numpy().ravel() for text, name in zip(DRAWS, record, strict=True)}


@pytest.mark.parametrize("text", DRAWS)
def test_every_way_to_draw_has_the_moments_of_its_distribution(drawn, text):
    mean, variance = DRAWS[text]
    assert drawn[text].mean() == pytest.approx(mean, abs=4 * np.sqrt(variance / drawn[text].size))
    # the variance of a sample of 50 000 scatters by one per cent of itself at most for these distributions
    assert drawn[text].var() == pytest.approx(variance, rel=0.04)


def test_calls_that_look_alike_draw_numbers_of_their_own(drawn):
    one, two = drawn["int(rand() < 0.3)"], drawn["int(0.3 > rand())"]
    assert abs(np.corrcoef(one, two)[0, 1]) < 4 / np.sqrt(one.size)


def test_a_noisy_population_fires_as_in_brian2():
    network = _network("dv/dt = (0.9 - v)/(20*ms) + 0.3*sqrt(2/(20*ms))*xi : 1")
    rates = [
        np.bincount(compile_network(network, name, dt="0.5 ms").run({}, duration="2 s", seed=2).spike_index()[1]).mean()
        / 2
        for name in ("fused", "brian2")
    ]
    assert rates[0] == pytest.approx(rates[1], rel=0.05)  # 100 neurons times 2 s at some 20 Hz: 1.5 % is one s.d.
    assert rates[0] > 5


def test_trials_of_one_run_are_different():
    from snncompare.testing.networks import poisson_input

    network = _network("dv/dt = (0.9 - v)/(20*ms) + 0.3*sqrt(2/(20*ms))*xi : 1")
    source = Population(size=12, neuron={"type": "SpikeSource"})
    both = network.model_copy(update={"populations": {**network.populations, "source": source}})
    run = compile_network(both, "fused", dt="0.5 ms").run({"source": poisson_input()}, duration="1 s")
    one, two = (run.select(trials=np.arange(2) == k).times for k in range(2))
    assert one.size
    assert not np.array_equal(one, two)
