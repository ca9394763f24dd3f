"""What every way of computing a rule's gradients offers to training."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from torch import Tensor

from snncompare.learning.gradients.feedback import Feedback

__all__ = ["GradientEngine", "Learnt"]


@dataclass(frozen=True)
class Learnt:
    """What happened in the steps since the last change of weights.

    Attributes
    ----------
    loss : float
        Loss with penalties, mean over trials.
    evidence : Tensor or None
        What the loss says of the trials, shape (batch, class), at the end of the trials; None before, and for losses
        without classes.
    counts : mapping
        Spiking population to its spikes in these steps, shape (batch, neuron).
    n_steps : int
    copies : int
        How often every trial was run, by as many emulated chips; the first axis of `evidence` and `counts` is that of
        the chips times that of the trials, chips slowest.
    """

    loss: float
    evidence: Tensor | None
    counts: Mapping[str, Tensor]
    n_steps: int
    copies: int = 1


class GradientEngine(ABC):
    """Computes what a rule takes for the gradient.

    Attributes
    ----------
    feedback : Feedback
        Feedback weights, fixed (buffers) or learnt (parameters, which get a gradient as others do); its state belongs
        into a checkpoint.
    """

    feedback: Feedback

    @abstractmethod
    def trials(
        self,
        inputs: Mapping[str, Tensor],
        target: Tensor,
        *,
        dropout: Mapping[str, Tensor] | None = None,
        seed: int = 0,
    ) -> Iterator[Learnt]:
        """Run trials side by side, and pause whenever the rule's schedule lets weights change.

        At each pause the parameters' ``grad`` holds the gradient since the last pause (what was there is added to, so
        the caller clears it), and weights may be changed before going on.

        Parameters
        ----------
        inputs : mapping
            Spike source to raster, shape (step, batch, neuron).
        target : Tensor
            Labels, shape (batch,), or answers over time, shape (step, batch, readout).
        dropout : mapping, optional
            See `TorchNetwork.forward`.
        seed : int
            Of what is random in the network.
        """
