"""Pictures behind moving eyes, for any encoder of movies."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pandas as pd
import pytest

from snncompare.encoding import catalogue
from snncompare.encoding.encoder import Encoder, Spikes, presentation_seed
from snncompare.encoding.stimuli import Image, Movie, Sound
from snncompare.encoding.visual.event_camera import EventCamera
from snncompare.encoding.visual.eye_movements import Fixation, Flash, Saccades, Static
from snncompare.encoding.visual.viewed import Viewed
from snncompare.errors import InputError

PICTURE = Image(np.random.default_rng(0).uniform(size=(6, 8)), 0.1)


@dataclass(frozen=True, kw_only=True)
class Brightest(Encoder):
    """One unit per pixel row that fires when its mean luminance is high, and one random spike."""

    takes: ClassVar[type] = Movie
    extra: float = 0.1

    def units(self, stimulus):
        return pd.DataFrame(index=range(stimulus.luminance.shape[1] + 1))

    def duration(self, stimulus):
        return stimulus.duration + self.extra

    def fire(self, stimulus, randomness):
        frames = stimulus.luminance.mean(axis=2)
        times = [np.flatnonzero(row > 0.5) / stimulus.frame_rate for row in frames.T]
        times.append(np.array([np.random.default_rng(randomness).uniform(0, stimulus.duration)]))
        return Spikes(np.concatenate(times), np.array([t.size for t in times]))


def test_the_encoder_receives_what_the_eyes_see():
    eyes, behind = Saccades(), Brightest()
    viewed = Viewed(eyes=eyes, encoder=behind)
    recording = viewed.encode([PICTURE], seed=4)
    movie = viewed.view(PICTURE, presentation_seed(4, 0))
    assert np.array_equal(movie.luminance, eyes.view(PICTURE, np.random.SeedSequence(0)).luminance)
    expected = behind.fire(movie, np.random.SeedSequence(0))
    assert np.array_equal(recording.times[:-1], expected.times[:-1])
    assert recording.n_units == 7


def test_units_and_duration_are_those_of_the_encoder_for_the_view():
    viewed = Viewed(eyes=Static(duration="50 ms", margin=2), encoder=Brightest(extra=0.2))
    assert viewed.duration(PICTURE) == pytest.approx(0.25)
    assert len(viewed.units(PICTURE)) == 6 + 4 + 1


def test_eyes_move_alike_whatever_stands_behind_them():
    randomness = presentation_seed(1, 5)
    one = Viewed(encoder=Brightest(), eyes=Fixation(duration="50 ms")).view(PICTURE, randomness)
    other = Viewed(encoder=EventCamera(), eyes=Fixation(duration="50 ms")).view(PICTURE, randomness)
    assert np.array_equal(one.luminance, other.luminance)


def test_eyes_and_encoder_have_randomness_of_their_own():
    """With one shared generator the encoder's first number would be that of the drift."""
    drawn = {}

    @dataclass(frozen=True, kw_only=True)
    class Drawing(Brightest):
        def fire(self, stimulus, randomness):
            drawn["encoder"] = np.random.default_rng(randomness).standard_normal(6)
            return super().fire(stimulus, randomness)

    randomness = presentation_seed(0, 0)
    viewed = Viewed(encoder=Drawing(), eyes=Fixation(duration="50 ms", microsaccade_rate="0 Hz"))
    viewed.fire(PICTURE, randomness)
    shared = np.random.default_rng(randomness).standard_normal(6)
    assert not np.isin(drawn["encoder"], shared).any()


def test_presentations_are_the_same_alone_together_and_twice():
    viewed = Viewed(eyes=Fixation(duration="100 ms"), encoder=EventCamera())
    together = viewed.encode([PICTURE] * 3, seed=2)
    alone = viewed.encode([PICTURE], seed=2, presentations=[2])
    n_units = together.n_units
    assert np.array_equal(together.times[together.offsets[2 * n_units] :], alone.times)
    assert alone.times.size > 0
    first = together.times[: together.offsets[n_units]]
    assert not np.array_equal(first, alone.times)
    randomness = presentation_seed(2, 2)
    assert np.array_equal(viewed.fire(PICTURE, randomness).times, viewed.fire(PICTURE, randomness).times)


def test_without_eyes_movies_pass_unchanged():
    movie = Static(duration="20 ms").view(PICTURE, np.random.SeedSequence(0))
    viewed = Viewed(eyes=None, encoder=Brightest())
    assert viewed.view(movie, np.random.SeedSequence(0)) is movie
    assert viewed.duration(movie) == pytest.approx(0.12)


@pytest.mark.parametrize(
    "eyes", [Fixation(diffusion=20.0), Saccades(path=((0, 0), (0.1, 0.2))), Static(), Flash(), None], ids=repr
)
def test_it_is_described_and_made_again(eyes):
    viewed = Viewed(eyes=eyes, encoder=EventCamera(on_threshold=0.3))
    assert catalogue.encoder(viewed.described()) == viewed


@pytest.mark.parametrize(
    ("act", "says"),
    [
        (lambda: Viewed(encoder=Fixation()), "an encoder of movies, got Fixation"),
        (lambda: Viewed(encoder=Viewed(encoder=EventCamera()), eyes=EventCamera()), "eyes are one of"),
        (lambda: Viewed(encoder=EventCamera()).encode([Movie(np.ones((2, 3, 3)), "1 Hz", 1)], seed=0), "eyes=None"),
        (lambda: Viewed(encoder=EventCamera(), eyes=None).encode([PICTURE], seed=0), "give eyes"),
        (
            lambda: Viewed(encoder=EventCamera()).encode([Sound([0.1], "8 kHz")], seed=0),
            "takes a stimulus of kind Image",
        ),
        (lambda: Viewed(encoder=EventCamera()).encode([PICTURE, Image(np.ones((5, 5)), 1)], seed=0), "one shape"),
    ],
    ids=range(6),
)
def test_what_cannot_be_viewed_is_refused(act, says):
    with pytest.raises(InputError, match=says):
        act()
