r"""Returns, temporal-difference errors, and the identity that makes reward-based e-prop an online rule.

With rewards :math:`r^t`, values :math:`V^t` of decisions t and the discount :math:`\gamma`:

.. math::
    R^t = r^t + \gamma R^{t+1}, \qquad \delta^t = r^t + \gamma V^{t+1} - V^t, \qquad
    F_\gamma(G)^t = \gamma F_\gamma(G)^{t-1} + G^t

Because :math:`R^{t'} - V^{t'} = \sum_{t \ge t'} \gamma^{t-t'} \delta^t` (with :math:`V = 0` after the end),

.. math::
    \sum_{t'} (R^{t'} - V^{t'})\, G^{t'} = \sum_t \delta^t F_\gamma(G)^t

for any :math:`G`: the gradient of an actor-critic loss, which asks for the future, is a sum over what is known online
(Sutton 1988, Machine Learning 3:9, TD(1); Bellec et al. 2020, Nature Communications 11:3625).
"""

from torch import Tensor, empty_like, stack, zeros_like

__all__ = ["discounted_sum", "returns", "temporal_difference_errors"]


def returns(rewards: Tensor, last: Tensor, discount: float) -> Tensor:
    r"""Return :math:`R^t`, shape (decision, trial).

    Parameters
    ----------
    rewards : Tensor, shape (decision, trial)
    last : Tensor, shape (trial,)
        What comes after the last decision: 0 where an episode is over, the value where it goes on unseen.
    discount : float
        :math:`\gamma`
    """
    found, after = empty_like(rewards), last
    for t in range(rewards.shape[0] - 1, -1, -1):
        after = rewards[t] + discount * after
        found[t] = after
    return found


def temporal_difference_errors(rewards: Tensor, values: Tensor, last: Tensor, discount: float) -> Tensor:
    r"""Return :math:`\delta^t`, shape (decision, trial), for `values` of that shape; the rest as in `returns`."""
    after = stack([*values[1:], last]) if len(values) else values
    return rewards + discount * after - values


def discounted_sum(values: Tensor, discount: float) -> Tensor:
    r"""Return :math:`F_\gamma`, the low-pass filter of values of shape (decision, ...)."""
    found, before = empty_like(values), zeros_like(values[0])
    for t, now in enumerate(values):
        before = discount * before + now
        found[t] = before
    return found
