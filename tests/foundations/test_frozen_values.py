"""A value cannot change, equals its equals, hashes like them, and says in one line what it refuses."""

import copy
import pickle
from typing import Annotated, Literal

import pytest
from pydantic import Field, ValidationError

from snncompare.errors import DescriptionError
from snncompare.units import Quantity, quantity
from snncompare.values import FrozenDict, Value


class Round(Value):
    type: Literal["Round"] = "Round"
    radius: Quantity


class Square(Value):
    type: Literal["Square"] = "Square"
    side: Quantity = quantity("1 m")
    corners: Literal["sharp", "blunt"] = "sharp"


class Box(Value):
    shapes: dict[str, Annotated[Round | Square, Field(discriminator="type")]]
    count: Annotated[int, Field(gt=0)] = 1
    shape: Round | None = None


BOX = Box(shapes={"a": Round(radius=quantity("20 mm")), "b": Square()})


def test_equal_values_have_one_hash_and_fingerprint_however_their_units_were_written():
    other = Box.parse({"shapes": {"b": {"type": "Square"}, "a": {"type": "Round", "radius": "0.02 m"}}}, "other")
    assert other == BOX
    assert hash(other) == hash(BOX)
    assert other.fingerprint() == BOX.fingerprint()
    assert len({BOX, other}) == 1


def test_different_values_differ():
    other = BOX.model_copy(update={"count": 2})
    assert other != BOX
    assert other.fingerprint() != BOX.fingerprint()
    assert Round(radius=quantity("1 m")).fingerprint() != Round(radius=quantity("1 s")).fingerprint()


@pytest.mark.parametrize(
    "change",
    [
        lambda d: d.update(x=1),
        lambda d: d.__setitem__("x", 1),
        lambda d: d.__delitem__("a"),
        lambda d: d.pop("a"),
        lambda d: d.popitem(),
        lambda d: d.clear(),
        lambda d: d.setdefault("x", 1),
        lambda d: d.__ior__({"x": 1}),
    ],
    ids=range(8),
)
def test_dictionaries_inside_are_frozen_also_in_copies(change):
    for box in (BOX, copy.deepcopy(BOX), pickle.loads(pickle.dumps(BOX)), BOX.model_copy(update={"count": 3})):
        assert isinstance(box.shapes, FrozenDict)
        with pytest.raises(TypeError, match="frozen"):
            change(box.shapes)


def test_a_plain_dictionary_would_change_so_the_check_above_can_fail():
    plain = dict(BOX.shapes)
    plain.update(x=1)
    assert "x" in plain
    assert "x" not in BOX.shapes


def test_fields_cannot_be_set():
    with pytest.raises(ValidationError, match="frozen"):
        BOX.count = 5
    with pytest.raises(ValidationError, match="frozen"):
        del BOX.count


def test_the_dictionary_that_was_given_is_not_held():
    shapes = {"a": Round(radius=quantity("1 m"))}
    box = Box(shapes=shapes)
    shapes["b"] = Square()
    assert list(box.shapes) == ["a"]


def test_copies_pickles_and_plain_data_are_equal():
    for other in (copy.copy(BOX), copy.deepcopy(BOX), pickle.loads(pickle.dumps(BOX)), Box.parse(BOX.plain(), "again")):
        assert other == BOX
    assert BOX.plain() == {"shapes": {"a": {"type": "Round", "radius": "20 mm"}, "b": {"type": "Square"}}}


def test_a_changed_copy_is_checked_like_a_new_value():
    with pytest.raises(DescriptionError, match="'count': should be greater than 0, got 0"):
        BOX.model_copy(update={"count": 0})
    with pytest.raises(DescriptionError, match="no key 'cuont'; did you mean 'count'"):
        BOX.model_copy(update={"cuont": 2})


def test_the_schema_for_editors_says_that_quantities_are_text():
    schema = Box.model_json_schema()
    assert "string" in schema["$defs"]["Round"]["properties"]["radius"]["type"]


@pytest.mark.parametrize(
    ("given", "says"),
    [
        (None, "expected keys and values, got None."),
        ([], "expected keys and values, got []."),
        ({}, "'shapes' is missing."),
        ({"shapes": 3}, "'shapes': expected keys and values, got 3."),
        (
            {"shapes": {}, "count": "x"},
            "'count': should be a valid integer, unable to parse string as an integer, got 'x'.",
        ),
        ({"shapes": {}, "cout": 1}, "no key 'cout'; did you mean 'count'? Available: 'count', 'shape', 'shapes'."),
        ({"shapes": {"a": {}}}, "'shapes.a': needs the key 'type': 'Round' or 'Square'."),
        (
            {"shapes": {"a": {"type": "Rund"}}},
            "'shapes.a': no type 'Rund'; did you mean 'Round'? Available: 'Round', 'Square'.",
        ),
        ({"shapes": {"a": {"type": "Round"}}}, "'shapes.a.radius' is missing."),
        (
            {"shapes": {"a": {"type": "Round", "raduis": 1, "radius": "1 m"}}},
            "'shapes.a': no key 'raduis'; did you mean 'radius'? Available: 'radius', 'type'.",
        ),
        (
            {"shapes": {"a": {"type": "Square", "corners": "shrp"}}},
            "'shapes.a.corners': no corners 'shrp'; did you mean 'sharp'? Available: 'sharp', 'blunt'.",
        ),
        ({"shapes": {}, "shape": {"radius": None}}, "'shape.radius': expected a quantity such as '20 ms', got None."),
    ],
    ids=range(12),
)
def test_a_refusal_names_the_place_what_stands_there_and_what_may(given, says):
    with pytest.raises(DescriptionError) as caught:
        Box.parse(given, "box")
    assert str(caught.value) == f"box: {says}"
