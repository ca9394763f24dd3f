"""A loss in a configuration: the name of its class, and its parameters by name."""

from dataclasses import fields, is_dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any, Self, get_type_hints

from pydantic import ConfigDict, model_validator

from snncompare.errors import InputError, unknown
from snncompare.values import Value

if TYPE_CHECKING:
    from snncompare.learning.losses import Loss

__all__ = ["LossConfig"]


class LossConfig(Value):
    """A loss that says which answer is right.

    The keys beside ``type`` are the parameters of the class of this name in `snncompare.learning.losses`, for example
    ``{type: Classification, readout: readout, scale: 1 mV}``.

    Parameters
    ----------
    type : str
    """

    model_config = ConfigDict(extra="allow")

    type: str

    @model_validator(mode="before")
    @classmethod
    def _has_a_type(cls, given: Any) -> Any:
        if isinstance(given, dict) and "type" not in given:
            raise InputError(f"a loss needs a 'type': {', '.join(_kinds())}.")
        return given

    @model_validator(mode="after")
    def _can_be_made(self) -> Self:
        self.loss()
        return self

    def loss(self) -> "Loss":
        """Return the loss.

        Raises
        ------
        InputError
            If the type or a parameter does not exist, is missing, or has a value that the loss refuses.
        """
        kinds = _kinds()
        if self.type not in kinds:
            raise InputError(unknown("type of loss", self.type, kinds))
        kind, given = kinds[self.type], dict(self.model_extra or {})
        allowed = [field.name for field in fields(kind)]
        for key in given:
            if key not in allowed:
                raise InputError(unknown(f"key of {self.type}", key, allowed))
        hints = get_type_hints(kind)
        try:
            made: Loss = kind(**{key: _value(key, value, hints[key]) for key, value in given.items()})
        except TypeError as error:
            reason = str(error).split("() ")[-1].replace("positional ", "")
            raise InputError(f"{self.type}: {reason}.") from error
        return made


def _kinds() -> dict[str, Any]:
    from snncompare.learning import losses

    found = {name: getattr(losses, name) for name in losses.__all__}
    return {
        name: kind
        for name, kind in found.items()
        if isinstance(kind, type) and issubclass(kind, losses.Loss) and is_dataclass(kind) and kind is not losses.Loss
    }


def _value(key: str, given: Any, annotation: Any) -> Any:
    """Return a choice by its value, and lists as tuples."""
    if isinstance(annotation, type) and issubclass(annotation, Enum):
        allowed = {member.value: member for member in annotation}
        if given not in allowed:
            raise InputError(unknown(key, given, allowed))
        return allowed[given]
    return tuple(given) if isinstance(given, list) else given
