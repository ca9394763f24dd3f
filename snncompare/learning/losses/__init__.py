"""What training makes small: values over what a network shows."""

from snncompare.learning.losses.classification import Classification, Over
from snncompare.learning.losses.loss import Form, Loss, Penalty, Reads, Wants
from snncompare.learning.losses.rates import RateLimit, RateTarget
from snncompare.learning.losses.regression import Regression
from snncompare.learning.losses.spike_counts import CountError, SpikeCountClassification, SpikeCountTarget
from snncompare.learning.losses.spike_trains import DoubleExponential, VanRossum
from snncompare.learning.losses.synchrony import Synchrony

__all__ = [
    "Classification",
    "CountError",
    "DoubleExponential",
    "Form",
    "Loss",
    "Over",
    "Penalty",
    "RateLimit",
    "RateTarget",
    "Reads",
    "Regression",
    "SpikeCountClassification",
    "SpikeCountTarget",
    "Synchrony",
    "VanRossum",
    "Wants",
]
