"""A training process that is killed at any time goes on to the same weights, with everything that has a state."""

import contextlib
import os
import runpy
import signal
import subprocess
import sys
import time

import numpy as np
import pandas as pd
import pytest
import torch

from snncompare.errors import FileError
from snncompare.learning.trained import Trained

SCRIPT = """
import sys
import numpy as np
import snncompare as sc
from snncompare import datasets
from snncompare.circuits.recurrent import recurrent_classifier
from snncompare.learning.dropout import Dropout
from snncompare.learning.early_stopping import EarlyStopping
from snncompare.learning.learning_rates import StepDecay
from snncompare.learning.losses import Classification, RateLimit
from snncompare.learning.optimisers import Adam
from snncompare.learning.rule import LearningRule
from snncompare.learning.signals import AdaptiveFeedback
from snncompare.dynamics.paths import CrossLayer, Paths
from snncompare.backends.torch.surrogates import SuperSpike

out, checkpoint, logs = sys.argv[1:4]
songs = datasets.load(
    "song_envelopes", n_classes=2, n_per_class=20, duration="60 ms", encoder={"size": 6}, seed=0
)
learnt, rest = songs.split(0.6, seed=0)
validation, test = rest.split(0.5, seed=0)
rule = LearningRule(
    surrogate=SuperSpike("0.5 mV", "10 mV"),
    paths=Paths(recurrent=False, reset=False, cross_layer=CrossLayer.NONE),
    signal=AdaptiveFeedback(decay=1e-3),
    optimiser=Adam(0.02, schedule=StepDecay(2, 0.7)),
)
trained = sc.fit(
    recurrent_classifier(inputs=6, hidden=20, classes=2), rule, learnt, test=test, validation=validation,
    loss=Classification("readout", scale="2 mV"), dt="1 ms", epochs=9, batch_size=6, seed=3,
    penalties=[RateLimit("10 Hz", "60 Hz")], dropout=Dropout(0.3),
    early_stopping=EarlyStopping(patience=4), checkpoint=checkpoint, logs=logs,
    progress=lambda line: print(line, flush=True),
)
trained.save(out)
"""


class KilledError(Exception):
    """Stands for the end of the process."""


@pytest.fixture
def here(tmp_path, monkeypatch):
    """Return what trains in this process, perhaps until some lines of progress were told."""
    monkeypatch.setenv("SNNCOMPARE_CACHE", str(tmp_path / "cache"))
    (tmp_path / "train.py").write_text(SCRIPT)

    def start(name, *, ends_after=None):
        lines = []

        def told(line, **_):
            lines.append(line + "\n")
            if len(lines) == ends_after:
                raise KilledError

        monkeypatch.setattr(sys, "argv", ["train.py", *_files(tmp_path, name)])
        with contextlib.suppress(KilledError):
            runpy.run_path(str(tmp_path / "train.py"), init_globals={"print": told})
        return lines, tmp_path / name

    return start


def _files(folder, name):
    return [str(folder / part) for part in (name, f"{name}.checkpoint", f"{name}.logs")]


def killed_in_a_process(folder, name, *, after, wait):
    """Train in a process of its own, kill it some seconds after a line of progress, and return the lines."""
    process = subprocess.Popen(
        [sys.executable, str(folder / "train.py"), *_files(folder, name)],
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"SNNCOMPARE_CACHE": str(folder / "cache"), "OMP_NUM_THREADS": "1"},
    )
    lines = []
    for line in process.stdout:
        lines.append(line)
        if len(lines) == after:
            time.sleep(wait)  # somewhere in the next epoch
            os.kill(process.pid, signal.SIGKILL)
            break
    process.stdout.close()
    assert process.wait() == -signal.SIGKILL
    return lines


def same(one, two):
    return all(np.array_equal(one.weights[name], two.weights[name]) for name in one.weights)


@pytest.mark.slow
def test_training_killed_in_the_middle_goes_on_to_the_same_weights(here, tmp_path):
    lines, folder = here("whole")
    whole = Trained.load(folder)
    before = killed_in_a_process(tmp_path, "killed", after=3, wait=0.05)
    assert (tmp_path / "killed.checkpoint").exists()
    after, folder = here("killed")
    resumed = Trained.load(folder)
    assert len(lines) - 4 <= len(after) <= len(lines) - 3, "begun anew, or an epoch was lost"
    assert before == lines[:3]
    assert after == lines[-len(after) :]
    pd.testing.assert_frame_equal(resumed.history, whole.history)
    assert same(resumed, whole)
    assert whole.provenance["best_epoch"] > 1
    assert resumed.provenance["best_epoch"] == whole.provenance["best_epoch"]
    assert not (tmp_path / "killed.checkpoint").exists()
    assert _logged(tmp_path / "killed.logs") == _logged(tmp_path / "whole.logs")


@pytest.mark.slow
def test_every_part_of_the_state_matters(here, tmp_path):
    whole = Trained.load(here("whole")[1]).history
    here("early", ends_after=1)
    here("late", ends_after=3)
    early, late = (torch.load(tmp_path / f"{name}.checkpoint", weights_only=True) for name in ("early", "late"))
    torch.save(late, tmp_path / "all.checkpoint")
    assert Trained.load(here("all")[1]).history.equals(whole)
    for part in ("weights", "feedback", "optimiser", "rng"):
        torch.save(late | {part: early[part]}, tmp_path / f"{part}.checkpoint")
        assert not Trained.load(here(part)[1]).history.equals(whole), part
    best = late["best"] | {"score": 1e9, "epoch": 3}
    torch.save(late | {"best": best}, tmp_path / "best.checkpoint")
    assert len(Trained.load(here("best")[1]).history) == 7  # patience of 4 epochs after the third
    torch.save({key: value for key, value in late.items() if key != "rng"}, tmp_path / "without.checkpoint")
    with pytest.raises(FileError, match="damaged"):
        here("without")


def _logged(folder):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    found = EventAccumulator(str(folder))
    found.Reload()
    # of two files begun in the same second the later one may be read first
    return {tag: sorted((one.step, one.value) for one in found.Scalars(tag)) for tag in found.Tags()["scalars"]}
