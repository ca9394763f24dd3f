"""A loss in a configuration: the name of its class, and its parameters by name."""

from dataclasses import is_dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any, ClassVar, get_type_hints

from snncompare.commands.typed_config import TypedConfig
from snncompare.errors import InputError, unknown

if TYPE_CHECKING:
    from snncompare.learning.losses import Loss

__all__ = ["LossConfig"]


class LossConfig(TypedConfig):
    """A loss that says which answer is right.

    The keys beside ``type`` are the parameters of the class of this name in `snncompare.learning.losses`, for example
    ``{type: Classification, readout: readout, scale: 1 mV}``.

    Parameters
    ----------
    type : str
    """

    what: ClassVar[str] = "loss"

    @classmethod
    def kinds(cls) -> dict[str, Any]:
        """Return the losses of `snncompare.learning.losses`."""
        from snncompare.learning import losses

        found = {name: getattr(losses, name) for name in losses.__all__}
        return {name: kind for name, kind in found.items() if is_dataclass(kind) and _is_loss(kind)}

    def made(self) -> "Loss":
        """Return the loss.

        Raises
        ------
        InputError
            If the type or a parameter does not exist, is missing, or has a value that the loss refuses.
        """
        kind, given = self.kind(), self.given()
        hints = get_type_hints(kind)
        try:
            made: Loss = kind(**{key: _value(key, value, hints[key]) for key, value in given.items()})
        except TypeError as error:
            reason = str(error).split("() ")[-1].replace("positional ", "")
            raise InputError(f"{self.type}: {reason}.") from error
        return made


def _is_loss(kind: Any) -> bool:
    from snncompare.learning.losses import Loss

    return isinstance(kind, type) and issubclass(kind, Loss) and kind is not Loss


def _value(key: str, given: Any, annotation: Any) -> Any:
    """Return a choice by its value, and lists as tuples."""
    if isinstance(annotation, type) and issubclass(annotation, Enum):
        allowed = {member.value: member for member in annotation}
        if given not in allowed:
            raise InputError(unknown(key, given, allowed))
        return allowed[given]
    return tuple(given) if isinstance(given, list) else given
