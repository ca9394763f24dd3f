"""How many threads a step of a network is worth."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch

__all__ = ["threads_for"]

WORTH_A_THREAD = 200_000
"""State elements (batch x neurons) per thread below which waiting for each other costs more than it saves."""


@contextmanager
def threads_for(elements: int) -> Iterator[None]:
    """Let torch use as many threads as steps over `elements` state elements are worth, then as many as before.

    A network step is many small operations; on two busy cores, 6400 elements took 5 s per training step with two
    threads and 0.4 s with one.
    """
    before = torch.get_num_threads()
    torch.set_num_threads(max(1, min(before, elements // WORTH_A_THREAD)))
    try:
        yield
    finally:
        torch.set_num_threads(before)
