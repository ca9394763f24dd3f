"""The recording: spikes of named units in named trials, held in flat arrays, with sampled variables beside them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from snncompare.errors import InputError, unknown
from snncompare.recording import checks
from snncompare.recording.marks import Marks
from snncompare.recording.parts import trains_of_rows
from snncompare.recording.trace_checks import checked_traces
from snncompare.recording.traces import equal_traces, selected_traces
from snncompare.units import QuantityLike

if TYPE_CHECKING:
    import neo
    import xarray as xr

__all__ = ["Recording"]


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class Recording:
    """Spikes of named units in named trials; `from_arrays` makes one from a row per spike.

    Times are seconds relative to the reference of their trial (its event, or 0). The window of a trial is
    closed: a spike may lie on ``start`` and on ``stop``. Silent units and empty trials keep their rows.

    Parameters
    ----------
    times : array of shape (n_spikes,)
        Spike times in seconds, sorted by trial, then unit, then time.
    offsets : array of shape (n_trials * n_units + 1,)
        The train of (trial i, unit j) is ``times[offsets[k]:offsets[k + 1]]`` with ``k = i * n_units + j``.
    units : pandas.DataFrame
        One row per unit: unique names as index, labels as columns.
    trials : pandas.DataFrame
        One row per trial: unique names as index, columns ``start`` and ``stop`` (seconds) and labels.
    marks : mapping of str to Marks
        Events and epochs by name; their rows are kept in the order of their trial, then start.
    traces : mapping of str to xarray.DataArray
        Sampled variables by name, such as ``"hidden.v"``: dimensions ``trial, unit, time``; coordinates ``trial`` (all
        trials), ``unit`` (some units, in their order) and ``time`` (seconds, evenly spaced); attribute ``unit`` (SI,
        such as ``"volt"``) and, where it cannot be told from ``time``, ``dt`` (seconds). NaN is what was not recorded,
        also before and after trials that are shorter than others; infinity is refused. float32 stays float32, every
        other number becomes float64. `traces.trace_array` makes one.
    provenance : dict
        Where the spikes came from, as plain JSON values.

    Raises
    ------
    InputError
        If the arrays and tables contradict each other; the message says where first.
    """

    times: NDArray[np.float64]
    offsets: NDArray[np.int64]
    units: pd.DataFrame
    trials: pd.DataFrame
    marks: Mapping[str, Marks] = field(default_factory=dict)
    traces: "Mapping[str, xr.DataArray]" = field(default_factory=dict)
    provenance: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        units, trials = checks.checked_units(self.units), checks.checked_trials(self.trials)
        times = checks.spike_times(self.times)
        offsets = np.array(self.offsets, dtype=np.int64)
        n_trains = len(trials) * len(units)
        if (
            offsets.shape != (n_trains + 1,)
            or offsets[0] != 0
            or offsets[-1] != times.size
            or (np.diff(offsets) < 0).any()
        ):
            raise InputError(f"offsets must rise from 0 to the {times.size} spikes in {n_trains + 1} entries.")
        checks.refuse_unsorted(times, offsets)
        times.setflags(write=False)
        offsets.setflags(write=False)
        fields = {
            "times": times,
            "offsets": offsets,
            "units": units,
            "trials": trials,
            "marks": {name: m.within(trials.index, name) for name, m in self.marks.items()},
            "traces": checked_traces(self.traces, units.index, trials),
            "provenance": checks.checked_provenance(self.provenance),
        }
        for name, value in fields.items():
            object.__setattr__(self, name, value)
        checks.refuse_outside(times, *self.spike_index(), units.index, trials)

    @classmethod
    def from_arrays(
        cls,
        *,
        times: ArrayLike,
        unit: ArrayLike,
        trial: ArrayLike,
        units: pd.DataFrame,
        trials: pd.DataFrame,
        marks: Mapping[str, Marks] | None = None,
        traces: "Mapping[str, xr.DataArray] | None" = None,
        provenance: dict[str, Any] | None = None,
    ) -> "Recording":
        """Make a recording from one row per spike, in any order.

        Parameters
        ----------
        times : array of shape (n_spikes,)
            Seconds, relative to the reference of the trial.
        unit, trial : arrays of shape (n_spikes,)
            Labels of the indices of ``units`` and ``trials``.
        units, trials, marks, traces, provenance
            As in `Recording`.

        Raises
        ------
        InputError
            For lengths that differ, labels that are in no table, times that are not finite or lie outside their
            trial's window, tables without rows, names that occur twice, windows that do not last.

        Examples
        --------
        >>> import pandas as pd
        >>> recording = Recording.from_arrays(
        ...     times=[0.1, 0.4, 0.2],
        ...     unit=["a", "a", "b"],
        ...     trial=[0, 1, 0],
        ...     units=pd.DataFrame(index=["a", "b"]),
        ...     trials=pd.DataFrame({"start": 0.0, "stop": 1.0, "odour": ["mint", "citral"]}),
        ... )
        >>> recording.train(1, "a")
        array([0.4])
        """
        units, trials = checks.checked_units(units), checks.checked_trials(trials)
        seconds = checks.spike_times(times)
        lengths = {"times": seconds.size, "unit": np.size(unit), "trial": np.size(trial)}
        if len(set(lengths.values())) > 1:
            given = ", ".join(f"{name} {length}" for name, length in lengths.items())
            raise InputError(f"times, unit and trial need one entry per spike each; their lengths are {given}.")
        row = checks.positions(trial, trials.index, "trial")
        column = checks.positions(unit, units.index, "unit")
        train = row * len(units) + column
        ordered, offsets = trains_of_rows(seconds, train, len(trials) * len(units))
        return cls(
            times=ordered,
            offsets=offsets,
            units=units,
            trials=trials,
            marks=dict(marks or {}),
            traces={} if traces is None else traces,
            provenance=provenance or {},
        )

    @property
    def n_units(self) -> int:
        """Number of units, silent ones included."""
        return len(self.units)

    @property
    def n_trials(self) -> int:
        """Number of trials, empty ones included."""
        return len(self.trials)

    def __repr__(self) -> str:
        labels = [name for name in self.trials if name not in {"start", "stop"}]
        return (
            f"Recording({self.n_trials} trials, {self.n_units} units, {self.times.size} spikes; "
            f"trial labels {labels}, unit labels {list(self.units)}, marks {list(self.marks)}"
            f"{f', traces {list(self.traces)}' if self.traces else ''})"
        )

    @cached_property
    def _spike_index(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        train = np.repeat(np.arange(self.offsets.size - 1), np.diff(self.offsets))
        trial, unit = np.divmod(train, self.n_units)
        trial.setflags(write=False)
        unit.setflags(write=False)
        return trial, unit

    def spike_index(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return, for each spike, the positions of its trial and of its unit: two arrays of shape (n_spikes,)."""
        return self._spike_index

    def train(self, trial: Any, unit: Any) -> NDArray[np.float64]:
        """Return the spike times of one unit in one trial, both given by label; seconds, shape (n,), read-only.

        Raises
        ------
        InputError
            For a label that is not in its table.
        """
        row, column = self._position("trial", trial), self._position("unit", unit)
        k = row * self.n_units + column
        return self.times[self.offsets[k] : self.offsets[k + 1]]

    def _position(self, what: str, label: Any) -> int:
        index = self.trials.index if what == "trial" else self.units.index
        position = index.get_indexer_for(pd.Index([label]))[0]
        if position < 0:
            raise InputError(unknown(what, label, index))
        return int(position)

    def counts(self) -> "xr.DataArray":
        """Return the number of spikes, an ``xarray.DataArray`` of int64 with dimensions ``trial, unit``."""
        from snncompare.recording.dense import counts

        return counts(self)

    def raster(self, dt: QuantityLike) -> "xr.DataArray":
        """Return spike counts in bins of width ``dt``, dimensions ``trial, unit, time``; see `dense.raster`."""
        from snncompare.recording.dense import raster

        return raster(self, dt)

    def select(
        self, *, trials: ArrayLike | None = None, units: ArrayLike | None = None, traces: Iterable[str] | None = None
    ) -> "Recording":
        """Return the recording with only the trials and units that the boolean masks keep, and the traces named.

        Parameters
        ----------
        trials, units : boolean masks of shape (n_trials,) and (n_units,), optional
            For example ``recording.trials["odour"] == "mint"``.
        traces : names of traces, optional
            Default: all that are of at least one of the kept units; ``[]`` keeps none.

        Raises
        ------
        InputError
            For masks of another length or type, or that keep nothing, and for names that are no trace.
        """
        keep_trials = (
            np.ones(self.n_trials, bool) if trials is None else checks.boolean_mask(trials, self.trials.index, "trial")
        )
        keep_units = (
            np.ones(self.n_units, bool) if units is None else checks.boolean_mask(units, self.units.index, "unit")
        )
        trial, unit = self.spike_index()
        lengths = np.diff(self.offsets).reshape(self.n_trials, self.n_units)[keep_trials][:, keep_units]
        kept = self.trials[keep_trials]
        marks = {name: Marks(m.kind, m.table[m.table["trial"].isin(kept.index)]) for name, m in self.marks.items()}
        return type(self)(
            times=self.times[keep_trials[trial] & keep_units[unit]],
            offsets=np.concatenate([[0], np.cumsum(lengths)]),
            units=self.units[keep_units],
            trials=kept,
            marks=marks,
            traces=selected_traces(self.traces, traces, keep_trials, keep_units, self.units.index),
            provenance=self.provenance,
        )

    def with_trials(self, **columns: Any) -> "Recording":
        """Return the recording with labels added to (or replaced in) the table of trials.

        Parameters
        ----------
        **columns : one value for all trials, or one value per trial

        Raises
        ------
        InputError
            For another number of values, differently labelled values, or the names ``start`` and ``stop``.
        """
        trials = self.trials.copy()
        for name, values in columns.items():
            if name in {"start", "stop"}:
                raise InputError(f"'{name}' is the window of the trials, not a label; cut the recording to change it.")
            if isinstance(values, pd.Series) and not values.index.equals(trials.index):
                raise InputError(f"the values of '{name}' are labelled differently from the trials; give a plain list.")
            if not np.isscalar(values) and len(values) != self.n_trials:
                raise InputError(f"'{name}' has {len(values)} values for {self.n_trials} trials.")
            trials[name] = values
        return replace(self, trials=trials)

    def with_marks(self, **marks: Marks) -> "Recording":
        """Return the recording with marks added (or replaced), for example onsets that the file did not hold.

        Raises
        ------
        InputError
            For marks in trials that do not exist.
        """
        return replace(self, marks={**self.marks, **marks})

    def cut(self, name: str, window: tuple[QuantityLike, QuantityLike] | None = None) -> "Recording":
        """Return one trial per mark called ``name``, times relative to the mark; see `cutting.cut`."""
        from snncompare.recording.cutting import cut

        return cut(self, name, window)

    def cut_windows(self, length: QuantityLike) -> "Recording":
        """Return consecutive trials of one length, times relative to their start; see `cutting.cut_windows`."""
        from snncompare.recording.cutting import cut_windows

        return cut_windows(self, length)

    @classmethod
    def from_neo(cls, block: "neo.Block | Any") -> "Recording":
        """Return the spikes of a Neo Block (trial = Segment), lists of SpikeTrains, or Elephant's trials.

        See `from_neo.from_neo` and `neo_lists.as_segments`.
        """
        from snncompare.recording.from_neo import from_neo
        from snncompare.recording.neo_lists import as_segments

        return cls(**from_neo(as_segments(block)))

    @classmethod
    def from_xarray(cls, dataset: "xr.Dataset") -> "Recording":
        """Return the recording in a dataset with one row per spike; see `ragged_xarray.from_xarray`."""
        from snncompare.recording.ragged_xarray import from_xarray

        return cls.from_arrays(**from_xarray(dataset))

    def to_xarray(self) -> "xr.Dataset":
        """Return a dataset with one row per spike and the offsets of the trains; see `ragged_xarray.to_xarray`."""
        from snncompare.recording.ragged_xarray import to_xarray

        return to_xarray(self)

    @classmethod
    def from_raster(cls, raster: Any, dt: QuantityLike | None = None, **given: Any) -> "Recording":
        """Return the spikes in a raster of 0 and 1; see `bridges.from_raster`."""
        from snncompare.recording.bridges import from_raster

        return cls.from_arrays(**from_raster(raster, dt, **given))

    @classmethod
    def from_brian2(cls, monitors: Any, duration: QuantityLike, trials: pd.DataFrame | None = None) -> "Recording":
        """Return the spikes of Brian2's SpikeMonitors; see `bridges.from_brian2`."""
        from snncompare.recording.bridges import from_brian2

        return cls.from_arrays(**from_brian2(monitors, duration, trials=trials))

    def to_pandas(self) -> pd.DataFrame:
        """Return one row per spike: ``time``, ``trial``, ``unit``; see `bridges.to_pandas`."""
        from snncompare.recording.bridges import to_pandas

        return to_pandas(self)

    def to_neo(self) -> "neo.Block":
        """Return a Neo Block with one Segment per trial and one SpikeTrain per unit; see `to_neo.to_neo`."""
        from snncompare.recording.to_neo import to_neo

        return to_neo(self)

    def save(self, path: str | Path, metadata: Any = None) -> Path:
        """Write the recording to ``path`` (``.npz``, ``.nwb``, ``.nix``) and return the path; see `writers.save`."""
        from snncompare.recording.writers import save

        return save(self, path, metadata)

    def equals(self, other: "Recording") -> bool:
        """Whether spikes, tables, marks and traces are the same, to the last bit; provenance may differ."""
        return (
            np.array_equal(self.times, other.times)
            and np.array_equal(self.offsets, other.offsets)
            and self.units.equals(other.units)
            and self.trials.equals(other.trials)
            and list(self.marks) == list(other.marks)
            and all(marks.equals(other.marks[name]) for name, marks in self.marks.items())
            and equal_traces(self.traces, other.traces)
        )
