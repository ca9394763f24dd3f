"""The same chips on every engine: nothing changes without imperfections, and with all of them the spikes are the same."""

import json

import numpy as np
import pytest

from snncompare.backends.analog import ChipProfile
from snncompare.backends.registry import compile as compile_network
from snncompare.errors import UnsupportedError
from snncompare.network.initialisers import Uniform
from snncompare.network.synapses import exponential, pair_stdp
from snncompare.testing.conformance import same_spikes
from snncompare.testing.networks import poisson_input, recurrent_network

DT, DURATION = "0.5 ms", "0.1 s"
FROZEN = {
    "time_constants.cv": 0.1,
    "threshold.sd_fraction": 0.05,
    "leak.sd_fraction": 0.02,
    "reset.sd_fraction": 0.02,
    "weights.cv": 0.1,
    "weights.gain_cv": 0.1,
    "weights.bits": 6,
    "neurons.dead_fraction": 0.05,
}
RANDOM = {
    "threshold.per_run": 0.02,
    "threshold.per_trial": 0.02,
    "membrane_time_constant.per_trial": 0.05,
    "noise.membrane": 0.1,
    "noise.jitter": "0.7 ms",
    "noise.event_loss": 0.1,
    "saturation.current": 4,
    "saturation.cv": 0.1,
}
READOUT = {
    "readout.gain": 45,
    "readout.offset": 80,
    "readout.noise_lsb": 2,
    "readout.offset_lsb": 3,
    "readout.period": "2 ms",
    "readout.bits": 8,
}


@pytest.fixture(scope="module")
def network():
    return recurrent_network(inputs=10, hidden=15)


@pytest.fixture(scope="module")
def inputs():
    return {"source": poisson_input(units=10, trials=3, duration=0.1, rate=120.0)}


def _chip(**changes):
    return ChipProfile.load("plain").changed(**changes)


def _run(network, inputs, profile="ideal", *, seed=5, record=None, **options):
    program = compile_network(network, "analog", dt=DT, seed=1, profile=profile, **options)
    return program.run(inputs, duration=DURATION, seed=seed, record=record)


@pytest.fixture(scope="module")
def noisy():
    chip = _chip(**FROZEN, **RANDOM, **READOUT)
    cap = {"events": {"value": 3, "evidence": "user", "source": "test"}}
    cap["window"] = {"value": 10, "unit": "ms", "evidence": "user", "source": "test"}
    plain = chip.plain()
    plain["noise"]["rate_cap"] = cap
    return ChipProfile.parse(plain, "test")


@pytest.fixture(scope="module")
def on_torch(network, inputs, noisy):
    record = ["adaptive", "plain", "adaptive.v"]
    return _run(network, inputs, noisy, record=record, engine="torch", device_seed=[3, 0, 7])


@pytest.mark.parametrize("engine", ["torch", "brian2", "fused"])
def test_chips_without_imperfections_are_the_backend_bit_for_bit(network, inputs, engine):
    record = ["adaptive", "plain", "adaptive.v"]
    bare = compile_network(network, engine, dt=DT, seed=1).run(inputs, duration=DURATION, record=record)
    assert bare.times.size > 100
    for profile in ("ideal", "plain"):
        on_chip = _run(network, inputs, profile, record=record, engine=engine)
        assert same_spikes(on_chip, bare)
        assert np.array_equal(on_chip.traces["adaptive.v"].values, bare.traces["adaptive.v"].values)


def test_the_smallest_imperfections_are_seen(network, inputs):
    bare = _run(network, inputs)
    for change in ({"threshold.sd_fraction": 0.01}, {"noise.event_loss": 0.02}):
        assert not same_spikes(_run(network, inputs, _chip(**change)), bare)


def test_all_imperfections_give_the_same_spikes_and_samples_on_brian2(network, inputs, noisy, on_torch):
    record = ["adaptive", "plain", "adaptive.v"]
    on_brian2 = _run(network, inputs, noisy, record=record, engine="brian2", device_seed=[3, 0, 7])
    assert on_torch.times.size > 300
    assert same_spikes(on_brian2, on_torch)
    assert np.array_equal(on_brian2.traces["adaptive.v"].values, on_torch.traces["adaptive.v"].values)
    assert on_brian2.provenance["events"] == on_torch.provenance["events"]
    assert all(row["lost"] > 0 for row in on_torch.provenance["events"])
    assert sum(row["dropped"] for row in on_torch.provenance["events"]) > 0


def test_other_devices_trials_and_runs_differ(network, inputs, noisy, on_torch):
    by_device = [on_torch.select(trials=(on_torch.trials["device_seed"] == seed).to_numpy()) for seed in (3, 0, 7)]
    assert not same_spikes(by_device[0], by_device[1])
    same_input = {"source": inputs["source"].select(trials=np.array([True, False, False]))}
    again = [_run(network, same_input, noisy, device_seed=3, seed=seed) for seed in (5, 5, 6)]
    assert same_spikes(again[0], again[1])
    assert not same_spikes(again[0], again[2])


def test_a_device_does_not_depend_on_its_neighbours_nor_on_their_order(network, inputs, noisy, on_torch):
    alone = _run(network, inputs, noisy, device_seed=7)
    turned = _run(network, inputs, noisy, device_seed=[7, 3])
    for together in (on_torch, turned):
        chosen = together.select(trials=(together.trials["device_seed"] == 7).to_numpy(), traces=[])
        assert same_spikes(alone, chosen)


def test_pieces_of_time_and_of_trials_make_no_difference(network, inputs, noisy, on_torch, monkeypatch):
    monkeypatch.setattr("snncompare.backends.torch.backend.STRETCH", 40 * 9 * 37)
    record = ["adaptive", "plain", "adaptive.v"]
    in_pieces = _run(network, inputs, noisy, record=record, device_seed=[3, 0, 7])
    assert same_spikes(in_pieces, on_torch)
    assert np.array_equal(in_pieces.traces["adaptive.v"].values, on_torch.traces["adaptive.v"].values)
    monkeypatch.setattr("snncompare.backends.brian2.backend.copies_allowed", lambda *_: 2)
    by_trials = _run(network, inputs, noisy, engine="brian2", device_seed=3)
    assert same_spikes(by_trials, on_torch.select(trials=(on_torch.trials["device_seed"] == 3).to_numpy(), traces=[]))


def test_plastic_synapses_see_lost_spikes_of_sources_and_true_ones_of_targets(network, inputs):
    learnt = network.projections["recur"].model_copy(
        update={
            "synapse": pair_stdp(exponential(tau="3 ms"), w_max="20 mV"),
            "weight": Uniform(low="0 mV", high="8 mV"),
        }
    )
    unfed = {name: p for name, p in network.projections.items() if "plain" not in (p.source, p.target)}
    cells = {name: p for name, p in network.populations.items() if name != "plain"}
    plastic = network.model_copy(update={"populations": cells, "projections": {**unfed, "recur": learnt}})
    chip = _chip(**{"noise.event_loss": 0.2, "noise.jitter": "0.7 ms"})
    one = {"source": inputs["source"].select(trials=np.array([True, False, False]))}
    runs = [_run(plastic, one, chip, engine=engine) for engine in ("torch", "brian2")]
    assert runs[0].times.size > 30
    assert same_spikes(*runs)
    assert not same_spikes(runs[0], _run(plastic, one, engine="fused"))


def test_the_frozen_part_runs_on_fused_kernels(network, inputs):
    chip = _chip(**FROZEN)
    runs = [_run(network, inputs, chip, engine=engine, device_seed=[2, 4]) for engine in ("torch", "fused")]
    assert same_spikes(*runs)  # Brian2 is compared with all imperfections on
    assert not same_spikes(runs[0], _run(network, inputs, chip, engine="fused", device_seed=[2, 5]))
    with pytest.raises(UnsupportedError, match=r"runs what is frozen on a chip only.*membrane noise.*engine='torch'"):
        _run(network, inputs, _chip(**{"noise.membrane": 0.1}), engine="fused")


@pytest.mark.parametrize("profile", ["bss2_uncalibrated", "loihi"])
def test_shipped_chips_are_the_same_on_torch_and_brian2(network, inputs, profile):
    kept = {"source", "adaptive"}
    cells = {name: p for name, p in network.populations.items() if name in kept}
    cells["adaptive"] = network.populations["plain"]
    forwards = network.model_copy(
        update={"populations": cells, "projections": {"drive": network.projections["drive"]}}
    )  # neither delays nor adaptation, which these chips do not have
    runs = [_run(forwards, inputs, profile, engine=engine, device_seed=[4, 5]) for engine in ("torch", "brian2")]
    assert runs[0].times.size > 50
    assert same_spikes(*runs)
    others = _run(forwards, inputs, profile, device_seed=[4, 6])
    assert same_spikes(runs[0], others) == (profile == "loihi")  # digital chips are all alike
    assert not same_spikes(runs[0], _run(forwards, inputs, device_seed=[4, 5]))


def test_a_recording_says_which_chip_and_trial(network, noisy, on_torch):
    trials = on_torch.trials
    assert trials["device_seed"].tolist() == [3, 3, 3, 0, 0, 0, 7, 7, 7]
    assert trials["source_trial"].tolist() == ["trial 0", "trial 1", "trial 2"] * 3
    assert trials.index.is_unique
    said = json.loads(json.dumps(on_torch.provenance))
    assert (said["backend"], said["engine"]["backend"], said["device_seeds"]) == ("analog", "torch", [3, 0, 7])
    assert ChipProfile.parse(said["profile"], "test") == noisy
    assert said["network"] == network.fingerprint()


def test_chips_are_seen_from_outside(network, noisy):
    program = compile_network(network, "analog", dt=DT, seed=1, profile=noisy, device_seed=[3, 7])
    assert [chip.device_seed for chip in program.chips] == [3, 7]
    got = program.mapping()
    taus = got[(got["where"] == "adaptive") & (got["name"] == "tau")]
    assert taus["device_seed"].tolist() == [3, 7]
    assert taus["got"].nunique() == 2
    assert program.resources.loc["adaptive", "neurons"] == 15
    assert program.events().empty
