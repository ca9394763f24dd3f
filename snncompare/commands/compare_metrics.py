"""A metric in a configuration: its type, its parameters by name, and the time scales of a sweep."""

from dataclasses import fields, is_dataclass
from typing import TYPE_CHECKING, Any, Self

from pydantic import ConfigDict, model_validator

from snncompare.errors import InputError, unknown
from snncompare.values import Value

if TYPE_CHECKING:
    from snncompare.representation.metrics import Metric

__all__ = ["MetricConfig"]

SWEEP = "time_scales"
NEEDS_DATA = ("WhitenedCount",)
"""Metrics with a parameter that is estimated from a recording and cannot be written in a file."""


class MetricConfig(Value):
    """One metric, or a sweep of it over time scales.

    The keys beside ``type`` are the parameters of the class of this name in `snncompare.representation.metrics`; a
    metric with a time scale takes ``time_scales``, a list, in its place.

    Parameters
    ----------
    type : str
    """

    model_config = ConfigDict(extra="allow")

    type: str

    @model_validator(mode="before")
    @classmethod
    def _has_a_type(cls, given: Any) -> Any:
        if isinstance(given, dict) and "type" not in given:
            raise InputError(f"a metric needs a 'type': {', '.join(_names())}.")
        return given

    @model_validator(mode="after")
    def _can_be_made(self) -> Self:
        self.metrics()
        return self

    def metrics(self) -> "tuple[Metric, ...]":
        """Return the metric, or one for each time scale.

        Raises
        ------
        InputError
            If the type or a parameter does not exist, is missing, or has a value that the metric refuses.
        """
        kind: Any = _class_named(self.type)
        given = dict(self.model_extra or {})
        sweep = getattr(kind, "sweep", None)
        scale = _scale_name(kind)
        allowed = [field.name for field in fields(kind)] + [SWEEP] * (sweep is not None)
        for key in given:
            if key not in allowed:
                raise InputError(
                    unknown(f"key of {self.type}", key, allowed) if allowed else f"{self.type} takes no keys."
                )
        if sweep is not None and SWEEP in given:
            if scale in given:
                raise InputError(f"{self.type}: give {scale} for one metric or {SWEEP} for several, not both.")
            return tuple(sweep(given.pop(SWEEP), **given))
        try:
            return (kind(**given),)
        except TypeError as error:
            raise InputError(
                f"{self.type} needs {SWEEP if sweep else scale}, for example {SWEEP}: [1 ms, 10 ms]."
            ) from error


def _names() -> list[str]:
    from snncompare.representation import metrics

    found = [name for name in metrics.__all__ if is_dataclass(getattr(metrics, name))]
    return [name for name in found if issubclass(getattr(metrics, name), metrics.Metric) and name not in NEEDS_DATA]


def _class_named(name: str) -> "type[Metric]":
    from snncompare.representation import metrics

    if name not in _names():
        raise InputError(unknown("type of metric", name, _names()))
    found: type[Metric] = getattr(metrics, name)
    return found


def _scale_name(kind: Any) -> str:
    """Return the first parameter of a metric, which by convention holds its time scale."""
    return fields(kind)[0].name if fields(kind) else SWEEP
