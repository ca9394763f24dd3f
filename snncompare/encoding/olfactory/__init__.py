"""Smell: olfactory receptor neurons and what their convergence makes of them."""

__all__: list[str] = []
