"""Atari frames as changes of brightness; needs gymnasium, so `environments.atari` imports it late."""

from typing import Any

import gymnasium
import numpy as np
from numpy.typing import NDArray

__all__ = ["Changes"]


class Changes(gymnasium.ObservationWrapper[NDArray[np.float64], Any, Any]):
    """What became brighter and what became darker since the last frame, as a retina sends it.

    Parameters
    ----------
    env : gymnasium.Env
        Shows grey pictures, uint8 (height, width).
    side : int
        The picture is cut to a multiple of `side` and averaged in side x side places.
    """

    def __init__(self, env: "gymnasium.Env[Any, Any]", side: int) -> None:
        super().__init__(env)
        self._side = side
        self._before: NDArray[np.float64] | None = None
        self.observation_space = gymnasium.spaces.Box(0.0, 1.0, (2 * side * side,), np.float64)

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[NDArray[np.float64], dict[str, Any]]:
        """Begin an episode; nothing has changed yet."""
        self._before = None
        return super().reset(seed=seed, options=options)

    def observation(self, observation: NDArray[Any]) -> NDArray[np.float64]:
        """Return brighter and darker places, from 0 to 1; a change by a quarter of the range counts as 1."""
        side = self._side
        high, wide = (size // side for size in observation.shape)
        cut = observation[: high * side, : wide * side].reshape(side, high, side, wide)
        now = cut.mean(axis=(1, 3), dtype=np.float64) / 255.0
        change = np.zeros_like(now) if self._before is None else now - self._before
        self._before = now
        return np.clip(4.0 * np.stack([change, -change]), 0.0, 1.0).ravel()
