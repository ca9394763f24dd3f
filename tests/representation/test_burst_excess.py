"""What the event rate explains of bursts is chance and propensity, and nothing of it is left."""

import numpy as np
import pytest

from snncompare.recording.bursts import burst_statistics
from snncompare.representation import burst_excess as module
from snncompare.representation.burst_excess import burst_excess, crossed_excess
from snncompare.representation.unit_dissimilarities import crossed_dissimilarities, halves_of_trials
from snncompare.testing.burst_codes import burst_code


def conditions(recording):
    return recording.trials["condition"].to_numpy()


def standardised_excess(code, **how):
    """Return the mean of the units' excess dissimilarity in standard errors, over two simulations."""
    found = []
    for seed in range(2):
        recording = burst_code(code, seed=seed, **how)
        own, rng = conditions(recording), np.random.default_rng(seed)
        halves = [crossed_excess(recording, own, halves_of_trials(own, rng)) for _ in range(2)]
        found.append(np.mean([crossed_dissimilarities(*pair).mean(axis=1) for pair in halves], axis=0))
    of_units = np.concatenate(found)
    return of_units.mean() / (of_units.std(ddof=1) / np.sqrt(of_units.size))


@pytest.mark.parametrize("how", [{}, {"rate": 30.0, "duration": 0.3}, {"gain": 0.4}], ids=["12 Hz", "30 Hz", "gain"])
def test_bursts_of_poisson_trains_are_chance(how):
    recording = burst_code("rate", depth=0.0, n_units=20, **how)
    found = burst_excess(recording, conditions(recording))
    # 4000 bursts or more: 1.6 % of sampling error; 1 - exp(-x) of rates that are estimated is up to 6 % low at 30 Hz
    assert found.chance.sum() == pytest.approx(found.bursts.sum(), rel=0.08)
    assert found.bursts.sum() == burst_statistics(recording)["bursts"].sum()


def test_propensity_is_what_chance_does_not_explain():
    recording = burst_code("events", probability=0.3, n_units=20)
    found = burst_excess(recording, conditions(recording))
    # 0.3 of the events have a second spike of their own, in 16 ms that chance leaves to 85 %
    assert np.median(found.hazard) * 0.016 == pytest.approx(0.3, abs=0.04)
    assert np.abs(found.excess.sum(axis=0)).max() < 1e-9 * found.bursts.sum()
    without = burst_excess(burst_code("rate", n_units=20), conditions(recording))
    assert abs(np.median(without.hazard)) * 0.016 < 0.03


def test_clustering_sees_rates_that_vary_from_trial_to_trial():
    steady, varying = (
        burst_excess(burst_code("rate", gain=gain, rate=6.0, n_units=20), np.tile(np.arange(8), 20)).clustering.mean()
        for gain in (0.0, 0.7)
    )
    assert steady == pytest.approx(1.0, abs=0.05)
    assert varying > 1.2


@pytest.mark.parametrize(
    ("code", "how"),
    [
        pytest.param("events", {}, id="constant probability"),
        pytest.param("rate", {}, id="Poisson"),
        pytest.param("rate", {"rate": 30.0, "duration": 0.3}, id="Poisson, 30 Hz"),
        pytest.param("rate", {"recovery": 0.9}, id="slow recovery"),
    ],
)
def test_nothing_is_left_where_bursts_follow_from_the_rate(code, how):
    assert standardised_excess(code, n_units=20, **how) < 3.0  # one in 700 of a standard normal variable


@pytest.mark.parametrize("code", ["bursts", "both"])
def test_something_is_left_where_the_burst_probability_is_tuned(code):
    assert standardised_excess(code, n_units=20) > 6.0


def test_slow_recovery_would_pass_for_a_burst_code_without_its_constant(monkeypatch):
    monkeypatch.setattr(module, "PRIOR", 1e-6)  # alpha stays 1: what follows an event comes at the rate of events
    assert standardised_excess("rate", n_units=20, recovery=0.9) > 5.0


def test_the_interval_of_bursts_matters():
    recording = burst_code("events", n_units=5)
    found = [burst_excess(recording, conditions(recording), interval).bursts.sum() for interval in ("8 ms", "16 ms")]
    assert found[0] < found[1]
