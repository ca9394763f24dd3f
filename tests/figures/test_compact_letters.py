"""Two models share a letter if and only if they were not told apart."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from snncompare.errors import InputError
from snncompare.figures.compact_letters import compact_letters

NAMES = list("pqrstuv")
PAIRS = [(a, b) for i, a in enumerate(NAMES) for b in NAMES[i + 1 :]]


@given(st.sets(st.sampled_from(PAIRS)))
def test_letters_are_shared_exactly_by_pairs_that_do_not_differ(different):
    letters = compact_letters(NAMES, different)
    assert all(letters.values())
    for a, b in PAIRS:
        assert bool(set(letters[a]) & set(letters[b])) == ((a, b) not in different)


def test_all_alike_share_one_letter_and_all_different_have_their_own():
    assert set(compact_letters(NAMES, []).values()) == {"a"}
    assert list(compact_letters(NAMES, PAIRS).values()) == list("abcdefg")


def test_an_unknown_name_is_refused():
    with pytest.raises(InputError, match="no name 'z'"):
        compact_letters(NAMES, [("p", "z")])
