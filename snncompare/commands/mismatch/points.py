"""A point of a mismatch study: how large the mismatch is, of which parameters, and how many bits weights have."""

import re
from typing import Annotated, Any, Literal, get_args

from pydantic import BeforeValidator, Field, StrictFloat, StrictInt

from snncompare.backends.analog.profiles.profile import ChipProfile
from snncompare.values import Value

__all__ = ["PARAMETER_CLASSES", "Number", "ParameterClass", "Point", "profile_at"]


def _exponent(given: Any) -> Any:
    """Return 1e-3 as a number, which YAML 1.1 reads as text because it has no point."""
    if isinstance(given, str) and re.fullmatch(r"[0-9]+(\.[0-9]*)?[eE][-+]?[0-9]{1,3}", given, re.ASCII):
        return float(given)
    return given


Number = Annotated[StrictFloat, BeforeValidator(_exponent)]
"""A number as YAML writes it; neither true nor text."""
ParameterClass = Literal["weights", "time_constants", "thresholds", "all"]

_KEYS: dict[str, tuple[str, ...]] = {
    "weights": ("weights.cv",),
    "time_constants": ("time_constants.cv",),
    "thresholds": ("threshold.sd_fraction",),
}
PARAMETER_CLASSES: tuple[str, ...] = get_args(ParameterClass)
"""What mismatch can be of: all weights, all time constants, all thresholds, or all three."""


class Point(Value):
    r"""One point of the axes of a study.

    Parameters
    ----------
    sigma : float, optional
        Size of the mismatch: coefficient of variation of each single weight and each time constant, standard deviation
        of thresholds in fractions of threshold - leak. None: that of the profile.
    bits : int, optional
        Of the weights, sign included. None: as the profile says.
    parameters : str
        Which parameters have the mismatch `sigma`; the others stay as the profile says.
    """

    sigma: Annotated[Number, Field(ge=0, le=5, allow_inf_nan=False)] | None = None
    bits: Annotated[StrictInt, Field(ge=1, le=16)] | None = None
    parameters: ParameterClass = "all"

    @property
    def words(self) -> str:
        """The point in a few words, for progress."""
        of = "" if self.sigma is None else f"mismatch {self.sigma:g} of {self.parameters.replace('_', ' ')}"
        return ", ".join(filter(None, [of, "" if self.bits is None else f"{self.bits} bits"])) or "as the profile says"


def profile_at(base: ChipProfile, point: Point) -> ChipProfile:
    """Return the profile of a point.

    Parameters
    ----------
    base : ChipProfile
        All that the point does not say; ``ChipProfile.load("plain")`` has no imperfection.
    point : Point

    Raises
    ------
    InputError
        For a mismatch or a number of bits that the kind of chip cannot have.
    """
    changes: dict[str, Any] = {}
    if point.sigma is not None:
        classes = _KEYS if point.parameters == "all" else {point.parameters: _KEYS[point.parameters]}
        changes |= {key: point.sigma for keys in classes.values() for key in keys}
    if point.bits is not None:
        changes["weights.bits"] = point.bits
    return base.changed(**changes) if changes else base
