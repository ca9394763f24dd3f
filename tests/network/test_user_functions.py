"""A user function stands for its expression wherever it is called, and for nothing else."""

import ast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from snncompare.errors import DescriptionError
from snncompare.network.functions import check_functions, with_functions
from snncompare.network.network import Network
from snncompare.network.neuron import NeuronModel
from snncompare.network.synapse import SynapseModel

SIGMOID = {"sigmoid(x)": "1/(1 + exp(-x))"}


def _same(text, other):
    return ast.dump(ast.parse(text, mode="eval")) == ast.dump(ast.parse(other, mode="eval"))


@pytest.mark.parametrize(
    ("functions", "text", "plain"),
    [
        (SIGMOID, "sigmoid(v/mV)", "1/(1 + exp(-(v/mV)))"),
        (SIGMOID, "2*sigmoid(a + b)**2", "2*(1/(1 + exp(-(a + b))))**2"),
        (SIGMOID, "sigmoid(sigmoid(v))", "1/(1 + exp(-(1/(1 + exp(-v)))))"),
        ({"sum_of(x, y)": "x + y"}, "sum_of(a, b)*sum_of(b, -a)", "(a + b)*(b + (-a))"),
        ({"swap(x, y)": "x - 2*y"}, "swap(y, x)", "y - 2*x"),
        ({"f(x)": "x**2", "g(x)": "f(x) + f(2*x)"}, "g(1 + v)", "(1 + v)**2 + (2*(1 + v))**2"),
        ({"f(x)": "exp(x)*x"}, "exp(f(exp(v)))", "exp(exp(exp(v))*exp(v))"),
        ({"f(x)": "x"}, "ff + f_1 + f(v)", "ff + f_1 + v"),
        ({"f(x, y)": "x*y"}, "f(clip(v, 0, 1), max_(a))" if False else "f(clip(v, 0, 1), (a + b))", "clip(v, 0, 1)*(a + b)"),
        ({"H(x)": "int(x > 0)"}, "H( v )", "int(v > 0)"),
    ],
    ids=range(10),
)  # fmt: skip
def test_a_call_is_replaced_by_the_expression_of_its_arguments(functions, text, plain):
    assert _same(with_functions(text, functions), plain)


numbers = st.sampled_from(["v", "2", "(v + 1)", "v*3", "-v"])
calls = st.recursive(
    numbers,
    lambda inner: st.one_of(inner.map("f({})".format), st.builds("g({}, {})".format, inner, inner)),
    max_leaves=5,
)


@given(calls, st.floats(-1, 1))
@settings(max_examples=60)
def test_writing_out_never_changes_the_value(text, v):
    functions = {"f(x)": "x*x - 1", "g(x, y)": "f(x)/(2 + y*y) - y"}
    plain = with_functions(text, functions)
    assert "f" not in plain
    assert "g" not in plain
    names = {"v": v, "f": lambda x: x * x - 1}
    names["g"] = lambda x, y: names["f"](x) / (2 + y * y) - y
    # Python evaluates our own generated text here, to compare with what is written out; 1e-9 for another order of rounding.
    expected = eval(text, {"__builtins__": {}}, names)
    assert eval(plain, {"__builtins__": {}}, {"v": v}) == pytest.approx(expected, rel=1e-9, abs=1e-9)


def test_functions_are_written_out_in_every_text_of_a_model():
    neuron = NeuronModel(
        functions=SIGMOID,
        equations="dv/dt = (sigmoid(v) - v)/tau : 1",
        threshold="sigmoid(v) > 0.6",
        reset="v = sigmoid(v) - 1",
        refractory="2*ms*sigmoid(v)",
        parameters={"tau": "20 ms"},
    )
    synapse = SynapseModel(
        functions=SIGMOID,
        equations="dx/dt = -sigmoid(x)/ms : 1",
        synapse_equations="b = sigmoid(w) : 1",
        on_pre="x_post += sigmoid(w)",
        on_post="w = sigmoid(w)",
        current="sigmoid(x)",
    )
    for model in (neuron, synapse):
        plain = model.written_out()
        assert model != plain
        assert "sigmoid" not in str(plain.plain())
        assert plain.written_out() == plain
    assert neuron.states() == ["v"]


def test_a_model_with_functions_is_another_value_than_the_one_written_out_and_survives_its_file(tmp_path):
    neuron = {"type": "NeuronModel", "functions": SIGMOID, "equations": "dv/dt = -sigmoid(v)/ms : 1"}
    network = Network.parse({"populations": {"cells": {"size": 1, "neuron": neuron}}}, "file")
    assert Network.load(network.save(tmp_path / "net.yaml")) == network


@pytest.mark.parametrize(
    ("functions", "says"),
    [
        ({"sigmoid": "1"}, "cannot read 'sigmoid'; write for example 'sigmoid(x)'"),
        ({"f()": "1"}, "'' cannot name a function or argument"),
        ({"f(x": "1"}, "cannot read 'f(x'"),
        ({"f(x))": "1"}, "cannot read 'f(x))'"),
        ({"f(x=1)": "x"}, "'x=1' cannot name"),
        ({"f(*x)": "x"}, "'*x' cannot name"),
        ({"f(x, x)": "x"}, "uses a name twice"),
        ({"f(f)": "f"}, "uses a name twice"),
        ({"f(x)": "x", "g(f)": "f(f)"}, "uses a name twice"),
        ({"exp(x)": "x"}, "'exp' cannot name a function or argument; it has a meaning of its own"),
        ({"int(x)": "x"}, "'int' cannot name"),
        ({"mV(x)": "x"}, "'mV' cannot name"),
        ({"f(t)": "t"}, "'t' cannot name"),
        ({"f(pi)": "pi"}, "'pi' cannot name"),
        ({"f(e)": "e"}, "'e' cannot name"),
        ({"f__(x)": "x"}, "'f__' cannot name"),
        ({"lambda(x)": "x"}, "'lambda' cannot name"),
        ({"f(x)": "x", "f(x, y)": "x + y"}, "uses a name twice"),
        ({"f(x)": "f(x)"}, "no function 'f'"),
        ({"f(x)": "g(x)", "g(x)": "x"}, "no function 'g'"),
        ({"f(x)": "x + tau"}, "reads 'tau', which is not one of its arguments; add it"),
        ({"f(x)": "x.real"}, "a dot after a name is not allowed"),
        ({"f(x)": "__import__('os')"}, "'__import__"),
        ({"f(x)": "x; y"}, "cannot read the expression"),
        ({"f(x)": "x)*(x"}, "cannot read the expression"),
        ({"f(x)": "1 + x) + (1"}, "cannot read the expression"),
        ({"f(x)": ""}, "cannot read the expression"),
        ({"f(x)": "9**9**9"}, "exponents hold only"),
        ({"f(x)": "(x + 1)**16", "g(x)": "f(f(x))"}, "exponents hold only"),
        ({"ｆ(x)": "x"}, "cannot read"),
        ({"f(x)": "x\u200b"}, "use ASCII"),
        ({"f(x) # y": "x"}, "cannot read"),
        ({"f(x)": "x # )"}, None),
    ],
    ids=range(33),
)
def test_a_function_is_plain_arithmetic_of_its_arguments(functions, says):
    if says is None:
        assert check_functions(functions) == functions
        return
    with pytest.raises(DescriptionError) as caught:
        NeuronModel(functions=functions, equations="dv/dt = -v/ms : 1")
    assert says in str(caught.value)
    assert str(caught.value).isprintable()


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("sigmoid(v, v)", "the function 'sigmoid' is called with 2 arguments; write 'sigmoid(x)'."),
        ("sigmoid()", "the function 'sigmoid' is called with 0 arguments; write 'sigmoid(x)'."),
        ("sigmoid((v", "a bracket is not closed in"),
        ("sigmoid", "no variable, input or parameter 'sigmoid'"),
        ("sigmoid(v)(v)", "calling what is not a name"),
        ("sigmoid(x=v)", "cannot read the expression"),
        ("sigmoid(v) : 1 (x)\nq = 1", "no flag"),
    ],
    ids=range(7),
)
def test_a_wrong_call_is_refused(text, says):
    with pytest.raises(DescriptionError) as caught:
        NeuronModel(functions=SIGMOID, equations=f"dv/dt = ({text})/ms : 1")
    assert says in str(caught.value)


def test_an_argument_cannot_break_out_of_its_brackets():
    assert _same(with_functions("f(a + b)", {"f(x)": "2*x"}), "2*(a + b)")
    assert not _same(with_functions("f(a + b)", {"f(x)": "2*x"}), "2*a + b")
    assert _same(with_functions("f(a) # f(", {"f(x)": "x"}), "a")
