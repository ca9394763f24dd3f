import re

import pandas as pd
import pytest

from snncompare.cli import main


def test_everything_that_the_report_links_to_is_written(config, folder):
    question = "Are they <b>alike</b>?"
    assert main(["compare", str(config(lambda c: c.update(question=question))), "--out", str(folder / "out")]) == 0
    report = (folder / "out" / "report.html").read_text()
    links = re.findall(r'href="([^"#:]+)"', report)
    assert {"result/table.csv", "config.yaml", "figures/rdms.png", "figures/raster.pdf"} <= set(links)
    assert all((folder / "out" / link).is_file() for link in links)
    assert "Are they &lt;b&gt;alike&lt;/b&gt;?" in report
    assert "What cannot be told" in report


def test_figures_show_the_numbers_of_the_tables(config, folder):
    path = config(lambda c: c["recording"].update(units=["u0"]))
    assert main(["compare", str(path), "--out", str(folder / "out")]) == 0
    drawn = pd.read_csv(folder / "out" / "figures" / "similarity.csv")
    table = pd.read_csv(folder / "out" / "result" / "table.csv")
    assert drawn["similarity"].tolist() == pytest.approx(table["similarity"].tolist(), rel=1e-12)
    shown = pd.read_csv(folder / "out" / "figures" / "raster_rows.csv")
    assert shown.groupby("recording").size().eq(4).all()
    matrices = pd.read_csv(folder / "out" / "figures" / "rdms.csv")
    pairs = pd.read_csv(folder / "out" / "dissimilarities.csv")
    assert sorted(matrices["circle"]) == sorted(pairs["circle"].iloc[: len(matrices)])
