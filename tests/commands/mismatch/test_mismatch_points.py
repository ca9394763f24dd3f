import pytest
import yaml

from snncompare.backends.analog.profiles.profile import ChipProfile
from snncompare.commands.mismatch.points import PARAMETER_CLASSES, Point, profile_at
from snncompare.errors import InputError

TIMES = ("membrane_time_constant", "synaptic_time_constant", "adaptation_time_constant")


@pytest.fixture(scope="module")
def plain():
    return ChipProfile.load("plain")


def sizes(profile):
    times = {profile.parameter(role).cv.value for role in TIMES}
    return {
        "weights": profile.weights.cv.value,
        "time_constants": times.pop() if len(times) == 1 else None,
        "thresholds": profile.parameter("threshold").sd_fraction.value,
    }


@pytest.mark.parametrize("which", PARAMETER_CLASSES)
def test_a_point_changes_the_class_that_it_names_and_no_other(plain, which):
    found = sizes(profile_at(plain, Point(sigma=0.2, parameters=which)))
    assert found == {name: 0.2 if which in (name, "all") else 0.0 for name in found}


def test_a_point_that_says_nothing_is_the_profile_itself(plain):
    assert profile_at(plain, Point()) is plain
    assert profile_at(plain, Point(bits=3)).weights.top == 3  # 3 bits with a sign: -3 to 3
    assert plain.weights.top is None
    calibrated = ChipProfile.load("bss2_calibrated")
    point = profile_at(calibrated, Point(sigma=0.4, parameters="weights"))
    assert sizes(point)["thresholds"] == sizes(calibrated)["thresholds"] > 0  # what is not named stays


def test_sizes_and_bits_that_cannot_be_are_refused():
    for wrong in ({"sigma": -0.1}, {"sigma": float("nan")}, {"bits": 0}, {"bits": 2.5}, {"parameters": "wieghts"}):
        with pytest.raises(InputError):
            Point.parse(wrong, "point")


def test_points_are_told_apart_in_words():
    assert Point(sigma=0.1, parameters="time_constants").words == "mismatch 0.1 of time constants"
    assert Point(sigma=0.1, bits=4).words == "mismatch 0.1 of all, 4 bits"
    assert Point().words == "as the profile says"


def test_numbers_without_a_point_are_numbers_and_text_is_not():
    assert Point.parse(yaml.safe_load("sigma: 1e-3"), "point").sigma == 1e-3  # text in YAML 1.1
    assert Point.parse({"sigma": 1}, "point").sigma == 1.0
    for wrong in (True, "0.3", "1e-3 V", "nan", "e3"):
        with pytest.raises(InputError, match="should be a valid number"):
            Point.parse({"sigma": wrong}, "point")
