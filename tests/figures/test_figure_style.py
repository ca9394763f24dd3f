"""Colours are colour-blind safe, belong to a model, and the caller's settings are left alone."""

import sys

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.colors import to_rgb

from snncompare.errors import InputError
from snncompare.figures.model_bars import model_bars_figure
from snncompare.figures.similarity_curve import similarity_figure
from snncompare.figures.style import PALETTE, colours_for, first_black, markers_for, plain, style


def lines_of(figure):
    return {to_rgb(line.get_color()) for ax in figure.axes for line in ax.lines}


def test_a_model_keeps_its_colour_and_marker_in_every_figure(make_result, models):
    colours = colours_for(models)
    some = make_result(models=models[3:5])
    expected = {to_rgb(colours[name]) for name in models[3:5]}
    for figure in (
        similarity_figure(some, colours=colours),
        model_bars_figure(some, "van Rossum", "10 ms", colours=colours),
    ):
        assert expected <= lines_of(figure)
        assert to_rgb(colours[models[0]]) not in lines_of(figure)
        markers = {line.get_marker() for ax in figure.axes for line in ax.lines} - {"None", "", None}
        assert markers == {markers_for(colours)[name] for name in models[3:5]}


def test_without_a_common_mapping_the_colours_would_change(make_result, models):
    assert to_rgb(colours_for(models)[models[3]]) not in lines_of(similarity_figure(make_result(models=models[3:5])))


def test_a_model_without_a_colour_is_refused_by_name(result, models):
    with pytest.raises(InputError, match="no colour for model 'Rate only'"):
        similarity_figure(result, colours=colours_for(models[:-1]))


def test_a_repeated_name_is_refused():
    with pytest.raises(InputError, match="unique"):
        colours_for(["a", "a"])


def test_colour_and_marker_tell_sixty_three_models_apart():
    names = [str(i) for i in range(63)]
    colours, markers = colours_for(names), markers_for(names)
    assert len({(colours[n], markers[n]) for n in names}) == 63


def test_the_animal_is_black_unless_it_has_a_colour():
    assert first_black(["fly", "m"], None) == {"fly": "#000000", "m": PALETTE[0]}
    assert first_black(["m"], {"m": "#123456"}) == {"m": "#123456"}


def smallest_gap_for_a_deuteranope(colours):
    """Red and green channels merged as by Viénot, Brettel & Mollon (1999); distance in gamma-coded RGB."""
    rgb = np.array([to_rgb(c) for c in colours]) ** 2.2
    seen = np.column_stack([0.29275 * rgb[:, 0] + 0.70725 * rgb[:, 1], rgb[:, 2]]) ** (1 / 2.2)
    return np.linalg.norm(seen[:, None] - seen[None], axis=-1)[np.triu_indices(len(rgb), 1)].min()


def test_the_palette_survives_red_green_blindness():
    assert smallest_gap_for_a_deuteranope([*PALETTE, "#000000"]) > 0.15
    assert smallest_gap_for_a_deuteranope(["#D62728", "#2CA02C"]) < 0.1  # an ordinary red and green


def test_figures_leave_the_settings_of_the_caller_and_pyplot_alone(result):
    before = dict(mpl.rcParams)
    loaded = "matplotlib.pyplot" in sys.modules
    similarity_figure(result)
    assert dict(mpl.rcParams) == before
    assert ("matplotlib.pyplot" in sys.modules) == loaded


def test_a_dollar_sign_in_a_name_is_not_mathematics(make_result, tmp_path):
    figure = similarity_figure(make_result(models=("cost $5", r"$\broken{$")))
    figure.savefig(tmp_path / "f.png")


def test_vector_text_is_asked_for():
    with style():
        assert mpl.rcParams["svg.fonttype"] == "none"
        assert mpl.rcParams["pdf.fonttype"] == 42
        assert 6 <= mpl.rcParams["xtick.labelsize"] <= mpl.rcParams["font.size"] <= 8


@pytest.mark.parametrize(("value", "text"), [(0.0, "0"), (-0.25, "−0.25"), (100.0, "100"), (1e-4, "0.0001")])
def test_tick_labels_are_plain_numbers(value, text):
    assert plain(value) == text
