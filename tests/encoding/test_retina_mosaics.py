"""Model ganglion cells stand as those of the retina do: regular, sparser further out, none too close."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.spatial import cKDTree

from snncompare.encoding.stimuli import Movie
from snncompare.encoding.visual.ganglion_cells import MIDGET_OFF, MIDGET_ON, PARASOL_ON
from snncompare.encoding.visual.lgn import LGN
from snncompare.encoding.visual.mosaic import Mosaic
from snncompare.encoding.visual.retina import Retina
from snncompare.errors import InputError


def cells(kind, centre, size, **changes):
    return Retina(classes=(kind,), centre=centre, field=size, **changes).cells()


def inner(table, centre, size, margin):
    """Return nearest-neighbour distances of the cells that have all their neighbours in the field."""
    places = table[["x_degrees", "y_degrees"]].to_numpy()
    nearest = cKDTree(places).query(places, k=2)[0][:, 1]
    away = np.abs(places - np.asarray(centre))
    return nearest[(away < 0.5 * np.asarray(size) - margin).all(axis=1)], table[
        (away < 0.5 * np.asarray(size) - margin).all(axis=1)
    ]


FIELDS = [((5.0, 0.0), (2.0, 2.0)), ((0.0, -15.0), (4.0, 3.0)), ((25.0, 10.0), (6.0, 6.0))]


@pytest.mark.parametrize(("centre", "size"), FIELDS, ids=["5 degrees", "15 degrees", "27 degrees"])
@pytest.mark.parametrize("kind", [PARASOL_ON, MIDGET_OFF], ids=["parasol", "midget"])
class TestSpacing:
    def test_neighbours_are_two_standard_deviations_apart(self, kind, centre, size):
        """Gauthier et al. (2009) and Borghuis et al. (2008): centres are spaced at about 2 standard deviations."""
        near, table = inner(cells(kind, centre, size), centre, size, 0.3)
        sigma = table["radius_degrees"] / np.sqrt(2)
        # A jitter of 0.15 makes the nearest of six neighbours some 15 % nearer than the lattice's distance of 2.
        assert 1.6 < np.median(near / sigma) < 2.0

    def test_no_cell_is_too_close_to_another(self, kind, centre, size):
        near, table = inner(cells(kind, centre, size), centre, size, 0.0)
        apart = kind.receptive_field.distance(table["eccentricity_degrees"])
        assert (near / apart).min() > np.sqrt(3) / 2 - 2 * 0.15 - 0.02  # 2 %: the neighbour's distance is a bit smaller

    def test_the_density_is_that_of_a_hexagonal_lattice(self, kind, centre, size):
        table = cells(kind, centre, size)
        x, y = (np.linspace(c - s / 2, c + s / 2, 101) for c, s in zip(centre, size, strict=True))
        apart = kind.receptive_field.distance(np.hypot(*np.meshgrid(x, y)))
        expected = (2 / (np.sqrt(3) * apart**2)).mean() * size[0] * size[1]
        # Cells that stand on the edge are in or out by chance: half of those within a quarter of a spacing of it.
        assert len(table) == pytest.approx(expected, abs=3 + 1.5 * np.sqrt(expected))

    def test_the_field_is_covered(self, kind, centre, size):
        """Nowhere in the field is a gap in which another cell would fit at the lattice's distance."""
        table = cells(kind, centre, size)
        places = table[["x_degrees", "y_degrees"]].to_numpy()
        probe = np.asarray(centre) + (np.random.default_rng(0).random((2000, 2)) - 0.5) * (np.asarray(size) - 0.8)
        gap, nearest = cKDTree(places).query(probe)
        assert (gap / kind.receptive_field.distance(table["eccentricity_degrees"].to_numpy()[nearest])).max() < 1.0

    def test_the_field_holds_the_cells_and_nothing_more(self, kind, centre, size):
        table = cells(kind, centre, size)
        assert (abs(table["x_degrees"] - centre[0]) <= size[0] / 2).all()
        assert (abs(table["y_degrees"] - centre[1]) <= size[1] / 2).all()
        eccentricity = np.hypot(table["x_degrees"], table["y_degrees"])
        assert table["eccentricity_degrees"].to_numpy() == pytest.approx(eccentricity.to_numpy())
        assert table["radius_degrees"].to_numpy() == pytest.approx(kind.receptive_field.radius(eccentricity))


def test_spacing_grows_with_eccentricity_within_one_field():
    near, table = inner(cells(MIDGET_ON, (10.0, 0.0), (12.0, 2.0)), (10.0, 0.0), (12.0, 2.0), 0.2)
    far = table["eccentricity_degrees"] > 12.0
    close = table["eccentricity_degrees"] < 8.0
    expected = MIDGET_ON.receptive_field.radius(14.0) / MIDGET_ON.receptive_field.radius(6.0)
    assert np.median(near[far]) / np.median(near[close]) == pytest.approx(expected, rel=0.06)


def test_without_growth_of_receptive_fields_spacing_does_not_grow():
    flat = replace(
        MIDGET_ON, receptive_field=replace(MIDGET_ON.receptive_field, radius_per_degree=0.0, radius_at_fovea=0.05)
    )
    near, table = inner(cells(flat, (10.0, 0.0), (12.0, 2.0)), (10.0, 0.0), (12.0, 2.0), 0.2)
    far = table["eccentricity_degrees"] > 12.0
    assert np.median(near[far]) / np.median(near[~far]) == pytest.approx(1.0, rel=0.03)


def test_mosaics_are_regular_and_jitter_makes_them_less_so():
    """Regularity index, mean over standard deviation of nearest-neighbour distances; random placement has 1.9."""
    index = []
    for jitter in (0.05, 0.15, 0.4):
        table = cells(PARASOL_ON, (10.0, 0.0), (5.0, 5.0), mosaic=Mosaic(jitter=jitter))
        near, _ = inner(table, (10.0, 0.0), (5.0, 5.0), 0.4)
        index.append(near.mean() / near.std())
    assert index[0] > index[1] > index[2]
    assert index[1] > 2 * 1.9


def test_a_mosaic_at_the_fovea_has_no_hole_there():
    table = cells(MIDGET_ON, (0.0, 0.0), (1.0, 1.0))
    assert table["eccentricity_degrees"].min() < float(MIDGET_ON.receptive_field.distance(0.0))


def test_mosaics_come_from_their_seed_and_classes_have_their_own():
    first, again, other = (Retina(seed=seed).cells() for seed in (0, 0, 1))
    assert first.equals(again)
    assert not np.array_equal(first["x_degrees"].to_numpy()[:50], other["x_degrees"].to_numpy()[:50])
    on, off = (first[(first["cell_class"] == "parasol") & (first["polarity"] == p)] for p in ("ON", "OFF"))
    assert not np.isin(on["x_degrees"], off["x_degrees"]).any()


def test_changing_the_table_changes_no_retina():
    retina = Retina(field=(0.5, 0.5))
    table = retina.cells()
    table["x_degrees"] = 0.0
    assert (retina.cells()["x_degrees"] > 9.0).all()


def test_more_spacing_means_fewer_cells():
    sparse = replace(MIDGET_ON, receptive_field=replace(MIDGET_ON.receptive_field, spacing=4.0))
    ratio = len(cells(MIDGET_ON, (10.0, 0.0), (3.0, 3.0))) / len(cells(sparse, (10.0, 0.0), (3.0, 3.0)))
    assert ratio == pytest.approx(4.0, rel=0.08)


def test_a_field_too_small_for_some_classes_holds_the_others():
    retina = Retina(field=(0.08, 0.08))
    assert set(retina.cells()["cell_class"]) == {"midget"}
    movie = Movie(np.random.default_rng(0).random((3, 9, 9)), "20 Hz", 0.1)
    assert LGN(retina=retina).encode([movie], seed=0).units.shape[0] == len(retina.cells())


def test_fields_with_too_many_cells_or_none_are_refused():
    with pytest.raises(InputError, match="smaller field"):
        Retina(field=(40.0, 40.0), centre=(0.0, 0.0)).cells()
    with pytest.raises(InputError, match="no ganglion cell"):
        Retina(field=(0.01, 0.01), classes=(PARASOL_ON,), centre=(30.0, 3.0)).cells()
    with pytest.raises(InputError, match="jitter"):
        Mosaic(jitter=0.5)
