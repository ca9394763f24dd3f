import json

import numpy as np
import pandas as pd
import pytest

from snncompare.cli import main
from snncompare.commands.mismatch.config import load_mismatch
from snncompare.commands.mismatch.data import parts_of, probe_of


@pytest.fixture
def out(tmp_path):
    return tmp_path / "out"


def ran(path, out, *options):
    assert main(["mismatch", str(path), "--out", str(out), *options]) == 0
    return pd.read_csv(out / "table.csv")


def with_recording(config):
    config["recording"] = {"file": "words.npz", "condition": "word"}


def test_a_study_writes_tables_figures_and_a_report_and_goes_on_where_it_was(study, out, capsys):
    table = ran(study(with_recording), out)
    assert capsys.readouterr().out.strip() == str(out / "report.html")
    assert len(table) == 2 * 3  # points times devices, one metric
    written = {path.name for path in out.iterdir()}
    assert written >= {"table.csv", "ideal.csv", "results.json", "provenance.json", "config.yaml", "report.html"}
    assert {p.suffix for p in (out / "figures").iterdir()} == {".png", ".pdf", ".svg", ".csv"}
    results = json.loads((out / "results.json").read_text())
    check_summary(table, results)
    assert results["ceiling"]["bounds"][0]["time_scale"] == 0.005
    assert table["similarity_to_recording"].notna().all()
    assert "noise ceiling of the recording" in (out / "report.html").read_text()
    provenance = json.loads((out / "provenance.json").read_text())
    assert {entry["file"] for entry in provenance["inputs"]} == {
        "study.yaml",
        "words.npz",
        "network.yaml",
        "weights.npz",
    }

    def more(config):
        with_recording(config)
        config["sweeps"]["mismatch"]["sigma"] = [0, 0.3, 0.6]

    ran(study(more), out)
    said = [line for line in capsys.readouterr().err.splitlines() if "mismatch," in line]
    assert len(said) == 1  # the new point alone
    assert "3/3: mismatch, as trained, mismatch 0.6 of weights" in said[0]


def check_summary(table, results):
    for point in results["points"]:
        rows = table[table["sigma"] == point["sigma"]]
        assert point["devices"] == len(rows) == 3
        for name in ("accuracy", "spike_distance", "similarity_to_ideal"):
            low, median, high = np.quantile(rows[name], [0.25, 0.5, 0.75])
            expected = {"low": low, "median": median, "high": high}
            assert point[name] == pytest.approx(expected, abs=1e-15)  # decimals read back
    assert results["points"][1]["spike_distance"]["median"] > results["points"][0]["spike_distance"]["median"] == 0


def test_quick_is_smaller_and_says_so(study, out):
    def larger(config):
        config["sweeps"] = {"mismatch": {"sigma": [0, 0.1, 0.2, 0.3, 0.4], "parameters": ["weights"]}}
        config["devices"] = 8
        config["representation"] = None

    table = ran(study(larger), out, "--quick", "--seed", "3")
    assert sorted(table["sigma"].unique()) == [0, 0.2, 0.4]
    assert table["device_seed"].nunique() == 3
    assert table["spike_distance"].isna().all()
    assert "This is a quick run" in (out / "report.html").read_text()
    assert json.loads((out / "provenance.json").read_text())["seed"] == 3


def test_a_recording_has_a_noise_ceiling_where_conditions_have_several_trials(study, tmp_path):
    def ceiling(**more):
        recording = {"file": "words.npz", "condition": "word", **more}
        path = study(lambda config: config.update(recording=recording))
        config = load_mismatch(path)
        return probe_of(config, tmp_path, parts_of(config.dataset, tmp_path, 0).test)

    probe, several = ceiling()
    assert probe.recording.n_rdm == len(several.low) == 1
    assert 0 <= several.low[0] <= several.high[0] <= 1
    pd.DataFrame({"take": ["first"] * 4 + ["later"] * 20}).to_csv(tmp_path / "take.csv", index=False)
    assert ceiling(labels="take.csv", where={"take": "first"})[1] is None  # control: one trial each


def put(*keys, value):
    def change(config):
        place = config
        for key in keys[:-1]:
            place = place.setdefault(key, {})
        place[keys[-1]] = value

    return change


def without(key):
    return lambda config: config.pop(key)


WRONG = {
    "key": (put("swepes", value={}), "did you mean 'sweeps'"),
    "no sweeps": (without("sweeps"), "'sweeps' is missing"),
    "empty sweep": (put("sweeps", "mismatch", value={}), "needs sigma"),
    "sigma": (put("sweeps", "mismatch", "sigma", value=[0, -1]), "greater than or equal to 0"),
    "parameters": (put("sweeps", "mismatch", "parameters", value=["thresholdz"]), "thresholds"),
    "sigma twice": (put("sweeps", "mismatch", "sigma", value=[0.1, 0.1]), "a value twice"),
    "devices": (put("devices", value=0), "number of devices from 1"),
    "devices twice": (put("devices", value=[1, 1]), "a value twice"),
    "network and trained": (put("network", value="net.yaml"), "one of trained"),
    "no folder": (put("trained", value="littel"), "no file"),
    "profile": (put("profile", value="bss2_calibratd"), "did you mean 'bss2_calibrated'"),
    "changes": (put("changes", value={"wieghts.cv": 0.1}), "did you mean 'weights'"),
    "loss": (put("loss", "type", value="Clasification"), "did you mean 'Classification'"),
    "loss key": (put("loss", "sclae", value="1 mV"), "did you mean 'scale'"),
    "loss population": (put("loss", "readout", value="raedout"), "did you mean 'readout'"),
    "dataset": (put("dataset", "file", value="wrods.npz"), "no file"),
    "label": (put("dataset", "label", value="wrod"), "did you mean 'word'"),
    "scheme": (put("schemes", value={"a": {"type": "calibratd"}}), "did you mean 'calibrated'"),
    "untrained scheme": (put("schemes", value={"a": {"type": "in_the_loop"}}), "needs 'training:'"),
    "condition": (put("representation", "condition", value="wrod"), "did you mean 'word'"),
    "population": (put("representation", "population", value="hiden"), "representation: population: no population"),
    "metric": (put("representation", "metrics", value=[{"type": "VanRosum"}]), "did you mean 'VanRossum'"),
    "recording": (put("recording", value={"file": "x.npz", "condition": "word"}), "no file"),
    "chip": (put("sweeps", value={"chip": {"profile": "speck"}}), "sweeps.chip"),
    "spikes only": (put("sweeps", value={"chip": {"profile": "bss2_delgrad"}}), "'readout.v' cannot be read"),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_mistake_is_one_line_before_any_work(name, study, out, refused):
    change, said = WRONG[name]
    assert said in refused("mismatch", study(change), "--out", out)
    assert not (out / "pieces").exists()


def test_a_damaged_network_is_refused_in_a_line(study, refused, tmp_path):
    path = study()
    for name, content, said in (("provenance.json", "{", "damaged one"), ("weights.npz", "x", "weights.npz")):
        kept = (tmp_path / "little" / name).read_bytes()
        (tmp_path / "little" / name).write_text(content)
        assert said in refused("mismatch", path, "--out", tmp_path / "out")
        (tmp_path / "little" / name).write_bytes(kept)


def test_a_recording_of_other_conditions_is_refused(study, refused, tmp_path):
    def add(config):
        config["recording"] = {
            "file": "words.npz",
            "condition": "word",
            "where": {"word": ["word 0", "word 1", "word 2"]},
        }

    line = refused("mismatch", study(add), "--out", tmp_path / "out")
    assert "the recording has the conditions word 0, word 1, word 2, the networks are shown word 0" in line


@pytest.mark.slow
def test_schemes_train_once_and_reach_the_table(study, out, capsys):
    def train(config):
        config["training"] = {"width": "1 mV", "scale": "10 mV", "learning_rate": 0.02, "epochs": 1, "batch_size": 12}
        config["schemes"] = {
            "plain": {"type": "as_trained"},
            "aware": {"type": "mismatch_aware", "sigma": 0.3},
            "loop": {"type": "in_the_loop"},
            "readout": {"type": "calibrated", "shots": 2},
        }
        config["sweeps"]["mismatch"] = {"sigma": [0.3], "bits": [5]}
        config["devices"] = 2
        config["recording"] = {"file": "words.npz", "condition": "word"}

    table = ran(study(train), out)
    first = capsys.readouterr().err.splitlines()
    assert sum("training '" in line for line in first) == 1 + 2 * 2  # once; for each device twice
    assert table.groupby("scheme")["accuracy"].count().to_dict() == dict.fromkeys(table["scheme"].unique(), 2)
    assert table["similarity_to_recording"].notna().all()
    assert table.groupby("scheme")["loss"].median().nunique() == 4  # control: each scheme is another network
    again = ran(study(train), out)
    assert not any("training '" in line or ": mismatch" in line for line in capsys.readouterr().err.splitlines())
    pd.testing.assert_frame_equal(again, table)
