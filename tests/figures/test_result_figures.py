"""Figures of a result show similarity, intervals, ceiling and significance, and say what is missing."""

import numpy as np
import pandas as pd
import pytest

from snncompare.errors import InputError
from snncompare.figures.model_bars import model_bars_data, model_bars_figure
from snncompare.figures.similarity_curve import similarity_data, similarity_figure


def words(figure):
    legend = [t.get_text() for item in figure.legends for t in item.get_texts()]
    inside = [t.get_text() for ax in figure.axes for t in ax.texts]
    below = figure._supxlabel.get_text() if figure._supxlabel else ""
    return " | ".join([*legend, *inside, below])


def markers(figure, filled):
    return [
        line
        for ax in figure.axes
        for line in ax.lines
        if line.get_linestyle() == "None"
        and (line.get_markerfacecolor() != "white") == filled
        and len(line.get_xdata())
    ]


def test_there_is_a_panel_per_metric_on_a_time_axis_in_milliseconds(result):
    figure = similarity_figure(result)
    assert [ax.get_title(loc="left") for ax in figure.axes] == ["Victor-Purpura", "van Rossum"]
    assert figure.axes[0].get_ylabel() == "RDM similarity\n(Spearman)"
    for ax in figure.axes:
        assert ax.get_xlabel() == "Time scale (ms)"
        assert ax.get_xscale() == "log"
        assert [t.get_text() for t in ax.get_xticklabels()] == ["1", "2", "5", "10", "20", "50", "100"]
    np.testing.assert_allclose(similarity_data(result)["time_scale_ms"], 1e3 * result.table["time_scale"])


def test_only_what_is_above_chance_after_correction_is_filled(result):
    figure = similarity_figure(result)
    drawn = sum(len(line.get_xdata()) for line in markers(figure, filled=True))
    assert drawn == (result.table["p_corrected"] < 0.05).sum()
    result.table["p_corrected"] = 1.0
    assert not markers(similarity_figure(result), filled=True)


def test_significant_dissimilarity_is_not_above_chance(result):
    result.table["similarity"] *= -1
    assert not markers(similarity_figure(result), filled=True)


def test_ceiling_and_interval_are_in_the_legend_where_there_are_any(result):
    assert "95 % interval | noise ceiling" in words(similarity_figure(result))
    result.table[["ceiling_low", "ceiling_high", "ci_low", "ci_high"]] = np.nan
    bare = words(similarity_figure(result))
    assert "95 % interval" not in bare
    assert bare.count("no noise ceiling, no interval") == 2


@pytest.mark.parametrize("known", [[3], [0, 3, 4]])
def test_a_ceiling_is_drawn_only_where_it_is_known(make_result, known):
    result = make_result(metrics=("van Rossum",))
    scales = sorted(result.table["time_scale"].unique())
    result.table.loc[~result.table["time_scale"].isin([scales[i] for i in known]), ["ceiling_low", "ceiling_high"]] = (
        np.nan
    )
    figure = similarity_figure(result)
    assert "noise ceiling at some time scales only" in words(figure)
    grey = [c for c in figure.axes[0].collections if c.get_zorder() == 0]
    points = np.concatenate([path.vertices[:, 0] for c in grey for path in c.get_paths() if len(path.vertices)])
    assert set(np.round(points, 6)) == {round(1e3 * scales[i], 6) for i in known}


def test_a_model_without_time_scale_is_a_horizontal_line(make_result):
    result = make_result(models=("SRNN",), metrics=("van Rossum",))
    fixed = result.table.iloc[[0]].assign(model="Orientation", time_scale=np.nan, similarity=0.21)
    result.table = pd.concat([result.table, fixed])
    flat = [line for line in similarity_figure(result).axes[0].lines if set(line.get_ydata()) == {0.21}]
    assert list(flat[0].get_xdata()) == [0, 1]


def test_a_metric_without_time_scale_shows_a_point_per_model(make_result, models):
    result = make_result(metrics=("Spike counts",), scales=(1,))
    result.table["time_scale"] = np.nan
    figure = similarity_figure(result)
    ax = figure.axes[0]
    points = [line for line in ax.lines if line.get_linestyle() == "None"]
    named = {t.get_text().replace("\n", " "): h for t, h in zip(*legend_of(figure), strict=True)}
    assert [line.get_xdata()[0] for line in points] == list(range(len(models)))
    for line, name in zip(points, models, strict=True):
        assert (line.get_color(), line.get_marker()) == (named[name].get_color(), named[name].get_marker())
    assert "no time scale" in ax.get_xlabel()


def legend_of(figure):
    return figure.legends[0].get_texts(), figure.legends[0].legend_handles


def test_the_axis_label_is_whole_and_clear_of_the_panel_letter(make_result):
    result = make_result(metrics=("van Rossum", "spike count"))
    result.measure.label = "Spearman correlation (rho-a)"
    result.table.loc[result.table["metric"] == "spike count", "time_scale"] = np.nan
    result.table = result.table.drop_duplicates(["model", "metric", "time_scale"])
    result.table["model"] = result.table["model"] + " with quite a long name"
    figure = similarity_figure(result)
    first, second = figure.axes
    label, letter = first.yaxis.label.get_window_extent(), first.texts[-1].get_window_extent()
    assert first.texts[-1].get_text() == "A"
    assert figure.bbox.y0 <= label.y0 < label.y1 <= figure.bbox.y1
    assert figure.bbox.x0 <= label.x0
    assert not label.overlaps(letter)
    assert second.bbox.width < 0.6 * first.bbox.width
    assert second.bbox.y0 == pytest.approx(first.bbox.y0, abs=1)


def test_intervals_have_edges_that_stay_fainter_than_the_curves(make_result):
    for models in (("SRNN",), tuple("abcdefg")):
        ax = similarity_figure(make_result(models=models, metrics=("van Rossum",))).axes[0]
        edges = [line for line in ax.lines if line.get_linewidth() < 0.5 and len(line.get_xdata()) > 2]
        shades = [c.get_alpha() for c in ax.collections if c.get_alpha() is not None]
        assert len(edges) == 2 * len(models)
        assert max(line.get_alpha() for line in edges) < 1
        assert max(shades) * len(models) <= 0.25


@pytest.mark.parametrize("n_models", [1, 6])
@pytest.mark.parametrize("scales", [(10,), (1, 10), (1, 2, 5, 10, 20, 50, 100)])
def test_any_number_of_models_and_time_scales_is_drawn(make_result, models, n_models, scales):
    result = make_result(models=models[:n_models], scales=scales)
    assert len(similarity_figure(result).axes) == 2
    assert len(model_bars_figure(result, "van Rossum", "10 ms").axes[0].get_yticks()) == n_models


def test_values_that_could_not_be_computed_are_said(result):
    result.table["similarity"] = np.nan
    assert "no similarity could be computed" in words(similarity_figure(result))


@pytest.mark.parametrize("draw", [similarity_figure, model_bars_figure])
def test_an_empty_or_incomplete_result_is_refused(result, draw):
    complete = result.table
    result.table = complete.head(0)
    with pytest.raises(InputError, match="holds no model"):
        draw(result)
    result.table = complete.drop(columns="p_corrected")
    with pytest.raises(InputError, match=r"lacks the columns \['p_corrected'\]"):
        draw(result)


def test_bars_show_the_chosen_metric_and_time_scale(result):
    figure = model_bars_figure(result, "van Rossum", "10 ms")
    rows = result.table[(result.table["metric"] == "van Rossum") & (result.table["time_scale"] == 0.01)]
    drawn = [line.get_xdata()[0] for line in figure.axes[0].lines if line.get_linestyle() == "None"]
    np.testing.assert_allclose(drawn, rows["similarity"])
    assert figure.axes[0].get_title(loc="left") == "van Rossum, 10 ms"
    assert figure.axes[0].get_xlabel() == "RDM similarity (Spearman)"


def test_models_share_a_letter_exactly_when_they_were_not_told_apart(result):
    tables = model_bars_data(result, "van Rossum", "10 ms")
    letters = dict(zip(tables["models"]["model"], tables["models"]["letters"], strict=True))
    assert len(tables["differences"]) == 15
    for row in tables["differences"].itertuples():
        shared = set(letters[row.model_a]) & set(letters[row.model_b])
        assert bool(shared) == (row.p_corrected >= 0.05)


def test_bars_say_what_is_missing(make_result):
    result = make_result(models=("SRNN",), scales=(10,), metrics=("van Rossum",))
    assert "No noise ceiling" not in words(model_bars_figure(result))
    result.table[["ceiling_low", "ceiling_high", "ci_low", "ci_high"]] = np.nan
    said = words(model_bars_figure(result))
    for sentence in ("No noise ceiling.", "No interval could be computed.", "No difference between models was tested."):
        assert sentence in said


@pytest.mark.parametrize(
    ("metric", "time_scale", "message"),
    [
        (None, "10 ms", "choose one with metric="),
        ("van Rosum", "10 ms", "did you mean 'van Rossum'"),
        ("van Rossum", None, "choose one with time_scale="),
        ("van Rossum", "11 ms", "no time scale of 'van Rossum' '11 ms'"),
        ("van Rossum", 10, "no unit"),
    ],
)
def test_a_choice_that_is_missing_or_absent_is_refused_with_what_there_is(result, metric, time_scale, message):
    with pytest.raises(InputError, match=message):
        model_bars_figure(result, metric, time_scale)


def test_the_real_result_is_drawn(result):
    from snncompare.comparison.measures import Spearman
    from snncompare.comparison.result import Result

    real = Result(
        table=result.table,
        differences=result.differences,
        measure=Spearman(),
        resampled="conditions",
        statements=(),
        seed=0,
    )
    assert Spearman().label in similarity_figure(real).axes[0].get_ylabel()
    assert len(model_bars_data(real, "van Rossum", "10 ms")["models"]) == 6
