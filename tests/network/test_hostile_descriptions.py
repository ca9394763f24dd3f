"""Whatever stands in any field of a description, the answer is a network or one line of refusal, at once."""

import builtins
import copy
import os
import time
import tracemalloc

import pytest

from snncompare.errors import DescriptionError, SnncompareError
from snncompare.network.composition import compose
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
TEXTS = [path for path in PATHS if path[-1] in {*NEURON, *SYNAPSE, "f(x)", "q(x)"} - {"type", "parameters", "initial"}]
TEXTS += [("name",), ("populations", "cells", "cell_type"), ("projections", "feed", "source")]


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


@pytest.mark.parametrize("path", TEXTS, ids=[".".join(path) for path in TEXTS])
def test_code_is_no_value_of_any_field(path, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    called = []
    monkeypatch.setattr(os, "system", called.append)
    monkeypatch.setattr(builtins, "eval", lambda *args: called.append(args))
    monkeypatch.setattr(builtins, "exec", lambda *args: called.append(args))
    label = path in (("name",), ("populations", "cells", "cell_type"))
    for text in CODE:
        accepted = _answer(_changed((path, text, False)))
        assert accepted is None or label, f"{text!r} at {path}"
    assert called == []
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "path", [p for p in PATHS if p[-1] in ("cells", "feed", "f(x)", "tau", "I", "v", "b", "ts")], ids=str
)
def test_code_is_no_name_of_anything(path):
    own = [] if path[-1] in ("cells", "feed") else ["for", "exp", "t", "mV"]  # these become a suffix of other names
    for text in [*CODE, *own, "", " ", "a b", "1a", "_a", "a__b", "x_post", "x" * 61, "x" * 100_000]:
        assert _answer(_changed((path, text, True))) is None, text


TERMS = "(p0 + p1 + p2 + p3 + p4 + p5 + p6 + p7)"
GROWS = {
    "a power of a sum": f"v*{TERMS}**16",
    "a product of sums": "*".join([TERMS] * 30),
    "a product of sums below": f"v/({'*'.join([TERMS] * 30)})",
    "a power of a function of a sum": f"exp({TERMS}**9)",
    "powers of powers": "((v**9)**9)**9",
    "a tower of numbers": "9**9**9",
    "exponentials of exponentials of numbers": "exp(exp(1e9))",
    "an exponential of a large number in another": "exp(v + exp(1e9))",
    "three exponentials of numbers": "sin(exp(exp(exp(5))))",
    "functions within functions": "abs(" * 20 + "v" + ")" * 20,
    "clips within clips": "clip(" * 12 + "v" + ", 0, 1)" * 12,
    "remainders of remainders": "v" + " % 2" * 30,
    "brackets": "(" * 3000 + "v" + ")" * 3000,
    "a long sum": "v + " * 4000 + "v",
    "a number": "9" * 4000,
}


def _model(rate, **changes):
    equations = f"dv/dt = ({rate})/tau : 1"
    parameters = {"tau": "20 ms"} | {f"p{k}": "1" for k in range(8)}
    neuron = {"type": "NeuronModel", "equations": equations, "parameters": parameters} | changes
    return {"populations": {"cells": {"size": 1, "neuron": neuron}}}


@pytest.mark.parametrize("rate", GROWS.values(), ids=GROWS)
def test_what_grows_is_refused_before_it_grows(rate):
    assert _answer(_model("v*p0")) is not None
    tracemalloc.start()
    assert _answer(_model(rate)) is None
    assert _answer(_model("v", threshold=f"v > {rate}")) is None
    assert _answer(_model("v", threshold="v > 1", reset=f"v = {rate}")) is None
    assert _answer(_model("v", refractory=f"ms*({rate})")) is None
    assert _answer(_model("f(v)", functions={"f(v)": rate.replace("p", "v*")})) is None
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 20e6, "refusing needs a syntax tree of 20,000 characters at most: some megabytes"


def _chain(levels):
    heads = ["f0(x)", *(f"f{k}(x)" for k in range(1, levels))]
    bodies = ["x + x", *(f"f{k - 1}(f{k - 1}(x))" for k in range(1, levels))]
    return dict(zip(heads, bodies, strict=True))


def test_functions_that_call_each_other_twice_are_refused_before_they_fill_the_memory():
    assert _answer(_model("f2(v)", functions=_chain(3))) is not None
    for levels in (8, 20, 60):
        assert _answer(_model(f"f{levels - 1}(v)", functions=_chain(levels))) is None
    wide = {"f(a, b)": "a*b + a*b"} | {
        f"g{k}(x)": ("f(g%d(x), g%d(x))" % (k - 1, k - 1) if k else "f(x, x)") for k in range(20)
    }
    assert _answer(_model("g19(v)", functions=wide)) is None


def test_subexpressions_that_double_are_refused():
    lines = [f"s{k} = s{k + 1}*s{k + 1} : 1" for k in range(30)]
    for last in ("s30 = v : 1", "s30 = v + p0 : 1"):
        text = "\n".join([*lines, last, "dv/dt = s0/tau : 1"])
        assert _answer(_model("v", equations=text)) is None
    assert _answer(_model("v", equations="s0 = s1*s1 : 1\ns1 = v + p0 : 1\ndv/dt = s0/tau : 1")) is not None


def test_inputs_that_multiply_each_other_are_refused_once_the_synapses_are_put_in():
    neuron = {
        "type": "NeuronModel",
        "equations": "dv/dt = -v*I*J/tau : 1",
        "inputs": {"I": "1", "J": "1"},
        "parameters": {"tau": "20 ms"},
        "threshold": "v > 1",
    }
    synapse = {"type": "SynapseModel", "equations": "dx/dt = -x/ms : 1", "on_pre": "x_post += w", "current": "x"}
    feed = {"source": "a", "target": "a", "synapse": synapse, "weight": {"type": "Constant", "value": "1"}}
    several = {f"{into}{k}": feed | {"into": into} for into in "IJ" for k in range(15)}
    plain = {"populations": {"a": {"size": 1, "neuron": neuron}}, "projections": several}
    with pytest.raises(DescriptionError, match=r"population 'a': 'v' grows to more than 150 terms"):
        compose(Network.parse(plain, "file"), "a")
    few = {name: described for name, described in several.items() if name[1:] in "012"}
    assert compose(Network.parse(plain | {"projections": few}, "file"), "a")


@pytest.mark.parametrize(
    ("equations", "method", "says"),
    [
        ("\n".join(f"dx{k}/dt = (x{(k + 1) % 4}*p{k} - x{k})/ms : 1" for k in range(4)), "exact", "would take too long"),
        ("\n".join(f"dx{k}/dt = -x{k}/p{k} : 1" for k in range(9)), "auto", "would take too long"),
        ("\n".join(f"dx{k}/dt = (x{k + 1} - x{k})/p : 1" for k in range(5)) + "\ndx5/dt = 1/p : 1", "exact", "too long"),
        (f"dv/dt = v*{TERMS}*({TERMS} + 1)/ms : 1", "exact", "would take too long for the linear equations of 'v'"),
        ("dx/dt = -x/ms : 1\n" * 1 + "".join(f"b{k} : boolean\n" for k in range(9)), "euler", "9 true-or-false variables"),
        ("\n".join(f"dx{k}/dt = -x{k}/ms : 1" for k in range(101)), "euler", "101 differential equations"),
        ("dx/dt = -y/p : 1 (event-driven)\ndy/dt = (z - y)/q : 1 (event-driven)\ndz/dt = -x/r : 1 (event-driven)", "euler",
         "event-driven equations would take too long"),
    ],
    ids=range(7),
)  # fmt: skip
def test_equations_that_take_hours_to_solve_are_refused(equations, method, says):
    with pytest.raises(DescriptionError, match=says):
        check_solvable(equations, method)


@pytest.mark.parametrize("method", ["exact", "exponential_euler", "rk2", "rk4"])
def test_noise_needs_a_method_that_has_it(method):
    noisy = "dv/dt = -v/tau + sigma*xi_1*tau**-0.5 : 1"
    with pytest.raises(
        DescriptionError, match=f"the method '{method}' cannot integrate the noise 'xi'; choose 'euler'"
    ):
        check_solvable(noisy, method)
    check_solvable(noisy, "euler")
    check_solvable(noisy.replace("xi_1", "x"), method)
