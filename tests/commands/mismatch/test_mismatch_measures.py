import numpy as np
import pandas as pd
import pytest

from snncompare.backends.analog.profiles.profile import ChipProfile
from snncompare.backends.registry import compile as compile_network
from snncompare.backends.torch.module import TorchNetwork
from snncompare.commands.mismatch.measure import COLUMNS, measure_devices
from snncompare.commands.mismatch.points import Point, profile_at
from snncompare.commands.mismatch.probe import Probe, check_probe, ideal_responses, inputs_of
from snncompare.commands.mismatch.representations import spike_distances
from snncompare.comparison.measures import Pearson
from snncompare.datasets.spike_dataset import SpikeDataset
from snncompare.errors import InputError
from snncompare.learning.evaluate import evaluate
from snncompare.learning.losses import Classification
from snncompare.recording.recording import Recording
from snncompare.representation.distances import distances
from snncompare.representation.metrics import SpikeCount, VanRossum, VictorPurpura
from snncompare.representation.rdm import rdm

LOSS = Classification("readout", scale="1 mV")
PLAIN = ChipProfile.load("plain")
METRICS = (VanRossum("5 ms"), SpikeCount())


@pytest.fixture(scope="module")
def probe(words):
    return Probe(words, "word", METRICS, population="hidden")


@pytest.fixture(scope="module")
def mismatched(little, words, probe):
    return measured(little, words, probe, Point(sigma=0.3), range(3))


def measured(little, words, probe, point, seeds, **more):
    return measure_devices(
        little, words, LOSS, profile=profile_at(PLAIN, point), device_seeds=seeds, dt="1 ms", probe=probe, **more
    )


def test_without_mismatch_every_device_is_the_ideal_network_to_the_bit(little, words, probe):
    table = measured(little, words, probe, Point(sigma=0.0), (0, 7))
    ideal = evaluate(TorchNetwork(little.network, 1e-3, little.realisation), words, LOSS, dt="1 ms")
    assert list(table) == list(COLUMNS)
    assert list(table["device_seed"]) == [0, 0, 7, 7]
    assert (table["spike_distance"] == 0).all()
    assert np.allclose(table["similarity_to_ideal"], 1, rtol=0, atol=1e-12)  # rounding of a correlation with itself
    assert (table["accuracy"] == ideal.accuracy).all()


def test_mismatch_moves_spikes_and_devices_differ(mismatched):
    of_metric = mismatched[mismatched["metric"] == METRICS[0].label]
    assert (of_metric["spike_distance"] > 0).all()
    assert of_metric["spike_distance"].nunique() == 3
    assert (mismatched["energy"] > 0).all()
    assert mismatched["similarity_to_recording"].isna().all()


def test_a_device_does_the_same_in_any_company(little, words, probe, mismatched):
    alone = measured(little, words, probe, Point(sigma=0.3), (2,))
    pairs = measured(little, words, probe, Point(sigma=0.3), range(3), devices_at_once=2)
    pd.testing.assert_frame_equal(pairs, mismatched, check_exact=True)
    same = mismatched[mismatched["device_seed"] == 2].reset_index(drop=True)
    pd.testing.assert_frame_equal(alone, same, check_exact=True)
    other = mismatched[mismatched["device_seed"] == 1].reset_index(drop=True)
    assert not alone["spike_distance"].equals(other["spike_distance"])  # control


def test_distance_and_similarity_are_those_of_their_definitions(little, words, probe, mismatched):
    """Computed anew from a run on the chip, by the distances between all trials of both."""
    inputs, duration = inputs_of(little.network, words, "1 ms")
    chip = compile_network(
        little.network, "analog", dt="1 ms", weights=little.realisation,
        profile=profile_at(PLAIN, Point(sigma=0.3)), device_seed=1,
    )  # fmt: skip
    got = chip.run(inputs, duration=duration, record=["hidden"])
    asked = ideal_responses(little, probe, dt="1 ms")
    n = got.n_trials
    both = Recording(
        times=np.concatenate([asked.spikes.times, got.times]),
        offsets=np.concatenate([asked.spikes.offsets, got.offsets[1:] + asked.spikes.times.size]),
        units=got.units,
        trials=pd.DataFrame({"start": 0.0, "stop": asked.spikes.trials["stop"].iloc[0]}, index=range(2 * n)),
    )
    word = words.trials["word"].to_numpy()
    for metric in METRICS:
        between = distances(both, metric).to_numpy()
        row = mismatched[(mismatched["device_seed"] == 1) & (mismatched["metric"] == metric.label)].iloc[0]
        apart = between[np.arange(n), n + np.arange(n)].mean()
        others = between[:n, :n][word[:, None] != word[None, :]].mean()
        assert row["spike_distance"] == pytest.approx(apart, rel=1e-12)  # sums in another order
        assert row["relative_distance"] == pytest.approx(apart / others, rel=1e-12)
        own, ideal = (rdm(each, metric, "word").get_vectors()[0] for each in (got, asked.spikes))
        expected = pd.Series(own).corr(pd.Series(ideal), method="spearman")
        assert row["similarity_to_ideal"] == pytest.approx(expected, abs=1e-12)


def test_spike_distances_pair_each_trial_with_its_own(words):
    spikes = words.spikes
    shifted = spikes.select(trials=np.arange(spikes.n_trials) % 2 == 0)
    assert spike_distances(shifted, [shifted], [VictorPurpura("200 Hz")]).tolist() == [[0.0]]
    swapped = Recording(times=spikes.times, offsets=spikes.offsets, units=spikes.units, trials=spikes.trials).select(
        trials=np.arange(spikes.n_trials) % 2 == 1
    )
    assert spike_distances(shifted, [swapped], [VictorPurpura("200 Hz")])[0, 0] > 0


def test_similarity_to_a_recording_follows_its_labels(little, words):
    """The "animal" is the ideal network itself, once with its own labels and once with others."""
    base = Probe(words, "word", METRICS, population="hidden", measure=Pearson())
    ideal = ideal_responses(little, base, dt="1 ms")
    mixed = ideal.spikes.with_trials(
        word=list(ideal.spikes.trials["word"].map(lambda w: f"word {(int(w[-1]) * 3 + 1) % 4}"))
    )
    found = {}
    for name, spikes in (("own", ideal.spikes), ("other", mixed)):
        animal = rdm(spikes, list(METRICS), "word")
        seen = Probe(words, "word", METRICS, population="hidden", measure=Pearson(), recording=animal)
        found[name] = measured(little, words, seen, Point(sigma=0.3), (0, 1), ideal=ideal)
    same = found["own"]
    assert np.allclose(same["similarity_to_recording"], same["similarity_to_ideal"], rtol=0, atol=1e-12)
    assert not np.allclose(found["other"]["similarity_to_recording"], same["similarity_to_ideal"], atol=1e-3)


def test_fewer_synapses_cost_less(little, words, probe):
    coarse = measured(little, words, probe, Point(bits=2), (0,))  # many weights become zero
    fine = measured(little, words, probe, Point(sigma=0.0), (0,))
    per_spike = [t["synaptic_operations"].iloc[0] / t["rate"].iloc[0] for t in (coarse, fine)]
    assert per_spike[0] < 0.9 * per_spike[1]


def test_what_cannot_be_measured_is_refused(little, words, probe):
    with pytest.raises(InputError, match="nothing to measure"):
        measure_devices(little, None, None, profile=PLAIN, device_seeds=(0,), dt="1 ms")
    with pytest.raises(InputError, match="different numbers"):
        measured(little, words, probe, Point(), (1, 1))
    with pytest.raises(InputError, match="did you mean 'word'"):
        Probe(words, "wrod", METRICS)
    with pytest.raises(InputError, match="from 3 on"):
        Probe(words.subset(words.labels < 2), "word", METRICS)
    with pytest.raises(InputError, match="did you mean 'hidden'"):
        ideal_responses(little, Probe(words, "word", METRICS, population="hiden"), dt="1 ms")


def test_two_spikes_in_a_step_are_found_before_anything_runs(little, words):
    spikes = words.spikes
    crowded = Recording.from_arrays(
        times=np.array([0.0101, 0.0104]), unit=[2, 2], trial=[5, 5], units=spikes.units, trials=spikes.trials
    )
    probe = Probe(SpikeDataset(spikes=crowded, label="word", name="crowded"), "word", METRICS)
    with pytest.raises(InputError, match="fires twice within one time step"):
        check_probe(little, probe, dt="1 ms")
    check_probe(little, probe, dt="0.1 ms")  # control: it is the step


def test_without_a_probe_there_is_accuracy_alone(little, words):
    table = measure_devices(little, words, LOSS, profile=PLAIN, device_seeds=(0, 1), dt="1 ms")
    assert len(table) == 2
    assert table["accuracy"].notna().all()
    assert table[["spike_distance", "energy", "similarity_to_ideal"]].isna().all(axis=None)
