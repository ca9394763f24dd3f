"""What a chip profile may say of a role: units of its range, distributions of potentials, quantisers that fit it."""

from snncompare.backends.analog.frozen.digital import WeightGrid, quantiser
from snncompare.backends.analog.profiles.abilities import Quantiser
from snncompare.backends.analog.profiles.evidence import is_time
from snncompare.backends.analog.profiles.sections import TIMES, Parameter
from snncompare.backends.analog.reading.roles import POTENTIALS, Role
from snncompare.errors import DescriptionError, InputError

__all__ = ["check_parameter", "check_quantiser"]

_OF_POTENTIALS = ("gaussian", "student", "contaminated")
"""Distributions of mean 0 that an offset can have; the others are of positive factors."""


def check_parameter(role: Role, there: Parameter) -> None:
    """Refuse a range in the unit of something else, and a distribution that an offset of a potential cannot have.

    Raises
    ------
    DescriptionError
        If low, target or high of a time is no time from 0 on, if one of a potential is not in LSB, or if the profile
        gives a potential a distribution over positive numbers.
    """
    for name in ("low", "target", "high"):
        given = getattr(there, name)
        if given is None:
            continue
        if role in TIMES and (not is_time(given) or given.value < 0):
            raise DescriptionError(f"'{role}.{name}' is a time from 0 on, such as value: 10, unit: us; got '{given}'.")
        if role in POTENTIALS and given.unit != "LSB":
            raise DescriptionError(f"'{role}.{name}' is a potential of the chip with unit: LSB; got '{given}'.")
    if role in POTENTIALS and "distribution" in there.model_fields_set and there.distribution not in _OF_POTENTIALS:
        raise DescriptionError(
            f"'{role}' is a potential, whose mismatch is added: its distribution is one of "
            f"{', '.join(_OF_POTENTIALS)}, got '{there.distribution}'."
        )


def check_quantiser(role: Role, there: Quantiser) -> None:
    """Refuse a quantiser that does not exist, has wrong numbers, or is of another quantity than its role.

    Raises
    ------
    DescriptionError
        With the reason.
    """
    for name, number in there.numbers.items():
        if number.unit not in ("", "1", "step", "LSB"):
            raise DescriptionError(f"quantisers: '{role}.{name}' is a plain number; change the unit '{number.unit}'.")
    try:
        made = quantiser(there.name, {name: number.value for name, number in there.numbers.items()})
    except InputError as error:
        raise DescriptionError(f"quantisers: '{role}': {error}") from error
    fits = role in POTENTIALS if isinstance(made, WeightGrid) else role in TIMES
    if not fits:
        raise DescriptionError(
            f"quantisers: {there.name} is of {'potentials' if isinstance(made, WeightGrid) else 'times'}, "
            f"which '{role}' is not; choose another quantiser."
        )
