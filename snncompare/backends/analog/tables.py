"""What a chip made of a network, as a short summary: asked, got, and what is not emulated."""

from typing import TYPE_CHECKING, Any

import numpy as np

from snncompare.backends.analog.frozen.opened import ALIVE
from snncompare.backends.analog.reading.roles import POTENTIALS

if TYPE_CHECKING:
    import pandas as pd

    from snncompare.backends.analog.chip import Chip

__all__ = ["chip_table"]

_COLUMNS = ("where", "what", "role", "asked", "got", "cv", "emulated", "note")


def chip_table(chip: "Chip") -> "pd.DataFrame":
    """Return a row for each parameter, projection and mask of a chip, and one for each thing it leaves out.

    See `Chip.table`.
    """
    import pandas as pd

    rows: list[dict[str, Any]] = []
    asked = chip.opened()
    for population, maps in chip.parameter_maps.items():
        for name, one in maps.items():
            if name == ALIVE and population in chip.dead:
                continue
            role, before = chip.roles[population][name], asked.values[population][name]
            got = one.apply(before)
            unit = chip.distances.get(population, got) if role in POTENTIALS else got
            size = abs(float(np.mean(unit)))
            rows.append(_row(population, name, str(role), before, got, float(np.std(got)) / size if size else 0.0))
    for projection, one_map in chip.weight_maps.items():
        before = asked.connections[projection].weight
        got = one_map.apply(before)
        factor = one_map.factor
        spread = 0.0 if factor is None or not factor.size else float(np.std(factor) / np.mean(factor))
        rows.append(_row(projection, "weight", "weight", before, got, spread))
    for population, dead in chip.dead.items():
        note = f"{int(dead.sum())} of {dead.size} neurons never fire"
        rows.append({"where": population, "what": "dead neurons", "emulated": True, "note": note})
    rows += [{"where": _where(sentence), "emulated": False, "note": sentence} for sentence in chip.left_out]
    return pd.DataFrame(rows, columns=list(_COLUMNS))


def _row(where: str, what: str, role: str, asked: Any, got: Any, cv: float) -> dict[str, Any]:
    means = (float(np.mean(each)) if np.size(each) else 0.0 for each in (asked, got))
    return dict(zip(_COLUMNS, (where, what, role, *means, cv, True, ""), strict=True))


def _where(sentence: str) -> str:
    return sentence.split("'")[1] if sentence.startswith(("population '", "projection '")) else ""
