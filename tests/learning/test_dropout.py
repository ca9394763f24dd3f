"""Dropout draws the factors it says, trains a network that is measured whole, and resumes bit for bit."""

import numpy as np
import pandas as pd
import pytest
import torch

import snncompare as sc
from snncompare.circuits.recurrent import recurrent_classifier
from snncompare.datasets.spike_dataset import SpikeDataset
from snncompare.errors import FileError, InputError
from snncompare.learning.dropout import Dropout
from snncompare.learning.losses import Classification
from snncompare.learning.rule import surrogate_gradient

NETWORK = recurrent_classifier(inputs=8, hidden=30, classes=2)


def halves(n=40, *, seed=0):
    """Return trials of 80 ms in which only one half of the units fires."""
    rng = np.random.default_rng(seed)
    label = np.arange(n) % 2
    spikes = sc.Recording.from_arrays(
        times=rng.uniform(0, 0.075, (n, 4)).ravel(),
        unit=(np.arange(4) + 4 * label[:, None]).ravel(),
        trial=np.repeat(np.arange(n), 4),
        units=pd.DataFrame(index=range(8)),
        trials=pd.DataFrame({"half": label, "start": 0.0, "stop": 0.08}),
    )
    return SpikeDataset(spikes=spikes, label="half", name="halves")


def train(dropout, *, epochs=3, progress=lambda _line: None, **options):
    rule = surrogate_gradient(width="0.5 mV", scale="10 mV", learning_rate=0.05)
    loss = Classification("readout", scale="2 mV")
    return sc.fit(
        NETWORK, rule, halves(), test=halves(seed=9), loss=loss, dt="1 ms", epochs=epochs, batch_size=20,
        dropout=dropout, progress=progress, **options,
    )  # fmt: skip


def same(one, two):
    return all(np.array_equal(one.weights[name], two.weights[name]) for name in one.weights)


@pytest.mark.parametrize("p", [0.3, 0.8])
def test_each_neuron_of_each_trial_is_dropped_with_the_probability_and_the_rest_make_up_for_it(p):
    found = Dropout(p).factors(NETWORK, 2000, np.random.default_rng(0))
    assert set(found) == {"hidden"}
    factors = found["hidden"].numpy()
    assert factors.shape == (2000, 30)
    assert set(np.unique(factors)) == {0.0, 1 / (1 - p)}
    # 60000 draws: four standard errors of a share of p.
    assert abs((factors == 0).mean() - p) < 4 * np.sqrt(p * (1 - p) / factors.size)
    # Trials and neurons are independent: four standard errors of a correlation of 2000 or 30 * 1999 pairs.
    assert abs(np.corrcoef(factors[:, 0], factors[:, 1])[0, 1]) < 4 / np.sqrt(2000)
    assert abs(np.corrcoef(factors[:-1].ravel(), factors[1:].ravel())[0, 1]) < 4 / np.sqrt(30 * 1999)


def test_only_the_populations_named_are_dropped_spike_sources_too():
    found = Dropout(0.5, ("receptors",)).factors(NETWORK, 3, np.random.default_rng(0))
    assert {name: tuple(factors.shape) for name, factors in found.items()} == {"receptors": (3, 8)}


def test_the_generator_decides_what_is_dropped():
    first, again, other = (Dropout().factors(NETWORK, 4, np.random.default_rng(s))["hidden"] for s in (0, 0, 1))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


@pytest.mark.parametrize("probability", [-0.1, 1.0, float("nan")])
def test_a_probability_outside_its_range_is_refused(probability):
    with pytest.raises(InputError, match=r"at least 0 and below 1|a finite number"):
        Dropout(probability)


@pytest.mark.parametrize(
    ("name", "message"), [("hiden", "did you mean 'hidden'"), ("readout", "population that spikes")]
)
def test_a_population_that_sends_no_spikes_is_refused(name, message):
    with pytest.raises(InputError, match=message):
        train(Dropout(0.3, (name,)))


def test_training_with_dropout_learns_and_every_field_of_it_matters():
    kinds = {
        "none": None,
        "a third": Dropout(0.3),
        "half": Dropout(0.5),
        "of the inputs": Dropout(0.3, ("receptors",)),
    }
    found = {name: train(dropout, epochs=8 if name == "a third" else 1) for name, dropout in kinds.items()}
    assert found["a third"].history["test_accuracy"].iloc[-1] > 0.9
    found["a third"] = train(kinds["a third"], epochs=1)
    names = list(found)
    assert not any(same(found[one], found[two]) for k, one in enumerate(names) for two in names[:k])
    assert found["half"].provenance["dropout"] == "Dropout(probability=0.5, populations=None)"


def test_a_probability_of_zero_changes_nothing_but_what_is_drawn_after_it():
    """In the first epoch the order of trials is drawn before. Gradients are summed in another order: rounding."""
    without, within, other = (train(d, epochs=1).weights for d in (None, Dropout(0.0), Dropout(0.1)))
    for name, weights in without.items():
        assert np.abs(within[name] - weights).max() < 1e-6 * np.abs(weights).max()
        assert np.abs(other[name] - weights).max() > 1e-3 * np.abs(weights).max()


class KilledError(Exception):
    """Stands for the end of the process."""


def test_training_that_was_killed_goes_on_to_the_same_weights(tmp_path):
    def kill(_line):
        raise KilledError

    whole, file = train(Dropout(0.4)), tmp_path / "training.checkpoint"
    with pytest.raises(KilledError):
        train(Dropout(0.4), checkpoint=file, progress=kill)
    with pytest.raises(FileError, match="another training"):
        train(Dropout(0.3), checkpoint=file)
    lines = []
    resumed = train(Dropout(0.4), checkpoint=file, progress=lines.append)
    assert len(lines) == 2
    assert same(resumed, whole)
    pd.testing.assert_frame_equal(resumed.history, whole.history)
