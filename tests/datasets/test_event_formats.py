"""Files and arrays of event cameras: what is written is read, others read it, broken files are refused."""

from importlib.util import find_spec, module_from_spec, spec_from_file_location
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from snncompare.datasets.formats.aedat import CHIPS, read_aedat, write_aedat
from snncompare.datasets.formats.event_arrays import (
    EVENT,
    checked_events,
    event_array,
    events_of,
    recording_of_events,
    spikes_of_events,
)
from snncompare.datasets.formats.n_mnist import read_n_mnist, write_n_mnist
from snncompare.encoding.stimuli import Movie
from snncompare.encoding.visual.event_camera import EventCamera
from snncompare.errors import FileError, InputError


def from_tonic(name):
    """Return a module of tonic, an independent reader, without the rest of it, which needs more packages."""
    package = find_spec("tonic")
    if package is None:
        pytest.skip("tonic, the independent reader, is not installed")
    path = Path(package.submodule_search_locations[0]) / f"{name}.py"
    spec = spec_from_file_location(f"tonic_{path.stem}", path)
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def made(n, width, height, last=300_000, seed=0):
    """Return random events, some at the same time, some of them equal."""
    rng = np.random.default_rng(seed)
    t = np.sort(rng.integers(0, last, n))
    t[n // 2] = t[n // 2 - 1]
    events = event_array(rng.integers(0, width, n), rng.integers(0, height, n), t, rng.integers(0, 2, n))
    events[n // 2] = events[n // 2 - 1]
    return events


class TestNMnistFiles:
    def test_the_bytes_are_those_of_the_published_layout(self, tmp_path):
        """Orchard's Read_Ndataset.m: x, y, polarity in bit 7, then 23 bits of time, highest first."""
        write_n_mnist(event_array([33, 0], [1, 32], [5, 0x012345], [1, 0]), tmp_path / "a.bin")
        assert (tmp_path / "a.bin").read_bytes() == bytes([33, 1, 0x80, 0, 5, 0, 32, 0x01, 0x23, 0x45])

    @pytest.mark.parametrize("last", [300_000, 60_000_000], ids=["digit", "minute"])
    def test_events_survive_exactly(self, tmp_path, last):
        events = made(3000, 240, 180, last)
        write_n_mnist(events, tmp_path / "a.bin", width=240, height=180)
        assert np.array_equal(read_n_mnist(tmp_path / "a.bin", width=240, height=180), events)
        if last > 1 << 23:
            # 23 bits hold 8.4 s: rows of 240, which are no events, add 8192 microseconds each.
            assert (tmp_path / "a.bin").stat().st_size > 5 * len(events)

    @pytest.mark.parametrize("t", [2**23 - 1, 2**23, 2**23 + 8191, 2**23 + 8192])
    def test_times_around_the_overflow_survive(self, tmp_path, t):
        events = event_array([0, 1], [2, 3], [7, t], [0, 1])
        write_n_mnist(events, tmp_path / "a.bin")
        assert np.array_equal(read_n_mnist(tmp_path / "a.bin"), events)

    @pytest.mark.parametrize("last", [300_000, 20_000_000], ids=["digit", "overflow"])
    def test_tonic_reads_the_same_events(self, tmp_path, last):
        tonic_io = from_tonic("io")
        events = made(500, 34, 34, last)
        write_n_mnist(events, tmp_path / "a.bin")
        theirs = tonic_io.read_mnist_file(str(tmp_path / "a.bin"), dtype=EVENT)
        assert np.array_equal(theirs, events)

    def test_an_empty_recording_is_an_empty_file(self, tmp_path):
        write_n_mnist(made(4, 34, 34)[:0], tmp_path / "a.bin")
        assert len(read_n_mnist(tmp_path / "a.bin")) == 0

    @pytest.mark.parametrize(
        ("content", "says"),
        [
            (bytes(7), "no whole number of events"),
            (bytes([34, 0, 0, 0, 0]), "'x' of events goes from 0 to 33"),
            (bytes([0, 0, 0, 0, 9, 0, 0, 0, 0, 8]), "event 1 comes before event 0"),
        ],
        ids=["cut", "pixel", "time"],
    )
    def test_broken_files_are_refused(self, tmp_path, content, says):
        (tmp_path / "a.bin").write_bytes(content)
        with pytest.raises(FileError, match=says) as caught:
            read_n_mnist(tmp_path / "a.bin")
        assert "\n" not in str(caught.value)

    def test_what_cannot_be_read_or_written_is_refused(self, tmp_path):
        with pytest.raises(FileError, match="cannot be read"):
            read_n_mnist(tmp_path / "absent.bin")
        with pytest.raises(FileError, match="cannot be written"):
            write_n_mnist(made(4, 34, 34), tmp_path / "absent" / "a.bin")
        with pytest.raises(InputError, match="up to 256 x 240"):
            write_n_mnist(made(4, 34, 34), tmp_path / "a.bin", width=346, height=260)


@pytest.mark.parametrize("chip", list(CHIPS))
@pytest.mark.parametrize("version", ["2.0", "3.1"])
class TestAedat:
    def test_events_survive_exactly_and_the_camera_is_known(self, tmp_path, chip, version):
        events = made(3000, CHIPS[chip].width, CHIPS[chip].height)
        write_aedat(events, tmp_path / "a.aedat", chip=chip, version=version)
        read, name = read_aedat(tmp_path / "a.aedat")
        assert np.array_equal(read, events)
        assert name == chip

    def test_a_file_that_is_cut_off_is_refused(self, tmp_path, chip, version):
        write_aedat(made(20, 100, 100), tmp_path / "a.aedat", chip=chip, version=version)
        content = (tmp_path / "a.aedat").read_bytes()
        for missing in (1, 7, len(content) - 20):
            (tmp_path / "a.aedat").write_bytes(content[:-missing])
            with pytest.raises(FileError, match=r"cut off|ends within|does not end|names no camera"):
                read_aedat(tmp_path / "a.aedat")

    def test_tonic_finds_the_same_addresses_and_times(self, tmp_path, chip, version):
        tonic_io = from_tonic("io")
        events = made(200, CHIPS[chip].width, CHIPS[chip].height)
        write_aedat(events, tmp_path / "a.aedat", chip=chip, version=version)
        content = (tmp_path / "a.aedat").read_bytes()
        if version == "3.1":
            start = content.index(b"#!END-HEADER\r\n") + 14
        else:
            found_version, start, _ = tonic_io.read_aedat_header_from_file(str(tmp_path / "a.aedat"))
            assert found_version == 2.0
        theirs = tonic_io.get_aer_events_from_file(str(tmp_path / "a.aedat"), float(version), start)
        address = theirs["address"].astype(np.int64)
        assert np.array_equal(theirs["timeStamp"], events["t"])
        if version == "3.1":  # as its read_dvs_red takes them apart
            x, y, p = address >> 17, (address >> 2) & 0x7FFF, (address >> 1) & 1
        elif chip == "DVS128":  # its read_dvs_128, which calls columns rows; rows from the bottom
            x, y, p = (address >> 1) & 127, 127 - ((address >> 8) & 127), address & 1
        else:  # its read_davis_346, without its mirroring of columns
            x, p = (address & 4190208) >> 12, (address & 2048) >> 11
            y = CHIPS[chip].height - 1 - ((address & 2143289344) >> 22)
        assert np.array_equal(event_array(x, y, events["t"], p), events)


class TestAedatDetails:
    def test_other_packets_and_events_marked_invalid_are_left_out(self, tmp_path):
        events = made(50, 128, 128)
        write_aedat(events, tmp_path / "a.aedat", chip="DVS128")
        content = (tmp_path / "a.aedat").read_bytes()
        start = content.index(b"#!END-HEADER\r\n") + 14
        other = np.array([(3, 0)], dtype="<i2").tobytes() + np.array([12, 4, 0, 2, 2, 2], dtype="<i4").tobytes()
        body = bytearray(content[start:])
        body[28] &= 0xFE  # the mark of the first event
        (tmp_path / "a.aedat").write_bytes(content[:start] + other + bytes(24) + bytes(body))
        assert np.array_equal(read_aedat(tmp_path / "a.aedat")[0], events[1:])

    def test_times_beyond_31_bits_are_continued_by_the_packet(self, tmp_path):
        write_aedat(event_array([1], [2], [5], [1]), tmp_path / "a.aedat", chip="DVS128")
        content = bytearray((tmp_path / "a.aedat").read_bytes())
        start = content.index(b"#!END-HEADER\r\n") + 14
        content[start + 12] = 1  # time overflow
        (tmp_path / "a.aedat").write_bytes(content)
        assert read_aedat(tmp_path / "a.aedat")[0]["t"].tolist() == [2**31 + 5]

    def test_records_of_frames_and_sensors_are_left_out_of_aedat_2(self, tmp_path):
        events = made(50, 240, 180)
        write_aedat(events, tmp_path / "a.aedat", chip="DAVIS240", version="2.0")
        with (tmp_path / "a.aedat").open("ab") as stream:
            for flag in (1 << 31, 1 << 10):
                stream.write(np.array([flag, events["t"][-1]], dtype=">u4").tobytes())
        assert np.array_equal(read_aedat(tmp_path / "a.aedat")[0], events)

    @pytest.mark.parametrize(
        ("content", "says"),
        [
            (b"spikes", "no AEDAT file"),
            (b"#!AER-DAT4.0\r\n", r"AEDAT 4\.0; versions 2\.0 and 3\.1"),
            (b"#!AER-DAT2.0\r\n# hello\r\n", "names no camera"),
            (b"#!AER-DAT2.0\r\n# AEChip: x.DVS128", "cut off"),
            (b"#!AER-DAT3.1\r\n#Source 0: DVS128\r\n", "does not end"),
            (b"#!AER-DAT3.1\r\n#Source 0: DVS128\r\n#!END-HEADER\r\n" + b"\x01\x00\x00\x00" + b"\xff" * 24, "cut off"),
        ],
        ids=range(6),
    )
    def test_other_files_are_refused_in_one_line(self, tmp_path, content, says):
        (tmp_path / "a.aedat").write_bytes(content)
        with pytest.raises(FileError, match=says) as caught:
            read_aedat(tmp_path / "a.aedat")
        assert "\n" not in str(caught.value)

    def test_a_camera_can_be_named_where_the_file_does_not(self, tmp_path):
        (tmp_path / "a.aedat").write_bytes(b"#!AER-DAT2.0\r\n" + np.array([3, 9], dtype=">u4").tobytes())
        events, chip = read_aedat(tmp_path / "a.aedat", chip="DVS128")
        assert events.tolist() == [(1, 127, 9, True)]
        assert chip == "DVS128"

    def test_cameras_versions_and_events_that_do_not_fit_are_refused(self, tmp_path):
        events = made(4, 128, 128)
        with pytest.raises(InputError, match="did you mean 'DVS128'"):
            write_aedat(events, tmp_path / "a", chip="DVS182")
        with pytest.raises(InputError, match=r"no version of AEDAT '4\.0'"):
            write_aedat(events, tmp_path / "a", chip="DVS128", version="4.0")
        with pytest.raises(InputError, match="2147"):
            write_aedat(event_array([0], [0], [2**31], [0]), tmp_path / "a", chip="DVS128")
        with pytest.raises(InputError, match="128 x 128 pixels"):
            write_aedat(event_array([128], [0], [0], [0]), tmp_path / "a", chip="DVS128")


class TestArrays:
    def test_events_become_spikes_of_their_pixel_and_come_back(self):
        events = made(500, 34, 20)
        recording = recording_of_events([events, events[:7]], 34, 20, duration="300 ms")
        for trial, original in enumerate((events, events[:7])):
            back = events_of(recording, trial)
            unit = 2 * (original["y"].astype(int) * 34 + original["x"]) + original["p"]
            # Recordings order by unit; events at one time come back in the order of their units.
            assert np.array_equal(back, original[np.lexsort((unit, original["t"]))])
        assert recording.trials["stop"].tolist() == [0.3, 0.3]
        assert spikes_of_events(events, 34, 20).counts.sum() == 500

    def test_the_events_of_our_camera_can_be_written_and_read(self, tmp_path):
        frames = np.random.default_rng(0).uniform(size=(20, 34, 34))
        recording = EventCamera().encode([Movie(frames, "100 Hz", 1.0)], seed=0)
        events = events_of(recording, 0)
        write_n_mnist(events, tmp_path / "a.bin")
        again = recording_of_events([read_n_mnist(tmp_path / "a.bin")], 34, 34, duration="200 ms")
        assert np.array_equal(again.offsets, recording.offsets)
        # Files keep whole microseconds.
        assert again.times == pytest.approx(recording.times, abs=0.5001e-6)
        assert recording.times.size > 1000
        assert again.units.equals(recording.units)

    def test_arrays_have_the_form_of_those_of_tonic(self):
        events = made(500, 34, 34)
        theirs = from_tonic("io").make_structured_array(*(events[name].astype(int) for name in "xytp"))
        assert theirs.dtype == EVENT
        assert np.array_equal(theirs, events)
        assert np.array_equal(checked_events(theirs.astype([(name, int) for name in "xytp"]), 34, 34), events)

    def test_times_count_from_the_start_of_a_trial(self):
        recording = recording_of_events([event_array([1], [1], [5000], [1])], 2, 2, duration="10 ms")
        trials = recording.trials.assign(start=0.004)
        moved = type(recording)(times=recording.times, offsets=recording.offsets, units=recording.units, trials=trials)
        assert events_of(moved, 0)["t"].tolist() == [1000]

    @pytest.mark.parametrize(
        ("events", "says"),
        [
            (np.zeros(3), "structured array with the fields x, y, t, p"),
            (np.zeros(3, dtype=[("x", int), ("y", int), ("t", int)]), "fields x, y, t, p"),
            (np.zeros((3, 1), dtype=EVENT), "structured array"),
            (
                np.zeros(3, dtype=[("x", int), ("y", int), ("t", float), ("p", int)]),
                "'t' of events holds whole numbers",
            ),
            (np.array([(1, 1, -1, 0)], dtype=EVENT), "'t' of events goes from 0"),
            (np.array([(9, 1, 1, 0)], dtype=EVENT), "'x' of events goes from 0 to 4"),
            (np.array([(1, 1, 1, 2)], dtype=[(n, int) for n in "xytp"]), "'p' of events goes from 0 to 1"),
        ],
        ids=range(7),
    )
    def test_arrays_that_are_no_events_are_refused(self, events, says):
        with pytest.raises(InputError, match=says):
            checked_events(events, 5, 5)

    def test_units_that_are_no_pixels_and_trials_that_are_not_there_are_refused(self):
        recording = recording_of_events([made(4, 2, 2)], 2, 2, duration="1 s")
        with pytest.raises(InputError, match="there is no trial 1"):
            events_of(recording, 1)
        plain = type(recording)(
            times=recording.times,
            offsets=recording.offsets,
            units=pd.DataFrame(index=recording.units.index),
            trials=recording.trials,
        )
        with pytest.raises(InputError, match="columns x, y and polarity"):
            events_of(plain, 0)

    def test_an_event_after_the_trial_is_refused(self):
        with pytest.raises(InputError):
            recording_of_events([event_array([0], [0], [10_001], [0])], 2, 2, duration="10 ms")
