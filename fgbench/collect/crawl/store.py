"""The WARC store: every answer as it came, appended, flushed to the disk, read back by place.

A record counts once the journal names its place. What lies behind the last such place in a file is
the torn tail of a run that was ended, and is cut off when the store is opened.

Bodies are kept unpacked; ``X-Archive-Orig-Content-Encoding`` says what they were packed with on the
way. Keys are redacted; headers that tell who asked (cookies, the asker's address) are left out.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass
from io import BytesIO, FileIO
from pathlib import Path
from urllib.parse import urlsplit

from warcio.archiveiterator import ArchiveIterator
from warcio.exceptions import ArchiveLoadFailed
from warcio.statusandheaders import StatusAndHeaders
from warcio.warcwriter import WARCWriter

from fgbench import __version__
from fgbench.collect.crawl.http import Answer
from fgbench.errors import FgbenchError, InputError

_SEGMENT = 2**30
"""A file that has reached this many bytes is not appended to any more (WARC's custom: 1 GB)."""

_PERSONAL = {"set-cookie", "set-cookie2", "x-client-ip"}
_TRANSFER = {"content-encoding", "transfer-encoding", "content-length"}


@dataclass(frozen=True, slots=True)
class Place:
    """Where a record lies: a file of the store, and its bytes there."""

    file: str
    offset: int
    length: int


@dataclass(frozen=True, slots=True)
class Stored:
    """An answer as the store has it; header names are lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Store:
    """The folder of ``*.warc.gz``. One writer; the caller sees to that."""

    def __init__(self, folder: Path, ends: Mapping[str, int]) -> None:
        """Opens a store of which the journal says that so many bytes of each file count.

        Raises ``InputError`` where a file is shorter than that.
        """
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        for name, end in ends.items():
            file = folder / name
            if not file.is_file() or file.stat().st_size < end:
                raise _damaged(file, f"is missing or shorter than the {end} bytes of the journal")
        for file in sorted(folder.glob("*.warc.gz")):
            _cut(file, ends.get(file.name, 0))
        names = sorted(ends) or [_name(1)]
        self._current = folder / names[-1]

    def append(self, url: str, answer: Answer, moment: str) -> tuple[Place, str]:
        """Writes a request and its answer; their place and the payload digest.

        On the disk when this returns. Raises ``FgbenchError`` where that failed: then nothing of it
        is left in the file.
        """
        digest = f"sha256:{hashlib.sha256(answer.body).hexdigest()}"
        records = BytesIO()
        writer = WARCWriter(records, gzip=True, warc_version="1.1")
        parts = urlsplit(url)
        path = parts.path + (f"?{parts.query}" if parts.query else "")
        response = writer.create_warc_record(
            url,
            "response",
            payload=BytesIO(answer.body),
            length=len(answer.body),
            warc_headers_dict={"WARC-Date": moment, "WARC-Payload-Digest": digest},
            http_headers=_response_headers(answer),
        )
        request = writer.create_warc_record(
            url,
            "request",
            warc_headers_dict={
                "WARC-Date": moment,
                "WARC-Concurrent-To": response.rec_headers.get_header("WARC-Record-ID"),
            },
            http_headers=StatusAndHeaders(
                f"GET {path} HTTP/1.1",
                [("Host", parts.netloc), *answer.sent],
                is_http_request=True,
            ),
        )
        writer.write_record(request)
        start = records.tell()
        writer.write_record(response)
        offset = self._write(records.getbuffer(), moment)
        return Place(self._current.name, offset + start, records.tell() - start), digest

    def read(self, place: Place, digest: str) -> Stored:
        """The answer at a place. Raises ``InputError`` where it is not the one that was written."""
        file = self._folder / place.file
        try:
            with file.open("rb") as stream:
                stream.seek(place.offset)
                packed = stream.read(place.length)
            record = next(ArchiveIterator(BytesIO(packed)))
            body = record.content_stream().read()
            status = int(record.http_headers.get_statuscode())
        except (OSError, ValueError, StopIteration, ArchiveLoadFailed, AttributeError) as error:
            raise _damaged(file, f"has no record at byte {place.offset}") from error
        if f"sha256:{hashlib.sha256(body).hexdigest()}" != digest:
            raise _damaged(file, f"has another body at byte {place.offset} than was written")
        headers: dict[str, str] = {}
        for name, value in record.http_headers.headers:
            name = name.lower()
            headers[name] = f"{headers[name]}, {value}" if name in headers else value
        return Stored(status, headers, body)

    def _write(self, records: memoryview, moment: str) -> int:
        if self._current.exists() and self._current.stat().st_size >= _SEGMENT:
            self._current = self._folder / _name(int(self._current.name.split(".")[0]) + 1)
        try:
            with self._current.open("ab", buffering=0) as stream:
                start = stream.tell()
                head = b"" if start else _warcinfo(self._current.name, moment)
                try:
                    _write_all(stream, memoryview(head))
                    _write_all(stream, records)
                    os.fsync(stream.fileno())
                except OSError:
                    stream.truncate(start)
                    raise
            if start == 0:
                _sync_folder(self._folder)
        except OSError as error:
            raise FgbenchError(
                "FG-W005",
                f"{self._current} could not be written: {error.strerror}",
                why="Nothing half-written counts: what is in the journal is whole.",
                fix="Free some space and run the same command again: it continues.",
            ) from error
        return start + len(head)


def _write_all(stream: FileIO, data: memoryview) -> None:
    while data:
        data = data[stream.write(data) :]


def _sync_folder(folder: Path) -> None:
    """Makes a new file's name as durable as its bytes."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _response_headers(answer: Answer) -> StatusAndHeaders:
    headers = [
        (f"X-Archive-Orig-{name}" if name.lower() in _TRANSFER else name, value)
        for name, value in answer.headers
        if name.lower() not in _PERSONAL
    ]
    headers.append(("Content-Length", str(len(answer.body))))
    return StatusAndHeaders(f"{answer.status} {answer.reason}", headers, protocol="HTTP/1.1")


def _warcinfo(name: str, moment: str) -> bytes:
    out = BytesIO()
    writer = WARCWriter(out, gzip=True, warc_version="1.1")
    record = writer.create_warcinfo_record(
        name, {"software": f"fgbench/{__version__}", "format": "WARC File Format 1.1"}
    )
    record.rec_headers.replace_header("WARC-Date", moment)
    writer.write_record(record)
    return out.getvalue()


def _name(number: int) -> str:
    return f"{number:05}.warc.gz"


def _cut(file: Path, end: int) -> None:
    """Cuts off what does not count; a file of which nothing counts goes."""
    if end == 0:
        file.unlink()
    elif file.stat().st_size > end:
        with file.open("r+b") as stream:
            stream.truncate(end)
            os.fsync(stream.fileno())


def _damaged(file: Path, what: str) -> InputError:
    return InputError(
        "FG-W004",
        f"{file} {what}",
        why="A rebuild from a store that was changed would not be the same build.",
        fix="Bring the file back from a copy, or start anew with another --out.",
    )
