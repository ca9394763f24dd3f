"""The configuration of ``snncompare mismatch``: frozen, with every key checked before any work starts."""

import itertools
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import AfterValidator, BeforeValidator, Field, StrictBool, StrictFloat, StrictInt, model_validator

from snncompare.commands.compare_config import MeasureName
from snncompare.commands.compare_fields import Condition, Length, Time, joint_name, not_empty
from snncompare.commands.compare_metrics import MetricConfig
from snncompare.commands.compare_parts import RecordingConfig
from snncompare.commands.mismatch.loss_config import LossConfig
from snncompare.commands.mismatch.points import Number, ParameterClass, Point
from snncompare.commands.mismatch.scheme_config import SchemeConfig, TrainingConfig, as_trained
from snncompare.description_file import read_plain
from snncompare.errors import FileError, InputError
from snncompare.units import Quantity
from snncompare.values import Value

__all__ = ["DatasetConfig", "MismatchConfig", "RepresentationConfig", "SweepConfig", "load_mismatch"]

MOST_DEVICES = 10_000
QUICK_TRIALS = 40


def _seeds(given: Any) -> Any:
    """Let a number of devices stand for the seeds from 0 on."""
    if isinstance(given, bool) or not isinstance(given, int):
        return given
    if not 1 <= given <= MOST_DEVICES:
        raise InputError(f"is a number of devices from 1 to {MOST_DEVICES:,}, or a list of their seeds; got {given}.")
    return tuple(range(given))


def _different(given: tuple[Any, ...]) -> tuple[Any, ...]:
    if len(set(given)) < len(given):
        raise InputError(f"has a value twice: {list(given)}; give each once.")
    return given


def _listed(given: Any) -> Any:
    """Let one value stand for a list of it."""
    return given if isinstance(given, list | tuple) else (given,)


Named = Annotated[str, Field(pattern=r"^\w[\w ()-]{0,40}$")]
Seed = Annotated[StrictInt, Field(ge=0, lt=2**63)]
Seeds = Annotated[
    tuple[Seed, ...],
    BeforeValidator(_seeds),
    AfterValidator(not_empty),
    AfterValidator(_different),
]


class DatasetConfig(Value):
    """Labelled trials of spikes: a dataset by its name or card, or a recording.

    Parameters
    ----------
    name : str, optional
        Of a dataset, or the path of a ``card.yaml`` relative to the configuration.
    set : list of str
        Changes of its recipe, as ``--set`` of ``snncompare dataset``: ``[samples.n_per_class=10]``.
    file : str, optional
        Instead: a recording whose trials are the samples.
    label : str, optional
        Of a file: column of its trials that names the class.
    train, test : str, optional
        Parts of the dataset, by its card or by the trial label `split`.
    split : str, optional
        Column of the trials whose values are the parts.
    held_out : float, optional
        Instead of parts: the fraction of the trials of each class that is tested; the others can be learnt.
    trials : int, optional
        At most so many are tested or shown, evenly from the classes.
    seed : int, optional
        Of the dataset, where it is generated.
    """

    name: str | None = None
    set: tuple[str, ...] = ()
    file: str | None = None
    label: str | None = None
    train: str | None = None
    test: str | None = None
    split: str | None = None
    held_out: Annotated[Number, Field(gt=0, lt=1)] | None = None
    trials: Annotated[StrictInt, Field(ge=1)] | None = None
    seed: Seed | None = None

    @model_validator(mode="after")
    def _one_of_them(self) -> Self:
        if (self.name is None) == (self.file is None):
            raise InputError("give one of name (of a dataset) and file (a recording).")
        if self.file is not None and (self.set or self.seed is not None):
            raise InputError("set and seed are for datasets that are made; a file is what it is.")
        if self.name is not None and self.label is not None:
            raise InputError("label is for files; the card of a dataset says what its label is.")
        if self.held_out is not None and (self.train or self.test or self.split):
            raise InputError("give parts (train, test) or held_out, not both.")
        if self.split is not None and self.test is None:
            raise InputError(f"'{self.split}' splits the trials into parts; say which is tested, with test:.")
        return self

    def quickened(self) -> Self:
        """Return the same with few trials."""
        return self.model_copy(update={"trials": min(self.trials or QUICK_TRIALS, QUICK_TRIALS)})


class SweepConfig(Value):
    """Points that are drawn in one figure: every combination of the values.

    Parameters
    ----------
    sigma : list of float
        Sizes of the mismatch, see `Point`; none: that of the profile.
    parameters : list of str
        Which parameters have it: weights, time_constants, thresholds, all.
    bits : list of int
        Of the weights; ``null`` is as the profile says.
    profile : str, optional
        Instead of the study's.
    """

    sigma: Annotated[tuple[Number | None, ...], BeforeValidator(_listed), AfterValidator(_different)] = ()
    parameters: Annotated[
        tuple[ParameterClass, ...], BeforeValidator(_listed), AfterValidator(not_empty), AfterValidator(_different)
    ] = ("all",)
    bits: Annotated[tuple[StrictInt | None, ...], BeforeValidator(_listed), AfterValidator(_different)] = ()
    profile: str | None = None

    @model_validator(mode="after")
    def _points_exist(self) -> Self:
        if not self.sigma and not self.bits and self.profile is None:
            raise InputError("a sweep needs sigma: [0, 0.1, 0.2], bits: [3, 4, 6], or a profile.")
        if self.parameters != ("all",) and all(size is None for size in self.sigma):
            raise InputError("parameters say what has the mismatch sigma; give sigma: [0, 0.1, 0.2], or no parameters.")
        if len(self.parameters) > 1 and None in self.sigma:
            raise InputError(
                f"sigma has null, the profile itself, which is the same for all of {list(self.parameters)}; give null "
                "or several parameters, not both."
            )
        self.points()
        return self

    @property
    def x(self) -> str:
        """What its figures are drawn against."""
        return "bits" if self.bits and not self.sigma else "sigma"

    def points(self) -> tuple[Point, ...]:
        """Return every combination once; without a sigma there are no classes of parameters to tell apart."""
        sigmas, classes = self.sigma or (None,), self.parameters if self.sigma else ("all",)
        every = itertools.product(classes, self.bits or (None,), sigmas)
        return tuple(Point(sigma=s, bits=b, parameters=p) for p, b, s in every)


class RepresentationConfig(Value):
    """What is shown to compare spikes and representations.

    Parameters
    ----------
    condition : str, or list of str
        Label of the trials that names the condition.
    metrics : list
        As in ``snncompare compare``.
    dataset : DatasetConfig, optional
        What is shown; default: the tested trials.
    population : str, optional
        Whose spikes are compared; default: of all that fire.
    similarity : str
        Measure between RDMs.
    window : two times, optional
        Part of the trials that is compared; of a recording, give its own.
    """

    condition: Condition
    metrics: Annotated[tuple[MetricConfig, ...], AfterValidator(not_empty)]
    dataset: DatasetConfig | None = None
    population: str | None = None
    similarity: MeasureName = "Spearman"
    window: tuple[Time, Time] | None = None

    @property
    def by(self) -> str:
        """Label that names the condition, also where it is joined from several."""
        return joint_name(self.condition)


class MismatchConfig(Value):
    """Everything that a mismatch study needs; see the classes of the parts.

    Parameters
    ----------
    question : str, optional
        In one sentence, for the report.
    trained : str, optional
        Folder of a trained network, as `Trained.save` writes it.
    network : str, optional
        Instead: a description, which is trained first as `training` says.
    dataset : DatasetConfig
    loss : LossConfig
        Says which answer is right.
    dt : time
    profile : str
        Name or path of the chip profile that the points change.
    changes : mapping
        Further changes of the profile, such as ``{weights.distribution: gaussian}``.
    sweeps : mapping of name to SweepConfig
    devices : int or list of int
        How many devices, or their seeds.
    schemes : mapping of name to scheme
        How the network was made fit for chips; default: not at all.
    training : TrainingConfig, optional
        For schemes that train.
    representation : RepresentationConfig, optional
    recording : RecordingConfig, optional
        Of an animal that met the same conditions.
    seed : int
    out : str, optional
        Folder for what is written.
    """

    question: str | None = None
    trained: str | None = None
    network: str | None = None
    dataset: DatasetConfig
    loss: LossConfig
    dt: Length = Quantity(1e-3, (0, 0, 1, 0, 0, 0, 0), "1 ms")
    profile: str = "plain"
    changes: dict[str, StrictBool | StrictInt | StrictFloat | str | None] = Field(default_factory=dict)
    sweeps: Annotated[dict[Named, SweepConfig], AfterValidator(not_empty)]
    devices: Seeds = tuple(range(10))
    schemes: Annotated[dict[Named, SchemeConfig], AfterValidator(not_empty)] = Field(default_factory=as_trained)
    training: TrainingConfig | None = None
    representation: RepresentationConfig | None = None
    recording: RecordingConfig | None = None
    seed: Seed = 0
    out: str | None = None

    @model_validator(mode="after")
    def _parts_fit(self) -> Self:
        if (self.trained is None) == (self.network is None):
            raise InputError("give one of trained (a folder) and network (a description, with training).")
        if self.recording is not None and self.representation is None:
            raise InputError("a recording is compared by representations; add 'representation:'.")
        learns = [f"schemes.{name}" for name, scheme in self.schemes.items() if scheme.trains]
        for needs in [*(["network"] if self.network is not None else []), *learns]:
            if self.training is None:
                raise InputError(f"{needs} needs 'training:' with epochs, learning_rate, width and scale.")
            if self.dataset.train is None and self.dataset.held_out is None:
                raise InputError(f"{needs} needs trials to learn; give dataset: held_out or train.")
        return self

    def quickened(self) -> Self:
        """Return a study of the same shape that takes a fraction of the time, to see whether all is as it should be."""
        sweeps = {
            name: sweep.model_copy(update={"sigma": _ends(sweep.sigma), "bits": _ends(sweep.bits)})
            for name, sweep in self.sweeps.items()
        }
        changes: dict[str, Any] = {"sweeps": sweeps, "devices": self.devices[:3]}
        changes["dataset"] = self.dataset.quickened()
        asked = self.representation
        if asked is not None and asked.dataset is not None:
            changes["representation"] = asked.model_copy(update={"dataset": asked.dataset.quickened()})
        changes["schemes"] = {name: scheme.quickened() for name, scheme in self.schemes.items()}
        if self.training is not None:
            changes["training"] = self.training.model_copy(update={"epochs": 1})
        return self.model_copy(update=changes)


def load_mismatch(path: str | Path) -> MismatchConfig:
    """Return the study in a YAML file.

    Raises
    ------
    FileError
        If the file cannot be read as plain YAML.
    DescriptionError
        If a key, type or value is wrong; one line that names the place and the nearest that exists.
    """
    given = read_plain(path, "configuration", "a configuration is a page of text")
    if given is None:
        raise FileError(f"the configuration '{path}' is empty; README.md shows that of a mismatch study.")
    if not isinstance(given, Mapping):
        raise FileError(f"'{path}' holds no keys such as 'trained:' and 'sweeps:'; README.md shows a mismatch study.")
    return MismatchConfig.parse(given, str(path))


def _ends(values: tuple[Any, ...]) -> tuple[Any, ...]:
    """Return the first, the middle and the last of several values."""
    return values if len(values) <= 3 else (values[0], values[len(values) // 2], values[-1])
