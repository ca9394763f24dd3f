"""What a recording is said to hold."""

import numpy as np
import pandas as pd

from snncompare.recording.inspect import describe
from snncompare.recording.marks import Marks
from snncompare.recording.recording import Recording


def recording(**changes):
    arguments = {
        "times": np.arange(1, 10) * 0.5,
        "unit": ["a"] * 9,
        "trial": [0] * 9,
        "units": pd.DataFrame({"area": ["V1", "LM"]}, index=["a", "silent"]),
        "trials": pd.DataFrame({"start": [0.0], "stop": [10.0]}),
    }
    return Recording.from_arrays(**(arguments | changes))


def test_units_rates_and_labels_are_named():
    text = describe(recording())
    assert "1 trial, 2 units, 9 spikes in 10 s" in text
    assert "mean rates 0 to 0.9 Hz, 1 silent unit" in text
    assert "a: 9 spikes, 0.9 Hz" in text
    assert "label area: V1, LM" in text
    assert "windows='500 ms'" in text


def test_marks_are_named_with_the_way_to_cut_and_the_conditions():
    table = pd.DataFrame({"trial": 0, "start": [1.0, 2.0, 3.0, 9.9], "odour": ["x", "x", "y", "y"], "n": range(4)})
    epochs = Marks("epoch", table.assign(stop=table["start"] + 0.5))
    events = Marks("event", table.assign(stop=table["start"]))
    text = describe(recording(marks={"smell": epochs, "valve": events}))
    assert "Marks 'smell': 4 epochs, 3 of them within" in text
    assert "each lasts 0.5 s" in text
    assert "cut here: trials='smell'\n" in text
    assert "cut here: trials='valve', window=('0 s', '1 s')" in text
    assert "possible condition: odour (2 values, 2 repeats)" in text
    assert "n (4 values" not in text


def test_trial_labels_with_repeats_are_possible_conditions():
    trials = pd.DataFrame(
        {"start": 0.0, "stop": 10.0, "odour": ["x", "y", "x", "y", "x"], "note": ["a", None] * 2 + ["a"]}
    )
    text = describe(recording(trials=trials, provenance={"left_out": ["units: column 'waveforms'"]}))
    assert "odour (2 values, 2 to 3 repeats)" in text
    assert "label note: a (2 missing)" in text
    assert "Not read:\n  units: column 'waveforms'" in text
