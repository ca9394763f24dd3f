"""Views of a picture: shifts, fixation against published statistics, saccades, flashes."""

import numpy as np
import pytest

from snncompare.encoding.stimuli import Image
from snncompare.encoding.visual.eye_movements import Fixation, Flash, Saccades, Static, minimum_jerk
from snncompare.encoding.visual.moving_image import moving_image
from snncompare.errors import InputError

RANDOMNESS = np.random.SeedSequence(3)
PICTURE = Image(np.random.default_rng(0).uniform(size=(7, 9)), 0.1)


def gazes(eyes, n):
    return np.stack([eyes.gaze(np.random.SeedSequence(7, spawn_key=(k,))) for k in range(n)])


class TestShift:
    @pytest.mark.parametrize(("gaze", "rows", "columns"), [((0, 0), 0, 0), ((2, 0), 0, -2), ((-1, 3), -3, 1)])
    def test_whole_pixels_move_the_picture_against_the_gaze(self, gaze, rows, columns):
        seen = moving_image(PICTURE, np.array([gaze], dtype=float), 100.0, margin=4, background=0.25).luminance[0]
        expected = np.full((15, 17), 0.25)
        expected[4 + rows : 11 + rows, 4 + columns : 13 + columns] = PICTURE.luminance
        assert np.array_equal(seen, expected)

    def test_fractions_of_a_pixel_are_interpolated_linearly_in_both_directions(self):
        y, x = np.mgrid[0:8, 0:8]
        plane = Image((0.03 * x + 0.05 * y), 1.0)
        seen = moving_image(plane, np.array([[0.3, 1.6]]), 100.0).luminance[0]
        # A plane is its own interpolation; the last column and the last two rows touch the background. Rounding.
        assert seen[:6, :7] == pytest.approx((plane.luminance + 0.03 * 0.3 + 0.05 * 1.6)[:6, :7], abs=1e-12)
        assert seen[0, 7] == pytest.approx(0.7 * (0.21 + 0.05 * 1.6) + 0.3 * 0.5, abs=1e-12)

    def test_a_gaze_far_away_sees_background_only(self):
        seen = moving_image(PICTURE, np.array([[100.0, -100.0]]), 100.0, background=0.4).luminance
        assert (seen == 0.4).all()

    def test_white_stays_white(self):
        white = Image(np.ones((5, 5)), 1.0)
        seen = moving_image(white, np.random.default_rng(1).uniform(-3, 3, (200, 2)), 100.0, background=1.0)
        assert (seen.luminance == 1.0).all()


class TestStill:
    def test_static_eyes_see_the_same_frame_for_so_long(self):
        movie = Static(duration="30 ms", frame_rate="1 kHz", margin=1, background=0.0).view(PICTURE, RANDOMNESS)
        assert movie.luminance.shape == (30, 9, 11)
        assert movie.duration == pytest.approx(0.03, rel=1e-12)
        assert (movie.luminance[:, 1:-1, 1:-1] == PICTURE.luminance).all()
        assert (movie.luminance[:, 0] == 0.0).all()
        assert movie.degrees_per_pixel == 0.1

    @pytest.mark.parametrize("margin", [0, 2])
    def test_a_flash_is_field_picture_field(self, margin):
        flash = Flash(before="20 ms", shown="10 ms", after="0 ms", frame_rate="200 Hz", margin=margin, background=0.3)
        frames = flash.view(PICTURE, RANDOMNESS).luminance
        assert float(flash.duration) == pytest.approx(0.03)
        assert (frames[:4] == 0.3).all()
        inner = slice(margin, -margin or None)
        assert (frames[4:, inner, inner] == PICTURE.luminance).all()
        assert len(frames) == 6


class TestSaccades:
    def test_the_path_goes_through_its_points_and_rests_there(self):
        eyes = Saccades(path=((0, 0), (0.5, 0), (0.5, -1)), interval="100 ms", movement="60 ms")
        gaze = eyes.gaze(np.array([0.0, 0.03, 0.06, 0.099, 0.1, 0.13, 0.17]))
        expected = [(0, 0), (0.25, 0), (0.5, 0), (0.5, 0), (0.5, 0), (0.5, -0.5), (0.5, -1)]
        # Half of a movement is done at half of its time; rounding.
        assert gaze == pytest.approx(np.array(expected), abs=1e-9)

    def test_minimum_jerk_starts_and_ends_at_rest_and_peaks_at_fifteen_eighths_of_the_mean_velocity(self):
        s = np.linspace(-0.1, 1.1, 120_001)
        velocity = np.gradient(minimum_jerk(s), s)
        # Flash & Hogan (1985): the derivative of 10 s^3 - 15 s^4 + 6 s^5 at 1/2 is 15/8. Steps of 1e-5.
        assert velocity.max() == pytest.approx(1.875, abs=1e-4)
        assert s[velocity.argmax()] == pytest.approx(0.5, abs=1e-3)
        assert abs(velocity[[0, 10_000, 110_000, -1]]).max() < 1e-3

    def test_the_picture_moves_by_parts_of_its_longer_side(self):
        eyes = Saccades(path=((0, 0), (2 / 9, 0)), interval="10 ms", movement="4 ms", frame_rate="500 Hz")
        frames = eyes.view(PICTURE, RANDOMNESS).luminance
        assert len(frames) == 5
        # 2/9 of nine columns; rounding.
        assert frames[-1][:, :7] == pytest.approx(PICTURE.luminance[:, 2:], abs=1e-12)

    def test_the_three_saccades_of_n_mnist_last_300_ms_and_return(self):
        eyes = Saccades(margin=3)
        assert float(eyes.duration) == pytest.approx(0.3)
        frames = eyes.view(Image(np.ones((28, 28)), 1.0), RANDOMNESS).luminance
        assert frames.shape == (150, 34, 34)
        assert frames[-1] == pytest.approx(frames[0], abs=1e-9)


class TestFixation:
    def test_the_variance_of_drift_grows_by_two_d_a_second_in_each_direction(self):
        """Kuang et al. (2012), Rucci & Victor (2015): Brownian motion, about 40 square arc minutes per second."""
        eyes = Fixation(duration="1 s", microsaccade_rate="0 Hz", diffusion=40.0)
        positions = gazes(eyes, 800)
        for frame in (50, 125, 250, 499):
            variance = positions[:, frame].var()
            # 1600 values: standard error of a variance 3.5 %; four of them.
            assert variance == pytest.approx(2 * 40.0 * frame / 500, rel=0.14)
        assert (positions[:, 0] == 0.0).all()

    def test_displacements_at_different_times_are_independent(self):
        steps = np.diff(gazes(Fixation(duration="2 s", microsaccade_rate="0 Hz"), 20), axis=1)
        # 20 000 pairs: standard error 0.007.
        assert abs((steps[:, 1:] * steps[:, :-1]).mean() / steps.var()) < 0.03

    def test_microsaccades_come_one_to_two_a_second_and_are_about_twenty_arc_minutes_long(self):
        """Martinez-Conde et al. (2009): 1 to 2 per second; means of 13.7 to 38.4 arc minutes in 10 studies."""
        eyes = Fixation(duration="2000 s", frame_rate="1 Hz")
        found = np.array(eyes.microsaccades(np.random.default_rng(0)))
        # About 3000 of them: standard errors 1.8 % (rate), 0.9 % (amplitude, coefficient of variation 1/2).
        assert len(found) / 2000 == pytest.approx(1.5, rel=0.07)
        assert found[:, 1].mean() == pytest.approx(20.0, rel=0.04)
        assert 13.7 < found[:, 1].mean() < 38.4
        assert found[:, 1].std() / found[:, 1].mean() == pytest.approx(0.5, rel=0.1)
        assert (np.diff(found[:, 0]) >= eyes.microsaccade_duration).all()
        # Directions are uniform: the mean of 3000 unit vectors has a length of 0.02.
        assert abs(np.exp(1j * found[:, 2]).mean()) < 0.06

    def test_the_peak_velocity_of_microsaccades_lies_on_the_main_sequence(self):
        """Zuber, Stark & Cook (1965): linear in amplitude; 20 arc minutes last 10 to 30 ms, at tens of degrees per second."""
        eyes = Fixation(duration="1 s", frame_rate="10 kHz", diffusion=0.0, microsaccade_rate="1 Hz")
        amplitudes, peaks, times = [], [], []
        for k in range(60):
            randomness = np.random.SeedSequence(k)
            rng = np.random.default_rng(randomness)
            rng.standard_normal((10_000, 2))  # the drift is drawn first
            events = eyes.microsaccades(rng)
            if len(events) == 1 and events[0][0] < 0.9:
                speed = np.linalg.norm(np.diff(eyes.gaze(randomness), axis=0), axis=1) * 10_000 / 60
                amplitudes.append(events[0][1] / 60)
                peaks.append(speed.max())
                times.append((speed > 0.05 * speed.max()).sum() / 10_000)
        assert len(peaks) > 10
        # Peaks are sampled at 10 kHz.
        assert np.array(peaks) == pytest.approx(80.0 * np.array(amplitudes), rel=1e-2)
        assert 0.01 < min(times) <= max(times) < 0.03
        assert 10 < np.mean(peaks) < 100

    def test_each_part_of_fixation_matters(self):
        still = Fixation(diffusion=0.0, microsaccade_rate="0 Hz")
        assert (gazes(still, 3) == 0.0).all()
        for change in ({"diffusion": 10.0}, {"microsaccade_rate": "8 Hz"}, {"tremor": 0.3}):
            assert gazes(Fixation(**({"diffusion": 0.0, "microsaccade_rate": "0 Hz"} | change)), 3).std() > 0.05

    def test_tremor_has_the_wanted_size_and_lies_near_ninety_hertz(self):
        """Martinez-Conde, Macknik & Hubel (2004): about 90 Hz, amplitude about the diameter of a cone (0.5')."""
        eyes = Fixation(duration="20 s", diffusion=0.0, microsaccade_rate="0 Hz", tremor=0.3)
        gaze = gazes(eyes, 4)
        # 80 s of noise 20 Hz wide: standard error of the standard deviation about 2 %.
        assert gaze.std() == pytest.approx(0.3, rel=0.08)
        power = (abs(np.fft.rfft(gaze, axis=1)) ** 2).mean(axis=(0, 2))
        frequency = np.fft.rfftfreq(gaze.shape[1], 1 / 500)
        assert power[(frequency > 60) & (frequency < 120)].sum() > 0.7 * power.sum()
        assert np.median(np.repeat(frequency, (power / power.max() * 100).astype(int))) == pytest.approx(90, abs=5)

    def test_the_view_follows_the_gaze_and_the_visual_angle(self):
        eyes = Fixation(duration="100 ms", background=0.2)
        movie = eyes.view(PICTURE, RANDOMNESS)
        gaze = eyes.gaze(RANDOMNESS) / 60 / 0.1
        assert np.array_equal(movie.luminance, moving_image(PICTURE, gaze, 500.0, background=0.2).luminance)
        assert not np.array_equal(movie.luminance, eyes.view(Image(PICTURE.luminance, 0.2), RANDOMNESS).luminance)

    def test_the_same_randomness_gives_the_same_view_and_another_one_does_not(self):
        eyes = Fixation(duration="100 ms")
        one, again = (eyes.view(PICTURE, np.random.SeedSequence(5)).luminance for _ in range(2))
        assert np.array_equal(one, again)
        assert not np.array_equal(one, eyes.view(PICTURE, np.random.SeedSequence(6)).luminance)


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: Fixation(duration="0 ms"), "duration must be positive"),
        (lambda: Fixation(diffusion=-1.0), "diffusion must be a number of 0 or more"),
        (lambda: Fixation(background=1.5), "background must be a number from 0 to 1"),
        (lambda: Fixation(margin=-1), "margin must be a whole number"),
        (lambda: Fixation(microsaccade_rate="60 Hz"), "would overlap"),
        (lambda: Fixation(tremor=0.5, frame_rate="100 Hz"), "at least 220 frames"),
        (lambda: Saccades(path=((0, 0),)), "at least two points"),
        (lambda: Saccades(path=((0, 0), (float("nan"), 0))), "at least two points"),
        (lambda: Saccades(movement="101 ms"), "does not fit"),
        (lambda: Static(duration="3 ms").view(PICTURE, RANDOMNESS), r"is 1.5 frames of 500 Hz"),
        (lambda: Flash(before="1 ms").view(PICTURE, RANDOMNESS), "a whole number of frames"),
        (lambda: Fixation(duration="3601 s"), "at most an hour"),
        (lambda: Static(duration="7200 s"), "at most an hour"),
        (lambda: Flash(before="1800 s", shown="1800 s", after="1 s"), "at most an hour"),
        (lambda: Saccades(interval="1201 s"), "at most an hour"),
        (lambda: Static(margin=1001), "margin must be a whole number from 0 to 1000"),
    ],
    ids=range(16),
)
def test_eyes_that_cannot_be_are_refused(make, says):
    with pytest.raises(InputError, match=says):
        make()
