"""Batches for PyTorch: the counts of the dataset, in an order of the seed, whoever encodes them."""

import numpy as np
import pandas as pd
import pytest
import torch

from snncompare import datasets
from snncompare.datasets.samples import EncodedSource
from snncompare.datasets.spike_dataset import SpikeDataset
from snncompare.errors import InputError
from snncompare.learning.data_loader import data_loader
from snncompare.recording.recording import Recording


def songs(**options):
    return datasets.load(
        "song_envelopes", n_classes=3, n_per_class=7, encoder={"size": 5}, duration="100 ms", **options
    )


def epoch(loader):
    return [(spikes, labels) for spikes, labels in loader]


def equal(first, second):
    return len(first) == len(second) and all(
        torch.equal(a[0], b[0]) and torch.equal(a[1], b[1]) for a, b in zip(first, second, strict=True)
    )


def test_every_trial_comes_once_an_epoch_with_its_label():
    data = songs()
    batches = epoch(data_loader(data, dt="1 ms", batch_size=4))
    assert [labels.numel() for _, labels in batches] == [4, 4, 4, 4, 4, 1]
    assert batches[0][0].shape == (100, 4, 5)
    assert batches[0][0].dtype == torch.float32
    seen = torch.cat([spikes for spikes, _ in batches], dim=1).numpy().transpose(1, 0, 2)
    expected = data.counts(np.arange(21), "1 ms")
    order = [int(np.flatnonzero((expected == one).all(axis=(1, 2)))[0]) for one in seen]
    assert sorted(order) == list(range(21))
    assert order != list(range(21))
    assert torch.cat([labels for _, labels in batches]).tolist() == data.labels[order].tolist()


def test_without_shuffling_the_batches_are_the_counts_in_order():
    data = songs()
    batches = epoch(data_loader(data, dt="1 ms", batch_size=8, shuffle=False))
    assert np.array_equal(
        torch.cat([s for s, _ in batches], dim=1).numpy().transpose(1, 0, 2), data.counts(range(21), "1 ms")
    )


def test_the_order_depends_on_seed_and_epoch():
    loader, again = (data_loader(songs(), dt="1 ms", batch_size=8, seed=3) for _ in range(2))
    other = data_loader(songs(), dt="1 ms", batch_size=8, seed=4)
    first, second = epoch(loader), epoch(loader)
    assert equal(first, epoch(again))
    assert equal(second, epoch(again))
    assert not equal(first, second)
    assert not equal(first, epoch(other))


@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")  # PyTorch forks
def test_workers_that_encode_give_the_same_batches():
    alone = data_loader(songs(), dt="1 ms", batch_size=4, seed=1)
    helped = data_loader(songs(), dt="1 ms", batch_size=4, seed=1, workers=2)
    assert equal(epoch(alone), epoch(helped))
    assert equal(epoch(alone), epoch(helped))
    assert not equal(epoch(alone), epoch(data_loader(songs(seed=1), dt="1 ms", batch_size=4, seed=1)))


@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_a_trial_is_encoded_by_the_same_worker_in_every_epoch_and_so_only_once(monkeypatch, tmp_path):
    file = tmp_path / "encoded.txt"
    encode = EncodedSource._fire_anew

    def noted(source, position):
        with file.open("a") as stream:  # workers are forked and inherit this
            stream.write(f"{position}\n")
        return encode(source, position)

    monkeypatch.setattr(EncodedSource, "_fire_anew", noted)
    loader = data_loader(songs(), dt="1 ms", batch_size=4, seed=1, workers=2)
    epoch(loader)
    epoch(loader)
    assert sorted(map(int, file.read_text().split())) == list(range(21))
    epoch(data_loader(songs(), dt="1 ms", batch_size=4, seed=1, workers=2))  # negative control: others do not know
    assert len(file.read_text().split()) == 42


@pytest.mark.parametrize("workers", [0, 2])
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_events_are_the_dense_batch(workers):
    dense = epoch(data_loader(songs(), dt="5 ms", batch_size=4))
    for (events, labels), (spikes, same) in zip(
        data_loader(songs(), dt="5 ms", batch_size=4, events=True, workers=workers), dense, strict=True
    ):
        assert (events.trial.diff() >= 0).all()
        assert torch.equal(events.sparse().to_dense(), spikes)
        assert torch.equal(labels, same)
        assert torch.equal((events.time / 5e-3 + 1e-3).long(), events.step)


def test_silence_follows_shorter_trials_and_trials_without_classes_have_the_label_minus_one():
    spikes = Recording.from_arrays(
        times=np.array([0.01, 0.02, 0.02]),
        unit=[0, 0, 0],
        trial=[0, 1, 1],
        units=pd.DataFrame(index=range(1)),
        trials=pd.DataFrame({"start": 0.0, "stop": [0.02, 0.05]}, index=range(2)),
    )
    data = SpikeDataset(spikes=spikes, label=None, name="two lengths")
    ((counts, labels),) = data_loader(data, dt="10 ms", batch_size=2, shuffle=False)
    assert counts[:, :, 0].T.tolist() == [[0, 1, 0, 0, 0], [0, 0, 2, 0, 0]]
    assert labels.tolist() == [-1, -1]
    ((longer, _),) = data_loader(data, dt="10 ms", batch_size=2, duration="80 ms")
    assert longer.shape == (8, 2, 1)


def test_the_global_generator_of_torch_is_left_alone():
    before = torch.get_rng_state()
    epoch(data_loader(songs(), dt="1 ms", batch_size=8))
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize(
    "wrong",
    [
        *({"batch_size": 0}, {"workers": -1}, {"seed": -1}, {"dt": "0 ms"}, {"duration": "0 s"}),
        *({"batch_size": 1.5}, {"batch_size": True}, {"workers": "x"}, {"workers": None}, {"seed": 0.5}),
    ],
    ids=str,
)
def test_numbers_that_make_no_batches_are_refused(wrong):
    with pytest.raises(InputError, match=f"^{next(iter(wrong))}|^a duration must"):
        data_loader(songs(), **({"dt": "1 ms", "batch_size": 4} | wrong))
