"""Processes that train together learn what one process learns."""

import os
import runpy
import subprocess
import sys

import numpy as np
import pytest
import torch

from snncompare.learning.distributed import Processes, joined
from snncompare.learning.trained import Trained

SCRIPT = """
import os, sys
from pathlib import Path
import snncompare as sc
from snncompare import datasets
from snncompare.backends.torch.surrogates import SuperSpike
from snncompare.circuits.recurrent import recurrent_classifier
from snncompare.dynamics.paths import CrossLayer, Paths
from snncompare.learning.distributed import Processes, SharedPenalty
from snncompare.learning.dropout import Dropout
from snncompare.learning.losses import Classification, Over, RateLimit, RateTarget, Synchrony
from snncompare.learning.optimisers import Adam
from snncompare.learning.rule import LearningRule
from snncompare.learning.schedule import EverySteps, Execution
from snncompare.learning.signals import AdaptiveFeedback

songs = datasets.load("song_envelopes", n_classes=2, n_per_class=9, duration="40 ms", encoder={"size": 6}, seed=0)
learnt, test = songs.split(0.78, seed=0)  # 14 trials: batches of 5, 5 and 4, each divided unevenly or evenly
cut = {"surrogate": SuperSpike("0.5 mV", "10 mV"), "optimiser": Adam(0.02)}
local = Paths(recurrent=False, reset=False, cross_layer=CrossLayer.NONE)
steps = Classification("readout", scale="2 mV", over=Over.EACH_STEP)
cases = {
    "backwards": (LearningRule(**cut), Classification("readout", scale="2 mV")),
    "broadcast": (LearningRule(**cut, paths=local, signal=AdaptiveFeedback()), Classification("readout", scale="2 mV")),
    "truncated": (LearningRule(**cut, schedule=EverySteps(15)), steps),
    "forwards": (LearningRule(**cut, paths=local, execution=Execution.FORWARD), steps),
}
penalties = {
    "backwards": [RateLimit("60 Hz", "90 Hz"), Synchrony(0.01)],
    "broadcast": [RateTarget("60 Hz", 20.0)],
    "truncated": [],
    "forwards": [RateTarget("60 Hz", 20.0)],
}
out, names = sys.argv[1], sys.argv[2].split(",")
cases |= {"nothing averaged": cases["backwards"], "own penalty": cases["broadcast"]}
penalties |= {"nothing averaged": penalties["backwards"], "own penalty": penalties["broadcast"]}
for name in names:
    rule, loss = cases[name]
    if name == "nothing averaged":
        average, Processes.average = Processes.average, lambda *_: None
    if name == "own penalty":
        Processes.average = average
        SharedPenalty.of_counts = lambda self, counts, duration: self.penalty.of_counts(counts, duration)
    folder = f"{out}/{name}"
    lines = []
    trained = sc.fit(
        recurrent_classifier(inputs=6, hidden=12, classes=2), rule, learnt, test=test, loss=loss, dt="1 ms", epochs=2,
        batch_size=5, penalties=penalties[name], dropout=Dropout(0.2), seed=1, checkpoint=f"{out}/{name}.checkpoint",
        logs=f"{out}/{name}.logs", progress=lines.append,
    )
    rank = os.environ.get("RANK", "0")
    trained.save(f"{folder}.{rank}")
    Path(f"{folder}.{rank}.lines").write_text("".join(line + chr(10) for line in lines))
"""
CASES = ("backwards", "broadcast", "truncated", "forwards")


CONTROLS = ("nothing averaged", "own penalty")


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """Return what one process and what two processes trained."""
    folder = tmp_path_factory.mktemp("distributed")
    script = folder / "train.py"
    script.write_text(SCRIPT)
    one, two = folder / "one", folder / "two"
    one.mkdir()
    two.mkdir()
    environment = {"SNNCOMPARE_CACHE": str(folder / "cache"), "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [
            *(sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"),
            *(str(script), str(two), ",".join([*CASES, *CONTROLS])),
        ],
        capture_output=True,
        text=True,
        env=os.environ | environment,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["train.py", str(one), ",".join(CASES)])
        patch.setenv("SNNCOMPARE_CACHE", environment["SNNCOMPARE_CACHE"])
        runpy.run_path(str(script))
    return {"one": one, "two": two}


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES)
def test_two_processes_learn_what_one_learns(folders, case):
    one, *two = (Trained.load(folders[n] / f"{case}.{rank}") for n, rank in (("one", 0), ("two", 0), ("two", 1)))
    start = one.history["loss"].iloc[0]
    for trained in two:
        for name, weights in one.weights.items():
            # Sums of gradients in another order; the size of what was learnt is 1e-2 of the weights.
            assert np.abs(trained.weights[name] - weights).max() <= 1e-12 * np.abs(weights).max(), name
        assert trained.history.to_numpy() == pytest.approx(one.history.to_numpy(), rel=1e-9)
    assert all(np.array_equal(two[0].weights[name], two[1].weights[name]) for name in one.weights)
    assert one.history["loss"].iloc[-1] != start


@pytest.mark.slow
@pytest.mark.parametrize(("control", "case"), [("nothing averaged", "backwards"), ("own penalty", "broadcast")])
def test_without_averaging_or_with_penalties_of_their_own_parts_they_learn_something_else(folders, control, case):
    one = Trained.load(folders["one"] / f"{case}.0")
    two = Trained.load(folders["two"] / f"{control}.0")
    difference = [
        np.abs(two.weights[name] - weights).max() / np.abs(weights).max() for name, weights in one.weights.items()
    ]
    assert max(difference) > 1e-4


@pytest.mark.slow
def test_only_the_first_process_tells_and_writes(folders):
    for case in CASES:
        assert len((folders["two"] / f"{case}.0.lines").read_text().splitlines()) == 2
        assert (folders["two"] / f"{case}.1.lines").read_text() == ""
        assert len(list((folders["two"] / f"{case}.logs").iterdir())) == 1
        assert not (folders["two"] / f"{case}.checkpoint").exists()


@pytest.mark.parametrize(("n_trials", "size"), [(7, 2), (8, 3), (5, 5), (64, 7), (2, 3)])
def test_parts_of_a_batch_are_all_of_it_once(n_trials, size):
    parts = [list(range(n_trials))[Processes(rank, size).part(n_trials)] for rank in range(size)]
    joint = [trial for part in parts for trial in part]
    assert len(joint) == Processes(0, size).trials(n_trials)
    assert all(parts)
    if n_trials >= size:
        assert joint == list(range(n_trials))
        assert max(map(len, parts)) - min(map(len, parts)) <= 1
    else:  # every process learns from all
        assert all(part == list(range(n_trials)) for part in parts)


def test_alone_nothing_is_joined_or_changed():
    processes = joined()
    assert processes == Processes(0, 1)
    assert processes.is_first
    assert processes.total([1.5]) == [1.5]
    parameter = torch.nn.Parameter(torch.ones(2))
    processes.average([parameter], 0.5)
    assert parameter.grad is None
    assert not torch.distributed.is_initialized()
