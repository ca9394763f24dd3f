"""Brian2's C++ standalone mode for the time of one run, in a folder that is removed afterwards."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import brian2
from brian2.devices.device import runtime_device

__all__ = ["StandaloneDevice", "standalone_device"]


@dataclass(frozen=True)
class StandaloneDevice:
    """Brian2's device that writes a C++ project into `directory`."""

    directory: Path

    def build_and_run(self) -> None:
        """Compile what was described while the device was active, and run it."""
        brian2.device.build(directory=str(self.directory), compile=True, run=True, with_output=False, clean=False)


@contextmanager
def standalone_device() -> Iterator[StandaloneDevice]:
    """Let Brian2 collect what is made here for a C++ program; afterwards Brian2 runs in Python again."""
    before = brian2.get_device()
    with TemporaryDirectory(prefix="snncompare-") as directory:
        brian2.set_device("cpp_standalone", build_on_run=False, directory=directory)
        try:
            yield StandaloneDevice(Path(directory))
        finally:
            brian2.device.reinit()
            brian2.set_device("runtime" if before is runtime_device else before)
