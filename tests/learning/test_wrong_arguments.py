"""Values of a wrong kind are refused in one line that says what, what was given and what is allowed; none is guessed."""

import numpy as np
import pandas as pd
import pytest

import snncompare as sc
from snncompare.backends.torch.surrogates import SuperSpike
from snncompare.circuits.recurrent import recurrent_classifier
from snncompare.datasets.spike_dataset import SpikeDataset
from snncompare.dynamics.paths import Paths
from snncompare.errors import InputError, SnncompareError
from snncompare.learning.dropout import Dropout
from snncompare.learning.early_stopping import EarlyStopping
from snncompare.learning.faults import FaultLimits
from snncompare.learning.learning_rates import StepDecay, WarmUp
from snncompare.learning.learning_to_learn.tasks import Clock, Sines
from snncompare.learning.losses import Classification, RateLimit, RateTarget, Regression
from snncompare.learning.optimisers import Adam, GradientDescent, RMSprop
from snncompare.learning.presets import bptt, checkpointed_bptt, eprop, truncated_bptt
from snncompare.learning.rate_networks import fit_rate_network
from snncompare.learning.reward.actor_critic import ActorCritic
from snncompare.learning.rule import LearningRule
from snncompare.learning.schedule import EverySteps, FullInfluence, Snap
from snncompare.learning.signals import AdaptiveFeedback, LocalReadouts, RandomFeedback
from snncompare.learning.unsupervised import Homeostasis, InputPrediction, LatentPrediction, learn_by_plasticity
from snncompare.units import quantity

SURROGATE = SuperSpike("0.5 mV", "10 mV")
LOSS = Classification("readout", scale="2 mV")
NAN = float("nan")

VALUES = {
    "text for units": (lambda: Adam(units="SI"), "Units.INITIAL_SIZE or Units.SI"),
    "text for over": (lambda: Classification("r", "1 mV", over="max"), "Over.MEAN or"),
    "text for execution": (lambda: eprop(SURROGATE, execution="forward"), "Execution.BACKWARD or Execution.FORWARD"),
    "text for paths across": (lambda: Paths(cross_layer="instant"), "CrossLayer.FULL or"),
    "text for a path": (lambda: Paths(carry="no"), "carry of Paths must be True or False, got 'no'"),
    "text for a surrogate": (lambda: bptt("SuperSpike"), "surrogate of LearningRule"),
    "class for a surrogate": (lambda: bptt(SuperSpike), r"write SuperSpike\(\.\.\.\)"),
    "class for a signal": (lambda: eprop(SURROGATE, feedback=RandomFeedback), "signal of LearningRule"),
    "class for storage": (
        lambda: LearningRule(surrogate=SURROGATE, storage=FullInfluence),
        r"write FullInfluence\(\.\.",
    ),
    "torch's optimiser": (lambda: bptt(SURROGATE, optimiser="adam"), "optimiser of LearningRule must be Optimisation"),
    "one name": (lambda: LearningRule(surrogate=SURROGATE, trainable="read"), r"a tuple \(text, ...\) or None"),
    "one population": (lambda: RateLimit(populations="hidden"), r"a tuple \(text, ...\) or None"),
    "part of a step": (lambda: EverySteps(1.5), "a whole number, got 1.5"),
    "True steps": (lambda: Snap(True), "a whole number, got True"),
    "text steps": (lambda: EverySteps("5"), "a whole number, got '5'"),
    "no steps": (lambda: truncated_bptt(SURROGATE, 0), "at least 1"),
    "no pieces": (lambda: checkpointed_bptt(SURROGATE, 0), "checkpoint_every must be at least 1"),
    "nan sd": (lambda: RandomFeedback(sd=NAN), "sd of RandomFeedback must be a finite number, got nan"),
    "negative seed": (lambda: AdaptiveFeedback(seed=-1), "seed at least 0"),
    "infinite scale": (lambda: LocalReadouts(scale=float("inf")), "a finite number"),
    "infinite rate": (lambda: GradientDescent(float("inf")), "a finite number"),
    "betas": (lambda: Adam(betas=(0.9, 1.0)), "below 1, got 1.0"),
    "one beta": (lambda: Adam(betas=(0.9,)), "a tuple"),
    "alpha": (lambda: RMSprop(alpha=2.0), "below 1, got 2.0"),
    "eps": (lambda: Adam(eps=-1e-8), "eps must be at least 0"),
    "factors": (lambda: Adam(factors=["hidden"]), "a mapping"),
    "text schedule": (lambda: Adam(schedule="cosine"), "schedule of Adam"),
    "warm-up": (lambda: WarmUp(3, "x"), "then of WarmUp"),
    "decay": (lambda: StepDecay(2.5), "a whole number"),
    "patience": (lambda: EarlyStopping(NAN), "a whole number"),
    "grace": (lambda: FaultLimits(grace="a"), "a whole number"),
    "probability": (lambda: Dropout("a"), "a finite number"),
    "no readout": (lambda: Regression("", "1 mV"), "text"),
    "strength": (lambda: RateTarget(strength=-1.0), "strength must be positive"),
    "text discount": (lambda: ActorCritic(discount="a"), "discount of ActorCritic must be a finite number"),
    "nan push": (lambda: LatentPrediction(push=NAN), "push of LatentPrediction must be a finite number"),
    "text grid": (lambda: InputPrediction(readout="r", scale="1 mV", dt="1 ms"), "dt of InputPrediction"),
    "text normalise": (lambda: Homeostasis(normalise="feed"), "normalise of Homeostasis must be Mapping, got 'feed'"),
    "half a group": (lambda: Clock(n_groups=2.5), "n_groups of Clock must be a whole number"),
    "no groups": (lambda: Clock(n_groups=0), "n_groups and n_per_group must be at least 1"),
    "infinite amplitude": (lambda: Sines(high=float("inf")), "high of Sines must be a finite number"),
    "a network's name": (lambda: fit_rate_network("lstm", None, test=None, loss=LOSS, dt="1 ms"), "RateNetwork"),
    "no network": (
        lambda: learn_by_plasticity(None, None, dt="1 ms", homeostasis=Homeostasis()),
        "network must be Network, got None",
    ),
}


@pytest.mark.parametrize("case", VALUES)
def test_a_value_of_a_wrong_kind_is_refused(case):
    make, message = VALUES[case]
    with pytest.raises(InputError, match=message) as refused:
        make()
    assert "\n" not in str(refused.value)


def test_values_of_the_right_kind_are_taken_as_they_are():
    assert Adam(np.float64(0.1), clip=None, factors={"a": 1}).learning_rate == 0.1
    assert Adam(1).learning_rate == 1
    assert EverySteps(np.int64(3)).steps == 3
    assert Classification("r", quantity("1 mV")).window is None


def data():
    trials = pd.DataFrame({"kind": [0, 1], "start": 0.0, "stop": 0.02})
    spikes = sc.Recording.from_arrays(
        times=np.array([0.001, 0.002]), unit=[0, 1], trial=[0, 1], units=pd.DataFrame(index=range(2)), trials=trials
    )
    return SpikeDataset(spikes=spikes, label="kind", name="kinds")


def fit(network=None, rule=None, dataset=None, **more):
    given = {"loss": LOSS, "test": None, "dt": "1 ms", "epochs": 1, "progress": lambda line: None} | more
    network = recurrent_classifier(inputs=2, hidden=3, classes=2) if network is None else network
    return sc.fit(network, bptt(SURROGATE) if rule is None else rule, data() if dataset is None else dataset, **given)


ARGUMENTS = {
    "network": (lambda: fit("network.yaml"), "network must be Network, got 'network.yaml'"),
    "rule": (lambda: fit(rule=bptt), "rule must be LearningRule"),
    "dataset": (lambda: fit(dataset=data().spikes), "dataset must be SpikeDataset"),
    "loss": (lambda: fit(loss="mse"), "loss must be Loss, got 'mse'"),
    "loss class": (lambda: fit(loss=Classification), r"write Classification\(\.\.\.\)"),
    "epochs": (lambda: fit(epochs=1.5), "epochs must be a whole number, got 1.5"),
    "batch": (lambda: fit(batch_size=True), "batch_size must be a whole number"),
    "one penalty": (lambda: fit(penalties=RateLimit()), "penalties must be a list of Penalty"),
    "no penalty": (lambda: fit(penalties=[LOSS]), "penalties must be a list of Penalty"),
    "dropout": (lambda: fit(dropout=0.3), "dropout must be Dropout or None, got 0.3"),
    "patience": (lambda: fit(early_stopping=3, validation=data()), "early_stopping must be EarlyStopping or None"),
    "faults": (lambda: fit(faults={"grace": 1}), "faults must be FaultLimits or None"),
    "progress": (lambda: fit(progress=True), "progress must be a function or None"),
    "weights": (lambda: fit(weights="trained"), "weights must be Realisation or"),
    "variable": (lambda: fit(loss=Classification("readout", "1 mV", variable="q")), "no variable 'q'; available: 'v'"),
    "unit": (lambda: fit(loss=Classification("readout", "1 ms")), "must have the unit of 'v' of 'readout', volt"),
    "checkpoint": (lambda: fit(checkpoint="/no/such/folder/file"), "'/no/such/folder' is no folder"),
}


@pytest.mark.parametrize("case", ARGUMENTS)
def test_a_wrong_argument_is_refused_before_training(case):
    call, message = ARGUMENTS[case]
    with pytest.raises(SnncompareError, match=message) as refused:
        call()
    assert "\n" not in str(refused.value)


def test_logs_that_cannot_be_written_are_refused(tmp_path):
    pytest.importorskip("tensorboard")
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(SnncompareError, match="logs cannot be written"):
        fit(logs=tmp_path / "file")


def test_the_same_arguments_but_right_ones_train():
    assert len(fit(penalties=[RateLimit()], dropout=Dropout(0.1), faults=FaultLimits(dead=False)).history) == 1
