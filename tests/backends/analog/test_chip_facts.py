"""The shipped profiles say what their sources say: sizes, ranges and imperfections of published chips."""

import numpy as np
import pytest

from snncompare.backends.analog.frozen.drawing import distribution
from snncompare.backends.analog.profiles.profile import ChipProfile
from snncompare.backends.analog.profiles.sections import TIMES
from snncompare.backends.analog.reading.roles import Role

US = 1e-6


@pytest.fixture(scope="module")
def calibrated() -> ChipProfile:
    return ChipProfile.load("bss2_calibrated")


@pytest.fixture(scope="module")
def uncalibrated() -> ChipProfile:
    return ChipProfile.load("bss2_uncalibrated")


def ratios(calibrated: ChipProfile, uncalibrated: ChipProfile) -> dict[str, float]:
    """Return the spread after calibration over the spread before, by role."""
    found = {}
    for role in ("leak", "reset", "threshold"):
        found[role] = calibrated.parameters[role].sd_fraction.value / uncalibrated.parameters[role].sd_fraction.value
    for role in ("membrane_time_constant", "synaptic_time_constant"):
        found[role] = calibrated.parameters[role].cv.value / uncalibrated.parameters[role].cv.value
    return found


# calix/tests/hw/py/test_neuron_distribution.py: what calibration must reach on hardware
ASSERTED = {
    "leak": 0.30,
    "reset": 0.20,
    "threshold": 0.35,
    "membrane_time_constant": 0.45,
    "synaptic_time_constant": 0.20,
}


def test_calibration_narrows_the_spread_at_least_as_calix_asserts(calibrated, uncalibrated):
    found = ratios(calibrated, uncalibrated)
    assert found.keys() == ASSERTED.keys()
    for role, limit in ASSERTED.items():
        assert 0 < found[role] < limit, role


@pytest.mark.parametrize("role", sorted(ASSERTED))
def test_a_calibration_that_is_too_poor_would_be_seen(role, calibrated, uncalibrated):
    name = "sd_fraction" if role in ("leak", "reset", "threshold") else "cv"
    spread = getattr(uncalibrated.parameters[role], name).value
    poor = calibrated.changed(**{f"{role}.{name}": 0.5 * spread})  # above all limits
    assert ratios(poor, uncalibrated)[role] >= ASSERTED[role]


@pytest.mark.parametrize("name", ["bss2_calibrated", "bss2_uncalibrated", "bss2_delgrad"])
def test_the_chip_of_brainscales_has_its_size_and_speed(name):
    chip = ChipProfile.load(name)
    assert chip.speedup.value == 1000
    assert (chip.weights.bottom, chip.weights.top, chip.weights.sign_by) == (-63, 63, "row_pair")
    resources = chip.resources
    assert (resources.neurons.value, resources.synapses_per_neuron.value) == (512, 256)
    assert resources.signed_rows
    assert resources.mergeable
    assert resources.power_of_two


# calix/src/py/calix/spiking/neuron.py check_target: hardware microseconds, CADC LSB
@pytest.mark.parametrize("name", ["bss2_calibrated", "bss2_uncalibrated"])
@pytest.mark.parametrize(
    ("role", "low", "target", "high", "unit"),
    [
        ("membrane_time_constant", 0.5, 10, 60, "us"),
        ("synaptic_time_constant", 0.3, 10, 30, "us"),
        ("refractory", 0.04, 2, 32, "us"),
        ("leak", 50, 80, 160, "LSB"),
        ("reset", 50, 70, 160, "LSB"),
        ("threshold", 50, 125, 220, "LSB"),
    ],
)
def test_targets_of_the_calibration_have_the_ranges_of_calix(name, role, low, target, high, unit):
    there = ChipProfile.load(name).parameters[Role(role)]
    assert (there.low.value, there.target.value, there.high.value) == (low, target, high)
    assert {there.low.unit, there.target.unit, there.high.unit} == {unit}
    assert there.low.evidence == there.high.evidence == "code"


def test_the_yin_yang_noise_is_that_of_the_released_configuration(calibrated):
    # fastAndDeep experiment_configs/yin_yang_hwAware.yaml: threshold 2.6, rounding 1/30, clip 2.1, noise 0.13, 0.08, 0.04
    chip, threshold = ChipProfile.load("bss2_delgrad"), 2.6
    there = chip.parameters[Role.THRESHOLD]
    assert chip.weights.scale_of(threshold) == pytest.approx(30, rel=1e-12)
    assert chip.weights.top / chip.weights.scale_of(threshold) == pytest.approx(2.1, rel=1e-12)
    rounded = 1e-5  # the profile has six digits
    assert there.mean_fraction.value * threshold == pytest.approx(0.13, rel=rounded)
    assert there.sd_fraction.value * threshold == pytest.approx(0.08, rel=rounded)
    assert there.per_run.value * threshold == pytest.approx(0.04, rel=rounded)
    assert (chip.noise.jitter.value, chip.noise.jitter.unit) == (0.01, "tau_syn")
    assert chip.parameters[Role.THRESHOLD].per_trial.value == 0
    coarse = calibrated.parameters[Role.THRESHOLD]  # three digits
    assert (coarse.mean_fraction.value, coarse.sd_fraction.value, coarse.per_run.value) == (0.05, 0.031, 0.015)


def test_without_a_threshold_the_scale_of_delgrad_is_open():
    chip = ChipProfile.load("bss2_delgrad")
    assert chip.weights.scale_of(None) is None
    assert chip.weights.scale_of(1.0) == 78
    assert chip.weights.scale_of(10e-3) == pytest.approx(7800)


def test_the_converter_of_brainscales(calibrated, uncalibrated):
    read = calibrated.readout
    assert (read.bits.value, read.low.value, read.high.value, read.gain.value, read.offset.value) == (
        8,
        30,
        210,
        45,
        80,
    )
    assert read.period.si == pytest.approx(1.7 * US)
    assert calibrated.biological(read.period) == pytest.approx(1.7e-3)
    assert (read.noise_lsb.value, read.offset_lsb.value) == (2, 3)
    assert (uncalibrated.readout.noise_lsb.value, uncalibrated.readout.offset_lsb.value) == (3, 20)


@pytest.mark.parametrize(
    ("name", "tau_mem", "tau_syn", "gain", "threshold", "dead"),
    [
        ("ideal", 0, 0, 0, 0, 0),
        ("bss2_calibrated", 0.07, 0.05, 0.10, 0.031, 0.005),
        ("bss2_uncalibrated", 0.20, 0.30, 0.25, 0.10, 0.02),
        ("dynapse", 0.12, 0.12, 0.28, 0.10, 0.01),
    ],
)
def test_imperfections_are_those_of_table_a8(name, tau_mem, tau_syn, gain, threshold, dead):
    chip = ChipProfile.load(name)
    assert chip.parameter("membrane_time_constant").cv.value == tau_mem
    assert chip.parameter("synaptic_time_constant").cv.value == tau_syn
    assert chip.weights.gain_cv.value == gain
    assert chip.parameter("threshold").sd_fraction.value == threshold
    assert chip.neurons.dead_fraction.value == dead


def test_the_spread_that_nobody_published_is_marked_as_assumed(calibrated, uncalibrated):
    # No absolute CV of time constants or efficacies on BrainScaleS-2 was found in any source
    for chip in (calibrated, uncalibrated):
        for role in ("membrane_time_constant", "synaptic_time_constant"):
            assert chip.parameters[Role(role)].cv.evidence == "assumption"
        assert chip.weights.gain_cv.evidence == "assumption"
    measured = ChipProfile.load("dynapse")
    assert measured.parameters[Role.MEMBRANE_TIME_CONSTANT].cv.evidence == "data"
    assert measured.weights.gain_cv.evidence == "data"


def test_limits_and_other_quantities_taken_as_a_size_are_assumptions_that_say_so(calibrated, uncalibrated):
    for chip in (calibrated, uncalibrated):
        for number in (chip.readout.offset_lsb, chip.parameters[Role.REFRACTORY].cv):
            assert (number.evidence, "Upper limit, taken as the value" in number.source) == ("assumption", True)
        events = chip.noise.rate_cap.events
        assert (events.evidence, "Other quantity, taken as the value" in events.source) == ("assumption", True)
        assert chip.readout.bits.evidence == "code"  # control: what was read in code stays so
    tail = ChipProfile.load("dynapse").parameters[Role.MEMBRANE_TIME_CONSTANT].tail
    assert tail.fraction.evidence == tail.ratio.evidence == "assumption"


def robust_cv(factor: np.ndarray) -> float:
    low, middle, high = np.quantile(factor, [0.25, 0.5, 0.75])
    return float((high - low) / 1.349 / middle)


def test_time_constants_of_the_dynapse_have_the_measured_cv_and_robust_cv():
    # A4 [data]: CV 0.12, robust CV (IQR/1.349/median) 0.07: tails are heavier than those of a log-normal distribution
    there = ChipProfile.load("dynapse").parameters[Role.MEMBRANE_TIME_CONSTANT]
    u = (np.arange(100_000) + 0.5) / 100_000  # quantiles instead of draws
    factor = distribution(there.distribution, there.cv.value, there.tail).factor(u)
    assert factor.std() / factor.mean() == pytest.approx(0.12, rel=2e-3)  # the grid cuts the tails off
    assert robust_cv(factor) == pytest.approx(0.07, abs=5e-4)  # two digits are published
    assert factor.min() > 0
    assert robust_cv(distribution("log_normal", 0.12, None).factor(u)) > 0.11


def test_the_dynapse_has_four_cores_of_256_neurons_with_64_synapses():
    chip = ChipProfile.load("dynapse")
    assert chip.resources.neurons.value / chip.resources.cores.value == 256
    assert (chip.resources.synapses_per_neuron.value, chip.weights.top, chip.weights.bottom) == (64, 15, -15)
    assert chip.readout.spikes_only


def test_the_digital_chips_have_the_integers_of_their_emulators():
    loihi, xylo, speck = (ChipProfile.load(name) for name in ("loihi", "xylo", "speck"))
    dt = 1e-3
    assert (loihi.weights.bottom, loihi.weights.top) == (-128, 127)  # -256 to 254 in steps of 2
    assert loihi.bounds("membrane_time_constant", dt=dt) == (pytest.approx(1e-3), pytest.approx(4.096))
    assert loihi.bounds("refractory", dt=dt) == (pytest.approx(1e-3), pytest.approx(64e-3))
    assert loihi.biological(loihi.delays.high, dt) == pytest.approx(62e-3)
    assert loihi.quantisers["membrane_time_constant"].numbers["levels"].value == 4096
    # Loihi's mantissa has 17 bit, thresholds of Xylo and Speck are signed 16-bit integers
    for chip, levels in ((loihi, 2**17 - 1), (xylo, 2**15 - 1), (speck, 2**15 - 1)):
        there = chip.quantisers[Role.THRESHOLD].numbers["levels"]
        assert (there.value, there.evidence) == (levels, "code"), chip.name
    assert (xylo.weights.bottom, xylo.weights.top) == (-127, 127)
    there = xylo.resources
    sizes = (there.inputs.value, there.hidden.value, there.outputs.value, there.synapses_per_neuron.value)
    assert sizes == (16, 1000, 8, 63)
    assert (speck.weights.top, speck.resources.cores.value) == (127, 9)


@pytest.mark.parametrize("name", ["ideal", "plain"])
def test_profiles_without_a_chip_change_nothing(name):
    chip = ChipProfile.load(name)
    assert chip.parameters == {}
    assert chip.weights.top is None
    assert all(chip.bounds(role, leak=0.0, threshold=1.0) == (None, None) for role in Role)
    assert chip.resources.neurons is None


def test_times_are_the_roles_that_are_measured_in_time():
    assert {str(role) for role in TIMES} == {
        "membrane_time_constant",
        "synaptic_time_constant",
        "adaptation_time_constant",
        "refractory",
        "other_time",
    }
