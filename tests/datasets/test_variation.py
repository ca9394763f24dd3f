"""Varied copies differ from their trial as they were told to, and in nothing else."""

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from snncompare.datasets.source import RecordingSource
from snncompare.datasets.spike_dataset import SpikeDataset
from snncompare.datasets.variation import Variation, varied
from snncompare.errors import InputError
from snncompare.recording.recording import Recording


def dataset(n_trials=6, n_units=5, rate=200, start=0.0):
    rng = np.random.default_rng(0)
    n = n_trials * n_units * rate
    spikes = Recording.from_arrays(
        times=start + rng.uniform(0, 1.0, n),
        unit=rng.integers(0, n_units, n),
        trial=rng.integers(0, n_trials, n),
        units=pd.DataFrame(index=range(n_units)),
        trials=pd.DataFrame(
            {"start": start, "stop": start + 1.0, "side": ["left", "right"] * 3}, index=range(n_trials)
        ),
    )
    return SpikeDataset(spikes=spikes, label="side", name="sides")


def counts(data, indices):
    return data.source.spikes(np.array(indices)).counts


def test_originals_come_first_and_are_untouched():
    data = dataset()
    more = varied(data, Variation(drop=0.9, unit_shift=2), copies=2, seed=0)
    assert len(more) == 18
    assert more.classes == data.classes
    assert more.labels.tolist() == [0, 1] * 9
    assert more.trials["copy"].tolist() == [0] * 6 + [1] * 6 + [2] * 6
    assert np.array_equal(more[3].times, data[3].times)


def test_nothing_to_vary_gives_equal_copies():
    data = dataset(start=-0.2)
    copy = varied(data, Variation(), copies=1, seed=0)
    assert np.allclose(copy[8].times, data[2].times, rtol=0, atol=1e-12)  # rounding of subtracting the start
    assert np.array_equal(copy[8].units, data[2].units)


def test_time_is_scaled_with_the_window():
    data = dataset(start=0.5)
    more = varied(data, Variation(time_scale=(0.5, 0.8)), copies=1, seed=0)
    for trial in range(6):
        factor = more[6 + trial].duration
        assert 0.5 <= factor <= 0.8
        assert np.allclose(more[6 + trial].times, data[trial].times * factor, rtol=0, atol=1e-12)
    assert len({more[6 + trial].duration for trial in range(6)}) == 6
    assert more.spikes.trials["start"].eq(0.5).all()


def test_units_shift_together_and_the_ends_are_lost():
    data = dataset()
    more = varied(data, Variation(unit_shift=2), copies=8, seed=0)
    shifts = set()
    for position in range(6, len(more)):
        before, after = counts(data, [position % 6])[0], counts(more, [position])[0]
        fits = [
            s for s in range(-2, 3) if np.array_equal(after, [before[i - s] if 0 <= i - s < 5 else 0 for i in range(5)])
        ]
        assert len(fits) == 1
        shifts |= set(fits)
    assert shifts == {-2, -1, 0, 1, 2}


def test_spikes_are_dropped_up_to_the_probability_given():
    data = dataset(rate=1000)
    more = varied(data, Variation(drop=0.5), copies=20, seed=0)
    kept = counts(more, range(6, len(more))).sum(axis=1) / np.tile(counts(data, range(6)).sum(axis=1), 20)
    # 5000 spikes a trial: a standard error of 0.007 beyond the range drawn from; 120 draws reach both its ends.
    assert 0.47 < kept.min() < 0.55
    assert 0.95 < kept.max() <= 1.0


def test_jitter_moves_spikes_by_its_standard_deviation():
    data = dataset(n_units=1, rate=1, n_trials=6)
    one = Recording.from_arrays(
        times=np.linspace(0.3, 0.7, 400), unit=np.zeros(400, int), trial=np.zeros(400, int),
        units=data.units, trials=data.trials.iloc[:1],
    )  # fmt: skip
    alone = SpikeDataset(spikes=one, label="side", name="one")
    moved = varied(alone, Variation(jitter="1 us"), copies=1, seed=0)[1]
    # 400 spikes 1 ms apart do not change places; the standard deviation has an error of 3.5 %.
    assert np.std(moved.times - alone[0].times) == pytest.approx(1e-6, rel=0.15)


def test_a_copy_depends_on_the_seed_its_trial_and_its_number_only():
    data = dataset()
    variation = Variation(time_scale=(0.8, 1.2), unit_shift=1, drop=0.3, jitter="1 ms")
    few, many, other = (varied(data, variation, copies=c, seed=s) for c, s in ((1, 0), (3, 0), (1, 1)))
    whole = few.spikes
    assert np.array_equal(whole.train("4 copy 1", 2), many.recording([10]).train("4 copy 1", 2))
    assert not np.array_equal(whole.train("4 copy 1", 2), other.recording([10]).train("4 copy 1", 2))


@pytest.mark.parametrize(
    ("wrong", "says"),
    [({"time_scale": (1.2, 0.8)}, "time_scale"), ({"unit_shift": -1}, "unit_shift"), ({"drop": 1.5}, "drop"),
     ({"jitter": "-1 ms"}, "jitter"), ({"jitter": "1 mV"}, "jitter")],
)  # fmt: skip
def test_what_is_no_variation_is_refused(wrong, says):
    with pytest.raises(InputError, match=says):
        Variation(**wrong)


def test_no_copies_and_targets_over_time_are_refused():
    with pytest.raises(InputError, match="copies"):
        varied(dataset(), Variation(), copies=0, seed=0)

    class WithTarget(RecordingSource):
        def target(self, position):  # noqa: ARG002
            return xr.DataArray([0.0], dims="time")

    tasks = SpikeDataset(spikes=WithTarget(dataset().spikes), label=None, name="task")
    with pytest.raises(InputError, match="targets over time"):
        varied(tasks, Variation(), copies=1, seed=0)
