"""CKA, Procrustes and Bures of Gram matrices equal their feature-space formulas and rsatoolbox."""

import numpy as np
import pytest
import xarray as xr
from rsatoolbox.rdm import compare as reference
from scipy.linalg import orthogonal_procrustes
from scipy.spatial.distance import pdist

from snncompare.comparison.gram_measures import bures, cka, procrustes
from snncompare.comparison.measures import Bures, BuresMetric, WhitenedCosine
from snncompare.errors import InputError
from snncompare.representation.condition_gram import condition_gram
from snncompare.representation.estimators import BetweenMinusWithin
from snncompare.representation.rdm import rdm_from_distances

N = 12


def points(seed, n=N, features=20):
    return np.random.default_rng(seed).normal(size=(n, features))


def gram(features):
    return features @ features.T


def labelled(matrix, labels, dimension="condition"):
    return xr.DataArray(
        matrix, dims=(dimension, f"{dimension}_"), coords={dimension: list(labels), f"{dimension}_": list(labels)}
    )


def hsic_by_enumeration(k, other):
    """Return the U-statistic of Song et al. (2012), eq. 4: the mean over all quadruples of different trials."""
    n = len(k)
    total = count = 0.0
    for i in range(n):
        for j in set(range(n)) - {i}:
            for q in set(range(n)) - {i, j}:
                for r in set(range(n)) - {i, j, q}:
                    total += k[i, j] * (other[i, j] + other[q, r] - 2 * other[i, q])
                    count += 1
    return total / count


def test_biased_cka_is_the_feature_space_formula_and_the_whitened_cosine():
    a, b = points(1), points(2, features=7)
    x, y = a - a.mean(axis=0), b - b.mean(axis=0)
    direct = np.linalg.norm(x.T @ y) ** 2 / np.linalg.norm(x.T @ x) / np.linalg.norm(y.T @ y)
    ours = cka(gram(a), gram(b), debiased=False)
    assert ours == pytest.approx(direct, abs=1e-13)
    distances = [pdist(p)[None] ** 2 for p in (a, b)]
    assert ours == pytest.approx(reference(*distances, "cosine_cov")[0, 0], abs=1e-13)
    assert ours == pytest.approx(WhitenedCosine().between(*distances)[0, 0], abs=1e-13)


def test_debiased_cka_is_the_mean_over_quadruples():
    k, other = gram(points(1, 7)), gram(points(2, 7, 3) ** 2)
    cross, own, others = (hsic_by_enumeration(*pair) for pair in ((k, other), (k, k), (other, other)))
    assert cka(k, other) == pytest.approx(cross / np.sqrt(own * others), abs=1e-12)
    assert cka(k, other) != pytest.approx(cka(k, other, debiased=False), abs=0.01)


def test_debiased_cka_of_unrelated_data_is_0_on_average_and_biased_cka_is_not():
    pairs = [(gram(points(k, 15, 60)), gram(points(1000 + k, 15, 60))) for k in range(300)]
    debiased = np.array([cka(*pair) for pair in pairs])
    standard_error = debiased.std() / np.sqrt(len(pairs))
    assert abs(debiased.mean()) < 3 * standard_error
    assert np.mean([cka(*pair, debiased=False) for pair in pairs]) > 0.7


def test_noise_lifts_the_biased_cka_of_unrelated_responses_and_hides_true_ones_from_neither():
    """Noisy views, 40 units, of responses that are the same or unrelated; the debiased value tells them apart."""
    generator = np.random.default_rng(0)

    def view(response):
        return gram(response @ generator.normal(size=(4, 40)) + 3 * generator.normal(size=(20, 40)))

    first, second = generator.normal(size=(2, 60, 20, 4))
    same = [(view(a), view(a)) for a in first]
    unrelated = [(view(a), view(b)) for a, b in zip(first, second, strict=True)]
    for debiased, at_chance in ((True, (-0.03, 0.03)), (False, (0.4, 0.6))):  # standard error of the mean: 0.008
        values = [np.mean([cka(*pair, debiased=debiased) for pair in pairs]) for pairs in (same, unrelated)]
        assert at_chance[0] < values[1] < at_chance[1]
        assert values[0] > values[1] + 0.04


def test_procrustes_is_the_best_rotation_of_the_features():
    a, b = (points(k) - points(k).mean(axis=0) for k in (1, 2))
    rotation, _ = orthogonal_procrustes(b, a)
    assert procrustes(gram(a), gram(b)) == pytest.approx(np.linalg.norm(a - b @ rotation) ** 2, abs=1e-9)
    nuclear = np.linalg.svd(a.T @ b, compute_uv=False).sum()
    cosine = nuclear / np.linalg.norm(a) / np.linalg.norm(b)
    assert bures(gram(a), gram(b)) == pytest.approx(cosine, abs=1e-12)
    assert procrustes(gram(a), gram(b), angular=True) == pytest.approx(np.arccos(cosine), abs=1e-12)


def test_procrustes_and_bures_are_the_measures_of_the_rdms():
    a, b = points(1), points(2, features=5)
    x, y = (pdist(p)[None] ** 2 for p in (a, b))
    assert bures(gram(a), gram(b)) == pytest.approx(Bures().between(x, y)[0, 0], abs=1e-11)
    assert bures(gram(a), gram(b)) == pytest.approx(reference(x, y, "bures")[0, 0], abs=1e-7)  # their root of rounding
    assert procrustes(gram(a), gram(b)) == pytest.approx(BuresMetric().between(x, y)[0, 0], abs=1e-9)
    assert procrustes(gram(a), gram(b)) == pytest.approx(reference(x, y, "bures_metric")[0, 0], abs=1e-5)


def test_rotations_and_shifts_of_the_features_do_not_matter_but_stretching_does():
    a = points(1)
    rotation = np.linalg.qr(points(3, 20, 20))[0]
    same, stretched = gram(a @ rotation + 3), gram(a * np.linspace(0.1, 4, 20))
    for debiased in (True, False):
        assert cka(gram(a), 5 * same, debiased=debiased) == pytest.approx(1, abs=1e-12)
        assert cka(gram(a), stretched, debiased=debiased) < 0.95
    assert procrustes(gram(a), same) == pytest.approx(0, abs=1e-10)
    assert procrustes(gram(a), 5 * same) > 1
    assert bures(gram(a), 5 * same) == pytest.approx(1, abs=1e-12)
    assert procrustes(gram(a), stretched, angular=True) > 0.1


def test_the_angular_distance_obeys_the_triangle_inequality():
    grams = [gram(points(k, 8, 4)) for k in range(6)]
    angle = np.array([[procrustes(a, b, angular=True) for b in grams] for a in grams])
    np.testing.assert_allclose(angle, angle.T, atol=1e-7)  # arccos near 1 turns 1e-16 into 1e-8
    assert (angle[:, :, None] <= angle[:, None, :] + angle.T[None, :, :] + 1e-7).all()


@pytest.mark.parametrize("measure", [cka, procrustes, bures], ids=lambda f: f.__name__)
def test_labelled_matrices_are_aligned_by_label(measure):
    a, b, names = points(1), points(2), [f"c{k}" for k in range(N)]
    order = np.random.default_rng(4).permutation(N)
    shuffled = labelled(gram(b[order]), [names[k] for k in order])
    expected = measure(gram(a), gram(b))
    assert measure(labelled(gram(a), names), shuffled) == pytest.approx(expected, abs=1e-11)
    assert measure(gram(a), gram(b[order])) != pytest.approx(expected, abs=1e-4)


def test_what_cannot_be_aligned_is_refused():
    a = gram(points(1))
    names = [f"c{k}" for k in range(N)]
    with pytest.raises(InputError, match="one Gram matrix has labels"):
        cka(labelled(a, names), a)
    with pytest.raises(InputError, match=r"different labels: .*'c0'.*'d0'"):
        cka(labelled(a, names), labelled(a, ["d0", *names[1:]]))
    with pytest.raises(InputError, match="a label twice"):
        cka(labelled(a, ["c1", *names[1:]]), labelled(a, names))
    with pytest.raises(InputError, match=r"isel\(kernel=0\)"):
        cka(labelled(a, names).expand_dims("kernel"), labelled(a, names))
    with pytest.raises(InputError, match=r"shapes \(12, 12\) and \(3, 3\)"):
        procrustes(a, a[:3, :3])
    with pytest.raises(InputError, match="at least 4"):
        cka(a[:3, :3], a[:3, :3])
    with pytest.raises(InputError, match="not finite"):
        bures(a * np.nan, a)
    with pytest.raises(InputError, match="not symmetric"):
        bures(np.triu(a), a)
    with pytest.raises(InputError, match="square"):
        bures(a[:, :3], a[:, :3])


def test_a_matrix_without_structure_is_similar_to_nothing():
    flat = np.ones((N, N))
    assert cka(flat, gram(points(1))) == cka(flat, gram(points(1)), debiased=False) == bures(flat, gram(points(1))) == 0


def trials(seed, repeats=4, noise=1.0):
    generator = np.random.default_rng(seed)
    truth = generator.normal(size=(5, 8))
    responses = np.repeat(truth, repeats, axis=0) + noise * generator.normal(size=(5 * repeats, 8))
    order = generator.permutation(len(responses))
    names = np.repeat(["e", "a", "c", "d", "b"], repeats)[order].tolist()
    return truth, responses[order], names


def test_the_gram_matrix_of_conditions_is_that_of_the_mean_responses():
    _, responses, names = trials(0)
    biased = condition_gram(labelled(gram(responses), range(20), "trial"), names, unbiased=False)
    means = np.stack([responses[np.array(names) == name].mean(axis=0) for name in biased.condition.to_numpy()])
    np.testing.assert_allclose(biased, gram(means), atol=1e-13)
    assert list(biased.condition.to_numpy()) == list(dict.fromkeys(names))


def test_the_unbiased_diagonal_is_right_on_average_and_the_biased_one_is_not():
    length, noise, repeats = [], 2.0, 4
    excess = {True: [], False: []}
    for seed in range(300):
        truth, responses, names = trials(seed, repeats, noise)
        true = dict(zip(["e", "a", "c", "d", "b"], (truth**2).sum(axis=1), strict=True))
        for unbiased, found in excess.items():
            matrix = condition_gram(labelled(gram(responses), range(20), "trial"), names, unbiased=unbiased)
            wanted = np.array([true[name] for name in matrix.condition.to_numpy()])
            found.append(np.mean(np.diagonal(matrix) - wanted))
        length.append(noise**2 * 8 / repeats)
    error = np.std(excess[True]) / np.sqrt(300)
    assert abs(np.mean(excess[True])) < 3 * error
    assert np.mean(excess[False]) == pytest.approx(np.mean(length), abs=3 * error)


def test_the_distances_of_the_gram_matrix_are_the_unbiased_rdm():
    _, responses, names = trials(1)
    found = condition_gram(labelled(gram(responses), range(20), "trial"), names)
    own = np.diagonal(found)
    squared = own[:, None] + own[None, :] - 2 * found.to_numpy()
    distances = xr.DataArray(
        np.linalg.norm(responses[:, None] - responses[None], axis=2),
        dims=("trial", "trial_"),
        coords={"label": "m", "time_scale": 0.0, "euclidean": True},
    )
    expected = rdm_from_distances(distances, names, BetweenMinusWithin()).get_vectors()[0]
    np.testing.assert_allclose(squared[np.triu_indices(5, 1)], expected, atol=1e-12)


def test_several_kernels_keep_their_coordinates():
    _, responses, names = trials(2)
    one = labelled(gram(responses), range(20), "trial")
    both = xr.concat([one, 2 * one], dim="kernel").assign_coords(time_scale=("kernel", [0.01, 0.02]))
    found = condition_gram(both, names)
    assert found.dims == ("kernel", "condition", "condition_")
    assert found.time_scale.to_numpy().tolist() == [0.01, 0.02]
    xr.testing.assert_allclose(
        found.isel(kernel=1, drop=True).drop_vars("time_scale", errors="ignore"), 2 * condition_gram(one, names)
    )


def test_single_trials_and_unfitting_labels_are_refused():
    _, responses, names = trials(3)
    one = labelled(gram(responses), range(20), "trial")
    with pytest.raises(InputError, match="19 condition labels for 20 trials"):
        condition_gram(one, names[:-1])
    with pytest.raises(InputError, match="at least 2 trials"):
        condition_gram(one, ["once", *names[1:]])
    assert condition_gram(one, ["once", *names[1:]], unbiased=False).sizes["condition"] == 6
    with pytest.raises(InputError, match=r"gram\(recording, kernel\)"):
        condition_gram(gram(responses), names)
