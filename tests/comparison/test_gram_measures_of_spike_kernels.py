"""Gram measures and predictivity on spike-train kernels: what counts cannot see, kernels of spike times can."""

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from snncompare.comparison.gram_measures import bures, cka, procrustes
from snncompare.comparison.prediction.predictivity import predictivity
from snncompare.recording.recording import Recording
from snncompare.representation.condition_gram import condition_gram
from snncompare.representation.conditions import Conditions
from snncompare.representation.estimators import BetweenMinusWithin
from snncompare.representation.gram import gram
from snncompare.representation.kernels import Count, Laplacian
from snncompare.representation.metrics import VanRossum
from snncompare.representation.rdm import rdm

N_CONDITIONS = 24
N_TRIALS = 6
N_UNITS = 12


def timing_code(seed, latency, order=None, n_units=N_UNITS):
    """Return a recording with one spike per train, at a latency that depends on the condition (and unit), and noise."""
    generator = np.random.default_rng(seed)
    condition, _, unit = (where.ravel() for where in np.indices((N_CONDITIONS, N_TRIALS, n_units)))
    trial = np.arange(N_CONDITIONS * N_TRIALS).repeat(n_units)
    phase = np.linspace(0, 2 * np.pi, n_units, endpoint=False)[unit]
    times = 0.25 + 0.1 * np.cos(latency[condition] + phase) + 0.005 * generator.normal(size=condition.size)
    names = np.arange(N_CONDITIONS).repeat(N_TRIALS)
    recording = Recording.from_arrays(
        times=times,
        unit=unit,
        trial=trial,
        units=pd.DataFrame(index=range(n_units)),
        trials=pd.DataFrame({"start": 0.0, "stop": 0.5, "stimulus": [f"s{c}" for c in names]}),
    )
    return recording if order is None else reordered(recording, order)


def reordered(recording, order):
    trial, unit = recording.spike_index()
    return Recording.from_arrays(
        times=recording.times,
        unit=recording.units.index.to_numpy()[unit],
        trial=recording.trials.index.to_numpy()[trial],
        units=recording.units,
        trials=recording.trials.iloc[order],
    )


def conditions_of(recording, kernel, *, unbiased=True):
    return condition_gram(gram(recording, kernel), Conditions.of(recording, "stimulus"), unbiased=unbiased)


@pytest.fixture(scope="module")
def latency():
    return np.random.default_rng(0).uniform(0, 2 * np.pi, N_CONDITIONS)


def test_the_gram_matrix_of_conditions_holds_the_unbiased_van_rossum_rdm(latency):
    recording = timing_code(1, latency)
    matrix = conditions_of(recording, Laplacian(tau="10 ms")).to_numpy()
    own = np.diagonal(matrix)
    first, second = np.triu_indices(N_CONDITIONS, 1)
    squared = (own[:, None] + own[None, :] - 2 * matrix)[first, second]
    expected = rdm(recording, VanRossum(tau="10 ms"), "stimulus", BetweenMinusWithin()).get_vectors()[0]
    ratio = squared / expected
    np.testing.assert_allclose(ratio, ratio[0], rtol=1e-8)  # the kernel's unit of height is its own


def test_kernels_of_spike_times_see_a_shared_timing_code_and_counts_do_not(latency):
    order = np.random.default_rng(2).permutation(N_CONDITIONS * N_TRIALS)
    brain, model = timing_code(1, latency), timing_code(2, latency, order)
    unrelated = timing_code(3, np.random.default_rng(9).permutation(latency))
    grams = {
        name: conditions_of(x, Laplacian(tau="20 ms"))
        for name, x in {"brain": brain, "model": model, "unrelated": unrelated}.items()
    }
    assert cka(grams["brain"], grams["model"]) > 0.95
    assert abs(cka(grams["brain"], grams["unrelated"])) < 0.2
    assert bures(grams["brain"], grams["model"]) > bures(grams["brain"], grams["unrelated"]) + 0.1
    assert procrustes(grams["brain"], grams["model"]) < 0.2 * procrustes(grams["brain"], grams["unrelated"])
    counts = [conditions_of(x, Count(), unbiased=False) for x in (brain, model)]
    assert cka(*counts) == 0  # every train has one spike


def test_conditions_in_another_order_are_aligned(latency):
    order = np.random.default_rng(2).permutation(N_CONDITIONS * N_TRIALS)
    brain, model = timing_code(1, latency), timing_code(2, latency)
    kernel = Laplacian(tau="20 ms")
    expected = cka(conditions_of(brain, kernel), conditions_of(model, kernel))
    turned = conditions_of(reordered(model, order), kernel)
    assert list(turned.condition.to_numpy()) != list(conditions_of(brain, kernel).condition.to_numpy())
    assert cka(conditions_of(brain, kernel), turned) == pytest.approx(expected, abs=1e-10)


def test_kernel_ridge_on_spike_times_predicts_rates_that_counts_cannot(latency):
    model = timing_code(1, latency)
    rates = np.stack([10 + 5 * np.cos(latency), 8 + 3 * np.sin(latency)], axis=1)
    responses = xr.DataArray(
        rates + np.random.default_rng(5).normal(size=rates.shape),
        dims=("condition", "unit"),
        coords={"condition": [f"s{k}" for k in range(N_CONDITIONS)]},
    )
    assert predictivity(responses, conditions_of(model, Laplacian(tau="20 ms"), unbiased=False)).median > 0.8
    assert predictivity(responses, conditions_of(model, Count(), unbiased=False)).median == 0


def test_a_sweep_keeps_its_time_scales(latency):
    kernels = Laplacian.sweep(["5 ms", "50 ms"])
    recording = timing_code(1, latency)
    both = condition_gram(gram(recording, kernels), Conditions.of(recording, "stimulus"))
    assert both.dims == ("kernel", "condition", "condition_")
    np.testing.assert_allclose(both.time_scale, [0.005, 0.05])
    single = conditions_of(recording, kernels[1])
    np.testing.assert_allclose(both.isel(kernel=1), single)
    assert cka(both.isel(kernel=0), both.isel(kernel=1)) < 0.99
