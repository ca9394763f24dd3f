r"""Learning signals: how a neuron learns of the error at the readout.

With the error :math:`\partial E/\partial y_k` at readout k, neuron j receives
:math:`L_j = \sum_k B_{jk}\,\partial E/\partial y_k`, or what its dendrite makes of that (`BurstFeedback`).
"""

from dataclasses import dataclass
from math import isfinite

from snncompare.errors import InputError
from snncompare.values import check_fields

__all__ = ["AdaptiveFeedback", "BurstFeedback", "LearningSignal", "LocalReadouts", "RandomFeedback", "Symmetric"]


@dataclass(frozen=True)
class Symmetric:
    """The weights of the projections that lead to the readout themselves (:math:`B = W_{out}`), as in a gradient."""


@dataclass(frozen=True, kw_only=True)
class RandomFeedback:
    """Fixed normal weights to every spiking population (Lillicrap et al. 2016; Bellec et al. 2020, random e-prop).

    Parameters
    ----------
    sd : float
        Standard deviation, in units of the root mean square of the initial readout weights of the network.
    seed : int
    """

    sd: float = 1.0
    seed: int = 0

    def __post_init__(self) -> None:
        check_fields(self)
        if self.sd <= 0 or self.seed < 0:
            raise InputError(f"sd must be positive and seed at least 0, got {self.sd} and {self.seed}.")


@dataclass(frozen=True, kw_only=True)
class AdaptiveFeedback:
    """Random weights that change as the readout weights do, both decaying (Kolen and Pollack 1994; adaptive e-prop).

    Parameters
    ----------
    sd : float
        As in `RandomFeedback`.
    decay : float
        Part of both weights that is lost in each update.
    seed : int
    """

    sd: float = 1.0
    decay: float = 1e-2
    seed: int = 0

    def __post_init__(self) -> None:
        check_fields(self)
        if self.sd <= 0 or not 0 <= self.decay < 1 or self.seed < 0:
            raise InputError(
                f"sd must be positive, decay in [0, 1), seed at least 0; got {self.sd}, {self.decay} and {self.seed}."
            )


@dataclass(frozen=True, kw_only=True)
class LocalReadouts:
    r"""A fixed random readout of its own for every spiking population, with the loss at each (DECOLLE).

    Weights are uniform in :math:`\pm c/\sqrt{n}` for n neurons, in units of the readout's scale per spike.
    """

    scale: float = 1.0
    seed: int = 0

    def __post_init__(self) -> None:
        check_fields(self)
        if self.scale <= 0 or self.seed < 0:
            raise InputError(f"scale must be positive and seed at least 0, got {self.scale} and {self.seed}.")


@dataclass(frozen=True, kw_only=True)
class BurstFeedback:
    r"""The deviation of a neuron's burst probability, which feedback to its dendrite causes.

    .. math::
        u_j^t = -\sum_k B_{jk}\, \delta_k^t, \qquad
        L_j^t = -\big(p_j^t - \bar p_j\big), \qquad p_j^t - \bar p_j = \sigma(\beta u_j^t + \alpha) - \sigma(\alpha)

    :math:`\delta_k^t` is the error at the readout at this very step (not what the readout remembers of it): the
    derivative of a trial's loss at one step by :math:`y_k^t/s`, with the scale :math:`s` of the loss; between -1 and 1
    for a `Classification`. Errors are broadcast to all spiking populations. Payeur et al. (2021) Nature Neuroscience
    24:1010, in the form of ensembles.

    Parameters
    ----------
    feedback : Symmetric, RandomFeedback or AdaptiveFeedback
        :math:`B`, in units of the root mean square of the initial readout weights. The readout's own weights
        (`Symmetric`), and weights that learn as those do (`AdaptiveFeedback`), need an all-to-all projection from every
        spiking population to the readout.
    slope : float
        :math:`\beta`. With a small one the signal is that of the same feedback without dendrite, times
        :math:`\beta\, \sigma'(\alpha)`.
    offset : float
        :math:`\alpha`; without an error the burst probability is :math:`\bar p = \sigma(\alpha)`.
    """

    feedback: Symmetric | RandomFeedback | AdaptiveFeedback = RandomFeedback()
    slope: float = 1.0
    offset: float = 0.0

    def __post_init__(self) -> None:
        check_fields(self)
        if not (isfinite(self.slope) and self.slope >= 0) or not isfinite(self.offset):
            raise InputError(
                f"slope must be at least 0 and offset a number, both finite; got {self.slope} and {self.offset}."
            )


LearningSignal = Symmetric | RandomFeedback | AdaptiveFeedback | LocalReadouts | BurstFeedback
