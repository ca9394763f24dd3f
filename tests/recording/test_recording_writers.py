"""Recordings written as NWB and NIX come back; what NWB asks for is asked of the user, never invented."""

import sys

import numpy as np
import pandas as pd
import pytest

from snncompare.errors import FileError, InputError, MissingDependencyError
from snncompare.recording.marks import Marks
from snncompare.recording.read import read
from snncompare.recording.recording import Recording

METADATA = {
    "identifier": "session 1",
    "session_description": "three odours, ten puffs each",
    "session_start_time": "2001-02-14T10:00:00-08:00",
    "time_resolution": "0.1 ms",
    "subject": {"subject_id": "locust1", "species": "Schistocerca americana", "sex": "U", "age": "P30D"},
}


def session(start=-0.5, **changes):
    rng = np.random.default_rng(0)
    trial = rng.integers(0, 6, 200)
    given = {
        "times": rng.uniform(start, 1, 200),
        "unit": np.array(["a", "b", "c"])[rng.integers(0, 2, 200)],
        "trial": trial,
        "units": pd.DataFrame({"quality": ["good", "noise", "good"]}, index=["a", "b", "c"]),
        "trials": pd.DataFrame(
            {
                "start": start,
                "stop": 1.0,
                "onset": 2.0 + 10 * np.arange(6),
                "odour": ["x", "y", "z"] * 2,
                "dose": range(6),
            }
        ),
        "marks": {
            "puff": Marks("epoch", pd.DataFrame({"trial": [0, 3], "start": 0.0, "stop": 0.2, "side": ["l", "r"]}))
        },
    }
    return Recording.from_arrays(**(given | changes))


def test_nwb_comes_back_cut_at_the_references_of_its_trials(tmp_path):
    recording = session()
    path = recording.save(tmp_path / "x.nwb", METADATA)
    again = read(path, trials="trials_references", window=("-500 ms", "1 s"))
    assert np.array_equal(again.offsets, recording.offsets)
    # times up to 52 s are added to and subtracted again: one rounding of 52 s each
    assert np.abs(again.times - recording.times).max() < 2 * np.spacing(64.0)
    assert again.units["quality"].tolist() == ["good", "noise", "good"]
    assert again.units.index.tolist() == ["a", "b", "c"]
    assert again.trials["odour"].tolist() == recording.trials["odour"].tolist()
    assert again.trials["dose"].tolist() == list(range(6))
    assert again.trials["onset"].tolist() == recording.trials["onset"].tolist()
    assert again.marks["puff"].table["side"].tolist() == ["l", "r"]


def test_trials_that_begin_at_their_reference_need_no_other_table(tmp_path):
    recording = session(start=0.0)
    again = read(recording.save(tmp_path / "x.nwb", METADATA), trials="trials")
    assert np.array_equal(again.offsets, recording.offsets)


def test_nwb_is_clean_at_the_level_of_violations(tmp_path):
    inspector = pytest.importorskip("nwbinspector")
    path = session().save(tmp_path / "x.nwb", METADATA)
    found = list(inspector.inspect_nwbfile(str(path), importance_threshold="BEST_PRACTICE_VIOLATION"))
    assert found == []


def test_the_inspector_finds_what_is_wrong(tmp_path):
    """Negative control: a resolution of a second is remarked on."""
    inspector = pytest.importorskip("nwbinspector")
    path = session().save(tmp_path / "x.nwb", METADATA | {"time_resolution": "1 s"})
    found = list(inspector.inspect_nwbfile(str(path), importance_threshold="BEST_PRACTICE_VIOLATION"))
    assert [message.check_function_name for message in found] == ["check_units_resolution_is_valid"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"identifier": None}, "'identifier'"),
        ({"session_start_time": "2001-02-14T10:00:00"}, "timezone"),
        ({"subject": {"subject_id": "a"}}, "'subject.species' is missing"),
        ({"subject": METADATA["subject"] | {"species": "locust"}}, "subject.species"),
        ({"subject": METADATA["subject"] | {"sex": "male"}}, "no sex 'male'"),
        ({"subject": METADATA["subject"] | {"age": "30 days"}}, "subject.age"),
        ({"time_resolution": "15 kHz"}, "time_resolution must be a time"),
        ({"weather": "fine"}, "no key 'weather'"),
    ],
    ids=["identifier", "zone", "subject", "species", "sex", "age", "resolution", "key"],
)
def test_metadata_that_do_not_do_are_refused(tmp_path, change, message):
    with pytest.raises(InputError, match=message):
        session().save(tmp_path / "x.nwb", METADATA | change)
    assert not (tmp_path / "x.nwb").exists()


def test_metadata_are_asked_for_by_name(tmp_path):
    with pytest.raises(
        InputError, match="lacks session_description, identifier, session_start_time, time_resolution, subj"
    ):
        session().save(tmp_path / "x.nwb")
    with pytest.raises(InputError, match=r"metadata are for \.nwb"):
        session().save(tmp_path / "x.npz", METADATA)


def trials(**columns):
    return session().trials.assign(**columns)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"trials": session().trials.drop(columns="onset")}, "nothing says when the 6 trials were"),
        ({"trials": trials(onset=np.arange(6) * 1.0 + 1)}, "trials overlap with the next"),
        ({"trials": trials(onset=10.0 * np.arange(6))}, "trials begin at -0.5 s"),
        ({"trials": trials(odour=["x", None] * 3)}, "'odour' of the trials has 3 missing values"),
        ({"trials": trials(tags="x")}, "a name that NWB uses itself"),
        ({"trials": session().trials.rename(columns={"odour": "a/b"})}, "cannot be a name in NWB"),
        ({"units": pd.DataFrame({"session": [1, 1, 2]}, index=["a", "b", "c"])}, "one file per session"),
    ],
    ids=["no onset", "overlap", "before", "missing", "taken", "slash", "sessions"],
)
def test_what_nwb_cannot_hold_truthfully_is_refused(tmp_path, change, message):
    with pytest.raises(InputError, match=message):
        session(**change).save(tmp_path / "x.nwb", METADATA)


def test_a_missing_writer_is_named(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pynwb", None)
    with pytest.raises(MissingDependencyError, match="pip install pynwb"):
        session().save(tmp_path / "x.nwb", METADATA)


def test_nix_comes_back_to_the_last_bit(tmp_path):
    recording = session()
    again = read(recording.save(tmp_path / "x.nix"))
    assert again.equals(recording)


def test_other_names_are_refused(tmp_path):
    with pytest.raises(FileError, match=r"saved as \.npz, \.nwb or \.nix"):
        session().save(tmp_path / "x.mat")
