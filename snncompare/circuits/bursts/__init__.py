"""Circuits whose pyramidal neurons send two signals at once: events upwards, bursts downwards."""

__all__: list[str] = []
