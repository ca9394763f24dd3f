"""Pictures of the user's own: a folder with one sub-folder of PNG or JPEG files for each class."""

from collections.abc import Mapping
from pathlib import Path
from zlib import crc32

import pandas as pd

from snncompare.datasets.samplers.labelled_images import chosen_rows
from snncompare.datasets.samplers.picture_file import ENDINGS, luminance_of_file
from snncompare.datasets.samples import Samples
from snncompare.encoding.stimuli import Image
from snncompare.errors import FileError, InputError

__all__ = ["ImageFiles", "image_files"]


def image_files(
    files: Mapping[str, Path],  # noqa: ARG001 (the folder is an option)
    *,
    folder: str,
    n_per_class: int | None = None,
    degrees: float = 2.0,
) -> "ImageFiles":
    """Return the pictures in the sub-folders of a folder.

    Parameters
    ----------
    files : mapping
        Not used.
    folder : str
        Its sub-folders are the classes; files that are not called .png, .jpg or .jpeg are left out.
    n_per_class : int, optional
        The first so many of each class in alphabetical order; default all.
    degrees : float
        Visual angle of the width of a picture.

    Returns
    -------
    ImageFiles
        Label ``class``; names are paths below the folder.

    Raises
    ------
    FileError
        For a folder without such files; files that are no pictures, when they are asked for.
    InputError
        For pictures of different sizes, when they are asked for, and numbers that there are not.
    """
    root = Path(folder)
    found = sorted(path for path in root.glob("*/*") if path.suffix.lower() in ENDINGS and path.is_file())
    if not found:
        raise FileError(
            f"no pictures in '{root}'; give a folder with a sub-folder for each class, which hold PNG or JPEG files."
        )
    if not 0.0 < degrees < 180.0:
        raise InputError(f"degrees is the visual angle of the width of a picture, from 0 to 180, got {degrees}.")
    names = [path.relative_to(root).as_posix() for path in found]
    table = pd.DataFrame({"class": [path.parent.name for path in found]}, index=names)
    rows = chosen_rows(table, "class", n_per_class=n_per_class)
    return ImageFiles(root, table.iloc[rows], degrees)


class ImageFiles(Samples):
    """Picture files; see `image_files`."""

    def __init__(self, root: Path, table: pd.DataFrame, degrees: float) -> None:
        self._root = root
        self._table = table
        self._degrees = degrees
        self._shape: tuple[int, ...] | None = None

    @property
    def table(self) -> pd.DataFrame:
        """One row per picture, class by class."""
        return self._table

    def stimulus(self, position: int) -> Image:
        """Return the picture.

        Raises
        ------
        FileError
            If it cannot be read.
        InputError
            If it has another size than the first one.
        """
        luminance = luminance_of_file(self._root / self._table.index[position])
        if self._shape is None:
            first = luminance if position == 0 else luminance_of_file(self._root / self._table.index[0])
            self._shape = first.shape
        if luminance.shape != self._shape:
            (height, width), (first_height, first_width) = luminance.shape, self._shape
            raise InputError(
                f"the picture '{self._table.index[position]}' has {width} x {height} pixels, '{self._table.index[0]}' "
                f"{first_width} x {first_height}; crop or scale them to one size."
            )
        return Image(luminance, self._degrees / luminance.shape[1])

    def number(self, position: int) -> int:
        """Return a number that depends on the name of the file only."""
        return crc32(self._table.index[position].encode())
