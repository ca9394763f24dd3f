import json
from dataclasses import replace

import numpy as np
import pytest

from snncompare.backends.realisation import Realisation, realise
from snncompare.errors import FileError, InputError
from snncompare.number_archive import read_arrays, write_arrays
from snncompare.testing.networks import driven_neuron, poisson_input, recurrent_network
from snncompare.testing.replayed_hardware import BackendAsHardware, RecordingHardware, ReplayedHardware

ASKED = {"duration": "30 ms", "record": ["adaptive", "adaptive.v"]}


@pytest.fixture(scope="module")
def network():
    return recurrent_network(inputs=6, hidden=5)


@pytest.fixture(scope="module")
def drawn(network):
    return realise(network, 0, dt=1e-4)


@pytest.fixture(scope="module")
def inputs():
    return {"source": poisson_input(units=6, rate=200.0, duration=0.03, trials=2, seed=1)}


@pytest.fixture(scope="module")
def recorded(network, drawn, inputs, tmp_path_factory):
    """What a backend answers to two requests, and the file that keeps them."""
    hardware = RecordingHardware(BackendAsHardware("torch", dt="0.1 ms", profile="bss2_calibrated"))
    answers = [hardware.run(network, drawn, inputs, **ASKED)]
    answers.append(hardware.run(network, drawn, inputs, duration="40 ms", record=["plain"]))
    return answers, hardware.save(tmp_path_factory.mktemp("replay") / "chip.npz")


def test_what_was_asked_once_is_answered_again_to_the_last_bit(recorded, network, drawn, inputs):
    answers, path = recorded
    chip = ReplayedHardware.load(path)
    again = chip.run(network, drawn, inputs, **ASKED)
    assert again.times.size > 0
    assert again.equals(answers[0])
    assert again.traces["adaptive.v"].equals(answers[0].traces["adaptive.v"])
    other = chip.run(network, drawn, inputs, duration="0.04 s", record=("plain",))  # the same request in other words
    assert other.equals(answers[1])
    assert not other.equals(answers[0])  # control: the two answers differ


def test_the_double_says_that_it_is_one_and_keeps_the_limits(recorded):
    chip = ReplayedHardware.load(recorded[1])
    assert chip.available()
    assert "no hardware is used" in chip.available().reason
    assert chip.limits().name == "bss2_calibrated"


def changed_weight(drawn):
    feed = drawn.connections["drive"]
    weight = feed.weight.copy()
    weight[0] = np.nextafter(weight[0], 1.0)
    return Realisation({**drawn.connections, "drive": replace(feed, weight=weight)}, drawn.values)


def test_what_was_never_asked_is_refused_and_the_difference_is_named(recorded, network, drawn, inputs):
    chip = ReplayedHardware.load(recorded[1])
    other = {"source": poisson_input(units=6, rate=200.0, duration=0.03, trials=2, seed=2)}
    cases = [
        (network, changed_weight(drawn), inputs, ASKED, "weights of 'drive'"),
        (network, drawn, other, ASKED, "input 'source'"),
        (network, drawn, inputs, ASKED | {"duration": "29 ms"}, "duration"),
        (network, drawn, inputs, ASKED | {"record": ["adaptive"]}, "record"),
        (network.model_copy(update={"name": "other"}), drawn, inputs, ASKED, "network"),
    ]
    for described, weights, given, asked, said in cases:
        with pytest.raises(InputError, match=rf"no record of this request \(2 are recorded\).*differs in: {said}\."):
            chip.run(described, weights, given, **asked)


def test_the_same_requests_give_the_same_bytes(recorded, network, drawn, inputs, tmp_path):
    hardware = RecordingHardware(BackendAsHardware("torch", dt="0.1 ms", profile="bss2_calibrated"))
    hardware.run(network, drawn, inputs, **ASKED)
    hardware.run(network, drawn, inputs, duration="40 ms", record=["plain"])
    hardware.run(network, drawn, inputs, **ASKED)  # asked twice, kept once
    path = hardware.save(tmp_path / "again.npz")
    assert path.read_bytes() == recorded[1].read_bytes()
    other = RecordingHardware(BackendAsHardware("torch", dt="0.1 ms", profile="ideal"))  # control: other limits
    other.run(network, drawn, inputs, **ASKED)
    assert other.save(tmp_path / "other.npz").read_bytes() != path.read_bytes()


def test_damaged_and_foreign_files_are_refused_in_a_line(recorded, tmp_path):
    whole = recorded[1].read_bytes()
    files = {"cut.npz": whole[: len(whole) // 2], "text.npz": b"nothing of the kind"}
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
        with pytest.raises(FileError, match="no replay of hardware, or it is damaged") as found:
            ReplayedHardware.load(tmp_path / name)
        assert "\n" not in str(found.value)
    arrays = read_arrays(recorded[1], 10**9, 100)
    header = json.loads(arrays["header"].tobytes())
    for key, value, said in (
        ("version", 2, "version 2"),
        ("requests", [{}], "damaged"),
        ("limits", {"name": "x"}, "limits"),
    ):
        encoded = np.frombuffer(json.dumps(header | {key: value}).encode(), dtype=np.uint8)
        write_arrays(tmp_path / "changed.npz", arrays | {"header": encoded})
        with pytest.raises(FileError, match=said):
            ReplayedHardware.load(tmp_path / "changed.npz")
    write_arrays(tmp_path / "less.npz", {name: a for name, a in arrays.items() if name != "answer_1_times"})
    with pytest.raises(FileError, match="answer_1_times"):
        ReplayedHardware.load(tmp_path / "less.npz")
    with pytest.raises(FileError, match="there is no file"):
        ReplayedHardware.load(tmp_path / "absent.npz")


class Noisy(BackendAsHardware):
    """A chip whose weights are other ones in every run."""

    def run(self, network, realisation, inputs, **options):
        self.seed += 1
        feed = realisation.connections["drive"]
        noise = np.random.default_rng(self.seed).normal(1.0, 0.3, feed.weight.size)
        there = {**realisation.connections, "drive": replace(feed, weight=feed.weight * noise)}
        return super().run(network, Realisation(there, realisation.values), inputs, **options)


def test_a_noisy_chip_that_is_asked_twice_is_refused_and_the_first_answer_stays(network, drawn, inputs, tmp_path):
    hardware = RecordingHardware(Noisy("torch", dt="0.1 ms"))
    first = hardware.run(network, drawn, inputs, **ASKED)
    with pytest.raises(InputError, match="answered the same request differently; a replay holds one answer to each"):
        hardware.run(network, drawn, inputs, **ASKED)
    hardware.run(network, drawn, inputs, duration="31 ms")  # control: another request
    kept = ReplayedHardware.load(hardware.save(tmp_path / "noisy.npz"))
    assert kept.run(network, drawn, inputs, **ASKED).equals(first)
    still = RecordingHardware(BackendAsHardware("torch", dt="0.1 ms"))  # control: a chip without noise
    assert still.run(network, drawn, inputs, **ASKED).equals(still.run(network, drawn, inputs, **ASKED))


def test_an_empty_replay_is_not_written(tmp_path):
    hardware = RecordingHardware(BackendAsHardware("torch", dt="0.1 ms"))
    with pytest.raises(InputError, match="nothing was asked yet"):
        hardware.save(tmp_path / "empty.npz")
    neuron = driven_neuron()
    hardware.run(neuron, realise(neuron, 0), {}, duration="10 ms")
    with pytest.raises(InputError, match=r"got 'a\.txt'"):
        hardware.save(tmp_path / "a.txt")
    assert hardware.save(tmp_path / "a.npz").is_file()
