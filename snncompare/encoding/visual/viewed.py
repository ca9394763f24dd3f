"""An encoder of movies behind an eye: pictures in, spikes out."""

from dataclasses import dataclass, field
from functools import lru_cache
from typing import ClassVar

import numpy as np
import pandas as pd

from snncompare.encoding.encoder import Encoder, Spikes
from snncompare.encoding.randomness import child
from snncompare.encoding.stimuli import Image, Movie
from snncompare.encoding.visual.eye_movements import EyeMovements, Fixation
from snncompare.errors import InputError

__all__ = ["Viewed"]


@dataclass(frozen=True, kw_only=True)
class Viewed(Encoder):
    """A picture as an encoder of movies receives it from a moving eye, or a movie as it is.

    Parameters
    ----------
    eyes : EyeMovements or None
        How the picture is looked at; None: stimuli are movies and reach the encoder unchanged.
    encoder : Encoder
        One that takes a `Movie`: a retina, an event camera.

    Notes
    -----
    Eyes and encoder get randomness of their own from that of the presentation: the eye moves in the same way whatever
    encoder is behind it.

    Raises
    ------
    InputError
        For an encoder that takes no movies, and eyes that are no eye movements.
    """

    takes: ClassVar[tuple[type, ...]] = (Image, Movie)

    encoder: Encoder
    eyes: EyeMovements | None = field(default_factory=Fixation)

    def __post_init__(self) -> None:
        if not isinstance(self.encoder, Encoder) or Movie not in _kinds(self.encoder):
            raise InputError(f"behind the eyes stands an encoder of movies, got {type(self.encoder).__name__}.")
        if self.eyes is not None and not isinstance(self.eyes, EyeMovements):
            raise InputError(
                f"eyes are one of snncompare.encoding.visual.eye_movements or None, got {type(self.eyes).__name__}."
            )

    def _check(self, stimulus: Image | Movie) -> None:
        """Refuse a stimulus that is no picture (or, without eyes, no movie)."""
        if self.eyes is not None and isinstance(stimulus, Movie):
            raise InputError("eyes look at an Image; give the encoder of a Movie eyes=None.")
        if self.eyes is None and isinstance(stimulus, Image):
            raise InputError("an Image does not move; give eyes, for example Fixation().")

    def units(self, stimulus: Image | Movie) -> pd.DataFrame:
        """Return the units of the encoder for views of this size."""
        return self.encoder.units(self._like(stimulus))

    def duration(self, stimulus: Image | Movie) -> float:
        """Return how long the encoder takes for such a view, in seconds."""
        return self.encoder.duration(self._like(stimulus))

    def fire(self, stimulus: Image | Movie, randomness: np.random.SeedSequence) -> Spikes:
        """Return the spikes of one presentation."""
        return self.encoder.fire(self.view(stimulus, randomness), child(randomness, 1))

    def view(self, stimulus: Image | Movie, randomness: np.random.SeedSequence) -> Movie:
        """Return what the encoder receives in a presentation with this randomness."""
        self.check(stimulus)
        if isinstance(stimulus, Movie) or self.eyes is None:
            return stimulus  # type: ignore[return-value] # `check` leaves nothing but movies here
        return self.eyes.view(stimulus, child(randomness, 0))

    def _like(self, stimulus: Image | Movie) -> Movie:
        """Return a movie of the shape that the encoder would receive; what is on it does not matter."""
        self.check(stimulus)
        if isinstance(stimulus, Movie) or self.eyes is None:
            return stimulus  # type: ignore[return-value] # `check` leaves nothing but movies here
        return _empty_view(self.eyes, *stimulus.luminance.shape, stimulus.degrees_per_pixel)


def _kinds(encoder: Encoder) -> tuple[type, ...]:
    return encoder.takes if isinstance(encoder.takes, tuple) else (encoder.takes,)


@lru_cache(maxsize=4)
def _empty_view(eyes: EyeMovements, height: int, width: int, degrees_per_pixel: float) -> Movie:
    return eyes.view(Image(np.zeros((height, width)), degrees_per_pixel), np.random.SeedSequence(0))
