"""One episode in every environment, side by side."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from snncompare.learning.reward.environments import Environments, Step
from snncompare.learning.reward.observations import Observations
from snncompare.learning.reward.players import Player

__all__ = ["Episodes", "Told", "play"]

Told = Callable[[Step, np.random.Generator], NDArray[np.float64]]
"""Returns what a network is told instead of the rewards, one number per environment."""


@dataclass(frozen=True)
class Episodes:
    """How the episodes went, arrays with one entry per environment.

    Attributes
    ----------
    returns : array of float
        Rewards, added up without discount.
    lengths : array of int
        Decisions.
    rate : float
        Mean firing rate of the network's spiking neurons while playing, hertz.
    error : float
        Root mean square of the temporal-difference errors.
    """

    returns: NDArray[np.float64]
    lengths: NDArray[np.int64]
    rate: float
    error: float


def play(
    player: Player,
    environments: Environments,
    observations: Observations,
    rng: np.random.Generator,
    *,
    greedy: bool = False,
    told: Told | None = None,
    settled: Callable[[int], None] | None = None,
) -> Episodes:
    """Play until every environment's episode is over.

    The network runs through a window that shows the observation; then an action is drawn from its policy.

    Parameters
    ----------
    player : Player
    environments : Environments
    observations : Observations
    rng : numpy.random.Generator
        Of the episodes, the encoding and the actions.
    greedy : bool
        Whether the most probable action is taken instead of one that is drawn.
    told : Told, optional
        For controls; by default the rewards.
    settled : callable, optional
        Called with the number of decisions that are settled, after each; here weights may change within an episode.
    """
    n, dt = len(environments), player.module.dt
    shown = environments.begin(int(rng.integers(2**63)))
    player.begin(n)
    playing = np.ones(n, dtype=bool)
    total, lengths, spikes = np.zeros(n), np.zeros(n, dtype=np.int64), 0.0
    errors: list[NDArray[np.float64]] = []
    before, acted = None, playing
    while True:
        raster = torch.from_numpy(observations.raster(shown.seen, dt, rng)).to(player.dtype)
        policy, value, counts = player.decide(raster)
        if before is not None:
            heard = shown.reward if told is None else told(shown, rng)
            reward, goes_on = torch.from_numpy(heard).to(value), _as_numbers(playing | shown.truncated, value)
            after = goes_on * value
            player.settle(reward, after, _as_numbers(shown.truncated, value))
            error = (reward + player.reads.discount * after - before).numpy()[acted]
            errors.append(error)
            if settled is not None:
                settled(len(errors))
        if not playing.any():
            break
        action = _choose(policy.double().numpy(), rng, greedy=greedy)
        player.acted(torch.from_numpy(action), _as_numbers(shown.asked & playing, value), _as_numbers(playing, value))
        spikes += float(counts.numpy()[playing].sum())
        lengths += playing
        acted, before = playing.copy(), value
        shown = environments.step(action, playing)
        total += shown.reward
        playing = playing & ~(shown.terminated | shown.truncated)
    seconds = float(lengths.sum()) * observations.n_steps(dt) * dt
    size = sum(player.module.network.populations[name].size for name in player.firing)
    with np.errstate(over="ignore"):  # of a training that goes astray, which is for the caller to say
        error = float(np.sqrt(np.mean(np.concatenate(errors) ** 2)))
    return Episodes(total, lengths, spikes / (seconds * size), error)


def _choose(policy: NDArray[np.float64], rng: np.random.Generator, *, greedy: bool) -> NDArray[np.int64]:
    """Return actions, shape (trial,); every trial takes one random number, playing or not."""
    if greedy:
        return policy.argmax(axis=1)
    noise = rng.gumbel(size=policy.shape)
    return np.asarray((policy + noise).argmax(axis=1))


def _as_numbers(mask: NDArray[np.bool_], like: torch.Tensor) -> torch.Tensor:
    """Return 1 where a mask is true, else 0."""
    return torch.from_numpy(mask).to(like.dtype)
