"""Gradients on chips: the chain rule by hand through what the chips made of values and weights, and differences."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from snncompare.backends.emulation import EmulatedRun

DEVICES, TRIALS = 3, 2
ROUNDING = 1e-9
"""Relative: gradients of 40 steps are sums of thousands of products in another order."""


def loss(activity):
    return (activity.traces["readout", "v"] * 1e3).square().sum() + 0.1 * activity.spikes["hidden"].sum()


def of_synapses(module, name, gradient):
    each = module.synapses[name]
    return gradient[each.ends] if gradient.ndim == 2 else gradient


def test_gradients_are_those_of_explicit_quantised_weights(rig, variant):
    """Each device as a network of its own, its gradients carried back to what was asked for by hand."""
    network = rig.network(variant)
    chips, asked, inputs = rig.chips(network, DEVICES, levels=7.0, gradient="clipped"), rig.asked(network), rig.raster()
    low = {
        name: replace(each, scale=each.scale_of(asked.connections[name].weight) * 1.5)
        for name, each in chips.weight_maps.items()
    }
    chips = replace(chips, weight_maps=low)
    module = rig.module(network)
    loss(module(inputs, emulated=EmulatedRun(chips, TRIALS), **rig.record)).backward()
    expected = dict.fromkeys(module.weights, 0.0) | {"tau": 0.0}
    for device in range(DEVICES):
        one = chips.select(device)
        got = rig.module(network, one.realisation(asked))
        loss(got(inputs, **rig.record)).backward()
        for name, transform in one.weight_maps.items():
            inside = np.abs(np.rint(asked.connections[name].weight * transform.scale)) <= 7
            expected[name] += of_synapses(got, name, got.weights[name].grad).numpy() * transform.factor * inside
        expected["tau"] += got.neurons["hidden"]["tau"].grad.numpy() * one.parameter_maps["hidden"]["tau"].factor
    for name, weight in module.weights.items():
        found = of_synapses(module, name, weight.grad).numpy()
        assert np.abs(expected[name]).max() > 0
        assert np.abs(found - expected[name]).max() < ROUNDING * np.abs(expected[name]).max()
    tau = module.neurons["hidden"]["tau"].grad.numpy()
    assert np.abs(tau - expected["tau"]).max() < ROUNDING * np.abs(expected["tau"]).max()
    ideal = rig.module(network)
    loss(ideal(inputs, **rig.record)).backward()
    assert rig.largest(ideal.weights["feed"].grad * DEVICES, module.weights["feed"].grad) > 0.01


def test_clipped_weights_have_no_gradient_only_where_asked(rig):
    network, inputs = rig.network(), rig.raster()
    found = {}
    for gradient in ("straight_through", "clipped"):
        chips, module = rig.chips(network, 2, gradient=gradient), rig.module(network)
        small = {
            name: replace(each, scale=each.scale_of(rig.asked(network).connections[name].weight) * 2)
            for name, each in chips.weight_maps.items()
        }
        run = EmulatedRun(replace(chips, weight_maps=small), TRIALS)
        loss(module(inputs, emulated=run, **rig.record)).backward()
        found[gradient] = module.weights["read"].grad
    clipped = found["clipped"] == 0
    assert 0 < int(clipped.sum()) < clipped.numel()
    assert torch.equal(found["clipped"][~clipped], found["straight_through"][~clipped])
    assert bool((found["straight_through"][clipped] != 0).any())


def test_where_nobody_fires_gradients_are_those_of_differences(rig):
    """Below threshold the run is smooth: weights, shared by all devices, and a time constant of every neuron."""
    network = rig.network()
    chips, inputs = rig.chips(network, 2, levels=np.inf, rounds=False), rig.raster(steps=8, trials=1)
    high = {**chips.parameter_maps["hidden"]}
    high["v_threshold"] = replace(high["v_threshold"], offset=high["v_threshold"].offset + 10.0)
    chips, module = replace(chips, parameter_maps={"hidden": high}), rig.module(network)

    def response(weight, tau):
        parameters = {"synapses.feed.weight": weight, "neurons.hidden.tau": tau}
        arguments = {"emulated": EmulatedRun(chips, 1), **rig.record}
        activity = torch.func.functional_call(module, parameters, (inputs,), arguments)
        assert not bool(activity.spikes["hidden"].any())
        return activity.traces["hidden", "v"][-1] * 1e3

    start = (module.weights["feed"].detach().clone(), module.neurons["hidden"]["tau"].detach().clone())
    found = torch.autograd.functional.jacobian(response, start)
    for position, size in ((0, 1e-6), (1, 1e-7)):
        direction = torch.ones_like(start[position])
        moved = [list(start), list(start)]
        for sign, each in zip((1, -1), moved, strict=True):
            each[position] = start[position] + sign * size * direction
        difference = (response(*moved[0]) - response(*moved[1])).detach() / (2 * size)
        along = found[position].flatten(2).sum(-1)
        assert float(difference.abs().max()) > 1.0
        # central differences: relative error of (size / value)^2, and rounding of 1e-16 / size of the value
        assert rig.largest(along, difference) < 1e-5


def test_a_value_trained_for_all_neurons_is_changed_by_all_devices(rig):
    network = rig.network(trained={"tau": {"shared": True}}, individual=("v_threshold",))
    chips, module = rig.chips(network, DEVICES), rig.module(network)
    loss(module(rig.raster(), emulated=EmulatedRun(chips, TRIALS), **rig.record)).backward()
    tau = module.neurons["hidden"]["tau"]
    assert tau.shape == ()
    expected = 0.0
    each = rig.network()
    asked = rig.asked(each)
    for device in range(DEVICES):
        one = chips.select(device)
        got = rig.module(each, one.realisation(asked))
        loss(got(rig.raster(), **rig.record)).backward()
        expected += float(got.neurons["hidden"]["tau"].grad.numpy() @ one.parameter_maps["hidden"]["tau"].factor)
    assert float(tau.grad) == pytest.approx(expected, rel=ROUNDING)


def test_checkpoints_do_not_change_gradients(rig):
    network, inputs = rig.network(), rig.raster()
    run, found = EmulatedRun(rig.chips(network, DEVICES), TRIALS), []
    for every in (None, 7):
        module = rig.module(network)
        loss(module(inputs, emulated=run, checkpoint_every=every, **rig.record)).backward()
        found.append(module.weights["feed"].grad)
    assert rig.largest(*found) < ROUNDING
