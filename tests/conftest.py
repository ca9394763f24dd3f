"""What every test may ask for."""

import gc
import importlib.util
import os
import runpy
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType

import pytest
from hypothesis import HealthCheck, settings

settings.register_profile("ci", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("ci")

os.environ.setdefault("OMP_NUM_THREADS", "1")
"""Each process of pytest-xdist, and what it starts, has one thread: threads of small networks wait for each other."""


@pytest.fixture(autouse=True, scope="module")
def _garbage_of_a_module() -> Iterator[None]:
    """Collect what a module left, and look no more at what stays, as modules that were imported."""
    yield
    gc.unfreeze()
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True)
def _few_objects_to_look_through() -> None:
    """Keep what came before a test out of the garbage collection that every run of Brian2 asks for (0.4 s each)."""
    gc.freeze()


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Return the folder of development recordings, or skip where it is absent."""
    root = Path(__file__).parents[1]
    folder = Path(os.environ.get("SNNCOMPARE_SHARED", root.parent / "shared")) / "data"
    if not folder.is_dir():
        pytest.skip(f"development recordings are not here ({folder}); they are not part of the repository")
    return folder


ANALYSES = Path(__file__).parents[1] / "analyses"


@contextmanager
def _process_left_as_found() -> Iterator[None]:
    """Put back what a script sets for the whole process it believes to have for itself."""
    import brian2
    import matplotlib as mpl
    import numpy as np
    import torch

    folder, arguments, path, environment = Path.cwd(), sys.argv, sys.path.copy(), dict(os.environ)
    threads, dtype = torch.get_num_threads(), torch.get_default_dtype()
    preferences, step = dict(brian2.prefs), brian2.defaultclock.dt
    drawn = np.random.get_state()  # noqa: NPY002 - what libraries draw from
    try:
        with torch.random.fork_rng(devices=[]), mpl.rc_context():
            yield
    finally:
        os.chdir(folder)
        sys.argv, sys.path[:] = arguments, path
        os.environ.clear()
        os.environ.update(environment)
        torch.set_num_threads(threads)
        torch.set_default_dtype(dtype)
        np.random.set_state(drawn)  # noqa: NPY002
        brian2.prefs.update({name: value for name, value in preferences.items() if brian2.prefs[name] != value})
        brian2.defaultclock.dt = step


@pytest.fixture
def run_analysis(capfd: pytest.CaptureFixture[str]) -> Callable[..., tuple[str, str]]:
    """Return what runs ``analyses/NAME/run.py --quick --out OUT ARGUMENTS`` in this process, which has imported much.

    It returns what the script and all that it starts printed (``out``, ``err``); where the script ends with another
    status than 0, `SystemExit` comes through. ``environment`` is added to the variables of the environment.
    """

    def run(name: str, out: Path, *arguments: str, environment: dict[str, str] | None = None) -> tuple[str, str]:
        script = str(ANALYSES / name / "run.py")
        with _process_left_as_found():
            sys.argv = [script, "--quick", "--out", str(out), *arguments]
            os.environ.update(environment or {})
            capfd.readouterr()
            try:
                runpy.run_path(script, run_name="__main__")
            except SystemExit as end:
                if end.code:
                    raise
            return capfd.readouterr()

    return run


@pytest.fixture(scope="session")
def analysis_module() -> Callable[[str], ModuleType]:
    """Return what imports ``analyses/NAME/run.py`` as a module, once."""

    def load(name: str) -> ModuleType:
        own = f"analyses_{name}"
        if own not in sys.modules:
            spec = importlib.util.spec_from_file_location(own, ANALYSES / name / "run.py")
            assert spec is not None
            assert spec.loader is not None
            module = importlib.util.module_from_spec(spec)
            sys.modules[own] = module  # its dataclasses look themselves up there
            try:
                spec.loader.exec_module(module)
            except BaseException:
                del sys.modules[own]
                raise
        return sys.modules[own]

    return load
