"""What is random or limited in a run: noise, events that are lost or late, thresholds of a trial, limits, read-outs."""

import numpy as np
import pytest
import torch

from snncompare.backends.emulation import EmulatedRun
from snncompare.backends.torch import on_chip
from snncompare.errors import InputError, UnsupportedError

DEVICES, TRIALS, STEPS = 2, 2, 40
COPIES = DEVICES * TRIALS


class Run(EmulatedRun):
    """A run in which everything is said by hand."""

    def __init__(
        self, chips, n_trials=TRIALS, *, transmits=(), events=None, noise=None, limits=None, offsets=None, read=None
    ):
        super().__init__(chips, n_trials)
        self.transmits = frozenset(transmits)
        self._events, self._noise, self._limits = events, noise or {}, limits or {}
        self._offsets, self._read, self.asked = offsets or {}, read, []

    def events(self, population, step, fired):
        self.asked.append((population, step))
        return self._events(population, step, fired)

    def noise(self, population, first_step, n_steps):
        there = self._noise.get(population, {})
        return {name: array[first_step : first_step + n_steps] for name, array in there.items()}

    def limits(self, population):
        return self._limits.get(population, {})

    def offsets(self, population):
        return self._offsets.get(population, {})

    def read(self, population, variable, values, first_step):  # noqa: ARG002 - of the interface
        return values if self._read is None else self._read(values)


@pytest.fixture
def chips(rig):
    return rig.chips(rig.network(), DEVICES)


@pytest.fixture
def run(rig, chips):
    """Run the network on two chips and return what happened."""

    def carry_out(network=None, gradients=False, **said):
        network = rig.network() if network is None else network
        with torch.set_grad_enabled(gradients):
            return rig.module(network)(rig.raster(), emulated=Run(chips_of(network), **said), **rig.record)

    def chips_of(network):
        return chips if network == chips.network else rig.chips(network, DEVICES)

    return carry_out


def later(steps):
    return lambda _population, _step, fired: [(steps, fired)]


def test_noise_is_added_after_the_update_of_the_readout(rig, run):
    noise = np.random.default_rng(1).standard_normal((STEPS, COPIES, 2)) * 1e-3
    quiet, noisy = run(), run(noise={"readout": {"v": noise}})
    assert torch.equal(noisy.spikes["hidden"], quiet.spikes["hidden"])
    decay, expected, added = np.exp(-1e-3 / 20e-3), np.zeros((COPIES, 2)), []
    for step in range(STEPS):
        expected = expected * decay + noise[step]
        added.append(expected)
    found = (noisy.traces["readout", "v"] - quiet.traces["readout", "v"]).numpy()
    assert np.abs(found - np.array(added)).max() < 1e-14  # volts, of about 1e-2: rounding of 40 steps


def test_noise_does_not_move_what_a_refractory_neuron_holds(run):
    quiet = run()
    noisy = run(noise={"hidden": {"v": np.full((STEPS, COPIES, 9), 1e-9)}})
    v, fired = noisy.traces["hidden", "v"], noisy.spikes["hidden"]
    assert torch.equal(fired, quiet.spikes["hidden"])
    assert bool((v[1:][fired[:-1] > 0] == 0).all())
    assert bool((v[1:][fired[:-1] == 0] != quiet.traces["hidden", "v"][1:][fired[:-1] == 0]).any())


def test_noise_does_not_depend_on_the_pieces_it_is_asked_for(rig, run, monkeypatch):
    noise = {"hidden": {"v": np.random.default_rng(1).standard_normal((STEPS, COPIES, 9)) * 2e-3}}
    whole = run(noise=noise)
    monkeypatch.setattr(on_chip, "_AT_ONCE", 7 * COPIES * 9)
    assert rig.same(run(noise=noise), whole)
    shifted = {"hidden": {"v": np.roll(noise["hidden"]["v"], 1, axis=0)}}
    assert not rig.same(run(noise=shifted), whole)
    assert not rig.same(run(), whole)


@pytest.mark.parametrize("gradients", [False, True], ids=["exact", "with gradients"])
@pytest.mark.parametrize(("population", "projections"), [("hidden", ("recur", "read")), ("inputs", ("feed",))])
def test_events_that_are_all_late_are_a_longer_delay(rig, run, population, projections, gradients):
    longer = {"feed": "3 ms", "recur": "3 ms", "read": "2 ms"}
    network = rig.network({name: {"delay": longer[name]} for name in projections})
    late = run(transmits=[population], events=later(2), gradients=gradients)
    expected = run(network, gradients=gradients)
    assert torch.equal(late.spikes["hidden"], expected.spikes["hidden"])
    for key in late.traces:
        assert rig.largest(late.traces[key], expected.traces[key]) < (1e-12 if gradients else 1e-300)
    assert not torch.equal(expected.spikes["hidden"], run().spikes["hidden"])


def test_lost_events_do_not_arrive_but_reset_their_neuron_and_are_recorded(rig, run, chips):
    cut = rig.network()
    weights = rig.asked(cut)
    lost = run(transmits=["hidden"], events=lambda *_: [])
    module = rig.module(cut, weights)
    with torch.no_grad():
        for name in ("recur", "read"):
            module.weights[name].zero_()
        expected = module(
            rig.raster(),
            emulated=Run(chips.__class__(cut, DEVICES, chips.parameter_maps, {"feed": chips.weight_maps["feed"]})),
            **rig.record,
        )
    assert float(lost.spikes["hidden"].sum()) > 20
    assert rig.same(lost, expected)
    assert not rig.same(run(), lost)


def test_a_neuron_whose_events_are_lost_is_missed_by_its_targets_only(rig, run):
    def all_but_first(_population, _step, fired):
        kept = fired.copy()
        kept[:, 0] = False
        return [(0, kept)]

    lost = run(transmits=["hidden"], events=all_but_first)
    gradients = []
    for said in ({"transmits": ["hidden"], "events": all_but_first}, {}):
        module = rig.module(rig.network())
        activity = module(rig.raster(), emulated=Run(rig.chips(rig.network(), DEVICES), **said), **rig.record)
        activity.traces["readout", "v"].square().sum().backward()
        gradients.append(module.weights["read"].grad)
    assert float(lost.spikes["hidden"][..., 0].sum()) > 0
    assert bool((gradients[0][0] == 0).all())
    assert bool((gradients[0][1:] != 0).any())
    assert bool((gradients[1][0] != 0).any())


def test_silent_neurons_keep_their_derivative_where_events_are_emulated(rig):
    """A spike that did not happen was not lost: surrogate derivatives are those of a run in which nothing is."""
    found = []
    for said in ({"transmits": ["hidden"], "events": lambda _p, _s, fired: [(0, fired)]}, {}):
        module = rig.module(rig.network())
        activity = module(rig.raster(), emulated=Run(rig.chips(rig.network(), DEVICES), **said), **rig.record)
        activity.traces["readout", "v"].square().sum().backward()
        found.append(module.weights["feed"].grad)
    assert torch.equal(*found)
    assert float(found[0].abs().sum()) > 0


def test_two_events_of_a_neuron_in_one_step_are_one(rig, run):
    """Spikes of even steps wait one step: where the neuron fires again, both set out together."""

    def even_late(_population, step, fired):
        return [(1 - step % 2, fired)]

    raster = rig.raster()
    raster["inputs"][:] = 1.0
    network = rig.network()
    module, frozen = rig.module(network), rig.chips(network, DEVICES)
    with torch.no_grad():
        merged = module(raster, emulated=Run(frozen, transmits=["inputs"], events=even_late), **rig.record)
        every_other = {"inputs": raster["inputs"].clone()}
        every_other["inputs"][0::2] = 0
        expected = module(every_other, emulated=Run(frozen), **rig.record)
        assert rig.same(merged, expected)
        assert not rig.same(module(raster, emulated=Run(frozen), **rig.record), merged)
    assert float(merged.spikes["hidden"].sum()) > 20


def test_synapses_on_the_neurons_that_fire_see_their_true_spikes(rig):
    """Where events of the target never arrive, weights still fall with its spikes, and with them what it receives."""
    network = rig.network({"feed": rig.plastic, "recur": {"weight": rig.nothing}})
    module, inputs = rig.module(network), rig.raster(steps=80, p=0.4)
    chips = rig.chips(network, DEVICES, levels=np.inf, rounds=False)
    with torch.no_grad():
        said = ({}, {"transmits": ["hidden"], "events": lambda *_: []})
        found = [module(inputs, emulated=Run(chips, **each), **rig.record) for each in said]
        still = rig.module(
            rig.network({"feed": rig.plastic | {"synapse": rig.plain}, "recur": {"weight": rig.nothing}})
        )
        other = still(
            inputs,
            emulated=Run(chips.__class__(still.network, DEVICES, chips.parameter_maps, chips.weight_maps)),
            **rig.record,
        )
    assert torch.equal(found[0].spikes["hidden"], found[1].spikes["hidden"])
    assert not torch.equal(found[0].traces["readout", "v"], found[1].traces["readout", "v"])
    assert not torch.equal(found[0].spikes["hidden"], other.spikes["hidden"])


def test_events_are_asked_once_for_every_step_also_where_the_backward_pass_repeats_them(rig, chips):
    counted = {}

    def at_most_five(population, step, fired):
        before = counted.get(population, np.zeros(COPIES, dtype=int))
        counted[population] = before + fired.sum(1)
        return [(0, fired & (counted[population] <= 5)[:, None])]

    found = []
    for every in (None, 6):
        counted.clear()
        module, said = rig.module(rig.network()), Run(chips, transmits=["hidden"], events=at_most_five)
        activity = module(rig.raster(), emulated=said, checkpoint_every=every, **rig.record)
        activity.traces["readout", "v"].square().sum().backward()
        assert said.asked == [("hidden", step) for step in range(STEPS)]
        found.append((activity.traces["readout", "v"], module.weights["feed"].grad))
    assert torch.equal(found[0][0], found[1][0])
    assert rig.largest(found[0][1], found[1][1]) < 1e-9  # sums in another order
    module = rig.module(rig.network())
    assert not torch.equal(module(rig.raster(), emulated=Run(chips), **rig.record).traces["readout", "v"], found[0][0])


def test_what_is_on_its_way_arrives_in_the_next_piece(rig, chips):
    module, inputs = rig.module(rig.network()), rig.raster()["inputs"]
    said = {"transmits": ["hidden", "inputs"], "events": later(3)}
    with torch.no_grad():
        whole = module({"inputs": inputs}, emulated=Run(chips, **said), **rig.record)
        one = Run(chips, **said)
        first = module({"inputs": inputs[:20]}, emulated=one, **rig.record)
        rest = module({"inputs": inputs[20:]}, emulated=one, state=first.state, **rig.record)
        lost = module(
            {"inputs": inputs[20:]},
            emulated=one,
            state=first.state.__class__(**{**vars(first.state), "due": {}}),
            **rig.record,
        )
    assert torch.equal(
        torch.cat([first.traces["readout", "v"], rest.traces["readout", "v"]]), whole.traces["readout", "v"]
    )
    assert not torch.equal(lost.traces["readout", "v"], rest.traces["readout", "v"])


def test_the_spikes_of_a_source_are_recorded_as_they_were_given(rig, chips):
    module, inputs = rig.module(rig.network()), rig.raster()
    with torch.no_grad():
        found = module(
            inputs, emulated=Run(chips, transmits=["inputs"], events=lambda *_: []), record=["inputs", "hidden"]
        )
    assert torch.equal(found.spikes["inputs"], inputs["inputs"].repeat(1, DEVICES, 1))
    assert not bool(found.spikes["hidden"].any())


def test_state_stays_within_its_limits(rig, run):
    low, high = np.full((COPIES, 9), -2e-3), np.full((COPIES, 9), 3e-3)
    high[1] = 1.0
    limited = run(limits={"hidden": {"x_feed": (low, high)}}, gradients=True)
    free = run(gradients=True)
    own = [slice(0, 1), slice(1, 2)]
    assert not torch.equal(limited.traces["hidden", "v"][:, own[0]], free.traces["hidden", "v"][:, own[0]])
    assert torch.equal(limited.traces["hidden", "v"][:, own[1]], free.traces["hidden", "v"][:, own[1]])
    module = rig.module(rig.network())
    there = {"record": [], "traces": [("hidden", "x_feed")]}
    said = Run(rig.chips(rig.network(), DEVICES), limits={"hidden": {"x_feed": (low, high)}})
    x = module(rig.raster(), emulated=said, **there).traces["hidden", "x_feed"]
    assert float(x[:, 0].detach().max()) <= 3e-3 < float(x[:, 1].detach().max())


def test_thresholds_of_a_trial_are_those_of_neurons_with_other_thresholds(rig, chips):
    network, inputs = rig.network(), rig.raster()
    shift = np.random.default_rng(2).normal(0, 2e-3, (COPIES, 9))
    with torch.no_grad():
        found = rig.module(network)(
            inputs, emulated=Run(chips, offsets={"hidden": {"v_threshold": shift}}), **rig.record
        )
        for copy in range(COPIES):
            device, trial = divmod(copy, TRIALS)
            got = chips.select(device).realisation(rig.asked(network))
            got.values["hidden"]["v_threshold"][:] += shift[copy]
            alone = rig.module(network, got)({"inputs": inputs["inputs"][:, trial : trial + 1]}, **rig.record)
            assert torch.equal(alone.traces["readout", "v"][:, 0], found.traces["readout", "v"][:, copy])
    assert len({float(found.traces["readout", "v"][-1, copy, 0]) for copy in range(COPIES)}) == COPIES


def test_traces_are_read_out_and_their_derivative_is_that_of_what_was_read(rig, chips):
    def in_millivolts(values):
        return np.floor(values * 1e3) * 1e-3

    found = []
    for read in (None, in_millivolts):
        module = rig.module(rig.network())
        v = module(rig.raster(), emulated=Run(chips, read=read), **rig.record).traces["readout", "v"]
        v.sum().backward()
        found.append((v.detach().numpy(), module.weights["read"].grad))
    assert np.array_equal(found[1][0], in_millivolts(found[0][0]))
    assert not np.array_equal(*(v for v, _ in found))
    assert torch.equal(found[0][1], found[1][1])


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ({"noise": {"hidden": {"x": np.zeros((STEPS, COPIES, 9))}}}, "variable of 'hidden' that changes 'x'"),
        ({"limits": {"hidden": {"y": (np.zeros(9), np.ones(9))}}}, "variable of 'hidden' that changes 'y'"),
        ({"limits": {"hidden": {"v": (np.zeros(5), np.ones(5))}}}, r"shape \(5,\) does not fit to \(4, 9\)"),
        ({"offsets": {"readout": {"tau": np.zeros(2)}}}, "'tau' of 'readout' is one number for all neurons"),
        ({"transmits": ["readout"]}, "population that fires 'readout'"),
    ],
    ids=["noise", "limits", "shape", "offsets", "transmits"],
)
def test_what_the_network_does_not_have_is_refused_in_words(run, said, words):
    with pytest.raises(InputError, match=words):
        run(**said)


def test_other_inputs_and_descriptions_are_refused_in_words(rig, chips):
    module = rig.module(rig.network())
    with pytest.raises(InputError, match=r"\(40, 2, 9\) or \(40, 4, 9\).*got \(40, 3, 9\)"):
        module(rig.raster(trials=3), emulated=Run(chips))
    with pytest.raises(InputError, match="another description"):
        rig.module(rig.network({"read": {"delay": "1 ms"}}))(rig.raster(), emulated=Run(chips))
    crowded = {"inputs": rig.raster()["inputs"] * 2}
    assert bool(module(crowded, emulated=Run(chips), **rig.record).spikes["hidden"].any())
    with pytest.raises(InputError, match="several spikes of 'inputs' share a step"):
        module(crowded, emulated=Run(chips, transmits=["inputs"], events=later(1)))
    with pytest.raises(UnsupportedError, match="broadcast"):
        module(rig.raster(), emulated=Run(chips), feedback={("hidden", "readout"): torch.ones(9, 2)})


def test_a_value_of_a_trial_that_is_part_of_what_synapses_add_is_refused(rig):
    from_target = rig.network(rig.variants["a parameter of the target in the effect"])
    chips, module = rig.chips(from_target, DEVICES), rig.module(from_target)
    shift = np.full((COPIES, 9), 1e-4)
    of_run = Run(chips, offsets={"hidden": {"tau_syn_feed": shift}})
    assert not rig.same(
        module(rig.raster(), emulated=of_run, **rig.record), module(rig.raster(), emulated=Run(chips), **rig.record)
    )
    shift[1] = 2e-4
    with pytest.raises(UnsupportedError, match="'tau_syn_feed' of 'hidden' differs between the trials"):
        module(rig.raster(), emulated=Run(chips, offsets={"hidden": {"tau_syn_feed": shift}}), **rig.record)
