"""Feedback that is learnt, and inhibition that keeps burst probabilities in the linear range."""

import numpy as np
import pytest
import torch

from snncompare.learning.burstprop import (
    BurstCCN,
    BurstNetwork,
    Burstprop,
    Dense,
    Feedback,
    Momentum,
    Patterns,
    TrainedBurstNetwork,
    train_burst_network,
)

LAYERS = (Dense(60), Dense(60), Dense(4))


def clusters(seed: int = 0, n: int = 320) -> Patterns:
    """Return four clouds in 20 dimensions."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 4, n)
    return Patterns(2.0 * np.eye(4, 20)[labels] + 0.5 * rng.normal(size=(n, 20)), labels, n_classes=4)


def trained(rule: Burstprop | BurstCCN, epochs: int = 20, decay: float = 0.01) -> TrainedBurstNetwork:
    network = BurstNetwork(LAYERS, inputs=20, dtype="float64")
    steps = Momentum((0.1, 0.01), weight_decay=decay)
    return train_burst_network(network, rule, clusters(), epochs=epochs, steps=steps, n_probe=100)


def test_learned_feedback_aligns_with_the_forward_weights_and_updates_with_the_gradient() -> None:
    # Kolen and Pollack 1994: the difference of Y and W shrinks by 1 - decay per batch, here to 0.98**200 = 2 %
    history = trained(Burstprop(feedback_scale=0.2), decay=0.02).history
    first, last = history.iloc[0], history.iloc[-1]
    assert first["feedback_angle_2"] == pytest.approx(90.0, abs=10.0)
    assert last["feedback_angle_2"] < 30.0
    assert last["angle_2"] < first["angle_2"] - 30.0
    apart = trained(Burstprop(feedback_scale=0.2), decay=0.0).history.iloc[-1]
    assert apart["feedback_angle_2"] > 2 * last["feedback_angle_2"]


def test_the_difference_of_feedback_and_forward_weights_decays_exactly() -> None:
    rule = Burstprop(feedback_scale=0.2)
    network = BurstNetwork(LAYERS, inputs=20, dtype="float64")
    before = [
        y - w
        for y, w in zip(rule.prepare(network, 0)["feedback"], [w.clone() for w in network.weights[1:]], strict=True)
    ]
    steps = Momentum((0.1, 0.01), weight_decay=0.01)
    after = train_burst_network(network, rule, clusters(), epochs=1, steps=steps, n_probe=10)
    for y, w, difference in zip(after.kept["feedback"], network.weights[1:], before, strict=True):
        torch.testing.assert_close(y - w, difference * 0.99**10, rtol=1e-10, atol=1e-12)  # 10 batches of 32


def test_without_decay_or_learning_feedback_stays_where_it_is() -> None:
    kept = trained(Burstprop(feedback=Feedback.FIXED, feedback_scale=0.2), epochs=2)
    fresh = Burstprop(feedback=Feedback.FIXED, feedback_scale=0.2).prepare(kept.network, 0)
    assert all(torch.equal(a, b) for a, b in zip(kept.kept["feedback"], fresh["feedback"], strict=True))
    assert kept.history.iloc[-1]["feedback_angle_1"] > 60.0


def test_symmetric_feedback_is_the_forward_weights() -> None:
    history = trained(Burstprop(feedback=Feedback.SYMMETRIC), epochs=2).history
    assert (history[["feedback_angle_1", "feedback_angle_2"]] < 1e-4).all().all()


def test_recurrent_inhibition_brings_burst_probabilities_into_the_linear_range() -> None:
    # Feedback of standard deviation 2 on 60 ensembles is like the authors' 1 on 500: it saturates the layer below.
    # 200 batches of 32: R cancels u at the rate recurrent_rate * 32 * |bursts|^2 = 0.003 * 32 * 4 = 0.4 a batch
    common = {"feedback": Feedback.FIXED, "feedback_scale": 2.0, "recurrent_rate": 3e-3}
    with_it = trained(Burstprop(**common)).history  # type: ignore[arg-type]
    without = trained(Burstprop(**common, recurrent_inhibition=False)).history  # type: ignore[arg-type]
    not_learnt = trained(Burstprop(**common | {"recurrent_rate": 0.0})).history  # type: ignore[arg-type]
    assert with_it.iloc[-1]["linear_1"] > 0.95
    assert with_it.iloc[-1]["burst_probability_1"] == pytest.approx(0.5, abs=0.05)
    assert without.iloc[-1]["linear_1"] < 0.8
    assert not_learnt.iloc[-1]["linear_1"] < 0.8
    assert with_it.iloc[-1]["potential_1"] < 0.3 * without.iloc[-1]["potential_1"]


def test_event_feedback_of_burst_ccn_goes_to_the_baseline_times_the_burst_feedback() -> None:
    rule = BurstCCN(feedback_scale=0.2, event_feedback_scale=0.0, event_feedback_rate=0.05)
    network = BurstNetwork(LAYERS, inputs=20, dtype="float64")
    after = train_burst_network(network, rule, clusters(), epochs=30, steps=Momentum((0.0, 0.0)), n_probe=10)
    learnt, goal = after.kept["event feedback"][0], 0.5 * after.kept["feedback"][0]
    # e of the layer above spans few directions; along them, Q has become p_b Y
    events = network.rates(torch.from_numpy(clusters().inputs))[2]
    assert float((events @ (learnt - goal)).norm()) < 0.1 * float((events @ goal).norm())
    still = train_burst_network(
        BurstNetwork(LAYERS, inputs=20, dtype="float64"),
        BurstCCN(feedback_scale=0.2, event_feedback_scale=0.0, event_feedback_rate=0.0),
        clusters(),
        epochs=1,
        steps=Momentum((0.0, 0.0)),
        n_probe=10,
    )
    assert not still.kept["event feedback"][0].any()
