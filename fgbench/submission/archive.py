"""The zip archive under an ``.npz`` file: its members located, never trusted.

The standard library reads the central directory. Members are located here, since their place in
the file is needed to map them and to refuse those that overlap; ``content`` reads them.
"""

from __future__ import annotations

import hashlib
import os
import re
import stat
import struct
import zipfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from fgbench.errors import InputError
from fgbench.submission.faults import FAULTS, Code
from fgbench.submission.findings import Findings

MAX_BYTES = 8 << 30
"""Of the file, and of all its members unpacked."""
MAX_MEMBERS = 64
MAX_DIRECTORY = 1 << 20
"""Bytes of the zip's central directory; 64 members take about 5 KiB."""
MAX_RATIO = 200
FREE_BYTES = 512 << 20
"""Up to this unpacked size any ratio is allowed: a constant submission packs very well."""

CHUNK = 1 << 20
LOOKS = (
    (b"PK", "a zip that is damaged or cut short", "copy it again, whole, or write it again"),
    (b"\x93NUMPY", "a single .npy array", "numpy.savez(path, image=…, image_ids=…, text=…, …)"),
    (b"\x80", "a pickle, or a checkpoint of an old kind", "save arrays with numpy.savez"),
    (b"\x89HDF", "an HDF5 file", "read its arrays, and save them with numpy.savez"),
    (b"\x1f\x8b", "a gzip file", "unpack it first"),
)
"""What a file begins with, what it then seems to be, how to mend it."""
LOCAL_HEADER = struct.Struct("<4s22xHH")
ENCRYPTED = 0x1 | 0x40 | 0x2000  # bits of a member's flags: plain, strong, masked header


class Unsound(Exception):
    """A member that cannot be used: the fault's code and what was found."""

    def __init__(self, code: Code, found: str) -> None:
        super().__init__(code, found)
        self.code, self.found = code, found


@dataclass(frozen=True, slots=True)
class Member:
    """One member: its name without ``.npy``, where it begins and its content begins, its sizes."""

    name: str
    start: int
    offset: int
    packed: int
    size: int
    crc: int
    deflated: bool

    @property
    def end(self) -> int:
        return self.offset + self.packed


class _Bounded:
    """The file as zipfile sees it: no read takes more than the directory's bound."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.seek, self.tell = file.seek, file.tell

    def read(self, size: int = -1) -> bytes:
        if size > MAX_DIRECTORY:
            raise zipfile.BadZipFile(f"a central directory of {size:,} bytes")
        return self._file.read(MAX_DIRECTORY if size < 0 else size)


def refusal(code: Code, what: str) -> InputError:
    """The error of a call that a fault of the table ends at once."""
    return InputError(code, what, why=FAULTS[code].why, fix=f"To mend it: {FAULTS[code].fix}.")


def open_file(path: Path) -> BinaryIO:
    """The file, opened to be read. Raises ``InputError`` where it is none, or too large."""
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):  # a pipe or a device could block, or never end
            raise refusal(Code.NO_FILE, f"{path} is not a regular file")
        if status.st_size > MAX_BYTES:
            raise refusal(Code.TOO_LARGE, f"{path} has {status.st_size:,} bytes")
        return path.open("rb")
    except (OSError, ValueError) as error:  # ValueError: a NUL in the path
        reason = getattr(error, "strerror", None) or error
        raise refusal(Code.NO_FILE, f"{str(path)!r} cannot be opened: {reason}") from error


def digest(file: BinaryIO, advance: Callable[[int], None]) -> str:
    """The SHA-256 of the whole file; ``advance`` is told the bytes as they go by."""
    sha = hashlib.sha256()
    file.seek(0)
    while chunk := file.read(CHUNK):
        sha.update(chunk)
        advance(len(chunk))
    return sha.hexdigest()


def members(file: BinaryIO, findings: Findings) -> tuple[list[Member], set[str]]:
    """The sound members of the archive, and the names of the unsound (``findings`` says why)."""
    total = file.seek(0, os.SEEK_END)
    try:
        archive = zipfile.ZipFile(_Bounded(file))
    except (
        zipfile.BadZipFile,
        NotImplementedError,  # a version of the format from the future
        ValueError,  # a name that is not the UTF-8 it claims to be
        OverflowError,
        OSError,
        struct.error,
    ) as error:
        found, fix = _looks_like(file, total, error)
        findings.add(Code.NO_ARCHIVE, "the file", found, fix=fix)
        return [], set()
    entries = [e for e in archive.infolist() if not _is_folder(e)]
    if len(entries) > MAX_MEMBERS:
        findings.add(Code.TOO_MANY_MEMBERS, "the file", f"{len(entries):,} members")
        return [], set()
    located: dict[str, Member] = {}
    unsound: set[str] = set()
    for entry in entries:
        name = _name(entry)
        try:
            member = _locate(file, entry, archive.start_dir)
            if name in located or name in unsound:
                raise Unsound(Code.REPEATED_MEMBER, f"{entry.orig_filename!r} a second time")
            located[name] = member
        except Unsound as fault:
            findings.add(fault.code, ascii(name)[1:-1][:100], fault.found)
            unsound.add(name)
    unsound |= _overlapping(located.values(), findings)
    if not _is_bounded(located.values(), total, findings):
        unsound |= set(located)
    return [m for n, m in located.items() if n not in unsound], unsound


def _is_folder(entry: zipfile.ZipInfo) -> bool:
    return entry.orig_filename.endswith("/") and entry.file_size == 0


def _name(entry: zipfile.ZipInfo) -> str:
    return entry.orig_filename.removesuffix(".npy")


def _locate(file: BinaryIO, entry: zipfile.ZipInfo, end: int) -> Member:
    name = entry.orig_filename
    parts = name.split("/")
    if re.search(r"[\\\0]|^[A-Za-z]:", name) or not {"", ".", ".."}.isdisjoint(parts):
        raise Unsound(Code.UNSAFE_NAME, f"the name {name[:100]!a}")
    if stat.S_ISLNK(entry.external_attr >> 16):
        raise Unsound(Code.UNSAFE_NAME, "a symbolic link")
    if entry.flag_bits & ENCRYPTED:
        raise Unsound(Code.ENCRYPTED, "an encrypted member")
    if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise Unsound(Code.COMPRESSION, f"the zip method {entry.compress_type}")
    start = entry.header_offset
    if not 0 <= start <= end - LOCAL_HEADER.size:
        raise Unsound(Code.OVERLAP, f"a member at byte {start:,}, outside the file")
    magic, name_length, extra_length = LOCAL_HEADER.unpack(
        os.pread(file.fileno(), LOCAL_HEADER.size, start)
    )
    offset = start + LOCAL_HEADER.size + name_length + extra_length
    if magic != b"PK\x03\x04":
        raise Unsound(Code.OVERLAP, f"no member begins at byte {start:,}")
    if offset + entry.compress_size > end:
        raise Unsound(Code.OVERLAP, f"{entry.compress_size:,} bytes that end outside the file")
    deflated = entry.compress_type == zipfile.ZIP_DEFLATED
    if not deflated and entry.compress_size != entry.file_size:
        raise Unsound(
            Code.LYING_SIZE, f"stored, yet {entry.compress_size:,} bytes for {entry.file_size:,}"
        )
    return Member(
        _name(entry), start, offset, entry.compress_size, entry.file_size, entry.CRC, deflated
    )


def _overlapping(located: Iterable[Member], findings: Findings) -> set[str]:
    unsound: set[str] = set()
    furthest: Member | None = None
    for member in sorted(located, key=lambda m: m.start):
        if furthest and member.start < furthest.end:
            findings.add(Code.OVERLAP, member.name, f"begins inside {furthest.name}")
            unsound |= {furthest.name, member.name}
        if furthest is None or member.end > furthest.end:
            furthest = member
    return unsound


def _is_bounded(located: Iterable[Member], total: int, findings: Findings) -> bool:
    size = sum(m.size for m in located)
    if size > MAX_BYTES:
        findings.add(Code.TOO_LARGE, "the file", f"members of {size:,} bytes, unpacked")
    elif size > FREE_BYTES and size > MAX_RATIO * total:
        findings.add(Code.BOMB, "the file", f"{total:,} bytes that unpack to {size:,}")
    else:
        return True
    return False


def _looks_like(file: BinaryIO, total: int, error: Exception) -> tuple[str, str]:
    """What a file that is no archive seems to be, and how to mend that."""
    start = os.pread(file.fileno(), 64, 0)
    for magic, kind, fix in LOOKS:
        if start.startswith(magic):
            return f"{kind} ({error})", fix
    if not total:
        return "an empty file", "was it still being written? write it again"
    if all(byte >= 0x20 or byte in b"\t\n\r" for byte in start):
        return f"text that begins {start[:40]!r}", "for the authors' text: fgbench import-legacy"
    return f"bytes that begin {start[:8].hex(' ')}", ""
