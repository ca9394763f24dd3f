"""Hair cell and bushy cell of the Heidelberg cochlea: closed forms and published classes."""

from dataclasses import replace
from math import exp

import numpy as np
import pytest

from snncompare.encoding.auditory.heidelberg_bushy_cell import PoolingBushyCell
from snncompare.encoding.auditory.heidelberg_hair_cell import MeddisHairCell
from snncompare.errors import InputError

DT = 1 / 24_000
CELL = MeddisHairCell()
BUSHY = PoolingBushyCell()


def constant(velocity: float, seconds: float = 1.0) -> np.ndarray:
    return np.full(round(seconds / DT), velocity, dtype=np.float32)


def steady(cell: MeddisHairCell, velocity: float) -> float:
    """Return c of Meddis 1986 for a constant stimulus: where what is lost equals what is replenished."""
    k = cell.release * (velocity + cell.offset) / (velocity + cell.offset + cell.half_permeability)
    return cell.most * cell.replenishment * k / (cell.loss * k + cell.replenishment * (cell.loss + cell.reuptake))


def test_pools_at_rest_stay_at_rest() -> None:
    probabilities = CELL.probabilities(constant(0.0, 0.05), DT)
    np.testing.assert_allclose(probabilities, CELL.gain * steady(CELL, 0.0) * DT, rtol=1e-9)  # rounding
    assert CELL.spontaneous_rate == pytest.approx(64.77, abs=0.01)  # 50000 * 5.05 * 32.8 / (2500 * 32.8 + 5.05 * 9080)


@pytest.mark.parametrize("velocity", [-4.0, 3.0, 50.0, 1000.0])
def test_rate_settles_where_loss_equals_replenishment(velocity: float) -> None:
    rate = CELL.probabilities(constant(velocity, 3.0), DT)[-1] / DT
    assert rate == pytest.approx(CELL.gain * steady(CELL, velocity), rel=1e-6)  # three seconds of 1 / y = 0.2 s


def test_channels_close_when_the_membrane_moves_away() -> None:
    assert CELL.probabilities(constant(-5.0, 0.05), DT)[-1] == pytest.approx(0.0, abs=1e-12)


def test_onset_exceeds_the_steady_rate_and_adapts_within_tens_of_milliseconds() -> None:
    """Westerman & Smith 1984 (Hear Res 15:249): rapid (1-10 ms) and short-term (tens of ms) adaptation of the nerve."""
    rate = CELL.probabilities(np.concatenate([constant(0.0, 0.01), constant(200.0, 0.3)]), DT)[240:] / DT
    peak = int(rate.argmax())
    assert peak * DT < 2e-3
    assert rate[peak] > 3 * rate[-1] > 3 * CELL.spontaneous_rate
    excess = rate - rate[-1]
    assert 1e-3 < np.argmax(excess[peak:] < excess[peak] / np.e) * DT < 10e-3
    late = excess[round(0.03 / DT) : round(0.09 / DT)]
    assert 10e-3 < -DT / np.polyfit(np.arange(late.size), np.log(late), 1)[0] < 100e-3
    slow = replace(CELL, reprocessing=6.63)
    other = slow.probabilities(np.concatenate([constant(0.0, 0.01), constant(200.0, 0.3)]), DT)[240:] / DT
    assert abs(other[-1] - rate[-1]) > 1.0  # ten times slower reprocessing has not settled after 0.3 s


def test_spontaneous_rates_fall_into_the_published_classes() -> None:
    """Tables I and II of Meddis, Hewitt & Shackleton 1990 are the high and medium fibres of Liberman 1978 (J Acoust Soc
    Am 63:442: high above 18, medium 0.5 to 18 spikes/s)."""
    medium = replace(CELL, offset=10.0, half_permeability=3000.0, release=1000.0)
    assert CELL.spontaneous_rate > 18.0 > medium.spontaneous_rate > 0.5


def test_a_time_step_that_the_cleft_cannot_follow_is_refused() -> None:
    with pytest.raises(InputError, match="4540 Hz, got 4000 Hz"):
        CELL.probabilities(constant(0.0), 1 / 4000)
    CELL.probabilities(constant(0.0), 1 / 5000)


@pytest.mark.parametrize(
    "name",
    ["replenishment", "release", "loss", "reuptake", "reprocessing", "offset", "half_permeability", "gain", "most"],
)
def test_every_parameter_of_the_hair_cell_matters(name: str) -> None:
    push = np.concatenate([constant(0.0, 0.01), constant(100.0, 0.02)])
    changed = replace(CELL, **{name: getattr(CELL, name) * 1.1})
    assert not np.allclose(CELL.probabilities(push, DT), changed.probabilities(push, DT), rtol=1e-3)
    with pytest.raises(InputError, match=name):
        replace(CELL, **{name: 0.0})


@pytest.mark.parametrize("p", [0.003, 0.2, 1.0])
def test_fibres_fire_as_renewal_processes_with_a_dead_time(p: float) -> None:
    """A fibre that is free fires in a step with p: mean interval (refractory - 1) + 1 / p steps."""
    refractory, n_steps = 24, 200_000
    counts = BUSHY.fibre_spikes(np.full(n_steps, p), DT, np.random.default_rng(0))
    mean_interval = refractory - 1 + 1 / p
    expected = BUSHY.n_fibres * n_steps / mean_interval
    deviation = np.sqrt(BUSHY.n_fibres * n_steps * (1 - p) / p**2 / mean_interval**3)  # of a renewal count
    assert abs(counts.sum() - expected) < 4 * deviation + BUSHY.n_fibres  # 4 standard deviations and the ends
    without = replace(BUSHY, fibre_refractory=f"{DT} s").fibre_spikes(np.full(n_steps, p), DT, np.random.default_rng(0))
    assert without.sum() > counts.sum() + 4 * deviation


def test_no_more_fibres_fire_within_a_refractory_period_than_there_are() -> None:
    counts = BUSHY.fibre_spikes(np.full(5000, 0.9), DT, np.random.default_rng(1))
    assert np.convolve(counts, np.ones(24), "valid").max() <= BUSHY.n_fibres
    free = replace(BUSHY, fibre_refractory=f"{DT} s").fibre_spikes(np.full(5000, 0.9), DT, np.random.default_rng(1))
    assert np.convolve(free, np.ones(24), "valid").max() > BUSHY.n_fibres


def test_counts_in_a_step_are_binomial() -> None:
    probabilities = np.zeros(60 * 4000)
    probabilities[::60] = 0.3  # far enough apart for all fibres to be free again
    counts = BUSHY.fibre_spikes(probabilities, DT, np.random.default_rng(2))[::60]
    assert counts.mean() == pytest.approx(12.0, abs=4 * np.sqrt(8.4 / 4000))  # N p, standard error of N p (1 - p)
    assert counts.var() == pytest.approx(8.4, rel=4 * np.sqrt(2 / 4000))  # a Poisson number would have 12


def test_potential_is_the_convolution_with_both_exponentials_up_to_the_first_spike() -> None:
    counts = np.random.default_rng(3).binomial(40, 0.02, size=400)
    potential, current = 0.0, 0.0
    trace = []
    for n in counts:
        current = current * exp(-DT / 0.5e-3) + n
        potential = potential * exp(-DT / 1e-3) + 13e3 / 40 * DT * current
        trace.append(potential)
    above = np.flatnonzero(np.array(trace) >= 1.0)
    assert above[0] > 5
    assert BUSHY.steps(counts, DT)[0] == above[0]
    assert replace(BUSHY, weight=6e3).steps(counts, DT).size < BUSHY.steps(counts, DT).size


def test_cell_is_silent_for_its_refractory_period() -> None:
    strong = np.full(3000, 40)
    intervals = np.diff(BUSHY.steps(strong, DT))
    assert intervals.min() == 25  # a step for the reset, 24 of refractoriness, and fires at once
    assert np.diff(replace(BUSHY, refractory="0.5 ms").steps(strong, DT)).min() == 13
    assert BUSHY.steps(np.zeros(3000, dtype=np.int64), DT).size == 0


@pytest.mark.parametrize("name", ["n_fibres", "weight", "membrane", "synapse", "refractory", "fibre_refractory"])
def test_every_parameter_of_the_bushy_cell_matters(name: str) -> None:
    value = getattr(BUSHY, name)
    changed = replace(BUSHY, **{name: f"{2 * value.value} s" if hasattr(value, "value") else 2 * value})
    quiet = name == "n_fibres"  # more fibres of the same weight in all: less noise, which only weak drive needs
    drive = np.full(96_000, 0.004 if quiet else 0.008)
    rates = [cell.spikes(drive, DT, np.random.default_rng(0)).size for cell in (BUSHY, changed)]
    assert abs(rates[0] - rates[1]) > 4 * np.sqrt(rates[0])
    with pytest.raises(InputError):
        replace(BUSHY, **{name: 0})
