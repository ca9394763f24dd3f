"""A small demo runs from the recording to the report and says what it measured."""

import re

import pandas as pd
import pytest

from snncompare.commands.demo.run import run_demo
from snncompare.commands.demo.settings import DemoSettings
from snncompare.errors import DescriptionError

SMALL = DemoSettings(
    dt="1 ms", receptors=10, hidden=15, songs=3, presentations_per_song=12, epochs=1, window="500 ms",
    time_scales=("2 ms", "20 ms"), resamples=100,
)  # fmt: skip


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    pytest.importorskip("nitime")
    return run_demo(tmp_path_factory.mktemp("demo"), seed=1, settings=SMALL)


def test_the_report_states_that_both_backends_agree(report):
    text = report.read_text(encoding="utf-8")
    found = re.search(r"(\d+) spikes in PyTorch, (\d+) in Brian2, (\d+) differences", text)
    assert found is not None
    torch, brian2, differing = (int(number) for number in found.groups())
    assert torch == brian2 > 100
    assert differing == 0
    control = re.search(r"larger\) (\d+) spikes differ", text)
    assert control is not None
    assert int(control[1]) > 0


def test_the_report_speaks_of_the_experiment_not_of_python(report):
    text = report.read_text(encoding="utf-8").split("Configuration</h2>")[0]
    assert "What cannot be told" in text
    assert "The intervals generalise over windows of 500 ms of these two sounds" in text
    for word in ("pass replicates", "()", "generalise over other stimuli", "interval, nan", "[nan"):
        assert word not in re.sub(r"(?s)<(script|style|svg).*?</\1>", "", text)


def test_every_figure_is_written_with_its_data(report):
    folder = report.parent / "figures"
    for name in ("rasters", "learning_curve", "rdms", "similarity", "models"):
        assert {path.suffix for path in folder.glob(f"{name}*")} == {".png", ".pdf", ".svg", ".csv"}


def test_the_table_has_every_model_at_every_time_scale(report):
    table = pd.read_csv(report.parent / "result" / "table.csv")
    assert table.groupby("model").size().tolist() == [2 * len(SMALL.time_scales)] * 6
    assert table["similarity"].between(-1, 1).all()


def test_the_report_needs_no_network(report):
    text = report.read_text(encoding="utf-8")
    assert not re.search(r"""(?:src|href)=["']?https?:""", text)


@pytest.mark.parametrize(("field", "value"), [("epochs", 0), ("song_similarity", 1.5), ("epoks", 3)])
def test_impossible_settings_are_refused(field, value):
    with pytest.raises(DescriptionError, match=field):
        DemoSettings(**{field: value})
