"""BurstCCN: burst-dependent learning in a single phase, with a second feedback path for event rates."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from snncompare.errors import InputError
from snncompare.learning.burstprop.network import BurstNetwork
from snncompare.learning.burstprop.rule import (
    EnsembleRule,
    Feedback,
    Kept,
    Signals,
    follow_forward_weights,
    random_feedback,
)
from snncompare.learning.burstprop.two_phase import taught_output_bursts
from snncompare.values import check_fields

__all__ = ["BurstCCN"]


@dataclass(frozen=True)
class BurstCCN(EnsembleRule):
    r"""The bursting cortico-cortical network.

    A constant baseline :math:`p_b` takes the place of the phase without teacher. Feedback Y carries burst rates
    (facilitating), feedback Q event rates (depressing) and cancels the baseline of the bursts:

    .. math::
        p_L &= \min(1, p_b [1 + (t - e_L) h(e_L)]) \\
        u_l &= Y_l^\top b_{l+1} - Q_l^\top e_{l+1}, \qquad b = p \odot e \\
        p_l &= \sigma(\alpha\, u_l \odot h(e_l)), \qquad \delta_l = (p_l - \tfrac12) \odot e_l \\
        \Delta W_l &\propto \delta_l e_{l-1}^\top, \qquad \Delta Q_l = \eta_Q\, e_{l+1} u_l^\top

    so that Q goes to :math:`p_b Y`; :math:`\alpha = 4` makes the slope of :math:`p_l` one. Greedy et al. (2022),
    NeurIPS, have u with the other sign and Y = -W for symmetric feedback; here Y = W as in `Burstprop`.

    Parameters
    ----------
    feedback : Feedback
        Of Y.
    feedback_scale : float
        Standard deviation of the initial Y.
    event_feedback_rate : float
        :math:`\eta_Q`, of the mean over a batch.
    event_feedback_scale : float, optional
        Standard deviation of the initial Q; by default Q is :math:`p_b Y` at the beginning.
    event_feedback : bool
        False leaves Q out, a control.
    output_burst_probability : float
        :math:`p_b` of the output layer, and of all layers below the baseline that Q cancels.
    slope : float
        :math:`\alpha`.
    """

    feedback: Feedback = Feedback.FIXED
    feedback_scale: float = 0.5
    event_feedback_rate: float = 7.31e-4
    event_feedback_scale: float | None = None
    event_feedback: bool = True
    output_burst_probability: float = 0.5
    slope: float = 4.0

    def __post_init__(self) -> None:
        check_fields(self)
        if not 0 < self.output_burst_probability < 1 or not self.slope > 0:
            raise InputError(
                "output_burst_probability must lie between 0 and 1 and slope be above 0, got "
                f"{self.output_burst_probability} and {self.slope}."
            )
        if min(self.feedback_scale, self.event_feedback_rate, self.event_feedback_scale or 0.0) < 0:
            raise InputError(
                "feedback_scale, event_feedback_rate and event_feedback_scale must be at least 0, got "
                f"{self.feedback_scale}, {self.event_feedback_rate} and {self.event_feedback_scale}."
            )

    def prepare(self, network: BurstNetwork, seed: int) -> Kept:
        """Return Y and Q before learning."""
        random = torch.Generator().manual_seed(seed)
        kept: Kept = {}
        if self.feedback is not Feedback.SYMMETRIC:
            kept["feedback"] = random_feedback(network, self.feedback_scale, random)
        if self.event_feedback_scale is None:
            feedback = self.feedback_weights(network, kept)
            kept["event feedback"] = [self.baseline(network, k) * weight for k, weight in enumerate(feedback)]
        else:
            kept["event feedback"] = random_feedback(network, self.event_feedback_scale, random)
        return kept

    def signals(
        self, network: BurstNetwork, kept: Kept, rates: Sequence[Tensor], targets: Tensor, random: torch.Generator
    ) -> Signals:
        """Return learning signals, burst probabilities and potentials of the one phase."""
        del random
        output, at_output = rates[-1], self.output_burst_probability
        slope = network.relative_slope(network.n_layers - 1, output)
        taught = taught_output_bursts(output, targets, slope, at_output)
        found = Signals([(taught - at_output) * output], [torch.full_like(output, at_output)], [taught])
        feedback, bursts = self.feedback_weights(network, kept), taught * output
        for k in range(network.n_layers - 2, -1, -1):
            back, e = network.wirings[k + 1].back, rates[k + 1]
            potential = back(bursts, feedback[k])
            if self.event_feedback:
                potential = potential - back(rates[k + 2], kept["event feedback"][k])
            probability = torch.sigmoid(self.slope * potential * network.relative_slope(k, e))
            bursts = probability * e
            found.changes.insert(0, (probability - 0.5) * e)
            found.baseline.insert(0, torch.full_like(e, 0.5))
            found.taught.insert(0, probability)
            found.potentials.insert(0, potential)
        return found

    def adapt(
        self,
        network: BurstNetwork,
        kept: Kept,
        signals: Signals,
        rates: Sequence[Tensor],
        moved: Sequence[Tensor],
        decay: float,
    ) -> None:
        """Let Q cancel the potentials, and Y follow the forward weights where it is learnt."""
        if self.feedback is Feedback.LEARNED:
            follow_forward_weights(kept["feedback"], moved, decay)
        if self.event_feedback and self.event_feedback_rate:
            for k, potential in enumerate(signals.potentials):
                rate = self.event_feedback_rate / len(potential)
                network.wirings[k + 1].add_product(
                    kept["event feedback"][k], rates[k + 2], potential, keep=1.0, rate=rate
                )

    def feedback_weights(self, network: BurstNetwork, kept: Kept) -> list[Tensor]:
        """Return Y onto each hidden layer."""
        return network.weights[1:] if self.feedback is Feedback.SYMMETRIC else kept["feedback"]

    def baseline(self, network: BurstNetwork, hidden_layer: int) -> float:
        """Return the burst probability that the layer above a hidden layer has without error."""
        return self.output_burst_probability if hidden_layer == network.n_layers - 2 else 0.5
