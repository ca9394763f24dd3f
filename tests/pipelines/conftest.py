"""Snakemake in its own environment, and a small study of synthetic recordings."""

import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

from snncompare.recording.recording import Recording

ROOT = Path(__file__).parents[2]
WORKFLOW = ROOT / "pipelines" / "compare_recordings"
DRIVER = ROOT / ".venv-driver"
SNNCOMPARE = Path(sys.executable).with_name("snncompare")
ANGLES = np.arange(0, 180, 22.5)


@pytest.fixture
def snakemake(tmp_path):
    """Return a function that runs Snakemake on the workflow in a folder, and returns what came of it."""
    if not (DRIVER / ".ready").is_file():
        pytest.skip("Snakemake is not here; 'make .venv-driver/.ready' installs it where there is a network")

    def run(folder, *arguments, check=True):
        environment = {**os.environ, "XDG_CACHE_HOME": str(tmp_path / "cache")}
        environment["PATH"] = f"{DRIVER / 'bin'}{os.pathsep}{environment['PATH']}"
        command = [DRIVER / "bin" / "snakemake", "--snakefile", WORKFLOW / "Snakefile", "--configfile", "config.yaml"]
        done = subprocess.run(
            [*command, *arguments],
            cwd=folder,
            env=environment,
            capture_output=True,
            text=True,
            timeout=600,
            check=False,
        )
        assert not check or done.returncode == 0, done.stdout + done.stderr
        return done

    return run


@pytest.fixture
def study(tmp_path):
    """Return a function that writes recordings, a study and the configuration of the workflow into a folder."""

    def write(recordings, models, **config):
        named = {part["file"] for part in [*recordings.values(), *models.values()] if "file" in part}
        for seed, name in enumerate(sorted(named)):
            gratings(seed).save(tmp_path / name)
        metrics = [{"type": "VanRossum", "time_scales": ["50 ms"]}, {"type": "SpikeCount"}]
        plain = {"recordings": recordings, "metrics": metrics, "models": models, "resamples": 50}
        (tmp_path / "study.yaml").write_text(yaml.safe_dump(plain, sort_keys=False))
        (tmp_path / "config.yaml").write_text(yaml.safe_dump({"snncompare": str(SNNCOMPARE), **config}))
        return tmp_path

    return write


def gratings(seed, repeats=3, n_units=6):
    """Return tuned Poisson units, shown gratings in random order."""
    rng = np.random.default_rng(seed)
    shown = rng.permutation(np.repeat(ANGLES, repeats))
    preferred = np.linspace(0, 180, n_units, endpoint=False)
    rate = 5 + 120 * np.cos(np.deg2rad(shown[:, None] - preferred)) ** 4
    number = rng.poisson(0.2 * rate).ravel()
    trial, unit = (np.repeat(index.ravel(), number) for index in np.indices(rate.shape))
    return Recording.from_arrays(
        times=rng.uniform(0, 0.2, number.sum()),
        unit=unit,
        trial=trial,
        units=pd.DataFrame(index=range(n_units)),
        trials=pd.DataFrame({"start": 0.0, "stop": 0.2, "angle": shown}),
    )


def jobs(said):
    """Return how many jobs of each rule Snakemake says it will run, or ran."""
    table = re.search(r"Job stats:\n.*\n[- ]+\n((?:\w+ +\d+\n)+)", said)
    found = {} if table is None else {rule: int(n) for rule, n in re.findall(r"(\w+) +(\d+)", table[1])}
    return {rule: n for rule, n in found.items() if rule not in ("all", "total")}


@pytest.fixture
def planned():
    """Return the function that reads how many jobs of each rule Snakemake says it will run."""
    return jobs
