"""Spike-train metrics as frozen values that carry their parameters and their population coding.

=====================  ========================================================================================
module                 metrics
=====================  ========================================================================================
`victor_purpura`       the cheapest way to edit one train into the other
`intervals`            the cheapest way to edit the inter-spike intervals of one train into the other's
`van_rossum`           Euclidean distance after exponential filtering
`schreiber`            angle between the trains after Gaussian filtering
`hunter_milton`        closeness of each spike to the nearest in the other train
`isi`                  inter-spike intervals around each moment, adaptive form included
`spike`                spike-time differences around each moment, adaptive and rate-independent forms included
`spike_sync`           spikes without a coincident spike
`earth_mover`          how far the spikes of one train have to travel to become the other
`modulus`              distances of each moment to the nearest spike
`latency`              first-spike latency, and the order in which units fire first
`counts`               spike counts
`binned`               spike counts in bins: Euclidean, correlation, Poisson divergence
`whitened`             spike counts whitened by the covariance of their noise
=====================  ========================================================================================
"""

from snncompare.representation.metrics.binned import BinnedCount, CountCorrelation, PoissonKL
from snncompare.representation.metrics.counts import SpikeCount
from snncompare.representation.metrics.earth_mover import EarthMover
from snncompare.representation.metrics.hunter_milton import HunterMilton
from snncompare.representation.metrics.intervals import VictorPurpuraIntervals
from snncompare.representation.metrics.isi import ISI
from snncompare.representation.metrics.latency import FirstSpikeLatency, RankOrder
from snncompare.representation.metrics.metric import Metric
from snncompare.representation.metrics.modulus import ModulusMetric
from snncompare.representation.metrics.schreiber import Schreiber
from snncompare.representation.metrics.spike import SPIKE
from snncompare.representation.metrics.spike_sync import SpikeSync
from snncompare.representation.metrics.van_rossum import VanRossum
from snncompare.representation.metrics.victor_purpura import VictorPurpura
from snncompare.representation.metrics.whitened import Precision, WhitenedCount

__all__ = [
    "ISI",
    "SPIKE",
    "BinnedCount",
    "CountCorrelation",
    "EarthMover",
    "FirstSpikeLatency",
    "HunterMilton",
    "Metric",
    "ModulusMetric",
    "PoissonKL",
    "Precision",
    "RankOrder",
    "Schreiber",
    "SpikeCount",
    "SpikeSync",
    "VanRossum",
    "VictorPurpura",
    "VictorPurpuraIntervals",
    "WhitenedCount",
]
