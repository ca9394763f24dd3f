"""Replicates as plain values and arrays, and back, with everything checked that a file could get wrong."""

from collections.abc import Mapping
from dataclasses import asdict, fields
from inspect import isabstract
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from snncompare.errors import InputError, unknown
from snncompare.representation.estimators import Estimator
from snncompare.representation.repeats.replicates import Replicates

if TYPE_CHECKING:
    from rsatoolbox.rdm import RDMs

__all__ = ["pack_replicates", "unpack_replicates"]

_SAMPLES = ("bootstrap", "half_a", "half_b")
_TYPES: dict[str, type | tuple[type, ...]] = {
    "conditions": tuple,
    "metric": tuple,
    "time_scale": tuple,
    "no_bootstrap": str,
    "no_halves": str,
    "seed": int,
}


def pack_replicates(replicates: Replicates) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    """Return the plain values and the arrays of replicates, each by the name of its field."""
    plain: dict[str, Any] = {}
    arrays: dict[str, NDArray[Any]] = {}
    for field in fields(replicates):
        value = getattr(replicates, field.name)
        if isinstance(value, np.ndarray):
            arrays[field.name] = value
        elif isinstance(value, Estimator):
            plain[field.name] = {"type": type(value).__name__, **asdict(value)}  # type: ignore[call-overload]
        else:
            plain[field.name] = value
    return plain, arrays


def unpack_replicates(plain: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]], rdms: "RDMs") -> Replicates:
    """Return the replicates of RDMs.

    Raises
    ------
    InputError
        If a field is missing, unknown, of another kind, or does not fit the RDMs.
    """
    given: dict[str, Any] = {**plain, **arrays}
    names = [field.name for field in fields(Replicates)]
    if sorted(given) != sorted(names):
        raise InputError(f"its replicates have the fields {sorted(given)!r:.150}, not {sorted(names)}")
    for name, kind in _TYPES.items():
        if not isinstance(given[name], kind) or isinstance(given[name], bool):
            raise InputError(f"'{name}' of its replicates is {type(given[name]).__name__}")
    _check_labels(given, rdms)
    _check_samples(given, rdms)
    return Replicates(**{**given, "estimator": _estimator(given["estimator"])})


def _check_labels(given: Mapping[str, Any], rdms: "RDMs") -> None:
    conditions = tuple(rdms.pattern_descriptors["condition"])
    if given["conditions"] != conditions:
        raise InputError("its replicates are of other conditions than its RDMs")
    if not all(isinstance(label, str) for label in given["metric"]):
        raise InputError("'metric' of its replicates must be text")
    if not all(isinstance(scale, float) for scale in given["time_scale"]):
        raise InputError("'time_scale' of its replicates must be numbers")
    if len(given["metric"]) != len(given["time_scale"]) or not given["metric"]:
        raise InputError("its replicates need one time scale for each metric")


def _check_samples(given: Mapping[str, Any], rdms: "RDMs") -> None:
    n_conditions, n_metrics = len(given["conditions"]), len(given["metric"])
    trials = given["n_trials"]
    if not isinstance(trials, np.ndarray) or trials.dtype.kind != "i" or trials.shape != (n_conditions,):
        raise InputError("'n_trials' of its replicates must be one whole number for each condition")
    for name in _SAMPLES:
        samples = given[name]
        if samples is None:
            continue
        if not isinstance(samples, np.ndarray) or samples.dtype != np.float64 or samples.ndim != 3:
            raise InputError(f"'{name}' of its replicates must be numbers (n_metrics, n_samples, n_pairs)")
        if samples.shape[0] != n_metrics or samples.shape[2] != rdms.dissimilarities.shape[1] or not samples.shape[1]:
            raise InputError(f"'{name}' of its replicates has the shape {samples.shape}, which does not fit its RDMs")
    if (given["half_a"] is None) != (given["half_b"] is None):
        raise InputError("its replicates hold one half without the other")
    if given["half_a"] is not None and given["half_a"].shape != given["half_b"].shape:
        raise InputError("the halves of its replicates have different shapes")


def _estimator(given: Any) -> Estimator:
    """Return an estimator by the name of its class; only those of this package can be named."""
    known = {cls.__name__: cls for cls in _kinds(Estimator) if cls.__module__ == Estimator.__module__}
    if not isinstance(given, dict) or given.get("type") not in known:
        named = given.get("type") if isinstance(given, dict) else given
        raise InputError(unknown("estimator", f"{named!s:.40}", known))
    arguments = {key: value for key, value in given.items() if key != "type"}
    return known[given["type"]](**arguments)


def _kinds(base: Any) -> list[Any]:
    """Return the classes below `base` that can be made."""
    below = [kind for cls in base.__subclasses__() for kind in [cls, *_kinds(cls)]]
    return [cls for cls in below if not isabstract(cls)]
