"""Files that verbs hand to one another: where they may be written, and what a stored comparison holds."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from snncompare.commands.compare_config import DATA
from snncompare.errors import FileError, InputError, SnncompareError

if TYPE_CHECKING:
    from snncompare.comparison.result import Result

__all__ = ["StoredComparison", "load_comparison", "made_folder", "writable", "write_provenance"]

RESULT, DISSIMILARITIES = "result", "dissimilarities.csv"
_PAIR = ["metric", "time_scale", "condition_a", "condition_b"]


@dataclass(frozen=True, eq=False)
class StoredComparison:
    """What ``snncompare compare`` wrote into a folder.

    Attributes
    ----------
    folder : Path
    result : Result
    dissimilarities : pandas.DataFrame or None
        One row per metric, time scale and pair of conditions; one column for the data and for each model.
    files : tuple of Path
        What was read.
    """

    folder: Path
    result: "Result"
    dissimilarities: pd.DataFrame | None
    files: tuple[Path, ...]


def load_comparison(folder: str | Path) -> StoredComparison:
    """Return a stored comparison.

    Raises
    ------
    FileError
        If the folder does not hold one, or it is damaged.
    """
    from snncompare.comparison.result import Result

    given = Path(folder)
    inner = given / RESULT if (given / RESULT).is_dir() else given
    try:
        result = Result.load(inner)
        pairs = given / DISSIMILARITIES
        table = _pairs(pairs, result) if pairs.is_file() else None
    except SnncompareError:
        raise
    except Exception as problem:  # a damaged table makes pandas and json raise anything
        reason = " ".join(str(problem).split()) or type(problem).__name__
        raise FileError(f"the result in '{given}' is damaged: {reason[:200]}.") from problem
    files = [inner / name for name in ("result.json", "table.csv", "differences.csv")]
    return StoredComparison(given, result, table, (*files, *([] if table is None else [pairs])))


def _pairs(path: Path, result: "Result") -> pd.DataFrame:
    table = pd.read_csv(path, dtype=str, keep_default_na=False)
    wanted = [*_PAIR, DATA, *dict.fromkeys(result.table["model"])]
    missing = [name for name in wanted if name not in table]
    if missing:
        raise FileError(f"'{path}' lacks the columns {missing}; compare anew.")
    for name in [*wanted[4:], "time_scale"]:
        table[name] = table[name].replace("", "nan").astype(float)  # to the last digit
    return table


def made_folder(path: Path) -> Path:
    """Return a folder that exists, made if need be.

    Raises
    ------
    FileError
        If it cannot be made.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as problem:
        raise FileError(f"cannot write to the folder '{path}': {problem.strerror or problem}.") from problem
    return path


def writable(path: str | Path, suffixes: tuple[str, ...], what: str) -> Path:
    """Return the path of a file to write; refuse other suffixes and folders that cannot be.

    Raises
    ------
    InputError
        If the name ends otherwise.
    FileError
        If the path is a folder, or lies below a file.
    """
    target = Path(path)
    if target.suffix not in suffixes:
        raise InputError(f"--out: {what} are written to a file that ends in {' or '.join(suffixes)}, got '{target}'.")
    above = next(parent for parent in target.parents if parent.exists())
    if target.is_dir() or not above.is_dir():
        raise FileError(f"--out: cannot write the file '{target}'; a folder or file is in the way.")
    return target


def write_provenance(target: Path, record: dict[str, Any]) -> Path:
    """Write where a file came from beside it, as ``NAME.provenance.json``; return the path."""
    path = made_folder(target.parent) / f"{target.stem}.provenance.json"
    path.write_text(json.dumps(record, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    return path
