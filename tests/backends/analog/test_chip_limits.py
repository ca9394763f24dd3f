"""What a chip cannot hold is refused in one line: the value, the legal range, the nearest legal value."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from snncompare.backends.analog.limits.ranges import check_limits
from snncompare.backends.analog.profiles.profile import ChipProfile
from snncompare.backends.realisation import realise
from snncompare.errors import InputError, UnitError
from snncompare.network.network import Network
from snncompare.network.neuron import NeuronModel
from snncompare.network.neurons import (
    adaptive_exponential_integrate_and_fire,
    adaptive_leaky_integrate_and_fire,
    conductance_leaky_integrate_and_fire,
    exponential_integrate_and_fire,
    izhikevich,
    leaky_integrate_and_fire,
    leaky_readout,
    noisy_leaky_integrate_and_fire,
    traub_miles,
    two_compartment_pyramidal,
)
from snncompare.network.synapse import SynapseModel
from snncompare.network.synapses import delta, depressing, exponential

NORMAL = {"type": "Normal", "mean": "0 mV", "sd": "1 mV"}


def network(neuron: NeuronModel | None = None, synapse: SynapseModel | None = None, **more: object) -> Network:
    chosen = synapse or exponential()
    feed = {"source": "in", "target": "cells", "synapse": chosen, "weight": NORMAL}
    feed |= {"into": "I"} if chosen.current is not None else {}
    return Network(
        populations={
            "in": {"size": 5, "neuron": {"type": "SpikeSource"}},
            "cells": {"size": 4, "neuron": neuron or leaky_integrate_and_fire()},
        },
        projections={"feed": feed | more},
    )


def alone(neuron: NeuronModel) -> Network:
    return Network(populations={"cells": {"size": 2, "neuron": neuron}})


def check(given: Network, chip: str | ChipProfile = "bss2_calibrated", dt: object = "0.1 ms") -> None:
    profile = ChipProfile.load(chip) if isinstance(chip, str) else chip
    check_limits(given, realise(given, 0), profile, dt)


def refusal(given: Network, chip: str | ChipProfile = "bss2_calibrated", dt: object = "0.1 ms") -> str:
    with pytest.raises(InputError) as caught:
        check(given, chip, dt)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 400
    return str(caught.value)


def lif(**more: str) -> Network:
    return network(leaky_integrate_and_fire(**more))


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        pytest.param(
            lif(tau="100 ms"), "'tau' is 100 ms; 'bss2_calibrated' has 500 us to 60 ms; nearest 60 ms", id="slow"
        ),
        pytest.param(lif(tau="0.2 ms"), "'tau' is 200 us", id="fast"),
        pytest.param(
            lif(refractory="50 ms"), "50 ms; 'bss2_calibrated' has 40 us to 32 ms; nearest 32 ms", id="refractory"
        ),
        pytest.param(lif(v_reset="-50 mV"), "reset 'v_reset' is -50 mV", id="reset too low"),
        pytest.param(lif(v_threshold="-1 mV"), "is not above the leak", id="threshold below leak"),
        pytest.param(network(synapse=exponential(tau="0.1 ms")), "'tau_syn_feed' is 100 us", id="fast synapse"),
        pytest.param(network(synapse=exponential(tau="40 ms")), "300 us to 30 ms; nearest 30 ms", id="slow synapse"),
        pytest.param(network(delay="2 ms"), "a delay of 2 ms; 'bss2_calibrated' has no delays", id="delay"),
    ],
)
def test_values_out_of_range_are_refused_with_range_and_nearest_value(given, expected):
    assert expected in refusal(given)


@pytest.mark.parametrize(
    "given",
    [
        pytest.param(lif(tau="60 ms"), id="slowest"),
        pytest.param(lif(tau="0.5 ms"), id="fastest"),
        pytest.param(lif(refractory="32 ms"), id="longest refractory"),
        pytest.param(lif(refractory="0 ms"), id="no refractory in steps of 0.1 ms"),
        pytest.param(network(synapse=exponential(tau="30 ms")), id="slowest synapse"),
        pytest.param(network(delay="0.04 ms"), id="a delay of no step"),
    ],
)
def test_values_at_the_edge_of_the_range_are_accepted(given):
    check(given)


def test_no_chip_refuses_nothing():
    for chip in ("ideal", "plain"):
        check(lif(tau="100 s", refractory="50 s", v_reset="-5 V"), chip)
        check(network(delay="2 s"), chip)
        check(alone(traub_miles()), chip)


def test_values_of_single_neurons_are_looked_at_and_counted():
    each = {"tau": {"type": "Uniform", "low": "50 ms", "high": "70 ms"}}
    given = network()
    given = given.model_copy(
        update={
            "populations": {
                **given.populations,
                "cells": given.populations["cells"].model_copy(update={"parameters": each}),
            }
        }
    )
    drawn = realise(given, 0).values["cells"]["tau"]
    too_slow = int((drawn > 60e-3).sum())
    assert 0 < too_slow < 4
    assert f"({too_slow} of 4 neurons)" in refusal(given)


def test_a_capacitance_is_judged_by_the_time_constant_it_stands_for():
    check(alone(conductance_leaky_integrate_and_fire(C="200 pF", g_L="10 nS")))  # 20 ms
    assert "'C' is 80 ms" in refusal(alone(conductance_leaky_integrate_and_fire(C="800 pF", g_L="10 nS")))


def test_the_legal_range_is_that_of_the_acceleration():
    profile = ChipProfile.load("bss2_calibrated")
    check(lif(tau="100 ms"), profile.changed(speedup=10_000))
    assert "nearest 6 ms" in refusal(lif(tau="20 ms"), profile.changed(speedup=100))


def test_a_refractory_time_that_is_not_given_is_none_at_all():
    bare = leaky_integrate_and_fire().model_copy(update={"refractory": None})
    assert "the refractory time is 0 ms; 'bss2_calibrated' has 40 us to 32 ms" in refusal(alone(bare), dt="0.01 ms")
    check(alone(bare))  # 40 us are less than a step of 0.1 ms
    check(alone(leaky_readout()), dt="0.01 ms")  # never fires


def test_synaptic_time_constants_of_single_neurons_are_looked_at():
    each = exponential(tau="40 ms")
    trained = {"tau_syn": {"shared": False}}
    assert "(4 of 4 neurons)" in refusal(network(synapse=each, trainable=trained))
    check(network(synapse=exponential(tau="4 ms"), trainable=trained))


def test_times_of_digital_chips_are_counted_in_steps():
    check(network(delay="6.2 ms"), "loihi")
    assert "0 ms to 6.2 ms" in refusal(network(delay="6.3 ms"), "loihi")
    check(network(delay="6.3 ms"), "loihi", "0.2 ms")
    assert "nearest 64 ms" in refusal(lif(refractory="65 ms"), "loihi", "1 ms")
    check(lif(refractory="64 ms"), "loihi", "1 ms")


def test_ranges_without_an_upper_end_are_told_as_such():
    message = refusal(lif(tau="0.5 ms"), "xylo", "1 ms")
    assert "'xylo' has at least 1 ms; nearest 1 ms; or scale all times of the network" in message
    check(lif(tau="1 ms"), "xylo", "1 ms")
    assert "scale all times" not in refusal(lif(v_reset="-50 mV"))


def test_delays_may_have_a_shortest():
    late = ChipProfile.load("bss2_delgrad").changed(**{"delays.low": "1 us"})
    check(network(delay="1 ms"), late)
    assert "0.8 ms" in refusal(network(delay="0.8 ms"), late).replace("800 us", "0.8 ms")
    assert "nearest 1 ms; lengthen it" in refusal(network(delay="0.8 ms"), late)


def test_delays_of_delgrad_reach_nine_milliseconds():
    check(network(delay="9 ms"), "bss2_delgrad")
    assert "nearest 9 ms; shorten it" in refusal(network(delay="9.1 ms"), "bss2_delgrad")


def test_unsigned_chips_refuse_negative_weights():
    unsigned = ChipProfile.load("bss2_calibrated").changed(**{"weights.signed": False})
    message = refusal(network(), unsigned)
    assert "weights are negative" in message
    assert "0 to 63 LSB; nearest legal weight 0" in message
    check(network(weight={"type": "Uniform", "low": "0 mV", "high": "1 mV"}), unsigned)


def test_a_signed_chip_whose_range_begins_at_zero_refuses_negative_weights():
    half = ChipProfile.load("bss2_calibrated").changed(**{"weights.low": 0})
    assert "0 to 63 LSB" in refusal(network(), half)
    check(network(weight={"type": "Uniform", "low": "0 mV", "high": "1 mV"}), half)


def test_rows_of_one_sign_want_sources_that_excite_or_inhibit():
    single = ChipProfile.load("bss2_calibrated").changed(**{"resources.signed_rows": False})
    message = refusal(network(), single)
    assert "source neurons have weights of both signs" in message
    assert "Dale" in message
    assert "resources.signed_rows: true" in message
    check(network(weight={"type": "Uniform", "low": "0 mV", "high": "1 mV"}), single)
    check(network(), "bss2_calibrated")


def test_weights_against_the_declared_sign_are_refused():
    given = network(weight={"type": "Uniform", "low": "0 mV", "high": "1 mV"}, sign="positive")
    drawn = realise(given, 0)
    check_limits(given, drawn, ChipProfile.load("bss2_calibrated"), 1e-4)
    feed = drawn.connections["feed"]
    turned = replace(
        drawn, connections={"feed": replace(feed, weight=np.where(np.arange(20) == 3, -1, 1) * feed.weight)}
    )
    with pytest.raises(InputError, match=r"1 of 20 weights are not positive, first -.*Dale's law"):
        check_limits(given, turned, ChipProfile.load("bss2_calibrated"), 1e-4)


COMPUTABLE = [
    leaky_integrate_and_fire(),
    adaptive_leaky_integrate_and_fire(),
    exponential_integrate_and_fire(),
    adaptive_exponential_integrate_and_fire(),
    conductance_leaky_integrate_and_fire(),
    leaky_readout(),
]


@pytest.mark.parametrize("chip", ["bss2_calibrated", "bss2_uncalibrated", "dynapse"])
@pytest.mark.parametrize("neuron", COMPUTABLE, ids=["lif", "alif", "eif", "adex", "conductance", "readout"])
def test_integrators_with_upstroke_and_adaptation_are_analog_circuits(neuron, chip):
    check(alone(neuron), chip)


@pytest.mark.parametrize(
    ("neuron", "expected"),
    [
        pytest.param(izhikevich(), "is not linear in its states", id="quadratic"),
        pytest.param(traub_miles(), "more than one state of adaptation", id="channels"),
        pytest.param(two_compartment_pyramidal(), "2 membrane potentials", id="dendrite"),
        pytest.param(noisy_leaky_integrate_and_fire(), "draw random numbers (xi)", id="noise"),
    ],
)
def test_equations_without_a_circuit_are_refused_with_the_nearest_neuron(neuron, expected):
    message = refusal(alone(neuron))
    assert expected in message
    assert "the nearest neuron is leaky_integrate_and_fire()" in message


def test_digital_chips_refuse_what_only_analog_circuits_have():
    assert "state of adaptation" in refusal(alone(adaptive_leaky_integrate_and_fire()), "xylo")
    assert "exponential upstroke" in refusal(alone(exponential_integrate_and_fire()), "loihi")
    for chip in ("xylo", "loihi"):
        check(alone(leaky_integrate_and_fire(refractory="1 ms")), chip)


def test_speck_integrates_without_leak_and_without_synaptic_current():
    integrator = NeuronModel(
        equations="dv/dt = 0*v/second : volt", threshold="v > th", reset="v = 0*mV", parameters={"th": "10 mV"}
    )
    assert "its membrane leaks with 'tau'" in refusal(network(synapse=delta()), "speck")
    check(network(integrator, delta()), "speck")


def test_synapses_without_a_circuit_are_refused():
    plastic = SynapseModel(on_pre="v_post += w; w = w*0.99", weight_unit="volt")
    assert "its weights change while the network runs" in refusal(network(synapse=plastic))
    assert "each synapse has a state of its own" in refusal(network(synapse=depressing(exponential())), "dynapse")
    check(network(synapse=depressing(exponential())))
    pulled = exponential(unit="1").model_copy(update={"current": "x*(0*mV - v)", "weight_unit": "1"})
    weight = {"type": "Constant", "value": 1.0}
    assert "depends on the membrane potential" in refusal(network(synapse=pulled, weight=weight), "loihi")
    check(network(synapse=pulled, weight=weight))


def test_the_measured_table_must_be_of_this_network():
    def measured(population: str, n: int) -> ChipProfile:
        rows = {"population": population, "neuron": range(n), "parameter": "threshold", "offset": 0.0}
        return ChipProfile.load("bss2_calibrated").with_measured(pd.DataFrame(rows))

    check(network(), measured("cells", 4))
    assert "no population 'cels'; did you mean 'cells'" in refusal(network(), measured("cels", 4))
    assert "has 3 neurons, the population 4" in refusal(network(), measured("cells", 3))


def test_chips_with_a_time_step_want_it():
    stepped = ChipProfile.load("xylo").changed(dt="1 ms")
    check(network(), stepped, "1 ms")
    assert "computes in steps of 1 ms; use dt='1 ms'" in refusal(network(), stepped, "0.1 ms")
    with pytest.raises(UnitError):
        check(network(), "xylo", "1 mV")
    with pytest.raises(InputError, match="above zero"):
        check(network(), "xylo", 0.0)
