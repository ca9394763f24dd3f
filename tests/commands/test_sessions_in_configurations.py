"""Sessions whose units share no trials are joined by condition, and a condition may be made of several labels."""

import copy
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

from snncompare.cli import main
from snncompare.commands.compare import _checked
from snncompare.commands.compare_data import with_condition
from snncompare.commands.compare_report import Findings, _recorded, limits_of
from snncompare.comparison.result import Result
from snncompare.recording.read import read
from snncompare.recording.recording import Recording
from snncompare.representation.blocks.workers import Job
from snncompare.representation.metrics import SpikeCount, VanRossum
from snncompare.representation.rdm import rdm
from snncompare.representation.sessions import join_replicates, split_sessions
from snncompare.representation.storage.rdm_files import read_rdm_file

PICTURES = [(shape, place) for shape in "abc" for place in (1, 2)]
METRICS = [VanRossum(tau="20 ms"), SpikeCount()]


def days(path, seed=0, leave_out=None, blocked=False):
    """Save three sessions of four units; ``leave_out`` names the session that lacks the first picture."""
    rng = np.random.default_rng(seed)
    times, unit, trial, trials, units = [], [], [], [], {}
    for day in ("mon", "tue", "wed"):
        shown = np.repeat(np.arange(day == leave_out, len(PICTURES)), 4)
        for picture in shown if blocked else rng.permutation(shown):
            shape, place = PICTURES[picture]
            for j in range(4):
                units[f"{day}{j}"] = day
                spikes = rng.uniform(0, 0.2, rng.poisson(2 + 4 * ("abc".index(shape) == j) + 2 * (place == 1)))
                times.append(spikes)
                unit += [f"{day}{j}"] * spikes.size
                trial += [len(trials)] * spikes.size
            trials.append({"start": 0.0, "stop": 0.2, "shape": shape, "place": place, "session": day})
    table = pd.DataFrame({"session": list(units.values())}, index=list(units))
    made = Recording.from_arrays(
        times=np.concatenate(times), unit=unit, trial=trial, units=table, trials=pd.DataFrame(trials)
    )
    made.save(path)
    return made


SOURCE = {"file": "days.npz", "condition": ["shape", "place"], "join": "session"}
STUDY = {
    "recording": SOURCE,
    "metrics": [{"type": "VanRossum", "time_scales": ["20 ms"]}, {"type": "SpikeCount"}],
    "models": {"itself": {"type": "recording", **SOURCE}},
    "resamples": 50,
}


@pytest.fixture(scope="module")
def stored(tmp_path_factory):
    folder = tmp_path_factory.mktemp("days")
    days(folder / "days.npz")
    days(folder / "holes.npz", leave_out="tue")
    return folder


@pytest.fixture
def here(stored, monkeypatch, tmp_path):
    """Return a function that writes the configuration after a change, and returns its path."""
    monkeypatch.chdir(tmp_path)

    def write(change=lambda c: None):
        changed = copy.deepcopy(STUDY)
        change(changed)
        (stored / "config.yaml").write_text(yaml.safe_dump(changed))
        return stored / "config.yaml"

    return write


def everywhere(**keys):
    """Return a change of the recording and of the model that is one."""
    return lambda c: [part.update(keys) for part in (c["recording"], c["models"]["itself"])]


def findings(job):
    return Findings(job.config, job.data, {}, None, {})


def made(config, *options):
    assert main(["rdm", str(config), "--out", "rdms.npz", *options]) == 0
    return read_rdm_file("rdms.npz")


def test_the_verb_joins_sessions_as_the_library_does(here, stored):
    pictures = with_condition(read(stored / "days.npz"), ("shape", "place"))
    expected = rdm(pictures, METRICS, "shape, place", join="session")
    found = made(here())
    assert found.rdms.pattern_descriptors["condition"] == expected.pattern_descriptors["condition"]
    assert (found.rdms.dissimilarities == expected.dissimilarities).all()
    drawn = join_replicates(split_sessions(pictures, "session"), METRICS, "shape, place", n_resamples=50)
    assert (found.replicates.bootstrap == drawn.bootstrap).all()
    assert (found.replicates.half_a == drawn.half_a).all()
    assert not (made(here(), "--seed", "1").replicates.bootstrap == drawn.bootstrap).all()  # control


def test_joined_sessions_are_the_sum_of_each_alone(here):
    """The sessions are computed one by one through another path of the verb: a selection, without ``join``."""

    def only(day):
        return lambda c: c["recording"].update(where={"session": day}, units={"session": day}, join=None)

    joined = made(here()).rdms
    order, total = list(joined.pattern_descriptors["condition"]), 0
    for day in ("mon", "tue", "wed"):
        one = made(here(only(day))).rdms
        position = [list(one.pattern_descriptors["condition"]).index(label) for label in order]
        total = total + one.get_matrices()[:, position][:, :, position]
        assert not np.allclose(total, joined.get_matrices()) or day == "wed"  # control: every session counts
    assert np.allclose(total, joined.get_matrices(), rtol=0, atol=1e-12)  # rounding of sums of about 10


def test_joined_sessions_are_taken_from_the_cache(here, monkeypatch, capsys):
    first = made(here(), "--cache", "blocks")
    assert len(list(Path("blocks").glob("*.npy"))) == 3  # one per session, for the RDM and its replicates alike
    monkeypatch.setattr(Job, "compute", lambda *_: 1 / 0)
    again = made(here(), "--cache", "blocks")
    assert (first.rdms.dissimilarities == again.rdms.dissimilarities).all()
    assert (first.replicates.bootstrap == again.replicates.bootstrap).all()
    assert main(["rdm", str(here()), "--out", "no.npz"]) == 1  # control
    assert "ZeroDivisionError" in capsys.readouterr().err


def test_compare_takes_joined_sessions_and_says_so(here, stored, tmp_path):
    assert main(["compare", str(here()), "--out", "out"]) == 0
    table = Result.load(tmp_path / "out" / "result").table
    assert table["similarity"].to_numpy() == pytest.approx(1.0, abs=1e-12)  # it is the same recording
    report = (tmp_path / "out" / "report.html").read_text()
    assert "12 units (0 silent) of 3 sessions, each unit in the trials of its own, in 72 trials" in report
    assert "with 4 trials each in every session" in report
    assert "added up over the sessions" in report
    assert "were not recorded together" in report
    assert "the 4 units of session mon" in report
    rows = pd.read_csv(tmp_path / "out" / "figures" / "raster_rows.csv")
    assert set(rows["unit"]) == {f"mon{k}" for k in range(4)}
    rate = float(re.search(r"on average ([0-9.]+) Hz per unit", report)[1])
    recording = read(stored / "days.npz")
    assert rate == pytest.approx(recording.times.size / (12 * 24 * 0.2), rel=1e-2)  # three digits are written
    assert yaml.safe_load((tmp_path / "out" / "config.yaml").read_text())["recording"]["join"] == "session"


def test_another_recording_as_model_is_less_alike_than_the_recording_itself(here, stored, tmp_path):
    """Negative control of the similarity of 1."""
    days(stored / "other.npz", seed=3)
    assert main(["rdm", str(here(lambda c: c["models"]["itself"].update(file="other.npz"))), "--out", "data.npz"]) == 0
    assert main(["rdm", str(stored / "config.yaml"), "--model", "itself", "--out", "model.npz"]) == 0
    steps = ["--rdms", "data.npz", "--models", "model.npz", "--out", "out"]
    assert main(["compare", str(stored / "config.yaml"), *steps]) == 0
    assert (Result.load(tmp_path / "out" / "result").table["similarity"] < 0.999).all()


def test_only_conditions_that_all_sessions_have_are_kept_if_asked(here, refused):
    def holes(**more):
        return here(lambda c: c["recording"].update(file="holes.npz", **more))

    assert "'a, 1' (not in 'tue')" in refused("rdm", holes(), "--out", "rdms.npz")
    found = made(holes(conditions="common")).rdms
    assert sorted(found.pattern_descriptors["condition"]) == ["a, 2", "b, 1", "b, 2", "c, 1", "c, 2"]
    assert set(found.rdm_descriptors["left_out"]) == {"'a, 1' (not in 'tue')"}
    job = _checked(here(everywhere(file="holes.npz", conditions="common")), None, None)
    assert "Left out, because not every session has them: 'a, 1' (not in 'tue')." in _recorded(findings(job))
    assert len(_recorded(findings(_checked(here(), None, None)))) == 1  # control


@pytest.mark.parametrize("blocked", [True, False])
def test_blocks_of_trials_are_told_session_by_session(here, stored, blocked):
    days(stored / "order.npz", blocked=blocked)
    said = limits_of(_checked(here(everywhere(file="order.npz")), None, None).data, ())
    assert any("one block" in line for line in said) is blocked


def labelled(**columns):
    trials = pd.DataFrame({"start": 0.0, "stop": 1.0, **columns})
    return Recording.from_arrays(times=[0.5], unit=["u"], trial=[0], units=pd.DataFrame(index=["u"]), trials=trials)


def test_a_joint_label_has_every_part_in_the_order_given():
    both = with_condition(labelled(a=["x", "x", "y"], b=[1.0, 2.5, 1.0]), ("b", "a"))
    assert both.trials["b, a"].tolist() == ["1, x", "2.5, x", "1, y"]
    alone = labelled(a=["x", "y", "y"])
    assert with_condition(alone, ("a",)) is with_condition(alone, "a") is alone


UNFIT = {
    "alike when joined": ({"a": ["x, y", "x", "z"], "b": ["z", "y, z", "z"]}, "look alike when joined"),
    "missing": ({"a": ["x", None, "y"], "b": [1, 2, 3]}, "1 trials have no label ['a']"),
    "taken": ({"a": ["x", "y", "z"], "b": [1, 2, 3], "a, b": [1, 2, 3]}, "have a label 'a, b' already"),
}


@pytest.mark.parametrize("fault", UNFIT)
def test_labels_that_cannot_be_joined_are_refused(fault):
    columns, says = UNFIT[fault]
    with pytest.raises(Exception, match=re.escape(says)):
        with_condition(labelled(**columns), ("a", "b"))


def of_recording(**keys):
    return lambda c: c["recording"].update(keys)


MISTAKES = {
    "join, typo": (of_recording(join="sesion"), "did you mean 'session'?"),
    "join, a label of trials only": (of_recording(join="shape"), "no label of the units 'shape'"),
    "join, typo in the key": (of_recording(joni="session"), "did you mean 'join'?"),
    "join, a number": (of_recording(join=3), "'recording.join'"),
    "no join": (of_recording(join=None), "by condition with join: session."),
    "trials of one session": (of_recording(where={"session": "mon"}), "the session 'tue' has no trials (2 of 3"),
    "units of one session": (of_recording(units={"session": "mon"}), "the session 'tue' has no units (2 of 3"),
    "conditions, typo": (of_recording(conditions="comon"), "did you mean 'common'?"),
    "conditions without join": (of_recording(conditions="common", join=None), "for sessions that are joined"),
    "condition, typo": (of_recording(condition=["shape", "plac"]), "did you mean 'place'?"),
    "condition, empty": (of_recording(condition=[]), "'recording.condition': is empty"),
    "condition twice": (of_recording(condition=["shape", "shape"]), "'shape' is given twice"),
    "condition, a number": (of_recording(condition=3), "or a list of labels"),
    "metric that does not add": (
        lambda c: c.update(metrics=[{"type": "SPIKE"}]),
        "sessions cannot be joined with SPIKE()",
    ),
    "estimator that does not add": (
        lambda c: c.update(estimator="MeanDistance"),
        "Euclidean distances add over units only when squared",
    ),
    "model of unjoined sessions": (lambda c: c["models"]["itself"].update(join=None), "models.itself: 12 units of 3"),
    "model of other conditions": (lambda c: c["models"]["itself"].update(condition="shape"), "lacks the conditions"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_with_sessions_is_named_in_one_line(here, refused, mistake):
    change, says = MISTAKES[mistake]
    assert says in refused("compare", here(change))


def test_the_unchanged_study_of_sessions_is_accepted(here):
    """Negative control of the refusals."""
    job = _checked(here(), None, None)
    assert (len(job.data.conditions), job.data.join, job.data.by) == (6, "session", "shape, place")


@pytest.mark.slow
def test_neurons_of_twelve_sessions_are_compared_at_once(shared_data, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    config = yaml.safe_load((Path(__file__).parents[2] / "analyses/it_objects/config.yaml").read_text())
    config["recording"] |= {
        "file": str(shared_data / "it_seven_objects_a/it_seven_objects_a.npz"),
        "condition": ["object", "position"],
        "join": "session",
    }
    objects = ["car", "couch", "face", "flower", "guitar", "hand", "kiwi"]
    places = ["upper", "middle", "lower"]
    kinds = {"object": {o: [f"{o}, {p}" for p in places] for o in objects}}
    kinds["position"] = {p: [f"{o}, {p}" for o in objects] for p in places}
    config |= {"metrics": [{"type": "SpikeCount"}], "resamples": 50}
    config["models"] = {name: {"type": "categorical", "groups": groups} for name, groups in kinds.items()}
    (tmp_path / "it.yaml").write_text(yaml.safe_dump(config))
    assert main(["compare", "it.yaml", "--out", "out"]) == 0
    table = Result.load(tmp_path / "out" / "result").table.set_index("model")
    assert len(pd.read_csv(tmp_path / "out" / "dissimilarities.csv")) == 21 * 20 // 2
    # The split-half correlation of counts is 0.74 (README of the data); half the trials of a session reach less than
    # all, so by Spearman and Brown the ceiling of all trials lies above it.
    assert table["ceiling_low"].iloc[0] > 0.74
    assert table.loc["object", "p"] < 0.01
