"""A quantity is read exactly, written back the same, and refused where it is not one."""

import math

import numpy as np
import pytest
import quantities as pq
from hypothesis import given
from hypothesis import strategies as st

from snncompare.errors import InputError, UnitError
from snncompare.units import FREQUENCY, NONE, TIME, Quantity, hertz, parse_unit, quantity, seconds

UNITS = ["", "s", "ms", "us", "µs", "Hz", "kHz", "mV", "nS", "pA", "nS/cm**2", "1/ms", "mV*ms", "Mohm", "uF/cm^2", "mM"]
numbers = st.floats(min_value=-1e9, max_value=1e9).filter(lambda x: x == 0 or abs(x) > 1e-9)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("20 ms", 0.02),
        ("20ms", 0.02),
        ("20 * ms", 0.02),
        ("0.1 ms", 1e-4),
        ("2e1 ms", 0.02),
        ("1.1e-3 s", 1.1e-3),
        ("3 µs", 3e-6),
        ("3 μs", 3e-6),
        ("-70 mV", -0.07),
        ("+.5 kHz", 500.0),
        ("20. ms", 0.02),
        ("12 1/ms", 12000.0),
        ("2 pascal", 2.0),
        ("2 Pa", 2.0),
        ("1 kg", 1.0),
    ],
)
def test_text_is_the_nearest_float_in_si_units(text, value):
    assert quantity(text).value == value


def test_milliseconds_are_the_decimal_and_not_a_product():
    assert all(seconds(f"{k} ms") == float(f"{k}e-3") for k in range(1, 1000))


def test_a_product_would_differ_so_the_check_above_can_fail():
    assert any(k * 0.001 != float(f"{k}e-3") for k in range(1, 200))


@given(numbers, st.sampled_from(UNITS))
def test_what_was_written_reads_back_equal(number, unit):
    read = quantity(f"{number!r} {unit}")
    for text in (str(read), read.canonical):
        assert quantity(text) == read
    assert quantity(read) is read
    assert hash(quantity(read.canonical)) == hash(read)


@given(numbers, st.tuples(*[st.integers(-12, 12)] * 7))
def test_a_quantity_without_text_of_its_own_reads_back_equal(number, dimension):
    made = Quantity(number, dimension)
    assert quantity(str(made)) == made


@given(numbers)
def test_equal_quantities_have_one_canonical_text(number):
    assert (
        quantity(f"{number!r} s").canonical
        == quantity(f"{number!r}e3 ms" if "e" not in repr(number) else f"{number!r} s").canonical
    )
    assert Quantity(0.0, TIME).canonical == Quantity(-0.0, TIME).canonical


@pytest.mark.parametrize(
    ("unit", "scale", "like"),
    [
        ("Mohm", 1e6, "ohm"),
        ("mM", 1.0, "mole/metre**3"),
        ("V", 1.0, "joule/coulomb"),
        ("S", 1.0, "1/ohm"),
        ("F*ohm", 1.0, "s"),
        ("cm", 1e-2, "m"),
        ("Hz", 1.0, "1/s"),
        ("ms**-2", 1e6, "s**-2"),
    ],
)
def test_prefixes_and_derived_units_agree_with_their_definitions(unit, scale, like):
    size, dimension = parse_unit(unit)
    base, expected = parse_unit(like)
    assert dimension == expected
    assert math.isclose(size / base, scale, rel_tol=1e-12)


def test_units_agree_with_brian2_wherever_both_know_them():
    brian2 = pytest.importorskip("brian2")
    from brian2.core.namespace import DEFAULT_UNITS

    checked = 0
    for name, unit in DEFAULT_UNITS.items():
        if name[-1] in "23":
            continue
        try:
            scale, dimension = parse_unit(name)
        except UnitError:
            continue
        theirs = brian2.Quantity(1.0 * unit)
        assert quantity(theirs).dimension == dimension, name
        assert math.isclose(scale, float(theirs), rel_tol=1e-12), name
        checked += 1
    assert checked > 150


def test_quantities_of_other_packages_are_read():
    brian2 = pytest.importorskip("brian2")
    assert quantity(20 * pq.ms) == quantity(20 * brian2.ms) == quantity("20 ms")
    assert quantity(5 / pq.s) == quantity(5 * brian2.Hz) == quantity("5 Hz")
    assert quantity(2 * pq.dimensionless) == quantity(2) == Quantity(2.0, NONE)
    assert quantity(np.float64(0.5)) == quantity(np.float32(0.5)) == quantity("0.5")
    assert str(quantity(np.float64(0.5))) == "0.5"
    assert quantity(-70 * brian2.mV).text == ""
    assert quantity(str(quantity(-70 * brian2.mV))) == quantity("-70 mV")


@pytest.mark.parametrize(
    "wrong",
    [
        "", " ", "ms", "20 mz", "20 ms ms", "20 m*", "20 /s", "20 m//s", "20 m***s", "20 ms;", "1,5 ms", "1 000 ms",
        "0x10 ms", "nan ms", "inf s", "1e400 s", "1e-400 s", "٢٠ ms", "２０ ms", "20 ｍs", "20 ms\x00", "20 (ms)",
        "20 __import__('os')", "20 ms.real", "20 m**100", "20 m**1.5", "20 Gm**99", "1 m**99*m**99",
        "1 fm**9*fm**9*fm**9", "1 " + "m*" * 1000 + "m", "1" * 10_000, "1" + " " * 50_000 + "x",
        True, None, b"20 ms", [1], (), {}, object(), 1j, float("nan"), float("inf"),
        np.array([1.0, 2.0]), [1.0, 2.0] * pq.ms, [1.0] * pq.ms, 20 * pq.degC,
    ],
    ids=range(46),
)  # fmt: skip
def test_what_is_not_a_quantity_is_refused_in_one_short_line(wrong):
    with pytest.raises(UnitError) as caught:
        quantity(wrong)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 400


def test_brian2_quantities_that_have_no_whole_dimension_or_are_arrays_are_refused():
    brian2 = pytest.importorskip("brian2")
    for wrong in ([1, 2] * brian2.ms, (2 * brian2.mV) ** 0.5):
        with pytest.raises(UnitError):
            quantity(wrong)


@given(st.text(max_size=30))
def test_any_text_is_a_finite_quantity_or_a_unit_error(text):
    try:
        read = quantity(text)
    except UnitError:
        return
    assert math.isfinite(read.value)
    assert quantity(str(read)) == read


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ("20 mV", "tau must be a time; '20 mV' is measured in volt. Write for example '20 ms'."),
        (20, "tau must be a time; '20' has no unit. Write for example '20 ms'."),
        ("20 Hz", "tau must be a time; '20 Hz' is measured in hertz. Write for example '20 ms'."),
        ("20 mss", "no unit 'mss'; did you mean 'ms'?"),
    ],
)
def test_a_wrong_dimension_is_named_with_what_to_write(wrong, says):
    with pytest.raises(UnitError) as caught:
        seconds(wrong, "tau")
    assert str(caught.value).startswith(says)


def test_frequencies_and_times_are_not_each_other():
    assert quantity("1 Hz").dimension == FREQUENCY
    assert hertz("1 1/ms") == 1000.0
    with pytest.raises(InputError, match="cost must be a frequency"):
        hertz("20 ms", "cost")
    with pytest.raises(ValueError, match="no unit"):
        hertz(100)
