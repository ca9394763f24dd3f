"""The delayed-cue task is what it says, several environments are played side by side, and observations become spikes."""

import sys

import numpy as np
import pytest

from snncompare.encoding.codes.latency import LatencyCode
from snncompare.encoding.codes.population import PopulationCode
from snncompare.encoding.codes.rate import RateCode
from snncompare.errors import InputError, MissingDependencyError
from snncompare.learning.reward.environments import Environments, atari, cart_pole, delayed_cue
from snncompare.learning.reward.observations import EncodedObservations, SpikeObservations

gymnasium = pytest.importorskip("gymnasium")


def trial(env, seed, answer=None):
    """Return the spikes of a trial, (ms, unit), the reward, the side, and where the action was asked for."""
    shown, info = env.reset(seed=seed)
    windows, asked, side = [shown], [info["asked"]], info["side"]
    while True:
        shown, reward, over, cut, info = env.step(side if answer is None else answer)
        assert not cut
        if over:
            return np.concatenate(windows), reward, side, asked
        windows.append(shown)
        asked.append(info["asked"])


def test_the_task_is_an_environment_by_the_rules_of_gymnasium():
    from gymnasium.utils.env_checker import check_env

    check_env(delayed_cue(), skip_render_check=True)


def test_cue_delay_and_recall_have_their_length_and_their_neurons():
    env = delayed_cue(shortest_delay="200 ms", longest_delay="400 ms", n_per_group=5, noise_rate="0 Hz")
    lengths, sides = [], []
    for seed in range(30):
        spikes, reward, side, asked = trial(env, seed)
        groups = spikes.reshape(len(spikes), 4, 5).sum(axis=2)
        delay = len(spikes) - 200
        assert groups[:100, side].sum() > 20
        assert groups[100:, :2].sum() == 0
        assert groups[:, 1 - side].sum() == 0
        assert groups[:-100, 2].sum() == 0
        assert groups[-100:, 2].sum() > 20
        assert asked == [False] * (len(asked) - 1) + [True]
        assert reward == 1.0
        lengths.append(delay)
        sides.append(side)
    assert min(lengths) >= 200
    assert max(lengths) <= 400
    assert len(set(lengths)) > 3
    assert 5 < sum(sides) < 25


def test_a_wrong_answer_earns_nothing_and_noise_is_noise():
    env = delayed_cue(noise_rate="50 Hz", cue_rate="0 Hz")
    spikes, reward, side, _ = trial(env, 3)
    assert reward == 1.0
    assert trial(env, 3, answer=1 - side)[1] == 0.0
    groups = spikes.reshape(len(spikes), 4, 10).mean(axis=(0, 2)) * 1e3
    # 10 neurons for 700 ms at 50 Hz: 350 spikes, 5 standard errors are 13 Hz.
    assert abs(groups[3] - 50) < 13
    assert groups[:3].sum() == 0


def test_equal_seeds_give_equal_trials_and_others_do_not():
    env = delayed_cue()
    one, again, other = trial(env, 1)[0], trial(env, 1)[0], trial(env, 2)[0]
    assert np.array_equal(one, again)
    assert one.shape != other.shape or not np.array_equal(one, other)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"cue": "50 ms"}, "cue must be a whole number of 20 ms"),
        ({"window": "1.5 ms"}, "window must be a whole number of 1 ms"),
        ({"shortest_delay": "800 ms"}, "shortest_delay 800 ms is longer than longest_delay 600 ms"),
        ({"cue_rate": "2 kHz"}, "rates from 0 to 1 kHz"),
        ({"n_per_group": 0}, "n_per_group must be at least 1"),
    ],
    ids=["cue", "window", "delay", "rate", "group"],
)
def test_impossible_tasks_are_refused(given, message):
    with pytest.raises(InputError, match=message):
        delayed_cue(**given)


def test_environments_play_until_each_is_over_and_not_longer():
    playing = Environments(lambda: cart_pole(longest=15), 3)
    begun = playing.begin(1)
    assert begun.seen.shape == (3, 4)
    assert begun.asked.all()
    assert playing.n_actions == 2
    assert not np.array_equal(begun.seen[0], begun.seen[1]), "each has a start of its own"
    assert np.array_equal(playing.begin(1).seen, begun.seen)
    assert not np.array_equal(playing.begin(2).seen, begun.seen)
    alive, total = np.ones(3, dtype=bool), np.zeros(3)
    while alive.any():
        shown = playing.step(np.asarray([0, 1, int(total[2]) % 2]), alive)
        assert (shown.reward[~alive] == 0).all()
        total += shown.reward
        ended = shown.terminated | shown.truncated
        assert not ended[~alive].any()
        alive &= ~ended
    assert total[2] == 15, "pushing to and fro keeps it up"
    assert (shown.truncated[2], shown.terminated[2]) == (True, False)
    assert total[:2].max() < 15


class Both(gymnasium.Env):
    """An environment whose only step ends the episode and is the last allowed."""

    action_space = gymnasium.spaces.Discrete(2)
    observation_space = gymnasium.spaces.Box(0, 1, (1,), np.float64)

    def reset(self, **_):
        return np.zeros(1), {}

    def step(self, action):
        return np.zeros(1), 1.0, bool(action), True, {}


def test_an_episode_that_is_over_is_not_cut():
    playing = Environments(Both, 2)
    playing.begin(0)
    shown = playing.step(np.asarray([0, 1]), np.ones(2, dtype=bool))
    assert shown.terminated.tolist() == [False, True]
    assert shown.truncated.tolist() == [True, False]


def test_continuous_actions_and_no_environment_are_refused():
    with pytest.raises(InputError, match="discrete actions"):
        Environments(lambda: gymnasium.make("Pendulum-v1"), 1)
    with pytest.raises(InputError, match="at least one environment"):
        Environments(cart_pole, 0)
    with pytest.raises(InputError, match="begin"):
        Environments(cart_pole, 1).step(np.zeros(1, dtype=int), np.ones(1, dtype=bool))


def test_without_gymnasium_or_ale_the_message_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "ale_py", None)
    with pytest.raises(MissingDependencyError, match=r"Atari games need ale-py \(licence GPL-2\).*pip install ale-py"):
        atari("Pong")
    monkeypatch.setitem(sys.modules, "gymnasium", None)
    for make in (cart_pole, delayed_cue, atari):
        with pytest.raises(MissingDependencyError, match="pip install gymnasium"):
            make()


class Film(gymnasium.Env):
    """Two grey frames: dark, then a bright quarter, then dark again."""

    action_space = gymnasium.spaces.Discrete(2)
    observation_space = gymnasium.spaces.Box(0, 255, (9, 9), np.uint8)

    def reset(self, **_):
        return np.zeros((9, 9), dtype=np.uint8), {}

    def step(self, action):
        frame = np.zeros((9, 9), dtype=np.uint8)
        frame[:4, 4:8] = 255 * action
        return frame, 0.0, False, False, {}


def test_frames_become_what_changed():
    from snncompare.learning.reward.frame_changes import Changes

    film = Changes(Film(), 2)
    first, _ = film.reset()
    assert first.shape == (8,)
    assert (first == 0).all()
    assert film.step(1)[0].tolist() == [0, 1, 0, 0, 0, 0, 0, 0], "brighter at the upper right"
    assert film.step(1)[0].sum() == 0, "what stays is not seen"
    assert film.step(0)[0].tolist() == [0, 0, 0, 0, 0, 1, 0, 0], "darker there"
    assert (film.reset()[0] == 0).all()


def test_each_number_is_seen_by_the_units_tuned_to_it():
    code = PopulationCode(n_per_feature=8, code=RateCode(highest_rate="1 kHz", window="200 ms"))
    seen = EncodedObservations(low=(-1.0, 0.0), high=(1.0, 10.0), code=code)
    raster = seen.raster(np.asarray([[-1.0, 10.0], [1.0, 0.0], [5.0, -5.0]]), 1e-3, np.random.default_rng(0))
    assert raster.shape == (200, 3, 16)
    assert seen.n_steps(1e-3) == 200
    counts = raster.sum(axis=0).reshape(3, 2, 8)
    assert counts[0, 0].argmax() < 2
    assert counts[0, 1].argmax() > 5
    assert counts[1, 0].argmax() > 5
    assert counts[1, 1].argmax() < 2
    assert np.abs(counts[1] - counts[2]).max() < 60, "what lies outside counts as the end"
    assert counts[0, 0, 3:].sum() < counts[0, 0, :2].sum() / 10
    again = seen.raster(np.asarray([[-1.0, 10.0]]), 1e-3, np.random.default_rng(0))
    assert np.array_equal(again[:, 0], raster[:, 0])


def test_by_latency_the_best_unit_fires_first():
    code = PopulationCode(n_per_feature=5, code=LatencyCode(window="20 ms", latest="20 ms", threshold=0.1))
    seen = EncodedObservations(low=(0.0,), high=(1.0,), code=code)
    raster = seen.raster(np.asarray([[0.5]]), 1e-3, np.random.default_rng(0))[:, 0]
    first = [int(np.flatnonzero(unit)[0]) if unit.any() else 99 for unit in raster.T]
    assert int(np.argmin(first)) == 2
    assert raster.sum(axis=0).max() == 1


def test_observations_of_another_form_are_refused():
    spikes = SpikeObservations("5 ms")
    shown = np.zeros((2, 5, 3), dtype=np.int8)
    shown[1, 4, 2] = 1
    assert spikes.raster(shown, 1e-3, np.random.default_rng(0))[4, 1, 2] == 1
    with pytest.raises(InputError, match=r"shape \(5, unit\) for a window of 5 ms"):
        spikes.raster(shown[:, :4], 1e-3, np.random.default_rng(0))
    with pytest.raises(InputError, match="whole numbers of spikes"):
        spikes.raster(shown + 0.5, 1e-3, np.random.default_rng(0))
    with pytest.raises(
        InputError, match=r"window 5 ms between decisions must be a whole number of time steps of 0\.002"
    ):
        spikes.n_steps(2e-3)
    seen = EncodedObservations(low=(0.0,), high=(1.0,))
    with pytest.raises(InputError, match="low and high are of 1 numbers"):
        seen.raster(np.zeros((2, 3)), 1e-3, np.random.default_rng(0))
    with pytest.raises(InputError, match="low must be below high"):
        EncodedObservations(low=(0.0,), high=(0.0,))
