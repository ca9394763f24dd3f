"""Projections between cell types from a table: a circuit motif."""

from collections.abc import Mapping
from typing import Any

from snncompare.errors import DescriptionError, unknown
from snncompare.network.network import Population, Projection
from snncompare.network.wiring import FixedProbability

__all__ = ["motif"]


def motif(
    populations: Mapping[str, Population], table: Mapping[tuple[str, str], Mapping[str, Any]], **common: Any
) -> dict[str, Projection]:
    """Return the projections between populations that a table of cell types describes.

    Parameters
    ----------
    populations : mapping
        Name to population. Its cell type is its ``cell_type``, or its name where that is not given.
    table : mapping
        (cell type of the source, cell type of the target) to fields of the `Projection`: ``synapse``, ``weight`` and so
        on, and as a shorthand ``p`` for ``wiring=FixedProbability(p=p)``. With ``p`` = 0 there is no projection.
    **common
        Fields of all projections that do not name them themselves.

    Returns
    -------
    dict
        One projection for each pair of populations of the two cell types, called ``<source>_to_<target>``.

    Raises
    ------
    DescriptionError
        For a cell type that no population has, or fields that make no projection.

    Examples
    --------
    >>> from snncompare.network.neurons import leaky_integrate_and_fire
    >>> from snncompare.network.synapses import delta
    >>> cells = {name: Population(size=10, neuron=leaky_integrate_and_fire()) for name in ("E", "PV")}
    >>> weak, strong = ({"type": "Constant", "value": f"{w} mV"} for w in (0.1, -0.5))
    >>> table = {("E", "PV"): {"p": 0.2, "weight": weak}, ("PV", "E"): {"p": 0.5, "weight": strong}}
    >>> list(motif(cells, table, synapse=delta()))
    ['E_to_PV', 'PV_to_E']
    """
    types: dict[str, list[str]] = {}
    for name, population in populations.items():
        types.setdefault(population.cell_type or name, []).append(name)
    projections = {}
    for pair, rule in table.items():
        for cell_type in pair:
            if cell_type not in types:
                raise DescriptionError(unknown("cell type", cell_type, types))
        fields = {**common, **rule}
        if fields.get("p") == 0:
            continue
        for source in types[pair[0]]:
            for target in types[pair[1]]:
                projections[f"{source}_to_{target}"] = _projection(source, target, fields)
    return projections


def _projection(source: str, target: str, fields: Mapping[str, Any]) -> Projection:
    own = dict(fields)
    try:
        if "p" in own:
            if "wiring" in own:
                raise DescriptionError("give either 'p' or 'wiring', not both.")
            own["wiring"] = FixedProbability(p=own.pop("p"))
        return Projection(source=source, target=target, **own)
    except DescriptionError as error:
        raise DescriptionError(f"from '{source}' to '{target}': {error}") from error
