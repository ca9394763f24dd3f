import numpy as np
import pytest

from snncompare.errors import InputError
from snncompare.representation.conditions import Conditions
from snncompare.representation.decoding.discriminant import PENALTIES, linear_decoding
from snncompare.representation.decoding.folds import folds_of, permuted_labels
from snncompare.representation.decoding.given_counts import strata_of
from snncompare.representation.decoding.nearest_class import nearest_class_decoding


def cloud(n_classes=3, per_class=20, n_features=8, spread=1.0, seed=0):
    rng = np.random.default_rng(seed)
    labels = np.repeat(np.arange(n_classes), per_class)
    means = spread * rng.normal(size=(n_classes, n_features))
    return means[labels] + rng.normal(size=(labels.size, n_features)), labels


def folds(labels, groups=None, n_folds=None):
    across = None if groups is None else "group"
    conditions = Conditions.from_labels(labels.tolist(), across=across, groups=groups)
    return folds_of(conditions, n_folds, np.random.default_rng(1))


def explicit_discriminant(x, labels, chosen):
    """The formula of the docstring, in the space of the features, one fold and one labelling at a time."""
    decoded = np.empty_like(labels)
    for train, test in chosen:
        away = x[train] - x[train].mean(axis=0)
        n, y = train.size, labels[train]
        ridges = np.trace(away @ away.T) / n * np.array(PENALTIES)
        z = (y[:, None] == np.arange(y.max() + 1)) / np.sqrt(np.bincount(y))
        errors = []
        for ridge in ridges:
            hat = away @ np.linalg.solve(away.T @ away + ridge * np.eye(x.shape[1]), away.T) + 1 / n
            errors.append(((z - hat @ z) ** 2).sum() / (1 - np.trace(hat) / n) ** 2)
        ridge = ridges[int(np.argmin(errors))]
        means = np.array([away[y == c].mean(axis=0) for c in range(z.shape[1])])
        within = sum(np.outer(a - means[c], a - means[c]) for a, c in zip(away, y, strict=True)) / n
        weights = np.linalg.solve(within + ridge / n * np.eye(x.shape[1]), means.T)
        scores = (x[test] - x[train].mean(axis=0)) @ weights - 0.5 * (means * weights.T).sum(axis=1)
        decoded[test] = scores.argmax(axis=1)
    return decoded


@pytest.mark.parametrize("n_features", [2, 8, 100])
def test_the_kernel_form_is_the_discriminant_of_the_definition(n_features):
    x, labels = cloud(n_features=n_features, spread=0.5)
    chosen = folds(labels)
    many = permuted_labels(labels, chosen.block, 4, np.random.default_rng(0))
    found = linear_decoding(x @ x.T, many, chosen)
    for k in range(5):
        assert np.array_equal(found[k], explicit_discriminant(x, many[k], chosen))
    assert not np.array_equal(found[0], found[1])  # control: labellings are decoded on their own


def test_classes_on_a_line_are_not_masked_by_each_other():
    rng = np.random.default_rng(0)
    labels = np.repeat(np.arange(5), 20)
    x = labels[:, None] + 0.1 * rng.normal(size=(100, 1))
    assert (linear_decoding(x @ x.T, labels[None], folds(labels))[0] == labels).mean() > 0.98
    shuffled = rng.permutation(x)
    assert (linear_decoding(shuffled @ shuffled.T, labels[None], folds(labels))[0] == labels).mean() < 0.4  # control


def test_trials_that_are_all_alike_are_decoded_at_chance():
    labels = np.repeat(np.arange(4), 10)
    decoded = linear_decoding(np.zeros((40, 40)), labels[None], folds(labels))[0]
    assert (decoded == labels).mean() == 0.25


def test_the_tested_trials_have_no_part_in_training():
    x, labels = cloud(spread=0.3)
    chosen = folds(labels)
    tested = chosen.fold == 0
    before = linear_decoding(x @ x.T, labels[None], chosen)[0]
    poisoned = labels.copy()
    poisoned[tested] = (poisoned[tested] + 1) % 3
    after = linear_decoding(x @ x.T, poisoned[None], chosen)[0]
    assert np.array_equal(before[tested], after[tested])
    assert not np.array_equal(before[~tested], after[~tested])  # control: there they train


def test_the_nearest_class_is_found_as_victor_and_purpura_do():
    x, labels = cloud(spread=2.0)
    distances = np.linalg.norm(x[:, None] - x, axis=-1)
    chosen = folds(labels)
    found = nearest_class_decoding(distances, labels[None], chosen)[0]
    for train, test in chosen:
        for i in test:
            to = [np.mean(distances[i, train[labels[train] == c]] ** -2.0) ** -0.5 for c in range(3)]
            assert found[i] == int(np.argmin(to))
    assert (found == labels).mean() > 0.9
    flat = nearest_class_decoding(np.ones((60, 60)) - np.eye(60), labels[None], chosen)[0]
    assert (flat == labels).mean() == pytest.approx(1 / 3)  # control: all at one distance


def test_folds_hold_an_equal_share_of_every_class_and_every_trial_once():
    labels = np.repeat(np.arange(3), [10, 15, 20])
    for k in range(5):
        assert np.array_equal(np.bincount(labels[folds(labels).fold == k]), [2, 3, 4])


def test_groups_are_left_out_whole():
    labels = np.tile(np.arange(2), 30)
    groups = np.repeat(["a", "b", "c", "d", "e", "f"], 10)
    for n_folds, n in ((None, 6), (3, 3)):
        chosen = folds(labels, groups, n_folds)
        assert chosen.fold.max() + 1 == n
        for train, test in chosen:
            assert not set(groups[train]) & set(groups[test])
    assert any(set(groups[train]) & set(groups[test]) for train, test in folds(labels))  # control: without groups


def test_permutations_keep_the_labels_of_every_block():
    labels = np.tile(np.arange(2), 30)
    block = np.repeat(np.arange(6), 10)
    many = permuted_labels(labels, block, 50, np.random.default_rng(0))
    assert np.array_equal(many[0], labels)
    assert (many[1:] != labels).any(axis=0).all()
    for b in range(6):
        assert (many[:, block == b].sum(axis=1) == 5).all()


@pytest.mark.parametrize(
    ("labels", "groups", "n_folds", "says"),
    [
        ([0, 0, 0, 1, 1, 1], None, 5, "5 folds need 5 trials of every class, 0 has 3; take folds=3"),
        ([0, 0, 1], None, None, "1 has 1, which cannot be decoded"),
        ([0, 1, 0, 1], ["a", "a", "b", "b"], 3, "has 2"),
        ([0, 1, 0, 0], ["a", "a", "b", "b"], None, "cannot be learned there"),
        ([0, 0, 1, 1], ["a", "b", "c", "d"], None, "every value of 'group' has one class only"),
    ],
    ids=["few", "single", "folds", "class only in one group", "class by group"],
)
def test_what_cannot_be_cross_validated_is_refused(labels, groups, n_folds, says):
    with pytest.raises(InputError, match=says):
        folds(np.array(labels), groups, n_folds)


def test_residuals_given_counts_are_those_of_explicit_features():
    rng = np.random.default_rng(0)
    labels = np.repeat(np.arange(2), 15)
    counts = rng.integers(0, 4, 30).astype(float)
    x = rng.normal(size=(30, 6)) * (counts > 0)[:, None]  # silent trains are at 0
    chosen = folds(labels)
    strata = strata_of(counts, chosen)
    gram = x @ x.T + strata.correction(x @ x.T)
    for k, (train, _) in enumerate(chosen):
        expected = np.zeros_like(x)
        for i in np.flatnonzero(counts > 0):
            expected[i] = x[i] - x[train][counts[train] == counts[i]].mean(axis=0)
        assert np.allclose(gram[k], expected @ expected.T, atol=1e-12)
        assert np.allclose(strata.residual(x[:, 0])[k], expected[:, 0], atol=1e-12)
    assert not np.allclose(gram[0], gram[1])  # control: folds differ


def test_many_different_counts_become_ten_strata():
    counts = np.arange(1.0, 101)
    strata = strata_of(counts, folds(np.tile(np.arange(2), 50)))
    assert strata.member.shape == (100, 10)
    assert np.array_equal(strata.member.sum(axis=0), np.full(10, 10))
