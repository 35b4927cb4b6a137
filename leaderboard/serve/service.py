"""A board that is served: ledger, files, scorer and site, opened and closed as one."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from urllib.parse import urlsplit

from fgbench.benchmark import Benchmark, load_benchmark
from fgbench.errors import InputError

from ..build import ASSETS
from .attempts import Attempts
from .callers import Callers
from .ledger import Ledger
from .publication import Publication
from .settings import Settings
from .site import Site
from .upload import Uploads
from .vault import Vault
from .worker import Worker

OWN_ASSETS = (*ASSETS, "serve.css", "serve.js")
_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Service:
    """What the pages and the API work with."""

    settings: Settings
    benchmark: Benchmark
    ledger: Ledger
    vault: Vault
    worker: Worker
    publication: Publication
    callers: Callers
    uploads: Uploads
    site: Site

    @property
    def https(self) -> bool:
        return self.settings.url.startswith("https:")

    def start(self) -> None:
        """Begin to score and to publish."""
        self.publication.start()
        self.worker.start()

    def stop(self) -> None:
        """Stop both, and wait until they have."""
        self.worker.stop()
        self.publication.stop()


@contextmanager
def open_service(
    settings: Settings, clock: Callable[[], float] = time.monotonic
) -> Iterator[Service]:
    """Open a data folder and all that works on it; at the end everything has stopped.

    Raises ``InputError`` for a folder, a benchmark, a database or an address that cannot be used.
    """
    hosts(settings)
    benchmark = load_benchmark(settings.benchmark, settings.split_column)
    limits = settings.limits
    with Vault.open(settings.data, limits) as vault:
        ledger = Ledger.open(settings.database_url, limits)
        vault.join(ledger)
        worker = Worker(ledger, vault, settings)
        publication = Publication(ledger, vault, settings)
        https = settings.url.startswith("https:")
        callers = Callers(ledger, Attempts(clock), proxy=settings.proxy, https=https)
        uploads = Uploads(ledger, vault, limits, worker.wake)
        site = Site(settings.data / "site", OWN_ASSETS)
        try:
            yield Service(
                settings, benchmark, ledger, vault, worker, publication, callers, uploads, site
            )
        finally:
            ledger.close()


def hosts(settings: Settings) -> frozenset[str]:
    """The values of Host that are served. Raises ``InputError`` (FG-H170) for a --url of none."""
    if not settings.url:
        return frozenset(f"{name}:{settings.port}" for name in ("127.0.0.1", "localhost"))
    try:
        parts = urlsplit(settings.url)
        port = parts.port
    except ValueError as error:
        raise _no_url(settings.url) from error
    beside = parts.path.strip("/") or parts.query or parts.fragment or parts.username
    if parts.scheme not in _PORTS or not parts.hostname or beside:
        raise _no_url(settings.url)
    if port in (None, _PORTS[parts.scheme]):
        return frozenset(
            {parts.netloc.lower().rpartition(":")[0] if port else parts.netloc.lower()}
        )
    return frozenset({parts.netloc.lower()})


def _no_url(url: str) -> InputError:
    return InputError(
        "FG-H170",
        f"--url {url[:200]!r} is not the address of a host",
        why="Requests under any other name are refused, and cookies are bound to it.",
        fix="Give scheme and host, as in https://board.example.org",
    )
