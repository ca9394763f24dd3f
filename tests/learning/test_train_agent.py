"""Training by reward learns, resumes bit for bit, changes weights within episodes, and refuses what cannot be."""

from dataclasses import replace

import numpy as np
import pytest

from snncompare.backends.torch.surrogates import Triangle
from snncompare.circuits.actor_critic import actor_critic
from snncompare.errors import FileError, InputError, UnsupportedError
from snncompare.learning.learning_rates import Constant
from snncompare.learning.optimisers import Adam
from snncompare.learning.presets import eprop
from snncompare.learning.reward.actor_critic import ActorCritic
from snncompare.learning.reward.agent import evaluate_agent, train_agent
from snncompare.learning.reward.environments import cart_pole, delayed_cue
from snncompare.learning.reward.observations import SpikeObservations
from snncompare.learning.schedule import AfterTrials, EverySteps, Execution
from snncompare.learning.signals import BurstFeedback, LocalReadouts

pytest.importorskip("gymnasium")

PSI = Triangle("10 mV", "33 mV")
RULE = eprop(PSI, optimiser=Adam(0.1, schedule=Constant()))
SEEN = SpikeObservations("20 ms")
READS = ActorCritic(discount=0.9, value_weight=0.1)


def task():
    """Return the task without a delay worth the name: the cue, 20 ms, recall."""
    return delayed_cue(
        cue="40 ms", shortest_delay="20 ms", longest_delay="20 ms", recall="20 ms", n_per_group=4, cue_rate="300 Hz"
    )


def network(**more):
    return actor_critic(inputs=16, actions=2, hidden=12, tau="40 ms", tau_readout="40 ms", feed="40 mV", **more)


def train(rule=RULE, *, rounds=3, n=4, seed=0, **more):
    given = {"dt": "1 ms", "reads": READS, "rounds": rounds, "n_environments": n, "seed": seed}
    return train_agent(network(), rule, task, SEEN, **given, progress=lambda _: None, **more)


def weights(trained):
    return {name: array.copy() for name, array in trained.weights.items()}


def same(one, other):
    return all(np.array_equal(one[name], other[name]) for name in one)


@pytest.mark.slow
def test_a_cue_is_learnt_from_reward_and_not_from_a_coin():
    def coin(step, rng):
        return (rng.random(len(step.reward)) < 0.5) * step.terminated.astype(float)

    rule = replace(RULE, execution=Execution.BACKWARD)
    learnt, guessed = (train(rule, rounds=40, n=16, told=told) for told in (None, coin))
    right = [
        evaluate_agent(each, task, SEEN, dt="1 ms", reads=READS, n_environments=60).returns.mean()
        for each in (learnt, guessed)
    ]
    # Of 60 guesses 0.5 with a standard deviation of 0.065 are right; a network that always answers the same, too.
    assert right[0] > 0.9
    assert right[1] < 0.8
    assert list(learnt.history.columns) == ["round", "episodes", "return", "return_20", "length", "rate", "error"]
    assert learnt.history["episodes"].iloc[-1] == 640
    assert (learnt.history["rate"] > 2).all(), "the network is alive"


@pytest.mark.parametrize("execution", list(Execution), ids=lambda e: e.value)
def test_an_interrupted_training_ends_with_the_same_weights(execution, tmp_path):
    rule, path = replace(RULE, execution=execution), tmp_path / "training.pt"
    whole = train(rule)

    def interrupt(line):
        if line.startswith("round 2"):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train_agent(network(), rule, task, SEEN, dt="1 ms", reads=READS, rounds=3, n_environments=4, checkpoint=path, progress=interrupt)  # fmt: skip
    assert path.exists()
    with pytest.raises(FileError, match="belongs to another training"):
        train(rule, seed=1, checkpoint=path)
    resumed = train(rule, checkpoint=path)
    assert not path.exists()
    assert same(weights(whole), weights(resumed))
    assert whole.history.equals(resumed.history)
    assert not same(weights(whole), weights(train(rule, seed=1)))
    assert not same(weights(whole), weights(train(rule, rounds=2)))


def test_forwards_and_backwards_end_with_the_same_weights():
    forwards, backwards = (train(replace(RULE, execution=each)) for each in Execution)
    for name, weight in forwards.weights.items():
        # Three updates of Adam, which divides by the gradient, amplify differences of 1e-15 where it is nearly zero.
        np.testing.assert_allclose(weight, backwards.weights[name], rtol=1e-6, atol=1e-9)
    assert not same(weights(forwards), weights(train(rounds=1)))


def test_weights_may_change_within_an_episode():
    within, after = train(replace(RULE, schedule=EverySteps(40))), train(replace(RULE, schedule=AfterTrials()))
    assert not same(weights(within), weights(after))
    never_within = train(replace(RULE, schedule=EverySteps(20_000)))
    assert same(weights(never_within), weights(after))


def test_training_stops_when_it_is_good_enough():
    stopped = train(rounds=20, n=20, stop_at=0.05)
    assert len(stopped.history) < 20
    assert stopped.history["return_20"].iloc[-1] >= 0.05


def test_the_latest_twenty_episodes_are_those_of_the_latest_rounds():
    history = train(rounds=8, n=4).history
    assert history["return_20"].iloc[7] == pytest.approx(history["return"].iloc[3:8].mean())
    assert history["return_20"].iloc[1] == pytest.approx(history["return"].iloc[:2].mean())


def test_what_cannot_be_learnt_from_reward_is_refused():
    with pytest.raises(UnsupportedError, match=r"use signal=Symmetric\(\), RandomFeedback"):
        train(replace(RULE, signal=LocalReadouts()))
    with pytest.raises(UnsupportedError, match="bursts tell of the error of a loss"):
        train(replace(RULE, signal=BurstFeedback()))
    with pytest.raises(UnsupportedError, match="AfterTrials"):
        train(replace(RULE, execution=Execution.BACKWARD, schedule=EverySteps(20)))
    with pytest.raises(InputError, match="whole windows of 20 steps between decisions, not after 30 steps"):
        train(replace(RULE, schedule=EverySteps(30)))
    with pytest.raises(InputError, match="weights or values are no numbers after round"):
        train(replace(RULE, optimiser=Adam(1e200, schedule=Constant())), rounds=20)


def test_an_environment_that_shows_something_else_is_refused():
    with pytest.raises(InputError, match="observations that are spikes must have the shape"):
        train_agent(network(), RULE, cart_pole, SpikeObservations("20 ms"), dt="1 ms", progress=lambda _: None)
