"""The verb ``dataset get``: fetch the files of a dataset, with their licence shown and their hashes checked."""

from collections.abc import Callable

from snncompare.errors import one_line

__all__ = ["get_dataset"]


def get_dataset(given: str, say: Callable[[str], None] = lambda _: None) -> str:
    """Return where the files of a dataset lie, after those that are not here were fetched.

    Parameters
    ----------
    given : str
        Name, or path of a card.
    say : callable
        Takes a line of progress.

    Raises
    ------
    SnncompareError
        For a name that does not exist, files that cannot be had, or a hash that is another one.
    """
    from snncompare import datasets
    from snncompare.datasets.fetch import fetch

    card = datasets.card(given)
    say(f"{card.name}: licence {one_line(card.licence)}")
    found = fetch(card)
    if not found:
        return f"'{card.name}' needs no files; it is generated when it is used."
    return "\n".join(f"{name}: {path}" for name, path in found.items())
