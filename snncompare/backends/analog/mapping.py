"""What was asked for and what the chip got, side by side: parameters with a role, weights, dead neurons."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from snncompare.backends.analog.frozen.opened import ALIVE
from snncompare.backends.analog.profiles.evidence import Stated
from snncompare.backends.analog.profiles.measured import Measured
from snncompare.backends.analog.profiles.profile import ChipProfile
from snncompare.backends.analog.profiles.sections import TIMES
from snncompare.backends.analog.reading.asked import Asked, asked_of, potentials_of
from snncompare.backends.analog.reading.roles import POTENTIALS, Role
from snncompare.backends.realisation import Realisation
from snncompare.network.network import Network
from snncompare.units import TIME, base_unit, parse_unit

if TYPE_CHECKING:
    import pandas as pd

    from snncompare.backends.analog.chip import Chip

__all__ = ["COLUMNS", "mapping"]

COLUMNS = (
    "kind",
    "where",
    "name",
    "role",
    "unit",
    "asked",
    "legal_low",
    "legal_high",
    "on_chip",
    "chip_unit",
    "got",
    "got_sd",
    "got_lowest",
    "got_highest",
    "largest_change",
    "clipped",
    "evidence",
    "source",
)


def mapping(
    network: Network,
    realisation: Realisation,
    profile: ChipProfile,
    chip: "Chip",
    roles: Mapping[str, Mapping[str, Role | str | None]] | None = None,
    *,
    dt: float | None = None,
) -> "pd.DataFrame":
    """Return what was asked for and what the chip got.

    Parameters
    ----------
    network : Network
        What was asked for. Numbers that stand in its equations without a name appear under the name that they have in
        ``chip.network``.
    realisation : Realisation
        Its weights and values of single neurons.
    profile : ChipProfile
    chip : Chip
        One device; what it made of the values is read from its maps.
    roles : mapping, optional
        Population to parameter to role; by default those of the chip.
    dt : float, optional
        Time step in seconds, of chips whose times are whole steps.

    Returns
    -------
    pandas.DataFrame
        One row per parameter, per projection and per population with dead neurons. ``kind`` is ``parameter``,
        ``weights`` or ``dead neurons``; ``where`` the population or projection; ``asked`` the mean in SI ``unit`` (of
        weights the largest magnitude); ``legal_low``, ``legal_high`` the range of the chip in the same unit;
        ``on_chip`` what is written to the chip in ``chip_unit`` (hardware time, LSB; of weights LSB per SI unit);
        ``got``, ``got_sd``, ``got_lowest``, ``got_highest`` over neurons or synapses; ``largest_change`` the largest
        difference between got and asked over the largest magnitude asked; ``clipped`` the share of weights beyond the
        range; ``evidence`` and ``source`` those of the number which decides the spread (of weights the largest of
        ``cv``, ``gain_cv`` and ``polarity_cv``), ``user`` and the table's where the spread was measured. What does not
        apply is missing.
    """
    import pandas as pd

    rows: list[dict[str, Any]] = []
    opened = chip.opened(realisation)
    for name in network.populations:
        asked = asked_of(chip.network, name, opened, (roles or chip.roles).get(name))
        rows += [_parameter(name, one, asked, chip, profile, dt) for one in asked.values() if one.name != ALIVE]
    for name, connections in realisation.connections.items():
        if connections.n_synapses:
            unit = base_unit(parse_unit(network.projections[name].synapse.weight_unit)[1])
            rows.append(_weights(name, connections.weight, unit, chip, profile))
    rows += list(_dead(profile, chip))
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _parameter(
    population: str, one: Asked, asked: Mapping[str, Asked], chip: "Chip", profile: ChipProfile, dt: float | None
) -> dict[str, Any]:
    there = potentials_of(asked)
    low, high = _bounds(one, there, profile, dt)
    on_chip, chip_unit = _on_chip(one, there, profile, dt)
    made = chip.parameter_maps.get(population, {}).get(one.name)
    got = one.raw if made is None else made.apply(one.raw)
    spread, measured = profile.parameter(one.role), chip.plan.measured.get(population, {}).get(one.role)
    return {
        "kind": "parameter",
        "where": population,
        "name": one.name,
        "role": str(one.role),
        "unit": base_unit(one.raw_dimension),
        "asked": float(one.raw.mean()),
        "legal_low": low,
        "legal_high": high,
        "on_chip": on_chip,
        "chip_unit": chip_unit,
        **_got(one.raw, got),
        **_known_from(measured, spread.sd_fraction if one.role in POTENTIALS else spread.cv),
    }


def _known_from(measured: Measured | None, size: Stated) -> dict[str, str]:
    """Return evidence and source of a spread: of the user's table where there is one, else of the profile's number."""
    if measured is not None:
        return {"evidence": "user", "source": measured.source}
    return {"evidence": size.evidence, "source": size.source}


def _got(asked: NDArray[np.float64], got: NDArray[np.float64]) -> dict[str, float]:
    largest = float(np.abs(asked).max(initial=0.0))
    change = float(np.abs(got - asked).max(initial=0.0))
    return {
        "got": float(got.mean()),
        "got_sd": float(got.std()),
        "got_lowest": float(got.min()),
        "got_highest": float(got.max()),
        "largest_change": change / largest if largest else change,
    }


def _bounds(
    one: Asked, potentials: tuple[float, float] | None, profile: ChipProfile, dt: float | None
) -> tuple[float | None, float | None]:
    """Return the legal range in the unit of the description; none where that is not the quantity of the chip."""
    in_steps = any(edge is not None and edge.unit == "step" for edge in _edges(one.role, profile))
    if one.raw_dimension != one.dimension or (in_steps and dt is None) or (one.role in TIMES and one.dimension != TIME):
        return None, None
    leak, threshold = potentials if potentials is not None else (None, None)
    return profile.bounds(one.role, leak=leak, threshold=threshold, dt=dt)


def _edges(role: Role, profile: ChipProfile) -> tuple[Stated | None, Stated | None]:
    there = profile.parameter(role)
    return there.low, there.high


def _on_chip(
    one: Asked, potentials: tuple[float, float] | None, profile: ChipProfile, dt: float | None
) -> tuple[float | None, str | None]:
    """Return the mean that was asked for in the unit of the chip: hardware time in microseconds, steps, or LSB."""
    if one.role in TIMES and one.dimension == TIME:
        if dt is not None and profile.kind == "digital":
            return one.mean / dt, "step"
        return one.mean / profile.speedup.value * 1e6, "us"
    at_leak, at_threshold = profile.parameter(Role.LEAK).target, profile.parameter(Role.THRESHOLD).target
    if one.role not in POTENTIALS or potentials is None or at_leak is None or at_threshold is None:
        return None, None
    leak, threshold = potentials
    per_step = (threshold - leak) / (at_threshold.value - at_leak.value)
    return (at_leak.value + (one.mean - leak) / per_step, "LSB") if per_step else (None, None)


def _weights(name: str, asked: NDArray[np.float64], unit: str, chip: "Chip", profile: ChipProfile) -> dict[str, Any]:
    weights, target = profile.weights, chip.network.projections[name].target
    widest = max((weights.cv, weights.gain_cv, weights.polarity_cv), key=lambda size: size.value)
    made = chip.weight_maps.get(name)
    scale = None if made is None or not made.quantises else made.scale_of(asked)
    got = asked if made is None else made.apply(asked)
    low, high, clipped = None, None, 0.0
    if made is not None and scale is not None:
        low, high = (edge / scale if np.isfinite(edge) else None for edge in (made.low, made.high))
        written = np.rint(asked * scale) if made.rounds else asked * scale
        clipped = float(((written < made.low) | (written > made.high)).mean())
    return {
        "kind": "weights",
        "where": name,
        "name": "weight",
        "role": "weight",
        "unit": unit,
        "asked": float(np.abs(asked).max()),
        "legal_low": low,
        "legal_high": high,
        "on_chip": scale,
        "chip_unit": None if scale is None else "LSB per unit",
        **_got(asked, got),
        "clipped": clipped,
        **_known_from(chip.plan.measured.get(target, {}).get("weight_gain"), widest),
    }


def _dead(profile: ChipProfile, chip: "Chip") -> Iterator[dict[str, Any]]:
    for name, dead in chip.dead.items():
        if dead.any():
            share = float(dead.mean())
            yield {
                "kind": "dead neurons",
                "where": name,
                "name": "share",
                "asked": 0.0,
                "got": share,
                "largest_change": share,
                **_known_from(None, profile.neurons.dead_fraction),
            }
