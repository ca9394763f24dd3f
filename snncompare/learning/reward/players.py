"""Networks that play: without learning, and learning backwards through all they did in an episode."""

from collections.abc import Sequence

import torch
from torch import Tensor

from snncompare.backends.activity import spiking
from snncompare.backends.torch.module import TorchNetwork
from snncompare.backends.torch.network_state import NetworkState
from snncompare.errors import InputError
from snncompare.learning.gradients.feedback import Feedback
from snncompare.learning.losses.loss import Form, Loss, Penalty, Reads
from snncompare.learning.reward.actor_critic import ActorCritic, Decisions
from snncompare.learning.rule import LearningRule

__all__ = ["BackwardPlayer", "Player", "ReadoutLoss"]


class ReadoutLoss(Loss):
    """Says which readout an actor-critic learns from; its errors come from elsewhere, decision by decision.

    Parameters
    ----------
    given : ActorCritic
    """

    form = Form.EACH_STEP

    def __init__(self, given: ActorCritic) -> None:
        self._given, self.scale = given, given.scale

    @property
    def reads(self) -> Reads:
        """The readout's membrane."""
        return self._given.reads

    def __call__(self, values: Tensor, target: Tensor) -> Tensor:
        """Refuse: what an actor-critic makes small is not a function of the readout alone."""
        raise NotImplementedError


class Player:
    """A network that decides, and learns nothing.

    Calls come in this order, again and again: `decide`, `acted`, and after the next `decide`, when it is known what
    followed, `settle`; at the end `learn`.

    Parameters
    ----------
    module : TorchNetwork
        With one spike source, which receives the observations.
    reads : ActorCritic
    """

    learns = False
    feedback: Feedback | None = None

    def __init__(self, module: TorchNetwork, reads: ActorCritic) -> None:
        if len(module.network.sources()) != 1:
            raise InputError(
                f"an agent needs a network with one spike source, '{module.network.name}' has "
                f"{len(module.network.sources())}."
            )
        self.module, self.reads = module, reads
        self.firing = spiking(module.network)
        self.source = module.network.sources()[0]
        self._state: NetworkState | None = None
        self._window = 0.0

    @property
    def dtype(self) -> torch.dtype:
        """Of the network's state."""
        return self.module.get_buffer("_like").dtype

    def begin(self, n_trials: int) -> None:  # noqa: ARG002 - of the interface
        """Begin an episode in every trial."""
        self._state = None

    def decide(self, raster: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Run the network through a window.

        Parameters
        ----------
        raster : Tensor, shape (step, trial, unit)

        Returns
        -------
        policy : Tensor, shape (trial, action)
        value : Tensor, shape (trial,)
        counts : Tensor, shape (trial,)
            Spikes of all spiking neurons.
        """
        with torch.no_grad():
            policy, value, counts = self._run(raster)
        return policy, value, sum((each.sum(dim=1) for each in counts.values()), torch.zeros_like(value))

    def acted(self, action: Tensor, counts: Tensor, playing: Tensor) -> None:
        """Hear what was done: `action` (trial,), and as numbers 0 and 1 whether it counts and who is playing."""

    def settle(self, reward: Tensor, after: Tensor, cut: Tensor) -> None:
        """Hear what followed from the decision before the last.

        Parameters
        ----------
        reward, after : Tensor, shape (trial,)
            What was earned, and the value of what came then; 0 where the episode is over.
        cut : Tensor, shape (trial,)
            1 where the episode would have gone on, but was cut.
        """

    def learn(self) -> None:
        """Add to the parameters' ``grad`` what was learnt since the last call."""

    def changed(self) -> None:
        """Take notice of changed weights."""
        if self.feedback is not None:
            self.feedback.decay_()

    def _broadcast(self) -> dict[tuple[str, str], Tensor] | None:
        return None if self.feedback is None else self.feedback.broadcast()

    def _run(self, raster: Tensor) -> tuple[Tensor, Tensor, dict[str, Tensor]]:
        activity = self.module(
            {self.source: raster},
            record=self.firing,
            traces=self.reads.reads.traces,
            state=self._state,
            feedback=self._broadcast(),
        )
        self._state = activity.state
        self._window = raster.shape[0] * self.module.dt
        membrane = self.reads.reads.of(activity)[-1]
        counts = {name: activity.spikes[name].sum(dim=0) for name in self.firing}
        return *self.reads.read(membrane), counts


class BackwardPlayer(Player):
    """A network that learns from the actor-critic loss of whole episodes, backwards: the offline form of the rule.

    Parameters
    ----------
    module, reads
        As `Player`; the module says which paths the gradient follows.
    rule : LearningRule
    penalties : sequence of Penalty
        On firing rates while the episodes last.
    """

    learns = True

    def __init__(
        self, module: TorchNetwork, reads: ActorCritic, rule: LearningRule, penalties: Sequence[Penalty] = ()
    ) -> None:
        super().__init__(module, reads)
        self._penalties = tuple(penalties)
        self.feedback = Feedback(module, rule.signal, ReadoutLoss(reads))
        self._kept: list[tuple[Tensor, Tensor, dict[str, Tensor]]] = []
        self._acted: list[tuple[Tensor, Tensor, Tensor]] = []
        self._rewards: list[Tensor] = []

    def begin(self, n_trials: int) -> None:
        """Begin an episode in every trial."""
        super().begin(n_trials)
        self._kept, self._acted, self._rewards = [], [], []

    def decide(self, raster: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Run the network through a window and keep how it came to its decision."""
        policy, value, counts = self._run(raster)
        self._kept.append((policy, value, counts))
        total = sum((each.detach().sum(dim=1) for each in counts.values()), torch.zeros_like(value.detach()))
        return policy.detach(), value.detach(), total

    def acted(self, action: Tensor, counts: Tensor, playing: Tensor) -> None:
        """Keep what was done."""
        self._acted.append((action, counts, playing))

    def settle(self, reward: Tensor, after: Tensor, cut: Tensor) -> None:
        """Keep what was earned, and what would have been where an episode was cut."""
        self._rewards.append(reward + self.reads.discount * cut * after)

    def learn(self) -> None:
        """Add the gradient of the loss of the episodes, with the penalty."""
        self.loss().backward()

    def loss(self) -> Tensor:
        """Return the loss of the episodes, with the penalty."""
        n = len(self._rewards)
        action, counts, playing = (torch.stack(each) for each in zip(*self._acted[:n], strict=True))
        policy, value = (torch.stack([kept[k] for kept in self._kept[:n]]) for k in (0, 1))  # type: ignore[misc]
        loss = self.reads.loss(Decisions(policy, value, action, torch.stack(self._rewards), counts, playing))
        return loss + self._rates()

    def _rates(self) -> Tensor:
        """Return the penalty for all windows there were, also of trials that were over before others."""
        lasted = len(self._kept) * self._window
        total = self._kept[0][1].new_zeros(())
        for penalty in self._penalties:
            for name in self.firing if penalty.populations is None else penalty.populations:
                counts = torch.stack([kept[2][name] for kept in self._kept]).sum(dim=0)
                total = total + penalty.of_counts(counts, lasted)
        return total
