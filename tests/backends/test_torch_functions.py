"""Functions of equations: numpy's to the last bit where that is asked, with right derivatives where that is; and what
stays during a run is computed once."""

import warnings

import numpy as np
import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from snncompare.backends.torch.functions import FUNCTIONS, NUMBERS, exprel, tensor_functions
from snncompare.backends.torch.module import TorchNetwork
from snncompare.backends.torch.surrogates import SuperSpike
from snncompare.network.names import FUNCTIONS as NAMES
from snncompare.network.network import Network, Population
from snncompare.network.neuron import NeuronModel
from snncompare.network.trainable import Trainable

RANDOM = ("rand", "randn", "poisson")
ARGUMENTS = {"arcsin": 1.0, "arccos": 1.0, "log": 9.0, "log10": 9.0, "log1p": 9.0, "sqrt": 9.0}
EXACT, DIFFERENTIABLE = (tensor_functions(torch.float64, exact=exact) for exact in (True, False))


def arguments(name, n=2000):
    """Return arguments in the domain of a function, as many as it has."""
    rng = np.random.default_rng(0)
    x = rng.uniform(0, ARGUMENTS[name], n) if name in ARGUMENTS else rng.normal(0, 3, n)
    if name in ("arcsin", "arccos"):
        x = 2 * x - 1
    return [x, *([-0.5, 0.7] if name == "clip" else [1e-4] if name == "timestep" else [])]


def test_every_function_that_equations_may_call_is_there():
    for table in (EXACT, DIFFERENTIABLE, NUMBERS, FUNCTIONS):
        assert set(NAMES) - set(RANDOM) <= set(table)


@pytest.mark.parametrize("name", sorted(set(NAMES) - set(RANDOM)))
def test_functions_compute_what_numpy_computes(name):
    x, *rest = arguments(name)
    expected = np.asarray(NUMBERS[name](x, *rest), dtype=np.float64)
    exact = EXACT[name](torch.from_numpy(x), *rest).double().numpy()
    close = DIFFERENTIABLE[name](torch.from_numpy(x), *rest).double().numpy()
    assert np.array_equal(exact, expected)
    assert np.allclose(close, expected, rtol=1e-13, atol=1e-15)  # other libraries round the last bits otherwise
    assert float(FUNCTIONS[name](float(x[0]), *rest)) == expected[0]


SMOOTH = sorted(set(NAMES) - set(RANDOM) - {"int", "sign", "floor", "ceil", "timestep"})


@pytest.mark.parametrize("name", SMOOTH)
def test_derivatives_equal_finite_differences(name):
    given, *rest = arguments(name, 50)
    x = torch.from_numpy(given * 0.9).requires_grad_()
    assert torch.autograd.gradcheck(lambda y: DIFFERENTIABLE[name](y, *rest), (x,), eps=1e-6, atol=1e-6, rtol=1e-6)


@pytest.mark.parametrize("name", ["int", "sign", "floor", "ceil"])
def test_steps_have_the_derivative_zero(name):
    x = torch.tensor([-1.5, 0.2, 3.7], dtype=torch.float64, requires_grad=True)
    result = DIFFERENTIABLE[name](x)
    if result.requires_grad:
        result.sum().backward()
        assert torch.equal(x.grad, torch.zeros(3, dtype=torch.float64))


@pytest.mark.parametrize("x", [0.0, 1e-300, -1e-17, 1e-9, -1e-5, 1e-3, 0.05, -0.0999, 0.1001, 0.7, -3.0, 20.0])
def test_exprel_and_its_derivative_are_right_also_near_zero(x):
    """Against sums of their Taylor series in exact arithmetic, which converge everywhere."""
    from fractions import Fraction
    from math import factorial

    terms, exact = range(120), Fraction(x)
    value = float(sum(exact**n / factorial(n + 1) for n in terms))
    slope = float(sum(n * exact ** (n - 1) / factorial(n + 1) for n in terms if n > 0))
    given = torch.tensor([x], dtype=torch.float64, requires_grad=True)
    found = exprel(given)
    found.backward()
    assert float(found.detach()) == pytest.approx(value, rel=1e-14)
    assert float(given.grad) == pytest.approx(slope, rel=1e-13)


def test_the_closed_form_of_that_derivative_would_not_do():
    """Negative control: (exp(x) - exprel(x))/x loses its digits."""
    x = np.float64(1e-9)
    assert abs((np.exp(x) - np.expm1(x) / x) / x - 0.5) > 1e-8


def test_an_equation_with_exprel_has_a_gradient_at_its_singular_point():
    neuron = NeuronModel(
        equations="dv/dt = (exprel(v/mV) - g*v/mV)*mV/ms : volt", method="euler", parameters={"g": "1"}
    )
    network = Network(populations={"cells": Population(size=2, neuron=neuron, trainable={"v": Trainable()})})
    module = TorchNetwork(network, 1e-4, {})
    module({}, traces=[("cells", "v")], shape=(1, 1)).traces["cells", "v"].sum().backward()
    assert torch.allclose(module.neurons["cells"]["v"].grad, torch.tensor(1 + 0.1 * (0.5 - 1), dtype=torch.float64))


# --- as seldom as possible ---------------------------------------------------------------------------------------


class Counted(TorchDispatchMode):
    """Counts operations on tensors by name."""

    def __init__(self):
        super().__init__()
        self.calls = {}

    def __torch_dispatch__(self, operation, types, args=(), kwargs=None):
        name = operation.overloadpacket.__name__
        self.calls[name] = self.calls.get(name, 0) + 1
        return operation(*args, **(kwargs or {}))


def counts(module, steps):
    """Return how often each operation is called in a run."""
    with Counted() as counted:
        module({}, shape=(steps, 2))
    return counted.calls


def leaky(**changes):
    neuron = NeuronModel(
        equations="dv/dt = (EL - v + A*exp(-EL/(5*mV)))/tau : volt",
        threshold="v > theta",
        reset="v = EL",
        parameters={"EL": "0 mV", "tau": "10 ms", "A": "15 mV", "theta": "10 mV"},
    )
    return Network(populations={"cells": Population(size=3, neuron=neuron, **changes)})


@pytest.mark.parametrize("trained", [{}, {"tau": Trainable()}, {"tau": Trainable(shared=True), "EL": Trainable()}])
@pytest.mark.parametrize("gradients", [False, True])
def test_what_stays_during_a_run_is_computed_once(trained, gradients):
    drawn = {} if "tau" in trained else {"tau": {"type": "Uniform", "low": "9 ms", "high": "11 ms"}}
    module = TorchNetwork(leaky(trainable=trained, parameters=drawn), 1e-4, {}, surrogate=SuperSpike("1 mV", "10 mV"))
    with torch.set_grad_enabled(gradients), warnings.catch_warnings():
        short, long = counts(module, 10), counts(module, 20)
    each = {name: long[name] - short.get(name, 0) for name in long if long[name] > short.get(name, 0)}
    assert not {"exp", "div", "reciprocal", "neg"} & set(each), each
    if gradients:  # a*v + b, the comparison, the spike as a number and as true or false, the reset; time and records
        arithmetic = {name: n for name, n in each.items() if name in ("mul", "add", "addcmul", "sub", "where", "gt")}
        assert sum(arithmetic.values()) <= 10 * 6, arithmetic


def test_what_changes_is_computed_in_every_step():
    """Negative control: an exponential of the state cannot be computed once."""
    neuron = NeuronModel(equations="dv/dt = (exp(-v) - v)/second : 1", method="euler")
    module = TorchNetwork(Network(populations={"cells": Population(size=3, neuron=neuron)}), 1e-4, {})
    short, long = counts(module, 10), counts(module, 20)
    assert long["exp"] - short["exp"] == 10
