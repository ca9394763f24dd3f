"""Traces survive the project's own file, Neo and NIX to the last bit; what others wrote is left and named."""

import io
import json
import zipfile
from dataclasses import replace

import neo
import numpy as np
import pandas as pd
import pytest
import quantities as pq
from hypothesis import example, given, settings
from hypothesis import strategies as st

from snncompare.errors import FileError, UnitError
from snncompare.recording.archive import load, save
from snncompare.recording.inspect import describe
from snncompare.recording.read import read
from snncompare.recording.recording import Recording
from snncompare.recording.to_neo import SCHEMA
from snncompare.recording.traces import trace_array

LABELS = {
    "text": ["a", "b[0]", "ü"],
    "numbers": [7, -3, 0],
    "reals": [0.5, -1.0, 3.0],
    "range": range(3),
}
UNITS_OF_MEASUREMENT = ["volt", "1", "siemens/metre**2", "kilogram*metre**-1", "V", "1/second", "mV*kohm"]


def build(values, units, kept, *, first=0, dt=1e-4, unit="volt", moved=0.0, name="hidden.v"):
    time = (first + np.arange(values.shape[2])) * dt + moved
    trials = pd.DataFrame({"start": time[0] - 1.0, "stop": time[-1] + 1.0}, index=[f"t{i}" for i in range(len(values))])

    def made(values, kept, unit):
        return trace_array(values, trials=trials.index, units=units[kept], time=time, unit=unit, dt=dt)

    return Recording.from_arrays(
        times=[time[0]],
        unit=[units[0]],
        trial=["t0"],
        units=pd.DataFrame(index=units),
        trials=trials,
        traces={name: made(values, kept, unit), "second": made(values[:, :1], kept[:1], "amp")},
    )


@st.composite
def recordings(draw):
    units = pd.Index(LABELS[draw(st.sampled_from(sorted(LABELS)))])
    kept = sorted(draw(st.sets(st.integers(0, 2), min_size=1)))
    shape = (draw(st.integers(1, 3)), len(kept), draw(st.integers(1, 5)))
    dtype = draw(st.sampled_from([np.float32, np.float64]))
    floats = st.floats(allow_nan=True, allow_infinity=False, width=32 if dtype == np.float32 else 64)
    drawn = draw(st.lists(floats, min_size=int(np.prod(shape)), max_size=int(np.prod(shape))))
    return build(
        np.array(drawn, dtype=dtype).reshape(shape),
        units,
        kept,
        first=draw(st.integers(-1000, 1000)),
        dt=draw(st.sampled_from([1e-4, 0.1, 1 / 3, 1.0])),
        unit=draw(st.sampled_from(UNITS_OF_MEASUREMENT)),
        moved=draw(st.sampled_from([0.0, 1.234e-5])),
        name=draw(st.sampled_from(["hidden.v", "x", "a b/c", "µ"])),
    )


def small(**changes):
    values = np.linspace(-0.07, -0.05, 12).reshape(2, 2, 3)
    values[0, 1, 2] = np.nan
    return build(values, pd.Index(["a", "b", "c"]), [0, 2], **changes)


def same(one, other):
    assert one.equals(other)
    assert one.provenance == other.provenance
    for name, trace in one.traces.items():
        assert trace.identical(other.traces[name])


@settings(max_examples=50)
@example(small())
@given(recordings())
def test_traces_to_neo_and_back_are_exact(recording):
    same(recording, Recording.from_neo(recording.to_neo()))


@settings(max_examples=50)
@example(small())
@given(recordings())
def test_saved_traces_come_back_exactly(tmp_path_factory, recording):
    path = recording.save(tmp_path_factory.mktemp("saved") / "recording.npz")
    same(recording, Recording(**load(path)))


def test_a_changed_sample_is_seen(tmp_path):
    """Negative control of the round trips."""
    recording = small()
    block = recording.to_neo()
    block.segments[1].analogsignals[0][2, 1] *= 1 + 1e-15
    assert not Recording.from_neo(block).equals(recording)
    with zipfile.ZipFile(save(recording, tmp_path / "x.npz")) as stored:
        held = {name: stored.read(name) for name in stored.namelist()}
    held["trace_0.npy"] = held["trace_0.npy"][:-1] + bytes([held["trace_0.npy"][-1] ^ 1])
    with zipfile.ZipFile(tmp_path / "changed.npz", "w") as changed:
        for name, content in held.items():
            changed.writestr(name, content)
    assert not Recording(**load(tmp_path / "changed.npz")).equals(recording)


@pytest.mark.parametrize("unit", ["volt", "1", "siemens/metre**2", "1/second"])
def test_traces_survive_a_nix_file(tmp_path, unit):
    recording = small(unit=unit)
    path = tmp_path / "recording.nix"
    with neo.io.NixIO(str(path), mode="ow") as file:
        file.write_block(recording.to_neo())
    assert read(path).equals(recording)


def test_neo_gets_one_named_signal_per_trace_with_unit_and_channel_names():
    block = small(first=5).to_neo()
    assert [[s.name for s in segment.analogsignals] for segment in block.segments] == [["hidden.v", "second"]] * 2
    signal = block.segments[1].analogsignals[0]
    assert signal.units == pq.V
    assert signal.shape == (3, 2)
    assert signal.rescale("mV").magnitude[0, 0] == pytest.approx(1e3 * small().traces["hidden.v"].values[1, 0, 0])
    assert signal.t_start.rescale("s").magnitude == 5 * 1e-4
    # A sampling rate is stored, whose inverse is rounded once.
    assert float(signal.sampling_period.rescale("s")) == pytest.approx(1e-4, rel=1e-15)
    assert signal.array_annotations["channel_names"].tolist() == ["a", "c"]
    signal[0, 0] = 0 * pq.V


@pytest.mark.parametrize(
    ("unit", "expected"),
    [
        ("volt", "V"),
        ("1", "dimensionless"),
        ("siemens/metre**2", "S/m**2"),
        ("mvolt*kohm", "kg**2*m**4/(s**6*A**3)"),  # Neo knows no mvolt
    ],
)
def test_units_of_measurement_are_written_as_neo_writes_them(unit, expected):
    signal = small(unit=unit).to_neo().segments[0].analogsignals[0]
    assert signal.dimensionality.string == expected


def test_a_unit_of_measurement_in_a_block_cannot_run_code(tmp_path):
    block = small().to_neo()
    schema = json.loads(block.annotations[SCHEMA])
    schema["traces"]["hidden.v"]["unit"] = f"open({str(tmp_path / 'ran')!r}, 'w')"
    block.annotations[SCHEMA] = json.dumps(schema)
    with pytest.raises(UnitError, match="no unit 'open'"):
        Recording.from_neo(block)
    assert not (tmp_path / "ran").exists()


def changed_in_neo(change):
    block = small().to_neo()
    for segment in block.segments:
        change(segment)
    return Recording.from_neo(block)


def replaced(change):
    """Return what replaces the first signal of a Segment by its changed copy."""

    def apply(segment):
        old = segment.analogsignals[0]
        new = neo.AnalogSignal(
            old.magnitude, units=old.units, t_start=old.t_start, sampling_rate=old.sampling_rate, name=old.name
        )
        segment.analogsignals = [change(new), *segment.analogsignals[1:]]

    return apply


def test_a_trace_that_neo_holds_in_millivolts_comes_back_in_volts():
    back = changed_in_neo(replaced(lambda signal: signal.rescale("mV")))
    assert "left_out" not in back.provenance
    assert back.traces["hidden.v"].attrs["unit"] == "volt"
    # Two multiplications, by 1e3 and by 1e-3, of half a unit in the last place each.
    np.testing.assert_allclose(back.traces["hidden.v"], small().traces["hidden.v"], rtol=4.5e-16, atol=0)


def test_segments_signals_and_units_taken_away_in_neo_leave_the_rest():
    values = small().traces["hidden.v"].values
    block = small().to_neo()
    block.segments = block.segments[:1]
    np.testing.assert_array_equal(Recording.from_neo(block).traces["hidden.v"], values[:1])
    block = small().to_neo()
    block.segments[0].analogsignals = block.segments[0].analogsignals[1:]
    np.testing.assert_array_equal(Recording.from_neo(block).traces["hidden.v"], [np.full((2, 3), np.nan), values[1]])

    def without_a(segment):
        segment.spiketrains = [train for train in segment.spiketrains if train.name != "a"]

    back = changed_in_neo(without_a)
    np.testing.assert_array_equal(back.traces["hidden.v"], values[:, 1:])
    assert list(back.traces) == ["hidden.v"]
    assert back.provenance["left_out"] == ["analog signals of the Segments: second"]


def test_units_in_another_order_take_their_samples_with_them():
    def reversed_trains(segment):
        segment.spiketrains = list(segment.spiketrains)[::-1]

    back = changed_in_neo(reversed_trains)
    assert back.units.index.tolist() == ["c", "b", "a"]
    np.testing.assert_array_equal(back.traces["hidden.v"].sel(unit="a"), small().traces["hidden.v"].sel(unit="a"))


CHANGES = {
    "in amperes": lambda s: neo.AnalogSignal(
        s.magnitude, units="A", t_start=s.t_start, sampling_rate=s.sampling_rate, name=s.name
    ),
    "later": lambda s: s.time_shift(1 * pq.ms),
    "faster": lambda s: neo.AnalogSignal(
        s.magnitude, units=s.units, t_start=s.t_start, sampling_rate=2 * s.sampling_rate, name=s.name
    ),
}


@pytest.mark.parametrize("name", CHANGES)
def test_a_signal_changed_so_that_it_no_longer_fits_is_left_and_named(name):
    back = changed_in_neo(replaced(CHANGES[name]))
    assert list(back.traces) == ["second"]
    assert back.provenance["left_out"] == ["analog signals of the Segments: hidden.v"]


@pytest.mark.parametrize("moved", [0.0, 1e-5])
def test_signals_cut_short_in_neo_are_short_traces_unless_they_differ(moved):
    block = small(moved=moved).to_neo()
    shortened = replaced(lambda signal: signal[:2])
    shortened(block.segments[0])
    assert list(Recording.from_neo(block).traces) == ["second"]
    shortened(block.segments[1])
    held = small(moved=moved).traces["hidden.v"]
    np.testing.assert_array_equal(Recording.from_neo(block).traces["hidden.v"], held.isel(time=slice(2)))


def test_a_signal_replaced_by_its_copy_fits():
    """Negative control of the changes."""
    same(changed_in_neo(replaced(lambda signal: signal)), small())


def test_signals_of_others_are_left_and_named():
    segment = neo.Segment()
    segment.spiketrains.append(neo.SpikeTrain([1.0], units="s", t_stop=2.0, name="u"))
    segment.analogsignals.append(neo.AnalogSignal(np.zeros((4, 1)), units="mV", sampling_rate=1 * pq.Hz, name="LFP"))
    segment.analogsignals.append(neo.AnalogSignal(np.zeros((4, 1)), units="mV", sampling_rate=1 * pq.Hz))
    segment.irregularlysampledsignals.append(neo.IrregularlySampledSignal([0.0, 3.0] * pq.s, [1, 2] * pq.m, name="eye"))
    recording = Recording.from_neo(segment)
    assert recording.traces == {}
    assert recording.provenance["left_out"] == ["analog signals of the Segments: LFP, eye, without name"]
    assert "Not read:\n  analog signals of the Segments: LFP, eye, without name" in describe(recording)


def test_many_signals_of_others_are_counted():
    segment = neo.Segment()
    segment.spiketrains.append(neo.SpikeTrain([1.0], units="s", t_stop=2.0, name="u"))
    for i in range(11):
        signal = neo.AnalogSignal(np.zeros((4, 1)), units="mV", sampling_rate=1 * pq.Hz, name=f"s{i:02}")
        segment.analogsignals.append(signal)
    assert Recording.from_neo(segment).provenance["left_out"][0].endswith("s06, s07 and 3 more")


OLD_HEADER = {
    "format": "snncompare recording",
    "version": 1,
    "units": {"index": {"name": None, "range": False, "type": "object"}, "names": ["a"], "columns": []},
    "trials": {
        "index": {"name": None, "range": True, "type": "int64"},
        "names": [0],
        "columns": [
            {"name": "start", "type": {"type": "float64"}, "values": [0.0]},
            {"name": "stop", "type": {"type": "float64"}, "values": [1.0]},
        ],
    },
    "marks": [],
    "provenance": {},
}


def archive(path, header, **arrays):
    encoded = np.frombuffer(json.dumps(header).encode(), dtype=np.uint8)
    np.savez(path, header=encoded, times=np.array([0.5]), offsets=np.array([0, 1]), **arrays)
    return path


def test_a_file_written_before_there_were_traces_is_read(tmp_path):
    recording = read(archive(tmp_path / "old.npz", OLD_HEADER))
    assert recording.train(0, "a").tolist() == [0.5]
    assert recording.traces == {}


def test_a_file_without_traces_is_written_as_before_there_were_any(tmp_path):
    def header(recording):
        with zipfile.ZipFile(recording.save(tmp_path / "x.npz")) as stored:
            return sorted(stored.namelist()), json.loads(np.load(io.BytesIO(stored.read("header.npy"))).tobytes())

    names, without = header(replace(small(), traces={}))
    assert names == ["header.npy", "offsets.npy", "times.npy"]
    assert without.keys() == OLD_HEADER.keys()
    assert without["version"] == 1
    names, with_traces = header(small())
    assert with_traces["version"] == 2
    assert {"trace_0.npy", "trace_0_time.npy", "trace_1.npy", "trace_1_time.npy"} < set(names)


def test_the_same_traces_give_the_same_bytes(tmp_path):
    first, second = (save(small(), tmp_path / f"{i}.npz").read_bytes() for i in range(2))
    assert first == second


ENTRY = {"name": "v", "units": [0], "unit": "volt", "dt": 0.1}
DAMAGE = {
    "array missing": ({**ENTRY}, {}, "damaged"),
    "unit that does not exist": ({**ENTRY, "units": [1]}, {}, "its traces do not fit"),
    "no name": ({"units": [0]}, {}, "its traces do not fit"),
    "shape": (ENTRY, {"trace_0": np.zeros((1, 2, 3))}, "its traces do not fit"),
    "objects": (ENTRY, {"trace_0": np.array([[[None, 1, 2]]])}, "damaged"),
}


@pytest.mark.parametrize("name", DAMAGE)
def test_damaged_traces_are_one_clear_error(tmp_path, name):
    entry, arrays, message = DAMAGE[name]
    whole = {"trace_0": np.zeros((1, 1, 3)), "trace_0_time": np.arange(3) * 0.1} if name != "array missing" else {}
    path = archive(tmp_path / "x.npz", OLD_HEADER | {"version": 2, "traces": [entry]}, **(whole | arrays))
    with pytest.raises(FileError, match=message) as caught:
        read(path)
    assert "\n" not in str(caught.value)
