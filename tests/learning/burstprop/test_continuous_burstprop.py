"""The continuous-time rate model: it settles to the reduced model, and learns."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from snncompare.errors import InputError
from snncompare.learning.burstprop import BurstNetwork, Burstprop, Dense, Feedback, Patterns
from snncompare.learning.burstprop.continuous import ContinuousBurstprop, Moment, train_continuously
from snncompare.learning.burstprop.gradient import angle, weight_changes

TIED = ContinuousBurstprop(feedback=Feedback.SYMMETRIC, decay=0.0, prediction=60.0, tau_weights=1e9)


def clusters(n: int = 300) -> Patterns:
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 4, n)
    return Patterns(np.eye(4, 12)[labels] + 0.2 * rng.random(size=(n, 12)), labels, n_classes=4)


def network() -> BurstNetwork:
    return BurstNetwork((Dense(30), Dense(4)), inputs=12, hidden="exponential", output="softmax", dtype="float64")


def last_moment(rule: ContinuousBurstprop) -> tuple[BurstNetwork, torch.Tensor, torch.Tensor, Moment]:
    """Return the end of the teaching phase of 40 copies with one example each."""
    one = network()
    inputs, labels = clusters(40).for_network(one)
    targets = torch.eye(4, dtype=torch.float64)[labels]
    *_, last = rule.moments(one, rule.begin(one, 40), inputs, targets)
    return one, inputs, targets, last


def signals_of(moment: Moment) -> list[torch.Tensor]:
    return [(p - q) * e for p, q, e in zip(moment.burst_probability, moment.expected, moment.events, strict=True)]


def test_after_a_long_prediction_it_gives_the_learning_signals_of_the_reduced_model() -> None:
    # tanh of the continuous model and the clip of the reduced one differ for (t - e)/e beyond about 1; expected
    # burst probabilities still hold 0.4 of 60 average times' tail, and 0.5 of teaching moves them by a tenth
    one, inputs, targets, last = last_moment(TIED)
    rates = one.rates(inputs)
    for found, wanted in zip(last.events, rates[1:], strict=True):
        torch.testing.assert_close(found, wanted, rtol=1e-6, atol=1e-8)  # tau_soma = dt: settled within a few steps
    rule = Burstprop(feedback=Feedback.SYMMETRIC, recurrent_inhibition=False, output_burst_probability=0.5)
    reduced = weight_changes(one, rule.signals(one, {}, rates, targets, torch.Generator()), rates)
    ours = weight_changes(one, signals_of(last), rates)
    assert max(angle(a, b) for a, b in zip(ours, reduced, strict=True)) < 10.0
    _, _, _, short = last_moment(replace(TIED, prediction=0.5))  # averages are still those of rest
    worse = weight_changes(one, signals_of(short), rates)
    assert angle(worse[0], reduced[0]) > 20.0


def test_without_a_teacher_bursts_are_expected_and_weights_stay() -> None:
    one = network()
    before = [weight.clone() for weight in one.weights]
    inputs, _ = clusters(40).for_network(one)
    *_, last = TIED.moments(one, TIED.begin(one, 40), inputs)
    assert not last.teaching
    # e^-12 of the averages at rest is left after 60 with a time constant of 5
    assert max(float((p - q).abs().max()) for p, q in zip(last.burst_probability, last.expected, strict=True)) < 1e-4
    assert all(torch.equal(a, b) for a, b in zip(before, one.weights, strict=True))


@pytest.mark.parametrize(("copies", "n"), [(1, 300), (10, 200)])
def test_it_learns_one_example_after_the_other_and_side_by_side(copies: int, n: int) -> None:
    # the clouds do not overlap; each example changes weights by 5 steps of dt/tau_weights = 0.005
    epochs = 3 if copies == 1 else 8
    rule = ContinuousBurstprop(tau_weights=20.0)
    history = train_continuously(network(), rule, clusters(n), test=clusters(), epochs=epochs, copies=copies).history
    assert history["test_error"].iloc[0] > 0.5
    assert history["test_error"].iloc[-1] < 0.1
    still = replace(rule, tau_weights=1e9)
    unchanged = train_continuously(network(), still, clusters(100), test=clusters(), epochs=1, copies=10).history
    assert unchanged["test_error"].iloc[-1] == unchanged["test_error"].iloc[0]


def test_decay_holds_event_rates_down() -> None:
    rule = replace(TIED, highest_rate=0.5, tau_weights=1.0, prediction=5.0)
    norms = []
    for decay in (0.0, 0.5):
        one = network()
        inputs, labels = clusters(40).for_network(one)
        strict = replace(rule, decay=decay)
        strict.present(one, strict.begin(one, 40), inputs, torch.eye(4, dtype=torch.float64)[labels])
        norms.append(float(one.weights[0].norm()))
    assert norms[1] < 0.9 * norms[0]


def test_burst_probability_follows_the_dendrite_with_its_time_constant() -> None:
    ends = {}
    for tau in (0.1, 2.0):
        _, _, _, last = last_moment(replace(TIED, tau_dendrite=tau))
        ends[tau] = float((last.burst_probability[0] - last.expected[0]).norm())
    assert ends[2.0] < 0.5 * ends[0.1]  # 0.5 of teaching is a quarter of the longer time constant


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"dt": 0.2}, "not longer"),
        ({"tau_weights": 0.0}, "tau_weights"),
        ({"baseline": 0.7}, "at most 0.5"),
        ({"feedback": Feedback.LEARNED}, "FIXED or"),
    ],
)
def test_values_that_mean_nothing_are_refused(options: dict[str, object], said: str) -> None:
    with pytest.raises(InputError, match=said):
        ContinuousBurstprop(**options)  # type: ignore[arg-type]


def test_more_copies_than_examples_are_refused() -> None:
    with pytest.raises(InputError, match="fewer copies"):
        train_continuously(network(), ContinuousBurstprop(), clusters(5), test=clusters(5), copies=6)
