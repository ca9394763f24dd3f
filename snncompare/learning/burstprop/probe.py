"""What is measured while a network of ensembles learns: angles, burst probabilities, errors."""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from snncompare.learning.burstprop.gradient import angle, exact_signals, weight_changes
from snncompare.learning.burstprop.network import BurstNetwork
from snncompare.learning.burstprop.rule import EnsembleRule, Kept

__all__ = ["LINEAR_RANGE", "Probe", "error_rate"]

LINEAR_RANGE = (0.2, 0.8)
"""Burst probabilities at which the slope of the sigmoid is at least 64 % of its largest."""


@dataclass(frozen=True)
class Probe:
    """Examples on which a rule is looked at without learning.

    Parameters
    ----------
    inputs, targets : Tensor
    seed : int
        Of rules with noise.
    """

    inputs: Tensor
    targets: Tensor
    seed: int

    def row(self, network: BurstNetwork, rule: EnsembleRule, kept: Kept) -> dict[str, float]:
        """Return what is found, by name; layers are counted from 1.

        ``angle_1`` (degrees) and ``norm_ratio_1``: of the rule's change of the weights to layer 1 and the negative
        gradient; ``feedback_angle_1``: of feedback onto layer 1 and the weights out of it; ``burst_probability_1``,
        ``burst_probability_sd_1`` and ``linear_1``: mean, standard deviation and share in `LINEAR_RANGE` of the burst
        probabilities of layer 1 without teacher (with the error, where there is one phase).
        """
        random = torch.Generator().manual_seed(self.seed)
        rates = network.rates(self.inputs)
        signals = rule.signals(network, kept, rates, self.targets, random)
        exact = weight_changes(network, exact_signals(network, self.inputs, self.targets), rates)
        row: dict[str, float] = {}
        for k, (ours, best) in enumerate(zip(weight_changes(network, signals, rates), exact, strict=True), start=1):
            row[f"angle_{k}"] = angle(ours, best)
            row[f"norm_ratio_{k}"] = float(ours.norm() / best.norm()) if float(best.norm()) else float("nan")
        for k, feedback in enumerate(rule.feedback_weights(network, kept), start=1):
            row[f"feedback_angle_{k}"] = angle(feedback, network.weights[k])
        for k, potential in enumerate(signals.potentials, start=1):
            one_phase = bool((signals.baseline[k - 1] == 0.5).all())
            bursts = (signals.taught if one_phase else signals.baseline)[k - 1]
            row[f"burst_probability_{k}"] = float(bursts.mean())
            row[f"burst_probability_sd_{k}"] = float(bursts.std())
            inside = (bursts > LINEAR_RANGE[0]) & (bursts < LINEAR_RANGE[1])
            row[f"linear_{k}"] = float(inside.double().mean())
            row[f"potential_{k}"] = float(potential.pow(2).mean().sqrt())
        return row


def error_rate(network: BurstNetwork, parts: Mapping[str, tuple[Tensor, Tensor]]) -> dict[str, float]:
    """Return the share of wrong answers in each part, as ``NAME_error``."""
    return {
        f"{name}_error": float((network.answers(inputs) != labels).double().mean())
        for name, (inputs, labels) in parts.items()
    }
