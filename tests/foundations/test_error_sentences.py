"""Errors are sentences with what was given and what exists, and stay catchable as the built-in they are."""

import inspect

import pytest
from hypothesis import given
from hypothesis import strategies as st

from snncompare import errors
from snncompare.errors import SnncompareError, unknown

CLASSES = [item for _, item in inspect.getmembers(errors, inspect.isclass) if issubclass(item, SnncompareError)]


def test_the_nearest_name_is_offered_where_there_is_one():
    said = unknown("population", "hiden", ["hidden", "input"])
    assert said == "no population 'hiden'; did you mean 'hidden'? Available: 'hidden', 'input'."
    assert unknown("population", "zzz", ["hidden"]) == "no population 'zzz'; available: 'hidden'."
    assert unknown("population", "zzz", []) == "no population 'zzz'; available: none."


def test_long_lists_are_cut_and_counted():
    said = unknown("unit", "x", [f"name{k}" for k in range(25)])
    assert said.endswith("'name19' and 5 more.")


@given(st.text(), st.lists(st.text(max_size=5), max_size=30))
def test_any_name_gives_one_sentence(given_name, allowed):
    said = unknown("thing", given_name, allowed)
    assert said.startswith("no thing '")
    assert said.endswith(".")


@pytest.mark.parametrize("kind", CLASSES, ids=lambda kind: kind.__name__)
def test_every_error_is_caught_by_the_base_and_documented(kind):
    assert kind.__doc__
    assert kind.__name__ in errors.__all__
    if kind is not SnncompareError:
        builtin = [
            base
            for base in kind.__mro__
            if base.__module__ == "builtins" and base not in (Exception, BaseException, object)
        ]
        assert builtin, f"{kind.__name__} is no built-in exception"
        with pytest.raises(builtin[0], match="said"):
            raise kind("said")
