"""The conformance table is green where backends agree and red where a network was changed."""

import json

import numpy as np
import pytest

from snncompare import testing
from snncompare.errors import InputError
from snncompare.testing import conformance
from snncompare.testing.agreement import CONTROLS, agreement, differing_spikes
from snncompare.testing.conformance import Check, check_backend
from snncompare.testing.models import NEURONS, SYNAPSES, conformance_input
from snncompare.testing.statistical import energy_test

SYNAPSE_OF = dict(zip(NEURONS, [name for _ in range(2) for name in SYNAPSES], strict=False))


def _metrics_in(folder):
    return json.loads((folder / "results.json").read_text(encoding="utf-8"))["metrics"]


@pytest.mark.parametrize("neuron", NEURONS)
def test_every_neuron_model_and_every_synapse_model_gives_the_same_spikes(neuron):
    found = agreement(neuron, SYNAPSE_OF[neuron], "torch", duration="0.2 s")
    assert found.spikes > 100
    assert found.identical, found


def test_the_sample_holds_every_synapse_model():
    assert set(SYNAPSE_OF.values()) == set(SYNAPSES)


@pytest.mark.parametrize("name", CONTROLS)
def test_what_was_changed_on_purpose_is_seen(name):
    neuron, synapse, change = CONTROLS[name]
    assert not agreement(neuron, synapse, "torch", duration="0.2 s", change=change).identical


def test_spikes_that_only_one_recording_has_are_counted():
    full = conformance_input(duration="1 s")["source"]
    mask = np.arange(full.n_units) < 15
    fewer = full.select(units=mask)
    missing = int(full.counts().to_numpy()[:, ~mask].sum())
    same_units = type(full).from_arrays(
        times=fewer.times,
        unit=fewer.units.index.to_numpy()[fewer.spike_index()[1]],
        trial=fewer.trials.index.to_numpy()[fewer.spike_index()[0]],
        units=full.units,
        trials=full.trials,
    )
    assert differing_spikes(full, full) == 0
    assert differing_spikes(full, same_units) == missing > 0


def test_the_energy_test_is_calibrated_and_sees_a_shift():
    rng = np.random.default_rng(1)
    ps, shifted = [], []
    for k in range(60):
        points = rng.normal(size=(12, 5))
        for values, kept in ((points, ps), (points + 2.0 * (np.arange(12) < 6)[:, None], shifted)):
            distance = np.linalg.norm(values[:, None] - values[None], axis=-1)
            kept.append(energy_test(distance, 6, seed=k)[1])
    # 60 draws at five percent: more than 8 would happen in less than one of a hundred calibrated tests.
    assert sum(p <= 0.05 for p in ps) <= 8
    assert sum(p <= 0.05 for p in shifted) >= 55


def test_a_failure_needs_a_reason_and_an_excuse_needs_a_failure(monkeypatch):
    def fails(_backend):
        raise AssertionError("7 spikes, Brian2 8")

    checks = (Check("passes", lambda _backend: None), Check("fails", fails))
    monkeypatch.setattr(conformance, "conformance_checks", lambda: checks)
    with pytest.raises(AssertionError, match="FAILED  fails: 7 spikes, Brian2 8"):
        check_backend("mine").raise_if_failed()
    check_backend("mine", excuses={"fails": "no delays on this chip"}).raise_if_failed()
    with pytest.raises(AssertionError, match="PASSED, excused"):
        check_backend("mine", excuses={"fails": "no delays", "passes": "never"}).raise_if_failed()
    with pytest.raises(InputError, match="has no reason"):
        check_backend("mine", excuses={"fails": " "})
    with pytest.raises(InputError, match="no check 'fials'; did you mean 'fails'"):
        check_backend("mine", excuses={"fials": "a typing mistake"})


@pytest.mark.slow
def test_the_command_prints_a_table(run_analysis, tmp_path):
    assert "Differing spikes / spikes" in run_analysis("conformance", tmp_path, "--jobs", "1").out
    metrics = _metrics_in(tmp_path)
    assert metrics["differing_spikes"]["value"] == 0
    assert metrics["controls_seen"]["value"] == len(CONTROLS)


@pytest.mark.slow
def test_examples_of_brian2s_documentation_run_and_train(run_analysis, tmp_path):
    run_analysis("brian2_examples", tmp_path)
    differing = [entry["value"] for name, entry in _metrics_in(tmp_path).items() if name.endswith("_differing")]
    assert differing.count(0) >= 5
    assert set(differing) <= {0, None}


def test_the_kit_is_found_where_the_room_begins():
    assert testing.check_backend is check_backend
