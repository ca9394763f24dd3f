"""The delayed-cue task as a gymnasium environment; needs gymnasium, so `environments.delayed_cue` imports it late."""

from typing import Any

import gymnasium
import numpy as np
from numpy.typing import NDArray

__all__ = ["GROUPS", "DelayedCue"]

GROUPS = ("left", "right", "recall", "noise")
"""Groups of input neurons, in this order."""


class DelayedCue(gymnasium.Env[NDArray[np.int8], np.int64]):
    """A cue on the left or on the right, a delay, and the question which it was.

    An observation is the spikes in the next window, shape (step, unit), with one step a millisecond. The group of the
    cue's side fires while the cue lasts, the recall group during recall, the noise group all the time. The action of
    the last window of recall is the answer, 0 for left and 1 for right; it ends the episode, with the reward 1 if it is
    right, else 0. Other actions do nothing: `info["asked"]` is True only where the action that follows counts.

    Parameters
    ----------
    window, cue, recall : int
        Milliseconds; cue and recall are whole numbers of windows.
    delay : (int, int)
        Shortest and longest delay, whole windows too; one of them is drawn, all equally likely.
    n_per_group : int
    cue_rate, noise_rate : float
        Hertz.
    """

    metadata: dict[str, Any] = {"render_modes": []}  # noqa: RUF012 - of gymnasium's interface

    def __init__(
        self,
        window: int,
        cue: int,
        delay: tuple[int, int],
        recall: int,
        n_per_group: int,
        rates: tuple[float, float],
    ) -> None:
        self.window, self.n_per_group, self._rates = window, n_per_group, rates
        self._cue, self._recall = cue // window, recall // window
        self._delays = (delay[0] // window, delay[1] // window)
        self.observation_space = gymnasium.spaces.MultiBinary((window, len(GROUPS) * n_per_group))
        self.action_space = gymnasium.spaces.Discrete(2)
        self._settings = (window, cue, delay, recall, n_per_group, rates)
        self.side = 0
        self._now, self._length = 0, 0

    def __repr__(self) -> str:
        return f"DelayedCue{self._settings}"

    def reset(
        self,
        *,
        seed: int | None = None,
        options: dict[str, Any] | None = None,  # noqa: ARG002 - of the interface
    ) -> tuple[NDArray[np.int8], dict[str, Any]]:
        """Begin a trial and return its first window."""
        super().reset(seed=seed)
        self.side = int(self.np_random.integers(2))
        delay = int(self.np_random.integers(self._delays[0], self._delays[1], endpoint=True))
        self._now, self._length = 0, self._cue + delay + self._recall
        return self._spikes(), self._info()

    def step(self, action: np.int64) -> tuple[NDArray[np.int8], float, bool, bool, dict[str, Any]]:
        """Take the action at the end of the window that was shown, and return the next window."""
        over = self._asked
        reward = float(over and int(action) == self.side)
        self._now += 1
        return self._spikes(), reward, over, False, self._info()

    @property
    def _asked(self) -> bool:
        return self._now == self._length - 1

    def _info(self) -> dict[str, Any]:
        return {"asked": self._asked, "side": self.side}

    def _spikes(self) -> NDArray[np.int8]:
        rates = np.zeros(len(GROUPS))
        if self._now < self._cue:
            rates[self.side] = self._rates[0]
        if self._length - self._recall <= self._now < self._length:
            rates[GROUPS.index("recall")] = self._rates[0]
        rates[GROUPS.index("noise")] = self._rates[1]
        chance = np.repeat(rates, self.n_per_group) * 1e-3
        return (self.np_random.random(self.observation_space.shape) < chance).astype(np.int8)
