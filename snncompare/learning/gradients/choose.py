"""Which engine computes the gradients of a rule."""

from collections.abc import Sequence

from snncompare.backends.torch.module import TorchNetwork
from snncompare.learning.gradients.backward import Backward
from snncompare.learning.gradients.engine import GradientEngine
from snncompare.learning.legal import check
from snncompare.learning.losses.loss import Loss, Penalty
from snncompare.learning.rule import LearningRule
from snncompare.learning.schedule import Execution

__all__ = ["engine_for"]


def engine_for(
    module: TorchNetwork, rule: LearningRule, loss: Loss, penalties: Sequence[Penalty] = ()
) -> GradientEngine:
    """Return what computes the gradients of a rule.

    Parameters
    ----------
    module : TorchNetwork
        Made with the rule's surrogate, paths and `checkpoint_every`.
    rule : LearningRule
    loss : Loss
    penalties : sequence of Penalty

    Raises
    ------
    UnsupportedError
        For a combination that does not exist, see `snncompare.learning.legal`.
    """
    check(rule, module.network, loss, tuple(penalties))
    if rule.execution is Execution.FORWARD:
        from snncompare.learning.gradients.forward.engine import Forward

        return Forward(module, rule, loss, penalties)
    return Backward(module, rule, loss, penalties)
