r"""Write a network as a graph of the Neuromorphic Intermediate Representation, and read one.

Pedersen et al. (2024) Nature Communications 15:8122. NIR states differential equations, no time step and no units:

.. math::
    \tau \dot v = v_{leak} - v + R I, \qquad v > v_{threshold}: \; v \leftarrow v_{reset}

and with a synaptic current :math:`\tau_{syn} \dot I = -I + w_{in} S`. Time is in seconds here, voltages in volt.

What a spike is as a signal S(t) decides what weights mean, and practice differs from the definition:

- ``spike="impulse"``: :math:`S(t) = \sum_k \delta(t - t_k)`, as NIR defines it. Weights do not depend on a time step.
- ``spike="step"`` (default): S is 1 for the one time step ``dt`` in which the neuron fires, as the programs that read
  and write NIR have it (Norse, snnTorch, Spyx, Sinabs); its area is ``dt``. In their forward Euler step it moves I by
  :math:`w_{in} \, dt / \tau_{syn}`. Here it does the same, at once: it is written and read as an impulse of that area.

A description that is read obeys these equations in Brian2's order of a step: integrate, compare with the threshold,
add the spikes, reset. Programs with another order fire the same spikes a step earlier or later.

The convention, ``dt``, the integration method and initial states are noted in the metadata of the graph, which other
programs ignore. Labels, trainable parts, Dale's law and distributions are not kept.
"""

import math
from pathlib import Path
from typing import Any, get_args

from snncompare.backends.nir.cells import Spike
from snncompare.backends.nir.cells_to_graph import graph_of
from snncompare.backends.nir.cells_to_network import described
from snncompare.backends.nir.equations_to_cells import cell_of, jumps_of
from snncompare.backends.nir.file_reading import MAX_BYTES, read_graph
from snncompare.backends.nir.graph_to_cells import imported
from snncompare.backends.realisation import Given, Realisation, checked
from snncompare.errors import FileError, InputError, MissingDependencyError, UnsupportedError, unknown
from snncompare.network.network import Network
from snncompare.network.neuron import Method, SpikeSource
from snncompare.provenance import versions
from snncompare.units import QuantityLike, seconds

__all__ = ["export_nir", "from_nir", "import_nir", "to_nir"]

_WRITER = "snncompare "


def export_nir(
    path: str | Path, network: Network, realisation: Given, *, dt: QuantityLike, spike: Spike = "step"
) -> Path:
    """Write a network as a NIR file (HDF5) and return its path.

    Parameters
    ----------
    path : path
    network : Network
    realisation : Realisation or mapping
        Weights, delays and values of single neurons, all of them: ``realise(network, seed)``.
    dt : quantity
        Time step that the reader will use, e.g. ``"0.1 ms"``; delays are rounded to it, and equations may name it.
    spike : str
        ``"step"`` or ``"impulse"``, see the module.

    Raises
    ------
    UnsupportedError
        If NIR cannot say what the network does; the message names the population or projection and the reason.
    InputError
        If the realisation is incomplete.
    FileError
        If the file cannot be written.
    MissingDependencyError
        If the package ``nir`` is not installed.
    """
    graph = to_nir(network, realisation, dt=dt, spike=spike)
    try:
        _nir().write(path, graph)
    except OSError as error:
        raise FileError(f"cannot write '{path}': {error}.") from error
    return Path(path)


def import_nir(
    path: str | Path,
    *,
    dt: QuantityLike | None = None,
    spike: Spike | None = None,
    method: Method | None = None,
    max_bytes: int = MAX_BYTES,
) -> tuple[Network, Realisation]:
    """Return the network in a NIR file, and its weights, delays and values of single neurons.

    Nodes of the kinds IF, LIF, CubaLIF (and I, LI, CubaLI as readouts) become populations, inputs spike sources. What
    lies between becomes the weights and delays of projections; biases become constant currents. Neurons start at their
    ``v_leak`` unless the file says otherwise.

    Parameters
    ----------
    path : path
        Written by any program; treated as hostile.
    dt : quantity, optional
        Time step for which the file was made; needed if it does not say so itself and spikes last a step.
    spike : str, optional
        ``"step"`` or ``"impulse"``, see the module; default: what the file says, else ``"step"``.
    method : str, optional
        How the equations are integrated; default: what the file says, else exactly (by ``"rk4"`` where Brian2 has no
        exact solution).
    max_bytes : int
        Bytes that the file, and its arrays unpacked, may have.

    Raises
    ------
    FileError
        If the file is damaged, too large, or contradicts itself.
    UnsupportedError
        If it has what our descriptions cannot say; the message names the node.
    MissingDependencyError
        If the package ``nir`` is not installed.
    """
    _nir()
    name = Path(path).name
    graph = read_graph(path, max_bytes)
    try:
        area = _area_in(graph, dt, spike)
        chosen = _checked_method(method)
    except InputError as error:
        raise InputError(f"'{name}': {error}") from error
    try:
        return described(imported(graph, area, chosen, notes=_is_ours(graph)), Path(path).stem)
    except UnsupportedError as error:
        raise UnsupportedError(f"'{name}': {error}") from error
    except InputError as error:
        raise FileError(f"'{name}': {error}") from error


def to_nir(network: Network, realisation: Given, *, dt: QuantityLike, spike: Spike = "step") -> Any:
    """Return a network as a `nir.NIRGraph`; arguments and errors as for `export_nir`."""
    _nir()
    step = _step(dt)
    area = _area(spike, step)
    found = checked(network, realisation)
    for name in network.projections:
        if name not in found.connections:
            raise InputError(f"the realisation has no weights of '{name}'; use realise(network, seed).")
    if not network.sources():
        raise UnsupportedError("a graph of NIR needs an input, and the network has no spike source.")
    cells = {
        name: cell_of(network, found, name, step)
        for name, population in network.populations.items()
        if not isinstance(population.neuron, SpikeSource)
    }
    jumps = {name: jumps_of(network, found, name, cells[p.target], step) for name, p in network.projections.items()}
    graph = graph_of(network, found, cells, jumps, step, area)
    graph.metadata = {"written_by": _WRITER + versions()["snncompare"], "spike": spike, "dt": step}
    return graph


def from_nir(
    graph: Any,
    *,
    dt: QuantityLike | None = None,
    spike: Spike | None = None,
    method: Method | None = None,
    name: str = "network",
) -> tuple[Network, Realisation]:
    """Return the network in a `nir.NIRGraph`; arguments as for `import_nir`.

    Raises
    ------
    InputError
        If the graph contradicts itself.
    UnsupportedError
        If it has what our descriptions cannot say; the message names the node.
    """
    area, chosen = _area_in(graph, dt, spike), _checked_method(method)
    return described(imported(graph, area, chosen, notes=_is_ours(graph)), name)


def _nir() -> Any:
    try:
        import nir
    except ModuleNotFoundError as error:
        raise MissingDependencyError(
            "NIR graphs need the package 'nir'; install it with: pip install -e '.[nir]'"
        ) from error
    return nir


def _is_ours(graph: Any) -> bool:
    """Return whether the metadata of a graph are our notes."""
    said = graph.metadata if isinstance(graph.metadata, dict) else {}
    return str(said.get("written_by", "")).startswith(_WRITER)


def _step(dt: QuantityLike) -> float:
    step = seconds(dt, "dt")
    if step <= 0:
        raise InputError(f"dt must be longer than zero, got '{dt}'; write for example '0.1 ms'.")
    return step


def _area(spike: Any, step: float) -> float:
    if spike not in get_args(Spike):
        raise InputError(unknown("kind of spike", f"{spike!s:.60}", get_args(Spike)))
    return step if spike == "step" else 1.0


def _area_in(graph: Any, dt: QuantityLike | None, spike: Spike | None) -> float:
    """Return the area of a spike in a graph: as its notes say, or as the arguments do."""
    said = graph.metadata if _is_ours(graph) else {}
    noted, given = _noted_step(said.get("dt")), None if dt is None else _step(dt)
    if given is not None and noted is not None and not math.isclose(given, noted, rel_tol=1e-9):
        raise InputError(f"it was made for a time step of {noted * 1e3:g} ms, and dt is {given * 1e3:g} ms.")
    kind = spike if spike is not None else said.get("spike", "step")
    step = given if given is not None else noted
    if kind == "step" and step is None:
        raise InputError(
            "it does not say for which time step it was made, on which the weights depend; give it, for example "
            "dt='1 ms', or spike='impulse' if a spike is a Dirac impulse there."
        )
    return _area(kind, 1.0 if step is None else step)


def _noted_step(said: Any) -> float | None:
    """Return the time step in the notes of a graph, if there is one that can be."""
    try:
        step = float(said)
    except (TypeError, ValueError):
        return None
    return step if math.isfinite(step) and step > 0 else None


def _checked_method(given: Method | None) -> Method | None:
    if given is not None and given not in get_args(Method):
        raise InputError(unknown("method", given, get_args(Method)))
    return given
