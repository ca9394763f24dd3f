"""Units are checked when a description is made, with Brian2's verdict and without Brian2."""

import gc
import logging
import warnings

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from snncompare.errors import SnncompareError
from snncompare.network.dimensions import unit_text
from snncompare.network.neuron import NeuronModel
from snncompare.network.unit_names import UNITS
from snncompare.units import parse_unit, quantity

PARAMETERS = {"tau": "20 ms", "a": "3 mV", "n": "2", "g": "5 nS", "C": "100 pF", "rate": "10 Hz"}
NAMES = {
    "volt": ["v", "I", "a", "mV", "clip(v, a, I)", "abs(v)", "sqrt(v*a)", "v % a"],
    "second": ["t", "dt", "tau", "ms", "C/g", "1/rate", "sqrt(tau**2)"],
    "1": [
        "x",
        "n",
        "2",
        "x*0",
        "0.5",
        "rand()",
        "i",
        "v/a",
        "int(v > a)",
        "sign(v)",
        "timestep(t, dt)",
        "exp(x)",
        "pi",
    ],
    "siemens": ["g", "nS", "C/tau", "5*nS"],
    "amp": ["g*v", "C*v/tau", "nA"],
    "1/second**0.5": ["xi", "tau**-0.5", "rate**0.5", "sqrt(rate)", "tau**(-n/4)"],
    "volt/second": ["v/tau", "a*rate", "mV/ms"],
}
QUANTITIES = [(name, quantity(text)) for name, text in PARAMETERS.items()]
COMPARISONS = ["{} > {}", "{} <= {} and x > 0", "not ({} != {})", "({} > {}) or v > a"]


def _wrong(draw):
    return draw(st.integers(0, 24)) == 0


@st.composite
def expressions(draw, unit, depth=2, noise=False):
    """Return an expression that mostly has the unit, and sometimes does not."""
    if _wrong(draw):
        unit = draw(st.sampled_from(sorted(NAMES)))
    shape = draw(st.integers(0, 4)) if depth else 0
    if shape == 0 or (shape == 4 and unit != "1"):
        return draw(st.sampled_from([name for name in NAMES[unit] if noise or name not in ("xi", "rand()")]))
    left = draw(expressions(unit, depth=depth - 1, noise=noise))
    if shape == 1:
        return f"({left} {draw(st.sampled_from('+-'))} {draw(expressions(unit, depth=depth - 1, noise=noise))})"
    if shape == 2:
        return f"{left}{draw(st.sampled_from('*/'))}({draw(expressions('1', depth=depth - 1))})"
    if shape == 3:
        return f"-({left})"
    function = draw(st.sampled_from(["exp", "log", "tanh", "floor", "exprel", "int", "abs", "sqrt"]))
    return f"{function}({left})"


@st.composite
def models(draw):
    rate = draw(expressions("volt/second", noise=True))
    helper = draw(expressions(draw(st.sampled_from(["volt", "1"]))))
    condition = draw(st.sampled_from(COMPARISONS))
    unit = draw(st.sampled_from(["volt", "second", "1"]))
    operator, right = draw(st.sampled_from(["=", "+=", "-=", "*=", "/="])), None
    right = draw(expressions("1" if operator in ("*=", "/=") else "volt"))
    return {
        "equations": f"dv/dt = {rate} : volt\ny = {helper} : volt\ndx/dt = -x/tau : 1",
        "threshold": condition.format(draw(expressions(unit)), draw(expressions(unit))),
        "reset": f"v {operator} {right}",
        "refractory": draw(expressions("second", depth=1)),
    }


def _brian2_accepts(model):
    brian2 = pytest.importorskip("brian2")
    from brian2.equations.unitcheck import check_units_statements
    from brian2.parsing.expressions import is_boolean_expression, parse_expression_dimensions
    from brian2.utils.stringtools import get_identifiers

    namespace = {name: brian2.Quantity(q.value, brian2.get_or_create_dimension(q.dimension)) for name, q in QUANTITIES}
    equations = f"{model['equations']}\nI : volt"
    try:
        group = brian2.NeuronGroup(
            1,
            equations,
            threshold=model["threshold"],
            reset=model["reset"],
            refractory=model["refractory"],
            namespace=namespace,
        )
        group.before_run({})
        for text in (f"_cond = {model['threshold']}", model["reset"]):
            names = get_identifiers(text) - {"_cond"} | namespace.keys()
            known = group.resolve_all(names, {}, user_identifiers=names)
            check_units_statements(text, {**group.variables, **known})
        names = get_identifiers(model["refractory"])
        known = group.resolve_all(names, {}, user_identifiers=names)
        dimension = parse_expression_dimensions(model["refractory"], known)
        if dimension is brian2.second.dim:
            return True
        return bool(dimension.is_dimensionless and is_boolean_expression(model["refractory"], known))
    except (brian2.DimensionMismatchError, SyntaxError, TypeError):
        return False


def _ours_accepts(model):
    try:
        NeuronModel(**model, parameters=PARAMETERS, inputs={"I": "volt"})
    except SnncompareError as error:
        return "\n" in str(error)  # what is refused in more than one line does not count as refused
    return True


@pytest.fixture(autouse=True)
def _quiet():
    logging.disable(logging.CRITICAL)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
        gc.collect()
    logging.disable(logging.NOTSET)


def test_a_model_is_refused_exactly_when_brian2_refuses_its_units():
    verdicts = []

    @given(models())
    @settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    def same_verdict(model):
        verdicts.append(_ours_accepts(model))
        assert verdicts[-1] == _brian2_accepts(model)

    same_verdict()
    assert min(verdicts.count(True), verdicts.count(False)) > 15, "both verdicts were put to the test"


GOOD = {"equations": "dv/dt = v/tau : volt\ny = v : volt\ndx/dt = -x/tau : 1", "threshold": "v > a", "reset": "v = a"}


def test_the_comparison_with_brian2_notices_a_rule_that_is_missing(monkeypatch):
    wrong = GOOD | {"refractory": "tau", "threshold": "v > a*tau"}
    assert _ours_accepts(GOOD | {"refractory": "tau"})
    assert not _ours_accepts(wrong)
    assert not _brian2_accepts(wrong)
    monkeypatch.setattr("snncompare.network.dimensions._same", lambda node, left, right, known: None)
    assert _ours_accepts(wrong), "without the rule the verdicts differ, so the property above would fail"


@pytest.mark.parametrize(
    ("changes", "accepted"),
    [
        ({"threshold": "v > 0"}, False),
        ({"threshold": "v > 0*mV"}, True),
        ({"reset": "v = 0"}, False),
        ({"reset": "v += 0"}, False),
        ({"reset": "v -= 0*mV"}, True),
        ({"reset": "v *= 2 + n"}, False),
        ({"reset": "v *= (2 + n)"}, True),
        ({"reset": "v /= (tau/ms)"}, True),
        ({"reset": "v /= tau"}, False),
        ({"reset": "x *= 2 + n"}, True),
        ({"reset": "v *= (not x)"}, True),
        ({"equations": "dv/dt = (-v + 0)/tau : volt"}, False),
        ({"equations": "dv/dt = 0 : volt"}, False),
        ({"equations": "dv/dt = 0*mV/tau : volt"}, True),
        ({"equations": "dv/dt = -v/tau + a*xi*sqrt(2/tau) : volt"}, True),
        ({"equations": "dv/dt = -v/tau + a*xi/tau : volt"}, False),
        ({"equations": "dv/dt = -v/tau + a*xi_1*tau**-0.5 + a*xi_2*tau**-0.5 : volt"}, True),
        ({"equations": "dv/dt = v**n/tau/mV : volt"}, True),
        ({"equations": "dv/dt = v**(n - 1)/tau : volt"}, False),
        ({"equations": "dv/dt = v**n/tau : volt"}, False),
        ({"equations": "dv/dt = v**x/tau : volt\nx : 1 (constant)"}, False),
        ({"equations": "dv/dt = (v**(1/3))**3/tau : volt"}, True),
        ({"equations": "dv/dt = 2**x*v/tau : volt\nx : 1"}, True),
        ({"equations": "dv/dt = v//mV*mV/tau : volt"}, False),
        ({"equations": "dv/dt = v/tau*N*t_in_timesteps : volt"}, True),
        ({"equations": "dv/dt = v/tau : volt\ny = v > a : boolean", "threshold": "y"}, True),
        ({"equations": "dv/dt = v/tau : volt\ny = v : boolean"}, False),
        ({"equations": "dv/dt = v/tau : volt\ny = 2*i : integer"}, True),
        ({"refractory": "v > a"}, True),
        ({"refractory": "v"}, False),
        ({"refractory": "n"}, False),
        ({"refractory": "2*ms*(1 + rand())"}, True),
        ({"threshold": "v > a and t > lastspike"}, True),
    ],
    ids=range(33),
)
def test_units_are_read_as_brian2_reads_them(changes, accepted):
    model = GOOD | {"reset": "v = 0*mV", "refractory": "tau"} | changes
    assert _ours_accepts(model) == accepted
    assert _brian2_accepts(model) == accepted


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"equations": "dv/dt = v/tau*2**(1*mV) : volt"}, "must have no unit, but is in volt"),
        ({"equations": "dv/dt = v**N/tau : volt"}, "the exponent must be a constant number"),
        ({"equations": "dv/dt = v**(n - 1)/tau : volt"}, "without a difference"),
        ({"equations": "dv/dt = v**(n - 1)/tau*mV**-2 : volt"}, "without a difference"),
        ({"equations": "dv/dt = (v**0.12345)/tau*volt**0.87655 : volt"}, "the exponent must be a constant number"),
        (
            {"reset": "v *= 2*mV", "equations": "dv/dt = v/tau : volt"},
            "what 'v' is changed by with '*=' must have no unit",
        ),
        ({"reset": "v = xi*tau**0.5*mV", "equations": "dv/dt = v*xi*tau**-0.5 : volt"}, "noise stands in differential"),
    ],
    ids=range(7),
)
def test_what_brian2_would_accept_or_fail_at_later_is_refused_too(changes, says):
    with pytest.raises(SnncompareError) as caught:
        NeuronModel(**GOOD | changes, parameters=PARAMETERS)
    assert says in str(caught.value)


def test_units_in_equations_are_those_of_brian2_with_the_same_dimension():
    known = pytest.importorskip("brian2.core.namespace").DEFAULT_UNITS
    bases = ("m", "kg", "s", "A", "K", "mol", "cd")
    assert {name: tuple(unit.dim.get_dimension(base) for base in bases) for name, unit in known.items()} == UNITS


@pytest.mark.parametrize(
    ("unit", "words"),
    [
        ("1", "1"), ("volt", "volt"), ("volt/second", "volt/second"), ("second**-1", "hertz"), ("hertz/second", "1/second**2"),
        ("siemens/metre**2", "siemens/metre**2"), ("amp*ohm", "volt"), ("1/volt", "1/volt"), ("amp/volt**2", "siemens/volt"),
        ("mole/metre**3/second", "mole/metre**3/second"), ("volt**5*second", "metre**10*kilogram**5/second**14/amp**5"),
    ],
)  # fmt: skip
def test_units_are_said_as_one_writes_them(unit, words):
    dimension = parse_unit(unit)[1]
    assert unit_text(dimension) == words
    assert parse_unit(words)[1] == dimension
