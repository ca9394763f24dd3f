"""Environments of gymnasium: ready ones, and several played side by side."""

from collections.abc import Callable
from importlib import import_module
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from snncompare.errors import InputError, MissingDependencyError
from snncompare.units import QuantityLike, hertz, seconds

if TYPE_CHECKING:
    import gymnasium

__all__ = ["Environments", "Step", "atari", "cart_pole", "delayed_cue"]

Make = Callable[[], "gymnasium.Env[Any, Any]"]


def cart_pole(*, longest: int = 500) -> "gymnasium.Env[Any, Any]":
    """Return the pole on a cart, to be balanced by pushing left or right; reward 1 for every step that it stands.

    Barto, Sutton and Anderson (1983) IEEE Transactions on Systems, Man, and Cybernetics 13:834, as ``CartPole-v1`` of
    gymnasium.

    Parameters
    ----------
    longest : int
        Steps after which an episode is cut.
    """
    return _gymnasium().make("CartPole-v1", max_episode_steps=longest)


def delayed_cue(
    *,
    window: QuantityLike = "20 ms",
    cue: QuantityLike = "100 ms",
    shortest_delay: QuantityLike = "400 ms",
    longest_delay: QuantityLike = "600 ms",
    recall: QuantityLike = "100 ms",
    n_per_group: int = 10,
    cue_rate: QuantityLike = "100 Hz",
    noise_rate: QuantityLike = "10 Hz",
) -> "gymnasium.Env[Any, Any]":
    """Return the task to remember on which side a cue was until recall; reward 1 for the right answer at the end.

    After the task with delayed reward of Bellec et al. (2020) Nature Communications 11:3625, and their evidence
    accumulation with a single cue; see `DelayedCue`.

    Parameters
    ----------
    window : time
        What is seen at once, and between two actions.
    cue, shortest_delay, longest_delay, recall : time
        Whole numbers of windows.
    n_per_group : int
        Input neurons in each of the groups left, right, recall and noise.
    cue_rate, noise_rate : rate

    Raises
    ------
    InputError
        For times that are no whole numbers of windows, a window that is no whole number of milliseconds, and rates
        above 1 kHz.
    MissingDependencyError
        If gymnasium is not installed.
    """
    _gymnasium()
    from snncompare.learning.reward.delayed_cue_task import DelayedCue

    step = _milliseconds(window, "window", 1)
    given = {"cue": cue, "shortest_delay": shortest_delay, "longest_delay": longest_delay, "recall": recall}
    times = {name: _milliseconds(time, name, step) for name, time in given.items()}
    rates = (hertz(cue_rate, "cue_rate"), hertz(noise_rate, "noise_rate"))
    if times["shortest_delay"] > times["longest_delay"]:
        raise InputError(f"shortest_delay {shortest_delay} is longer than longest_delay {longest_delay}.")
    if n_per_group < 1 or not all(0 <= rate <= 1000 for rate in rates):
        raise InputError(
            f"n_per_group must be at least 1 and rates from 0 to 1 kHz, got {n_per_group}, {cue_rate} and {noise_rate}."
        )
    delays = (times["shortest_delay"], times["longest_delay"])
    return DelayedCue(step, times["cue"], delays, times["recall"], n_per_group, rates)


def atari(name: str = "Pong", *, side: int = 20) -> "gymnasium.Env[Any, Any]":
    """Return an Atari game, seen as what became brighter and what became darker since the last frame.

    Observations are numbers from 0 to 1, shape (2 * side * side,). Bellemare et al. (2013) Journal of Artificial
    Intelligence Research 47:253, through ale-py (GPL-2, not a dependency of this package: ``pip install ale-py``).

    Parameters
    ----------
    name : str
        For example ``"Pong"``.
    side : int
        Places in a row and in a column, whose brightness is averaged.

    Raises
    ------
    MissingDependencyError
        If gymnasium or ale-py are not installed.
    """
    gymnasium = _gymnasium()
    try:
        ale_py = import_module("ale_py")
    except ImportError as missing:
        raise MissingDependencyError(
            "Atari games need ale-py (licence GPL-2); install it, for example by: pip install ale-py"
        ) from missing
    from snncompare.learning.reward.frame_changes import Changes

    gymnasium.register_envs(ale_py)
    return Changes(gymnasium.make(f"ALE/{name}-v5", obs_type="grayscale"), side)


class Step(NamedTuple):
    """What happened in all environments, each an array with one entry per environment.

    Attributes
    ----------
    seen : array, shape (trial, ...)
    reward : array of float
    terminated, truncated : array of bool
        Whether the episode is over, or was cut though it would go on.
    asked : array of bool
        Whether the next action matters; True unless the environment's `info` has ``asked``.
    """

    seen: NDArray[Any]
    reward: NDArray[np.float64]
    terminated: NDArray[np.bool_]
    truncated: NDArray[np.bool_]
    asked: NDArray[np.bool_]


class Environments:
    """Several environments of one kind, side by side.

    Parameters
    ----------
    make : callable
        Returns a new environment; its actions must be discrete.
    n : int
    """

    def __init__(self, make: Make, n: int) -> None:
        if n < 1:
            raise InputError(f"at least one environment must be played, got {n}.")
        self._each = [make() for _ in range(n)]
        actions = self._each[0].action_space
        if not hasattr(actions, "n"):
            raise InputError(f"the policy chooses among discrete actions, the environment has {actions}.")
        self.n_actions = int(actions.n)
        self._shown: Step | None = None

    def __len__(self) -> int:
        return len(self._each)

    def described(self) -> str:
        """Return what is played, for the provenance."""
        first = self._each[0]
        return repr(first if first.spec is None else first.spec)

    def begin(self, seed: int) -> Step:
        """Begin an episode in every environment; all of it follows from the seed."""
        seeds = np.random.SeedSequence(seed).generate_state(len(self))
        begun = [each.reset(seed=int(own)) for each, own in zip(self._each, seeds, strict=True)]
        seen = np.stack([np.asarray(first) for first, _ in begun])
        none = np.zeros(len(self), dtype=bool)
        asked = np.asarray([info.get("asked", True) for _, info in begun], dtype=bool)
        self._shown = Step(seen, np.zeros(len(self)), none, none.copy(), asked)
        return self._shown

    def step(self, actions: NDArray[np.int64], playing: NDArray[np.bool_]) -> Step:
        """Act in the environments that are still playing; the others show what they showed last, without reward."""
        if self._shown is None:
            raise InputError("begin() an episode before the first step.")
        seen, asked = self._shown.seen.copy(), np.zeros(len(self), dtype=bool)
        reward = np.zeros(len(self))
        terminated, truncated = np.zeros(len(self), dtype=bool), np.zeros(len(self), dtype=bool)
        for i in np.flatnonzero(playing):
            seen[i], reward[i], terminated[i], truncated[i], info = self._each[i].step(actions[i])
            asked[i] = info.get("asked", True)
        self._shown = Step(seen, reward, terminated, truncated & ~terminated, asked)
        return self._shown

    def close(self) -> None:
        """Close all environments."""
        for each in self._each:
            each.close()


def _gymnasium() -> Any:
    try:
        import gymnasium
    except ImportError as missing:
        raise MissingDependencyError(
            "environments need gymnasium; install it, for example by: pip install gymnasium"
        ) from missing
    return gymnasium


def _milliseconds(time: QuantityLike, name: str, unit: int) -> int:
    """Return whole milliseconds, a multiple of `unit`."""
    steps = seconds(time, name) * 1e3 / unit
    if not np.isfinite(steps) or steps < 0.5 or abs(steps - round(steps)) > 1e-6:
        raise InputError(f"{name} must be a whole number of {unit} ms, at least one; got {time}.")
    return round(steps) * unit
