"""Independent streams of randomness from one seed sequence."""

import numpy as np

__all__ = ["child"]


def child(randomness: np.random.SeedSequence, number: int) -> np.random.SeedSequence:
    """Return the child with this number, as ``randomness.spawn`` would, but leave the parent as it is.

    So a second call with the same numbers gives the same stream.
    """
    return np.random.SeedSequence(randomness.entropy, spawn_key=(*randomness.spawn_key, number))
