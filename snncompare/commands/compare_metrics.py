"""A metric in a configuration: its type, its parameters by name, and the time scales of a sweep."""

from dataclasses import fields, is_dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from snncompare.commands.typed_config import TypedConfig
from snncompare.errors import InputError

if TYPE_CHECKING:
    from snncompare.representation.metrics import Metric

__all__ = ["MetricConfig"]

SWEEP = "time_scales"
NEEDS_DATA = ("WhitenedCount",)
"""Metrics with a parameter that is estimated from a recording and cannot be written in a file."""


class MetricConfig(TypedConfig):
    """One metric, or a sweep of it over time scales.

    The keys beside ``type`` are the parameters of the class of this name in `snncompare.representation.metrics`; a
    metric with a time scale takes ``time_scales``, a list, in its place.

    Parameters
    ----------
    type : str
    """

    what: ClassVar[str] = "metric"

    @classmethod
    def kinds(cls) -> dict[str, Any]:
        """Return the metrics of `snncompare.representation.metrics` that can be written in a file."""
        from snncompare.representation import metrics

        found: dict[str, Any] = {name: getattr(metrics, name) for name in metrics.__all__ if name not in NEEDS_DATA}
        return {name: kind for name, kind in found.items() if _is_metric(kind) and is_dataclass(kind)}

    def made(self) -> "tuple[Metric, ...]":
        """Return the metric, or one for each time scale.

        Raises
        ------
        InputError
            If the type or a parameter does not exist, is missing, or has a value that the metric refuses.
        """
        kind = self.kind()
        sweep = getattr(kind, "sweep", None)
        scale = _scale_name(kind)
        given = self.given([SWEEP] * (sweep is not None))
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


def _is_metric(kind: Any) -> bool:
    from snncompare.representation.metrics import Metric

    return isinstance(kind, type) and issubclass(kind, Metric)


def _scale_name(kind: Any) -> str:
    """Return the first parameter of a metric, which by convention holds its time scale."""
    return fields(kind)[0].name if fields(kind) else SWEEP
