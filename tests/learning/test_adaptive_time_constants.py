"""Time constants of adaptive neurons have the gradient of finite differences when the network is made smooth."""

import numpy as np
import pytest
import torch

from snncompare.backends.torch.module import TorchNetwork
from snncompare.backends.torch.surrogates import MultiGaussian, SmoothSpike
from snncompare.circuits.adaptive_recurrent import adaptive_recurrent_network
from snncompare.dynamics.paths import Paths
from snncompare.network.initialisers import Normal
from snncompare.units import quantity

AGREES = 1e-6
"""Relative, notes on learning rules T3.1; five-point differences with a step of 1e-3 of the value are off by some 1e-10."""


def three_neurons(surrogate, paths):
    spread = Normal(mean=quantity("15 ms"), sd=quantity("5 ms"), low=quantity("5 ms"))
    network = adaptive_recurrent_network(
        inputs=4,
        hidden=3,
        classes=2,
        tau=spread,
        tau_adaptation="40 ms",
        tau_readout="10 ms",
        v_threshold="0.1",
        beta="0.5",
    )
    return TorchNetwork(network, 1e-3, {}, surrogate=surrogate, paths=paths, seed=4)


def loss_of(module, raster):
    activity = module({"input": raster}, record=["hidden"], traces=[("readout", "v")])
    weights = torch.linspace(-1.0, 1.0, raster.shape[0], dtype=torch.float64)[:, None, None]
    return (activity.traces["readout", "v"] * weights).square().sum(), activity.spikes["hidden"]


@pytest.mark.parametrize("name", ["tau", "tau_adaptation"])
def test_gradients_of_time_constants_equal_finite_differences(name):
    raster = (torch.rand(60, 2, 4, generator=torch.Generator().manual_seed(2)) < 0.5).double()
    module = three_neurons(SmoothSpike("0.05"), Paths())
    value, fired = loss_of(module, raster)
    value.backward()
    assert 0.05 < float(fired.detach().mean()) < 0.95, "silent or saturated neurons make every comparison pass"
    parameter = module.trained()["hidden"][name]
    found, expected = parameter.grad.clone(), torch.zeros(3, dtype=torch.float64)
    with torch.no_grad():
        for neuron in range(3):
            begin = float(parameter[neuron])
            values = []
            for steps in (-2, -1, 1, 2):
                parameter[neuron] = begin * (1 + 1e-3 * steps)
                values.append(float(loss_of(module, raster)[0]))
            parameter[neuron] = begin
            expected[neuron] = (values[0] - 8 * values[1] + 8 * values[2] - values[3]) / (12e-3 * begin)
    assert expected.abs().min() > 0
    assert torch.allclose(found, expected, rtol=AGREES, atol=0)
    cut = three_neurons(SmoothSpike("0.05"), Paths(adaptation=False))
    loss_of(cut, raster)[0].backward()
    assert not torch.allclose(cut.trained()["hidden"][name].grad, expected, rtol=1e-3)


def test_the_multi_gaussian_has_the_published_value_and_area():
    """notes on learning rules T3.3: 0.43911 at 0 (five digits), area g(1 - h) = 0.425."""
    surrogate = MultiGaussian("0.5")
    assert surrogate.peak == pytest.approx(0.43911, abs=1e-5)
    u = torch.linspace(-40.0, 40.0, 400_001, dtype=torch.float64)  # thirteen widths of the flanks
    assert np.trapezoid(surrogate.derivative(u).numpy(), u.numpy()) == pytest.approx(0.425, abs=1e-9)
    assert surrogate.area == pytest.approx(0.425, rel=1e-12)
    assert MultiGaussian("0.5", flanks=0.1).peak != pytest.approx(0.43911, abs=1e-4)
