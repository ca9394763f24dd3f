"""Each verb does one step, file to file, and the steps together give what ``compare`` gives at once."""

import json
import re

import numpy as np
import pandas as pd
import pytest
import yaml

from snncompare.cli import main
from snncompare.commands.compare_rdms import run_compare_rdms
from snncompare.commands.figure import FIGURES, run_figure
from snncompare.commands.plan import run_plan
from snncompare.commands.rdm import run_rdm
from snncompare.commands.result_files import load_comparison
from snncompare.commands.summary import run_summary
from snncompare.comparison.result import Result
from snncompare.network.network import Network
from snncompare.network.neurons import leaky_integrate_and_fire
from snncompare.network.synapses import exponential
from snncompare.provenance import file_hash
from snncompare.recording.read import read
from snncompare.recording.recording import Recording
from snncompare.representation.storage.rdm_files import load_rdms, read_rdm_file

ANGLES = np.arange(0, 180, 22.5)
METRICS = [{"type": "VanRossum", "time_scales": ["50 ms"]}, {"type": "SpikeCount"}]


def gratings(seed, path, repeats=3, tuned=True, n_units=8):
    """Save tuned Poisson units; conditions in an order that depends on the seed."""
    rng = np.random.default_rng(seed)
    shown = rng.permutation(np.repeat(ANGLES, repeats))
    preferred = np.linspace(0, 180, n_units, endpoint=False)
    times, unit, trial = [], [], []
    for k, angle in enumerate(shown):
        near = np.cos(np.deg2rad(angle - preferred)) ** 4 if tuned else np.full(n_units, 0.4)
        for j, n in enumerate(rng.poisson(0.2 * (5 + 120 * near))):
            times.append(rng.uniform(0, 0.2, n))
            unit += [f"u{j}"] * n
            trial += [k] * n
    trials = pd.DataFrame({"start": 0.0, "stop": 0.2, "angle": shown})
    units = pd.DataFrame(index=[f"u{j}" for j in range(n_units)])
    Recording.from_arrays(times=np.concatenate(times), unit=unit, trial=trial, units=units, trials=trials).save(path)


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """Write recordings of three animals and a study; return a function that writes it after a change."""
    folder = tmp_path_factory.mktemp("study")
    for k, name in enumerate("abc"):
        gratings(k, folder / f"{name}.npz")
    gratings(9, folder / "noise.npz", tuned=False)
    recordings = {f"mouse_{k}": {"file": f"{k}.npz", "condition": "angle", "subject": k} for k in "abc"}
    models = {"circle": {"type": "circular", "period": 180}, "line": {"type": "linear"}}
    plain = {"recordings": recordings, "metrics": METRICS, "models": models, "resamples": 60}

    def write(change=lambda _: None, name="study.yaml"):
        changed = json.loads(json.dumps(plain))
        change(changed)
        (folder / name).write_text(yaml.safe_dump(changed, sort_keys=False))
        return folder / name

    return write


@pytest.fixture(scope="module")
def stored(study):
    """Return the files of RDMs of the three animals."""
    path = study()
    return [run_rdm(path, path.parent / f"{name}_rdms.npz", recording=f"mouse_{name}") for name in "abc"]


@pytest.fixture(scope="module")
def result(study, stored):
    path = study()
    return run_compare_rdms(path, stored, out=path.parent / "V1")


def test_the_steps_give_what_compare_gives_at_once(config, folder, monkeypatch):
    monkeypatch.chdir(folder)
    path = str(config(lambda c: c["models"].update(itself={"type": "recording", **c["recording"]})))
    monkeypatch.setattr("snncompare.commands.compare_figures.draw", lambda *_: {})
    monkeypatch.setattr("snncompare.commands.compare_report.compose_report", lambda *_: None)
    monkeypatch.setattr("snncompare.report.write.write_report", lambda *_: "report.html")
    assert main(["compare", path, "--out", "at_once"]) == 0
    assert main(["rdm", path, "--out", "rdms/data.npz"]) == 0
    assert main(["rdm", path, "--model", "itself", "--out", "rdms/model.npz"]) == 0
    steps = ["--rdms", "rdms/data.npz", "--models", "rdms/model.npz", "--out", "in_steps"]
    assert main(["compare", path, *steps]) == 0
    for name in ("result/table.csv", "result/differences.csv", "result/resamples.csv", "dissimilarities.csv"):
        assert (folder / "at_once" / name).read_bytes() == (folder / "in_steps" / name).read_bytes()
    assert main(["compare", path, "--seed", "5", *steps[:-1], "other_seed"]) == 0  # control
    assert (folder / "other_seed/result/table.csv").read_bytes() != (folder / "at_once/result/table.csv").read_bytes()


def test_recordings_of_several_animals_generalise_over_animals(result):
    found = Result.load(result / "result")
    assert found.resampled == "other stimuli of the same kind and other animals"
    table = found.table.set_index("model")
    assert table.loc["circle", "similarity"].min() > table.loc["line", "similarity"].max()
    assert set(table.loc["circle", "verdict"]) <= {"match", "related", "partial"}
    assert table["ceiling_low"].notna().all()


def test_animals_whose_spikes_do_not_depend_on_the_stimulus_match_nothing(study):
    """Negative control."""

    def untuned(config):
        config["recordings"] = {"x": {"file": "noise.npz", "condition": "angle"}}

    path = study(untuned, "noise.yaml")
    rdms = run_rdm(path, path.parent / "noise_rdms.npz")
    table = Result.load(run_compare_rdms(path, [rdms], out=path.parent / "noise") / "result").table
    assert set(table["verdict"]) == {"no match"}


def test_the_order_of_the_recordings_and_of_their_conditions_does_not_matter(study, stored, result):
    orders = [load_rdms(path).pattern_descriptors["condition"] for path in stored]
    assert orders[0] != orders[1]
    turned = run_compare_rdms(study(), stored[::-1], out=result.parent / "turned")
    columns = ["model", "metric", "time_scale", "similarity"]
    tables = [Result.load(folder / "result").table[columns] for folder in (result, turned)]
    pd.testing.assert_frame_equal(*tables, rtol=1e-12)  # another order of summation


def test_sessions_of_one_animal_are_not_other_animals(study):
    def one_animal(config):
        for recording in config["recordings"].values():
            recording["subject"] = "m"

    path = study(one_animal, "sessions.yaml")
    names = [f"mouse_{name}" for name in "abc"]
    files = [run_rdm(path, path.parent / f"{name}_session.npz", recording=name) for name in names]
    assert [load_rdms(file).rdm_descriptors["session"][0] for file in files] == names
    found = Result.load(run_compare_rdms(path, files, out=path.parent / "sessions") / "result")
    assert "other animals" not in found.resampled


def test_a_file_of_rdms_says_where_it_came_from(study, stored):
    file = read_rdm_file(stored[0])
    inputs = {entry["file"]: entry["sha256"] for entry in file.provenance["inputs"]}
    assert inputs["a.npz"] == file_hash(study().parent / "a.npz")
    assert file.provenance["config"]["recordings.mouse_a"]["subject"] == "a"
    assert file.rdms.rdm_descriptors["subject"] == ["a", "a"]
    assert file.rdms.rdm_descriptors["name"] == ["mouse_a", "mouse_a"]
    assert file.rdms.rdm_descriptors["time_scale"][0] == 0.05
    assert file.replicates is None  # of several animals nothing is drawn within one


CHANGES = {
    "nothing": (lambda s: None, set()),
    "a hypothesis": (lambda s: s["models"]["circle"].update(period=90), {"V1", "LM"}),
    "the measure": (lambda s: s.update(similarity="Pearson"), {"V1", "LM"}),
    "a window": (lambda s: s["recordings"]["mouse_a"].update(window=["0 ms", "100 ms"]), {"mouse_a"}),
    "a subject": (lambda s: s["recordings"]["mouse_a"].update(subject="z"), {"mouse_a"}),
    "a metric": (lambda s: s["metrics"].pop(), {"mouse_a", "mouse_b", "mouse_c", "spikes"}),
    "the seed": (lambda s: s.update(seed=7), {"mouse_c", "V1", "LM"}),
    "the data of a model": (lambda s: s["models"]["spikes"].update(file="a.npz"), {"spikes", "V1", "LM"}),
    "the question": (lambda s: s.update(question="Why?"), {"V1", "LM"}),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_plan_says_which_steps_a_change_concerns(study, change):
    """The lone recording of an area depends on the seed, by which its trials are drawn; the others on nothing random."""

    def two_areas(config):
        config["recordings"]["mouse_c"]["area"] = "LM"
        config["recordings"]["mouse_a"]["area"] = config["recordings"]["mouse_b"]["area"] = "V1"
        config["models"]["spikes"] = {"type": "recording", "file": "b.npz", "condition": "angle"}

    def then(config):
        two_areas(config)
        CHANGES[change][0](config)

    before, after = (steps(run_plan(study(made, f"{made.__name__}.yaml"))) for made in (two_areas, then))
    assert {name for name in before if before[name] != after[name]} == CHANGES[change][1]


def steps(text):
    plan = json.loads(text)
    every = {**plan["recordings"], **plan["models"], **plan["comparisons"]}
    return {name: step["depends_on"] for name, step in every.items()}


def test_a_plan_names_the_files_that_a_step_reads(study):
    path = study()
    plan = json.loads(run_plan(path, path.parent / "planned"))
    assert plan["recordings"]["mouse_a"]["files"] == [(path.parent / "a.npz").as_posix()]
    assert plan["comparisons"]["all"]["recordings"] == ["mouse_a", "mouse_b", "mouse_c"]
    assert json.loads((path.parent / "planned" / "plan.json").read_text()) == plan


def test_the_seed_decides_how_the_trials_of_a_lone_recording_are_drawn(study):
    path = study(lambda c: c.update(recordings={"a": c["recordings"]["mouse_a"]}), "lone.yaml")
    files = [run_rdm(path, path.parent / f"lone_{k}.npz", seed) for k, seed in enumerate([4, 4, 5])]
    repeats = [read_rdm_file(file).replicates.bootstrap for file in files]
    assert np.array_equal(repeats[0], repeats[1])
    assert not np.array_equal(repeats[0], repeats[2])
    assert read_rdm_file(files[2]).provenance["seed"] == 5


def test_instances_of_a_network_are_told_apart_by_their_seed(study, stored):
    folder = stored[0].parent
    source = read(folder / "a.npz")
    on_grid = np.unique(np.stack([*source.spike_index()[::-1], np.round(source.times / 1e-3).astype(int)]), axis=1)
    unit, trial, step = on_grid[:, on_grid[2] < 200]
    Recording.from_arrays(
        times=step * 1e-3,
        unit=source.units.index.to_numpy()[unit],
        trial=source.trials.index.to_numpy()[trial],
        units=source.units,
        trials=source.trials,
    ).save(folder / "input.npz")
    cells = {"size": source.n_units, "neuron": leaky_integrate_and_fire(refractory="1 ms").model_dump()}
    feed = {"source": "input", "target": "cells", "into": "I", "synapse": exponential().model_dump()}
    feed["weight"] = {"type": "Uniform", "low": "0 mV", "high": "120 mV"}
    feed["wiring"] = {"type": "OneToOne"}
    sources = {"size": source.n_units, "neuron": {"type": "SpikeSource"}}
    network = Network(name="n", populations={"input": sources, "cells": cells}, projections={"feed": feed})
    network.save(folder / "network.yaml")
    model = {"type": "network", "network": "network.yaml", "inputs": {"input": "input.npz"}, "condition": "angle"}
    path = study(lambda c: c["models"].update(net={**model, "duration": "200 ms", "dt": "1 ms"}), "network_study.yaml")
    files = [run_rdm(path, folder / f"net_{seed}.npz", seed, model="net") for seed in (1, 2)]
    assert [load_rdms(file).rdm_descriptors["seed"] for file in files] == [[1, 1], [2, 2]]
    assert not np.array_equal(load_rdms(files[0]).get_vectors(), load_rdms(files[1]).get_vectors())
    one = run_compare_rdms(path, stored, files[:1], folder / "one_instance")
    both = run_compare_rdms(path, stored, files, folder / "both_instances")
    tables = [Result.load(out / "result").table.set_index("model") for out in (one, both)]
    assert set(tables[0].index) == {"circle", "line", "net"}
    assert not np.array_equal(tables[0].loc["net", "similarity"], tables[1].loc["net", "similarity"])


@pytest.mark.parametrize("kind", ["similarity", "models", "rdms"])
def test_a_stored_result_is_drawn_again_the_same(result, tmp_path, kind):
    files = [run_figure(result, tmp_path / str(k) / f"{kind}.svg", kind) for k in range(2)]
    assert files[0].read_bytes() == files[1].read_bytes()
    beside = {path.suffix for path in files[0].parent.iterdir()}
    assert beside == {".svg", ".pdf", ".png", ".csv", ".json"}
    record = json.loads(files[0].with_name(f"{kind}.provenance.json").read_text())
    assert file_hash(result / "result" / "table.csv") in {entry["sha256"] for entry in record["inputs"]}


def test_another_result_gives_another_figure(result, tmp_path):
    """Negative control."""
    table = (result / "result" / "table.csv").read_text()
    try:
        first = run_figure(result, tmp_path / "a" / "f.svg").read_bytes()
        (result / "result" / "table.csv").write_text(re.sub(r",0\.(\d)", r",0.3\1", table))
        assert run_figure(result, tmp_path / "b" / "f.svg").read_bytes() != first
    finally:
        (result / "result" / "table.csv").write_text(table)


def test_several_animals_are_shown_by_their_mean_and_kept_one_by_one(result):
    table = load_comparison(result).dissimilarities
    each = table[[f"recording of subject {name}" for name in "abc"]].astype(float)
    rows = table["metric"] == "spike count"
    scaled = each[rows] / np.sqrt((each[rows] ** 2).mean())
    np.testing.assert_allclose(table.loc[rows, "recording"], scaled.mean(axis=1), rtol=1e-12)  # rounding of sums


def test_the_summary_has_the_numbers_of_every_result(result, tmp_path):
    other = tmp_path / "LM"
    other.mkdir()
    for path in ("result/table.csv", "result/differences.csv", "result/result.json", "dissimilarities.csv"):
        (other / path).parent.mkdir(exist_ok=True)
        (other / path).write_bytes((result / path).read_bytes())
    table = pd.read_csv(run_summary([result, other], tmp_path / "summary.csv"))
    assert table["comparison"].unique().tolist() == ["V1", "LM"]
    wanted = Result.load(result / "result").table
    columns = ["model", "metric", "time_scale", "similarity", "ci_low", "ci_high", "ceiling_low", "verdict"]
    pd.testing.assert_frame_equal(table.loc[: len(wanted) - 1, columns], wanted[columns])
    assert table["generalises_over"].unique().tolist() == ["other stimuli of the same kind and other animals"]
    report = run_summary([result], tmp_path / "report.html").read_text()
    assert report.count("data:image/svg+xml") == len(FIGURES)
    assert "period: 180" in report  # the configuration
