"""Every figure has a function that draws on the axes it is given and returns them."""

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_rgba
from matplotlib.figure import Figure

from snncompare.errors import InputError
from snncompare.figures.condition_rasters import condition_raster_data, draw_condition_raster
from snncompare.figures.model_bars import draw_models
from snncompare.figures.rdm_movie import draw_rdm_movie, rdm_movie_data
from snncompare.figures.rdm_panels import RdmScale, draw_rdm, rank_normalised
from snncompare.figures.scaling import draw_scaling, scaling_data
from snncompare.figures.similarity_curve import draw_similarity
from snncompare.figures.timing_curve import draw_timing_contribution, timing_data
from snncompare.recording.recording import Recording
from snncompare.representation.labelled import labelled_rdms

WIDTHS = (0.002, 0.005, 0.01, 0.05)


@pytest.fixture
def recording():
    """Two units, three conditions in mixed order, one trial without spikes."""
    trials = pd.DataFrame(
        {"start": -0.1, "stop": 0.3, "odour": ["mint", "citral", "mint", "hexanol"]}, index=["a", "b", "c", "d"]
    )
    return Recording.from_arrays(
        times=[0.05, 0.2, 0.1, -0.05, 0.01, 0.25],
        unit=["u", "u", "u", "u", "w", "u"],
        trial=["a", "a", "b", "c", "c", "c"],
        units=pd.DataFrame(index=["u", "w"]),
        trials=trials,
    )


@pytest.fixture
def timing():
    rows = [
        {
            "model": model, "metric": "van Rossum", "time_scale": 0.01, "width": width, "similarity": 0.8,
            "surrogate": 0.8 - k * loss, "surrogate_low": 0.7 - k * loss, "surrogate_high": 0.85 - k * loss,
            "p_corrected": 0.5 if k < 2 else 0.01,
        }
        for model, loss in (("precise", 0.2), ("rate", 0.0))
        for k, width in enumerate(WIDTHS)
    ]  # fmt: skip
    return pd.DataFrame(rows)


@pytest.fixture
def movie(make_rdm):
    vectors = [make_rdm(5, seed)[np.triu_indices(5, 1)] for seed in range(12)]
    rdms = labelled_rdms(
        np.stack(vectors), list("abcde"), metric=["m"] * 12, time_scale=[0.01] * 12, name=["n"] * 12, estimator="e"
    )
    rdms.rdm_descriptors["window_start"] = [0.01 * k for k in range(12)]
    rdms.rdm_descriptors["window_stop"] = [0.01 * k + 0.05 for k in range(12)]
    return rdms


@pytest.mark.parametrize("what", ["rdm", "similarity", "models", "raster", "scaling", "timing"])
def test_the_axes_given_are_drawn_on_and_returned(what, make_rdm, make_result, recording, timing):
    result = make_result(metrics=("van Rossum",))
    calls = {
        "rdm": lambda ax: draw_rdm(make_rdm(6, 0), list("abcdef"), ax),
        "similarity": lambda ax: draw_similarity(result, ax),
        "models": lambda ax: draw_models(result, ax, time_scale="10 ms"),
        "raster": lambda ax: draw_condition_raster(recording, "u", "odour", ax),
        "scaling": lambda ax: draw_scaling(make_rdm(6, 0), list("abcdef"), ax),
        "timing": lambda ax: draw_timing_contribution(timing, ax),
    }
    mine, other = Figure().subplots(1, 2)
    before = dict(mpl.rcParams)
    assert calls[what](mine) is mine
    assert mine.has_data()
    assert not other.has_data()
    assert dict(mpl.rcParams) == before
    assert calls[what](None) is not mine


def test_a_single_matrix_shows_ranks_or_values(make_rdm):
    matrix = make_rdm(6, 0)
    for scale, expected in ((RdmScale.RANK, rank_normalised(matrix)), (RdmScale.RAW, matrix)):
        shown = draw_rdm(matrix, list("abcdef"), scale=scale).images[0].get_array()
        off = ~np.eye(6, dtype=bool)
        np.testing.assert_array_equal(shown[off], expected[off])


def test_several_metrics_must_be_told_apart(make_result):
    result = make_result()
    with pytest.raises(InputError, match="choose one with metric="):
        draw_similarity(result)
    with pytest.raises(InputError, match="van Rossum"):
        draw_similarity(result, metric="van Rosum")
    assert draw_similarity(result, metric="van Rossum").get_title(loc="left") == "van Rossum"


def test_trials_are_sorted_by_condition_and_silent_trials_keep_their_row(recording):
    table = condition_raster_data(recording, "u", "odour")
    assert table.drop_duplicates("row")["trial"].tolist() == ["a", "c", "b", "d"]
    assert table.loc[table["condition"] == "mint", "time_s"].tolist() == [0.05, 0.2, -0.05, 0.25]
    assert table.loc[table["condition"] == "hexanol", "time_s"].isna().all()
    ax = draw_condition_raster(recording, "u", "odour")
    assert ax.get_ylim() == (4.5, 0.5)
    assert [text.get_text() for text in ax.texts] == ["mint", "citral", "hexanol"]


def test_a_unit_or_column_that_does_not_exist_is_refused(recording):
    with pytest.raises(InputError, match="unit 'x'"):
        draw_condition_raster(recording, "x", "odour")
    with pytest.raises(InputError, match="column in the trials table 'odor'"):
        draw_condition_raster(recording, "u", "odor")


def test_scaling_recovers_points_in_the_plane_and_tells_when_it_cannot():
    rng = np.random.default_rng(0)
    points = rng.normal(size=(12, 2))
    matrix = np.linalg.norm(points[:, None] - points[None], axis=2)
    labels = [str(i) for i in range(12)]
    table, stress = scaling_data(matrix, labels)
    found = np.linalg.norm(table[["x", "y"]].to_numpy()[:, None] - table[["x", "y"]].to_numpy()[None], axis=2)
    upper = np.triu_indices(12, 1)
    assert np.corrcoef(found[upper], matrix[upper])[0, 1] > 0.98
    noise = np.zeros((12, 12))
    noise[upper] = rng.random(66)
    assert scaling_data(noise + noise.T, labels)[1] > 0.1 > stress  # no plane holds random dissimilarities


def test_scaling_uses_the_order_only_so_negative_estimates_need_no_repair(make_rdm):
    matrix = make_rdm(8, 0)
    shifted = matrix - 0.5 * matrix.max() * (1 - np.eye(8))
    assert (shifted < 0).any()
    pd.testing.assert_frame_equal(scaling_data(matrix, list("abcdefgh"))[0], scaling_data(shifted, list("abcdefgh"))[0])


@pytest.mark.parametrize(
    ("matrix", "labels", "message"),
    [(np.zeros((2, 2)), "ab", "at least three"), (np.full((3, 3), np.nan), "abc", "missing dissimilarities")],
    ids=["two conditions", "missing"],
)
def test_what_cannot_be_scaled_is_refused(matrix, labels, message):
    with pytest.raises(InputError, match=message):
        draw_scaling(matrix, list(labels))


def test_groups_colour_the_points(make_rdm):
    ax = draw_scaling(make_rdm(4, 0), list("abcd"), groups=["x", "x", "y", "y"], colours={"x": "red", "y": "blue"})
    assert [line.get_color() for line in ax.lines] == ["red", "blue"]
    with pytest.raises(InputError, match="3 groups were given for 4 conditions"):
        draw_scaling(make_rdm(4, 0), list("abcd"), groups=["x", "x", "y"])


def test_timing_curves_fill_the_markers_of_widths_where_timing_counts(timing):
    ax = draw_timing_contribution(timing, colours={"precise": "red", "rate": "blue"})
    points = [line for line in ax.lines if line.get_marker() not in {"None", None, ""}]
    filled = [line.get_xdata().tolist() for line in points if to_rgba(line.get_markerfacecolor()) != to_rgba("white")]
    assert filled == [[10.0, 50.0], [10.0, 50.0]]
    assert ax.get_xscale() == "log"


def test_timing_tables_must_be_of_one_metric_and_time_scale(timing):
    two = pd.concat([timing, timing.assign(time_scale=0.02)])
    with pytest.raises(InputError, match="2 metrics and time scales"):
        draw_timing_contribution(two)
    with pytest.raises(InputError, match="p_corrected"):
        timing_data(timing.drop(columns="p_corrected"))


def test_frames_of_a_movie_share_one_colour_scale(movie):
    axes = draw_rdm_movie(movie)
    limits = {ax.images[0].get_clim() for ax in axes}
    assert len(axes) == 8
    assert limits == {(0.0, float(movie.get_matrices().max()))}
    assert axes[0].get_title() == "0 to 50 ms"
    assert axes[-1].get_title() == "110 to 160 ms"
    assert len({ax.images[0].get_clim() for ax in draw_rdm_movie(movie, scale=RdmScale.RANK)}) == 1
    assert len(rdm_movie_data(movie)) == 120


def test_a_movie_wants_one_axes_per_frame_and_windows(movie):
    mine = Figure().subplots(1, 3)
    assert list(draw_rdm_movie(movie, mine, frames=[0, 5, 11])) == list(mine)
    with pytest.raises(InputError, match="3 axes were given for 2 frames"):
        draw_rdm_movie(movie, mine, frames=[0, 5])
    del movie.rdm_descriptors["window_stop"]
    with pytest.raises(InputError, match="these RDMs are no movie"):
        draw_rdm_movie(movie)
