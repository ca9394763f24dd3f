"""Training on chips: what mismatch takes is learnt back, weights stay within the chip's range, killed runs resume."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch

import snncompare as sc
from snncompare.backends.analog.profiles.profile import ChipProfile
from snncompare.backends.torch.module import TorchNetwork
from snncompare.circuits.recurrent import recurrent_classifier
from snncompare.datasets.spike_dataset import SpikeDataset
from snncompare.errors import FileError, InputError
from snncompare.learning.batches import Batches
from snncompare.learning.calibrate import calibrate, few
from snncompare.learning.dropout import Dropout
from snncompare.learning.losses import Classification
from snncompare.learning.on_chip import AdversarialMismatch, OnChip, evaluate_on_chip
from snncompare.learning.on_chip.chips import Chips
from snncompare.learning.on_chip.engine import BackwardOnChip
from snncompare.learning.on_chip.settings import FIRST_DRAWN_SEED
from snncompare.learning.rule import surrogate_gradient
from snncompare.network.network import Population
from snncompare.network.neuron import NeuronModel
from snncompare.network.neurons import leaky_integrate_and_fire
from snncompare.network.trainable import Trainable
from snncompare.units import quantity

NETWORK = recurrent_classifier(inputs=8, hidden=20, classes=2)
RULE = surrogate_gradient(width="0.5 mV", scale="10 mV", learning_rate=0.05)
GENTLE = surrogate_gradient(width="0.5 mV", scale="10 mV", learning_rate=0.02)
LOSS = Classification("readout", scale="2 mV")
PLAIN = ChipProfile.load("plain")
ROUGH = PLAIN.changed(**{"weights.cv": 0.7, "time_constants.cv": 0.4, "threshold.sd_fraction": 0.2})
BROKEN = 1
"""A device of `ROUGH` on which the ideal weights fail."""
LEARNT = 0.8
"""Guessing two classes reaches this in 40 held-out trials with a probability below 0.0001."""


def two_orders(n=40, *, seed=0):
    """Return trials in which the first or the second half of the units fires first: counts say nothing."""
    rng = np.random.default_rng(seed)
    label = np.arange(n) % 2
    early, late = 0.005 + 0.02 * rng.random((n, 8)), 0.045 + 0.02 * rng.random((n, 8))
    spikes = sc.Recording.from_arrays(
        times=np.where((np.arange(8) < 4) == (label[:, None] == 0), early, late).ravel(),
        unit=np.tile(np.arange(8), n),
        trial=np.repeat(np.arange(n), 8),
        units=pd.DataFrame(index=range(8)),
        trials=pd.DataFrame({"order": label, "start": 0.0, "stop": 0.08}),
    )
    return SpikeDataset(spikes=spikes, label="order", name="two orders", classes=(0, 1))


LEARN, TEST, SHORT = two_orders(), two_orders(seed=9), two_orders(10, seed=3)


def train(on_chip=None, *, rule=RULE, epochs=1, progress=lambda _line: None, **options):
    return sc.fit(
        NETWORK, rule, LEARN, test=TEST, loss=LOSS, dt="1 ms", epochs=epochs, batch_size=20, progress=progress,
        on_chip=on_chip, **options,
    )  # fmt: skip


def train_shortly(on_chip=None, *, epochs=1, progress=lambda _line: None, **options):
    return sc.fit(
        NETWORK, RULE, SHORT, test=None, loss=LOSS, dt="1 ms", epochs=epochs, batch_size=5, progress=progress,
        on_chip=on_chip, **options,
    )  # fmt: skip


def on_device(trained, profile=ROUGH, seeds=(BROKEN,), **options):
    return evaluate_on_chip(trained, TEST, LOSS, profile=profile, device_seeds=seeds, dt="1 ms", **options)


def same(one, two):
    return all(np.array_equal(one.weights[name], two.weights[name]) for name in one.weights)


@pytest.fixture(scope="module")
def ideal():
    return train(epochs=8)


def test_on_a_chip_with_large_mismatch_the_ideal_weights_fail_and_more_ideal_training_does_not_help(ideal):
    assert ideal.history["test_accuracy"].iloc[-1] >= 0.9
    assert on_device(ideal)["accuracy"].item() < LEARNT
    longer = train(rule=GENTLE, epochs=5, weights=ideal.realisation)
    assert longer.history["test_accuracy"].iloc[-1] >= 0.9
    assert on_device(longer)["accuracy"].item() < LEARNT


@pytest.mark.parametrize("in_the_loop", [True, False], ids=["in the loop", "through the chip's model"])
def test_training_on_the_chip_learns_what_its_mismatch_took(ideal, in_the_loop):
    on_chip = OnChip(ROUGH, (BROKEN,), in_the_loop=in_the_loop)
    trained = train(on_chip, rule=GENTLE, epochs=5, weights=ideal.realisation)
    found = on_device(trained)
    assert found["accuracy"].item() > LEARNT
    last = trained.history.iloc[-1]
    # The history is measured on the same device; in the loop sums are products of matrices: rounding.
    assert found["accuracy"].item() == last["test_accuracy"]
    assert found["loss"].item() == pytest.approx(last["test_loss"], rel=1e-9)
    assert trained.network == NETWORK
    assert trained.provenance["on_chip"]["in_the_loop"] is in_the_loop


def test_few_trials_of_each_class_calibrate_the_readout_and_nothing_else(ideal):
    found = calibrate(
        ideal, OnChip(ROUGH, (BROKEN,)), two_orders(seed=5), loss=LOSS, rule=RULE, dt="1 ms", shots=10, epochs=5,
        test=TEST, progress=lambda _line: None,
    )  # fmt: skip
    assert on_device(found)["accuracy"].item() > LEARNT
    assert [name for name in ideal.weights if not np.array_equal(ideal.weights[name], found.weights[name])] == ["read"]


def test_thresholds_of_single_neurons_are_calibrated_and_nothing_else(ideal):
    options = {"loss": LOSS, "rule": RULE, "dt": "1 ms", "epochs": 1, "progress": lambda _line: None}
    chip = OnChip(ROUGH, (BROKEN,))
    found = calibrate(ideal, chip, LEARN, what="thresholds", **options)
    assert same(found, ideal)
    model = found.network.populations["hidden"].neuron
    assert isinstance(model, NeuronModel)
    (name,) = found.network.populations["hidden"].trainable
    thresholds = found.realisation.values["hidden"][name]
    asked = model.parameters[name].value
    # Adam's first steps are at most as large as its learning rate, in units of the threshold: 5 % in three batches.
    assert 0.0 < np.abs(thresholds / asked - 1).max() <= 0.15
    assert np.unique(thresholds).size > 10
    assert on_device(found)["loss"].item() < on_device(ideal)["loss"].item()
    weights = calibrate(ideal, chip, SHORT, what="weights", **options)
    assert not any(np.array_equal(ideal.weights[name], weights.weights[name]) for name in ideal.weights)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"what": "tresholds"}, "did you mean 'thresholds'"),
        ({"shots": 21}, "shots must lie between 1 and 20"),
        ({"chip": "bss2_calibrated"}, "chip must be Chip or OnChip"),
        ({"loss": Classification("hidden", scale="2 mV")}, "has 20 neurons for 2 classes"),
    ],
    ids=["what", "shots", "chip", "loss"],
)
def test_calibrations_that_cannot_be_are_refused(ideal, given, message):
    options = {"chip": OnChip("ideal"), "dataset": LEARN, "loss": LOSS, "rule": RULE, "dt": "1 ms", "epochs": 0}
    with pytest.raises(InputError, match=message):
        calibrate(ideal, **(options | given))


def test_few_trials_are_drawn_from_every_class():
    part = few(LEARN, 3, seed=0)
    assert np.bincount(part.labels).tolist() == [3, 3]
    assert not np.array_equal(part.trials.index, few(LEARN, 3, seed=1).trials.index)
    assert len(few(LEARN, 3, seed=0, by_class=False)) == 3


def test_weights_stay_within_what_the_chip_holds():
    scale = 7 / 40e-3
    small = PLAIN.changed(**{"weights.bits": 4, "weights.scale": f"{scale} LSB"})
    limit = 7 / scale
    held = [np.abs(w).max() for w in train_shortly(OnChip(small)).weights.values()]
    free = [np.abs(w).max() for w in train_shortly().weights.values()]
    assert max(held) == pytest.approx(limit, rel=1e-15)
    assert max(free) > 1.05 * limit
    steps = np.concatenate([w[w != 0] for w in train_shortly(OnChip(small)).weights.values()]) * scale
    assert np.abs(steps - np.rint(steps)).max() > 0.4, "the weights that learn are float numbers"


def test_trained_time_constants_thresholds_and_delays_stay_within_what_the_chip_holds():
    neuron = leaky_integrate_and_fire(tau="5 ms", v_threshold="10 mV", refractory="0 ms")
    marks = {"tau": Trainable(), "v_threshold": Trainable()}
    feed = NETWORK.projections["feed"].model_copy(
        update={"delay": quantity("2 ms"), "trainable": {"weight": Trainable(), "delay": Trainable()}}
    )
    network = NETWORK.model_copy(
        update={
            "populations": {
                **NETWORK.populations, "hidden": Population(size=20, neuron=neuron, trainable=marks)
            },
            "projections": {**NETWORK.projections, "feed": feed},
        }
    )  # fmt: skip
    limits = {
        "membrane_time_constant.low": "4.8 ms", "membrane_time_constant.high": "20 ms", "delays.high": "2.1 ms",
        "leak.target": "80 LSB", "threshold.target": "125 LSB", "threshold.low": "124 LSB", "threshold.high": "126 LSB",
    }  # fmt: skip

    def extremes(profile):
        found = sc.fit(
            network, RULE, SHORT, test=None, loss=LOSS, dt="1 ms", epochs=2, batch_size=10, on_chip=OnChip(profile),
            progress=lambda _line: None,
        )  # fmt: skip
        values = found.realisation.values["hidden"]
        arrays = (values["tau"] * 1e3, values["v_threshold"] * 1e3, found.realisation.connections["feed"].delay * 1e3)
        return np.array([[array.min(), array.max()] for array in arrays])

    # One LSB of the threshold is 10 mV / 45; the leak is at zero.
    legal = np.array([[4.8, 20.0], [10 - 10 / 45, 10 + 10 / 45], [0.0, 2.1]])
    held, free = extremes(PLAIN.changed(**limits)), extremes(PLAIN)
    assert (held[:, 0] >= legal[:, 0] - 1e-9).all()  # milliseconds and millivolts of rounding
    assert (held[:, 1] <= legal[:, 1] + 1e-9).all()
    assert (free[:2, 0] < legal[:2, 0]).all()
    assert (free[1:, 1] > legal[1:, 1]).all()


def test_devices_are_drawn_anew_as_often_as_asked_for():
    def seeds(redraw):
        chips = Chips(TorchNetwork(NETWORK, 1e-3, None), OnChip(ROUGH, (3, 4), redraw=redraw))
        found = []
        for _ in range(2):
            chips.renew("epoch")
            for _ in range(3):
                chips.renew("batch")
                found.append(chips.seeds)
        return found

    assert len(set(seeds("never"))) == 1
    assert len(set(seeds("epoch"))) == 2
    assert len(set(seeds("batch"))) == 6
    assert set(seeds("never")) == {(3, 4)}
    assert all(seed >= FIRST_DRAWN_SEED for drawn in seeds("batch") for seed in drawn)


class KilledError(Exception):
    """Stands for the end of the process."""


@pytest.mark.parametrize(
    "on_chip",
    [
        OnChip(ROUGH.changed(**{"noise.membrane": 0.05}), (0, 1), redraw="batch"),
        OnChip(ROUGH, (0,), redraw="epoch", in_the_loop=True),
        OnChip("ideal", attack=AdversarialMismatch(steps=1)),
    ],
    ids=["new devices and noise", "in the loop", "attack"],
)
def test_training_that_was_killed_goes_on_to_the_same_bits(on_chip, tmp_path):
    def kill(_line):
        raise KilledError

    options = {"dropout": Dropout(0.2), "epochs": 2}
    whole, file = train_shortly(on_chip, **options), tmp_path / "training.checkpoint"
    with pytest.raises(KilledError):
        train_shortly(on_chip, checkpoint=file, progress=kill, **options)
    with pytest.raises(FileError, match="another training"):
        train_shortly(replace(on_chip, noise=not on_chip.noise, gradient="clipped"), checkpoint=file, **options)
    state = torch.load(file, weights_only=True)
    torch.save(state | {"chips": np.random.default_rng(1).bit_generator.state}, tmp_path / "other.checkpoint")
    assert not same(train_shortly(on_chip, checkpoint=tmp_path / "other.checkpoint", **options), whole)
    lines = []
    resumed = train_shortly(on_chip, checkpoint=file, progress=lines.append, **options)
    assert len(lines) == 1
    assert same(resumed, whole)
    pd.testing.assert_frame_equal(resumed.history, whole.history)


def test_every_way_of_training_gives_other_weights():
    ways = {
        "ideal": None,
        "never": OnChip(ROUGH),
        "batch": OnChip(ROUGH, redraw="batch"),
        "epoch": OnChip(ROUGH, redraw="epoch"),
        "two": OnChip(ROUGH, (0, 1)),
        "loop": OnChip(ROUGH, in_the_loop=True),
        "attack": OnChip("ideal", attack=AdversarialMismatch(steps=1)),
    }
    found = [train_shortly(on_chip) for on_chip in ways.values()]
    assert not any(same(found[k], found[j]) for k in range(len(found)) for j in range(k))


def test_on_an_ideal_chip_training_is_what_it_is_without_one():
    options = {"epochs": 2, "dropout": Dropout(0.2)}
    ideal, on_chip = train_shortly(**options), train_shortly(OnChip("ideal"), **options)
    assert same(on_chip, ideal)
    pd.testing.assert_frame_equal(on_chip.history, ideal.history, check_exact=True)
    assert not same(train_shortly(OnChip("ideal"), seed=1, **options), ideal)


def test_two_chips_that_are_alike_give_the_history_of_one():
    one, two = (train_shortly(OnChip("ideal", seeds), epochs=2).history for seeds in ((0,), (0, 1)))
    pd.testing.assert_frame_equal(one, two, rtol=1e-9)  # means over twice as many trials: rounding
    other = train_shortly(OnChip(ROUGH, (0, 1)), epochs=2).history
    assert all(one[name].iloc[-1] != other[name].iloc[-1] for name in ("loss", "rate", "gradient_norm"))


def test_noise_of_a_trial_is_the_same_in_whatever_process_it_runs():
    noisy = OnChip(PLAIN.changed(**{"noise.membrane": 0.1}))
    chips = Chips(TorchNetwork(NETWORK, 1e-3, None), noisy)

    def noise(n_trials, first_trial):
        again = Chips(chips.module, noisy)
        again.renew("batch", first_trial=first_trial)
        return again.begin_batch(n_trials).noise("hidden", 0, 4)["v"]

    assert np.array_equal(noise(5, 0)[:, 3:], noise(2, 3))
    assert not np.isclose(noise(5, 0)[:, :2], noise(2, 3)).any()


def test_fit_learns_from_the_loss_that_the_engine_gives_for_the_noise_of_the_batch():
    noisy = OnChip(PLAIN.changed(**{"noise.membrane": 0.3}))
    (loss,) = sc.fit(
        NETWORK, RULE, SHORT, test=None, loss=LOSS, dt="1 ms", epochs=1, batch_size=10, on_chip=noisy,
        progress=lambda _line: None,
    ).history["loss"]  # fmt: skip
    module = TorchNetwork(NETWORK, 1e-3, None, surrogate=RULE.surrogate, paths=RULE.paths)
    (indices,) = SHORT.batches(10, seed=int(np.random.default_rng([0, 1]).integers(2**31)))
    inputs, target = Batches(SHORT, "receptors", "1 ms")(indices)

    def learnt(**place):
        chips = Chips(module, noisy, RULE)
        chips.renew("batch", **place)
        (end,) = BackwardOnChip(chips, RULE, LOSS).trials(inputs, target)
        return end.loss

    assert learnt() == loss
    assert learnt(first_trial=1) != loss


def test_training_on_chips_takes_no_numbers_from_the_global_generator():
    before = torch.random.get_rng_state()
    train_shortly(OnChip(ROUGH, redraw="batch", attack=AdversarialMismatch(steps=1)))
    assert torch.equal(torch.random.get_rng_state(), before)
