"""A small study runs from end to end, resumes, and runs on a cluster."""

import pandas as pd
import pytest
import yaml

from snncompare.representation.storage.rdm_files import read_rdm_file


def entry(file, **labels):
    return {"file": file, "condition": "angle", **labels}


ANIMALS = {"mouse_a": entry("a.npz", subject="a"), "mouse_b": entry("b.npz", subject="b")}
MODELS = {"other area": {"type": "recording", **entry("m.npz")}, "circle": {"type": "circular", "period": 180}}
AFTER_A_MODEL = {"compare": 1, "figure": 1, "summary": 1, "report": 1}


def changed(folder, change):
    """Change the study."""
    plain = yaml.safe_load((folder / "study.yaml").read_text())
    change(plain)
    (folder / "study.yaml").write_text(yaml.safe_dump(plain, sort_keys=False))


@pytest.mark.slow
def test_a_study_runs_and_is_done_again_where_something_changed(snakemake, study, planned):
    folder = study(ANIMALS, MODELS, figures=["similarity"], threads=1)
    done = snakemake(folder, "--cores", "2", "--executor", "local")
    assert planned(done.stderr) == {"rdm": 2, "model_rdm": 1, **AFTER_A_MODEL}
    table = pd.read_csv(folder / "results" / "summary.csv")
    assert set(table["model"]) == {"other area", "circle"}
    assert set(table["generalises_over"]) == {"other stimuli of the same kind and other animals"}
    assert table[["similarity", "ci_low", "ci_high", "ceiling_low", "ceiling_high", "verdict"]].notna().all(axis=None)
    assert (table["similarity"] > 0.5).all()  # three tuned populations; unrelated ones are near 0
    assert "circle" in (folder / "results" / "report.html").read_text()
    first = read_rdm_file(folder / "results" / "rdms" / "mouse_a.npz")
    assert first.provenance["inputs"][1]["file"] == "a.npz"

    def next_jobs(*arguments):
        return planned(snakemake(folder, "--dry-run", "--cores", "2", *arguments).stdout)

    assert next_jobs() == {}
    changed(folder, lambda s: s["models"]["circle"].update(period=90))
    assert next_jobs() == AFTER_A_MODEL  # no RDM of spikes depends on a hypothesis
    changed(folder, lambda s: s["models"]["circle"].update(period=180))
    changed(folder, lambda s: s["recordings"]["mouse_b"].update(window=["0 ms", "100 ms"]))
    assert next_jobs() == {"rdm": 1, **AFTER_A_MODEL}
    changed(folder, lambda s: s["recordings"]["mouse_b"].pop("window"))
    (folder / "results" / "models" / "other area.npz").unlink()
    assert next_jobs() == {"model_rdm": 1, **AFTER_A_MODEL}
    before = {path: path.stat().st_mtime_ns for path in (folder / "results" / "rdms").iterdir()}
    (folder / "results" / "summary.csv").unlink()
    resumed = snakemake(folder, "--cores", "2", "results/summary.csv")
    assert planned(resumed.stderr) == {"summary": 1}
    assert (folder / "results" / "summary.csv").is_file()
    assert before == {path: path.stat().st_mtime_ns for path in (folder / "results" / "rdms").iterdir()}


SUBMIT = """#!/bin/sh
(sh "$1" > "$1.out" 2>&1; echo $? > "$1.code") > /dev/null 2>&1 &
echo "$1.code"
"""
STATUS = """#!/bin/sh
if [ ! -f "$1" ]; then echo running; elif [ "$(cat "$1")" = 0 ]; then echo success; else echo failed; fi
"""


@pytest.mark.slow
def test_jobs_go_through_a_submit_command_and_a_failed_one_stops_what_needs_it(snakemake, study):
    folder = study({**ANIMALS, "broken": entry("c.npz", subject="c")}, MODELS, threads=1)
    (folder / "c.npz").write_bytes(b"no recording")
    for name, text in {"submit.sh": SUBMIT, "status.sh": STATUS}.items():
        (folder / name).write_text(text)
        (folder / name).chmod(0o755)
    cluster = ["--executor", "cluster-generic", "--cluster-generic-submit-cmd", "./submit.sh", "--jobs", "2"]
    cluster += ["--cluster-generic-status-cmd", "./status.sh", "--seconds-between-status-checks", "1", "--keep-going"]
    done = snakemake(folder, *cluster, "results/rdms/mouse_a.npz", "results/rdms/broken.npz", check=False)
    said = done.stdout + done.stderr
    assert done.returncode != 0
    assert said.count("with external jobid") == 2
    assert (folder / "results" / "rdms" / "mouse_a.npz").is_file()
    assert not (folder / "results" / "rdms" / "broken.npz").exists()
    log = (folder / "results" / "logs" / "rdm" / "broken.log").read_text()
    assert len(log.splitlines()) == 1
    assert log.startswith("snncompare: recordings.broken: ")
