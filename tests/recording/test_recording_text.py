"""Spike times in plain text, with and without a believable unit."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from snncompare.errors import FileError, InputError, UnitError
from snncompare.recording.read import read
from snncompare.recording.text_units import refuse_impossible_seconds, to_seconds


@pytest.fixture
def text(tmp_path):
    def written(content, name="unit.txt"):
        path = tmp_path / name
        path.write_text(content)
        return path

    return written


def test_one_time_a_line_is_one_unit(text):
    recording = read(text("# seconds\n0.5\n1.25\n\n", "tetB_1.txt"))
    assert recording.train(0, "tetB_1").tolist() == [0.5, 1.25]
    assert recording.trials[["start", "stop"]].to_numpy().tolist() == [[0.0, 1.25]]


@pytest.mark.parametrize("separator", ["\t", " ", ",", "; "])
def test_one_train_a_line_is_one_unit_a_line(text, separator):
    recording = read(text(f"1{separator}2\n3{separator}4{separator}5\n"), time_unit="ms")
    assert [recording.train(0, i).tolist() for i in range(2)] == [[0.001, 0.002], [0.003, 0.004, 0.005]]


@pytest.mark.parametrize(
    ("time_unit", "expected"),
    [
        ("s", 30.0),
        ("ms", 0.03),
        ("us", 3e-5),
        ("0.1 ms", 0.003),
        ("1/15 ms", 0.002),
        ("15 kHz", 0.002),
        ("15000 Hz", 0.002),
    ],
)
def test_units_of_time_and_sampling_rates(time_unit, expected):
    assert to_seconds(np.array([30.0]), time_unit)[0] == pytest.approx(expected, rel=1e-15)


@given(st.integers(0, 10**7))
def test_milliseconds_become_the_nearest_float(milliseconds):
    assert to_seconds(np.array([float(milliseconds)]), "ms")[0] == float(f"{milliseconds}e-3")


@pytest.mark.parametrize("time_unit", ["mV", "15", "-1 ms", "fortnight", 16.0])
def test_what_is_no_unit_of_time_is_refused(text, time_unit):
    with pytest.raises(UnitError):
        read(text("1\n2\n"), time_unit=time_unit)


def test_seconds_that_cannot_be_are_refused_with_the_way_out(text):
    times = np.cumsum(np.random.default_rng(0).exponential(3000, 60)) + 0.25
    path = text("\n".join(map(str, times)))
    with pytest.raises(InputError, match=r"fire only once in .* days.*'15 kHz' .sampling rate.*--time-unit us"):
        read(path)
    assert read(path, time_unit="15 kHz").trials["stop"].iloc[0] == pytest.approx(times[-1] / 15000)
    assert read(path, time_unit="s").times.size == 60


def test_whole_numbers_over_hours_are_refused():
    with pytest.raises(InputError, match="all 30 times are whole numbers"):
        refuse_impossible_seconds([np.arange(30.0) * 1000], "x")


@pytest.mark.parametrize(
    "trains",
    [
        [np.arange(1, 30) * 300.1],
        [np.arange(100) * 90.5, np.cumsum(np.full(200, 0.2))],
        [np.arange(25.0)],
        [np.sort(np.random.default_rng(0).uniform(0, 86400, 20000))],
        [np.repeat(np.arange(12) * 600.0, 5) + np.tile(np.arange(5) * 0.1, 12)],
    ],
)
def test_real_sparse_recordings_pass(trains):
    """Few spikes; a slow unit beside a fast one; whole seconds for a short time; a whole day; rare bursts."""
    refuse_impossible_seconds(trains, "x")


@pytest.mark.parametrize(
    ("content", "error", "message"),
    [
        ("", FileError, "no spike times"),
        ("time\n1.0\n", FileError, r"line 1 .* \('time'\)"),
        ("1.0\n2.0\n0.5\n3.0\n0.1\n", InputError, "decrease 2 times, first in line 3"),
        ("1 2 3\n2 1 3\n", InputError, "decrease 1 times, first in line 2"),
        ("1.0\n\n2.0\n", InputError, "line 2 .* is blank"),
        ("1 2\n\n3 4\n5 6\n", InputError, "silent unit"),
        ("1.0\nnan\n", InputError, "not finite"),
        ("0\n", InputError, "how long"),
    ],
)
def test_text_that_is_not_clear_is_refused(text, content, error, message):
    with pytest.raises(error, match=message):
        read(text(content))


def test_bytes_are_no_text(tmp_path):
    (tmp_path / "x.txt").write_bytes(b"\xff\xfe\x00\x81")
    with pytest.raises(FileError, match="no plain text"):
        read(tmp_path / "x.txt")


def test_trains_with_one_blank_line_between_each_two_are_read(text):
    assert read(text("1 2\n\n3 4\n\n5 6\n")).n_units == 3


def test_locust_samples_that_claim_seconds_are_refused(shared_data):
    folder = shared_data / "locust_al_20010214" / "original_txt"
    for path in sorted(folder.glob("*.txt")):
        with pytest.raises(InputError, match=r"(129|130) days"):
            read(path)
    recording = read(path, time_unit="15 kHz")
    assert recording.trials["stop"].iloc[0] == pytest.approx(748.6, abs=1)


def test_pyspike_trains_are_read(shared_data):
    folder = shared_data / "pyspike_testdata"
    assert read(folder / "PySpike_testdata.txt", time_unit="ms").n_units == 40
    assert read(folder / "SPIKE_Sync_Test.txt", time_unit="ms").n_units == 50
