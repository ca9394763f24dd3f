"""What is computed of a dataset for its page and its datasheet, from a sample of its trials."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from snncompare.commands.dataset.options import limited
from snncompare.errors import InputError, one_line, unknown

if TYPE_CHECKING:
    from snncompare.datasets.spike_dataset import SpikeDataset
    from snncompare.recording.recording import Recording
    from snncompare.representation.firing_statistics import FiringStatistics
    from snncompare.representation.label_information import LabelInformation

__all__ = ["Description", "datasheet_of", "describe"]

MOST_TRIALS, MOST_UNITS, PERMUTATIONS = 400, 200, 200
QUICK_TRIALS, QUICK_UNITS, QUICK_PERMUTATIONS = 160, 80, 99
MADE_BY = {"numba", "numpy", "python", "scipy", "snncompare"}
QUICK_SCALES = ("5 ms", "20 ms", "100 ms")


@dataclass(frozen=True, eq=False)
class Description:
    """A sample of the trials, how the units fire in it, where its labels live, and what to know about both."""

    recording: "Recording"
    statistics: "FiringStatistics"
    information: "LabelInformation | None"
    notes: tuple[str, ...]


def describe(
    dataset: "SpikeDataset",
    *,
    quick: bool = False,
    groups: str | None = None,
    seed: int = 0,
    say: Callable[[str], None] = lambda _: None,
) -> Description:
    """Return the statistics of a dataset; of many trials only some are encoded.

    Parameters
    ----------
    dataset : SpikeDataset
    quick : bool
        Of at most 160 instead of 400 trials and 80 instead of 200 units, at three time scales.
    groups : str, optional
        Left out whole when labels are decoded, such as ``"speaker"``.
    seed : int
    say : callable
        Takes a line of progress.

    Raises
    ------
    InputError
        If there is no such column of groups.
    """
    from snncompare.representation.firing_statistics import firing_statistics
    from snncompare.representation.label_information import TIME_SCALES, label_information

    if groups is not None and groups not in dataset.source.labels:
        raise InputError(unknown("trial label", groups, dataset.source.labels.columns))
    part = limited(dataset, QUICK_TRIALS if quick else MOST_TRIALS, seed)
    notes = []
    if len(part) < len(dataset):
        notes.append(f"{len(part)} of {len(dataset)} trials, drawn at random, evenly from the classes.")
    say(f"{dataset.name}: spikes of {len(part)} of {len(dataset)} trials")
    recording = part.recording(range(len(part)))
    statistics = firing_statistics(recording, dataset.label if len(dataset.classes) > 1 else None, seed=seed)
    information = None
    if dataset.label is not None:
        say(f"{dataset.name}: where the label '{dataset.label}' lives")
        try:
            information = label_information(
                recording,
                dataset.label,
                groups=groups,
                time_scales=QUICK_SCALES if quick else TIME_SCALES,
                n_permutations=QUICK_PERMUTATIONS if quick else PERMUTATIONS,
                most_trials=None,
                most_units=QUICK_UNITS if quick else MOST_UNITS,
                seed=seed,
            )
        except InputError as problem:
            if groups is not None:
                raise
            notes.append(f"No information about the label: {one_line(str(problem))}")
    return Description(recording, statistics, information, tuple(notes))


def datasheet_of(dataset: "SpikeDataset", description: Description) -> str:
    """Return the datasheet of a dataset, Markdown."""
    from snncompare.datasets.facts import facts
    from snncompare.provenance import versions
    from snncompare.report.datasheet import datasheet

    installed = versions()
    used = {name: version for name, version in installed.items() if name in MADE_BY}
    return datasheet(
        facts(dataset), description.statistics, description.information, notes=description.notes, versions=used
    )
