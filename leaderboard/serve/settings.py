"""How a board is served: where its data lies, at which address, within which bounds."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from fgbench.benchmark import DEFAULT

from ..document import MAX_BYTES

MIB = 1 << 20
GIB = 1 << 30
DAY = 24 * 3600
SESSION = 12 * 3600
"""Seconds after which a team signs in again."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What one team, one upload and one scoring may take: bytes, seconds and counts.

    ``slowest`` is the least bytes a second of an upload, ``uploads`` how many come in at once, of
    all teams; ``spare`` stays free on the disk, for the ledger. ``memory`` is address space, of
    which a scorer needs about 2 GiB before it has read anything.
    """

    upload: int = 512 * MIB
    card: int = MAX_BYTES
    slowest: int = 16 * 1024
    uploads: int = 64
    spare: int = 512 * MIB

    per_day: int = 20
    waiting: int = 5
    team_bytes: int = 20 * GIB

    scorers: int = 1
    memory: int = 8 * GIB
    seconds: int = 900
    file: int = 2 * GIB
    files: int = 256


@dataclass(frozen=True, slots=True)
class Settings:
    """One board. ``url`` is what users type; ``proxy`` the address whose X-Forwarded-For counts."""

    data: Path
    benchmark: str = DEFAULT
    split_column: str | None = None
    host: str = "127.0.0.1"
    port: int = 8000
    url: str = ""
    database: str = ""
    proxy: str = ""
    limits: Limits = field(default_factory=Limits)

    @property
    def source(self) -> str:
        """The benchmark as it is called from any folder: a path from here is made absolute."""
        path = Path(self.benchmark)
        return str(path.absolute()) if path.is_dir() else self.benchmark

    @property
    def database_url(self) -> str:
        """SQLite in the data folder, unless a database is named."""
        return self.database or f"sqlite:///{self.data.absolute() / 'board.sqlite'}"
