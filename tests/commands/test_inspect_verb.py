import pytest
import yaml

from snncompare.cli import main
from snncompare.commands.compare import _checked
from snncompare.commands.compare_config import load_config


def inspected(capsys, *arguments):
    assert main(["inspect", *map(str, arguments)]) == 0
    return capsys.readouterr().out


def test_the_printed_configuration_runs_as_it_stands(folder, capsys, monkeypatch):
    monkeypatch.chdir(folder)
    text = inspected(capsys, "session.npz")
    assert "possible condition: orientation_deg (8 values, 4 repeats)" in text
    (folder / "compare.yaml").write_text(text[text.index("# Configuration") :])
    suggested = load_config("compare.yaml")
    assert (suggested.recording.trials, suggested.recording.condition) == ("grating", "orientation_deg")
    assert suggested.models["circle"].period == 180
    assert main(["compare", "compare.yaml", "--out", "out"]) == 0


def test_out_writes_the_configuration_beside_which_it_finds_the_file(folder, capsys, monkeypatch):
    monkeypatch.chdir(folder)
    text = inspected(capsys, "session.npz", "--out", "configs", "--seed", "7")
    assert text.splitlines()[-1] == "configs/session.yaml"
    job = _checked(folder / "configs" / "session.yaml", folder / "out", None)
    assert job.config.seed == 7


@pytest.mark.parametrize(
    ("file", "trials", "condition"),
    [
        ("mouse_v1_gratings_60units.nwb", "trials", "orientation_deg"),
        ("locust20010214_continuous.nix", "odour", "label"),
        ("locust20010214_trials.nix", None, "condition"),
    ],
)
def test_real_files_get_a_configuration_that_passes_every_check(shared_data, tmp_path, capsys, file, trials, condition):
    inspected(capsys, shared_data / "neo_recordings" / file, "--out", tmp_path)
    job = _checked((tmp_path / file).with_suffix(".yaml"), tmp_path / "out", None)
    assert (job.config.recording.trials, job.config.recording.condition) == (trials, condition)


@pytest.mark.parametrize("file", ["test1.nex", "motor_units.smr", "A8604-211122.nwb"])
def test_a_file_without_conditions_gets_a_configuration_that_says_what_is_missing(shared_data, capsys, file):
    text = inspected(capsys, shared_data / "raw_formats" / file)
    assert "Write trials.csv: columns 'start' (onset in seconds) and 'stimulus'" in text
    suggested = yaml.safe_load(text[text.index("# Configuration") :])
    assert suggested["recording"]["trials_table"] == "trials.csv"
