"""Learning signals of burstprop and BurstCCN beside the exact gradient: 784-500-500-500-10, Glorot's weights."""

from dataclasses import replace

import pytest
import torch

from snncompare.errors import InputError
from snncompare.learning.burstprop import BurstCCN, BurstNetwork, Burstprop, Dense, EnsembleRule, Feedback
from snncompare.learning.burstprop.gradient import angle, exact_signals, weight_changes

TIED = Burstprop(feedback=Feedback.SYMMETRIC, recurrent_inhibition=False)
TIED_CCN = BurstCCN(feedback=Feedback.SYMMETRIC)
P_B = 0.2
RANDOM = torch.Generator().manual_seed(0)


def made(
    dtype: str = "float64", **options: object
) -> tuple[BurstNetwork, torch.Tensor, torch.Tensor, list[torch.Tensor]]:
    """Return the network of P21's figure 5, inputs as MNIST's are after their scaling, and targets."""
    network = BurstNetwork((Dense(500),) * 3 + (Dense(10),), inputs=784, dtype=dtype, **options)
    random = torch.Generator().manual_seed(1)
    inputs = torch.randn(60, 784, generator=random, dtype=network.torch_dtype)
    targets = torch.eye(10, dtype=network.torch_dtype)[torch.randint(0, 10, (60,), generator=random)]
    return network, inputs, targets, network.rates(inputs)


def compared(rule: EnsembleRule, **options: object) -> tuple[list[float], list[float]]:
    """Return angles (degrees) and ratios of norms of the rule's changes to the negative gradient's."""
    network, inputs, targets, rates = made(**options)
    signals = rule.signals(network, rule.prepare(network, 0), rates, targets, RANDOM)
    pairs = list(
        zip(
            weight_changes(network, signals, rates),
            weight_changes(network, exact_signals(network, inputs, targets), rates),
            strict=True,
        )
    )
    return [angle(ours, exact) for ours, exact in pairs], [float(ours.norm() / exact.norm()) for ours, exact in pairs]


@pytest.mark.parametrize(("dtype", "tolerance"), [("float64", 1e-12), ("float32", 1e-6)])
def test_the_output_signal_is_the_burst_probability_times_that_of_backprop(dtype: str, tolerance: float) -> None:
    network, inputs, targets, rates = made(dtype)
    exact = exact_signals(network, inputs, targets)[-1]
    for p_b in (0.2, 0.35):  # P21: 0.2; any other must do as well
        rule = replace(TIED, output_burst_probability=p_b)
        ours = rule.signals(network, {}, rates, targets, RANDOM).changes[-1]
        assert (ours - p_b * exact).abs().max() < tolerance
        assert (ours - 1.1 * p_b * exact).abs().max() > 100 * tolerance  # another factor would be seen


def test_tied_feedback_gives_the_published_angles_and_a_quarter_of_the_norm_per_layer() -> None:
    # notes on the authors' code 4.5: 0.7, 0.4, 0, 0 degrees; measured there with another draw of weights: 0.2 degrees of room
    angles, ratios = compared(TIED)
    assert angles == pytest.approx([0.7, 0.4, 0.0, 0.0], abs=0.2)
    assert ratios == pytest.approx([0.0031, 0.0124, 0.05, 0.2], rel=0.02)


def test_a_slope_of_four_keeps_the_norm_and_a_small_slope_keeps_the_angle() -> None:
    angles, ratios = compared(replace(TIED, slope=4.0))
    assert max(angles) <= 8.3  # notes on the authors' code 4.5
    assert ratios == pytest.approx([P_B] * 4, rel=0.15)  # "stay about p_b"
    assert max(compared(replace(TIED, slope=0.1))[0]) < 0.02  # "about 0.01 degrees"


def test_the_offset_shifts_the_working_point_of_the_sigmoid() -> None:
    # sigmoid'(2) = 0.105: the norm falls by as much per layer, to the first order in u
    _, ratios = compared(replace(TIED, offset=2.0))
    assert ratios[2] == pytest.approx(P_B * 0.105, rel=0.02)


@pytest.mark.parametrize("scale", [0.05, 1.0], ids=["small", "as published"])
def test_random_feedback_is_at_right_angles_to_the_gradient_at_the_start(scale: float) -> None:
    # two random directions in the 500 x 10 feedback weights differ from 90 degrees by about 1; two more layers add
    angles, _ = compared(Burstprop(feedback=Feedback.FIXED, feedback_scale=scale))
    assert angles[:3] == pytest.approx([90.0] * 3, abs=8.0)
    assert angles[3] < 1e-4


def test_feedback_of_the_wrong_sign_turns_the_updates_round() -> None:
    network, inputs, targets, rates = made()
    kept = {"feedback": [-weight for weight in network.weights[1:]]}
    signals = replace(TIED, feedback=Feedback.FIXED).signals(network, kept, rates, targets, RANDOM)
    exact = weight_changes(network, exact_signals(network, inputs, targets), rates)
    found = [angle(ours, best) for ours, best in zip(weight_changes(network, signals, rates), exact, strict=True)]
    assert found[2] > 179.0
    assert found[1] < 1.0, "two layers down the signs cancel"
    assert found[0] > 178.0


def test_without_an_error_nothing_changes() -> None:
    network, _, _, rates = made()
    for rule in (TIED, TIED_CCN):
        none = rule.signals(network, rule.prepare(network, 0), rates, rates[-1], RANDOM)
        assert max(float(change.abs().max()) for change in none.changes) < 1e-15


def test_tied_burst_ccn_with_its_baseline_cancelled_is_the_gradient_at_half_its_size() -> None:
    # notes on the authors' code 5: angle below 0.1 degrees, norm ratio 0.5
    angles, ratios = compared(TIED_CCN)
    assert max(angles) < 0.1
    assert ratios == pytest.approx([0.5] * 4, rel=0.01)


def test_burst_ccn_without_the_event_feedback_is_not() -> None:
    angles, _ = compared(replace(TIED_CCN, event_feedback=False))
    assert min(angles[:2]) > 20.0


def test_another_slope_of_burst_ccn_changes_the_norm_by_as_much_per_layer() -> None:
    _, ratios = compared(replace(TIED_CCN, slope=2.0))
    assert ratios == pytest.approx([0.0625, 0.125, 0.25, 0.5], rel=0.01)


def test_rectified_linear_units_and_softmax_follow_the_gradient_too() -> None:
    # ImageNet's kind of network: kappa of 1e-5 keeps probabilities linear, so only the gradient's direction is left
    rule = replace(TIED, output_gain=1e-5)
    angles, ratios = compared(rule, hidden="rectified linear", output="softmax")
    assert max(angles) < 25.0  # without inhibition of the same layer u has a baseline of its own
    assert ratios[3] == pytest.approx(P_B * 1e-5, rel=1e-3)
    clipped, _ = compared(replace(TIED, output_gain=1.0), hidden="rectified linear", output="softmax")
    assert clipped[3] > 20.0  # p = 1 at the most: (t - e)/e of softmax has no bound


def test_recurrent_inhibition_of_untrained_weights_hardly_turns_the_updates() -> None:
    with_it, _ = compared(replace(TIED, recurrent_inhibition=True))
    assert max(with_it) < 5.0
    far, _ = compared(replace(TIED, recurrent_inhibition=True, recurrent_range=1.0))
    assert far[0] > 20.0


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"output_burst_probability": 0.0}, "between 0 and 1"),
        ({"output_gain": 2.0}, "at most 1"),
        ({"slope": 0.0}, "slope must be above 0"),
        ({"recurrent_rate": -1.0}, "at least 0"),
        ({"feedback": "learned"}, "Feedback"),
    ],
)
def test_rules_refuse_values_that_mean_nothing(options: dict[str, object], said: str) -> None:
    with pytest.raises(InputError, match=said):
        Burstprop(**options)  # type: ignore[arg-type]
