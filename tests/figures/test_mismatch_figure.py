import numpy as np
import pandas as pd
import pytest

from snncompare.errors import InputError
from snncompare.figures.mismatch import QUANTITIES, draw_mismatch, mismatch_data, mismatch_figure
from snncompare.figures.style import PALETTE

SIZES, DEVICES = (0.0, 0.1, 0.2, 0.5), 7


@pytest.fixture
def table():
    rng = np.random.default_rng(0)
    rows = [
        {
            "scheme": scheme, "parameters": which, "sigma": sigma, "bits": np.nan, "device_seed": device,
            "accuracy": 0.9 - sigma * rng.uniform(0.5, 1.0), "similarity_to_ideal": 1 - sigma * rng.uniform(),
        }
        for scheme in ("plain", "aware") for which in ("weights", "time_constants") for sigma in SIZES
        for device in range(DEVICES)
    ]  # fmt: skip
    return pd.DataFrame(rows)


def test_what_is_drawn_are_medians_and_quartiles_over_devices(table):
    data = mismatch_data(table, "sigma", ["accuracy"], "scheme", "parameters")
    assert len(data) == 2 * 2 * len(SIZES)
    for row in data.itertuples():
        own = table[(table["scheme"] == row.line) & (table["parameters"] == row.panel) & (table["sigma"] == row.x)]
        assert (row.low, row.median, row.high) == pytest.approx(np.quantile(own["accuracy"], [0.25, 0.5, 0.75]))
        assert row.n_devices == DEVICES
    assert (data["low"] < data["high"])[data["x"] > 0].all()  # control: a band of no width would be seen


def test_devices_without_a_value_do_not_count(table):
    table.loc[(table["device_seed"] == 3), "accuracy"] = np.nan
    data = mismatch_data(table[table["parameters"] == "weights"], "sigma", ["accuracy"])
    assert (data["n_devices"] == DEVICES - 1).all()
    assert data["median"].notna().all()


def test_the_line_is_the_median_in_percent_with_its_band(table):
    data = mismatch_data(table[table["parameters"] == "weights"], "sigma", ["accuracy"])
    ax = draw_mismatch(data, "accuracy", ideal={"plain": 0.9}, levels={"chance": 0.25})
    lines = [line for line in ax.lines if line.get_marker() not in ("None", "", None)]
    assert [line.get_color() for line in lines] == [PALETTE[0], PALETTE[1]]
    plain = data[data["line"] == "plain"]
    assert np.allclose(lines[0].get_ydata(), 100 * plain["median"])
    band = ax.collections[0].get_paths()[0].vertices[:, 1]
    assert (band.min(), band.max()) == pytest.approx((100 * plain["low"].min(), 100 * plain["high"].max()))
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("Mismatch (s.d. / mean)", "Accuracy (%)")
    heights = [line.get_ydata()[0] for line in ax.lines if line.get_linestyle() in (":", "--")]
    assert sorted(heights) == pytest.approx([25, 90])
    assert "chance" in [text.get_text() for text in ax.texts]


def test_float_weights_stand_beyond_the_axis_and_are_not_joined():
    rows = [
        {"scheme": "a", "bits": b, "device_seed": d, "accuracy": 0.5 + 0.01 * d} for b in (2, 4, np.nan) for d in (0, 1)
    ]
    ax = draw_mismatch(mismatch_data(pd.DataFrame(rows), "bits", ["accuracy"]), "accuracy", x="bits")
    assert [label.get_text() for label in ax.get_xticklabels()] == ["2", "4", "float"]
    drawn = [list(line.get_xdata()) for line in ax.lines]
    assert drawn == [[2, 4], [6]]


def test_panels_of_a_column_share_limits_that_hold_every_band(table):
    figure = mismatch_figure(table, values=["accuracy", "similarity_to_ideal"], panels="parameters")
    axes = figure.axes
    assert [ax.get_title() for ax in axes] == ["weights", "weights", "time constants", "time constants"]
    data = mismatch_data(table, "sigma", ["similarity_to_ideal"], "scheme", "parameters")
    for ax in (axes[1], axes[3]):
        low, high = ax.get_ylim()
        assert low < data["low"].min()
        assert high > data["high"].max()
    assert axes[0].get_ylim() == axes[2].get_ylim() == (0.0, QUANTITIES["accuracy"].high)
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["plain", "aware"]


def test_a_noise_ceiling_is_a_band_inside_the_limits(table):
    band = {"similarity_to_ideal": (1.1, 1.3)}
    ax = mismatch_figure(table, values=["similarity_to_ideal"], panels="parameters", bands=band).axes[1]
    box = ax.patches[0].get_bbox()
    assert (box.y0, box.y1) == pytest.approx((1.1, 1.3))
    assert ax.get_ylim()[1] > 1.3
    assert not mismatch_figure(table, values=["similarity_to_ideal"], panels="parameters").axes[1].patches


def test_one_point_alone_shows_the_lines_side_by_side(table):
    one = table[(table["sigma"] == 0.5) & (table["parameters"] == "weights")]
    ax = draw_mismatch(mismatch_data(one, "sigma", ["accuracy"]), "accuracy")
    places = [line.get_xdata()[0] for line in ax.lines]
    assert len(set(places)) == 2
    assert [label.get_text() for label in ax.get_xticklabels()] == ["0.5"]


def test_the_same_table_gives_the_same_bytes(table):
    from snncompare.figures.save import svg_bytes

    draw = [svg_bytes(mismatch_figure(table, values=["accuracy"], panels="parameters")) for _ in range(2)]
    assert draw[0] == draw[1]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"x": "sgima"}, "did you mean 'sigma'"),
        ({"values": ["acuracy"]}, "did you mean 'accuracy'"),
        ({"values": ["energy"]}, "missing: \\['energy'\\]"),
        ({"lines": "bits"}, "several rows at one point"),
    ],
    ids=["abscissa", "value", "column", "devices twice"],
)
def test_what_cannot_be_drawn_is_refused(table, given, said):
    with pytest.raises(InputError, match=said):
        mismatch_data(table, **({"x": "sigma", "values": ["accuracy"], "panels": "parameters"} | given))
