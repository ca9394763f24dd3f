"""What a chip can hold and compute, and in how many runs; refusals with the nearest legal value."""

__all__: list[str] = []
