r"""Which paths of a network's Jacobian a gradient follows: what tells one learning rule from another.

In a step, the state :math:`s` of a neuron is updated, its spike :math:`z = H(u)` is taken from the updated state
:math:`u`, spikes of other neurons arrive (:math:`a = u + W z'`), and its own spike resets it:

.. math::
    u = F(s), \qquad a = u + \sum_p W_p z_p', \qquad s' = a + z\,(R(a) - a)

The exact derivative of a loss by a parameter follows every one of these arrows. Rules that a synapse could carry out
leave some of them out (Zenke and Neftci 2021, Proceedings of the IEEE 109:935).
"""

from dataclasses import dataclass
from enum import Enum

from snncompare.values import check_fields

__all__ = ["CrossLayer", "Paths"]


class CrossLayer(Enum):
    """What is kept of the paths from a layer through the spiking layers above it to the loss.

    A layer is a set of populations that reach each other (a strongly connected component of the projections).
    """

    FULL = "full"
    """Everything: also through what the layer above remembers."""
    INSTANT = "instant"
    """Each spike's effect on the spikes of the layer above when it arrives there, not what that layer remembers."""
    NONE = "none"
    """Nothing: every layer has a learning signal of its own."""


@dataclass(frozen=True, kw_only=True)
class Paths:
    r"""Which derivatives are followed; the forward pass is the same for all.

    Parameters
    ----------
    carry : bool
        From the state of a neuron to its state one step later (:math:`\partial F/\partial s` and what a reset leaves).
    recurrent : bool
        From spikes to the states of neurons of the same layer that they arrive at.
    reset : bool
        From a spike to the membrane it resets: the variables that bring the neuron nearer to its threshold.
    adaptation : bool
        From a spike to its neuron's other variables that jump with it: adaptation, a moving threshold.
    cross_layer : CrossLayer
        From spikes to the states of spiking layers above.
    readout : bool
        Through what the readout remembers: its membrane, or the kernel with which a loss filters spikes. Without it
        only the first effect of a spike on the readout counts.
    """

    carry: bool = True
    recurrent: bool = True
    reset: bool = True
    adaptation: bool = True
    cross_layer: CrossLayer = CrossLayer.FULL
    readout: bool = True

    def __post_init__(self) -> None:
        check_fields(self)
