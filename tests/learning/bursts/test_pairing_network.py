"""The rule as a synapse of a network is the rule on prescribed spikes, on every backend that goes on where it stood."""

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

from snncompare.backends.registry import compile as compiled
from snncompare.circuits.bursts.plasticity import burst_plasticity_network, pairing_network
from snncompare.errors import InputError
from snncompare.learning.bursts.pairing import Trains, burst_poisson_pairing
from snncompare.learning.bursts.rule import BurstRule
from snncompare.recording.recording import Recording

BACKENDS = ("brian2", "torch", "fused")
LENGTH, PIECES, PAIRS = 3.0, 3, 3
DT = 1e-3


def _trains() -> list[Trains]:
    """Return bursting trains on the grid of time steps."""
    found = []
    for k in range(PAIRS):
        trains = burst_poisson_pairing(f"{8 + 4 * k} Hz", 0.4, f"{LENGTH - 0.01} s", k)
        found.append(tuple(np.unique(np.round(train / DT)) * DT for train in trains))
    return found  # type: ignore[return-value]


def _recording(trains: list[NDArray[np.float64]], begin: float) -> Recording:
    end = begin + LENGTH / PIECES
    parts = [np.clip(train[(train > begin - DT / 2) & (train < end - DT / 2)] - begin, 0, None) for train in trains]
    units = pd.DataFrame(index=[str(k) for k in range(len(parts))])
    return Recording.from_arrays(
        times=np.concatenate(parts),
        unit=np.repeat(units.index, [part.size for part in parts]),
        trial=np.repeat("0", sum(part.size for part in parts)),
        units=units,
        trials=pd.DataFrame({"start": [0.0], "stop": [end - begin]}, index=["0"]),
        provenance={},
    )


def _weights(backend: str, **options: object) -> NDArray[np.float64]:
    """Return the weights after every piece of a run, (piece, pair)."""
    pre, post = zip(*_trains(), strict=True)
    simulation, rows = compiled(pairing_network(PAIRS, **options), backend, dt="1 ms").simulation(), []  # type: ignore[arg-type]
    for piece in range(PIECES):
        begin = piece * LENGTH / PIECES
        inputs = {"sender": _recording(list(pre), begin), "forced": _recording(list(post), begin)}
        simulation.advance(f"{LENGTH / PIECES} s", inputs)
        rows.append(simulation.get("synapses", "weight"))
    return np.array(rows)


def _exact(**changed: object) -> NDArray[np.float64]:
    """Return what the rule says: a spike is carried out one step later, and averages decay in the first step already."""
    begun = float(np.exp(-DT / 15))
    first = {"event_rate": f"{5 * begun!r} Hz", "burst_rate": f"{0.75 * begun!r} Hz", "weight": 5.0}
    rule = BurstRule(**{**first, **changed})  # type: ignore[arg-type]
    edges = LENGTH / PIECES * np.arange(1, PIECES + 1) - DT / 2
    found = []
    for pre, post in _trains():
        course = rule.course(pre + DT, post + DT)
        found.append(np.concatenate([[5.0], course.weight])[np.searchsorted(course.time, edges)])
    return np.array(found).T


@pytest.mark.parametrize("backend", BACKENDS)
def test_weights_of_a_network_are_those_of_the_rule(backend: str) -> None:
    found = _weights(backend)
    # 1e-9: time constants of steps against one exponential; weights change by tenths
    assert np.abs(found - _exact()).max() < 1e-9
    assert np.abs(np.diff(found, axis=0)).min() > 1e-3
    assert np.abs(found - _exact(tau_pre="49 ms")).max() > 1e-4
    assert np.abs(found - _exact(interval="9 ms")).max() > 1e-2


def test_brian2_and_torch_have_the_same_weights_to_the_last_bit() -> None:
    assert np.array_equal(_weights("brian2"), _weights("torch"))


def test_parameters_of_the_pairing_network_count() -> None:
    usual = _weights("torch")
    for changed in ({"rate": 0.2}, {"tau_pre": "20 ms"}, {"tau_average": "1 s"}, {"bursts_average": 40.0}):
        assert np.abs(_weights("torch", **changed) - usual).max() > 1e-4, changed
    assert _weights("torch", largest=5.01).max() <= 5.01


@pytest.mark.parametrize("options", [{"rate": -1.0}, {"weight": 2.0}, {"weight": -0.1}, {"in_degree": 2000.0}], ids=str)
def test_bad_networks_are_refused(options: dict[str, float]) -> None:
    with pytest.raises(InputError):
        burst_plasticity_network(100, **options)  # type: ignore[arg-type]
