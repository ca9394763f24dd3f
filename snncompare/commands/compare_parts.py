"""The parts of a comparison as frozen values: recording and models."""

from typing import Annotated, ClassVar, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from snncompare.commands.compare_fields import Condition, Label, Length, Selection, Time, Units, joint_name, not_empty
from snncompare.errors import InputError
from snncompare.recording.layouts import Layout
from snncompare.units import Quantity
from snncompare.values import Value

__all__ = [
    "Categorical",
    "Circular",
    "FromNetwork",
    "FromRecording",
    "Linear",
    "Matrix",
    "RecordingConfig",
]


class RecordingConfig(Value):
    """Which spikes, of which trials, under which conditions.

    Parameters
    ----------
    file : str
        Relative to the configuration, as every path in it.
    trials : str, optional
        Name of an interval table, epochs or events in the file at which to cut.
    trials_table : str, optional
        Instead: a CSV file with a column ``start`` (seconds in the recording), perhaps ``stop``, and labels.
    windows : time, optional
        Instead: cut into consecutive windows of this length.
    window : two times, optional
        Relative to each onset; of trials that the file brings, relative to their own reference.
    labels : str, optional
        A CSV file with one row per trial, in order, whose columns are added to the labels of the trials.
    condition : str, or list of str
        Label of the trials that names the condition; of several labels, every combination is one.
    join : str, optional
        Label of units and of trials, such as ``session``, where each unit was recorded in the trials of its own session
        only. The sessions are joined by condition.
    conditions : "common", optional
        Of joined sessions, keep the conditions that all of them have; by default every session needs all.
    where : mapping, optional
        Trials to keep: label to value, or to a list of values.
    units : mapping or list, optional
        Units to keep: label to value or list of values, or a list of names.
    time_unit : str, optional
        Of plain text files.
    layout : mapping, optional
        Which arrays, columns, lines or keys of the file hold what; see `snncompare.recording.layouts`.
    extent : two times, optional
        What was recorded of every trial, where the file states it wrongly.
    """

    file: str
    trials: str | None = None
    trials_table: str | None = None
    windows: Length | None = None
    window: tuple[Time, Time] | None = None
    labels: str | None = None
    condition: Condition
    join: str | None = None
    conditions: Literal["common"] | None = None
    where: Selection = Field(default_factory=dict)
    units: Units = None
    time_unit: str | None = None
    layout: Layout | None = None
    extent: tuple[Time, Time] | None = None

    @property
    def by(self) -> str:
        """Label of the trials that names the condition, also where it is joined from several."""
        return joint_name(self.condition)

    @model_validator(mode="after")
    def _common_to_sessions(self) -> Self:
        if self.conditions is not None and self.join is None:
            raise InputError(
                "conditions: common is for sessions that are joined, with join: session; choose trials with where."
            )
        return self

    @model_validator(mode="after")
    def _one_way_to_cut(self) -> Self:
        ways = [key for key in ("trials", "trials_table", "windows") if getattr(self, key) is not None]
        if len(ways) > 1:
            raise InputError(f"give one of {', '.join(ways)}: each says where the trials are.")
        if self.window is not None and self.windows is not None:
            raise InputError("give window (relative to onsets) or windows (consecutive ones of one length), not both.")
        if self.window is not None and self.window[1].value <= self.window[0].value:
            raise InputError(f"the window must end after it starts, got {self.window[0]} to {self.window[1]}.")
        return self


class Circular(Value):
    """Conditions lie on a circle: distance the shorter way round, for example of orientations with period 180."""

    type: Literal["circular"] = "circular"
    period: Annotated[float, Field(gt=0, allow_inf_nan=False)]


class Linear(Value):
    """Conditions lie on a line: distance of their numbers."""

    type: Literal["linear"] = "linear"


class Categorical(Value):
    """Conditions of one group are alike, those of different groups are not.

    Parameters
    ----------
    groups : mapping of name to list of conditions
        Every condition once.
    """

    type: Literal["categorical"] = "categorical"
    groups: dict[str, tuple[Label, ...]]


class Matrix(Value):
    """Dissimilarities from a CSV file with the conditions in its first row and column."""

    type: Literal["matrix"] = "matrix"
    file: str


class FromRecording(RecordingConfig):
    """Spikes of another recording, for example of another area or of a network that ran elsewhere."""

    type: Literal["recording"] = "recording"


class FromNetwork(Value):
    """Spikes of a network, run here.

    Parameters
    ----------
    network : str
        YAML description.
    weights : str, optional
        ``.npz``, one array per projection; projections left out are drawn from their initialiser.
    inputs : mapping of spike source to file
        Recordings with one unit per neuron; their trials are those of the run.
    condition : str, or list of str
        Label, or labels, of the trials of the inputs.
    record : tuple of str, optional
        Populations whose spikes are compared; default all that spike.
    duration, dt : time
    window : two times, optional
        Part of the run that is compared; default all of it.
    backend : str
    """

    type: Literal["network"] = "network"
    network: str
    weights: str | None = None
    inputs: Annotated[dict[str, str], AfterValidator(not_empty)]
    condition: Condition
    record: tuple[str, ...] | None = None
    duration: Length
    dt: Length = Quantity(1e-4, (0, 0, 1, 0, 0, 0, 0), "0.1 ms")
    window: tuple[Time, Time] | None = None
    backend: str = "torch"

    join: ClassVar[None] = None
    conditions: ClassVar[None] = None

    @property
    def by(self) -> str:
        """Label of the trials that names the condition, also where it is joined from several."""
        return joint_name(self.condition)
