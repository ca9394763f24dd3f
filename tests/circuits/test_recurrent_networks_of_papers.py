"""Ready recurrent networks are, step by step, the recursions their papers train."""

import numpy as np
import pytest

import snncompare as sc
from snncompare.circuits.adaptive_recurrent import adaptive_recurrent_network
from snncompare.circuits.heterogeneous import heterogeneous_recurrent_network, times_of_clipped_decays
from snncompare.circuits.lsnn import lsnn
from snncompare.errors import InputError
from snncompare.network.initialisers import Normal
from snncompare.recording.recording import Recording
from snncompare.units import quantity

DT, STEPS, INPUTS = 1e-3, 250, 6
SPIKES = np.random.default_rng(5).random((STEPS, INPUTS)) < 0.2
TIMES = Normal(mean=quantity("20 ms"), sd=quantity("5 ms"), low=quantity("5 ms"))
EXACT = 1e-12
"""Relative to the largest value: rounding of 250 steps in float64."""


def ran(network, backend="torch"):
    """Return weights, values of neurons, the readout (step, neuron) and the spikes of each population (step, neuron)."""
    program = sc.compile(network, backend, dt="1 ms", seed=3)
    given = Recording.from_raster(SPIKES[None].transpose(0, 2, 1), "1 ms")
    cells = [name for name in network.populations if name not in ("input", "readout")]
    run = program.run({"input": given}, duration=f"{STEPS} ms", record=[*cells, "readout.v"])
    raster = run.raster("1 ms").to_numpy()[0].T
    where = run.units["population"].to_numpy()
    fired = {name: raster[:, where == name] for name in cells}
    values = program.realisation.values
    return program.weights, values, run.traces["readout.v"].to_numpy()[0].T, fired


def assert_same(found, expected, delay):
    """Compare a readout with the recursion's, `delay` steps later."""
    kept = STEPS - delay
    assert found[delay:] == pytest.approx(expected[:kept], rel=0, abs=EXACT * np.abs(expected).max())
    if delay:
        assert not np.allclose(found, expected, atol=1e-6), "the readout does not depend on time"


def adaptive(weights, values, layers, *, beta=1.8, base=0.01):
    """Return the readout of Yin et al., written from their equations (one pass per step, in their order)."""
    sizes = {layer: weights[f"{layer}_to_{layer}"].shape[0] for layer in layers}
    v, a, z = ({layer: np.zeros(n) for layer, n in sizes.items()} for _ in range(3))
    readouts, y, count = [], np.zeros(weights[f"{layers[-1]}_to_readout"].shape[1]), 0
    kappa = np.exp(-DT / values["readout"]["tau"])
    for x in SPIKES.astype(float):
        below, source = x, "input"
        for layer in layers:
            alpha, rho = (np.exp(-DT / values[layer][key]) for key in ("tau", "tau_adaptation"))
            a[layer] = rho * a[layer] + (1 - rho) * z[layer]
            threshold = base + beta * a[layer]
            current = below @ weights[f"{source}_to_{layer}"] + z[layer] @ weights[f"{layer}_to_{layer}"]
            v[layer] = alpha * v[layer] + (1 - alpha) * current - threshold * z[layer]
            z[layer] = (v[layer] > threshold).astype(float)
            below, source, count = z[layer], layer, count + z[layer].sum()
        y = kappa * y + (1 - kappa) * (below @ weights[f"{source}_to_readout"])
        readouts.append(y)
    assert 0.02 < count / STEPS / sum(sizes.values()) < 0.5, "too few or too many spikes to tell anything"
    return np.array(readouts)


@pytest.mark.parametrize("backend", ["torch", "brian2"])
@pytest.mark.parametrize("hidden", [12, (9, 7)], ids=["one layer", "two layers"])
def test_adaptive_network_is_the_recursion_of_yin_some_steps_later(hidden, backend):
    network = adaptive_recurrent_network(
        inputs=INPUTS, hidden=hidden, classes=3, tau=TIMES, tau_adaptation="30 ms", tau_readout="15 ms"
    )
    layers = [name for name in network.populations if name.startswith("hidden")]
    weights, values, readout, _ = ran(network, backend)
    assert np.ptp(values[layers[0]]["tau"]) > 0
    assert_same(readout, adaptive(weights, values, layers), len(layers) + 1)
    for wrong in ({"beta": 1.7}, {"base": 0.011}):
        with pytest.raises(AssertionError):
            assert_same(readout, adaptive(weights, values, layers, **wrong), len(layers) + 1)


def heterogeneous(weights, values, *, tau=20e-3, tau_syn=10e-3, late):
    """Return membrane readout and spikes of the current-based network, `late` as in the authors' order of a step."""
    alpha, alpha_s = (np.exp(-DT / values["hidden"][key]) for key in ("tau", "tau_syn"))
    kappa, kappa_s = np.exp(-DT / tau), np.exp(-DT / tau_syn)
    n = weights["recur"].shape[0]
    current, v, current_out, y = np.zeros(n), np.zeros(n), np.zeros(3), np.zeros(3)
    fired, readouts = [], []
    for x in SPIKES.astype(float):
        z = (v > 1).astype(float)
        fired.append(z > 0)
        readouts.append(y)
        arrived = alpha_s * current + x @ weights["feed"] + z @ weights["recur"]
        v = alpha * v + (1 - alpha) * (current if late else arrived) - z
        current = arrived
        current_out = kappa_s * current_out + z @ weights["read"]
        y = kappa * y + (1 - kappa) * current_out
    return np.array(readouts), np.array(fired)


@pytest.mark.parametrize("backend", ["torch", "brian2"])
def test_heterogeneous_network_is_the_recursion_and_with_a_delay_the_authors_order(backend):
    options = {"inputs": INPUTS, "hidden": 15, "classes": 3, "gain": 8.0}
    for late in (False, True):
        network = heterogeneous_recurrent_network(**options, delay="1 ms" if late else "0 ms")
        weights, values, readout, fired = ran(network, backend)
        expected, spikes = heterogeneous(weights, values, late=late)
        assert 0.02 < spikes.mean() < 0.5, "too few or too many spikes to tell anything"
        assert np.array_equal(fired["hidden"], spikes)
        assert_same(readout, expected, 0)
        other, _ = heterogeneous(weights, values, late=not late)
        with pytest.raises(AssertionError):
            assert_same(readout, other, 0)


def test_four_conditions_differ_as_they_say():
    options = {"inputs": 2, "hidden": 4000, "classes": 2, "tau": "20 ms", "tau_syn": "10 ms"}
    # Mean and spread over 20 ms; the normal one loses its lowest 5 % (scipy.stats.truncnorm(-1.645, inf)).
    expected = {"gamma": (1.0, 3**-0.5), "normal": (1.063, 0.900 * 3**-0.5), "uniform": (1.0, 3**-0.5)}
    for kind, (mean, spread) in expected.items():
        tau = realised(heterogeneous_recurrent_network(**options, heterogeneity=kind))["tau"]
        assert tau.mean() / 20e-3 == pytest.approx(mean, rel=0.03)  # three standard errors of 4000 draws
        assert tau.std() / 20e-3 == pytest.approx(spread, rel=0.06)  # uniform's own edges, 1 %, and three errors
        assert tau.min() > 0
    assert np.ptp(realised(heterogeneous_recurrent_network(**options, heterogeneity="homogeneous"))["tau"]) == 0
    fixed = heterogeneous_recurrent_network(**options, train_time_constants=False)
    assert not fixed.populations["hidden"].trainable
    assert set(heterogeneous_recurrent_network(**options).populations["hidden"].trainable) == {"tau", "tau_syn"}


def realised(network):
    from snncompare.backends.realisation import realise

    wired = network.model_copy(update={"projections": {}})
    return realise(wired, 1).values["hidden"]


def test_decays_are_clipped_at_3_26_and_199_5_steps():
    """Perez-Nieves et al. clip decays to [2/e, 0.995]; notes on learning rules T3.2: within half a percent."""
    low, high = (time.value / 0.5e-3 for time in times_of_clipped_decays("0.5 ms"))
    assert low == pytest.approx(3.26, rel=5e-3)
    assert high == pytest.approx(199.5, rel=5e-3)
    bounded = heterogeneous_recurrent_network(inputs=1, classes=1, bounds=times_of_clipped_decays("1 ms"))
    assert bounded.populations["hidden"].trainable["tau"].high.value == pytest.approx(199.5e-3, rel=5e-3)


def bellec(weights, *, beta=0.0174, pause=5, tau_adaptation=2.0):
    """Return the readout of an LSNN from the equations of Bellec et al."""
    kinds = ("regular", "adaptive")
    feed = np.hstack([weights[f"input_to_{kind}"] for kind in kinds])
    recur = np.vstack([np.hstack([weights[f"{a}_to_{b}"] for b in kinds]) for a in kinds])
    read = np.vstack([weights[f"{kind}_to_readout"] for kind in kinds])
    betas = np.repeat([0.0, beta], [weights[f"input_to_{kind}"].shape[1] for kind in kinds])
    alpha, rho = np.exp(-DT / 20e-3), np.exp(-DT / tau_adaptation)
    v, a, z, since, y, readouts = *np.zeros((3, betas.size)), np.full(betas.size, STEPS), np.zeros(2), []
    count = 0
    for x in SPIKES.astype(float):
        v = alpha * v + x @ feed + z @ recur - 0.6 * z
        a = rho * a + z
        since = np.where(z > 0, 0, since + 1)
        z = ((v > 0.6 + betas * a) & (since >= pause)).astype(float)
        count += z.sum()
        y = alpha * y + (1 - alpha) * (z @ read)
        readouts.append(y)
    assert 0.02 < count / STEPS / betas.size < 0.5, "too few or too many spikes to tell anything"
    return np.array(readouts)


@pytest.mark.parametrize("backend", ["torch", "brian2"])
def test_lsnn_is_the_recursion_of_bellec_two_steps_later(backend):
    network = lsnn(inputs=INPUTS, regular=8, adaptive=10, outputs=2)
    weights, _, readout, _ = ran(network, backend)
    assert not np.diag(weights["adaptive_to_adaptive"]).any()
    assert_same(readout, bellec(weights), 2)
    for wrong in ({"beta": 0.05}, {"pause": 4}):
        with pytest.raises(AssertionError):
            assert_same(readout, bellec(weights, **wrong), 2)


def test_networks_say_what_is_wrong():
    with pytest.raises(InputError, match="at least one hidden layer"):
        adaptive_recurrent_network(inputs=1, hidden=[], classes=2)
    with pytest.raises(InputError, match="heterogeneity: "):
        heterogeneous_recurrent_network(inputs=1, classes=2, heterogeneity="poisson")
    with pytest.raises(InputError, match="gain must be positive"):
        heterogeneous_recurrent_network(inputs=1, classes=2, gain=0.0)
    with pytest.raises(InputError, match="regular or adaptive"):
        lsnn(inputs=1, regular=0, adaptive=0, outputs=2)
    assert "adaptive" not in lsnn(inputs=1, adaptive=0, outputs=2).populations
