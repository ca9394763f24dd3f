"""Put the dataset cards into a built wheel; an editable installation reads them where they lie."""

from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class Cards(BuildHookInterface):
    """Maps the folder ``datasets`` to ``snncompare/datasets/cards`` in wheels that are not editable."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Add the mapping before a wheel is built."""
        if version == "standard":
            build_data["force_include"]["datasets"] = "snncompare/datasets/cards"
