"""The teacher's current and the cost, value by value, and what they refuse."""

import numpy as np
import pytest

from snncompare.errors import InputError
from snncompare.learning.bursts.teacher import Teacher


@pytest.mark.parametrize(
    ("rate", "low", "high"),
    [
        (0.0, 0.0, 1000.0), (3.0, 0.0, 1000.0), (3.5, -1000 / 6.5, 1000 / 1.5), (6.0, -250.0, 250.0),
        (8.5, -1000 / 1.5, 1000 / 6.5), (9.0, -1000.0, 0.0), (40.0, -1000.0, 0.0),
    ],
)  # fmt: skip
def test_current_is_that_of_the_authors_code(rate: float, low: float, high: float) -> None:
    """notes on the authors' code 4.4: -1000 pA/(10 - er) for target 0 and +1000 pA/(er - 2) for target 1 between 3 and 9 Hz."""
    rates, teacher = np.array([rate, 3.2]), Teacher()
    assert teacher.current(rates, 0)[0] * 1e12 == pytest.approx(low)
    assert teacher.current(rates, 1)[0] * 1e12 == pytest.approx(high)


def test_strength_and_rates_of_the_teacher_count() -> None:
    rates, usual = np.array([4.0, 6.0, 8.7]), Teacher()
    for other in (Teacher(strength="500 pA"), Teacher(low="1 Hz"), Teacher(high="12 Hz"), Teacher(tolerance="1.5 Hz")):
        differs = [not np.allclose(1e12 * other.current(rates, t), 1e12 * usual.current(rates, t)) for t in (0, 1)]
        assert any(differs), other


def test_cost_is_the_cross_entropy_of_the_scaled_rate() -> None:
    teacher = Teacher()
    assert teacher.cost(6.0, 1) == teacher.cost(6.0, 0) == pytest.approx(np.log(2))
    assert teacher.cost(10.0, 1) == teacher.cost(50.0, 1) == pytest.approx(-np.log(0.99))
    assert teacher.cost(2.0, 1) == teacher.cost(0.0, 1) == pytest.approx(-np.log(0.01))
    assert teacher.cost(4.0, 0) == pytest.approx(-np.log(0.75))
    assert teacher.threshold.value == 6.0


@pytest.mark.parametrize(
    "act",
    [
        lambda: Teacher(low="-1 Hz"),
        lambda: Teacher(low="10 Hz", high="2 Hz"),
        lambda: Teacher(tolerance="4 Hz"),
        lambda: Teacher(tolerance="0 Hz"),
        lambda: Teacher(strength="1 mV"),
        lambda: Teacher(strength="-1 pA"),
        lambda: Teacher().current(np.array([-1.0]), 1),
        lambda: Teacher().current(np.array([np.inf]), 1),
        lambda: Teacher().current(np.array([3.0]), 2),
    ],
    ids=["negative", "order", "wide", "none", "unit", "sign", "rate", "infinite", "target"],
)
def test_bad_teachers_are_refused(act: object) -> None:
    with pytest.raises(InputError):
        act()  # type: ignore[operator]
