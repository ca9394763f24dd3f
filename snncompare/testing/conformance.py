"""Named checks that any backend must pass, ours and third parties'.

Use them in a test::

    def test_my_backend_conforms():
        check_backend("my_backend").raise_if_failed()

or one by one::

    @pytest.mark.parametrize("check", conformance_checks(), ids=lambda check: check.name)
    def test_backend_conforms(check):
        check.run("my_backend")
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from snncompare.backends.registry import compile as compile_network
from snncompare.errors import InputError, SnncompareError, unknown
from snncompare.network.initialisers import Normal, Uniform
from snncompare.network.network import Network, Population
from snncompare.network.neuron import NeuronModel
from snncompare.network.synapses import depressing, exponential, pair_stdp
from snncompare.recording.recording import Recording
from snncompare.testing.networks import driven_neuron, poisson_input, pulse_input, recurrent_network, relay

__all__ = ["Check", "Conformance", "Outcome", "check_backend", "conformance_checks", "same_spikes"]

DT = 5e-4
STEP = "0.5 ms"


@dataclass(frozen=True)
class Check:
    """A claim about backends, and the function that raises AssertionError where a backend does not fulfil it."""

    name: str
    run: Callable[[str], None]


@dataclass(frozen=True)
class Outcome:
    """What became of one check: passed, failed and why, or excused with a reason."""

    check: str
    passed: bool
    said: str = ""
    excuse: str | None = None


@dataclass(frozen=True)
class Conformance:
    """The outcome of all checks on one backend."""

    backend: str
    outcomes: tuple[Outcome, ...]

    @property
    def failed(self) -> tuple[Outcome, ...]:
        """Checks that failed without an excuse, and excused ones that passed."""
        return tuple(outcome for outcome in self.outcomes if outcome.passed == (outcome.excuse is not None))

    def raise_if_failed(self) -> None:
        """Raise AssertionError that names every failure."""
        if self.failed:
            raise AssertionError(f"the backend '{self.backend}' does not conform:\n{self}")

    def __str__(self) -> str:
        words = {
            (True, False): "passed",
            (False, False): "FAILED",
            (False, True): "excused",
            (True, True): "PASSED, excused",
        }
        return "\n".join(
            f"{words[o.passed, o.excuse is not None]:>15}  {o.check}"
            + (f": {o.excuse or o.said}" if o.excuse or o.said else "")
            for o in self.outcomes
        )


def check_backend(name: str, *, excuses: Mapping[str, str] | None = None) -> Conformance:
    """Run all checks on an installed backend.

    Parameters
    ----------
    name : str
        As registered under the entry point group ``snncompare.backends``.
    excuses : mapping, optional
        Check to the reason why this backend cannot pass it. A check that is excused and yet passes counts as a failure:
        take the excuse away.

    Raises
    ------
    InputError
        For an excuse of a check that does not exist, or without a reason.
    """
    excuses = excuses or {}
    known = [check.name for check in conformance_checks()]
    for check, reason in excuses.items():
        if check not in known:
            raise InputError(unknown("check", check, known))
        if not reason.strip():
            raise InputError(f"the excuse for '{check}' has no reason; say why the backend cannot pass it.")
    return Conformance(name, tuple(_outcome(check, name, excuses.get(check.name)) for check in conformance_checks()))


def _outcome(check: Check, backend: str, excuse: str | None) -> Outcome:
    try:
        check.run(backend)
    except (AssertionError, SnncompareError) as error:
        return Outcome(check.name, passed=False, said=" ".join(str(error).split()), excuse=excuse)
    return Outcome(check.name, passed=True, excuse=excuse)


def conformance_checks() -> tuple[Check, ...]:
    """Return all checks; `Check.run` takes the name of a backend."""
    return (
        Check("a driven neuron fires with the period of the closed form", _period),
        Check("the gap between spikes is at least the refractory period", _refractory_gap),
        Check("a spike acts one step after it was fired, plus the delay", _arrival),
        Check("spikes equal Brian2's in float64", _equals_brian2),
        Check("trials run together as they run alone", _trials_alone),
        Check("silent units appear in the recording", _silent_units),
        Check("two spikes of a neuron in one step are refused", _two_in_one_step),
        Check("an input that is missing is refused", _missing_input),
        Check("membranes equal Brian2's within 1e-9", _membranes),
        Check("every synapse has its own delay", _own_delays),
        Check("neurons differ in parameters and initial states", _heterogeneous),
        Check("state of single synapses changes during a run", _plastic),
        Check("conditions and refractory rules may be any expression", _any_condition),
        Check("noise follows the seed", _noise),
    )


def same_spikes(a: Recording, b: Recording) -> bool:
    """Return whether two recordings hold the same spikes to the last bit."""
    return np.array_equal(a.times, b.times) and np.array_equal(a.offsets, b.offsets)


def _run(network: Network, backend: str, inputs: dict[str, Recording], duration: str = "1 s") -> Recording:
    return compile_network(network, backend, dt=STEP, seed=1).run(inputs, duration=duration)


def _period(backend: str) -> None:
    spikes = _run(driven_neuron(), backend, {}).times
    # From the reset the membrane needs tau ln(drive / (drive - threshold)), after the refractory period of 2 ms.
    exact = 2e-3 + 20e-3 * math.log(15 / (15 - 10))
    period = np.diff(spikes).mean()
    assert spikes.size > 30, f"{spikes.size} spikes"
    assert abs(period - exact) <= DT, f"period {period:g} s, closed form {exact:g} s, time step {DT:g} s"


def _refractory_gap(backend: str) -> None:
    spikes = _run(driven_neuron(drive="500 mV", refractory="5 ms"), backend, {}).times
    assert np.diff(spikes).min() >= 5e-3 - 1e-9, f"gap of {np.diff(spikes).min():g} s"
    assert np.diff(spikes).max() <= 5e-3 + 2 * DT, f"gap of {np.diff(spikes).max():g} s"


def _arrival(backend: str) -> None:
    for delay in (0, 3):
        fired = _run(relay(delay=f"{delay * 0.5} ms"), backend, {"source": pulse_input(0.01)}, "50 ms").times
        expected = 0.01 + (1 + delay) * DT
        assert np.allclose(fired, [expected], rtol=0, atol=1e-9), f"delay of {delay} steps: {fired}, not {expected}"


def _equals_brian2(backend: str) -> None:
    inputs = {"source": poisson_input()}
    ours, theirs = (_run(recurrent_network(), name, inputs) for name in (backend, "brian2"))
    assert theirs.times.size > 500, f"only {theirs.times.size} spikes"
    assert same_spikes(ours, theirs), f"{ours.times.size} spikes, Brian2 {theirs.times.size}"


def _trials_alone(backend: str) -> None:
    both = poisson_input(trials=2)
    together = _run(recurrent_network(), backend, {"source": both})
    for k in range(2):
        mask = np.arange(2) == k
        alone = _run(recurrent_network(), backend, {"source": both.select(trials=mask)})
        assert same_spikes(alone, together.select(trials=mask)), f"trial {k} differs"


def _silent_units(backend: str) -> None:
    recording = _run(recurrent_network(), backend, {"source": poisson_input(rate=0.0)})
    assert recording.times.size == 0
    assert recording.n_units == 50, f"{recording.n_units} units"
    assert recording.n_trials == 2, f"{recording.n_trials} trials"


def _refused(backend: str, inputs: dict[str, Recording]) -> None:
    try:
        _run(relay(), backend, inputs, "50 ms")
    except InputError:
        return
    raise AssertionError("accepted")


def _two_in_one_step(backend: str) -> None:
    once = pulse_input(0.01)
    twice = Recording.from_arrays(
        times=[0.01, 0.0101], unit=[0, 0], trial=["pulse"] * 2, units=once.units, trials=once.trials
    )
    _refused(backend, {"source": twice})


def _missing_input(backend: str) -> None:
    _refused(backend, {})


def _like_brian2(network: Network, backend: str, inputs: dict[str, Recording], traces: tuple[str, ...] = ()) -> None:
    record = [*(n for n, p in network.populations.items() if p.neuron.type == "NeuronModel"), *traces]
    programs = [compile_network(network, name, dt=STEP, seed=1) for name in (backend, "brian2")]
    ours, theirs = (program.run(inputs, duration="1 s", record=record) for program in programs)
    assert theirs.times.size > 100, f"only {theirs.times.size} spikes"
    assert same_spikes(ours, theirs), f"{ours.times.size} spikes, Brian2 {theirs.times.size}"
    for key in traces:
        expected = theirs.traces[key].to_numpy()
        error = np.abs(ours.traces[key].to_numpy() - expected).max() / np.abs(expected).max()
        assert error <= 1e-9, f"{key} differs by {error:g} of its largest value"


def _membranes(backend: str) -> None:
    _like_brian2(recurrent_network(), backend, {"source": poisson_input()}, ("adaptive.v", "adaptive.x_recur"))


def _own_delays(backend: str) -> None:
    network = recurrent_network()
    later = network.projections["recur"].model_copy(update={"delay": Uniform(low="0 ms", high="5 ms")})
    varied = network.model_copy(update={"projections": {**network.projections, "recur": later}})
    _like_brian2(varied, backend, {"source": poisson_input()})


def _heterogeneous(backend: str) -> None:
    network = recurrent_network()
    update = {
        "parameters": {"tau": Normal(mean="10 ms", sd="2 ms", low="4 ms"), "v_threshold": "9 mV"},
        "initial": {"v": Uniform(low="0 mV", high="8 mV")},
    }
    cells = network.populations["adaptive"].model_copy(update=update)
    varied = network.model_copy(update={"populations": {**network.populations, "adaptive": cells}})
    _like_brian2(varied, backend, {"source": poisson_input()})


def _plastic(backend: str) -> None:
    for synapse in (depressing(exponential()), pair_stdp(exponential(), w_max="20 mV")):
        network = recurrent_network()
        feed = network.projections["drive"].model_copy(
            update={"synapse": synapse, "weight": Uniform(low="2 mV", high="16 mV")}
        )
        varied = network.model_copy(update={"projections": {**network.projections, "drive": feed}})
        _like_brian2(varied, backend, {"source": poisson_input(trials=1)})


def _any_condition(backend: str) -> None:
    model = NeuronModel(
        equations="dv/dt = (-v + drive*(1 + sin(2*pi*t/(50*ms))))/tau : volt (unless refractory)\nn : 1",
        threshold="(v > 10*mV and n < 40) or v > 25*mV",
        reset="v = 0*mV; n += 1",
        refractory="1*ms + n*0.1*ms",
        parameters={"tau": "20 ms", "drive": "20 mV"},
        initial={"v": Uniform(low="0 mV", high="9 mV")},
    )
    network = Network(name="conditions", populations={"cells": Population(size=20, neuron=model)})
    _like_brian2(network, backend, {}, ("cells.v",))


def _noise(backend: str) -> None:
    model = NeuronModel(
        equations="dv/dt = (-v + drive)/tau + noise*sqrt(2/tau)*xi : volt",
        threshold="v > 10*mV",
        reset="v = 0*mV",
        method="euler",
        parameters={"tau": "20 ms", "drive": "9 mV", "noise": "3 mV"},
    )
    network = Network(name="noise", populations={"cells": Population(size=50, neuron=model)})
    program = compile_network(network, backend, dt=STEP)
    first, again, other = (program.run({}, duration="1 s", seed=seed) for seed in (1, 1, 2))
    assert same_spikes(first, again), "the same seed gives other spikes"
    assert not same_spikes(first, other), "another seed gives the same spikes"
    rates = [run.times.size / 50 for run in (first, other)]
    reference = compile_network(network, "brian2", dt=STEP).run({}, duration="1 s", seed=3).times.size / 50
    # Counts of 50 neurons: at some 20 spikes a second each, three standard deviations are below 3 spikes.
    assert all(abs(rate - reference) < 3 for rate in rates), f"{rates} Hz, Brian2 {reference} Hz"
