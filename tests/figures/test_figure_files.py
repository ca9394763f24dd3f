"""A figure is saved in every format, with its data, and the same way each time."""

import pandas as pd
import pytest

from snncompare.errors import FileError, InputError
from snncompare.figures.save import save_figure
from snncompare.figures.similarity_curve import similarity_data, similarity_figure


def test_all_formats_and_the_plotted_data_are_written(result, tmp_path):
    table = similarity_data(result)
    paths = save_figure(similarity_figure(result), table, tmp_path / "new" / "folder", "similarity")
    assert [p.name for p in paths] == [f"similarity.{suffix}" for suffix in ("png", "pdf", "svg", "csv")]
    png, pdf, svg, csv = (p.read_bytes() for p in paths)
    assert png.startswith(b"\x89PNG")
    assert pdf.startswith(b"%PDF")
    assert b"<svg" in svg
    read = pd.read_csv(paths[3])
    pd.testing.assert_frame_equal(read, table, check_dtype=False)
    assert csv.count(b"\r") == 0


def test_png_has_at_least_200_dots_per_inch(result, tmp_path):
    from PIL import Image

    paths = save_figure(similarity_figure(result), result.table, tmp_path, "f", dpi=200)
    with Image.open(paths[0]) as image:
        assert image.size[0] == pytest.approx(180 / 25.4 * 200, abs=1)
    with pytest.raises(InputError, match="dpi=72"):
        save_figure(similarity_figure(result), result.table, tmp_path, "f", dpi=72)


def test_text_stays_text_in_vector_files(result, tmp_path):
    _, pdf, svg, _ = save_figure(similarity_figure(result), result.table, tmp_path, "f")
    text = svg.read_text(encoding="utf-8")
    assert "SRNN, e-prop</text>" in text
    assert "Arial" in text
    assert b"/Type3" not in pdf.read_bytes()


def test_the_same_figure_gives_the_same_bytes(make_result, tmp_path):
    first, second, other = (
        save_figure(similarity_figure(make_result(seed=seed)), make_result().table, tmp_path / folder, "f")
        for folder, seed in (("a", 0), ("b", 0), ("c", 1))
    )
    for a, b, c in zip(first[:3], second[:3], other[:3], strict=True):
        assert a.read_bytes() == b.read_bytes()
        assert a.read_bytes() != c.read_bytes()


def test_several_tables_get_a_file_each(result, tmp_path):
    tables = {"models": result.table, "differences": result.differences}
    paths = save_figure(similarity_figure(result), tables, tmp_path, "f")
    assert [p.name for p in paths[3:]] == ["f_models.csv", "f_differences.csv"]


@pytest.mark.parametrize("name", ["a/b", "..", "", "with space"])
def test_a_name_that_is_no_file_name_is_refused(result, tmp_path, name):
    with pytest.raises(InputError, match="cannot name a file"):
        save_figure(similarity_figure(result), result.table, tmp_path, name)


def test_a_figure_without_data_is_refused(result, tmp_path):
    with pytest.raises(InputError, match="no table"):
        save_figure(similarity_figure(result), {}, tmp_path, "f")


def test_a_folder_that_cannot_be_made_is_said(result, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(FileError, match="cannot write the figure 'f'"):
        save_figure(similarity_figure(result), result.table, tmp_path / "file" / "x", "f")
