"""Starting is light, the analysis arm needs no simulator, and every public name leads somewhere."""

import json
import subprocess
import sys
from importlib.metadata import entry_points
from pathlib import Path

import pytest

import snncompare
from snncompare.backends.program import Backend
from snncompare.backends.registry import available, backend_named

ROOT = Path(__file__).parents[2]
HEAVY = ["torch", "brian2", "numba", "rsatoolbox", "neo", "matplotlib", "pandas"]
ADDED = "import sys, json; print('\\n' + json.dumps([name for name in {heavy!r} if name in sys.modules]))"


def _run(code, *arguments):
    done = subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def _loaded_by(code):
    return json.loads(_run(f"{code}\n{ADDED.format(heavy=HEAVY)}").splitlines()[-1])


def test_importing_the_package_loads_no_heavy_library():
    assert _loaded_by("import snncompare") == []


@pytest.mark.skipif(not (ROOT / "snncompare" / "cli.py").exists(), reason="there is no command line yet")
@pytest.mark.parametrize("arguments", [["--help"], ["--version"], ["compare", "--help"], ["nosuchverb"]], ids=" ".join)
def test_help_loads_no_heavy_library(arguments):
    code = f"""
import contextlib
from snncompare.cli import main
with contextlib.suppress(SystemExit):
    main({arguments!r})
"""
    assert _loaded_by(code) == []


def test_a_loaded_library_would_be_seen():
    assert _loaded_by("import snncompare\nsnncompare.Recording") == ["pandas"]


@pytest.mark.parametrize("name", snncompare.__all__)
def test_every_public_name_leads_somewhere(name):
    assert getattr(snncompare, name) is not None
    assert name in dir(snncompare)


def test_a_name_that_does_not_exist_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        snncompare.nothing  # noqa: B018 - the access is what is tested


@pytest.mark.parametrize("name", sorted(point.name for point in entry_points(group="snncompare.backends")))
def test_every_backend_that_is_announced_loads(name):
    backend = backend_named(name)
    assert isinstance(backend, Backend)
    assert backend.name == name
    assert name in available()


def test_both_backends_are_announced():
    assert {"brian2", "torch"} <= set(available())


BLOCKED = """
import sys

class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {blocked!r}:
            raise ImportError(f"{{name}} is blocked")

sys.meta_path.insert(0, Absent())
"""
ARM = """
import numpy as np, pandas as pd, snncompare as sc

rng = np.random.default_rng(0)
trials = pd.DataFrame({"start": 0.0, "stop": 1.0, "stimulus": list("abcdef") * 2}, index=[f"t{k}" for k in range(12)])
units = pd.DataFrame(index=["u0", "u1"])

def recording(shift):
    rows = [(t, u, x) for k, t in enumerate(trials.index) for u in units.index for x in rng.random(3 + (k + shift) % 6)]
    return sc.Recording.from_arrays(
        times=np.array([x for _, _, x in rows]), unit=[u for _, u, _ in rows], trial=[t for t, _, _ in rows],
        units=units, trials=trials,
    )

metric = sc.VanRossum(tau="20 ms")
data, model = (sc.rdm(recording(shift), metric, by="stimulus") for shift in (0, 1))
result = sc.compare(data, {"model": model}, n_resamples=50, seed=0)
print(float(result.table["similarity"].iloc[0]))
import snncompare.report.write, snncompare.figures.rdm_panels, snncompare.recording.read
assert not {"torch", "brian2"} & set(sys.modules)
"""


def test_the_analysis_arm_works_without_torch_and_brian2():
    said = _run(BLOCKED.format(blocked=["torch", "brian2"]) + ARM)
    assert -1.0 <= float(said.splitlines()[-1]) <= 1.0


def test_the_block_holds_so_the_check_above_can_fail():
    code = (
        BLOCKED.format(blocked=["torch", "brian2"])
        + "try:\n    import torch\nexcept ImportError:\n    print('blocked')\n"
    )
    assert _run(code).strip() == "blocked"


@pytest.mark.parametrize("name", ["brian2", "torch"])
def test_an_absent_simulator_is_named_with_the_line_to_type(name):
    code = (
        BLOCKED.format(blocked=[name])
        .replace("ImportError(", "ModuleNotFoundError(")
        .replace('is blocked")', 'is blocked", name=name)')
        + f"""
from snncompare.backends.registry import backend_named
from snncompare.errors import MissingDependencyError
try:
    backend_named({name!r}).missing(None)
except MissingDependencyError as error:
    print(error)
"""
    )
    assert f"pip install -e '.[{name}]'" in _run(code)
