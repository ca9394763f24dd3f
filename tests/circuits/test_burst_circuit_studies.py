"""The studies of burst neurons and of multiplexing run, and their stored numbers meet what they are to show."""

import json
from pathlib import Path

import pytest

ANALYSES = Path(__file__).parents[2] / "analyses"
DIRECT = ("r(ER1, I_s)", "r(BP2, I_d)", "r(ER2, ER1)", "r(BP1, BR2)")
CROSS = ("r(ER1, I_d)", "r(BP2, I_s)", "r(ER2, I_d)")
RATE = ("r(FR2, I_s)", "r(FR2, I_d)")


def stored(name, file="results.json"):
    results = json.loads((ANALYSES / name / file).read_text(encoding="utf-8"))
    assert results["study"] == name
    assert results["quick"] is False
    return results, {key: entry["value"] for key, entry in results["metrics"].items()}


@pytest.mark.slow
@pytest.mark.parametrize("name", ["burst_multiplexing", "burst_neuron"])
def test_the_quick_study_runs(run_analysis, tmp_path, name):
    own = ["--backends", "torch"] if name == "burst_neuron" else []
    run_analysis(name, tmp_path, *own)
    assert json.loads((tmp_path / "results.json").read_text(encoding="utf-8"))["quick"] is True
    assert list(tmp_path.glob("*.png"))


def test_events_carry_what_goes_up_and_bursts_what_goes_down():
    results, found = stored("burst_multiplexing")
    assert results["seeds"] == 5
    for name in DIRECT:
        assert found[f"robust: {name}"] >= 0.8, name
    for name in CROSS:
        assert abs(found[f"robust: {name}"]) <= 0.2, name
    for name in RATE:  # the control: the plain rate mixes both signals
        assert found[f"robust: {name}"] >= 0.2, name
    # The authors' weights are the control of the limits: synchronous, as the README says.
    assert min(found[f"authors' weights: {name}"] for name in DIRECT) < 0.5
    text = " ".join((ANALYSES / "burst_multiplexing" / "README.md").read_text(encoding="utf-8").split())
    for name, cell in zip(DIRECT, ("r(ER1, Is)", "r(BP2, Id)", "r(ER2, ER1)", "r(BP1, BR2)"), strict=True):
        assert f"| {cell} | {found[f'robust: {name}']:.3f} |" in text


def test_curves_of_both_neurons_lie_in_their_bands_on_every_backend():
    results, found = stored("burst_neuron")
    assert {name.split(":")[0] for name in found} == {"fused", "brian2", "torch"} == set(results["seconds by backend"])
    outside = {name: value for name, value in found.items() if "outside the band" in name}
    # At 400 pA into the dendrite the reference, which has a sampling error of 0.002 too, is 0.016 away, as the page says.
    allowed = {name: int(name == "fused: points of BP outside the band") for name in outside}
    assert len(outside) == 8
    assert outside == allowed


@pytest.mark.parametrize(("file", "seeds"), [("results.json", 3), ("published_protocol.json", 1)])
def test_exclusive_or_is_learnt_in_both_protocols(file, seeds):
    _, found = stored("burst_xor", file)
    assert found["seeds that solve XOR at 6 Hz, after learning"] == found["seeds"] == seeds
    outputs = [
        found[f"after, {pattern}: event rate of out (Hz)"] for pattern in ("(0, 0)", "(1, 0)", "(0, 1)", "(1, 1)")
    ]
    assert [rate > 6 for rate in outputs] == [False, True, True, False]
    assert found["cost of the last epoch, largest over seeds"] < found["cost of epoch 1"]
    assert found["seeds that solve XOR at 6 Hz, before learning"] == 0  # the control
    text = " ".join((ANALYSES / "burst_xor" / "README.md").read_text(encoding="utf-8").split())
    assert ", ".join(f"{rate:.1f}" for rate in outputs) + " Hz" in text
