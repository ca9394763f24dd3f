"""What a run of a module is asked to do, checked before it begins."""

from collections.abc import Collection, Mapping, Sequence

import torch
from torch import Tensor

from snncompare.backends.torch.dropout import only_adds
from snncompare.backends.torch.population import PopulationStep
from snncompare.backends.torch.routes import Route
from snncompare.errors import InputError, unknown
from snncompare.network.network import Network

__all__ = ["check_run", "several_in_a_step"]


def check_run(
    inputs: Mapping[str, Tensor],
    record: Sequence[str],
    traces: Sequence[tuple[str, str]],
    *,
    network: Network,
    steps: Mapping[str, PopulationStep],
    n_steps: int,
    batches: Collection[int],
) -> None:
    """Refuse inputs of a wrong shape, and names that the network does not have.

    Parameters
    ----------
    inputs, record, traces
        See `TorchNetwork.forward`.
    network : Network
    steps : mapping
        Population to what it does.
    n_steps : int
    batches : collection of int
        Numbers of trials that inputs may have.

    Raises
    ------
    InputError
    """
    for name, raster in inputs.items():
        if name not in network.sources():
            raise InputError("inputs: " + unknown("spike source", name, network.sources()))
        expected = [(n_steps, batch, network.populations[name].size) for batch in dict.fromkeys(batches)]
        if tuple(raster.shape) not in expected:
            raise InputError(
                f"inputs: the raster of '{name}' must have the shape {' or '.join(map(str, expected))} (step, batch, "
                f"neuron), got {tuple(raster.shape)}."
            )
    spiking = [name for name, step in steps.items() if step.program.threshold is not None]
    for name in record:
        if name not in inputs and name not in spiking:
            raise InputError("record: " + unknown("population that spikes", name, [*inputs, *steps]))
    for name, variable in traces:
        if name not in steps:
            raise InputError("traces: " + unknown("population", name, steps))
        there = [*steps[name].changing, *steps[name].static]
        if variable not in there:
            raise InputError(f"traces: '{name}' has " + unknown("variable", variable, there))


@torch.compiler.disable
def several_in_a_step(inputs: Mapping[str, Tensor], routes: Mapping[str, Route], dt: float) -> bool:
    """Return whether several spikes share a step; refuse them where they do more than add.

    Parameters
    ----------
    inputs : mapping
        Spike source to raster.
    routes : mapping
        Projection to what it does.
    dt : float
        Time step, seconds.

    Raises
    ------
    InputError
    """
    crowded = [name for name, raster in inputs.items() if raster.numel() and float(raster.detach().max()) > 1.0]
    for name, route in routes.items():
        if route.program.source in crowded and not only_adds(route):
            raise InputError(
                f"inputs: several spikes of '{route.program.source}' share a step of {dt:g} s, but the "
                f"synapses of '{name}' change with each spike; take a smaller dt."
            )
    return bool(crowded)
