"""Claims that an expression has a dimension, and what is said of one that does not hold: the line to type if known."""

import ast
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from snncompare.errors import DescriptionError, UnitError
from snncompare.network.dimensions import ANY, Exponents, Known, expression_dimension, is_in, number_hint, unit_text
from snncompare.network.equations import Definition, assignments
from snncompare.network.expressions import parsed
from snncompare.network.extent import names_read
from snncompare.units import NONE, Quantity, parse_unit

__all__ = ["Claim", "check_claims", "check_value", "claims_of_lines", "claims_of_statements", "dimension_of_line"]

_NOISE: Exponents = (0, 0, Fraction(-1, 2), 0, 0, 0, 0)
_KINDS: dict[Exponents, tuple[str, str]] = {parse_unit(unit)[1]: (kind, unit) for kind, unit in (
    ("a time", "ms"), ("a voltage", "mV"), ("a current", "pA"), ("a conductance", "nS"), ("a capacitance", "pF"),
    ("a resistance", "Mohm"), ("a rate", "Hz"), ("a number without unit", "1"), ("a voltage per time", "mV/ms"),
    ("a current per area", "uA/cm**2"), ("a conductance per area", "mS/cm**2"), ("a capacitance per area", "uF/cm**2"),
    ("an area", "um**2"), ("a length", "um"), ("a number per voltage", "1/mV"), ("a concentration", "mM"),
    ("a rate per voltage", "1/mV/ms"), ("a charge", "pC"), ("a current per time", "pA/ms"),
)}  # fmt: skip


@dataclass(frozen=True)
class Claim:
    """`subject` has `dimension`, so the expression that gives its value must have it (`ANY`: only fit together)."""

    place: str
    subject: str
    tree: ast.expr
    known: Known
    dimension: Exponents | None = ANY
    advice: str = ""


def dimension_of_line(line: Definition) -> Exponents:
    """Return the dimension of a variable; true-or-false and whole numbers have none."""
    return NONE if line.unit in ("boolean", "integer") else parse_unit(line.unit)[1]


def claims_of_lines(place: str, lines: Mapping[str, Definition], known: Known) -> Iterator[Claim]:
    """Yield what equations claim: each right-hand side has the unit of its variable, over second for a derivative."""
    for name, line in lines.items():
        if line.expression is None:
            continue
        tree, dimension = parsed(line.expression), dimension_of_line(line)
        if line.kind == "differential":
            noise = {read: _NOISE for read in names_read(tree) if read == "xi" or read.startswith("xi_")}
            rate = tuple(power - (k == 2) for k, power in enumerate(dimension))
            yield Claim(place, f"d{name}/dt", tree, known.changed(noise), rate)
        else:
            yield Claim(place, f"'{name}'", tree, known, dimension)


def claims_of_statements(place: str, text: str, known: Known) -> Iterator[Claim]:
    """Yield what statements claim: a variable keeps its unit. Like Brian2 we check ``v *= a + b`` as ``v * a + b``."""
    for name, operator, right in assignments(text):
        dimension, tree = known.dimensions.get(name, ANY), parsed(right)
        if operator in ("*", "/"):
            yield Claim(place, f"what '{name}' is changed by with '{operator}='", tree, known, NONE)
        else:
            yield Claim(place, f"'{name}'", tree, known, dimension)
        if operator:
            advice = f"; put brackets around what stands behind '{name} {operator}='"
            try:
                as_read = parsed(f"{name} {operator} {right}")
            except DescriptionError as error:
                raise DescriptionError(f"{place}: {str(error).removesuffix('.')}{advice}.") from error
            yield Claim(place, f"'{name}'", as_read, known, dimension, advice)


def check_claims(claims: Sequence[Claim], parameters: Mapping[str, Quantity]) -> None:
    """Refuse what does not hold; `parameters` are those whose values could be meant with another unit.

    Raises
    ------
    UnitError
    DescriptionError
        For a name that does not exist at this place.
    """
    for claim in claims:
        try:
            problem = _problem(claim)
        except DescriptionError as error:
            raise DescriptionError(f"{claim.place}: {error}") from error
        if problem is not None:
            raise UnitError(f"{claim.place}: {problem}{claim.advice or _advice(claim, claims, parameters)}.")


def _problem(claim: Claim) -> str | None:
    try:
        found = expression_dimension(claim.tree, claim.known)
    except UnitError as error:
        return str(error)
    if claim.dimension is ANY or found is ANY or found == claim.dimension:
        return None
    text = ast.unparse(claim.tree)
    shown = text if len(text) <= 60 else f"{text[:57]}..."
    return (
        f"{claim.subject} must {_be_in(claim.dimension)}, but '{shown}' {is_in(found)}"
        f"{number_hint(claim.tree, claim.dimension)}"
    )


def _be_in(dimension: Exponents) -> str:
    return "have no unit" if dimension == NONE else f"be in {unit_text(dimension)}"


def _advice(wrong: Claim, claims: Sequence[Claim], parameters: Mapping[str, Quantity]) -> str:
    """Return which parameter was meant with which unit, if only one unit of one parameter makes all claims hold."""
    read = sorted(names_read(wrong.tree) & parameters.keys())
    bare = [name for name in read if parameters[name].dimension == NONE]
    fits = [(name, dimension) for name in bare or read for dimension in _that_fit(name, claims, wrong)]
    if len(fits) == 1:
        name, dimension = fits[0]
        typed = f"write for example '{_typed(name, parameters[name], dimension)}'"
        if bare:
            return f": '{name}' has no unit, got '{parameters[name]}'; {typed}"
        return f"; if '{name}' was meant as {_KINDS[dimension][0]}, {typed} instead of '{parameters[name]}'"
    if bare:
        said = "has no unit" if len(bare) == 1 else "have no unit; give each its own, as in 'tau: 20 ms'"
        return f"; {', '.join(map(repr, bare[:3]))} {said}"
    return ""


def _that_fit(name: str, claims: Sequence[Claim], wrong: Claim) -> Iterator[Exponents]:
    concerned = [claim for claim in claims if claim is wrong or name in names_read(claim.tree)]
    for dimension in _KINDS:
        changed = [replace(claim, known=claim.known.changed({name: dimension})) for claim in concerned]
        if all(_problem(claim) is None for claim in changed):
            yield dimension


def _typed(name: str, given: Quantity, dimension: Exponents) -> str:
    number = re.match(r"[-+]?[0-9.]+(?:[eE][-+]?[0-9]+)?", str(given))
    unit = _KINDS[dimension][1] if dimension in _KINDS else unit_text(dimension)
    return f"{name}: {number[0] if number else '1'} {unit}".removesuffix(" 1")


def check_value(place: str, name: str, given: Quantity, dimension: Exponents) -> None:
    """Refuse the value of a variable or a bound that is measured in another unit.

    Raises
    ------
    UnitError
    """
    if given.dimension != dimension:
        raise UnitError(
            f"{place}: '{name}' must {_be_in(dimension)}, but '{given}' {is_in(given.dimension)}; "
            f"write for example '{_typed(name, given, dimension)}'."
        )
