"""Learning from endless input."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from snncompare.backends.torch.module import TorchNetwork
from snncompare.backends.torch.surrogates import Triangle
from snncompare.errors import InputError, UnsupportedError
from snncompare.learning.faults import TrainingFaultError
from snncompare.learning.gradients.forward.engine import Forward
from snncompare.learning.losses import Classification, Over, Regression, VanRossum
from snncompare.learning.optimiser import Optimiser
from snncompare.learning.optimisers import Adam
from snncompare.learning.presets import bptt, eprop
from snncompare.learning.schedule import AfterTrials, EverySteps
from snncompare.learning.stream import Stream
from snncompare.network.initialisers import Normal
from snncompare.network.network import Network, Population, Projection
from snncompare.network.neuron import SpikeSource
from snncompare.network.neurons import adaptive_current_based_leaky_integrate_and_fire, current_based_readout
from snncompare.network.synapses import delta
from snncompare.network.trainable import Trainable
from snncompare.units import quantity

SURROGATE = Triangle("1", "3")
RULE = replace(eprop(SURROGATE, optimiser=Adam(learning_rate=0.02)), schedule=EverySteps(10))
LOSS = Regression("readout", scale="1")
INPUTS = 8


def network():
    neuron = adaptive_current_based_leaky_integrate_and_fire(beta="0.1", input_gain="plain", adaptation_gain="plain")
    ends = {"feed": ("source", "hidden", 0.4), "recur": ("hidden", "hidden", 0.2), "read": ("hidden", "readout", 0.1)}
    return Network(
        populations={
            "source": Population(size=INPUTS, neuron=SpikeSource()),
            "hidden": Population(size=20, neuron=neuron),
            "readout": Population(size=1, neuron=current_based_readout(tau_syn=None)),
        },
        projections={
            name: Projection(
                source=source, target=target, synapse=delta(variable="x", unit="1"), trainable={"weight": Trainable()},
                weight=Normal(mean=quantity("0"), sd=quantity(repr(sd))),
            )
            for name, (source, target, sd) in ends.items()
        },
    )  # fmt: skip


def spikes(steps, seed=0):
    return (np.random.default_rng(seed).random((steps, INPUTS)) < 0.2).astype(float)


def answer(step):
    return np.array([0.5 * np.sin(step / 15)])


def test_a_stream_learns_as_trials_do_whose_weights_change_on_the_way():
    steps, stream = 40, Stream(network(), RULE, LOSS, dt="1 ms", seed=3)
    shown = np.stack([stream.step(row, answer(k)) for k, row in enumerate(spikes(steps))])
    module = TorchNetwork(network(), 1e-3, {}, surrogate=SURROGATE, paths=RULE.paths, seed=3)
    optimiser = Optimiser(module, RULE)
    optimiser.set_rate(RULE.optimiser.rate_at(0, 1))
    target = torch.from_numpy(np.stack([answer(k) for k in range(steps)]))[:, None]
    inputs = {"source": torch.from_numpy(spikes(steps))[:, None]}
    for _ in Forward(module, RULE, LOSS).trials(inputs, target):
        optimiser.update()
    weights = stream.trained().weights
    for name, expected in module.weights_array().items():
        np.testing.assert_array_equal(weights[name], expected)
    first = TorchNetwork(network(), 1e-3, {}, surrogate=SURROGATE, seed=3).weights_array()
    assert all(np.abs(weights[name] - first[name]).max() > 1e-3 for name in first)
    assert shown.shape == (steps, 1)
    assert np.abs(shown).max() > 0


def test_the_error_falls_while_the_stream_goes_on():
    stream, errors = Stream(network(), RULE, LOSS, dt="1 ms", seed=1), []
    pattern = spikes(94, seed=5)  # as long as the answer's period
    for k in range(94 * 20):
        target = answer(k)
        errors.append(float((stream.step(pattern[k % 94], target) - target)[0] ** 2))
    assert stream.n_steps == 94 * 20
    assert np.mean(errors[-94:]) < 0.5 * np.mean(errors[:94])


def test_without_answers_nothing_is_learnt():
    stream = Stream(network(), RULE, LOSS, dt="1 ms", seed=1)
    before, fired = stream.trained().weights, 0.0
    for row in spikes(30):
        stream.step(row)
        fired += stream.spikes["hidden"].sum()
    assert fired > 10
    for name, weight in stream.trained().weights.items():
        np.testing.assert_array_equal(weight, before[name])


@pytest.mark.parametrize(
    ("rule", "loss"),
    [
        (bptt(SURROGATE), LOSS),
        (replace(RULE, schedule=AfterTrials()), LOSS),
        (RULE, Classification("readout", scale="1")),
    ],
    ids=["backwards", "after trials", "loss of the sum"],
)
def test_what_needs_an_end_is_refused(rule, loss):
    with pytest.raises(UnsupportedError, match="stream"):
        Stream(network(), rule, loss, dt="1 ms")


def test_spikes_of_another_shape_are_refused():
    with pytest.raises(InputError, match=r"shape \(8,\), got \(3,\)"):
        Stream(network(), RULE, LOSS, dt="1 ms").step(np.zeros(3))


def test_a_step_that_is_no_step_is_refused():
    stream = Stream(network(), RULE, LOSS, dt="1 ms", seed=1)
    row = np.zeros(INPUTS)
    for wrong in (row[1:], np.full(INPUTS, np.nan), row - 1, np.full(INPUTS, "a"), None):
        with pytest.raises(InputError, match="spikes must"):
            stream.step(wrong, answer(0))
    for wrong in ([0.1, 0.2], 0.1, "a", [np.inf], [[0.1]]):
        with pytest.raises(InputError, match="target must"):
            stream.step(row, wrong)
    assert stream.n_steps == 0
    stream.step(row, [np.nan])
    classes = Stream(network(), RULE, Classification("readout", scale="1", over=Over.EACH_STEP), dt="1 ms")
    for wrong in (1, -1, 0.0, True, [0], "a"):
        with pytest.raises(InputError, match="a label from 0 to 0"):
            classes.step(row, wrong)
    classes.step(row, 0)


def test_numbers_that_are_none_do_not_reach_the_weights():
    stream = Stream(network(), RULE, LOSS, dt="1 ms", seed=1)

    def run():
        for row in spikes(30):
            stream.step(row, [1e300])

    with pytest.raises(TrainingFaultError, match="not a number"):
        run()
    assert all(np.isfinite(weight).all() for weight in stream.trained().weights.values())


def test_a_loss_that_filters_a_whole_target_is_refused():
    with pytest.raises(UnsupportedError, match="no whole target"):
        Stream(network(), RULE, VanRossum("hidden"), dt="1 ms")
