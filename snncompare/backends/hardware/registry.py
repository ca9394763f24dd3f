"""Find hardware without assuming any: adapters by name, nothing of a vendor imported before it is asked for."""

from collections.abc import Iterable
from importlib.metadata import EntryPoint, entry_points
from importlib.util import find_spec

from snncompare.backends.hardware.adapter import HardwareAdapter
from snncompare.errors import InputError, MissingDependencyError, UnsupportedError, one_line, unknown

__all__ = ["GROUP", "adapter_named", "adapters", "connect", "is_importable", "is_ours"]

GROUP = "snncompare.hardware"
"""Group of entry points by which other packages offer adapters."""

_OURS = {"brainscales2": "snncompare.backends.hardware.brainscales2:BrainScaleS2"}
_INSTEAD = (
    "emulate a chip with sc.compile(network, backend='analog', profile='bss2_calibrated'), which needs no hardware"
)


def is_importable(module: str) -> bool:
    """Return whether a top-level module could be imported, without importing it.

    Examples
    --------
    >>> is_importable("json"), is_importable("no_such_module")
    (True, False)
    """
    try:
        return find_spec(module) is not None
    except (ImportError, ValueError):
        return False


def adapters() -> dict[str, EntryPoint]:
    """Return all adapters by name, ours first; none of them is imported."""
    found = {name: EntryPoint(name, value, GROUP) for name, value in _OURS.items()}
    for point in sorted(entry_points(group=GROUP), key=lambda point: point.name):
        found.setdefault(point.name, point)
    return found


def is_ours(name: str) -> bool:
    """Return whether an adapter comes with this package, so that loading it imports nothing of a vendor."""
    return name in _OURS


def adapter_named(name: str) -> HardwareAdapter:
    """Return an adapter; one of another package is imported now.

    Raises
    ------
    InputError
        If no adapter has that name.
    MissingDependencyError
        If another package's adapter cannot be imported.
    UnsupportedError
        If it is no adapter, or fails in any other way.
    """
    found = adapters()
    if name not in found:
        raise InputError(unknown("hardware adapter", name, found))
    try:
        adapter = found[name].load()()
    except ModuleNotFoundError as error:
        raise MissingDependencyError(
            f"the hardware adapter '{name}' needs '{error.name}', which is not installed; {_INSTEAD}."
        ) from error
    except Exception as error:  # somebody else's package can fail in any way
        raise UnsupportedError(
            f"the hardware adapter '{name}' cannot be made ({one_line(f'{type(error).__name__}: {error}', 200)})."
        ) from error
    if not isinstance(adapter, HardwareAdapter):
        raise UnsupportedError(f"the hardware adapter '{name}' is no HardwareAdapter but {type(adapter).__name__}.")
    return adapter


def connect(name: str | None = None) -> HardwareAdapter:
    """Return an adapter whose hardware can be used from here.

    Parameters
    ----------
    name : str, optional
        Default: the first of ours that can be used.

    Raises
    ------
    UnsupportedError
        Where there is no hardware: one sentence that says what was looked for and what to do instead.
    """
    names = [name] if name is not None else [known for known in adapters() if is_ours(known)]
    lacking = {}
    for each in names:
        adapter = adapter_named(each)
        found = adapter.available()
        if found:
            return adapter
        lacking[each] = found.reason
    raise UnsupportedError(_no_hardware(lacking.items()))


def _no_hardware(lacking: Iterable[tuple[str, str]]) -> str:
    looked = "; ".join(f"{name}: {reason}" for name, reason in lacking)
    return f"no neuromorphic hardware can be used from here ({looked}); {_INSTEAD}."
