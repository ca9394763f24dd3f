"""Each mistake a new user makes with a configuration is one readable line, exit code 2, before any work."""

import shutil

import h5py
import numpy as np
import pandas as pd
import pytest

from snncompare.cli import main
from snncompare.commands.compare import _checked

MISTAKES = {
    "typo in a key": (lambda c: c.update(metricz=1), "did you mean 'metrics'?"),
    "typo in an inner key": (lambda c: c["recording"].update(windw=1), "did you mean 'window'?"),
    "typo in a key of a model": (lambda c: c["models"]["circle"].update(perod=1), "did you mean 'period'?"),
    "type of model": (lambda c: c["models"]["circle"].update(type="circlar"), "did you mean 'circular'?"),
    "type of metric": (lambda c: c["metrics"][0].update(type="VanRosum"), "did you mean 'VanRossum'?"),
    "no type": (lambda c: c["metrics"][0].pop("type"), "needs a 'type'"),
    "no recording": (lambda c: c.pop("recording"), "'recording' is missing"),
    "no metrics": (lambda c: c.update(metrics=[]), "'metrics': is empty"),
    "no models": (lambda c: c.update(models={}), "'models': is empty"),
    "measure": (lambda c: c.update(similarity="Spearmann"), "did you mean 'Spearman'?"),
    "estimator": (lambda c: c.update(estimator="MeanDistanc"), "did you mean 'MeanDistance'?"),
    "resamples": (lambda c: c.update(resamples=3), "50"),
    "quantity without unit": (lambda c: c["metrics"][0].update(time_scales=[10]), "'10' has no unit"),
    "unit of something else": (lambda c: c["metrics"][0].update(time_scales=["10 mV"]), "must be a time"),
    "time scale zero": (lambda c: c["metrics"][0].update(time_scales=["0 ms"]), "must be above zero"),
    "metric twice": (lambda c: c["metrics"][0].update(time_scales=["10 ms", "0.01 s"]), "given twice"),
    "missing file": (lambda c: c["recording"].update(file="nope.npz"), "there is no file"),
    "unknown format": (lambda c: c["recording"].update(file="notes.doc"), "no reader for 'notes.doc'"),
    "marks": (lambda c: c["recording"].update(trials="gratings"), "did you mean 'grating'?"),
    "zero-length trials": (lambda c: c["recording"].update(trials="blank"), "no positive length"),
    "two ways to cut": (lambda c: c["recording"].update(windows="5 ms"), "give one of trials, windows"),
    "window around nothing": (
        lambda c: c.update(recording={"file": "session.npz", "window": ["0 s", "1 s"], "condition": "x"}),
        "say which with trials",
    ),
    "window backwards": (lambda c: c["recording"].update(window=["5 ms", "1 ms"]), "must end after it starts"),
    "window without unit": (lambda c: c["recording"].update(window=[0, 100]), "'0' has no unit"),
    "window too long": (lambda c: c["recording"].update(window=["0 s", "9 s"]), "reach beyond the recording"),
    "window without spikes": (lambda c: c["recording"].update(window=["300 ms", "400 ms"]), "no spike of 16 units"),
    "condition": (lambda c: c["recording"].update(condition="orientation"), "did you mean 'orientation_deg'?"),
    "one condition": (lambda c: c["recording"].update(where={"orientation_deg": 45}), "name 1 condition"),
    "two conditions": (lambda c: c["recording"].update(where={"orientation_deg": [0, 45]}), "from 3 conditions on"),
    "value that is not there": (lambda c: c["recording"].update(where={"orientation_deg": [7]}), "with the value '7'"),
    "unit names": (lambda c: c["recording"].update(units=["u99"]), "no unit 'u99'"),
    "unit label": (lambda c: c["recording"].update(units={"qualty": "good"}), "did you mean 'quality'?"),
    "unit label's value": (lambda c: c["recording"].update(units={"quality": "goood"}), "did you mean 'good'?"),
    "units as text": (lambda c: c["recording"].update(units="good"), "mapping of label to value"),
    "time unit of a file that has one": (lambda c: c["recording"].update(time_unit="ms"), "plain text only"),
    "labels file": (lambda c: c["recording"].update(labels="short.csv"), "has 2 rows for 32 trials"),
    "matrix missing": (lambda c: c["models"].update(m={"type": "matrix", "file": "no.csv"}), "models.m.file"),
    "matrix of other conditions": (
        lambda c: c["models"].update(m={"type": "matrix", "file": "rdm.csv"}),
        "lacks the cond",
    ),
    "group missing": (
        lambda c: c["models"].update(g={"type": "categorical", "groups": {"a": [0, 45], "b": [90]}}),
        "stands in 0 groups",
    ),
    "reserved name": (lambda c: c["models"].update(recording={"type": "linear"}), "give the model another one"),
    "network missing": (
        lambda c: c["models"].update(
            n={"type": "network", "network": "n.yaml", "inputs": {"a": "b.npz"}, "condition": "x", "duration": "1 s"}
        ),
        "models.n.network: there is no file",
    ),
    "out is a file": (lambda c: c.update(out="session.npz"), "cannot write to the folder"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_named_in_one_line(config, folder, refused, mistake):
    (folder / "notes.doc").write_text("notes")
    (folder / "short.csv").write_text("stimulus\na\nb\n")
    (folder / "rdm.csv").write_text(",1,2,3\n1,0,1,2\n2,1,0,1\n3,2,1,0\n")
    change, says = MISTAKES[mistake]
    path = config(change)
    before = sorted(folder.rglob("*"))
    assert says in refused("compare", path)
    assert sorted(folder.rglob("*")) == before


YAML = {
    "empty": (b"", "is empty"),
    "a list": (b"- a\n", "holds no keys"),
    "not closed": (b"a: [1, 2", "line 1, column 9"),
    "python tag": (b"seed: !!python/object/apply:os.system ['touch pwned']\n", "only plain values are allowed"),
    "own tag": (b"seed: !mine 3\n", "the tag '!mine'"),
    "key twice": (b"seed: 1\nseed: 2\n", "the key 'seed' stands twice"),
    "binary": (b"\xff\xfe\x00", "not text in UTF-8"),
    "deep": (b"{" * 5000, "cannot be read as YAML"),
}


@pytest.mark.parametrize("text", YAML)
def test_a_file_that_is_no_plain_yaml_is_refused_and_never_run(tmp_path, monkeypatch, refused, text):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "config.yaml").write_bytes(YAML[text][0])
    assert YAML[text][1] in refused("compare", "config.yaml")
    assert not (tmp_path / "pwned").exists()


def test_trials_that_nothing_labels_need_a_table_with_onsets(config, folder, refused):
    pd.DataFrame({"onset": [0.1, 0.2], "stimulus": ["a", "b"]}).to_csv(folder / "trials.csv", index=False)
    path = config(
        lambda c: c.update(
            recording={
                "file": "session.npz",
                "trials_table": "trials.csv",
                "window": ["0 s", "50 ms"],
                "condition": "x",
            }
        )
    )
    assert "needs a column 'start'" in refused("compare", path)


def test_trials_of_length_zero_in_a_table_are_refused(config, folder, refused):
    table = pd.DataFrame({"start": [0.1, 0.2, 0.3], "stop": [0.1, 0.2, 0.3], "stimulus": ["a", "b", "c"]})
    table.to_csv(folder / "trials.csv", index=False)
    path = config(
        lambda c: c.update(recording={"file": "session.npz", "trials_table": "trials.csv", "condition": "stimulus"})
    )
    assert "no positive length" in refused("compare", path)


def test_trials_of_different_lengths_are_refused_with_a_window_to_give(config, folder, refused):
    table = pd.DataFrame({"start": [0.1, 0.6, 1.1], "stop": [0.2, 0.75, 1.2], "stimulus": ["a", "b", "c"]})
    table.to_csv(folder / "trials.csv", index=False)
    path = config(
        lambda c: c.update(recording={"file": "session.npz", "trials_table": "trials.csv", "condition": "stimulus"})
    )
    assert "window: [0 s, 100 ms]" in refused("compare", path)


def test_spike_times_that_are_not_numbers_are_refused(folder, refused, shared_data):
    damaged = folder / "damaged.nwb"
    shutil.copy(shared_data / "neo_recordings" / "mouse_v1_gratings_60units.nwb", damaged)
    with h5py.File(damaged, "r+") as file:
        file["units/spike_times"][3] = np.nan
    assert "not finite" in refused("inspect", damaged)


def test_times_in_the_wrong_unit_are_refused_until_the_right_one_is_given(refused, shared_data, capsys):
    file = shared_data / "locust_al_20010214" / "original_txt" / "locust20010214_Citral_tetB_u1.txt"
    assert "15 kHz" in refused("inspect", file)
    assert main(["inspect", str(file), "--time-unit", "15 kHz"]) == 0
    assert "748.413 s" in capsys.readouterr().out


def test_a_file_without_spikes_is_refused(refused, shared_data):
    assert "holds no spikes" in refused("inspect", shared_data / "raw_formats" / "axonio.abf")


def test_the_unchanged_configuration_is_accepted(config, capsys):
    """Negative control: every refusal above is due to the mistake, not to the configuration around it."""
    assert _checked(config(), None, None).data.recording.n_trials == 32
