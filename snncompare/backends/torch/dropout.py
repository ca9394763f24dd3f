"""Dropout: what the spikes that a population sends are multiplied by, neuron by neuron and trial by trial."""

from collections.abc import Mapping

import torch
from torch import Tensor

from snncompare.backends.torch.network_state import NetworkState
from snncompare.backends.torch.routes import LinearRoute, Route
from snncompare.errors import InputError, UnsupportedError, unknown

__all__ = ["checked_dropout", "only_adds", "sends_whole_spikes"]


def only_adds(route: Route) -> bool:
    """Return whether the synapses of a projection do nothing but add to their targets, so that spikes can be scaled."""
    return isinstance(route, LinearRoute) and route.of_source is None


@torch.compiler.disable
def checked_dropout(
    dropout: Mapping[str, Tensor] | None,
    routes: Mapping[str, Route],
    sizes: Mapping[str, int],
    batch: int,
    like: Tensor,
) -> dict[str, Tensor]:
    """Return factors of sent spikes in the network's type of number.

    Parameters
    ----------
    dropout : mapping or None
        Population to factors, shape (batch, neuron).
    routes : mapping
        Projection to what it does.
    sizes : mapping
        Population that sends spikes to its number of neurons.
    batch : int
    like : Tensor

    Raises
    ------
    InputError
        For a population that sends no spikes, or factors of another shape.
    UnsupportedError
        Where spikes of the population do more than add to their targets.
    """
    found: dict[str, Tensor] = {}
    for name, factors in (dropout or {}).items():
        if name not in sizes:
            raise InputError("dropout: " + unknown("population that spikes", name, sizes))
        if tuple(factors.shape) != (batch, sizes[name]):
            raise InputError(
                f"dropout: the factors of '{name}' must have the shape {(batch, sizes[name])} (batch, neuron), got "
                f"{tuple(factors.shape)}."
            )
        for projection, route in routes.items():
            learns = route.program.target == name and route.program.on_post is not None
            if learns or (route.program.source == name and not only_adds(route)):
                raise UnsupportedError(
                    f"dropout: the synapses of '{projection}' change with each spike of '{name}', so that its spikes "
                    "cannot be scaled; leave this population out."
                )
        found[name] = factors.to(like)
    return found


@torch.compiler.disable
def sends_whole_spikes(state: NetworkState | None) -> bool:
    """Return whether what is on its way when a run goes on are spikes that count once."""
    sent = [] if state is None else [spikes for past in state.past.values() for spikes in past if spikes is not None]
    return all(bool(((spikes == 0) | (spikes == 1)).all()) for spikes in sent)
