"""When training ends before its last epoch, and with which weights."""

import math
from dataclasses import dataclass, field
from typing import Any

from torch import Tensor

from snncompare.errors import InputError
from snncompare.values import check_fields

__all__ = ["Best", "EarlyStopping"]


@dataclass(frozen=True)
class EarlyStopping:
    """Training ends when a validation part is not done better for some epochs; the best weights are taken.

    Prechelt (1998), Early stopping, but when?, LNCS 1524:55-69.

    Parameters
    ----------
    patience : int
        Epochs without improvement that are waited for.
    watch : str
        ``"loss"`` (smaller is better) or ``"accuracy"`` of the validation part.
    least_improvement : float
        Smaller ones do not count.
    """

    patience: int = 10
    watch: str = "loss"
    least_improvement: float = 0.0

    def __post_init__(self) -> None:
        check_fields(self)
        if self.patience < 1 or self.least_improvement < 0:
            raise InputError(
                f"patience must be at least 1 and least_improvement at least 0, got {self.patience} and "
                f"{self.least_improvement}."
            )
        if self.watch not in ("loss", "accuracy"):
            raise InputError(f"watch must be 'loss' or 'accuracy', got '{self.watch}'.")


@dataclass
class Best:
    """The best epoch so far.

    Attributes
    ----------
    score : float
        Accuracy, or minus the loss.
    epoch : int
    weights : dict
        State of the network after it.
    """

    score: float = -math.inf
    epoch: int = 0
    weights: dict[str, Tensor] = field(default_factory=dict)

    def seen(self, rule: EarlyStopping, row: dict[str, float], weights: dict[str, Tensor]) -> bool:
        """Take note of an epoch, and return whether training is to end."""
        value = row[f"validation_{rule.watch}"]
        score = value if rule.watch == "accuracy" else -value
        epoch = int(row["epoch"])
        if score > self.score + (rule.least_improvement if math.isfinite(self.score) else 0.0):
            self.score, self.epoch = score, epoch
            self.weights = {name: tensor.detach().clone() for name, tensor in weights.items()}
        return epoch - self.epoch >= rule.patience

    @property
    def state(self) -> dict[str, Any]:
        """Everything, for a checkpoint."""
        return {"score": self.score, "epoch": self.epoch, "weights": self.weights}

    @state.setter
    def state(self, saved: dict[str, Any]) -> None:
        self.score, self.epoch, self.weights = saved["score"], saved["epoch"], saved["weights"]
