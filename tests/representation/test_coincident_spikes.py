"""Profile distances of trains with many coincident spikes depend on nothing but the two trains."""

import numpy as np
import pytest

from snncompare.representation.compiled.isi import isi
from snncompare.representation.compiled.spike import spike
from snncompare.representation.compiled.trains import Trains

THRESHOLDS = np.array([0.0, 0.3, 5.0, 0.0, 0.3])
RATE_INDEPENDENT = np.array([False, False, False, True, True])


def packed(trials):
    flat = [train for trial in trials for train in trial]
    offsets = np.concatenate([[0], np.cumsum([len(train) for train in flat])]).astype(np.int64)
    return Trains(np.concatenate(flat).astype(float), offsets, len(trials[0]), 0.0, 2.0)


def population(seed):
    """Return 20 to 40 trials of 1 to 3 units: half of the trains on a grid of 17 times, edges included, some silent."""
    rng = np.random.default_rng(seed)

    def train():
        if rng.random() < 0.5:
            return np.sort(rng.choice(17, rng.integers(0, 9), replace=False)) / 8
        return np.sort(rng.uniform(0, 2, rng.integers(0, 12)))

    n_units = int(rng.integers(1, 4))
    trials = [[train() for _ in range(n_units)] for _ in range(int(rng.integers(20, 41)))]
    trials[-1] = [one.copy() for one in trials[0]]
    return trials


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("distance", [isi, spike], ids=["ISI", "SPIKE"])
def test_a_pair_has_one_value_whatever_the_order_and_the_block(distance, seed):
    trials = population(seed)
    every, n = range(len(trials)), len(trials)
    parameters = (THRESHOLDS[:3],) if distance is isi else (THRESHOLDS, RATE_INDEPENDENT)
    found = distance(packed(trials), *parameters, every, every)
    turned = distance(packed(trials[::-1]), *parameters, every, every)
    np.testing.assert_array_equal(found, turned[:, ::-1, ::-1])
    np.testing.assert_array_equal(found, found.swapaxes(1, 2))
    block = distance(packed(trials), *parameters, range(7), range(7, n))
    np.testing.assert_array_equal(block, found[:, :7, 7:])
    assert (found[:, 0, -1] == 0).all()  # a copy
    assert found.min() >= 0
    assert found.max() <= 1 + 1e-12  # rounding of a sum over segments
    assert (found[:, 0, 1:-1] > 0).any()  # negative control: other trains are elsewhere
