"""One file over HTTP, resumed where it broke off."""

from dataclasses import dataclass
from http.client import HTTPException, HTTPResponse
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from tqdm import tqdm

from snncompare.errors import FileError

__all__ = ["ResumableDownload"]

_BLOCK = 1 << 20
_SECONDS_OF_SILENCE = 60


@dataclass(frozen=True)
class ResumableDownload:
    """A downloader as `pooch.retrieve` takes them.

    Parameters
    ----------
    part : Path
        What has arrived so far; kept when the connection breaks, and asked to be continued (HTTP ``Range``) next time.
    size : int or None
        Bytes of the whole, where they are known; a server that sends more is not listened to any longer.
    progress : bool
        Show a bar on stderr.
    """

    part: Path
    size: int | None
    progress: bool

    def __call__(self, url: str, output: str, _pooch: Any) -> None:
        """Download `url` to the file `output`.

        Raises
        ------
        OSError
            If there is no connection, it breaks, or the disk is full.
        FileError
            If the server has no such file, or sends more than it should.
        """
        arrived = self.part.stat().st_size if self.part.is_file() else 0
        try:
            with _opened(url, arrived) as answer:
                self._receive(answer, arrived if answer.status == 206 else 0, url)
        except HTTPError as problem:
            problem.close()
            if problem.code != 416:  # "range not satisfiable": all of it has arrived before
                raise FileError(f"{url} cannot be had: the server says {problem.code} {problem.reason}.") from problem
        except HTTPException as problem:
            raise ConnectionError(f"the connection broke ({type(problem).__name__})") from problem
        self.part.replace(output)

    def _receive(self, answer: HTTPResponse, arrived: int, url: str) -> None:
        announced = answer.headers.get("Content-Length")
        total = arrived + int(announced) if announced is not None and announced.isdigit() else self.size
        most = self.size if self.size is not None else total
        with (
            self.part.open("ab" if arrived else "wb") as stream,
            tqdm(total=total, initial=arrived, unit="B", unit_scale=True, disable=not self.progress) as bar,
        ):
            while block := answer.read(_BLOCK):
                arrived += len(block)
                if most is not None and arrived > most:
                    break
                stream.write(block)
                bar.update(len(block))
        if most is not None and arrived > most:
            self.part.unlink()
            raise FileError(f"{url} sends more than the {most} bytes that were announced; it is not the file.")
        if total is not None and arrived < total:
            raise ConnectionError(f"the connection broke after {arrived} of {total} bytes")


def _opened(url: str, arrived: int) -> HTTPResponse:
    headers = {"User-Agent": "snncompare", "Accept-Encoding": "identity"}
    if arrived:
        headers["Range"] = f"bytes={arrived}-"
    answer: HTTPResponse = urlopen(Request(url, headers=headers), timeout=_SECONDS_OF_SILENCE)
    return answer
