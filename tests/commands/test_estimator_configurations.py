"""An estimator is a name, or a name with the label across which trials are paired."""

import json

import numpy as np
import pytest
import yaml

from snncompare.cli import main
from snncompare.commands.compare import _checked
from snncompare.commands.compare_config import CompareConfig
from snncompare.commands.plan import run_plan
from snncompare.comparison.precision.decomposition import decompose
from snncompare.errors import InputError, UnsupportedError
from snncompare.recording.read import read
from snncompare.representation.estimators import BetweenMinusWithin
from snncompare.representation.metrics import SpikeCount, VanRossum
from snncompare.representation.model_rdms import circular
from snncompare.representation.quality import drift, reliability
from snncompare.representation.rdm import rdm
from snncompare.representation.storage.rdm_files import read_rdm_file

ACROSS = {"type": "BetweenMinusWithin", "across": "run"}


@pytest.fixture
def runs(folder):
    """Return gratings whose trials are labelled by run, so that every orientation is shown once in each of four."""
    recording = read(folder / "session.npz", trials="grating")
    run = recording.trials.groupby("orientation_deg").cumcount() + 1
    recording = recording.with_trials(run=run.to_list())
    recording.save(folder / "runs.npz")
    return recording


@pytest.fixture
def estimated(config, runs):
    """Return a function that writes a configuration of the runs with an estimator, and returns its path."""

    def write(estimator, model=None):
        def change(c):
            c.update(recording={"file": "runs.npz", "condition": "orientation_deg"}, estimator=estimator)
            c["models"] |= {} if model is None else {"model": model}

        return config(change)

    return write


def stored(path, out):
    assert main(["rdm", str(path), "--out", str(out)]) == 0
    return read_rdm_file(out)


def test_trials_are_paired_across_the_label_that_is_named(estimated, runs, tmp_path):
    found = stored(estimated(ACROSS), tmp_path / "across.npz")
    metrics = [VanRossum(tau="50 ms"), SpikeCount()]
    expected = rdm(runs, metrics, "orientation_deg", BetweenMinusWithin(across="run"))
    assert (found.rdms.dissimilarities == expected.dissimilarities).all()
    assert set(found.rdms.rdm_descriptors["estimator"]) == {"BetweenMinusWithin(across='run')"}
    assert found.replicates.no_bootstrap == ""
    plain = stored(estimated("BetweenMinusWithin"), tmp_path / "plain.npz")  # control
    assert not np.allclose(plain.rdms.dissimilarities, found.rdms.dissimilarities)
    assert not np.allclose(plain.replicates.bootstrap, found.replicates.bootstrap)


def test_a_model_of_spikes_is_estimated_like_the_data(estimated, refused, folder, runs):
    model = {"type": "recording", "file": "runs.npz", "condition": "orientation_deg"}
    job = _checked(estimated(ACROSS, model), None, None)
    assert job.models["model"].spikes.estimator == job.data.estimator == BetweenMinusWithin(across="run")
    runs.with_trials(block=1).select(trials=runs.trials["run"] > 1).save(folder / "other.npz")
    assert _checked(estimated(ACROSS, model | {"file": "other.npz"}), None, None)
    source = read(folder / "session.npz", trials="grating")
    source.save(folder / "unlabelled.npz")
    said = refused("compare", estimated(ACROSS, model | {"file": "unlabelled.npz"}))
    assert "models.model: estimator.across: no label of the trials 'run'" in said


MISTAKES = {
    "name": ("MeanDistanc", "did you mean 'MeanDistance'?"),
    "number": (3, "'estimator': is a name (BetweenMinusWithin or MeanDistance) or for example {type:"),
    "list": (["MeanDistance"], "is a name"),
    "no type": ({"across": "run"}, "an estimator needs a 'type'"),
    "type": ({"type": "BetweenMinus"}, "did you mean 'BetweenMinusWithin'?"),
    "key": ({"type": "BetweenMinusWithin", "acros": "run"}, "did you mean 'across'?"),
    "value that is no text": ({"type": "BetweenMinusWithin", "across": 3}, "'estimator.across': should be a valid"),
    "empty label": ({"type": "BetweenMinusWithin", "across": ""}, "must be a column of the trials table"),
    "label": ({"type": "BetweenMinusWithin", "across": "rnu"}, "recording: estimator.across: no label of the trials"),
    "window": ({"type": "BetweenMinusWithin", "across": "start"}, "no label of the trials 'start'"),
    "mean": ({"type": "MeanDistance", "across": "run"}, "MeanDistance averages over all pairs of trials"),
    "one value each": (
        {"type": "BetweenMinusWithin", "across": "orientation_deg"},
        "needs trials of 2 different values of 'orientation_deg' per condition",
    ),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_with_an_estimator_is_named_in_one_line(estimated, refused, mistake):
    given, says = MISTAKES[mistake]
    assert says in refused("compare", estimated(given))


@pytest.mark.parametrize("given", [None, "MeanDistance", "BetweenMinusWithin", {"type": "MeanDistance"}, ACROSS])
def test_an_estimator_that_fits_is_accepted_and_written_as_it_was_named(estimated, given):
    """Negative control of the refusals."""
    job = _checked(estimated(given), None, None)
    written = yaml.safe_load(yaml.safe_dump(job.config.model_dump(mode="json")))
    assert written["estimator"] == (given if given in (None, ACROSS) else job.config.estimator.type)
    assert CompareConfig.parse(written, "again") == job.config


def test_the_plan_of_a_study_depends_on_the_label_across_which_trials_are_paired(estimated):
    def depends_on(estimator):
        return json.loads(run_plan(estimated(estimator)))["recordings"]["recording"]["depends_on"]

    plain = depends_on("BetweenMinusWithin")
    assert plain == depends_on({"type": "BetweenMinusWithin"})
    assert len({plain, depends_on(ACROSS), depends_on(ACROSS | {"across": "day"})}) == 3


def test_halves_of_single_trials_refuse_an_estimator_across_runs(runs):
    across, by = BetweenMinusWithin(across="run"), "orientation_deg"
    models = {"circle": circular(sorted(runs.trials[by].unique()), 180)}
    with pytest.raises(UnsupportedError, match=r"whole values of 'run' in each half. Give models and n_splits=0"):
        decompose(runs, by, SpikeCount(), models, estimator=across)
    with pytest.raises(InputError, match="no column in the trials table 'rnu'; did you mean 'run'"):
        decompose(runs, by, SpikeCount(), models, estimator=BetweenMinusWithin(across="rnu"), n_splits=0)
    with pytest.raises(UnsupportedError, match=r"give BetweenMinusWithin\(\)"):
        reliability(runs, by, estimator=across)
    windows = (("0 ms", "100 ms"), ("100 ms", "200 ms"))
    with pytest.raises(UnsupportedError, match=r"give BetweenMinusWithin\(\)"):
        drift(runs, by, *windows, estimator=across)
    few = {"n_surrogates": 2, "n_permutations": 19}
    fit = decompose(runs, by, SpikeCount(), models, estimator=across, n_splits=0, **few)  # control: what they advise
    assert set(fit.table["response"]) == {"circle"}
    assert reliability(runs, by, estimator=BetweenMinusWithin(), n_splits=2)["rdm"].notna().all()
