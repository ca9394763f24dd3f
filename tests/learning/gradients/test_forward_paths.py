"""Gradients computed along with a run equal those computed backwards, for every combination of paths."""

from dataclasses import replace
from itertools import product

import numpy as np
import pytest
import torch

from snncompare.backends.torch.module import TorchNetwork
from snncompare.backends.torch.surrogates import SmoothSpike, SuperSpike
from snncompare.dynamics.paths import CrossLayer, Paths
from snncompare.learning.gradients.backward import Backward
from snncompare.learning.gradients.forward.engine import Forward
from snncompare.learning.losses import Classification, RateLimit, Regression, VanRossum
from snncompare.learning.rule import LearningRule
from snncompare.learning.schedule import FullInfluence, PerSynapse
from snncompare.network.initialisers import Normal
from snncompare.network.network import Network, Population, Projection
from snncompare.network.neuron import SpikeSource
from snncompare.network.neurons import leaky_integrate_and_fire, leaky_readout
from snncompare.network.synapses import exponential
from snncompare.network.trainable import Trainable
from snncompare.network.wiring import AllToAll, FixedProbability
from snncompare.units import quantity

TOLERANCE = 1e-12
"""Sums of 50 x 2 products in float64 in another order: 1e-14 of the largest, with two digits to spare."""

SURROGATE = SuperSpike("2 mV", "10 mV")
STEPS, BATCH, INPUTS = 50, 2, 6
LOCAL = Paths(recurrent=False, reset=False, cross_layer=CrossLayer.INSTANT)


def network(*, refractory="2 ms", trained=False, delay="0 ms", wiring=None, upper=True, mean="6 mV"):
    """Return one or two recurrent layers, the lower of which reaches the readout directly, too."""
    more = {}
    if trained:
        more = {
            "parameters": {"tau": {"type": "Uniform", "low": "8 ms", "high": "14 ms"}},
            "initial": {"v": {"type": "Uniform", "low": "0 mV", "high": "9 mV"}},
            "trainable": {"tau": Trainable(), "v_threshold": Trainable(shared=True), "v": Trainable()},
        }
    neuron = leaky_integrate_and_fire(tau="10 ms", refractory=refractory)
    populations = {
        "source": Population(size=INPUTS, neuron=SpikeSource()),
        "lower": Population(size=7, neuron=neuron, **more),
        "upper": Population(size=5, neuron=neuron),
        "readout": Population(size=2, neuron=leaky_readout(tau="10 ms")),
    }
    ends = {"a": ("source", "lower"), "b": ("lower", "lower"), "c": ("lower", "upper"), "d": ("upper", "upper")}
    ends |= {"e": ("upper", "readout"), "f": ("lower", "readout")}
    if not upper:
        del populations["upper"], ends["c"], ends["d"], ends["e"]
    return Network(
        populations=populations,
        projections={
            name: Projection(
                source=source, target=target, synapse=exponential(tau="4 ms"), into="I",
                weight=Normal(mean=quantity(mean), sd=quantity("12 mV")), trainable={"weight": Trainable()},
                delay=quantity(delay), wiring=wiring or AllToAll(),
            )
            for name, (source, target) in ends.items()
        },
    )  # fmt: skip


def spikes(seed=0, p=0.12):
    return torch.from_numpy(np.random.default_rng(seed).random((STEPS, BATCH, INPUTS)) < p).double()


def gradients(engine, network, rule, loss, target, *, penalties=(), dropout=None, seed=1):
    """Return the gradients by name, and the spike counts by population."""
    module = TorchNetwork(network, 1e-3, {}, surrogate=rule.surrogate, paths=rule.paths, seed=seed)
    learnt = list(engine(module, rule, loss, penalties).trials({"source": spikes()}, target, dropout=dropout))
    counts = {name: sum(float(each.counts[name].sum()) for each in learnt) for name in learnt[0].counts}
    found = {name: p.grad for name, p in module.named_parameters() if p.grad is not None}
    return found, counts, sum(each.loss for each in learnt)


def distance(one, other):
    return max(float((one[n] - other[n]).abs().max() / other[n].abs().max()) for n in other if other[n].abs().max() > 0)


def rule(paths, storage=PerSynapse(), surrogate=SURROGATE):
    return LearningRule(surrogate=surrogate, paths=paths, storage=storage)


def answers():
    return torch.from_numpy(np.random.default_rng(3).normal(size=(STEPS, BATCH, 2)))


REGRESSION = Regression("readout", scale="1 mV")
SUMMED = Classification("readout", scale="1 mV")


def check(described, chosen, loss, target, **more):
    """Compare both engines in a network that is alive."""
    forward, counts, cost = gradients(Forward, described, chosen, loss, target, **more)
    backward, _, expected = gradients(Backward, described, chosen, loss, target, **more)
    assert all(10 < count < 0.5 * STEPS * BATCH * 7 for count in counts.values()), counts
    assert set(forward) == set(backward)
    assert all(float(gradient.norm()) > 0 for gradient in backward.values())
    assert cost == pytest.approx(expected, rel=1e-12)  # the same numbers, added step by step
    assert distance(forward, backward) < TOLERANCE
    return forward


@pytest.mark.parametrize("across", CrossLayer)
@pytest.mark.parametrize(
    ("carry", "recurrent", "reset", "readout"),
    list(product([True, False], repeat=4)),
    ids=lambda value: str(value)[0],
)
def test_influence_of_everything_follows_any_paths(carry, recurrent, reset, readout, across):
    paths = Paths(carry=carry, recurrent=recurrent, reset=reset, cross_layer=across, readout=readout)
    check(network(), rule(paths, FullInfluence()), REGRESSION, answers())


@pytest.mark.parametrize("across", [CrossLayer.INSTANT, CrossLayer.NONE])
@pytest.mark.parametrize(
    ("carry", "reset", "readout"), list(product([True, False], repeat=3)), ids=lambda value: str(value)[0]
)
@pytest.mark.parametrize("loss", [REGRESSION, SUMMED], ids=["each step", "of the sum"])
def test_traces_per_synapse_follow_all_local_paths(carry, reset, readout, across, loss):
    paths = Paths(carry=carry, recurrent=False, reset=reset, cross_layer=across, readout=readout)
    check(network(), rule(paths), loss, answers() if loss is REGRESSION else torch.tensor([0, 1]))


KINDS = {
    "no pause": {"refractory": "0 ms", "mean": "2 mV"},
    "a pause of one step": {"refractory": "1 ms", "mean": "2 mV"},
    "delays": {"delay": "3 ms"},
    "trained time constants, threshold, initial state": {"trained": True},
    "sparse": {"wiring": FixedProbability(p=0.6)},
    "sparse with delays": {"wiring": FixedProbability(p=0.6), "delay": "2 ms"},
    "one layer": {"upper": False},
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("storage", [PerSynapse(), FullInfluence()], ids=["per synapse", "everything"])
def test_kinds_of_networks(kind, storage):
    check(network(**KINDS[kind]), rule(LOCAL if storage == PerSynapse() else Paths(), storage), REGRESSION, answers())


@pytest.mark.parametrize("storage", [PerSynapse(), FullInfluence()], ids=["per synapse", "everything"])
@pytest.mark.parametrize(
    "what", ["penalty", "dropout", "window", "window of a sum", "filtered spikes", "smooth spikes"]
)
def test_losses_and_what_else_there_is(what, storage):
    paths = LOCAL if storage == PerSynapse() else Paths()
    rng, chosen = np.random.default_rng(1), rule(paths, storage)
    described, loss, target, more = network(), REGRESSION, answers(), {}
    match what:
        case "penalty":
            more = {"penalties": (RateLimit(low="80 Hz", high="100 Hz", strength=1e4),)}
        case "dropout":
            kept = {"source": INPUTS, "lower": 7}
            more = {
                "dropout": {name: torch.from_numpy((rng.random((BATCH, n)) < 0.7) / 0.7) for name, n in kept.items()}
            }
        case "window":
            loss = Regression("readout", scale="1 mV", window=("20 ms", "40 ms"))
        case "window of a sum":
            loss, target = Classification("readout", scale="1 mV", window=("20 ms", "40 ms")), torch.tensor([0, 1])
        case "filtered spikes":
            loss, target = VanRossum("upper"), torch.from_numpy(rng.random((STEPS, BATCH, 5)) < 0.05).double()
            described = Network(
                populations={n: p for n, p in described.populations.items() if n != "readout"},
                projections={n: p for n, p in described.projections.items() if n not in "ef"},
            )
        case _:
            chosen = rule(Paths() if storage == FullInfluence() else LOCAL, storage, SmoothSpike("3 mV"))
    check(described, chosen, loss, target, **more)


SWITCHES = {
    "carry": {"carry": False},
    "reset": {"reset": True},
    "readout": {"readout": False},
    "across": {"cross_layer": CrossLayer.NONE},
}


@pytest.mark.parametrize("switch", SWITCHES)
def test_every_path_matters(switch):
    one, *_ = gradients(Forward, network(), rule(LOCAL), REGRESSION, answers())
    other, *_ = gradients(Forward, network(), rule(replace(LOCAL, **SWITCHES[switch])), REGRESSION, answers())
    bptt, *_ = gradients(Backward, network(), rule(Paths()), REGRESSION, answers())
    assert distance(one, other) > 1e-3
    assert distance(one, bptt) > 1e-3
