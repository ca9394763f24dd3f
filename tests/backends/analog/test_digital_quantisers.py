"""Digital chips: quantisers in closed form, and what an integer neuron of Loihi makes of the same input."""

import math

import numpy as np
import pandas as pd
import pytest

from snncompare.backends.analog.chip import deploy
from snncompare.backends.analog.frozen.digital import Grid, IntegerDecay, ShiftDecay, WeightGrid, WholeSteps, quantiser
from snncompare.backends.analog.profiles.profile import ChipProfile
from snncompare.backends.realisation import Realisation
from snncompare.backends.registry import compile as compile_network
from snncompare.errors import InputError
from snncompare.network.network import Network
from snncompare.network.neurons import conductance_leaky_integrate_and_fire, leaky_integrate_and_fire
from snncompare.network.synapses import delta, exponential
from snncompare.recording.recording import Recording

MS = Grid(1e-3)
EULER = Grid(1e-3, euler=True)


@pytest.mark.parametrize("tau", [2e-3, 7.3e-3, 20e-3, 1.0])
def test_a_loihi_decay_is_the_nearest_integer_of_4096(tau):
    got = IntegerDecay().quantise(np.array(tau), MS)
    lost = 4096 * (1 - np.exp(-1e-3 / got))
    assert lost == pytest.approx(round(4096 * (1 - math.exp(-1e-3 / tau))), abs=1e-6)
    assert abs(lost - 4096 * (1 - math.exp(-1e-3 / tau))) <= 0.5 + 1e-6
    # Euler's method: tau = 4096/decay steps, the formula of brian2_loihi
    assert IntegerDecay().quantise(np.array(tau), EULER) == pytest.approx(4.096 / round(4.096 / tau), rel=1e-12)


def test_decays_end_where_the_integers_do():
    assert IntegerDecay().quantise(np.array(1e6), EULER) == pytest.approx(4.096)
    assert 1 - EULER.factor(IntegerDecay().quantise(np.array(1e-4), EULER)) == pytest.approx(4095 / 4096)
    assert IntegerDecay(16).quantise(np.array(20e-3), EULER) == pytest.approx(16e-3)


@pytest.mark.parametrize(("tau", "shift"), [(2e-3, 1), (20e-3, 4), (24e-3, 5), (0.5e-3, 1), (100.0, 15)])
def test_a_xylo_decay_is_a_bit_shift(tau, shift):
    """Rockpool: dash = round(log2(tau/dt)), v - (v >> dash)."""
    got = ShiftDecay().quantise(np.array(tau), MS)
    assert np.exp(-1e-3 / got) == pytest.approx(1 - 2.0**-shift, rel=1e-12)


def test_refractory_times_are_whole_steps_in_range_and_thresholds_lie_on_the_grid_of_the_weights():
    assert WholeSteps().quantise(np.array([0.0, 2.4e-3, 2.6e-3, 1.0]), MS).tolist() == [1e-3, 2e-3, 3e-3, 64e-3]
    grid = Grid(1e-3, lsb=0.25, leak=-1.0)
    assert WeightGrid(levels=9).quantise(np.array([0.1, -3.0]), grid).tolist() == [0.0, -0.75]
    assert WeightGrid(levels=2).quantise(np.array([5.0]), grid).tolist() == [-0.5]
    assert WeightGrid(levels=9).quantise(np.array([0.1]), MS).tolist() == [0.1]


def test_the_error_of_a_threshold_on_the_grid_has_the_variance_of_a_uniform_distribution():
    asked = np.random.default_rng(0).uniform(5, 50, 100_000)
    error = WeightGrid(levels=1000).quantise(asked, Grid(1e-3, lsb=0.4)) - asked
    assert np.abs(error).max() <= 0.2 + 1e-9
    assert error.var() == pytest.approx(0.4**2 / 12, rel=0.02)  # five standard errors of 100 000 draws: 1.4 %


@pytest.mark.parametrize(
    ("name", "numbers", "says"),
    [
        ("IntDecay", {}, "IntegerDecay"),
        ("WholeSteps", {"most": 3}, "'high'"),
        ("WeightGrid", {}, "'levels'"),
        ("WeightGrid", {"levels": 0}, "at least 1"),
        ("IntegerDecay", {"levels": 1}, "at least 2"),
        ("ShiftDecay", {"most": 0}, "at least 1"),
        ("WholeSteps", {"low": 5, "high": 4}, "low <= high"),
    ],
)
def test_quantisers_and_numbers_that_cannot_be_meant_are_refused_by_name(name, numbers, says):
    with pytest.raises(InputError, match=says):
        quantiser(name, numbers)


@pytest.mark.parametrize(("name", "levels"), [("loihi", 131071), ("xylo", 32767), ("speck", 32767)])
def test_a_threshold_beyond_the_levels_of_the_chip_is_clipped_and_said(name, levels):
    """Weights of 127 levels: threshold over the largest weight is at most L/127 where a spike moves the membrane."""

    def deployed(share):
        cells = leaky_integrate_and_fire(v_threshold=f"{share * levels / 127} mV")
        network = Network(
            populations={"in": {"size": 1, "neuron": {"type": "SpikeSource"}}, "cells": {"size": 3, "neuron": cells}},
            projections={
                "feed": {
                    "source": "in",
                    "target": "cells",
                    "synapse": delta(),
                    "weight": {"type": "Constant", "value": "1 mV"},
                }
            },
        )
        chip = deploy(network, ChipProfile.load(name), dt="1 ms")
        said = [sentence for sentence in chip.left_out if "is clipped" in sentence]
        return chip.realisation().values["cells"]["v_threshold"], said

    fits, nothing = deployed(0.99)
    assert fits == pytest.approx(0.99 * levels / 127 * 1e-3, rel=1e-4)  # half a level of more than 32 000
    assert nothing == []
    clipped, said = deployed(1.5)
    assert clipped == pytest.approx(levels / 127 * 1e-3, rel=1e-9)
    assert len(said) == 1
    assert "'v_threshold' of 3 of 3 neurons" in said[0]


def test_a_capacitance_is_quantised_as_the_time_constant_it_stands_for():
    network = Network(populations={"cells": {"size": 2, "neuron": conductance_leaky_integrate_and_fire()}})
    got = deploy(network, ChipProfile.load("loihi"), dt="1 ms").realisation().values["cells"]["C"] / 10e-9
    assert got == pytest.approx(float(IntegerDecay().quantise(np.array(20e-3), MS)), rel=1e-12)


N_IN, N_OUT, STEPS = 40, 60, 1000
LOIHI = Network(
    populations={
        "input": {"size": N_IN, "neuron": {"type": "SpikeSource"}},
        "cells": {"size": N_OUT, "neuron": leaky_integrate_and_fire(tau="17 ms", v_threshold="9.3 mV", refractory="0 ms")},
    },
    projections={
        "feed": {
            "source": "input", "target": "cells", "synapse": exponential(tau="5.3 ms"), "into": "I",
            "weight": {"type": "Normal", "mean": "2 mV", "sd": "9 mV"},
        }
    },
)  # fmt: skip


def integer_neurons(raster, levels, decay_v, decay_i, threshold):
    """Return the spikes of Loihi's neurons: integer state, decays rounded away from zero.

    In the order of this package's schedule: the membrane takes the current of the step before.
    """

    def decayed(state, decay):
        product = np.abs(state) * (4096 - decay)
        return np.sign(state) * ((product + 4095) // 4096)

    v, i = np.zeros(N_OUT, dtype=np.int64), np.zeros(N_OUT, dtype=np.int64)
    fired = np.zeros((STEPS, N_OUT), dtype=bool)
    for step in range(STEPS):
        v, i = decayed(v, decay_v) + i, decayed(i, decay_i)
        fired[step] = v > threshold
        i += raster[step] @ levels * 64
        v[fired[step]] = 0
    return fired


def coincident(one, other, within=1):
    """Return the share of spikes of one raster that have one of the other within some steps."""
    near = np.zeros_like(other)
    for shift in range(-within, within + 1):
        near |= np.roll(other, shift, axis=0)
    return (one & near).sum() / one.sum()


def rasters(profile, scale_of_threshold=1.0):
    """Return the spikes of a chip in software and those of integer neurons with its levels, decays and threshold."""
    chip = deploy(LOIHI, profile, dt="1 ms")
    raster = np.random.default_rng(2).random((STEPS, N_IN)) < 0.02
    step, unit = np.nonzero(raster)
    given = Recording.from_arrays(
        times=step * 1e-3, unit=unit, trial=np.zeros(unit.size, int), units=pd.DataFrame(index=range(N_IN)),
        trials=pd.DataFrame({"start": [0.0], "stop": [float(STEPS) * 1e-3]}),
    )  # fmt: skip
    program = compile_network(chip.network, "torch", weights=chip.realisation(), dt="1 ms")
    floats = np.asarray(program.run({"input": given}, duration="1 s").raster("1 ms"))[0].T[:STEPS] > 0
    values, weights = chip.realisation().values["cells"], chip.weight_maps["feed"]
    asked = chip.realised.connections["feed"].weight
    decay_v, decay_i = (round(4096 * (1 - math.exp(-1e-3 / values[n][0]))) for n in ("tau", "tau_syn_feed"))
    levels = weights.levels(asked).reshape(N_IN, N_OUT).astype(np.int64)
    threshold = round(values["v_threshold"][0] * weights.scale * 4096 / decay_v) * 64 * scale_of_threshold
    return floats, integer_neurons(raster.astype(np.int64), levels, decay_v, decay_i, threshold)


def test_integer_neurons_fire_nearly_the_spikes_of_the_chip_in_software():
    """What integer state leaves out, measured: 60 neurons at some 20 spikes a second, 1 s in steps of 1 ms."""
    floats, integers = rasters(ChipProfile.load("loihi"))
    assert 300 < floats.sum() < 6000
    assert coincident(floats, integers) > 0.97
    assert coincident(integers, floats) > 0.97
    _, other = rasters(ChipProfile.load("loihi"), scale_of_threshold=1.1)
    assert coincident(floats, other) < 0.6


def test_the_chips_levels_and_decays_are_needed_for_that():
    ideal, integers = (
        rasters(ChipProfile.load("loihi").changed(**{"weights.bits": 3}))[0],
        rasters(ChipProfile.load("loihi"))[1],
    )
    assert coincident(ideal, integers) < 0.6


def test_a_digital_chip_is_not_asked_for_other_values_than_its_grids_were_chosen_for():
    network = Network(populations={"cells": {"size": 3, "neuron": leaky_integrate_and_fire()}})
    other = Realisation({}, {"cells": {"tau": np.full(3, 13e-3)}})
    digital, analog = (deploy(network, name, dt="1 ms") for name in ("loihi", "bss2_calibrated"))
    same = digital.realisation(digital.opened())
    assert np.array_equal(same.values["cells"]["tau"], digital.realisation().values["cells"]["tau"])
    with pytest.raises(InputError, match=r"'tau' of population 'cells' lies on a grid.*use deploy"):
        digital.realisation(other)
    assert analog.realisation(other).values["cells"]["tau"] == pytest.approx(13e-3, rel=0.5)  # the control: no grid
