"""The chip profiles that come with the package, by name."""

from snncompare.backends.analog.profiles.profile import ChipProfile
from snncompare.backends.analog.profiles.shipped import shipped

__all__ = ["chip_profiles"]


def chip_profiles() -> dict[str, str]:
    """Return the names of the profiles that come with the package, and what each is in one line."""
    return {name: ChipProfile.load(name).title for name in shipped()}
