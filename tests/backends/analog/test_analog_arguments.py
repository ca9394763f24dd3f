"""The backend of emulated chips is found by name, conforms, and refuses wrong arguments in one line."""

import numpy as np
import pytest

from snncompare.backends import registry
from snncompare.backends.analog import AnalogBackend, ChipProfile
from snncompare.backends.registry import compile as compile_network
from snncompare.errors import InputError, SnncompareError, UnsupportedError
from snncompare.testing.conformance import conformance_checks
from snncompare.testing.networks import driven_neuron, recurrent_network

QUICK = {
    "a spike acts one step after it was fired, plus the delay",
    "two spikes of a neuron in one step are refused",
    "an input that is missing is refused",
}


def test_the_backend_is_installed():
    assert isinstance(registry.backend_named("analog"), AnalogBackend)


@pytest.mark.parametrize("check", [c for c in conformance_checks() if c.name in QUICK], ids=lambda check: check.name)
def test_an_ideal_chip_conforms(check):
    check.run("analog")


@pytest.mark.slow
@pytest.mark.parametrize(
    "check", [c for c in conformance_checks() if c.name not in QUICK], ids=lambda check: check.name
)
def test_an_ideal_chip_conforms_in_all_else(check):
    check.run("analog")


def test_a_noisy_chip_does_not_conform(monkeypatch):
    def noisy(network, backend, **options):
        chip = ChipProfile.load("plain").changed(**{"noise.membrane": 0.5})
        return compile_network(network, backend, **options, **({"profile": chip} if backend == "analog" else {}))

    monkeypatch.setattr("snncompare.testing.conformance.compile_network", noisy)
    check = next(
        c for c in conformance_checks() if c.name == "a spike acts one step after it was fired, plus the delay"
    )
    with pytest.raises(AssertionError, match="delay of 0 steps"):
        check.run("analog")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"engine": "torhc"}, "no engine 'torhc'; did you mean 'torch'"),
        ({"profile": "bss2_calibratd"}, "bss2_calibrated"),
        ({"profile": 3}, "profile is a ChipProfile, the name of one or a path, got int"),
        ({"device_seed": -1}, r"whole number from 0 to 2\*\*63 - 1, got -1"),
        ({"device_seed": 1.5}, "got 1.5"),
        ({"device_seed": True}, "got True"),
        ({"device_seed": "3"}, "got '3'"),
        ({"device_seed": []}, "1 to 100,000 different seeds"),
        ({"device_seed": [1, 2, 1]}, "different seeds"),
        ({"device_seed": range(200_000)}, "1 to 100,000"),
        ({"roles": {"cell": {"tua": "other"}}}, "tua"),
        ({"roles": {"cel": {}}}, "cel"),
        ({"tempo": 2}, "tempo"),
        ({"engine": "brian2", "tempo": 2}, "tempo"),
    ],
    ids=str,
)
def test_wrong_options_are_refused(options, words):
    with pytest.raises(SnncompareError, match=words) as refused:
        compile_network(driven_neuron(), "analog", dt="0.5 ms", **options)
    assert "\n" not in str(refused.value)


def test_device_seeds_may_be_any_sequence_of_whole_numbers():
    for given in (np.int64(4), [4], (4,), np.array([4]), range(4, 5)):
        program = compile_network(driven_neuron(), "analog", dt="0.5 ms", device_seed=given)
        assert program.fleet.device_seeds == (4,)


def test_what_the_chip_cannot_hold_is_refused():
    with pytest.raises(InputError):
        compile_network(recurrent_network(), "analog", dt="0.5 ms", profile="bss2_calibrated")  # delays
    with pytest.raises(UnsupportedError, match="one chip without noise and converter; give one device_seed"):
        compile_network(driven_neuron(), "analog", dt="0.5 ms", device_seed=[0, 1]).simulation()
    noisy = ChipProfile.load("plain").changed(**{"noise.membrane": 0.1})
    with pytest.raises(UnsupportedError, match="one chip without noise"):
        compile_network(driven_neuron(), "analog", dt="0.5 ms", profile=noisy).simulation()


def test_a_frozen_chip_goes_on_where_it_stood():
    chip = ChipProfile.load("plain").changed(**{"membrane_time_constant.cv": 0.2})
    program = compile_network(driven_neuron(), "analog", dt="0.5 ms", profile=chip, device_seed=9)
    whole = program.run({}, duration="100 ms").times
    simulation = program.simulation()
    pieces = [simulation.run("50 ms").times for _ in range(2)]
    assert pieces[0].size + pieces[1].size == whole.size > 3
    other = compile_network(driven_neuron(), "analog", dt="0.5 ms", profile=chip, device_seed=8)
    assert not np.array_equal(other.run({}, duration="100 ms").times, whole)
