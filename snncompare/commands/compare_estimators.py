"""The estimator in a configuration: its name, or its name with the label across which trials are paired."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Self

from pydantic import SerializerFunctionWrapHandler, model_serializer, model_validator

from snncompare.errors import InputError, unknown
from snncompare.values import Value

if TYPE_CHECKING:
    from snncompare.representation.estimators import Estimator

__all__ = ["EstimatorConfig"]

_NAMES = ("BetweenMinusWithin", "MeanDistance")
_EXAMPLE = "{type: BetweenMinusWithin, across: session}"


class EstimatorConfig(Value):
    """How distances of trials become dissimilarities of conditions; may be given as the name alone.

    Parameters
    ----------
    type : str
        `BetweenMinusWithin` or `MeanDistance` in `snncompare.representation.estimators`.
    across : str, optional
        Label of the trials, of `BetweenMinusWithin`: only trials that differ in it are paired, so that the noise that
        trials of one session share enters no pair.
    """

    type: str
    across: str | None = None

    @model_validator(mode="before")
    @classmethod
    def _named(cls, given: Any) -> Any:
        named = {"type": given} if isinstance(given, str) else given
        if isinstance(named, Mapping):
            if "type" not in named:
                raise InputError(f"an estimator needs a 'type': {', '.join(_NAMES)}.")
            if named["type"] not in _NAMES:
                raise InputError(unknown("estimator", named["type"], _NAMES))
        elif not isinstance(named, EstimatorConfig):
            raise InputError(f"is a name ({' or '.join(_NAMES)}) or for example {_EXAMPLE}; got {given!r}.")
        return named

    @model_validator(mode="after")
    def _can_be_made(self) -> Self:
        self.estimator()
        return self

    @model_serializer(mode="wrap")
    def _with_type(self, handler: SerializerFunctionWrapHandler) -> Any:
        return self.type if self.across is None else handler(self)

    def estimator(self) -> "Estimator":
        """Return the estimator.

        Raises
        ------
        InputError
            If it does not take what is given.
        """
        from snncompare.representation.estimators import BetweenMinusWithin, MeanDistance

        if self.type == "BetweenMinusWithin":
            return BetweenMinusWithin(self.across)
        if self.across is not None:
            raise InputError(f"{self.type} averages over all pairs of trials and takes no 'across'; give {_EXAMPLE}.")
        return MeanDistance()
