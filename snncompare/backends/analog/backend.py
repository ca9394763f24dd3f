"""Compile a description for emulated chips: the frozen devices, and an engine that runs them."""

from pathlib import Path
from typing import Any

from snncompare.backends.analog.chip import deploy_many, seeds_of_devices
from snncompare.backends.analog.limits.ranges import check_limits
from snncompare.backends.analog.profiles.profile import ChipProfile
from snncompare.backends.analog.program import ENGINES, AnalogProgram
from snncompare.backends.program import Backend
from snncompare.backends.realisation import Realisation
from snncompare.backends.registry import backend_named
from snncompare.errors import InputError, UnsupportedError, unknown
from snncompare.network.network import Network

__all__ = ["AnalogBackend"]


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
        seeds = seeds_of_devices(options.pop("device_seed", 0))
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
