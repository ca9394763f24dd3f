"""Spikes in arrays and columns that a layout names: what is read, and what is refused with the reason."""

import json

import numpy as np
import pandas as pd
import pytest

from snncompare.errors import InputError
from snncompare.recording.read import read

ROWS = {
    "type": "rows",
    "times": "time_ms",
    "time_unit": "ms",
    "unit": {"cell": {"values": "cell", "names": "cell_names"}},
    "trial": {"odour": {"values": "odour", "names": "odour_names"}, "number": "number"},
    "window": ["0 s", "1 s"],
}


def arrays(**changes):
    given = {
        "time_ms": np.array([300.0, 100.0, 100.0, 900.0]),
        "cell": np.array([0, 0, 0, 2], dtype=np.uint8),
        "odour": np.array([1, 0, 0, 1]),
        "number": np.array([4, 0, 0, 7]),
        "cell_names": np.array(["a", "silent", "c"]),
        "odour_names": np.array(["mint", "citral"]),
    }
    return {name: value for name, value in (given | changes).items() if value is not None}


def stored(tmp_path, **changes):
    np.savez(tmp_path / "x.npz", **arrays(**changes))
    return tmp_path / "x.npz"


def test_rows_become_trains_in_seconds_sorted_with_duplicates_kept(tmp_path):
    recording = read(stored(tmp_path), layout=ROWS)
    assert recording.units.index.tolist() == ["a", "silent", "c"]
    assert recording.trials[["odour", "number"]].to_numpy().tolist() == [["mint", 0], ["citral", 4], ["citral", 7]]
    assert recording.train(0, "a").tolist() == [0.1, 0.1]
    assert recording.train(1, "a").tolist() == [0.3]
    assert recording.counts().sum(dim="trial").to_numpy().tolist() == [3, 0, 1]
    assert recording.provenance["trials"].startswith("those with at least one spike")


def test_csv_and_hdf5_hold_the_same_as_npz(tmp_path):
    import h5py

    layout = {**ROWS, "unit": "cell", "trial": ["odour", "number"]}
    given = {name: arrays()[name] for name in ("time_ms", "cell", "odour", "number")}
    np.savez(tmp_path / "x.npz", **given)
    pd.DataFrame(given).to_csv(tmp_path / "x.csv", index=False)
    with h5py.File(tmp_path / "x.h5", "w") as file:
        for name, values in given.items():
            file[name] = values
    first = read(tmp_path / "x.npz", layout=layout)
    for suffix in ("csv", "h5"):
        other = read(tmp_path / f"x.{suffix}", layout=layout)
        assert np.array_equal(first.times, other.times)
        assert np.array_equal(first.offsets, other.offsets)


def test_trials_that_exist_without_a_spike_are_those_that_the_file_lists(tmp_path):
    listed = json.dumps({"mint": [0, 1, 2], "citral": [4, 7]})
    recording = read(stored(tmp_path, there=np.array(listed)), layout={**ROWS, "present": "there"})
    assert recording.trials["number"].tolist() == [0, 1, 2, 4, 7]
    assert recording.counts().sum(dim="unit").to_numpy().tolist() == [2, 0, 0, 1, 1]


def test_sessions_separate_trials_of_the_same_number(tmp_path):
    layout = {**ROWS, "unit": {"animal": "odour", "cell": "cell"}, "trial": "number", "session": "animal"}
    given = arrays(number=np.array([0, 0, 0, 0]))
    np.savez(tmp_path / "x.npz", **given)
    recording = read(tmp_path / "x.npz", layout=layout)
    assert recording.units.index.tolist() == ["0/0", "1/0", "1/2"]
    assert recording.trials["session"].tolist() == [0, 1]
    together = read(tmp_path / "x.npz", layout={**layout, "session": None})
    assert together.n_trials == 1


@pytest.mark.parametrize(
    ("change", "layout", "message"),
    [
        ({}, {"times": "time"}, "no array 'time'; did you mean 'time_ms'"),
        ({"cell": np.zeros(3, int)}, {}, r"'cell' has shape \(3,\), but there are 4 spikes"),
        ({"time_ms": np.array([1.0, np.nan, 2, 3])}, {}, "1 spike times are not finite"),
        ({"time_ms": np.array(["1", "2", "3", "4"])}, {}, "must be numbers"),
        ({"cell": np.array([0, 0, 3, 1])}, {}, "stand for none of the 3 names in 'cell_names'"),
        ({"cell": np.array([0, 0, -1, 1])}, {}, "the first is -1"),
        ({"cell": np.array([0, 0, 0.5, 1])}, {}, "must be whole numbers"),
        ({}, {"time_unit": "s"}, r"4 of 4 spikes lie outside.*from 100 to 900 s.*Correct time_unit"),
        ({}, {"time_unit": "apples"}, "apples"),
        ({"there": np.array('{"mint": [0], "citral": [4]}')}, {"present": "there"}, "odour 1, number 7"),
        ({"there": np.array('{"mint": [0, 0], "citral": [4, 7]}')}, {"present": "there"}, "names a trial twice"),
        ({"there": np.array("mint 0")}, {"present": "there"}, "must be one JSON text"),
        ({}, {"session": "animal"}, "no label of the units 'animal'"),
        ({}, {"window": ["1 s", "0 s"]}, "must end after it starts"),
        ({}, {"unti": "cell"}, "no key 'unti'; did you mean 'unit'"),
        ({}, {"trial": {"start": "odour"}}, "every recording has"),
        ({}, {"type": "row"}, "no type 'row'; did you mean 'rows'"),
    ],
    ids=[
        "name",
        "lengths",
        "nan",
        "text",
        "no name",
        "negative",
        "fraction",
        "unit of time",
        "no unit",
        "absent",
        "twice",
        "no json",
        "session",
        "window",
        "key",
        "taken",
        "kind",
    ],
)
def test_what_does_not_fit_is_refused_with_the_reason(tmp_path, change, layout, message):
    with pytest.raises(InputError, match=message) as caught:
        read(stored(tmp_path, **change), layout={**ROWS, **layout})
    assert "\n" not in str(caught.value)


def test_labels_of_another_number_of_units_are_refused(tmp_path):
    layout = {**ROWS, "trial": "number", "labels": {"object": {"values": "object", "missing": -1}}}
    with pytest.raises(InputError, match=r"one row for each of 3 units"):
        read(stored(tmp_path, object=np.zeros((2, 8), int)), layout=layout)
    table = np.tile([0, -1, -1, -1, 1, -1, -1, 2], (3, 1))
    recording = read(stored(tmp_path, object=table), layout=layout)
    assert recording.trials[["number", "object"]].to_numpy().tolist() == [[0, 0], [4, 1], [7, 2]]
    with pytest.raises(InputError, match="spikes are in trials that are not among the trials that object label"):
        read(stored(tmp_path, object=np.where(table == 2, -1, table)), layout=layout)


COUNTS = {"type": "counts", "times": "t", "counts": "n", "time_unit": "s", "window": ["0 s", "1 s"], "labels": "odour"}


def counted(tmp_path, **changes):
    given = {"t": np.array([0.5, 0.1, 0.2, 0.9]), "n": np.array([[2, 0], [1, 1]]), "odour": np.array(["x", "y"])}
    np.savez(tmp_path / "x.npz", **(given | changes))
    return tmp_path / "x.npz"


def test_counts_give_the_slices_and_unsorted_times_are_sorted_within_their_train(tmp_path):
    recording = read(counted(tmp_path), layout=COUNTS)
    assert recording.train(0, 0).tolist() == [0.1, 0.5]
    assert recording.train(1, 1).tolist() == [0.9]
    assert recording.trials["odour"].tolist() == ["x", "y"]
    offsets = {**COUNTS, "counts": None, "offsets": "o", "n_units": 2}
    other = read(counted(tmp_path, o=np.array([0, 2, 2, 3, 4])), layout=offsets)
    assert recording.equals(other)


@pytest.mark.parametrize(
    ("change", "layout", "message"),
    [
        ({"n": np.array([[2, -1], [2, 1]])}, {}, "1 counts in 'n' are negative, the first is -1"),
        ({"n": np.array([[2, 0], [1, 2]])}, {}, "add up to 5, but 't' holds 4 times"),
        ({"n": np.array([[2.0, 0], [1, 1]])}, {}, "must hold whole numbers, got float64"),
        ({"n": np.array([2, 0, 1, 1])}, {}, r"must have the shape \(trials, units\)"),
        ({"odour": np.array(["x"])}, {}, "the label 'odour' has shape"),
        ({"o": np.array([1, 2, 4])}, {"counts": None, "offsets": "o"}, "must rise from 0"),
        ({}, {"offsets": "n"}, "either counts"),
    ],
    ids=["negative", "sum", "float", "flat", "labels", "offsets", "both"],
)
def test_counts_that_do_not_fit_are_refused(tmp_path, change, layout, message):
    with pytest.raises(InputError, match=message):
        read(counted(tmp_path, **change), layout={**COUNTS, **layout})
