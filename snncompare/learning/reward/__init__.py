"""Learning by reward: networks that act in environments of gymnasium, as actor and critic."""

from snncompare.learning.reward.actor_critic import ActorCritic
from snncompare.learning.reward.agent import evaluate_agent, train_agent
from snncompare.learning.reward.environments import atari, cart_pole, delayed_cue
from snncompare.learning.reward.observations import EncodedObservations, SpikeObservations

__all__ = [
    "ActorCritic",
    "EncodedObservations",
    "SpikeObservations",
    "atari",
    "cart_pole",
    "delayed_cue",
    "evaluate_agent",
    "train_agent",
]
