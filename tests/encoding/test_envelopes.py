"""Generated envelopes have the statistics of the sounds that the grasshopper heard."""

import numpy as np
import pytest
from scipy.signal import welch

from snncompare import datasets
from snncompare.encoding.envelopes import BandLimitedEnvelope, mixture
from snncompare.errors import InputError, UnitError

RATE = 20_000.0


@pytest.fixture(scope="module")
def animal():
    pytest.importorskip("nitime", reason="the sounds are carried by nitime")
    return datasets.load("grasshopper_receptor").stimulus.to_numpy()


def level(envelope):
    return 20 * np.log10(envelope)


def upper_edge(decibels):
    """Frequency below which 95 % of the power lies."""
    frequency, power = welch(decibels - decibels.mean(), RATE, nperseg=4000)
    return frequency[np.searchsorted(np.cumsum(power) / power.sum(), 0.95)]


@pytest.mark.parametrize(("sound", "cutoff"), [(0, "200 Hz"), (1, "800 Hz")])
class TestStatisticsOfTheSounds:
    def made(self, cutoff):
        return BandLimitedEnvelope(cutoff=cutoff).generate("10 s", np.random.default_rng(1))[0]

    def test_standard_deviation_and_median_are_those_of_the_sounds(self, animal, sound, cutoff):
        made = self.made(cutoff)
        # 10 s of noise with a bandwidth of 200 Hz are 4000 independent samples: 1 % and 0.1 dB are one standard error.
        assert np.std(level(made)) == pytest.approx(np.std(level(animal[sound])), rel=0.04)
        assert np.median(level(made)) == pytest.approx(np.median(level(animal[sound])), abs=0.35)

    def test_percentiles_are_those_of_the_sounds(self, animal, sound, cutoff):
        at = [5, 25, 50, 75, 95]
        # Up to twice the standard error of the median, for percentiles in the tails; both sides are random.
        assert np.allclose(
            np.percentile(level(self.made(cutoff)), at), np.percentile(level(animal[sound]), at), atol=0.6
        )

    def test_limits_are_those_of_the_sounds(self, animal, sound, cutoff):
        long = BandLimitedEnvelope(cutoff=cutoff).generate("60 s", np.random.default_rng(2))
        # The file holds six digits.
        assert long.max() == pytest.approx(animal[sound].max(), abs=1e-6)
        assert long.min() == pytest.approx(animal[sound].min(), abs=1e-6)

    def test_power_ends_where_that_of_the_sounds_ends(self, animal, sound, cutoff):
        # Two bins of 5 Hz.
        assert upper_edge(level(self.made(cutoff))) == pytest.approx(upper_edge(level(animal[sound])), abs=10.0)


def test_the_spectrum_is_flat_below_the_cutoff_and_empty_above():
    g = BandLimitedEnvelope(cutoff="200 Hz").modulation("10 s", np.random.default_rng(3), n=20)
    frequency, power = welch(g, RATE, nperseg=4000)
    power = power.mean(axis=0)
    inside = power[(frequency > 10) & (frequency < 190)]
    # 20 x about 100 averaged periodograms: a standard error of 2.3 % per bin.
    assert inside.std() / inside.mean() < 0.06
    assert inside.mean() * 200 == pytest.approx(1.0, rel=0.05)
    assert power[frequency > 215].max() < 1e-3 * inside.mean()


def test_short_sounds_have_unit_variance_and_unrelated_ends():
    g = BandLimitedEnvelope().modulation("50 ms", np.random.default_rng(4), n=4000)
    # 4000 x 20 independent samples: standard errors of 0.005 and, for the correlation, 0.016.
    assert g.var() == pytest.approx(1.0, abs=0.03)
    assert abs(np.corrcoef(g[:, 0], g[:, -1])[0, 1]) < 0.06


def test_the_modulation_changes_with_the_cutoff():
    """Negative control: the comparisons above tell 200 from 800 Hz."""
    slow, fast = (
        BandLimitedEnvelope(cutoff=c).generate("10 s", np.random.default_rng(5))[0] for c in ("200 Hz", "800 Hz")
    )
    assert upper_edge(level(fast)) > 3 * upper_edge(level(slow))


@pytest.mark.parametrize("similarity", [0.0, 0.3, 0.7, 1.0])
def test_presentations_of_a_song_correlate_with_the_similarity_and_keep_their_variance(similarity):
    sound, rng = BandLimitedEnvelope(), np.random.default_rng(6)
    mixed = mixture(sound.modulation("10 s", rng), sound.modulation("10 s", rng, n=2), similarity)
    # 4000 independent samples: a standard error of 0.016 for correlations, 0.022 for variances.
    assert np.corrcoef(mixed)[0, 1] == pytest.approx(similarity, abs=0.07)
    assert mixed.var(axis=1) == pytest.approx([1.0, 1.0], abs=0.1)


def test_the_same_generator_state_gives_the_same_sound_and_another_another():
    sound = BandLimitedEnvelope()
    first, again, other = (sound.generate("0.3 s", np.random.default_rng(s), n=2) for s in (0, 0, 1))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_equal_values_are_equal_however_they_are_written():
    assert BandLimitedEnvelope(cutoff="0.2 kHz") == BandLimitedEnvelope(cutoff="200 Hz")
    assert hash(BandLimitedEnvelope(cutoff="0.2 kHz")) == hash(BandLimitedEnvelope(cutoff="200 Hz"))


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"cutoff": "10 kHz"}, "sampling rate above"),
        ({"cutoff": "0 Hz"}, "positive"),
        ({"depth_db": 0.0}, "depth_db"),
        ({"floor_db": -10.0}, "floor_db < level_db"),
        ({"level_db": float("nan")}, "floor_db < level_db"),
    ],
)
def test_parameters_that_describe_no_sound_are_refused(wrong, says):
    with pytest.raises(InputError, match=says):
        BandLimitedEnvelope(**wrong)


def test_a_cutoff_without_a_unit_is_refused():
    with pytest.raises(UnitError, match="cutoff must be a frequency"):
        BandLimitedEnvelope(cutoff=200)


def test_a_broken_duration_a_wrong_similarity_and_unequal_lengths_are_refused():
    sound, rng = BandLimitedEnvelope(), np.random.default_rng(0)
    with pytest.raises(InputError, match="whole samples"):
        sound.n_samples("10.01 us")
    with pytest.raises(InputError, match="similarity"):
        mixture(np.zeros(3), np.zeros((1, 3)), 1.2)
    with pytest.raises(InputError, match="samples"):
        mixture(np.zeros(3), np.zeros((1, 4)), 0.5)
    with pytest.raises(InputError, match="at least one"):
        sound.modulation("1 s", rng, n=0)
