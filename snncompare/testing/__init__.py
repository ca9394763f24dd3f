"""What tests may import, ours and other people's: backend conformance, and populations whose code is known."""

from typing import Any

__all__ = ["check_backend", "conformance_checks"]


def __getattr__(name: str) -> Any:
    if name in __all__:
        from snncompare.testing import conformance

        return getattr(conformance, name)
    raise AttributeError(f"module 'snncompare.testing' has no attribute '{name}'")
