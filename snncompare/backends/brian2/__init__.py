"""Brian2 runs the network: the reference for every other backend."""

from snncompare.backends.brian2.backend import Brian2Backend

__all__ = ["Brian2Backend"]
