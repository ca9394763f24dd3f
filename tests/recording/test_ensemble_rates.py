"""Rates of populations over time are the numbers of spikes that a hand counts."""

import numpy as np
import pandas as pd
import pytest

from snncompare.errors import InputError
from snncompare.recording.ensemble_rates import ensemble_rates
from snncompare.recording.recording import Recording


@pytest.fixture
def recording():
    """Two trials of 0.4 s; units a, b are pyramidal, c is an interneuron that is silent."""
    units = pd.DataFrame({"population": ["pyr", "pyr", "pv"]}, index=["a", "b", "c"])
    return Recording.from_arrays(
        times=[0.01, 0.02, 0.03, 0.095, 0.105, 0.3, 0.25],
        unit=["a", "a", "a", "b", "b", "b", "a"],
        trial=[0, 0, 0, 0, 0, 0, 1],
        units=units,
        trials=pd.DataFrame({"start": 0.0, "stop": 0.4, "input": ["low", "high"]}),
    )


def test_rates_are_counted_over_units_trials_and_bins(recording):
    rates = ensemble_rates(recording, "100 ms")
    assert rates["event_rate"].dims == ("population", "time")
    assert rates["time"].values == pytest.approx([0.0, 0.1, 0.2, 0.3])
    per_spike = 1 / (2 * 2 * 0.1)  # two units, two trials, 100 ms
    pyr = rates.sel(population="pyr")
    assert pyr["event_rate"].values == pytest.approx(np.array([2, 0, 1, 1]) * per_spike)
    assert pyr["burst_rate"].values == pytest.approx(np.array([1, 1, 0, 0]) * per_spike)
    assert pyr["firing_rate"].values == pytest.approx(np.array([4, 1, 1, 1]) * per_spike)
    # the second bin has the second spike of a burst that began in the first, and no event
    assert pyr["burst_probability"].values == pytest.approx([0.5, np.nan, 0, 0], nan_ok=True)
    assert rates.attrs["dt"] == 0.1


def test_a_silent_population_has_rate_zero_and_no_burst_probability(recording):
    pv = ensemble_rates(recording, "200 ms").sel(population="pv")
    assert (pv["event_rate"] == 0).all()
    assert np.isnan(pv["burst_probability"]).all()


def test_conditions_have_rates_of_their_own(recording):
    rates = ensemble_rates(recording, "400 ms", by="input")
    assert rates["firing_rate"].dims == ("condition", "population", "time")
    assert rates["firing_rate"].sel(population="pyr").values.ravel() == pytest.approx([6 / 0.8, 1 / 0.8])


def test_the_interval_and_the_column_of_populations_matter(recording):
    short = ensemble_rates(recording, "400 ms", interval="5 ms").sel(population="pyr")
    assert (short["burst_rate"] == 0).all()
    one = ensemble_rates(recording.select(units=[True, True, False]), "400 ms")
    bare = Recording.from_arrays(
        times=recording.times,
        unit=recording.spike_index()[1],
        trial=recording.spike_index()[0],
        units=pd.DataFrame({"layer": [5, 5, 5]}),
        trials=recording.trials,
    )
    assert ensemble_rates(bare, "400 ms")["population"].values.tolist() == ["all"]
    assert ensemble_rates(bare, "400 ms", populations="layer")["population"].values.tolist() == [5]
    # three units instead of two share the same spikes
    assert float(ensemble_rates(bare, "400 ms")["event_rate"].sum() * 3) == pytest.approx(
        float(one["event_rate"].sum() * 2)
    )


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        pytest.param({"bin": "150 ms"}, "no whole number of bins", id="does not divide"),
        pytest.param({"bin": "0 ms"}, "positive", id="zero"),
        pytest.param({"bin": "100 ms", "by": "inputs"}, "input", id="no such column"),
        pytest.param({"bin": "100 ms", "populations": "layer"}, "units table", id="no such population column"),
        pytest.param({"bin": "100 ms", "interval": "0 ms"}, "positive", id="no interval"),
    ],
)
def test_what_cannot_be_binned_is_refused(recording, arguments, said):
    with pytest.raises(InputError, match=said):
        ensemble_rates(recording, **arguments)


def test_trials_of_unlike_windows_are_refused(recording):
    trials = recording.trials.assign(stop=[0.4, 0.5])
    unlike = Recording(times=recording.times, offsets=recording.offsets, units=recording.units, trials=trials)
    with pytest.raises(InputError, match="same window"):
        ensemble_rates(unlike, "100 ms")
