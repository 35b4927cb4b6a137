"""Writing so that it is there after a power cut, or refused where there is no room."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from fgbench.errors import FgbenchError

from .errors import DiskFull

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


@contextmanager
def writing() -> Iterator[None]:
    """Raises ``DiskFull``, or FG-H123 where it cannot be written for another reason."""
    try:
        yield
    except OSError as error:
        if error.errno in _FULL:
            raise DiskFull from error
        raise FgbenchError(
            "FG-H123",
            f"the server could not write: {error.strerror}",
            why="Nothing was kept of this upload.",
            fix="Tell those who run the server.",
        ) from error


def create(path: Path) -> int:
    """A descriptor of a new file, for its owner alone."""
    return os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o600)


def sync_folder(folder: Path) -> None:
    """Bring the names in a folder to the disk."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
