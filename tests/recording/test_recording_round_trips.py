"""Neo and the project's own file give back what they were given, to the last bit."""

import zipfile

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from snncompare.errors import FileError, InputError
from snncompare.recording.archive import load, save
from snncompare.recording.marks import Marks
from snncompare.recording.recording import Recording

TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\0", exclude_categories=["Cs"]), min_size=1, max_size=5)
FLOATS = st.floats(allow_nan=False, allow_infinity=False, width=64)
DAYS = st.sampled_from([pd.Timestamp("2001-02-14"), pd.Timestamp("2020-01-01")])
COLUMNS = {
    "int": (st.integers(-(2**62), 2**62), "int64"),
    "small": (st.integers(0, 255), "uint8"),
    "float": (st.one_of(FLOATS, st.just(np.nan)), "float64"),
    "single": (st.floats(width=32, allow_nan=False), "float32"),
    "flag": (st.booleans(), "bool"),
    "text": (st.one_of(TEXT, st.none()), "str"),
    "mixed": (st.one_of(TEXT, st.none(), st.integers(0, 9), st.booleans()), "object"),
    "nullable": (st.one_of(st.integers(-9, 9), st.none()), "Int64"),
    "kind": (
        st.one_of(st.sampled_from(["x", "y"]), st.none()),
        pd.CategoricalDtype(["y", "x", "unused"], ordered=True),
    ),
    "when": (
        st.one_of(st.sampled_from(list(pd.to_datetime(["2001-02-14", "2020-01-01"]))), st.none()),
        "datetime64[ns]",
    ),
}
MARK_COLUMNS = sorted(set(COLUMNS) - {"mixed"})


@st.composite
def tables(draw, index, allowed=None):
    chosen = draw(st.lists(st.sampled_from(allowed or sorted(COLUMNS)), unique=True, max_size=4))
    columns = {}
    for name in chosen:
        values, dtype = COLUMNS[name]
        drawn = draw(st.lists(values, min_size=len(index), max_size=len(index)))
        columns[name] = pd.Series(drawn, index=index, dtype=dtype)
    return pd.DataFrame(columns, index=index)


@st.composite
def indices(draw):
    n = draw(st.integers(1, 3))
    labels = draw(st.sampled_from([TEXT, st.integers(-99, 99), st.floats(-5, 5).map(lambda x: x + 0.0)]))
    return draw(
        st.one_of(st.just(pd.RangeIndex(n)), st.lists(labels, min_size=n, max_size=n, unique=True).map(pd.Index))
    )


@st.composite
def recordings(draw):
    units, trials = draw(tables(draw(indices()))), draw(tables(draw(indices())))
    n = len(trials)
    start = np.array(draw(st.lists(st.floats(-5, 5), min_size=n, max_size=n)))
    length = np.array(draw(st.lists(st.floats(0.1, 5), min_size=n, max_size=n)))
    trials.insert(0, "stop", start + length)
    trials["start"] = start
    rows = draw(
        st.lists(st.tuples(st.floats(0, 1), st.integers(0, len(units) - 1), st.integers(0, n - 1)), max_size=20)
    )
    at = [np.clip(trials["start"].iloc[i] + x * length[i], start[i], start[i] + length[i]) for x, _, i in rows]
    return Recording.from_arrays(
        times=at,
        unit=units.index[[u for _, u, _ in rows]],
        trial=trials.index[[i for _, _, i in rows]],
        units=units,
        trials=trials,
        marks={name: draw(marks(trials.index)) for name in draw(st.sets(st.sampled_from(["tone", "light"])))},
        provenance={"seed": draw(st.integers(0, 9))},
    )


@st.composite
def marks(draw, trials):
    n = draw(st.integers(0, 3))
    table = draw(tables(pd.RangeIndex(n), MARK_COLUMNS))
    kind = draw(st.sampled_from(["event", "epoch"]))
    table["start"] = np.array(draw(st.lists(st.floats(-5, 5), min_size=n, max_size=n)), float)
    lasts = np.array(draw(st.lists(st.floats(0, 5), min_size=n, max_size=n)), float)
    table["stop"] = table["start"] + lasts * (kind == "epoch")
    table["trial"] = trials[draw(st.lists(st.integers(0, len(trials) - 1), min_size=n, max_size=n))]
    return Marks(kind, table)


def same(one, other):
    pd.testing.assert_frame_equal(one.units, other.units)
    pd.testing.assert_frame_equal(one.trials, other.trials)
    for name in one.marks:
        pd.testing.assert_frame_equal(one.marks[name].table, other.marks[name].table)
    assert one.equals(other)
    assert one.provenance == other.provenance


@settings(max_examples=50)
@given(recordings())
def test_recording_to_neo_and_back_is_exact(recording):
    same(recording, Recording.from_neo(recording.to_neo()))


@settings(max_examples=50)
@given(recordings())
def test_a_saved_recording_comes_back_exactly(tmp_path_factory, recording):
    path = recording.save(tmp_path_factory.mktemp("saved") / "recording.npz")
    same(recording, Recording(**load(path)))


def example():
    return Recording.from_arrays(
        times=[0.1, 0.2],
        unit=["a", "b"],
        trial=[0, 1],
        units=pd.DataFrame({"depth": pd.Series([1.5, None], dtype="Float64", index=["a", "b"])}),
        trials=pd.DataFrame({"start": 0.0, "stop": 1.0, "odour": ["mint", None]}),
    )


def test_the_same_recording_gives_the_same_bytes(tmp_path):
    first, second = (save(example(), tmp_path / f"{i}.npz").read_bytes() for i in range(2))
    assert first == second


def test_a_changed_label_is_seen(tmp_path):
    """Negative control of the round trips."""
    stored = Recording(**load(save(example(), tmp_path / "x.npz")))
    with pytest.raises(AssertionError):
        same(example().with_trials(odour=["mint", "citral"]), stored)


def test_files_that_are_no_recordings_say_so(tmp_path):
    np.savez(tmp_path / "arrays.npz", spikes=np.zeros(3))
    with pytest.raises(FileError, match=r"it holds 'spikes'.*from_arrays"):
        load(tmp_path / "arrays.npz")
    (tmp_path / "broken.npz").write_bytes(save(example(), tmp_path / "x.npz").read_bytes()[:200])
    with pytest.raises(FileError, match="damaged"):
        load(tmp_path / "broken.npz")
    with zipfile.ZipFile(tmp_path / "x.npz") as stored:
        assert sorted(stored.namelist()) == ["header.npy", "offsets.npy", "times.npy"]


def test_a_later_version_is_refused(tmp_path):
    header = np.frombuffer(b'{"format": "snncompare recording", "version": 2}', dtype=np.uint8)
    np.savez(tmp_path / "later.npz", header=header, times=np.zeros(0), offsets=np.zeros(2, int))
    with pytest.raises(FileError, match="version 2; this program reads"):
        load(tmp_path / "later.npz")


def test_what_cannot_be_saved_is_refused(tmp_path):
    with pytest.raises(FileError, match=r"saved as \.npz"):
        example().save(tmp_path / "recording.nix")
    with pytest.raises(FileError, match="does not exist"):
        example().save(tmp_path / "nowhere" / "recording.npz")
    with pytest.raises(InputError, match="cannot be stored"):
        example().with_trials(odour=[("a",), ("b",)]).save(tmp_path / "x.npz")
