"""Fluctuation-driven weights state one membrane, in its units, or say in one line what is wrong."""

import pytest

from snncompare.errors import DescriptionError
from snncompare.network.fluctuations import (
    FluctuationDrivenCentred,
    FluctuationDrivenExponential,
    FluctuationDrivenLogNormal,
    FluctuationDrivenNormal,
    check_one_membrane,
    membrane_variable,
)
from snncompare.network.network import Network, Population, Projection
from snncompare.network.neuron import NeuronModel, SpikeSource
from snncompare.network.neurons.leaky import (
    adaptive_leaky_integrate_and_fire,
    leaky_integrate_and_fire,
    leaky_readout,
)
from snncompare.network.synapses.currents import delta, exponential

KINDS = {
    "normal": FluctuationDrivenNormal(rate="10 Hz", mean="3 mV", sd="2 mV"),
    "centred": FluctuationDrivenCentred(rate="10 Hz", xi=2, distance="10 mV", share=0.9),
    "exponential": FluctuationDrivenExponential(rate="5 Hz", xi=1.5, distance="10 mV", mean="1 mV"),
    "log-normal": FluctuationDrivenLogNormal(rate="5 Hz", sd="2 mV", spread=0.5, variable="v"),
}


def projection(weight, source="source", **changes):
    return Projection(source=source, target="cells", weight=weight, **({"synapse": delta()} | changes))


@pytest.mark.parametrize("weight", KINDS.values(), ids=KINDS)
def test_every_kind_survives_a_file(weight, tmp_path):
    populations = {
        "source": Population(size=3, neuron=SpikeSource()),
        "cells": Population(size=2, neuron=leaky_integrate_and_fire()),
    }
    network = Network(populations=populations, projections={"feed": projection(weight)})
    path = network.save(tmp_path / "network.yaml")
    assert type(weight).__name__ in path.read_text()
    assert Network.load(path) == network


def test_xi_counts_the_distance_of_mean_and_threshold_in_standard_deviations():
    assert KINDS["centred"].target_sd.value == pytest.approx(5e-3)
    assert KINDS["exponential"].target_sd.value == pytest.approx((10e-3 - 1e-3) / 1.5)
    assert KINDS["centred"].target_mean.value == 0
    assert KINDS["centred"].target_mean.dimension == KINDS["normal"].target_mean.dimension


def test_the_second_moment_of_a_log_normal_weight_grows_with_its_spread():
    wide = FluctuationDrivenLogNormal(rate="5 Hz", sd="2 mV")
    assert wide.second_moment == pytest.approx(2.718281828)
    assert KINDS["log-normal"].second_moment < KINDS["exponential"].second_moment < wide.second_moment


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"rate": "10 Hz"}, "either as sd, or as xi"),
        ({"rate": "10 Hz", "sd": "1 mV", "xi": 1}, "either as sd, or as xi"),
        ({"rate": "10 Hz", "xi": 1}, "either as sd, or as xi"),
        ({"rate": "10 Hz", "sd": "1 mV", "distance": "1 mV"}, "either as sd, or as xi"),
        ({"rate": "10", "sd": "1 mV"}, "rate must be a frequency"),
        ({"rate": "0 Hz", "sd": "1 mV"}, "rate must be a frequency above zero"),
        ({"rate": "10 Hz", "sd": "0 mV"}, "sd must be larger than zero, got '0 mV'"),
        ({"rate": "10 Hz", "sd": "1 mV", "mean": "1 nA"}, "mean must have the unit of the fluctuations ('1 mV')"),
        ({"rate": "10 Hz", "xi": 1, "distance": "1 mV", "mean": "2 mV"}, "the mean must lie below the threshold"),
        ({"rate": "10 Hz", "sd": "1 mV", "share": 0}, "share"),
        ({"rate": "10 Hz", "sd": "1 mV", "share": 1.1}, "share"),
        ({"rate": "10 Hz", "xi": float("inf"), "distance": "1 mV"}, "xi"),
    ],
)
def test_what_is_missing_or_contradicts_itself_is_refused(fields, says):
    with pytest.raises(DescriptionError) as caught:
        FluctuationDrivenNormal(**({"mean": "0 mV"} | fields))
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)


def test_the_membrane_is_what_the_threshold_looks_at():
    def neuron(threshold):
        return NeuronModel(
            equations="dv/dt = -v/tau : volt\ndu/dt = -u/tau : volt\nlimit = u : volt",
            threshold=threshold,
            parameters={"tau": "10 ms", "theta": "10 mV"},
        )

    assert membrane_variable(leaky_integrate_and_fire()) == "v"
    assert membrane_variable(adaptive_leaky_integrate_and_fire()) == "v"
    assert membrane_variable(leaky_readout()) == "v", "the only state there is"
    assert membrane_variable(neuron("u > theta")) == "u"
    assert membrane_variable(neuron("theta < u")) == "u"
    assert membrane_variable(neuron("v > theta + u")) == "v"
    for unclear in ("v + u > theta", "limit > theta", None):
        with pytest.raises(DescriptionError, match="give 'variable', one of 'u', 'v'"):
            membrane_variable(neuron(unclear))


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"mean": "2 mV"}, "'one' and 'two' onto 'cells' state a different mean"),
        ({"sd": "3 mV"}, "state a different sd"),
        ({"variable": "v"}, "state a different variable"),
    ],
)
def test_a_membrane_has_one_mean_and_one_size_of_fluctuations(changes, says):
    same = {"rate": "10 Hz", "mean": "3 mV", "sd": "2 mV", "share": 0.5}
    one = FluctuationDrivenNormal(**same)
    check_one_membrane("cells", {"one": projection(one), "two": projection(one, source="other")})
    other = FluctuationDrivenNormal(**(same | changes))
    with pytest.raises(DescriptionError, match=says):
        check_one_membrane("cells", {"one": projection(one), "two": projection(other, source="other")})


def test_normal_and_one_sided_weights_do_not_mix():
    normal = FluctuationDrivenCentred(rate="10 Hz", sd="2 mV")
    dale = FluctuationDrivenExponential(rate="10 Hz", sd="2 mV")
    with pytest.raises(DescriptionError, match="choose one law for both"):
        check_one_membrane("cells", {"one": projection(normal), "two": projection(dale, source="other")})


def test_the_same_spikes_twice_are_not_independent_inputs_unless_weights_average_to_zero():
    centred = FluctuationDrivenCentred(rate="10 Hz", sd="2 mV", share=0.5)
    check_one_membrane("cells", {"one": projection(centred), "two": projection(centred)})
    for weight in (
        FluctuationDrivenNormal(rate="10 Hz", mean="3 mV", sd="2 mV", share=0.5),
        FluctuationDrivenExponential(rate="10 Hz", sd="2 mV", share=0.5),
    ):
        with pytest.raises(DescriptionError, match="'one' and 'two' both bring the spikes of 'source'"):
            check_one_membrane("cells", {"one": projection(weight), "two": projection(weight)})


def test_weights_of_different_units_have_no_common_mean():
    volts, amps = {"synapse": delta()}, {"synapse": exponential(unit="amp"), "into": "I"}
    weight = FluctuationDrivenNormal(rate="10 Hz", mean="3 mV", sd="2 mV", share=0.5)
    with pytest.raises(DescriptionError, match="'one' and 'two' measure weights in 'volt' and 'amp'"):
        check_one_membrane("cells", {"one": projection(weight, **volts), "two": projection(weight, "other", **amps)})
    centred = FluctuationDrivenCentred(rate="10 Hz", sd="2 mV", share=0.5)
    check_one_membrane("cells", {"one": projection(centred, **volts), "two": projection(centred, "other", **amps)})
