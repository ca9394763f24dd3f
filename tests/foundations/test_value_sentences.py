"""Refused values are explained in the words of a YAML file, not of Python or pydantic."""

from typing import Annotated, Literal

import pytest
from pydantic import Field

from snncompare.errors import DescriptionError
from snncompare.values import Value


class Inner(Value):
    file: str = "a"
    condition: str = "b"


class Outer(Value):
    inner: Inner = Inner()
    kind: Literal["Spearman", "tuple"] = "Spearman"
    order: Literal[1, 2] = 1
    window: tuple[float, float] = (0.0, 1.0)
    scales: Annotated[tuple[float, ...], Field(min_length=1)] = (1.0,)
    groups: dict[str, tuple[int, ...]] = Field(default_factory=dict)
    number: int = 0


def refused(**fields):
    with pytest.raises(DescriptionError) as caught:
        Outer.parse(fields, "file.yaml")
    return str(caught.value)


CASES = {
    "one value for a list": ({"scales": 3}, "file.yaml: 'scales': should be a valid list, got 3."),
    "too many values": (
        {"window": [0, 1, 2]},
        "file.yaml: 'window': list should have at most 2 items, not 3, got [0, 1, 2].",
    ),
    "none": ({"scales": []}, "file.yaml: 'scales': list should have at least 1 item, not 0, got []."),
    "a number for a mapping": (
        {"inner": 3},
        "file.yaml: 'inner': expected keys and values, got 3; give a mapping with the keys 'file', 'condition'.",
    ),
    "a list for a mapping": ({"groups": [1]}, "file.yaml: 'groups': expected keys and values, got [1]."),
    "a number as key": (
        {"groups": {1: [2]}},
        "file.yaml: 'groups': the key 1 should be a valid string; put it in quotes.",
    ),
    "names keep their capitals": ({"kind": 3}, "file.yaml: 'kind': should be 'Spearman' or 'tuple', got 3."),
    "text for one of some numbers": ({"order": "x"}, "file.yaml: 'order': should be 1 or 2, got 'x'."),
    "a fraction": ({"number": 1.5}, "file.yaml: 'number': should be a valid integer, got 1.5."),
}


@pytest.mark.parametrize("case", CASES)
def test_a_refusal_reads_like_the_file(case):
    fields, sentence = CASES[case]
    assert refused(**fields) == sentence


def test_no_word_of_python_reaches_the_reader():
    for fields, _ in CASES.values():
        sentence = refused(**fields).replace("'tuple'", "")
        assert not any(word in sentence.lower() for word in ("tuple", "dictionary", "instance", "validation"))
