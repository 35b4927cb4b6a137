"""Reads single files of a .tgz of unknown origin. All of it is looked at before any is read.

No member is ever written to disk under its own name. What no honest set has is refused: names that
lead outside, links, devices, a name twice, sizes that do not fit a memory or a day.
"""

from __future__ import annotations

import gzip
import tarfile
import zlib
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import Any

from fgbench.errors import Fault, FaultyInput, InputError
from fgbench.manifest import CONTROL, show

LARGEST = 32 * 2**20
"""Bytes of a file that is read. The largest image of CUB-200-2011 has less than 1 MB."""
MOST_MEMBERS = 200_000
MOST_BYTES = 8 * 2**30
"""Of all members, unpacked: CUB-200-2011 has about 12,000 of 1.2 GB."""
_LONGEST_READ = 8192
"""Bytes that tarfile may ask for at once: of a header it would take whatever its size claims, and
search it in quadratic time."""

_KINDS = {
    "outside": ("FG-L002", "leads outside the archive", "a relative name without .."),
    "link": ("FG-L002", "is a link", "files and folders alone"),
    "special": ("FG-L002", "is a device, a pipe or sparse", "files and folders alone"),
    "twice": ("FG-L002", "comes twice", "every name once"),
}


class _TooMuch(Exception):
    """The archive unpacks to more than a set can be."""


class _Measured:
    """The unpacked stream for ``tarfile``: forward only, and no more of it than a set can be.

    A negative size, which tarfile believes, would lead it back for ever.
    """

    def __init__(self, stream: gzip.GzipFile) -> None:
        self._stream = stream

    def read(self, size: int) -> bytes:
        if not 0 <= size <= _LONGEST_READ:
            raise _TooMuch(f"a header of {size:,} bytes")
        return self._stream.read(size)

    def seek(self, position: int) -> int:
        if position > MOST_BYTES:
            raise _TooMuch(f"more than {MOST_BYTES:,} bytes unpacked")
        if position < self._stream.tell() - 1:  # one back is how tarfile looks for the end
            raise _TooMuch("a member that begins before its own header")
        return self._stream.seek(position)

    def tell(self) -> int:
        return self._stream.tell()

    def finish(self) -> None:
        """Reads on to the end, where gzip keeps the checksum of all of it."""
        while self._stream.read(2**20):
            if self._stream.tell() > MOST_BYTES:
                raise _TooMuch(f"more than {MOST_BYTES:,} bytes unpacked")


class Tarball:
    """A .tgz whose every member has been looked at. See ``Holding`` for its methods.

    Raises ``FaultyInput`` (FG-L002) with all kinds of unsafe members, ``InputError`` (FG-L003)
    where it is no .tgz, is cut short or is a bomb.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._files: set[str] = set()
        self._folders: set[str] = set()
        faults: dict[str, list[str]] = {}
        with _members(path) as members:
            for number, member in enumerate(members):
                if number >= MOST_MEMBERS:
                    raise _TooMuch(f"more than {MOST_MEMBERS:,} members")
                name = _plain(member.name)
                kind = _fault_of(member) or ("twice" if name in self._files else "")
                if kind:
                    faults.setdefault(kind, []).append(member.name)
                elif member.isfile():
                    self._files.add(name)
                else:
                    self._folders.add(name)
            members.finish()
        if faults:
            raise FaultyInput(f"{path} is not read", [_fault(*kind) for kind in faults.items()])
        for name in self._files:
            self._folders.update(map(str, PurePosixPath(name).parents))

    def two_deep(self, top: str) -> frozenset[str]:
        """See ``Holding``."""
        inside = (name[len(top) :] for name in self._files if name.startswith(top))
        return frozenset(name for name in inside if name.count("/") == 1)

    def folders(self, top: str) -> frozenset[str]:
        """See ``Holding``."""
        inside = {name[len(top) :] for name in self._folders if name.startswith(top)}
        return frozenset(name for name in inside if name and "/" not in name and name != ".")

    def read(self, names: Collection[str]) -> Iterator[tuple[str, bytes | OSError]]:
        """See ``Holding``. In the order of the archive, which can only be read from its start."""
        wanted = self._files.intersection(names)
        for name in sorted(set(names) - wanted):
            yield name, FileNotFoundError(2, "no such member")
        with _members(self._path) as members:
            for member in members:
                name = _plain(member.name)
                if name not in wanted or not member.isfile():
                    continue
                wanted.discard(name)
                if member.size > LARGEST:
                    yield name, OSError(27, f"more than {LARGEST:,} bytes")
                else:
                    yield name, members.content(member)
                if not wanted:
                    return


class _Members:
    """The members of an open archive, in their order, and the content of the latest."""

    def __init__(self, archive: tarfile.TarFile, finish: Callable[[], None]) -> None:
        self._archive = archive
        self.finish = finish

    def __iter__(self) -> Iterator[tarfile.TarInfo]:
        while (member := self._archive.next()) is not None:
            yield member
            self._archive.members = []  # type: ignore[attr-defined]  # it would keep them all

    def content(self, member: tarfile.TarInfo) -> bytes:
        file = self._archive.extractfile(member)
        if file is None:
            raise tarfile.ReadError(f"{member.name} has no content")
        with file:
            parts = []
            while part := file.read(_LONGEST_READ):
                parts.append(part)
        return b"".join(parts)


@contextmanager
def _members(path: Path) -> Iterator[_Members]:
    """The members of the .tgz at ``path``. Whatever is wrong with it is an ``InputError``."""
    try:
        with gzip.open(path) as stream:
            measured: Any = _Measured(stream)
            with tarfile.open(fileobj=measured, mode="r:") as archive:
                yield _Members(archive, measured.finish)
    except _TooMuch as error:
        raise _refusal(path, str(error), "Unpacking it could fill memory or disk.") from error
    except (OSError, EOFError, zlib.error, tarfile.TarError, ValueError) as error:
        raise _refusal(path, str(error), "It may be cut short: compare its size.") from error


def _refusal(path: Path, found: str, why: str) -> InputError:
    fix = "Download the .tgz of the set again, or give the folder that it unpacks to."
    return InputError("FG-L003", f"{path} is not a .tgz to read: {show(found)}", why=why, fix=fix)


def _plain(name: str) -> str:
    """The name without ``./`` and a slash at its end: how it is looked for."""
    return str(PurePosixPath(name))


def _fault_of(member: tarfile.TarInfo) -> str:
    path = PurePosixPath(member.name)
    if path.is_absolute() or ".." in path.parts or "\\" in member.name:
        return "outside"
    if CONTROL.search(member.name):
        return "outside"
    if member.issym() or member.islnk():
        return "link"
    if member.issparse() or not (member.isfile() or member.isdir()):
        return "special"
    return ""


def _fault(kind: str, names: list[str]) -> Fault:
    code, what, expected = _KINDS[kind]
    more = f" and {len(names) - 1:,} more" if len(names) > 1 else ""
    fix = "take the archive from its own site, or give the folder that it unpacks to"
    return Fault(code, f"member {show(names[0])}{more}", what, expected, fix)
