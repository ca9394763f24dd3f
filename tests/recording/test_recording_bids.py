"""Results of many recordings in one tree, named and described in the manner of BIDS."""

import json

import numpy as np
import pandas as pd
import pytest

from snncompare.errors import FileError, InputError
from snncompare.recording.bids import find_derivatives, write_derivative
from snncompare.recording.read import read
from snncompare.recording.recording import Recording


def recording():
    return Recording.from_arrays(
        times=[0.1],
        unit=["a"],
        trial=[0],
        units=pd.DataFrame(index=["a"]),
        trials=pd.DataFrame({"start": [0.0], "stop": [1.0]}),
    )


def test_files_say_whose_they_are_and_where_they_came_from(tmp_path):
    source = recording().save(tmp_path / "raw.npz")
    root = tmp_path / "derivatives"
    made = write_derivative(
        root,
        {"rdm": np.eye(3)},
        suffix="rdm",
        subject="01",
        session="A",
        description="vr",
        metadata={"Tau": 0.01},
        sources=(source,),
    )
    assert made.path.relative_to(root).as_posix() == "sub-01/ses-A/sub-01_ses-A_desc-vr_rdm.npz"
    described = json.loads((root / "dataset_description.json").read_text())
    assert described["DatasetType"] == "derivative"
    assert described["GeneratedBy"][0]["Name"] == "snncompare"
    about = json.loads(made.sidecar.read_text())
    assert about["Tau"] == 0.01
    assert about["Sources"] == [{"File": "raw.npz", "SHA256": recording_hash(source)}]
    assert np.array_equal(np.load(made.path, allow_pickle=False)["rdm"], np.eye(3))
    assert not list(root.rglob(".*"))


def recording_hash(path):
    import hashlib

    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_every_kind_of_value_is_written_and_found(tmp_path):
    write_derivative(tmp_path, recording(), suffix="spikes", subject="1")
    write_derivative(tmp_path, pd.DataFrame({"a": [1.5]}), suffix="result", subject="1", task="odour")
    write_derivative(tmp_path, {"similarity": 0.5}, suffix="summary", subject="2")
    found = find_derivatives(tmp_path)
    assert [item.path.name for item in found] == [
        "sub-1_spikes.npz",
        "sub-1_task-odour_result.csv",
        "sub-2_summary.json",
    ]
    assert read(found[0].path).equals(recording())
    assert pd.read_csv(found[1].path)["a"].tolist() == [1.5]
    assert json.loads(found[2].path.read_text())["similarity"] == 0.5
    assert [item.suffix for item in find_derivatives(tmp_path, sub="1")] == ["spikes", "result"]
    assert [item.entities for item in find_derivatives(tmp_path, "summary")] == [{"sub": "2"}]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"subject": "../x"}, "letters and digits only"),
        ({"suffix": "my_rdm"}, "letters and digits only"),
        ({"session": ""}, "letters and digits only"),
        ({"metadata": {"x": float("nan")}}, "plain JSON"),
        ({"value": np.eye(2)}, "got ndarray"),
        ({"value": {"a": np.array([None])}}, "got dict"),
        ({"value": {"a": object()}}, "plain JSON"),
        ({"colour": "red"}, "no entity 'colour'"),
    ],
    ids=["path", "suffix", "empty", "nan", "array", "objects", "object", "entity"],
)
def test_what_cannot_be_named_or_written_is_refused(tmp_path, change, message):
    given = {"value": {"a": 1}, "suffix": "x", "subject": "1"} | change
    with pytest.raises(InputError, match=message):
        write_derivative(tmp_path, given.pop("value"), **given)


def test_trees_of_others_are_left_alone(tmp_path):
    write_derivative(tmp_path, {"a": 1}, suffix="x", subject="1", pipeline="other")
    with pytest.raises(FileError, match="was made by 'other'"):
        write_derivative(tmp_path, {"a": 1}, suffix="x", subject="1")
    with pytest.raises(FileError, match="no derivatives tree"):
        find_derivatives(tmp_path / "nowhere")
