"""File formats of spike datasets, each read lazily as a source of spikes and written from one."""

__all__: list[str] = []
