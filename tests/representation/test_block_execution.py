import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest

from snncompare.errors import FileError, InputError, UnsupportedError
from snncompare.representation.blocks import workers as block_workers
from snncompare.representation.blocks.execution import Execution, assembled, blocks_of
from snncompare.representation.compiled.trains import Trains
from snncompare.representation.distances import distances
from snncompare.representation.estimators import BetweenMinusWithin, MeanDistance
from snncompare.representation.metrics import Metric, SpikeCount, VanRossum, VictorPurpura
from snncompare.representation.rdm import rdm

METRICS = [*VanRossum.sweep(["10 ms", "1 s"]), VictorPurpura(cost="5 Hz"), SpikeCount()]
SIZES = [1, 5, 7, 23, 24, 100]


@pytest.fixture(scope="module")
def whole(noisy_recording):
    return distances(noisy_recording, METRICS)


@pytest.mark.parametrize("size", SIZES)
def test_distances_do_not_depend_on_the_blocks(noisy_recording, whole, size):
    assert (distances(noisy_recording, METRICS, execution=Execution(block=size)) == whole).all()


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize(
    "estimator", [MeanDistance(), BetweenMinusWithin(), BetweenMinusWithin(across="session")], ids=repr
)
def test_rdms_do_not_depend_on_the_blocks_to_the_last_bit(noisy_recording, size, estimator):
    recording = noisy_recording.with_trials(session=np.repeat(["mon", "tue", "wed"], 8))
    at_once = rdm(recording, METRICS, by="song", estimator=estimator)
    in_blocks = rdm(recording, METRICS, by="song", estimator=estimator, execution=Execution(block=size))
    assert (in_blocks.dissimilarities == at_once.dissimilarities).all()


def test_sums_block_by_block_would_depend_on_the_blocks():
    """Negative control: adding the sums of blocks, instead of trial by trial, changes the last digits."""
    values = np.random.default_rng(0).random(24)
    sums = {sum(values[k : k + size].sum() for k in range(0, 24, size)) for size in SIZES}
    assert len(sums) > 1


def test_an_rdm_in_blocks_never_asks_for_more_than_a_block(noisy_recording, monkeypatch):
    asked = []
    compute = VanRossum.between_trials.__func__

    def spy(cls, metrics, trains, rows, columns):
        asked.append((len(rows), len(columns)))
        return compute(cls, metrics, trains, rows, columns)

    monkeypatch.setattr(VanRossum, "between_trials", classmethod(spy))
    rdm(noisy_recording, VanRossum(tau="0.1 s"), by="song", execution=Execution(block=5))
    assert max(max(sides) for sides in asked) == 5
    assert len(asked) == 15
    asked.clear()
    rdm(noisy_recording, VanRossum(tau="0.1 s"), by="song")
    assert asked == [(24, 24)]


def test_the_block_follows_from_the_memory():
    sides = [Execution(memory=memory).side(10**6, 10) for memory in (2**20, 2**24, 2**28)]
    assert sides == sorted(sides)
    assert sides[2] ** 2 * 8 * 10 < 2**28
    assert Execution(memory=1).side(100, 10) == 1
    assert Execution().side(30, 1) == 30


@dataclass(frozen=True)
class Product:
    """Stands for a kernel: not zero on the diagonal."""

    factor: float = 1.0

    @classmethod
    def gram_block(cls, kernels, trains, rows, columns):
        size = np.diff(trains.offsets).reshape(trains.n_trials, -1).sum(axis=1).astype(float)
        return np.stack([kernel.factor * np.outer(size[rows], size[columns]) for kernel in kernels])


def test_gram_matrices_are_cut_alike(noisy_recording):
    trains = Trains(noisy_recording.times, noisy_recording.offsets, 3, 0.0, 10.0)
    kernels = [Product(), Product(2.0)]
    whole = assembled(kernels, "gram_block", trains, None)
    assert (np.diagonal(whole[0]) > 0).all()
    assert (whole[1] == 2 * whole[0]).all()
    assert (assembled(kernels, "gram_block", trains, Execution(block=7)) == whole).all()


def counted(recording, execution):
    """Return the distances, and how many blocks were computed for them."""
    computed = []
    original = block_workers.Job.compute

    def compute(self, block):
        computed.append(block)
        return original(self, block)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(block_workers.Job, "compute", compute)
        result = distances(recording, METRICS, execution=execution)
    return result, len(computed)


def test_a_stopped_run_computes_only_what_is_missing(noisy_recording, whole, tmp_path):
    execution = Execution(block=7, folder=tmp_path / "blocks")
    trains = Trains(noisy_recording.times, noisy_recording.offsets, 3, 0.0, 10.0)
    stopped = blocks_of(METRICS, "between_trials", trains, execution)
    for _ in range(4):
        next(stopped)
    stopped.close()
    assert len(list((tmp_path / "blocks").glob("*.npy"))) == 4
    result, n = counted(noisy_recording, execution)
    assert (n, len(list((tmp_path / "blocks").iterdir()))) == (6, 10)
    assert (result == whole).all()
    again, n = counted(noisy_recording, execution)
    assert n == 0
    assert (again == whole).all()


KILLED = """
import os, signal, sys
import snncompare as sc
from snncompare.representation.blocks import workers as block_workers
from snncompare.representation.blocks.execution import Execution
from snncompare.representation.metrics import SpikeCount, VanRossum, VictorPurpura

original, done = block_workers.Job.compute, []
def compute(self, block):
    if len(done) == 4:
        os.kill(os.getpid(), signal.SIGKILL)
    done.append(block)
    return original(self, block)
block_workers.Job.compute = compute
metrics = [*VanRossum.sweep(["10 ms", "1 s"]), VictorPurpura(cost="5 Hz"), SpikeCount()]
sc.distances(sc.read(sys.argv[1]), metrics, execution=Execution(block=7, folder=sys.argv[2]))
"""


def test_a_killed_process_leaves_what_it_finished(noisy_recording, whole, tmp_path):
    path, folder = noisy_recording.save(tmp_path / "recording.npz"), tmp_path / "blocks"
    killed = subprocess.run([sys.executable, "-c", KILLED, path, folder], check=False)
    assert killed.returncode == -9
    assert len(list(folder.glob("*.npy"))) == 4
    result, n = counted(noisy_recording, Execution(block=7, folder=folder))
    assert n == 6
    assert (result == whole).all()


def test_blocks_of_other_work_are_not_taken(noisy_recording, tmp_path):
    execution = Execution(block=12, folder=tmp_path)
    assert counted(noisy_recording, execution)[1] == 3
    moved = np.nextafter(noisy_recording.times, 0)
    nearly = type(noisy_recording)(
        times=moved, offsets=noisy_recording.offsets, units=noisy_recording.units, trials=noisy_recording.trials
    )
    assert counted(nearly, execution)[1] == 3
    assert counted(noisy_recording, Execution(block=11, folder=tmp_path))[1] == 6
    close = [VanRossum(tau="10 ms", mixing=0.1), VanRossum(tau="10 ms", mixing=0.1 + 1e-12)]
    for metric in close:  # both are written as mixing=0.1
        before = len(list(tmp_path.iterdir()))
        value = distances(noisy_recording, metric, execution=execution)
        assert len(list(tmp_path.iterdir())) == before + 3
        assert (value == distances(noisy_recording, metric)).all()


def torn(path):
    path.write_bytes(path.read_bytes()[:-100])


def flipped(path):
    content = bytearray(path.read_bytes())
    content[200] ^= 1
    path.write_bytes(content)


def renamed(path):
    other = next(
        entry for entry in path.parent.iterdir() if entry != path and entry.stat().st_size == path.stat().st_size
    )
    path.write_bytes(other.read_bytes())


def pickled(path):
    np.save(path, np.array([{"a": 1}], dtype=object), allow_pickle=True)


def empty(path):
    path.write_bytes(b"")


@pytest.mark.parametrize("spoil", [torn, flipped, renamed, pickled, empty])
def test_a_spoilt_block_is_computed_again(noisy_recording, whole, tmp_path, spoil):
    execution = Execution(block=8, folder=tmp_path)
    counted(noisy_recording, execution)
    spoil(sorted(tmp_path.iterdir(), key=lambda path: path.stat().st_size)[-1])
    result, n = counted(noisy_recording, execution)
    assert n == 1
    assert (result == whole).all()
    assert counted(noisy_recording, execution)[1] == 0


def test_block_files_are_plain_arrays(noisy_recording, whole, tmp_path):
    distances(noisy_recording, METRICS, execution=Execution(block=24, folder=tmp_path))
    (path,) = tmp_path.iterdir()
    assert (np.load(path, allow_pickle=False) == whole.to_numpy()).all()


def test_a_folder_that_cannot_be_written_is_refused(noisy_recording, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(FileError, match="cannot write to the folder"):
        distances(noisy_recording, METRICS, execution=Execution(folder=tmp_path / "file"))


@dataclass(frozen=True)
class Opaque(Metric):
    euclidean = True
    label = "opaque"
    time_scale = np.nan
    table: object = field(default_factory=object)

    @classmethod
    def between_trials(cls, metrics, *block):
        return np.zeros((len(metrics), len(block[1]), len(block[2])))


def test_metrics_whose_parameters_cannot_be_told_are_not_kept(noisy_recording, tmp_path):
    with pytest.raises(UnsupportedError, match="Compute without a folder"):
        distances(noisy_recording, Opaque(), execution=Execution(folder=tmp_path))
    assert (distances(noisy_recording, Opaque(), execution=Execution()) == 0).all()


@pytest.mark.parametrize(
    "wrong", [{"workers": 0}, {"workers": True}, {"workers": "two"}, {"block": 0}, {"memory": 1.5}], ids=str
)
def test_impossible_executions_are_refused(wrong):
    with pytest.raises(InputError, match=rf"Execution.{next(iter(wrong))} must be"):
        Execution(**wrong)


def test_worker_processes_give_the_same_distances(noisy_recording, whole, tmp_path):
    execution = Execution(block=7, workers=2, folder=tmp_path)
    assert (distances(noisy_recording, METRICS, execution=execution) == whole).all()
    assert counted(noisy_recording, execution)[1] == 0  # kept by this process, whoever computed them


def test_processes_that_end_are_told_with_a_way_out(recording_of, monkeypatch):
    """Here because they cannot import the module that this metric is defined in, also under ``python -m pytest``."""
    elsewhere = [folder for folder in sys.path if Path(folder).resolve() != Path(__file__).parents[2]]
    monkeypatch.setattr(sys, "path", elsewhere)
    recording = recording_of([[[1.0]]] * 4)
    with pytest.raises(UnsupportedError, match=r"worker process ended.*folder"):
        distances(recording, Opaque(table=None), execution=Execution(block=1, workers=1))


class Recorder:
    """An executor of the kind that Elephant has, with threads, which answers as late as it may."""

    max_workers = 2

    def __init__(self):
        self.batches = []

    def execute(self, handler, args_iterate, **kwargs):
        self.batches.append(list(args_iterate))
        with ThreadPoolExecutor(2) as pool:
            return [done.result() for done in [pool.submit(handler, arg, **kwargs) for arg in args_iterate]]


def test_an_executor_gets_batches_and_its_results_are_put_in_place(noisy_recording, whole):
    executor = Recorder()
    execution = Execution(block=5, workers=executor)
    assert (distances(noisy_recording, METRICS, execution=execution) == whole).all()
    assert [len(batch) for batch in executor.batches] == [8, 7]


@pytest.mark.filterwarnings("ignore:mpi4py package is missing")
def test_the_executors_of_elephant_are_taken(noisy_recording, whole):
    from elephant.parallel import ProcessPoolExecutor, SingleProcess

    assert (distances(noisy_recording, METRICS, execution=Execution(block=9, workers=SingleProcess())) == whole).all()
    assert block_workers.workers_kind(ProcessPoolExecutor(2)) == "execute"


def test_a_bar_is_shown_only_where_it_is_asked_for(noisy_recording, capsys):
    distances(noisy_recording, METRICS, execution=Execution(block=9))
    assert capsys.readouterr().err == ""
    distances(noisy_recording, METRICS, execution=Execution(block=9, progress=True))
    shown = capsys.readouterr()
    assert "6/6" in shown.err
    assert shown.out == ""


@pytest.mark.slow
def test_a_dask_cluster_of_several_workers_over_tcp_gives_the_same_to_the_last_bit(noisy_recording, whole, tmp_path):
    distributed = pytest.importorskip("distributed")
    cluster = distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, protocol="tcp", dashboard_address=None, host="127.0.0.1"
    )
    with cluster, distributed.Client(cluster) as client:
        assert client.scheduler.address.startswith("tcp://")
        assert len({info["id"] for info in client.scheduler_info()["workers"].values()}) == 2
        execution = Execution(block=5, workers=client, folder=tmp_path)
        assert (distances(noisy_recording, METRICS, execution=execution) == whole).all()
        on = client.run(os.getpid)
        assert os.getpid() not in on.values()
        in_blocks = rdm(noisy_recording, METRICS, by="song", execution=Execution(block=7, workers=client))
    at_once = rdm(noisy_recording, METRICS, by="song")
    assert (in_blocks.dissimilarities == at_once.dissimilarities).all()
    assert counted(noisy_recording, Execution(block=5, folder=tmp_path))[1] == 0
