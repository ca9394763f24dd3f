import numpy as np
import pytest

from snncompare.errors import InputError
from snncompare.representation.cube import rdm_cube, rdms_of_cube
from snncompare.representation.distances import distances
from snncompare.representation.metrics import SpikeCount, VanRossum, VictorPurpura
from snncompare.representation.movie import rdm_movie
from snncompare.representation.rdm import rdm
from snncompare.representation.within import within_condition

SCALES = ["0.1 s", "10 ms", "1 s"]


@pytest.fixture(scope="module")
def swept(noisy_recording):
    return rdm(noisy_recording, VanRossum.sweep(SCALES), by="song", name="cells")


def test_a_sweep_becomes_a_cube_over_time_scales(swept):
    cube = rdm_cube(swept)
    assert cube.dims == ("time_scale", "condition", "condition_")
    assert cube["time_scale"].to_numpy().tolist() == [0.01, 0.1, 1.0]
    value = swept.get_matrices()[0, 0, 2]
    assert cube.sel(time_scale=0.1, condition="song 40", condition_="song 30") == value
    assert cube.attrs == {"metric": "van Rossum", "name": "cells", "estimator": "BetweenMinusWithin()"}
    assert np.isnan(cube.to_numpy()[:, range(4), range(4)]).all()


def test_the_diagonal_is_kept_where_it_is_known(noisy_recording, swept):
    within = within_condition(distances(noisy_recording, VanRossum.sweep(SCALES)), noisy_recording.trials["song"])
    cube = rdm_cube(swept, diagonal=within)
    for scale, row in zip([0.1, 0.01, 1.0], within.to_numpy(), strict=True):
        assert (np.diagonal(cube.sel(time_scale=scale)) == row).all()
    with pytest.raises(InputError, match=r"needs the shape \(3, 4\)"):
        rdm_cube(swept, diagonal=within[:2])


def test_a_movie_of_a_sweep_has_both_axes(noisy_recording):
    movie = rdm_movie(noisy_recording, VanRossum.sweep(SCALES), by="song", window="2 s", step="1 s")
    cube = rdm_cube(movie)
    assert cube.dims == ("time_scale", "window_start", "condition", "condition_")
    assert cube.shape == (3, 9, 4, 4)
    assert (cube["window_stop"] == cube["window_start"] + 2).all()
    one = rdm_movie(noisy_recording, VanRossum(tau="10 ms"), by="song", window="2 s", step="1 s").get_matrices()[4]
    upper = np.triu_indices(4, k=1)
    assert (cube.sel(time_scale=0.01, window_start=4.0).to_numpy()[upper] == one[upper]).all()


def test_a_cube_gives_its_rdms_back(noisy_recording):
    movie = rdm_movie(noisy_recording, VanRossum.sweep(SCALES), by="song", window="2 s", step="1 s")
    back = rdms_of_cube(rdm_cube(movie))
    order = np.lexsort((movie.rdm_descriptors["window_start"], movie.rdm_descriptors["time_scale"]))
    assert (back.dissimilarities == movie.dissimilarities[order]).all()
    for key in ("metric", "time_scale", "name", "estimator", "window_start", "window_stop"):
        assert back.rdm_descriptors[key] == [movie.rdm_descriptors[key][k] for k in order]
    assert back.pattern_descriptors["condition"] == movie.pattern_descriptors["condition"]


def test_a_metric_without_time_scale_has_one(noisy_recording):
    counts = rdm(noisy_recording, SpikeCount(), by="song")
    cube = rdm_cube(counts)
    assert np.isnan(cube["time_scale"]).all()
    assert cube.sizes["time_scale"] == 1
    assert (rdms_of_cube(cube).dissimilarities == counts.dissimilarities).all()


def test_rdms_that_are_no_cube_are_refused(noisy_recording, swept):
    both = rdm(noisy_recording, [VanRossum(tau="10 ms"), VictorPurpura(cost="100 Hz")], by="song")
    with pytest.raises(InputError, match=r"RDMs of one metric, got .*'Victor-Purpura'"):
        rdm_cube(both)
    from rsatoolbox.rdm import concat

    with pytest.raises(InputError, match="4 RDMs do not fill a cube of 3 of time_scale"):
        rdm_cube(concat([swept, swept.subset("time_scale", 0.01)]))
    movie = rdm_movie(noisy_recording, VanRossum.sweep(SCALES), by="song", window="2 s", step="1 s")
    with pytest.raises(InputError, match="26 RDMs do not fill"):
        rdm_cube(movie.subset("index", list(range(26))))


def test_arrays_that_are_no_cube_are_refused(swept):
    cube = rdm_cube(swept)
    with pytest.raises(InputError, match="has the dimensions"):
        rdms_of_cube(cube.isel(time_scale=0))
    with pytest.raises(InputError, match="same conditions"):
        rdms_of_cube(cube.assign_coords(condition=["a", "b", "c", "d"]))
    bent = cube.copy()
    bent[0, 0, 1] += 1
    with pytest.raises(InputError, match="symmetric"):
        rdms_of_cube(bent)
