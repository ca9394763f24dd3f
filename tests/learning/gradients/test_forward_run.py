"""The steps of a run along with which gradients are computed: windows, single trials, restarts, storage."""

import gc
from dataclasses import replace

import numpy as np
import pytest
import torch

from snncompare.backends.torch.module import TorchNetwork
from snncompare.backends.torch.surrogates import SuperSpike, Triangle
from snncompare.dynamics.paths import CrossLayer, Paths
from snncompare.errors import UnsupportedError
from snncompare.learning.gradients.backward import Backward
from snncompare.learning.gradients.forward.engine import Forward
from snncompare.learning.losses import Classification, DoubleExponential, Over, Regression, VanRossum
from snncompare.learning.rule import LearningRule
from snncompare.learning.schedule import EverySteps, FullInfluence, PerSynapse, Snap
from snncompare.network.initialisers import Normal
from snncompare.network.network import Network, Population, Projection
from snncompare.network.neuron import NeuronModel, SpikeSource
from snncompare.network.neurons import (
    adaptive_current_based_leaky_integrate_and_fire,
    current_based_readout,
)
from snncompare.network.synapses import delta
from snncompare.network.trainable import Trainable
from snncompare.network.wiring import FixedProbability
from snncompare.units import quantity

STEPS, BATCH, INPUTS, HIDDEN = 60, 3, 6, 8
SURROGATE = Triangle("1", "3")
EPROP = LearningRule(surrogate=SURROGATE, paths=Paths(recurrent=False, reset=False, cross_layer=CrossLayer.INSTANT))
RTRL = LearningRule(surrogate=SURROGATE, paths=Paths(), storage=FullInfluence())
LOSS = Regression("readout", scale="1")
TOLERANCE = 1e-12
"""Sums of 60 x 3 products in float64 in another order: 1e-14 of the largest, with two digits to spare."""


def network(*, size=HIDDEN, p=None, recurrent=True):
    neuron = adaptive_current_based_leaky_integrate_and_fire(
        beta="0.3", tau_adaptation="100 ms", input_gain="plain", adaptation_gain="plain", refractory_steps=2
    )
    ends = {"feed": ("source", "hidden", 0.15, 0.4), "recur": ("hidden", "hidden", 0.0, 0.3)}
    ends["read"] = ("hidden", "readout", 0.0, 0.3)
    wiring = {} if p is None else {"wiring": FixedProbability(p=p)}
    return Network(
        populations={
            "source": Population(size=INPUTS, neuron=SpikeSource()),
            "hidden": Population(size=size, neuron=neuron),
            "readout": Population(size=2, neuron=current_based_readout(tau_syn=None)),
        },
        projections={
            name: Projection(
                source=source, target=target, synapse=delta(variable="x", unit="1"), trainable={"weight": Trainable()},
                weight=Normal(mean=quantity(repr(mean)), sd=quantity(repr(sd))), **(wiring if name == "recur" else {}),
            )
            for name, (source, target, mean, sd) in ends.items()
            if recurrent or name != "recur"
        },
    )  # fmt: skip


def spikes(steps=STEPS, batch=BATCH):
    return torch.from_numpy(np.random.default_rng(0).random((steps, batch, INPUTS)) < 0.15).double()


def answers(steps=STEPS, batch=BATCH):
    return torch.from_numpy(np.random.default_rng(3).normal(size=(steps, batch, 2)))


def module(rule, described=None):
    return TorchNetwork(described or network(), 1e-3, {}, surrogate=rule.surrogate, paths=rule.paths, seed=1)


def distance(one, other):
    return max(float((one[name] - other[name]).abs().max() / other[name].abs().max()) for name in other)


def taken(network):
    found = {name: weight.grad for name, weight in network.weights.items()}
    network.zero_grad(set_to_none=True)
    return found


@pytest.mark.parametrize("p", [None, 0.6], ids=["dense", "sparse"])
@pytest.mark.parametrize("rule", [EPROP, RTRL], ids=["per synapse", "everything"])
def test_each_pause_has_the_gradient_of_its_window_through_all_that_went_before(rule, p):
    online, whole = module(rule, network(p=p)), module(rule, network(p=p))
    n_spikes, each = 0, []
    for learnt in Forward(online, replace(rule, schedule=EverySteps(25)), LOSS).trials({"source": spikes()}, answers()):
        n_spikes += float(learnt.counts["hidden"].sum())
        each.append(taken(online))
    assert 40 < n_spikes < 0.3 * STEPS * BATCH * HIDDEN
    for k, gradients in enumerate(each):
        values = whole({"source": spikes()}, traces=[("readout", "v")]).traces["readout", "v"]
        window = slice(25 * k, 25 * k + 25)
        LOSS(values[window], answers()[window]).backward()
        assert distance(gradients, taken(whole)) < TOLERANCE
    cut = module(rule, network(p=p))
    windows = [
        taken(cut)
        for _ in Backward(cut, replace(rule, schedule=EverySteps(25)), LOSS).trials({"source": spikes()}, answers())
    ]
    assert distance(each[1], windows[1]) > 1e-3  # where the history is cut it is another gradient


@pytest.mark.parametrize("rule", [EPROP, RTRL], ids=["per synapse", "everything"])
def test_gradients_of_single_trials_add_up_and_are_those_of_trials_alone(rule):
    one, errors = module(rule), answers()
    run = Forward(one, rule, LOSS).begin(BATCH)
    for step in range(40):
        run.advance({"source": spikes()[step]})
    each = run.per_trial({"": errors[0]})
    run.accumulate({"": errors[0]})
    run.give()
    assert distance({n: each[w].sum(dim=0) for n, w in one.weights.items()}, taken(one)) < TOLERANCE
    alone = Forward(one, rule, LOSS).begin(1)
    for step in range(40):
        alone.advance({"source": spikes()[step][1:2]})
    expected = alone.per_trial({"": errors[0][1:2]})
    assert max(float((each[w][1] - expected[w][0]).abs().max() / expected[w].abs().max()) for w in expected) < TOLERANCE
    assert float((each[one.weights["feed"]][0] - each[one.weights["feed"]][1]).norm()) > 1e-3


@pytest.mark.parametrize(
    ("rule", "loss", "n_read"),
    [
        (replace(EPROP, paths=replace(EPROP.paths, readout=False)), LOSS, 2),
        (EPROP, VanRossum("hidden", DoubleExponential("5 ms", "20 ms")), HIDDEN),
    ],
    ids=["through one step of the readout", "through the kernel of the loss"],
)
def test_gradients_of_single_trials_add_up_whatever_is_read(rule, loss, n_read):
    one, loss = module(rule), loss.for_step(1e-3)
    errors = torch.from_numpy(np.random.default_rng(5).normal(size=(BATCH, n_read)))
    run = Forward(one, rule, loss).begin(BATCH)
    for step in range(40):
        run.advance({"source": spikes()[step]})
    each = run.per_trial({"": errors})
    run.accumulate({"": errors})
    run.give()
    whole = taken(one)
    assert float(whole["feed"].norm()) > 1e-3
    for name, weight in one.weights.items():
        if weight in each:
            assert distance({name: each[weight].sum(dim=0)}, {name: whole[name]}) < TOLERANCE


@pytest.mark.parametrize("rule", [EPROP, RTRL], ids=["per synapse", "everything"])
def test_trials_that_restart_begin_anew_and_the_others_go_on(rule):
    one, x, errors = module(rule), spikes(), answers()[0]

    def after(restart, steps):
        run = Forward(one, rule, LOSS).begin(BATCH)
        for step in steps:
            if step == restart:
                run.restart(torch.tensor([True, False, False]))
            run.advance({"source": x[step]})
        return run.per_trial({"": errors})[one.weights["feed"]]

    restarted, anew, on = after(30, range(50)), after(None, range(30, 50)), after(None, range(50))
    scale = float(on.abs().max())
    assert float((restarted[0] - anew[0]).abs().max()) < TOLERANCE * scale
    assert float((restarted[1:] - on[1:]).abs().max()) < TOLERANCE * scale
    assert float((restarted[0] - on[0]).abs().max()) > 1e-3 * scale


@pytest.mark.parametrize("rule", [EPROP, RTRL], ids=["per synapse", "everything"])
def test_a_state_that_begins_at_a_learnt_parameter_does_so_again_after_a_restart(rule):
    neuron = NeuronModel(
        equations="dx/dt = -x/(20*ms) : 1", threshold="x > 0.6", reset="x -= 0.6", parameters={"x_0": "0.3"},
        initial={"x": "x_0"},
    )  # fmt: skip
    plain = network(recurrent=False)
    hidden = Population(size=HIDDEN, neuron=neuron, trainable={"x_0": Trainable()})
    one = module(rule, plain.model_copy(update={"populations": {**plain.populations, "hidden": hidden}}))
    x, errors = spikes(), answers()[0]

    def after(restart, steps):
        run = Forward(one, rule, LOSS).begin(BATCH)
        for step in steps:
            if step == restart:
                run.restart(torch.tensor([True, False, False]))
            run.advance({"source": x[step]})
        return run.per_trial({"": errors})[one.neurons["hidden"]["x_0"]]

    restarted, anew, on = after(30, range(50)), after(None, range(30, 50)), after(None, range(50))
    scale = float(anew[0].abs().max())
    assert scale > 0
    assert float((restarted[0] - anew[0]).abs().max()) < TOLERANCE * scale
    assert float((restarted[1:] - on[1:]).abs().max()) < TOLERANCE * scale


def numbers(*owners):
    """Return how many numbers the tensors hold that can be reached from objects, and the largest tensor."""
    sizes, seen, ahead = {}, set(), list(owners)
    while ahead:
        one = ahead.pop()
        if id(one) in seen or isinstance(one, type | str | int | float):
            continue
        seen.add(id(one))
        if isinstance(one, torch.Tensor):
            sizes[one.data_ptr()] = one.numel()
        elif (
            type(one).__module__.startswith("snncompare")
            or isinstance(one, dict | list | tuple | set)
            or type(one).__name__ == "deque"
        ):
            ahead += gc.get_referents(one)
    return sum(sizes.values()), max(sizes.values())


def held_after(steps, rule, described=None):
    run = Forward(module(rule, described), rule, LOSS).begin(BATCH)
    for step in range(steps):
        run.advance({"source": spikes()[step % STEPS]})
        run.accumulate({"": answers()[step % STEPS]})
    return numbers(
        run._traced if hasattr(run, "_traced") else run._influences, run._recent if hasattr(run, "_recent") else ()
    )


@pytest.mark.parametrize("rule", [EPROP, RTRL], ids=["per synapse", "everything"])
def test_what_is_held_does_not_grow_with_time(rule):
    assert held_after(20, rule) == held_after(200, rule)


def test_sparse_wiring_has_traces_for_existing_synapses_only():
    described = network(size=40, p=0.05)
    rule = replace(EPROP)
    n_synapses = module(rule, described).weights["recur"].numel()
    assert n_synapses < 150  # 80 of 1600
    run = Forward(module(rule, described), rule, LOSS).begin(BATCH)
    for step in range(5):
        run.advance({"source": spikes()[step]})
        run.accumulate({"": answers()[step]})
    sparse = next(each for each in run._traced if each.group.placing.n_entries == n_synapses)
    links = [response for traced, _, response in run.readings[""].links if traced is sparse]
    _, largest = numbers(
        sparse.traces.full, sparse.traces.rows, sparse.totals, *(response.values for response in links)
    )
    assert largest <= BATCH * max(n_synapses, 40)
    dense = Forward(module(rule, network(size=40)), rule, LOSS).begin(BATCH)
    assert max(each.group.placing.n_entries for each in dense._traced) == 1600  # the control: all pairs


def test_influence_within_one_step_is_that_on_the_target_alone_and_within_many_is_everything():
    described, paths = network(recurrent=False), Paths()
    found = {}
    for storage in (PerSynapse(), Snap(1), FullInfluence()):
        one = module(replace(RTRL, storage=storage), described)
        list(Forward(one, replace(RTRL, storage=storage, paths=paths), LOSS).trials({"source": spikes()}, answers()))
        found[type(storage)] = taken(one)
    assert distance(found[Snap], found[PerSynapse]) < TOLERANCE  # without recurrence there is nothing else
    recurrent = {}
    for storage in (Snap(1), Snap(2), Snap(20), FullInfluence()):
        one = module(replace(RTRL, storage=storage))
        list(Forward(one, replace(RTRL, storage=storage), LOSS).trials({"source": spikes()}, answers()))
        recurrent[storage] = taken(one)
    exact = recurrent[FullInfluence()]
    assert distance(recurrent[Snap(20)], exact) < TOLERANCE
    assert distance(recurrent[Snap(1)], exact) > 1e-3


def test_losses_that_need_the_end_are_refused():
    late = Classification("readout", scale="1", over=Over.MAX)
    with pytest.raises(UnsupportedError, match="known only when a trial is over"):
        Forward(module(EPROP), EPROP, late)
    with pytest.raises(UnsupportedError, match=r"AfterTrials\(\)"):
        Forward(module(EPROP), replace(EPROP, schedule=EverySteps(5)), Classification("readout", scale="1"))


def test_recurrent_paths_with_traces_per_synapse_are_refused():
    rule = replace(RTRL, storage=PerSynapse())
    with pytest.raises(UnsupportedError, match=r"recurrent=False, or storage=FullInfluence\(\)"):
        Forward(module(rule), rule, LOSS).begin(1)


def test_surrogate_must_not_change_what_the_network_does():
    steep = replace(EPROP, surrogate=SuperSpike("0.1", "1"))
    counts = []
    for rule in (EPROP, steep):
        (learnt,) = Forward(module(rule), rule, LOSS).trials({"source": spikes()}, answers())
        counts.append(learnt.counts["hidden"])
    assert torch.equal(*counts)
    assert float(counts[0].sum()) > 40
