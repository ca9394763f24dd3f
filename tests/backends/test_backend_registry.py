"""Backends are found by name; what cannot be compiled or run is refused in one sentence."""

import numpy as np
import pytest

import snncompare as sc
from snncompare.backends.registry import available, backend_named
from snncompare.errors import DescriptionError, InputError, UnsupportedError
from snncompare.network.initialisers import Constant
from snncompare.network.network import Population, Projection
from snncompare.network.neuron import NeuronModel
from snncompare.network.synapse import SynapseModel
from snncompare.testing.networks import poisson_input, pulse_input, recurrent_network, relay
from snncompare.units import quantity


def test_our_own_backends_come_through_entry_points():
    assert {"brian2", "torch"} <= set(available())


def test_unknown_backend_names_the_nearest():
    with pytest.raises(InputError, match="did you mean 'torch'"):
        backend_named("troch")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"dt": 0.0001}, "has no unit"),
        ({"dt": "0 ms"}, "longer than zero"),
        ({"dtype": "float16"}, "float64"),
        ({"dt": "0.4 ms"}, "not a multiple"),
        ({"weights": {"drve": np.zeros((12, 25))}}, "did you mean 'drive'"),
        ({"weights": {"drive": np.zeros((3, 3))}}, r"\(12, 25\)"),
        ({"weights": {"drive": np.full((12, 25), np.nan)}}, "not finite"),
        ({"colour": "red"}, "no option"),
    ],
)
def test_bad_options_are_refused(options, message):
    with pytest.raises(InputError, match=message):
        sc.compile(recurrent_network(), "torch", **({"dt": "0.5 ms"} | options))


@pytest.mark.parametrize(
    ("inputs", "duration", "message"),
    [
        ({}, "1 s", "has no input"),
        ({"sauce": poisson_input()}, "1 s", "did you mean 'source'"),
        ({"source": poisson_input(units=3)}, "1 s", "12 neurons, its input has 3 units"),
        ({"source": poisson_input()}, "500 ms", "outside the run"),
        ({"source": poisson_input()}, "1", "has no unit"),
        ({"source": poisson_input()}, "0.3 ms", "not a multiple"),
    ],
)
@pytest.mark.parametrize("backend", ["brian2", "torch"])
def test_bad_inputs_are_refused(backend, inputs, duration, message):
    program = sc.compile(recurrent_network(), backend, dt="0.5 ms")
    with pytest.raises(InputError, match=message):
        program.run(inputs, duration=duration)


def test_population_to_record_must_exist_and_spike():
    program = sc.compile(relay(), "torch", dt="0.5 ms")
    with pytest.raises(InputError, match="population that spikes"):
        program.run({"source": pulse_input(0.01)}, duration="50 ms", record=["source"])


def _single(**changes):
    model = {
        "equations": "dv/dt = (-v + drive)/tau : volt",
        "threshold": "v > 10*mV",
        "reset": "v = 0*mV",
        "parameters": {"tau": quantity("20 ms"), "drive": quantity("15 mV")},
    }
    return sc.Network(populations={"cell": Population(size=1, neuron=NeuronModel(**(model | changes)))})


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"equations": "dv/dt = (-v**2/drive + drive)/tau : volt", "method": "exact"}, "linear components"),
        (
            {"equations": "dv/dt = (drive*xi*tau**.5 - v)/tau : volt", "method": "exponential_euler"},
            "cannot integrate the noise",
        ),
    ],
)
@pytest.mark.parametrize("backend", ["brian2", "torch"])
def test_what_brian2_says_of_a_description_names_the_population(backend, changes, message):
    with pytest.raises(DescriptionError, match=f"population 'cell'.*{message}") as caught:
        sc.compile(_single(**changes), backend, dt="0.5 ms")
    assert "\n" not in str(caught.value)


def test_what_torch_cannot_do_is_named_before_anything_runs():
    ordered = SynapseModel(on_pre="v_post = w", weight_unit="volt")
    recurrent = sc.Network(
        populations={"cells": _single().populations["cell"]},
        projections={
            "loop": Projection(source="cells", target="cells", synapse=ordered, weight=Constant(value="1 mV"))
        },
    )
    with pytest.raises(UnsupportedError, match="projection 'loop': what becomes of 'v_post' depends on the order"):
        sc.compile(recurrent, "torch", dt="0.5 ms")
