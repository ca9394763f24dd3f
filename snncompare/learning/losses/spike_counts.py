"""Losses of how often the neurons of a population fire."""

from dataclasses import dataclass
from enum import Enum

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy, one_hot

from snncompare.errors import InputError
from snncompare.learning.losses.loss import Form, Reads, Wants
from snncompare.learning.losses.window import Windowed

__all__ = ["CountError", "SpikeCountClassification", "SpikeCountTarget"]

_HALF = 0.5
"""Spikes added to counts before a logarithm is taken."""


@dataclass(frozen=True)
class SpikeCountClassification(Windowed):
    r"""Cross-entropy of the class with the spike counts of a population that has one neuron per class.

    .. math::
        L = -\log \frac{e^{n_c/n_1}}{\sum_k e^{n_k/n_1}}, \qquad n_k = \sum_t z_k(t)

    Parameters
    ----------
    population : str
    one : float
        Spikes :math:`n_1` that count as one unit of evidence.
    window, dt
        See `Windowed`.
    """

    population: str
    one: float = 1.0
    form = Form.OF_SUM

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.one > 0:
            raise InputError(f"one must be positive, got {self.one}.")

    @property
    def reads(self) -> Reads:
        """The population's spikes."""
        return Reads(self.population, None)

    def evidence(self, values: Tensor) -> Tensor:
        """Return the evidence for every class, shape (batch, class)."""
        return self.inside(values).sum(dim=0) / self.one

    def __call__(self, values: Tensor, target: Tensor) -> Tensor:
        """Return the cross-entropy, mean over trials."""
        return cross_entropy(self.evidence(values), target)

    def of_sum(self, total: Tensor, target: Tensor, n_steps: int) -> Tensor:  # noqa: ARG002
        """Return the loss of spike counts in the steps that count."""
        return cross_entropy(total / self.one, target)


class CountError(Enum):
    """How far a spike count is from the one that is asked for."""

    SQUARED = "squared"
    POISSON = "poisson"


@dataclass(frozen=True)
class SpikeCountTarget(Windowed):
    r"""Distance of spike counts from those asked for, summed over neurons, mean over trials.

    .. math::
        L = \tfrac{1}{2} \sum_k (n_k - n^*_k)^2 \qquad \text{or} \qquad
        L = \sum_k \left[ \lambda_k - \lambda^*_k - \lambda^*_k \log(\lambda_k/\lambda^*_k) \right]

    with :math:`\lambda = n + 1/2`: half the deviance of a Poisson model (McCullagh and Nelder 1989, table 2.1).

    Parameters
    ----------
    population : str
        With classes: one neuron per class.
    right, wrong : float
        Spikes in a trial that are asked of the neuron of the right class and of the others.
    error : CountError
    answers : bool
        Take the sum over time of the dataset's answers as :math:`n^*` instead of classes. Answers that are not a number
        count as none.
    window, dt
        See `Windowed`.
    """

    population: str
    right: float = 10.0
    wrong: float = 0.0
    error: CountError = CountError.SQUARED
    answers: bool = False
    form = Form.OF_SUM

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.right > self.wrong >= 0:
            raise InputError(f"right must exceed wrong, which is at least 0; got {self.right} and {self.wrong}.")

    @property
    def wants(self) -> Wants:  # type: ignore[override]
        """One class per trial, or answers over time."""
        return Wants.ANSWERS if self.answers else Wants.LABELS

    @property
    def reads(self) -> Reads:
        """The population's spikes."""
        return Reads(self.population, None)

    def evidence(self, values: Tensor) -> Tensor | None:
        """Return the spike counts, shape (batch, class)."""
        return None if self.answers else self.inside(values).sum(dim=0)

    def __call__(self, values: Tensor, target: Tensor) -> Tensor:
        """Return the loss for spikes of shape (step, batch, neuron)."""
        return self.of_sum(self.inside(values).sum(dim=0), target, values.shape[0])

    def of_sum(self, total: Tensor, target: Tensor, n_steps: int) -> Tensor:  # noqa: ARG002
        """Return the loss of spike counts in the steps that count."""
        asked = self._asked(target, total)
        if self.error is CountError.SQUARED:
            return 0.5 * (total - asked).square().sum() / total.shape[0]
        expected, observed = total + _HALF, asked + _HALF
        return (expected - observed - observed * torch.log(expected / observed)).sum() / total.shape[0]

    def _asked(self, target: Tensor, like: Tensor) -> Tensor:
        if self.answers:
            return self.inside(target).nansum(dim=0)
        return self.wrong + (self.right - self.wrong) * one_hot(target, like.shape[1]).to(like)
