"""Compare spiking network models with recorded brains, from a lab file to a figure.

The names below are the ones a reader meets first. Each is imported from its room when it is first used, so
that ``import snncompare`` stays quick.
"""

from importlib import import_module
from typing import Any

_ROOM = {
    "RDM": "snncompare.representation.rdm",
    "BetweenMinusWithin": "snncompare.representation.estimators",
    "Cosine": "snncompare.comparison.measures",
    "KendallTauA": "snncompare.comparison.measures",
    "LearningRule": "snncompare.learning.rule",
    "MeanDistance": "snncompare.representation.estimators",
    "Network": "snncompare.network.network",
    "Pearson": "snncompare.comparison.measures",
    "Program": "snncompare.backends.program",
    "Recording": "snncompare.recording.recording",
    "Result": "snncompare.comparison.result",
    "Spearman": "snncompare.comparison.measures",
    "SpearmanRhoA": "snncompare.comparison.measures",
    "SpikeDataset": "snncompare.datasets.spike_dataset",
    "Trained": "snncompare.learning.trained",
    "VanRossum": "snncompare.representation.metrics",
    "VictorPurpura": "snncompare.representation.metrics",
    "compare": "snncompare.comparison.compare",
    "compile": "snncompare.backends.registry",
    "distances": "snncompare.representation.distances",
    "fit": "snncompare.learning.fit",
    "rdm": "snncompare.representation.rdm",
    "read": "snncompare.recording.read",
}

__all__ = [
    "RDM",
    "BetweenMinusWithin",
    "Cosine",
    "KendallTauA",
    "LearningRule",
    "MeanDistance",
    "Network",
    "Pearson",
    "Program",
    "Recording",
    "Result",
    "Spearman",
    "SpearmanRhoA",
    "SpikeDataset",
    "Trained",
    "VanRossum",
    "VictorPurpura",
    "__version__",
    "compare",
    "compile",
    "datasets",
    "distances",
    "fit",
    "rdm",
    "read",
]
__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    if name in _ROOM:
        return getattr(import_module(_ROOM[name]), name)
    if name == "datasets":
        return import_module("snncompare.datasets")
    raise AttributeError(f"module 'snncompare' has no attribute '{name}'")


def __dir__() -> list[str]:
    return __all__
