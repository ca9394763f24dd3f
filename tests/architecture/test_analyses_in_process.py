"""Analyses that tests run in their own process leave it as they found it and end as in a process of their own."""

import os
import subprocess
import sys
from pathlib import Path

import brian2
import matplotlib as mpl
import numpy as np
import pytest
import torch

ANALYSES = Path(__file__).parents[2] / "analyses"
SETS_EVERYTHING = """
import os, subprocess, sys
from dataclasses import dataclass
import brian2, matplotlib, numpy, torch

@dataclass
class Kept:
    argv: list

print(Kept(sys.argv[1:]), os.environ["GIVEN"], flush=True)
subprocess.run(["echo", "from below"], check=True)
print("a word of warning", file=sys.stderr)
os.chdir("/")
os.environ["SET"] = "1"
sys.path.append("/nowhere")
torch.set_num_threads(torch.get_num_threads() + 1)
torch.set_default_dtype(torch.float16)
torch.manual_seed(7)
numpy.random.seed(7)
matplotlib.rcParams["font.size"] = 99
brian2.prefs.codegen.target = "cython"
brian2.defaultclock.dt = 7 * brian2.ms
sys.exit(int(os.environ["STATUS"]))
"""


def process():
    return {
        "folder": Path.cwd(),
        "arguments": sys.argv.copy(),
        "path": sys.path.copy(),
        "environment": {name: value for name, value in os.environ.items() if name != "PYTEST_CURRENT_TEST"},
        "main": sys.modules["__main__"],
        "torch": (torch.get_num_threads(), torch.get_default_dtype(), torch.get_rng_state().sum().item()),
        "numpy": np.random.get_state()[1].sum(),  # noqa: NPY002 - what is drawn from by others
        "font": mpl.rcParams["font.size"],
        "brian2": (brian2.prefs.codegen.target, float(brian2.defaultclock.dt)),
    }


@pytest.fixture
def study(tmp_path):
    (tmp_path / "run.py").write_text(SETS_EVERYTHING)
    return str(tmp_path)


def test_a_script_that_sets_everything_leaves_the_process_as_it_was(run_analysis, study, tmp_path):
    before = process()
    found = run_analysis(study, tmp_path / "o", "--more", environment={"GIVEN": "given", "STATUS": "0"})
    assert process() == before
    assert found.out == f"Kept(argv=['--quick', '--out', '{tmp_path / 'o'}', '--more']) given\nfrom below\n"
    assert found.err == "a word of warning\n"


def test_the_script_does_set_all_of_it(study, tmp_path, monkeypatch):
    """Negative control, in a process of its own."""
    code = f"""
import runpy, sys
sys.path.insert(0, {str(Path(__file__).parent)!r})
from {Path(__file__).stem} import process
before = process()
sys.argv = ["run.py"]
try:
    runpy.run_path({study!r} + "/run.py", run_name="__main__")
except SystemExit as end:
    print(end.code)
print(*(name for name, value in process().items() if value != before[name]))
"""
    environment = os.environ | {"GIVEN": "given", "STATUS": "3"}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment)
    assert done.stdout.splitlines()[-2:] == ["3", "folder arguments path environment torch numpy font brian2"]


def test_a_status_that_is_not_zero_is_not_lost(run_analysis, study, tmp_path):
    before = process()
    with pytest.raises(SystemExit, match="3"):
        run_analysis(study, tmp_path, environment={"GIVEN": "given", "STATUS": "3"})
    assert process() == before


def test_a_module_is_imported_once_and_no_broken_one_is_kept(analysis_module, tmp_path):
    module = analysis_module("speed_study")
    assert analysis_module("speed_study") is module
    assert module.__file__ == str(ANALYSES / "speed_study" / "run.py")
    (tmp_path / "run.py").write_text("1 / 0\n")
    for _ in range(2):
        with pytest.raises(ZeroDivisionError):
            analysis_module(str(tmp_path))


@pytest.mark.slow
def test_a_user_runs_an_analysis_in_a_process_of_its_own(tmp_path):
    command = [sys.executable, "analyses/speed_study/run.py", "--quick", "--out", str(tmp_path)]
    subprocess.run(command, cwd=ANALYSES.parent, check=True, capture_output=True)
    assert (tmp_path / "results.json").is_file()
