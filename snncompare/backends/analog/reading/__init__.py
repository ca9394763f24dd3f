"""What the equations of a network say of its parameters, in the words of chips."""

__all__: list[str] = []
