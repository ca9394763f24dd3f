"""Refusals and hints about a recording name a next step for the command line as well as for Python."""

import numpy as np
import pandas as pd
import pytest

from snncompare.errors import SnncompareError
from snncompare.recording.inspect import describe
from snncompare.recording.marks import Marks
from snncompare.recording.read import read
from snncompare.recording.recording import Recording


def one_trial(tmp_path, **marks):
    Recording.from_arrays(
        times=[0.1],
        unit=["a"],
        trial=[0],
        units=pd.DataFrame(index=["a"]),
        trials=pd.DataFrame({"start": 0.0, "stop": 1.0}, index=[0]),
        marks=marks,
    ).save(tmp_path / "x.npz")
    return tmp_path / "x.npz"


def tone(at):
    return Marks("event", pd.DataFrame({"trial": [0], "start": [at], "stop": [at]}))


def refusals(tmp_path):
    (tmp_path / "photo.jpg").write_bytes(b"x")
    (tmp_path / "table.txt").write_text("unit time\na 0.5\n")
    (tmp_path / "samples.txt").write_text("\n".join(str(15000 * i) for i in range(30)))
    np.savez(tmp_path / "arrays.npz", spikes=np.zeros(3))
    return {
        "extension": (lambda: read(tmp_path / "photo.jpg"), "plain text"),
        "labels in text": (lambda: read(tmp_path / "table.txt"), "save it as .npz"),
        "samples": (lambda: read(tmp_path / "samples.txt"), "--time-unit"),
        "other arrays": (lambda: read(tmp_path / "arrays.npz"), "In Python"),
        "window beyond": (
            lambda: read(one_trial(tmp_path, tone=tone(0.9)), trials="tone", window=("0 s", "1 s")),
            "trials_table",
        ),
        "events": (lambda: read(one_trial(tmp_path, tone=tone(0.9)), trials="tone"), "['0 s', '500 ms']"),
        "window alone": (lambda: read(one_trial(tmp_path), window=("0 s", "1 s")), "'trials'"),
    }


@pytest.mark.parametrize(
    "name", ["extension", "labels in text", "samples", "other arrays", "window beyond", "events", "window alone"]
)
def test_a_refusal_names_a_step_that_needs_no_python_call(name, tmp_path):
    attempt, step = refusals(tmp_path)[name]
    with pytest.raises(SnncompareError) as caught:
        attempt()
    message = str(caught.value)
    assert step in message
    assert "()" not in message
    assert "\n" not in message


def test_a_recording_without_marks_says_how_to_find_its_trials(tmp_path):
    text = describe(read(one_trial(tmp_path)))
    assert "windows='500 ms'" in text
    assert "trials_table" in text
    assert "()" not in text
