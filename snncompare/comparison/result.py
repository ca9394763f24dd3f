"""The outcome of a comparison: tables, ceiling, resamples, and what cannot be told."""

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd
import xarray as xr

from snncompare.comparison.ceiling import Ceiling
from snncompare.comparison.measures import Measure, measure_named
from snncompare.comparison.summary import summary_text
from snncompare.errors import FileError

__all__ = ["Result", "labelled_resamples"]

TEXT = ("model", "model_a", "model_b", "metric", "verdict")


@dataclass(frozen=True, eq=False)
class Result:
    """How similar every model is to the data at every (metric, time scale), with what is known about it.

    Attributes
    ----------
    table : pandas.DataFrame
        ``model, metric, time_scale`` (seconds), ``similarity``, ``ci_low, ci_high`` (95 %), ``p`` (one-sided,
        against no relation), ``p_corrected`` (Holm, over all rows), ``ceiling_low, ceiling_high``, ``verdict``
        (match, partial, related, no match).
    differences : pandas.DataFrame
        ``metric, time_scale, model_a, model_b, difference`` (similarity of a minus b), ``ci_low, ci_high``, ``p``
        (two-sided), ``p_corrected`` (Holm, over all rows).
    measure : Measure
    resampled : str
        What the intervals generalise over.
    statements : tuple of str
        What cannot be told.
    seed : int
    provenance : dict
        JSON: versions and arguments.
    ceiling : Ceiling or None
        The one of the table: of the widest question that the data allow.
    ceilings : tuple of Ceiling
        All of them; `Ceiling.question` says what each answers.
    resamples : xarray.DataArray or None
        Similarities of the resamples, dimensions ``metric_index, model, resample``; coordinates ``metric`` and
        ``time_scale`` on ``metric_index``.
    """

    table: pd.DataFrame
    differences: pd.DataFrame
    measure: Measure
    resampled: str
    statements: tuple[str, ...]
    seed: int
    provenance: dict[str, Any] = field(default_factory=dict)
    ceiling: Ceiling | None = None
    resamples: xr.DataArray | None = None
    ceilings: tuple[Ceiling, ...] = ()

    def best(self) -> "pd.Series[Any]":
        """Return the row of the table with the largest similarity among those above chance, else among all."""
        above = self.table[self.table["verdict"] != "no match"]
        rows = self.table if above.empty else above
        return rows.iloc[int(rows["similarity"].argmax())]

    def summary(self) -> str:
        """Return the outcome in a few sentences."""
        return summary_text(self)

    def save(self, directory: str | Path) -> Path:
        """Write ``table.csv``, ``differences.csv``, ``result.json`` and, if any, ``resamples.csv``; return the folder.

        ``resamples.csv`` has one line per resample and one column per (metric, time scale) and model.
        """
        folder = Path(directory)
        folder.mkdir(parents=True, exist_ok=True)
        self.table.to_csv(folder / "table.csv", index=False)
        self.differences.to_csv(folder / "differences.csv", index=False)
        rest = {
            "measure": type(self.measure).__name__,
            "resampled": self.resampled,
            "statements": list(self.statements),
            "seed": self.seed,
            "ceiling": None if self.ceiling is None else asdict(self.ceiling),
            "ceilings": [asdict(ceiling) for ceiling in self.ceilings],
            "summary": self.summary(),
            "provenance": self.provenance,
        }
        (folder / "result.json").write_text(json.dumps(rest, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
        resamples = folder / "resamples.csv"
        if self.resamples is None:
            resamples.unlink(missing_ok=True)
        else:
            flat = self.resamples.values.reshape(-1, self.resamples.sizes["resample"]).T
            places = zip(self.table["model"], self.table["metric"], self.table["time_scale"], strict=True)
            names = [" | ".join(map(str, place)) for place in places]
            pd.DataFrame(flat, columns=names).to_csv(resamples, index=False)
        return folder

    @classmethod
    def load(cls, directory: str | Path) -> "Result":
        """Return what `save` wrote.

        Raises
        ------
        FileError
            If the folder does not hold a result.
        """
        folder = Path(directory)
        if not (folder / "result.json").is_file():
            raise FileError(f"no result in '{folder}': result.json is missing; give a folder that Result.save wrote.")
        rest = json.loads((folder / "result.json").read_text(encoding="utf-8"))
        table = _read(folder / "table.csv")
        resamples = folder / "resamples.csv"
        return cls(
            table=table,
            differences=_read(folder / "differences.csv"),
            measure=measure_named(rest["measure"]),
            resampled=rest["resampled"],
            statements=tuple(rest["statements"]),
            seed=rest["seed"],
            provenance=rest["provenance"],
            ceiling=None if rest["ceiling"] is None else Ceiling.from_lists(**rest["ceiling"]),
            resamples=labelled_resamples(_read(resamples).to_numpy().T, table) if resamples.is_file() else None,
            ceilings=tuple(Ceiling.from_lists(**ceiling) for ceiling in rest.get("ceilings", ())),
        )


def labelled_resamples(samples: Any, table: pd.DataFrame) -> xr.DataArray:
    """Return similarities of resamples, one row per row of the table, as (metric_index, model, resample)."""
    models = list(dict.fromkeys(table["model"]))
    places = table.iloc[:: len(models)]
    return xr.DataArray(
        samples.reshape(len(places), len(models), -1),
        dims=("metric_index", "model", "resample"),
        coords={
            "model": models,
            "metric": ("metric_index", places["metric"].to_list()),
            "time_scale": ("metric_index", places["time_scale"].to_numpy()),
        },
        name="similarity",
    )


def _read(path: Path) -> pd.DataFrame:
    """Return a table with its numbers to the last digit; an empty number is nan, a model may be called NA."""
    written = pd.read_csv(path, dtype=str, keep_default_na=False)
    for name in written.columns.difference(list(TEXT)):
        written[name] = written[name].replace("", "nan").astype(float)
    return written
