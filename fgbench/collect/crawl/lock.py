"""One build at a time in a folder."""

from __future__ import annotations

import fcntl
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from fgbench.errors import InputError


@contextmanager
def hold(folder: Path) -> Iterator[None]:
    """Holds a folder for this process; the system lets go of it when the process ends, killed too.

    Raises ``InputError`` where another holds it.
    """
    descriptor = os.open(folder / ".lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            holder = os.pread(descriptor, 200, 0).decode("utf-8", "replace").strip()
            raise InputError(
                "FG-W002",
                f"another build is at work in {folder} ({holder or 'it does not say which'})",
                why="Two builds in one folder would ask everything twice and mix their journals.",
                fix="Wait for it, stop it, or give this one another --out.",
            ) from error
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"process {os.getpid()} on {socket.gethostname()}\n".encode(), 0)
        yield
    finally:
        os.close(descriptor)
