"""The read-out of a chip: the converter's closed form, its sampling times, and chips that show spikes only."""

import numpy as np
import pytest

from snncompare.backends.analog import ChipProfile
from snncompare.backends.analog.chip import deploy_many
from snncompare.backends.analog.running.readout import Converter, Sampling
from snncompare.backends.registry import compile as compile_network
from snncompare.errors import UnsupportedError
from snncompare.testing.networks import driven_neuron, recurrent_network

ADC = {
    "readout.gain": 45,
    "readout.offset": 80,
    "readout.bits": 8,
    "readout.low": 30,
    "readout.high": 210,
}

SMALL = {
    "readout.gain": 10,
    "readout.offset": 20,
    "readout.low": 8,
    "readout.high": 52,
    "readout.bits": 6,
}


def _chip(**changes):
    return ChipProfile.load("plain").changed(**ADC, **changes)


def _converter(**changes):
    given = {"gain": 45.0, "offset": 80.0, "channel_offsets": np.zeros(1), "noise": 0.0, "low": 30.0, "high": 210.0}
    return Converter(**(given | changes), leak=np.array([-0.07]), distance=np.array([0.02]))


@pytest.mark.parametrize(
    ("potential", "code"), [(-0.07, 80), (-0.05, 125), (-0.0601, 102), (-0.2, 30), (0.1, 210)], ids=str
)
def test_codes_follow_the_closed_form(potential, code):
    assert _converter().codes(np.array([potential])) == code


@pytest.mark.parametrize(
    "change",
    [{"gain": 44.0}, {"offset": 81.0}, {"channel_offsets": np.ones(1)}, {"high": 100.0}, {"low": 130.0}],
    ids=str,
)
def test_every_number_of_a_converter_matters(change):
    values = np.linspace(-0.1, 0.0, 50)
    assert not np.array_equal(_converter(**change).codes(values), _converter().codes(values))


def test_values_miss_by_half_a_step_at_most():
    values = np.linspace(-0.089, -0.03, 1000)[:, None]
    converter = _converter(low=0.0, high=255.0)
    missed = converter.values(converter.codes(values)) - values
    step = 0.02 / 45
    assert np.abs(missed).max() <= step / 2 * (1 + 1e-9)
    # A uniform quantiser misses by step / sqrt(12) on average; a thousand values across 130 steps show it within 3 %.
    assert np.sqrt((missed**2).mean()) == pytest.approx(step / np.sqrt(12), rel=0.03)


def test_noise_and_channels_have_the_spread_of_the_profile():
    chip = _chip(**{"readout.noise_lsb": 2, "readout.offset_lsb": 3})
    network = recurrent_network(hidden=500)
    run = deploy_many(network, chip, device_seeds=[1, 2]).begin(n_trials=2, dt=5e-4, seed=0)
    codes = run.converter("adaptive", "v")
    lsb = 10e-3 / 45
    shown = run.read("adaptive", "v", np.full((40, 4, 500), 5e-3), 0) / lsb
    # Rounding adds 1/12 to the variance; 40 samples of 500 neurons and 4 copies: four standard errors are 1.5 %.
    assert np.sqrt(shown.var(axis=0, ddof=1).mean()) == pytest.approx(np.sqrt(4 + 1 / 12), rel=0.015)
    channels = codes.channel_offsets
    assert np.array_equal(channels[0], channels[1])  # the trials of a device
    assert not np.array_equal(channels[0], channels[2])  # another device
    # 1000 draws: four standard errors of a standard deviation are 9 %.
    assert channels[[0, 2]].std() == pytest.approx(3, rel=0.09)
    assert (shown.mean(axis=0) - 22.5)[0] == pytest.approx(channels[0], abs=4 * 2 / np.sqrt(40) + 0.5)


def test_samples_are_held_until_the_next_and_pieces_make_no_difference():
    chip = _chip(**{"readout.period": "2 ms", "readout.noise_lsb": 2})
    fleet = deploy_many(recurrent_network(hidden=5), chip, device_seeds=[1, 2])
    values = np.random.default_rng(0).normal(5e-3, 2e-3, (30, 4, 5))
    whole = fleet.begin(n_trials=2, dt=5e-4, seed=0).read("adaptive", "v", values, 0)
    run = fleet.begin(n_trials=2, dt=5e-4, seed=0)
    pieces = [run.read("adaptive", "v", values[a:b], a) for a, b in ((0, 3), (3, 9), (9, 10), (10, 30))]
    assert np.array_equal(np.concatenate(pieces), whole)
    assert np.array_equal(whole, np.repeat(whole[::4], 4, axis=0)[:30])
    assert not np.array_equal(whole[0], whole[4])


@pytest.mark.parametrize("period", [1.7e-3, 1.5e-3, 0.3e-3, 1e-4, None], ids=str)
def test_samples_are_taken_at_the_nearest_steps(period):
    sampling, steps = Sampling(period, 5e-4), np.arange(200)
    ratio = max((period or 5e-4) / 5e-4, 1)
    taken = np.floor(np.arange(200) * ratio + 0.5 + 1e-9)  # by the definition, with a margin for rounding
    expected = [np.flatnonzero(taken <= step)[-1] for step in steps]
    assert np.array_equal(sampling.numbers(steps), expected)
    assert sampling.shown_every == (3 if period == 1.5e-3 else 1)
    assert (Sampling(1.7e-3, 1e-4).shown_every, Sampling(1.7e-3, 1e-3).shown_every) == (17, 1)


def test_a_period_that_is_no_multiple_of_the_step_is_held_and_pieces_make_no_difference():
    chip = _chip(**{"readout.period": "1.7 ms", "readout.noise_lsb": 2})
    fleet = deploy_many(recurrent_network(hidden=5), chip, device_seeds=[1])
    values = np.random.default_rng(0).normal(5e-3, 2e-3, (40, 1, 5))
    whole = fleet.begin(n_trials=1, dt=5e-4, seed=0).read("adaptive", "v", values, 0)
    run = fleet.begin(n_trials=1, dt=5e-4, seed=0)
    pieces = [run.read("adaptive", "v", values[a:b], a) for a, b in ((0, 1), (1, 3), (3, 4), (4, 11), (11, 40))]
    assert np.array_equal(np.concatenate(pieces), whole)
    changes = 1 + np.flatnonzero((np.diff(whole[:, 0], axis=0) != 0).any(axis=1))
    assert changes.tolist() == [3, 7, 10, 14, 17, 20, 24, 27, 31, 34, 37]  # 3.4 steps, rounded


def test_a_program_shows_membranes_at_the_times_of_the_converter():
    bare = compile_network(driven_neuron(drive="9 mV"), "torch", dt="0.5 ms").run(
        {}, duration="30 ms", record=["cell.v"]
    )
    chip, roles = _chip(**{"readout.period": "1.5 ms"}), {"cell": {"drive": "other"}}  # no leak potential
    program = compile_network(driven_neuron(drive="9 mV"), "analog", dt="0.5 ms", profile=chip, roles=roles)
    seen = program.run({}, duration="30 ms", record=["cell", "cell.v"]).traces["cell.v"]
    expected = bare.traces["cell.v"].to_numpy()[0, 0, ::3]
    assert seen.attrs == {"unit": "volt", "dt": pytest.approx(1.5e-3)}
    assert seen["time"].to_numpy() == pytest.approx(np.arange(20) * 1.5e-3)
    shown = (np.floor(80 + expected / 10e-3 * 45) + 0.5 - 80) * 10e-3 / 45
    assert seen.to_numpy()[0, 0] == pytest.approx(shown, rel=1e-12)  # rounding of another order of operations
    assert seen.to_numpy()[0, 0] != pytest.approx(expected, rel=1e-3)


def test_chips_that_show_spikes_only_refuse_traces_in_words():
    for chip, record, words in (
        (ChipProfile.load("plain").changed(**{"readout.spikes_only": True}), "adaptive.v", "shows spikes only"),
        (_chip(), "adaptive.x_recur", "shows membranes only"),
    ):
        program = compile_network(recurrent_network(), "analog", dt="0.5 ms", profile=chip)
        with pytest.raises(UnsupportedError, match=words):
            program.run({}, duration="10 ms", record=[record])
    fused = compile_network(driven_neuron(), "analog", dt="0.5 ms", profile=_chip(), engine="fused")
    with pytest.raises(UnsupportedError, match="the engine 'fused' has no read-out"):
        fused.run({}, duration="10 ms", record=["cell.v"])


def test_neurons_without_a_threshold_are_read_on_the_scale_of_the_others():
    network = recurrent_network(hidden=5)
    cells = network.populations["plain"]
    quiet = cells.model_copy(
        update={"neuron": cells.neuron.model_copy(update={"threshold": None, "reset": "", "refractory": None})}
    )
    projections = {name: p for name, p in network.projections.items() if name != "back"}
    readout = network.model_copy(
        update={"populations": {**network.populations, "plain": quiet}, "projections": projections}
    )
    run = deploy_many(readout, _chip(), device_seeds=[0]).begin(n_trials=1, dt=5e-4, seed=0)
    assert run.converter("plain", "v").distance == pytest.approx(10e-3)


@pytest.mark.parametrize("bits", [8, 6])
def test_the_range_is_that_of_the_bits_and_not_the_one_that_is_reliable(bits):
    chip = ChipProfile.load("plain").changed(**(ADC if bits == 8 else SMALL))
    run = deploy_many(recurrent_network(hidden=5), chip, device_seeds=[0]).begin(n_trials=1, dt=5e-4, seed=0)
    converter = run.converter("adaptive", "v")
    assert converter.codes(np.array([-1.0, 1.0])[:, None, None]).ravel()[[0, -1]].tolist() == [0, 2**bits - 1]
    assert chip.readout.high.value < 2**bits - 1  # a range that would have been seen


def test_no_shipped_converter_stops_at_its_reliable_range():
    network = driven_neuron()
    run = deploy_many(network, "bss2_calibrated", device_seeds=[0], roles={"cell": {"drive": "other"}}).begin(
        n_trials=1, dt=5e-4, seed=0
    )
    far = run.converter("cell", "v").codes(np.array([-1.0, 1.0])[:, None, None])
    assert (far.min(), far.max()) == (0, 255)
