"""Model ganglion cells follow time and contrast as macaque ganglion cells do."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.optimize import curve_fit

from snncompare.encoding.stimuli import Movie
from snncompare.encoding.visual.cones import Cones
from snncompare.encoding.visual.ganglion_cells import MIDGET_OFF, MIDGET_ON, PARASOL_OFF, PARASOL_ON
from snncompare.encoding.visual.laboratory_stimuli import drifting_grating, first_harmonic, flicker, light_step
from snncompare.encoding.visual.retina import Retina
from snncompare.errors import InputError

CLASSES = {"parasol on": PARASOL_ON, "parasol off": PARASOL_OFF, "midget on": MIDGET_ON, "midget off": MIDGET_OFF}
# A baseline that no response reaches: what rectification does to the first harmonic is left out.
NEVER_SILENT = replace(PARASOL_ON, baseline=1000.0)
NO_CONTROL = replace(NEVER_SILENT, temporal_filter=replace(PARASOL_ON.temporal_filter, gain_control=None))


def one(kind, **changes):
    return Retina(classes=(kind,), field=(0.6, 0.6), **changes)


def response(kind, frequency, contrast, **changes):
    """Return the complex first harmonic of a cell under uniform flicker, per unit of contrast."""
    movie = flicker(frequency, contrast, duration=max(0.8, 2.0 / frequency + 0.2), frame_rate=500.0)
    rates = one(kind, **changes).rates(movie)
    return first_harmonic(rates.values[:1], rates.dt, frequency)[0] / contrast


def grating_response(kind, contrast):
    rates = one(kind).rates(drifting_grating(1.0, 4.0, contrast, degrees=4.0, pixels=60, duration=0.7))
    return abs(first_harmonic(rates.values[:1], rates.dt, 4.0)[0])


class TestTemporalFilter:
    @pytest.mark.parametrize("kind", CLASSES.values(), ids=CLASSES)
    def test_faint_flicker_is_answered_as_the_fitted_filters_of_benardete_and_kaplan_say(self, kind):
        for frequency in (4.0, 10.0, 20.0, 30.0):
            hold = np.exp(-1j * np.pi * frequency / 500.0)  # each frame is held for 2 ms
            surround = 1.0 - 0.55 * np.exp(-2j * np.pi * frequency * 0.008)
            weber = 0.5 / (0.5 + 0.02)
            filtered = kind.temporal_filter.transfer(frequency)
            expected = -1j * kind.sign * kind.gain * weber * surround * filtered * hold
            # The gamma kernel shares two moments with the cascade that it replaces: 3 % at 40 Hz.
            assert abs(response(kind, frequency, 0.005) / expected - 1.0) < 0.03

    def test_each_parameter_of_the_filter_matters(self):
        reference = response(MIDGET_ON, 10.0, 0.1)
        changes = {
            "delay": "8 ms",
            "low_pass_delay": "60 ms",
            "low_pass_stages": 20.0,
            "high_pass_strength": 0.2,
            "high_pass_time": "60 ms",
        }
        for name, value in changes.items():
            other = replace(MIDGET_ON, temporal_filter=replace(MIDGET_ON.temporal_filter, **{name: value}))
            assert abs(response(other, 10.0, 0.1) / reference - 1.0) > 0.02, name

    def test_a_shorter_inner_step_leads_to_the_same_rates(self):
        coarse, fine = (response(PARASOL_ON, 10.0, 0.2, step=step) for step in ("2 ms", "0.5 ms"))
        assert abs(coarse / fine - 1.0) < 0.02

    def test_frames_are_held_until_the_next_one(self):
        slow = Movie(np.array([0.5, 0.8, 0.2])[:, np.newaxis, np.newaxis], "5 Hz", 20.0)
        fast = Movie(np.repeat(slow.luminance, 100, axis=0), "500 Hz", 20.0)
        assert one(PARASOL_ON).rates(slow).values == pytest.approx(one(PARASOL_ON).rates(fast).values, abs=1e-9)


class TestTransience:
    @staticmethod
    def index(kind):
        """Return the response late in a step on the centre relative to its peak."""
        retina = one(kind, background=0.5)
        cells = retina.cells()
        nearest = int(np.argmin(np.hypot(cells["x_degrees"] - 10.0, cells["y_degrees"])))
        radius = 0.15 if kind.name == "parasol" else 0.1
        rates = retina.rates(light_step(0.3 * kind.sign, radius=radius, degrees=2.0, pixels=80))
        after = rates.values[nearest, round(0.2 / rates.dt) : round(0.7 / rates.dt)] - kind.baseline
        return after[-50:].mean() / after.max()

    def test_parasol_cells_are_transient_and_midget_cells_sustained(self):
        """Median high-pass strengths of Benardete & Kaplan: 1.0 and 0.69, so nothing and a third are sustained."""
        assert self.index(PARASOL_ON) < 0.1
        assert self.index(PARASOL_OFF) < 0.1
        assert self.index(MIDGET_ON) > 0.3
        assert self.index(MIDGET_OFF) > 0.25

    def test_without_its_high_pass_stage_a_parasol_cell_is_sustained(self):
        flat = replace(PARASOL_ON.temporal_filter, high_pass_strength=0.0)
        assert self.index(replace(PARASOL_ON, temporal_filter=flat)) > 0.5

    @pytest.mark.parametrize("kind", CLASSES.values(), ids=CLASSES)
    def test_on_cells_fire_to_light_steps_and_off_cells_to_dark_ones(self, kind):
        for contrast in (0.5, -0.5):
            rates = one(kind, background=0.5).rates(light_step(contrast, radius=5.0, degrees=4.0, pixels=4))
            soon = rates.values[0, round(0.23 / rates.dt) : round(0.27 / rates.dt)] - kind.baseline
            assert np.sign(soon.sum()) == np.sign(contrast) * kind.sign


class TestContrast:
    def test_parasol_cells_saturate_and_midget_cells_do_not(self):
        """Kaplan & Shapley (1986): M cells saturate, P cells are linear up to high contrast."""
        assert grating_response(PARASOL_ON, 0.5) / grating_response(PARASOL_ON, 0.1) < 2.5
        for linear in (MIDGET_ON, NO_CONTROL):
            # The asymmetry of cones, c / (1 + gamma c), adds 3/4 gamma^2 c^2 to the fundamental: 3.6 % at half contrast.
            assert grating_response(linear, 0.5) / grating_response(linear, 0.1) == pytest.approx(5.0, rel=0.05)

    def test_half_of_the_saturated_response_is_reached_at_low_contrast(self):
        contrast = np.array([0.03, 0.06, 0.12, 0.25, 0.5, 1.0])
        r = np.array([grating_response(PARASOL_ON, c) for c in contrast])
        (_, half), _ = curve_fit(lambda c, top, half: top * c / (c + half), contrast, r, p0=(60.0, 0.2))
        # Kaplan & Shapley (1986), as it is usually quoted: 0.13 for M cells. Nothing was fitted to it: the parameters are
        # those of other cells (Benardete & Kaplan 1999), and they saturate later, at 0.23. Two is what may be said.
        assert 0.13 / 2 < half < 0.13 * 2

    def test_contrast_weakens_slow_flicker_most_and_makes_responses_earlier(self):
        """Benardete, Kaplan & Knight (1992), abstract: attenuation at low temporal frequency and phase advance."""
        ratio = {f: response(NEVER_SILENT, f, 0.3) / response(NEVER_SILENT, f, 0.01) for f in (4.0, 16.0, 32.0)}
        assert abs(ratio[4.0]) < 0.8
        assert abs(ratio[4.0]) < abs(ratio[16.0]) < abs(ratio[32.0])
        assert np.angle(ratio[4.0]) > 0.1

    @pytest.mark.parametrize("kind", [MIDGET_ON, NO_CONTROL], ids=["midget", "parasol without control"])
    def test_without_gain_control_responses_scale(self, kind):
        """Benardete, Kaplan & Knight (1992): the P cells' responses scale uniformly."""
        for frequency in (4.0, 32.0):
            ratio = response(kind, frequency, 0.1) / response(kind, frequency, 0.01)
            assert abs(ratio - 1.0) < 0.02  # second order of the cones

    def test_gain_recovers_after_contrast(self):
        steps = np.arange(1500) / 500.0
        strong = np.where(steps < 1.0, 0.5, 0.02) * np.sin(2 * np.pi * 8.0 * steps)
        weak = np.full(1500, 0.02) * np.sin(2 * np.pi * 8.0 * steps)
        early, late = [], []
        for wave in (strong, weak):
            rates = one(PARASOL_ON).rates(Movie(0.5 + 0.5 * wave[:, np.newaxis, np.newaxis], "500 Hz", 20.0))
            early.append(np.ptp(rates.values[0, 525:560]))
            late.append(np.ptp(rates.values[0, -125:]))
        assert late[0] == pytest.approx(late[1], rel=0.02)
        assert early[0] != pytest.approx(early[1], rel=0.02)


class TestLightAdaptation:
    @staticmethod
    def amplitude(mean, cones):
        t = np.arange(400) / 500.0
        light = mean * (1.0 + 0.1 * np.sin(2 * np.pi * 5.0 * t))
        rates = one(MIDGET_ON, cones=cones).rates(Movie(light[:, np.newaxis, np.newaxis], "500 Hz", 20.0))
        return abs(first_harmonic(rates.values[:1], rates.dt, 5.0)[0])

    def test_the_same_contrast_is_answered_alike_in_bright_and_dim_light(self):
        bright, dim = (self.amplitude(mean, Cones()) for mean in (0.8, 0.1))
        weber = (0.1 / 0.12) / (0.8 / 0.82)
        slower = abs(1 / (1 + 2j * np.pi * 5.0 * 0.003 * 0.52 / 0.12))
        assert dim / bright == pytest.approx(weber * slower, rel=0.02)
        assert dim / bright > 0.75

    def test_without_adaptation_the_response_follows_luminance(self):
        cones = Cones(dark_light=50.0)
        assert self.amplitude(0.1, cones) / self.amplitude(0.8, cones) == pytest.approx(1 / 8, rel=0.05)

    @pytest.mark.parametrize(("instantaneous", "asymmetric"), [(0.448, True), (0.0, False)], ids=["fast", "none"])
    def test_decrements_outweigh_increments_by_the_instantaneous_part_of_the_gain(self, instantaneous, asymmetric):
        cell = replace(MIDGET_ON, baseline=1000.0)
        retina = one(cell, cones=Cones(instantaneous=instantaneous), background=0.5)
        up, down = (
            abs(retina.rates(light_step(c, radius=20.0, degrees=20.0, pixels=2)).values[0, :200] - 1000.0).max()
            for c in (0.9, -0.9)
        )
        # r - 1 over 1 - gamma for luminances of 0.95 and 0.05: ratio 2.2, and 1 without; the rest is dynamics.
        assert (down > 1.5 * up) == asymmetric
        assert down > 0.9 * up

    def test_cones_slower_than_the_ganglion_cell_are_refused(self):
        with pytest.raises(InputError, match="slower than the whole ganglion cell"):
            one(PARASOL_ON, cones=Cones(time_constant="20 ms")).rates(flicker(4.0, 0.1))
