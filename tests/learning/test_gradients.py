"""Gradients through the generated module equal a reverse pass written out by hand, and finite differences."""

import numpy as np
import pytest
import torch

from snncompare.backends.realisation import realise
from snncompare.backends.torch.module import TorchNetwork
from snncompare.backends.torch.surrogates import SuperSpike, Triangle
from snncompare.dynamics.paths import Paths
from snncompare.errors import InputError
from snncompare.network.initialisers import Normal
from snncompare.network.network import Network, Population, Projection
from snncompare.network.neuron import SpikeSource
from snncompare.network.neurons import leaky_integrate_and_fire, leaky_readout
from snncompare.network.synapses import exponential
from snncompare.network.trainable import Trainable
from snncompare.units import quantity

DT, TAU_SYN = 5e-4, 4e-3
SURROGATE = SuperSpike("2 mV", "10 mV")
STEPS, BATCH, INPUTS, HIDDEN = 120, 3, 6, 5


def small_network(refractory="0 ms", *, trained=False):
    weight = Normal(mean=quantity("4 mV"), sd=quantity("12 mV"))
    fast = exponential(tau="4 ms")
    hidden = {"neuron": leaky_integrate_and_fire(tau="10 ms", refractory=refractory)}
    if trained:
        hidden["parameters"] = {"tau": {"type": "Uniform", "low": "8 ms", "high": "14 ms"}}
        hidden["initial"] = {"v": {"type": "Uniform", "low": "0 mV", "high": "9 mV"}}
        hidden["trainable"] = {"tau": Trainable(), "v_threshold": Trainable(shared=True), "v": Trainable()}
    return Network(
        populations={
            "source": Population(size=INPUTS, neuron=SpikeSource()),
            "hidden": Population(size=HIDDEN, **hidden),
            "readout": Population(size=2, neuron=leaky_readout(tau="10 ms")),
        },
        projections={
            "feed": Projection(source="source", target="hidden", synapse=fast, into="I", weight=weight),
            "recur": Projection(source="hidden", target="hidden", synapse=fast, into="I", weight=weight),
            "read": Projection(source="hidden", target="readout", synapse=fast, into="I", weight=weight),
        },
    )


def raster(seed=0):
    fired = np.random.default_rng(seed).random((STEPS, BATCH, INPUTS)) < 0.08
    return torch.from_numpy(fired).double()


def by_hand(x, weights, probe, values, *, detach=True):
    """Return the gradients of sum(probe * readout membrane) by a reverse pass written from the update equations."""
    tau, threshold = values["tau"], values["v_threshold"]
    am, asyn, ar = np.exp(-DT / tau), np.exp(-DT / TAU_SYN), np.exp(-DT / 10e-3)
    w_in, w_rec, w_out = weights["feed"], weights["recur"], weights["read"]
    xi, xr, v = (np.zeros((STEPS + 1, BATCH, HIDDEN)) for _ in range(3))
    v[0] = values["v"]
    u, z = np.zeros((STEPS, BATCH, HIDDEN)), np.zeros((STEPS, BATCH, HIDDEN))
    for t in range(STEPS):
        u[t] = am * v[t] + (1 - am) * (xi[t] + xr[t])
        z[t] = u[t] > threshold
        xi[t + 1] = asyn * xi[t] + x[t] @ w_in
        xr[t + 1] = asyn * xr[t] + z[t] @ w_rec
        v[t + 1] = u[t] * (1 - z[t])
    psi = (1 + np.abs(u - threshold) / 2e-3) ** -2 / 10e-3
    gxi, gxr, gv = (np.zeros((BATCH, HIDDEN)) for _ in range(3))
    gyx, gyv = np.zeros((BATCH, 2)), np.zeros((BATCH, 2))
    grad = {name: np.zeros_like(w) for name, w in weights.items()}
    g_am, g_threshold = np.zeros(HIDDEN), 0.0
    for t in reversed(range(STEPS)):
        gyv_now = gyv + probe[t]  # membrane of the readout after the update of step t
        grad["read"] += z[t].T @ gyx
        grad["recur"] += z[t].T @ gxr
        grad["feed"] += x[t].T @ gxi
        gz = gyx @ w_out.T + gxr @ w_rec.T
        if not detach:
            gz -= gv * u[t]
        gu = gv * (1 - z[t]) + gz * psi[t]
        g_threshold -= (gz * psi[t]).sum()
        g_am += (gu * (v[t] - xi[t] - xr[t])).sum(axis=0)
        gv = am * gu
        gxi, gxr = asyn * gxi + (1 - am) * gu, asyn * gxr + (1 - am) * gu
        gyx = asyn * gyx + (1 - ar) * gyv_now
        gyv = ar * gyv_now
    grad |= {"tau": g_am * am * DT / tau**2, "v_threshold": np.asarray(g_threshold), "v": gv.sum(axis=0)}
    return grad, z


def gradients(module, x, probe):
    activity = module({"source": x}, traces=[("readout", "v")], record=["hidden"])
    (activity.traces["readout", "v"] * torch.from_numpy(probe)).sum().backward()
    found = {name: p.grad.numpy() for name, p in module.weights.items()}
    found |= {name: p.grad.numpy() for name, p in module.trained().get("hidden", {}).items()}
    return found, activity.spikes["hidden"]


def plain_values(module):
    """Return time constants, threshold and initial membrane of the hidden neurons."""
    trained = {name: p.detach().numpy() for name, p in module.trained().get("hidden", {}).items()}
    return {"tau": np.full(HIDDEN, 10e-3), "v_threshold": 10e-3, "v": np.zeros(HIDDEN)} | trained


@pytest.fixture
def setting():
    network = small_network()
    weights = realise(network, 1).dense_weights()
    probe = np.random.default_rng(2).normal(size=(STEPS, BATCH, 2))
    return network, weights, raster(), probe


@pytest.mark.parametrize("detach", [True, False], ids=["detached reset", "differentiable reset"])
@pytest.mark.parametrize("trained", [False, True], ids=["weights", "weights, time constants, threshold, initial state"])
def test_gradients_equal_a_reverse_pass_written_by_hand(trained, detach):
    network = small_network(trained=trained)
    module = TorchNetwork(network, DT, {}, surrogate=SURROGATE, paths=Paths(reset=not detach), seed=1)
    weights, x = module.weights_array(), raster()
    probe = np.random.default_rng(2).normal(size=(STEPS, BATCH, 2))
    expected, fired = by_hand(x.numpy(), weights, probe, plain_values(module), detach=detach)
    found, spikes = gradients(module, x, probe)
    assert 30 < fired.sum() < 0.5 * fired.size, "the network must be alive for the comparison to mean anything"
    assert np.array_equal(spikes.detach().numpy(), fired)
    assert set(found) == {"feed", "recur", "read"} | ({"tau", "v_threshold", "v"} if trained else set())
    for name, gradient in found.items():
        there = weights[name] != 0 if name in weights else np.full(gradient.shape, fill_value=True)
        scale = np.abs(expected[name]).max()
        assert scale > 0
        # 1e-12: thousands of sums in another order, each rounded at 1e-16
        assert np.allclose(gradient[there], expected[name][there], rtol=0, atol=1e-12 * scale), name


@pytest.mark.parametrize("changed", [Triangle("2 mV", "10 mV"), SuperSpike("1 mV", "10 mV")], ids=["shape", "width"])
def test_another_surrogate_gives_another_gradient(setting, changed):
    network, weights, x, probe = setting
    module = TorchNetwork(network, DT, weights, surrogate=changed)
    expected, _ = by_hand(x.numpy(), weights, probe, plain_values(module))
    found, _ = gradients(module, x, probe)
    assert np.abs(found["feed"] - expected["feed"]).max() > 1e-3 * np.abs(expected["feed"]).max()


def test_a_differentiable_reset_changes_the_gradient_but_not_the_spikes(setting):
    network, weights, x, probe = setting
    runs = [
        gradients(TorchNetwork(network, DT, weights, surrogate=SURROGATE, paths=Paths(reset=not detach)), x, probe)
        for detach in (True, False)
    ]
    assert torch.equal(runs[0][1], runs[1][1])
    difference = np.abs(runs[0][0]["feed"] - runs[1][0]["feed"]).max()
    assert difference > 1e-3 * np.abs(runs[0][0]["feed"]).max()


def test_the_gradient_of_the_readout_equals_finite_differences(setting):
    network, weights, x, probe = setting
    found, _ = gradients(TorchNetwork(network, DT, weights, surrogate=SURROGATE), x, probe)

    def value(w):
        with torch.no_grad():
            module = TorchNetwork(network, DT, weights | {"read": w})
            trace = module({"source": x}, traces=[("readout", "v")]).traces["readout", "v"]
        return float((trace.numpy() * probe).sum())

    step = np.zeros_like(weights["read"])
    step[1, 0] = 1e-4
    numeric = (value(weights["read"] + step) - value(weights["read"] - step)) / 2e-4
    assert found["read"][1, 0] == pytest.approx(numeric, rel=1e-8)


def test_gradients_stay_finite_in_refractory_neurons():
    network = small_network(refractory="3 ms")
    weights = realise(network, 1).dense_weights()
    probe = np.ones((STEPS, BATCH, 2))
    found, spikes = gradients(TorchNetwork(network, DT, weights, surrogate=SURROGATE), raster(), probe)
    assert spikes.sum() > 20
    assert all(np.isfinite(g).all() for g in found.values())


def test_a_surrogate_with_the_unit_of_something_else_is_refused():
    with pytest.raises(InputError, match="unit of the threshold"):
        TorchNetwork(
            small_network(), DT, realise(small_network(), 0).dense_weights(), surrogate=SuperSpike("2 nA", "10 nA")
        )
