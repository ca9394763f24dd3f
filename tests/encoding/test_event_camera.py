"""Events of a dynamic vision sensor against closed forms: thresholds, refractoriness, bandwidth, leak, noise."""

import numpy as np
import pytest

from snncompare.encoding import catalogue
from snncompare.encoding.stimuli import Image, Movie
from snncompare.encoding.visual.event_camera import EventCamera, pixel_units
from snncompare.encoding.visual.eye_movements import Saccades
from snncompare.errors import InputError

IDEAL = {
    "threshold_sd": 0.0,
    "cutoff": "0 Hz",
    "refractory": "0 ms",
    "leak_rate": "0 Hz",
    "shot_noise_rate": "0 Hz",
}
RANDOMNESS = np.random.SeedSequence(0)
DARK = 0.05


def movie_of(log_current, rate=100.0):
    """Return a movie of one row of pixels from logs of photocurrents, shape (n_frames, n_pixels)."""
    luminance = np.exp(log_current) - DARK
    return Movie(luminance[:, np.newaxis, :], f"{rate} Hz", 1.0)


def counts_of(camera, movie, randomness=RANDOMNESS):
    """Return numbers of OFF and ON events of each pixel, shape (n_pixels, 2)."""
    return camera.fire(movie, randomness).counts.reshape(-1, 2)


class TestThresholds:
    def test_the_number_of_events_is_the_log_change_over_the_threshold_rounded_down(self):
        change = np.random.default_rng(1).uniform(0.0, 2.5, 400)
        change = change[abs(change / 0.15 % 1 - 0.5) < 0.49]  # not so near a whole number that rounding decides
        start = np.log(0.06)
        rise = movie_of(start + np.outer([0, 0.2, 0.9, 1], change))
        fall = movie_of(start + np.outer([1, 0.7, 0.1, 0], change))
        camera = EventCamera(on_threshold=0.15, off_threshold=0.15, **IDEAL)
        floor = np.floor(change / 0.15)
        assert np.array_equal(counts_of(camera, rise), np.stack([0 * floor, floor], axis=1))
        assert np.array_equal(counts_of(camera, fall), np.stack([floor, 0 * floor], axis=1))

    def test_on_and_off_have_thresholds_of_their_own(self):
        up_and_down = movie_of(np.log(0.06) + np.array([[0.0], [1.0], [0.0]]))
        assert counts_of(EventCamera(on_threshold=0.15, off_threshold=0.3, **IDEAL), up_and_down).tolist() == [[3, 6]]
        assert counts_of(EventCamera(on_threshold=0.3, off_threshold=0.15, **IDEAL), up_and_down).tolist() == [[6, 3]]

    def test_a_movie_and_its_negative_in_log_intensity_swap_on_and_off_events(self):
        walk = np.cumsum(np.random.default_rng(2).normal(0, 0.2, (300, 20)), axis=0)
        walk -= walk.mean(axis=0)
        middle = (np.log(DARK) + np.log(1 + DARK)) / 2
        walk *= 1.4 / abs(walk).max()
        camera = EventCamera(**IDEAL)
        one, other = (counts_of(camera, movie_of(middle + sign * walk)) for sign in (1, -1))
        assert np.array_equal(one, other[:, ::-1])
        assert one.sum() > 100
        assert not np.array_equal(one, other)

    def test_times_are_where_the_straight_line_between_frames_crosses(self):
        movie = movie_of(np.log(0.1) + np.array([[0.0], [0.5], [0.5], [0.98]]), rate=10.0)
        spikes = EventCamera(on_threshold=0.2, **IDEAL).fire(movie, RANDOMNESS)
        # 0.2 and 0.4 of 0.5 within the first tenth of a second, 0.6 and 0.8 within the third; rounding.
        assert spikes.times == pytest.approx([0.04, 0.08, 0.2 + 0.01 / 0.48, 0.2 + 0.03 / 0.48], abs=1e-12)

    def test_a_still_picture_causes_no_events(self):
        still = Movie(np.random.default_rng(3).uniform(size=(1, 5, 6)).repeat(50, axis=0), "100 Hz", 1.0)
        noiseless = EventCamera(leak_rate="0 Hz", shot_noise_rate="0 Hz")
        assert counts_of(noiseless, still).sum() == 0

    def test_thresholds_differ_from_pixel_to_pixel_as_wanted(self):
        """The time of the first event on a ramp is threshold over slope."""
        ramp = movie_of(np.log(0.06) + np.outer([0.0, 2.0], np.ones(4000)), rate=1.0)
        spread = IDEAL | {"threshold_sd": 0.03}
        spikes = EventCamera(**spread).fire(ramp, RANDOMNESS)
        first = spikes.times[np.cumsum(spikes.counts)[1::2] - spikes.counts[1::2]] * 2.0
        # 4000 thresholds: standard errors 0.0005 (mean) and 0.0003 (standard deviation).
        assert first.mean() == pytest.approx(0.2, abs=0.002)
        assert first.std() == pytest.approx(0.03, abs=0.0015)
        assert counts_of(EventCamera(seed=1, **spread), ramp).tolist() != spikes.counts.reshape(-1, 2).tolist()

    def test_dark_current_limits_the_contrast(self):
        step = Movie(np.array([0.0, 1.0]).reshape(2, 1, 1), "10 Hz", 1.0)
        for dark in (0.01, 0.1):
            camera = EventCamera(dark_current=dark, **IDEAL)
            assert counts_of(camera, step)[0, 1] == int(np.log((1 + dark) / dark) / 0.2)


class TestTime:
    def test_on_a_ramp_the_refractory_period_is_added_to_every_interval(self):
        ramp = movie_of(np.log(0.06) + np.linspace(0, 2.5, 101)[:, np.newaxis], rate=100.0)
        camera = EventCamera(on_threshold=0.1, **(IDEAL | {"refractory": "7 ms"}))
        intervals = np.diff(camera.fire(ramp, RANDOMNESS).times)
        # 0.1 over a slope of 2.5 per second; rounding.
        assert intervals == pytest.approx(0.04 + 0.007, abs=1e-9)
        without = np.diff(EventCamera(on_threshold=0.1, **IDEAL).fire(ramp, RANDOMNESS).times)
        assert without == pytest.approx(0.04, abs=1e-9)

    def test_no_two_events_of_a_pixel_are_closer_than_the_refractory_period(self):
        flicker = Movie(np.random.default_rng(4).uniform(size=(300, 3, 3)), "1 kHz", 1.0)
        camera = EventCamera(refractory="2 ms", shot_noise_rate="300 Hz")
        spikes = camera.fire(flicker, RANDOMNESS)
        trains = np.split(spikes.times, np.cumsum(spikes.counts)[:-1])
        pixels = [np.sort(np.concatenate(trains[k : k + 2])) for k in range(0, 18, 2)]
        assert min(np.diff(pixel).min() for pixel in pixels) >= 0.002 - 1e-12
        assert sum(pixel.size for pixel in pixels) > 200

    def test_a_step_passes_the_photoreceptor_as_a_first_order_low_pass(self):
        """The event n on a step of height H comes at -tau ln(1 - n theta / H) after it."""
        frames = np.full((2000, 1), np.log(1.0))
        frames[:100] = np.log(0.5)
        movie = movie_of(frames, rate=10_000.0)
        spikes = EventCamera(on_threshold=0.1, **(IDEAL | {"cutoff": "20 Hz"})).fire(movie, RANDOMNESS)
        tau = (1 + DARK) / (2 * np.pi * 20.0 * 1.0)
        n = np.arange(1, 7)
        expected = -tau * np.log(1 - 0.1 * n / np.log(2.0))
        # The step is a ramp of one frame, 0.1 ms, before frame 100; the bandwidth within it is that of its middle.
        assert spikes.times[:6] - 0.01 == pytest.approx(expected, abs=1.5e-4)
        fast = EventCamera(on_threshold=0.1, **IDEAL).fire(movie, RANDOMNESS).times
        assert (fast <= 0.01).all()

    def test_darkness_makes_pixels_slow(self):
        """Lichtsteiner et al. (2008): the bandwidth of the photoreceptor is proportional to its current."""
        first = []
        for level in (0.1, 1.0):
            frames = np.full((3000, 1), np.log(level))
            frames[:10] = np.log(level * 0.7)
            camera = EventCamera(**(IDEAL | {"cutoff": "50 Hz"}))
            first.append(camera.fire(movie_of(frames, rate=10_000.0), RANDOMNESS).times[0] - 0.001)
        # The same contrast at a tenth of the current; the ramp of one frame counts in the fast one.
        assert first[0] / first[1] == pytest.approx(10.0, rel=0.03)


class TestNoise:
    STILL = Movie(np.full((4, 40, 40), 0.5), "0.04 Hz", 1.0)
    """100 s of 1600 pixels of grey."""

    def test_leak_causes_on_events_at_its_rate(self):
        counts = counts_of(EventCamera(**(IDEAL | {"leak_rate": "0.1 Hz"})), self.STILL)
        # Each pixel has 10, or one less where rounding of the last decides.
        assert counts[:, 0].sum() == 0
        assert counts[:, 1].mean() == pytest.approx(10.0, abs=0.01)
        spikes = EventCamera(**(IDEAL | {"leak_rate": "0.1 Hz"})).fire(self.STILL, RANDOMNESS)
        # Pixels are not in step: phases are uniform, standard error of the mean 0.07 s.
        assert (spikes.times % 10.0).mean() == pytest.approx(5.0, abs=0.3)

    def test_shot_noise_has_its_rate_half_of_it_on_and_falls_with_luminance(self):
        for level, factor in ((0.0, 1.0), (0.5, 0.625), (1.0, 0.25)):
            grey = Movie(np.full((4, 40, 40), level), "0.04 Hz", 1.0)
            counts = counts_of(EventCamera(**(IDEAL | {"shot_noise_rate": "0.2 Hz"})), grey).sum(axis=0)
            # At least 8000 events: standard error of a half at most 1.6 %.
            assert counts == pytest.approx(np.full(2, 0.5 * 0.2 * factor * 100 * 1600), rel=0.06)

    def test_without_noise_there_is_none(self):
        assert counts_of(EventCamera(**IDEAL), self.STILL).sum() == 0

    def test_noise_follows_the_randomness_of_the_presentation_thresholds_do_not(self):
        eyes = Saccades(interval="20 ms", movement="20 ms")
        movie = eyes.view(Image(np.random.default_rng(0).uniform(size=(8, 8)), 1.0), RANDOMNESS)
        quiet = EventCamera(leak_rate="0 Hz", shot_noise_rate="0 Hz")
        one, other = (quiet.fire(movie, np.random.SeedSequence(k)).times for k in (0, 1))
        assert np.array_equal(one, other)
        noisy = EventCamera(shot_noise_rate="20 Hz")
        one, again, other = (noisy.fire(movie, np.random.SeedSequence(k)).times for k in (0, 0, 1))
        assert np.array_equal(one, again)
        assert not np.array_equal(one, other)


def test_units_are_pixels_by_polarity_in_rows():
    units = pixel_units(3, 2)
    assert units.index[:3].tolist() == ["0,0 off", "0,0 on", "1,0 off"]
    assert units.loc["2,1 on"].tolist() == [2, 1, 1]
    assert (2 * (units["y"] * 3 + units["x"]) + units["polarity"]).tolist() == list(range(12))


def test_the_unit_of_an_event_is_its_pixel_and_sign():
    frames = np.full((3, 4, 5), 0.5)
    frames[1:, 2, 3] = 1.0
    frames[1:, 0, 4] = 0.1
    recording = EventCamera(**IDEAL).encode([Movie(frames, "100 Hz", 1.0)], seed=0)
    fired = recording.units[np.diff(recording.offsets) > 0]
    assert fired.index.tolist() == ["4,0 off", "3,2 on"]


def test_long_trains_and_many_pixels_outgrow_the_first_buffers():
    """Everything a pixel fires is kept, also where arrays had to grow."""
    n = 3000
    steps = np.where(np.arange(n) % 2, 0.06, 1.0)[:, np.newaxis, np.newaxis] * np.ones((1, 1, 70))
    counts = counts_of(EventCamera(**IDEAL), Movie(steps, "1 kHz", 1.0))
    per_step = int(np.log(1.05 / 0.11) / 0.2)
    # After the first step down, up and down cancel to within one event a step.
    assert (abs(counts / (n / 2) - per_step) <= 1).all()
    assert (counts == counts[0]).all()


def test_it_is_described_and_made_again():
    camera = EventCamera(on_threshold=0.3, cutoff="50 Hz", seed=3)
    assert catalogue.encoder(camera.described()) == camera


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"on_threshold": 0.0}, "on_threshold must be a positive number"),
        ({"off_threshold": float("nan")}, "off_threshold must be a positive number"),
        ({"threshold_sd": -0.1}, "threshold_sd must be a number of 0 or more"),
        ({"dark_current": 0.0}, "dark_current must be a positive"),
        ({"refractory": "-1 ms"}, "refractory must be 0 or more"),
        ({"leak_rate": 3}, "has no unit"),
        ({"seed": -1}, "seed must be a whole number"),
    ],
    ids=str,
)
def test_cameras_that_cannot_be_are_refused(change, says):
    with pytest.raises(InputError, match=says):
        EventCamera(**change)


def test_pictures_and_movies_that_hold_no_numbers_are_refused():
    with pytest.raises(InputError, match="takes a stimulus of kind Movie"):
        EventCamera().encode([Image(np.ones((3, 3)), 1.0)], seed=0)
    with pytest.raises(InputError, match="not finite"):
        Movie(np.full((2, 3, 3), np.nan), "1 Hz", 1.0)
    with pytest.raises(InputError, match="shape"):
        Image(np.ones((3, 3, 3)), 1.0)
