"""Where the files of the chip profiles are: those that come with the package, by name, and those of users, by path."""

from importlib.resources import files
from pathlib import Path

from snncompare.errors import InputError, unknown

__all__ = ["path_of", "shipped"]

_SUFFIXES = (".yaml", ".yml", ".json")


def shipped() -> dict[str, Path]:
    """Return the files of the profiles that come with the package, by name."""
    folder = Path(str(files("snncompare.backends.analog") / "profiles"))
    return {path.stem: path for path in sorted(folder.glob("*.yaml"))}


def path_of(name_or_path: str | Path) -> Path:
    """Return the file of a profile given by name or path.

    Raises
    ------
    InputError
        If it is neither a path nor the name of a profile.
    """
    named = shipped()
    if isinstance(name_or_path, str) and name_or_path in named:
        return named[name_or_path]
    if not isinstance(name_or_path, str | Path):
        raise InputError(
            f"a chip profile is given by name or path, got {type(name_or_path).__name__}; names: {', '.join(named)}."
        )
    path = Path(name_or_path)
    if path.suffix.lower() in _SUFFIXES or len(path.parts) > 1:
        return path
    raise InputError(f"{unknown('chip profile', name_or_path, named)} A file must end on .yaml or .json.")
