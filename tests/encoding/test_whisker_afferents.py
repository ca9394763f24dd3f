"""Trigeminal afferents: adaptation, directions, velocities."""

import numpy as np
import pytest

from snncompare.encoding.catalogue import encoder
from snncompare.encoding.stimuli import Signal
from snncompare.encoding.whisker import WhiskerAfferents
from snncompare.errors import InputError

RATE = 5_000
ONSET, HOLD = 0.05, 0.2


def deflection(direction, degrees=5.7, speed=700.0):
    """Ramp, hold and return; 5.7 degrees are those of Lichtenstein, Carvell & Simons (1990)."""
    time = np.arange(round(0.4 * RATE)) / RATE
    end = ONSET + degrees / speed + HOLD
    size = np.clip(np.minimum((time - ONSET) * speed, (end - time) * speed), 0.0, degrees)
    angle = np.deg2rad(direction)
    return Signal([size * np.cos(angle), size * np.sin(angle)], f"{RATE} Hz", ["horizontal", "vertical"])


def counts(recording, start, stop):
    trial, unit = recording.spike_index()
    inside = (recording.times >= start) & (recording.times < stop)
    found = np.zeros((recording.n_trials, recording.n_units))
    np.add.at(found, (trial[inside], unit[inside]), 1)
    return found


@pytest.fixture(scope="module")
def compass():
    """Responses to eight directions."""
    return WhiskerAfferents().encode([deflection(a) for a in range(0, 360, 45)], seed=0)


def kinds(recording):
    return recording.units["kind"].to_numpy() == "slowly adapting"


def selectivity(onset):
    """Return the length of the mean vector of each unit's responses over eight directions."""
    angles = np.exp(1j * np.deg2rad(np.arange(0, 360, 45)))
    return np.abs(angles @ onset) / onset.sum(axis=0)


def test_three_in_four_are_slowly_adapting(compass):
    """75 % in the rat: Lichtenstein, Carvell & Simons (1990) Somatosens Mot Res 7:47 (abstract)."""
    assert kinds(compass).mean() == 0.75


def test_only_slowly_adapting_afferents_fire_while_the_whisker_is_held(compass):
    held = counts(compass, ONSET + 0.05, ONSET + HOLD)
    slow = kinds(compass)
    assert held[:, ~slow].sum() == 0
    assert held[:, slow].max(axis=0).min() >= 5


def test_responses_are_directional_and_those_of_slowly_adapting_afferents_more_so(compass):
    """Lichtenstein et al. (1990): slowly adapting units are more selective, 81 % of all prefer some directions.
    Kwegyir-Afful et al. (2008) Somatosens Mot Res 25:209 (mouse): best direction more than four times the opposite.
    """
    onset, slow = counts(compass, ONSET, ONSET + 0.03), kinds(compass)
    best = onset.argmax(axis=0)
    units = np.arange(onset.shape[1])
    assert onset[best, units].sum() > 4 * onset[(best + 4) % 8, units].sum()
    assert selectivity(onset[:, slow]).mean() > selectivity(onset[:, ~slow]).mean() + 0.1
    blind = WhiskerAfferents(slow_tuning=0.0, rapid_tuning=0.0)  # negative control
    everywhere = counts(blind.encode([deflection(a) for a in range(0, 360, 45)], seed=0), ONSET, ONSET + 0.03)
    assert selectivity(everywhere).mean() < 0.1


def test_preferred_directions_are_those_of_the_units_table(compass):
    onset = counts(compass, ONSET, ONSET + 0.03)
    angles = np.exp(1j * np.deg2rad(np.arange(0, 360, 45)))
    measured = np.angle(angles @ onset)
    stated = np.deg2rad(compass.units["preferred_degrees"].to_numpy())
    # Few spikes in eight directions 45 degrees apart.
    assert np.abs(np.angle(np.exp(1j * (measured - stated)))).mean() < np.deg2rad(15)


def test_rapidly_adapting_afferents_feel_velocity_and_slowly_adapting_ones_amplitude():
    """Kwegyir-Afful et al. (2008): sensitivity to differences of velocity and of amplitude (abstract)."""
    whisker = WhiskerAfferents()
    speeds = whisker.encode([deflection(0, speed=s) for s in (125.0, 1000.0)], seed=0)
    sizes = whisker.encode([deflection(0, degrees=d) for d in (3.0, 9.0)], seed=0)
    slow = kinds(speeds)
    by_speed, by_size = counts(speeds, ONSET, ONSET + 0.15), counts(sizes, ONSET, ONSET + 0.15)
    growth = {
        name: (
            by_speed[1, of].sum() / max(by_speed[0, of].sum(), 1),
            by_size[1, of].sum() / max(by_size[0, of].sum(), 1),
        )
        for name, of in (("slow", slow), ("rapid", ~slow))
    }
    assert growth["rapid"][0] > 2 * growth["slow"][0]
    assert growth["slow"][1] > growth["rapid"][1]


def test_slow_movements_stay_below_the_velocity_threshold_of_rapidly_adapting_afferents():
    """Stüttgen, Rüter & Schwarz (2006) J Neurosci 26:7933: there is such a threshold; its value here is our choice."""
    whisker = WhiskerAfferents(slowly_adapting=0.0, heterogeneity=0.0)
    fired = whisker.encode([deflection(0, speed=s) for s in (50.0, 500.0)], seed=0).counts().sum("unit").to_numpy()
    assert fired[0] == 0 < fired[1]


def test_first_spikes_of_fast_deflections_are_precise():
    """Jones, Lee, Trageser, Simons & Keller (2004) J Neurophysiol 92:1470: jitter below a millisecond."""
    whisker = WhiskerAfferents(heterogeneity=0.0)
    recording = whisker.encode([deflection(0, speed=1000.0)] * 20, seed=0)
    loud = [u for u in recording.units.index if all(recording.train(t, u).size for t in range(20))]
    assert len(loud) > 10
    firsts = np.array([[recording.train(t, u)[0] for t in range(20)] for u in loud])
    assert np.median(firsts.std(axis=1)) < 1e-3
    noisy = WhiskerAfferents(heterogeneity=0.0, noise_sd=0.6).encode([deflection(0, speed=1000.0)] * 20, seed=0)
    other = np.array([[noisy.train(t, u)[0] if noisy.train(t, u).size else 0.4 for t in range(20)] for u in loud])
    assert np.median(other.std(axis=1)) > 1e-3  # negative control


def test_spikes_depend_on_seed_and_presentation_and_plain_data_make_the_same_whisker():
    whisker = WhiskerAfferents(size=6)
    stimuli = [deflection(0), deflection(90)]
    whole, part = whisker.encode(stimuli, seed=3), whisker.encode(stimuli[1:], seed=3, presentations=[1])
    assert all(np.array_equal(part.train(0, u), whole.train(1, u)) for u in whole.units.index)
    assert not np.array_equal(whole.times, whisker.encode(stimuli, seed=4).times)
    assert encoder(whisker.described()) == whisker


@pytest.mark.parametrize(
    ("stimulus", "says"),
    [
        (lambda: Signal([[np.nan, 0.0], [0.0, 0.0]], "5 kHz"), "not finite"),
        (lambda: Signal(np.zeros((2, 0)), "5 kHz"), "empty"),
        (lambda: Signal(np.zeros((1, 9)), "5 kHz"), "two axes"),
        (lambda: Signal(np.zeros((2, 9)), "1 kHz"), "at least 3000 Hz"),
        (lambda: Signal(np.full((2, 9), 400.0), "5 kHz"), "degrees"),
    ],
)
def test_what_is_no_deflection_is_refused(stimulus, says):
    with pytest.raises(InputError, match=says):
        WhiskerAfferents(size=2).encode([stimulus()], seed=0)


@pytest.mark.parametrize(
    "wrong", [{"size": 0}, {"slowly_adapting": 2.0}, {"rapid_velocity_gain": 0.0}, {"corner": "0 Hz"}]
)
def test_parameters_that_describe_no_afferents_are_refused(wrong):
    with pytest.raises(InputError, match=next(iter(wrong))):
        WhiskerAfferents(**wrong)
