"""Text from a stranger is plain arithmetic or refused: nothing runs, nothing grows, nothing reads two ways."""

import ast
import builtins
import contextlib
import os

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from snncompare.errors import DescriptionError, SnncompareError
from snncompare.network.equations import check_equations, check_statements, check_unit
from snncompare.network.expressions import check_expression
from snncompare.network.neuron import NeuronModel
from snncompare.network.synapse import SynapseModel
from snncompare.units import parse_unit

CODE = [
    "__import__('os').system('true')",
    "().__class__",
    "v.real",
    "v.__class__.__mro__",
    "'text'",
    '"text"',
    "b'text'",
    "f'{v}'",
    "lambda: v",
    "(lambda x: x)(v)",
    "v[0]",
    "[v for v in x]",
    "(v for v in x)",
    "{v: 1}",
    "{v}",
    "(v, x)",
    "(y := v)",
    "v if x else y",
    "open(v)",
    "eval(v)",
    "exec(v)",
    "getattr(v, x)",
    "exp(*v)",
    "exp(**v)",
    "exp(x=v)",
    "exp(v)(v)",
    "(v or exp)(v)",
    "exp()",
    "__builtins__",
    "v__x",
    "await v",
    "(yield)",
    "(yield from v)",
    "v @ x",
    "v ^ 2",
    "v & x",
    "v | x",
    "~v",
    "v << 2",
    "v is x",
    "v in x",
    "v < x < y",
    "None",
    "...",
    "1j",
    "v; x",
    "v = x",
    "v/0",
    "v % 0.0",
    "v//0",
    "v\\\nx",
    "import os",
    "v : volt",
    "",
    "   ",
]
GROWS = [
    "9**99999999",
    "9**-99999999",
    "9**(99999999*99)",
    "9**(1/0.0000001)",
    "9**9**9",
    "(9**9)**9",
    "((v**9)**9)**9",
    "v**(9**9)",
    "v**(16/(x*0.001))",
    "v**exp(99)",
    "v**(1//0.001)",
    "1" * 400,
    "1e999",
    "9" * 5000,
    "(" * 3000 + "v" + ")" * 3000,
    "-" * 5000 + "v",
    "-" * 150 + "v",
    "exp(" * 150 + "v" + ")" * 150,
    "v+" * 9000 + "v",
    "not " * 200 + "v",
    "v" * 20_001,
]
FORBIDDEN = (ast.Attribute, ast.Subscript, ast.Lambda, ast.NamedExpr, ast.JoinedStr, ast.comprehension)
TWO_WAYS = [
    "ｅxp(v)",
    "v＿x",
    "ﬁ",
    "𝑣",
    "v\x00",
    "v\x0bx",
    "v\u2028x",
    "v\u00a0+ x",
    "e\u0301",
    "v\rx",
    "v\u200b",
    "٣*v",
    "v − x",
]
FINE = [
    "-v/tau",
    "(EL - v + I)/tau",
    "m**3*h",
    "(x**2 + y**2)**0.5",
    "1/(1 + (IC50/x)**n)",
    "v**(-1)",
    "v**(a - 1)",
    "exp(-(v - vt)/k)*int(v > vt)",
    "not (v > 1*mV) and x <= 3 or True",
    "v % 2 + v // 3",
    "clip(v, 0, 1)",
    "rand() < p",
    "1e-3*v",
    "+v",
    "g*(E - v)",
    "x+" * 90 + "x",
]


@pytest.mark.parametrize("text", CODE + GROWS + TWO_WAYS, ids=range(len(CODE + GROWS + TWO_WAYS)))
def test_what_is_not_plain_arithmetic_is_refused_at_once_everywhere(text):
    with pytest.raises(DescriptionError) as caught:
        check_expression(text)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 500
    for text_in_place in (f"dv/dt = {text} : 1", f"v : 1\ny = {text} : 1"):
        with pytest.raises(DescriptionError):
            NeuronModel(equations=text_in_place)
    for wrong in ({"threshold": text}, {"threshold": "v > 1", "reset": f"v = {text}"}):
        with pytest.raises(DescriptionError):
            NeuronModel(equations="dv/dt = v/tau : 1", parameters={"tau": "1 s"}, **wrong)
    for wrong in ({"refractory": text}, {"functions": {"f(v)": text}}, {"functions": {f"f({text})": "1"}}):
        with pytest.raises(DescriptionError):
            NeuronModel(equations="dv/dt = v/tau : 1", parameters={"tau": "1 s"}, threshold="v > 1", **wrong)
    for wrong in (
        {"on_pre": f"v_post += {text}"},
        {"on_post": f"v_post += {text}"},
        {"current": text},
        {"synapse_equations": f"y = {text} : 1"},
        {"synapse_equations": f"dv/dt = {text} : 1 (clock-driven)"},
    ):
        with pytest.raises(DescriptionError):
            SynapseModel(**{"on_pre": "v_post += w"} | wrong)


@pytest.mark.parametrize("text", FINE, ids=range(len(FINE)))
def test_plain_arithmetic_is_accepted_unchanged(text):
    assert check_expression(text) is text
    assert check_equations(f"dv/dt = {text} : 1")


@pytest.mark.parametrize(
    "text",
    [
        "v = 1\nimport os",
        "v = 1; import os",
        "v.x = 1",
        "v[0] = 1",
        "v, x = 1",
        "(v) = 1",
        "v == 1",
        "v = x = 1",
        "v := 1",
        "__v = 1",
        "v",
        "exp(v)",
        "del v",
        "v //= 2",
        "v **= 2",
        "v @= 2",
        "v: volt = 1",
        "v = 9**9**9",
        "for = 1",
        "v = 1 if x else 2",
        "ｖ = 1",
    ],
    ids=range(21),
)
def test_a_statement_is_one_assignment_of_arithmetic_to_a_name(text):
    with pytest.raises(DescriptionError):
        check_statements(text)


def test_statements_with_comments_and_augmented_assignment_are_accepted():
    text = "v = v_reset  # back to rest, in µV\na += b; x *= 2; y /= 3; z -= 1\n"
    assert check_statements(text) is text


@pytest.mark.parametrize(
    "unit",
    [
        "", "mV", "V", "volts", "volt**2**3", "1*volt", "volt/1", "volt^2", "(volt)", "__import__('os')", "volt.dim",
        "volt + amp", "volt;amp", "second**-", "*volt", "volt*", "2*volt", "volt**0.5", "volt**10", "volt or amp",
        "\uff56olt", "eval(volt)", "volt[0]", "lambda: volt", "volt,amp", "boolean", "1 1",
    ],
    ids=range(27),
)  # fmt: skip
def test_a_unit_is_a_product_of_base_units_because_brian2_evaluates_its_text(unit):
    with pytest.raises(SnncompareError):
        check_unit(unit)


def test_units_that_pass_are_those_brian2_takes_for_the_same_dimension():
    equations = pytest.importorskip("brian2.equations.equations")
    for unit in ("volt", "1", "siemens/metre**2", "1/second", "amp*second**-1", "metre ** 2 * kilogram", "Hz/volt"):
        theirs, _ = equations.dimensions_and_type_from_string(check_unit(unit))
        ours = parse_unit(unit)[1]
        assert tuple(int(theirs.get_dimension(name)) for name in ("m", "kg", "s", "A", "K", "mol", "cd")) == ours


@pytest.mark.parametrize(
    "text",
    [
        "dv/dt = -v/tau",
        "v",
        "dv/dt = : volt",
        "dv/dt = v :",
        "d__v/dt = v : volt",
        "dv/dt = v : volt (__import__)",
        "dv/dt = v : volt (unless refractory) (constant)",
        "x : 1\nx : volt",
        "a = b : 1\nb = a : 1",
        "a = a : 1",
        "exp : 1",
        "dt : second",
        "volt : 1",
        "for : 1",
        "x : 1 # ok\rdv/dt = 1 : 1",
        "a = 9**16 : 1\nb = a**16 : 1\ndv/dt = b : 1",
        "n = 99999999 : 1\ndv/dt = 9**n : 1",
        "\n".join(f"a{k} = a{k + 1}*a{k + 1} : 1" for k in range(40)) + "\na40 : 1",
        "\n".join(f"a{k} = a{k + 1} + 1 : 1" for k in range(200)) + "\na200 : 1",
        "x" * 20_001,
        "v = 1 : 1" + " " * 20_000,
        ":" * 5000,
        "v=" * 5000,
    ],
    ids=range(23),
)
def test_equations_that_are_no_equations_or_grow_when_put_together_are_refused(text):
    with pytest.raises(SnncompareError) as caught:
        check_equations(text)
    assert "\n" not in str(caught.value)


def test_comments_may_be_in_any_language():
    text = "dv/dt = -v/tau : 1  # Membranspannung über Ruhe, μV\n# 電位\nx : 1"
    assert check_equations(text) is text


@given(st.text(max_size=60))
@example("v\x1cx")
def test_any_text_is_refused_or_is_a_tree_of_allowed_nodes(text):
    try:
        check_expression(text)
    except DescriptionError:
        return
    assert text.isascii()
    for node in ast.walk(ast.parse(" ".join(text.split()), mode="eval")):
        assert not isinstance(
            node, ast.Attribute | ast.Subscript | ast.Lambda | ast.NamedExpr | ast.JoinedStr | ast.comprehension
        )


PIECES = st.sampled_from(
    [
        "v",
        "x",
        "__",
        ".",
        "(",
        ")",
        "[",
        "]",
        "+",
        "*",
        "**",
        "9",
        "99",
        "/",
        "'",
        ",",
        "lambda",
        ":",
        "=",
        "exp",
        "import",
        " ",
        "\n",
    ]
)


@given(st.lists(PIECES, max_size=25).map("".join))
def test_any_mixture_of_tokens_is_refused_or_harmless(text):
    for check in (check_expression, check_equations, check_statements, check_unit):
        try:
            accepted = check(text)
        except SnncompareError:
            continue
        assert accepted == text
        assert "." not in text or any(piece.isdigit() for piece in text)
        assert not set("['") & set(text)


def test_nothing_is_called_while_text_is_checked(monkeypatch):
    called = []
    monkeypatch.setattr(os, "system", called.append)
    monkeypatch.setattr(builtins, "eval", lambda *args: called.append(args))
    monkeypatch.setattr(builtins, "exec", lambda *args: called.append(args))
    for text in [*CODE, *FINE]:
        with contextlib.suppress(SnncompareError):
            check_equations(f"dv/dt = {text} : 1")
    assert called == []


def test_functions_are_those_of_brian2_and_take_as_many_arguments():
    functions = pytest.importorskip("brian2.core.functions")
    from snncompare.network.names import FUNCTIONS

    assert {name: len(known._arg_units) for name, known in functions.DEFAULT_FUNCTIONS.items()} == FUNCTIONS
    for name, arguments in FUNCTIONS.items():
        for number in range(4):
            call = f"{name}({', '.join('v' * number)})"
            if number == arguments:
                assert check_expression(call) == call
            else:
                with pytest.raises(DescriptionError, match=f"'{name}' takes"):
                    check_expression(call)
