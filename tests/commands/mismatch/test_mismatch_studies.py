import json

import numpy as np
import pandas as pd
import pytest

from snncompare.commands.mismatch import study as studies
from snncompare.commands.mismatch.measure import COLUMNS, measure_devices
from snncompare.commands.mismatch.points import Point
from snncompare.commands.mismatch.probe import Probe
from snncompare.commands.mismatch.study import IDENTITY, Scheme, mismatch_study
from snncompare.errors import FileError, InputError
from snncompare.learning.losses import Classification
from snncompare.representation.metrics import VanRossum

LOSS = Classification("readout", scale="1 mV")
SWEEPS = {"size": [Point(sigma=0.0), Point(sigma=0.2, parameters="weights")], "bits": [Point(bits=3), Point(sigma=0.0)]}


@pytest.fixture
def calls(monkeypatch):
    """Profiles and devices of every piece that is carried out; a number in ``stop`` kills the study there."""
    made = {"pieces": [], "stop": None}

    def measured(*arguments, **given):
        if len(made["pieces"]) == made["stop"]:
            raise KeyboardInterrupt
        made["pieces"].append((given["profile"].fingerprint(), given["device_seeds"]))
        return measure_devices(*arguments, **given)

    monkeypatch.setattr(studies, "measure_devices", measured)
    return made


def carried_out(little, words, keep=None, sweeps=SWEEPS, schemes=None, **changes):
    given = {"device_seeds": (0, 1), "dt": "1 ms", "keep": keep} | changes
    return mismatch_study(schemes or {"plain": little}, words, given.pop("loss", LOSS), sweeps=sweeps, **given)


def test_a_study_has_a_row_for_every_point_and_device_and_carries_a_point_out_once(little, words, calls):
    result = carried_out(little, words)
    assert list(result.table) == [*IDENTITY, *COLUMNS]
    assert len(result.table) == 4 * 2
    assert len(calls["pieces"]) == 3  # the point that both sweeps have is one
    twice = result.table[(result.table["sigma"] == 0)]
    assert list(twice["sweep"]) == ["size", "size", "bits", "bits"]
    ideal = result.ideal["accuracy"].item()
    assert (twice["accuracy"] == ideal).all()
    assert not (result.table["accuracy"] == ideal).all()  # control: mismatch and bits do change it


def test_a_killed_study_goes_on_and_ends_the_same(little, words, calls, tmp_path):
    whole = carried_out(little, words)
    calls["pieces"].clear()
    calls["stop"] = 2
    with pytest.raises(KeyboardInterrupt):
        carried_out(little, words, tmp_path)
    calls["stop"] = None
    done = list(calls["pieces"])
    again = carried_out(little, words, tmp_path)
    assert len(calls["pieces"]) == 3
    assert calls["pieces"][2] not in done
    pd.testing.assert_frame_equal(again.table, whole.table, check_exact=True)
    pd.testing.assert_frame_equal(again.ideal, whole.ideal, check_exact=True)
    carried_out(little, words, tmp_path)
    assert len(calls["pieces"]) == 3  # all is there


def test_what_a_piece_depends_on_is_carried_out_again(little, words, calls, tmp_path):
    one = {"size": SWEEPS["size"][:1]}
    carried_out(little, words, tmp_path, one)
    other = Classification("readout", scale="2 mV")
    weights = little.realisation.connections["feed"]
    weights.weight[0], kept = weights.weight[0] * 1.5, weights.weight[0]
    try:
        carried_out(little, words, tmp_path, one)
    finally:
        weights.weight[0] = kept
    changes = [{"loss": other}, {"device_seeds": (0, 2)}, {"seed": 1}, {"dt": "0.5 ms"}]
    for change in changes:
        carried_out(little, words, tmp_path, one, **change)
    carried_out(little, words.subset(words.labels != 3), tmp_path, one)
    probe = Probe(words, "word", (VanRossum("5 ms"),), population="hidden")
    carried_out(little, words, tmp_path, one, probe=probe)
    carried_out(little, words, tmp_path, {"size": [Point(sigma=0.0), Point(sigma=0.1)]}, probe=probe)
    assert len(calls["pieces"]) == 1 + 1 + len(changes) + 1 + 1 + 1
    carried_out(little, words, tmp_path, one)  # control: unchanged, nothing is
    assert len(calls["pieces"]) == 9


def test_a_damaged_piece_is_named(little, words, tmp_path):
    one = {"size": SWEEPS["size"][:1]}
    carried_out(little, words, tmp_path, one)
    for path in tmp_path.glob("*.json"):
        stored = json.loads(path.read_text())
        stored["rows"][0].pop("accuracy")
        path.write_text(json.dumps(stored))
    with pytest.raises(FileError, match=r"kept piece '.*' is damaged.*delete it"):
        carried_out(little, words, tmp_path, one)
    next(iter(tmp_path.glob("*.json"))).write_text("{")
    with pytest.raises(FileError, match="is damaged"):
        carried_out(little, words, tmp_path, one)


def test_a_scheme_that_knows_the_device_makes_a_network_for_each(little, words, calls):
    asked = []

    def make(profile, device_seed):
        asked.append((profile.weights.cv.value, device_seed))
        return little

    schemes = {"plain": little, "own": Scheme(little, make, key="the same network")}
    result = carried_out(little, words, sweeps={"size": SWEEPS["size"]}, schemes=schemes)
    assert asked == [(0.0, 0), (0.0, 1), (0.2, 0), (0.2, 1)]
    plain, own = (result.table[result.table["scheme"] == name].drop(columns="scheme") for name in schemes)
    pd.testing.assert_frame_equal(plain.reset_index(drop=True), own.reset_index(drop=True), check_exact=True)
    assert [seeds for _, seeds in calls["pieces"]] == [(0, 1), (0, 1), (0,), (1,), (0,), (1,)]
    with pytest.raises(InputError, match="needs a key"):
        Scheme(little, make)


def test_an_empty_study_is_refused(little, words):
    for sweeps in ({}, {"size": []}):
        with pytest.raises(InputError, match="at least one scheme and one point"):
            carried_out(little, words, sweeps=sweeps)


def test_kept_numbers_come_back_to_the_last_digit(tmp_path):
    from snncompare.commands.mismatch.keys import kept_rows, write_rows

    rng = np.random.default_rng(0)
    rows = [
        {"a": float(x), "b": float("nan"), "c": "text"}
        for x in rng.normal(size=50) * 10.0 ** rng.integers(-200, 200, 50)
    ]
    write_rows(tmp_path, "0" * 64, "words", rows)
    found = kept_rows(tmp_path, "0" * 64, ("a", "b", "c"))
    assert [row["a"] for row in found] == [row["a"] for row in rows]
    assert all(np.isnan(row["b"]) for row in found)
    assert kept_rows(tmp_path, "1" * 64, ("a", "b", "c")) is None
