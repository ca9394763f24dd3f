"""Spikes of model ganglion cells are as reliable, and as early, as those of the retina."""

import numpy as np
import pytest

from snncompare.encoding.encoder import presentation_seed
from snncompare.encoding.visual.ganglion_cells import MIDGET_ON, PARASOL_OFF, PARASOL_ON
from snncompare.encoding.visual.laboratory_stimuli import flicker, light_step
from snncompare.encoding.visual.retina import Retina
from snncompare.encoding.visual.spiking import IntegrateAndFire, PoissonSpiking
from snncompare.errors import InputError

WITHOUT = PoissonSpiking(refractory="0 ms", recovery="0 ms")
MECHANISMS = {"poisson": PoissonSpiking(), "integrate and fire": IntegrateAndFire()}


def intervals(spikes):
    return np.concatenate([np.diff(train) for train in np.split(spikes.times, np.cumsum(spikes.counts)[:-1])])


def steady(spiking, rate, n=200, seed=0):
    return spiking.fire(np.full((n, 1000), float(rate)), 0.002, np.random.default_rng(seed))


def fano(spiking, contrast, presentations=60):
    """Return variance over mean of counts in 25 ms windows in which parasol cells fire at their strongest."""
    retina = Retina(classes=(PARASOL_ON,), field=(0.6, 0.6), spiking=spiking)
    movie = flicker(4.0, contrast, duration=0.75, frame_rate=500.0)
    windows = np.arange(0.2, 0.7501, 0.025)
    counts, rates = [], retina.rates(movie)
    for number in range(presentations):
        spikes = spiking.fire(rates.values, rates.dt, np.random.default_rng(number))
        trains = np.split(spikes.times, np.cumsum(spikes.counts)[:-1])
        counts.append([np.histogram(train, windows)[0] for train in trains])
    counts = np.array(counts, dtype=float)
    mean, variance = counts.mean(axis=0), counts.var(axis=0, ddof=1)
    strong = mean > np.quantile(mean, 0.75)
    return (variance[strong] / mean[strong]).mean()


class TestReliability:
    def test_counts_vary_less_than_poisson_and_less_with_more_contrast(self):
        """Uzzell & Chichilnisky (2004), abstract: variance much lower than the mean, falling with stimulus strength.

        Berry, Warland & Meister (1997) and Kara, Reinagel & Reid (2000) say so of rabbit, salamander and cat.
        """
        weak, strong = fano(PoissonSpiking(), 0.05), fano(PoissonSpiking(), 1.0)
        assert strong < 0.6
        assert strong < weak - 0.1
        assert fano(IntegrateAndFire(), 1.0) < 0.6

    def test_without_refractoriness_counts_vary_as_a_poisson_process(self):
        # Some 60 windows of 60 presentations, of variance 2 / 59 each: a standard error of 0.025.
        assert fano(WITHOUT, 1.0) == pytest.approx(1.0, abs=0.1)

    def test_more_noise_makes_integrate_and_fire_cells_less_regular(self):
        variation = [
            np.std(i) / np.mean(i) for i in (intervals(steady(IntegrateAndFire(noise=s), 40)) for s in (0.1, 0.5, 1.0))
        ]
        assert variation[0] < 0.3 < variation[1] < variation[2]
        assert variation[1] == pytest.approx(0.6, abs=0.05)


class TestRates:
    @pytest.mark.parametrize("spiking", [*MECHANISMS.values(), WITHOUT], ids=[*MECHANISMS, "without"])
    def test_steady_firing_has_the_rate_asked_for(self, spiking):
        for rate in (5.0, 40.0, 200.0):
            spikes = steady(spiking, rate)
            # 400 s of firing: a Poisson process has a standard error of sqrt(rate / 400); 1 % for steps of integration.
            assert spikes.counts.sum() / 400.0 == pytest.approx(rate, abs=3 * np.sqrt(rate / 400) + 0.01 * rate)

    @pytest.mark.parametrize("spiking", MECHANISMS.values(), ids=MECHANISMS)
    def test_a_cell_at_rate_zero_is_silent(self, spiking):
        assert steady(spiking, 0.0).times.size == 0

    @pytest.mark.parametrize(
        ("spiking", "shortest"), [(PoissonSpiking(), 1e-3), (IntegrateAndFire(), 3e-3)], ids=MECHANISMS
    )
    def test_no_interval_is_shorter_than_the_refractory_period(self, spiking, shortest):
        assert intervals(steady(spiking, 250.0)).min() >= shortest * (1 - 1e-9)
        assert intervals(steady(WITHOUT, 250.0)).min() < 1e-4

    def test_spikes_of_the_retina_follow_its_rates(self):
        retina = Retina(classes=(PARASOL_ON, MIDGET_ON), field=(0.6, 0.6))
        movie = flicker(4.0, 0.5, duration=1.0, frame_rate=500.0)
        counts = np.sum([retina.fire(movie, presentation_seed(0, k)).counts for k in range(40)], axis=0)
        # Fluctuating rates against the correction for steady firing: 3 %; 1500 spikes per cell: 2.6 %.
        expected = retina.rates(movie).values.mean(axis=1) * 40.0
        assert counts == pytest.approx(expected, rel=0.11)
        assert counts.sum() == pytest.approx(expected.sum(), rel=0.03)

    @pytest.mark.parametrize("spiking", MECHANISMS.values(), ids=MECHANISMS)
    def test_spikes_lie_within_the_movie_in_order(self, spiking):
        movie = flicker(7.0, 1.0, duration=0.3, frame_rate=100.0)
        retina = Retina(field=(0.6, 0.6), spiking=spiking)
        spikes = retina.fire(movie, presentation_seed(0, 0))
        assert spikes.times.min() >= 0.0
        assert spikes.times.max() <= retina.duration(movie)
        assert intervals(spikes).min() > 0.0


class TestLatency:
    @staticmethod
    def latency(kind, contrast):
        """Return the mean time of the first spike later than 20 ms after a light step, over presentations, ms."""
        retina = Retina(classes=(kind,), field=(0.6, 0.6), background=0.5)
        movie = light_step(contrast, radius=0.15, degrees=2.0, pixels=40, lasting=0.3)
        near = int(np.argmin(np.hypot(retina.cells()["x_degrees"] - 10.0, retina.cells()["y_degrees"])))
        rates = retina.rates(movie)
        spikes = retina.spiking.fire(np.tile(rates.values[near], (150, 1)), rates.dt, np.random.default_rng(0))
        trains = np.split(spikes.times, np.cumsum(spikes.counts)[:-1])
        return 1e3 * (np.mean([train[train > 0.22][0] for train in trains if train.max() > 0.22]) - 0.2)

    def test_the_first_spike_comes_earlier_with_more_contrast(self):
        """Shapley & Victor (1978): contrast makes responses earlier; parasol cells before midget cells."""
        weak, middle, strong = (self.latency(PARASOL_ON, c) for c in (0.05, 0.25, 1.0))
        # Standard errors at 150 presentations: 1.2, 0.7 and 0.3 ms.
        assert weak - middle > 2
        assert middle - strong > 2
        assert strong < self.latency(MIDGET_ON, 1.0) - 3

    def test_light_makes_off_cells_later_not_earlier(self):
        assert self.latency(PARASOL_OFF, 1.0) > self.latency(PARASOL_OFF, 0.05) + 5


@pytest.mark.parametrize(
    "make",
    [
        lambda: PoissonSpiking(refractory="-1 ms"),
        lambda: IntegrateAndFire(noise=0.0),
        lambda: IntegrateAndFire(time_constant="0 ms"),
        lambda: IntegrateAndFire(step="1 Hz"),
    ],
    ids=["refractory", "noise", "time constant", "step"],
)
def test_parameters_of_no_spiking_cell_are_refused(make):
    with pytest.raises((InputError, ValueError)):
        make()
