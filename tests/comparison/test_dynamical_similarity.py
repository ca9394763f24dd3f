"""Dynamical similarity: the operators and scores of the DSA package, and systems whose distance is known."""

import warnings

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from scipy.spatial.transform import Rotation

from snncompare.comparison.dynamics.operators import delay_embedding, dynamics_operator, eigenvalue_distance
from snncompare.comparison.dynamics.rate_trajectories import rate_trajectories
from snncompare.comparison.dynamics.similarity import dynamical_similarity, operator_similarity
from snncompare.errors import InputError
from snncompare.recording.recording import Recording


def rotation(seed, n, *, reflect=False):
    q = np.linalg.qr(np.random.default_rng(seed).normal(size=(n, n)))[0]
    q[:, 0] *= np.sign(np.linalg.det(q)) * (-1 if reflect else 1)
    return q


def oscillators(frequencies, decay, n=4, n_samples=120, seed=0):
    """Return trajectories of damped oscillators, (n_trajectories, n_samples, 2 * number of oscillators)."""
    blocks = [
        decay * np.array([[np.cos(w), -np.sin(w)], [np.sin(w), np.cos(w)]]) for w in 2 * np.pi * np.asarray(frequencies)
    ]
    size = 2 * len(blocks)
    step = np.zeros((size, size))
    for k, block in enumerate(blocks):
        step[2 * k : 2 * k + 2, 2 * k : 2 * k + 2] = block
    state = np.random.default_rng(seed).normal(size=(n, size))
    path = [state]
    for _ in range(n_samples - 1):
        path.append(path[-1] @ step.T)
    return np.stack(path, axis=1), step


@pytest.fixture(scope="module")
def dsa():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # on import, of packages that it brings along
        pytest.importorskip("DSA")
        from DSA import dmd, simdist
    return dmd.DMD, simdist.SimilarityTransformDist


@pytest.fixture
def double_precision():
    torch = pytest.importorskip("torch")
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)  # the package embeds in the default type
    yield
    torch.set_default_dtype(before)


@pytest.mark.parametrize(("delays", "rank"), [(1, 3), (4, 8), (6, 5)])
def test_operators_are_those_of_the_dsa_package(dsa, double_precision, delays, rank):
    walk = np.cumsum(np.random.default_rng(delays).normal(size=(4, 80, 5)), axis=1)
    theirs = dsa[0](walk, n_delays=delays, rank=rank, lamb=0)
    theirs.fit()
    theirs = theirs.A_v.numpy()
    ours = dynamics_operator(walk, delays, rank)
    np.testing.assert_allclose(np.abs(ours), np.abs(theirs), atol=1e-11)  # singular vectors have free signs
    np.testing.assert_allclose(
        np.sort_complex(np.linalg.eigvals(ours)), np.sort_complex(np.linalg.eigvals(theirs)), atol=1e-11
    )


@pytest.mark.parametrize(("n", "reached"), [(2, True), (3, False), (6, True)])
def test_scores_are_at_most_those_of_the_dsa_package(dsa, n, reached):
    """Both minimise. Theirs is Adam in single precision; for these operators of size 3 it stays in a local minimum."""
    torch = pytest.importorskip("torch")
    a, b = (m / np.linalg.norm(m) for m in np.random.default_rng(n).normal(size=(2, n, n)))
    ours = operator_similarity(a, b)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.manual_seed(0)
        fit = dsa[1](iters=300, lr=0.02, score_method="angular")
        angular = float(fit.fit_score(a.copy(), b.copy()))
        euclidean = float(fit.score(score_method="euclidean"))
        wasserstein = float(dsa[1](score_method="wasserstein").fit_score(a.copy(), b.copy()))
    assert ours.angle <= angular + 1e-3  # arccos in single precision
    assert ours.euclidean <= euclidean + 1e-5
    assert (ours.angle > angular - 0.1) == reached  # Adam has not quite arrived after 300 steps
    assert ours.eigenvalue_distance**2 == pytest.approx(wasserstein, abs=1e-5)  # the package takes no root


def test_the_minimum_over_space_is_that_of_very_many_rotations():
    a, b = (m / np.linalg.norm(m) for m in np.random.default_rng(3).normal(size=(2, 3, 3)))
    turns = Rotation.random(40_000, rng=0).as_matrix()  # reflections are minus these: the same for odd sizes
    best = np.linalg.norm(a - turns @ b @ turns.transpose(0, 2, 1), axis=(1, 2)).min()
    found = operator_similarity(a, b).euclidean
    assert best - 0.05 < found <= best  # 40 000 rotations are about 5 degrees apart


@pytest.mark.parametrize("n", [1, 2, 5, 8])
@pytest.mark.parametrize("reflect", [False, True])
def test_a_rotated_or_reflected_operator_has_distance_0(n, reflect):
    a, q = np.random.default_rng(n).normal(size=(n, n)), rotation(1, n, reflect=reflect and n > 1)
    found = operator_similarity(a, q @ a @ q.T)
    assert found.angle == pytest.approx(0, abs=1e-6)
    assert found.euclidean == pytest.approx(0, abs=1e-5)
    assert found.eigenvalue_distance == pytest.approx(0, abs=1e-10)
    np.testing.assert_allclose(found.rotation @ found.rotation.T, np.eye(n), atol=1e-10)


def test_both_components_of_the_orthogonal_group_are_searched():
    """Rotations alone cannot turn one handedness of a plane into the other."""
    a = np.array([[0.9, -0.4], [0.4, 0.9]])
    assert operator_similarity(a, a.T, n_starts=0).angle == pytest.approx(0, abs=1e-7)
    by_rotation = [np.sum(a * (q @ a.T @ q.T)) for q in (rotation(k, 2) for k in range(20))]
    assert max(by_rotation) < 0.9 * np.sum(a * a)


@pytest.mark.parametrize("seed", range(3))
def test_the_minimum_over_the_plane_is_found(seed):
    a, b = np.random.default_rng(seed).normal(size=(2, 2, 2))
    angles = np.linspace(0, np.pi, 4001)
    turns = [np.array([[np.cos(t), -np.sin(t)], [np.sin(t), np.cos(t)]]) for t in angles]
    every = [q @ flip for q in turns for flip in (np.eye(2), np.diag([1, -1]))]
    best = min(np.linalg.norm(a - q @ b @ q.T) for q in every)
    assert operator_similarity(a, b, n_starts=0).euclidean == pytest.approx(best, abs=1e-5)  # grid of 0.001 radians


def test_starts_of_one_component_would_miss_a_minimum_in_the_other():
    """For these two operators the computed starts lead to 0.599 in one component and to 0.670 in the other."""
    a, b = (m / np.linalg.norm(m) for m in np.random.default_rng(7).normal(size=(2, 4, 4)))
    assert np.cos(operator_similarity(a, b, n_starts=0).angle) == pytest.approx(0.66984, abs=1e-5)
    assert np.cos(operator_similarity(a, b, n_starts=8).angle) == pytest.approx(0.66984, abs=1e-5)


def test_random_starts_help_or_do_no_harm():
    a, b = np.random.default_rng(5).normal(size=(2, 8, 8))
    few, many = (operator_similarity(a, b, n_starts=k).angle for k in (0, 4))
    assert many <= few + 1e-9


def test_the_angle_is_symmetric_and_does_not_depend_on_scale():
    a, b = np.random.default_rng(6).normal(size=(2, 4, 4))
    found = operator_similarity(a, b)
    assert operator_similarity(b, a).angle == pytest.approx(found.angle, abs=1e-6)
    assert operator_similarity(a, 3 * b).angle == pytest.approx(found.angle, abs=1e-6)
    assert operator_similarity(a, 3 * b).euclidean != pytest.approx(found.euclidean, abs=0.1)
    unit = [m / np.linalg.norm(m) for m in (a, b)]
    assert operator_similarity(*unit).euclidean == pytest.approx(2 * np.sin(found.angle / 2), abs=1e-6)


def test_eigenvalues_do_not_see_what_is_not_normal():
    normal, sheared = np.diag([0.9, 0.5]), np.array([[0.9, 2.0], [0.0, 0.5]])
    assert eigenvalue_distance(normal, sheared) == pytest.approx(0, abs=1e-12)
    assert operator_similarity(normal, sheared).angle > 0.5
    assert eigenvalue_distance(normal, np.diag([0.4, 0.9])) == pytest.approx(np.sqrt(0.1**2 / 2))


def test_the_operator_of_a_linear_system_has_its_eigenvalues():
    paths, step = oscillators([0.05, 0.12], 0.99)
    found = np.linalg.eigvals(dynamics_operator(paths, 1, 4))
    np.testing.assert_allclose(np.sort_complex(found), np.sort_complex(np.linalg.eigvals(step)), atol=1e-10)
    through_one_unit = np.linalg.eigvals(dynamics_operator(paths.sum(axis=2, keepdims=True), 4, 4))
    np.testing.assert_allclose(
        np.sort_complex(through_one_unit), np.sort_complex(np.linalg.eigvals(step)), atol=1e-8
    )  # a delay embedding sees what one unit does not show at once


def test_no_step_leads_from_one_trajectory_to_the_next():
    paths, step = oscillators([0.05], 0.99, n=6)
    joined = paths.reshape(1, -1, 2)
    wanted = np.sort_complex(np.linalg.eigvals(step))
    assert np.abs(np.sort_complex(np.linalg.eigvals(dynamics_operator(joined, 1, 2))) - wanted).max() > 1e-3


def test_equal_dynamics_in_other_coordinates_are_alike_and_others_are_not():
    paths, _ = oscillators([0.04, 0.11], 0.995)
    turned = paths @ rotation(2, 4) + 0.0
    mixed = paths @ np.random.default_rng(3).normal(size=(4, 9)) * 0.1
    other, _ = oscillators([0.02, 0.2], 0.995)
    faded, _ = oscillators([0.04, 0.11], 0.96)
    same = dynamical_similarity(paths, turned, delays=3, rank=4)
    assert same.angle == pytest.approx(0, abs=1e-6)
    assert dynamical_similarity(paths, mixed, delays=3, rank=4).eigenvalue_distance == pytest.approx(0, abs=1e-7)
    for unlike in (other, faded):
        found = dynamical_similarity(paths, unlike, delays=3, rank=4)
        assert found.angle > 0.01
        assert found.eigenvalue_distance > 0.03


def test_delays_put_the_present_first():
    paths = np.arange(12.0).reshape(1, 6, 2)
    assert delay_embedding(paths, 3).tolist() == [
        [[4, 5, 2, 3, 0, 1], [6, 7, 4, 5, 2, 3], [8, 9, 6, 7, 4, 5], [10, 11, 8, 9, 6, 7]]
    ]


def recording(seed=0):
    generator = np.random.default_rng(seed)
    n = 400
    return Recording.from_arrays(
        times=np.r_[generator.uniform(-0.1, 0.5, n - 2), -0.1, 0.2],
        unit=generator.integers(0, 3, n),
        trial=generator.integers(0, 8, n),
        units=pd.DataFrame(index=range(3)),
        trials=pd.DataFrame({"start": -0.1, "stop": 0.5, "tone": ["b", "a"] * 4}),
    )


def test_rate_trajectories_are_the_filter_at_the_exact_spike_times():
    given = recording()
    found = rate_trajectories(given, "tone", "20 ms", "7 ms")
    trial, unit = given.spike_index()
    expected = np.zeros(found.shape)
    for time, t, u in zip(given.times, trial, unit, strict=True):
        lag = found.time.to_numpy() - time
        condition = ["b", "a"].index(given.trials["tone"].iloc[t])
        expected[condition, :, u] += np.where(lag > -1e-12, np.exp(-np.maximum(lag, 0) / 0.02) / 0.02, 0) / 4
    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-9)
    assert found.condition.to_numpy().tolist() == ["b", "a"]
    assert found.sizes["time"] == 86
    assert float(found.time[0]) == -0.1


def test_a_spike_adds_its_time_constant_times_its_height_and_nothing_before_it():
    one = Recording.from_arrays(
        times=[0.1],
        unit=[0],
        trial=[0],
        units=pd.DataFrame(index=[0]),
        trials=pd.DataFrame({"start": 0.0, "stop": 1.0, "tone": ["a", "b"]}),
    )
    found = rate_trajectories(one, "tone", "20 ms", "1 ms").sel(condition="a").isel(unit=0)
    assert (found.to_numpy()[:100] == 0).all()
    assert found.to_numpy()[100] == pytest.approx(50)
    assert float(found.sum()) * 0.001 == pytest.approx(1, abs=0.03)  # a sum for an integral, step / (2 tau)


def test_units_of_different_sessions_keep_their_own_trials():
    two = Recording.from_arrays(
        times=[0.1, 0.2, 0.3],
        unit=[0, 0, 1],
        trial=[0, 2, 3],
        units=pd.DataFrame({"session": ["p", "q"]}, index=[0, 1]),
        trials=pd.DataFrame(
            {"start": 0.0, "stop": 1.0, "tone": ["a", "b", "a", "b", "a"], "session": ["p", "p", "p", "q", "q"]}
        ),
    )
    found = rate_trajectories(two, "tone", "20 ms", "1 ms", join="session")
    assert float(found.sel(condition="a", unit=0)[100]) == pytest.approx(50 / 2)  # two trials of "a" in session p
    assert float(found.sel(condition="b", unit=1)[300]) == pytest.approx(50)
    with pytest.raises(InputError, match="join='session'"):
        rate_trajectories(two, "tone", "20 ms", "1 ms")


def test_trajectories_of_spikes_are_compared_by_condition():
    first, second = (rate_trajectories(recording(k), "tone", "20 ms", "10 ms") for k in (0, 1))
    found = dynamical_similarity(first, second, delays=3, rank=4)
    assert 0 < found.angle < np.pi
    turned = second.isel(condition=[1, 0])
    assert dynamical_similarity(first, turned, delays=3, rank=4).angle == pytest.approx(found.angle, abs=1e-5)
    assert dynamical_similarity(first, second.transpose("unit", "time", "condition"), delays=3, rank=4).angle == (
        pytest.approx(found.angle, abs=1e-5)
    )
    with pytest.raises(InputError, match=r"different conditions: \['b', 'a'\] and \['b', 'c'\]"):
        dynamical_similarity(first, second.assign_coords(condition=["b", "c"]), delays=3, rank=4)
    with pytest.raises(InputError, match=r"steps of 0.01 s and 0.02 s"):
        dynamical_similarity(first, rate_trajectories(recording(1), "tone", "20 ms", "20 ms"), delays=3, rank=4)
    with pytest.raises(InputError, match="condition, time, unit"):
        dynamical_similarity(first, xr.DataArray(np.ones((2, 3, 4))), delays=3, rank=4)


def test_what_cannot_be_used_is_refused():
    paths, _ = oscillators([0.1], 0.99)
    for change, words in (
        ({"delays": 0}, "delays must be a whole number"),
        ({"rank": 2.0}, "rank must be a whole number"),
        ({"n_starts": -1}, "n_starts"),
        ({"delays": 120}, "samples are too few"),
        ({"rank": 5}, "2 independent directions"),
    ):
        with pytest.raises(InputError, match=words):
            dynamical_similarity(paths, paths, **{"delays": 2, "rank": 2, **change})
    with pytest.raises(InputError, match="zero everywhere"):
        dynamical_similarity(0 * paths, paths, delays=2, rank=2)
    with pytest.raises(InputError, match="finite trajectories"):
        dynamical_similarity(paths[0], paths, delays=2, rank=2)
    with pytest.raises(InputError, match="same size"):
        operator_similarity(np.eye(2), np.eye(3))
    with pytest.raises(InputError, match="operator is zero"):
        operator_similarity(np.eye(2), np.zeros((2, 2)))
    with pytest.raises(InputError, match="gives one sample"):
        rate_trajectories(recording(), "tone", "20 ms", "2 s")
    with pytest.raises(InputError, match="above zero"):
        rate_trajectories(recording(), "tone", "0 ms", "2 ms")
    longer = recording().trials.assign(stop=[0.5] * 7 + [0.6])
    unlike = Recording.from_arrays(times=[], unit=[], trial=[], units=pd.DataFrame(index=[0]), trials=longer)
    with pytest.raises(InputError, match="one common window"):
        rate_trajectories(unlike, "tone", "20 ms", "2 ms")
