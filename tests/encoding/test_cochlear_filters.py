"""Places, sharpness and compression of the basilar membrane are the published ones."""

import numpy as np
import pytest

from snncompare.encoding.auditory.basilar_membrane import REFERENCE_PRESSURE, DualResonance, Gammachirp, Gammatone
from snncompare.encoding.auditory.place_maps import characteristic_frequencies, place_of, ten_db_bandwidth
from snncompare.encoding.auditory.single_precision import LANES
from snncompare.errors import InputError

RATE = 40_000.0
N = 40_000


def moved(filters, frequency, sound):
    stages = filters.stages(np.array([frequency]), RATE)
    motion = stages.motion(sound.astype(np.float32), np.zeros(LANES, dtype=np.int64)).reshape(-1, LANES)
    return motion[:, LANES // 2].astype(np.float64)


def spectrum(filters, frequency):
    """Return frequencies and gain in dB of a click far below the knee."""
    click = np.zeros(N)
    click[0] = 1e-9
    with np.errstate(divide="ignore"):
        gain = 20 * np.log10(np.abs(np.fft.rfft(moved(filters, frequency, click))) / 1e-9)
    return np.fft.rfftfreq(N, 1 / RATE), gain


def width(frequencies, gain, down=10.0):
    inside = np.flatnonzero(gain > gain.max() - down)
    return frequencies[inside[-1]] - frequencies[inside[0]]


def tone_response(filters, place, frequency, level_db):
    """Return the amplitude of the steady response in dB relative to 0 dB SPL."""
    t = np.arange(8000) / RATE
    amplitude = np.sqrt(2) * REFERENCE_PRESSURE * 10 ** (level_db / 20)
    motion = moved(filters, place, amplitude * np.sin(2 * np.pi * frequency * t))
    return 20 * np.log10(np.sqrt(np.mean(motion[4000:] ** 2)) / REFERENCE_PRESSURE)


class TestPlaces:
    def test_the_map_of_the_cat_has_its_published_ends(self):
        # Liberman (1982): F = 456 (10^(2.1 x) - 0.80): 91 Hz at the apex, 57 kHz at the base of 25 mm.
        assert place_of([91.2, 57_042.0], "cat") == pytest.approx([0.0, 25.0], abs=0.01)
        # Greenwood (1990): human, 20 Hz to 20.7 kHz over 35 mm.
        assert place_of([19.9, 20_677.0], "human") == pytest.approx([0.0, 35.0], abs=0.01)

    def test_places_lie_at_equal_distances_and_frequencies_do_not(self):
        frequencies = characteristic_frequencies(125.0, 8000.0, 9, "cat")
        assert frequencies[[0, -1]] == pytest.approx([125.0, 8000.0])
        assert np.ptp(np.diff(place_of(frequencies, "cat"))) < 1e-9
        assert np.ptp(np.diff(np.log(frequencies))) > 0.05

    def test_species_differ(self):
        assert place_of(1000.0, "cat") / 25 != pytest.approx(place_of(1000.0, "human") / 35, abs=0.02)

    @pytest.mark.parametrize(
        ("frequencies", "species", "fault"),
        [([50.0], "cat", "beyond"), ([60e3], "cat", "beyond"), ([500.0], "cow", "cow"), ([np.nan], "cat", "beyond")],
        ids=["too low", "too high", "no map", "no number"],
    )
    def test_places_that_do_not_exist_are_refused(self, frequencies, species, fault):
        with pytest.raises(InputError, match=fault):
            place_of(frequencies, species)

    def test_the_published_bandwidths_come_out(self):
        # Glasberg & Moore (1990): an ERB of 132.6 Hz at 1 kHz; Zhang et al. (2001): Q10 of 2.93 and 8.65.
        assert ten_db_bandwidth(1000.0, "human") / 1.797 == pytest.approx(132.6, abs=0.2)
        assert [1e3, 1e4] / ten_db_bandwidth([1e3, 1e4], "cat") == pytest.approx([2.93, 8.65], abs=0.01)
        with pytest.raises(InputError, match="mouse"):
            ten_db_bandwidth(1000.0, "mouse")


@pytest.mark.parametrize("frequency", [300.0, 1000.0, 8000.0])
@pytest.mark.parametrize("tuning", ["cat", "human"])
@pytest.mark.parametrize("kind", [Gammatone, Gammachirp, DualResonance])
def test_filters_peak_at_their_frequency_and_are_as_wide_as_asked(kind, tuning, frequency):
    frequencies, gain = spectrum(kind(tuning=tuning), frequency)
    # The cascade of the gammachirp is right to about 1 dB; a filter as wide as its frequency folds over at 0 Hz.
    assert frequencies[gain.argmax()] == pytest.approx(frequency, rel=0.015)
    assert gain.max() == pytest.approx(0.0, abs=0.1)
    assert width(frequencies, gain) == pytest.approx(ten_db_bandwidth(frequency, tuning), rel=0.06)


def test_a_filter_of_another_tuning_or_order_is_seen():
    """Negative control of widths and shapes."""
    frequencies, cat = spectrum(Gammatone(), 1000.0)
    assert width(frequencies, cat) > 1.3 * ten_db_bandwidth(1000.0, "human")
    steep, shallow = (width(*spectrum(Gammatone(order=n), 1000.0), down=40.0) for n in (4, 2))
    assert shallow > 1.3 * steep


def test_a_fourth_order_gammatone_with_human_tuning_has_the_usual_decay():
    decay = -np.log(np.abs(Gammatone(tuning="human").stages(np.array([1000.0]), RATE).poles[0, 0])) * RATE
    # Patterson et al.: b = 1.019 ERB, ERB = 132.64 Hz.
    assert decay / (2 * np.pi) == pytest.approx(1.019 * 132.64, rel=1e-3)


@pytest.mark.parametrize("chirp", [-2.0, -1.0])
def test_the_gammachirp_follows_its_formula(chirp):
    frequency, order = 1000.0, 4
    frequencies, gain = spectrum(Gammachirp(chirp=chirp), frequency)

    def formula(b, centre):
        y = (frequencies - centre) / b
        level = 20 * np.log10(np.exp(chirp * np.arctan(y)) / (1 + y**2) ** (order / 2))
        return level - level.max()

    b = ten_db_bandwidth(frequency, "cat") / width(np.arange(-10, 10, 1e-3), _level(chirp))
    expected = formula(b, frequency - b * chirp / order)
    near = expected > -30
    # Irino & Unoki (1999) report errors of about 1 dB for their cascade.
    assert np.abs(gain - expected)[near].max() < 1.3
    flat = 20 * np.log10(1 / (1 + ((frequencies - frequency) / b) ** 2) ** (order / 2))
    assert np.abs(gain - flat)[near].max() > 3.0


def _level(chirp):
    y = np.arange(-10, 10, 1e-3)
    return 20 * np.log10(np.exp(chirp * np.arctan(y)) / (1 + y**2) ** 2)


def test_the_upper_flank_of_a_gammachirp_is_steeper_than_the_lower_one():
    def asymmetry(filters):
        frequencies, gain = spectrum(filters, 4000.0)
        inside = np.flatnonzero(gain > -30)
        return (4000.0 - frequencies[inside[0]]) / (frequencies[inside[-1]] - 4000.0)

    assert asymmetry(Gammachirp()) > 1.3
    assert asymmetry(Gammatone()) == pytest.approx(1.0, abs=0.05)


class TestCompression:
    """Robles & Ruggero (2001) section III.B: at the CF, 0.2 to 0.5 dB/dB from 30 or 40 to about 80 dB SPL."""

    @pytest.mark.parametrize("place", [1000.0, 8000.0])
    def test_growth_at_the_characteristic_frequency(self, place):
        soft, knee, loud = (tone_response(DualResonance(), place, place, level) for level in (0.0, 20.0, 70.0))
        assert (knee - soft) / 20 == pytest.approx(1.0, abs=0.02)
        growth = (loud - tone_response(DualResonance(), place, place, 40.0)) / 30
        assert 0.2 <= growth <= 0.5

    def test_a_tone_an_octave_below_is_not_compressed(self):
        low, high = (tone_response(DualResonance(), 8000.0, 4000.0, level) for level in (40.0, 70.0))
        assert (high - low) / 30 == pytest.approx(1.0, abs=0.05)

    def test_linear_filters_do_not_compress(self):
        """Negative control."""
        for filters in (Gammatone(), Gammachirp(), DualResonance(exponent=1.0)):
            low, high = (tone_response(filters, 1000.0, 1000.0, level) for level in (40.0, 70.0))
            assert (high - low) / 30 == pytest.approx(1.0, abs=0.01)

    @pytest.mark.parametrize(
        "change",
        [
            {"knee_db": 45.0},
            {"exponent": 0.4},
            {"tail_attenuation_db": 30.0},
            {"tail_centre": 0.9},
            {"tail_bandwidth": 0.8},
            {"tuning": "human"},
        ],
        ids=str,
    )
    def test_every_parameter_matters(self, change):
        def responses(filters):
            return np.array([tone_response(filters, 1000.0, f, 80.0) for f in (500.0, 800.0, 1000.0)])

        assert np.abs(responses(DualResonance(**change)) - responses(DualResonance())).max() > 1.0


@pytest.mark.parametrize(
    ("kind", "wrong"),
    [
        (Gammatone, {"order": 0}),
        (Gammatone, {"tuning": "bat"}),
        (Gammachirp, {"chirp": 1.0}),
        (Gammachirp, {"chirp": float("nan")}),
        (DualResonance, {"exponent": 0.0}),
        (DualResonance, {"exponent": 1.5}),
        (DualResonance, {"tail_attenuation_db": -1.0}),
        (DualResonance, {"tail_bandwidth": 0.0}),
    ],
    ids=str,
)
def test_parameters_that_describe_no_filter_are_refused(kind, wrong):
    with pytest.raises(InputError, match=next(iter(wrong))):
        kind(**wrong)
