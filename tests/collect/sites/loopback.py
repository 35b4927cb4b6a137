"""A site's hosts on loopback, asked through the real crawl session; nothing waits."""

from __future__ import annotations

import gzip
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from fgbench.collect.crawl.pace import Patience
from fgbench.collect.crawl.session import CrawlSession
from fgbench.settings import Secret, Settings, variable

Page = bytes | int | tuple[int, bytes]


@dataclass
class Loopback:
    """Answers by path (404 otherwise): a body, a status, or both. ``asked``: paths and headers."""

    pages: dict[str, Page] = field(default_factory=dict)
    asked: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    url: str = ""

    @property
    def paths(self) -> list[str]:
        """What was asked for, without robots.txt and without queries."""
        paths = (path.partition("?")[0] for path, _ in self.asked)
        return [path for path in paths if path != "/robots.txt"]


@contextmanager
def serving(pages: dict[str, Page]) -> Iterator[Loopback]:
    """Serves pages while it is open."""
    loopback = Loopback(pages)

    class Handler(BaseHTTPRequestHandler):
        disable_nagle_algorithm = True

        def do_GET(self) -> None:
            loopback.asked.append((self.path, {k.lower(): v for k, v in self.headers.items()}))
            page = loopback.pages.get(self.path.partition("?")[0], 404)
            if not isinstance(page, tuple):
                page = (page, b"") if isinstance(page, int) else (200, page)
            self.send_response(page[0])
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.send_header("Content-Length", str(len(page[1])))
            self.end_headers()
            self.wfile.write(page[1])

        def date_time_string(self, timestamp: float | None = None) -> str:
            return "Sun, 01 Nov 2026 12:00:00 GMT"

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    loopback.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield loopback
    finally:
        server.shutdown()
        server.server_close()


def asking(
    folder: Path, site: Any, loopback: Loopback, keys: dict[str, str] | None = None, **given: Any
) -> CrawlSession:
    """A session in a folder for one site, which the loopback stands in for; to be closed."""
    settings = Settings(
        contact="you@lab.example",
        sites={variable(site.name): loopback.url},
        keys={name: Secret(key) for name, key in (keys or {}).items()},
    )
    patience = Patience(tries=2, backoff=0.0, unstated_wait=0.0, pace=0.0)
    return CrawlSession(folder, [site], settings, patience=patience, **given)


def everything_written(folder: Path) -> bytes:
    """All bytes of a folder's files, WARC records unpacked."""
    found = []
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        body = path.read_bytes()
        found.append(gzip.decompress(body) if path.suffix == ".gz" and body else body)
    return b"\n".join(found)
