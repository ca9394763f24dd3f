"""What an adapter to real neuromorphic hardware offers: whether it is there, what it can hold, and a run on it."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from snncompare.backends.realisation import Realisation
from snncompare.errors import InputError
from snncompare.network.network import Network
from snncompare.recording.recording import Recording
from snncompare.units import QuantityLike

if TYPE_CHECKING:
    from snncompare.backends.analog.profiles.profile import ChipProfile

__all__ = ["Availability", "HardwareAdapter"]


@dataclass(frozen=True)
class Availability:
    """Whether hardware can be used from here, and why, in words.

    Parameters
    ----------
    usable : bool
    reason : str
        What was found or what is lacking, as part of a sentence; not empty.

    Raises
    ------
    InputError
        Without a reason.
    """

    usable: bool
    reason: str

    def __post_init__(self) -> None:
        if not self.reason.strip():
            raise InputError("an availability says why, also where hardware can be used; give reason='...'.")

    def __bool__(self) -> bool:
        return self.usable


class HardwareAdapter(ABC):
    """A way to a chip that is really there.

    A package offers its own by an entry point of the group ``snncompare.hardware`` that names the subclass, which is
    called without arguments. To ask `available` must have no side effect: no library of the hardware is imported and no
    device is touched; `snncompare.backends.hardware.registry.is_importable` looks for a library without importing it.

    Attributes
    ----------
    name : str
    """

    name: str

    @abstractmethod
    def available(self) -> Availability:
        """Return whether the hardware can be used from here; nothing is imported, nothing is started."""

    @abstractmethod
    def limits(self) -> "ChipProfile":
        """Return the profile of the chip: what it can hold, and how imperfect an emulation of it should be."""

    @abstractmethod
    def run(
        self,
        network: Network,
        realisation: Realisation,
        inputs: Mapping[str, Recording],
        *,
        duration: QuantityLike,
        record: Sequence[str] | None = None,
    ) -> Recording:
        """Return what the chip did, in biological time.

        Parameters
        ----------
        network : Network
            As it is asked for; what the chip makes of it is the chip's own imperfection.
        realisation : Realisation
            The weights that are asked for, complete; they are rounded to what the chip holds.
        inputs : mapping of str to Recording
            As in `snncompare.backends.program.Program.run`: for each spike source one unit per neuron, the same trials.
        duration : quantity
            Length of every trial, biological time.
        record : sequence of str, optional
            Populations to record, and traces as ``"cells.v"`` where the chip measures them.

        Raises
        ------
        MissingDependencyError, UnsupportedError
            Where the hardware cannot be used from here, or cannot do what is asked.
        InputError
            For a network that the chip cannot hold, or inputs that do not fit to it.
        """
