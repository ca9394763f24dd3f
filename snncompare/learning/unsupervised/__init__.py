"""Learning without labels: plastic synapses, latent prediction, and objectives of the input itself."""

from snncompare.learning.unsupervised.labelling import assigned_classes, voted_classes
from snncompare.learning.unsupervised.latent_prediction import LatentPrediction
from snncompare.learning.unsupervised.objectives import InputPrediction, InputReconstruction, SelfPrediction
from snncompare.learning.unsupervised.plasticity import Homeostasis, learn_by_plasticity

__all__ = [
    "Homeostasis",
    "InputPrediction",
    "InputReconstruction",
    "LatentPrediction",
    "SelfPrediction",
    "assigned_classes",
    "learn_by_plasticity",
    "voted_classes",
]
