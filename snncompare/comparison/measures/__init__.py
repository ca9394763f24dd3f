"""How similar two RDMs are: values that name the measure and evaluate it over many resamples at once."""

from snncompare.comparison.measures.bures import Bures, BuresMetric
from snncompare.comparison.measures.kendall import KendallTauA, KendallTauB
from snncompare.comparison.measures.measure import Measure
from snncompare.comparison.measures.names import check_measure, measure_named
from snncompare.comparison.measures.riemannian import NegativeRiemannianDistance
from snncompare.comparison.measures.scored import Cosine, Pearson, Spearman, SpearmanRhoA
from snncompare.comparison.measures.whitened import WhitenedCosine, WhitenedPearson

__all__ = [
    "Bures",
    "BuresMetric",
    "Cosine",
    "KendallTauA",
    "KendallTauB",
    "Measure",
    "NegativeRiemannianDistance",
    "Pearson",
    "Spearman",
    "SpearmanRhoA",
    "WhitenedCosine",
    "WhitenedPearson",
    "check_measure",
    "measure_named",
]
