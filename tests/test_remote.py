"""Files at URLs: what is printed of an address, and how much of a file is in memory."""

from __future__ import annotations

import tracemalloc
from pathlib import Path

import pytest

from fgbench import remote
from fgbench.errors import InputError
from fgbench.remote import exists, fetched, local_path, read, show_url, upload, write


def test_what_a_target_names() -> None:
    assert local_path("a/b") == Path("a/b")
    assert local_path("file:///a%20b/c#d?e") == Path("/a b/c#d?e")
    assert local_path("s3://a/b") is None


def test_no_secret_of_an_address_is_printed() -> None:
    assert show_url("ftp://me:word@host/x") == "ftp://…@host/x"
    assert show_url("https://host/x?X-Amz-Signature=abc") == "https://host/x"
    assert show_url("out?/a@b") == "out?/a@b"
    with pytest.raises(InputError) as error:
        read("gopher://me:word@host/x?token=abc")
    assert "word" not in str(error.value)
    assert "abc" not in str(error.value)


def test_a_folder_is_fetched_for_the_while(tmp_path: Path) -> None:
    base = f"memory://{tmp_path.name}/mine"
    write(f"{base}/a", b"a")
    write(f"{base}/deep/b", b"b")
    assert exists(f"{base}/a")
    assert not exists(f"{base}/b")
    with fetched(f"{base}/") as folder:
        assert folder.name == "mine"
        assert {path.name: path.read_bytes() for path in folder.iterdir()} == {"a": b"a"}
    assert not folder.exists()


def test_a_large_file_is_never_in_memory_whole(tmp_path: Path) -> None:
    size = 20 * remote.BLOCK
    with (tmp_path / "large").open("wb") as file:
        file.truncate(size)
    tracemalloc.start()
    try:
        upload(tmp_path / "large", f"local://{tmp_path}/copy")
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert (tmp_path / "copy").stat().st_size == size
    assert peak < 4 * remote.BLOCK
