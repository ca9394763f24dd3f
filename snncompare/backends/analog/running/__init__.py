"""What changes on chips from run to run: noise, events on their way, saturation, read-out."""

__all__: list[str] = []
