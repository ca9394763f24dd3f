"""What the workflow would do, and what it refuses, before any job runs."""

import re
import shutil
import textwrap
from pathlib import Path

import jsonschema
import pytest
import yaml

from snncompare.commands.study_config import StudyConfig
from snncompare.errors import DescriptionError

WORKFLOW = Path(__file__).parents[2] / "pipelines" / "compare_recordings"
NO_CONDA = "Specify a conda environment or container for each rule."
"""The one thing that the linter misses: the science environment is named in the configuration instead."""


def entry(file, **labels):
    return {"file": file, "condition": "angle", **labels}


def two_areas(write, **config):
    recordings = {f"{area}_{k}": entry("a.npz", subject=k, area=area) for area in ("V1", "LM") for k in "xy"}
    models = {"one": {"type": "recording", **entry("m.npz")}, "the other": {"type": "recording", **entry("m.npz")}}
    return write(recordings, {**models, "circle": {"type": "circular", "period": 180}}, **config)


def test_the_workflow_has_no_lint_but_the_one_that_is_meant(snakemake, study):
    folder = two_areas(study)
    done = snakemake(folder, "--lint", check=False)
    lints = {line.strip(" *").removesuffix(":") for line in done.stderr.splitlines() if line.startswith("    * ")}
    assert lints == {NO_CONDA}


def test_there_is_one_job_per_recording_model_area_and_figure(snakemake, study, planned):
    folder = two_areas(study)
    done = snakemake(folder, "--dry-run", "--cores", "1")
    assert planned(done.stdout) == {"rdm": 4, "model_rdm": 2, "compare": 2, "figure": 6, "summary": 1, "report": 1}


def test_the_slurm_profile_gives_every_job_what_it_needs(snakemake, study, planned, tmp_path):
    folder = two_areas(study, figures=["rdms"], mem_mb={"rdm": 12345, "compare": 4000})
    done = snakemake(folder, "--dry-run", "--profile", str(WORKFLOW / "profiles" / "slurm"))
    assert sum(planned(done.stdout).values()) == 12  # one figure for each area instead of three
    for asked in ("mem_mb=12345", "runtime=60", "slurm_account=my_account", "slurm_partition=my_partition"):
        assert asked in done.stdout
    shutil.copytree(WORKFLOW / "profiles" / "slurm", tmp_path / "broken")
    profile = tmp_path / "broken" / "config.yaml"
    profile.write_text(profile.read_text().replace("executor: slurm", "executor: slrm"))
    refused = snakemake(folder, "--dry-run", "--profile", str(profile.parent), check=False)
    assert refused.returncode != 0
    assert "slrm" in refused.stderr


def test_the_profiles_name_their_executor():
    for name in ("local", "slurm"):
        profile = yaml.safe_load((WORKFLOW / "profiles" / name / "config.yaml").read_text())
        assert profile["executor"] == name


MISTAKES = {
    "key of the workflow": (lambda c, s: c.update(studdy="x"), "configuration: Additional properties"),
    "figure": (lambda c, s: c.update(figures=["rdm"]), "configuration.figures.0: 'rdm' is not one of"),
    "command": (lambda c, s: c.update(snncompare="/no/such"), "configuration.snncompare: cannot start '/no/such'"),
    "key of the study": (lambda c, s: s["recordings"]["V1_x"].update(subjct=1), "did you mean 'subject'?"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_named_in_one_line_before_any_job(snakemake, study, mistake):
    folder = two_areas(study)
    change, says = MISTAKES[mistake]
    config, plan = (yaml.safe_load((folder / f"{name}.yaml").read_text()) for name in ("config", "study"))
    change(config, plan)
    (folder / "config.yaml").write_text(yaml.safe_dump(config))
    (folder / "study.yaml").write_text(yaml.safe_dump(plan))
    refused = snakemake(folder, "--cores", "1", check=False)
    assert refused.returncode != 0
    assert len([line for line in refused.stderr.splitlines() if says in line]) == 1
    assert "Traceback" not in refused.stderr
    assert not (folder / "results").exists()


def test_the_examples_of_the_guide_are_valid():
    guide = (WORKFLOW / "README.md").read_text()
    blocks = re.findall(r"```yaml\n(.*?)```", guide, flags=re.DOTALL)
    study, config = (yaml.safe_load(textwrap.dedent("   " + block.lstrip())) for block in blocks)
    parsed = StudyConfig.parse(study, "README.md")
    assert parsed.areas == ["V1", "LM"]
    assert parsed.session_of("m1_monday") == "m1_monday"
    assert parsed.session_of("m2") is None
    schema = yaml.safe_load((WORKFLOW / "config.schema.yaml").read_text())
    defaults = yaml.safe_load((WORKFLOW / "config.yaml").read_text())
    jsonschema.validate({**defaults, **config}, schema)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({**defaults, **config, "cores": 2}, schema)
    study["recordings"]["m2"]["subjct"] = study["recordings"]["m2"].pop("subject")
    with pytest.raises(DescriptionError, match="did you mean 'subject'"):
        StudyConfig.parse(study, "README.md")


def test_the_workflow_runs_verbs_of_the_package_and_nothing_else():
    rules = "".join(path.read_text() for path in sorted((WORKFLOW / "rules").glob("*.smk")))
    commands = [
        line.split("{params.snncompare}")[1].split()[0] for line in rules.splitlines() if "{params.snncompare} " in line
    ]
    assert sorted(commands) == ["compare", "figure", "rdm", "rdm", "summary", "summary"]
    assert rules.count("shell:") == len(commands)
    assert not any(word in rules for word in ("\n    run:", "script:", "notebook:", "numpy", "pandas"))
