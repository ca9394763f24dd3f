"""Burst-dependent plasticity on prescribed spikes: the numbers of the paper's figure 2 and of the authors' code."""

import numpy as np
import pytest

from snncompare.errors import InputError, UnitError
from snncompare.learning.bursts.pairing import burst_poisson_pairing, periodic_pairing, poisson_pairing
from snncompare.learning.bursts.rule import BurstRule

PERIODIC = {1.0: -0.2387, 58.3: -0.6150, 62.0: -0.6262, 63.5: 0.1502, 100.0: 0.2839}
"""Change of the weight; the authors' module ``simulate_periodicprotocol_adaptive_rule``, run with its own parameters."""

BEGUN = {"event_rate": "5 Hz", "burst_rate": "0.75 Hz"}


def _periodic(frequency: float, **rule: object) -> float:
    return BurstRule(**{**BEGUN, **rule}).course(*periodic_pairing(f"{frequency} Hz")).change  # type: ignore[arg-type]


@pytest.mark.parametrize(("frequency", "change"), PERIODIC.items(), ids=map(str, PERIODIC))
def test_periodic_pairs_change_the_weight_as_in_the_authors_code(frequency: float, change: float) -> None:
    # 1e-3: their trains lie on a grid of 0.1 ms, and the numbers are given to four digits
    assert _periodic(frequency) == pytest.approx(change, abs=1e-3)


@pytest.mark.parametrize(
    "changed",
    [{"tau_pre": "45 ms"}, {"tau_average": "10 s"}, {"rate": 0.11}, {"event_rate": "6 Hz"}, {"burst_rate": "1 Hz"},
     {"adaptive": False}],
    ids=lambda changed: next(iter(changed)),
)  # fmt: skip
def test_every_parameter_moves_the_periodic_curve(changed: dict[str, object]) -> None:
    assert max(abs(_periodic(f, **changed) - known) for f, known in PERIODIC.items()) > 5e-3


@pytest.mark.parametrize(("interval", "flip"), [("16 ms", 62.5), ("20 ms", 50.0)], ids=["16 ms", "20 ms"])
def test_sign_flips_where_the_pairing_interval_is_the_burst_interval(interval: str, flip: float) -> None:
    assert _periodic(flip - 0.01, interval=interval) < 0 < _periodic(flip + 0.01, interval=interval)


def test_average_is_read_before_the_event_is_counted() -> None:
    """With no history P is 1: the first event takes the whole eligibility away, the burst after it gives it back."""
    rule = BurstRule(rate=0.1)
    assert rule.course(np.array([0.1]), np.array([0.1])).weight == pytest.approx([-0.1])
    late = np.exp(-0.01 / 0.05)  # of the trace, at the second spike
    assert rule.course(np.array([0.1]), np.array([0.1, 0.11])).weight == pytest.approx([-0.1, -0.1 + 0.1 * late])


def test_third_spikes_and_presynaptic_bursts_change_nothing() -> None:
    rule, post = BurstRule(**BEGUN), np.array([0.1, 0.11])
    one, burst = np.array([0.1]), np.array([0.1, 0.105, 0.11])
    assert rule.course(one, post).change == rule.course(burst, post).change
    assert rule.course(one, post).change == rule.course(one, np.array([0.1, 0.11, 0.12])).change
    assert rule.course(one, post).change != rule.course(one, np.array([0.1, 0.13])).change


@pytest.mark.parametrize("frequency", [50.0, 100.0], ids=["falling", "rising"])
def test_weight_stays_within_its_bounds(frequency: float) -> None:
    trains = periodic_pairing(f"{frequency} Hz")
    free = BurstRule(**BEGUN, weight=0.5).course(*trains).weight
    held = BurstRule(**BEGUN, weight=0.5, bounds=(0.4, 0.6)).course(*trains).weight
    assert free.min() < 0.4 if frequency < 62.5 else free.max() > 0.6
    assert held.min() >= 0.4
    assert held.max() <= 0.6
    assert 0.4 in held or 0.6 in held


def _mean(rule: BurstRule, trains: list[tuple[np.ndarray, np.ndarray]]) -> float:
    return float(np.mean([rule.course(*each).change for each in trains]))


@pytest.mark.parametrize(("probability", "low", "high"), [(0.3, 17.0, 31.0), (0.5, 35.0, 52.0)], ids=["0.3", "0.5"])
def test_poisson_spikes_switch_from_depression_to_potentiation(probability: float, low: float, high: float) -> None:
    """Crossing at 23 to 25 and at 45 to 50 Hz (notes on the authors' code 4.1); by 20 draws known to a few hertz."""
    rule = BurstRule(event_rate="5 Hz", burst_rate=f"{5 * probability} Hz")
    at = [_mean(rule, [poisson_pairing(f"{rate} Hz", "100 s", k) for k in range(20)]) for rate in (12.0, low, high)]
    assert at[0] < 0
    assert at[1] < 0 < at[2]


def test_random_bursts_switch_sign_at_the_initial_average_whatever_the_event_rate() -> None:
    """Payeur et al. 2021, fig. 2d: crossing at 20 %, slope as the rate squared."""
    probabilities, slopes = np.array([0.0, 0.1, 0.3, 0.4]), []
    for rate in (5.0, 10.0):
        rule = BurstRule(event_rate=f"{rate} Hz", burst_rate=f"{0.2 * rate} Hz")
        change = [
            _mean(rule, [burst_poisson_pairing(f"{rate} Hz", p, "100 s", k) for k in range(40)]) for p in probabilities
        ]
        slope, offset = np.polyfit(probabilities, change, 1)
        assert -offset / slope == pytest.approx(0.2, abs=0.03)  # notes on the authors' code 8, test 4
        slopes.append(slope)
    assert slopes[1] / slopes[0] == pytest.approx(4.0, rel=0.15)  # 40 draws: 6 % on each slope
    other = BurstRule(event_rate="5 Hz", burst_rate="2 Hz")
    assert _mean(other, [burst_poisson_pairing("5 Hz", 0.3, "100 s", k) for k in range(40)]) < 0


def test_trains_have_the_rates_and_intervals_asked_for() -> None:
    pre, post = burst_poisson_pairing("8 Hz", 0.4, "400 s", 0)
    for train in (pre, post):
        gaps = np.diff(train)
        events = 1 + (gaps > 0.016).sum()
        assert events / 400 == pytest.approx(8.0, rel=0.05)  # 3200 events, more regular than Poisson
        assert (gaps <= 0.016).sum() / events == pytest.approx(0.4, abs=0.03)
        assert gaps.min() >= 0.002
        assert not ((gaps > 0.012) & (gaps < 0.02)).any()
    assert not np.array_equal(pre, post)
    plain = poisson_pairing("40 Hz", "100 s", 1)[0]
    assert plain.size == pytest.approx(4000, rel=0.05)
    assert np.diff(plain).min() >= 0.002


@pytest.mark.parametrize(
    "act",
    [
        lambda: periodic_pairing("0 Hz"),
        lambda: periodic_pairing("10 Hz", pairs=0),
        lambda: poisson_pairing("-1 Hz", "1 s", 0),
        lambda: poisson_pairing("600 Hz", "1 s", 0),
        lambda: burst_poisson_pairing("5 Hz", 1.2, "1 s", 0),
        lambda: burst_poisson_pairing("60 Hz", 0.1, "1 s", 0),
        lambda: burst_poisson_pairing("5 Hz", 0.1, "-1 s", 0),
        lambda: BurstRule(event_rate="-5 Hz"),
        lambda: BurstRule(tau_average="0 s"),
        lambda: BurstRule(rate=-0.1),
        lambda: BurstRule(weight=2.0, bounds=(0.0, 1.0)),
        lambda: BurstRule().course(np.array([0.2, 0.1]), np.array([0.1])),
        lambda: BurstRule().course(np.array([np.nan]), np.array([0.1])),
    ],
    ids=["frequency", "pairs", "rate", "refractory", "probability", "too fast", "duration", "average", "window", "eta",
         "bounds", "order", "NaN"],
)  # fmt: skip
def test_bad_values_are_refused(act: object) -> None:
    with pytest.raises(InputError):
        act()  # type: ignore[operator]


def test_rates_without_a_unit_are_refused() -> None:
    with pytest.raises(UnitError):
        periodic_pairing("10")
