"""A PostgreSQL of the tests' own, from Debian's package, on a socket in a folder of its own."""

from __future__ import annotations

import itertools
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

_INSTALLED = Path("/usr/lib/postgresql")


@dataclass
class Cluster:
    """A running server, which can be stopped and started again."""

    binaries: Path
    folder: Path
    _numbers: Iterator[int] = field(default_factory=itertools.count)

    def start(self) -> None:
        # No TCP, and no waiting for the disk: what is tested is not PostgreSQL.
        options = f"-k {self.folder} -c listen_addresses= -c fsync=off -c max_connections=60"
        self._run("pg_ctl", "-D", f"{self.folder}/data", "-o", options, "-w", "-l",
                  f"{self.folder}/log", "start")  # fmt: skip

    def stop(self) -> None:
        self._run("pg_ctl", "-D", f"{self.folder}/data", "-m", "immediate", "-w", "stop")

    def make(self) -> str:
        """The URL of a new, empty database."""
        name = f"board{next(self._numbers)}"
        self._run("createdb", "-h", str(self.folder), name)
        user = "postgres" if os.geteuid() == 0 else ""
        return f"postgresql://{user}@/{name}?host={self.folder}"

    def _run(self, tool: str, *arguments: str) -> None:
        # It refuses to run as root.
        before = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
        command = [*before, str(self.binaries / tool), *arguments]
        with (self.folder / "out").open("ab") as out:
            subprocess.run(command, check=True, cwd="/", stdout=out, stderr=out, timeout=60)


@contextmanager
def cluster() -> Iterator[Cluster]:
    """A server for the while; skips with the reason where it is not installed."""
    found = sorted(_INSTALLED.glob("*/bin/initdb"))
    if not found:
        pytest.skip(f"no PostgreSQL in {_INSTALLED} (apt-get install postgresql)")
    if os.geteuid() == 0 and shutil.which("runuser") is None:
        pytest.skip("PostgreSQL refuses to run as root, and there is no runuser")
    folder = Path(tempfile.mkdtemp(prefix="pg", dir="/tmp"))  # a socket's path is short
    if os.geteuid() == 0:
        shutil.chown(folder, "postgres")
    made = Cluster(found[-1].parent, folder)
    try:
        made._run("initdb", "-D", f"{folder}/data", "-A", "trust", "-E", "UTF8", "--no-sync")
        made.start()
        yield made
        made.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
