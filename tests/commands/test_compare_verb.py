import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import yaml

from snncompare.cli import main
from snncompare.commands import compare_figures
from snncompare.commands.compare import _checked
from snncompare.commands.compare_data import is_blocked
from snncompare.commands.compare_network import prepare_network
from snncompare.commands.compare_parts import FromNetwork
from snncompare.comparison.result import Result
from snncompare.network.network import Network
from snncompare.network.neurons import leaky_integrate_and_fire
from snncompare.network.synapses import exponential
from snncompare.recording.read import read
from snncompare.recording.recording import Recording
from snncompare.report.content import ReportFigure


@pytest.fixture(autouse=True)
def blank_figures(monkeypatch):
    """Leave out the figures, which take most of the time; test_compare_report.py has them."""
    picture = ReportFigure(image=b"<svg/>", media_type="image/svg+xml", caption="", alt="nothing")
    blank = type("Blank", (), {"saved": lambda *_: picture})()
    monkeypatch.setattr(compare_figures, "draw", lambda *_: dict.fromkeys(("raster", "rdms", "models"), blank))


def compared(path, out, *arguments):
    assert main(["compare", str(path), "--out", str(out), *arguments]) == 0
    return Result.load(out / "result")


def test_the_hypothesis_that_made_the_spikes_wins(config, folder, capsys):
    result = compared(config(), folder / "out")
    captured = capsys.readouterr()
    assert captured.out.splitlines()[-1] == str(folder / "out" / "report.html")
    assert "distances" in captured.err
    best = result.best()
    assert best["model"] == "circle"
    assert best["verdict"] == "match"
    assert (result.table.set_index("model").loc["line", "similarity"] < best["similarity"]).all()


def test_labels_in_random_order_leave_no_model_above_chance(config, folder):
    """Negative control."""
    shuffled = np.random.default_rng(5).permutation(
        read(folder / "session.npz", trials="grating").trials["orientation_deg"]
    )
    pd.DataFrame({"wrong": shuffled}).to_csv(folder / "labels.csv", index=False)
    path = config(lambda c: c["recording"].update(labels="labels.csv", condition="wrong"))
    assert set(compared(path, folder / "out").table["verdict"]) == {"no match"}


def test_the_resolved_configuration_gives_the_same_numbers(config, folder):
    first = compared(config(), folder / "first")
    resolved = yaml.safe_load((folder / "first" / "config.yaml").read_text())
    (folder / "again.yaml").write_text(yaml.safe_dump(resolved))
    again = compared(folder / "again.yaml", folder / "again")
    pd.testing.assert_frame_equal(first.table, again.table, check_exact=True)


def test_the_seed_of_the_command_line_counts(config, folder):
    results = [compared(config(), folder / str(seed), "--seed", str(seed)) for seed in (1, 2)]
    assert [result.seed for result in results] == [1, 2]
    assert not results[0].table["ci_low"].equals(results[1].table["ci_low"])


def test_paths_are_relative_to_the_configuration(config, folder, monkeypatch, tmp_path_factory):
    monkeypatch.chdir(tmp_path_factory.mktemp("elsewhere"))
    assert main(["compare", str(config(lambda c: c.update(out="inside")))]) == 0
    assert (folder / "inside" / "report.html").is_file()
    assert main(["compare", str(config(name="named.yaml"))]) == 0
    assert (tmp_path_factory.getbasetemp() / "elsewhere0" / "out" / "named" / "report.html").is_file()


def test_selections_reach_the_comparison(config, folder):
    path = config(
        lambda c: c["recording"].update(
            units={"quality": "good"}, where={"orientation_deg": [0, 45, 90, 135]}, window=["0 ms", "150 ms"]
        )
    )
    compared(path, folder / "out")
    report = (folder / "out" / "report.html").read_text()
    assert "8 units (0 silent) in 16 trials of session.npz: 4 conditions" in report
    assert "cut from 0 to 150 ms" in report


def test_a_table_of_onsets_cuts_a_file_without_marks(config, folder):
    marks = read(folder / "session.npz").marks["grating"].table
    marks[["start", "orientation_deg"]].to_csv(folder / "trials.csv", index=False)
    by_table = {"file": "session.npz", "trials_table": "trials.csv", "window": ["0 s", "200 ms"]}
    by_table["condition"] = "orientation_deg"
    path = config(lambda c: c.update(recording=by_table))
    pd.testing.assert_frame_equal(
        compared(path, folder / "table").table, compared(config(), folder / "marks").table, check_exact=True
    )


def test_trials_that_the_file_brings_can_be_shortened_by_a_window(config, folder):
    read(folder / "session.npz", trials="grating").save(folder / "cut.npz")
    brought = {"file": "cut.npz", "window": ["50 ms", "150 ms"], "condition": "orientation_deg"}
    by_mark = {
        "file": "session.npz",
        "trials": "grating",
        "window": ["50 ms", "150 ms"],
        "condition": "orientation_deg",
    }
    tables = [
        compared(config(lambda c, r=recording: c.update(recording=r)), folder / str(k)).table
        for k, recording in enumerate([brought, by_mark])
    ]
    pd.testing.assert_frame_equal(*tables, check_exact=False, rtol=1e-6)


def test_every_kind_of_model_and_metric_can_be_named(config, folder):
    orientations = np.arange(0, 180, 22.5)
    distance = np.abs(orientations[:, None] - orientations)
    pd.DataFrame(distance, index=orientations, columns=orientations).to_csv(folder / "rdm.csv")
    groups = {"low": orientations[:4].tolist(), "high": orientations[4:].tolist()}
    path = config(
        lambda c: c.update(
            metrics=[
                {"type": "VanRossum", "time_scales": ["20 ms", "100 ms"], "mixing": 0.5},
                {"type": "VictorPurpura", "time_scales": ["20 ms"], "pooled": True},
            ],
            models={
                "halves": {"type": "categorical", "groups": groups},
                "matrix": {"type": "matrix", "file": "rdm.csv"},
                "line": {"type": "linear"},
                "itself": {"type": "recording", **c["recording"]},
            },
            similarity="Pearson",
            estimator="MeanDistance",
        )
    )
    table = compared(path, folder / "out").table.set_index("model")
    assert np.allclose(table.loc["itself", "similarity"], 1.0)
    assert np.allclose(table.loc["matrix", "similarity"], table.loc["line", "similarity"])


def relay(folder, gain):
    """Save a network whose cells repeat their input, and the input: the recorded trials themselves."""
    cut = read(folder / "session.npz", trials="grating")
    on_grid = np.round(cut.times / 1e-3).astype(int)
    trial, unit = cut.spike_index()
    kept = np.unique(np.stack([trial, unit, on_grid]), axis=1)
    kept = kept[:, kept[2] < 200]
    Recording.from_arrays(
        times=kept[2] * 1e-3,
        unit=cut.units.index.to_numpy()[kept[1]],
        trial=kept[0],
        units=cut.units,
        trials=cut.trials[["start", "stop", "orientation_deg"]],
    ).save(folder / "input.npz")
    cells = {"size": cut.n_units, "neuron": leaky_integrate_and_fire(refractory="1 ms").model_dump()}
    feed = {"source": "input", "target": "cells", "into": "I", "synapse": exponential().model_dump()}
    feed |= {"weight": {"type": "Constant", "value": f"{gain} mV"}, "wiring": {"type": "OneToOne"}}
    sources = {"size": cut.n_units, "neuron": {"type": "SpikeSource"}}
    Network(name="relay", populations={"input": sources, "cells": cells}, projections={"feed": feed}).save(
        folder / "relay.yaml"
    )
    return {
        "type": "network",
        "network": "relay.yaml",
        "inputs": {"input": "input.npz"},
        "condition": "orientation_deg",
        "duration": "210 ms",
        "dt": "1 ms",
        "window": ["10 ms", "210 ms"],
    }


def test_a_network_is_run_and_compared(config, folder):
    model = relay(folder, gain=60)
    table = compared(config(lambda c: c.update(models={"relay": model})), folder / "out").table
    assert (table["similarity"] > 0.9).all()


def test_only_the_window_of_a_run_is_compared(folder):
    run = prepare_network(FromNetwork.parse(relay(folder, gain=60), "model"), folder, seed=0)
    spikes = run.spikes(0)
    assert spikes.trials["start"].eq(0.01).all()
    assert spikes.trials["stop"].eq(0.21).all()
    assert spikes.times.min() >= 0.01


def test_a_network_answers_joint_conditions_and_runs_like_the_data(config, folder, refused):
    """Its input carries the labels: two that make one condition, and the run across which trials are paired."""
    model = relay(folder, gain=60) | {"condition": ["orientation_deg", "side"]}
    trials = read(folder / "input.npz").trials
    labels = {"run": (trials.groupby("orientation_deg").cumcount() + 1).to_list(), "side": "left"}
    for name in ("input.npz", "session.npz"):
        marks = {"trials": "grating"} if name == "session.npz" else {}
        read(folder / name, **marks).with_trials(**labels).save(folder / name)
    source = {"file": "session.npz", "condition": ["orientation_deg", "side"]}
    across = {"type": "BetweenMinusWithin", "across": "run"}
    given = {"recording": source, "models": {"relay": model}, "estimator": across}
    job = _checked(config(lambda c: c.update(given)), None, None)
    rdms = job.models["relay"].rdms(job.asked, 0)
    assert set(rdms.pattern_descriptors["condition"]) == set(job.data.conditions)
    assert "22.5, left" in job.data.conditions
    assert set(rdms.rdm_descriptors["estimator"]) == {"BetweenMinusWithin(across='run')"}
    labelled = read(folder / "input.npz")
    replace(labelled, trials=labelled.trials.drop(columns="run")).save(folder / "input.npz")
    assert "models.relay: estimator.across: no label of the trials 'run'" in refused(
        "compare", config(lambda c: c.update(given))
    )


def test_a_network_that_never_fires_is_the_users_mistake(config, folder, capsys):
    model = relay(folder, gain=0)
    assert (
        main(["compare", str(config(lambda c: c.update(models={"relay": model}))), "--out", str(folder / "out")]) == 2
    )
    assert "never fires" in capsys.readouterr().err.splitlines()[-1]


@pytest.mark.parametrize(("order", "blocked"), [([0, 0, 1, 1, 2, 2], True), ([0, 1, 2, 0, 1, 2], False)])
def test_trials_in_blocks_are_reported_as_a_limit(order, blocked):
    trials = pd.DataFrame({"start": 0.0, "stop": 1.0, "odour": order})
    recording = Recording.from_arrays(
        times=[0.5], unit=["a"], trial=[0], units=pd.DataFrame(index=["a"]), trials=trials
    )
    assert is_blocked(recording, "odour") is blocked


def test_provenance_has_the_hashes_of_all_inputs(config, folder):
    compared(config(), folder / "out")
    report = (folder / "out" / "report.html").read_text()
    source = json.loads(json.dumps(read(folder / "session.npz").provenance))["source"]
    assert source["sha256"] in report
