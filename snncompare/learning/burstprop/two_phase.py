"""Burstprop: learning by the change of burst probability that a teacher brings, in two phases."""

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
from snncompare.values import check_fields

__all__ = ["Burstprop", "taught_output_bursts"]


@dataclass(frozen=True)
class Burstprop(EnsembleRule):
    r"""Burst-dependent learning of ensembles.

    With event rates e, burst probabilities p and burst rates b = p e of layer l, once without and once with teacher
    (superscript t) in the dendrites of the output layer L:

    .. math::
        p_L &= p_b, \qquad p_L^t = \min(1, p_b [1 + \kappa (t - e_L) h(e_L)]), \qquad h = f'/f \\
        r_l &= \sigma(\beta Y_l^\top b_{l+1} + \alpha) \odot e_l \\
        u_l &= (Y_l^\top b_{l+1}) \odot h(e_l) - R_l r_l, \qquad u_l^t = (Y_l^\top b_{l+1}^t) \odot h(e_l) - R_l r_l \\
        p_l &= \sigma(\beta u_l + \alpha) \\
        \delta_l &= (p_l^t - p_l) \odot e_l, \qquad \Delta W_l \propto \delta_l e_{l-1}^\top

    Bursts r of the same layer, as feedback alone would make them, drive the recurrent inhibition R of dense hidden
    layers, which learns to cancel u without teacher: :math:`\Delta R_l = \eta_R\, u_l r_l^\top`, summed over the batch.
    While the teacher acts, inhibition stays what it was before: otherwise it would cancel the error too. With
    :math:`\kappa = 1`, :math:`\delta_L` is :math:`p_b` times that of backprop; with Y = W and potentials in the linear
    range :math:`\delta_l` is :math:`p_b (\beta \sigma'(\alpha))^k` times that of backprop, k layers below the output.

    Payeur et al. (2021), Nat Neurosci 24:1010-1019, equation 2 and figure 5; constants of the authors' programs.

    Parameters
    ----------
    feedback : Feedback
    feedback_scale : float
        Standard deviation of the initial Y.
    output_burst_probability : float
        :math:`p_b`.
    output_gain : float
        :math:`\kappa`: 1, or small for softmax, where (t - e)/e has no bound.
    slope, offset : float
        :math:`\beta, \alpha`.
    recurrent_inhibition : bool
        Whether there is R; layers of convolutions have none.
    recurrent_range : float
        R is uniform within plus and minus this at the beginning.
    recurrent_rate : float
        :math:`\eta_R`.
    """

    feedback: Feedback = Feedback.LEARNED
    feedback_scale: float = 1.0
    output_burst_probability: float = 0.2
    output_gain: float = 1.0
    slope: float = 1.0
    offset: float = 0.0
    recurrent_inhibition: bool = True
    recurrent_range: float = 0.01
    recurrent_rate: float = 1e-4

    def __post_init__(self) -> None:
        check_fields(self)
        if not 0 < self.output_burst_probability < 1 or not 0 < self.output_gain <= 1:
            raise InputError(
                "output_burst_probability must lie between 0 and 1, and output_gain be above 0 and at most 1, got "
                f"{self.output_burst_probability} and {self.output_gain}."
            )
        if not self.slope > 0 or min(self.feedback_scale, self.recurrent_range, self.recurrent_rate) < 0:
            raise InputError(
                "slope must be above 0, feedback_scale, recurrent_range and recurrent_rate at least 0, got "
                f"{self.slope}, {self.feedback_scale}, {self.recurrent_range} and {self.recurrent_rate}."
            )

    def prepare(self, network: BurstNetwork, seed: int) -> Kept:
        """Return feedback weights Y and recurrent weights R before learning."""
        random = torch.Generator().manual_seed(seed)
        kept: Kept = {}
        if self.feedback is not Feedback.SYMMETRIC:
            kept["feedback"] = random_feedback(network, self.feedback_scale, random)
        if self.recurrent_inhibition:
            kept["inhibition"] = [
                self._inhibition(wiring.shape_out, network.torch_dtype, random) for wiring in network.wirings[:-1]
            ]
        return kept

    def signals(
        self, network: BurstNetwork, kept: Kept, rates: Sequence[Tensor], targets: Tensor, random: torch.Generator
    ) -> Signals:
        """Return learning signals, burst probabilities and potentials; both phases are computed side by side."""
        del random
        n, output = len(targets), rates[-1]
        baseline = torch.full_like(output, self.output_burst_probability)
        taught = taught_output_bursts(
            output,
            targets,
            network.relative_slope(network.n_layers - 1, output),
            self.output_burst_probability,
            self.output_gain,
        )
        found = Signals([(taught - baseline) * output], [baseline], [taught])
        bursts = torch.cat([baseline * output, taught * output])
        feedback = self.feedback_weights(network, kept)
        for k in range(network.n_layers - 2, -1, -1):
            events = rates[k + 1]
            arriving = network.wirings[k + 1].back(bursts, feedback[k])
            potential = arriving * network.relative_slope(k, events).repeat(2, *[1] * (events.ndim - 1))
            recurrent = events[:0]
            if self._inhibits(kept, k):
                recurrent = torch.sigmoid(self.slope * arriving[:n] + self.offset) * events
                potential = potential - (recurrent @ kept["inhibition"][k].T).repeat(2, 1)
            probability = torch.sigmoid(self.slope * potential + self.offset)
            bursts = torch.cat([probability[:n] * events, probability[n:] * events])
            found.changes.insert(0, (probability[n:] - probability[:n]) * events)
            found.baseline.insert(0, probability[:n])
            found.taught.insert(0, probability[n:])
            found.potentials.insert(0, potential[:n])
            found.recurrent_bursts.insert(0, recurrent)
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
        """Let Y follow the forward weights, where it is learnt, and R cancel the potentials."""
        del rates
        if self.feedback is Feedback.LEARNED:
            follow_forward_weights(kept["feedback"], moved, decay)
        for k in range(network.n_layers - 1):
            if self._inhibits(kept, k):
                potential, bursts = signals.potentials[k], signals.recurrent_bursts[k]
                kept["inhibition"][k].addmm_(potential.T, bursts, alpha=self.recurrent_rate)

    def feedback_weights(self, network: BurstNetwork, kept: Kept) -> list[Tensor]:
        """Return Y onto each hidden layer."""
        return network.weights[1:] if self.feedback is Feedback.SYMMETRIC else kept["feedback"]

    def _inhibits(self, kept: Kept, layer: int) -> bool:
        return self.recurrent_inhibition and kept["inhibition"][layer].numel() > 0

    def _inhibition(self, shape: tuple[int, ...], dtype: torch.dtype, random: torch.Generator) -> Tensor:
        size = (shape[0], shape[0]) if len(shape) == 1 else (0, 0)
        drawn = torch.rand(size, generator=random, dtype=torch.float64)
        return (self.recurrent_range * (2 * drawn - 1)).to(dtype)


def taught_output_bursts(
    rates: Tensor, targets: Tensor, relative_slope: Tensor, baseline: float, gain: float = 1.0
) -> Tensor:
    r"""Return the burst probability of the output layer with a teacher.

    :math:`p^t = \min(1, p_b [1 + \kappa (t - e) h(e)])`.
    """
    return (baseline * (1 + gain * (targets - rates) * relative_slope)).clamp_max(1.0)
