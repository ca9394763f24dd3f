"""A part of a configuration that names a class of a room by ``type`` and gives its parameters by name."""

from abc import abstractmethod
from collections.abc import Collection, Mapping
from dataclasses import fields
from typing import Any, ClassVar, Self

from pydantic import ConfigDict, model_validator

from snncompare.errors import InputError, unknown
from snncompare.values import Value

__all__ = ["TypedConfig"]


class TypedConfig(Value):
    """The keys beside ``type`` are the parameters of the class of this name; it is made once when it is read.

    Parameters
    ----------
    type : str

    Attributes
    ----------
    what : str
        What the class is, for messages: ``"metric"``.
    """

    model_config = ConfigDict(extra="allow")

    what: ClassVar[str]

    type: str

    @classmethod
    @abstractmethod
    def kinds(cls) -> Mapping[str, Any]:
        """Return the classes that can be named."""

    @abstractmethod
    def made(self) -> Any:
        """Return what is described; raise an `InputError` where that cannot be made."""

    @model_validator(mode="before")
    @classmethod
    def _has_a_type(cls, given: Any) -> Any:
        if isinstance(given, dict) and "type" not in given:
            raise InputError(f"a {cls.what} needs a 'type': {', '.join(cls.kinds())}.")
        return given

    @model_validator(mode="after")
    def _can_be_made(self) -> Self:
        self.made()
        return self

    def kind(self) -> Any:
        """Return the class that is named."""
        kinds = self.kinds()
        if self.type not in kinds:
            raise InputError(unknown(f"type of {self.what}", self.type, kinds))
        return kinds[self.type]

    def given(self, more: Collection[str] = ()) -> dict[str, Any]:
        """Return the parameters by name; `more` are keys that are allowed beside those of the class."""
        parameters = dict(self.model_extra or {})
        allowed = [*(field.name for field in fields(self.kind())), *more]
        for key in parameters:
            if key not in allowed:
                raise InputError(
                    unknown(f"key of {self.type}", key, allowed) if allowed else f"{self.type} takes no keys."
                )
        return parameters
