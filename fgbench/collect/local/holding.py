"""Where a copy of a set lies: a folder, or a .tgz that is never unpacked as a whole.

Nothing of the user's is written to.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Protocol

from fgbench.collect.local.tarball import LARGEST, Tarball
from fgbench.errors import InputError


class Holding(Protocol):
    """Files by their names: relative, parted by ``/``."""

    def two_deep(self, top: str) -> frozenset[str]:
        """Names ``folder/file`` of the files that lie so under ``top`` (``""``, or ends in /)."""

    def folders(self, top: str) -> frozenset[str]:
        """Names of the folders right under ``top``, empty ones too."""

    def read(self, names: Collection[str]) -> Iterator[tuple[str, bytes | OSError]]:
        """Each of these files with its content, or why it has none; in an order of its own."""


class Folder:
    """A folder; links in it are followed, since they are the user's own."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def two_deep(self, top: str) -> frozenset[str]:
        """See ``Holding``."""
        return frozenset(
            f"{folder}/{file.name}"
            for folder in self.folders(top)
            for file in (self._path / top / folder).iterdir()
            if file.is_file()
        )

    def folders(self, top: str) -> frozenset[str]:
        """See ``Holding``."""
        place = self._path / top
        return frozenset(f.name for f in place.iterdir() if f.is_dir()) if place.is_dir() else _NONE

    def read(self, names: Collection[str]) -> Iterator[tuple[str, bytes | OSError]]:
        """See ``Holding``."""
        for name in sorted(names):
            try:
                yield name, self._content(self._path / name)
            except OSError as error:
                yield name, error

    def _content(self, path: Path) -> bytes:
        if not path.is_file():  # a pipe would be waited for, a device never end
            raise FileNotFoundError(2, "not a file")
        if path.stat().st_size > LARGEST:
            raise OSError(27, f"more than {LARGEST:,} bytes")
        return path.read_bytes()


_NONE: frozenset[str] = frozenset()


def open_holding(path: Path) -> Holding:
    """The folder or .tgz at ``path``.

    Raises ``InputError`` where it is neither (FG-L001, FG-L003) and ``FaultyInput`` where the .tgz
    has a member that no set has (FG-L002).
    """
    try:
        if path.is_dir():
            next(path.iterdir(), None)
            return Folder(path)
        if path.is_file():
            return Tarball(path)
    except OSError as error:
        raise InputError(
            "FG-L001",
            f"{path} could not be opened: {error.strerror or error}",
            fix="See to its permissions.",
        ) from error
    raise InputError(
        "FG-L001",
        f"{path} is neither a folder nor a file",
        fix="Give the folder of the set, or the .tgz that it came in.",
    )
