"""Synapses that are one matrix are recognised, and those that are not are told apart."""

import numpy as np
import pytest

from snncompare.dynamics.constants import constants_of
from snncompare.dynamics.expressions import compile_expression
from snncompare.dynamics.linear import linear_effects, source_states
from snncompare.dynamics.program import NOTHING, Assignment, Block, SynapseProgram

NAMES = {"exp": np.exp, "not_": np.logical_not, "and_": np.logical_and, "or_": np.logical_or}


def synapse(*statements, states=(), fixed=(), constants=None, **changes):
    """A program whose `on_pre` consists of statements (target, operator, expression)."""
    block = Block({"dt": 1e-4, **(constants or {})}, (), tuple(Assignment(*s) for s in statements))
    given = {
        "source": "a",
        "target": "b",
        "weight": "w_p",
        "states": tuple(states),
        "fixed": ("w_p", *fixed),
        "initial": dict.fromkeys((*states, *fixed), 0.5),
        "update": None,
        "sums": (),
        "on_pre": block,
        "on_post": None,
        "held": frozenset({"v"}),
        "event_driven": False,
    }
    return SynapseProgram(**(given | changes))


PLAIN = ("x_post", "+=", "w_p")
TSODYKS_MARKRAM = (
    ("_R", ":=", "1.0 + (R - 1.0)*exp(-(t - lastupdate)/tau_d)"),
    ("_u", ":=", "U + (u - U)*exp(-(t - lastupdate)/tau_f)"),
    ("R", "=", "_R"),
    ("u", "=", "_u"),
    ("u", "+=", "U*(1.0 - u)"),
    ("x_post", "+=", "w_p*u*R"),
    ("R", "-=", "u*R"),
    ("lastupdate", "=", "t"),
)
CONSTANTS = {"U": 0.2, "tau_d": 0.2, "tau_f": 0.05}


def tsodyks_markram(*statements, **changes):
    return synapse(
        *(statements or TSODYKS_MARKRAM), states=("R", "u"), constants=CONSTANTS, event_driven=True, **changes
    )


def value(expression, **names):
    return compile_expression(expression, NAMES)(names)


def test_adding_the_weight_is_linear():
    (effect,) = linear_effects(synapse(PLAIN))
    assert (effect.variable, effect.effect.strip(), effect.weight, effect.held) == ("x", "w_p", "w_p", False)
    assert not effect.per_source | effect.per_target
    assert source_states(synapse(PLAIN)) is None


def test_each_statement_is_an_effect_in_order():
    effects = linear_effects(synapse(("v_post", "-=", "2.0*w_p"), PLAIN))
    assert [(effect.variable, effect.held) for effect in effects] == [("v", True), ("x", False)]
    assert value(effects[0].effect, w_p=3.0) == -6.0


def test_what_a_synapse_holds_and_computes_in_between_is_written_out():
    (effect,) = linear_effects(
        synapse(("y", ":=", "a*w_p"), ("z", ":=", "k*2.0"), ("x_post", "+=", "y/z"), fixed=["a"], constants={"k": 4.0})
    )
    assert effect.fixed == {"a": 0.5}
    assert value(effect.effect, a=3.0, w_p=5.0, k=4.0) == 15.0 / 8.0
    assert not effect.per_source


NOT_LINEAR = {
    "multiplies": synapse(("x_post", "*=", "w_p")),
    "sets": synapse(("x_post", "=", "w_p")),
    "changes the source": synapse(PLAIN, ("x_pre", "+=", "w_p")),
    "reads the target": synapse(("x_post", "+=", "w_p*v_post")),
    "reads the time": synapse(("x_post", "+=", "w_p*t")),
    "draws random numbers": synapse(("x_post", "+=", "w_p*rand()")),
    "draws random numbers in between": synapse(("y", ":=", "rand()"), ("x_post", "+=", "w_p*y")),
    "changes the weight": synapse(PLAIN, ("w_p", "+=", "1.0"), states=["w_p"]),
    "has a state that reads the weight": synapse(("s", "+=", "w_p"), ("x_post", "+=", "s"), states=["s"]),
    "has a state that reads the target": synapse(("s", "+=", "v_post"), ("x_post", "+=", "s"), states=["s"]),
    "has a state that reads such a state": synapse(
        ("s", "+=", "q"), ("q", "+=", "w_p"), ("x_post", "+=", "s"), states=["s", "q"]
    ),
    "asks a condition": synapse(("x_post", "+=", "w_p", "not_refractory_post", "0.0")),
    "does something at a spike of the target": synapse(PLAIN, on_post=NOTHING),
    "is updated every step": synapse(PLAIN, update=NOTHING),
    "is no sum of products": synapse(("x_post", "+=", "exp(w_p*v_pre)")),
    "feeds what it reads": synapse(("v_post", "+=", "w_p*v_pre"), source="b"),
    "does nothing at a spike": synapse(on_pre=None),
}


@pytest.mark.parametrize("name", NOT_LINEAR)
def test_a_synapse_is_not_linear_if_it(name):
    assert linear_effects(NOT_LINEAR[name]) is None
    assert source_states(NOT_LINEAR[name]) is None


def test_the_same_synapses_are_linear_without_what_spoils_them():
    """Negative control: recognition does not refuse everything."""
    assert linear_effects(synapse(("v_post", "+=", "w_p*v_pre"))) is not None
    assert linear_effects(synapse(("x_post", "+=", "w_p*exp(v_pre)"))) is not None
    assert linear_effects(synapse(("x_post", "+=", "w_p*v_post")), target_fixed=["v"]) is not None
    assert linear_effects(synapse(("s", "+=", "1.0"), ("x_post", "+=", "s*w_p"), states=["s"])) is not None


def test_variables_of_the_two_neurons_are_told_apart():
    (effect,) = linear_effects(synapse(("x_post", "+=", "w_p*g*v_pre")), target_fixed=["g"])
    assert (effect.per_source, effect.per_target) == ({"v_pre"}, {"g"})


@pytest.mark.parametrize(
    "expression",
    [
        "w_p*u*v",
        "-(w_p - a)*(u + v)/2.0",
        "3.0 - w_p",
        "w_p/u",
        "(w_p - exp(a))*exp(u)/(a*v)",
        "u*v - 4.0",
        "+(-u)*w_p",
    ],
)
def test_an_effect_equals_the_sum_of_its_terms(expression):
    names = {"w_p": 1.7, "a": 0.3, "u_pre": 0.8, "v_pre": -2.1}
    text = expression.replace("u", "u_pre").replace("v", "v_pre")
    (effect,) = linear_effects(synapse(("x_post", "+=", text), fixed=["a"]))
    total = sum(
        value(term.of_synapse, **names) * (1.0 if term.of_source is None else value(term.of_source, **names))
        for term in effect.terms
    )
    assert value(effect.effect, **names) == value(text, **names)
    assert total == pytest.approx(value(text, **names), rel=1e-14)  # the same arithmetic in another order
    for term in effect.terms:
        assert "_pre" not in term.of_synapse
        assert term.of_source is None or not any(own in term.of_source for own in ("w_p", "a"))


def test_short_term_plasticity_is_kept_for_each_source_neuron():
    program = tsodyks_markram()
    (effect,) = linear_effects(program)
    source = source_states(program)
    assert source.states == ("R", "u", "lastupdate")
    assert source.initial == {"R": 0.5, "u": 0.5, "lastupdate": 0.0}
    assert len(effect.per_source) == 2
    assert all("w_p" not in a.expression for a in source.block.assignments)


def test_released_values_are_those_at_the_statement_that_reads_them():
    """Run through the statements of one synapse, and through those of its source neuron with the effect at the end."""
    program = tsodyks_markram()
    (effect,), source = linear_effects(program), source_states(program)
    whole = {"R": 1.0, "u": 0.2, "lastupdate": 0.0, "w_p": 3.0, "x_post": 0.0, **CONSTANTS}
    neuron = {"R": 1.0, "u": 0.2, "lastupdate": 0.0, **constants_of(source.block)}
    for t in (0.01, 0.012, 0.1):
        before = whole["x_post"]
        carry_out(program.on_pre.assignments, whole, t)
        carry_out(source.block.assignments, neuron, t)
        assert before + value(effect.effect, w_p=3.0, **neuron) == whole["x_post"]
        assert (neuron["R"], neuron["u"]) == (whole["R"], whole["u"])
    later = value("w_p*u*R", w_p=3.0, **neuron)
    assert abs(later - value(effect.effect, w_p=3.0, **neuron)) > 0.1, "R has changed after it was read"


def carry_out(assignments, environment, t):
    environment["t"] = t
    for a in assignments:
        now = value(a.expression, **environment)
        old = environment.get(a.target, 0.0)
        environment[a.target] = {"+=": old + now, "-=": old - now}.get(a.operator, now)


@pytest.mark.parametrize(
    "change",
    [
        {"one_delay": False},
        {"drawn": ["u"]},
        {"statements": (*TSODYKS_MARKRAM, ("u", "+=", "0.1*w_p"))},
        {"statements": (*TSODYKS_MARKRAM, ("R", "-=", "rand()"))},
        {"on_post": Block({}, (), (Assignment("lastupdate", "=", "t"),))},
    ],
)
def test_short_term_plasticity_that_differs_between_synapses_is_not_kept_for_the_source(change):
    options = {name: change[name] for name in ("one_delay", "drawn") if name in change}
    program = tsodyks_markram(*change.get("statements", ()), **{n: v for n, v in change.items() if n == "on_post"})
    assert linear_effects(program, **options) is None
    assert source_states(program, **options) is None
