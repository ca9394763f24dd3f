"""Find a backend by name through entry points, ours included, and compile with it."""

from importlib.metadata import EntryPoint, entry_points
from typing import Any

import numpy as np

from snncompare.backends.program import Backend, Program, Weights
from snncompare.backends.weights import checked_weights, draw_weights
from snncompare.errors import InputError, MissingDependencyError, UnsupportedError, unknown
from snncompare.network.network import Network
from snncompare.units import QuantityLike, seconds

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
    weights: Weights | None = None,
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
        Time step; delays must be multiples of it.
    dtype : str
        ``"float64"`` (every backend gives the same spikes) or ``"float32"``.
    weights : mapping, optional
        Projection name to array (n_source, n_target) in SI units. Projections left out are drawn from their
        initialiser.
    seed : int
        Of the wiring and weights that are drawn.
    **options
        Of the backend, see its class.

    Raises
    ------
    UnsupportedError
        If the backend cannot do everything the network asks for; nothing is approximated silently.
    """
    step = seconds(dt, "dt")
    if step <= 0:
        raise InputError(f"dt must be longer than zero, got '{dt}'; write for example '0.1 ms'.")
    if dtype not in _DTYPES:
        raise InputError(unknown("dtype", dtype, _DTYPES))
    _check_delays(network, step)
    chosen = backend_named(backend)
    lacking = chosen.missing(network)
    if lacking:
        raise UnsupportedError(f"the backend '{backend}' cannot run '{network.name}': {'; '.join(lacking)}.")
    complete = draw_weights(network, seed) | checked_weights(network, weights or {})
    return chosen.compile(network, dt=step, dtype=dtype, weights=complete, **options)


def _check_delays(network: Network, dt: float) -> None:
    for name, projection in network.projections.items():
        steps = projection.delay.value / dt
        if not np.isclose(steps, round(steps), rtol=0, atol=1e-6):
            raise InputError(
                f"projection '{name}': the delay {projection.delay} is not a multiple of the time step {dt * 1e3:g} ms."
            )
