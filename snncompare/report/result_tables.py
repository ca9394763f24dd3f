"""The tables of a `Result` as a reader wants to see them."""

from typing import TYPE_CHECKING

from snncompare.report.content import ReportTable

if TYPE_CHECKING:
    from snncompare.comparison.result import Result

__all__ = ["difference_table", "similarity_table"]

_HEADERS = {
    "time_scale_ms": "time scale (ms)",
    "ci_low": "interval, low",
    "ci_high": "interval, high",
    "p_corrected": "p, corrected",
    "ceiling_low": "ceiling, low",
    "ceiling_high": "ceiling, high",
    "model_a": "model A",
    "model_b": "model B",
    "difference": "A − B",
}


def similarity_table(result: "Result") -> ReportTable:
    """Return the similarity of every model at every metric and time scale, best first within each."""
    frame = result.table.assign(time_scale_ms=1e3 * result.table["time_scale"].astype(float))
    columns = ["metric", "time_scale_ms", "model", "similarity", "ci_low", "ci_high", "p_corrected"]
    columns += ["ceiling_low", "ceiling_high", "verdict"]
    frame = frame.sort_values(["metric", "time_scale_ms", "similarity"], ascending=[True, True, False])[columns]
    return ReportTable(
        frame=frame.reset_index(drop=True),
        caption=f"Similarity of each model to the data ({getattr(result.measure, 'label', result.measure)}).",
        headers={column: heading for column, heading in _HEADERS.items() if column in columns},
        name="similarity",
    )


def difference_table(result: "Result") -> ReportTable:
    """Return the differences between models at every metric and time scale."""
    frame = result.differences.assign(time_scale_ms=1e3 * result.differences["time_scale"].astype(float))
    columns = ["metric", "time_scale_ms", "model_a", "model_b", "difference", "ci_low", "ci_high", "p_corrected"]
    return ReportTable(
        frame=frame[columns].reset_index(drop=True),
        caption="Differences between models: similarity of model A minus that of model B.",
        headers={column: heading for column, heading in _HEADERS.items() if column in columns},
        name="differences",
    )
