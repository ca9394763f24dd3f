"""Fluctuation-driven weights make membranes fluctuate as asked: temporal standard deviation within 5 % (facts T2.2).

Membranes are computed here from Poisson trains and kernels written down independently of the package. Against 1 there
are two known deviations, both in the docstring of `network.fluctuations`: spikes at most once in a step (-0.5 % at
10 Hz and 1 ms), and windows of finite length. Against the prediction that contains them 2 % are allowed: some 1 % of
sampling error from 200 s of spikes that all neurons share, as far as the mean weight counts, and 0.3 % from 1000 sets
of weights.
"""

from functools import lru_cache

import numpy as np
import pandas as pd
import pytest

import snncompare as sc
from snncompare.backends.fluctuations import distribution_for
from snncompare.backends.realisation import realise
from snncompare.backends.weight_moments import Input, weight_moments
from snncompare.network.fan_in import FanIn
from snncompare.network.fluctuations import (
    FluctuationDrivenCentred,
    FluctuationDrivenExponential,
    FluctuationDrivenLogNormal,
    FluctuationDrivenNormal,
)
from snncompare.network.network import Network, Population, Projection
from snncompare.network.neuron import SpikeSource
from snncompare.network.neurons.leaky import leaky_integrate_and_fire, leaky_readout
from snncompare.network.synapses.currents import exponential
from snncompare.network.wiring import AllToAll, DistanceDependent, FixedInDegree, FixedProbability
from snncompare.recording.recording import Recording

DT, TAU, LENGTH, EVERY = 1e-3, 20e-3, 200.0, 40
CLAIM, SAMPLING = 0.05, 0.02


def lif_kernel(tau_syn, steps=400):
    """Response of a leaky membrane to a unit exponential current in exponential Euler (facts 2.1, stork)."""
    response, current = np.zeros(steps), 1.0
    decay, fade = np.exp(-DT / TAU), np.exp(-DT / tau_syn)
    for k in range(1, steps):
        response[k] = decay * response[k - 1] + (1 - decay) * current
        current *= fade
    return response


@lru_cache
def filtered_trains(rate, tau_syn, seed, n=400):
    """Return Poisson trains of 400 neurons, convolved with the kernel, at every 40th step; (n_samples, 400)."""
    kernel, samples = lif_kernel(tau_syn), round(LENGTH / DT) // EVERY
    rng = np.random.default_rng(seed)
    fired = np.flatnonzero(rng.random(samples * EVERY * n) < rate * DT)
    step, neuron = np.divmod(fired, n)
    found = np.zeros(samples * n)
    for later in range(kernel.size // EVERY):
        sample = -(-step // EVERY) + later
        inside = sample < samples
        weight = kernel[(sample * EVERY - step)[inside]]
        found += np.bincount(sample[inside] * n + neuron[inside], weight, samples * n)
    return found.reshape(samples, n)[kernel.size // EVERY :]


def network_of(weights, *, n=400, tau_syn="10 ms", wiring=None, cells=1000, signs=None):
    """Return one population of leaky cells and a spike source of its own for every projection."""
    n = n if isinstance(n, dict) else dict.fromkeys(weights, n)
    tau_syn = tau_syn if isinstance(tau_syn, dict) else dict.fromkeys(weights, tau_syn)
    projections = {
        name: Projection(
            source=f"from_{name}",
            target="cells",
            synapse=exponential(tau=tau_syn[name]),
            into="I",
            weight=weight,
            wiring=wiring or AllToAll(),
            sign=(signs or {}).get(name),
        )
        for name, weight in weights.items()
    }
    sources = {f"from_{name}": Population(size=n[name], neuron=SpikeSource()) for name in weights}
    target = Population(size=cells, neuron=leaky_integrate_and_fire(tau="20 ms"))
    return Network(populations=sources | {"cells": target}, projections=projections)


def membranes(network, drawn):
    """Return membranes of all cells without spikes, (n_samples, n_cells), for drawn connections."""
    total = 0.0
    for seed, (name, projection) in enumerate(network.projections.items()):
        weights = drawn[name].dense()
        tau_syn = projection.synapse.parameters["tau_syn"].value
        trains = filtered_trains(projection.weight.rate.value, tau_syn, seed)
        total = total + trains[:, : weights.shape[0]] @ weights
    return total


def temporal_sd(membrane):
    return np.sqrt(membrane.var(axis=0).mean())


def correlation_time(tau_syn):
    kernel = lif_kernel(tau_syn)
    return DT * kernel.sum() ** 2 / (kernel**2).sum()


def predicted(rate, tau_syn=10e-3, window=LENGTH):
    """Fraction of the temporal variance that is left in a window, of spikes that come at most once in a step."""
    return (1 - rate * DT) * (1 - correlation_time(tau_syn) / window)


XI = {"rate": "10 Hz", "distance": "10 mV"}
TWO = {"exc": 400, "inh": 100}
THREE = {"feed": 400, "recur": 300, "inh": 150}
SIGNS = {"inh": "negative"}


def dale(kind, *names, **more):
    shares = {"feed": 0.9, "recur": 0.1}
    return {name: kind(xi=2, share=shares.get(name, 1.0), **(XI | more)) for name in names}


CASES = {
    "centred, xi 1": network_of({"feed": FluctuationDrivenCentred(xi=1, **XI)}),
    "centred, xi 2": network_of({"feed": FluctuationDrivenCentred(xi=2, **XI)}),
    "centred, xi 3": network_of({"feed": FluctuationDrivenCentred(xi=3, **XI)}),
    "mean 3 mV, xi 2": network_of({"feed": FluctuationDrivenNormal(xi=2, mean="3 mV", **XI)}),
    "sparse": network_of({"feed": FluctuationDrivenNormal(xi=2, mean="2 mV", **XI)}, wiring=FixedProbability(p=0.2)),
    "fixed in-degree with multapses": network_of(
        dale(FluctuationDrivenExponential, "exc", "inh"),
        n={"exc": 400, "inh": 400},
        signs=SIGNS,
        wiring=FixedInDegree(n=100, multapses=True),
    ),
    "by distance": network_of(
        {"feed": FluctuationDrivenCentred(xi=2, **XI)}, wiring=DistanceDependent(p_max=0.8, width=0.1)
    ),
    "recurrent share": network_of(
        {
            "feed": FluctuationDrivenNormal(xi=2, mean="3 mV", share=0.9, **XI),
            "recur": FluctuationDrivenNormal(xi=2, mean="3 mV", share=0.1, **XI),
        },
        n={"feed": 400, "recur": 300},
    ),
    "two rates": network_of(
        {
            "slow": FluctuationDrivenNormal(rate="10 Hz", sd="4 mV", mean="3 mV", share=0.6),
            "fast": FluctuationDrivenNormal(rate="25 Hz", sd="4 mV", mean="3 mV", share=0.4),
        },
        n={"slow": 400, "fast": 150},
    ),
    "exponential, 4 to 1": network_of(dale(FluctuationDrivenExponential, "exc", "inh"), n=TWO, signs=SIGNS),
    "exponential, with a mean": network_of(
        dale(FluctuationDrivenExponential, "exc", "inh", mean="2 mV"), n=TWO, signs=SIGNS
    ),
    "exponential, recurrent, two kernels": network_of(
        dale(FluctuationDrivenExponential, "feed", "recur", "inh"),
        n=THREE,
        signs=SIGNS,
        tau_syn={"feed": "5 ms", "recur": "5 ms", "inh": "10 ms"},
    ),
    "log-normal, 4 to 1": network_of(dale(FluctuationDrivenLogNormal, "exc", "inh"), n=TWO, signs=SIGNS, cells=3000),
}


@pytest.mark.parametrize("network", CASES.values(), ids=CASES)
def test_the_temporal_standard_deviation_is_met(network):
    wanted = next(iter(network.projections.values())).weight
    membrane = membranes(network, realise(network, 5, dt=DT).connections)
    ratio = temporal_sd(membrane) / wanted.target_sd.value
    rate = np.mean([p.weight.rate.value for p in network.projections.values()])
    assert ratio == pytest.approx(1, abs=CLAIM)
    assert ratio == pytest.approx(np.sqrt(predicted(rate)), abs=SAMPLING)
    # The mean over neurons and times: means of n independent Poisson inputs within four standard errors.
    sampling = wanted.target_sd.value * np.sqrt(2 * correlation_time(10e-3) / LENGTH)
    quenched = membrane.mean(axis=0).std() / np.sqrt(membrane.shape[1])
    assert membrane.mean() == pytest.approx(wanted.target_mean.value, abs=4 * np.hypot(sampling, quenched))


def test_weights_from_the_formula_in_continuous_time_would_miss_it():
    """The negative control of the kernel: 5 % off, which is 10 % of the variance, at a step of 1 ms."""
    tau_syn = 10e-3
    analytic = Input("feed", 10.0, FanIn(400), tau_syn, tau_syn**2 / 2 / (tau_syn + TAU))
    off = weight_moments([analytic], 0.0, 5e-3)["feed"].sd
    right = distribution_for(CASES["centred, xi 2"], "feed", DT).sd.value
    drawn = realise(CASES["centred, xi 2"], 5, dt=DT).connections
    ratio = off / right * temporal_sd(membranes(CASES["centred, xi 2"], drawn)) / 5e-3
    assert ratio > 1.035
    assert off / right == pytest.approx(np.sqrt(0.001841948 / 0.0016666667), rel=1e-6)


def test_weights_for_another_number_of_inputs_would_miss_it():
    """The negative control of the fan-in: as if all 400 sources, not a fifth of them, reached every cell."""
    sparse = CASES["sparse"]
    dense = sparse.model_copy(
        update={"projections": {"feed": sparse.projections["feed"].model_copy(update={"wiring": AllToAll()})}}
    )
    fewer, more = (distribution_for(network, "feed", DT) for network in (sparse, dense))
    assert fewer.sd.value > 2 * more.sd.value
    assert fewer.mean.value == pytest.approx(5 * more.mean.value, rel=1e-9)


def test_short_windows_and_one_spike_a_step_explain_what_is_missing():
    """Facts T2.2: 0.977 to 0.987 of the target over time, and 1.24 of it over times and neurons together."""
    network, window, kernel = CASES["centred, xi 1"], 2.0, lif_kernel(10e-3)
    membrane = membranes(network, realise(network, 5, dt=DT).connections) / 10e-3
    samples = round(window / DT) // EVERY
    pieces = membrane[: membrane.shape[0] // samples * samples].reshape(-1, samples, membrane.shape[1])
    temporal = np.sqrt(pieces.var(axis=1).mean())
    assert 0.977 <= temporal <= 0.987
    assert temporal == pytest.approx(np.sqrt(predicted(10.0, window=window)), abs=0.005)
    pooled = np.sqrt(pieces.var(axis=(1, 2)).mean())
    spread = 10.0 * (DT * kernel.sum()) ** 2 / (DT * (kernel**2).sum())
    # three standard errors of a variance over 1000 neurons, which is a third of the whole
    assert pooled == pytest.approx(np.sqrt(predicted(10.0) + spread), abs=0.035)


def poisson(n, rate, duration, seed):
    step, unit = np.nonzero(np.random.default_rng(seed).random((round(duration / DT), n)) < rate * DT)
    table = pd.DataFrame({"start": [0.0], "stop": [duration]}, index=["run"])
    return Recording.from_arrays(
        times=step * DT, unit=unit, trial=np.full(step.size, "run"), units=pd.DataFrame(index=range(n)), trials=table
    )


@pytest.mark.parametrize("backend", ["brian2", "torch"])
def test_a_compiled_network_fluctuates_as_described(backend):
    """End to end: description, compilation, a run with traces; two projections, cells that never fire."""
    weight = FluctuationDrivenExponential(rate="10 Hz", sd="5 mV")
    described = network_of(dict.fromkeys(TWO, weight), n=TWO, signs=SIGNS, cells=100)
    silent = Population(size=100, neuron=leaky_readout(tau="20 ms"))
    network = described.model_copy(update={"populations": described.populations | {"cells": silent}})
    inputs = {f"from_{name}": poisson(n, 10.0, 10.0, seed) for seed, (name, n) in enumerate(TWO.items())}
    run = sc.compile(network, backend, dt="1 ms", seed=2).run(inputs, duration="10 s", record=["cells.v"])
    trace = run.traces["cells.v"].to_numpy()[0]
    ratio = np.sqrt(trace[:, 400:].var(axis=1).mean()) / 5e-3
    # 10 s of shared input: about 2 % of sampling error, and 0.3 % less for the window
    assert ratio == pytest.approx(np.sqrt(predicted(10.0, window=9.6)), abs=CLAIM)
