"""A learning curve shows what was measured, with chance and baselines as labelled lines."""

from itertools import pairwise

import numpy as np
import pandas as pd
import pytest

from snncompare.errors import InputError
from snncompare.figures.learning_curve import learning_curve_data, learning_curve_figure


@pytest.fixture
def history():
    epoch = np.arange(1, 21)
    accuracy = 1 - 0.8 * np.exp(-epoch / 5)
    return pd.DataFrame(
        {
            "epoch": epoch,
            "train_accuracy": accuracy,
            "test_accuracy": 0.9 * accuracy,
            "loss": np.exp(-epoch / 5),
            "rate": 5 + 0.1 * epoch,
        }
    )


def texts(ax):
    return " ".join(" ".join(t.get_text().split()) for t in ax.texts)


def test_accuracy_loss_and_rate_have_a_panel_each_with_units(history):
    figure = learning_curve_figure(history, {"chance": 0.1}, loss_unit="nats")
    assert [ax.get_ylabel() for ax in figure.axes] == ["Accuracy (%)", "Loss (nats)", "Firing rate (Hz per neuron)"]
    assert {ax.get_xlabel() for ax in figure.axes} == {"Epoch"}
    np.testing.assert_allclose(figure.axes[0].lines[0].get_ydata(), 100 * history["train_accuracy"])


def test_chance_and_baseline_are_lines_with_their_names(history):
    ax = learning_curve_figure(history, {"chance": 0.1, "untrained network": 0.12}).axes[0]
    heights = [line.get_ydata()[0] for line in ax.lines if len(line.get_ydata()) == 2]
    assert sorted(heights) == [10.0, 12.0]
    assert "chance (10 %)" in texts(ax)
    assert "untrained network (12 %)" in texts(ax)


def test_names_of_close_levels_do_not_overlap(history):
    figure = learning_curve_figure(history, {"chance": 0.1, "untrained": 0.11, "shuffled": 0.12})
    boxes = sorted((t.get_window_extent() for t in figure.axes[0].texts if "%" in t.get_text()), key=lambda b: b.y0)
    assert all(low.y1 <= high.y0 + 0.5 for low, high in pairwise(boxes))


def test_missing_columns_leave_out_their_panel_and_missing_levels_are_said(history):
    figure = learning_curve_figure(history[["epoch", "test_accuracy"]])
    assert len(figure.axes) == 1
    assert "no chance level or baseline given" in texts(figure.axes[0])


def test_one_epoch_is_drawn(history):
    learning_curve_figure(history.head(1))


def test_several_models_are_named(history):
    both = pd.concat([history.assign(model="a"), history.assign(model="b")])
    figure = learning_curve_figure(both, colours={"a": "#0072B2", "b": "#D55E00"})
    assert [t.get_text() for t in figure.legends[0].get_texts()] == ["a", "b"]


def test_the_data_are_the_history_and_the_levels(history):
    tables = learning_curve_data(history, {"chance": 0.1})
    pd.testing.assert_frame_equal(tables["history"], history)
    assert tables["levels"].to_dict("records") == [{"label": "chance", "accuracy": 0.1}]


def test_percent_nothing_and_no_epochs_are_refused(history):
    with pytest.raises(InputError, match="'train_accuracy' must be a fraction"):
        learning_curve_figure(history.assign(train_accuracy=50.0))
    with pytest.raises(InputError, match="'chance' must be a fraction"):
        learning_curve_figure(history, {"chance": 10.0})
    with pytest.raises(InputError, match="at least one of"):
        learning_curve_figure(history[["epoch"]])
    with pytest.raises(InputError, match="empty"):
        learning_curve_figure(history.head(0))


def test_a_mapping_of_histories_is_one_line_per_model(history):
    figure = learning_curve_figure({"a": history, "b": history.assign(rate=20.0)})
    assert [t.get_text() for t in figure.legends[0].get_texts()] == ["a", "b"]
    heights = [line.get_ydata() for line in figure.axes[2].lines]
    np.testing.assert_allclose(heights, [history["rate"], [20.0] * 20])
    with pytest.raises(InputError, match="at least one model"):
        learning_curve_figure({})


def test_seeds_are_thin_lines_and_their_mean(history):
    shifted = history.assign(seed=1, loss=history["loss"] + 0.2)
    ax = learning_curve_figure(pd.concat([history.assign(seed=0), shifted])).axes[1]
    assert [line.get_linewidth() for line in ax.lines][:2] == [0.5, 0.5]
    assert len(ax.lines) == 3
    np.testing.assert_allclose(ax.lines[2].get_ydata(), history["loss"] + 0.1)


def test_without_accuracies_the_held_out_loss_stands_beside_the_loss(history):
    curve = history[["epoch", "loss", "rate"]].assign(test_loss=2 * history["loss"])
    figure = learning_curve_figure(curve, held_out="test")
    assert [ax.get_ylabel() for ax in figure.axes] == ["Loss (a.u.)", "Firing rate (Hz per neuron)"]
    np.testing.assert_allclose(figure.axes[0].lines[1].get_ydata(), curve["test_loss"])
    assert figure.axes[0].get_ylim()[1] > curve["test_loss"].max()
    assert [t.get_text() for t in figure.axes[0].get_legend().get_texts()] == ["training", "test"]
    assert "test_loss" not in learning_curve_data(history.assign(test_loss=1.0))["history"]
