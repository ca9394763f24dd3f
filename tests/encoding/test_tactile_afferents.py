"""Model afferents of the skin answer as recorded ones do: held indentation, ramps, vibration."""

import numpy as np
import pytest

from snncompare.encoding.catalogue import encoder
from snncompare.encoding.encoder import presentation_seed
from snncompare.encoding.stimuli import Signal, Sound
from snncompare.encoding.tactile.afferents import PC, RA1, SA1, Afferent
from snncompare.encoding.tactile.touch import TouchAfferents
from snncompare.errors import InputError

RATE = 10_000
BANDS = {"SA1": (SA1(), 2, 32), "RA1": (RA1(), 8, 64), "PC": (PC(), 64, 400)}
"""Kind, and the band in hertz in which it was found most sensitive."""


def fire(kind, indentation, rate=RATE, number=0):
    skin = TouchAfferents(kinds=(kind,), heterogeneity=0.0)
    return skin.fire(Signal([indentation], f"{rate} Hz"), presentation_seed(0, number)).times


def ramp_and_hold(depth, speed, held, before=0.2, release=0.3):
    """Return indentation (mm), and when it is reached and released (s)."""
    reached = before + depth / speed
    time = np.arange(round((reached + held + depth / speed + release) * RATE)) / RATE
    up, down = (time - before) * speed, (reached + held + depth / speed - time) * speed
    return np.clip(np.minimum(up, down), 0.0, depth), reached, reached + held


def vibration(amplitude, frequency, seconds=0.5, rate=RATE):
    time = np.arange(round(seconds * rate)) / rate
    return amplitude * (1.0 - np.cos(2 * np.pi * frequency * time))


def entrainment_threshold(kind, frequency):
    """Return the amplitude (mm) from which an afferent fires once per cycle (nine cycles in ten)."""
    seconds, rate = max(0.5, 5 / frequency), 20_000
    amplitudes = np.geomspace(1e-4, 3.0, 60)
    low, high = 0, amplitudes.size - 1
    while low < high:
        middle = (low + high) // 2
        cycles = seconds * frequency
        if fire(kind, vibration(amplitudes[middle], frequency, seconds, rate), rate).size >= 0.9 * cycles:
            high = middle
        else:
            low = middle + 1
    return amplitudes[low]


class TestHeldIndentation:
    @pytest.mark.parametrize(("depth", "published"), [(0.65, 0.38), (1.3, 0.36)])
    def test_slowly_adapting_discharge_declines_as_published(self, depth, published):
        """Burgess, Mei, Tuckett, Horch, Ballinger & Poulos (1983) J Neurosci 3:2652: ramp of 0.4 mm/s, 12 s held."""
        indentation, reached, _ = ramp_and_hold(depth, 0.4, 12.2)
        counts = [
            np.histogram(fire(SA1(), indentation, number=k), reached + np.array([0, 0.5, 11.5, 12.0]))[0]
            for k in range(4)
        ]
        first, _, last = np.sum(counts, axis=0)
        # 54 x 2 spikes in a window: quantised by 1 %; 5 points allow for the four afferents' noise and the fit.
        assert 1 - last / first == pytest.approx(published, abs=0.05)

    def test_without_relaxation_the_discharge_stays(self):
        """Negative control."""
        indentation, reached, _ = ramp_and_hold(0.65, 0.4, 12.2)
        times = fire(SA1(relaxation=0.0), indentation)
        first, _, last = np.histogram(times, reached + np.array([0, 0.5, 11.5, 12.0]))[0]
        assert abs(1 - last / first) < 0.1

    def test_slowly_adapting_rates_are_linear_in_depth_and_rapidly_adapting_ones_saturate(self):
        """Vega-Bermudez & Johnson (1999) J Neurophysiol 81:2701: SA1 linear, RA saturating from 100 um (abstract)."""
        depths = np.array([0.1, 0.2, 0.3, 0.4, 0.5])
        stimuli = [ramp_and_hold(depth, depth / 0.02, 1.0, release=0.0)[0][: round(1.2 * RATE)] for depth in depths]

        def counts(kind):
            return np.mean([[fire(kind, stimulus, number=k).size for stimulus in stimuli] for k in range(5)], axis=0)

        slow, rapid, free = counts(SA1()), counts(RA1()), counts(RA1(saturation=1000.0))
        straight = np.polyval(np.polyfit(depths, slow, 1), depths)
        assert np.abs(slow - straight).max() <= 1.0  # counts are whole numbers
        assert slow[-1] > 4 * slow[0] > 0
        # Beyond 0.1 mm, five times the depth adds less than half of what proportional growth would.
        assert 0 < rapid[-1] - rapid[0] < 0.5 * 4 * rapid[0]
        assert slow[-1] - slow[0] > 0.5 * 4 * slow[0]  # negative controls: another kind, no saturation
        assert free[-1] - free[0] > 1.5 * (rapid[-1] - rapid[0])

    def test_responses_repeat_to_within_one_impulse(self):
        """Vega-Bermudez & Johnson (1999): standard deviations below one impulse per trial."""
        indentation, _, _ = ramp_and_hold(0.5, 25.0, 0.2)
        for kind in (SA1(), RA1()):
            assert np.std([fire(kind, indentation, number=k).size for k in range(20)]) < 1.0

    def test_rapidly_adapting_and_pacinian_fire_at_the_ramps_only_and_slowly_adapting_throughout(self):
        indentation, reached, released = ramp_and_hold(0.5, 20.0, 1.0)
        for kind in (RA1(), PC()):
            times = fire(kind, indentation)
            assert np.count_nonzero(times < reached + 0.02) > 0
            assert np.count_nonzero(times > released - 0.005) > 0
            assert np.count_nonzero((times > reached + 0.05) & (times < released - 0.005)) == 0
        held = fire(SA1(), indentation)
        assert np.histogram(held, np.linspace(reached, released, 5))[0].min() >= 5

    def test_falling_edges_drive_half_as_vigorously_as_rising_ones(self):
        """Blake, Johnson & Hsiao (1997) J Neurophysiol 78:2503 (abstract)."""
        indentation, reached, released = ramp_and_hold(1.0, 10.0, 0.5)
        counts = [fire(RA1(), indentation, number=k) for k in range(10)]
        rising = sum(np.count_nonzero(times < reached + 0.02) for times in counts)
        falling = sum(np.count_nonzero(times > released - 0.005) for times in counts)
        # Ten touches of some ten spikes: whole spikes per touch move the ratio by 0.1.
        assert falling / rising == pytest.approx(0.5, abs=0.15)
        alike = fire(RA1(retraction=1.0), indentation)
        assert np.count_nonzero(alike > released - 0.005) > 0.8 * np.count_nonzero(alike < reached + 0.02)


class TestVibration:
    """Johansson, Landström & Lundström (1982) Brain Res 244:17-25; Talbot et al. (1968) J Neurophysiol 31:301-334."""

    @pytest.mark.parametrize("name", BANDS)
    def test_each_kind_is_most_sensitive_in_its_published_band(self, name):
        kind, low, high = BANDS[name]
        frequencies = (2, 8, 16, 32, 40, 64, 128, 200, 250, 400)
        thresholds = {f: entrainment_threshold(kind, f) for f in frequencies}
        best = min(thresholds, key=thresholds.get)
        assert low <= best <= high
        outside = [thresholds[f] for f in frequencies if f < low / 2 or f > 2 * high]
        assert all(threshold > 2 * thresholds[best] for threshold in outside)

    def test_flutter_is_for_meissner_and_vibration_for_pacini(self):
        ra = {f: entrainment_threshold(RA1(), f) for f in (16, 32, 40, 250)}
        pc = {f: entrainment_threshold(PC(), f) for f in (40, 200, 250)}
        assert min(ra, key=ra.get) in (32, 40)  # Talbot et al. 1968: 30 to 40 Hz
        assert min(pc, key=pc.get) in (200, 250)  # Talbot et al. 1968: 250 Hz
        # Micrometres at the best frequency: some 10 for RA, about 1 for PC (Mountcastle, LaMotte & Carli 1972).
        assert 3e-3 < ra[40] < 3e-2
        assert 3e-4 < pc[250] < 3e-3
        assert pc[250] < ra[250] / 10

    @pytest.mark.parametrize(("kind", "frequency", "amplitude"), [(RA1(), 40, 0.02), (PC(), 250, 0.005)])
    def test_one_spike_per_cycle_over_a_range_of_amplitudes_and_locked_to_it(self, kind, frequency, amplitude):
        """Plateau of entrainment: Talbot et al. (1968); Freeman & Johnson (1982) J Physiol 323:43."""
        for factor in (1.0, 2.0):
            times = fire(kind, vibration(factor * amplitude, frequency))
            times = times[times > 0.1]  # the first cycles find the afferent at rest
            assert times.size == pytest.approx(0.4 * frequency, rel=0.05)
            assert abs(np.exp(2j * np.pi * frequency * times).mean()) > 0.95
        other = abs(np.exp(2j * np.pi * 1.37 * frequency * times).mean())
        assert other < 0.3  # negative control: not locked to another frequency

    def test_acceleration_is_what_pacinian_afferents_need(self):
        slow = fire(PC(acceleration_gain=0.0, velocity_gain=0.01), vibration(0.002, 250))
        assert slow.size < 0.1 * fire(PC(), vibration(0.002, 250)).size


class TestSkin:
    SITES = tuple((float(x), float(y)) for y in range(3) for x in range(3))

    def poked(self, **changes):
        values = np.zeros((9, 6000))
        values[4, 1000:5000] = 1.0
        skin = TouchAfferents(kinds=(SA1(**changes),), sites=self.SITES, heterogeneity=0.0)
        return skin.encode([Signal(values, "5 kHz")], seed=0).counts().to_numpy()[0]

    def test_receptive_fields_reach_neighbouring_sites_less_with_distance(self):
        alone, pooled = self.poked(), self.poked(field_mm=1.0, static_gain=40.0)
        assert np.flatnonzero(alone).tolist() == [4]
        assert pooled[4] > pooled[1] > pooled[0] > 0

    def test_units_say_what_and_where_they_are(self):
        skin = TouchAfferents(kinds=(SA1(), RA1()), sites=self.SITES, per_site=2)
        table = skin.units(Signal(np.zeros((9, 10)), "1 kHz"))
        assert table.index.is_unique
        assert len(table) == 36
        assert table["kind"].value_counts().to_dict() == {"SA1": 18, "RA1": 18}
        assert table.loc["RA1 at 5 number 1", ["x_mm", "y_mm"]].tolist() == [2.0, 1.0]

    def test_plain_data_make_the_same_skin_again(self):
        skin = TouchAfferents(kinds=(SA1(adaptation=1.0), PC(), Afferent(velocity_gain=2.0)), per_site=3, seed=2)
        assert encoder(skin.described()) == skin
        assert encoder(TouchAfferents(sites=self.SITES).described()) == TouchAfferents(sites=self.SITES)

    def test_spikes_depend_on_seed_and_presentation_and_on_nothing_else(self):
        touches = [Signal([ramp_and_hold(depth, 5.0, 0.3)[0][:5000]], f"{RATE} Hz") for depth in (0.3, 0.6, 0.9)]
        skin = TouchAfferents(per_site=3)
        whole = skin.encode(touches, seed=1)
        part = skin.encode([touches[2]], seed=1, presentations=[2])
        assert all(np.array_equal(part.train(0, unit), whole.train(2, unit)) for unit in whole.units.index)
        assert not np.array_equal(whole.times, skin.encode(touches, seed=2).times)

    @pytest.mark.parametrize(
        ("stimulus", "says"),
        [
            (lambda: Signal([[0.0, np.nan]], "10 kHz"), "not finite"),
            (lambda: Signal(np.zeros((1, 0)), "10 kHz"), "empty"),
            (lambda: Signal(np.zeros((1, 10)), "100 Hz"), "at least 1000 Hz"),
            (lambda: Signal(np.full((1, 10), 500.0), "10 kHz"), "mm"),
            (lambda: Sound(np.zeros(10), "10 kHz"), "kind Signal"),
        ],
    )
    def test_what_is_no_touch_is_refused(self, stimulus, says):
        with pytest.raises(InputError, match=says):
            TouchAfferents().encode([stimulus()], seed=0)

    @pytest.mark.parametrize(
        ("wrong", "says"),
        [
            ({"kinds": ()}, "kinds"),
            ({"kinds": ("SA1",)}, "kinds"),
            ({"per_site": 0}, "per_site"),
            ({"kinds": (SA1(field_mm=1.0),)}, "positions of the sites"),
            ({"sites": ((0.0, np.nan),)}, "sites"),
            ({"heterogeneity": -1.0}, "heterogeneity"),
        ],
    )
    def test_parameters_that_describe_no_skin_are_refused(self, wrong, says):
        with pytest.raises(InputError, match=says):
            TouchAfferents(**wrong)

    def test_channels_that_are_not_the_sites_are_refused(self):
        with pytest.raises(InputError, match="9 sites"):
            TouchAfferents(sites=self.SITES).encode([Signal(np.zeros((2, 10)), "10 kHz")], seed=0)
        with pytest.raises(InputError, match="relaxation"):
            SA1(relaxation=1.5)
