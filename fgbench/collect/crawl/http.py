"""One request and its answer: who we say we are, time and size limits, content encodings."""

from __future__ import annotations

import re
import zlib
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from http.cookiejar import DefaultCookiePolicy
from typing import Any, cast
from urllib.parse import quote, urlsplit

import requests
from requests.utils import get_environ_proxies
from urllib3 import HTTPResponse
from urllib3.exceptions import HTTPError, ReadTimeoutError

from fgbench import __version__
from fgbench.collect.crawl.connection import Adapter, Deadline, Watch
from fgbench.collect.crawl.guard import Guard, PrivateAddress
from fgbench.collect.sites.base import Failure, FetchFailed

PRODUCT = "fgbench"
"""The product token of the User-Agent, by which robots.txt and X-Robots-Tag address us."""

PORTS = {"http": 80, "https": 443}

_MEMBERS = 100
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_ASCII = "".join(map(chr, range(0x20, 0x7F)))
_CONTROL = re.compile(r"[\x00-\x20\x7f]+")


@dataclass(frozen=True, slots=True)
class Limits:
    """What one request may cost: seconds, and bytes of a body as sent and as unpacked."""

    connect: float = 10.0
    read: float = 30.0
    deadline: float = 300.0
    """Seconds for the whole, since a body that drips never waits long for its next byte."""
    body: int = 64 * 2**20


@dataclass(frozen=True, slots=True)
class Answer:
    """What a host said. ``body`` has its content encoding undone; ``sent`` are our headers.

    Headers are ASCII, each on one line.
    """

    status: int
    reason: str
    headers: tuple[tuple[str, str], ...]
    body: bytes
    sent: tuple[tuple[str, str], ...]

    def header(self, name: str) -> str:
        """The values of a header, joined by commas."""
        return ", ".join(v for n, v in self.headers if n.lower() == name)


def user_agent(contact: str) -> str:
    """``fgbench/<version> (+contact) requests/<version>``."""
    ours = f"{PRODUCT}/{__version__}" + (f" (+{contact})" if contact else "")
    return f"{ours} requests/{requests.__version__}"


class _Requests(requests.Session):
    """Leaves redirects alone: even when told not to follow one, requests reads the whole body."""

    def get_redirect_target(self, resp: requests.Response) -> None:
        return None


class Client:
    """Asks addresses. No cookies, no redirects, no retries; proxies only where the user said so."""

    def __init__(self, guard: Guard, contact: str, limits: Limits, *, use_proxy: bool) -> None:
        self._guard, self._limits, self._use_proxy = guard, limits, use_proxy
        self._watch = Watch()
        self._session = _Requests()
        self._session.trust_env = False
        self._session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=()))
        self._session.headers.clear()
        self._session.headers.update(
            {
                "User-Agent": user_agent(contact),
                "Accept": "*/*",
                "Accept-Encoding": "gzip, deflate",
                "Connection": "keep-alive",
            }
        )
        for scheme in ("http://", "https://"):
            self._session.mount(scheme, Adapter(guard, self._watch))

    def ask(self, url: str, address: str, headers: Mapping[str, str]) -> Answer:
        """The answer of ``address`` for a canonical URL, whatever its status.

        Raises ``FetchFailed`` where there is none, or it is over a limit; never with the error of
        the library below, whose text has the whole address, key and all.
        """
        with Deadline(self._limits.deadline) as deadline:
            self._watch.deadline = deadline
            try:
                answer = self._ask(url, address, headers)
            except FetchFailed:
                if not deadline.expired:
                    raise
            if deadline.expired:
                detail = f"no whole answer in {self._limits.deadline:g} s"
                raise FetchFailed(Failure.TIMEOUT, url, detail)
        return answer

    def _ask(self, url: str, address: str, headers: Mapping[str, str]) -> Answer:
        try:
            response = self._session.get(
                address,
                headers=headers,
                stream=True,
                allow_redirects=False,
                timeout=(self._limits.connect, self._limits.read),
                proxies=self._proxies(address),
            )
        except PrivateAddress as error:
            raise FetchFailed(Failure.PRIVATE_ADDRESS, url, str(error)) from None
        except requests.Timeout:
            raise FetchFailed(Failure.TIMEOUT, url, "no answer in time") from None
        except (requests.exceptions.InvalidURL, UnicodeError):
            raise FetchFailed(Failure.BAD_URL, url, "not a URL that can be asked") from None
        except requests.RequestException as error:
            raise FetchFailed(Failure.CONNECTION, url, _cause(error)) from None
        raw = cast(HTTPResponse, response.raw)
        try:
            body = self._unpacked(url, raw.headers.get("content-encoding"), self._body(url, raw))
        finally:
            response.close()
        return Answer(
            status=response.status_code,
            reason=_clean(response.reason or ""),
            headers=tuple((n, _clean(v)) for n, v in raw.headers.items() if _TOKEN.fullmatch(n)),
            body=body,
            sent=tuple((n, str(v)) for n, v in response.request.headers.items()),
        )

    def _proxies(self, address: str) -> dict[str, str] | None:
        """The environment's proxies, where asked for: its ``.netrc`` is left alone even then.

        A proxy resolves names itself, so the guard checks only what this machine knows of them.
        """
        parts = urlsplit(address)
        host, port = parts.hostname or "", parts.port or PORTS[parts.scheme]
        if not self._use_proxy or self._guard.admits(host, port):
            return None
        with suppress(OSError, UnicodeError):
            self._guard.resolve(host, port)
        return get_environ_proxies(address)

    def _body(self, url: str, raw: HTTPResponse) -> bytes:
        """The body as sent. A length that is stated too large is believed, and nothing is read."""
        stated = raw.headers.get("content-length", "")
        if stated.isdecimal() and int(stated[:20]) > self._limits.body:
            raise self._too_large(url, f"{stated[:20]} bytes")
        body = bytearray()
        try:
            for piece in raw.stream(2**16, decode_content=False):
                body += piece
                if len(body) > self._limits.body:
                    raise self._too_large(url, "a body")
        except ReadTimeoutError:
            raise FetchFailed(Failure.TIMEOUT, url, "the body stopped coming") from None
        except (HTTPError, OSError):
            raise FetchFailed(Failure.TRUNCATED, url, "the body ended early") from None
        return bytes(body)

    def _unpacked(self, url: str, encoding: str | None, body: bytes) -> bytes:
        coding = (encoding or "identity").strip().lower()
        if coding == "identity" or not body:
            return body
        if coding not in {"gzip", "x-gzip", "deflate"}:
            detail = f"content encoding {coding[:40]!r}, which was not asked for"
            raise FetchFailed(Failure.BAD_ENCODING, url, detail)
        windows = [zlib.MAX_WBITS | 32] if coding != "deflate" else [15, -15]
        for window in windows:  # "deflate" means zlib, but some servers send the bare stream
            try:
                return self._inflate(url, body, window)
            except zlib.error as error:
                failure = error
        raise FetchFailed(Failure.BAD_ENCODING, url, f"not {coding}: {failure}") from None

    def _inflate(self, url: str, body: bytes, window: int) -> bytes:
        """Unpacks in bounded memory and time; gzip may have several members, and padding."""
        unpacked, rest = bytearray(), body
        for _ in range(_MEMBERS):
            stream = zlib.decompressobj(window)
            unpacked += stream.decompress(rest, self._limits.body + 1 - len(unpacked))
            if len(unpacked) > self._limits.body:
                raise self._too_large(url, f"unpacked from {len(body)} bytes, a body")
            if not stream.eof:
                raise FetchFailed(Failure.TRUNCATED, url, "the packed body ended early")
            rest = stream.unused_data
            if not rest.startswith(b"\x1f\x8b"):
                return bytes(unpacked)
        raise FetchFailed(Failure.BAD_ENCODING, url, f"more than {_MEMBERS} gzip members")

    def _too_large(self, url: str, what: str) -> FetchFailed:
        return FetchFailed(Failure.TOO_LARGE, url, f"{what} over {self._limits.body} bytes")


def _clean(value: str) -> str:
    """A header value on one line and in ASCII: the bytes that are not are percent-encoded."""
    line = _CONTROL.sub(" ", value).strip()
    return line if line.isascii() else quote(line, safe=_ASCII, encoding="latin-1")


def _cause(error: BaseException) -> str:
    """What lay at the bottom of a failed connection, without the URL that requests puts in."""
    inner: Any = error.args[0] if error.args else error
    inner = getattr(inner, "reason", inner)
    return type(inner).__name__ if isinstance(inner, BaseException) else "no connection"
