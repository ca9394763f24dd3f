"""What was asked for and what the chip got, side by side, in the units of the description and of the chip."""

import numpy as np
import pandas as pd
import pytest

from snncompare.backends.analog.chip import deploy
from snncompare.backends.analog.mapping import COLUMNS, mapping
from snncompare.backends.analog.profiles.profile import ChipProfile
from snncompare.backends.realisation import realise
from snncompare.network.network import Network
from snncompare.network.neurons import conductance_leaky_integrate_and_fire, leaky_integrate_and_fire
from snncompare.network.synapses import exponential

BSS2 = ChipProfile.load("bss2_calibrated")
NETWORK = Network(
    populations={
        "in": {"size": 10, "neuron": {"type": "SpikeSource"}},
        "cells": {"size": 200, "neuron": leaky_integrate_and_fire(tau="10 ms", v_reset="-2 mV")},
    },
    projections={
        "feed": {
            "source": "in",
            "target": "cells",
            "synapse": exponential(tau="5 ms"),
            "into": "I",
            "weight": {"type": "Normal", "mean": "0 mV", "sd": "1 mV"},
        }
    },
)
ASKED = realise(NETWORK, 0)


def mapped(profile: ChipProfile, device_seed: int = 0, dt: float | None = None) -> pd.DataFrame:
    return mapping(NETWORK, ASKED, profile, deploy(NETWORK, profile, device_seed=device_seed, weights=ASKED), dt=dt)


def row(table: pd.DataFrame, name: str) -> pd.Series:
    return table.set_index("name").loc[name]


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    return mapped(BSS2)


def test_every_parameter_with_a_role_the_weights_and_the_dead_have_a_row(table):
    assert tuple(table.columns) == COLUMNS
    names = {"tau", "v_threshold", "v_reset", "tau_syn_feed", "weight"}
    assert names <= set(table["name"])
    assert "alive" not in set(table["name"])
    dead = deploy(NETWORK, BSS2, weights=ASKED).dead["cells"]
    shares = table.loc[table["kind"] == "dead neurons", "got"]
    assert list(shares) == ([dead.mean()] if dead.any() else [])


def test_dead_neurons_are_counted():
    there = mapped(BSS2.changed(**{"neurons.dead_fraction": 0.3}))
    dead = there[there["kind"] == "dead neurons"].iloc[0]
    # 200 neurons, p = 0.3: four standard deviations of the share are 0.13
    assert dead["got"] == pytest.approx(0.3, abs=0.13)
    assert dead["evidence"] == "user"


def test_what_is_written_to_the_chip_stands_in_its_own_units(table):
    tau, reset, threshold = (row(table, name) for name in ("tau", "v_reset", "v_threshold"))
    assert (tau["asked"], tau["on_chip"], tau["chip_unit"]) == (pytest.approx(10e-3), pytest.approx(10), "us")  # x 1000
    assert (tau["legal_low"], tau["legal_high"]) == (pytest.approx(0.5e-3), pytest.approx(60e-3))
    # leak 0 mV at 80 LSB, threshold 10 mV at 125 LSB: -2 mV at 80 - 2*4.5
    assert (reset["on_chip"], reset["chip_unit"]) == (pytest.approx(71), "LSB")
    assert threshold["on_chip"] == pytest.approx(125)


def test_potentials_away_from_zero_are_put_on_the_axis_of_the_chip():
    cells = {"size": 5, "neuron": conductance_leaky_integrate_and_fire(v_reset="-62 mV")}
    network = Network(populations={"cells": cells})  # leak -60 mV, threshold -50 mV, tau 20 ms
    there = mapping(network, realise(network, 0), BSS2, deploy(network, BSS2))
    assert row(there, "E_L")["on_chip"] == pytest.approx(80)
    assert row(there, "v_threshold")["on_chip"] == pytest.approx(125)
    assert row(there, "v_reset")["on_chip"] == pytest.approx(80 - 2 * 4.5)
    assert row(there, "v_reset")["legal_low"] == pytest.approx(-60e-3 - 30 / 45 * 10e-3)
    capacitance = row(there, "C")
    assert (capacitance["on_chip"], capacitance["chip_unit"]) == (pytest.approx(20), "us")
    assert capacitance["asked"] == pytest.approx(200e-12)
    assert np.isnan(capacitance["legal_low"])  # of a time, not of a capacitance
    assert np.isnan(row(there, "g_L")["on_chip"])


def test_what_the_chip_got_is_what_deploy_made(table):
    got = deploy(NETWORK, BSS2, weights=ASKED).realisation()
    tau = got.values["cells"]["tau"]
    there = row(table, "tau")
    assert (there["got"], there["got_sd"]) == (pytest.approx(tau.mean()), pytest.approx(tau.std()))
    assert (there["got_lowest"], there["got_highest"]) == (tau.min(), tau.max())
    assert there["largest_change"] == pytest.approx(np.abs(tau - 10e-3).max() / 10e-3)
    assert 0 < there["largest_change"] < 0.4  # CV 0.07, 200 neurons


def test_another_chip_got_something_else(table):
    other = mapped(BSS2, device_seed=1)
    assert row(other, "tau")["asked"] == row(table, "tau")["asked"]
    assert row(other, "tau")["got"] != row(table, "tau")["got"]


def test_weights_tell_their_scale_and_the_share_that_is_clipped():
    weights = ASKED.connections["feed"].weight
    largest = row(mapped(BSS2), "weight")
    assert largest["asked"] == np.abs(weights).max()
    assert largest["on_chip"] == pytest.approx(63 / np.abs(weights).max())
    assert largest["clipped"] == 0
    fixed = BSS2.changed(**{"weights.scale": "630 LSB/threshold"})  # 63 LSB are 1 mV at a threshold of 10 mV
    clipped = row(mapped(fixed), "weight")
    assert clipped["legal_high"] == pytest.approx(1e-3)
    assert clipped["clipped"] == pytest.approx((np.abs(np.rint(weights * 63e3)) > 63).mean())
    assert 0.2 < clipped["clipped"] < 0.4  # of a Gaussian, 0.32 lie beyond one standard deviation


@pytest.mark.parametrize("name", ["ideal", "plain"])
def test_without_a_chip_everything_is_what_was_asked_for(name, table):
    there = mapped(ChipProfile.load(name))
    assert {"tau", "v_threshold", "v_reset", "tau_syn_feed", "weight"} == set(there["name"])
    np.testing.assert_array_equal(there["largest_change"], 0.0)
    assert (table.loc[table["name"].isin(there["name"]), "largest_change"] > 0).all()
    assert there.loc[there["kind"] == "weights", "on_chip"].isna().all()
    assert there.loc[there["role"] == "threshold", "on_chip"].isna().all()


def test_evidence_tells_measured_from_assumed_spread(table):
    assert row(table, "v_threshold")["evidence"] == "code"
    assert row(table, "tau")["evidence"] == "assumption"
    assert row(mapped(BSS2.changed(**{"time_constants.cv": 0.1})), "tau")["evidence"] == "user"


def test_evidence_of_weights_is_that_of_their_largest_spread(table):
    assert row(table, "weight")["evidence"] == "assumption"  # gain_cv 0.10, weights.cv 0.05
    larger, smaller = (mapped(BSS2.changed(**{"weights.gain_cv": cv})) for cv in (0.2, 0.01))
    assert row(larger, "weight")[["evidence", "source"]].tolist() == ["user", "changed by the user"]
    assert row(smaller, "weight")["evidence"] == "assumption"
    sides = mapped(BSS2.changed(**{"weights.polarity_cv": 0.3}))
    assert row(sides, "weight")["evidence"] == "user"


def test_evidence_of_what_was_measured_is_the_users_table(table):
    rows = {"population": "cells", "neuron": range(200), "factor": 1.01}
    measured = [pd.DataFrame(rows | {"parameter": name}) for name in ("membrane_time_constant", "weight_gain")]
    there = mapped(BSS2.with_measured(pd.concat(measured), source="my chip, table 1"))
    for name in ("tau", "weight"):
        assert row(there, name)[["evidence", "source"]].tolist() == ["user", "my chip, table 1"]
        assert row(table, name)["evidence"] == "assumption"
    assert row(there, "v_threshold")["source"] == row(table, "v_threshold")["source"] != "my chip, table 1"


def test_times_of_digital_chips_are_steps():
    there = row(mapped(ChipProfile.load("loihi"), dt=1e-4), "tau")
    assert (there["on_chip"], there["chip_unit"]) == (pytest.approx(100), "step")
    assert there["legal_high"] == pytest.approx(0.4096)
    assert np.isnan(row(mapped(ChipProfile.load("loihi")), "tau")["legal_high"])
