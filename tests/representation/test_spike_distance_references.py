"""The distances against values computed by another program, and against that program."""

import neo
import numpy as np
import pytest
import quantities as pq

from snncompare.representation.compiled import van_rossum
from snncompare.representation.compiled import victor_purpura as edits
from snncompare.representation.compiled.trains import Trains

TOLERANCE = 1e-9  # the reference says that it agrees with a plain recursion to 1e-13


def van_rossum_squared(trains, taus):
    every = range(trains.n_trials)
    return van_rossum.van_rossum_squared(trains, taus, every, every)


def victor_purpura(trains, costs):
    every = range(trains.n_trials)
    return edits.victor_purpura(trains, costs, every, every)


@pytest.fixture(scope="module")
def reference(shared_data):
    file = shared_data / "reference_values" / "spike_distances.npz"
    if not file.is_file():
        pytest.skip(f"reference values are not here ({file})")
    with np.load(file) as values:
        return dict(values)


def test_victor_purpura_has_the_reference_values(reference):
    names = [name for name in reference if name.startswith("victor_purpura_q")]
    costs = np.array([float(name.removeprefix("victor_purpura_q")) for name in names])
    ours = victor_purpura(Trains(reference["times"], reference["offsets"].astype(np.int64), 1, 0.0, 10.0), costs)
    assert 0.0 in costs
    assert len(names) == 5
    for name, matrix in zip(names, ours, strict=True):
        np.testing.assert_allclose(matrix, reference[name], rtol=0, atol=TOLERANCE, err_msg=name)


def test_van_rossum_has_the_reference_values(reference):
    names = [name for name in reference if name.startswith("van_rossum_tau")]
    taus = np.array([float(name.removeprefix("van_rossum_tau")) for name in names])
    ours = np.sqrt(
        van_rossum_squared(Trains(reference["times"], reference["offsets"].astype(np.int64), 1, 0.0, 10.0), taus)
    )
    assert len(names) == 4
    for name, matrix in zip(names, ours, strict=True):
        np.testing.assert_allclose(matrix, reference[name], rtol=0, atol=TOLERANCE, err_msg=name)


def test_both_equal_elephant_on_random_trains():
    elephant = pytest.importorskip("elephant.spike_train_dissimilarity")
    rng = np.random.default_rng(2)
    trains = [np.sort(rng.uniform(0, 1, n)) for n in (0, 1, 3, 12, 30, 30)]
    theirs = [neo.SpikeTrain(train, units="s", t_stop=1.0) for train in trains]
    offsets = np.concatenate([[0], np.cumsum([train.size for train in trains])]).astype(np.int64)
    ours = Trains(np.concatenate(trains), offsets, 1, 0.0, 10.0)
    for cost in (0.5, 20.0, 300.0):
        expected = elephant.victor_purpura_distance(theirs, cost_factor=cost * pq.Hz)
        np.testing.assert_allclose(victor_purpura(ours, np.array([cost]))[0], expected, rtol=0, atol=1e-11)
    for tau in (0.002, 0.05, 1.0):
        expected = elephant.van_rossum_distance(theirs, time_constant=tau * pq.s)
        np.testing.assert_allclose(
            np.sqrt(van_rossum_squared(ours, np.array([tau]))[0]), expected, rtol=1e-9, atol=3e-7
        )
