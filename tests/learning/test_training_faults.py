"""Training that cannot lead anywhere ends with an error that names what, where, when, and what to try."""

import math

import numpy as np
import pandas as pd
import pytest

import snncompare as sc
from snncompare.backends.torch.surrogates import SuperSpike, Triangle
from snncompare.circuits.recurrent import recurrent_classifier
from snncompare.datasets.spike_dataset import SpikeDataset
from snncompare.errors import InputError
from snncompare.learning.faults import FaultLimits, TrainingFaultError, check_numbers, faults_of, largest_rate
from snncompare.learning.losses import Classification, RateLimit
from snncompare.learning.optimisers import Adam, GradientDescent
from snncompare.learning.rule import LearningRule
from snncompare.network.network import Network, Population
from snncompare.network.neuron import SpikeSource
from snncompare.network.neurons import leaky_integrate_and_fire

NETWORK = recurrent_classifier(inputs=8, hidden=20, classes=2)
WIDE = LearningRule(surrogate=SuperSpike("0.5 mV", "10 mV"), optimiser=Adam(1e-3))
NARROW = LearningRule(surrogate=Triangle("0.01 mV", "10 mV"), optimiser=Adam(1e-3))
SILENT = {"feed": np.full((8, 20), 1e-6)}
LOUD = {"feed": np.full((8, 20), 20.0), "recur": np.full((20, 20), 1.0) * (1 - np.eye(20))}


def halves():
    rng = np.random.default_rng(0)
    label = np.arange(20) % 2
    spikes = sc.Recording.from_arrays(
        times=rng.uniform(0, 0.055, (20, 8)).ravel(),
        unit=(np.tile(np.arange(4), 2) + 4 * label[:, None]).ravel(),
        trial=np.repeat(np.arange(20), 8),
        units=pd.DataFrame(index=range(8)),
        trials=pd.DataFrame({"half": label, "start": 0.0, "stop": 0.06}),
    )
    return SpikeDataset(spikes=spikes, label="half", name="halves")


def train(rule=WIDE, *, weights=None, epochs=4, batch_size=10, **options):
    return sc.fit(
        NETWORK, rule, halves(), test=None, loss=Classification("readout", scale="2 mV"), dt="1 ms", epochs=epochs,
        batch_size=batch_size, weights=weights, **({"progress": lambda _line: None} | options),
    )  # fmt: skip


def test_a_healthy_network_trains_without_a_word():
    lines = []
    trained = train(faults=FaultLimits(grace=0), progress=lines.append)
    assert len(trained.history) == 4
    assert not any("dead" in line or "exploding" in line for line in lines)


@pytest.mark.parametrize("grace", [0, 2])
def test_a_dead_population_is_named_when_the_grace_is_over(grace):
    lines = []
    with pytest.raises(TrainingFaultError, match=r"population 'hidden' is dead.*RateLimit") as caught:
        train(weights=SILENT, faults=FaultLimits(grace=grace), progress=lines.append)
    assert (caught.value.fault, caught.value.where, caught.value.epoch) == ("dead", "hidden", grace + 1)
    assert len(lines) == grace
    assert all("hidden dead" in line for line in lines)


def test_a_population_that_is_woken_in_time_is_no_fault():
    rule = LearningRule(surrogate=SuperSpike("5 mV", "10 mV"), optimiser=Adam(20.0, clip=None))
    weak = {"feed": np.random.default_rng(0).normal(0.5e-3, 1e-3, (8, 20))}
    options = {"weights": weak, "batch_size": 20, "penalties": [RateLimit("20 Hz", "100 Hz", 10.0)]}
    woken = train(rule, **options)
    assert woken.history["rate_hidden"].iloc[0] == 0
    assert woken.history["rate_hidden"].iloc[-1] > 0
    with pytest.raises(TrainingFaultError, match="dead"):
        train(rule, **options, faults=FaultLimits(grace=0))
    with pytest.raises(TrainingFaultError, match="dead"):
        train(weights=weak)


def test_a_population_that_may_be_silent_is_let_be():
    silent = train(weights=SILENT, faults=FaultLimits(dead=False, grace=0, least_gradient=None), epochs=2)
    assert (silent.history["rate_hidden"] == 0).all()


def test_a_population_that_fires_all_the_time_is_named():
    with pytest.raises(TrainingFaultError, match=r"'hidden' fires at \d+ Hz, more than 50% of the possible") as caught:
        train(weights=LOUD, faults=FaultLimits(grace=1))
    assert (caught.value.fault, caught.value.epoch) == ("exploding", 2)
    assert len(train(weights=LOUD, faults=FaultLimits(most=None), epochs=4).history) == 4


def test_the_largest_rate_is_that_of_refractory_time_or_step():
    for refractory, expected in (("5 ms", 200.0), (None, 1000.0)):
        cells = leaky_integrate_and_fire(refractory=refractory) if refractory else leaky_integrate_and_fire()
        cells = cells.model_copy(update={"refractory": cells.refractory if refractory else None})
        network = Network(
            populations={
                "inputs": Population(size=1, neuron=SpikeSource()),
                "cells": Population(size=1, neuron=cells),
            },
            projections={},
        )
        assert largest_rate(network, "cells", 1e-3) == pytest.approx(expected, rel=1e-12)


def test_a_gradient_that_reaches_nothing_is_named():
    with pytest.raises(TrainingFaultError, match=r"gradient vanishes.*'feed.weight'.*surrogate") as caught:
        train(NARROW, weights=SILENT, faults=FaultLimits(dead=False, grace=1))
    assert (caught.value.fault, caught.value.epoch) == ("vanishing", 2)
    train(WIDE, weights=SILENT, faults=FaultLimits(dead=False, grace=1), epochs=3)


def test_a_vanished_gradient_is_no_fault_where_the_loss_is_solved():
    norms = {"feed.weight": 1e-12}
    assert faults_of(FaultLimits(), {}, {}, norms, loss=1e-7) == {}
    assert list(faults_of(FaultLimits(), {}, {}, norms, loss=0.1)) == [("vanishing", "feed.weight")]
    assert faults_of(FaultLimits(least_gradient=None), {}, {}, norms, loss=0.1) == {}


def test_a_loss_that_is_not_a_number_ends_training_at_once_with_epoch_and_batch():
    rule = LearningRule(surrogate=SuperSpike("0.5 mV", "10 mV"), optimiser=GradientDescent(1e308, clip=None))
    with (
        np.errstate(all="ignore"),
        pytest.raises(TrainingFaultError, match=r"not a number in epoch 1, batch 2") as caught,
    ):
        train(rule)
    assert caught.value.fault == "not a number"
    assert isinstance(caught.value, InputError)


def test_a_gradient_that_is_not_a_number_is_named():
    with pytest.raises(TrainingFaultError, match=r"gradient of 'read.weight'.*epoch 3, batch 7.*than 0.05"):
        check_numbers(1.0, {"feed.weight": 1.0, "read.weight": math.inf}, 3, 7, 0.05)
    check_numbers(1.0, {"feed.weight": 1.0}, 3, 7, 0.05)


def test_limits_that_mean_nothing_are_refused():
    with pytest.raises(InputError, match="grace must be at least 0"):
        FaultLimits(grace=-1)
    with pytest.raises(InputError, match="most above 0"):
        FaultLimits(most=1.5)
