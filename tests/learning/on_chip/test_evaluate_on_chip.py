"""What is measured on many devices side by side is what each of them does alone, however the work is divided."""

import numpy as np
import pandas as pd
import pytest

from snncompare.backends.analog.chip import deploy
from snncompare.backends.analog.profiles.profile import ChipProfile
from snncompare.backends.realisation import realise
from snncompare.backends.torch.module import TorchNetwork
from snncompare.circuits.recurrent import recurrent_classifier
from snncompare.errors import InputError
from snncompare.learning.evaluate import evaluate
from snncompare.learning.losses import Classification, SpikeCountClassification
from snncompare.learning.on_chip import OnChip, evaluate_on_chip
from snncompare.learning.on_chip.chips import Chips
from snncompare.learning.trained import Trained

NETWORK = recurrent_classifier(inputs=8, hidden=12, classes=2)
LOSS = Classification("readout", scale="2 mV")
TRAINED = Trained(NETWORK, realise(NETWORK, 4, None, dt=1e-3), pd.DataFrame())
FROZEN = ChipProfile.load("plain").changed(
    **{"weights.cv": 0.5, "weights.bits": 5, "time_constants.cv": 0.3, "threshold.sd_fraction": 0.1}
)
NOISY = FROZEN.changed(**{"noise.membrane": 0.1, "noise.event_loss": 0.1, "threshold.per_trial": 0.1})
SEEDS = (5, 0, 7)


def measured(data, profile, seeds=SEEDS, **options):
    return evaluate_on_chip(TRAINED, data, LOSS, profile=profile, device_seeds=seeds, dt="1 ms", **options)


def test_each_row_is_the_network_as_it_is_deployed_on_that_device(data):
    found = measured(data, FROZEN)
    assert found["device_seed"].tolist() == list(SEEDS)
    for _, row in found.iterrows():
        chip = deploy(NETWORK, FROZEN, device_seed=int(row["device_seed"]), weights=TRAINED.realisation, dt="1 ms")
        alone = evaluate(TorchNetwork(chip.network, 1e-3, chip.realisation()), data, LOSS, dt="1 ms")
        assert row["accuracy"] == alone.accuracy
        assert row["loss"] == pytest.approx(alone.loss, rel=1e-12)  # means over trials in another order
        assert row["rate_hidden"] == pytest.approx(alone.rates["hidden"], rel=1e-12)
        assert row["rate"] == pytest.approx(alone.rate, rel=1e-12)
    assert found["loss"].nunique() == len(SEEDS)


@pytest.mark.parametrize("profile", [FROZEN, NOISY], ids=["frozen", "noisy"])
def test_neither_batches_nor_memory_nor_the_other_devices_change_a_number(data, profile):
    whole = measured(data, profile)
    pd.testing.assert_frame_equal(measured(data, profile, batch_size=5), whole, rtol=1e-12)  # means of parts
    pd.testing.assert_frame_equal(measured(data, profile, memory=1), whole, rtol=1e-12)
    alone = pd.concat([measured(data, profile, (seed,)) for seed in SEEDS], ignore_index=True)
    pd.testing.assert_frame_equal(alone, whole, rtol=1e-12)
    other = measured(data, profile, (6, 1, 8))
    assert not set(other["loss"]) & set(whole["loss"])


def test_noise_is_another_with_another_seed_and_none_if_there_is_to_be_none(data):
    first, again, other = (measured(data, NOISY, seed=seed)["loss"].to_numpy() for seed in (0, 0, 1))
    assert np.array_equal(first, again)
    assert (first != other).all()
    assert np.array_equal(measured(data, NOISY, noise=False)["loss"], measured(data, FROZEN)["loss"])


def test_what_a_training_measures_is_the_mean_over_its_devices_however_the_trials_are_divided(data):
    chips = Chips(TorchNetwork(NETWORK, 1e-3, TRAINED.realisation), OnChip(NOISY, SEEDS))
    rows = measured(data, NOISY)
    for batch_size in (14, 5):
        found = evaluate(chips.module, data, LOSS, dt="1 ms", run=chips.measured, batch_size=batch_size)
        assert found.accuracy == pytest.approx(rows["accuracy"].mean(), rel=1e-12)
        assert found.loss == pytest.approx(rows["loss"].mean(), rel=1e-12)
        assert found.rate == pytest.approx(rows["rate"].mean(), rel=1e-12)
    assert evaluate(chips.module, data, LOSS, dt="1 ms").loss != pytest.approx(rows["loss"].mean(), rel=1e-3)


def test_an_ideal_chip_does_what_the_network_does(data):
    alone = evaluate(TorchNetwork(NETWORK, 1e-3, TRAINED.realisation), data, LOSS, dt="1 ms")
    row = measured(data, "ideal", (0,)).iloc[0]
    assert (row["accuracy"], row["loss"], row["rate"]) == (alone.accuracy, alone.loss, alone.rate)
    assert measured(data, FROZEN, (0,)).iloc[0]["loss"] != alone.loss


def test_a_loss_that_reads_spikes_is_measured_too(data):
    pair = recurrent_classifier(inputs=8, hidden=2, classes=2)
    trained = Trained(pair, realise(pair, 0, None, dt=1e-3), pd.DataFrame())
    loss, options = SpikeCountClassification("hidden"), {"profile": FROZEN, "device_seeds": SEEDS, "dt": "1 ms"}
    found = evaluate_on_chip(trained, data, loss, **options)
    for _, row in found.iterrows():
        chip = deploy(pair, FROZEN, device_seed=int(row["device_seed"]), weights=trained.realisation, dt="1 ms")
        alone = evaluate(TorchNetwork(chip.network, 1e-3, chip.realisation()), data, loss, dt="1 ms")
        assert row["loss"] == pytest.approx(alone.loss, rel=1e-12)
    assert found["loss"].nunique() > 1


def test_the_largest_seeds_are_measured_as_others_are(data):
    largest = 2**63 - 1
    found = measured(data, NOISY, (largest, largest - 1), seed=largest)
    assert found["device_seed"].tolist() == [largest, largest - 1]
    assert found["loss"].nunique() == 2
    assert (measured(data, NOISY, (largest, largest - 1), seed=largest - 1)["loss"] != found["loss"]).all()


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"profile": "bss3"}, "no chip profile 'bss3'"),
        ({"seeds": ()}, "device_seeds must be different numbers from 0 to .*, got none"),
        ({"seeds": (1, 1)}, "device_seeds must be different numbers from 0 to .*, got 1, 1"),
        ({"seeds": (2**63,)}, r"from 0 to 2\*\*63 - 1, one at least, got 9223372036854775808"),
        ({"seed": -1}, r"seed must be a number from 0 to 2\*\*63 - 1, got -1"),
        ({"seed": 2**63}, r"seed must be a number from 0 to 2\*\*63 - 1, got 9223372036854775808"),
        ({"batch_size": 0}, "batch_size and memory must be at least 1"),
        ({"profile": FROZEN.changed(**{"resources.neurons": 5})}, "neurons"),
    ],
    ids=["profile", "no device", "twice the same", "device too large", "negative", "too large", "batch", "small chip"],
)
def test_what_cannot_be_measured_is_refused(data, given, message):
    with pytest.raises(InputError, match=message):
        measured(data, **({"profile": FROZEN} | given))


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"profile": 3}, "profile of OnChip must be ChipProfile or text"),
        ({"redraw": "always"}, "no redraw 'always'; available: 'never', 'batch', 'epoch'"),
        ({"gradient": "cliped"}, "did you mean 'clipped'"),
        ({"device_seeds": (-1,)}, "different numbers from 0 to"),
        ({"device_seeds": (0, 2**63)}, r"different numbers from 0 to 2\*\*63 - 1"),
        ({"device_seeds": [1]}, r"device_seeds of OnChip must be a tuple"),
        ({"observe": ("hidden",)}, r"write OnChip\(..., in_the_loop=True\)"),
        ({"chip": print, "in_the_loop": True, "redraw": "batch"}, "redraw must be 'never' and device_seeds one number"),
        ({"chip": 3, "in_the_loop": True}, "chip must be a HardwareAdapter or a function"),
    ],
    ids=["profile", "redraw", "gradient", "negative", "too large", "list", "observe", "given chips", "no chip"],
)
def test_trainings_that_cannot_be_are_refused(given, message):
    OnChip("ideal", device_seeds=(0, 1), redraw="batch")
    with pytest.raises(InputError, match=message):
        OnChip(**({"profile": "ideal"} | given))
