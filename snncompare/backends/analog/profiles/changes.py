"""Another profile from a profile: numbers changed by path, marked as the user's."""

from collections.abc import Mapping
from typing import Any, TypeVar

from pydantic import BaseModel

from snncompare.backends.analog.profiles.abilities import Quantiser
from snncompare.backends.analog.profiles.evidence import Stated
from snncompare.backends.analog.profiles.sections import Parameter
from snncompare.backends.analog.reading.roles import Role
from snncompare.errors import InputError, unknown
from snncompare.values import Value

__all__ = ["apply_changes", "marked"]

P = TypeVar("P", bound=Value)
ROLES = tuple(str(role) for role in Role)
_SOURCE = "changed by the user"
_MARK = "+changed"


def apply_changes(profile: P, changes: Mapping[str, Any], groups: Mapping[str, tuple[str, ...]]) -> P:
    """Return a profile with some numbers changed, see `ChipProfile.changed`."""
    if not changes:
        return profile
    plain = {name: getattr(profile, name) for name in type(profile).model_fields}
    for path, given in changes.items():
        parts = path.split(".")
        heads = groups.get(parts[0], (parts[0],))
        for head in heads:
            full = ["parameters", head, *parts[1:]] if head in ROLES else [head, *parts[1:]]
            plain[full[0]] = _set(plain.get(full[0]), full, 0, given, type(profile), path)
    plain["version"] = marked(plain["version"])
    touched = {name: _unchecked(given) for name, given in plain.items() if given is not getattr(profile, name)}
    try:
        return type(profile)(**plain | touched)
    except InputError as error:
        raise InputError(f"changed({', '.join(map(repr, changes))}): {error}") from error


def marked(version: Any) -> Any:
    """Return the version of a profile, marked as one that the user changed."""
    return version if str(version).endswith(_MARK) else f"{version}{_MARK}"


def _set(there: Any, parts: list[str], depth: int, given: Any, owner: type[BaseModel], path: str) -> Any:
    """Return what stands at ``parts[depth]`` with the rest of the path set."""
    name, rest = parts[depth], parts[depth + 1 :]
    if depth == 0 and name not in owner.model_fields:
        raise InputError(f"changed: {unknown('section or role', name, _sections(owner))}")
    if not rest:
        return _number(given, there, path)
    following = parts[depth + 1]
    if isinstance(there, Mapping):
        if following not in there and name == "parameters" and following in ROLES:
            there = {**there, following: Parameter()}
        elif following not in there and name != "numbers":
            raise InputError(f"changed '{path}': {unknown('entry', following, [*there] or ROLES)}")
        return {**there, following: _set(there.get(following), parts, depth + 1, given, owner, path)}
    if not isinstance(there, Value):
        raise InputError(f"changed '{path}': '{name}' is {_words(there)}; give a path such as 'weights.bits'.")
    if isinstance(there, Stated):
        raise InputError(f"changed '{path}': '{name}' is a number; give '{'.'.join(parts[: depth + 1])}' itself.")
    fields = type(there).model_fields
    if following not in fields:
        raise InputError(f"changed '{path}': {unknown('number', following, fields)}")
    inner = {key: getattr(there, key) for key in fields}
    inner[following] = _set(inner[following], parts, depth + 1, given, owner, path)
    return type(there).model_construct(there.model_fields_set | {following}, **inner)


def _unchecked(there: Any) -> Any:
    """Return what was said of a section as plain dictionaries, which are checked together when the profile is made."""
    if isinstance(there, Mapping):
        return {name: _unchecked(inner) for name, inner in there.items()}
    if isinstance(there, Value) and not isinstance(there, Stated):
        return {name: _unchecked(getattr(there, name)) for name in there.model_fields_set}
    return there


def _sections(owner: type[BaseModel]) -> list[str]:
    return [name for name in owner.model_fields if name not in ("name", "version", "measured")] + list(ROLES)


def _words(there: Any) -> str:
    return "not in this profile" if there is None else f"{there!r:.40}"


def _number(given: Any, before: Any, path: str) -> Any:
    """Return what is given as a number of the user; text, switches and values of other kinds stay what they are."""
    if isinstance(given, Value | bool) or given is None:
        return given
    unit = before.unit if isinstance(before, Stated) else ""
    if isinstance(given, str):
        number, _, said = given.strip().partition(" ")
        try:
            return Stated(value=float(number), unit=said.strip(), evidence="user", source=_SOURCE)
        except ValueError as error:
            if isinstance(error, InputError):
                raise InputError(f"changed '{path}': {error}") from error
            return given  # a word: the name of a distribution, "largest"
    if isinstance(given, Mapping | Quantiser):
        return given
    try:
        return Stated(value=float(given), unit=unit, evidence="user", source=_SOURCE)
    except (TypeError, ValueError, OverflowError) as error:
        raise InputError(f"changed '{path}': a number is needed, got {given!r:.40}.") from error
