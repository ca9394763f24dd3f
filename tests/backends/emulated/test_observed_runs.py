"""Hardware in the loop: what was observed goes on in the run, gradients are those of the model."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from snncompare.backends.emulation import EmulatedRun
from snncompare.backends.torch.module import TorchNetwork
from snncompare.backends.torch.surrogates import SuperSpike
from snncompare.errors import InputError
from snncompare.network.network import Network, Population, Projection
from snncompare.network.neuron import NeuronModel, SpikeSource

DT, STEPS, TRIALS = 1e-3, 40, 2
SURROGATE = SuperSpike("2 mV", "10 mV")


def learn(module, inputs, rig, **options):
    module.zero_grad()
    activity = module(inputs, **rig.record, **options)
    ((activity.traces["readout", "v"] * 1e3).square().sum() + activity.spikes["hidden"].sum()).backward()
    return activity, {name: weight.grad.clone() for name, weight in module.weights.items()}


def other_spikes(rig, seed=4):
    fired = np.random.default_rng(seed).random((STEPS, TRIALS, 9)) < 0.2
    return {"hidden": torch.from_numpy(fired).double()}


def test_a_run_that_is_observed_as_the_model_ran_is_that_run(rig, variant):
    module, inputs = rig.module(rig.network(variant)), rig.raster()
    free, gradients = learn(module, inputs, rig)
    seen = {"hidden": free.spikes["hidden"].detach()}
    traces = {key: value.detach() for key, value in free.traces.items()}
    again, found = learn(module, inputs, rig, observed=seen, observed_traces=traces)
    assert rig.same(again, free)
    assert all(torch.equal(found[name], gradients[name]) for name in gradients)
    other, found = learn(module, inputs, rig, observed=other_spikes(rig))
    assert not rig.same(other, free)
    assert not torch.equal(found["read"], gradients["read"])


def test_observed_spikes_drive_what_lies_behind_them(rig):
    """The readout is that of a network in which these spikes are an input, to the last bit, and so is its gradient."""
    module, inputs, observed = rig.module(rig.network()), rig.raster(), other_spikes(rig)
    activity, gradients = learn(module, inputs, rig, observed=observed)
    assert torch.equal(activity.spikes["hidden"], observed["hidden"])
    described = module.network
    source = Network(
        populations={
            "hidden": Population(size=9, neuron=SpikeSource()),
            "readout": described.populations["readout"],
        },
        projections={"read": described.projections["read"]},
    )
    asked = rig.asked(described)
    alone = TorchNetwork(source, DT, {"read": asked.connections["read"]})
    v = alone(observed, traces=[("readout", "v")]).traces["readout", "v"]
    (v * 1e3).square().sum().backward()
    assert rig.largest(activity.traces["readout", "v"], v) < 1e-12  # sums ahead of time are added in another order
    assert rig.largest(gradients["read"], alone.weights["read"].grad) < 1e-12
    assert float(gradients["feed"].abs().sum()) > 0


def plain_network():
    neuron = NeuronModel(
        equations="dv/dt = -v/(10*ms) : volt", threshold="v > 10*mV", reset="v = 0*mV", method="exponential_euler"
    )
    return Network(
        populations={"inputs": Population(size=4, neuron=SpikeSource()), "cells": Population(size=3, neuron=neuron)},
        projections={
            "feed": Projection(
                source="inputs",
                target="cells",
                synapse={"on_pre": "v_post += w", "weight_unit": "volt"},
                weight={"type": "Normal", "mean": "4 mV", "sd": "2 mV"},
                trainable={"weight": {}},
            )
        },
    )


@pytest.mark.parametrize("what", ["spikes", "traces", "both", "every third sample"])
def test_gradients_are_those_written_out_by_hand(what):
    """v decays, the observation takes its place; it fires, the observation takes its place; spikes arrive; reset."""
    rng = np.random.default_rng(2)
    module = TorchNetwork(plain_network(), DT, {}, surrogate=SURROGATE)
    raster = torch.from_numpy(rng.random((STEPS, TRIALS, 4)) < 0.4).double()
    spikes = torch.from_numpy(rng.random((STEPS, TRIALS, 3)) < 0.2).double()
    traces = torch.from_numpy(rng.normal(8e-3, 4e-3, (STEPS, TRIALS, 3)))
    if what == "every third sample":
        traces[np.arange(STEPS) % 3 > 0] = math.nan
    given = {
        "observed": {} if what == "traces" else {"cells": spikes},
        "observed_traces": {} if what == "spikes" else {("cells", "v"): traces},
    }
    factor = torch.from_numpy(rng.standard_normal((STEPS, TRIALS, 3)))
    activity = module({"inputs": raster}, record=["cells"], traces=[("cells", "v")], **given)
    ((activity.spikes["cells"] + 100 * activity.traces["cells", "v"]) * factor).sum().backward()

    weight = module.weights["feed"].detach().clone().requires_grad_()
    v, total, seen = torch.zeros(TRIALS, 3, dtype=torch.float64), 0.0, []
    for step in range(STEPS):
        v = v * math.exp(-DT / 10e-3)
        if given["observed_traces"]:
            v = v + torch.where(traces[step].isnan(), v, traces[step]).sub(v).detach()
        z = SURROGATE.fire(v - 10e-3, at_zero=False, draws=None)
        if given["observed"]:
            z = z + (spikes[step] - z).detach()
        total = total + ((z + 100 * v) * factor[step]).sum()
        seen.append(z.detach())
        v = torch.where(z.detach() > 0.5, 0.0, v + raster[step] @ weight)
    total.backward()
    assert float(torch.stack(seen).sum()) > 20
    assert float((activity.spikes["cells"].detach() - torch.stack(seen)).abs().max()) < 1e-12
    gradient = module.weights["feed"].grad
    assert float((gradient - weight.grad).abs().max()) < 1e-10 * float(weight.grad.abs().max())
    module.zero_grad()
    free = module({"inputs": raster}, record=["cells"], traces=[("cells", "v")])
    ((free.spikes["cells"] + 100 * free.traces["cells", "v"]) * factor).sum().backward()
    assert float((gradient - module.weights["feed"].grad).abs().max()) > 0.01 * float(weight.grad.abs().max())


def test_observation_and_emulation_go_together_and_in_pieces(rig):
    network, inputs, observed = rig.network(), rig.raster(), other_spikes(rig)
    module, run = rig.module(network), EmulatedRun(rig.chips(network, 2), TRIALS)
    with torch.no_grad():
        whole = module(inputs, emulated=run, observed=observed, **rig.record)
        free = module(inputs, emulated=run, **rig.record)
        parts, state = [], None
        for piece in (slice(0, 15), slice(15, STEPS)):
            part = module(
                {"inputs": inputs["inputs"][piece]},
                emulated=run,
                observed={"hidden": observed["hidden"][piece]},
                state=state,
                **rig.record,
            )
            state = part.state
            parts.append(part)
    assert torch.equal(whole.spikes["hidden"], observed["hidden"].repeat(1, 2, 1))
    assert torch.equal(torch.cat([part.traces["readout", "v"] for part in parts]), whole.traces["readout", "v"])
    assert not torch.equal(
        rig.of_device(whole, 0).traces["readout", "v"], rig.of_device(whole, 1).traces["readout", "v"]
    )
    assert not rig.same(whole, free)


def test_checkpoints_do_not_change_what_is_observed(rig):
    inputs, found = rig.raster(), []
    for every in (None, 7):
        module = rig.module(rig.network())
        found.append(learn(module, inputs, rig, observed=other_spikes(rig), checkpoint_every=every))
    assert rig.same(replace(found[0][0]), found[1][0])
    assert rig.largest(found[0][1]["feed"], found[1][1]["feed"]) < 1e-9  # sums in another order


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"observed": {"readout": torch.zeros(STEPS, TRIALS, 2)}}, "population that fires 'readout'.*hidden"),
        ({"observed": {"hidden": torch.zeros(STEPS, TRIALS, 2)}}, r"\(40, 2, 9\).*got \(40, 2, 2\)"),
        ({"observed": {"hidden": torch.full((STEPS, TRIALS, 9), 2.0)}}, "must hold 0 and 1 only"),
        ({"observed_traces": {("readout", "u"): torch.zeros(STEPS, TRIALS, 2)}}, "variable that changes 'u'"),
        ({"observed_traces": {("cells", "v"): torch.zeros(STEPS, TRIALS, 2)}}, "population 'cells'"),
    ],
    ids=["no spikes", "shape", "two spikes", "variable", "population"],
)
def test_wrong_observations_are_refused_in_words(rig, given, words):
    with pytest.raises(InputError, match=words):
        rig.module(rig.network())(rig.raster(), **given)
