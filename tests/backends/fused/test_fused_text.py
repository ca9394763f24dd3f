"""Text from strangers never becomes code; what cannot be run is refused in words."""

import ast
import re

import pytest

from snncompare.backends.fused.compiling import address_of
from snncompare.backends.fused.kernel_text import ARGUMENTS
from snncompare.backends.fused.population_kernels import reset_kernel, update_kernel
from snncompare.backends.fused.refusals import missing_in_kernels
from snncompare.backends.fused.scalar_functions import FUNCTIONS
from snncompare.backends.fused.writing import Text, written
from snncompare.backends.registry import compile as compile_network
from snncompare.dynamics.step_program import network_program
from snncompare.errors import InputError, UnsupportedError
from snncompare.network.network import Network, Population, Projection
from snncompare.network.neuron import NeuronModel
from snncompare.network.neurons import leaky_integrate_and_fire
from snncompare.network.synapse import SynapseModel
from snncompare.testing.models import conformance_network
from snncompare.testing.networks import recurrent_network

NAMES = {"v": Text("x0"), "awake": Text("awake", boolean=True)}

HOSTILE = [
    "__import__('os').system('true')",
    "v.__class__",
    "().__class__.__bases__",
    "[x for x in v]",
    "(lambda: v)()",
    "v if v else v",
    "exec('v')",
    "eval('v')",
    "open('x')",
    "F[0]",
    "v[0]",
    "'text'",
    "f'{v}'",
    "v @ v",
    "v & v",
    "~v",
    "(v := 1)",
    "exp(v, v)",
    "exp(*v)",
    "exp(x=v)",
    "min(v, v)",
    "1j",
    "None",
    "v < v < v",
    "v is v",
    "v in v",
    "(v, v)",
    "{v: v}",
    "prefetch(v, v)",
    "U",
    "range",
]


def _no_draw(_name, _argument):
    raise AssertionError


@pytest.mark.parametrize("text", HOSTILE)
def test_what_is_no_arithmetic_is_refused(text):
    with pytest.raises(UnsupportedError):
        written(text, NAMES, _no_draw)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("v + 2*v", "(x0 + (2.0 * x0))"),
        ("-v**2", "(-power_2(x0))"),
        ("v**v", "power(x0, x0)"),
        ("1/(1 + exp(-v))", "(1.0 / (1.0 + exp((-x0))))"),
        ("int(v > 0) * 3", "((1.0 if (x0 > 0.0) else 0.0) * 3.0)"),
        ("v > 0 and not awake", "((x0 > 0.0) & (not awake))"),
        ("v % 2 // 3", "floor_division(remainder(x0, 2.0), 3.0)"),
        ("timestep(v, 2)", "truncated((x0 + 0.001 * 2.0) / 2.0)"),
        ("True or awake", "(True | awake)"),
    ],
)
def test_arithmetic_keeps_its_order(text, code):
    assert written(text, NAMES, _no_draw).code == code


@pytest.mark.parametrize("neuron", ["LIF", "two-compartment", "squid axon", "QIF", "SOM interneuron"])
def test_kernels_consist_of_our_own_words(neuron):
    program = network_program(conformance_network(neuron, "delta"), 1e-4).populations["cells"]
    update, rows = update_kernel(program, 20)
    reset = reset_kernel(program, rows, 20)
    for kernel in filter(None, (update, reset)):
        names = {node.id for node in ast.walk(ast.parse(kernel.source)) if isinstance(node, ast.Name)}
        ours = {
            *FUNCTIONS,
            *re.findall(r"\w+", ARGUMENTS),
            "range",
            "min",
            "float",
            "i",
            "k",
            "b",
            "m",
            "first",
            "hits",
        }
        ours |= {"slot", "place", "count", "fires", "awake", "limit"}
        assert all(name in ours or re.fullmatch(r"[clxy]\d+", name) for name in names), names - ours


def test_parameters_do_not_change_the_text():
    def kernel(tau):
        cells = Population(size=3, neuron=leaky_integrate_and_fire(tau=tau))
        network = Network(name="cells", populations={"cells": cells})
        return update_kernel(network_program(network, 1e-4).populations["cells"], 3)[0]

    one, two = kernel("20 ms"), kernel("30 ms")
    assert one.source == two.source
    assert one.constants != two.constants
    assert address_of(one) == address_of(two)


def _with_synapse(**synapse):
    network = recurrent_network()
    plain = network.projections["across"]
    model = plain.synapse.model_copy(update=synapse)
    return network.model_copy(
        update={"projections": {**network.projections, "across": plain.model_copy(update={"synapse": model})}}
    )


def test_statements_that_depend_on_the_order_of_synapses_are_refused():
    network = _with_synapse(on_pre="v_post = w")
    (said,) = missing_in_kernels(network, 5e-4)
    assert "depends on the order in which synapses are visited" in said
    with pytest.raises(UnsupportedError, match="projection 'across'"):
        compile_network(network, "fused", dt="0.5 ms")
    assert missing_in_kernels(recurrent_network(), 5e-4) == ()


@pytest.mark.parametrize("options", [{"dtype": "float32"}, {"target": "cython"}])
def test_options_that_do_not_exist_are_refused(options):
    with pytest.raises(InputError, match="fused"):
        compile_network(recurrent_network(), "fused", dt="0.5 ms", **options)


def test_a_delay_that_needs_too_much_memory_is_refused():
    model = NeuronModel(equations="dv/dt = -v/(10*ms) : 1", threshold="v > 1", reset="v = 0")
    projection = Projection(
        source="cells", target="cells", synapse=SynapseModel(on_pre="v_post += w", weight_unit="1"),
        weight={"type": "Constant", "value": "1"}, delay="50 s", wiring={"type": "OneToOne"},
    )  # fmt: skip
    network = Network(
        name="late", populations={"cells": Population(size=2000, neuron=model)}, projections={"loop": projection}
    )
    with pytest.raises(InputError, match="shorter delays"):
        compile_network(network, "fused", dt="0.1 ms")
