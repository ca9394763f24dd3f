import json

import numpy as np
import pandas as pd
import pytest

from snncompare.backends.realisation import realise
from snncompare.cli import main
from snncompare.commands.mismatch import verb
from snncompare.commands.mismatch.config import load_mismatch
from snncompare.commands.mismatch.data import parts_of, probe_of
from snncompare.learning.trained import Trained


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


TRAINING = {"width": "1 mV", "scale": "10 mV", "epochs": 1}


def learnt(scheme, **training):
    """Return a change: a scheme, and how is trained."""

    def change(config):
        config["schemes"] = {"a": scheme}
        config["training"] = TRAINING | training

    return change


def trained_first(**training):
    def change(config):
        config.pop("trained")
        config["network"] = "little/network.yaml"
        config["training"] = TRAINING | training

    return change


LOOP = {"type": "in_the_loop"}
LATE = {
    "no other folder": (put("schemes", value={"a": {"type": "trained", "folder": "nowhere"}}), "schemes.a: folder: "),
    "shots": (learnt({"type": "calibrated", "shots": 50}), "schemes.a: shots must lie between 1 and 3"),
    "bits of a scheme": (learnt({"type": "mismatch_aware", "sigma": 0.1, "bits": 1}), "schemes.a: "),
    "width and scale": (learnt(LOOP, width="1 s", scale="10 s"), "schemes.a: "),
    "width": (learnt(LOOP, width="1 s"), "training: width and scale must be positive with the same unit"),
    "width of the first": (trained_first(width="1 s", scale="10 s"), "training: "),
    "scale": (learnt(LOOP, scale="nothing"), "training: "),
    "rates": (learnt(LOOP, rates=["50 Hz", "1 Hz"]), "training: low must lie below high"),
    "learning rate": (learnt(LOOP, learning_rate=float("inf")), "'training.learning_rate': should be a finite number"),
    "window reversed": (put("representation", "window", value=["20 ms", "5 ms"]), "representation: window: begins"),
    "window beyond": (put("representation", "window", value=["0 ms", "31 ms"]), "from 0 s to 0.03 s"),
}
WRONG = LATE | {
    "key": (put("swepes", value={}), "did you mean 'sweeps'"),
    "no sweeps": (without("sweeps"), "'sweeps' is missing"),
    "empty sweep": (put("sweeps", "mismatch", value={}), "needs sigma"),
    "sigma": (put("sweeps", "mismatch", "sigma", value=[0, -1]), "greater than or equal to 0"),
    "parameters": (put("sweeps", "mismatch", "parameters", value=["thresholdz"]), "thresholds"),
    "no parameters": (put("sweeps", "mismatch", "parameters", value=[]), "'sweeps.mismatch.parameters': is empty"),
    "null of several": (
        put("sweeps", "mismatch", value={"sigma": [None, 0.3], "parameters": ["weights", "thresholds"]}),
        "give null or several parameters, not both",
    ),
    "parameters of nothing": (
        put("sweeps", value={"b": {"bits": [4], "parameters": ["weights"]}}),
        "'sweeps.b': parameters say what has the mismatch sigma",
    ),
    "parts of nothing": (put("dataset", value={"file": "words.npz", "split": "word"}), "with test:"),
    "sigma true": (put("sweeps", "mismatch", "sigma", value=[True]), "should be a valid number, got True"),
    "sigma text": (put("sweeps", "mismatch", "sigma", value=["0.3"]), "should be a valid number, got '0.3'"),
    "held_out text": (put("dataset", "held_out", value="0.5"), "should be a valid number, got '0.5'"),
    "devices true": (put("devices", value=[True]), "should be a valid integer, got True"),
    "seed true": (put("seed", value=True), "should be a valid integer, got True"),
    "large seed": (put("seed", value=2**63), "'seed': should be less than"),
    "large seed of a dataset": (put("dataset", "seed", value=2**63), "'dataset.seed': should be less than"),
    "changes true": (put("changes", value={"weights.cv": True}), "changes"),
    "no name": (put("schemes", value={"": {"type": "as_trained"}}), "should match pattern"),
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


def test_what_is_checked_by_rehearsal_is_accepted_where_it_fits(study, tmp_path):
    for change in (
        learnt({"type": "calibrated", "shots": 3}, rates=["1 Hz", "50 Hz"]),
        learnt({"type": "mismatch_aware", "sigma": 0.1, "bits": 2}),
        learnt({"type": "adversarial", "zeta": 0.0005}),
        trained_first(),
        put("schemes", value={"a": {"type": "trained", "folder": "little"}}),
        put("representation", "window", value=["5 ms", "30 ms"]),
    ):
        job = verb._checked(study(change), tmp_path / "out", None, False, lambda _: None)
        assert job.parts.train is not None
        assert not (tmp_path / "out" / "networks").exists()


def test_another_network_with_other_inputs_is_refused(study, refused, tmp_path, little):
    larger = little.network.populations["in"].model_copy(update={"size": 7})
    network = little.network.model_copy(update={"populations": {**little.network.populations, "in": larger}})
    Trained(network, realise(network, 0, dt=1e-3), little.history).save(tmp_path / "other")
    change = put("schemes", value={"a": {"type": "trained", "folder": "other"}})
    assert "schemes.a: " in (line := refused("mismatch", study(change), "--out", tmp_path / "out"))
    assert "the spike source has 7 neurons" in line
