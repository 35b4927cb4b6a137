"""yt-dlp without a network of its own: what it asks for goes through a crawl session.

So robots.txt, pace, the guard against private addresses, the store and its replay hold for its
requests as for all others.
"""

from __future__ import annotations

import io
import re
from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Any

from fgbench.collect.sites.base import Failure, FetchFailed, Response, Session
from fgbench.errors import MissingExtra

if TYPE_CHECKING:
    from pathlib import Path

_STATUS = re.compile(r"\banswered (4\d\d)\b")


class Relay:
    """Stands in for yt-dlp's network; ``answers`` are those that it had, in order."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self.answers: list[Response] = []
        self.failure: FetchFailed | None = None
        """Why the last request had no answer, if it had none."""

    def __call__(self, request: Any) -> Any:
        """The answer to a request of yt-dlp's, in its form; its own exception for 4xx.

        Raises ``FetchFailed`` for all that yt-dlp could only work around by asking more.
        """
        url = request if isinstance(request, str) else request.url
        if getattr(request, "method", "GET") != "GET":
            raise _refusal(url, 405)  # it would look at the sizes of cover pictures
        self.failure = None
        try:
            response = self._session.get(url)
        except FetchFailed as failure:
            self.failure = failure
            status = _STATUS.search(failure.detail)
            if failure.kind is not Failure.HTTP_4XX or status is None:
                raise
            raise _refusal(url, int(status[1])) from None
        if response.status >= 400:
            raise _refusal(url, response.status)
        self.answers.append(response)
        return _form(url, response)


class _Silence:
    """yt-dlp's messages come back as exceptions too."""

    def debug(self, message: str) -> None: ...
    def warning(self, message: str) -> None: ...
    def error(self, message: str) -> None: ...


def look_up(relay: Relay, asked: str, extractors: Sequence[str]) -> None:
    """Has yt-dlp look something up, without its details; what it asked is in ``relay``.

    Raises ``FetchFailed``, ``MissingExtra``.
    """
    _run(relay, asked, extractors, {"extract_flat": True}, download=False)


def download(relay: Relay, asked: str, extractors: Sequence[str], folder: Path) -> None:
    """Has yt-dlp put the best sound of a page into a folder; no previews, no parts.

    Raises ``FetchFailed``, ``MissingExtra``.
    """
    given = {
        "ffmpeg_location": str(folder / "none"),  # ffmpeg would ask the network itself
        "fixup": "never",
        "format": "ba[format_id!*=preview][protocol=http]/ba[format_id!*=preview]",
        "fragment_retries": 0,
        "noplaylist": True,
        "nopart": True,
        "outtmpl": {"default": "sound.%(ext)s"},
        "paths": {"home": str(folder)},  # the template would fill in a % of the folder's name
        "retries": 0,
        "skip_unavailable_fragments": False,
        "updatetime": False,
    }
    _run(relay, asked, extractors, given, download=True)


def _run(
    relay: Relay, asked: str, extractors: Sequence[str], more: Mapping[str, Any], *, download: bool
) -> None:
    try:
        yt_dlp = import_module("yt_dlp")
    except ImportError as error:
        raise MissingExtra("yt-dlp", "build") from error
    given = {
        "allowed_extractors": list(extractors),
        "cachedir": False,
        "extractor_retries": 0,
        "logger": _Silence(),
        "no_color": True,
        "noprogress": True,
        "quiet": True,
        **more,
    }
    try:
        with yt_dlp.YoutubeDL(given) as client:
            client.urlopen = relay
            client.extract_info(asked, download=download)
    except yt_dlp.utils.YoutubeDLError as error:
        said = str(error).removeprefix("ERROR: ")[:300]
        url = relay.answers[-1].url if relay.answers else asked
        raise relay.failure or FetchFailed(Failure.TRUNCATED, url, f"yt-dlp: {said}") from None


def _form(url: str, response: Response) -> Any:
    """An answer as yt-dlp wants it; its body is unpacked, and its length may have been another."""
    headers = {
        "Content-Type": response.headers.get("content-type", "application/octet-stream"),
        "Content-Length": str(len(response.body)),
    }
    networking = import_module("yt_dlp.networking")
    body = io.BytesIO(response.body)
    return networking.Response(body, response.final_url or url, headers, response.status)


def _refusal(url: str, status: int) -> Exception:
    networking = import_module("yt_dlp.networking")
    error: Exception = networking.exceptions.HTTPError(
        networking.Response(io.BytesIO(), url, {}, status)
    )
    return error
