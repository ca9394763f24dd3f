"""Train a network by reward."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from tqdm import tqdm

from snncompare import provenance
from snncompare.backends.realisation import realise
from snncompare.backends.torch.module import TorchNetwork
from snncompare.backends.torch.threads import threads_for
from snncompare.errors import InputError, UnsupportedError
from snncompare.learning.checkpoint import Checkpoint
from snncompare.learning.legal import check
from snncompare.learning.losses.loss import Penalty
from snncompare.learning.reward.actor_critic import ActorCritic
from snncompare.learning.reward.environments import Environments, Make
from snncompare.learning.reward.forward_player import ForwardPlayer
from snncompare.learning.reward.observations import Observations
from snncompare.learning.reward.play import Episodes, Told, play
from snncompare.learning.reward.players import BackwardPlayer, Player, ReadoutLoss
from snncompare.learning.reward.rounds import LATEST, Rounds
from snncompare.learning.rule import LearningRule
from snncompare.learning.schedule import AfterTrials, Execution
from snncompare.learning.signals import BurstFeedback, LocalReadouts
from snncompare.learning.trained import Trained
from snncompare.network.network import Network
from snncompare.units import QuantityLike, seconds

__all__ = ["evaluate_agent", "train_agent"]


def train_agent(
    network: Network,
    rule: LearningRule,
    make: Make,
    observations: Observations,
    *,
    dt: QuantityLike,
    reads: ActorCritic | None = None,
    rounds: int = 100,
    n_environments: int = 8,
    penalties: Sequence[Penalty] = (),
    stop_at: float | None = None,
    told: Told | None = None,
    seed: int = 0,
    checkpoint: str | Path | None = None,
    progress: Callable[[str], None] | None = None,
) -> Trained:
    r"""Return the network trained by reward, as an actor and critic.

    In each round every environment plays one episode. Weights follow
    :math:`\Delta W = \eta \sum_t \delta^t F_\gamma(G)^t`: forwards (reward-based e-prop), that sum is carried along and
    may be used within an episode; backwards, the same gradient is taken from the loss of whole episodes.

    Parameters
    ----------
    network : Network
        With one spike source, which receives the observations, and the two readouts.
    rule : LearningRule
        Backwards, or forwards; weights change after the episodes, or with `EverySteps` within them (forwards only).
    make : callable
        Returns a new environment of gymnasium with discrete actions, for example `cart_pole`.
    observations : Observations
        How observations become spikes.
    dt : quantity
        Time step.
    reads : ActorCritic, optional
        Readouts and weights of the loss.
    rounds, n_environments : int
    penalties : sequence of Penalty
        On firing rates while the episodes last.
    stop_at : float, optional
        Training ends when ``return_20`` reaches this.
    told : callable, optional
        Returns what the network is told instead of the rewards, from a `Step` and a generator of random numbers, for
        controls.
    seed : int
        Of the initial weights, the episodes, the encoding and the actions.
    checkpoint : path, optional
        A file that is written after every round and removed at the end. If it exists, training goes on where it was
        interrupted and ends with the same weights, bit for bit.
    progress : callable, optional
        Receives one line per round; without it a progress bar is shown.

    Returns
    -------
    Trained
        Its history has one row per round: ``round``, ``episodes`` (so far), ``return`` and ``length`` (decisions; means
        over environments), ``return_20`` (mean over the latest rounds, of at least 20 episodes), ``rate`` (Hz),
        ``error`` (root mean square of the temporal-difference errors).

    Raises
    ------
    InputError
        If network, readout and environment do not fit together, or when a round ends with weights or values that are
        no numbers.
    UnsupportedError
        For rules that cannot be carried out in this way.
    FileError
        If the checkpoint belongs to another training.
    """
    if rounds < 0 or n_environments < 1:
        raise InputError(f"rounds must be at least 0 and n_environments at least 1, got {rounds} and {n_environments}.")
    step, reads = seconds(dt, "dt"), reads or ActorCritic()
    environments = Environments(make, n_environments)
    reads.check(network, environments.n_actions)
    module = _module(network, rule, step, seed)
    player = _player(module, rule, reads, penalties)
    training = Rounds(player, rule, environments, observations, np.random.default_rng([seed, 2]), told)
    record: dict[str, Any] = {
        "network": network.fingerprint(),
        "environment": environments.described(),
        "observations": repr(observations),
        "rule": repr(rule),
        "reads": repr(reads),
        "penalties": repr(tuple(penalties)),
        "told": None if told is None else getattr(told, "__qualname__", repr(told)),
        "dt_seconds": step,
        "rounds": rounds,
        "n_environments": n_environments,
        "stop_at": stop_at,
    }
    saved = Checkpoint(
        None if checkpoint is None else Path(checkpoint), provenance.fingerprint(record | {"seed": seed})
    )
    if (state := saved.resume()) is not None:
        training.state = state
    elements = n_environments * max(population.size for population in network.populations.values())
    with threads_for(elements):
        _carry_out(training, rounds, stop_at, saved, progress)
    environments.close()
    saved.remove()
    history = pd.DataFrame(training.rows)
    return Trained(module.description(), module.realisation(), history, provenance.collect(seed=seed, **record))


def evaluate_agent(
    trained: Trained,
    make: Make,
    observations: Observations,
    *,
    dt: QuantityLike,
    reads: ActorCritic | None = None,
    n_environments: int = 20,
    greedy: bool = True,
    seed: int = 0,
) -> Episodes:
    """Return how one episode goes in each of several environments, without learning.

    Parameters
    ----------
    trained, make, observations, dt, reads, n_environments
        See `train_agent`.
    greedy : bool
        Whether the most probable action is taken instead of one that is drawn.
    seed : int
        Of the episodes, the encoding and the actions.
    """
    environments = Environments(make, n_environments)
    module = TorchNetwork(trained.network, seconds(dt, "dt"), trained.realisation)
    found = play(
        Player(module, reads or ActorCritic()),
        environments,
        observations,
        np.random.default_rng([seed, 3]),
        greedy=greedy,
    )
    environments.close()
    return found


def _carry_out(
    training: Rounds, rounds: int, stop_at: float | None, saved: Checkpoint, progress: Callable[[str], None] | None
) -> None:
    """Play the rounds that are left, and keep what came of each."""
    rows = training.rows
    with tqdm(total=rounds, initial=len(rows), unit="round", disable=progress is not None) as bar:
        while len(rows) < rounds and not training.reached(stop_at):
            training.play_one(rounds)
            saved.save(training.state)
            line = f"return {rows[-1]['return']:.3g}, latest {LATEST} episodes {rows[-1]['return_20']:.3g}"
            bar.update()
            bar.set_postfix_str(line)
            if progress is not None:
                progress(f"round {len(rows)}/{rounds}: {line}, {rows[-1]['rate']:.0f} Hz")


def _module(network: Network, rule: LearningRule, step: float, seed: int) -> TorchNetwork:
    drawn = realise(network, seed, dt=step)
    return TorchNetwork(
        network, step, drawn, surrogate=rule.surrogate, paths=rule.paths, checkpoint_every=rule.checkpoint_every
    )


def _player(module: TorchNetwork, rule: LearningRule, reads: ActorCritic, penalties: Sequence[Penalty]) -> Player:
    if isinstance(rule.signal, LocalReadouts):
        raise UnsupportedError(
            "reward is one number for the whole network, so that local readouts have no error of their own; use "
            "signal=Symmetric(), RandomFeedback() or AdaptiveFeedback()."
        )
    if isinstance(rule.signal, BurstFeedback):
        raise UnsupportedError(
            "bursts tell of the error of a loss, which reward has not; use signal=Symmetric(), RandomFeedback() or "
            "AdaptiveFeedback()."
        )
    if rule.execution is Execution.BACKWARD:
        if not isinstance(rule.schedule, AfterTrials):
            raise UnsupportedError(
                "backwards, reward is learnt from after whole episodes: use schedule=AfterTrials(), or "
                "execution=Execution.FORWARD to learn within them."
            )
        return BackwardPlayer(module, reads, rule, penalties)
    check(rule, module.network, ReadoutLoss(reads), tuple(penalties))
    return ForwardPlayer(module, reads, rule, penalties)
