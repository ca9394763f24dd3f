import json

import pytest

from snncompare.report.datasheet import datasheet
from snncompare.representation.firing_statistics import firing_statistics
from snncompare.representation.label_information import label_information
from snncompare.testing.ground_truth import Design, rate_code

FACTS = {
    "name": "toy",
    "title": "A toy",
    "version": 2,
    "licence": "CC0-1.0",
    "source": "made up",
    "citation": ["Nobody N (2020). Nothing."],
    "warnings": ["It is a toy.", "Too | easy <b>"],
    "n_trials": 40,
    "n_units": 6,
    "unit_columns": ["cf_hz"],
    "label": "condition",
    "n_classes": 4,
    "classes": ["0", "1", "2", "3"],
    "trials_per_class": {"0": 10, "1": 10, "2": 9, "3": 11},
    "parts": {"train": 30, "test": 10},
    "duration_range_s": [0.5, 0.7],
    "samples": {"kind": "toys", "n_per_class": 10},
    "encoder": {"kind": "Toy", "rate": "10 Hz"},
    "seed": 3,
    "fingerprint": "f" * 64,
    "files": {"toys/a.npz": "a" * 64},
}


@pytest.fixture(scope="module")
def described():
    recording = rate_code(Design(conditions=4, repeats=10, units=6))
    information = label_information(recording, "condition", n_permutations=39, time_scales=["10 ms"])
    return firing_statistics(recording, "condition"), information


def test_a_datasheet_says_all_that_is_known(described):
    text = datasheet(FACTS, *described, notes=("Of 40 trials.",), versions={"snncompare": "1.2.3"})
    for said in (
        "# Datasheet: A toy", "CC0-1.0", "made up", "Nobody N (2020)", "It is a toy.", "`train` 30, `test` 10", "9 to 11",
        "0.5 to 0.7 s", '"n_per_class": 10', '"rate": "10 Hz"', "| Seed | 3 |", "f" * 64, "a" * 64, "snncompare 1.2.3",
        "Of 40 trials.", "The labels live in: **counts**",
    ):  # fmt: skip
        assert said in text, said


def test_numbers_are_those_of_the_statistics(described):
    statistics, information = described
    text = datasheet(FACTS, statistics, information)
    assert (
        f"| Fano factor within classes (of which stimuli may differ), median unit | {statistics.summary['fano']:.3g} |"
        in text
    )
    assert f"{statistics.summary['rate']:.3g} Hz" in text
    row = information.best("counts")
    assert f"| counts | – | {row['accuracy']:.1%} ({row['accuracy_low']:.1%} to {row['accuracy_high']:.1%}) |" in text


def test_sections_are_left_out_where_nothing_is_known():
    text = datasheet({"name": "bare"})
    assert "How the units fire" not in text
    assert "Where the labels live" not in text
    assert "None" not in text
    assert "Licence: not stated." in text


def test_texts_of_strangers_stay_text(described):
    hostile = FACTS | {"source": "a\n\n# b | <script>", "encoder": {"kind": "```\n# c"}}
    text = datasheet(hostile)
    assert "\n# b" not in text
    assert "<script>" not in text
    assert "\\|" in text
    assert "Too \\| easy &lt;b>" in text
    block = text.split("Encoder:\n\n")[1].split("\n\n")[0]
    assert all(line.startswith("    ") for line in block.splitlines())
    assert json.loads(block) == hostile["encoder"]


def test_the_same_facts_give_the_same_bytes(described):
    assert datasheet(FACTS, *described) == datasheet(dict(reversed(FACTS.items())), *described)
    assert datasheet(FACTS) != datasheet(FACTS | {"seed": 4})
