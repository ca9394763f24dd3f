"""Spike trains of Neo that come without a Block: lists, lists of lists, and the trials of Elephant."""

from types import SimpleNamespace
from typing import Any

from snncompare.errors import InputError

__all__ = ["as_segments"]


def as_segments(given: Any) -> Any:
    """Return what `from_neo` reads: a Block or Segment as it is, else a Block-like object with a Segment per trial.

    Parameters
    ----------
    given : neo.Block, neo.Segment, or one of
        a list (trials) of lists of SpikeTrains (units), as ``elephant.trials.TrialsFromLists`` takes; a flat list of
        SpikeTrains or a ``neo.spiketrainlist.SpikeTrainList``, which is one trial; an object of ``elephant.trials``.
        Nothing in them is changed.

    Raises
    ------
    InputError
        For anything else, such as an array of numbers.
    """
    if hasattr(given, "segments") or hasattr(given, "spiketrains"):
        return given
    if hasattr(given, "get_spiketrains_from_trial_as_list"):  # elephant.trials.Trials
        count = int(given.n_trials)
        return _block([list(given.get_spiketrains_from_trial_as_list(i)) for i in range(count)], given.description)
    try:
        items = list(given)
    except TypeError as problem:
        raise InputError(_allowed(given)) from problem
    if items and all(_is_train(item) for item in items):
        return _block([items])
    trials = [list(item) for item in items if not _is_train(item) and hasattr(item, "__iter__")]
    if not items or len(trials) < len(items) or not all(_is_train(train) for trial in trials for train in trial):
        raise InputError(_allowed(given))
    return _block(trials)


def _is_train(item: Any) -> bool:
    return all(hasattr(item, name) for name in ("magnitude", "t_start", "t_stop", "dimensionality"))


def _block(trials: list[list[Any]], description: str | None = None) -> SimpleNamespace:
    segments = [
        SimpleNamespace(name=None, annotations={}, spiketrains=trains, events=[], epochs=[], analogsignals=[],
                        irregularlysampledsignals=[], imagesequences=[])
        for trains in trials
    ]  # fmt: skip
    return SimpleNamespace(segments=segments, annotations={}, name=description)


def _allowed(given: Any) -> str:
    return (
        f"cannot read spike trains from {type(given).__name__}; give a Neo Block or Segment, a list of SpikeTrains "
        "(one trial), a list of such lists (one per trial), or the trials of Elephant. Rasters of 0 and 1: "
        "Recording.from_raster."
    )
