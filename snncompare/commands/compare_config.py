"""The configuration of a comparison: frozen, with every key checked before any work starts."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, field_validator

from snncompare.commands.compare_estimators import EstimatorConfig
from snncompare.commands.compare_fields import not_empty
from snncompare.commands.compare_metrics import MetricConfig
from snncompare.commands.compare_parts import (
    Categorical,
    Circular,
    FromNetwork,
    FromRecording,
    Linear,
    Matrix,
    RecordingConfig,
)
from snncompare.commands.compare_yaml import read_yaml
from snncompare.errors import FileError, InputError, unknown
from snncompare.values import Value

__all__ = ["DATA", "CompareConfig", "MeasureName", "Model", "known_type", "load_config"]

DATA = "recording"


def known_type(what: str, *classes: type[Value]) -> BeforeValidator:
    """Refuse a type that does not exist by naming the nearest."""
    allowed = [str(cls.model_fields["type"].default) for cls in classes]

    def check(given: Any) -> Any:
        if isinstance(given, Mapping):
            if "type" not in given:
                raise InputError(f"a {what} needs a 'type': {', '.join(allowed)}.")
            if given["type"] not in allowed:
                raise InputError(unknown(f"type of {what}", given["type"], allowed))
        return given

    return BeforeValidator(check)


Model = Annotated[
    Annotated[
        Circular | Linear | Categorical | Matrix | FromRecording | FromNetwork,
        Field(discriminator="type"),
    ],
    known_type("model", Circular, Linear, Categorical, Matrix, FromRecording, FromNetwork),
]


def _a_measure(given: str) -> str:
    from snncompare.comparison.measures import measure_named

    return type(measure_named(given)).__name__


MeasureName = Annotated[str, AfterValidator(_a_measure)]


class CompareConfig(Value):
    """Everything that a comparison needs; see the classes of the parts.

    Parameters
    ----------
    question : str, optional
        In one sentence, for the report.
    similarity : str
        The measure between RDMs.
    estimator : str or mapping, optional
        How distances of trials become dissimilarities of conditions; default by the number of repeats.
    resamples : int
        Number of bootstrap samples.
    out : str, optional
        Folder for what is written.
    """

    question: str | None = None
    recording: RecordingConfig
    metrics: Annotated[tuple[MetricConfig, ...], AfterValidator(not_empty)]
    models: Annotated[dict[str, Model], AfterValidator(not_empty)]
    similarity: MeasureName = "Spearman"
    estimator: EstimatorConfig | None = None
    resamples: Annotated[int, Field(ge=50, le=1_000_000)] = 1000
    seed: Annotated[int, Field(ge=0)] = 0
    out: str | None = None

    @field_validator("models")
    @classmethod
    def _names_are_free(cls, given: dict[str, Model]) -> dict[str, Model]:
        if DATA in given:
            raise InputError(f"'{DATA}' is the name of the data in figures and tables; give the model another one.")
        return given


def load_config(path: str | Path) -> CompareConfig:
    """Return the configuration in a YAML file.

    Raises
    ------
    FileError
        If the file cannot be read as plain YAML.
    DescriptionError
        If a key, type or value is wrong; one line that names the place and the nearest that exists.
    """
    given = read_yaml(path)
    if not isinstance(given, Mapping):
        raise FileError(
            f"'{path}' holds no keys such as 'recording:'; 'snncompare inspect FILE' prints a configuration."
        )
    return CompareConfig.parse(given, str(path))
