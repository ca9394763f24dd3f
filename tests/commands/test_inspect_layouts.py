"""``inspect`` on arrays, tables, JSON and folders of text: what is in them, and a layout that reads them."""

import numpy as np
import pandas as pd
import pytest
import yaml

from snncompare.cli import main
from snncompare.commands.compare import _checked
from snncompare.recording.layout_guess import guess_layout


def inspected(capsys, *arguments):
    assert main(["inspect", *map(str, arguments)]) == 0
    return capsys.readouterr().out


@pytest.mark.parametrize(
    ("file", "condition"),
    [
        ("locust_al_20010214/locust20010214.npz", "condition"),
        ("mouse_v1_gratings/mouse_v1_gratings.npz", "orientation_deg"),
        ("gerbil_ic_fm_sounds/gerbil_ic_spikes.npz", "stimulus"),
        ("starling_songs/spikes", "condition"),
        ("starling_songs/spikes/st49_2_4_1", "condition"),
        ("starling_songs/st11_1_2_1.json", "stimulus"),
        ("gerbil_ic_fm_sounds/STRFs_ChirpsBlocks_IC_2012-01-31_50dB_chan01_unit01.h5", "segment"),
    ],
    ids=["locust", "mouse", "gerbil", "starlings", "starling", "json", "old-neo"],
)
def test_real_files_without_a_format_get_a_configuration_that_passes_every_check(
    shared_data, tmp_path, capsys, file, condition
):
    text = inspected(capsys, shared_data / file, "--out", tmp_path)
    written = next(iter(tmp_path.glob("*.yaml")))
    assert text.splitlines()[-1] == str(written)
    given = yaml.safe_load(written.read_text())["recording"]
    assert given["condition"] == condition
    if file.endswith("unit01.h5"):
        assert given["extent"] == ["0 s", "11 s"]
        assert "trials end at 1e+06 s" in text
        return  # its trials begin at their first spike, so a window has to be given
    assert _checked(written, tmp_path / "out", None).config.recording.condition == condition


def test_a_guess_that_does_not_fit_says_why_and_how_to_write_a_layout(shared_data, capsys):
    text = inspected(capsys, shared_data / "it_seven_objects_a" / "it_seven_objects_a.npz")
    assert "spike_neuron: uint8, shape (305450,)" in text
    assert "so they were not recorded in the same trials; say by 'session'" in text
    assert "object: {values: object_index, names: objects, missing: -1}" in text
    assert "Say in a configuration which array, column, line or key is what" in text


def test_units_that_cannot_have_been_recorded_everywhere_are_pointed_at(shared_data, capsys):
    text = inspected(capsys, shared_data / "cockroach_al_single_odours" / "cockroach_al_single_odours.npz")
    assert "units have no spike in any trial of some values of 'condition'" in text
    assert "were they recorded there?" in text


def test_a_table_is_guessed_by_the_names_of_its_columns(tmp_path, capsys):
    rng = np.random.default_rng(0)
    table = pd.DataFrame(
        {"spike_time_ms": rng.uniform(0, 500, 90), "neuron": np.arange(90) % 3, "odour": np.arange(90) % 5}
    )
    table["trial"] = np.arange(90) // 45
    table.to_csv(tmp_path / "x.csv", index=False)
    layout = guess_layout(tmp_path / "x.csv")
    assert (layout["times"], layout["time_unit"], list(layout["unit"])) == ("spike_time_ms", "ms", ["neuron"])
    assert list(layout["trial"]) == ["odour", "trial_number"]
    assert "10 trials, 3 units, 90 spikes" in inspected(capsys, tmp_path / "x.csv")


def test_arrays_without_times_or_units_get_the_template(tmp_path, capsys):
    np.savez(tmp_path / "x.npz", a=np.zeros((2, 3)), b=np.zeros(4))
    text = inspected(capsys, tmp_path / "x.npz")
    assert "a: float64, shape (2, 3)" in text
    assert "guessed" not in text
    template = yaml.safe_load(text[text.index("recording:") :])
    assert template["recording"]["layout"]["type"] == "rows"


def test_broken_and_hostile_files_are_refused_in_one_line(tmp_path, capsys):
    np.savez(tmp_path / "x.npz", t=np.array([object()], dtype=object))
    assert main(["inspect", str(tmp_path / "x.npz")]) == 2
    captured = capsys.readouterr()
    assert "pickled objects" in captured.err
    assert len(captured.err.splitlines()) == 1
