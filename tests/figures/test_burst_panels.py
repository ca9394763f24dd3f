"""Panels of events and bursts show the numbers of the tables."""

import numpy as np
import pytest

from snncompare.errors import InputError
from snncompare.figures.burst_panels import (
    PART_COLOURS,
    draw_burst_probability,
    draw_excess,
    draw_shares,
    excess_data,
    shares_data,
)
from snncompare.figures.style import new_figure
from snncompare.representation.burst_decomposition import burst_decomposition
from snncompare.testing.burst_codes import burst_code


@pytest.fixture(scope="module")
def found():
    fast = {"n_surrogates": 19, "n_splits": 1, "n_resamples": 100}
    recording = burst_code("both", n_units=5, n_conditions=3, n_trials=8)
    return {ms: burst_decomposition(recording, "condition", interval=ms, **fast) for ms in ("8 ms", "16 ms")}


def test_bars_stack_to_one_and_are_the_shares(found):
    axes = new_figure(85.0, 60.0).subplots()
    assert draw_shares(found, axes) is axes
    heights = np.array([bar.get_height() for bar in axes.patches]).reshape(2, 2, 3)
    assert heights.sum(axis=2) == pytest.approx(1.0)
    for k, one in enumerate(found.values()):
        assert heights[k, 0] == pytest.approx([one.shares["share"].loc[part] for part in PART_COLOURS])
        assert heights[k, 1] == pytest.approx([one.shares["surrogate"].loc[part] for part in PART_COLOURS])
    assert [text.get_text() for text in axes.get_xticklabels()] == ["8 ms", "16 ms"]
    assert heights[0, 0].tolist() != heights[1, 0].tolist()


def test_points_are_the_units(found):
    axes = draw_burst_probability(found["16 ms"])
    points, units = axes.lines[-1], found["16 ms"].units
    assert points.get_xdata().tolist() == units["expected_probability"].tolist()
    assert points.get_ydata().tolist() == units["burst_probability"].tolist()
    assert axes.get_xlim() == axes.get_ylim()


def test_the_excess_is_drawn_in_per_cent_with_its_interval(found):
    axes, table = draw_excess(found), excess_data(found)
    assert axes.lines[-1].get_xdata().tolist() == (100 * table["relative"]).tolist()
    segments = axes.collections[0].get_segments()
    assert [segment[0][0] for segment in segments] == (100 * table["ci_low"]).tolist()
    assert (table["ci_low"] <= table["ci_high"]).all()


def test_tables_name_every_decomposition(found):
    table = shares_data(found)
    assert table["name"].tolist() == ["8 ms"] * 3 + ["16 ms"] * 3
    assert table.columns[:4].tolist() == ["name", "part", "share", "ci_low"]


@pytest.mark.parametrize("draw", [draw_shares, draw_excess])
def test_nothing_to_draw_is_refused(draw):
    with pytest.raises(InputError, match="at least one"):
        draw({})
