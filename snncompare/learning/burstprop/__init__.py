"""Burst-dependent learning of deep networks of ensembles: burstprop, BurstCCN, and what they are compared with."""

from snncompare.learning.burstprop.continuous import ContinuousBurstprop, TrainedContinuously, train_continuously
from snncompare.learning.burstprop.controls import Backprop, FeedbackAlignment, NodePerturbation
from snncompare.learning.burstprop.layers import Convolution, Dense
from snncompare.learning.burstprop.network import BurstNetwork
from snncompare.learning.burstprop.patterns import Patterns
from snncompare.learning.burstprop.rule import EnsembleRule, Feedback, Signals
from snncompare.learning.burstprop.single_phase import BurstCCN
from snncompare.learning.burstprop.steps import Momentum
from snncompare.learning.burstprop.training import TrainedBurstNetwork, train_burst_network
from snncompare.learning.burstprop.two_phase import Burstprop

__all__ = [
    "Backprop",
    "BurstCCN",
    "BurstNetwork",
    "Burstprop",
    "ContinuousBurstprop",
    "Convolution",
    "Dense",
    "EnsembleRule",
    "Feedback",
    "FeedbackAlignment",
    "Momentum",
    "NodePerturbation",
    "Patterns",
    "Signals",
    "TrainedBurstNetwork",
    "TrainedContinuously",
    "train_burst_network",
    "train_continuously",
]
