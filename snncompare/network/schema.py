"""JSON Schema of a description, from its classes and their docstrings: what an editor needs to help while one types."""

import inspect
import re
from typing import Any

from pydantic import BaseModel

from snncompare.units import Quantity
from snncompare.values import Value

__all__ = ["json_schema"]

_DIALECT = "https://json-schema.org/draft/2020-12/schema"
_DIRECTIVE = re.compile(r"^\.\. \w+::(?: .*)?\n(?:(?:[ \t].*)?\n)*", re.MULTILINE)
_SECTION = re.compile(r"\n\w+\n-{4,}\n")
_ROLE = re.compile(r":\w+:`([^`]*)`")


def json_schema(kind: type[Value]) -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) of the files that `kind` is read from.

    Descriptions are the docstrings, without formulas; those of the keys stand in their ``Parameters``. A file that fits
    is readable; whether its equations, names and units fit together is checked when it is read.
    """
    schema = kind.model_json_schema()
    documented = {model.__name__: model for model in _models(kind)}
    for name, part in ({kind.__name__: schema} | schema.get("$defs", {})).items():
        _describe(part, documented[name])
    _require_types(schema, schema.get("$defs", {}))
    return {"$schema": _DIALECT, **schema, "title": f"snncompare {kind.__name__.lower()}"}


def _models(kind: type[BaseModel]) -> set[type[BaseModel]]:
    """Return the classes that can stand in a value of this class, itself included."""
    found: set[type[BaseModel]] = set()
    waiting: list[Any] = [kind]
    while waiting:
        part = waiting.pop()
        if isinstance(part, type) and issubclass(part, BaseModel):
            if part not in found:
                found.add(part)
                waiting += [field.annotation for field in part.model_fields.values()]
        else:
            waiting += getattr(part, "__args__", ())
    return found


def _describe(part: dict[str, Any], kind: type[BaseModel]) -> None:
    said, _, below = (inspect.getdoc(kind) or "").partition("\nParameters\n----------\n")
    part["description"] = _plain(_SECTION.split(said)[0])
    keys = _keys(_SECTION.split(below)[0])
    for name, of_key in part.get("properties", {}).items():
        of_key.pop("title", None)
        if name in keys:
            of_key["description"] = keys[name]
        default = kind.model_fields[name].default
        if isinstance(default, Quantity | Value):
            of_key["default"] = str(default) if isinstance(default, Quantity) else default.model_dump(mode="json")


def _keys(text: str) -> dict[str, str]:
    """Return what a numpydoc section says of each name; names that stand together share it."""
    found: dict[str, str] = {}
    for match in re.finditer(
        r"^(?P<names>\w[\w, ]*?)(?: : (?P<kind>.*))?\n(?P<said>(?:(?:[ \t].*)?(?:\n|$))*)", text + "\n", re.MULTILINE
    ):
        said = _plain(inspect.cleandoc(match["said"]))
        for name in match["names"].split(", "):
            if said:
                found[name] = said
    return found


def _plain(text: str) -> str:
    """Return the paragraphs of a docstring without formulas and marks, a line each."""
    without = _ROLE.sub(r"\1", _DIRECTIVE.sub("", f"{text}\n")).replace("``", "").replace("`", "")
    paragraphs = [" ".join(paragraph.split()) for paragraph in re.split(r"\n\s*\n", without)]
    return "\n\n".join(paragraph for paragraph in paragraphs if paragraph)


def _require_types(node: Any, definitions: dict[str, Any]) -> None:
    """Require the key `type` wherever it is needed to tell several kinds of value apart."""
    if isinstance(node, list):
        for part in node:
            _require_types(part, definitions)
    elif isinstance(node, dict):
        for reference in node.get("discriminator", {}).get("mapping", {}).values():
            chosen = definitions[reference.rsplit("/", 1)[-1]]
            chosen["required"] = sorted({"type", *chosen.get("required", [])})
        for part in node.values():
            _require_types(part, definitions)
