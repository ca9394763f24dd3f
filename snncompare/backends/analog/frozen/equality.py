"""Whether two chips hold the same: maps, arrays and realisations, compared to the last bit."""

from collections.abc import Mapping
from typing import Any, TypeVar

import numpy as np

from snncompare.backends.analog.frozen.maps import ParameterMap, WeightMap
from snncompare.backends.connections import Connections
from snncompare.backends.realisation import Realisation

__all__ = ["same_arrays", "same_maps", "same_realised"]

T = TypeVar("T", ParameterMap, WeightMap)


def same_maps(one: Mapping[str, T], other: Mapping[str, T]) -> bool:
    """Return whether the maps have the same names and do the same."""
    return one.keys() == other.keys() and all(each.equals(other[name]) for name, each in one.items())


def same_realised(one: Realisation, other: Realisation) -> bool:
    """Return whether all arrays of two realisations are the same."""
    return (
        one.connections.keys() == other.connections.keys()
        and all(
            same_arrays(_arrays(there), _arrays(other.connections[name])) for name, there in one.connections.items()
        )
        and one.values.keys() == other.values.keys()
        and all(same_arrays(there, other.values[name]) for name, there in one.values.items())
    )


def same_arrays(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Return whether the arrays have the same names and values; None is the same as None only."""
    return one.keys() == other.keys() and all(np.array_equal(array, other[name]) for name, array in one.items())


def _arrays(there: Connections) -> dict[str, Any]:
    single = {name: getattr(there, name) for name in ("shape", "source", "target", "weight", "delay", "shared")}
    return single | {f"values {name}": array for name, array in there.values.items()}
