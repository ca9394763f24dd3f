"""What spike sources deliver in all steps of a piece of a run, computed before its first step where possible."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from snncompare.backends.torch.raster import RasterEvents
from snncompare.backends.torch.routes import DELIVERY, RouteRun
from snncompare.backends.torch.sums import State

__all__ = ["Arrival", "Place", "arrive", "arriving_ahead"]

Place = tuple[str, str, bool]
"""Target, variable, and whether it is held in refractory neurons."""


@dataclass(frozen=True)
class Arrival:
    """What arrives in all steps, (step, batch, n_target), and through which projections."""

    steps: Tensor
    projections: set[str]

    def joined(self, other: "Arrival | None") -> "Arrival":
        """Return both together."""
        if other is None:
            return self
        return Arrival(self.steps + other.steps, self.projections | other.projections)


@torch.compiler.disable
def arriving_ahead(
    routes: Mapping[str, RouteRun],
    projections: Mapping[str, State],
    past: Mapping[str, Sequence[Tensor | None]],
    inputs: Mapping[str, Tensor],
    sent: Callable[[str, Tensor], Tensor],
) -> dict[Place, Arrival]:
    """Return what spike sources deliver in all steps, for the projections where that can be said before.

    Parameters
    ----------
    routes : mapping
    projections : mapping
        Projection to what stays of it during the run.
    past : mapping
        Population to its spikes in the latest steps.
    inputs : mapping
        Spike source to raster (step, batch, neuron).
    sent : function
        What a population sends when it fires.
    """
    events: dict[str, tuple[RasterEvents, int]] = {}
    found: dict[Place, Arrival] = {}
    for name, route in routes.items():
        if route.source not in inputs or DELIVERY not in projections[name]:
            continue
        if route.source not in events:
            raster = sent(route.source, inputs[route.source])
            events[route.source] = _events(raster, past[route.source][1:])
        known, first = events[route.source]
        delivery = projections[name][DELIVERY]
        for variable, steps in (delivery.ahead(known) or {}).items():
            key = (route.target, variable, variable in delivery.held)
            found[key] = Arrival(steps[first:], {name}).joined(found.get(key))
    return found


def arrive(state: State, variable: str, arriving: Tensor, *, held: bool) -> None:
    """Add to the state of a target what arrives in this step."""
    after = state[variable] + arriving
    if held and "not_refractory" in state:
        after = torch.where(state["not_refractory"], after, state[variable])
    state[variable] = after


def _events(raster: Tensor, before: Sequence[Tensor | None]) -> tuple[RasterEvents, int]:
    """Return the events of a raster after those of the steps before it, and how many steps those are."""
    known = [spikes for spikes in before if spikes is not None]
    if known:
        raster = torch.cat([torch.stack(known).to(raster.dtype), raster])
    return RasterEvents.of(raster), len(known)
