"""Targets over time, early stopping, validation, logs and callbacks of training do what they say."""

import sys

import numpy as np
import pandas as pd
import pytest
import torch
import xarray as xr

import snncompare as sc
from snncompare.backends.torch.module import TorchNetwork
from snncompare.circuits.recurrent import recurrent_classifier
from snncompare.datasets.source import RecordingSource
from snncompare.datasets.spike_dataset import SpikeDataset
from snncompare.dynamics.paths import CrossLayer, Paths
from snncompare.errors import InputError, MissingDependencyError
from snncompare.learning.answers import answers_in_steps
from snncompare.learning.early_stopping import Best, EarlyStopping
from snncompare.learning.evaluate import evaluate
from snncompare.learning.losses import (
    Classification,
    Over,
    RateLimit,
    Regression,
    SpikeCountClassification,
    SpikeCountTarget,
    VanRossum,
)
from snncompare.learning.rule import LearningRule, surrogate_gradient
from snncompare.learning.signals import AdaptiveFeedback

RULE = surrogate_gradient(width="0.5 mV", scale="10 mV", learning_rate=0.05)
LOSS = Classification("readout", scale="2 mV")


class Answered(RecordingSource):
    """Spikes with a curve, or spikes, that are asked for."""

    def __init__(self, recording, answers, every):
        super().__init__(recording)
        self.answers, self.every = answers, every

    def target(self, position):
        values = self.answers[position]
        time = np.arange(len(values)) * self.every
        return xr.DataArray(values, dims=("time", "output"), coords={"time": time})


def halves(n=20, *, seed=0, answers=None, every=1e-3):
    rng = np.random.default_rng(seed)
    label = np.arange(n) % 2
    spikes = sc.Recording.from_arrays(
        times=rng.uniform(0, 0.055, (n, 8)).ravel(),
        unit=(np.tile(np.arange(4), 2) + 4 * label[:, None]).ravel(),
        trial=np.repeat(np.arange(n), 8),
        units=pd.DataFrame(index=range(8)),
        trials=pd.DataFrame({"half": label, "start": 0.0, "stop": 0.06}),
    )
    source = spikes if answers is None else Answered(spikes, answers, every)
    return SpikeDataset(spikes=source, label="half" if answers is None else None, name="halves")


def train(data=None, *, loss=LOSS, epochs=3, classes=2, rule=RULE, **options):
    network = recurrent_classifier(inputs=8, hidden=20, classes=classes)
    given = {"test": halves(seed=9), "progress": lambda _line: None} | options
    return sc.fit(network, rule, data or halves(), loss=loss, dt="1 ms", epochs=epochs, batch_size=10, **given)


def curves(n=20, *, seed=0):
    """Return a slow curve for each half of the units, nothing asked in the first 10 ms."""
    time = np.arange(60) * 1e-3
    found = np.stack([np.sin(2 * np.pi * time / 0.12 + (k % 2) * np.pi)[:, None] for k in range(n)])
    found[:, :10] = np.nan
    return found


def test_a_curve_over_time_is_learnt_and_measured_without_classes():
    data = halves(answers=curves())
    trained = train(data, loss=Regression("readout", "2 mV"), classes=1, test=data, epochs=8)
    assert trained.history["test_loss"].iloc[-1] < 0.8 * trained.history["test_loss"].iloc[0]
    assert not {"train_accuracy", "test_accuracy"} & set(trained.history)
    module = TorchNetwork(trained.network, 1e-3, trained.realisation)
    measured = evaluate(module, data, Regression("readout", "2 mV"), dt="1 ms")
    assert measured.loss == pytest.approx(trained.history["test_loss"].iloc[-1], rel=1e-12)
    assert measured.accuracy is None
    assert measured.correct is None
    other = evaluate(module, halves(answers=-curves()), Regression("readout", "2 mV"), dt="1 ms")
    assert other.loss > 1.1 * measured.loss


def test_classes_that_change_over_time_are_learnt():
    right = np.zeros((20, 60, 2))
    for k in range(20):
        right[k, 30:, k % 2] = 1.0  # nothing is said before 30 ms
    data = halves(answers=right)
    loss = Classification("readout", "2 mV", over=Over.EACH_STEP, answers=True)
    trained = train(data, loss=loss, test=data, epochs=8)
    assert trained.history["test_accuracy"].iloc[-1] > 0.8
    measured = evaluate(TorchNetwork(trained.network, 1e-3, trained.realisation), data, loss, dt="1 ms")
    assert measured.correct.shape == (20,)
    assert np.allclose(measured.correct * 30, np.round(measured.correct * 30))  # parts of 30 steps
    assert measured.accuracy == pytest.approx(trained.history["test_accuracy"].iloc[-1], rel=1e-12)


def test_answers_hold_between_their_times_and_are_not_a_number_outside():
    values = np.arange(6.0).reshape(1, 6, 1)
    data = halves(1, answers=values, every=10e-3)
    found = answers_in_steps(data, np.array([0]), 5e-3, 14, exact=False)[:, 0, 0]
    assert np.array_equal(found[:12], np.repeat(np.arange(6.0), 2))
    assert np.isnan(found[12:]).all()
    assert np.array_equal(answers_in_steps(data, np.array([0]), 20e-3, 3, exact=False)[:, 0, 0], [0, 2, 4])
    with pytest.raises(InputError, match=r"spikes in steps of 0\.01 s"):
        answers_in_steps(data, np.array([0]), 5e-3, 12, exact=True)


def test_spike_trains_are_learnt():
    asked = np.zeros((20, 60, 20))
    asked[:, 20::15, :10] = 1.0
    data = halves(answers=asked)
    trained = train(data, loss=VanRossum("hidden"), test=data, epochs=12)
    assert trained.history["test_loss"].iloc[-1] < 0.9 * trained.history["test_loss"].iloc[0]


def test_counts_of_a_spiking_population_say_the_class():
    network = recurrent_classifier(inputs=8, hidden=2, classes=2)
    feed = {"feed": np.random.default_rng(0).normal(20e-3, 10e-3, (8, 2))}
    for loss in (SpikeCountClassification("hidden", one=2), SpikeCountTarget("hidden", right=6, wrong=1)):
        learnt = sc.fit(
            network, RULE, halves(), test=halves(seed=9), loss=loss, dt="1 ms", epochs=10, batch_size=10, weights=feed,
            progress=lambda _line: None,
        )  # fmt: skip
        assert learnt.history["loss"].iloc[-1] < 0.8 * learnt.history["loss"].iloc[0]


def test_training_ends_when_validation_does_not_improve_and_the_best_weights_are_taken():
    stopping = EarlyStopping(patience=2, least_improvement=0.2)
    seen = []

    def watch(row, module):
        seen.append({name: array.copy() for name, array in module.weights_array().items()})

    part = halves(seed=5)
    trained = train(epochs=12, validation=part, early_stopping=stopping, callback=watch)
    losses = trained.history["validation_loss"]
    best = trained.provenance["best_epoch"]
    assert len(losses) == best + 2 < 12
    assert all(np.array_equal(trained.weights[name], seen[best - 1][name]) for name in trained.weights)
    assert not np.array_equal(trained.weights["feed"], seen[-1]["feed"])
    assert losses.iloc[best:].min() >= losses.iloc[best - 1] - 0.2
    assert len(train(epochs=5, validation=part).history) == 5


@pytest.mark.parametrize(
    ("watch", "values", "ends_after", "best"),
    [
        ("loss", [3.0, 2.0, 2.5, 2.4, 1.0], 4, 2),
        ("accuracy", [0.5, 0.7, 0.6, 0.7, 0.9], 4, 2),
        ("loss", [5.0, 4.0, 3.0, 2.0, 1.0], None, 5),
    ],
)
def test_patience_is_the_number_of_epochs_without_improvement(watch, values, ends_after, best):
    found, rule, ended = Best(), EarlyStopping(patience=2, watch=watch), None
    for epoch, value in enumerate(values, 1):
        if found.seen(rule, {"epoch": epoch, f"validation_{watch}": value}, {"w": torch.tensor(float(epoch))}):
            ended = epoch
            break
    assert (ended, found.epoch, float(found.weights["w"])) == (ends_after, best, best)


def test_a_callback_ends_training():
    trained = train(epochs=5, callback=lambda row, _module: row["epoch"] == 2)
    assert len(trained.history) == 2


def test_logs_hold_the_history_for_tensorboard(tmp_path):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    trained = train(logs=tmp_path / "logs", penalties=[RateLimit("1 Hz", "60 Hz")], validation=halves(seed=5))
    found = EventAccumulator(str(tmp_path / "logs"))
    found.Reload()
    tags = {
        "loss": "loss/training",
        "test_accuracy": "accuracy/test",
        "validation_loss": "loss/validation",
        "rate_hidden": "rate/hidden",
    }
    assert {*tags.values(), "learning_rate", "gradient_norm", "rate/mean", "accuracy/training"} <= set(
        found.Tags()["scalars"]
    )
    for column, tag in tags.items():
        values = found.Scalars(tag)
        assert [value.step for value in values] == [1, 2, 3]
        # TensorBoard keeps 32 bits.
        assert [value.value for value in values] == pytest.approx(trained.history[column].tolist(), rel=1e-6)


def test_logs_without_tensorboard_say_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", None)
    with pytest.raises(MissingDependencyError, match=r"pip install -e '\.\[logs\]'"):
        train(logs=tmp_path)


def test_training_goes_on_from_given_weights():
    first = train(epochs=1)
    kept = train(epochs=0, weights=first.realisation)
    assert all(np.array_equal(first.weights[name], kept.weights[name]) for name in first.weights)
    assert not np.array_equal(train(epochs=0).weights["feed"], first.weights["feed"])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"loss": Regression("readout", "1 mV")}, "needs answers over time"),
        ({"data": halves(answers=curves()), "test": None}, "has none; take a loss of answers"),
        ({"loss": Regression("readout", "1 mV"), "data": halves(answers=curves()), "test": None}, "2 neurons for 1 answers"),
        ({"loss": VanRossum("readout")}, "reads spikes: no population that spikes 'readout'"),
        ({"loss": Classification("readout", "1 mV", window=("70 ms", None))}, "holds no step of a trial of 0.06 s"),
        ({"early_stopping": EarlyStopping()}, "needs validation="),
        ({"penalties": [RateLimit(populations=("hiden",))]}, "did you mean 'hidden'"),
        ({"test": SpikeDataset(spikes=halves().spikes, label="half", name="x", classes=(1, 0))}, "in the same order"),
        ({"epochs": -1}, "epochs must be at least 0"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_said_before_training(change, message):
    with pytest.raises(InputError, match=message):
        train(**change)


class KilledError(Exception):
    """Stands for the end of the process."""


@pytest.mark.parametrize("decay", [0.0, 0.05])
def test_feedback_weights_that_learn_are_changed_as_the_readout_is(tmp_path, decay):
    """Kolen and Pollack 1994: equal changes keep the difference of both weights, and decay takes it away."""
    rule = LearningRule(
        surrogate=RULE.surrogate,
        paths=Paths(recurrent=False, reset=False, cross_layer=CrossLayer.NONE),
        signal=AdaptiveFeedback(decay=decay),
        optimiser=RULE.optimiser,
    )

    def differences(ends_after):
        def told(line):
            if line.startswith(f"epoch {ends_after}/"):
                raise KilledError

        file = tmp_path / f"{ends_after}.checkpoint"
        with pytest.raises(KilledError):
            train(rule=rule, checkpoint=file, progress=told, epochs=4)
        state = torch.load(file, weights_only=True)
        (feedback,) = state["feedback"].values()
        return feedback, state["weights"]["synapses.read.weight"]

    (first, readout), (last, after) = differences(1), differences(3)
    assert (after - readout).abs().max() > 0.05 * readout.abs().max()
    factor = (1 - decay) ** 4  # two epochs of two updates
    # Rounding of four updates.
    assert torch.allclose(last - after, factor * (first - readout), rtol=0, atol=1e-12 * float(readout.abs().max()))
