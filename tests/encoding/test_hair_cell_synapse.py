"""Hair cells rectify and cannot follow high frequencies; their synapses adapt with the time constants asked for."""

import numpy as np
import pytest

from snncompare.encoding.auditory.fibres import FibreType, Refractoriness
from snncompare.encoding.auditory.hair_cell import HairCell
from snncompare.encoding.auditory.single_precision import LANES
from snncompare.encoding.auditory.synapse import Synapse
from snncompare.errors import InputError

RATE = 100_000.0


def responded(cell, motion):
    """Return the potential of the last of the cells that are computed together; the others are not moved."""
    together = np.zeros((motion.size, LANES), dtype=np.float32)
    together[:, -1] = motion
    cell.respond(together.ravel(), RATE)
    assert (together[:, :-1] == 0).all()
    return together[:, -1].astype(np.float64)


def potential(cell, frequency, pascal, n=10_000):
    return responded(cell, pascal * np.sin(2 * np.pi * frequency * np.arange(n) / RATE))[n // 2 :]


def ac_to_dc(cell, frequency):
    response = potential(cell, frequency, 2e-3)
    return np.ptp(response) / 2 / response.mean()


class TestHairCell:
    def test_silence_is_rest_and_a_steady_displacement_fades(self):
        assert (responded(HairCell(), np.zeros(100)) == 0).all()
        steady = responded(HairCell(), np.full(5000, 1e-3))
        assert steady.max() > 0.3
        assert abs(steady[-1]) < 1e-3

    def test_opening_outweighs_closing(self):
        response = potential(HairCell(cutoff="40 kHz"), 500.0, 2e-3)
        # Russell & Sellick (1978) J Physiol 284:261-290: depolarisation about three times hyperpolarisation, or more.
        assert response.max() > 3 * -response.min()
        symmetric = potential(HairCell(cutoff="40 kHz", u0=1e-3, u1=1e-3, s1=1e3), 500.0, 1e-4)
        assert symmetric.max() < 1.2 * -symmetric.min()

    def test_the_response_to_high_frequencies_is_steady(self):
        """Palmer & Russell (1986), Fig. 9: AC over DC above 1 at 1 kHz, below 0.3 at 4 kHz, in guinea pig."""
        cell = HairCell(cutoff="1.5 kHz")
        assert ac_to_dc(cell, 500.0) > 1.0
        assert ac_to_dc(cell, 4000.0) < 0.3
        assert ac_to_dc(HairCell(cutoff="40 kHz"), 4000.0) > 1.0

    @pytest.mark.parametrize(
        "change",
        [
            {"displacement": 8e4},
            {"coupling_time_constant": "0.2 ms"},
            {"u0": 30.0},
            {"s0": 40.0},
            {"u1": 30.0},
            {"s1": 20.0},
            {"cutoff": "1 kHz"},
            {"order": 2},
        ],
        ids=str,
    )
    def test_every_parameter_matters(self, change):
        before, after = (potential(cell, 1000.0, 1e-3) for cell in (HairCell(), HairCell(**change)))
        assert np.abs(after - before).max() > 0.02


def step_response(synapse, limit):
    """Return rates and amplitudes of the two exponentials after a step to the reference, and the steady release."""
    k, local, world, immediate, reserve = synapse.constants(limit)
    open_ = (synapse.onset_ratio - 1) * k
    # d/dt (C_I, C_L) = A (C_I, C_L) + b, solved by eigenvectors instead of the algebra of the module.
    a = np.array([[-(open_ + local) / immediate, local / immediate], [local / reserve, -(local + world) / reserve]])
    steady = np.linalg.solve(a, [0.0, -world / reserve])
    values, vectors = np.linalg.eig(a)
    parts = np.linalg.solve(vectors, np.ones(2) - steady)
    order = np.argsort(values)
    return -1 / values[order], open_ * (vectors[0] * parts)[order], open_ * steady[0]


class TestSynapse:
    @pytest.mark.parametrize(
        "synapse",
        [Synapse(), Synapse(rapid="2 ms", short_term="80 ms"), Synapse(onset_ratio=8.0, rapid_to_short_term=6.0)],
        ids=["default", "other times", "other amplitudes"],
    )
    def test_a_step_adapts_as_asked(self, synapse):
        times, amplitudes, steady = step_response(synapse, 300.0)
        assert times == pytest.approx([synapse.rapid.value, synapse.short_term.value], rel=1e-9)
        assert amplitudes[0] / amplitudes[1] == pytest.approx(synapse.rapid_to_short_term, rel=1e-9)
        assert (steady + amplitudes.sum()) / steady == pytest.approx(synapse.onset_ratio, rel=1e-9)

    def test_supply_limits_the_steady_release(self):
        k, local, world, *_ = Synapse().constants(300.0)
        assert 1 / (1 / local + 1 / world) == pytest.approx(k) == 300.0

    def test_the_drive_at_rest_sustains_the_release_at_rest(self):
        synapse = Synapse()
        rest = synapse.drive_at_rest(np.array([0.0, 5.0, 100.0]), 300.0) ** synapse.exponent
        assert 300.0 * rest / (1 + rest) == pytest.approx([0.0, 5.0, 100.0])
        with pytest.raises(InputError, match="at rest"):
            synapse.drive_at_rest(np.array([300.0]), 300.0)

    @pytest.mark.parametrize(
        "wrong",
        [
            {"rapid": "80 ms"},
            {"onset_ratio": 1.0},
            {"rapid_to_short_term": 0.0},
            {"exponent": 0.0},
            {"short_term": "-1 ms"},
        ],
        ids=str,
    )
    def test_parameters_that_no_stores_have_are_refused(self, wrong):
        with pytest.raises(InputError, match=next(iter(wrong))):
            Synapse(**wrong)


class TestRefractoriness:
    def test_without_recovery_the_dead_time_formula_holds(self):
        dead = Refractoriness(absolute="2 ms", fast="1 ns", slow="1 ns")
        # Rate of spikes r / (1 + r t): 100 spikes/s come from 125 releases/s.
        assert dead.undisturbed([0.0, 100.0]) == pytest.approx([0.0, 125.0], rel=1e-3)

    def test_recovery_asks_for_more_release(self):
        assert Refractoriness().undisturbed(100.0) > 1.2 * Refractoriness(slow="1 ms").undisturbed(100.0)

    def test_rates_beyond_the_dead_time_are_refused(self):
        with pytest.raises(InputError, match="beyond what refractoriness allows"):
            Refractoriness().undisturbed(2000.0)


@pytest.mark.parametrize(
    "wrong",
    [
        {"lowest_rate": "50 Hz"},
        {"highest_rate": "300 Hz"},
        {"threshold": -0.1},
        {"half_activation": 0.0},
        {"saturated_rate": "0 Hz"},
    ],
    ids=str,
)
def test_fibres_that_cannot_be_are_refused(wrong):
    right = {"lowest_rate": "1 Hz", "highest_rate": "20 Hz", "saturated_rate": "200 Hz"}
    right |= {"threshold": 0.0, "half_activation": 0.1}
    with pytest.raises(InputError, match=next(iter(wrong))):
        FibreType(**(right | wrong))
