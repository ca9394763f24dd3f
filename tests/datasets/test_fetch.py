"""Files of datasets: where they are sought, and how they are downloaded, resumed, checked and refused."""

import gzip
import hashlib
import io
import tarfile
import threading
import zipfile
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import yaml

from snncompare import datasets
from snncompare.datasets.card import DatasetCard, read_card
from snncompare.datasets.files import located_files
from snncompare.datasets.unpack import unpacked
from snncompare.errors import FileError, MissingDependencyError

CONTENT = bytes(range(256)) * 40_000
"""Ten megabytes: several blocks of a download."""
CARD = {
    "name": "test",
    "title": "a test",
    "description": "a test",
    "source": "here",
    "licence": "CC0",
    "citation": ["nobody"],
    "format": "bytes",
    "units": "none",
    "trials": "none",
    "stimulus": "none",
}


class Server:
    """A web server of one file that can break off, ignore ranges, or send something else."""

    def __init__(self, content=CONTENT):
        self.content, self.break_after, self.ranges, self.asked = content, None, True, []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                outer.answer(self)

            def log_message(self, *args):
                pass

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.http.handle_error = lambda *_: None  # a client that hangs up
        self.thread = threading.Thread(target=self.http.serve_forever, kwargs={"poll_interval": 0.01})
        self.thread.start()

    def answer(self, handler):
        asked = handler.headers.get("Range")
        self.asked.append(asked)
        if handler.path.startswith("/absent"):
            handler.send_error(404)
            return
        first = int(asked.removeprefix("bytes=").removesuffix("-")) if asked and self.ranges else 0
        if first >= len(self.content):
            handler.send_error(416)
            return
        rest = self.content[first:]
        handler.send_response(206 if first else 200)
        handler.send_header("Content-Length", str(len(rest)))
        handler.end_headers()
        handler.wfile.write(rest if self.break_after is None else rest[: self.break_after])

    def url(self, name="spikes.bin"):
        return f"http://127.0.0.1:{self.http.server_port}/{name}"


@pytest.fixture
def server():
    made = Server()
    yield made
    made.http.shutdown()
    made.http.server_close()
    made.thread.join()


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("SNNCOMPARE_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("SNNCOMPARE_DATA", raising=False)
    return tmp_path / "cache" / "downloads" / "test"


def card(url, *, content=CONTENT, **file):
    listed = {"path": "a/spikes.bin", "content": "spikes", "url": url, "sha256": hashlib.sha256(content).hexdigest()}
    return DatasetCard(**CARD, files=[{key: value for key, value in (listed | file).items() if value is not None}])


def test_a_download_names_licence_and_source_and_arrives_whole(server, cache, capsys):
    found = datasets.fetch(card(server.url()))
    assert found["a/spikes.bin"] == cache / "a" / "spikes.bin"
    assert found["a/spikes.bin"].read_bytes() == CONTENT
    said = capsys.readouterr().err
    assert "CC0" in said
    assert server.url() in said
    datasets.fetch(card(server.url()), progress=False)
    assert len(server.asked) == 1  # what is here is not downloaded again
    assert capsys.readouterr().err == ""


def test_a_published_md5_is_enough_and_is_checked(server):
    digits = hashlib.md5(CONTENT).hexdigest()
    assert datasets.fetch(card(server.url(), sha256=None, md5=digits), progress=False)
    with pytest.raises(FileError, match="its md5 is another one"):
        datasets.fetch(card(server.url(), sha256=None, md5="0" * 32, path="b"), progress=False)


@pytest.mark.parametrize("ranges", [True, False])
def test_a_download_that_broke_off_goes_on_where_it_was(server, cache, ranges):
    server.break_after = 4_000_000
    with pytest.raises(FileError, match="the connection broke after 4000000 of 10240000 bytes"):
        datasets.fetch(card(server.url()), progress=False)
    assert [path.name for path in (cache / "a").iterdir()] == ["spikes.bin.part"]
    with pytest.raises(FileError, match="snncompare dataset get test"):
        located_files(card(server.url()))  # what has half arrived is not believed
    server.break_after, server.ranges = None, ranges
    found = datasets.fetch(card(server.url()), progress=False)
    assert found["a/spikes.bin"].read_bytes() == CONTENT
    assert server.asked == [None, "bytes=4000000-"]


def test_all_that_had_arrived_before_is_not_asked_for_again(server, cache):
    (cache / "a").mkdir(parents=True)
    (cache / "a" / "spikes.bin.part").write_bytes(CONTENT)
    assert datasets.fetch(card(server.url()), progress=False)["a/spikes.bin"].read_bytes() == CONTENT


def test_another_file_than_the_cards_is_removed(server, cache):
    server.content = CONTENT[:-1] + b"!"
    with pytest.raises(FileError, match="not the file on the card") as refused:
        datasets.fetch(card(server.url()), progress=False)
    assert "\n" not in str(refused.value)
    assert not list((cache / "a").iterdir())
    server.content = CONTENT
    assert datasets.fetch(card(server.url()), progress=False)


def test_a_download_that_was_damaged_since_is_refused_and_got_again(server, cache):
    here = datasets.fetch(card(server.url()), progress=False)["a/spikes.bin"]
    here.write_bytes(CONTENT[:-1] + b"!")
    with pytest.raises(FileError, match="not the one on its card"):
        located_files(card(server.url()))
    assert datasets.fetch(card(server.url()), progress=False)["a/spikes.bin"].read_bytes() == CONTENT


def test_a_server_that_sends_more_than_the_card_says_is_not_listened_to(server, cache):
    with pytest.raises(FileError, match="more than the 1000 bytes"):
        datasets.fetch(card(server.url(), size=1000), progress=False)
    assert not list((cache / "a").iterdir())


@pytest.mark.parametrize("url", ["absent", None], ids=["not found", "no server"])
def test_what_cannot_be_had_is_one_line(server, url):
    address = "http://127.0.0.1:9/spikes.bin" if url is None else server.url("absent")
    with pytest.raises(FileError, match="404" if url else "could not be got") as refused:
        datasets.fetch(card(address), progress=False)
    assert "\n" not in str(refused.value)


def test_a_full_disk_is_one_line_and_nothing_half_written_is_believed(server, cache):
    (cache / "a").mkdir(parents=True)
    if not Path("/dev/full").exists():
        pytest.skip("this system has no /dev/full")
    (cache / "a" / "spikes.bin.part").symlink_to("/dev/full")  # each write fails as on a full disk
    with pytest.raises(FileError, match="the disk is full; free some space") as refused:
        datasets.fetch(card(server.url()), progress=False)
    assert "\n" not in str(refused.value)
    with pytest.raises(FileError, match="is not here"):
        located_files(card(server.url()))
    (cache / "a" / "spikes.bin.part").unlink()
    assert datasets.fetch(card(server.url()), progress=False)


def test_a_file_larger_than_the_disk_is_refused_before_the_work(server):
    with pytest.raises(FileError, match="MB free"):
        datasets.fetch(card(server.url(), size=10**18), progress=False)
    assert server.asked == []


def packed(kind, member, content):
    stream = io.BytesIO()
    if kind == "zip":
        with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr(member, content)
    elif kind == "tar.gz":
        with tarfile.open(fileobj=stream, mode="w:gz") as archive:
            entry = tarfile.TarInfo(member)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    else:
        stream.write(gzip.compress(content, mtime=0))
    return stream.getvalue()


@pytest.mark.parametrize("kind", ["zip", "tar.gz", "gz"])
def test_a_member_of_an_archive_becomes_the_file_and_only_that(server, cache, kind):
    server.content = packed(kind, "../../outside.bin", b"spikes")  # where the archive would put it does not matter
    made = card(server.url(f"all.{kind}"), content=server.content, unpack="../../outside.bin")
    path = datasets.fetch(made, progress=False)["a/spikes.bin"]
    assert path.read_bytes() == b"spikes"
    assert sorted(p.name for p in cache.rglob("*") if p.is_file()) == ["spikes.bin", "spikes.bin.sha256"]
    path.write_bytes(b"spakes")
    with pytest.raises(FileError, match="changed since it was unpacked"):
        located_files(made)


@pytest.mark.parametrize(
    ("kind", "damage", "says"),
    [
        ("zip", lambda b: b[:-30], "damaged"),
        ("tar.gz", lambda b: b[: len(b) // 2], "damaged"),
        ("gz", lambda b: b[:-9], "damaged"),
        ("zip", lambda _: packed("zip", "other", b"1"), "holds no file 'spikes'"),
        ("tar.gz", lambda _: packed("tar.gz", "other", b"1"), "holds no file 'spikes'"),
        ("7z", lambda b: b, "no archive of a known kind"),
    ],
    ids=["cut zip", "cut tar", "cut gz", "other zip", "other tar", "unknown"],
)
def test_archives_that_do_not_hold_the_file_are_refused(tmp_path, kind, damage, says):
    archive = tmp_path / "archive"
    archive.write_bytes(damage(packed(kind, "spikes", CONTENT[:3_000])))
    with pytest.raises(FileError, match=says):
        unpacked(archive, "spikes", tmp_path / "out", f"http://a/b.{kind}")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["archive"]


def test_an_archive_that_unpacks_to_too_much_is_refused(tmp_path):
    archive = tmp_path / "archive"
    archive.write_bytes(packed("zip", "spikes", bytes(3_000_000)))
    with pytest.raises(FileError, match="more than 2000000 bytes"):
        unpacked(archive, "spikes", tmp_path / "out", "http://a/b.zip", most_bytes=2_000_000)
    assert (
        unpacked(archive, "spikes", tmp_path / "out", "http://a/b.zip") == hashlib.sha256(bytes(3_000_000)).hexdigest()
    )


def test_files_are_sought_in_named_folders_then_beside_the_card_then_in_the_package_then_in_downloads(
    tmp_path, monkeypatch
):
    description = CARD | {
        "package": "scikit-learn >= 1.5",
        "files": [{"path": "a.txt", "content": "a", "sha256": hashlib.sha256(b"a").hexdigest()}],
    }
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "card.yaml").write_text(yaml.safe_dump(description), encoding="utf-8")
    mine = read_card(tmp_path / "mine" / "card.yaml")
    places = [tmp_path / "named", tmp_path / "mine", tmp_path / "cache" / "downloads" / "test"]
    monkeypatch.setenv("SNNCOMPARE_DATA", str(places[0]))
    with pytest.raises(FileError, match="set SNNCOMPARE_DATA"):
        located_files(mine)
    for place in reversed(places):
        place.mkdir(parents=True, exist_ok=True)
        (place / "a.txt").write_bytes(b"a")
        assert located_files(mine)["a.txt"] == place / "a.txt"
    (places[0] / "a.txt").write_bytes(b"b")
    with pytest.raises(FileError, match="not the one on its card"):
        located_files(mine)


def test_the_module_of_a_package_may_be_called_otherwise():
    import sklearn

    path = "datasets/data/digits.csv.gz"
    digits = Path(sklearn.__file__).parent / path
    made = card(None, path=path, sha256=hashlib.sha256(digits.read_bytes()).hexdigest())
    assert located_files(made.model_copy(update={"package": "scikit-learn >= 1.5"}))[path] == digits
    with pytest.raises(MissingDependencyError, match=r"pip install 'scikit-lorn>=1\.5'"):
        located_files(made.model_copy(update={"package": "scikit-lorn >= 1.5"}))


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"path": "../spikes"}, "does not leave its folder"),
        ({"path": "/etc/passwd"}, "does not leave its folder"),
        ({"path": "a\\..\\b"}, "does not leave its folder"),
        ({"sha256": None}, "needs its sha256"),
        ({"md5": "0" * 32}, "one of the two"),
        ({"url": "file:///etc/passwd"}, "url"),
        ({"url": None, "unpack": "a"}, "url of the archive"),
    ],
)
def test_a_card_whose_files_cannot_be_trusted_is_refused(tmp_path, wrong, says):
    file = {"path": "a", "content": "b", "sha256": "0" * 64, "url": "https://a.b/c"} | wrong
    path = tmp_path / "card.yaml"
    path.write_text(yaml.safe_dump(CARD | {"files": [file]}), encoding="utf-8")
    with pytest.raises(FileError, match=says):
        read_card(path)


def test_a_part_that_is_of_another_file_does_not_pass(server, cache):
    """Negative control: what had arrived is used, and the hash covers it."""
    server.break_after = 4_000_000
    with pytest.raises(FileError):
        datasets.fetch(card(server.url()), progress=False)
    (cache / "a" / "spikes.bin.part").write_bytes(b"!" * 4_000_000)
    server.break_after = None
    with pytest.raises(FileError, match="not the file on the card"):
        datasets.fetch(card(server.url()), progress=False)
