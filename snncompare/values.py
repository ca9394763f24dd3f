"""Frozen, validated values: the base of every description and configuration, and the wording of their refusals."""

import hashlib
import json
import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields
from enum import Enum
from functools import lru_cache
from numbers import Integral, Real
from types import UnionType
from typing import Any, NoReturn, Self, Union, get_args, get_origin, get_type_hints

from pydantic import BaseModel, ConfigDict, SerializerFunctionWrapHandler, ValidationError, model_serializer

from snncompare.errors import DescriptionError, InputError, SnncompareError, one_line, unknown
from snncompare.units import CANONICAL, Quantity

__all__ = ["FrozenDict", "Value", "check_arguments", "check_fields"]


class FrozenDict(dict[str, Any]):
    """A dictionary that cannot be changed after it was made, so that a description stays what it was."""

    def _refuse(self, *_given: object, **_named: object) -> NoReturn:
        raise TypeError("a description is frozen; make a new one with model_copy(update=...).")

    __setitem__ = __delitem__ = __ior__ = _refuse
    update = pop = popitem = clear = setdefault = _refuse

    def __reduce__(self) -> tuple[Any, ...]:
        return FrozenDict, (dict(self),)


class Value(BaseModel):
    """A frozen value: checked when made, equal if its fields are equal, hashable, written as YAML or JSON."""

    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True)

    def __init__(self, **fields: Any) -> None:
        try:
            super().__init__(**fields)
        except ValidationError as error:
            raise DescriptionError(f"{type(self).__name__}: {_sentence(error, type(self))}") from error

    # Tells pydantic that values inside values need not pass through the constructor above, which words the refusals.
    __init__.__pydantic_base_init__ = True  # type: ignore[attr-defined]

    @model_serializer(mode="wrap")
    def _with_type(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Write the name of the class wherever a reader needs it to choose between several."""
        written: dict[str, Any] = handler(self)
        return {"type": type(self).__name__} | written if "type" in type(self).model_fields else written

    def model_post_init(self, _context: Any, /) -> None:
        """Freeze the dictionaries among the fields."""
        for name, given in self.__dict__.items():
            if isinstance(given, dict) and not isinstance(given, FrozenDict):
                self.__dict__[name] = FrozenDict(given)

    def __hash__(self) -> int:
        return hash(self.fingerprint())

    def fingerprint(self) -> str:
        """Return the SHA-256 of the canonical JSON text: the same for equal values, in any process."""
        fields = self.model_dump(mode="json", context=CANONICAL)
        plain = json.dumps(fields, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(plain.encode()).hexdigest()

    def plain(self) -> dict[str, Any]:
        """Return the value as dictionaries, lists, texts and numbers, fields at their default left out."""
        return self.model_dump(mode="json", exclude_defaults=True)

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """Return a copy with some fields changed, checked like any new value."""
        if not update:
            return super().model_copy(deep=deep)
        return type(self)(**({name: getattr(self, name) for name in type(self).model_fields} | dict(update)))

    @classmethod
    def parse(cls, given: Any, where: str) -> Self:
        """Return the value that plain data, as read from YAML, describes.

        Parameters
        ----------
        given : mapping
            The plain data.
        where : str
            What the data came from; every refusal begins with it.

        Raises
        ------
        DescriptionError
            One line that names the place, what stands there and what may stand there.
        """
        try:
            return cls.model_validate(given)
        except ValidationError as error:
            raise DescriptionError(f"{where}: {_sentence(error, cls)}") from error
        except ValueError as error:  # a number of thousands of digits, half of a character
            raise DescriptionError(f"{where}: holds a number or a text that cannot be written out.") from error


def check_fields(value: Any) -> None:
    """Refuse a dataclass with a field that is not what its annotation says.

    Numbers must be finite; True is no number and 1.0 no whole number. Text must not be empty; where it is asked for, a
    quantity will do.

    Raises
    ------
    InputError
        With what the field must be.
    """
    kind: Any = type(value)
    for field in fields(value):
        _check(f"{field.name} of {kind.__name__}", getattr(value, field.name), _annotations(kind)[field.name])


def check_arguments(function: Callable[..., Any], given: Mapping[str, Any]) -> None:
    """Refuse arguments that are not what the annotations of a function say, see `check_fields`.

    Parameters
    ----------
    function : callable
    given : mapping
        Name to argument, ``locals()`` at its beginning.

    Raises
    ------
    InputError
    """
    for name, annotation in _annotations(function).items():
        if name in given:
            _check(name, given[name], annotation)


def _check(what: str, given: object, annotation: Any) -> None:
    if not _is_a(given, annotation):
        call = f"; write {given.__name__}(...)" if isinstance(given, type) and _is_a_class(given, annotation) else ""
        raise InputError(f"{what} must be {_named(annotation)}, got {one_line(repr(given), 80)}{call}.")


@lru_cache(maxsize=256)
def _annotations(of: Any) -> dict[str, Any]:
    return get_type_hints(of)


def _is_a(given: object, annotation: Any) -> bool:
    """Return whether something is what an annotation says; what is not looked into is believed."""
    origin, parts = get_origin(annotation), get_args(annotation)
    if origin in (Union, UnionType):
        return any(_is_a(given, part) for part in parts)
    if origin is tuple:
        if not isinstance(given, tuple):
            return False
        kinds = parts[:1] * len(given) if Ellipsis in parts else parts
        return len(given) == len(kinds) and all(map(_is_a, given, kinds))
    kind = annotation if origin is None else origin
    if kind is Sequence and isinstance(given, Sequence):
        return not isinstance(given, str) and all(_is_a(one, parts[0]) for one in given)
    if kind is str:
        return isinstance(given, Quantity) or (isinstance(given, str) and given != "")
    if kind in (int, float):
        number = isinstance(given, Integral if kind is int else Real) and not isinstance(given, bool)
        return number and math.isfinite(given)  # type: ignore[arg-type]
    return kind is Any or not isinstance(kind, type) or isinstance(given, kind)


def _is_a_class(given: type, annotation: Any) -> bool:
    kinds = get_args(annotation) or (annotation,)
    return any(isinstance(kind, type) and issubclass(given, kind) for kind in kinds)


def _named(annotation: Any) -> str:
    """Return what an annotation allows, in words."""
    origin, parts = get_origin(annotation), get_args(annotation)
    if origin in (Union, UnionType):
        return " or ".join(_named(part) for part in parts)
    if origin is tuple:
        inside = _named(parts[0]) if Ellipsis in parts else ", ".join(_named(part) for part in parts)
        return f"a tuple ({inside}{', ...' if Ellipsis in parts else ''})"
    if origin is Sequence:
        return f"a list of {_named(parts[0])}"
    if origin is Callable:
        return "a function"
    plain = {int: "a whole number", float: "a finite number", bool: "True or False", str: "text", type(None): "None"}
    if annotation in plain:
        return plain[annotation]
    if isinstance(annotation, type) and issubclass(annotation, Enum):
        return " or ".join(f"{annotation.__name__}.{member.name}" for member in annotation)
    return str(getattr(annotation, "__name__", annotation))


def _sentence(error: ValidationError, kind: type[BaseModel]) -> str:
    """Return the first complaint of pydantic as one line in our own words."""
    first = error.errors(include_url=False)[0]
    path = first["loc"]
    others = f" ({error.error_count() - 1} more to follow)" if error.error_count() > 1 else ""
    place = _place(path, kind)
    at = f"'{place}': " if place else ""
    context, given = first.get("ctx", {}), first["input"]
    match first["type"]:
        case "extra_forbidden":
            inside = _place(path[:-1], kind)
            at = f"'{inside}': " if inside else ""
            said = unknown("key", str(path[-1]), _fields_at(kind, path[:-1]))
        case "missing":
            said = "is missing."
            at = f"'{place}' "
        case "union_tag_not_found":
            said = f"needs the key 'type': {_options(kind, path)}."
        case "union_tag_invalid":
            said = unknown("type", context["tag"], re.findall(r"'(\w+)'", context["expected_tags"]))
        case "literal_error" if isinstance(given, str) and "'" in context["expected"]:
            said = unknown(str(path[-1]), given, re.findall(r"'([^']*)'", context["expected"]))
        case "value_error" if isinstance(context.get("error"), SnncompareError):
            said = str(context["error"])
        case "model_type" | "model_attributes_type" | "dict_type":
            said = f"expected keys and values, got {_short(given)}{_keys_of(context.get('class_name'), kind, path)}."
        case "string_type" if path and path[-1] == "[key]":
            inside = _place(path[:-2], kind)
            at = f"'{inside}': " if inside else ""
            said = f"the key {_short(given)} should be a valid string; put it in quotes."
        case _:
            said = f"{_plain_words(first['msg'])}, got {_short(given)}."
    return one_line(at + said + others)


def _plain_words(message: str) -> str:
    """Return a message of pydantic as part of a sentence in the words of a YAML file; quoted words stay."""
    text = message.removeprefix("Input ").removeprefix("Value error, ")
    for said, ours in ((" after validation", ""), (", got a number with a fractional part", "")):
        text = text.replace(said, ours)
    for said, ours in (("tuple", "list"), ("dictionary", "mapping")):
        text = re.sub(rf"(?<!')\b{said}\b(?!')", ours, text, flags=re.IGNORECASE)
    return text[:1].lower() + text[1:]


def _keys_of(name: str | None, kind: type[BaseModel], path: tuple[int | str, ...]) -> str:
    """Return what to give at `path` where pydantic asks for an instance of the class of this name."""
    named = [model for model in _models_at(kind, path) if path and model.__name__ == name]
    return f"; give a mapping with the keys {', '.join(map(repr, named[0].model_fields))}" if named else ""


def _place(path: tuple[int | str, ...], kind: type[BaseModel]) -> str:
    """Return where a complaint belongs as the user wrote it: without the class names that pydantic puts between."""
    words = [str(part) for k, part in enumerate(path) if k == 0 or not _is_tag(path[:k], str(part), kind)]
    return ".".join(words)


def _is_tag(outer: tuple[int | str, ...], part: str, kind: type[BaseModel]) -> bool:
    if part.startswith(("tagged-union[", "function-")):
        return True
    return any(part in (_tag(model), model.__name__) for model in _models_at(kind, outer))


def _options(kind: type[BaseModel], path: tuple[int | str, ...]) -> str:
    return " or ".join(f"'{_tag(model)}'" for model in _models_at(kind, path))


def _short(given: object) -> str:
    try:
        text = repr(given)
    except ValueError:
        return "a number of thousands of digits"
    return text if len(text) <= 60 else text[:57] + "..."


def _fields_at(kind: type[BaseModel], path: tuple[int | str, ...]) -> list[str]:
    """Return the fields of the model that stands at `path` inside `kind`, for naming the nearest one."""
    return sorted({name for model in _models_at(kind, path) for name in model.model_fields})


def _models_at(kind: type[BaseModel], path: tuple[int | str, ...]) -> list[type[BaseModel]]:
    """Return the classes of which a value at `path` inside `kind` may be."""
    models: list[type[BaseModel]] = [kind]
    for part in path:
        inner: list[type[BaseModel]] = []
        for model in models:
            field = model.model_fields.get(str(part))
            inner += _models_in(field.annotation) if field is not None else []
            if part in (model.__name__, _tag(model)):
                inner.append(model)
        models = inner or models
    return models


def _tag(model: type[BaseModel]) -> str:
    tag = model.model_fields.get("type")
    return str(tag.default) if tag is not None else ""


def _models_in(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [model for part in getattr(annotation, "__args__", ()) for model in _models_in(part)]
