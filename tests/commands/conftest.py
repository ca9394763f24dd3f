"""A session whose neurons code eight orientations on a circle, and a configuration that fits it."""

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml

from snncompare.cli import main
from snncompare.recording.marks import Marks
from snncompare.recording.recording import Recording

ORIENTATIONS = np.arange(0, 180, 22.5)
REPEATS, UNITS, SPACING = 4, 16, 0.5


def session(seed: int = 0, orientations: np.ndarray = ORIENTATIONS) -> Recording:
    """Return one continuous trial with tuned Poisson units; marks ``grating`` in random order, 200 ms each."""
    rng = np.random.default_rng(seed)
    shown = rng.permutation(np.repeat(orientations, REPEATS))
    onset = SPACING * np.arange(shown.size)
    preferred = np.linspace(0, 180, UNITS, endpoint=False)
    times, unit = [], []
    for start, angle in zip(onset, shown, strict=True):
        rate = 5 + 120 * np.cos(np.deg2rad(angle - preferred)) ** 4
        for j, n in enumerate(rng.poisson(rate * 0.2)):
            times.append(start + rng.uniform(0, 0.2, n))
            unit += [f"u{j}"] * n
    table = pd.DataFrame({"trial": 0, "start": onset, "stop": onset + 0.2, "orientation_deg": shown})
    blank = pd.DataFrame({"trial": 0, "start": onset[:2], "stop": onset[:2]})
    return Recording.from_arrays(
        times=np.concatenate(times),
        unit=unit,
        trial=np.zeros(len(unit), dtype=int),
        units=pd.DataFrame({"quality": ["good", "noise"] * (UNITS // 2)}, index=[f"u{j}" for j in range(UNITS)]),
        trials=pd.DataFrame({"start": [0.0], "stop": [SPACING * shown.size]}),
        marks={"grating": Marks("epoch", table), "blank": Marks("epoch", blank)},
    )


CONFIG: dict[str, Any] = {
    "recording": {"file": "session.npz", "trials": "grating", "condition": "orientation_deg"},
    "metrics": [{"type": "VanRossum", "time_scales": ["50 ms"]}, {"type": "SpikeCount"}],
    "models": {"circle": {"type": "circular", "period": 180}, "line": {"type": "linear"}},
    "resamples": 50,
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    session().save(tmp_path / "session.npz")
    return tmp_path


@pytest.fixture
def config(folder: Path) -> Callable[..., Path]:
    """Return a function that writes the configuration after a change, and returns its path."""

    def write(change: Callable[[dict[str, Any]], Any] = lambda _: None, name: str = "config.yaml") -> Path:
        changed = copy.deepcopy(CONFIG)
        change(changed)
        (folder / name).write_text(yaml.safe_dump(changed))
        return folder / name

    return write


@pytest.fixture
def refused(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    """Return a function that runs the command line, checks that it is refused in one line, and returns the line."""

    def run(*arguments: object) -> str:
        capsys.readouterr()
        assert main([str(argument) for argument in arguments]) == 2
        captured = capsys.readouterr()
        assert captured.out == ""
        assert len(captured.err.splitlines()) == 1
        assert "Traceback" not in captured.err
        return captured.err

    return run
