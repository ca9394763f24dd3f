"""Touch: afferents of the skin of the hand."""

__all__: list[str] = []
