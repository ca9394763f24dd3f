"""Brian2's state updaters with a memory: solving equations in symbols takes a second, and a network is built twice."""

from collections import OrderedDict
from collections.abc import Mapping
from typing import Any

from brian2.equations.equations import Equations
from brian2.stateupdaters.base import StateUpdateMethod

__all__ = ["RememberedMethod"]

_SIZE = 256
_KNOWN: "OrderedDict[tuple[Any, ...], Any]" = OrderedDict()


class RememberedMethod:
    """One of Brian2's state updaters by name; the same equations are turned into code only once.

    Parameters
    ----------
    name : str
        As Brian2 knows it, e.g. ``"exact"``.
    """

    def __init__(self, name: str) -> None:
        self.__name__ = name

    def __call__(
        self, equations: Equations, variables: Mapping[str, Any] | None = None, method_options: Any = None
    ) -> Any:
        """Return abstract code that advances the equations by one step, as Brian2's own updater does."""
        kinds = tuple(sorted((name, _kind(variable)) for name, variable in (variables or {}).items()))
        key = (self.__name__, str(equations), kinds, repr(method_options))
        if key not in _KNOWN:
            while len(_KNOWN) >= _SIZE:
                _KNOWN.popitem(last=False)
            _KNOWN[key] = StateUpdateMethod.stateupdaters[self.__name__](equations, variables, method_options)
        return _KNOWN[key]


def _kind(variable: Any) -> tuple[Any, ...]:
    """Return what an updater asks of a variable: what it is, and whether it stays."""
    return type(variable).__name__, *(getattr(variable, what, None) for what in ("constant", "scalar"))
