"""Losses have the values that their equations say, step by step as at once, and count only what they are told to."""

import math
from dataclasses import replace

import pytest
import torch

from snncompare.errors import InputError
from snncompare.learning.losses import (
    Classification,
    CountError,
    DoubleExponential,
    Form,
    Over,
    Regression,
    SpikeCountClassification,
    SpikeCountTarget,
    VanRossum,
)

DT = 1e-3
T, BATCH, N = 30, 4, 3
LABELS = torch.tensor([0, 2, 1, 1])
EXACT = {"rel": 1e-12, "abs": 0}
"""Sums of some hundred float64 numbers in another order."""


def course(seed=0):
    """Return membranes in volts, some millivolts large."""
    return 4e-3 * torch.randn((T, BATCH, N), generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def spikes(p=0.2, seed=0):
    return (torch.rand((T, BATCH, N), generator=torch.Generator().manual_seed(seed)) < p).double()


def softmax_loss(y, label):
    return math.log(sum(math.exp(v) for v in y)) - y[label]


EVIDENCE = {
    Over.MEAN: lambda column: sum(column) / len(column),
    Over.SUM: sum,
    Over.MAX: max,
    Over.LAST: lambda column: column[-1],
}


@pytest.mark.parametrize("over", list(EVIDENCE), ids=lambda over: over.value)
@pytest.mark.parametrize("window", [None, ("10 ms", "20 ms"), ("25 ms", None)], ids=str)
def test_classification_is_the_cross_entropy_of_what_it_takes_from_the_window(over, window):
    values = course()
    first, last = {None: (0, T), ("10 ms", "20 ms"): (10, 20), ("25 ms", None): (25, T)}[window]
    columns = (values[first:last] / 2e-3).tolist()
    expected = 0.0
    for b, label in enumerate(LABELS.tolist()):
        y = [EVIDENCE[over]([row[b][k] for row in columns]) for k in range(N)]
        expected += softmax_loss(y, label) / BATCH
    loss = Classification("readout", "2 mV", over=over, window=window).for_step(DT)
    assert float(loss(values, LABELS)) == pytest.approx(expected, **EXACT)
    if window is not None and (over, window[1]) != (Over.LAST, None):
        assert float(Classification("readout", "2 mV", over=over)(values, LABELS)) != pytest.approx(expected, rel=1e-3)


def test_each_step_is_the_mean_of_the_cross_entropies():
    values = course()
    rows = (values / 2e-3).tolist()
    each = [softmax_loss(row[b], label) for row in rows for b, label in enumerate(LABELS.tolist())]
    loss = Classification("readout", "2 mV", over=Over.EACH_STEP)
    assert float(loss(values, LABELS)) == pytest.approx(sum(each) / len(each), **EXACT)
    assert float(Classification("readout", "2 mV")(values, LABELS)) != pytest.approx(sum(each) / len(each), rel=1e-3)


def answers():
    """Return one class per step, none in the first 5 steps of trial 0, nothing said in the last 3 of trial 1."""
    right = torch.randint(N, (T, BATCH), generator=torch.Generator().manual_seed(1))
    found = torch.nn.functional.one_hot(right, N).double()
    found[:5, 0] = torch.nan
    found[-3:, 1] = 0.0
    return found


def test_answers_over_time_cost_only_where_something_is_asked():
    values, target = course(), answers()
    loss = Classification("readout", "2 mV", over=Over.EACH_STEP, answers=True)
    expected = right = 0.0
    asked = [0] * BATCH
    hits = [0] * BATCH
    for t in range(T):
        for b in range(BATCH):
            said = target[t, b]
            if said.isnan().any() or float(said.sum()) == 0:
                continue
            label = int(said.argmax())
            expected += softmax_loss((values[t, b] / 2e-3).tolist(), label) / (T * BATCH)
            asked[b] += 1
            hits[b] += int(values[t, b].argmax()) == label
    assert asked == [T - 5, T - 3, T, T]
    assert float(loss(values, target)) == pytest.approx(expected, **EXACT)
    right = [h / a for h, a in zip(hits, asked, strict=True)]
    assert loss.accuracy(values, target).tolist() == pytest.approx(right, rel=1e-15)
    assert float(loss(values, target.nan_to_num(1.0))) != pytest.approx(expected, rel=1e-3)


def test_what_is_not_a_number_in_an_answer_leaves_the_gradient_finite():
    target = answers()
    for loss in (Regression("readout", "2 mV"), Classification("readout", "2 mV", over=Over.EACH_STEP, answers=True)):
        values = course().requires_grad_()
        loss(values, target).backward()
        assert torch.isfinite(values.grad).all()
        assert not values.grad[:5, 0].any()
        assert values.grad[5:, 0].abs().min() > 0


def test_regression_is_half_the_squared_error():
    values, target = course(), torch.randn((T, BATCH, N), dtype=torch.float64)
    by_hand = 0.5 * sum(
        (v / 2e-3 - y) ** 2 for v, y in zip(values.flatten().tolist(), target.flatten().tolist(), strict=True)
    )
    assert float(Regression("readout", "2 mV")(values, target)) == pytest.approx(by_hand / BATCH, **EXACT)
    late = Regression("readout", "2 mV", window=("29 ms", None)).for_step(DT)
    assert float(late(values, target)) == pytest.approx(
        float(0.5 * (values[29] / 2e-3 - target[29]).square().sum()) / BATCH, **EXACT
    )


def train(*times):
    found = torch.zeros((2000, 1, 1), dtype=torch.float64)
    found[list(times)] = 1.0
    return found


@pytest.mark.parametrize(
    ("fired", "asked", "expected"),
    [((100,), (100,), 0.0), ((100,), (), 0.5), ((), (100, 1000), 1.0), ((100,), (1000,), 1.0)],
)
def test_a_spike_too_many_costs_a_half_and_one_far_from_its_target_one(fired, asked, expected):
    loss = VanRossum("cells", DoubleExponential("5 ms", "10 ms")).for_step(DT)
    # Kernels of 10 ms that are cut off or overlap after 900 steps: below e^-90.
    assert float(loss(train(*fired), train(*asked))) == pytest.approx(expected, rel=1e-12, abs=1e-14)


def test_the_van_rossum_loss_of_two_near_spikes_is_the_overlap_of_their_kernels():
    a, b = math.exp(-1 / 10), math.exp(-1 / 5)
    c2 = 1 / (1 / (1 - a * a) + 1 / (1 - b * b) - 2 / (1 - a * b))
    for shift in (1, 7, 40):
        # Sum over n of k(n + shift) k(n), geometric series.
        overlap = c2 * (a**shift / (1 - a * a) + b**shift / (1 - b * b) - (a**shift + b**shift) / (1 - a * b))
        loss = VanRossum("cells", DoubleExponential("5 ms", "10 ms")).for_step(DT)
        assert float(loss(train(500), train(500 + shift))) == pytest.approx(1 - overlap, rel=1e-11)
        slow = VanRossum("cells", DoubleExponential("5 ms", "20 ms")).for_step(DT)
        assert float(slow(train(500), train(500 + shift))) != pytest.approx(1 - overlap, rel=1e-2)


def test_spike_counts_give_cross_entropy_squares_and_deviance():
    fired = spikes()
    counts = fired.sum(dim=0).tolist()
    wanted = [[9.0 if k == label else 2.0 for k in range(N)] for label in LABELS.tolist()]
    pairs = [(n, m) for row, asked in zip(counts, wanted, strict=True) for n, m in zip(row, asked, strict=True)]
    entropy = sum(softmax_loss([n / 4 for n in row], c) for row, c in zip(counts, LABELS.tolist(), strict=True))
    squares = sum(0.5 * (n - m) ** 2 for n, m in pairs)
    deviance = sum((n + 0.5) - (m + 0.5) - (m + 0.5) * math.log((n + 0.5) / (m + 0.5)) for n, m in pairs)
    target = SpikeCountTarget("cells", right=9, wrong=2)
    poisson = SpikeCountTarget("cells", right=9, wrong=2, error=CountError.POISSON)
    assert float(SpikeCountClassification("cells", one=4)(fired, LABELS)) == pytest.approx(entropy / BATCH, **EXACT)
    assert float(target(fired, LABELS)) == pytest.approx(squares / BATCH, **EXACT)
    assert float(poisson(fired, LABELS)) == pytest.approx(deviance / BATCH, **EXACT)
    for other in (SpikeCountTarget("cells", right=8, wrong=2), SpikeCountTarget("cells", right=9, wrong=1)):
        assert float(other(fired, LABELS)) != pytest.approx(squares / BATCH, rel=1e-3)


@pytest.mark.parametrize("error", list(CountError), ids=lambda error: error.value)
def test_the_count_that_is_asked_for_costs_nothing_and_any_other_more(error):
    fired = spikes()
    loss = SpikeCountTarget("cells", error=error, answers=True)
    assert float(loss(fired, fired)) == 0.0
    more, fewer = fired.clone(), fired.clone()
    more[0, 0, 0], fewer[:, 0, 0] = 1 - fired[0, 0, 0], 0
    assert float(loss(more, fired)) > 0
    assert float(loss(fewer, fired)) > 0


WINDOWS = [None, ("10 ms", "20 ms")]
EACH = [
    (Classification("readout", "2 mV", over=Over.EACH_STEP), course, lambda: LABELS),
    (Classification("readout", "2 mV", over=Over.EACH_STEP, answers=True), course, answers),
    (Regression("readout", "2 mV"), course, answers),
    (VanRossum("cells"), spikes, lambda: spikes(seed=1)),
]


@pytest.mark.parametrize("window", WINDOWS, ids=str)
@pytest.mark.parametrize(
    ("loss", "values", "target"), EACH, ids=["classes", "classes over time", "regression", "van Rossum"]
)
def test_a_loss_of_each_step_is_the_sum_of_its_steps(loss, values, target, window):
    bound = replace(loss, window=window).for_step(DT)
    assert bound.form is Form.EACH_STEP
    seen, asked = values(), bound.prepared(target())
    if isinstance(bound, VanRossum):  # a forward computation filters along with the run
        a, b, c = bound.kernel.decays(DT)
        slow = fast = torch.zeros_like(seen[0])
        filtered = []
        for now in seen:
            slow, fast = a * slow + now, b * fast + now
            filtered.append(c * (slow - fast))
        steps = filtered
    else:
        steps = list(seen)
    over_time = asked.dim() == 3
    total = sum(bound.at_step(v, asked[t] if over_time else asked, t, T) for t, v in enumerate(steps))
    whole = float(bound(seen, target()))
    assert whole > 0
    # The Fourier transform of the filter adds errors of 1e-16 of the largest value to each step.
    assert float(total) == pytest.approx(whole, rel=1e-12)


SUMMED = [
    Classification("readout", "2 mV"),
    Classification("readout", "2 mV", over=Over.SUM),
    SpikeCountClassification("cells", one=3),
    SpikeCountTarget("cells"),
]


@pytest.mark.parametrize("window", WINDOWS, ids=str)
@pytest.mark.parametrize("loss", SUMMED, ids=["mean", "sum", "counts", "count target"])
def test_a_loss_of_the_sum_needs_the_sum_over_the_counted_steps_only(loss, window):
    bound = replace(loss, window=window).for_step(DT)
    assert bound.form is Form.OF_SUM
    values = spikes() if loss.reads.variable is None else course()
    total = sum(values[t] for t in bound.steps(T))
    whole = float(bound(values, LABELS))
    assert float(bound.of_sum(total, LABELS, T)) == pytest.approx(whole, **EXACT)
    assert float(bound.of_sum(total + values[0], LABELS, T)) != pytest.approx(whole, rel=1e-6)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Classification("r", "1 mV", window=("20 ms", "10 ms")), "end after it begins"),
        (lambda: Classification("r", "1 mV", window="20 ms"), "a start and an end"),
        (lambda: Classification("r", "1 mV", window=("2", None)), "window"),
        (lambda: Classification("r", "0 mV"), "scale must be positive"),
        (lambda: Classification("r", "1 mV", answers=True), "EACH_STEP"),
        (lambda: Classification("r", "1 mV", window=("40 ms", None)).for_step(DT).steps(30), "holds no step"),
        (lambda: Classification("r", "1 mV", window=("10 ms", None)).steps(30), "for_step"),
        (lambda: VanRossum("p")(spikes(), spikes()), "van Rossum loss needs"),
        (lambda: DoubleExponential("10 ms", "10 ms"), "shorter than decay"),
        (lambda: SpikeCountTarget("p", right=1, wrong=1), "right must exceed wrong"),
        (lambda: SpikeCountClassification("p", one=0), "one must be positive"),
    ],
)
def test_losses_that_mean_nothing_are_refused(make, message):
    with pytest.raises(InputError, match=message):
        make()
