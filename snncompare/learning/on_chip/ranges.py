"""The range in which a chip holds each value that is trained."""

import math

from snncompare.backends.analog.chip import Fleet
from snncompare.backends.analog.frozen.opened import GivenRoles
from snncompare.backends.analog.reading.asked import asked_of, potentials_of
from snncompare.backends.analog.reading.roles import POTENTIALS
from snncompare.backends.torch.module import TorchNetwork

__all__ = ["held_ranges"]


def held_ranges(module: TorchNetwork, fleet: Fleet, roles: GivenRoles | None = None) -> dict[str, tuple[float, float]]:
    """Return the range of weights, delays and parameters, where the chip has one.

    Weights whose scale follows from the largest of them always fit; rates and capacitances that stand for a time
    constant are left alone.

    Parameters
    ----------
    module : TorchNetwork
        What learns.
    fleet : Fleet
        Of the same network.
    roles : mapping, optional
        See `deploy`.

    Returns
    -------
    dict
        Name of a parameter of the module to its lowest and highest value, in SI units.
    """
    found: dict[str, tuple[float | None, float | None]] = {}
    profile, dt = fleet.profile, module.dt
    for name, weights in fleet.weight_maps.items():
        if weights.scale is not None and weights.quantises:
            found[f"synapses.{name}.weight"] = (weights.low / weights.scale, weights.high / weights.scale)
    ends = (profile.delays.low, profile.delays.high)
    low, high = (None if end is None else profile.biological(end, dt) for end in ends)
    for name in module.network.projections:
        found[f"synapses.{name}.delay"] = (low, high)
    for name in module.network.populations:
        asked = asked_of(module.network, name, fleet.realised, (roles or {}).get(name))
        leak, threshold = potentials_of(asked) or (None, None)
        for key, one in asked.items():
            if one.role in POTENTIALS:
                found[f"neurons.{name}.{key}"] = profile.bounds(one.role, leak=leak, threshold=threshold)
            elif one.dimension == one.raw_dimension:
                found[f"neurons.{name}.{key}"] = profile.bounds(one.role, dt=dt)
    trained = {name for name, parameter in module.named_parameters() if parameter.requires_grad}
    return {
        name: (-math.inf if low is None else low, math.inf if high is None else high)
        for name, (low, high) in found.items()
        if name in trained and (low, high) != (None, None)
    }
