"""Gradients computed along with a run, by traces: memory does not depend on the number of steps."""

__all__: list[str] = []
