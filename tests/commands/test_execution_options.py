"""``--workers`` and ``--cache`` change where distances are computed, and nothing else."""

import numpy as np
import pytest

from snncompare.cli import main
from snncompare.representation.blocks import execution
from snncompare.representation.blocks.workers import Job
from snncompare.representation.storage.rdm_files import read_rdm_file


def made(path, out, *options):
    assert main(["rdm", str(path), "--out", str(out), *options]) == 0
    found = read_rdm_file(out)
    return found.rdms.dissimilarities, found.replicates.bootstrap, found.replicates.half_a


def same(one, other):
    return all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))


@pytest.fixture
def no_computation(monkeypatch):
    def refuse(*_):
        raise AssertionError("a block was computed")

    return lambda: monkeypatch.setattr(Job, "compute", refuse)


def test_a_second_run_takes_finished_distances_from_the_cache(config, tmp_path, no_computation, capsys):
    path, cache = config(), tmp_path / "blocks"
    first = made(path, tmp_path / "first.npz", "--cache", str(cache))
    assert list(cache.glob("*.npy"))
    assert same(first, made(path, tmp_path / "plain.npz"))
    no_computation()
    assert same(first, made(path, tmp_path / "again.npz", "--cache", str(cache)))
    assert main(["rdm", str(path), "--out", str(tmp_path / "no.npz")]) == 1  # control: without it, work is needed
    assert "a block was computed" in capsys.readouterr().err
    changed = config(lambda c: c.update(metrics=[{"type": "SpikeCount"}]))  # control: and for other metrics
    assert main(["rdm", str(changed), "--out", str(tmp_path / "no.npz"), "--cache", str(cache)]) == 1
    capsys.readouterr()


def test_compare_takes_the_cache_for_data_and_models(config, tmp_path, no_computation, monkeypatch, capsys):
    monkeypatch.setattr("snncompare.commands.compare_figures.draw", lambda *_: {})
    monkeypatch.setattr("snncompare.commands.compare_report.compose_report", lambda *_: None)
    monkeypatch.setattr("snncompare.report.write.write_report", lambda *_: "report.html")
    path = config(lambda c: c["models"].update(part={"type": "recording", **c["recording"], "units": ["u1", "u2"]}))
    first, second = (["compare", str(path), "--out", str(tmp_path / name)] for name in ("first", "second"))
    assert main([*first, "--cache", str(tmp_path / "blocks")]) == 0
    assert len(list((tmp_path / "blocks").glob("*.npy"))) == 2  # the recording, and the model
    no_computation()
    assert main([*second, "--cache", str(tmp_path / "blocks")]) == 0
    assert (tmp_path / "first/result/table.csv").read_bytes() == (tmp_path / "second/result/table.csv").read_bytes()
    assert main(second) == 1  # control
    capsys.readouterr()


@pytest.mark.parametrize("number", [1, 2])
def test_processes_give_the_same_distances(config, tmp_path, monkeypatch, number):
    asked = []
    honest = execution.results_in_order

    def noted(job, todo, workers):
        asked.append(workers)
        return honest(job, todo, workers)

    monkeypatch.setattr(execution, "results_in_order", noted)
    plain = made(config(), tmp_path / "plain.npz")
    assert same(plain, made(config(), tmp_path / "processes.npz", "--workers", str(number)))
    assert asked == [None, number]
    assert not same(plain, made(config(lambda c: c.update(seed=1)), tmp_path / "other.npz"))  # control


MISTAKES = {
    "no worker": ("rdm --out x.npz --workers 0", "a whole number from 1 on, got '0'"),
    "words": ("compare --workers two", "a whole number from 1 on, got 'two'"),
    "a typo": ("rdm --out x.npz --worker 2 --cahe x", "unrecognized arguments: --cahe x"),
    "a file as cache": ("rdm --out x.npz --cache session.npz", "--cache: 'session.npz' is a file"),
    "a cache below a file": ("compare --cache session.npz/x", "--cache: 'session.npz' is a file"),
    "stored RDMs": ("compare --cache x --rdms a.npz", "stored RDMs need none"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_with_an_option_is_named_in_one_line_and_leaves_no_file(
    config, folder, refused, monkeypatch, mistake
):
    monkeypatch.chdir(folder)
    config()
    arguments, says = MISTAKES[mistake]
    verb, *options = arguments.split()
    before = sorted(folder.rglob("*"))
    assert says in refused(verb, "config.yaml", *options)
    assert sorted(folder.rglob("*")) == before


@pytest.mark.parametrize("verb", ["compare", "rdm"])
def test_help_names_the_options(verb, capsys):
    assert main([verb, "--help"]) == 0
    text = " ".join(capsys.readouterr().out.split())
    assert "--workers N compute distances in N processes" in text
    assert "--cache DIR keep finished distances there" in text
    assert main(["figure", "--help"]) == 0
    assert "--workers" not in capsys.readouterr().out  # control
