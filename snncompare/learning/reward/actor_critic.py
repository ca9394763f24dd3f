r"""What an actor-critic makes small: the policy's surprise, weighed by what came unexpectedly, and the value's error.

.. math::
    E = \sum_t \Big[ \tfrac{c_V}{2} (R^t - V^t)^2 - \overline{(R^t - V^t)} \log \pi(a^t) - c_H H(\pi^t) \Big], \qquad
    \pi^t = \mathrm{softmax}(y^t)

with a bar over what is held constant, :math:`H(\pi) = -\sum_k \pi_k \log \pi_k`; mean over trials. The policy's terms
are there only at decisions that count. The learning signals that follow, at the readouts :math:`y_k` and :math:`V`:

.. math::
    G^t \leftarrow c_V\, \partial V^t + \sum_k (1[a^t = k] - \pi_k^t)\, \partial y_k^t, \qquad
    \partial H / \partial y_k = -\pi_k (\log \pi_k + H)
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from snncompare.errors import InputError, unknown
from snncompare.learning.losses.loss import Reads
from snncompare.learning.reward.returns import returns
from snncompare.network.network import Network
from snncompare.units import quantity
from snncompare.values import check_fields

__all__ = ["ActorCritic", "Decisions"]


@dataclass(frozen=True)
class Decisions:
    """What happened in the decisions of several trials.

    Attributes
    ----------
    policy : Tensor, shape (decision, trial, action)
        :math:`y`
    value : Tensor, shape (decision, trial)
        :math:`V`
    action : int64 Tensor, shape (decision, trial)
    reward : Tensor, shape (decision, trial)
        Where an episode was cut, with the discounted value of what would have followed.
    counts : Tensor, shape (decision, trial)
        1 where the action mattered.
    playing : Tensor, shape (decision, trial)
        1 while the trial's episode was not over.
    """

    policy: Tensor
    value: Tensor
    action: Tensor
    reward: Tensor
    counts: Tensor
    playing: Tensor


@dataclass(frozen=True, kw_only=True)
class ActorCritic:
    r"""Where a network shows its policy and its value, and how much each part of the loss weighs.

    Both are read from the membranes of a population that never fires, at the end of the window between two decisions.

    Parameters
    ----------
    readout : str
        Population with one neuron per action, and a last one for the value.
    scale : str
        Membrane potential that counts as one, e.g. ``"1 mV"``.
    discount : float
        :math:`\gamma`, per decision.
    value_weight : float
        :math:`c_V`
    entropy_weight : float
        :math:`c_H`
    variable : str
        The readouts' membrane.
    """

    readout: str = "readout"
    scale: str = "1 mV"
    discount: float = 0.99
    value_weight: float = 0.5
    entropy_weight: float = 0.01
    variable: str = "v"

    def __post_init__(self) -> None:
        check_fields(self)
        if not 0 <= self.discount <= 1:
            raise InputError(f"discount must lie from 0 to 1, got {self.discount}.")
        if self.value_weight <= 0 or self.entropy_weight < 0 or quantity(self.scale).value <= 0:
            raise InputError(
                "value_weight and scale must be positive and entropy_weight not negative, got "
                f"{self.value_weight}, {self.scale} and {self.entropy_weight}."
            )

    @property
    def reads(self) -> Reads:
        """The readout's membrane."""
        return Reads(self.readout, self.variable)

    def check(self, network: Network, n_actions: int) -> None:
        """Refuse networks without this readout.

        Raises
        ------
        InputError
        """
        if self.readout not in network.populations:
            raise InputError("readout: " + unknown("population", self.readout, network.populations))
        size = network.populations[self.readout].size
        if size != n_actions + 1:
            raise InputError(
                f"the readout '{self.readout}' must have {n_actions + 1} neurons, one for each action and one for the "
                f"value; it has {size}."
            )

    def read(self, membrane: Tensor) -> tuple[Tensor, Tensor]:
        """Return policy (..., action) and value (...) from the readout's membrane."""
        scaled = membrane / quantity(self.scale).value
        return scaled[..., :-1], scaled[..., -1]

    def loss(self, happened: Decisions) -> Tensor:
        """Return :math:`E`, a scalar, whose gradient is the one that an online rule adds up decision by decision."""
        log_policy = torch.log_softmax(happened.policy, dim=-1)
        chosen = log_policy.gather(-1, happened.action[..., None])[..., 0]
        entropy = -(log_policy.exp() * log_policy).sum(dim=-1)
        expected = returns(happened.reward, torch.zeros_like(happened.reward[0]), self.discount)
        advantage = expected - happened.value
        each = 0.5 * self.value_weight * advantage.square()
        each = each - happened.counts * (advantage.detach() * chosen + self.entropy_weight * entropy)
        return (happened.playing * each).sum() / happened.reward.shape[1]

    def signal(self, policy: Tensor, action: Tensor, counts: Tensor) -> Tensor:
        r"""Return the factors of :math:`G` at the readout, shape (trial, action + 1), in one over its membrane."""
        probability = torch.softmax(policy, dim=-1)
        taken = torch.nn.functional.one_hot(action, policy.shape[-1]).to(policy.dtype)
        of_value = torch.full_like(policy[:, :1], self.value_weight)
        return torch.cat([counts[:, None] * (taken - probability), of_value], dim=1) / quantity(self.scale).value

    def entropy_signal(self, policy: Tensor, counts: Tensor) -> Tensor:
        r"""Return :math:`c_H\, \partial H / \partial y`, shape (trial, action + 1), in one over the membrane."""
        log_policy = torch.log_softmax(policy, dim=-1)
        probability = log_policy.exp()
        entropy = -(probability * log_policy).sum(dim=-1, keepdim=True)
        slope = -probability * (log_policy + entropy)
        each = torch.cat([counts[:, None] * slope, torch.zeros_like(policy[:, :1])], dim=1)
        return self.entropy_weight * each / quantity(self.scale).value
