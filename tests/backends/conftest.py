"""A comparison of both backends that the tests of this room share."""

import numpy as np
import pytest

import snncompare as sc
from snncompare.testing.conformance import same_spikes


def largest_difference(one, two):
    """Return by how much traces differ, relative to the largest value of each."""
    differences = [0.0]
    for name, trace in two.traces.items():
        scale = np.abs(trace.values).max() or 1.0
        differences.append(float(np.abs(one.traces[name].values - trace.values).max() / scale))
    return max(differences)


@pytest.fixture
def both():
    """Return a function that runs a network on both backends and says whether spikes are the same, and traces."""

    def run(network, inputs=None, *, record=None, duration="1 s", dt="0.5 ms", seed=3, changed=None, weights=None):
        runs = [
            sc.compile(description, name, dt=dt, weights=weights, seed=seed).run(
                inputs or {}, duration=duration, record=record
            )
            for name, description in (("torch", changed or network), ("brian2", network))
        ]
        return same_spikes(*runs), largest_difference(*runs), runs[1].times.size

    return run
