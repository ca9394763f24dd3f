"""Rounds of episodes from which a network learns, and what is kept of them."""

from typing import Any

import numpy as np
from torch import nn

from snncompare.errors import InputError
from snncompare.learning.optimiser import Optimiser
from snncompare.learning.reward.environments import Environments
from snncompare.learning.reward.observations import Observations
from snncompare.learning.reward.play import Episodes, Told, play
from snncompare.learning.reward.players import Player
from snncompare.learning.rule import LearningRule
from snncompare.learning.schedule import EverySteps

__all__ = ["LATEST", "Rounds"]

LATEST = 20
"""Episodes over which `return_20` is a mean, at least."""


class Rounds:
    """A training: in each round every environment plays one episode.

    Parameters
    ----------
    player : Player
    rule : LearningRule
    environments : Environments
    observations : Observations
    rng : numpy.random.Generator
    told : Told, optional
        See `play`.

    Attributes
    ----------
    rows : list of dict
        One for each round, see `train_agent`.
    """

    def __init__(
        self,
        player: Player,
        rule: LearningRule,
        environments: Environments,
        observations: Observations,
        rng: np.random.Generator,
        told: Told | None,
    ) -> None:
        self._player, self._rule, self._environments, self._observations = player, rule, environments, observations
        self._rng, self._told = rng, told
        self._feedback = nn.ModuleList([] if player.feedback is None else [player.feedback])
        self._optimiser = Optimiser(player.module, rule, _learnt(player))
        self._every = _decisions(rule, observations.n_steps(player.module.dt))
        self.rows: list[dict[str, float]] = []

    @property
    def state(self) -> dict[str, Any]:
        """Everything the next round depends on, and the rows."""
        return {
            "weights": self._player.module.state_dict(),
            "feedback": self._feedback.state_dict(),
            "optimiser": self._optimiser.state,
            "rng": self._rng.bit_generator.state,
            "rows": self.rows,
        }

    @state.setter
    def state(self, saved: dict[str, Any]) -> None:
        self._player.module.load_state_dict(saved["weights"])
        self._feedback.load_state_dict(saved["feedback"])
        self._optimiser.state, self._rng.bit_generator.state = saved["optimiser"], saved["rng"]
        self.rows[:] = saved["rows"]

    def reached(self, stop_at: float | None) -> bool:
        """Return whether the latest episodes were good enough."""
        latest = self.rows[-1] if self.rows else {"episodes": 0}
        return stop_at is not None and latest["episodes"] >= LATEST and latest["return_20"] >= stop_at

    def play_one(self, rounds: int) -> None:
        """Play one round of so many.

        Raises
        ------
        InputError
            If weights or values are no numbers then.
        """
        self._optimiser.set_rate(self._rule.optimiser.rate_at(len(self.rows), rounds))
        episodes = play(
            self._player, self._environments, self._observations, self._rng, told=self._told, settled=self._settled
        )
        self._change()
        self.rows.append(self._row(episodes))
        weights = self._player.module.weights.values()
        if not np.isfinite(episodes.error) or not all(bool(weight.detach().isfinite().all()) for weight in weights):
            raise InputError(
                f"weights or values are no numbers after round {len(self.rows)}; use a smaller learning rate than "
                f"{self._rule.optimiser.learning_rate:g}."
            )

    def _settled(self, decisions: int) -> None:
        if self._every is not None and decisions % self._every == 0:
            self._change()

    def _change(self) -> None:
        self._player.learn()
        self._optimiser.update()
        self._player.changed()

    def _row(self, episodes: Episodes) -> dict[str, float]:
        n, mean = len(episodes.returns), float(episodes.returns.mean())
        before = [row["return"] for row in self.rows[-((LATEST - 1) // n) :]] if n < LATEST else []
        return {
            "round": len(self.rows) + 1,
            "episodes": (len(self.rows) + 1) * n,
            "return": mean,
            "return_20": float(np.mean([*before, mean])),
            "length": float(episodes.lengths.mean()),
            "rate": episodes.rate,
            "error": episodes.error,
        }


def _learnt(player: Player) -> dict[str, tuple[nn.Parameter, float]]:
    """Return feedback weights that learn, with their units."""
    feedback = player.feedback
    return {} if feedback is None else {name: (one, feedback.unit(name)) for name, one in feedback.named_parameters()}


def _decisions(rule: LearningRule, steps: int) -> int | None:
    """Return the decisions after which weights change, or None where they do after episodes only."""
    if not isinstance(rule.schedule, EverySteps):
        return None
    if rule.schedule.steps % steps:
        raise InputError(
            f"weights can change after whole windows of {steps} steps between decisions, not after "
            f"{rule.schedule.steps} steps."
        )
    return rule.schedule.steps // steps
