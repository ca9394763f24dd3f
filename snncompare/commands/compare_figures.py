"""The figures of a comparison: spikes, dissimilarities, similarity against time scale, models at the best one."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from snncompare.commands.compare_config import DATA
from snncompare.commands.compare_spikes import Spikes

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from snncompare.comparison.alignment import Aligned
    from snncompare.comparison.result import Result
    from snncompare.report.content import ReportFigure

__all__ = ["Drawing", "dissimilarity_table", "draw"]

MOST_PANELS = 6
MOST_ACROSS = 4
MOST_TRIALS = 30
MOST_ROWS = 60


@dataclass(frozen=True)
class Drawing:
    """A figure with its tables and words."""

    name: str
    figure: "Figure"
    data: Any
    caption: str
    alt: str

    def saved(self, folder: Path) -> "ReportFigure":
        """Write the files below ``folder/figures`` and return the picture for the report."""
        from snncompare.figures.save import save_figure
        from snncompare.report.content import ReportFigure

        written = save_figure(self.figure, self.data, folder / "figures", self.name)
        links = {_link_name(path, self.name): f"figures/{path.name}" for path in written}
        return ReportFigure.from_figure(self.figure, caption=self.caption, alt=self.alt, files=links)


def draw(spikes: Spikes, aligned: "Aligned", result: "Result") -> dict[str, Drawing]:
    """Return the figures by name; the curve only where there are several metrics or time scales."""
    from snncompare.figures.style import colours_for

    colours = colours_for(aligned.names)
    drawings = [_raster(spikes, aligned.conditions), _rdms(aligned, result, colours)]
    if len(aligned.metrics) > 1:
        drawings.append(_curve(result, colours))
    drawings.append(_bars(result, colours))
    return {drawing.name: drawing for drawing in drawings}


def dissimilarity_table(aligned: "Aligned") -> pd.DataFrame:
    """Return all dissimilarities: one row per metric, time scale and pair, one column per model."""
    first, second = np.triu_indices(len(aligned.conditions), 1)
    tables = []
    for k, metric in enumerate(aligned.metrics):
        columns: dict[str, Any] = {"metric": metric.label, "time_scale": metric.time_scale}
        columns |= {"condition_a": [aligned.conditions[i] for i in first]}
        columns |= {"condition_b": [aligned.conditions[j] for j in second]}
        columns |= {DATA: aligned.data[k, 0], **dict(zip(aligned.names, aligned.models[k], strict=True))}
        tables.append(pd.DataFrame(columns))
    return pd.concat(tables, ignore_index=True)


def _ordered(conditions: tuple[Any, ...]) -> list[Any]:
    try:
        return sorted(conditions)
    except TypeError:
        return sorted(conditions, key=str)


def _text(label: Any) -> str:
    return f"{label:g}" if isinstance(label, float) else str(label)


def _raster(spikes: Spikes, conditions: tuple[Any, ...]) -> Drawing:
    from snncompare.figures.raster_rows import UnitOrder
    from snncompare.figures.rasters import raster_data, raster_figure

    session, recording = max(spikes.sessions.items(), key=lambda item: item[1].n_units)
    condition, shown = spikes.by, _ordered(conditions)[:MOST_PANELS]
    n_trials = max(1, min(MOST_TRIALS, MOST_ROWS // recording.n_units))
    panels = {}
    for label in shown:
        rows = np.flatnonzero((recording.trials[condition] == label).to_numpy())
        keep = np.zeros(recording.n_trials, dtype=bool)
        keep[rows[:n_trials]] = True
        panels[f"{condition} = {_text(label)}"] = recording.select(trials=keep)
    stretch = tuple(f"{recording.trials[edge].iloc[0]:.9g} s" for edge in ("start", "stop"))
    colours = dict.fromkeys(panels, "#000000")
    figure = raster_figure(panels, *stretch, order=UnitOrder.GIVEN, colours=colours)
    which = "first trial" if n_trials == 1 else f"first {n_trials} trials"
    left_out = f" The first {len(shown)} of {len(conditions)} conditions." if len(shown) < len(conditions) else ""
    units = "all units" if spikes.join is None else f"the {recording.n_units} units of {spikes.join} {session}"
    caption = f"Spikes of {units} in the {which} of each condition; time runs from the onset.{left_out}"
    data = raster_data(panels, *stretch, order=UnitOrder.GIVEN)
    return Drawing("raster", figure, data, caption, f"Spike rasters of {len(shown)} conditions, one below the other.")


def _rdms(aligned: "Aligned", result: "Result", colours: Mapping[str, str]) -> Drawing:
    from snncompare.comparison.alignment import pair_numbers
    from snncompare.figures.rdm_panels import rdm_data, rdm_figure

    best = result.best()
    k = next(k for k, m in enumerate(aligned.metrics) if m.matches(type(m)(best["metric"], best["time_scale"])))
    order = np.array([aligned.conditions.index(label) for label in _ordered(aligned.conditions)])
    place = pair_numbers(len(order))[order[:, None], order]
    vectors = {DATA: aligned.data[k, 0], **dict(zip(aligned.names, aligned.models[k], strict=True))}
    matrices = {name: np.where(place < 0, 0.0, vector[place]) for name, vector in vectors.items()}
    labels = [_text(aligned.conditions[i]) for i in order]
    where = str(aligned.metrics[k])
    figure = rdm_figure(matrices, labels, n_columns=_columns(len(matrices)), colours=colours)
    caption = (
        f"Representational dissimilarity matrices for {where}, each in ranks of its pairs; the recording, then the "
        "models. This metric and time scale is the one of the largest similarity."
    )
    alt = f"{len(matrices)} matrices of dissimilarities between {len(labels)} conditions."
    return Drawing("rdms", figure, rdm_data(matrices, labels), caption, alt)


def _columns(n_panels: int) -> int:
    """Return how many panels stand in a row, so that the last row is not nearly empty."""
    return n_panels if n_panels <= MOST_ACROSS else -(-n_panels // -(-n_panels // MOST_ACROSS))


def _curve(result: "Result", colours: Mapping[str, str]) -> Drawing:
    from snncompare.figures.similarity_curve import similarity_data, similarity_figure

    figure = similarity_figure(result, colours=colours)
    caption = (
        "Similarity of every model to the recording against the time scale of the spike-train metric. Shading and "
        f"bars: 95 % intervals over {result.resampled}; grey: noise ceiling."
    )
    return Drawing(
        "similarity", figure, similarity_data(result), caption, "Similarity against time scale, one curve per model."
    )


def _bars(result: "Result", colours: Mapping[str, str]) -> Drawing:
    from snncompare.figures.model_bars import model_bars_data, model_bars_figure

    best = result.best()
    scale = None if np.isnan(best["time_scale"]) else f"{float(best['time_scale'])!r} s"
    figure = model_bars_figure(result, best["metric"], scale, colours=colours)
    data = model_bars_data(result, best["metric"], scale)
    caption = "The models at the metric and time scale of the largest similarity, which was chosen after the fact."
    return Drawing("models", figure, data, caption, "Similarity of each model with its interval, beside the ceiling.")


def _link_name(path: Path, name: str) -> str:
    kind = path.suffix.removeprefix(".").upper()
    part = path.stem.removeprefix(name).removeprefix("_")
    return f"{kind}, {part}" if part else kind
