"""A table of what was measured on a chip, neuron by neuron, used instead of draws."""

import csv
import math
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from snncompare.backends.analog.reading.roles import POTENTIALS, Role
from snncompare.errors import DescriptionError, FileError, InputError, one_line, unknown
from snncompare.values import Value

__all__ = ["COLUMNS", "MAX_ROWS", "MEASURABLE", "Measured", "read_measured"]

COLUMNS = ("population", "neuron", "parameter")
MEASURABLE = (*(str(role) for role in Role), "weight_gain")
"""What may stand in the column ``parameter``: roles, and the common gain of a neuron's synapses."""
MAX_ROWS = 200_000
_MAX_BYTES = 20_000_000

Number = Annotated[float, Field(allow_inf_nan=False)]


class Measured(Value):
    r"""One parameter of all neurons of a population.

    Parameters
    ----------
    factor : tuple of float, optional
        What was measured over what was asked for, in the order of the neurons.
    offset : tuple of float, optional
        What was measured minus what was asked for, in fractions of threshold - leak: of potentials only.
    source : str
        Where the table came from.
    """

    factor: tuple[Annotated[float, Field(gt=0, allow_inf_nan=False)], ...] | None = None
    offset: tuple[Number, ...] | None = None
    source: Annotated[str, Field(min_length=1, max_length=600)]

    @model_validator(mode="after")
    def _is_one_of_both(self) -> Self:
        if (self.factor is None) == (self.offset is None):
            raise DescriptionError("a measured parameter has either factor or offset.")
        return self

    @property
    def values(self) -> NDArray[np.float64]:
        """The factors or offsets as an array (n_neurons,)."""
        return np.array(self.factor if self.factor is not None else self.offset, dtype=np.float64)


def read_measured(table: Any, source: str | None = None) -> dict[str, dict[str, Measured]]:
    """Return what a table says, by population and parameter.

    Parameters
    ----------
    table : path or pandas.DataFrame
        Columns ``population``, ``neuron`` (0, 1, ...), ``parameter`` (one of `MEASURABLE`) and ``factor`` or
        ``offset``; a file is CSV.
    source : str, optional
        Where it came from; the name of the file where it is one.

    Raises
    ------
    FileError
        If the file cannot be read as CSV with these columns.
    InputError
        For a neuron that is missing or stands twice, an unknown parameter, a factor that is not above zero, or an
        offset of what is no potential.
    """
    is_path = isinstance(table, str | Path)
    rows = _rows_of_file(Path(table)) if is_path else _rows_of_frame(table)
    where = str(table) if is_path else "the measured table"
    found: dict[tuple[str, str], dict[int, tuple[str, float]]] = {}
    for line, row in enumerate(rows, start=2 if is_path else 0):
        population, parameter, neuron, kind, value = _checked(row, f"{where}, row {line}")
        there = found.setdefault((population, parameter), {})
        if neuron in there:
            raise InputError(f"{where}, row {line}: neuron {neuron} of '{population}' has '{parameter}' twice.")
        if there and kind != next(iter(there.values()))[0]:
            raise InputError(
                f"{where}, row {line}: '{parameter}' of '{population}' has factors and offsets; use one of them."
            )
        there[neuron] = (kind, value)
    if not found:
        raise InputError(f"{where} has no rows; give one row per neuron and parameter.")
    measured: dict[str, dict[str, Measured]] = {}
    for (population, parameter), there in found.items():
        missing = sorted(set(range(max(there) + 1)) - set(there)) if max(there) < MAX_ROWS else [len(there)]
        if missing:
            raise InputError(
                f"{where}: '{parameter}' of '{population}' has no row for neuron {missing[0]} ({len(missing)} "
                "missing); give one row for each neuron from 0 on."
            )
        kind = there[0][0]
        values = tuple(there[neuron][1] for neuron in sorted(there))
        name = source or (Path(table).name if is_path else "a table of the user")
        measured.setdefault(population, {})[parameter] = Measured(**{kind: values}, source=name)
    return measured


def _rows_of_file(path: Path) -> Iterable[Mapping[str, Any]]:
    if not path.is_file():
        raise FileError(f"there is no measured table '{path}'; check the path.")
    if path.stat().st_size > _MAX_BYTES:
        raise FileError(f"'{path}' has more than {_MAX_BYTES:,} bytes; a measured table has one short row per neuron.")
    try:
        with path.open(newline="", encoding="utf-8-sig") as lines:
            reader = csv.DictReader(lines)
            _check_columns(reader.fieldnames or (), f"'{path}'", FileError)
            rows = list(reader)
    except (UnicodeDecodeError, csv.Error) as error:
        raise FileError(f"'{path}' cannot be read as CSV: {one_line(str(error), 100)}.") from error
    if len(rows) > MAX_ROWS:
        raise FileError(f"'{path}' has {len(rows):,} rows; at most {MAX_ROWS:,} are read.")
    return rows


def _rows_of_frame(table: Any) -> Iterable[Mapping[str, Any]]:
    if not hasattr(table, "to_dict") or not hasattr(table, "columns"):
        raise InputError(
            f"a measured table is a path to a CSV file or a pandas.DataFrame, got {type(table).__name__}; its columns "
            f"are {', '.join(COLUMNS)} and factor or offset."
        )
    _check_columns([str(name) for name in table.columns], "the measured table", InputError)
    if len(table) > MAX_ROWS:
        raise InputError(f"the measured table has {len(table):,} rows; at most {MAX_ROWS:,} are read.")
    rows: Iterable[Mapping[str, Any]] = table.to_dict("records")
    return rows


def _check_columns(given: Iterable[str], where: str, error: type[InputError] | type[FileError]) -> None:
    there = list(given)
    for name in COLUMNS:
        if name not in there:
            raise error(f"{where} has no column '{name}'; it needs {', '.join(COLUMNS)} and factor or offset.")
    for name in there:
        if name not in (*COLUMNS, "factor", "offset"):
            raise error(f"{where}: {unknown('column', name, (*COLUMNS, 'factor', 'offset'))}")
    if not {"factor", "offset"} & set(there):
        raise error(f"{where} has neither a column 'factor' nor 'offset'; add one of them.")


def _checked(row: Mapping[str, Any], where: str) -> tuple[str, str, int, str, float]:
    population, parameter = str(row["population"]), str(row["parameter"])
    if parameter not in MEASURABLE:
        raise InputError(f"{where}: {unknown('parameter', parameter, MEASURABLE)}")
    neuron = _number(row["neuron"], f"{where}: neuron")
    if neuron is None or neuron != int(neuron) or neuron < 0:
        raise InputError(f"{where}: neuron must be a whole number from 0 on, got {row['neuron']!r:.40}.")
    given = {kind: _number(row.get(kind), f"{where}: {kind}") for kind in ("factor", "offset")}
    there = {kind: value for kind, value in given.items() if value is not None}
    if len(there) != 1:
        raise InputError(f"{where}: needs a factor or an offset, got {'both' if there else 'neither'}.")
    kind, value = next(iter(there.items()))
    if kind == "factor" and value <= 0:
        raise InputError(f"{where}: a factor must be above zero, got {value:g}; a neuron that never fires is dead.")
    if kind == "offset" and parameter not in POTENTIALS:
        raise InputError(
            f"{where}: an offset is of {', '.join(sorted(POTENTIALS))} only, got '{parameter}'; give its factor."
        )
    return population, parameter, int(neuron), kind, value


def _number(given: Any, what: str) -> float | None:
    if given is None or (isinstance(given, str) and not given.strip()):
        return None
    try:
        value = float(given)
    except (TypeError, ValueError) as error:
        raise InputError(f"{what} must be a number, got {given!r:.40}.") from error
    if math.isnan(value) and not isinstance(given, str):  # an empty cell of a frame
        return None
    if not math.isfinite(value):
        raise InputError(f"{what} must be finite, got {given!r:.40}.")
    return value
