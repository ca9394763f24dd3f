"""Each mistake with the verbs of single steps is one readable line, exit code 2, and no file is left."""

import json

import numpy as np
import pytest
import yaml
from rsatoolbox.rdm import RDMs

from snncompare.cli import main
from snncompare.comparison.compare import compare
from snncompare.representation.storage.rdm_files import save_rdms

LABELS = ["a", "b", "c", "d"]
MODELS = {"line": {"type": "matrix", "file": "line.csv"}}


def rdms(path, values=(1, 2, 3, 1, 2, 1), labels=LABELS, of="recording", **descriptors):
    columns = {"metric": ["spike count"], "time_scale": [float("nan")], **{k: [v] for k, v in descriptors.items()}}
    made = RDMs(
        np.array([values], dtype=float),
        pattern_descriptors={"condition": list(labels)},
        rdm_descriptors=columns,
        descriptors={"of": of},
    )
    return save_rdms(made, path)


@pytest.fixture
def here(tmp_path, monkeypatch):
    """Return a folder with RDMs and a study of two areas whose recordings are never read."""
    monkeypatch.chdir(tmp_path)
    rdms("a.npz", subject="a", area="V1")
    rdms("b.npz", (2, 1, 3, 1, 2, 1), subject="b", area="V1")
    rdms("other_area.npz", subject="a", area="LM")
    rdms("unnamed.npz")
    rdms("others.npz", labels=["a", "b", "c", "x"], subject="c", area="V1")
    rdms("model.npz", of="model", name="net")
    rdms("nameless.npz", of="model")
    rdms("taken.npz", of="model", name="line")
    (tmp_path / "line.csv").write_text(",a,b,c,d\na,0,1,2,3\nb,1,0,1,2\nc,2,1,0,1\nd,3,2,1,0\n")
    (tmp_path / "compare.yaml").write_text(yaml.safe_dump({"models": MODELS}))
    return tmp_path


def test_without_a_mistake_the_comparison_runs(here, capsys):
    """Negative control of all refusals below."""
    assert main(["compare", "compare.yaml", "--rdms", "a.npz", "b.npz", "--models", "model.npz", "--out", "out"]) == 0
    assert (here / "out" / "result" / "table.csv").is_file()
    capsys.readouterr()


MISTAKES = {
    "two areas": ("compare compare.yaml --rdms a.npz other_area.npz --out out", "several areas, ['LM', 'V1']"),
    "no subject": ("compare compare.yaml --rdms a.npz unnamed.npz --out out", "'unnamed.npz' names no subject"),
    "one file twice": ("compare compare.yaml --rdms a.npz a.npz --out out", "given twice"),
    "other conditions": ("compare compare.yaml --rdms a.npz others.npz --out out", "['a', 'b', 'c', 'x']"),
    "a model as recording": ("compare compare.yaml --rdms a.npz model.npz --out out", "holds the RDMs of a model"),
    "a recording as model": ("compare compare.yaml --rdms a.npz --models b.npz --out out", "those of a model belong"),
    "a model without name": ("compare compare.yaml --rdms a.npz --models nameless.npz --out out", "does not name"),
    "a name that is taken": ("compare compare.yaml --rdms a.npz --models taken.npz --out out", "which is taken"),
    "models alone": ("compare compare.yaml --models model.npz --out out", "goes with --rdms"),
    "no file": ("compare compare.yaml --rdms no.npz --out out", "there is no file 'no.npz'"),
    "no RDMs": ("compare compare.yaml --rdms line.csv --out out", "not a file of RDMs"),
    "out is a file": ("compare compare.yaml --rdms a.npz --out line.csv", "cannot write to the folder"),
    "no out": ("rdm compare.yaml", "required: --out"),
    "RDMs of nothing": ("rdm compare.yaml --out x.npz", "names no recordings"),
    "RDMs into another format": ("rdm compare.yaml --out x.csv", "ends in .npz"),
    "a folder in the way": ("rdm compare.yaml --out line.csv/x.npz", "in the way"),
    "an unknown model": ("rdm compare.yaml --model lne --out x.npz", "did you mean 'line'?"),
    "a hypothesis as spikes": ("rdm compare.yaml --model line --out x.npz", "is a hypothesis"),
    "both": ("rdm compare.yaml --model line --recording x --out x.npz", "not both"),
    "no result": ("figure . --out x.svg", "no result in"),
    "unknown figure": ("figure . --kind rdm --out x.svg", "did you mean 'rdms'?"),
    "figure in another format": ("figure . --out x.jpg", "ends in .svg or .pdf or .png"),
    "summary of nothing": ("summary . --out x.csv", "no result in"),
    "summary in another format": ("summary . --out x.txt", "ends in .csv or .html"),
    "plan of no recordings": ("plan compare.yaml", "names no recordings"),
    "plan of no file": ("plan no.yaml", "no configuration 'no.yaml'"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_named_in_one_line_and_leaves_no_file(here, refused, mistake):
    arguments, says = MISTAKES[mistake]
    before = sorted(here.rglob("*"))
    assert says in refused(*arguments.split())
    assert sorted(here.rglob("*")) == before


RECORDING = {"file": "a.npz", "condition": "x"}
STUDIES = {
    "control": (lambda s: None, None),
    "typo": (lambda s: s["recordings"]["m1"].update(subjct="a"), "did you mean 'subject'?"),
    "no subject": (lambda s: s["recordings"]["m1"].pop("subject"), "recordings.m1: name its subject"),
    "same session": (lambda s: s["recordings"]["m2"].update(subject="m1"), None),
    "same named session": (
        lambda s: [r.update(subject="m", session=1) for r in s["recordings"].values()],
        "same session 1 of subject 'm'",
    ),
    "a path as name": (lambda s: s["recordings"].update({"../m3": {**RECORDING, "subject": 3}}), "names a file"),
    "a path as area": (lambda s: s["recordings"]["m1"].update(area="/V1"), "names a file"),
    "no data file": (lambda s: s["recordings"]["m1"].update(file="no.npz"), "recordings.m1.file"),
    "no metrics": (lambda s: s.pop("metrics"), "names no metrics"),
    "no models": (lambda s: s.pop("models"), "names no models"),
    "reserved": (lambda s: s["models"].update(recording={"type": "linear"}), "give the model another one"),
    "other areas need no subject": (
        lambda s: [r.update(subject=None, area=name) for name, r in s["recordings"].items()],
        None,
    ),
}


@pytest.mark.parametrize("fault", STUDIES)
def test_a_study_is_checked_before_any_work(here, refused, capsys, fault):
    change, says = STUDIES[fault]
    study = {
        "recordings": {"m1": {**RECORDING, "subject": "m1"}, "m2": {**RECORDING, "subject": "m2"}},
        "metrics": [{"type": "SpikeCount"}],
        "models": json.loads(json.dumps(MODELS)),
    }
    change(study)
    (here / "study.yaml").write_text(yaml.safe_dump(study))
    if says is None:
        assert main(["plan", "study.yaml"]) == 0
        assert list(json.loads(capsys.readouterr().out)["recordings"]) == ["m1", "m2"]
    else:
        assert says in refused("plan", "study.yaml")


@pytest.mark.parametrize("damage", ["json", "table", "columns", "pairs"])
def test_a_damaged_result_is_refused(here, refused, damage):
    data, model = (
        RDMs(
            np.ones((1, 6)) * range(6),
            pattern_descriptors={"condition": LABELS},
            rdm_descriptors={"metric": ["spike count"], "time_scale": [np.nan]},
        )
        for _ in range(2)
    )
    folder = compare(data, {"m": model}).save(here / "result")
    (here / "dissimilarities.csv").write_text("metric,time_scale,condition_a,condition_b,recording,m\n")
    match damage:
        case "json":
            (folder / "result.json").write_text("{")
        case "table":
            (folder / "table.csv").write_text("a,b\n1,2\n")
        case "columns":
            (here / "dissimilarities.csv").write_text("a,b\n1,2\n")
        case "pairs":
            (here / "dissimilarities.csv").write_text(
                "metric,time_scale,condition_a,condition_b,recording,m\nspike count,,a,b,1,1\nspike count,,a,c,1,1\n"
            )
    said = refused("figure", ".", "--kind", "rdms", "--out", "x.svg")
    assert "damaged" in said or "compare anew" in said or "lacks" in said
