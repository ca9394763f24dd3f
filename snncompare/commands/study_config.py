"""The configuration of a study: several recordings, compared with the same models in the same way."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import AfterValidator, Field, field_validator, model_validator

from snncompare.commands.compare_config import DATA, MeasureName, Model, load_config
from snncompare.commands.compare_estimators import EstimatorConfig
from snncompare.commands.compare_fields import Label
from snncompare.commands.compare_metrics import MetricConfig
from snncompare.commands.compare_parts import FromNetwork, FromRecording, RecordingConfig
from snncompare.commands.compare_yaml import read_yaml
from snncompare.errors import FileError, InputError, unknown
from snncompare.values import Value

__all__ = ["ONE_AREA", "StudyConfig", "StudyRecording", "load_study", "recording_named"]

ONE_AREA = "all"
"""The area of recordings that name none."""
_NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9 ._-]*[A-Za-z0-9_-])?")


def _file_name(given: str) -> str:
    if not _NAME.fullmatch(given):
        raise InputError(f"'{given}' names a file; use letters, digits, ' ', '.', '_' and '-'.")
    return given


class StudyRecording(RecordingConfig):
    """A recording of a study; see `RecordingConfig`.

    Parameters
    ----------
    subject : label, optional
        The animal; needed where an area has several recordings. Recordings of one animal are its sessions.
    session : label, optional
        Default: the name of the recording, where an animal has several.
    area : str, optional
        Recordings of one area are compared together, those of different areas apart.
    """

    subject: Label | None = None
    session: Label | None = None
    area: Annotated[str, AfterValidator(_file_name)] = ONE_AREA


class StudyConfig(Value):
    """Everything that a study needs; `CompareConfig` says what the keys mean that both have.

    Parameters
    ----------
    recordings : mapping of name to StudyRecording
    metrics : list
        Needed to make RDMs, not to compare stored ones.
    models : mapping
    """

    question: str | None = None
    recordings: dict[Annotated[str, AfterValidator(_file_name)], StudyRecording] = Field(default_factory=dict)
    metrics: tuple[MetricConfig, ...] = ()
    models: dict[str, Model] = Field(default_factory=dict)
    similarity: MeasureName = "Spearman"
    estimator: EstimatorConfig | None = None
    resamples: Annotated[int, Field(ge=50, le=1_000_000)] = 1000
    seed: Annotated[int, Field(ge=0)] = 0

    @field_validator("models")
    @classmethod
    def _names_are_free(cls, given: dict[str, Model]) -> dict[str, Model]:
        if DATA in given:
            raise InputError(f"'{DATA}' is the name of the data in figures and tables; give the model another one.")
        for name, model in given.items():
            if isinstance(model, FromRecording | FromNetwork):
                _file_name(name)
        return given

    @model_validator(mode="after")
    def _animals_are_told_apart(self) -> Self:
        for area in self.areas:
            names = self.of_area(area)
            taken: dict[tuple[Any, Any], str] = {}
            for name in names if len(names) > 1 else ():
                recording = self.recordings[name]
                if recording.subject is None:
                    raise InputError(
                        f"recordings.{name}: name its subject; '{area}' has {len(names)} recordings, and those of one "
                        "animal are sessions, not other animals."
                    )
                key = (recording.subject, self.session_of(name))
                if key in taken:
                    raise InputError(
                        f"recordings.{name}: '{taken[key]}' is the same session {key[1]!r} of subject {key[0]!r}."
                    )
                taken[key] = name
        return self

    @property
    def areas(self) -> list[str]:
        """Areas in the order of their first recording."""
        return list(dict.fromkeys(recording.area for recording in self.recordings.values()))

    def of_area(self, area: str) -> list[str]:
        """Return the names of the recordings of an area."""
        return [name for name, recording in self.recordings.items() if recording.area == area]

    def session_of(self, name: str) -> Label | None:
        """Return the label of a recording's session: given, or its name where the animal has several, or None."""
        recording = self.recordings[name]
        if recording.session is not None:
            return recording.session
        others = [self.recordings[other].subject for other in self.of_area(recording.area)]
        return name if others.count(recording.subject) > 1 else None

    def stands_alone(self, name: str) -> bool:
        """Return whether a recording is the only one of its area, so that its trials are what can be resampled."""
        return len(self.of_area(self.recordings[name].area)) == 1

    def rdm_part(self, name: str, *, model: bool = False) -> dict[str, Any]:
        """Return the part of the study that the RDMs of a recording, or of a model, depend on, as plain JSON."""
        config = self.models[name] if model else self.recordings[name]
        kept = {"metrics", "estimator"}
        if isinstance(config, FromNetwork):
            kept |= {"seed"}
        elif not model and self.stands_alone(name):
            kept |= {"seed", "resamples"}
        place = f"{'models' if model else 'recordings'}.{name}"
        return {place: config.model_dump(mode="json"), **self.model_dump(mode="json", include=kept)}

    def spiking_models(self) -> dict[str, FromRecording | FromNetwork]:
        """Return the models whose RDMs are made from spikes."""
        return {name: m for name, m in self.models.items() if isinstance(m, FromRecording | FromNetwork)}


def load_study(path: str | Path) -> StudyConfig:
    """Return the study in a YAML file; the configuration of one comparison is a study of one recording.

    Raises
    ------
    FileError
        If the file cannot be read as plain YAML.
    DescriptionError
        If a key, type or value is wrong; one line that names the place and the nearest that exists.
    """
    given = read_yaml(path)
    if not isinstance(given, Mapping):
        raise FileError(f"'{path}' holds no keys such as 'recordings:'; README.md shows a study.")
    if DATA not in given:
        return StudyConfig.parse(given, str(path))
    config = load_config(path)
    one = {DATA: config.recording.model_dump(mode="json")}
    shared = config.model_dump(mode="json", exclude={"recording", "out"})
    return StudyConfig.parse({"recordings": one, **shared}, str(path))


def recording_named(study: StudyConfig, name: str | None) -> str:
    """Return the name of a recording; it may be left out where there is one only.

    Raises
    ------
    InputError
        If there is no such recording.
    """
    if not study.recordings:
        raise InputError("the configuration names no recordings; add them under 'recordings:'.")
    if name is None and len(study.recordings) == 1:
        return next(iter(study.recordings))
    if name is None:
        raise InputError(f"say which of the recordings with --recording NAME: {', '.join(study.recordings)}.")
    if name not in study.recordings:
        raise InputError(unknown("recording", name, study.recordings))
    return name
