"""Receptor neurons answer odours as the fly's do; convergence makes weak odours strong and answers reliable."""

import numpy as np
import pytest
from scipy.stats import kstest

from snncompare.encoding.catalogue import encoder
from snncompare.encoding.olfactory.projection_neurons import ProjectionNeurons
from snncompare.encoding.olfactory.receptor_neurons import ReceptorNeurons
from snncompare.encoding.stimuli import Features, Signal
from snncompare.errors import InputError

RATE = 1_000
ON, OFF = 0.5, 1.0


def puff(concentration, background=0.0, n_odorants=1, odorant=0, seconds=1.5):
    time = np.arange(round(seconds * RATE)) / RATE
    values = np.zeros((n_odorants, time.size))
    values[odorant] = background + np.where((time >= ON) & (time < OFF), concentration, 0.0)
    return Signal(values, f"{RATE} Hz")


def evoked(neurons, stimulus):
    """Return rates above the spontaneous ones, shape (n_types, n_samples)."""
    return neurons.rates(stimulus) - neurons.spontaneous_rates()[:, np.newaxis]


def while_on(recording):
    trial, unit = recording.spike_index()
    inside = (recording.times >= ON) & (recording.times < OFF)
    found = np.zeros((recording.n_trials, recording.n_units))
    np.add.at(found, (trial[inside], unit[inside]), 1)
    return found


class TestReceptorNeurons:
    def test_responses_over_types_and_odorants_are_exponential_with_the_stated_mean(self):
        """Stevens (2016) PNAS 113:6737, on the data of Hallem & Carlson (2006) Cell 125:143."""
        responses = ReceptorNeurons(n_types=200, mean_response="40 Hz", maximum="1 kHz").responses(20).ravel()
        # 4000 draws: the standard error of the mean is 0.6 Hz.
        assert responses.mean() == pytest.approx(40.0, abs=2.0)
        assert kstest(responses, "expon", args=(0, 40.0)).pvalue > 0.01
        assert kstest(responses, "uniform", args=(0, responses.max())).pvalue < 1e-6  # negative control

    def test_the_first_response_at_the_reference_is_the_drawn_one_and_concentration_shifts_it(self):
        neurons = ReceptorNeurons(adaptation=0.0)
        drawn = neurons.responses(1)[:, 0]
        assert evoked(neurons, puff(0.01))[:, 990] == pytest.approx(drawn, rel=1e-3)  # 50 time constants into the puff
        tenth = evoked(neurons, puff(0.001))[:, 990]
        weak = drawn < 10
        assert tenth[weak] == pytest.approx(drawn[weak] / 10, rel=0.05)  # far from saturation: 4 % of it

    @pytest.mark.parametrize("hill", [1.0, 2.0])
    def test_the_slope_of_the_concentration_response_is_that_of_hill(self, hill):
        neurons = ReceptorNeurons(hill=hill, adaptation=0.0, n_types=4)
        concentrations = np.geomspace(1e-4, 10.0, 40)
        activity = np.array([evoked(neurons, puff(c))[:, 990] for c in concentrations]) / 250.0
        log_odds = np.log(activity / (1 - activity))
        slopes = [np.polyfit(np.log(concentrations), column, 1)[0] for column in log_odds.T]
        # A low-pass filter 50 time constants after the step: rounding only.
        assert slopes == pytest.approx([hill] * 4, rel=1e-6)

    def test_a_step_is_answered_by_a_peak_and_a_lower_plateau(self):
        neurons = ReceptorNeurons()
        strong = evoked(neurons, puff(100.0, seconds=1.5))[0]
        window = strong[500:1000]
        # Saturated, 1 / (1 + alpha (1 - exp(-t / tau))) is left, 2.5 time constants after the onset, and the low-pass
        # filter lags by 20 ms; the peak is behind the same filter.
        assert window[-1] / 250.0 == pytest.approx(1 / (2 - np.exp(-2.5)), abs=0.01)
        assert window.max() > 1.4 * window[-1]
        kept = evoked(ReceptorNeurons(adaptation=0.0), puff(100.0))[0, 500:1000]
        assert kept[-1] == pytest.approx(kept.max())  # negative control

    def test_gain_falls_as_one_over_the_background(self):
        """Weber's law: Gorur-Shandilya et al. (2017) eLife 6:e27670."""
        backgrounds = np.array([1.0, 3.0, 10.0, 30.0])

        def gain(neurons, background):
            step = puff(0.01 * background, background, seconds=4.0)
            with_step = neurons.rates(step)[:, 500:560].max(axis=1)
            return np.mean((with_step - neurons.rates(step)[:, 499]) / (0.01 * background))

        slopes = {
            alpha: np.polyfit(
                np.log(backgrounds), np.log([gain(ReceptorNeurons(adaptation=alpha), b) for b in backgrounds]), 1
            )[0]
            for alpha in (1.0, 0.0)
        }
        # Exactly -1 far above the reference for every type; the least sensitive ones are not there yet.
        assert slopes[1.0] == pytest.approx(-1.0, abs=0.15)
        assert slopes[0.0] < -1.5  # negative control: saturation without adaptation loses the answer

    def test_rates_without_odour_are_spontaneous_and_differ_between_types(self):
        neurons = ReceptorNeurons(per_type=10)
        recording = neurons.encode([puff(0.0, seconds=10.0)], seed=0)
        rates = recording.counts().to_numpy()[0] / 10.0
        # 1 + 8 Hz * 2 ms of refractoriness and recovery each: 3 % less; counts of 80 over 10 neurons: 4 %.
        assert rates.mean() == pytest.approx(neurons.spontaneous_rates().mean(), rel=0.08)
        assert np.corrcoef(rates, recording.units["spontaneous_hz"])[0, 1] > 0.9

    def test_mixtures_of_odorants_compete(self):
        neurons = ReceptorNeurons(adaptation=0.0)
        both = Signal(puff(1.0, n_odorants=2).values + puff(1.0, n_odorants=2, odorant=1).values, "1 kHz")
        alone = [evoked(neurons, puff(1.0, n_odorants=2, odorant=j))[:, 990] for j in (0, 1)]
        together = evoked(neurons, both)[:, 990]
        assert (together >= np.maximum(*alone) - 1e-9).all()
        assert (together < alone[0] + alone[1]).all()
        assert (together < 250.0).all()

    def test_an_odorant_means_the_same_beside_others(self):
        neurons = ReceptorNeurons()
        assert np.array_equal(neurons.responses(2), neurons.responses(5)[:, :2])
        assert not np.array_equal(neurons.responses(2), ReceptorNeurons(seed=1).responses(2))

    def test_spikes_depend_on_seed_and_presentation_and_plain_data_make_the_same_neurons(self):
        neurons = ReceptorNeurons(n_types=3, per_type=2)
        stimuli = [puff(0.01), puff(0.1)]
        whole, part = neurons.encode(stimuli, seed=3), neurons.encode(stimuli[1:], seed=3, presentations=[1])
        assert all(np.array_equal(part.train(0, u), whole.train(1, u)) for u in whole.units.index)
        assert not np.array_equal(whole.times, neurons.encode(stimuli, seed=4).times)
        assert encoder(neurons.described()) == neurons


class TestProjectionNeurons:
    """Bhandawat et al. (2007) Nat Neurosci 10:1474: amplified weak inputs, broader tuning, more reliable answers."""

    receptors = ReceptorNeurons()
    projections = ProjectionNeurons(receptors=receptors)

    def test_weak_inputs_are_amplified_and_strong_ones_are_not(self):
        receptors, projections = self.receptors, self.projections
        received = np.maximum(evoked(receptors, puff(0.01)), 0.0)
        peak, sent = received.max(axis=1), projections.normalised(received).max(axis=1)
        rank = np.argsort(peak)
        gain = sent / peak
        assert gain[rank[8:16]].mean() > 1.2 * gain[rank[-4:]].mean()
        linear = ProjectionNeurons(receptors=receptors, semisaturation="100 kHz", exponent=1.0, lateral=0.0)
        flat = linear.normalised(received).max(axis=1) / peak
        assert flat[rank[8:16]].mean() == pytest.approx(flat[rank[-4:]].mean(), rel=0.01)  # negative control

    def test_total_activity_is_equal_over_concentrations(self):
        """Olsen, Bhandawat & Wilson (2010) Neuron 66:287; Luo, Axel & Abbott (2010) PNAS 107:10713."""
        receptors, projections = self.receptors, self.projections
        received = [np.maximum(evoked(receptors, puff(c)), 0.0) for c in (0.003, 0.3)]
        ratios = {
            "receptors": received[1].max(axis=1).mean() / received[0].max(axis=1).mean(),
            "projections": projections.normalised(received[1]).max(axis=1).mean()
            / projections.normalised(received[0]).max(axis=1).mean(),
        }
        assert ratios["receptors"] > 5
        assert ratios["projections"] < 2

    def test_glomeruli_inhibit_each_other(self):
        projections = self.projections
        alone, crowded = np.zeros((24, 1)), np.full((24, 1), 100.0)
        alone[0] = 50.0
        crowded[0] = 50.0
        assert projections.normalised(crowded)[0, 0] < 0.5 * projections.normalised(alone)[0, 0]
        without = ProjectionNeurons(lateral=0.0)
        assert without.normalised(crowded)[0, 0] == without.normalised(alone)[0, 0]  # negative control

    def test_the_input_output_function_is_the_published_one(self):
        """Olsen et al. (2010): 165 Hz, half of it at 12 Hz, exponent 1.5."""
        alone = ProjectionNeurons(lateral=0.0)
        rates = alone.normalised(np.array([[0.0], [12.0], [1e6]]))[:, 0]
        assert rates == pytest.approx([0.0, 82.5, 165.0], rel=1e-4)

    def test_answers_repeat_better_than_those_of_receptor_neurons(self):
        stimuli = [puff(0.003)] * 25
        driven = evoked(self.receptors, puff(0.003)).max(axis=1) > 10.0
        variation = {}
        for name, neurons in (("receptors", self.receptors), ("projections", self.projections)):
            found = while_on(neurons.encode(stimuli, seed=0))
            each = (found.std(axis=0) / found.mean(axis=0)).reshape(24, -1)
            variation[name] = each.mean(axis=1)[driven]
        # The same glomeruli, so that differences of rate between glomeruli do not count.
        assert driven.sum() >= 8
        assert (variation["projections"] < variation["receptors"]).all()
        assert variation["projections"].mean() < 0.8 * variation["receptors"].mean()

    def test_convergence_is_what_makes_them_reliable(self):
        stimuli = [puff(0.003)] * 12
        variation = [
            np.median(
                (f := while_on(ProjectionNeurons(receptors=ReceptorNeurons(per_type=n)).encode(stimuli, seed=0))).std(
                    axis=0
                )
                / np.maximum(f.mean(axis=0), 1.0)
            )
            for n in (2, 40)
        ]
        assert variation[1] < variation[0]

    def test_projection_neurons_of_a_glomerulus_share_their_input_and_not_their_noise(self):
        neurons = ProjectionNeurons(receptors=ReceptorNeurons(n_types=3, per_type=5), per_glomerulus=2)
        stimuli = [puff(0.01), puff(0.1)]
        whole, part = neurons.encode(stimuli, seed=3), neurons.encode(stimuli[1:], seed=3, presentations=[1])
        assert all(np.array_equal(part.train(0, u), whole.train(1, u)) for u in whole.units.index)
        assert not np.array_equal(whole.train(0, "glomerulus 0 neuron 0"), whole.train(0, "glomerulus 0 neuron 1"))
        assert encoder(neurons.described()) == neurons
        assert whole.units["glomerulus"].tolist() == [0, 0, 1, 1, 2, 2]


@pytest.mark.parametrize("neurons", [ReceptorNeurons(n_types=2), ProjectionNeurons()], ids=["receptor", "projection"])
@pytest.mark.parametrize(
    ("stimulus", "says"),
    [
        (lambda: Signal([[np.nan, 0.0]], "1 kHz"), "not finite"),
        (lambda: Signal(np.zeros((1, 0)), "1 kHz"), "empty"),
        (lambda: Signal([[0.1, -0.1]], "1 kHz"), "0 or more"),
        (lambda: Signal(np.zeros((1, 9)), "100 Hz"), "at least 500 Hz"),
        (lambda: Features([0.5]), "kind Signal"),
    ],
)
def test_what_is_no_odour_is_refused(neurons, stimulus, says):
    with pytest.raises(InputError, match=says):
        neurons.encode([stimulus()], seed=0)


@pytest.mark.parametrize(
    ("kind", "wrong", "says"),
    [
        (ReceptorNeurons, {"n_types": 0}, "n_types"),
        (ReceptorNeurons, {"mean_response": "100 Hz"}, "three mean responses"),
        (ReceptorNeurons, {"reference": 0.0}, "reference"),
        (ReceptorNeurons, {"adaptation": -1.0}, "adaptation"),
        (ProjectionNeurons, {"receptors": "fly"}, "ReceptorNeurons"),
        (ProjectionNeurons, {"lateral": -1.0}, "lateral"),
        (ProjectionNeurons, {"per_glomerulus": 0}, "per_glomerulus"),
    ],
)
def test_parameters_that_describe_no_neurons_are_refused(kind, wrong, says):
    with pytest.raises(InputError, match=says):
        kind(**wrong)
