"""Zip files that lie: each attack is built by hand, byte by byte where the zip module will not."""

from __future__ import annotations

import os
import struct
import zipfile
import zlib
from pathlib import Path

import numpy as np
import pytest

from fgbench.errors import FaultyInput, InputError
from fgbench.submission import archive as bounds
from fgbench.submission import read_submission

CENTRAL = struct.Struct("<4s6H3I5H2I")
END = struct.Struct("<4s4H2IH")
STORED, DEFLATED = 0, 8


class Entry:
    """A member of a hand-made zip; every field can be made to lie."""

    def __init__(self, name, data, method=STORED, **lies):
        packer = zlib.compressobj(9, zlib.DEFLATED, -15)
        self.name = name.encode() if isinstance(name, str) else name
        self.raw = packer.compress(data) + packer.flush() if method == DEFLATED else data
        self.method = method
        self.crc = zlib.crc32(data)
        self.size, self.packed = len(data), len(self.raw)
        self.flags = self.attributes = 0
        self.at = None
        vars(self).update(lies)


def build(path, entries, *, prefix=b"", end=None):
    """Write the entries; one whose ``at`` is given has no bytes of its own."""
    body, directory = bytearray(prefix), bytearray()
    for e in entries:
        start = len(body) if e.at is None else e.at
        local = struct.pack(
            "<4s5H3I2H", b"PK\3\4", 20, e.flags, e.method, 0, 0x21, e.crc, e.packed, e.size,
            len(e.name), 0,
        )  # fmt: skip
        if e.at is None:
            body += local + e.name + e.raw
        directory += CENTRAL.pack(
            b"PK\1\2", 0x314, 20, e.flags, e.method, 0, 0x21, e.crc, e.packed, e.size,
            len(e.name), 0, 0, 0, 0, e.attributes << 16, start,
        ) + e.name  # fmt: skip
    count = len(entries)
    tail = END.pack(b"PK\5\6", 0, 0, count, count, len(directory), len(body), 0)
    path.write_bytes(body + directory + (tail if end is None else end))
    return path


def faults(path):
    with pytest.raises(FaultyInput) as raised:
        read_submission(path)
    return raised.value.faults


@pytest.fixture
def entries(members, npy):
    return {name: Entry(f"{name}.npy", npy(array)) for name, array in members.items()}


@pytest.fixture
def file(tmp_path):
    return tmp_path / "s.npz"


def test_a_hand_made_zip_is_read(file, entries, members, npy):
    """The builder itself is right: without a lie there is no fault."""
    entries["text"] = Entry("text.npy", npy(members["text"]), DEFLATED)
    submission = read_submission(build(file, entries.values(), prefix=b"#!/bin/sh\n"))
    for medium in submission.media:
        np.testing.assert_array_equal(submission.embedding(medium), members[medium])


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (b"", "an empty file"),
        (b"0.1 0.2 0.3\n" * 99, "text that begins"),
        (b"\x93NUMPY\x01\x00v\x00{'descr'", "a single .npy array"),
        (b"PK\3\4" + b"\0" * 99, "a zip that is damaged or cut short"),
        (b"\x80\x04\x95", "a pickle"),
        (b"\x89HDF\r\n\x1a\n", "an HDF5 file"),
        (b"\x1f\x8b\x08\x00", "a gzip file"),
        (b"\xff\x00\xff", "bytes that begin ff 00 ff"),
    ],
)
def test_what_is_no_archive_is_told_by_its_look(file, content, found):
    file.write_bytes(content)
    (fault,) = faults(file)
    assert (fault.code, fault.found[: len(found)]) == ("FG-S002", found)


def test_every_truncation_is_a_fault(file, save, members):
    whole = save(members).read_bytes()
    for length in range(0, len(whole), 97):
        file.write_bytes(whole[:length])
        assert faults(file)[0].code == "FG-S002"


@pytest.mark.parametrize(
    "name", ["../image.npy", "/image.npy", "a/../image.npy", "C:image.npy", "..\\image.npy",
             "./image.npy", "image//image.npy", "image\0.npy", ""],
)  # fmt: skip
def test_names_that_reach_outside(file, entries, name):
    entries["image"].name = name.encode()
    assert "FG-S005" in [f.code for f in faults(build(file, entries.values()))]


def test_symbolic_link(file, entries):
    entries["image"].attributes = 0o120777
    (fault,) = faults(build(file, entries.values()))
    assert (fault.code, fault.where) == ("FG-S005", "image")


def test_a_member_twice(file, entries, npy):
    twice = [*entries.values(), Entry("image.npy", npy(np.ones((7, 3), np.float32)))]
    (fault,) = faults(build(file, twice))
    assert (fault.code, fault.where) == ("FG-S006", "image")


@pytest.mark.parametrize("flag", [0x1, 0x41, 0x2000])
def test_encrypted(file, entries, flag):
    entries["image"].flags = flag
    (fault,) = faults(build(file, entries.values()))
    assert (fault.code, fault.where) == ("FG-S007", "image")


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA, 9, 99])
def test_unknown_compression(file, entries, method):
    entries["image"].method = method
    (fault,) = faults(build(file, entries.values()))
    assert (fault.code, fault.where) == ("FG-S008", "image")


def test_overlapping_members(file, entries):
    """Two names for the same bytes: how a small file unpacks to an enormous one."""
    entries["text"].at = 0
    codes = {(f.code, f.where) for f in faults(build(file, entries.values()))}
    assert codes == {("FG-S009", "text")}


@pytest.mark.parametrize("at", [5, 10**6, 2**32 - 1])
def test_members_outside_the_file(file, entries, at):
    entries["text"].at = at
    (fault,) = faults(build(file, entries.values()))
    assert (fault.code, fault.where) == ("FG-S009", "text")


@pytest.mark.parametrize("method", [STORED, DEFLATED])
@pytest.mark.parametrize("change", [-1, 1, 1000])
def test_declared_size_is_not_the_true_one(file, entries, members, npy, method, change):
    data = npy(members["image"])
    lie = len(data) + change
    entries["image"] = Entry("image.npy", data, method, size=lie)
    (fault,) = faults(build(file, entries.values()))
    assert (fault.code, fault.where) == ("FG-S010", "image")


def test_size_and_header_lie_alike(file, entries):
    """A deflated member whose header and entry both declare less than the stream holds."""
    head = b"\x93NUMPY\x01\x00\x76\x00" + (
        b"{'descr': '<f4', 'fortran_order': False, 'shape': (7, 3), }".ljust(117) + b"\n"
    )
    data = head + b"\x01" * (7 * 3 * 4)
    packed = Entry("image.npy", data + b"\0" * 10**6, DEFLATED)
    lie = Entry("image.npy", data, DEFLATED, raw=packed.raw, packed=packed.packed)
    (fault,) = faults(build(file, [*(e for n, e in entries.items() if n != "image"), lie]))
    assert (fault.code, fault.where) == ("FG-S010", "image")
    assert "more found" in fault.found


def test_bytes_after_the_deflated_stream(file, entries, members, npy):
    entries["image"] = Entry("image.npy", npy(members["image"]), DEFLATED)
    entries["image"].raw += b"hidden"
    entries["image"].packed += 6
    (fault,) = faults(build(file, entries.values()))
    assert (fault.code, fault.where) == ("FG-S010", "image")


@pytest.mark.parametrize("method", [STORED, DEFLATED])
def test_wrong_checksum(file, entries, members, npy, method):
    entries["image"] = Entry("image.npy", npy(members["image"]), method, crc=1)
    (fault,) = faults(build(file, entries.values()))
    assert (fault.code, fault.where) == ("FG-S011", "image")


@pytest.mark.parametrize("raw", [b"\xff" * 50, b"", b"\x00"])
def test_broken_deflate_stream(file, entries, members, npy, raw):
    entries["image"] = Entry("image.npy", npy(members["image"]), DEFLATED)
    entries["image"].raw, entries["image"].packed = raw, len(raw)
    codes = {f.code for f in faults(build(file, entries.values()))}
    assert codes == {"FG-S011"}


def test_too_many_members(file):
    entries = [Entry(f"m{i}.npy", b"") for i in range(10_000)]
    (fault,) = faults(build(file, entries))
    assert (fault.code, fault.found) == ("FG-S004", "10,000 members")


def test_a_directory_too_large_to_be_read(file):
    """A central directory of 3 MB is refused before it is parsed."""
    entries = [Entry(f"{i:060}", b"") for i in range(30_000)]
    (fault,) = faults(build(file, entries))
    assert fault.code == "FG-S002"
    assert "central directory of 3," in fault.found


def test_declared_bomb(file, entries, npy):
    """6 GB of declared zeros in a few bytes: refused by its size alone, nothing is unpacked."""
    entries["image"] = Entry("image.npy", b"\0" * 1000, DEFLATED, size=3 << 30)
    entries["text"] = Entry("text.npy", b"\0" * 1000, DEFLATED, size=3 << 30)
    (fault,) = faults(build(file, entries.values()))
    assert fault.code == "FG-S012"


def test_declared_beyond_the_bound(file, entries):
    for name in ("image", "text", "video"):
        entries[name] = Entry(f"{name}.npy", b"\0" * 1000, DEFLATED, size=3 << 30)
    (fault,) = faults(build(file, entries.values()))
    assert fault.code == "FG-S003"


def test_a_file_beyond_the_bound(file):
    with file.open("wb") as stream:
        stream.truncate(bounds.MAX_BYTES + 1)
    with pytest.raises(InputError, match="FG-S003"):
        read_submission(file)


def test_a_pipe_is_no_file(file):
    os.mkfifo(file)
    with pytest.raises(InputError, match="not a regular file"):
        read_submission(file)


def test_no_room_to_unpack(members, save, monkeypatch):
    with Path("/dev/full").open("r+b", buffering=0) as full:
        monkeypatch.setattr("tempfile.TemporaryFile", lambda **_: full)
        with pytest.raises(InputError, match="FG-S013"):
            read_submission(save(members, deflated=True))


HEADERS = {
    "no magic": b"NUMPY" * 20,
    "a version from the future": b"\x93NUMPY\x09\x00\x05\x00{}   ",
    "a huge header": b"\x93NUMPY\x02\x00\xff\xff\xff\xff{'descr'",
    "a header cut short": b"\x93NUMPY\x01\x00\x76\x00{'descr': '<f4'",
    "nothing": b"",
    **{
        name: b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text
        for name, text in {
            "a call": b"__import__('os').system('true')\n",
            "deep brackets": b"(" * 3000 + b")" * 3000 + b"\n",
            "deep signs": b"-" * 4000 + b"1\n",
            "a list": b"[1, 2]\n",
            "unhashable": b"{[]: 1}\n",
            "mixed keys": b"{1: 2, 'descr': 3, None: 4}\n",
            "a negative shape": b"{'descr': '<f4', 'fortran_order': False, 'shape': (-7, -3)}\n",
            "a shape of floats": b"{'descr': '<f4', 'fortran_order': False, 'shape': (7.0, 3)}\n",
            "no type": b"{'descr': 'nonsense', 'fortran_order': False, 'shape': (7, 3)}\n",
            "an open string": b"{'descr': '<f4\n",
        }.items()
    },
}


@pytest.mark.parametrize("name", HEADERS)
def test_headers_that_are_none(members, save, name):
    (fault,) = faults(save(members | {"image": HEADERS[name]}))
    assert (fault.code, fault.where) == ("FG-S020", "image")


@pytest.mark.parametrize("shape", ["(8, 3)", "(6, 3)", "(10**9, 10**9)", "(7, 3, 99999999999999)"])
def test_header_declares_another_size(members, save, npy, shape):
    data = npy(members["image"]).replace(b"(7, 3), ", f"{shape}, ".encode())
    codes = {f.code for f in faults(save(members | {"image": data}))}
    assert codes <= {"FG-S010", "FG-S020"}


def test_folders_inside_are_no_members(members, save):
    path = save(members)
    with zipfile.ZipFile(path, "a") as archive:
        archive.mkdir("image_text")
    assert read_submission(path)
