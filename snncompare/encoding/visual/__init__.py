"""What the eye and the event camera see: eye movements, retinas, and cameras that imitate them."""

__all__: list[str] = []
