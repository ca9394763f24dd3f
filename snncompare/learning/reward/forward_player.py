r"""A network that learns online from temporal-difference errors: reward-based e-prop.

At every decision t the gradient :math:`G^t` of what counts there (`ActorCritic.signal`) is taken from the eligibility
traces, for each trial alone, and filtered; when the next decision shows what followed,

.. math::
    \Delta W = \eta \sum_t \delta^t F_\gamma(G)^t, \qquad F_\gamma(G)^t = \gamma F_\gamma(G)^{t-1} + G^t

Bellec et al. (2020) Nature Communications 11:3625, reward-based e-prop. With other paths and storages the same holds
for any rule that runs forwards.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from snncompare.backends.torch.module import TorchNetwork
from snncompare.learning.gradients.feedback import Feedback
from snncompare.learning.gradients.forward.engine import Forward
from snncompare.learning.gradients.forward.forward_run import ForwardRun
from snncompare.learning.losses.loss import Penalty
from snncompare.learning.reward.actor_critic import ActorCritic
from snncompare.learning.reward.players import Player, ReadoutLoss
from snncompare.learning.rule import LearningRule

__all__ = ["ForwardPlayer"]


class ForwardPlayer(Player):
    """A network that learns while it plays; memory does not depend on how long episodes are.

    Parameters
    ----------
    module, reads
        As `Player`.
    rule : LearningRule
        Carried out forwards.
    penalties : sequence of Penalty
        On firing rates while the episodes last.
    """

    learns = True

    def __init__(
        self, module: TorchNetwork, reads: ActorCritic, rule: LearningRule, penalties: Sequence[Penalty] = ()
    ) -> None:
        super().__init__(module, reads)
        self._engine = Forward(module, rule, ReadoutLoss(reads), penalties)
        feedback = self._engine.feedback
        assert isinstance(feedback, Feedback)
        self.feedback: Feedback = feedback
        self._penalties = tuple(penalties)
        self._episode: ForwardRun | None = None
        self._traces: dict[nn.Parameter, Tensor] = {}
        self._gathered: dict[nn.Parameter, Tensor] = {}
        self._counts: dict[str, Tensor] = {}
        self._steps = 0
        self._before = self._now = self._policy = self._playing = torch.empty(0)

    @property
    def run(self) -> ForwardRun:
        """The episode that is played."""
        if self._episode is None:
            raise RuntimeError("begin() comes first")  # our own mistake, never a user's
        return self._episode

    def begin(self, n_trials: int) -> None:
        """Begin an episode in every trial."""
        self._episode = self._engine.begin(n_trials)
        self._episode.count(self._penalised)
        self._traces, self._gathered, self._counts, self._steps = {}, {}, {}, 0

    def decide(self, raster: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Run the network through a window, with its traces."""
        total: Tensor | None = None
        for row in raster:
            shown = self.run.advance({self.source: row})
            for name in self.firing:
                spikes = self.run.spikes[name]
                self._counts[name] = self._counts[name] + spikes if name in self._counts else spikes
                each = spikes.sum(dim=1)
                total = each if total is None else total + each
        self._steps += raster.shape[0]
        policy, value = self.reads.read(shown[""])
        self._before, self._now, self._policy = self._now, value, policy
        return policy, value, torch.zeros_like(value) if total is None else total

    def acted(self, action: Tensor, counts: Tensor, playing: Tensor) -> None:
        """Let what was done enter the filtered traces."""
        signal = self.reads.signal(self._policy, action, counts) * playing[:, None]
        for trace in self._traces.values():
            trace.mul_(self.reads.discount)
        for parameter, gradient in self.run.per_trial({"": signal}).items():
            if parameter in self._traces:
                self._traces[parameter].add_(gradient)
            else:
                self._traces[parameter] = gradient.clone()
        entropy = self.reads.entropy_signal(self._policy, counts * playing)
        self.run.accumulate({"": -entropy / len(playing)})
        self._playing = playing

    def settle(self, reward: Tensor, after: Tensor, cut: Tensor) -> None:  # noqa: ARG002 - of the interface
        """Change the gradient by the temporal-difference error, times the traces up to the decision that it is of."""
        error = (reward + self.reads.discount * after - self._before) * self._playing / len(reward)
        for parameter, trace in self._traces.items():
            gradient = torch.tensordot(error, trace, dims=1)
            self._gathered[parameter] = self._gathered.get(parameter, torch.zeros_like(gradient)) - gradient

    def learn(self) -> None:
        """Add to the parameters' ``grad`` what was gathered since the last call."""
        for name in self._penalised if self._counts else []:
            counts = self._counts[name].detach().requires_grad_()
            lasted, these = self._steps * self.module.dt, [each for each in self._penalties if _applies(each, name)]
            value = torch.stack([each.of_counts(counts, lasted) for each in these]).sum()
            if value.requires_grad:
                self.run.accumulate_counts(name, torch.autograd.grad(value, counts)[0])
        self.run.give()
        for parameter, gradient in self._gathered.items():
            parameter.grad = gradient if parameter.grad is None else parameter.grad + gradient
        self._gathered, self._counts, self._steps = {}, {}, 0

    def changed(self) -> None:
        """Take notice of changed weights in the middle of an episode."""
        self.feedback.decay_()
        self.run.refresh()

    @property
    def _penalised(self) -> list[str]:
        return [name for name in self.firing if any(_applies(penalty, name) for penalty in self._penalties)]


def _applies(penalty: Penalty, population: str) -> bool:
    return penalty.populations is None or population in penalty.populations
