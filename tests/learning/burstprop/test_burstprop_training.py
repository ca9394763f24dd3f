"""Training of networks of ensembles: what a step does, what is noted, and that an interruption changes nothing."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from snncompare.errors import FileError, InputError
from snncompare.learning.burstprop import (
    Backprop,
    BurstCCN,
    BurstNetwork,
    Burstprop,
    Dense,
    EnsembleRule,
    FeedbackAlignment,
    Momentum,
    NodePerturbation,
    Patterns,
    TrainedBurstNetwork,
    train_burst_network,
)
from snncompare.learning.burstprop.gradient import angle, exact_signals, weight_changes
from snncompare.learning.burstprop.shifts import shifted
from snncompare.learning.learning_rates import HalfCosine, StepDecay


def clusters(seed: int = 0, n: int = 160, shape: tuple[int, ...] = (1, 4, 4)) -> Patterns:
    """Return three clouds in 16 dimensions; the same clouds for every seed."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 3, n)
    centres = 1.5 * np.random.default_rng(99).normal(size=(3, 16))
    return Patterns((centres[labels] + rng.normal(size=(n, 16))).reshape(n, *shape), labels, n_classes=3)


def network(seed: int = 0) -> BurstNetwork:
    return BurstNetwork((Dense(20), Dense(20), Dense(3)), inputs=(1, 4, 4), dtype="float64", seed=seed)


def trained(rule: EnsembleRule, **options: object) -> TrainedBurstNetwork:
    settings = {"epochs": 3, "batch_size": 16, "steps": Momentum((0.05, 0.01)), "n_probe": 20} | options
    return train_burst_network(network(), rule, clusters(), test=clusters(1), **settings)  # type: ignore[arg-type]


RULES = [Burstprop(feedback_scale=0.2), BurstCCN(feedback_scale=0.2), NodePerturbation()]


class Killed(Exception):  # noqa: N818 - nobody's error
    """Stands for an interruption."""


@pytest.mark.parametrize("rule", RULES, ids=["burstprop", "burst_ccn", "node_perturbation"])
def test_a_killed_training_ends_with_the_same_bits(rule: EnsembleRule, tmp_path: Path) -> None:
    options = {"shift": 1, "steps": Momentum((0.05, 0.01), schedule=HalfCosine())}
    whole = trained(rule, **options)

    def killer(line: str) -> None:
        if line.startswith("epoch 2/"):
            raise Killed

    path = tmp_path / "half"
    with pytest.raises(Killed):
        trained(rule, checkpoint=path, progress=killer, **options)
    lines: list[str] = []
    resumed = trained(rule, checkpoint=path, progress=lines.append, **options)
    assert [line[:9] for line in lines] == ["epoch 3/3"]
    assert not path.exists()
    for one, other in zip(whole.network.weights, resumed.network.weights, strict=True):
        assert torch.equal(one, other)
    for name, tensors in whole.kept.items():
        assert all(torch.equal(a, b) for a, b in zip(tensors, resumed.kept[name], strict=True))
    pd.testing.assert_frame_equal(whole.history, resumed.history, check_exact=True)
    other_seed = trained(rule, seed=1, **options)
    assert not torch.equal(other_seed.network.weights[0], whole.network.weights[0])


def test_a_checkpoint_of_another_training_is_refused(tmp_path: Path) -> None:
    def killer(_: str) -> None:
        raise Killed

    with pytest.raises(Killed):
        trained(RULES[0], checkpoint=tmp_path / "half", progress=killer)
    for other in ({"batch_size": 8}, {"seed": 3}, {"shift": 1}, {"steps": Momentum((0.05, 0.02))}):
        with pytest.raises(FileError, match="another training"):
            trained(RULES[0], checkpoint=tmp_path / "half", **other)


def test_a_step_is_the_sum_over_the_batch_with_momentum_and_decay_of_weights_only() -> None:
    one = network()
    before = [weight.clone() for weight in one.weights]
    data = clusters(n=8)
    inputs, labels = data.for_network(one)
    targets = torch.eye(3, dtype=torch.float64)[labels]
    gradient = weight_changes(one, exact_signals(one, inputs, targets), one.rates(inputs))
    steps = Momentum((0.3, 0.2, 0.1), momentum=0.5, weight_decay=0.01, schedule=StepDecay(1, 0.5))
    train_burst_network(one, Backprop(), data, epochs=1, batch_size=8, steps=steps)
    for rate, weight, old, change in zip((0.3, 0.2, 0.1), one.weights, before, gradient, strict=True):
        torch.testing.assert_close(weight, 0.99 * (old + rate * change))
    after = [weight.clone() for weight in one.weights]
    now = weight_changes(one, exact_signals(one, inputs, targets), one.rates(inputs))
    two = network()
    train_burst_network(two, Backprop(), data, epochs=2, batch_size=8, steps=steps)
    # second epoch: the schedule halves rate and decay, not the velocity
    velocity = 0.5 * 0.3 * gradient[0] + 0.5 * 0.3 * now[0]
    torch.testing.assert_close(two.weights[0], 0.995 * (after[0] + velocity))


@pytest.mark.parametrize(
    ("rule", "rate", "most"),
    [
        (Burstprop(feedback_scale=0.2), 0.1, 0.1),
        (BurstCCN(feedback_scale=0.3), 0.02, 0.1),
        (Backprop(), 0.02, 0.1),
        (FeedbackAlignment(feedback_scale=0.2), 0.02, 0.1),
        (NodePerturbation(), 0.005, 0.35),
    ],
    ids=["burstprop", "burst_ccn", "backprop", "feedback_alignment", "node_perturbation"],
)
def test_every_rule_learns_three_clouds(rule: EnsembleRule, rate: float, most: float) -> None:
    # chance is 0.67; the clouds lie 8 standard deviations apart, so that little is left to err about
    after = trained(rule, epochs=25, steps=Momentum((rate, 0.02), weight_decay=0.0)).history["test_error"]
    assert after.iloc[0] > 0.4
    assert after.iloc[-1] <= most


def test_node_perturbation_is_the_gradient_on_average() -> None:
    n, one = 3000, BurstNetwork((Dense(20), Dense(3)), inputs=(1, 4, 4), dtype="float64", gain=3.0)
    inputs, labels = clusters(n=10).for_network(one)
    many, targets = inputs.repeat(n, 1, 1, 1), torch.eye(3, dtype=torch.float64)[labels].repeat(n, 1)
    rates, random = one.rates(many), torch.Generator().manual_seed(0)
    slopes = exact_signals(one, many, targets)
    exact = weight_changes(one, slopes, rates)
    rule = NodePerturbation(noise=0.01)
    found = weight_changes(one, rule.signals(one, {}, rates, targets, random), rates)
    # each component of a mean of n draws errs by |gradient of all ensembles|/sqrt(n)
    whole = float(torch.cat(slopes, 1).norm())
    errors = [np.degrees(np.arctan(whole / float(part.norm()) * (part.shape[1] / n) ** 0.5)) for part in slopes]
    assert max(errors) < 15.0
    assert all(angle(a, b) < 2 * error for a, b, error in zip(found, exact, errors, strict=True))
    few = [part[:10] for part in rates]
    once = weight_changes(one, rule.signals(one, {}, few, targets[:10], random), few)
    assert angle(once[0], exact[0]) > 30.0
    coarse = NodePerturbation(noise=30.0).signals(one, {}, rates, targets, random)
    assert float(weight_changes(one, coarse, rates)[0].norm() / exact[0].norm()) < 0.5


def test_history_tells_what_was_asked_and_the_probe_is_as_large_as_said() -> None:
    found = trained(RULES[0], validation=clusters(2))
    names = {"epoch", "loss", "training_error", "validation_error", "test_error", "angle_1", "norm_ratio_3"}
    assert names | {"feedback_angle_2", "burst_probability_1", "linear_2"} <= set(found.history)
    assert found.history["epoch"].tolist() == [0, 1, 2, 3]
    assert found.provenance["rule"] == repr(RULES[0])
    other = trained(RULES[0], n_probe=60).history
    assert other["angle_1"].iloc[-1] != found.history["angle_1"].iloc[-1]
    assert other["test_error"].equals(found.history["test_error"])


def test_pictures_move_by_whole_pixels_in_all_directions() -> None:
    random = torch.Generator().manual_seed(0)
    picture = torch.zeros(400, 1, 9, 9)
    picture[:, :, 4, 4] = 1.0
    rows, columns = shifted(picture, 2, random).nonzero()[:, 2:].T
    assert sorted(set(rows.tolist())) == sorted(set(columns.tolist())) == [2, 3, 4, 5, 6]
    assert torch.equal(shifted(picture, 0, random), picture)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"epochs": 0}, "epochs"),
        ({"batch_size": 2.5}, "batch_size"),
        ({"steps": Momentum((0.1, 0.1, 0.1, 0.1))}, "4 learning rates for 3 layers"),
        ({"steps": Momentum((1e308, 1e308))}, "smaller learning rates"),
        ({"seed": -1}, "seed"),
    ],
)
def test_training_refuses_what_it_cannot_do(options: dict[str, object], said: str) -> None:
    with pytest.raises(InputError, match=said):
        trained(RULES[0], **options)


def test_patterns_that_do_not_fit_are_refused() -> None:
    rng = np.random.default_rng(0)
    with pytest.raises(InputError, match="the patterns inputs"):
        train_burst_network(network(), RULES[0], Patterns(rng.normal(size=(4, 7)), np.zeros(4, int), 3))
    with pytest.raises(InputError, match="finite"):
        Patterns(np.full((4, 7), np.nan), np.zeros(4, int))
    with pytest.raises(InputError, match="from 0 to 9"):
        Patterns(np.zeros((4, 7)), np.full(4, 10))
    with pytest.raises(InputError, match="shapes"):
        Patterns(np.zeros((4, 7)), np.zeros(3, int))
    flat = BurstNetwork((Dense(3),), inputs=16)
    with pytest.raises(InputError, match="shift moves pictures"):
        train_burst_network(flat, Backprop(), clusters(shape=(16,)), shift=1)


@pytest.mark.parametrize(
    ("change", "said"),
    [({"momentum": 1.0}, "below 1"), ({"weight_decay": -0.1}, "at least 0"), ({"learning_rates": ()}, "at least 0")],
)
def test_steps_refuse_values_that_mean_nothing(change: dict[str, object], said: str) -> None:
    with pytest.raises(InputError, match=said):
        replace(Momentum(), **change)
