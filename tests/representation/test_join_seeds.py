"""Networks that differ in their seed are one model whose instances are told apart."""

import numpy as np
import pytest

import snncompare as sc
from snncompare.errors import InputError


def recording(seed: int) -> sc.Recording:
    import pandas as pd

    rng = np.random.default_rng(seed)
    trials = pd.DataFrame({"start": 0.0, "stop": 1.0, "sound": [f"s{k % 9}" for k in range(18)]})
    units = pd.DataFrame(index=["a", "b"])
    trial, unit = np.repeat(np.arange(18), 12), np.tile(["a", "b"], 108)
    return sc.Recording.from_arrays(times=rng.random(216), unit=unit, trial=trial, units=units, trials=trials)


METRICS = [sc.VanRossum("20 ms"), sc.SpikeCount()]


def test_the_similarity_of_joined_seeds_is_the_mean_over_the_networks():
    data = sc.rdm(recording(0), METRICS, by="sound")
    each = {seed: sc.rdm(recording(seed), METRICS, by="sound") for seed in (1, 2, 3)}
    joined = sc.compare(data, {"network": sc.join_seeds(each)}, n_resamples=50).table["similarity"]
    alone = [sc.compare(data, {"network": one}, n_resamples=50).table["similarity"] for one in each.values()]
    np.testing.assert_allclose(joined, np.mean(alone, axis=0), atol=1e-12)
    assert np.ptp([one.iloc[0] for one in alone]) > 1e-3  # networks that did not differ would show nothing


def test_metrics_and_time_scales_stay_with_their_rdms():
    each = {seed: sc.rdm(recording(seed), METRICS, by="sound") for seed in (1, 2)}
    joined = sc.join_seeds(each)
    assert joined.rdm_descriptors["seed"] == ["1", "1", "2", "2"]
    assert list(joined.rdm_descriptors["metric"]) == ["van Rossum", "spike count"] * 2
    np.testing.assert_array_equal(joined.get_vectors()[2:], each[2].get_vectors())


def test_one_network_alone_is_joined_too():
    one = sc.rdm(recording(1), METRICS, by="sound")
    sc.compare(sc.rdm(recording(0), METRICS, by="sound"), {"network": sc.join_seeds({5: one})}, n_resamples=50)


def test_networks_that_saw_other_conditions_are_refused():
    one, other = (sc.rdm(recording(seed), METRICS, by="sound") for seed in (1, 2))
    fewer = other.subset_pattern("condition", [f"s{k}" for k in range(8)])
    with pytest.raises(InputError, match=r"but .seed 1. has"):
        sc.join_seeds({1: one, 2: fewer})
    with pytest.raises(InputError, match="no RDMs to join"):
        sc.join_seeds({})
