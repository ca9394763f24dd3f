"""Step programs hold what Brian2 would run, in its order, without what cannot be differentiated."""

import numpy as np
import pytest

from snncompare.dynamics.constants import constants_of
from snncompare.dynamics.expressions import compile_expression, names_in
from snncompare.dynamics.step_program import network_program
from snncompare.errors import UnsupportedError
from snncompare.testing.networks import driven_neuron, recurrent_network

FUNCTIONS = {"exp": np.exp, "not_": np.logical_not, "and_": np.logical_and, "or_": np.logical_or}


def test_decays_are_computed_once():
    program = network_program(recurrent_network(), 5e-4).populations["adaptive"]
    decays = [value for name, value in constants_of(program.update).items() if name.startswith("_lio")]
    assert any(np.isclose(value, np.exp(-5e-4 / 10e-3), rtol=1e-15) for value in decays)
    assert not any("exp" in assignment.expression for assignment in program.update.assignments)


def test_no_division_by_the_refractory_state_is_left():
    program = network_program(driven_neuron(), 5e-4).populations["cell"]
    assert program.held == {"v"}
    assert not any("int(" in a.expression or a.condition for a in program.update.assignments)


def test_initial_values_are_those_of_the_description():
    program = network_program(recurrent_network(), 5e-4).populations["adaptive"]
    assert set(program.initial) == {"v", "a", "x_drive", "x_recur"}


def test_threshold_knows_its_dimension():
    threshold = network_program(driven_neuron(), 5e-4).populations["cell"].threshold
    assert threshold.dimensions == ((2, 1, -3, -1, 0, 0, 0),)


@pytest.mark.parametrize(
    ("text", "values", "expected"),
    [
        ("a + b*c", {"a": 1.0, "b": 2.0, "c": 3.0}, 7.0),
        ("-(a - b)/c", {"a": 1.0, "b": 2.0, "c": 4.0}, 0.25),
        ("a**2 > b", {"a": 3.0, "b": 8.0}, True),
        ("exp(a)", {"a": 0.0}, 1.0),
        ("a > 0 and not (b > 0)", {"a": 1.0, "b": -1.0}, True),
    ],
)
def test_expressions_compute_what_they_say(text, values, expected):
    assert compile_expression(text, FUNCTIONS)(values) == expected


def test_names_in_leaves_functions_out():
    assert names_in("exp(-dt/tau)*v + clip(w, 0, 1)") == {"dt", "tau", "v", "w"}


@pytest.mark.parametrize("text", ["nothing(a)", "a if b else c", "a[0]", "a.b", "[a]", "'a'.join(b)"])
def test_what_cannot_be_computed_is_refused_when_compiled(text):
    with pytest.raises((UnsupportedError, KeyError)):
        compile_expression(text, FUNCTIONS)({"a": 1.0})
