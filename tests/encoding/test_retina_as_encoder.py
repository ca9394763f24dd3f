"""The retina and the geniculate are encoders: described, determined by their seeds, and firm with bad input."""

import hashlib
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from snncompare.encoding.catalogue import encoder
from snncompare.encoding.encoder import presentation_seed
from snncompare.encoding.stimuli import Image, Movie
from snncompare.encoding.visual.cones import Cones
from snncompare.encoding.visual.ganglion_cells import MIDGET_OFF, MIDGET_ON, PARASOL_ON, GanglionCells
from snncompare.encoding.visual.laboratory_stimuli import drifting_grating, first_harmonic, flicker, light_step
from snncompare.encoding.visual.lgn import LGN
from snncompare.encoding.visual.mosaic import Mosaic
from snncompare.encoding.visual.retina import Retina
from snncompare.encoding.visual.spiking import IntegrateAndFire
from snncompare.encoding.visual.temporal_filter import ContrastGainControl, TemporalFilter
from snncompare.errors import InputError, UnitError

SMALL = Retina(field=(0.6, 0.6))
OTHER = Retina(
    field=(0.7, 0.5),
    centre=(-3.0, 4.0),
    classes=(replace(PARASOL_ON, gain=300.0), MIDGET_OFF),
    mosaic=Mosaic(jitter=0.05),
    cones=Cones(dark_light=0.1),
    spiking=IntegrateAndFire(noise=0.3),
    background=0.4,
    step="1 ms",
    seed=5,
)


def movie(n=20, shape=(12, 9), seed=0, rate="50 Hz"):
    return Movie(np.random.default_rng(seed).random((n, *shape)), rate, 0.1)


class TestDescription:
    @pytest.mark.parametrize(
        "value", [Retina(), OTHER, LGN(), LGN(retina=OTHER, inputs=2)], ids=["retina", "other", "lgn", "convergent"]
    )
    def test_an_encoder_survives_plain_data(self, value):
        assert encoder(value.described()) == value
        assert hash(encoder(value.described())) == hash(value)

    def test_a_few_words_are_enough(self):
        assert encoder({"kind": "Retina", "field": [3, 2], "spiking": {"kind": "IntegrateAndFire"}}).field == (3.0, 2.0)


class TestDeterminism:
    @pytest.mark.parametrize("value", [SMALL, OTHER, LGN(retina=SMALL, inputs=2)], ids=["retina", "other", "lgn"])
    def test_a_presentation_is_the_same_in_any_company(self, value):
        movies = [movie(seed=k) for k in range(3)]
        together = value.encode(movies, seed=1)
        alone = value.encode([movies[2]], seed=1, presentations=[2])
        last = together.select(trials=np.array([False, False, True]))
        assert np.array_equal(last.times, alone.times)
        assert together.equals(value.encode(movies, seed=1))
        assert not np.array_equal(together.times, value.encode(movies, seed=2).times)

    @pytest.mark.slow
    def test_another_process_fires_the_same_spikes(self):
        code = (
            "import hashlib, numpy as np\n"
            "from snncompare.encoding.visual.retina import Retina\n"
            "from snncompare.encoding.visual.laboratory_stimuli import flicker\n"
            "from snncompare.encoding.encoder import presentation_seed\n"
            "s = Retina(field=(0.6, 0.6)).fire(flicker(4.0, 0.5, duration=0.2), presentation_seed(3, 1))\n"
            "print(hashlib.sha256(s.times.tobytes() + s.counts.tobytes()).hexdigest())"
        )
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120)
        spikes = SMALL.fire(flicker(4.0, 0.5, duration=0.2), presentation_seed(3, 1))
        assert done.stdout.strip() == hashlib.sha256(spikes.times.tobytes() + spikes.counts.tobytes()).hexdigest()

    def test_chunks_of_a_long_movie_fit_together(self, monkeypatch):
        whole = SMALL.rates(movie()).values
        monkeypatch.setattr("snncompare.encoding.visual.retina._CHUNK", 1000)
        # Sums over pixels may be taken in another order.
        assert SMALL.rates(movie()).values == pytest.approx(whole, abs=1e-8)


class TestStimuli:
    @pytest.mark.parametrize("shape", [(1, 1), (1, 40), (40, 1), (7, 31), (64, 3)], ids=str)
    @pytest.mark.parametrize("n", [1, 3])
    def test_pictures_of_any_shape_and_a_single_frame_are_seen(self, shape, n):
        recording = SMALL.encode([movie(n, shape, rate="20 Hz")], seed=0)
        assert recording.times.max() <= n / 20.0
        assert len(recording.units) == len(SMALL.cells())

    def test_a_black_movie_and_a_white_one_are_seen(self):
        for light in (0.0, 1.0):
            rates = SMALL.rates(Movie(np.full((2, 4, 4), light), "20 Hz", 0.1)).values
            assert np.isfinite(rates).all()

    def test_very_small_and_very_large_pixels_are_seen(self):
        for degrees in (1e-4, 50.0):
            assert np.isfinite(SMALL.rates(Movie(np.ones((1, 30, 30)), "20 Hz", degrees)).values).all()

    def test_movies_with_nan_are_refused(self):
        with pytest.raises(InputError, match="not finite"):
            Movie(np.full((2, 3, 3), np.nan), "20 Hz", 0.1)

    def test_an_image_is_no_movie(self):
        with pytest.raises(InputError, match="Movie"):
            SMALL.rates(Image(np.ones((3, 3)), 0.1))
        with pytest.raises(InputError, match="Movie"):
            SMALL.encode([Image(np.ones((3, 3)), 0.1)], seed=0)

    def test_frames_shorter_than_the_inner_step_are_refused_and_a_shorter_step_helps(self):
        fast = movie(rate="1 kHz")
        with pytest.raises(InputError, match="step='1 ms'"):
            SMALL.rates(fast)
        assert replace(SMALL, step="1 ms").rates(fast).values.shape[1] == 20


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: Retina(field=(1.0, 0.0)), "field"),
        (lambda: Retina(field=3.0), "two positive numbers"),
        (lambda: Retina(centre=(np.nan, 0.0)), "centre"),
        (lambda: Retina(classes=()), "at least one class"),
        (lambda: Retina(classes=(MIDGET_ON, MIDGET_ON)), "differ"),
        (lambda: Retina(classes=("midget",)), "classes"),
        (lambda: Retina(mosaic=3), "mosaic"),
        (lambda: Retina(cones=None), "cones"),
        (lambda: Retina(spiking="poisson"), "spiking"),
        (lambda: Retina(step="0 ms"), "step"),
        (lambda: Retina(background=2.0), "background"),
        (lambda: Retina(seed=-1), "seed"),
        (lambda: Cones(instantaneous=1.0), "instantaneous"),
        (lambda: Cones(dark_light=0.0), "dark_light"),
        (lambda: ContrastGainControl(half_contrast=0.0), "half_contrast"),
        (lambda: replace(MIDGET_ON, polarity="GREEN"), "polarity"),
        (lambda: replace(MIDGET_ON, name=""), "name"),
        (lambda: replace(MIDGET_ON, gain=-1.0), "gain"),
        (lambda: replace(MIDGET_ON, baseline=np.inf), "baseline"),
        (lambda: replace(MIDGET_ON, receptive_field=None), "receptive_field"),
        (lambda: replace(MIDGET_ON.temporal_filter, low_pass_stages=0.0), "low_pass_stages"),
        (lambda: replace(MIDGET_ON.temporal_filter, high_pass_strength=1.5), "high_pass_strength"),
        (lambda: replace(MIDGET_ON.temporal_filter, gain_control=3), "gain_control"),
        (lambda: drifting_grating(1.0, 4.0, 1.5, degrees=1.0, pixels=5), "contrast"),
        (lambda: light_step(-1.5, radius=1.0, degrees=1.0, pixels=5), "from -1"),
    ],
)
def test_parameters_that_describe_no_retina_are_refused_by_name(make, words):
    with pytest.raises(InputError, match=words):
        make()


def test_times_without_units_are_refused():
    with pytest.raises(UnitError):
        Retina(step=0.002)
    with pytest.raises(UnitError):
        TemporalFilter(
            delay=2, low_pass_delay="40 ms", low_pass_stages=30.0, high_pass_strength=1.0, high_pass_time="40 ms"
        )


def test_the_first_harmonic_is_that_of_a_sine_whatever_the_mean_and_window():
    t = (np.arange(437) + 0.5) * 0.002
    waves = np.stack([5.0 + 3.0 * np.cos(2 * np.pi * 7.3 * t + 0.4), np.full(t.size, 2.0)])
    found = first_harmonic(waves, 0.002, 7.3)
    assert found == pytest.approx([3.0 * np.exp(0.4j), 0.0], abs=1e-9)


def test_a_class_of_ones_own_is_encoded():
    own = GanglionCells(
        name="brisk",
        polarity="OFF",
        receptive_field=replace(PARASOL_ON.receptive_field, radius_at_fovea=0.2),
        temporal_filter=PARASOL_ON.temporal_filter,
        gain=100.0,
        baseline=5.0,
    )
    recording = Retina(classes=(own,), field=(2.0, 2.0)).encode([movie()], seed=0)
    assert recording.units.index[0] == "OFF brisk 0"
