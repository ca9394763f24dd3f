"""Phases of dendritic drive: what each sets, what it records, and what is refused."""

import numpy as np
import pytest

from snncompare.backends.registry import compile as compiled
from snncompare.circuits.bursts.plasticity import burst_plasticity_network
from snncompare.errors import InputError
from snncompare.learning.bursts.burst_control import PUBLISHED_PHASES, DendriticPhase, control_bursts, phase_summary


@pytest.mark.slow
def test_dendritic_drive_sets_burst_probability_and_through_it_the_weights() -> None:
    """The published phases at a quarter of the size, with a larger rate: only signs can be told in a few seconds."""
    program = compiled(burst_plasticity_network(250, weight=0.32, in_degree=50.0, rate=0.05), "fused", dt="0.1 ms")
    phases = [
        DendriticPhase(duration="10 s", plastic=False),
        DendriticPhase(duration="5 s", post=2.0),
        DendriticPhase(duration="5 s", post=0.3),
        DendriticPhase(duration="5 s", pre="80 pA", plastic=False),
    ]
    table = control_bursts(program, phases, tau_average="5 s", step="1 s")
    found = phase_summary(table, last=5)
    assert (table.loc[table["phase"] == 0, "change"] == 0).all()  # plasticity is shut
    probability = found["receiver burst_probability"]
    assert probability[1] > probability[0] > probability[2]
    assert found["change"][1] > 0 > found["change"][2]
    assert found["sender burst_probability"][3] > 1.5 * found["sender burst_probability"][0]
    assert found["change"][3] == 0
    assert table["time"].to_numpy() == pytest.approx(np.arange(1, 26))


def test_phases_of_the_paper() -> None:
    assert [phase.post for phase in PUBLISHED_PHASES] == [1, 1, 1.5, 1, 0.55, 1, 1]
    assert [phase.plastic for phase in PUBLISHED_PHASES] == [False] + [True] * 6
    assert PUBLISHED_PHASES[-1].pre == "40 pA"


@pytest.mark.parametrize(
    "act",
    [
        lambda: DendriticPhase(duration="0 s"),
        lambda: DendriticPhase(post=-1.0),
        lambda: DendriticPhase(pre="1 mV"),
        lambda: control_bursts(None, [DendriticPhase(duration="4 s")]),  # type: ignore[arg-type]
        lambda: control_bursts(None, [DendriticPhase(duration="10.5 s")]),  # type: ignore[arg-type]
    ],
    ids=["duration", "factor", "unit", "window", "step"],
)
def test_bad_phases_are_refused(act: object) -> None:
    with pytest.raises(InputError):
        act()  # type: ignore[operator]


def test_a_window_longer_than_the_run_is_named() -> None:
    with pytest.raises(InputError, match=r"averaging window.*longer than the run of 4 s"):
        control_bursts(None, [DendriticPhase(duration="4 s")], tau_average="5 s")  # type: ignore[arg-type]
