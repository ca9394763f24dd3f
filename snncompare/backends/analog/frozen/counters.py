r"""Random numbers by counter: a value depends on its key and its index, on nothing that was drawn before.

The key (for example the device seed and the name of a parameter) is hashed to 64 bits; every index is added, times the
golden ratio, and mixed in by the finaliser of SplitMix64 (Steele, Lea and Flood 2014, OOPSLA, fig. 15). So the draw of
neuron 7 is the same however many neurons there are and in whatever order they are asked for.
"""

import hashlib
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["Key", "bits", "normal", "uniform"]

Key = tuple[str | int, ...]
"""What a draw is for: texts and whole numbers; a whole number of numpy is the same as one of Python."""

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_FIRST, _SECOND = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)


def bits(key: Key, *index: Any) -> NDArray[np.uint64]:
    """Return 64 random bits for each index.

    Parameters
    ----------
    key : tuple of str and int
    index : int or int array
        One or several, broadcast against each other; put those that vary least in front. Negative numbers are allowed.
    """
    text = "\x1f".join(f"{'str' if isinstance(part, str) else 'int'}:{part}" for part in key)
    digest = hashlib.blake2b(text.encode(), digest_size=8).digest()
    found = np.array(int.from_bytes(digest, "little"), dtype=np.uint64)
    with np.errstate(over="ignore"):
        for each in index or (0,):
            step = np.asarray(each, dtype=np.int64).astype(np.uint64) + np.uint64(1)
            found = _mixed(found + step * _GOLDEN)
    return found


def uniform(key: Key, *index: Any) -> NDArray[np.float64]:
    """Return numbers spread evenly over (0, 1), both ends excluded; arguments as for `bits`."""
    return ((bits(key, *index) >> np.uint64(12)).astype(np.float64) + 0.5) * 2.0**-52


def normal(key: Key, *index: Any) -> NDArray[np.float64]:
    """Return numbers of a standard normal distribution, by the inverse of its distribution function."""
    from scipy.special import ndtri

    return np.asarray(ndtri(uniform(key, *index)))


def _mixed(state: Any) -> Any:
    state = (state ^ (state >> np.uint64(30))) * _FIRST
    state = (state ^ (state >> np.uint64(27))) * _SECOND
    return state ^ (state >> np.uint64(31))
