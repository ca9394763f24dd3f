"""Get the files of a dataset from where its authors published them, when asked to, and check them."""

import errno
import logging
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tqdm import tqdm

from snncompare.datasets.card import CardFile, DatasetCard
from snncompare.datasets.catalogue import card as card_of
from snncompare.datasets.download import ResumableDownload
from snncompare.datasets.files import download_folder, hash_record, located, located_files
from snncompare.datasets.unpack import unpacked
from snncompare.errors import FileError, one_line

__all__ = ["fetch"]


def fetch(name: str | Path | DatasetCard, *, progress: bool = True) -> Mapping[str, Path]:
    """Return the files of a dataset by their path on its card; those that are nowhere on this machine are downloaded.

    A download that breaks off goes on where it was when it is asked for again. A file whose hash is not the one on the
    card is removed. Downloads lie in ``SNNCOMPARE_CACHE/downloads/NAME``.

    Parameters
    ----------
    name : str, path or DatasetCard
        As for `snncompare.datasets.load`.
    progress : bool
        Name source and licence on stderr before anything is downloaded, and show a progress bar.

    Raises
    ------
    FileError
        If a file cannot be had, is another one than the card says, or does not fit on the disk.
    MissingDependencyError
        If a package carries the files and is not installed.
    """
    card = card_of(name)
    for file in card.files:
        if file.url is not None and not _is_here(card, file):
            if progress:
                size = "" if file.size is None else f", {file.size / 1e6:.1f} MB"
                said = f"{card.name}: '{file.path}'{size}, from {file.url}; licence: {one_line(card.licence)}"
                tqdm.write(said, file=sys.stderr)
            _get(file, file.url, download_folder(card), progress)
    return located_files(card)


def _is_here(card: DatasetCard, file: CardFile) -> bool:
    """Return whether a file is on this machine; a download that was damaged since is removed."""
    try:
        return located(card, file) is not None
    except FileError:
        ours = download_folder(card) / file.path
        if not ours.is_file():
            raise
        ours.unlink()
    return _is_here(card, file)


def _get(file: CardFile, url: str, folder: Path, progress: bool) -> None:
    target = folder / file.path
    download = target if file.unpack is None else target.with_name(target.name + ".download")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        _refuse_full_disk(target.parent, file)
        _retrieve(file, url, download, progress)
        if file.unpack is not None:
            digits = unpacked(download, file.unpack, target, url)
            hash_record(target).write_text(digits + "\n", encoding="ascii")
            download.unlink()
    except FileError:
        raise
    except OSError as problem:
        full = problem.errno == errno.ENOSPC
        why = "the disk is full" if full else one_line(str(problem) or type(problem).__name__, 200)
        raise FileError(
            f"'{file.path}' could not be got from {url}: {why}; {'free some space and ' if full else ''}ask again, it "
            f"goes on where it broke off, or put the file into a folder of SNNCOMPARE_DATA."
        ) from problem


def _retrieve(file: CardFile, url: str, download: Path, progress: bool) -> None:
    import pooch  # type: ignore[import-untyped]

    logger = pooch.get_logger()
    level = logger.level
    logger.setLevel(logging.ERROR)  # what it would say was said already
    part = download.with_name(download.name + ".part")
    algorithm, digits = file.known_hash
    options: dict[str, Any] = {"fname": download.name, "path": download.parent}
    downloader = ResumableDownload(part, file.size, progress)
    try:
        pooch.retrieve(url, f"{algorithm}:{digits}", downloader=downloader, **options)
    except ValueError as problem:  # what pooch raises for another hash, after it removed what was downloaded
        raise FileError(
            f"what {url} sent as '{file.path}' is not the file on the card (its {algorithm} is another one) and was "
            "removed; ask again, or tell the maintainers that the file was changed."
        ) from problem
    finally:
        logger.setLevel(level)


def _refuse_full_disk(folder: Path, file: CardFile) -> None:
    free = shutil.disk_usage(folder).free
    if file.size is not None and file.size > free:
        raise FileError(
            f"'{file.path}' has {file.size / 1e6:.0f} MB, the disk of '{folder}' {free / 1e6:.0f} MB free; free some, "
            "or set SNNCOMPARE_CACHE to a folder on another disk."
        )
