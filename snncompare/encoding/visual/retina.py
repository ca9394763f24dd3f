"""The retina: from a movie to the spikes of ganglion cells."""

import dataclasses
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain
from math import ceil
from typing import Any, ClassVar, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from snncompare.encoding.encoder import Encoder, Spikes
from snncompare.encoding.parameters import check_between, check_whole, keep_times
from snncompare.encoding.stimuli import Movie
from snncompare.encoding.visual.cones import Cones
from snncompare.encoding.visual.ganglion_cells import (
    MIDGET_OFF,
    MIDGET_ON,
    PARASOL_OFF,
    PARASOL_ON,
    GanglionCells,
)
from snncompare.encoding.visual.mosaic import Mosaic
from snncompare.encoding.visual.pooling import Blocks, blocks_of, gaussian_weights, level_for, weighted
from snncompare.encoding.visual.spiking import IntegrateAndFire, PoissonSpiking
from snncompare.encoding.visual.temporal_filter import convolved
from snncompare.errors import InputError
from snncompare.units import QuantityLike

__all__ = ["Rates", "Retina"]

_CHUNK = 2**22


class Rates(NamedTuple):
    """Firing rates without noise: ``values`` (per second, shape (n_units, n_steps)) in steps of ``dt`` seconds."""

    values: NDArray[np.float64]
    dt: float


@dataclass(frozen=True, kw_only=True)
class Retina(Encoder):
    """Primate retina: cones, four mosaics of ganglion cells with centre and surround, spikes.

    A movie passes `Cones`, is collected by the centres and surrounds of each class (`GanglionCells.receptive_field`),
    filtered in time (`GanglionCells.temporal_filter`), turned into a rate and then into spikes. Before the movie and
    outside it there is grey. Each frame is shown until the next; the inner step is ``step`` or a little less.

    Parameters
    ----------
    field : (float, float)
        Width and height of the part of the visual field that the mosaics cover, degrees, whatever the movie's size.
    centre : (float, float)
        Where in the visual field the middle of the movie lies, to the right of and above the fovea, degrees.
    classes : tuple of GanglionCells
    mosaic : Mosaic
    cones : Cones
    spiking : PoissonSpiking or IntegrateAndFire
    background : float, optional
        Luminance of the grey, from 0 to 1; None: the mean of each movie.
    step : time
        Longest inner step; frames must not be shorter.
    seed : int
        Of the mosaics. The noise of spikes comes from the presentation.

    References
    ----------
    Wohrer & Kornprobst (2009) J Comput Neurosci 26:219-249 (design); the parts name theirs.
    """

    takes: ClassVar[type] = Movie

    field: tuple[float, float] = (2.0, 2.0)
    centre: tuple[float, float] = (10.0, 0.0)
    classes: tuple[GanglionCells, ...] = (PARASOL_ON, PARASOL_OFF, MIDGET_ON, MIDGET_OFF)
    mosaic: Mosaic = dataclasses.field(default_factory=Mosaic)
    cones: Cones = dataclasses.field(default_factory=Cones)
    spiking: PoissonSpiking | IntegrateAndFire = dataclasses.field(default_factory=PoissonSpiking)
    background: float | None = None
    step: QuantityLike = "2 ms"
    seed: int = 0

    def __post_init__(self) -> None:
        object.__setattr__(self, "field", _pair(self.field, "field", positive=True))
        object.__setattr__(self, "centre", _pair(self.centre, "centre", positive=False))
        if not isinstance(self.classes, tuple | list) or not self.classes:
            raise InputError(f"a retina needs at least one class of GanglionCells, got {self.classes!r}.")
        object.__setattr__(self, "classes", tuple(self.classes))
        parts: list[tuple[str, Any, Any]] = [("each of classes", entry, GanglionCells) for entry in self.classes]
        parts += [("mosaic", self.mosaic, Mosaic), ("cones", self.cones, Cones)]
        parts += [("spiking", self.spiking, PoissonSpiking | IntegrateAndFire)]
        for name, value, kind in parts:
            if not isinstance(value, kind):
                raise InputError(f"{name} of a retina must be {kind}, got {value!r}.")
        titles = [_title(entry) for entry in self.classes]
        if len(set(titles)) < len(titles):
            raise InputError(f"classes of a retina must differ in name or polarity, got {titles}.")
        if self.background is not None:
            check_between(self, "background", 0.0, 1.0)
        keep_times(self, "step")
        check_whole(self, "seed", 0)

    def units(self, stimulus: Movie) -> pd.DataFrame:  # noqa: ARG002
        """Return one row per ganglion cell: class, polarity, place in the visual field, radius of the centre.

        Raises
        ------
        InputError
            If the field is too small to hold a single cell.
        """
        return self.cells()

    def cells(self) -> pd.DataFrame:
        """Return the table of units, which does not depend on the movie."""
        return _cells(self.classes, self.field, self.centre, self.mosaic, self.seed).copy()

    def rates(self, movie: Movie) -> Rates:
        """Return the firing rates that a movie leads to, before any noise.

        Raises
        ------
        InputError
            For frames shorter than the inner step, and anything that is no movie.
        """
        self.check(movie)
        if movie.frame_rate * self.step.value > 1.0 + 1e-9:
            raise InputError(
                f"frames of {1e3 / movie.frame_rate:g} ms are shorter than the inner step of "
                f"{1e3 * self.step.value:g} ms; give the retina step='{1e3 / movie.frame_rate:g} ms' or less."
            )
        n_steps = ceil(movie.duration / self.step.value - 1e-9)
        dt = movie.duration / n_steps
        shown = np.minimum(
            ((np.arange(n_steps) + 0.5) * dt * movie.frame_rate).astype(np.int64), len(movie.luminance) - 1
        )
        values = []
        collected = self._collected(movie, shown, dt)
        for kind, (centre, surround) in zip(self.classes, collected, strict=True):
            cone_time, late = self.cones.time_constant.value, kind.receptive_field.surround_delay.value
            signal = centre.low_passed(kind.temporal_filter.low_pass(dt, cone_time))
            signal -= surround.low_passed(kind.temporal_filter.low_pass(dt, cone_time, late))
            signal = kind.temporal_filter.high_pass(signal, dt)
            values.append(np.maximum(kind.baseline + kind.sign * kind.gain * signal, 0.0))
        return Rates(np.concatenate(values), dt)

    def fire(self, stimulus: Movie, randomness: np.random.SeedSequence) -> Spikes:
        """Return the spikes of all ganglion cells in one presentation of the movie."""
        rates = self.rates(stimulus)
        spikes = self.spiking.fire(rates.values, rates.dt, np.random.default_rng(randomness))
        return Spikes(np.minimum(spikes.times, stimulus.duration), spikes.counts)

    def _collected(self, movie: Movie, shown: NDArray[np.int64], dt: float) -> list[tuple["_Collected", "_Collected"]]:
        """Return the contrast in centres and surrounds of each class."""
        mosaics = (self.classes, self.field, self.centre, self.mosaic, self.seed)
        pools = _pools(*mosaics, movie.luminance.shape[1:], movie.degrees_per_pixel)
        frames = movie.luminance.reshape(len(movie.luminance), -1)
        if pools.receptors.matrix is not None:
            frames = (pools.receptors.matrix @ frames.T).T
        grey = float(movie.luminance.mean()) if self.background is None else float(self.background)
        cones = self.cones.seeing(frames, shown, dt, grey)
        collected = [
            (_Collected(*centre, shown.size), _Collected(*around, shown.size)) for centre, around in pools.weights
        ]
        length = max(_CHUNK // frames.shape[1], 1)
        for begin in range(0, shown.size, length):
            end = min(begin + length, shown.size)
            contrast = {pools.finest: cones.steps(begin, end)}
            for level, blocks in pools.levels.items():
                contrast[level] = blocks.matrix @ contrast[pools.finest]
            for part in chain.from_iterable(collected):
                part.keep(begin, contrast[part.level])
        return collected


class _Collected:
    """Contrast in centres or surrounds of a class; blocks or cells are filtered in time, what there is less of."""

    def __init__(self, level: int, weights: Any, n_steps: int) -> None:
        self.level, self._weights = level, weights
        self._of_blocks = weights.shape[1] < weights.shape[0]
        self._values = np.empty((min(weights.shape), n_steps))

    def keep(self, begin: int, contrast: NDArray[np.float64]) -> None:
        """Keep the contrast of the blocks in the steps from `begin` on, shape (n_blocks, n_steps)."""
        self._values[:, begin : begin + contrast.shape[1]] = (
            contrast if self._of_blocks else weighted(self._weights, contrast)
        )

    def low_passed(self, kernel: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the signal of the cells after a filter in time, shape (n_cells, n_steps)."""
        filtered = convolved(self._values, kernel)
        return weighted(self._weights, filtered) if self._of_blocks else filtered


class _Pools(NamedTuple):
    """``receptors``: blocks that cones stand for; ``levels``: coarser blocks made of them; ``weights``: of each class,
    centre and surround, the level and the sparse matrix."""  # noqa: D205, D209

    finest: int
    receptors: Blocks
    levels: dict[int, Blocks]
    weights: list[tuple[tuple[int, Any], tuple[int, Any]]]


@lru_cache(maxsize=8)
def _cells(
    classes: tuple[GanglionCells, ...],
    field: tuple[float, float],
    centre: tuple[float, float],
    mosaic: Mosaic,
    seed: int,
) -> pd.DataFrame:
    tables = []
    for number, kind in enumerate(classes):
        rng = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(number,)))
        places = mosaic.positions(kind.receptive_field, centre, field, rng)
        eccentricity = np.hypot(*places.T)
        table = pd.DataFrame(
            {
                "cell_class": kind.name,
                "polarity": kind.polarity,
                "x_degrees": places[:, 0],
                "y_degrees": places[:, 1],
                "eccentricity_degrees": eccentricity,
                "radius_degrees": kind.receptive_field.radius(eccentricity),
            },
            index=[f"{_title(kind)} {k}" for k in range(len(places))],
        )
        tables.append(table)
    found = pd.concat(tables)
    if found.empty:
        size = f"{field[0]:g} x {field[1]:g}"
        raise InputError(f"a field of {size} degrees at {centre} holds no ganglion cell; make it larger.")
    found.index.name = "unit"
    return found


@lru_cache(maxsize=4)
def _pools(
    classes: tuple[GanglionCells, ...],
    field: tuple[float, float],
    centre: tuple[float, float],
    mosaic: Mosaic,
    seed: int,
    shape: tuple[int, int],
    degrees_per_pixel: float,
) -> _Pools:
    cells = _cells(classes, field, centre, mosaic, seed)
    wanted = []
    for kind in classes:
        of_class = cells[(cells["cell_class"] == kind.name) & (cells["polarity"] == kind.polarity)]
        places = of_class[["x_degrees", "y_degrees"]].to_numpy() - np.asarray(centre)
        radii = of_class["radius_degrees"].to_numpy()
        form = kind.receptive_field
        for radius, strength in ((radii, 1.0), (radii * form.surround_ratio, form.surround_strength)):
            smallest = radius.min() if radius.size else np.inf
            level = level_for(smallest, degrees_per_pixel, shape)
            wanted.append((level, places, radius, strength))
    finest = min(level for level, *_ in wanted)
    blocks = {level: blocks_of(shape, degrees_per_pixel, level, finest) for level, *_ in wanted}
    weights = [
        (level, gaussian_weights(places, radius, blocks[level], (degrees_per_pixel * 2**level, degrees_per_pixel), k))
        for level, places, radius, k in wanted
    ]
    return _Pools(
        finest,
        blocks_of(shape, degrees_per_pixel, finest),
        {level: block for level, block in blocks.items() if level > finest},
        list(zip(weights[::2], weights[1::2], strict=True)),
    )


def _title(kind: GanglionCells) -> str:
    return f"{kind.polarity} {kind.name}"


def _pair(given: object, name: str, positive: bool) -> tuple[float, float]:
    values = tuple(given) if isinstance(given, tuple | list) else ()
    numbers = [v for v in values if isinstance(v, int | float) and np.isfinite(v) and (v > 0 or not positive)]
    if len(values) != 2 or len(numbers) != 2:
        what = "two positive numbers" if positive else "two numbers"
        raise InputError(f"{name} of a retina must be {what} of degrees, (x, y), got {given!r}.")
    return float(numbers[0]), float(numbers[1])
