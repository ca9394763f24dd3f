"""The curve of returns shows means over seeds, with bands from the lowest to the highest."""

import pandas as pd
import pytest
from matplotlib.collections import PolyCollection

from snncompare.errors import InputError
from snncompare.figures.return_curve import return_curve_data, return_curve_figure


def history(values, **more):
    return pd.DataFrame({"episodes": range(8, 8 * len(values) + 1, 8), "return_20": values, **more})


def two_seeds():
    return pd.concat([history([1.0, 4.0], seed=0, model="a"), history([3.0, 8.0], seed=1, model="a")])


def test_the_table_has_mean_lowest_and_highest_over_seeds():
    table = return_curve_data(two_seeds())
    assert table["episodes"].tolist() == [8, 16]
    assert table[["mean", "min", "max"]].to_numpy().tolist() == [[2, 1, 3], [6, 4, 8]]


def test_the_figure_draws_the_mean_a_band_and_labelled_levels():
    figure = return_curve_figure(two_seeds(), levels={"chance": 0.5})
    (ax,) = figure.axes
    curve = max(ax.lines, key=lambda line: len(line.get_xdata()) * (line.get_ydata()[0] != 0.5))
    assert list(curve.get_ydata()) == [2, 6]
    (band,) = (each for each in ax.collections if isinstance(each, PolyCollection))
    assert band.get_paths()[0].get_extents().ymax == 8
    assert "chance" in [text.get_text() for text in ax.texts]
    assert ax.get_legend() is None, "one model needs no legend"
    alone = return_curve_figure(history([1.0, 2.0]))
    assert not [each for each in alone.axes[0].collections if isinstance(each, PolyCollection)]


def test_several_models_have_a_legend_and_their_colours():
    both = pd.concat([history([1.0, 2.0], model="a"), history([2.0, 3.0], model="b")])
    (ax,) = return_curve_figure(both, colours={"a": "#112233", "b": "#445566"}).axes
    assert [line.get_color() for line in ax.lines] == ["#112233", "#445566"]
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["a", "b"]
    with pytest.raises(InputError, match="no colour for model 'b'"):
        return_curve_figure(both, colours={"a": "#112233"})


def test_tables_without_episodes_are_refused():
    with pytest.raises(InputError, match="needs rows with the columns"):
        return_curve_figure(pd.DataFrame({"return_20": [1.0]}))
    with pytest.raises(InputError, match="in 0 rows"):
        return_curve_figure(history([]))
