"""The bytes of one member of an archive: read or inflated piece by piece, settled at the end."""

from __future__ import annotations

import errno
import os
import zlib
from collections.abc import Callable, Iterator
from typing import BinaryIO

from fgbench.submission.archive import CHUNK, Member, Unsound, refusal
from fgbench.submission.faults import Code


def content(file: BinaryIO, member: Member) -> Iterator[bytes]:
    """The unpacked bytes of a member, piece by piece. Raises ``Unsound`` where they are not true.

    Never gives more than the declared size; size and checksum are settled at the end.
    """
    size = crc = 0
    for piece in (_inflate if member.deflated else _read)(file, member):
        size += len(piece)
        if size > member.size:
            break
        crc = zlib.crc32(piece, crc)
        yield piece
    if size != member.size:
        amount = "more" if size > member.size else f"{size:,}"
        raise Unsound(Code.LYING_SIZE, f"{member.size:,} bytes declared, {amount} found")
    if crc != member.crc:
        raise Unsound(Code.DAMAGED, f"checksum {crc:08x}, declared {member.crc:08x}")


def head(file: BinaryIO, member: Member, length: int) -> bytes:
    """The first ``length`` unpacked bytes, or all where there are fewer."""
    start = b""
    for piece in content(file, member):
        start += piece
        if len(start) >= length:
            break
    return start[:length]


def unpack(
    file: BinaryIO, member: Member, target: BinaryIO | None, advance: Callable[[int], None]
) -> None:
    """Check the content of a member, and write it to ``target`` where one is given.

    Raises ``Unsound``, or ``InputError`` where the disk is full.
    """
    try:
        for piece in content(file, member):
            advance(len(piece))
            if target:
                target.write(piece)
        if target:
            target.flush()
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            raise
        raise refusal(Code.NO_ROOM, f"{member.name} cannot be unpacked: {error}") from error


def _read(file: BinaryIO, member: Member) -> Iterator[bytes]:
    for first in range(0, member.packed, CHUNK):
        yield os.pread(file.fileno(), min(CHUNK, member.packed - first), member.offset + first)


def _inflate(file: BinaryIO, member: Member) -> Iterator[bytes]:
    engine = zlib.decompressobj(-zlib.MAX_WBITS)
    packed = _read(file, member)
    while not engine.eof:
        data = engine.unconsumed_tail or next(packed, b"")
        try:
            piece = engine.decompress(data, CHUNK)
        except zlib.error as error:
            raise Unsound(Code.DAMAGED, f"cannot be unpacked: {error}") from error
        if piece:
            yield piece
        elif not data and not engine.eof:
            raise Unsound(Code.DAMAGED, "ends in the middle")
    if engine.unused_data or next(packed, b""):
        raise Unsound(Code.LYING_SIZE, "bytes after the end of its content")
