"""Training lowers the loss on a task that can be learnt, keeps what must not change, and resumes from a file."""

import pickle
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import snncompare as sc
from snncompare.backends.realisation import realise
from snncompare.backends.torch.module import TorchNetwork
from snncompare.circuits.recurrent import recurrent_classifier
from snncompare.datasets.spike_dataset import SpikeDataset
from snncompare.errors import FileError, InputError
from snncompare.learning.evaluate import evaluate
from snncompare.learning.losses import Classification, RateLimit
from snncompare.learning.optimisers import Adam
from snncompare.learning.readout import linear_readout_accuracy
from snncompare.learning.rule import LearningRule, surrogate_gradient

DT = "1 ms"
GUESSED = 0.8
"""Guessing two classes reaches this in 40 held-out trials with a probability below 0.0001."""
LOSS = Classification("readout", scale="2 mV")


def two_orders(n=40, *, seed=0, shuffled=False):
    """Return trials in which the first or the second half of the units fires first: counts say nothing."""
    rng = np.random.default_rng(seed)
    label = np.arange(n) % 2
    early, late = 0.005 + 0.02 * rng.random((n, 8)), 0.045 + 0.02 * rng.random((n, 8))
    times = np.where((np.arange(8) < 4) == (label[:, None] == 0), early, late)
    trials = pd.DataFrame({"order": rng.permutation(label) if shuffled else label, "start": 0.0, "stop": 0.08})
    spikes = sc.Recording.from_arrays(
        times=times.ravel(),
        unit=np.tile(np.arange(8), n),
        trial=np.repeat(np.arange(n), 8),
        units=pd.DataFrame(index=range(8)),
        trials=trials,
    )
    return SpikeDataset(spikes=spikes, label="order", name="two orders", classes=(0, 1))


def two_units(n=40, *, seed=0):
    """Return trials in which only one half of the units fires: counts say everything."""
    rng = np.random.default_rng(seed)
    label = np.arange(n) % 2
    unit = np.arange(4) + 4 * label[:, None]
    trials = pd.DataFrame({"half": label, "start": 0.0, "stop": 0.08})
    spikes = sc.Recording.from_arrays(
        times=rng.uniform(0, 0.075, (n, 4)).ravel(),
        unit=unit.ravel(),
        trial=np.repeat(np.arange(n), 4),
        units=pd.DataFrame(index=range(8)),
        trials=trials,
    )
    return SpikeDataset(spikes=spikes, label="half", name="two units")


def train(dataset, *, rule=None, seed=0, epochs=12, **options):
    network = recurrent_classifier(inputs=8, hidden=30, classes=2)
    chosen = rule or surrogate_gradient(width="0.5 mV", scale="10 mV", learning_rate=0.05)
    return sc.fit(
        network, chosen, dataset, test=two_orders(seed=9), loss=LOSS, dt=DT, epochs=epochs, batch_size=20, seed=seed,
        progress=options.pop("progress", lambda _line: None), **options,
    )  # fmt: skip


@pytest.fixture(scope="module")
def trained():
    return train(two_orders())


def test_a_task_that_can_be_learnt_is_learnt(trained):
    assert trained.history["loss"].iloc[-1] < 0.75 * trained.history["loss"].iloc[0]
    assert trained.history["test_accuracy"].iloc[-1] >= 0.9


def test_shuffled_labels_are_not_generalised():
    """Negative control: with labels that say nothing, held-out accuracy stays near chance."""
    assert train(two_orders(shuffled=True), epochs=8).history["test_accuracy"].iloc[-1] < GUESSED


def test_the_same_seed_trains_the_same_weights_and_another_seed_others(trained):
    again, other = train(two_orders()), train(two_orders(), seed=1)
    assert all(np.array_equal(trained.weights[name], again.weights[name]) for name in trained.weights)
    assert not np.array_equal(trained.weights["feed"], other.weights["feed"])


def test_projections_that_are_not_trainable_stay_as_they_were():
    rule = LearningRule(
        surrogate=surrogate_gradient(width="0.5 mV", scale="10 mV").surrogate, optimiser=Adam(0.05), trainable=("read",)
    )
    trained = train(two_orders(), rule=rule, epochs=2)
    before = realise(trained.network, 0).dense_weights()
    assert np.array_equal(trained.weights["feed"], before["feed"])
    assert np.array_equal(trained.weights["recur"], before["recur"])
    assert not np.array_equal(trained.weights["read"], before["read"])


def test_pairs_that_are_not_connected_stay_unconnected(trained):
    assert np.all(np.diagonal(trained.weights["recur"]) == 0)
    assert np.count_nonzero(trained.weights["recur"]) == 30 * 29


def test_training_does_not_change_the_number_of_threads(trained):
    import torch

    before = torch.get_num_threads()
    train(two_orders(), epochs=1)
    assert torch.get_num_threads() == before


def test_the_trained_network_gives_the_same_spikes_on_both_backends(trained):
    three = two_orders().subset(np.arange(40) < 3).spikes
    runs = [trained.compile(name, dt=DT).run({"receptors": three}, duration="80 ms") for name in ("torch", "brian2")]
    assert runs[0].times.size > 30
    assert np.array_equal(runs[0].times, runs[1].times)
    assert np.array_equal(runs[0].offsets, runs[1].offsets)


def test_what_was_trained_survives_saving(trained, tmp_path):
    loaded = sc.Trained.load(trained.save(tmp_path / "net"))
    assert loaded.network == trained.network
    assert all(np.array_equal(loaded.weights[name], trained.weights[name]) for name in trained.weights)
    pd.testing.assert_frame_equal(loaded.history, trained.history)
    assert loaded.provenance == trained.provenance


def test_loading_an_empty_folder_is_refused(tmp_path):
    with pytest.raises(FileError, match="no trained network"):
        sc.Trained.load(tmp_path)


def test_evaluation_of_a_trained_network_is_that_of_its_history(trained):
    module = TorchNetwork(trained.network, 1e-3, trained.weights)
    measured = evaluate(module, two_orders(seed=9), LOSS, dt=DT)
    assert measured.accuracy == trained.history["test_accuracy"].iloc[-1]
    assert measured.rate == pytest.approx(trained.history["rate"].iloc[-1], rel=1e-12)


def test_a_linear_readout_of_counts_finds_what_counts_say_and_no_more():
    network = recurrent_classifier(inputs=8, hidden=30, classes=2)
    module = TorchNetwork(network, 1e-3, realise(network, 0).dense_weights())
    said_by_units = linear_readout_accuracy(module, "hidden", two_units(), two_units(seed=9), dt=DT)
    said_by_order = linear_readout_accuracy(module, "hidden", two_orders(), two_orders(seed=9), dt=DT)
    assert said_by_units > 0.9
    assert said_by_order < GUESSED


def test_an_epoch_may_be_a_few_batches_drawn_from_all_trials():
    data = two_orders(60)
    whole, part = (train(data, epochs=1, batches_per_epoch=n) for n in (None, 1))
    first = next(iter(data.batches(20, seed=int(np.random.default_rng([0, 1]).integers(2**31)))))
    alone = train(data, epochs=1, batches_per_epoch=3)
    assert part.history["train_accuracy"].iloc[0] in {k / first.size for k in range(first.size + 1)}
    assert not np.array_equal(part.weights["feed"], whole.weights["feed"])
    np.testing.assert_array_equal(alone.weights["feed"], whole.weights["feed"])  # three batches are all trials
    with pytest.raises(InputError, match="batches_per_epoch must be at least 1"):
        train(data, batches_per_epoch=0)


def test_progress_is_one_line_per_epoch():
    lines = []
    train(two_orders(), epochs=2, progress=lines.append)
    assert len(lines) == 2
    assert all("held-out accuracy" in line for line in lines)


def test_the_rate_penalty_is_zero_inside_the_band_and_quadratic_outside():
    import torch

    spikes = torch.zeros((100, 1, 2), dtype=torch.float64)
    spikes[::10, 0, 0] = 1.0  # 100 Hz at 1 ms
    spikes[::50, 0, 1] = 1.0  # 20 Hz
    assert float(RateLimit("10 Hz", "120 Hz").of_counts(spikes.sum(dim=0), 0.1)) == 0.0
    assert float(RateLimit("10 Hz", "50 Hz", 2.0).of_counts(spikes.sum(dim=0), 0.1)) == pytest.approx(
        2.0 * ((100 - 50) / 50) ** 2 / 2
    )


class KilledError(Exception):
    """Stands for the end of the process."""


def kill_after(epochs):
    seen = []

    def progress(line):
        seen.append(line)
        if len(seen) == epochs:
            raise KilledError

    return progress


def test_training_that_was_killed_goes_on_to_the_same_weights(tmp_path):
    whole = train(two_orders(), epochs=5)
    file = tmp_path / "training.checkpoint"
    with pytest.raises(KilledError):
        train(two_orders(), epochs=5, checkpoint=file, progress=kill_after(2))
    lines = []
    resumed = train(two_orders(), epochs=5, checkpoint=file, progress=lines.append)
    assert len(lines) == 3
    assert all(np.array_equal(resumed.weights[name], whole.weights[name]) for name in whole.weights)
    pd.testing.assert_frame_equal(resumed.history, whole.history)
    assert not file.exists()


def test_a_checkpoint_of_another_training_is_refused(tmp_path):
    file = tmp_path / "training.checkpoint"
    with pytest.raises(KilledError):
        train(two_orders(), epochs=3, checkpoint=file, progress=kill_after(1))
    with pytest.raises(FileError, match="another training"):
        train(two_orders(), epochs=3, seed=1, checkpoint=file)


def test_a_file_that_is_no_checkpoint_is_refused_and_never_run(tmp_path):
    file, canary = tmp_path / "training.checkpoint", tmp_path / "canary"

    class Evil:
        def __reduce__(self):
            return Path.touch, (canary,)

    for content in (b"not a checkpoint", pickle.dumps(Evil())):
        file.write_bytes(content)
        with pytest.raises(FileError, match="no checkpoint"):
            train(two_orders(), epochs=1, checkpoint=file)
    assert not canary.exists()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"loss": Classification("redout", scale="1 mV")}, "did you mean 'readout'"),
        ({"network": recurrent_classifier(inputs=8, hidden=5, classes=3)}, "3 neurons for 2 classes"),
        ({"network": recurrent_classifier(inputs=9, hidden=5, classes=2)}, "9 neurons, the dataset 8 units"),
        ({"dt": 0.001}, "has no unit"),
    ],
)
def test_what_does_not_fit_together_is_refused(change, message):
    given = {
        "network": recurrent_classifier(inputs=8, hidden=5, classes=2),
        "rule": surrogate_gradient(width="0.5 mV", scale="10 mV"),
        "dataset": two_orders(),
        "test": two_orders(),
        "loss": LOSS,
        "dt": DT,
    } | change
    with pytest.raises(InputError, match=message):
        sc.fit(**given)


def test_a_projection_that_does_not_exist_cannot_learn():
    rule = LearningRule(surrogate=surrogate_gradient(width="1 mV", scale="10 mV").surrogate, trainable=("rea",))
    with pytest.raises(InputError, match="did you mean 'read'"):
        train(two_orders(), rule=rule)
