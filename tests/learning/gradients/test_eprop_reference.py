"""E-prop from descriptions gives the losses that NEST publishes, and the study's stored numbers are those it tells."""

import itertools
import json
from pathlib import Path

import numpy as np
import pytest

from snncompare.learning.schedule import Execution

FOLDER = Path(__file__).parents[3] / "analyses" / "eprop_reference"
DIGITS = 1e-8
"""Published losses have 12 decimals; sums of 1000 steps in float64 in another order differ by 1e-11 at most."""


@pytest.fixture(scope="module")
def study(analysis_module):
    """The script of the study, as a module."""
    return analysis_module("eprop_reference")


def losses(made, execution, number):
    described, trials = made
    return [loss for loss, _, _ in itertools.islice(described.learn(trials, execution), number)]


@pytest.mark.slow
@pytest.mark.parametrize("execution", list(Execution))
def test_pattern_generation_has_the_losses_of_nest(study, execution):
    found = losses(study.pattern_generation(), execution, 5)
    np.testing.assert_allclose(found, study.REGRESSION, rtol=DIGITS)


@pytest.mark.slow
@pytest.mark.parametrize("batch", [1, 2])
def test_evidence_accumulation_has_the_losses_of_nest(study, batch):
    found = losses(study.evidence_accumulation(batch), Execution.BACKWARD, 5)
    np.testing.assert_allclose(found, study.CLASSIFICATION[batch], rtol=DIGITS)


@pytest.mark.slow
def test_evidence_accumulation_forwards_has_the_first_losses_of_nest(study):
    found = losses(study.evidence_accumulation(1), Execution.FORWARD, 2)
    np.testing.assert_allclose(found, study.CLASSIFICATION[1][:2], rtol=DIGITS)


@pytest.mark.parametrize("changed", ["strength", "feedback", "w_rec"])
def test_other_settings_have_other_losses(study, changed):
    described, trials = study.pattern_generation()
    setattr(described, changed, getattr(described, changed) * 1.01)
    found = losses((described, trials), Execution.BACKWARD, 2)
    assert abs(found[1] / study.REGRESSION[1] - 1) > 1e-5


def test_the_stored_numbers_are_those_of_nest_and_the_pattern_is_learnt(study):
    results = json.loads((FOLDER / "results.json").read_text())
    assert (results["study"], results["quick"]) == ("eprop_reference", False)
    metrics = results["metrics"]
    for execution, (task, published) in itertools.product(Execution, study.published().items()):
        for number, given in enumerate(published, 1):
            entry = metrics[f"{task}, {execution.value}, iteration {number}"]
            assert entry["published"] == given
            assert entry["value"] == pytest.approx(given, rel=DIGITS)
    for number, expected in study.CURVE.items():
        value = metrics[f"pattern generation, loss of iteration {number}"]["value"]
        assert value == pytest.approx(expected, rel=0.01)  # the reference has three digits
    assert metrics["pattern generation, loss of iteration 1000"]["value"] < 10
