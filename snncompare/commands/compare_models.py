"""The models of a configuration, first checked, then turned into RDMs at every metric and time scale."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, final

from snncompare.commands.compare_data import at, existing, files_of, read_population
from snncompare.commands.compare_network import NetworkRun, prepare_network
from snncompare.commands.compare_parts import Categorical, Circular, FromNetwork, FromRecording, Linear, Matrix
from snncompare.commands.compare_spikes import Spikes, check_across, spikes_of
from snncompare.errors import InputError, unknown

if TYPE_CHECKING:
    from rsatoolbox.rdm import RDMs

    from snncompare.representation.blocks.execution import Execution
    from snncompare.representation.estimators import Estimator
    from snncompare.representation.metrics import Metric

__all__ = ["Asked", "Prepared", "model_files", "prepare_models"]


@dataclass(frozen=True)
class Asked:
    """What RDMs are made with, of the data and of every model that spikes; by default the estimator that fits."""

    metrics: "tuple[Metric, ...]" = ()
    estimator: "Estimator | None" = None


class Prepared(ABC):
    """A model that passed all checks."""

    words: str

    @abstractmethod
    def rdms(self, asked: "Asked", seed: int, execution: "Execution | None" = None) -> "RDMs":
        """Return its RDMs: one per metric, or one without a time scale."""


@final
@dataclass(frozen=True)
class _Stated(Prepared):
    """A hypothesis: one RDM for all metrics."""

    words: str
    stated: "RDMs"

    def rdms(self, asked: "Asked", seed: int, execution: "Execution | None" = None) -> "RDMs":
        del asked, seed, execution  # a hypothesis is the same for all
        return self.stated


@final
@dataclass(frozen=True)
class _Recorded(Prepared):
    """Spikes that were recorded."""

    words: str
    spikes: Spikes

    def rdms(self, asked: "Asked", seed: int, execution: "Execution | None" = None) -> "RDMs":
        del seed  # nothing is random
        return self.spikes.rdms(asked.metrics, execution)


@final
@dataclass(frozen=True)
class _Simulated(Prepared):
    """Spikes of a network that is run when its RDMs are asked for."""

    words: str
    run: NetworkRun

    def rdms(self, asked: "Asked", seed: int, execution: "Execution | None" = None) -> "RDMs":
        spikes = spikes_of(self.run.spikes(seed), self.run.config, asked.estimator, asked.metrics)
        return spikes.rdms(asked.metrics, execution)


def model_files(models: Mapping[str, Any], folder: Path) -> list[Path]:
    """Return the files that models are made from; refuse those that do not exist."""
    found = []
    for name, model in models.items():
        place = f"models.{name}"
        match model:
            case FromRecording():
                found += files_of(model, folder, place)
            case Matrix():
                found.append(existing(folder, model.file, f"{place}.file"))
            case FromNetwork():
                found.append(existing(folder, model.network, f"{place}.network"))
                found += [existing(folder, file, f"{place}.inputs.{key}") for key, file in model.inputs.items()]
                if model.weights is not None:
                    found.append(existing(folder, model.weights, f"{place}.weights"))
    return found


def prepare_models(
    models: Mapping[str, Any], folder: Path, conditions: Sequence[Any], asked: Asked, seed: int
) -> dict[str, Prepared]:
    """Return every model, checked against the conditions of the data.

    Raises
    ------
    SnncompareError
        For the first model that cannot be made or lacks a condition; begins with ``models.NAME``.
    """
    prepared = {}
    for name, model in models.items():
        with at(f"models.{name}"):
            prepared[name] = _prepare(name, model, folder, list(conditions), asked, seed)
    return prepared


def _prepare(name: str, model: Any, folder: Path, conditions: list[Any], asked: Asked, seed: int) -> Prepared:
    from snncompare.representation.model_rdms import categorical, circular, linear, read_matrix

    match model:
        case Circular():
            words = f"conditions on a circle of period {model.period:g}"
            return _Stated(words, circular(conditions, model.period, name))
        case Linear():
            return _Stated("conditions on a line", linear(conditions, name))
        case Categorical():
            groups = _group_of_each(model.groups, conditions)
            return _Stated(f"groups: {', '.join(model.groups)}", categorical(conditions, groups, name))
        case Matrix():
            stated = read_matrix(folder / model.file, name)
            _check_conditions(stated.pattern_descriptors["condition"], conditions)
            return _Stated(f"dissimilarities in {Path(model.file).name}", stated)
        case FromRecording():
            spikes = spikes_of(read_population(model, folder), model, asked.estimator, asked.metrics)
            _check_conditions(spikes.conditions, conditions)
            return _Recorded(f"spikes of {spikes.words} of {Path(model.file).name}", spikes)
        case FromNetwork():
            run = prepare_network(model, folder, seed)
            _check_conditions(run.conditions, conditions)
            check_across(next(iter(run.inputs.values())), asked.estimator)
            return _Simulated(run.words, run)
    raise TypeError(f"no such model: {model!r}")  # our own mistake, never a user's


def _group_of_each(groups: Mapping[str, Sequence[Any]], conditions: list[Any]) -> list[str]:
    """Return the group of each condition, each of which must stand in one group."""
    for group, members in groups.items():
        for member in members:
            if member not in conditions:
                raise InputError(f"groups.{group}: {unknown('condition', member, conditions)}")
    found = [[group for group, members in groups.items() if condition in members] for condition in conditions]
    for condition, names in zip(conditions, found, strict=True):
        if len(names) != 1:
            raise InputError(f"the condition {condition!r} stands in {len(names)} groups; put each into one.")
    return [names[0] for names in found]


def _check_conditions(given: Sequence[Any], conditions: list[Any]) -> None:
    have = [label.item() if hasattr(label, "item") else label for label in given]
    missing = [label for label in conditions if label not in have]
    extra = [label for label in have if label not in conditions]
    if missing or extra:
        lacks = f"lacks the conditions {missing}" if missing else ""
        more = f"has {extra}, which the recording lacks" if extra else ""
        raise InputError(
            f"{' and '.join(filter(None, [lacks, more]))}; the conditions of the recording are {conditions}"
            " (a number and the same number as text are different)."
        )
