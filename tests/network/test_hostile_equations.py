"""Equations that are too large, too deep or made to hurt are refused quickly, in one line."""

import copy
import logging
import time
import warnings

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from snncompare.errors import DescriptionError, SnncompareError
from snncompare.network.network import Network
from snncompare.network.solvable import check_solvable

NEURON = {
    "type": "NeuronModel",
    "functions": {"f(x)": "1/(1 + exp(-x))", "h(x, y)": "f(x)*y"},
    "equations": (
        "dv/dt = (EL - v + I + f(v/mV)*mV)/tau : volt (unless refractory)\n"
        "du/dt = -u/tau + sigma*xi*tau**-0.5 : 1\ng : 1 (constant)\nz = v*g : volt"
    ),
    "threshold": "v > vt and not (u < 0)",
    "reset": "v = EL; u += 1",
    "refractory": "2*ms + rand()*ms",
    "method": "euler",
    "parameters": {"tau": "20 ms", "EL": "-70 mV", "vt": "-50 mV", "sigma": "1"},
    "inputs": {"I": "volt"},
    "initial": {"v": "EL", "u": {"type": "Normal", "mean": "0", "sd": "1"}, "g": "1"},
}


SYNAPSE = {
    "type": "SynapseModel",
    "functions": {"q(x)": "x*2"},
    "equations": "dx/dt = -x/ts : volt",
    "synapse_equations": "da/dt = -a/ts : 1 (event-driven)\nb : 1",
    "on_pre": "x_post += w*q(b); a += 1",
    "on_post": "w = clip(w + a*mV, 0*mV, 5*mV)",
    "current": "x",
    "weight_unit": "volt",
    "method": "exact",
    "parameters": {"ts": "5 ms"},
    "initial": {"b": {"type": "Uniform", "low": "0", "high": "1"}},
}


NETWORK = {
    "name": "net",
    "populations": {
        "src": {"size": 3, "neuron": {"type": "SpikeSource"}},
        "cells": {
            "size": 4,
            "neuron": NEURON,
            "parameters": {"tau": {"type": "Uniform", "low": "10 ms", "high": "20 ms"}},
            "initial": {"v": "-60 mV"},
            "trainable": {"vt": {"shared": True, "low": "-60 mV", "high": "0 mV"}, "u": {"shared": False}},
            "cell_type": "PV",
        },
    },
    "projections": {
        "feed": {
            "source": "src",
            "target": "cells",
            "synapse": SYNAPSE,
            "into": "I",
            "wiring": {"type": "FixedProbability", "p": 0.3},
            "weight": {"type": "Constant", "value": "1 mV"},
            "delay": "1 ms",
            "sign": "positive",
            "trainable": {"weight": {"shared": False}, "ts": {"low": "1 ms"}},
        },
        "rec": {
            "source": "cells",
            "target": "cells",
            "synapse": {"type": "SynapseModel", "on_pre": "v_post += w", "weight_unit": "volt"},
            "wiring": {"type": "FixedInDegree", "n": 2},
            "weight": {"type": "Normal", "mean": "1 mV", "sd": "1 mV"},
            "delay": {"type": "Uniform", "low": "1 ms", "high": "2 ms"},
        },
    },
}


def _paths(plain, above=()):
    for key, value in plain.items():
        yield (*above, key)
        if isinstance(value, dict):
            yield from _paths(value, (*above, key))


PATHS = list(_paths(NETWORK))


def _changed(*changes):
    """Return the description with values put at places, or with keys renamed where `rename`."""
    plain = copy.deepcopy(NETWORK)
    for path, value, rename in changes:
        inner = plain
        for key in path[:-1]:
            inner = inner.get(key) if isinstance(inner, dict) else None
        if not isinstance(inner, dict) or path[-1] not in inner:
            continue
        if rename:
            inner[str(value)] = inner.pop(path[-1])
        else:
            inner[path[-1]] = value
    return plain


def _answer(plain):
    """Return the network, or None if it is refused as it should be; anything else is an error."""
    began = time.perf_counter()
    try:
        network = Network.parse(plain, "file")
    except SnncompareError as error:
        said = str(error)
        assert said.isprintable(), "one line, without signs that a terminal obeys"
        assert len(said) <= 700
        return None
    finally:
        assert time.perf_counter() - began < 1, "a description of a page takes milliseconds; 1 s is for a busy machine"
    assert Network.parse(network.plain(), "again") == network
    return network


CODE = [
    "__import__('os').system('touch CANARY')",
    "().__class__.__mro__",
    "v.real",
    "v[0]",
    "'text'",
    "lambda: v",
    "[v for v in (1, 2)]",
    "(v := 1)",
    "open('CANARY', 'w')",
    "eval('1')",
    "exec('1')",
    "f'{v}'",
    "v if v else v",
    "v__class__",
    "v; import os",
    "ｖ",
    "v\u200b",
    "v\u2028",
    "v\x00",
    "𝐯",
    "е",  # Cyrillic
    "exp(*v)",
    "f.__code__",
    "!!python/name:os.system",
    "{{ v }}",
    "%s",
    "`id`",
    "$(id)",
    '"; system("id"); "',
    "v /* */",
    "v // comment\n",
    "\\x41",
]


def test_equations_as_people_write_them_are_solved():
    check_solvable(
        "dv/dt = (E - v + R*(x + y + z))/tau : 1\n" + "\n".join(f"d{n}/dt = -{n}/t{n} : 1" for n in "xyz"), "exact"
    )
    check_solvable("dv/dt = (E - v + x)/tau : 1\ndx/dt = (h - x)/ts : 1\ndh/dt = -h/ts : 1", "exact")
    check_solvable("dv/dt = (E - v - u)/tau : 1\ndu/dt = (a*v - u)/tu : 1", "exact")
    check_solvable("dv/dt = v**2/tau - u : 1\ndu/dt = (a*v - u)/tu : 1\ndw/dt = u/tu : 1", "auto")
    check_solvable("\n".join(f"dx{k}/dt = (x{(k + 1) % 4} - x{k})/ms : 1" for k in range(4)), "exponential_euler")


PIECES = [
    "v",
    "u",
    "tau",
    "vt",
    "x",
    "w",
    "f(",
    "h(",
    "q(",
    ")",
    "(",
    "+",
    "-",
    "*",
    "/",
    "**",
    ">",
    "<",
    "==",
    "and",
    "or",
    "not",
    "1",
    "0",
    "9",
    "1e9",
    "mV",
    "ms",
    "=",
    ";",
    "\n",
    ",",
    ".",
    "'",
    "[",
    "]",
    "__",
    "xi",
    "rand()",
    "exp(",
    ":",
    "volt",
    "(unless",
    "refractory)",
    "d",
    "/dt",
    "nan",
    "inf",
    "1e400",
    "0x10",
    "é",
    "\u202e",
    "\x1b[2J",
    "#",
    "True",
    "i",
    "t",
    "lastspike",
    "x_post",
    "v_pre",
]


leaves = st.one_of(
    st.text(max_size=30),
    st.lists(st.sampled_from(PIECES), max_size=15).map(" ".join),
    st.sampled_from(CODE),
    st.none(),
    st.booleans(),
    st.integers(),
    st.just(10**400),
    st.floats(),
    st.binary(max_size=4),
    st.dates(),
    st.just({"type": "Constant", "value": "1 mV"}),
    st.just({"type": "Normal", "mean": "nan", "sd": "1"}),
)


values = st.recursive(
    leaves,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.one_of(st.text(max_size=8), st.integers()), inner, max_size=3)
    ),
    max_leaves=4,
)


@given(st.lists(st.tuples(st.sampled_from(PATHS), values, st.booleans()), min_size=1, max_size=3))
@settings(max_examples=250)
def test_any_value_at_any_place_is_accepted_or_refused_in_one_line(changes):
    _answer(_changed(*changes))


def test_the_property_above_would_notice_another_exception(monkeypatch):
    def fails(*_):
        raise KeyError("ours")

    monkeypatch.setattr("snncompare.network.neuron.check_neuron_units", fails)
    with pytest.raises(KeyError):
        _answer(_changed())


expressions = st.recursive(
    st.sampled_from(
        ["u", "g", "f(v/mV)", "h(u, 2)", "2", "0", "1e9", "i", "N", "t/ms", "int(v > vt)", "rand()", "poisson(2)", "e", "inf",
         "1/0", "u**2", "2**u", "u % 2", "u // 2", "u**-3", "timestep(t, dt)", "exprel(u)", "(u > 1)", "True", "0/u", "0**-1",
         "sqrt(-1)", "log(0)", "exp(1000)", "arcsin(2)", "(-1)**u", "9**16*9**16*9**16", "int(not_refractory)", "3 % 0"]
    ),
    lambda inner: st.builds("({} {} {})".format, inner, st.sampled_from(["+", "-", "*", "/", "<", "and"]), inner),
    max_leaves=4,
)  # fmt: skip


@given(
    st.sampled_from(
        ["du/dt = ({})/tau : 1", "z = mV*({}) : volt", "du/dt = -u/tau + xi*tau**-0.5*({}) : 1", "u *= ({})"]
    ),
    expressions,
    st.sampled_from(["euler", "exponential_euler", "exact", "rk4", "auto", "milstein"]),
)
@settings(max_examples=12)
def test_what_is_accepted_compiles_or_is_refused_in_words(line, expression, method):
    step_program = pytest.importorskip("snncompare.dynamics.step_program")
    text = line.format(expression)
    neuron = NEURON | {"method": method}
    if "*=" in text:
        neuron["reset"] = text
    else:
        name = text.split("=")[0].strip()
        lines = [one for one in NEURON["equations"].split("\n") if not one.startswith(name.split("/")[0])]
        neuron["equations"] = "\n".join([*lines, text])
    network = _answer(_changed((("populations", "cells", "neuron"), neuron, False)))
    if network is None:
        return
    logging.disable(logging.CRITICAL)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # numpy on 1/0, sympy on comparisons that are multiplied
            step_program.network_program(network, 1e-4)
    except SnncompareError as error:
        assert "\n" not in str(error)  # noqa: PT017 - either outcome is fine
    finally:
        logging.disable(logging.NOTSET)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ([("populations", {f"c{k}": {"size": 1, "neuron": {"type": "SpikeSource"}} for k in range(1001)})], "at most 1000"),
        ([("populations", {f"c{k}": {"size": 10**7, "neuron": {"type": "SpikeSource"}} for k in range(3)}),
          ("projections", {})], "30000000 neurons together; at most 20000000"),
        ([("projections", {f"p{k}": {} for k in range(10_001)})], "at most 10000 projections"),
        ([("name", "x" * 201)], "at most 200 characters"),
    ],
    ids=range(4),
)  # fmt: skip
def test_absurd_numbers_of_things_are_refused_at_once(changes, says):
    began = time.perf_counter()
    with pytest.raises(DescriptionError, match=says):
        Network.parse(NETWORK | dict(changes), "file")
    assert time.perf_counter() - began < 1
