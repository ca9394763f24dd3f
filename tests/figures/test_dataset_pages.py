import numpy as np
import pandas as pd
import pytest

from snncompare.figures.dataset_page import dataset_data, dataset_figure
from snncompare.figures.firing_panels import (
    class_raster_data,
    draw_class_raster,
    draw_fano,
    draw_intervals,
    draw_rates,
    draw_synchrony,
    histogram_data,
)
from snncompare.figures.information_panels import draw_information, draw_information_by_scale, information_data
from snncompare.figures.save import save_figure
from snncompare.figures.unit_order import unit_order
from snncompare.recording.recording import Recording
from snncompare.representation.firing_statistics import firing_statistics
from snncompare.representation.label_information import label_information
from snncompare.testing.ground_truth import Design, latency_code


@pytest.fixture(scope="module")
def coded():
    return latency_code(Design(conditions=5, repeats=8, units=6))


@pytest.fixture(scope="module")
def statistics(coded):
    return firing_statistics(coded, "condition")


@pytest.fixture(scope="module")
def information(coded):
    return label_information(coded, "condition", time_scales=["5 ms", "50 ms"], n_permutations=39)


def silent(n_trials=4, n_units=3):
    return Recording(
        times=np.empty(0),
        offsets=np.zeros(n_trials * n_units + 1, dtype=np.int64),
        units=pd.DataFrame(index=range(n_units)),
        trials=pd.DataFrame({"start": 0.0, "stop": 0.2, "which": np.arange(n_trials) % 2}),
    )


def test_rasters_show_one_trial_of_each_of_four_classes(coded):
    table = class_raster_data(coded, "condition")
    assert table["class"].unique().tolist() == [0, 1, 2, 3]
    trial = table["trial"].iloc[0]
    for row, name in enumerate(coded.units.index, 1):
        shown = table[(table["trial"] == trial) & (table["row"] == row)]
        assert np.array_equal(shown["time_s"], coded.train(trial, name))
    assert len(class_raster_data(coded, "condition", most=5)) > len(table)  # control


def test_of_many_units_every_third_is_drawn():
    many = latency_code(Design(conditions=2, repeats=1, units=401))
    table = class_raster_data(many, "condition")
    assert table["row"].max() == 134
    assert table.loc[table["row"] == 2, "unit"].iloc[0] == many.units.index[3]


def test_classes_come_in_natural_order(coded):
    names = np.array(["odour 10", "odour 2", "odour 1", "air", "odour 2b"])
    trials = coded.trials.assign(odour=names[coded.trials["condition"].to_numpy()])
    named = Recording(times=coded.times, offsets=coded.offsets, units=coded.units, trials=trials)
    found = class_raster_data(named, "odour", most=5)["class"].unique().tolist()
    assert found == ["air", "odour 1", "odour 2", "odour 2b", "odour 10"]
    assert found != sorted(names)  # control


def of_units(coded, **columns):
    return Recording(times=coded.times, offsets=coded.offsets, trials=coded.trials, units=coded.units.assign(**columns))


def test_rows_are_in_the_order_of_frequency_or_class(coded, statistics):
    heard = of_units(coded, characteristic_frequency=[4e3, 125.0, 1234.5, 8e3, 250.0, 500.0], polarity=[1, 0] * 3)
    order = unit_order(heard.units, 200)
    assert order.rows.tolist() == [1, 4, 5, 2, 0, 3]
    assert order.label == "Unit, 125 Hz to 8 kHz"
    shown = class_raster_data(heard, "condition")
    assert shown.loc[shown["row"] == 1, "unit"].unique().tolist() == [coded.units.index[1]]
    seen = of_units(coded, cell_class=["parasol ON", "midget OFF"] * 3, polarity=1)
    assert unit_order(seen.units, 200).rows.tolist() == [0, 2, 4, 1, 3, 5]
    assert unit_order(seen.units, 3).rows.tolist() == [0, 4, 3]
    assert unit_order(coded.units, 200)[1:] == ("Unit", None)  # control
    both = unit_order(coded.units.assign(cell_class=["a", "b"] * 3, polarity=["ON"] * 4 + ["OFF"] * 2), 200)
    assert both.rows.tolist() == [0, 2, 1, 3, 4, 5]
    assert both.label == "Unit, by cell class and polarity"
    assert both.groups == ("a ON", "a ON", "b ON", "b ON", "a OFF", "b OFF")
    events = unit_order(coded.units.assign(polarity=[0, 1] * 3), 200)
    assert events.groups == ("OFF",) * 3 + ("ON",) * 3
    first = dataset_figure(seen, "condition", statistics).axes[0]
    assert first.get_ylabel() == "Unit, by cell class"
    assert [text.get_text() for text in first.get_yticklabels()] == ["parasol ON", "midget OFF"]
    assert first.get_yticks().tolist() == [2.0, 5.0]


def test_the_panel_of_fano_factors_says_over_what(coded, statistics):
    assert "within classes,\nwhose stimuli may differ" in draw_fano(statistics).texts[0].get_text()
    assert "over all trials" in draw_fano(firing_statistics(coded)).texts[0].get_text()  # control


def test_histograms_hold_every_value_once():
    values = np.concatenate([np.random.default_rng(0).gamma(2, 10, 500), [np.nan]])
    for logarithmic in (False, True):
        data = histogram_data(values, logarithmic=logarithmic)
        assert data["share"].sum() == pytest.approx(1)
        assert len(data) == 16  # Rice's rule: 2 * 500 ** (1 / 3)
        assert np.allclose(data["high"].iloc[:-1], data["low"].iloc[1:])
    assert histogram_data([]).empty
    assert histogram_data([3.0, 3.0])["share"].sum() == 1  # all alike


def test_fano_points_stand_where_the_table_says(statistics):
    ax = draw_fano(statistics)
    points = ax.lines[-1].get_xydata()
    assert np.allclose(points, statistics.fano[["mean", "variance"]])
    assert np.allclose(ax.lines[0].get_xdata(), ax.lines[0].get_ydata())  # Poisson: variance = mean


def test_synchrony_points_are_trials_against_shuffled_ones(statistics):
    points = draw_synchrony(statistics).lines[-1].get_xydata()
    assert np.allclose(points, statistics.synchrony[["shuffled", "synchrony"]])


def test_bars_are_the_bits_of_the_table_and_say_the_accuracy(information):
    ax = draw_information(information)
    codes = list(dict.fromkeys(information.table["code"]))
    heights = [bar.get_height() for bar in ax.patches]
    best = [information.best(code) for code in codes]
    assert heights == pytest.approx([max(row["information"], 0) for row in best])
    assert [text.get_text() for text in ax.texts] == [f"{row['accuracy']:.0%}" for row in best]
    assert ax.get_ylabel() == "Information about condition (bits)"
    dashed = ax.lines[-1].get_ydata()
    assert dashed == pytest.approx([np.log2(5)] * 2)


def test_curves_are_the_rows_with_time_scales(information):
    ax = draw_information_by_scale(information)
    curve = next(line for line in ax.lines if line.get_label() == "Trains")
    rows = information.table.query("code == 'trains'")
    assert np.allclose(curve.get_xdata(), rows["time_scale"] * 1e3)
    assert np.allclose(curve.get_ydata(), rows["information"])
    labels = [text.get_text() for text in ax.get_legend().get_texts()]
    assert labels == [
        "Trains",
        "Trains given counts",
        "Synchrony",
        "Counts",
        "Permuted labels, 95 %",
        "Entropy of the label",
    ]


def test_the_page_has_a_letter_per_group_and_its_numbers_beside_it(coded, statistics, information, tmp_path):
    parts = (coded, "condition", statistics, information)
    data = dataset_data(*parts)
    paths = save_figure(dataset_figure(*parts, title="a set"), data, tmp_path, "page", dpi=200.0)
    assert {path.name for path in paths} == {f"page.{s}" for s in ("png", "pdf", "svg")} | {
        f"page_{key}.csv" for key in ("spikes", "units", "intervals", "fano", "synchrony", "information")
    }
    svg = (tmp_path / "page.svg").read_text()
    assert all(f">{letter}<" in svg for letter in "ABCDEFG")
    assert ">condition 3<" in svg
    assert ">condition 4<" not in svg  # four classes are shown
    stored = pd.read_csv(tmp_path / "page_information.csv")
    assert np.allclose(stored["information"], information_data(information)["information"])


def test_a_page_without_classes_has_no_panels_of_information(coded):
    plain = firing_statistics(coded)
    figure = dataset_figure(coded, None, plain)
    assert "information" not in dataset_data(coded, None, plain)
    letters = [t.get_text() for ax in figure.get_axes() for t in ax.texts if t.get_fontweight() == "bold"]
    assert letters == list("ABCDE")
    assert figure.get_axes()[0].get_title() == "Trial 0"


def test_silence_is_said_and_not_drawn():
    recording = silent()
    nothing = firing_statistics(recording, "which")
    figure = dataset_figure(recording, "which", nothing)
    said = {t.get_text() for ax in figure.get_axes() for t in ax.texts}
    assert {"no spikes", "no intervals", "no repeated class", "no pairs of units that fire"} <= said


@pytest.mark.parametrize("draw", [draw_rates, draw_intervals, draw_fano, draw_synchrony])
def test_panels_draw_on_the_axes_that_are_given(draw, statistics):
    from matplotlib.figure import Figure

    ax = Figure().subplots()
    assert draw(statistics, ax) is ax
    assert ax.get_xlabel()
    assert ax.get_ylabel()


def test_long_trials_are_in_seconds_and_short_ones_in_milliseconds():
    spikes = pd.DataFrame({"row": [1], "time_s": [0.1]})
    assert draw_class_raster(spikes, (0.0, 0.2), 1).get_xlabel() == "Time (ms)"
    assert draw_class_raster(spikes, (0.0, 3.0), 1).get_xlabel() == "Time (s)"
