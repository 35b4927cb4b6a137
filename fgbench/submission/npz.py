"""An ``.npz`` file: its sound arrays by name, unpacked when they are asked for; and writing one."""

from __future__ import annotations

import os
import tempfile
import zipfile
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from numpy.lib import format as npy

from fgbench.submission import archive
from fgbench.submission.archive import Member, Unsound
from fgbench.submission.array import MAX_HEADER, Header, StoredArray, read_header
from fgbench.submission.content import head, unpack
from fgbench.submission.faults import Code
from fgbench.submission.findings import Findings
from fgbench.submission.format import Progress

if TYPE_CHECKING:
    from numpy.typing import NDArray

EPOCH = (1980, 1, 1, 0, 0, 0)
"""The date of every member: the first that a zip can hold."""


class Npz:
    """``names`` are all members, sound or not; ``headers`` those of sound arrays; ``sha256``.

    Faults go to ``findings``. Raises ``InputError`` where there is no file to read.
    """

    def __init__(self, path: Path, findings: Findings, progress: Progress | None) -> None:
        self._findings, self._progress = findings, progress
        self._file = archive.open_file(path)
        self._spool: BinaryIO | None = None
        sound, unsound = archive.members(self._file, findings)
        self._members = {member.name: member for member in sound}
        self.names = unsound | set(self._members)
        # the work: hash the file, unpack every member, look at every number
        self._work = path.stat().st_size + 2 * sum(member.size for member in sound)
        self._done = 0
        self.sha256 = archive.digest(self._file, self.advance)
        self.headers: dict[str, Header] = {}
        for member in sound:
            if header := self._read_header(member):
                self.headers[member.name] = header

    def advance(self, count: int) -> None:
        """Note that ``count`` bytes of the work are done."""
        self._done += count
        if self._progress and self._work:
            self._progress(min(1.0, self._done / self._work))

    def array(self, name: str) -> StoredArray | None:
        """The array, its content checked against size and checksum; None where that fails."""
        header, member = self.headers[name], self._members[name]
        file, offset, target = self._file, member.offset, None
        if member.deflated:
            if self._spool is None:
                self._spool = tempfile.TemporaryFile(prefix="fgbench-")  # noqa: SIM115
            file = target = self._spool
            offset = target.seek(0, os.SEEK_END)
        try:
            unpack(self._file, member, target, self.advance)
        except Unsound as fault:
            self._findings.add(fault.code, name, fault.found)
            return None
        return StoredArray(file, offset + header.size, header.dtype, header.shape, header.fortran)

    def keep(self, arrays: Iterable[StoredArray]) -> None:
        """Close what none of ``arrays`` lies in."""
        used = [array.file for array in arrays]
        for file in (self._file, self._spool):
            if file and not any(file is one for one in used):
                file.close()

    def _read_header(self, member: Member) -> Header | None:
        try:
            header = read_header(head(self._file, member, MAX_HEADER + 16))
            if not header.dtype.hasobject and header.size + header.data_bytes != member.size:
                raise Unsound(
                    Code.LYING_SIZE,
                    f"an array of {header.data_bytes:,} bytes, by its header, in a member with "
                    f"room for {member.size - header.size:,}",
                )
        except ValueError as error:
            self._findings.add(Code.NO_ARRAY, member.name, str(error))
        except Unsound as fault:
            self._findings.add(fault.code, member.name, fault.found)
        else:
            return header
        return None


def write_npz(path: Path, arrays: Iterable[tuple[str, NDArray[Any]]]) -> None:
    """Write arrays by their names: equal arrays, equal bytes.

    Stored, not deflated: they can be mapped in place, and no version of zlib changes the bytes.
    """
    with zipfile.ZipFile(path, "w") as archive:
        for name, array in arrays:
            entry = zipfile.ZipInfo(f"{name}.npy", EPOCH)
            entry.create_system = 3  # Unix, wherever it is written
            entry.external_attr = 0o644 << 16
            with archive.open(entry, "w", force_zip64=array.nbytes > 1 << 30) as member:
                npy.write_array(member, array, allow_pickle=False)
