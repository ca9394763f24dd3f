"""Find a backend by name through entry points, ours included, and compile with it."""

import warnings
from importlib.metadata import EntryPoint, entry_points
from typing import Any

import numpy as np

from snncompare.backends.program import Backend, Program
from snncompare.backends.realisation import Given, realise
from snncompare.errors import InputError, MissingDependencyError, TimeStepWarning, UnsupportedError, unknown
from snncompare.network.network import Network
from snncompare.network.time_constants import check_time_step, time_step_warnings
from snncompare.units import Quantity, QuantityLike, seconds

__all__ = ["available", "backend_named", "compile"]

_GROUP = "snncompare.backends"
_DTYPES = ("float64", "float32")


def available() -> dict[str, EntryPoint]:
    """Return the installed backends by name, without importing any."""
    return {point.name: point for point in sorted(entry_points(group=_GROUP), key=lambda point: point.name)}


def backend_named(name: str) -> Backend:
    """Return a backend.

    Raises
    ------
    InputError
        If no backend has that name.
    MissingDependencyError
        If its simulator is not installed; the message has the line to type.
    """
    found = available()
    if name not in found:
        raise InputError(unknown("backend", name, found))
    try:
        backend: Backend = found[name].load()()
    except ModuleNotFoundError as error:
        raise MissingDependencyError(
            f"the backend '{name}' needs '{error.name}'; install it with: pip install -e '.[{name}]'"
        ) from error
    return backend


def compile(  # noqa: A001 - the name is part of the public contract
    network: Network,
    backend: str = "brian2",
    *,
    dt: QuantityLike = "0.1 ms",
    dtype: str = "float64",
    weights: Given | None = None,
    seed: int = 0,
    **options: Any,
) -> Program:
    """Return a network compiled for a backend.

    Parameters
    ----------
    network : Network
    backend : str
        ``"brian2"``, ``"torch"`` or any other installed backend.
    dt : quantity
        Time step. A delay that all synapses of a projection have in common must be a multiple of it; delays of single
        synapses are rounded to it.
    dtype : str
        ``"float64"`` (every backend gives the same spikes) or ``"float32"``.
    weights : Realisation or mapping, optional
        What need not be drawn. A mapping has, in SI units, under the name of a projection an array (n_source, n_target)
        or `Connections`, under the name of a population a mapping from variable to array (n_neurons,).
    seed : int
        Of the wiring, weights, delays and values of single neurons that are drawn.
    **options
        Of the backend, see its class.

    Raises
    ------
    InputError
        For a time step that a delay is no multiple of, or that is longer than a neuron model allows.
    UnsupportedError
        If the backend cannot do everything the network asks for; nothing is approximated silently.

    Warns
    -----
    TimeStepWarning
        Where `dt` is longer than a time constant.
    """
    step = seconds(dt, "dt")
    if step <= 0:
        raise InputError(f"dt must be longer than zero, got '{dt}'; write for example '0.1 ms'.")
    if dtype not in _DTYPES:
        raise InputError(unknown("dtype", dtype, _DTYPES))
    check_time_step(network, step)
    _check_delays(network, step)
    chosen = backend_named(backend)
    lacking = chosen.missing(network)
    if lacking:
        raise UnsupportedError(f"the backend '{backend}' cannot run '{network.name}': {'; '.join(lacking)}.")
    for sentence in time_step_warnings(network, step):
        warnings.warn(sentence, TimeStepWarning, stacklevel=2)
    realisation = realise(network, seed, weights, dt=step)
    return chosen.compile(network, dt=step, dtype=dtype, realisation=realisation, **options)


def _check_delays(network: Network, dt: float) -> None:
    for name, projection in network.projections.items():
        if not isinstance(projection.delay, Quantity):
            continue
        steps = projection.delay.value / dt
        if not np.isclose(steps, round(steps), rtol=0, atol=1e-6):
            raise InputError(
                f"projection '{name}': the delay {projection.delay} is not a multiple of the time step {dt * 1e3:g} ms."
            )
