"""One process at a time in a folder: a build, a review or a server."""

from __future__ import annotations

import fcntl
import os
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from fgbench.errors import InputError


@contextmanager
def hold(folder: Path) -> Iterator[None]:
    """Holds a folder for a build. Raises ``InputError`` where another has it (FG-W002)."""

    def refuse(holder: str) -> InputError:
        return InputError(
            "FG-W002",
            f"another build is at work in {folder} ({holder})",
            why="Two builds in one folder would ask everything twice and mix their journals.",
            fix="Wait for it, stop it, or give this one another --out.",
        )

    held = acquire(folder / ".lock", refuse)
    try:
        yield
    finally:
        os.close(held)


def acquire(file: Path, refuse: Callable[[str], InputError]) -> int:
    """Locks a file for this process and returns its descriptor; closing it lets go.

    The system lets go when the process ends, killed too. Raises what ``refuse`` makes of the holder
    where that is another.
    """
    descriptor = os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            holder = os.pread(descriptor, 200, 0).decode("utf-8", "replace").strip()
            raise refuse(holder or "it does not say by which process") from error
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"process {os.getpid()} on {socket.gethostname()}\n".encode(), 0)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor
