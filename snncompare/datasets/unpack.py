"""One member of an archive as a file: no path of the archive is believed, and no size."""

import gzip
import hashlib
import tarfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO
from zipfile import BadZipFile, ZipFile

from snncompare.errors import FileError

__all__ = ["unpacked"]

_MOST_BYTES = 1 << 35
_BLOCK = 1 << 20


def unpacked(archive: Path, member: str, target: Path, url: str, most_bytes: int = _MOST_BYTES) -> str:
    """Write one member of an archive to a file, whole or not at all, and return the SHA-256 of its content.

    Parameters
    ----------
    archive : Path
    member : str
        Its name inside; of a plain ``.gz``, which holds one file, any name.
    target : Path
        Where to. Nothing else is written, whatever the archive says.
    url : str
        Whose ending tells the kind: ``.zip``, ``.tar``, ``.tar.gz``, ``.tgz``, ``.tar.bz2``, ``.tar.xz`` or ``.gz``.
    most_bytes : int
        An archive that unpacks to more is refused.

    Raises
    ------
    FileError
        For an archive of another kind, that is damaged, lacks the member, or unpacks to too much.
    OSError
        If the file cannot be written.
    """
    part = target.with_name(target.name + ".part")
    digest, n_bytes = hashlib.sha256(), 0
    try:
        with _opened(archive, member, url) as source, part.open("wb") as stream:
            while block := source.read(_BLOCK):
                n_bytes += len(block)
                if n_bytes > most_bytes:
                    raise FileError(f"'{member}' of {url} unpacks to more than {most_bytes} bytes; it is not believed.")
                digest.update(block)
                stream.write(block)
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)
    return digest.hexdigest()


@contextmanager
def _opened(archive: Path, member: str, url: str) -> Iterator[IO[bytes] | gzip.GzipFile]:
    name = url.split("?", maxsplit=1)[0].lower()
    try:
        if name.endswith(".zip"):
            with ZipFile(archive) as whole, whole.open(member) as source:
                yield source
        elif ".tar" in Path(name).suffixes or name.endswith(".tgz"):
            with tarfile.open(archive) as files:
                found = files.extractfile(member)
                if found is None:
                    raise KeyError(member)
                with found:
                    yield found
        elif name.endswith(".gz"):
            with gzip.open(archive) as plain:
                yield plain
        else:
            raise FileError(f"{url} is no archive of a known kind (.zip, .tar.gz, .gz).")
    except KeyError as problem:
        raise FileError(f"the archive {url} holds no file '{member}'.") from problem
    except (BadZipFile, tarfile.TarError, zlib.error, EOFError, gzip.BadGzipFile, NotImplementedError) as problem:
        raise FileError(
            f"the archive {url} is damaged, or packed in a way that is not supported: {problem}."
        ) from problem
