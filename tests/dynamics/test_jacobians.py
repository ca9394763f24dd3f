"""Symbolic Jacobians of a step equal finite differences of the step program itself."""

import math

import numpy as np
import pytest

from snncompare.dynamics.constants import constants_of
from snncompare.dynamics.expressions import compile_expression
from snncompare.dynamics.jacobians import Jacobian, effect_jacobian, effects_of, jacobian, reset_map, update_map
from snncompare.dynamics.step_program import network_program
from snncompare.network.initialisers import Constant
from snncompare.network.network import Network, Population, Projection
from snncompare.network.neuron import NeuronModel, SpikeSource
from snncompare.network.synapse import SynapseModel
from snncompare.testing.networks import driven_neuron, recurrent_network

DT = 1e-4


def _exprel(x):
    return math.expm1(x) / x if x else 1.0


def _exprel_derivative(x):
    return (math.exp(x) - _exprel(x)) / x if abs(x) > 1e-5 else 0.5 + x / 3


FUNCTIONS = {
    "exp": math.exp,
    "log": math.log,
    "sqrt": math.sqrt,
    "sign": np.sign,
    "abs": abs,
    "exprel": _exprel,
    "exprel_derivative": _exprel_derivative,
    "where": lambda condition, a, b: a if condition else b,
    "timestep": lambda t, dt: int((t + 1e-3 * dt) / dt),
    "int": int,
    "clip": lambda x, low, high: min(max(x, low), high),
    "not_": lambda a: not a,
    "and_": lambda a, b: a and b,
    "or_": lambda a, b: a or b,
}

ADEX = NeuronModel(
    equations="""
    dv/dt = (gL*(EL - v) + gL*DeltaT*exp((v - VT)/DeltaT) - w + I)/C : volt (unless refractory)
    dw/dt = (a*(v - EL) - w)/tau_w : amp
    """,
    threshold="v > 20*mV",
    reset="v = EL; w += b",
    refractory="2 ms",
    parameters={
        "gL": "30 nS",
        "EL": "-70 mV",
        "DeltaT": "2 mV",
        "VT": "-50 mV",
        "C": "281 pF",
        "a": "4 nS",
        "tau_w": "144 ms",
        "b": "80 pA",
        "I": "500 pA",
    },
)
GATED = NeuronModel(
    equations="""
    dv/dt = (gL*(EL - v) + gNa*clip(m, 0, 1)**3*(ENa - v))/C : volt
    dm/dt = alpha*(1 - m) - beta*m : 1
    alpha = 0.32*4/exprel((13*mV - v + VT)/(4*mV))/ms : Hz
    beta = 0.28*5/exprel((v - VT - 40*mV)/(5*mV))/ms : Hz
    """,
    threshold="v > 0*mV",
    parameters={"gL": "10 nS", "EL": "-65 mV", "gNa": "20 uS", "ENa": "50 mV", "VT": "-63 mV", "C": "200 pF"},
)


def _alone(model):
    return network_program(Network(populations={"cells": Population(size=1, neuron=model)}), DT).populations["cells"]


def _step(program, given):
    """One state update of one neuron, straight from the assignments."""
    env = {**program.update.constants, **given, "t": 1.0}
    for assignment in program.update.once:
        env[assignment.target] = compile_expression(assignment.expression, FUNCTIONS)(env)
    for a in program.update.assignments:
        if a.target == "not_refractory":
            continue
        taken = a.expression if a.condition is None or env[a.condition] else a.otherwise
        value = compile_expression(taken, FUNCTIONS)(env)
        if a.target not in program.held or env["not_refractory"]:
            env[a.target] = {"+=": env.get(a.target, 0) + value, "-=": env.get(a.target, 0) - value}.get(
                a.operator, value
            )
    return np.array([env[name] for name in program.states])


def _numbers(found: Jacobian, env):
    return {key: compile_expression(text, FUNCTIONS)(env) for key, text in found.texts().items()}


CASES = {
    "adaptive": (network_program(recurrent_network(), DT).populations["adaptive"], {"v": 8e-3, "a": 1e-3}),
    "AdEx": (_alone(ADEX), {"v": -51e-3, "w": 1e-10}),
    "gated": (_alone(GATED), {"v": -50e-3, "m": 0.3}),
}


@pytest.mark.parametrize("awake", [True, False])
@pytest.mark.parametrize("name", CASES)
def test_derivatives_equal_finite_differences_of_the_step(name, awake):
    program, at = CASES[name]
    states = dict.fromkeys(program.states, 1e-3) | at | {"not_refractory": awake, "lastspike": -1.0}
    inputs = [*program.states, *(n for n in program.update.constants if n not in ("dt", "mV", "ms"))]
    env = {**program.update.constants, **states}
    ours = _numbers(jacobian(update_map(program), inputs), env)
    checked = 0
    for column in inputs:
        # Central differences with a step of 1e-5 are exact to about 1e-10 of the value, and rounding adds 1e-11.
        step = 1e-5 * (abs(env[column]) or 1e-3)
        up, down = ({k: env[k] + (sign * step if k == column else 0) for k in env} for sign in (1, -1))
        differences = (_step(_with(program, up), up) - _step(_with(program, down), down)) / (2 * step)
        for row, expected in zip(program.states, differences, strict=True):
            found = ours.get((row, column), 0.0)
            # What rounding of the state itself leaves in a difference quotient.
            rounding = 1e-15 * abs(env[row]) / step
            assert found == pytest.approx(expected, rel=1e-6, abs=rounding + 1e-12 * abs(expected)), (row, column)
            checked += found != 0
    assert checked >= 3


def _with(program, env):
    from dataclasses import replace

    constants = {name: env[name] for name in program.update.constants}
    return replace(program, update=replace(program.update, constants=constants))


def test_a_wrong_derivative_would_be_seen():
    program, at = CASES["AdEx"]
    env = {**program.update.constants, **at, "not_refractory": True}
    ours = _numbers(jacobian(update_map(program), program.states), env)
    without_adaptation = _alone(ADEX.model_copy(update={"equations": ADEX.equations.replace("- w + I", "+ I")}))
    other = _numbers(jacobian(update_map(without_adaptation), program.states), env)
    assert ours["v", "w"] != 0
    assert ("v", "w") not in other


def test_a_refractory_membrane_remembers_itself_and_nothing_else():
    program = network_program(driven_neuron(), DT).populations["cell"]
    asleep = {**constants_of(program.update), "v": 5e-3, "not_refractory": False}
    found = _numbers(jacobian(update_map(program), ["v", "tau", "drive"]), asleep)
    assert found["v", "v"] == 1.0
    assert found["v", "tau"] == found["v", "drive"] == 0.0


def test_the_reset_forgets_the_membrane_and_shifts_the_adaptation():
    program, at = CASES["AdEx"]
    found = _numbers(jacobian(reset_map(program), [*program.states, "b", "EL"]), {**program.reset.constants, **at})
    assert found == {("v", "EL"): 1, ("w", "w"): 1, ("w", "b"): 1}


def test_what_a_spike_adds_is_differentiated_by_weight_and_release():
    plastic = SynapseModel(
        equations="dg/dt = -g/tau_g : volt",
        synapse_equations="dx/dt = (1 - x)/tau_D : 1 (event-driven)",
        on_pre="g_post += w*x; x -= U*x",
        current="g",
        weight_unit="volt",
        parameters={"tau_g": "5 ms", "tau_D": "100 ms", "U": "0.5"},
    )
    cell = NeuronModel(equations="dv/dt = (-v + I)/tau : volt", parameters={"tau": "10 ms"}, inputs={"I": "volt"})
    network = Network(
        populations={"source": Population(size=1, neuron=SpikeSource()), "cells": Population(size=1, neuron=cell)},
        projections={
            "feed": Projection(
                source="source", target="cells", synapse=plastic, into="I", weight=Constant(value="2 mV")
            )
        },
    )
    program = network_program(network, DT).projections["feed"]
    elapsed = {"t": 0.3, "lastupdate": 0.2, "x_feed": 0.4, "w_feed": 2e-3, **constants_of(program.on_pre)}
    recovered = 1 - (1 - 0.4) * math.exp(-0.1 / 100e-3)
    # Closed form of the recovery; the two are sums of three terms of order one.
    assert list(effects_of(program)) == ["g_feed"]
    found = _numbers(effect_jacobian(program), elapsed)
    assert found["g_feed", "w_feed"] == pytest.approx(recovered, rel=1e-14)
    assert found["g_feed", "x_feed"] == pytest.approx(2e-3 * math.exp(-1), rel=1e-14)
