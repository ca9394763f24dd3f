"""However the leak is written, a chip reads the same potentials and the same membrane time constant from it."""

import pytest

from snncompare.backends.analog.chip import deploy
from snncompare.backends.analog.limits.ranges import check_limits
from snncompare.backends.analog.profiles.profile import ChipProfile
from snncompare.backends.analog.reading.asked import asked_of, potentials_of
from snncompare.backends.analog.reading.roles import Role, roles_of
from snncompare.backends.realisation import realise
from snncompare.errors import InputError
from snncompare.network.network import Network
from snncompare.network.neuron import NeuronModel

LEAKS = [
    "g_L*(E_L - v) + I",
    "(E_L - v)*g_L + I",
    "-g_L*(v - E_L) + I",
    "-(v - E_L)*g_L + I",
    "I - g_L*(v - E_L)",
    "I - (v - E_L)*g_L",
    "I + g_L*(-v + E_L)",
    "I + (v - E_L)*(-g_L)",
]
LITERALS = [text.replace("E_L", "(-60*mV)") for text in LEAKS] + ["I - g_L*(v + 60*mV)", "g_L*(-v - 60*mV) + I"]
BSS2 = ChipProfile.load("bss2_calibrated")


def network(right, order=("C", "g_L", "E_L"), lines="", to="reset", **values):
    known = {
        "C": "200 pF", "g_L": "10 nS", "E_L": "-60 mV", "a": "100 nS", "R": "100 Mohm", "tau": "10 ms",
        "rate": "100 Hz", "theta": "-50 mV", "reset": "-55 mV",
    } | values  # fmt: skip
    model = NeuronModel(
        equations=f"dv/dt = {right} : volt{lines}",
        threshold="v > theta",
        reset=f"v = {to}",
        refractory="2 ms",
        parameters={name: known[name] for name in (*order, "theta", "reset")},
        inputs={"I": "volt/second" if right.startswith("I*") else "volt" if "tau" in right else "amp"},
    )
    return Network(populations={"cells": {"size": 2, "neuron": model}})


def check(given):
    check_limits(given, realise(given, 0), BSS2, 1e-4)


def test_the_leak_has_its_role_however_it_is_written():
    for leak in LEAKS:
        roles = roles_of(network(f"({leak})/C"), "cells")
        assert (roles["E_L"], roles["g_L"]) == (Role.LEAK, Role.OTHER), leak
    for driven in ("g_L*(v - E_L) + I", "I - g_L*(E_L - v)", "I - (E_L - v)*g_L", "-(E_L - v)*g_L + I"):
        assert roles_of(network(f"({driven})/C"), "cells")["E_L"] == Role.OTHER, driven


@pytest.mark.parametrize("texts", [LEAKS, LITERALS], ids=["names", "numbers"])
def test_every_spelling_gives_the_same_distance_and_time_constant(texts):
    for leak in texts:
        given = network(f"({leak})/C", order=("C", "g_L", *(["E_L"] if "E_L" in leak else [])))
        check(given)
        chip = deploy(given, BSS2)
        assert chip.distances["cells"] == pytest.approx([10e-3] * 2, rel=1e-9), leak
        assert chip.membrane_time_constants["cells"] == pytest.approx([20e-3] * 2, rel=1e-9), leak
        slow = network(f"({leak})/C", order=("C", "g_L", *(["E_L"] if "E_L" in leak else [])), C="800 pF")
        with pytest.raises(InputError, match="'C' is 80 ms"):
            check(slow)


@pytest.mark.parametrize("order", [("C", "g_L", "a", "E_L"), ("C", "a", "g_L", "E_L"), ("a", "E_L", "C", "g_L")])
def test_the_order_of_parameters_does_not_decide_which_conductance_is_the_leak(order):
    adapting = network(
        "(I_L - w + I)/C", order, "\nI_L = -g_L*(v - E_L) : amp\ndw/dt = (a*(v - E_L) - w)/(100*ms) : amp"
    )
    assert deploy(adapting, BSS2).membrane_time_constants["cells"] == pytest.approx([20e-3] * 2, rel=1e-9)
    both = network("(g_L*(E_L - v) + a*(E_L - v) + I)/C", order)
    assert deploy(both, BSS2).membrane_time_constants["cells"] == pytest.approx([200 / 110 * 1e-3] * 2, rel=1e-9)


def test_a_coupling_to_another_state_is_no_leak():
    coupled = network("(g_L*(E_L - v) + a*(u - v) + I)/C", ("C", "a", "g_L", "E_L"), "\ndu/dt = (v - u)/(50*ms) : volt")
    assert deploy(coupled, BSS2).membrane_time_constants["cells"] == pytest.approx([20e-3] * 2, rel=1e-9)


def test_a_capacitance_without_a_leak_conductance_is_said_not_to_be_checked():
    def said(right, chip=BSS2):
        return [s for s in deploy(network(right, ("C", "R", "g_L", "E_L")), chip).left_out if "not compared" in s]

    assert len(said("((E_L - v)/R + I)/C")) == 1
    assert "'C'" in said("((E_L - v)/R + I)/C")[0]
    assert not said("(g_L*(E_L - v) + I)/C")
    assert not said("((E_L - v)/R + I)/C", ChipProfile.load("plain"))  # has no range


@pytest.mark.parametrize(
    ("given", "low"),
    [
        pytest.param(network("I*1", (), theta="-50 mV", reset="-65 mV"), -65e-3, id="an integrator: its reset"),
        pytest.param(network("I*1", (), to="-65*mV"), -65e-3, id="a reset that is a number"),
        pytest.param(network("(-60*mV - v + I)/tau", ("tau",)), -60e-3, id="a leak that is a number"),
        pytest.param(network("-v/tau", ("tau",), theta="10 mV", reset="-1 mV"), 0.0, id="a decay without input"),
        pytest.param(network("(I - v)/tau", ("tau",), theta="10 mV", reset="-1 mV"), 0.0, id="a decay to zero"),
        pytest.param(
            network("(I - g_L*v)/C", ("C", "g_L"), theta="10 mV", reset="-1 mV"), 0.0, id="a conductance to zero"
        ),
    ],
)
def test_limits_and_devices_count_the_threshold_from_the_same_potential(given, low):
    check(given)
    leak, threshold = potentials_of(asked_of(given, "cells", realise(given, 0)))
    assert leak == pytest.approx(low, abs=1e-12)
    assert deploy(given, BSS2).distances["cells"] == pytest.approx([threshold - low] * 2, rel=1e-9)


def test_a_threshold_below_what_it_is_counted_from_is_refused():
    with pytest.raises(InputError, match="not above the leak -65 mV"):
        check(network("I*1", (), theta="-66 mV", reset="-65 mV"))
