"""A report is one valid HTML file that contains everything, escapes everything and asks nobody for anything."""

import base64
import io
import re
from html.parser import HTMLParser

import pandas as pd
import pytest
from matplotlib.figure import Figure

from snncompare.errors import FileError, InputError
from snncompare.report.content import Report, ReportFigure, ReportTable, Section
from snncompare.report.write import render_report, write_report

VOID = {"meta", "img", "br", "hr", "link", "input"}
EVIL = "<script>alert('&\"')</script>"


class Page(HTMLParser):
    """Collects tags, text and links, and notes where tags do not balance."""

    def __init__(self, text):
        super().__init__()
        self.open, self.tags, self.ids, self.links, self.text, self.faults = [], [], [], [], [], []
        self.feed(text)
        self.faults += [f"<{tag}> is not closed" for tag in self.open]

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        names = [name for name, _ in attrs]
        self.faults += [f"<{tag}> repeats {n}" for n in set(names) if names.count(n) > 1]
        self.ids += [value for name, value in attrs if name == "id"]
        self.links += [value for name, value in attrs if name in {"href", "src", "srcset", "action", "data"}]
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag:
            self.faults.append(f"</{tag}> closes something else")

    def handle_data(self, data):
        self.text.append(data)

    def all(self, wanted):
        return [attributes for tag, attributes in self.tags if tag == wanted]


@pytest.fixture(scope="module")
def picture():
    figure = Figure(figsize=(2, 1))
    figure.subplots().plot([1, 2], label=EVIL)
    return ReportFigure.from_figure(figure, caption="A line.", alt="A rising line.", files={"PDF": "figures/a b.pdf"})


@pytest.fixture
def full(picture):
    frame = pd.DataFrame({"model": ["SRNN", EVIL], "similarity": [0.123456, -0.5], "p_corrected": [0.0004, 0.2]})
    table = ReportTable(frame=frame, caption="Similarities.", headers={"p_corrected": "p, corrected"}, name="sim")
    return Report(
        title="Locust and model",
        question="Is it alike?",
        answer=("Yes, at 10 ms.", "Not at 1 ms."),
        sections=(
            Section(title="Spikes", text=("Recorded in one animal.",), figures=(picture,)),
            Section(title="Similarity " + EVIL, figures=(picture,), tables=(table, table)),
        ),
        limits=("There is one animal.",),
        config="seed: 0\nmodels: [srnn]\n",
        provenance={"versions": {"numpy": "2.3"}, "inputs": [{"file": "fly.npz"}], "seeds": [0, 1], "device": None},
        files={"Table": "result/table.csv"},
    )


def test_the_page_is_balanced_with_unique_ids_and_no_dead_anchor(full):
    page = Page(render_report(full))
    assert not page.faults
    assert len(page.ids) == len(set(page.ids))
    assert {link[1:] for link in page.links if link.startswith("#")} <= set(page.ids)


def test_the_check_of_the_page_can_fail():
    assert Page("<p><b>x</p></b>").faults
    assert Page("<div>").faults
    assert Page('<a id="x" id="y"></a>').faults


def test_every_section_is_there_and_in_the_table_of_contents(full):
    page = Page(render_report(full))
    words = " ".join(" ".join(page.text).split())
    for text in (
        "Locust and model",
        "Is it alike?",
        "Yes, at 10 ms.",
        "Not at 1 ms.",
        "Recorded in one animal.",
        "A line.",
        "Similarities.",
        "p, corrected",
        "There is one animal.",
        "models: [srnn]",
        "numpy",
        "2.3",
        "fly.npz",
        "0, 1",
        "result/table.csv",
    ):
        assert text in words
    anchors = [link for link in page.links if link.startswith("#")]
    assert anchors == ["#answer", "#section-1", "#section-2", "#limits", "#config", "#provenance", "#files"]
    assert words.index("Figure 2.") < words.index("Table 1.") < words.index("Table 2.")


def test_names_from_files_are_shown_and_never_run(full):
    text = render_report(full)
    assert "<script" not in text
    assert "&lt;script&gt;" in text
    assert EVIL in "".join(Page(text).text)


@pytest.mark.parametrize("part", ["title", "question", "config"])
def test_every_text_is_escaped(part):
    arguments = {"title": "t", "question": "q", "config": "c", "answer": (EVIL,)} | {part: EVIL}
    report = Report(
        **arguments,
        limits=(EVIL,),
        provenance={EVIL: {EVIL: EVIL}},
        files={EVIL: "a<b>.csv"},
        sections=(
            Section(title=EVIL, text=(EVIL,), tables=(ReportTable(frame=pd.DataFrame({EVIL: [1]}), caption=EVIL),)),
        ),
    )
    text = render_report(report)
    assert "<script" not in text
    assert not Page(text).faults


def test_alternative_text_and_captions_cannot_leave_their_place(picture):
    figure = ReportFigure(image=picture.image, media_type="image/svg+xml", caption=EVIL, alt='" onerror="x')
    page = Page(
        render_report(Report(title="t", question="q", answer=("a",), sections=(Section(title="s", figures=(figure,)),)))
    )
    assert page.all("img")[0]["alt"] == '" onerror="x'
    assert "onerror" not in page.all("img")[0]


def test_nothing_outside_the_file_is_asked_for(full):
    text = render_report(full)
    page = Page(text)
    assert all(re.match(r"#|data:(image/svg\+xml|image/png|text/csv)|(figures|result)/", link) for link in page.links)
    assert not re.search(r"https?://|//[a-z]|@import|url\(", re.sub(r"base64,[A-Za-z0-9+/=]+", "", text))
    policy = next(meta["content"] for meta in page.all("meta") if "http-equiv" in meta)
    assert "default-src 'none'" in policy


def test_pictures_are_inside_with_alternative_text(full, picture):
    images = Page(render_report(full)).all("img")
    assert len(images) == 2
    for image in images:
        assert image["alt"] == "A rising line."
        assert base64.b64decode(image["src"].partition("base64,")[2]) == picture.image


def test_tables_can_be_downloaded_unrounded(full):
    links = [a for a in Page(render_report(full)).all("a") if "download" in a]
    assert links[0]["download"] == "sim.csv"
    csv = base64.b64decode(links[0]["href"].partition("base64,")[2])
    read = pd.read_csv(io.BytesIO(csv))
    pd.testing.assert_frame_equal(read, full.sections[1].tables[0].frame, check_dtype=False)


def test_links_to_files_are_relative_and_quoted(full):
    assert "figures/a%20b.pdf" in Page(render_report(full)).links


@pytest.mark.parametrize("target", ["https://x.org/a", "javascript:alert(1)", "//x.org/a", "/etc/passwd", "C:\\a", ""])
def test_links_that_leave_the_folder_are_refused(target):
    with pytest.raises(InputError, match="files beside it only"):
        Report(title="t", question="q", answer=("a",), files={"x": target})


def test_an_empty_report_says_what_was_not_recorded():
    text = render_report(Report(title="t", question="q", answer=("It cannot be told.",)))
    for sentence in ("No limits were stated", "No configuration was recorded", "No provenance was recorded"):
        assert sentence in text
    assert not Page(text).faults


def test_an_empty_table_says_so():
    table = ReportTable(frame=pd.DataFrame(columns=["a", "b"]), caption="None.")
    report = Report(title="t", question="q", answer=("a",), sections=(Section(title="s", tables=(table,)),))
    assert "No rows." in render_report(report)


def test_the_same_report_gives_the_same_bytes_in_a_new_folder(full, tmp_path):
    first = write_report(full, tmp_path / "a" / "report.html")
    second = write_report(full, str(tmp_path / "b.html"))
    assert first == tmp_path / "a" / "report.html"
    assert first.read_bytes() == second.read_bytes()
    assert first.read_text(encoding="utf-8").startswith('<!DOCTYPE html>\n<html lang="en">')


def test_what_cannot_be_a_report_is_refused(full, tmp_path):
    with pytest.raises(InputError, match=r"end the name in '\.html'"):
        write_report(full, tmp_path / "report.pdf")
    (tmp_path / "file").write_text("")
    with pytest.raises(FileError, match="cannot write the report"):
        write_report(full, tmp_path / "file" / "report.html")
    with pytest.raises(InputError, match="no answer"):
        Report(title="t", question="q", answer=())
    with pytest.raises(InputError, match="no question"):
        Report(title="t", question=" ", answer=("a",))
    with pytest.raises(InputError, match="tuple of paragraphs"):
        Report(title="t", question="q", answer="a")


def test_pictures_come_from_saved_files(tmp_path):
    (tmp_path / "f.png").write_bytes(b"\x89PNG")
    figure = ReportFigure.from_file(tmp_path / "f.png", caption="c", alt="a")
    assert (figure.image, figure.media_type) == (b"\x89PNG", "image/png")
    with pytest.raises(FileError, match="cannot read the figure"):
        ReportFigure.from_file(tmp_path / "absent.svg", caption="c", alt="a")
    with pytest.raises(InputError, match="SVG or PNG"):
        ReportFigure.from_file(tmp_path / "f.pdf", caption="c", alt="a")
    with pytest.raises(InputError, match="no alternative text"):
        ReportFigure.from_file(tmp_path / "f.png", caption="c", alt=" ")
