"""Every encoder by name, and the values encoders are made of: the table that cards and configurations choose from."""

from collections.abc import Mapping
from typing import Any

from snncompare.encoding.description import made
from snncompare.encoding.encoder import Encoder
from snncompare.errors import InputError

__all__ = ["KINDS", "encoder"]

KINDS = {
    "ReceptorPopulation": "snncompare.encoding.receptors",
}
"""Name of a class -> the module it stands in."""


def encoder(data: Mapping[str, Any]) -> Encoder:
    """Return the encoder that plain data describe: ``{"kind": "ReceptorPopulation", "size": 20}``.

    Raises
    ------
    InputError
        For a kind that does not exist or is no encoder, parameters it has not, or values it refuses.
    """
    value = made(data, KINDS, "encoder")
    if not isinstance(value, Encoder):
        raise InputError(f"an encoder is described by its kind and parameters, got {dict(data)!r:.100}.")
    return value
