"""Letters that say which of several models differ, instead of lines between all pairs."""

from collections.abc import Iterable, Sequence
from string import ascii_lowercase

from snncompare.errors import InputError, unknown

__all__ = ["compact_letters"]


def compact_letters(names: Sequence[str], different: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Return the letters of each name, such that two names share a letter if and only if they do not differ.

    Each letter stands for a maximal set of names of which no two differ (a maximal clique of the graph of pairs
    that do not differ, found by the algorithm of Bron & Kerbosch 1973). Sets are lettered by their first name.

    Parameters
    ----------
    names : sequence of str
        In the order in which letters are given out.
    different : iterable of (str, str)
        The pairs that differ.

    Raises
    ------
    InputError
        If a pair names something else.

    Source
    ------
    Piepho (2004), Journal of Computational and Graphical Statistics 13:456-466 (the display);
    Bron & Kerbosch (1973), Communications of the ACM 16:575-577, algorithm 457 (maximal cliques).

    Examples
    --------
    >>> compact_letters(["a", "b", "c"], [("a", "c")])
    {'a': 'a', 'b': 'ab', 'c': 'b'}
    """
    alike = {name: set(names) - {name} for name in names}
    for first, second in different:
        for name in (first, second):
            if name not in alike:
                raise InputError(unknown("name", name, names))
        alike[first].discard(second)
        alike[second].discard(first)
    cliques: list[set[str]] = []

    def grow(clique: set[str], candidates: set[str], done: set[str]) -> None:
        if not candidates and not done:
            cliques.append(clique)
        for name in [n for n in names if n in candidates]:
            grow(clique | {name}, candidates & alike[name], done & alike[name])
            candidates = candidates - {name}
            done = done | {name}

    grow(set(), set(names), set())
    position = {name: i for i, name in enumerate(names)}
    cliques.sort(key=lambda clique: sorted(position[name] for name in clique))
    return {n: "".join(_letter(i) for i, clique in enumerate(cliques) if n in clique) for n in names}


def _letter(i: int) -> str:
    return ascii_lowercase[i] if i < 26 else f"({i + 1})"
