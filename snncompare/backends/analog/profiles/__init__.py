"""Chips as values: every number of their imperfections and limits with evidence and source; the shipped files."""

__all__: list[str] = []
