"""The loop over the steps of a run: it calls kernels by their addresses, so it is compiled once for all networks."""

from typing import Any

from llvmlite import ir  # type: ignore[import-untyped]
from numba import njit, types
from numba.extending import intrinsic

__all__ = ["advance"]

_N_POINTERS = 8


@intrinsic
def _call(_context: Any, _address: Any, _pointers: Any, _step: Any, _t: Any) -> Any:
    """Call a kernel at an address with eight pointers, the number of the step, and the time."""
    signature = types.void(types.int64, types.UniTuple(types.int64, _N_POINTERS), types.int64, types.float64)

    def generate(context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        address, pointers, step, t = arguments
        memory = ir.IntType(8).as_pointer()
        kind = ir.FunctionType(ir.VoidType(), [memory] * _N_POINTERS + [ir.IntType(64), ir.DoubleType()])
        given = [builder.inttoptr(builder.extract_value(pointers, k), memory) for k in range(_N_POINTERS)]
        builder.call(builder.inttoptr(address, kind.as_pointer()), [*given, step, t])
        return context.get_dummy_value()

    return signature, generate


@njit(cache=True, nogil=True, error_model="numpy")
def advance(
    first: Any,
    n_steps: Any,
    dt: Any,
    pointers: Any,
    plan: Any,
    before: Any,
    F: Any,
    R: Any,
    G: Any,
    sources: Any,
    given: Any,
    recorded: Any,
    spikes: Any,
    traced: Any,
    traces: Any,
    begin: Any,
) -> Any:
    """Carry out steps until all are done or the room for spikes might not last for another one.

    Parameters
    ----------
    first, n_steps : int
        Number of the first step, and how many.
    dt : float
        Seconds.
    pointers : tuple of int
        Where F, C, U, J, Q, R, G lie.
    plan : int64 array (n_kernels, 2)
        Address of each kernel and of its row of the layout, in the order in which they are called.
    before : int
        How many of them come before what is recorded of variables.
    F, R, G : array
        Variables, spikes of latest steps, and counts.
    sources : int64 array (n_sources, 6)
        Ring, counts, ring length and size of each spike source, next spike in `given`, and end of its spikes.
    given : int64 array (n_given, 2)
        Steps and neurons of the spikes of sources.
    recorded : int64 array (n_recorded, 4)
        Ring, counts, ring length and size of populations whose spikes are kept.
    spikes : int64 array (room, 3)
        Filled with recorded population, step and neuron.
    traced : int64 array (n_traced, 4)
        Place of the first neuron, stride of chunks, number of neurons and chunk of what is traced.
    traces : list of float64 array (n_steps, n_neurons)
        As one array; filled.
    begin : int
        The step that is step zero of `spikes` and `traces`.

    Returns
    -------
    tuple of int
        How many steps were carried out, and how many spikes there are.
    """
    most, kept = 0, 0
    for r in range(recorded.shape[0]):
        most += recorded[r, 3]
    for step in range(first, first + n_steps):
        if kept + most > spikes.shape[0]:
            return step - first, kept
        t = step * dt
        for s in range(sources.shape[0]):
            slot = step % sources[s, 2]
            place, count, position = sources[s, 0] + slot * sources[s, 3], 0, sources[s, 4]
            while position < sources[s, 5] and given[position, 0] == step:
                R[place + count] = given[position, 1]
                count += 1
                position += 1
            G[sources[s, 1] + slot] = count
            sources[s, 4] = position
        for k in range(before):
            _call(plan[k, 0], (*pointers, plan[k, 1]), step, t)
        at = 0
        for r in range(traced.shape[0]):
            for i in range(traced[r, 2]):
                traces[step - begin, at + i] = F[traced[r, 0] + i // traced[r, 3] * traced[r, 1] + i % traced[r, 3]]
            at += traced[r, 2]
        for k in range(before, plan.shape[0]):
            _call(plan[k, 0], (*pointers, plan[k, 1]), step, t)
        for r in range(recorded.shape[0]):
            slot = step % recorded[r, 2]
            place = recorded[r, 0] + slot * recorded[r, 3]
            for k in range(G[recorded[r, 1] + slot]):
                spikes[kept, 0] = r
                spikes[kept, 1] = step - begin
                spikes[kept, 2] = R[place + k]
                kept += 1
    return n_steps, kept
