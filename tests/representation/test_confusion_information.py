import numpy as np
import pytest

from snncompare.representation.decoding import confusion as c


def sampled(n_classes, accuracy, per_class, seed=0, repeats=300):
    p = np.full((n_classes, n_classes), (1 - accuracy) / (n_classes - 1))
    np.fill_diagonal(p, accuracy)
    rng = np.random.default_rng(seed)
    return p, np.array([[rng.multinomial(per_class, row) for row in p] for _ in range(repeats)], dtype=float)


def test_information_of_a_known_channel_has_its_closed_form():
    # symmetric channel of 4 classes, 70 % right: I = log2 4 - H(0.7, 0.1, 0.1, 0.1)
    p, _ = sampled(4, 0.7, 1)
    known = 2 + 0.7 * np.log2(0.7) + 3 * 0.1 * np.log2(0.1)
    assert c.plugin_information(p) == pytest.approx(known, abs=1e-12)
    assert c.plugin_information(p[:, [1, 0, 3, 2]]) == pytest.approx(known, abs=1e-12)  # names of answers do not matter
    assert c.plugin_information(np.ones((4, 4))) == 0


@pytest.mark.parametrize("n_classes", [4, 10])
@pytest.mark.parametrize("accuracy", [None, 0.6], ids=["chance", "informative"])
@pytest.mark.parametrize("per_class", [10, 30])
def test_the_correction_removes_most_of_the_bias(n_classes, accuracy, per_class):
    p, counts = sampled(n_classes, 1 / n_classes if accuracy is None else accuracy, per_class)
    true = float(c.plugin_information(p))
    raw, corrected = c.plugin_information(counts).mean() - true, c.corrected_information(counts).mean() - true
    assert raw > 0.04  # control: frequencies alone overestimate, by more than the error of a mean of 300 (< 0.01)
    assert abs(corrected) < 0.5 * raw


def test_perfect_decoding_tells_the_entropy_and_no_more():
    eye = np.diag([10.0, 10, 20, 40])
    share = np.array([1, 1, 2, 4]) / 8
    assert c.corrected_information(eye) == pytest.approx(-(share * np.log2(share)).sum(), abs=1e-12)
    assert c.corrected_information(eye + 5) < c.corrected_information(eye)  # control


def test_accuracy_is_balanced_over_classes():
    lazy = np.array([[90.0, 0], [10, 0]])  # always the frequent class: 90 % of trials, but it knows nothing
    assert c.balanced_accuracy(lazy) == 0.5
    assert c.corrected_information(lazy) == pytest.approx(0, abs=1e-12)


def test_wilson_interval_of_accuracy_is_the_textbook_one():
    # 15 of 20 right in two classes of ten: statsmodels.stats.proportion.proportion_confint(15, 20, method="wilson")
    low, high = c.accuracy_interval(np.array([[8.0, 2], [3, 7]]))
    assert (low, high) == (pytest.approx(0.5312987, abs=1e-6), pytest.approx(0.8881383, abs=1e-6))


def test_matrices_of_many_labellings_are_those_of_each():
    rng = np.random.default_rng(0)
    true, decoded = rng.integers(0, 3, (2, 5, 40))
    many = c.confusion_matrices(true, decoded, 3)
    for k in range(5):
        expected = np.zeros((3, 3))
        np.add.at(expected, (true[k], decoded[k]), 1)
        assert np.array_equal(many[k], expected)


def test_jackknife_error_is_the_spread_of_repeated_experiments():
    _, counts = sampled(4, 0.6, 30, repeats=200)
    spread = c.corrected_information(counts).std()
    cells = [np.repeat(np.arange(16), one.ravel().astype(int)) for one in counts[:20]]
    errors = [c.information_error(*np.divmod(cell, 4), np.arange(cell.size), 4) for cell in cells]
    # spread of 200 experiments is known to 5 %; the jackknife is biased upwards by the order of 1 / trials
    assert np.mean(errors) == pytest.approx(spread, rel=0.25)
    paired = [c.information_error(*np.divmod(np.repeat(x, 2), 4), np.repeat(np.arange(x.size), 2), 4) for x in cells]
    naive = [c.information_error(*np.divmod(np.repeat(x, 2), 4), np.arange(2 * x.size), 4) for x in cells]
    # control: trials counted twice look sqrt(2) times more certain unless they are left out together
    assert np.mean(paired) / np.mean(naive) == pytest.approx(np.sqrt(2), rel=0.1)


def test_groups_that_differ_widen_the_interval_of_accuracy():
    true = np.tile([0, 1], 40)
    block = np.repeat(np.arange(8), 10)
    alike = np.where(np.arange(80) % 10 < 8, true, 1 - true)  # 80 % right in every group
    unlike = np.where(np.isin(block, [0, 1]) & (np.arange(80) % 10 < 8), 1 - true, true)
    low, high = c.grouped_accuracy_interval(true, alike, block, 2)
    assert high - low < 1e-9
    low, high = c.grouped_accuracy_interval(true, unlike, block, 2)
    assert high - low > 0.3


def test_the_least_information_is_that_of_evenly_spread_errors_and_nothing_at_chance():
    p, _ = sampled(5, 0.7, 1)
    assert c.least_information(0.7, 5) == pytest.approx(c.plugin_information(p), abs=1e-12)
    uneven = np.array([[7.0, 3, 0, 0, 0], [0, 7, 3, 0, 0], [0, 0, 7, 3, 0], [0, 0, 0, 7, 3], [3, 0, 0, 0, 7]])
    assert c.least_information(0.7, 5) < c.plugin_information(uneven)  # control: errors that tell something
    assert c.least_information([0.0, 0.1, 0.2, 1.0], 5) == pytest.approx([0, 0, 0, np.log2(5)], abs=1e-12)
