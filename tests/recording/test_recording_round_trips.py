"""Neo and the project's own file give back what they were given, to the last bit."""

import zipfile
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from snncompare.errors import FileError, InputError
from snncompare.recording.archive import load, save
from snncompare.recording.marks import Marks
from snncompare.recording.recording import Recording

TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\0", exclude_categories=["Cs"]), min_size=1, max_size=5)
FLOATS = st.floats(allow_nan=False, allow_infinity=False, width=64)
DAYS = list(pd.to_datetime(["2001-02-14", "2020-01-01"]))
COLUMNS = {
    "int": (st.integers(-(2**62), 2**62), "int64"),
    "small": (st.integers(0, 255), "uint8"),
    "float": (st.one_of(FLOATS, st.just(np.nan)), "float64"),
    "single": (st.floats(width=32, allow_nan=False), "float32"),
    "flag": (st.booleans(), "bool"),
    "text": (st.one_of(TEXT, st.none()), "str"),
    "label": (st.one_of(TEXT, st.none()), "str"),
    "masked text": (st.one_of(TEXT, st.none()), "string"),
    "object, None": (st.one_of(TEXT, st.none()), "object"),
    "object, NaN": (st.one_of(TEXT, st.just(np.nan)), "object"),
    "object, NA": (st.one_of(TEXT, st.just(pd.NA)), "object"),
    "object, NaT": (st.one_of(TEXT, st.just(pd.NaT)), "object"),
    "mixed": (st.one_of(TEXT, st.none(), st.integers(0, 9), st.booleans()), "object"),
    "nullable": (st.one_of(st.integers(-9, 9), st.none()), "Int64"),
    "masked float": (st.one_of(FLOATS, st.none()), "Float64"),
    "masked flag": (st.one_of(st.booleans(), st.none()), "boolean"),
    "kind": (
        st.one_of(st.sampled_from(["x", "y"]), st.none()),
        pd.CategoricalDtype(["y", "x", "unused"], ordered=True),
    ),
    "when": (st.one_of(st.sampled_from(DAYS), st.none()), "datetime64[ns]"),
    "after": (st.one_of(st.sampled_from(list(pd.to_timedelta(["1 s", "2 days"]))), st.none()), "timedelta64[ns]"),
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


def with_missing_labels():
    """Every type of column with a value and a missing one, as labels of units, trials and the marks of one trial."""
    names = [*MARK_COLUMNS, "mixed"]
    first = {"small": 7, "flag": True, "when": DAYS[0], "after": pd.Timedelta("1 s"), "kind": "x"}
    first |= dict.fromkeys(["float", "single", "masked float"], 1.5) | dict.fromkeys(["int", "nullable"], -3)
    first |= {"masked flag": False}
    missing = {"int": 0, "small": 0, "flag": False, "object, NA": pd.NA, "object, NaT": pd.NaT, "object, NaN": np.nan}
    table = pd.DataFrame({n: pd.Series([first.get(n, "a"), missing.get(n)], dtype=COLUMNS[n][1]) for n in names})
    windows = table.assign(start=0.0, stop=1.0)
    events = windows.drop(columns="mixed").assign(trial=0, stop=0.0)
    return Recording.from_arrays(
        times=[0.5], unit=[0], trial=[1], units=table, trials=windows, marks={"tone": Marks("event", events)}
    )


@settings(max_examples=50)
@example(with_missing_labels())
@given(recordings())
def test_recording_to_neo_and_back_is_exact(recording):
    same(recording, Recording.from_neo(recording.to_neo()))


@settings(max_examples=50)
@example(with_missing_labels())
@given(recordings())
def test_a_saved_recording_comes_back_exactly(tmp_path_factory, recording):
    path = recording.save(tmp_path_factory.mktemp("saved") / "recording.npz")
    same(recording, Recording(**load(path)))


def small():
    return Recording.from_arrays(
        times=[0.1, 0.2],
        unit=["a", "b"],
        trial=[0, 1],
        units=pd.DataFrame({"depth": pd.Series([1.5, None], dtype="Float64", index=["a", "b"])}),
        trials=pd.DataFrame({"start": 0.0, "stop": 1.0, "odour": ["mint", None]}),
    )


def test_the_same_recording_gives_the_same_bytes(tmp_path):
    first, second = (save(small(), tmp_path / f"{i}.npz").read_bytes() for i in range(2))
    assert first == second


@pytest.mark.parametrize("missing", [None, np.nan, pd.NA, pd.NaT])
@pytest.mark.parametrize("kind", ["str", "string", "object", "category"])
def test_a_missing_text_stays_missing(missing, kind, tmp_path):
    """Marks of one trial, where text and the number NaN would stand side by side."""
    label = pd.Series(["mint", missing], dtype=kind)
    marks = {
        "odour": Marks("event", pd.DataFrame({"label": label, "note": label, "start": 0.0, "stop": 0.0, "trial": 0}))
    }
    recording = replace(small(), marks=marks)
    for back in (Recording.from_neo(recording.to_neo()), Recording(**load(recording.save(tmp_path / "x.npz")))):
        same(recording, back)
        assert back.marks["odour"].table[["label", "note"]].isna().to_numpy().tolist() == [[False] * 2, [True] * 2]
    event = recording.to_neo().segments[0].events[0]
    assert event.array_annotations["note (missing)"].tolist() == [False, True]
    assert event.array_annotations["note"].tolist() == ["mint", ""]


def test_several_kinds_of_missing_come_back_as_none(tmp_path):
    recording = small().with_trials(odour=pd.Series([pd.NA, np.nan], dtype=object))
    back = Recording(**load(recording.save(tmp_path / "x.npz")))
    assert list(back.trials["odour"]) == [None, None]


def test_a_changed_label_is_seen(tmp_path):
    """Negative control of the round trips."""
    stored = Recording(**load(save(small(), tmp_path / "x.npz")))
    with pytest.raises(AssertionError):
        same(small().with_trials(odour=["mint", "citral"]), stored)


def test_files_that_are_no_recordings_say_so(tmp_path):
    np.savez(tmp_path / "arrays.npz", spikes=np.zeros(3))
    with pytest.raises(FileError, match=r"it holds 'spikes'.*from_arrays"):
        load(tmp_path / "arrays.npz")
    (tmp_path / "broken.npz").write_bytes(save(small(), tmp_path / "x.npz").read_bytes()[:200])
    with pytest.raises(FileError, match="damaged"):
        load(tmp_path / "broken.npz")
    with zipfile.ZipFile(tmp_path / "x.npz") as stored:
        assert sorted(stored.namelist()) == ["header.npy", "offsets.npy", "times.npy"]


def test_a_later_version_is_refused(tmp_path):
    header = np.frombuffer(b'{"format": "snncompare recording", "version": 3}', dtype=np.uint8)
    np.savez(tmp_path / "later.npz", header=header, times=np.zeros(0), offsets=np.zeros(2, int))
    with pytest.raises(FileError, match="version 3; this program reads"):
        load(tmp_path / "later.npz")


def test_what_cannot_be_saved_is_refused(tmp_path):
    with pytest.raises(FileError, match=r"saved as \.npz"):
        small().save(tmp_path / "recording.mat")
    with pytest.raises(FileError, match="does not exist"):
        small().save(tmp_path / "nowhere" / "recording.npz")
    with pytest.raises(InputError, match="cannot be stored"):
        small().with_trials(odour=[("a",), ("b",)]).save(tmp_path / "x.npz")
