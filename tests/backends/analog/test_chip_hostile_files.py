"""Whatever stands in a profile or in a change, it is read or refused in one line: nothing else escapes."""

from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from snncompare.backends.analog.profiles.profile import ChipProfile
from snncompare.errors import SnncompareError

PLAIN = {name: ChipProfile.load(name).plain() for name in ("bss2_calibrated", "dynapse", "loihi")}
BSS2 = ChipProfile.load("bss2_calibrated")
NUMBER = {"value": 1, "evidence": "data", "source": "a table"}
JUNK = st.sampled_from(
    [
        None,
        True,
        0,
        -1,
        1e308,
        10**400,
        float("nan"),
        float("inf"),
        "",
        "x" * 5000,
        "a\nb",
        "\ud800",
        "2 ms",
        [],
        [1],
        {},
        {1: 2},
        NUMBER,
        NUMBER | {"value": "a"},
        NUMBER | {"unit": []},
        NUMBER | {"unit": "us"},
    ]
)


def places(there: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Return the paths to everything inside nested mappings."""
    if not isinstance(there, dict):
        return []
    return [found for key, inner in there.items() for found in ((*path, key), *places(inner, (*path, key)))]


def spoiled(there: dict[Any, Any], path: tuple[Any, ...], junk: object, how: str) -> dict[Any, Any]:
    """Return a copy in which something was replaced, removed or added."""
    key, *rest = path
    if rest:
        return there | {key: spoiled(there[key], tuple(rest), junk, how)}
    if how == "remove":
        return {name: value for name, value in there.items() if name != key}
    return there | {key if how == "replace" else f"{key}s": junk}


def read_or_refused(make: Any) -> str:
    """Return what was said, empty if the profile was read and can be used."""
    try:
        profile, said = make(), ""
    except SnncompareError as error:
        profile, said = None, str(error)
    assert "\n" not in said
    assert len(said) < 900
    if profile is None:
        return said
    again = ChipProfile.parse(profile.plain(), "again")
    assert again.fingerprint() == profile.fingerprint()
    for role in ("threshold", "membrane_time_constant"):
        profile.bounds(role, leak=0.0, threshold=1.0, dt=1e-3)
    profile.weights.scale_of(1.0)
    return ""


@settings(max_examples=100)
@given(
    name=st.sampled_from(sorted(PLAIN)),
    where=st.integers(0, 10_000),
    junk=JUNK,
    how=st.sampled_from(["replace", "remove", "add"]),
)
def test_spoiled_profiles_are_read_or_refused_in_one_line(name, where, junk, how):
    there = places(PLAIN[name])
    data = spoiled(PLAIN[name], there[where % len(there)], junk, how)
    read_or_refused(lambda: ChipProfile.parse(data, "mine.yaml"))


PATHS = st.sampled_from(
    [
        "weights.bits",
        "weights.scale",
        "noise.jitter",
        "threshold.low",
        "leak",
        "refractory.high",
        "weights.distribution",
        "speedup",
        "dt",
        "name",
        "neurons.mask_failed",
        "saturation.current",
        "noise.rate_cap.events",
        "quantisers.x",
        "parameters",
        "measured",
        "title",
        ".",
        "weights.",
        "a.b.c",
        "weights..cv",
        "weights.tail.ratio",
        "noise.rate_cap",
        "equations.only",
        "time_constants.cv",
        "resources",
    ]
)


@settings(max_examples=100)
@given(path=PATHS, junk=JUNK)
@example(path="weights.bits", junk=4)
def test_spoiled_changes_are_taken_or_refused_in_one_line(path, junk):
    read_or_refused(lambda: BSS2.changed(**{path: junk}))


@pytest.mark.parametrize(
    ("path", "junk", "how", "refused"),
    [
        (("weights", "bits", "source"), None, "remove", True),
        (("weights", "bits"), None, "remove", False),
        (("weights", "bits", "value"), 7, "replace", False),
        (("weights",), NUMBER, "add", True),
    ],
)
def test_the_spoiler_spoils_and_what_is_optional_may_go(path, junk, how, refused):
    data = spoiled(PLAIN["bss2_calibrated"], path, junk, how)
    assert bool(read_or_refused(lambda: ChipProfile.parse(data, "mine.yaml"))) is refused
