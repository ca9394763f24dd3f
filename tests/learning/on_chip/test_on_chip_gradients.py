"""Gradients on chips: those of networks written out by hand with the weights that each device holds."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from snncompare.backends.analog.profiles.profile import ChipProfile
from snncompare.backends.realisation import realise
from snncompare.backends.torch.module import TorchNetwork
from snncompare.backends.torch.surrogates import SuperSpike
from snncompare.errors import UnsupportedError
from snncompare.learning.gradients.backward import Backward
from snncompare.learning.losses import Classification, Over
from snncompare.learning.on_chip.chips import Chips
from snncompare.learning.on_chip.engine import BackwardOnChip
from snncompare.learning.on_chip.settings import AdversarialMismatch, OnChip
from snncompare.learning.presets import bptt, checkpointed_bptt, eprop, truncated_bptt
from snncompare.network.initialisers import Normal
from snncompare.network.network import Network, Population, Projection
from snncompare.network.neuron import SpikeSource
from snncompare.network.neurons import leaky_integrate_and_fire, leaky_readout
from snncompare.network.synapses import exponential
from snncompare.network.wiring import Convolution
from snncompare.units import quantity

DT, STEPS, BATCH, INPUTS, HIDDEN = 5e-4, 80, 4, 6, 5
SURROGATE = SuperSpike("2 mV", "10 mV")
LOSS = Classification("readout", scale="2 mV")
EACH_STEP = replace(LOSS, over=Over.EACH_STEP)
LABELS = torch.tensor([0, 1, 1, 0])
PLAIN = ChipProfile.load("plain")


def network():
    weight = Normal(mean=quantity("4 mV"), sd=quantity("12 mV"))
    ends = {"feed": ("source", "hidden"), "recur": ("hidden", "hidden"), "read": ("hidden", "readout")}
    return Network(
        populations={
            "source": Population(size=INPUTS, neuron=SpikeSource()),
            "hidden": Population(size=HIDDEN, neuron=leaky_integrate_and_fire(tau="10 ms", refractory="0 ms")),
            "readout": Population(size=2, neuron=leaky_readout(tau="10 ms")),
        },
        projections={
            name: Projection(source=one, target=other, synapse=exponential(tau="4 ms"), into="I", weight=weight)
            for name, (one, other) in ends.items()
        },
    )


NETWORK = network()
WEIGHTS = realise(NETWORK, 3, None, dt=DT)
INPUT = torch.from_numpy(np.random.default_rng(0).random((STEPS, BATCH, INPUTS)) < 0.1).double()


def gradients(on_chip, rule=None, *, loss=LOSS, seed=None, weights=WEIGHTS):
    """Return what an engine leaves in ``grad``, and the loss; without chips for None."""
    chosen = rule or bptt(SURROGATE)
    module = TorchNetwork(
        NETWORK, DT, weights, surrogate=SURROGATE, paths=chosen.paths, checkpoint_every=chosen.checkpoint_every
    )
    engine = Backward(module, chosen, loss)
    if on_chip is not None:
        chips = Chips(module, on_chip, chosen, seed=seed or 0)
        if seed is not None:
            chips.renew("batch")
        engine = BackwardOnChip(chips, chosen, loss)
    learnt = list(engine.trials({"source": INPUT}, LABELS))
    return {name: module.synapses[name].weight.grad.clone() for name in module.synapses}, learnt[-1].loss


def by_hand(plain_torch, weights):
    """Return the gradients of the loss by the weights that neurons receive."""
    leaky, readout = plain_torch.cells["leaky"], plain_torch.cells["readout"]
    plain = plain_torch.Network(
        {"hidden": (leaky(), HIDDEN), "readout": (readout(), 2)},
        [["hidden"], ["readout"]],
        {name: (p.source, p.target, 0) for name, p in NETWORK.projections.items()},
        {name: torch.from_numpy(w) for name, w in weights.items()},
    )
    found, _, _ = plain.gradients(list(INPUT), lambda values: LOSS(values, LABELS), plain_torch.Follow())
    return {name: found[name].numpy() * (asked()[name] != 0) for name in weights}  # no neuron is joined to itself


def asked():
    return WEIGHTS.dense_weights()


def three_bits(weights, scale):
    return np.clip(np.rint(weights * scale), -3, 3) / scale


def close(one, other, tolerance=1e-10):
    """Sums over some hundred terms in another order: rounding, relative to the largest."""
    return all(np.abs(np.asarray(one[n]) - other[n]).max() < tolerance * np.abs(other[n]).max() for n in other)


def test_without_imperfections_the_gradient_is_that_of_the_ideal_network_bit_for_bit():
    ideal, loss = gradients(None)
    same, loss_on_chip = gradients(OnChip("ideal"))
    assert loss == loss_on_chip
    assert all(torch.equal(ideal[name], same[name]) for name in ideal)
    other, _ = gradients(OnChip(PLAIN.changed(**{"weights.cv": 0.01})))
    assert not any(torch.equal(ideal[name], other[name]) for name in ideal)


def test_straight_through_is_the_gradient_at_the_rounded_weights(plain_torch):
    found, _ = gradients(OnChip(PLAIN.changed(**{"weights.bits": 3})))
    rounded = {name: three_bits(w, 3 / np.abs(w).max()) for name, w in asked().items()}
    assert close(found, by_hand(plain_torch, rounded))
    assert not close(found, by_hand(plain_torch, asked()), tolerance=1e-2)


def test_clipped_is_the_same_without_the_weights_that_were_clipped(plain_torch):
    scale = 3 / 10e-3  # weights beyond 10 mV are clipped
    changes = {"weights.bits": 3, "weights.scale": f"{scale} LSB"}
    profile = PLAIN.changed(**changes)
    held = {name: three_bits(w, scale) for name, w in asked().items()}
    inside = {name: np.abs(np.rint(w * scale)) <= 3 for name, w in asked().items()}
    assert all(0 < mask.mean() < 1 for mask in inside.values())
    oracle = by_hand(plain_torch, held)
    through, _ = gradients(OnChip(profile, gradient="straight_through"))
    clipped, _ = gradients(OnChip(profile, gradient="clipped"))
    assert close(through, oracle)
    assert close(clipped, {name: oracle[name] * inside[name] for name in oracle})
    assert not close(through, {name: oracle[name] * inside[name] for name in oracle}, tolerance=1e-3)


def test_several_devices_are_the_mean_of_each_with_its_own_factors(plain_torch):
    profile, seeds = PLAIN.changed(**{"weights.cv": 0.3}), (4, 9)
    on_chip = OnChip(profile, seeds)
    module = TorchNetwork(NETWORK, DT, WEIGHTS, surrogate=SURROGATE)
    maps = Chips(module, on_chip).fleet(seeds).weight_maps
    each = []
    for k in range(2):
        factors = {n: replace(c, weight=maps[n].factor[k]).dense() for n, c in WEIGHTS.connections.items()}
        own = by_hand(plain_torch, {n: w * factors[n] for n, w in asked().items()})
        each.append({n: own[n] * factors[n] for n in own})
    mean = {name: (each[0][name] + each[1][name]) / 2 for name in each[0]}
    found, loss = gradients(on_chip)
    assert close(found, mean)
    assert not close(found, each[0], tolerance=1e-2)
    alone = [gradients(OnChip(profile, (seed,))) for seed in seeds]
    assert close(alone[1][0], each[1])
    # Means over devices of means over trials are means over all copies, up to rounding.
    assert math.isclose(loss, (alone[0][1] + alone[1][1]) / 2, rel_tol=1e-12)


def test_state_that_is_computed_again_and_windows_give_what_they_give_without_chips():
    on_chip = OnChip(PLAIN.changed(**{"weights.cv": 0.3, "membrane_time_constant.cv": 0.2}), (1, 2))
    whole, _ = gradients(on_chip)
    again, _ = gradients(on_chip, checkpointed_bptt(SURROGATE, 7))
    assert close(again, {name: g.numpy() for name, g in whole.items()}, 1e-12)
    windows = (truncated_bptt(SURROGATE, 20),)
    in_windows, _ = gradients(on_chip, *windows, loss=EACH_STEP)
    whole, _ = gradients(on_chip, loss=EACH_STEP)
    assert not close(in_windows, {name: g.numpy() for name, g in whole.items()}, 1e-3)
    plain, _ = gradients(None, *windows, loss=EACH_STEP)
    ideal, _ = gradients(OnChip("ideal"), *windows, loss=EACH_STEP)
    assert all(torch.equal(plain[name], ideal[name]) for name in plain)


def test_noise_depends_on_the_seed_of_the_batch():
    profile = PLAIN.changed(**{"noise.membrane": 0.1})
    first, again, other = (gradients(OnChip(profile), seed=seed)[0] for seed in (0, 0, 1))
    still, _ = gradients(OnChip(profile, noise=False))
    ideal, _ = gradients(None)
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert not any(torch.equal(first[name], other[name]) for name in first)
    assert all(torch.equal(still[name], ideal[name]) for name in still)


def test_eprop_runs_on_chips_where_it_is_carried_out_backwards():
    backwards = eprop(SURROGATE, execution=bptt(SURROGATE).execution)
    plain, _ = gradients(None, backwards)
    ideal, _ = gradients(OnChip("ideal"), backwards)
    chip, _ = gradients(OnChip(PLAIN.changed(**{"weights.cv": 0.3})), backwards)
    assert all(torch.equal(plain[name], ideal[name]) for name in plain)
    assert not close(chip, {name: g.numpy() for name, g in plain.items()}, 1e-3)


@pytest.mark.parametrize(
    ("rule", "on_chip", "message"),
    [
        (eprop(SURROGATE), OnChip("ideal"), r"execution=Execution\.BACKWARD"),
        (truncated_bptt(SURROGATE, 5), OnChip("ideal", attack=AdversarialMismatch()), r"schedule=AfterTrials\(\)"),
    ],
    ids=["forwards", "attack in windows"],
)
def test_what_cannot_be_learnt_on_chips_is_refused_with_what_can(rule, on_chip, message):
    with pytest.raises(UnsupportedError, match=message):
        gradients(on_chip, rule, loss=EACH_STEP)
    gradients(on_chip, bptt(SURROGATE), loss=EACH_STEP)


def test_what_is_learnt_against_an_attack_is_the_derivative_of_the_loss_with_beta_times_the_divergence():
    """By readout weights the loss is smooth, so that finite differences tell its derivative."""
    on_chip = OnChip(PLAIN.changed(**{"weights.cv": 0.3}), attack=AdversarialMismatch(zeta=0.05, steps=3, beta=2.0))
    found, loss = gradients(on_chip)
    nothing, natural = gradients(replace(on_chip, attack=replace(on_chip.attack, beta=0.0)))
    plain, _ = gradients(replace(on_chip, attack=None))
    _, once = gradients(replace(on_chip, attack=replace(on_chip.attack, beta=1.0)))
    assert all(torch.equal(nothing[name], plain[name]) for name in plain)
    assert math.isclose(loss - natural, 2 * (once - natural), rel_tol=1e-9)
    assert loss > natural
    (source, target), step = (1, 0), 1e-9  # volt: 1e-7 of a weight, so that the attack takes the same turns
    moved = []
    for sign in (1, -1):
        weights = {name: array.copy() for name, array in asked().items()}
        weights["read"][source, target] += sign * step
        moved.append(gradients(on_chip, weights=weights)[1])
    slope = (moved[0] - moved[1]) / (2 * step)
    # Central differences of a loss of about 1 by steps that change it by 1e-7: ten digits of sixteen are left.
    assert math.isclose(float(found["read"][source, target]), slope, rel_tol=1e-6)
    assert not math.isclose(float(plain["read"][source, target]), slope, rel_tol=1e-3)


def test_weights_that_share_a_kernel_get_the_sum_of_what_their_synapses_get_on_the_chip():
    """A convolution into a readout that never fires: the loss is smooth in the kernel."""
    kernel = Convolution(input_shape=(6,), kernel=(3,), channels_out=1)
    described = Network(
        populations={
            "source": Population(size=INPUTS, neuron=SpikeSource()),
            "readout": Population(size=4, neuron=leaky_readout(tau="10 ms")),
        },
        projections={
            "read": Projection(
                source="source", target="readout", synapse=exponential(tau="4 ms"), into="I", wiring=kernel,
                weight=Normal(mean=quantity("1 mV"), sd=quantity("5 mV")),
            )
        },
    )  # fmt: skip
    on_chip = OnChip(PLAIN.changed(**{"weights.cv": 0.5}), (2, 3))

    def learnt(change=0.0):
        module = TorchNetwork(described, DT, None, surrogate=None)
        with torch.no_grad():
            module.synapses["read"].weight.reshape(-1)[1] += change
        engine = BackwardOnChip(Chips(module, on_chip, bptt(SURROGATE)), bptt(SURROGATE), LOSS)
        (end,) = engine.trials({"source": INPUT}, LABELS)
        return end.loss, module.synapses["read"].weight.grad.reshape(-1)

    _, gradient = learnt()
    assert gradient.numel() == 3
    slope = (learnt(1e-7)[0] - learnt(-1e-7)[0]) / 2e-7
    assert math.isclose(float(gradient[1]), slope, rel_tol=1e-6)  # as above
    assert not math.isclose(float(gradient[0]), slope, rel_tol=1e-3)
