"""Photographs that scikit-image carries, whole or in patches."""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from snncompare.datasets.samplers.picture_file import luminance_of_file
from snncompare.datasets.samples import Samples
from snncompare.encoding.stimuli import Image
from snncompare.errors import InputError, unknown

__all__ = ["NaturalImages", "natural_images"]

_MOST_PATCHES = 1_000_000
"""Presentations are numbered picture by picture, this far apart."""


def natural_images(
    files: Mapping[str, Path],
    *,
    pictures: Sequence[str] | None = None,
    patch: int | None = 64,
    n_per_class: int = 20,
    patch_seed: int = 0,
    degrees_per_pixel: float = 0.05,
) -> "NaturalImages":
    """Return patches of photographs, or whole photographs.

    Parameters
    ----------
    files : mapping
        Picture files; a picture is called like its file without the ending.
    pictures : sequence of str, optional
        Which ones; default all.
    patch : int, optional
        Pixels a side; None: whole pictures, which have to be of one size to make one dataset.
    n_per_class : int
        Patches of each picture, anywhere in it.
    patch_seed : int
        Where the patches are. Patch i of a picture is the same for any ``n_per_class``.
    degrees_per_pixel : float
        Visual angle of a pixel.

    Returns
    -------
    NaturalImages
        Labels ``picture``, and ``x``, ``y`` (left and upper edge of the patch, pixels).

    Raises
    ------
    FileError
        For files that are no pictures.
    InputError
        For pictures that do not exist, patches that do not fit into them, numbers below one.
    """
    paths = {Path(name).stem: path for name, path in files.items()}
    names = tuple(paths) if pictures is None else tuple(pictures)
    for name in names:
        if name not in paths:
            raise InputError(unknown("picture", name, paths))
    if not names or len(set(names)) < len(names):
        raise InputError(f"give at least one picture, each once; got {names}.")
    if not 1 <= n_per_class <= _MOST_PATCHES or patch_seed < 0 or (patch is not None and patch < 1):
        raise InputError(
            f"patch and n_per_class must be at least 1 (and not millions), patch_seed at least 0; got patch={patch}, "
            f"n_per_class={n_per_class}, patch_seed={patch_seed}."
        )
    order = {name: k for k, name in enumerate(paths)}
    chosen = {name: (order[name], paths[name]) for name in names}
    return NaturalImages(chosen, patch, 1 if patch is None else n_per_class, patch_seed, degrees_per_pixel)


class NaturalImages(Samples):
    """Patches of photographs; see `natural_images`."""

    def __init__(
        self,
        chosen: Mapping[str, tuple[int, Path]],
        patch: int | None,
        n_per_class: int,
        patch_seed: int,
        degrees_per_pixel: float,
    ) -> None:
        self._chosen = dict(chosen)
        self._patch = patch
        self._n_per_class = n_per_class
        self._degrees_per_pixel = degrees_per_pixel
        self._luminance = lru_cache(maxsize=len(self._chosen))(luminance_of_file)
        rows = [
            (name, i, *self._corner(name, np.random.SeedSequence(patch_seed, spawn_key=(k, i))))
            for name, (k, _) in self._chosen.items()
            for i in range(n_per_class)
        ]
        self._table = pd.DataFrame(
            [(name, x, y) for name, _, x, y in rows],
            columns=["picture", "x", "y"],
            index=[name if patch is None else f"{name} patch {i}" for name, i, _, _ in rows],
        )

    @property
    def table(self) -> pd.DataFrame:
        """One row per patch, picture by picture."""
        return self._table

    def stimulus(self, position: int) -> Image:
        """Return the patch."""
        row = self._table.iloc[position]
        whole = self._whole(row["picture"])
        side = slice(None) if self._patch is None else slice(0, self._patch)
        return Image(whole[row["y"] :, row["x"] :][side, side], self._degrees_per_pixel)

    def number(self, position: int) -> int:
        """Return a number that depends on picture and patch only."""
        name = self._table["picture"].iloc[position]
        return self._chosen[name][0] * _MOST_PATCHES + position % self._n_per_class

    def _whole(self, name: str) -> NDArray[np.float64]:
        return self._luminance(self._chosen[name][1])

    def _corner(self, name: str, randomness: np.random.SeedSequence) -> tuple[int, int]:
        if self._patch is None:
            return 0, 0
        height, width = self._whole(name).shape
        if self._patch > min(height, width):
            raise InputError(f"a patch of {self._patch} pixels does not fit into '{name}' of {width} x {height}.")
        rng = np.random.default_rng(randomness)
        return int(rng.integers(width - self._patch + 1)), int(rng.integers(height - self._patch + 1))
