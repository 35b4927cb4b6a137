"""Files at URLs: what is printed of an address, and how much of a file is in memory."""

from __future__ import annotations

import threading
import tracemalloc
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from fgbench import remote
from fgbench.errors import InputError
from fgbench.remote import (
    exists,
    fetched,
    fetched_file,
    join,
    local_path,
    read,
    show_url,
    upload,
    write,
)


def test_what_a_target_names() -> None:
    assert local_path("a/b") == Path("a/b")
    assert local_path("file:///a%20b/c#d?e") == Path("/a b/c#d?e")
    assert local_path("s3://a/b") is None


def test_no_secret_of_an_address_is_printed() -> None:
    assert show_url("ftp://me:word@host/x") == "ftp://…@host/x"
    assert show_url("https://host/x?X-Amz-Signature=abc") == "https://host/x"
    assert show_url("ftp://me:w?rd@host/x") == "ftp://…@host/x"
    assert show_url("ftp://me:w@rd@host/x") == "ftp://…@host/x"
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


def test_of_a_folder_only_what_is_named_is_fetched(tmp_path: Path) -> None:
    base = f"memory://{tmp_path.name}/some"
    for name in ("a", "b", "large"):
        write(f"{base}/{name}", name.encode())
    with fetched(base, ("a", "b", "c"), limit=2) as folder:
        assert {path.name for path in folder.iterdir()} == {"a", "b"}
    with pytest.raises(InputError, match="FG-D014"), fetched(base, ("a", "large"), limit=5):
        pass


def test_a_file_is_fetched_for_the_while(tmp_path: Path) -> None:
    url = f"memory://{tmp_path.name}/file"
    write(url, b"12345")
    with fetched_file(url, limit=5) as copy:
        assert copy.read_bytes() == b"12345"
    assert not copy.exists()
    with pytest.raises(InputError, match="FG-D014") as error, fetched_file(url, limit=4):
        pass
    assert "at most 4" in str(error.value)
    for none in (f"memory://{tmp_path.name}/none", f"memory://{tmp_path.name}"):
        with pytest.raises(InputError, match="FG-D011"), fetched_file(none, limit=5):
            pass
    with fetched_file(tmp_path / "as it is", limit=0) as path:
        assert path == tmp_path / "as it is"


def test_a_file_of_a_folder() -> None:
    assert join("s3://a/b/", "c") == "s3://a/b/c"
    assert join("file:///a", "c") == Path("/a/c")
    assert join(Path("a"), "c") == Path("a/c")


class Endless(BaseHTTPRequestHandler):
    """Says no size, and sends more than anybody wants; of other names it knows nothing."""

    def do_HEAD(self) -> None:
        self.send_response(200 if self.path.startswith("/endless") else 404)
        self.end_headers()

    def do_GET(self) -> None:
        self.do_HEAD()
        if self.path.startswith("/endless"):
            self.wfile.write(bytes(1 << 20))

    def log_message(self, *arguments: object) -> None:
        return


@pytest.fixture
def web() -> Iterator[str]:
    pytest.importorskip("aiohttp", reason="aiohttp is not installed")
    with ThreadingHTTPServer(("127.0.0.1", 0), Endless) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


def test_a_server_that_names_no_size_sends_no_more_than_the_limit(web: str) -> None:
    with pytest.raises(InputError, match="FG-D014"), fetched_file(f"{web}/endless", 1000):
        pass


def test_what_a_server_says_of_an_address_has_no_secret_of_it(web: str) -> None:
    with pytest.raises(InputError) as error, fetched_file(f"{web}/none?token=s3cret", 1000):
        pass
    assert error.value.code == "FG-D011"
    assert "s3cret" not in str(error.value)
    assert f"{web}/none" in str(error.value)


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
