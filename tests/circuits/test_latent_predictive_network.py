"""The spiking rule of latent predictive learning as plastic synapses: against its formula, and on both backends."""

import brian2
import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from scipy.signal import lfilter

from snncompare.backends.brian2.build import build
from snncompare.backends.brian2.targets import code_target
from snncompare.backends.realisation import realise
from snncompare.backends.torch.module import Activity, TorchNetwork
from snncompare.circuits.latent_predictive import latent_predictive_network
from snncompare.errors import InputError
from snncompare.network.network import Network

INPUTS, NEURONS = 60, 3


def spikes(n_steps: int, dt: float, seed: int = 0) -> NDArray[np.bool_]:
    return np.random.default_rng(seed).random((n_steps, 1, INPUTS)) < 12.0 * dt


def network(**options: object) -> Network:
    chosen = {"learning_rate": "1e-3 Hz", "weight": 0.35, "push": "5 Hz", "connection_probability": 1.0}
    return latent_predictive_network(INPUTS, NEURONS, **{**chosen, **options})  # type: ignore[arg-type]


def carried_out(described: Network, n_steps: int, dt: float) -> Activity:
    module = TorchNetwork(described, dt, {}, seed=0)
    traces = [("neurons", name) for name in ("v", "mean_rate", "variance")]
    with torch.no_grad():
        raster = torch.from_numpy(spikes(n_steps, dt))
        return module({"input": raster}, record=["neurons", "afferents"], traces=traces)


def learnt(activity: Activity) -> NDArray[np.float64]:
    """Return what has changed or waits to, for each synapse (source, target)."""
    synapses = activity.state.synapses["feed"]
    return (synapses["w_feed"] + synapses["change_feed"])[0].reshape(INPUTS, NEURONS).numpy()


def low_pass(values: NDArray[np.float64], tau: float, dt: float) -> NDArray[np.float64]:
    return np.asarray(lfilter([1 - np.exp(-dt / tau)], [1, -np.exp(-dt / tau)], values, axis=0))


def by_formula(activity: Activity, dt: float, *, pull: float = 1.0, push: float = 5.0) -> NDArray[np.float64]:
    """Return the change of every weight by the rule as it is written, with the activity that was recorded."""
    sent, fired = (activity.spikes[name][:, 0].numpy() / dt for name in ("afferents", "neurons"))
    v, mean, variance = (activity.traces["neurons", name][:, 0].numpy() for name in ("v", "mean_rate", "variance"))
    eligible = low_pass(low_pass(sent, 5e-3, dt), 20e-3, dt)[:, :, None]
    after = np.where(fired > 0, -70e-3, v)  # a spike takes no time: what crossed the threshold is reset at once
    slope = (1 + np.abs(after + 50e-3) / 1e-3) ** -2
    eligible = low_pass(low_pass(eligible * slope[:, None, :], 2e-3, dt), 10e-3, dt)
    before = np.vstack([np.zeros((round(20e-3 / dt), NEURONS)), fired])[: len(fired)]
    error = -pull * (fired - before) + push / (variance + 0.01) * (fired - mean) + 1e-5
    error = low_pass(low_pass(error, 2e-3, dt), 10e-3, dt)
    return np.asarray(1e-3 * (eligible * error[:, None, :]).sum(axis=0) * dt)


@pytest.mark.parametrize(("pull", "push"), [(1.0, 5.0), (0.0, 5.0), (1.0, 0.0)], ids=["both", "hebb", "prediction"])
def test_weights_change_by_the_formula(pull: float, push: float) -> None:
    dt, n_steps = 1e-4, 2500
    described = network(pull=pull, push=f"{push} Hz")
    activity = carried_out(described, n_steps, dt)
    assert 3 < activity.spikes["neurons"].sum() < 200
    change = learnt(activity) - realise(described, 0, dt=dt).connections["feed"].dense()
    expected = by_formula(activity, dt, pull=pull, push=push)
    # First order in the step: 0.1 ms against the shortest filter of 2 ms is 5 % on slopes, less on what they add up to.
    assert np.abs(change - expected).max() < 0.06 * np.abs(expected).max()
    for wrong in ({"pull": pull + 1.0, "push": push}, {"pull": pull, "push": push + 1.0}):
        assert np.abs(change - by_formula(activity, dt, **wrong)).max() > 0.1 * np.abs(expected).max()


def test_brian2_and_torch_learn_the_same_weights_to_the_last_bit() -> None:
    dt, n_steps, described = 1e-3, 250, network(learning_rate="1e-2 Hz")
    ours = carried_out(described, n_steps, dt)
    built = build(
        described,
        realise(described, 0, dt=dt),
        dt,
        copies=1,
        target=code_target("numpy"),
        spikes=["neurons"],
        traces=(),
    )
    step, _, neuron = spikes(n_steps, dt).nonzero()
    built.groups["input"].set_spikes(neuron, step * dt * brian2.second)
    brian2.Network(*built.objects()).run(n_steps * dt * brian2.second, namespace={})
    np.testing.assert_array_equal(built.spike_monitors["neurons"].count, ours.spikes["neurons"].sum(dim=(0, 1)))
    assert ours.spikes["neurons"].sum() > 3
    for name in ("w_feed", "change_feed"):
        theirs = built.synapses["feed"].variables[name].get_value()
        np.testing.assert_array_equal(theirs, ours.state.synapses["feed"][name][0].numpy())
    assert ours.state.synapses["feed"]["change_feed"].abs().max() > 0


@pytest.mark.parametrize(
    "options",
    [{"delay": "30 ms"}, {"tau_mean": "1 s"}, {"tau_variance": "1 s"}, {"learning_rate": "2e-3 Hz"}, {"pull": 0.5}],
    ids=lambda options: next(iter(options)),
)
def test_every_parameter_matters(options: dict[str, object]) -> None:
    changes = []
    for given in ({}, options):
        described = network(**given)
        first = realise(described, 0, dt=1e-3).connections["feed"].dense()
        changes.append(learnt(carried_out(described, 400, 1e-3)) - first)
    assert np.abs(changes[1] - changes[0]).max() > 0.01 * np.abs(changes[0]).max()


def test_weights_stay_between_zero_and_one() -> None:
    activity = carried_out(network(learning_rate="10 Hz", push="1 Hz"), 400, 1e-3)
    weights = activity.state.synapses["feed"]["w_feed"]
    assert weights.min() == 0
    assert weights.max() <= 1


def test_a_negative_pull_is_refused() -> None:
    with pytest.raises(InputError, match="pull must not be negative"):
        latent_predictive_network(10, 2, pull=-1.0)
