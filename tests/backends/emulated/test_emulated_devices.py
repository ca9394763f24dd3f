"""Devices side by side are the same devices alone, and both are a network that has what the chips made of it."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from snncompare.backends.emulation import EmulatedRun
from snncompare.backends.torch import linear
from snncompare.backends.torch.module import TorchNetwork

DEVICES, TRIALS, DT = 3, 2, 1e-3
ROUNDING = 1e-12
"""Relative: 40 steps of sums of at most 9 addends in another order, each 1e-16."""


def test_every_device_of_a_batch_is_the_device_alone_and_the_network_it_got(rig, variant):
    network = rig.network(variant)
    chips, asked, inputs = rig.chips(network, DEVICES), rig.asked(network), rig.raster()
    module = rig.module(network)
    with torch.no_grad():
        together = module(inputs, emulated=EmulatedRun(chips, TRIALS), **rig.record)
        found = []
        for device in range(DEVICES):
            one = chips.select(device)
            alone = module(inputs, emulated=EmulatedRun(one, TRIALS), **rig.record)
            got = rig.module(network, one.realisation(asked))(inputs, **rig.record)
            assert rig.same(alone, got)
            assert rig.same(rig.of_device(together, device), got)
            found.append(got)
    assert float(together.spikes["hidden"].sum()) > 50
    assert not any(rig.same(one, found[0]) for one in found[1:])
    assert not rig.same(found[0], module(inputs, **rig.record))


def test_products_give_the_same_devices_up_to_rounding(rig, variant):
    network = rig.network(variant)
    chips, asked, inputs = rig.chips(network, DEVICES), rig.asked(network), rig.raster()
    together = rig.module(network)(inputs, emulated=EmulatedRun(chips, TRIALS), **rig.record)
    for device in range(DEVICES):
        got = rig.module(network, chips.select(device).realisation(asked))(inputs, **rig.record)
        own = rig.of_device(together, device)
        assert torch.equal(own.spikes["hidden"], got.spikes["hidden"])
        for key in own.traces:
            assert rig.largest(own.traces[key], got.traces[key]) < ROUNDING


@pytest.mark.parametrize("gradients", [False, True], ids=["exact", "with gradients"])
def test_matrices_that_are_not_written_out_give_the_same_devices(rig, monkeypatch, gradients):
    network = rig.network({"feed": {"delay": {"type": "Uniform", "low": "1 ms", "high": "4 ms"}}})
    run, inputs, found = EmulatedRun(rig.chips(network, DEVICES), TRIALS), rig.raster(), []
    for dense in (True, False):
        asked = []
        monkeypatch.setattr(linear, "_prefers_dense", lambda *_, dense=dense, asked=asked: asked.append(dense) or dense)
        module = rig.module(network)
        with torch.set_grad_enabled(gradients):
            activity = module(inputs, emulated=run, **rig.record)
        if gradients:
            activity.traces["readout", "v"].square().sum().backward()
        assert asked
        found.append((activity, [weight.grad for weight in module.weights.values()]))
    (one, of_one), (two, of_two) = found
    assert torch.equal(one.spikes["hidden"], two.spikes["hidden"])
    assert float(one.spikes["hidden"].detach().sum()) > 50
    assert rig.largest(one.traces["readout", "v"], two.traces["readout", "v"]) < (ROUNDING if gradients else 1e-300)
    for a, b in zip(of_one, of_two, strict=True):
        assert not gradients or rig.largest(a, b) < 1e-9  # sums over 40 steps in another order


def test_a_kernel_stays_one_where_its_synapses_have_no_factors(rig, kernel):
    network = rig.network(kernel)
    chips, asked, inputs = rig.chips(network, DEVICES), rig.asked(network), rig.raster()
    feed = replace(chips.weight_maps["feed"], factor=None)
    chips = replace(chips, weight_maps={**chips.weight_maps, "feed": feed})
    together = rig.module(network)(inputs, emulated=EmulatedRun(chips, TRIALS), **rig.record)
    rounded = chips.select(1).realisation(asked)
    kept = replace(rounded.connections["feed"], shared=asked.connections["feed"].shared)
    got = TorchNetwork(network, DT, replace(rounded, connections={**rounded.connections, "feed": kept}))
    assert not np.array_equal(kept.weight, asked.connections["feed"].weight)
    own, alone = rig.of_device(together, 1), got(inputs, **rig.record)
    assert torch.equal(own.spikes["hidden"], alone.spikes["hidden"])
    assert rig.largest(own.traces["readout", "v"], alone.traces["readout", "v"]) < ROUNDING


@pytest.mark.parametrize("gradients", [False, True], ids=["exact", "with gradients"])
def test_chips_without_imperfections_are_the_ideal_network_bit_for_bit(rig, variant, gradients):
    network, inputs = rig.network(variant), rig.raster()
    module, chips = rig.module(network), rig.chips(network, 1, cv=0, levels=np.inf, rounds=False)
    with torch.set_grad_enabled(gradients):
        ideal = module(inputs, **rig.record)
        assert rig.same(module(inputs, emulated=EmulatedRun(chips, TRIALS), **rig.record), ideal)
        rounded = rig.chips(network, 1, cv=0)
        assert not rig.same(module(inputs, emulated=EmulatedRun(rounded, TRIALS), **rig.record), ideal)


def test_a_device_does_not_depend_on_the_devices_and_trials_beside_it(rig):
    network, inputs = rig.network(), rig.raster(trials=5)
    chips, module = rig.chips(network, DEVICES), rig.module(network)
    first = {"inputs": inputs["inputs"][:, :2]}
    with torch.no_grad():
        many = module(inputs, emulated=EmulatedRun(chips, 5), **rig.record)
        few = module(first, emulated=EmulatedRun(chips.select(2), 2), **rig.record)
        copies = module(
            {"inputs": inputs["inputs"].repeat(1, DEVICES, 1)}, emulated=EmulatedRun(chips, 5), **rig.record
        )
    own = rig.of_device(many, 2, trials=5)
    own = replace(
        own, spikes={"hidden": own.spikes["hidden"][:, :2]}, traces={k: v[:, :2] for k, v in own.traces.items()}
    )
    assert rig.same(own, few)
    assert rig.same(many, copies)
    chips.weight_maps["recur"].factor[0] *= 2
    with torch.no_grad():
        changed = module(inputs, emulated=EmulatedRun(chips, 5), **rig.record)
    assert rig.same(rig.of_device(changed, 1, trials=5), rig.of_device(many, 1, trials=5))
    assert not rig.same(rig.of_device(changed, 0, trials=5), rig.of_device(many, 0, trials=5))


def test_a_run_in_pieces_is_the_run_in_one_piece(rig, variant):
    network, inputs = rig.network(variant), rig.raster()
    run, module = EmulatedRun(rig.chips(network, DEVICES), TRIALS), rig.module(network)
    with torch.no_grad():
        whole = module(inputs, emulated=run, **rig.record)
        first = module({"inputs": inputs["inputs"][:17]}, emulated=run, **rig.record)
        rest = module({"inputs": inputs["inputs"][17:]}, emulated=run, state=first.state, **rig.record)
    joined = {key: torch.cat([first.traces[key], rest.traces[key]]) for key in whole.traces}
    assert all(torch.equal(joined[key], whole.traces[key]) for key in joined)


def test_float32_rounds_to_the_same_levels(rig):
    network = rig.network()
    chips, single = rig.chips(network, DEVICES, cv=0), rig.module(network, dtype=torch.float32)
    double = rig.module(network)
    with torch.no_grad():
        for parameter in ("feed", "recur", "read"):
            double.synapses[parameter].weight.copy_(single.synapses[parameter].weight)
    held = [m.synapses["recur"].on_chips(chips.weight_maps["recur"]).each for m in (single, double)]
    assert held[0].dtype is torch.float32
    assert torch.equal(held[0], held[1].float())
    assert len(held[0].unique()) < 64 < len(double.synapses["recur"].weight.unique())
    chips, inputs = rig.chips(network, DEVICES), rig.raster()
    with torch.no_grad():
        together = single(inputs, emulated=EmulatedRun(chips, TRIALS), **rig.record)
        alone = single(inputs, emulated=EmulatedRun(chips.select(1), TRIALS), **rig.record)
    assert together.traces["readout", "v"].dtype is torch.float32
    assert rig.same(rig.of_device(together, 1), alone)
    assert not rig.same(rig.of_device(together, 0), alone)
