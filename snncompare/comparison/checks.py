"""Checks of arguments that several entries of this room share."""

from snncompare.comparison.measures import Measure, check_measure
from snncompare.errors import InputError

__all__ = ["similarity_measure"]


def similarity_measure(by: object) -> Measure:
    """Return ``by`` if it is a measure of which a larger value means more alike.

    Raises
    ------
    InputError
    """
    measure = check_measure(by)
    if measure.distance:
        raise InputError(
            f"by must be a similarity, and the {measure.label} is a distance; for tests and intervals use "
            "by=Bures() or by=NegativeRiemannianDistance(), for the number itself its between(...)."
        )
    return measure
