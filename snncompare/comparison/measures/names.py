"""The measures there are, by name."""

from snncompare.comparison.measures.bures import Bures, BuresMetric
from snncompare.comparison.measures.kendall import KendallTauA, KendallTauB
from snncompare.comparison.measures.measure import Measure
from snncompare.comparison.measures.riemannian import NegativeRiemannianDistance
from snncompare.comparison.measures.scored import Cosine, Pearson, Spearman, SpearmanRhoA
from snncompare.comparison.measures.whitened import WhitenedCosine, WhitenedPearson
from snncompare.errors import InputError, unknown

__all__ = ["FINAL", "check_measure", "measure_named"]

FINAL: tuple[type[Measure], ...] = (
    Spearman,
    SpearmanRhoA,
    Pearson,
    Cosine,
    KendallTauA,
    KendallTauB,
    WhitenedCosine,
    WhitenedPearson,
    Bures,
    BuresMetric,
    NegativeRiemannianDistance,
)


def measure_named(name: str) -> Measure:
    """Return the measure whose class has this name.

    Raises
    ------
    InputError
    """
    for cls in FINAL:
        if cls.__name__ == name:
            return cls()
    raise InputError(unknown("measure", name, [cls.__name__ for cls in FINAL]))


def check_measure(by: object) -> Measure:
    """Return ``by`` if it is a measure; refuse a text or a class with the line to write.

    Raises
    ------
    InputError
    """
    if isinstance(by, Measure):
        return by
    wanted = str(by).lower().replace("_", "-")
    meant = [cls for cls in FINAL if by is cls or wanted in {cls.__name__.lower(), cls.method.replace("_", "-")}]
    guess = meant[0] if meant else Spearman
    available = ", ".join(f"{cls.__name__}()" for cls in FINAL)
    raise InputError(f"by must be a measure, got {by!r}; write by={guess.__name__}(). Available: {available}.")
