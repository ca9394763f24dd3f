"""What calibration trains and on which chip: nothing beside what is asked for, the chip as it was deployed."""

import numpy as np
import pandas as pd
import pytest

import snncompare as sc
from snncompare.backends.analog.chip import deploy
from snncompare.backends.analog.profiles.profile import ChipProfile
from snncompare.backends.realisation import realise
from snncompare.circuits.recurrent import recurrent_classifier
from snncompare.errors import UnsupportedError
from snncompare.learning.calibrate import calibrate
from snncompare.learning.losses import Classification
from snncompare.learning.on_chip import OnChip
from snncompare.learning.rule import surrogate_gradient
from snncompare.learning.trained import Trained
from snncompare.network.trainable import Trainable
from snncompare.units import quantity

RULE = surrogate_gradient(width="0.5 mV", scale="10 mV", learning_rate=0.05)
LOSS = Classification("readout", scale="2 mV")
PROFILE = ChipProfile.load("plain").changed(
    **{"weights.cv": 0.5, "weights.bits": 4, "time_constants.cv": 0.4, "threshold.sd_fraction": 0.2}
)
DEVICE = 3
ALIKE = {"hidden": {"tau": "other", "v_threshold": "other"}}
"""Roles with which neither time constants nor thresholds of the hidden neurons differ on the chip."""


def marked(network):
    """Return a description in which nearly everything is marked as trainable."""
    each = Trainable(low=quantity("0.1 ms"))
    hidden = network.populations["hidden"].model_copy(
        update={
            "trainable": {
                "tau": each,
                "v": Trainable(low=quantity("-5 mV"), high=quantity("5 mV")),
                "tau_adaptation": Trainable(shared=True),
            }
        }
    )
    found = {
        name: one.model_copy(
            update={
                "delay": quantity("2 ms"),
                "trainable": {"weight": Trainable(), "delay": Trainable(), "tau_syn": each},
            }
        )
        for name, one in network.projections.items()
    }
    return network.model_copy(update={"populations": {**network.populations, "hidden": hidden}, "projections": found})


NETWORK = recurrent_classifier(inputs=8, hidden=12, classes=2)
MARKED = marked(NETWORK)


def asked(network):
    return Trained(network, realise(network, 4, None, dt=1e-3), pd.DataFrame())


def calibrated(data, chip, network=NETWORK, **options):
    return calibrate(
        asked(network), chip, data, loss=LOSS, rule=RULE, dt="1 ms", epochs=1, batch_size=5,
        progress=lambda _line: None, **options,
    )  # fmt: skip


def numbers(trained):
    """Return every array and number that can be trained."""
    there = trained.realisation
    found = {f"{name}.weight": one.weight for name, one in there.connections.items()}
    found |= {
        f"{name}.delay": np.full(one.weight.shape, 2e-3) if one.delay is None else one.delay
        for name, one in there.connections.items()
    }
    found |= {f"{name}.{key}": array for name, values in there.values.items() for key, array in values.items()}
    shared = trained.network.populations["hidden"].parameter("tau_adaptation")
    return found | {"hidden.tau_adaptation": np.array(shared.value)}


def test_a_chip_is_calibrated_as_it_was_deployed(data):
    chip = deploy(NETWORK, PROFILE, device_seed=DEVICE, roles=ALIKE, gradient="clipped")
    found = calibrated(data, chip)
    written = calibrated(data, OnChip(PROFILE, (DEVICE,), roles=ALIKE, gradient="clipped"))
    assert np.array_equal(found.weights["read"], written.weights["read"])
    pd.testing.assert_frame_equal(found.history, written.history, check_exact=True)
    assert found.provenance["on_chip"] == written.provenance["on_chip"]
    for other in (OnChip(PROFILE, (DEVICE,), gradient="clipped"), OnChip(PROFILE, (DEVICE + 1,), roles=ALIKE)):
        assert not np.array_equal(calibrated(data, other).weights["read"], found.weights["read"])


def test_roles_that_were_taken_away_are_kept_and_those_that_are_read_are_not_written_down(data):
    mortal = PROFILE.changed(**{"neurons.dead_fraction": 0.1})
    gone = {"hidden": {"tau": None, "v_threshold": "threshold"}}
    found = calibrated(data, deploy(NETWORK, mortal, device_seed=DEVICE, roles=gone))
    assert found.provenance["on_chip"]["roles"] == {"hidden": {"tau": None}}
    assert found.provenance["on_chip"]["gradient"] == "straight_through"
    written = calibrated(data, OnChip(mortal, (DEVICE,), roles=gone))
    assert np.array_equal(found.weights["read"], written.weights["read"])
    plain = calibrated(data, deploy(NETWORK, mortal, device_seed=DEVICE))
    assert plain.provenance["on_chip"]["roles"] is None
    assert not np.array_equal(plain.weights["read"], found.weights["read"])


WEIGHTS = {"feed.weight", "recur.weight", "read.weight"}


@pytest.mark.parametrize(
    ("what", "expected"),
    [("readout", {"read.weight"}), ("weights", WEIGHTS), ("thresholds", {"hidden.v_threshold"})],
)
def test_only_what_is_asked_for_is_trained_whatever_else_is_marked(data, what, expected):
    found = calibrated(data, OnChip(PROFILE, (DEVICE,)), MARKED, what=what)
    before = numbers(asked(MARKED)) | {"hidden.v_threshold": np.full(12, 0.01)}
    after = {"hidden.v_threshold": np.full(12, 0.01)} | numbers(found)
    assert {name for name in before if not np.array_equal(before[name], after[name])} == expected
    assert set(MARKED.populations["hidden"].trainable) <= set(found.network.populations["hidden"].trainable)
    assert found.network.projections == MARKED.projections


def test_training_without_calibration_changes_what_else_is_marked(data):
    found = sc.fit(
        MARKED, RULE, data, loss=LOSS, test=None, dt="1 ms", epochs=1, batch_size=5, progress=lambda _line: None,
        weights=asked(MARKED).realisation, on_chip=OnChip(PROFILE, (DEVICE,)),
    )  # fmt: skip
    before, after = numbers(asked(MARKED)), numbers(found)
    same = {name for name in before if np.array_equal(before[name], after[name])}
    assert not same & {*WEIGHTS, "hidden.tau", "hidden.v", "hidden.tau_adaptation", "feed.delay", "hidden.tau_syn_feed"}


def test_what_is_not_calibrated_is_not_clipped_to_the_range_of_the_chip(data):
    small = PROFILE.changed(**{"weights.scale": f"{7 / 10e-3} LSB"})
    largest = {name: np.abs(w).max() for name, w in calibrated(data, OnChip(small)).weights.items()}
    assert largest["feed"] == np.abs(asked(NETWORK).weights["feed"]).max() > 10e-3
    assert np.abs(calibrated(data, OnChip(small), what="weights").weights["feed"]).max() == pytest.approx(
        10e-3, rel=1e-12
    )


def test_what_lies_on_a_grid_of_a_digital_chip_is_not_trained_there(data):
    hidden = NETWORK.populations["hidden"].model_copy(update={"trainable": {"tau": Trainable(low=quantity("1 ms"))}})
    network = NETWORK.model_copy(update={"populations": {**NETWORK.populations, "hidden": hidden}})
    digital = ChipProfile.load("loihi").model_copy(update={"equations": PROFILE.equations})  # which adapts, too
    rest = {"loss": LOSS, "test": None, "dt": "1 ms", "epochs": 1, "batch_size": 5, "progress": lambda _line: None}
    with pytest.raises(UnsupportedError, match=r"'tau' of population 'hidden' is trained.*on a grid"):
        sc.fit(network, RULE, data, on_chip=OnChip(digital), **rest)
    sc.fit(NETWORK, RULE, data, on_chip=OnChip(digital), **rest)  # the control: weights are
