"""Units that equations may name: those that Brian2 knows without being told, each with its dimension."""

from snncompare.units import Dimension, parse_unit

__all__ = ["UNITS"]

_PREFIXES = ("", "y", "z", "a", "f", "p", "n", "u", "m", "k", "M", "G", "T", "P", "E", "Z", "Y")
_PREFIXES_OF_LITRE = (*_PREFIXES, "c", "d", "h", "da")
_WITH_PREFIX = {name: name for name in (
    "amp", "ampere", "coulomb", "farad", "gram", "hertz", "joule", "meter", "metre", "mol", "molar", "mole", "newton",
    "ohm", "pascal", "second", "siemens", "volt", "watt",
)} | {
    "becquerel": "hertz", "candle": "candela", "gramme": "gram", "gray": "joule/kilogram", "henry": "volt*second/amp",
    "katal": "mole/second", "lumen": "candela", "lux": "candela/metre**2", "radian": "1", "sievert": "joule/kilogram",
    "steradian": "1", "tesla": "volt*second/metre**2", "weber": "volt*second",
}  # fmt: skip
_AS_THEY_ARE = (
    "Hz",
    "kHz",
    "MHz",
    "ms",
    "us",
    "mV",
    "mA",
    "uA",
    "nA",
    "pA",
    "pF",
    "uF",
    "nF",
    "nS",
    "uS",
    "mM",
    "uM",
    "nM",
)
_WITH_POWERS = {
    "kelvin": "kelvin",
    "kilogram": "kilogram",
    "kilogramme": "kilogram",
    "cm": "cm",
    "mm": "mm",
    "um": "um",
}


def _units() -> dict[str, Dimension]:
    raised = _WITH_POWERS | {f"{prefix}{name}": unit for prefix in _PREFIXES for name, unit in _WITH_PREFIX.items()}
    dimensions = {unit: parse_unit(unit)[1] for unit in set(raised.values())}
    found = {name: parse_unit(name)[1] for name in _AS_THEY_ARE}
    found |= {f"{prefix}{name}": (3, 0, 0, 0, 0, 0, 0) for prefix in _PREFIXES_OF_LITRE for name in ("liter", "litre")}
    for name, unit in raised.items():
        for suffix, power in (("", 1), ("2", 2), ("3", 3)):
            found[f"{name}{suffix}"] = tuple(power * exponent for exponent in dimensions[unit])  # type: ignore[assignment] # of the same length
    return found


UNITS = _units()
"""Name, prefix and power included, to dimension: ``mV``, ``nS``, ``cm2``, ``Mohm``."""
