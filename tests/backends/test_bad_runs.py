"""What only shows when a network is compiled or run is refused or warned of in one line, by name."""

import warnings

import numpy as np
import pytest

import snncompare as sc
from snncompare.errors import InputError, TimeStepWarning
from snncompare.network.initialisers import Uniform
from snncompare.testing.networks import pulse_input, recurrent_network, relay


@pytest.mark.parametrize("backend", ["brian2", "torch"])
def test_a_delay_longer_than_the_run_is_refused(backend):
    program = sc.compile(relay(delay="30 ms"), backend, dt="0.5 ms")
    with pytest.raises(InputError, match=r"'kick' never acts: its delay \(30 ms\) is not shorter than the run"):
        program.run({"source": pulse_input(0.01, duration=0.02)}, duration="20 ms")
    assert program.run({"source": pulse_input(0.01)}, duration="50 ms").times.size == 1


def test_a_step_longer_than_a_time_constant_is_warned_of_by_name():
    with pytest.warns(TimeStepWarning, match=r"dt \(5 ms\) is longer than the time constant 'tau_syn' \(3 ms\)"):
        sc.compile(recurrent_network().model_copy(update={"projections": _only_drive()}), "brian2", dt="5 ms")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        sc.compile(recurrent_network(), "brian2", dt="1.5 ms")


def _only_drive():
    return {"drive": recurrent_network().projections["drive"]}


def _negative(weight):
    drive = recurrent_network().projections["drive"].model_copy(update={"sign": "negative", "weight": weight})
    return recurrent_network().model_copy(update={"projections": {"drive": drive}})


def test_weights_against_dales_law_are_refused_drawn_or_given():
    wrong, right = Uniform(low="1 mV", high="2 mV"), Uniform(low="-2 mV", high="-1 mV")
    with pytest.raises(InputError, match="projection 'drive': 300 of 300 drawn weights are not negative"):
        sc.compile(_negative(wrong), "brian2", dt="0.5 ms")
    weights = sc.compile(_negative(right), "brian2", dt="0.5 ms").weights["drive"].copy()
    assert weights.max() < 0
    weights[1, 2] = 1e-3
    with pytest.raises(InputError, match=r"1 of 300 given weights are not negative, .* neuron 1 to neuron 2"):
        sc.compile(_negative(right), "brian2", dt="0.5 ms", weights={"drive": weights})
    assert np.isfinite(weights).all()
