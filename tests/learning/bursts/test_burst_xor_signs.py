"""The XOR network of Payeur et al. (2021): rates before learning, and the sign of what hidden layers are taught."""

import pytest

from snncompare.circuits.bursts.xor import burst_xor_network
from snncompare.learning.bursts.teaching import learn_in_two_phases
from snncompare.learning.bursts.two_phases import XOR, TwoPhases

BEFORE = {"in1": (1.96, 8.44), "hid1": (2.73, 4.34), "hid2": (2.80, 4.32), "out": (3.78, 4.81)}
"""Event rates with the patterns (0, 0) and (1, 0), hertz: notes on the authors' code 4.4."""


@pytest.mark.slow
def test_rates_before_learning_and_signs_of_the_teaching_signal() -> None:
    protocol = TwoPhases(
        prediction="1.6 s", teaching="0.4 s", burn_in="2 s", test="3 s", settle="1 s", tau_average="1 s",
        examples=XOR[:2],
    )  # fmt: skip
    network = burst_xor_network(tau_average="1 s")
    course = learn_in_two_phases(network, protocol, epochs=1, seed=3, progress=lambda _: None)
    for population, rates in BEFORE.items():
        for example, rate in zip(XOR[:2], rates, strict=True):
            found = course.before.loc[(example.name, population), "event_rate"]
            assert found == pytest.approx(rate, rel=0.08)  # 5 % of notes on the authors' code 6, and 2 s instead of 20
    for (_, row), target in zip(course.history.iterrows(), (0, 1), strict=True):
        change = {name: row[f"{name} taught"] - row[f"{name} burst_probability"] for name in ("out", "hid1", "hid2")}
        sign = 1 if target else -1
        assert sign * change["out"] > 0.05
        assert sign * change["hid1"] > 0.02
        assert sign * change["hid2"] < -0.02
