"""Numbers by counter: they depend on key and index only, and are as random as numbers of a generator."""

import numpy as np
import pytest

from snncompare.backends.analog.frozen.counters import bits, normal, uniform

KEY = ("parameter", "cells", "tau")


def test_a_value_depends_on_its_index_not_on_what_else_is_drawn():
    many = uniform(KEY, np.arange(1000))
    order = np.random.default_rng(0).permutation(1000)
    assert np.array_equal(uniform(KEY, order), many[order])
    assert float(uniform(KEY, 7)) == many[7]
    assert np.array_equal(uniform(KEY, np.arange(10)), many[:10])


@pytest.mark.parametrize("other", [("parameter", "cells", "tau_m"), ("parameter", "cell", "stau"), (*KEY, 0), KEY[:2]])
def test_every_part_of_the_key_matters(other):
    assert not np.isin(bits(other, np.arange(1000)), bits(KEY, np.arange(1000))).any()


def test_texts_and_numbers_of_the_same_look_are_different_keys():
    assert bits(("a", 1), 0) != bits(("a", "1"), 0)
    assert bits(("ab", "c"), 0) != bits(("a", "bc"), 0)


@pytest.mark.parametrize("kind", [np.int64, np.int32, np.uint8])
def test_a_draw_does_not_depend_on_the_type_of_a_number(kind):
    """Before, seeds 5 and np.int64(5) gave different draws."""
    assert np.array_equal(bits((kind(5), "noise"), np.arange(9)), bits((5, "noise"), np.arange(9)))
    assert bits((kind(6), "noise"), 0) != bits((5, "noise"), 0)
    assert bits((kind(5), "noise"), 0) != bits(("5", "noise"), 0)


def test_several_indices_are_broadcast_and_their_order_matters():
    grid = normal(KEY, np.arange(5)[:, None], np.arange(7))
    assert grid.shape == (5, 7)
    assert grid[3, 4] == normal(KEY, 3, 4)
    assert normal(KEY, 3, 4) != normal(KEY, 4, 3)


def test_uniform_numbers_are_evenly_spread_and_stay_inside():
    u = uniform(KEY, np.arange(200_000))
    counts = np.bincount((u * 100).astype(int), minlength=100)
    chi = ((counts - 2000.0) ** 2 / 2000.0).sum()
    assert 51 < chi < 164  # 99 degrees of freedom: 1e-5 on either side
    assert u.min() > 0
    assert u.max() < 1
    skewed = np.bincount((u**1.05 * 100).astype(int), minlength=100)
    assert ((skewed - 2000.0) ** 2 / 2000.0).sum() > 164


@pytest.mark.parametrize("axis", [0, 1])
def test_neighbours_in_device_and_neuron_are_independent(axis):
    z = normal(KEY, np.arange(400)[:, None], np.arange(400))
    first, second = np.moveaxis(z, axis, 0)[:-1].ravel(), np.moveaxis(z, axis, 0)[1:].ravel()
    assert abs(np.corrcoef(first, second)[0, 1]) < 5 / np.sqrt(first.size)  # five standard errors
    assert abs(z.mean()) < 5 / 400
    assert abs(z.std() - 1) < 5 / 400 / np.sqrt(2)
    assert abs(np.corrcoef(first, first + 0.05 * second)[0, 1]) > 5 / np.sqrt(first.size)
