"""Teaching in two phases: what is open when, what a killed run goes on with, and what is refused."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from snncompare.backends.simulation import Simulation
from snncompare.errors import FileError, InputError
from snncompare.learning.bursts.rates import population_rates
from snncompare.learning.bursts.saved import SavedSimulation
from snncompare.learning.bursts.teacher import Teacher
from snncompare.learning.bursts.teaching import TwoPhaseCourse, learn_in_two_phases
from snncompare.learning.bursts.two_phases import XOR, Example, TwoPhases, gated_projections
from snncompare.network.initialisers import Constant
from snncompare.network.network import Network, Population, Projection
from snncompare.network.neurons import noisy_leaky_integrate_and_fire
from snncompare.network.neurons.background import with_input_current
from snncompare.network.neurons.bursts import with_bursts
from snncompare.network.synapses import exponential
from snncompare.network.synapses.bursts import burst_dependent
from snncompare.units import quantity


def _network() -> Network:
    """Return two noisy populations of which currents are volts, joined by plasticity and by a fixed projection."""
    neuron = with_bursts(noisy_leaky_integrate_and_fire(sigma="6 mV"), tau_average="50 ms")
    synapse = exponential(unit="volt")
    plastic = burst_dependent(synapse, rate="1 mV", tau_pre="20 ms", w_max="20 mV", plasticity=0.0)
    common = {"source": "in1", "target": "out", "into": "I", "weight": Constant(value=quantity("2 mV"))}
    return Network(
        name="toy",
        populations={
            "in1": Population(size=8, neuron=with_input_current(neuron, "I", "I_in")),
            "out": Population(size=6, neuron=with_input_current(neuron, "I", "I_teacher")),
        },
        projections={
            "plastic": Projection(synapse=plastic, **common),
            "other": Projection(synapse=plastic, **common),
            "fixed": Projection(synapse=synapse, **common),
        },
    )


EXAMPLES = (Example({"in1": 0}, 1), Example({"in1": 1}, 0))
BRIEF: dict[str, Any] = {
    "prediction": "60 ms", "teaching": "20 ms", "burn_in": "50 ms", "test": "60 ms", "settle": "20 ms",
    "bin": "20 ms", "tau_average": "50 ms", "examples": EXAMPLES, "teacher": Teacher(low="2 Hz", high="90 Hz"),
}  # fmt: skip


def _learn(epochs: int = 3, protocol: TwoPhases | None = None, **options: Any) -> TwoPhaseCourse:
    given = {"backend": "torch", "dt": "1 ms", "seed": 1, "save_every": 1, "progress": lambda _: None, **options}
    return learn_in_two_phases(_network(), TwoPhases(**BRIEF) if protocol is None else protocol, epochs=epochs, **given)


class _KilledError(Exception):
    pass


def test_a_killed_run_goes_on_with_the_same_bits(tmp_path: Path) -> None:
    file, whole = tmp_path / "run.npz", _learn()

    def kill(line: str) -> None:
        if line.startswith("epoch 2"):
            raise _KilledError

    with pytest.raises(_KilledError):
        _learn(checkpoint=file, progress=kill)
    assert file.exists()
    resumed = _learn(checkpoint=file)
    assert not file.exists()
    assert resumed.history.equals(whole.history)
    assert resumed.after.equals(whole.after)
    assert all(np.array_equal(resumed.weights[name], whole.weights[name]) for name in whole.weights)
    assert whole.weights["plastic"].std() > 0


def test_checkpoints_of_something_else_are_refused(tmp_path: Path) -> None:
    file = tmp_path / "run.npz"

    def kill(_: str) -> None:
        raise _KilledError

    with pytest.raises(_KilledError):
        _learn(checkpoint=file, progress=kill)
    with pytest.raises(FileError, match="another experiment"):
        _learn(checkpoint=file, seed=3)
    file.write_bytes(b"no archive")
    with pytest.raises(FileError, match="no checkpoint"):
        _learn(checkpoint=file)
    with pytest.raises(FileError, match="no folder"):
        _learn(checkpoint=tmp_path / "absent" / "run.npz")
    assert SavedSimulation(None, "nothing").resume(None) == {}  # type: ignore[arg-type]


def test_the_gate_opens_and_the_teacher_speaks_only_while_teaching(monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[tuple[str, float, float, float, float]] = []
    advance = Simulation.advance

    def watched(self: Simulation, duration: Any, inputs: Any = None) -> None:
        read = (("plastic", "plasticity"), ("other", "plasticity"), ("out", "I_teacher"), ("in1", "I_in"))
        said.append((duration, *(float(np.abs(self.get(*which)).mean()) for which in read)))
        advance(self, duration, inputs)

    monkeypatch.setattr(Simulation, "advance", watched)
    strong = TwoPhases(**{**BRIEF, "plastic": ("plastic",), "teacher": Teacher(low="80 Hz", high="90 Hz")})
    course = _learn(1, strong)
    assert [line[0] for line in said] == ["50 ms", "60 ms", "20 ms", "60 ms", "20 ms"]
    burn_in, prediction, teaching = said[:3]
    assert burn_in[1:] == (0.0, 0.0, 0.0, 0.0)
    assert prediction[1:4] == (0.0, 0.0, 0.0)
    assert teaching[1:3] == (1.0, 0.0)
    assert teaching[3] == pytest.approx(1000e-12)  # target 1 below the lowest rate: the whole strength
    assert said[1][4] == pytest.approx(350e-12)
    assert said[3][4] == pytest.approx(150e-12)
    assert list(course.weights) == ["plastic"]
    assert course.history["teacher"].iloc[0] == pytest.approx(1000e-12)


def test_without_epochs_nothing_is_learnt() -> None:
    course = _learn(0)
    assert course.history.empty
    assert (course.weights["plastic"] == 2e-3).all()
    assert course.before.index.names == ["example", "population"]
    assert course.courses["after"].shape == (2, 2, 3)
    assert (_learn(1).weights["plastic"] != 2e-3).any()


def test_cost_of_an_epoch_sums_its_examples() -> None:
    course = _learn(2)
    teacher = Teacher(low="2 Hz", high="90 Hz")
    rates = course.history["out event_rate"].to_numpy()
    expected = [teacher.cost(rate, EXAMPLES[k % 2].target) for k, rate in enumerate(rates)]
    assert course.cost == pytest.approx([sum(expected[:2]), sum(expected[2:])])


def test_xor_is_shown_in_the_order_of_the_authors() -> None:
    assert [example.name for example in XOR] == ["(0, 0)", "(1, 0)", "(0, 1)", "(1, 1)"]
    assert [example.target for example in XOR] == [0, 1, 1, 0]


def test_rates_are_counted_after_the_beginning() -> None:
    from snncompare.testing.networks import poisson_input

    recording = poisson_input(units=50, trials=1, seed=0, duration=2.0, dt=1e-4, rate=20.0)
    units = recording.units.assign(population="all")
    from dataclasses import replace

    rates = population_rates(replace(recording, units=units), "1 s")
    late = recording.times >= 1.0
    assert rates.loc["all", "event_rate"] + rates.loc["all", "burst_rate"] <= late.sum() / 50
    assert rates.loc["all", "event_rate"] == pytest.approx(20 * np.exp(-20 * 0.016), rel=0.1)  # of 1000 spikes
    with pytest.raises(InputError, match="nothing is left"):
        population_rates(replace(recording, units=units), "2 s")


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"tau_average": "8 s"}, "averaging window"),
        ({"prediction": "-1 s"}, "prediction"),
        ({"teaching": "0 s"}, "teaching"),
        ({"settle": "9 s"}, "settle"),
        ({"bin": "300 ms"}, "bin"),
        ({"examples": ()}, "example"),
        ({"zero": "1 mV"}, "current"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else None,
)
def test_bad_protocols_are_refused(changed: dict[str, Any], said: str) -> None:
    with pytest.raises(InputError, match=said):
        TwoPhases(**changed)


def test_networks_that_do_not_fit_are_refused() -> None:
    network = _network()
    wrong = [
        (TwoPhases(**{**BRIEF, "prediction": "60.5 ms"}), "no multiple"),
        (TwoPhases(**{**BRIEF, "output": "top"}), "top"),
        (TwoPhases(**{**BRIEF, "teacher_current": "I_top"}), "I_top"),
        (TwoPhases(**{**BRIEF, "plastic": ("fixed",)}), "fixed"),
        (TwoPhases(**{**BRIEF, "examples": XOR}), "in2"),
    ]
    for protocol, said in wrong:
        with pytest.raises(InputError, match=said):
            learn_in_two_phases(network, protocol, epochs=1, backend="torch", dt="1 ms")
    with pytest.raises(InputError, match="epochs"):
        _learn(-1)
    with pytest.raises(InputError, match="0 or 1"):
        Example({"in1": 2}, 1)
    assert gated_projections(network) == ("plastic", "other")
