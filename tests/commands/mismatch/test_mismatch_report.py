import errno

import numpy as np
import pandas as pd
import pytest

from snncompare.cli import main
from snncompare.commands.hardware import list_hardware
from snncompare.commands.mismatch import verb
from snncompare.commands.mismatch.config import MismatchConfig
from snncompare.commands.mismatch.measure import COLUMNS, measure_devices
from snncompare.commands.mismatch.report import Findings, compose_report
from snncompare.commands.mismatch.study import IDENTITY, MismatchResult
from snncompare.errors import FileError
from snncompare.learning.losses import Classification

ACCURACY = {(4, 0.0): 0.9, (4, 0.3): 0.5, (None, 0.0): 1.0, (None, 0.3): 0.75}


def answers(words, bits):
    """Return the report's sentences on a sweep of mismatch with some numbers of bits."""
    config = MismatchConfig.parse(
        {
            "trained": "little",
            "dataset": {"file": "words.npz", "label": "word"},
            "loss": {"type": "Classification", "readout": "readout", "scale": "1 mV"},
            "sweeps": {"both": {"sigma": [0, 0.3], **({"bits": bits} if bits else {})}},
            "devices": 1,
        },
        "study",
    )
    rows = [
        {"sweep": "both", "scheme": "as trained", "parameters": "all", "metric": "", "device_seed": 0}
        | {"bits": np.nan if b is None else b, "sigma": sigma, "accuracy": accuracy}
        for (b, sigma), accuracy in ACCURACY.items()
        if b in (bits or [None])
    ]
    table = pd.DataFrame(rows, columns=[*IDENTITY, *COLUMNS])
    result = MismatchResult(table, pd.DataFrame(columns=["scheme", *COLUMNS]))
    return list(compose_report(Findings(config, result, words), [], {}).answer)


def test_the_sentences_tell_numbers_of_bits_apart(words):
    four, floats = answers(words, [4, None])
    assert "'as trained', 4 bits: from mismatch 0 to mismatch 0.3, the accuracy is 90, then 50 %" in four
    assert "'as trained', float weights: from mismatch 0 to mismatch 0.3, the accuracy is 100, then 75 %" in floats
    (one,) = answers(words, None)  # control: nothing is said of bits where the sweep has none
    assert "'as trained': from mismatch 0" in one


def test_large_device_seeds_keep_every_digit(little, words):
    from snncompare.backends.analog.profiles.profile import ChipProfile

    seeds = [2**63 - 1, 2**53 + 1]  # as floats these would be 2**63 and 2**53
    given = {"profile": ChipProfile.load("plain"), "device_seeds": seeds, "dt": "1 ms"}
    table = measure_devices(little, words, Classification("readout", scale="1 mV"), **given)
    assert list(table["device_seed"]) == seeds
    assert table["accuracy"].notna().all()


def test_a_seed_of_the_command_line_has_an_upper_bound(study, refused, tmp_path):
    for wrong in (2**63, -1, "9" * 5000):
        assert "from 0 to 2**63 - 1" in refused("mismatch", study(), "--out", tmp_path / "out", f"--seed={wrong}")


@pytest.mark.parametrize("name", ["table.csv", "results.json", "config.yaml"])
def test_a_folder_in_the_place_of_an_output_is_refused_in_a_line(name, study, refused, tmp_path):
    out = tmp_path / "out"
    (out / name).mkdir(parents=True)

    def small(config):
        config["representation"] = None
        config["devices"] = 1

    line = refused("mismatch", study(small), "--out", out)
    assert f"cannot write '{out / name}': there is a folder of this name." in line
    assert not (out / "pieces").exists()  # said before any work
    (out / name).rmdir()
    assert main(["mismatch", str(study(small)), "--out", str(out)]) == 0  # control


def test_a_disk_that_fills_during_the_work_is_one_line(study, monkeypatch, capsys, tmp_path):
    def full(*_given, **_named):
        raise OSError(errno.ENOSPC, "No space left on device", "table.csv")

    monkeypatch.setattr(verb, "_json", full)
    assert main(["mismatch", str(study()), "--out", str(tmp_path / "out")]) == 2
    assert capsys.readouterr().err.endswith("cannot write 'table.csv': No space left on device.\n")


def test_a_folder_in_the_place_of_the_hardware_list_is_refused(tmp_path):
    (tmp_path / "hardware.json").mkdir()
    with pytest.raises(FileError, match=r"cannot write '.*hardware\.json': Is a directory"):
        list_hardware(tmp_path)


def test_an_empty_configuration_leads_to_the_example(refused, tmp_path):
    for content, said in (("", "is empty; README.md shows"), ("- a\n", "holds no keys such as 'trained:'")):
        (tmp_path / "empty.yaml").write_text(content)
        assert said in refused("mismatch", tmp_path / "empty.yaml", "--out", tmp_path / "out")
