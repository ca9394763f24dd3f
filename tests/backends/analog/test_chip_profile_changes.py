"""A profile with other numbers: by path, by group of roles, from a measured table; legal ranges in biological units."""

import numpy as np
import pandas as pd
import pytest

from snncompare.backends.analog.profiles.evidence import Stated
from snncompare.backends.analog.profiles.profile import ChipProfile
from snncompare.backends.analog.reading.roles import Role
from snncompare.errors import FileError, InputError


@pytest.fixture(scope="module")
def chip() -> ChipProfile:
    return ChipProfile.load("bss2_calibrated")


def test_changed_numbers_belong_to_the_user_and_all_others_stay(chip):
    other = chip.changed(**{"weights.bits": 4, "membrane_time_constant.cv": 0.2})
    assert (other.weights.top, other.parameters[Role.MEMBRANE_TIME_CONSTANT].cv.value) == (15, 0.2)
    assert other.weights.bits.evidence == other.parameters[Role.MEMBRANE_TIME_CONSTANT].cv.evidence == "user"
    assert other.weights.cv == chip.weights.cv
    assert other.parameters[Role.MEMBRANE_TIME_CONSTANT].low == chip.parameters[Role.MEMBRANE_TIME_CONSTANT].low
    assert other.version == "1.0+changed"
    assert chip.weights.top == 63


def test_changes_one_after_the_other_are_changes_at_once(chip):
    at_once = chip.changed(**{"weights.bits": 4, "noise.event_loss": 0.1})
    assert chip.changed(**{"noise.event_loss": 0.1}).changed(**{"weights.bits": 4}) == at_once
    assert chip.changed(**{"weights.bits": 4}) != at_once
    assert chip.changed() is chip


CONVERTER = {
    "readout.bits": 8,
    "readout.gain": 45,
    "readout.offset": 80,
    "weights.bits": 4,
    "threshold.target": "9 LSB",
}


@pytest.mark.parametrize("order", [1, -1], ids=["bits first", "bits last"])
def test_the_order_of_changes_does_not_matter(order):
    plain = ChipProfile.load("plain")
    made = plain.changed(**dict([*CONVERTER.items()][::order]))
    assert (made.readout.bits.value, made.readout.gain.value, made.readout.offset.value) == (8, 45, 80)
    assert made == plain.changed(**dict(sorted(CONVERTER.items(), reverse=True)))


@pytest.mark.parametrize("missing", ["readout.gain", "readout.offset"])
def test_what_is_still_missing_after_all_changes_is_refused(missing):
    with pytest.raises(InputError, match=r"readout.*a converter with bits needs gain"):
        ChipProfile.load("plain").changed(**{name: value for name, value in CONVERTER.items() if name != missing})


def test_both_names_of_a_role_mean_the_same(chip):
    assert chip.changed(**{"threshold.sd_fraction": 0.2}) == chip.changed(**{"parameters.threshold.sd_fraction": 0.2})


@pytest.mark.parametrize(
    ("group", "number", "roles"),
    [
        ("time_constants", "cv", {"membrane_time_constant", "synaptic_time_constant", "adaptation_time_constant"}),
        ("potentials", "sd_fraction", {"threshold", "leak", "reset"}),
    ],
)
def test_a_group_stands_for_its_roles(group, number, roles):
    other = ChipProfile.load("plain").changed(**{f"{group}.{number}": 0.3})
    assert {str(role) for role in other.parameters} == roles
    assert {getattr(there, number).value for there in other.parameters.values()} == {0.3}


@pytest.mark.parametrize(("bits", "levels"), [(2, 1), (3, 3), (6, 31), (8, 127)])
def test_bits_with_a_sign_bit_leave_half_the_levels_for_each_sign(bits, levels):
    weights = ChipProfile.load("plain").changed(**{"weights.bits": bits}).weights
    assert (weights.bottom, weights.top) == (-levels, levels)


def test_unsigned_weights_begin_at_zero(chip):
    weights = chip.changed(**{"weights.signed": False}).weights
    assert (weights.bottom, weights.top) == (0, 63)


def test_text_with_a_unit_switches_words_and_none_are_taken(chip):
    other = chip.changed(
        **{
            "noise.jitter": "60 ns",
            "weights.distribution": "log_normal",
            "neurons.mask_failed": False,
            "noise.rate_cap": None,
            "weights.scale": "50 LSB/threshold",
        }
    )
    assert other.biological(other.noise.jitter) == pytest.approx(60e-6)
    assert other.weights.distribution == "log_normal"
    assert not other.neurons.mask_failed
    assert other.noise.rate_cap is None
    assert other.weights.scale_of(2.0) == 25


def test_a_number_with_its_own_evidence_keeps_it(chip):
    mine = Stated(value=0.06, evidence="data", source="my chip, table 1")
    assert chip.changed(**{"weights.gain_cv": mine}).weights.gain_cv == mine


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        pytest.param({"weigths.bits": 4}, "did you mean 'weights'", id="section"),
        pytest.param({"weights.bit": 4}, "did you mean 'bits'", id="field"),
        pytest.param({"parameters.thresh.cv": 0.1}, "did you mean 'threshold'", id="role"),
        pytest.param({"weights.bits": 99}, "whole number from 1 to 24, got 99; nearest 24", id="bits"),
        pytest.param({"weights.bits": 1}, "at least 2", id="one bit and a sign"),
        pytest.param({"threshold.cv": 0.1}, "give sd_fraction", id="cv of a potential"),
        pytest.param({"weights.bits.value": 4}, "give 'weights.bits' itself", id="too deep"),
        pytest.param({"weights.levels": 5}, "bits or levels, not both", id="levels beside bits"),
        pytest.param({"noise.jitter": "5 mV"}, "a time such as 60 ns", id="jitter"),
        pytest.param({"noise.event_loss": 1.5}, "from 0 to 1, got 1.5; nearest 1", id="probability"),
        pytest.param({"readout.period.si": 1}, "give 'readout.period' itself", id="derived"),
        pytest.param({"saturation.current.x": 1}, "not in this profile", id="inside nothing"),
        pytest.param({"weights": 3}, "weights", id="section as a number"),
        pytest.param({"weights.cv": [1]}, "a number is needed", id="list"),
    ],
)
def test_changes_that_cannot_be_meant_are_refused_in_one_line(change, expected, chip):
    base = ChipProfile.load("plain") if change == {"weights.bits": 1} else chip
    with pytest.raises(InputError) as caught:
        base.changed(**change)
    assert expected in str(caught.value)
    assert "\n" not in str(caught.value)


def test_legal_ranges_are_biological(chip):
    assert chip.bounds("membrane_time_constant") == (pytest.approx(0.5e-3), pytest.approx(60e-3))  # x 1000
    slower = chip.changed(speedup=100)
    assert slower.bounds("membrane_time_constant") == (pytest.approx(0.05e-3), pytest.approx(6e-3))


def test_potentials_lie_on_the_axis_of_the_chip(chip):
    # leak at 80 LSB, threshold at 125 LSB: 1 mV per LSB for a threshold 45 mV above the leak
    low, high = chip.bounds("reset", leak=-65e-3, threshold=-20e-3)
    assert low == pytest.approx(-65e-3 + (50 - 80) * 1e-3)
    assert high == pytest.approx(-65e-3 + (160 - 80) * 1e-3)
    assert chip.bounds("reset") == (None, None)
    assert chip.bounds("threshold", leak=0.0, threshold=1.0)[1] == pytest.approx((220 - 80) / 45)


def test_unknown_roles_are_refused(chip):
    with pytest.raises(InputError, match="did you mean 'threshold'"):
        chip.parameter("treshold")


def table(**columns: object) -> pd.DataFrame:
    rows = {"population": ["cells"] * 3, "neuron": [2, 0, 1], "parameter": ["membrane_time_constant"] * 3}
    return pd.DataFrame(rows | columns)


def test_a_measured_table_is_kept_in_the_order_of_neurons(chip, tmp_path):
    measured = chip.with_measured(table(factor=[1.2, 0.9, 1.1]), source="my chip")
    there = measured.measured["cells"]["membrane_time_constant"]
    np.testing.assert_array_equal(there.values, [0.9, 1.1, 1.2])
    assert measured.fingerprint() != chip.fingerprint()
    assert measured.version == "1.0+changed" == measured.changed(**{"weights.bits": 4}).version
    assert chip.version == "1.0"
    path = tmp_path / "measured.csv"
    table(factor=[1.2, 0.9, 1.1]).to_csv(path, index=False)
    from_file = chip.with_measured(path)
    np.testing.assert_array_equal(from_file.measured["cells"]["membrane_time_constant"].values, there.values)
    assert from_file.measured["cells"]["membrane_time_constant"].source == "measured.csv"
    assert ChipProfile.load(from_file.save(tmp_path / "mine.yaml")) == from_file


def test_tables_of_several_parameters_add_up(chip):
    both = chip.with_measured(table(factor=[1.0, 1.0, 1.0])).with_measured(
        table(parameter=["threshold"] * 3, offset=[0.1, -0.1, 0.0])
    )
    assert set(both.measured["cells"]) == {"membrane_time_constant", "threshold"}
    np.testing.assert_array_equal(both.measured["cells"]["threshold"].values, [-0.1, 0.0, 0.1])


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        pytest.param(table(factor=[1.0, 0.0, 1.0]), "above zero, got 0", id="factor zero"),
        pytest.param(table(factor=[1.0, np.inf, 1.0]), "must be finite", id="infinite"),
        pytest.param(table(factor=[1.0, np.nan, 1.0]), "a factor or an offset, got neither", id="empty"),
        pytest.param(table(factor=1.0, offset=0.1), "got both", id="both"),
        pytest.param(table(offset=0.1), "an offset is of leak, reset, threshold only", id="offset of a time"),
        pytest.param(table(factor=1.0, neuron=[0, 1, 1]), "twice", id="neuron twice"),
        pytest.param(table(factor=1.0, neuron=[0, 1, 3]), "no row for neuron 2", id="neuron missing"),
        pytest.param(table(factor=1.0, neuron=[0, 1, 1.5]), "whole number", id="half a neuron"),
        pytest.param(table(factor=1.0, parameter=["tau"] * 3), "no parameter 'tau'", id="no role"),
        pytest.param(table(), "neither a column 'factor' nor 'offset'", id="no values"),
        pytest.param(table(factors=1.0), "did you mean 'factor'", id="misspelt column"),
        pytest.param(table(factor=1.0).drop(columns="neuron"), "no column 'neuron'", id="column missing"),
        pytest.param(table(factor=1.0).iloc[:0], "has no rows", id="no rows"),
        pytest.param([1, 2], "a path to a CSV file or a pandas.DataFrame, got list", id="list"),
    ],
)
def test_measured_tables_that_cannot_be_meant_are_refused(given, expected, chip):
    with pytest.raises(InputError) as caught:
        chip.with_measured(given)
    assert expected in str(caught.value)
    assert "\n" not in str(caught.value)


def test_measured_files_that_cannot_be_read_are_refused(chip, tmp_path):
    with pytest.raises(FileError, match="there is no measured table"):
        chip.with_measured(tmp_path / "none.csv")
    path = tmp_path / "binary.csv"
    path.write_bytes(b"\xff\xfe\x00population")
    with pytest.raises(FileError, match="cannot be read as CSV"):
        chip.with_measured(path)
    path.write_text("population,neuron\ncells,0\n", encoding="utf-8")
    with pytest.raises(FileError, match="no column 'parameter'"):
        chip.with_measured(path)
