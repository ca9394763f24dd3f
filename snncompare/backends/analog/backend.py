"""Compile a description for emulated chips: the frozen devices, and an engine that runs them."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from snncompare.backends.analog.chip import deploy_many
from snncompare.backends.analog.limits.ranges import check_limits
from snncompare.backends.analog.profiles.profile import ChipProfile
from snncompare.backends.analog.program import ENGINES, AnalogProgram
from snncompare.backends.program import Backend
from snncompare.backends.realisation import Realisation
from snncompare.backends.registry import backend_named
from snncompare.errors import InputError, UnsupportedError, unknown
from snncompare.network.network import Network

__all__ = ["AnalogBackend"]

_MOST_DEVICES = 100_000


class AnalogBackend(Backend):
    """Runs networks on emulated chips.

    Options of `compile`: ``profile`` (a `ChipProfile`, the name of one, or a path; default ``"ideal"``);
    ``device_seed`` (which chip, or several: then every trial is carried out by each); ``engine`` (``"torch"`` runs
    devices side by side, ``"brian2"`` and ``"fused"`` one after the other, ``"fused"`` only what is frozen); ``roles``
    (population to mapping from parameter to its role, where the equations are read wrongly, see `roles_of`);
    ``measured`` (a table that is used instead of draws, see `deploy`). All others are those of the engine.
    """

    name = "analog"

    def missing(self, network: Network) -> tuple[str, ...]:  # noqa: ARG002 - depends on the engine, see compile
        """Return nothing: what a chip cannot do depends on its profile and on the engine, and `compile` refuses it."""
        return ()

    def compile(
        self, network: Network, *, dt: float, dtype: str, realisation: Realisation, **options: Any
    ) -> AnalogProgram:
        """Return the network on the chips.

        Raises
        ------
        InputError
            For an option that does not exist, and for what is outside the range of the chip.
        UnsupportedError
            For what the engine cannot run.
        """
        profile = _profile(options.pop("profile", "ideal"))
        seeds = _seeds(options.pop("device_seed", 0))
        engine = options.pop("engine", "torch")
        roles, measured = options.pop("roles", None), options.pop("measured", None)
        if engine not in ENGINES:
            raise InputError(unknown("engine", engine, ENGINES))
        check_limits(network, realisation, profile, dt, roles)
        fleet = deploy_many(
            network, profile, device_seeds=seeds, weights=realisation, dt=f"{dt!r} s", roles=roles, measured=measured
        )
        lacking = backend_named(engine).missing(fleet.network)
        if lacking:
            raise UnsupportedError(f"the engine '{engine}' cannot run '{network.name}': {'; '.join(lacking)}.")
        return AnalogProgram(fleet, realisation, dt=dt, dtype=dtype, engine=engine, options=options, roles=roles)


def _profile(given: Any) -> ChipProfile:
    if isinstance(given, ChipProfile):
        return given
    if isinstance(given, str | Path):
        return ChipProfile.load(given)
    raise InputError(f"profile is a ChipProfile, the name of one or a path, got {type(given).__name__}.")


def _seeds(given: Any) -> tuple[int, ...]:
    """Return device seeds, each a whole number from 0 on, no two the same."""
    several = isinstance(given, Sequence | range | np.ndarray) and not isinstance(given, str | bytes | Mapping)
    seeds = list(given) if several else [given]
    for seed in seeds:
        if isinstance(seed, bool) or not isinstance(seed, int | np.integer) or not 0 <= seed < 2**63:
            raise InputError(f"device_seed is a whole number from 0 to 2**63 - 1, or several, got {seed!r:.40}.")
    if not seeds or len(set(seeds)) != len(seeds) or len(seeds) > _MOST_DEVICES:
        raise InputError(f"device_seed needs 1 to {_MOST_DEVICES:,} different seeds, got {given!r:.60}.")
    return tuple(int(seed) for seed in seeds)
