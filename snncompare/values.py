"""Frozen, validated values: the base of every description and configuration, and the wording of their refusals."""

import hashlib
import json
from typing import Any, NoReturn, Self

from pydantic import BaseModel, ConfigDict, SerializerFunctionWrapHandler, ValidationError, model_serializer

from snncompare.errors import DescriptionError, SnncompareError, unknown

__all__ = ["FrozenDict", "Value"]


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
        plain = json.dumps(self.model_dump(mode="json"), sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(plain.encode()).hexdigest()

    def plain(self) -> dict[str, Any]:
        """Return the value as dictionaries, lists, texts and numbers, fields at their default left out."""
        return self.model_dump(mode="json", exclude_defaults=True)

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


def _sentence(error: ValidationError, kind: type[BaseModel]) -> str:
    """Return the first complaint of pydantic as one line in our own words."""
    first = error.errors(include_url=False)[0]
    place = ".".join(str(part) for part in first["loc"])
    at = f"'{place}': " if place else ""
    others = f" (and {error.error_count() - 1} more)" if error.error_count() > 1 else ""
    match first["type"]:
        case "extra_forbidden":
            *outer, key = first["loc"]
            inside = ".".join(str(part) for part in outer)
            return (
                unknown("key", str(key), _fields_at(kind, tuple(outer)))
                + (f" In '{inside}'." if inside else "")
                + others
            )
        case "missing":
            return f"'{place}' is missing.{others}"
        case "value_error":
            cause = first.get("ctx", {}).get("error")
            return f"{at}{cause if isinstance(cause, SnncompareError) else first['msg']}{others}"
        case _:
            return f"{at}{first['msg'].lower()}, got {_short(first['input'])}.{others}"


def _short(given: object) -> str:
    text = repr(given)
    return text if len(text) <= 60 else text[:57] + "..."


def _fields_at(kind: type[BaseModel], path: tuple[int | str, ...]) -> list[str]:
    """Return the fields of the model that stands at `path` inside `kind`, for naming the nearest one."""
    models: list[type[BaseModel]] = [kind]
    for part in path:
        inner: list[type[BaseModel]] = []
        for model in models:
            field = model.model_fields.get(str(part))
            inner += _models_in(field.annotation) if field is not None else []
            if model.__name__ == str(part) or _tag(model) == str(part):
                inner.append(model)
        models = inner or models
    return sorted({name for model in models for name in model.model_fields})


def _tag(model: type[BaseModel]) -> str:
    tag = model.model_fields.get("type")
    return str(tag.default) if tag is not None else ""


def _models_in(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [model for part in getattr(annotation, "__args__", ()) for model in _models_in(part)]
