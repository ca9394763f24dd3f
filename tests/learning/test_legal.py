"""What no engine can compute is refused, with the legal choices; every entry of the table matters."""

from dataclasses import replace

import pytest

from snncompare.backends.torch.surrogates import EscapeNoise, SuperSpike
from snncompare.dynamics.paths import CrossLayer, Paths
from snncompare.errors import UnsupportedError
from snncompare.learning import presets
from snncompare.learning.legal import IMPOSSIBLE, check
from snncompare.learning.losses import Classification, Over, RateLimit, Synchrony, VanRossum
from snncompare.learning.schedule import EverySteps, Execution, FullInfluence, PerSynapse, Snap
from snncompare.learning.signals import LocalReadouts, RandomFeedback, Symmetric
from snncompare.network.initialisers import Normal
from snncompare.network.network import Network, Population, Projection
from snncompare.network.neuron import SpikeSource
from snncompare.network.neurons import leaky_integrate_and_fire, leaky_readout
from snncompare.network.synapses import delta, depressing
from snncompare.network.trainable import Trainable
from snncompare.network.wiring import Convolution
from snncompare.units import quantity

SURROGATE = SuperSpike("2 mV", "10 mV")
FORWARD = presets.eprop(SURROGATE)
BACKWARD = presets.bptt(SURROGATE)
LOSS = Classification("out", "1 mV", over=Over.EACH_STEP)


def network(*, recurrent=True, deep=False, readout=True, synapse=None, **of_feed):
    cell, weight = leaky_integrate_and_fire(), Normal(mean=quantity("1 mV"), sd=quantity("1 mV"))
    rest = {"synapse": delta(), "weight": weight}
    names = ["low", "high"] if deep else ["low"]
    own = {"synapse": synapse or delta(), **of_feed}
    projections = {"feed": Projection(source="in", target="low", **rest | own)}
    projections |= {"recur": Projection(source="low", target="low", **rest)} if recurrent else {}
    projections |= {"up": Projection(source="low", target="high", **rest)} if deep else {}
    projections |= {"read": Projection(source=names[-1], target="out", **rest)} if readout else {}
    populations = {"in": Population(size=4, neuron=SpikeSource())} | {n: Population(size=4, neuron=cell) for n in names}
    populations |= {"out": Population(size=2, neuron=leaky_readout())} if readout else {}
    return Network(populations=populations, projections=projections)


MEAN = Classification("out", "1 mV")
LAST = Classification("out", "1 mV", over=Over.LAST)
SPIKES = VanRossum("low")
CONVOLVED = {
    "wiring": Convolution(input_shape=(4,), channels_in=1, channels_out=4, kernel=(4,)),
}
ONCE = Paths(cross_layer=CrossLayer.INSTANT)
REFUSED = {
    "whole run forwards": ((FORWARD, network(), LAST), (BACKWARD, network(), LAST), "BACKWARD"),
    "windows without an error": (
        (replace(BACKWARD, schedule=EverySteps(5)), network(), MEAN),
        (replace(BACKWARD, schedule=EverySteps(5)), network(), LOSS),
        "AfterTrials",
    ),
    "timing penalty": (
        (FORWARD, network(), LOSS, (Synchrony(),)),
        (FORWARD, network(), LOSS, (RateLimit(),)),
        "counts",
    ),
    "trained delays": (
        (FORWARD, network(delay=quantity("1 ms"), trainable={"delay": Trainable()}), LOSS),
        (FORWARD, network(delay=quantity("1 ms")), LOSS),
        "fixed delays",
    ),
    "synapses with state": (
        (FORWARD, network(synapse=depressing(delta())), LOSS),
        (FORWARD, network(), LOSS),
        "BACKWARD",
    ),
    "convolution": ((FORWARD, network(**CONVOLVED), LOSS), (BACKWARD, network(**CONVOLVED), LOSS), "dense or sparse"),
    "pieces": ((replace(FORWARD, checkpoint_every=5), network(), LOSS), (FORWARD, network(), LOSS), "checkpoint_every"),
    "recurrent paths per synapse": (
        (replace(FORWARD, paths=ONCE), network(), LOSS),
        (replace(FORWARD, paths=ONCE), network(recurrent=False), LOSS),
        "FullInfluence",
    ),
    "history above per synapse": (
        (replace(FORWARD, paths=Paths(recurrent=False)), network(deep=True), LOSS),
        (replace(FORWARD, paths=Paths(recurrent=False)), network(), LOSS),
        "INSTANT",
    ),
    "snap backwards": (
        (replace(BACKWARD, storage=Snap(1)), network(), LOSS),
        (replace(BACKWARD, storage=FullInfluence()), network(), LOSS),
        "FORWARD",
    ),
    "broadcast of spikes": (
        (replace(BACKWARD, signal=RandomFeedback()), network(), SPIKES),
        (BACKWARD, network(), SPIKES),
        "readout's membrane",
    ),
    "broadcast without readout": (
        (replace(BACKWARD, signal=RandomFeedback()), network(readout=False), LOSS),
        (replace(BACKWARD, signal=LocalReadouts()), network(readout=False), LOSS),
        "without threshold",
    ),
    "bursts told by missing weights": (
        (presets.burst_dependent(SURROGATE, feedback=Symmetric()), network(deep=True), LOSS),
        (presets.burst_dependent(SURROGATE, feedback=Symmetric()), network(), LOSS),
        "RandomFeedback",
    ),
    "kernel without memory": (
        (replace(BACKWARD, paths=Paths(readout=False)), network(), SPIKES),
        (replace(BACKWARD, paths=Paths(readout=False)), network(), LOSS),
        "readout=True",
    ),
    "chance drawn twice": (
        (replace(BACKWARD, surrogate=EscapeNoise("2 mV"), paths=ONCE), network(deep=True), LOSS),
        (replace(BACKWARD, surrogate=EscapeNoise("2 mV"), paths=ONCE), network(), LOSS),
        "without noise",
    ),
}


def test_every_entry_of_the_table_is_tested():
    assert len(REFUSED) == len(IMPOSSIBLE)


@pytest.mark.parametrize("case", REFUSED)
def test_impossible_is_refused_with_the_legal_choice_and_its_neighbour_is_not(case):
    refused, allowed, says = REFUSED[case]
    with pytest.raises(UnsupportedError, match=says):
        check(*refused)
    check(*allowed)


def test_each_case_is_refused_for_one_reason():
    for refused, _, _ in REFUSED.values():
        with pytest.raises(UnsupportedError) as raised:
            check(*refused)
        assert sum(entry.what in str(raised.value) for entry in IMPOSSIBLE) == 1


def test_all_presets_are_legal_for_a_recurrent_network():
    made = [
        presets.bptt(SURROGATE),
        presets.truncated_bptt(SURROGATE, 5),
        presets.checkpointed_bptt(SURROGATE, 5),
        presets.rtrl(SURROGATE),
        presets.eprop(SURROGATE),
        presets.ostl(SURROGATE),
        presets.ostl(SURROGATE, recurrent=False),
        presets.rflo(SURROGATE),
        presets.burst_dependent(SURROGATE),
        presets.decolle(SURROGATE),
        presets.superspike(SURROGATE),
        presets.d_rtrl(SURROGATE),
        presets.snap(SURROGATE),
    ]
    for rule in made:
        check(rule, network(deep=True), LOSS)
    assert sum(rule.execution is Execution.FORWARD for rule in made) == 10
    assert sum(isinstance(rule.storage, PerSynapse) for rule in made) == 10
