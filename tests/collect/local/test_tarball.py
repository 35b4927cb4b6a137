"""Archives that nobody should unpack, and honest ones."""

from __future__ import annotations

import gzip
import io
import tarfile
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fgbench.collect.local import tarball
from fgbench.collect.local.tarball import Tarball
from fgbench.errors import FaultyInput, InputError


def member(name: str, content: bytes = b"", kind: bytes = tarfile.REGTYPE, link: str = ""):
    info = tarfile.TarInfo(name)
    info.type, info.linkname, info.size = kind, link, len(content)
    return info, content


def pack(path: Path, *members, format: int = tarfile.GNU_FORMAT) -> Path:
    with tarfile.open(path, "w:gz", format=format) as archive:
        for info, content in members:
            archive.addfile(info, io.BytesIO(content))
    return path


def test_files_are_found_and_read(tmp_path: Path) -> None:
    long = f"top/folder/{'x' * 150}.jpg"
    path = pack(
        tmp_path / "set.tgz",
        member("./top", kind=tarfile.DIRTYPE),
        member("./top/folder/one.jpg", b"1" * 70_000),
        member("top/folder/two.jpg", b"2" * 1024),
        member(long, b""),
        member("top/list.txt", b"a list"),
        member("top/empty", kind=tarfile.DIRTYPE),
        member("top/folder/deep/three.jpg", b"3"),
    )
    for form in (path, pack(tmp_path / "pax.tgz", member(long, b""), format=tarfile.PAX_FORMAT)):
        assert long.removeprefix("top/") in Tarball(form).two_deep("top/")
    found = Tarball(path)
    assert found.two_deep("top/") == {"folder/one.jpg", "folder/two.jpg", f"folder/{'x' * 150}.jpg"}
    assert found.folders("top/") == {"folder", "empty"}
    assert found.two_deep("nowhere/") == found.folders("nowhere/") == frozenset()
    wanted = ["top/folder/two.jpg", "top/folder/one.jpg", "top/none.jpg", "top/list.txt"]
    contents = dict(found.read(wanted))
    assert isinstance(contents.pop("top/none.jpg"), FileNotFoundError)
    assert contents == {
        "top/folder/one.jpg": b"1" * 70_000,
        "top/folder/two.jpg": b"2" * 1024,
        "top/list.txt": b"a list",
    }


@given(st.lists(st.integers(0, 20_000), min_size=1, max_size=6))
def test_files_of_any_size_are_read_whole(tmp_path_factory, sizes: list[int]) -> None:
    contents = {f"a/b/{k}": bytes([k + 1]) * size for k, size in enumerate(sizes)}
    members = (member(name, content) for name, content in contents.items())
    path = pack(tmp_path_factory.mktemp("any") / "set.tgz", *members)
    assert dict(Tarball(path).read(list(contents))) == contents


HOSTILE = {
    "parent": member("CUB_200_2011/../../evil.jpg", b"x"),
    "absolute": member("/etc/evil.jpg", b"x"),
    "backslash": member("..\\evil.jpg", b"x"),
    "line end": member("images/evil\n.jpg", b"x"),
    "symlink": member("images/link.jpg", kind=tarfile.SYMTYPE, link="/etc/passwd"),
    "hard link": member("images/link.jpg", kind=tarfile.LNKTYPE, link="images/good.jpg"),
    "device": member("images/device.jpg", kind=tarfile.CHRTYPE),
    "block device": member("images/device.jpg", kind=tarfile.BLKTYPE),
    "pipe": member("images/pipe.jpg", kind=tarfile.FIFOTYPE),
    "twice": member("./images/good.jpg", b"another"),
}


@pytest.mark.parametrize("bad", HOSTILE.values(), ids=HOSTILE)
def test_unsafe_members_are_refused_and_named(tmp_path: Path, bad) -> None:
    path = pack(tmp_path / "set.tgz", member("images/good.jpg", b"x"), bad)
    with pytest.raises(FaultyInput) as caught:
        Tarball(path)
    assert caught.value.exit_code == 2
    (fault,) = caught.value.faults
    assert fault.code == "FG-L002"
    assert bad[0].name.strip("./").partition("\n")[0] in fault.where.replace("\\\\", "\\")


def test_all_kinds_of_unsafe_members_are_told_at_once(tmp_path: Path) -> None:
    path = pack(tmp_path / "set.tgz", member("images/good.jpg", b"x"), *HOSTILE.values())
    with pytest.raises(FaultyInput) as caught:
        Tarball(path)
    assert [fault.found for fault in caught.value.faults] == [
        "leads outside the archive",
        "is a link",
        "is a device, a pipe or sparse",
        "comes twice",
    ]
    assert "and 3 more" in caught.value.faults[0].where


def _claiming(size: bytes, kind: bytes, name: bytes = b"a/b/c.jpg") -> bytes:
    """A header that claims a size, as octal digits or GNU's base 256, and nothing behind it."""
    header = bytearray(512)
    header[: len(name)] = name
    header[100:108] = header[108:116] = header[116:124] = b"0000644\0"
    header[124 : 124 + len(size)] = size
    header[136:148], header[156:157] = b"00000000000\0", kind
    header[257:265] = b"ustar  \0"
    header[148:156] = b"        "
    header[148:156] = b"%06o\0 " % sum(header)
    return bytes(header)


def _huge(content: bytes) -> bytes:
    return gzip.compress(content + bytes(4 * 2**20), 1)


BOMBS: dict[str, Callable[[], bytes]] = {
    "long name": lambda: _huge(_claiming(b"77777777777\0", b"L")),
    "pax header": lambda: _huge(_claiming(b"00004000000\0", b"x")),
    "negative size": lambda: _huge(_claiming(b"\xff" * 10 + b"\xfc\x00", b"0")),
    "negative header": lambda: _huge(_claiming(b"\xff" * 10 + b"\xfc\x00", b"x")),
    "size beyond all": lambda: _huge(_claiming(b"\x80" + bytes(3) + b"\x7f" * 8, b"0")),
}


@pytest.mark.parametrize("bomb", BOMBS.values(), ids=BOMBS)
def test_headers_that_claim_too_much_cost_nothing(tmp_path: Path, bomb) -> None:
    path = tmp_path / "set.tgz"
    path.write_bytes(bomb())
    tracemalloc.start()
    try:
        with pytest.raises(InputError) as caught:
            Tarball(path)
        assert tracemalloc.get_traced_memory()[1] < 2 * 2**20
    finally:
        tracemalloc.stop()
    assert caught.value.code == "FG-L003"


def test_what_unpacks_to_more_than_a_set_is_refused(tmp_path: Path, monkeypatch) -> None:
    path = pack(tmp_path / "set.tgz", *(member(f"a/b/{k}", bytes(2**20)) for k in range(4)))
    assert path.stat().st_size < 10_000
    Tarball(path)
    monkeypatch.setattr(tarball, "MOST_MEMBERS", 3)
    with pytest.raises(InputError, match="more than 3 members"):
        Tarball(path)
    monkeypatch.setattr(tarball, "MOST_BYTES", 3 * 2**20)
    with pytest.raises(InputError, match=r"more than 3,145,728 bytes"):
        Tarball(path)


def test_a_file_that_is_too_large_is_not_read(tmp_path: Path, monkeypatch) -> None:
    path = pack(tmp_path / "set.tgz", member("a/large", bytes(2000)), member("a/small", b"ok"))
    monkeypatch.setattr(tarball, "LARGEST", 1000)
    contents = dict(Tarball(path).read(["a/large", "a/small"]))
    assert contents["a/small"] == b"ok"
    assert str(contents["a/large"]) == "[Errno 27] more than 1,000 bytes"


@pytest.mark.parametrize("part", [0.0, 0.3, 0.9, 0.999])
def test_an_archive_cut_short_is_named(tmp_path: Path, part: float) -> None:
    noise = bytes(range(256)) * 400
    whole = pack(tmp_path / "set.tgz", *(member(f"a/b/{k}", noise) for k in range(9))).read_bytes()
    (path := tmp_path / "cut.tgz").write_bytes(whole[: int(len(whole) * part)])
    with pytest.raises(InputError) as caught:
        Tarball(path)
    assert caught.value.code == "FG-L003"


def test_a_changed_byte_is_noticed(tmp_path: Path) -> None:
    path = tmp_path / "set.tgz"
    with tarfile.open(path, "w:gz", compresslevel=0) as archive:
        info, content = member("a/b/c.jpg", b"content" * 1000)
        archive.addfile(info, io.BytesIO(content))
    Tarball(path)
    path.write_bytes(path.read_bytes().replace(b"content", b"cOntent", 1))
    with pytest.raises(InputError, match="CRC check failed"):
        Tarball(path)


@pytest.mark.parametrize("content", [b"PK\x03\x04 a zip", b"<html></html>", bytes(2000)])
def test_other_files_are_no_archive(tmp_path: Path, content: bytes) -> None:
    (path := tmp_path / "set.tgz").write_bytes(content)
    with pytest.raises(InputError, match=r"is not a \.tgz to read"):
        Tarball(path)
