"""Samples of the datasets: stimuli that are read or generated, and recordings, each by the name that cards use."""

__all__: list[str] = []
