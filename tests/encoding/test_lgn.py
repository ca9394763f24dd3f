"""Model relay cells pass on the second of two spikes, and fewer spikes than they get."""

import numpy as np
import pytest

from snncompare.encoding.encoder import Spikes, presentation_seed
from snncompare.encoding.visual.ganglion_cells import MIDGET_ON, PARASOL_ON
from snncompare.encoding.visual.laboratory_stimuli import flicker
from snncompare.encoding.visual.lgn import LGN
from snncompare.encoding.visual.retina import Retina
from snncompare.encoding.visual.spiking import PoissonSpiking
from snncompare.errors import InputError

RETINA = Retina(field=(0.6, 0.6))


def relayed(lgn, times, n=1500, duration=0.4, seed=0):
    """Return trains that n relay cells fire to the same retinal spikes."""
    retinal = Spikes(np.tile(times, n), np.full(n, len(times)))
    spikes = lgn.relay(retinal, duration, np.random.default_rng(seed))
    return np.split(spikes.times, np.cumsum(spikes.counts)[:-1])


def efficacy(lgn, gap):
    """Return the probability that the second of two retinal spikes ``gap`` seconds apart is relayed."""
    second = 0.1 + gap + lgn.delay.value
    return np.mean([np.any((train > second) & (train < second + 0.05)) for train in relayed(lgn, [0.1, 0.1 + gap])])


class TestPairs:
    def test_a_second_spike_within_30_ms_is_relayed_more_often_than_the_first(self):
        """Usrey, Reppas & Reid (1998), abstract. Standard errors at 1500 cells: below 0.013."""
        alone = efficacy(LGN(), 0.25)
        chances = [efficacy(LGN(), gap) for gap in (0.005, 0.015, 0.02, 0.03)]
        assert chances == sorted(chances, reverse=True)
        assert chances[-1] > 2 * alone
        assert chances[0] > 0.9

    def test_single_spikes_are_rarely_relayed(self):
        """Sincich et al. (2007), abstract: rarely unless two synaptic potentials sum within 40 ms."""
        assert efficacy(LGN(), 0.25) < 0.15
        assert efficacy(LGN(), 0.06) == pytest.approx(efficacy(LGN(), 0.25), abs=0.04)

    def test_strong_synapses_relay_every_spike(self):
        """Negative control: above threshold, pairs have no advantage."""
        strong = LGN(potential=2.0, reset=2.31)
        assert efficacy(strong, 0.25) == 1.0

    def test_slow_potentials_widen_the_interval(self):
        assert efficacy(LGN(rise="15 ms"), 0.04) > efficacy(LGN(), 0.04) + 0.3

    def test_without_noise_one_potential_is_never_enough_and_two_are_always(self):
        quiet = LGN(noise=0.0)
        assert efficacy(quiet, 0.25) == 0.0
        assert efficacy(quiet, 0.01) == 1.0

    def test_two_potentials_cross_the_threshold_when_the_formula_says(self):
        """A closed form: u (a + b) = 1, with a and b alpha functions of the times since arrival."""
        t = np.linspace(0.0, 0.03, 300001)

        def alpha(s):
            return np.where(s > 0, s / 0.0085 * np.exp(1 - s / 0.0085), 0.0)

        crossing = t[np.argmax(0.77 * (alpha(t) + alpha(t - 0.005)) >= 1.0)] + 0.1 + 0.002
        train = relayed(LGN(noise=0.0), [0.1, 0.105], n=1)[0]
        assert train.size == 1
        assert train[0] == pytest.approx(crossing, abs=1e-5)  # a straight line within a step of 0.5 ms

    def test_the_after_potential_delays_the_next_spike(self):
        times = 0.05 + 0.004 * np.arange(40)
        counts = [np.mean([t.size for t in relayed(LGN(reset=r), times, n=50)]) for r in (1.0, 2.31, 5.0)]
        assert counts[0] > counts[1] > counts[2]


class TestRelay:
    def test_relay_cells_fire_less_than_ganglion_cells(self):
        lgn = LGN(retina=RETINA)
        movie = flicker(4.0, 0.5, duration=1.0)
        own, retinal = (e.fire(movie, presentation_seed(0, 0)).counts.sum() for e in (lgn, RETINA))
        # Sincich et al. (2007), introduction: efficacy is "usually much less than 100 %".
        assert 0.2 < own / retinal < 0.6

    def test_the_share_that_is_relayed_grows_with_the_rate(self):
        share = []
        for rate in (5.0, 20.0, 80.0):
            retinal = PoissonSpiking().fire(np.full((100, 1000), rate), 0.002, np.random.default_rng(0))
            share.append(LGN().relay(retinal, 2.0, np.random.default_rng(1)).counts.sum() / retinal.counts.sum())
        assert share[0] < share[1] < share[2]

    def test_without_retinal_spikes_there_are_none(self):
        silent = Spikes(np.empty(0), np.zeros(500, dtype=int))
        assert LGN().relay(silent, 2.0, np.random.default_rng(0)).times.size == 0

    def test_relay_cells_are_named_after_their_drivers_and_stand_in_layers(self):
        lgn = LGN(retina=Retina(field=(0.6, 0.6), classes=(PARASOL_ON, MIDGET_ON)))
        movie = flicker(4.0, 0.5)
        table = lgn.units(movie)
        assert table["driver"].to_list() == lgn.retina.units(movie).index.to_list()
        assert table.loc["relay of ON parasol 0", "layer"] == "magnocellular"
        assert table.loc["relay of ON midget 0", "layer"] == "parvocellular"

    def test_retina_and_relay_have_randomness_of_their_own_however_often_they_are_asked(self):
        lgn, movie, randomness = LGN(retina=RETINA), flicker(4.0, 0.5, duration=0.5), presentation_seed(0, 0)
        of_retina, own = presentation_seed(0, 0).spawn(2)
        expected = lgn.relay(RETINA.fire(movie, of_retina), 0.5, np.random.default_rng(own)).times
        shared = lgn.relay(RETINA.fire(movie, of_retina), 0.5, np.random.default_rng(of_retina)).times
        assert not np.array_equal(expected, shared)  # control
        for _ in range(2):
            assert np.array_equal(lgn.fire(movie, randomness).times, expected)

    def test_neighbours_add_their_potentials(self):
        movie = flicker(4.0, 0.5, duration=0.5)
        alone, joined, equal = (
            LGN(retina=RETINA, inputs=n, neighbour=w).fire(movie, presentation_seed(0, 0)).counts.sum()
            for n, w in ((1, 0.2), (3, 0.0), (3, 0.3))
        )
        assert alone == joined  # inputs of no size: the same spikes
        assert equal > 1.2 * alone

    def test_more_than_95_percent_of_spikes_follow_a_spike_of_the_driver(self):
        """Sincich et al. (2007), abstract."""
        lgn = LGN(retina=RETINA)
        movie = flicker(4.0, 0.5, duration=1.0)
        of_retina, own = presentation_seed(0, 0).spawn(2)
        retinal = RETINA.fire(movie, of_retina)
        spikes = lgn.relay(retinal, 1.0, np.random.default_rng(own))
        follows = []
        for k in range(len(retinal.counts)):
            driver = np.split(retinal.times, np.cumsum(retinal.counts)[:-1])
            train = np.split(spikes.times, np.cumsum(spikes.counts)[:-1])[k]
            follows.extend(np.any((driver[k] < t) & (driver[k] > t - 0.02)) for t in train)
            other = driver[(k + 1) % len(driver)]
            follows_other = [np.any((other < t) & (other > t - 0.02)) for t in train]
        assert np.mean(follows) > 0.95
        assert np.mean(follows_other) < 0.8


@pytest.mark.parametrize(
    "change",
    [{"inputs": 0}, {"potential": 0.0}, {"noise": -1.0}, {"rise": "0 ms"}, {"neighbour": 2.0}, {"retina": 3}],
    ids=lambda change: next(iter(change)),
)
def test_parameters_of_no_relay_cell_are_refused(change):
    with pytest.raises(InputError, match=next(iter(change)).replace("retina", "Retina")):
        LGN(**change)


def test_more_inputs_than_cells_are_refused():
    few = LGN(retina=Retina(field=(0.3, 0.3), classes=(PARASOL_ON,)), inputs=50)
    with pytest.raises(InputError, match="50 inputs"):
        few.fire(flicker(4.0, 0.5, duration=0.1), presentation_seed(0, 0))
