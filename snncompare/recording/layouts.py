"""How arrays and text files that have no format of their own hold spikes, as a configuration says it."""

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field

from snncompare.errors import InputError
from snncompare.units import Quantity, seconds
from snncompare.values import Value

__all__ = ["Column", "Counts", "Layout", "Records", "Rows", "Session", "TextFiles", "layout_of"]

_TAKEN = frozenset({"start", "stop", "session", "trial"})


class Column(Value):
    """An array that labels spikes, units or trials.

    Parameters
    ----------
    values : str
        Name of the array: the labels themselves, or whole numbers from 0 that stand for ``names``.
    names : str, optional
        Name of the array with the text that each number stands for.
    missing : int, optional
        Number that stands where there is no such trial.
    """

    values: str
    names: str | None = None
    missing: int | None = None


def _columns(given: Any) -> Any:
    """Let a label be named like its array: ``unit: neuron`` is ``unit: {neuron: {values: neuron}}``."""
    named = given if isinstance(given, str | list | tuple | dict) else [given]
    if isinstance(named, str):
        named = [named]
    if not isinstance(named, dict):
        named = {name: name for name in named}
    return {label: {"values": column} if isinstance(column, str) else column for label, column in named.items()}


def _free_names(given: dict[str, Column]) -> dict[str, Column]:
    for label in given:
        if label in _TAKEN:
            raise InputError(f"'{label}' is a column that every recording has; call the label something else.")
    return given


def _not_empty(given: dict[str, Column]) -> dict[str, Column]:
    if not given:
        raise InputError("is empty; name at least one array.")
    return given


Columns = Annotated[dict[str, Column], BeforeValidator(_columns), AfterValidator(_free_names)]
Identity = Annotated[Columns, AfterValidator(_not_empty)]


class Session(Value):
    """The session of a unit, read from the beginning of one of its labels.

    Parameters
    ----------
    of : str
        Label of the units, for example their name ``bp1001spk_01A``.
    until : str
        Text before which the name of the session ends, for example ``spk``.
    """

    of: str
    until: Annotated[str, Field(min_length=1)]


def _window(given: tuple[Quantity, Quantity]) -> tuple[Quantity, Quantity]:
    begin, end = (seconds(edge) for edge in given)
    if end <= begin:
        raise InputError(f"must end after it starts, got {given[0]} to {given[1]}.")
    return given


Window = Annotated[tuple[Quantity, Quantity], AfterValidator(_window)]


class _Timed(Value):
    """What every layout says of its times.

    ``time_unit`` is a unit (``"s"``, ``"ms"``) or a sampling rate (``"15 kHz"``); ``window`` is what was recorded of
    each trial, in the file's own reference: spikes outside of it are refused.
    """

    time_unit: str
    window: Window


class Rows(_Timed):
    """One row per spike, in the arrays of a ``.npz`` or ``.h5`` file or in the columns of a CSV table.

    Parameters
    ----------
    times : str
        Array of the spike times.
    unit : columns
        Arrays that together tell units apart: ``{neuron: {values: spike_neuron, names: neuron_names}}``, or ``neuron``.
    trial : columns
        Arrays that together tell trials (of one session) apart; they become labels of the trials.
    session : str or Session, optional
        Units of one session share trials; units of different sessions have none in common. A label of the units.
    labels : columns, optional
        Labels of trials that are numbered from 0: arrays of shape (n_trials,), or (n_units, n_trials).
    present : str, optional
        Array that holds JSON text: names of the first label in ``trial`` to the list of values that the second has.
        Without it, and without ``labels``, the trials are those with at least one spike.
    units_present : str, optional
        Array that holds JSON text: names of the first label in ``trial`` to the names of the units that were recorded.
        Units get the label ``complete``: whether they were recorded throughout.
    """

    type: Literal["rows"] = "rows"
    times: str
    unit: Identity
    trial: Identity
    session: Session | str | None = None
    labels: Columns = Field(default_factory=dict)
    present: str | None = None
    units_present: str | None = None


class Counts(_Timed):
    """Spike times end to end, and how many of them belong to each train.

    Parameters
    ----------
    times : str
        Array of the spike times, by trial, then unit.
    counts : str, optional
        Array of shape (n_trials, n_units).
    offsets : str, optional
        Instead: array of shape (n_trials * n_units + 1,) that rises from 0 to the number of spikes.
    n_units : int
        With ``offsets``.
    labels, unit_labels : columns, optional
        Arrays with one entry per trial, or per unit.
    """

    type: Literal["counts"] = "counts"
    times: str
    counts: str | None = None
    offsets: str | None = None
    n_units: Annotated[int, Field(ge=1)] = 1
    labels: Columns = Field(default_factory=dict)
    unit_labels: Columns = Field(default_factory=dict)


class TextFiles(_Timed):
    """Plain text, numbers only; lines that start with ``#`` are comments.

    Parameters
    ----------
    files : str, optional
        Where ``file`` is a folder: the names in it with labels in braces, such as ``"{unit}/{song}.txt"``.
    line : {"trial", "unit", "spike"}
        What a line is: the spikes of a trial (numbered in the label ``line``), those of a unit, or one spike.
    blank : {"empty", "ignored"}
        Whether a blank line is a train without spikes, or nothing.
    unit : list of str
        Labels in ``files`` that tell units apart; the others are labels of trials.
    session : str or Session, optional
        As in `Rows`.
    """

    type: Literal["text"] = "text"
    files: str | None = None
    line: Literal["trial", "unit", "spike"]
    blank: Literal["empty", "ignored"] = "empty"
    unit: tuple[str, ...] = ("unit",)
    session: Session | str | None = None


class Records(_Timed):
    """A JSON file with a list of records, each a train with its labels (as in pprox).

    Parameters
    ----------
    records : str
        Key of the list.
    times : str
        Key of the spike times in a record.
    unit : str
        Key of the unit's name, in each record or in the file. Other single values in a record label its trial.
    """

    type: Literal["records"] = "records"
    records: str
    times: str
    unit: str


Layout = Annotated[Rows | Counts | TextFiles | Records, Field(discriminator="type")]


class _Holder(Value):
    layout: Layout


def layout_of(given: Any) -> Rows | Counts | TextFiles | Records:
    """Return a layout that was given as plain data, as in a configuration, or as the value itself.

    Raises
    ------
    DescriptionError
        One line that names the key, what stands there and what may.
    """
    if isinstance(given, Rows | Counts | TextFiles | Records):
        return given
    return _Holder.parse({"layout": given}, "layout").layout
