"""The trials that a mismatch study learns, tests and shows, and the recording that it compares with."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from snncompare.commands.compare_data import at, existing, files_of, read_population, with_condition
from snncompare.commands.compare_spikes import spikes_of
from snncompare.commands.mismatch.config import DatasetConfig, MismatchConfig
from snncompare.commands.mismatch.probe import Probe
from snncompare.datasets.spike_dataset import SpikeDataset
from snncompare.errors import InputError, unknown

if TYPE_CHECKING:
    from rsatoolbox.rdm import RDMs

    from snncompare.comparison.ceiling import Ceiling

__all__ = ["Parts", "input_files", "parts_of", "probe_of"]

HALVES = 100
"""Splits of the recorded trials into halves, of which the noise ceiling is the mean."""


@dataclass(frozen=True, eq=False)
class Parts:
    """Trials of a dataset: those that can be learnt, where there are any, and those that are tested."""

    train: SpikeDataset | None
    test: SpikeDataset


def parts_of(config: DatasetConfig, folder: Path, seed: int) -> Parts:
    """Return the trials to learn and to test.

    Raises
    ------
    SnncompareError
        For a dataset, part or label that does not exist, or a file that is not here.
    """
    from snncompare.commands.dataset.options import limited

    whole = _whole(config, folder)
    if config.held_out is not None:
        tested, learnt = whole.split(config.held_out, seed=seed)
        return Parts(learnt, limited(tested, config.trials, seed))
    parts = whole.split_by(config.split) if config.split is not None else None
    train = _part(whole, parts, config.split, config.train)
    test = _part(whole, parts, config.split, config.test)
    if train is not None and test is None:
        raise InputError("say which part is tested, with test:; what was learnt cannot tell.")
    return Parts(train, limited(test or whole, config.trials, seed))


def probe_of(config: MismatchConfig, folder: Path, test: SpikeDataset) -> "tuple[Probe | None, Ceiling | None]":
    """Return what is shown to compare representations, with the recording's RDMs, and the noise ceiling of these.

    Raises
    ------
    SnncompareError
        For labels that do not exist, and conditions of the recording that are not shown.
    """
    asked = config.representation
    if asked is None:
        return None, None
    metrics = tuple(metric for given in asked.metrics for metric in given.made())
    with at("representation"):
        shown = test if asked.dataset is None else parts_of(asked.dataset, folder, config.seed).test
        if not isinstance(asked.condition, str):
            spikes = with_condition(shown.spikes, asked.condition)
            shown = SpikeDataset(spikes=spikes, label=asked.by, name=shown.name)
        from snncompare.comparison.measures import measure_named

        measure = measure_named(asked.similarity)
        probe = Probe(shown, asked.by, metrics, asked.population, measure, window=asked.window)
    if config.recording is None:
        return probe, None
    with at("recording"):
        animal, ceiling = _recorded(config, folder, probe)
    return replace(probe, recording=animal), ceiling


def input_files(config: MismatchConfig, folder: Path) -> list[Path]:
    """Return the files of the configuration; refuse those that do not exist."""
    found = []
    if config.network is not None:
        found.append(existing(folder, config.network, "network"))
    if config.trained is not None:
        trained = existing(folder, config.trained, "trained")
        found += [trained / name for name in ("network.yaml", "weights.npz") if (trained / name).is_file()]
    if config.dataset.file is not None:
        found.append(existing(folder, config.dataset.file, "dataset.file"))
    shown = None if config.representation is None else config.representation.dataset
    if shown is not None and shown.file is not None:
        found.append(existing(folder, shown.file, "representation.dataset.file"))
    return [*found, *([] if config.recording is None else files_of(config.recording, folder, "recording"))]


def _whole(config: DatasetConfig, folder: Path) -> SpikeDataset:
    if config.file is not None:
        from snncompare.recording.read import read

        spikes = read(existing(folder, config.file, "file"))
        labels = [name for name in spikes.trials if name not in {"start", "stop"}]
        if config.label is not None and config.label not in labels:
            raise InputError(f"label: {unknown('label of the trials', config.label, labels)}")
        return SpikeDataset(spikes=spikes, label=config.label, name=Path(config.file).stem)
    from snncompare.commands.dataset.options import loaded

    name = str(config.name)
    own = folder / name
    return loaded(str(own) if name.endswith(".yaml") and own.is_file() else name, config.set, config.seed)


def _part(
    whole: SpikeDataset, parts: Mapping[Any, SpikeDataset] | None, column: str | None, name: str | None
) -> SpikeDataset | None:
    """Return a part by the card, or by the value of a column."""
    if name is None:
        return None
    if parts is None:
        return whole.part(name)
    if name not in parts:
        raise InputError(unknown(f"value of '{column}'", name, parts))
    return parts[name]


def _recorded(config: MismatchConfig, folder: Path, probe: Probe) -> "tuple[RDMs, Ceiling | None]":
    """Return the RDMs of the recording, and how similar to them even a perfect model could be."""
    from snncompare.comparison.alignment import align
    from snncompare.comparison.ceiling import noise_ceilings

    assert config.recording is not None
    recording = read_population(config.recording, folder)
    spikes = spikes_of(recording, config.recording, None, probe.metrics)
    met, shown = (sorted(map(str, each)) for each in (spikes.conditions, probe.dataset.trials[probe.by].unique()))
    if met != shown:
        raise InputError(
            f"the recording has the conditions {_short(met)}, the networks are shown {_short(shown)}; choose the same "
            "ones with where: or another representation.dataset."
        )
    rdms, repeated = spikes.rdms_and_replicates(probe.metrics, HALVES, config.seed, name="recording")
    ceilings = noise_ceilings(align(rdms, {"recording": rdms}), probe.measure, repeated)
    return rdms, ceilings[0] if ceilings else None


def _short(labels: Sequence[str]) -> str:
    return f"{', '.join(labels[:8])}{', ...' if len(labels) > 8 else ''}"
