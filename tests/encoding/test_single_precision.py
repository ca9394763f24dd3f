"""Powers in single precision are right, and the same on processors without the newest vector instructions."""

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from numba import njit

from snncompare.encoding.auditory import single_precision
from snncompare.encoding.auditory.auditory_nerve import AuditoryNerve
from snncompare.encoding.encoder import presentation_seed
from snncompare.encoding.stimuli import Sound


@njit
def exp2(values):
    return np.array([single_precision.exp2(x) for x in values])


@njit
def log2(values):
    return np.array([single_precision.log2(x) for x in values])


@njit
def fused(x, y, z):
    return single_precision.fma(x, y, z), x * y + z


def test_powers_of_two_are_right_to_single_precision():
    x = np.linspace(-125.9, 125.9, 20_001).astype(np.float32)
    # The series ends before (log 2 / 2) ** 7 / 5040 = 1.2e-7 at most; half a unit in the last place is 6e-8.
    assert np.abs(exp2(x) / np.exp2(x.astype(np.float64)) - 1.0).max() < 3e-7
    assert exp2(np.array([-500.0, 0.0, 3.0, 500.0], np.float32)).tolist() == [2.0**-126, 1.0, 8.0, 2.0**126]


def test_logarithms_are_right_to_single_precision():
    x = np.exp(np.linspace(-80, 80, 20_001)).astype(np.float32)
    expected = np.log2(x.astype(np.float64))
    assert (np.abs(log2(x) - expected) / np.maximum(np.abs(expected), 1.0)).max() < 2e-7
    assert log2(np.array([0.25, 1.0, 8.0], np.float32)).tolist() == [-2.0, 0.0, 3.0]


def test_a_fused_product_and_sum_is_rounded_once():
    x, z = np.float32(1.0 + 2.0**-12), np.float32(-1.0)
    once, twice = fused(x, x, z)
    assert once == np.float32(2.0**-11 + 2.0**-24)
    assert twice == 2.0**-11  # negative control: the product alone does not fit


def digest():
    """Return a hash of the spikes to a noise that rises to 70 dB SPL and falls silent."""
    samples = np.random.default_rng(0).standard_normal(800) * np.repeat([1e-4, 1e-2, 0.0, 1e-3], 200)
    spikes = AuditoryNerve(n_channels=18).fire(Sound(samples, "16 kHz"), presentation_seed(0, 0))
    assert spikes.times.size > 100
    return hashlib.sha256(spikes.times.tobytes() + spikes.counts.tobytes()).hexdigest()


@pytest.mark.slow
def test_spikes_are_the_same_on_a_processor_with_shorter_vectors(tmp_path):
    command = [sys.executable, "-c", "import test_single_precision as t; print(t.digest())"]
    there = os.environ | {"NUMBA_CPU_NAME": "haswell", "NUMBA_CACHE_DIR": str(tmp_path)}
    done = subprocess.run(command, cwd=Path(__file__).parent, env=there, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == digest()
