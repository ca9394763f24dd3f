"""Named checks that any backend must pass, ours and third parties'.

Use them in a test::

    @pytest.mark.parametrize("check", conformance_checks(), ids=lambda check: check.name)
    def test_backend_conforms(check):
        check.run("my_backend")
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from snncompare.backends.registry import compile as compile_network
from snncompare.errors import InputError
from snncompare.network.network import Network
from snncompare.recording.recording import Recording
from snncompare.testing.networks import driven_neuron, poisson_input, pulse_input, recurrent_network, relay

__all__ = ["Check", "conformance_checks", "same_spikes"]

DT = 5e-4
STEP = "0.5 ms"


@dataclass(frozen=True)
class Check:
    """A claim about backends, and the function that raises AssertionError where a backend does not fulfil it."""

    name: str
    run: Callable[[str], None]


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
