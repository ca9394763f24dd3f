"""What tests of training and measuring on chips share."""

import numpy as np
import pandas as pd
import pytest

import snncompare as sc
from snncompare.datasets.spike_dataset import SpikeDataset


@pytest.fixture(scope="package")
def data() -> SpikeDataset:
    """Return 14 trials of random spikes of 8 units, in two classes."""
    n, rng = 14, np.random.default_rng(1)
    spikes = sc.Recording.from_arrays(
        times=rng.uniform(0, 0.055, n * 24),
        unit=rng.integers(8, size=n * 24),
        trial=np.repeat(np.arange(n), 24),
        units=pd.DataFrame(index=range(8)),
        trials=pd.DataFrame({"kind": np.arange(n) % 2, "start": 0.0, "stop": 0.06}),
    )
    return SpikeDataset(spikes=spikes, label="kind", name="trials")
