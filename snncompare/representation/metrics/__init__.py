"""Spike-train metrics as frozen values that carry their parameters and their population coding.

=====================  ========================================================================================
module                 metrics
=====================  ========================================================================================
`victor_purpura`       the cheapest way to edit one train into the other
`van_rossum`           Euclidean distance after exponential filtering
`counts`               spike counts
=====================  ========================================================================================
"""

from snncompare.representation.metrics.counts import SpikeCount
from snncompare.representation.metrics.metric import Metric
from snncompare.representation.metrics.van_rossum import VanRossum
from snncompare.representation.metrics.victor_purpura import VictorPurpura

__all__ = ["Metric", "SpikeCount", "VanRossum", "VictorPurpura"]
