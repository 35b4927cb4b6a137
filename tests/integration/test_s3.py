"""Exports, manifests and benchmarks at S3 addresses: a server on loopback, as a user would have it.

The server is said by ``AWS_ENDPOINT_URL``, the keys by the environment, nothing by an argument.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from importlib import import_module
from pathlib import Path
from typing import Any

import fsspec
import numpy as np
import pytest
from small_build import audio_row, collected, rows, write_build

from fgbench import load_benchmark, remote
from fgbench.cli import main
from fgbench.dataset.description import describe
from fgbench.dataset.io import read_bytes, read_table, write_benchmark, write_bytes, write_table
from fgbench.dataset.schema import MANIFESTS
from fgbench.errors import FgbenchError
from fgbench.protocol import MEDIA, Medium
from fgbench.submission import write_submission

pytest.importorskip("s3fs", reason="s3fs is not installed")
moto = pytest.importorskip("moto.server", reason="moto[server] is not installed")

KEYS = {"AWS_ACCESS_KEY_ID": "known", "AWS_SECRET_ACCESS_KEY": "s3cret", "AWS_REGION": "us-east-1"}
LARGE = 12 << 20


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    server = moto.ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def s3(server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """The file system, with the bucket ``birds``; all else about S3 is as on a new machine."""
    for name in list(os.environ):
        if name.startswith(("AWS_", "FSSPEC_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    for name, value in {**KEYS, "AWS_ENDPOINT_URL": server}.items():
        monkeypatch.setenv(name, value)
    kind = fsspec.get_filesystem_class("s3")
    kind.clear_instance_cache()
    system = kind(skip_instance_cache=True, use_listings_cache=False)
    system.mkdir("birds")
    yield system
    kind.clear_instance_cache()
    system.rm("birds", recursive=True)


@pytest.fixture
def build(tmp_path: Path) -> Path:
    """The small build, one of whose clips is larger than a block."""
    manifests = write_build(tmp_path / "build")
    data = bytes(range(256)) * (LARGE // 256)
    write_bytes(tmp_path / "build" / "media/audio/20.flac", data)
    facts = {"sha256": hashlib.sha256(data).hexdigest(), "bytes": len(data)}
    clips = [audio_row(20, 0, "train", **facts), *rows()[1][1:]]
    write_table(manifests / "audio.parquet", clips, MANIFESTS[Medium.AUDIO])
    write_benchmark(manifests, "small", "A small build")
    describe(manifests, collected())
    return tmp_path / "build"


def run(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str, str]:
    """Exit code, stdout and stderr of ``fgbench``."""
    code = 0
    try:
        main([*map(str, arguments)])
    except SystemExit as end:
        code = int(end.code or 0)
    printed = capsys.readouterr()
    return code, printed.out, printed.err


def here(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def there(s3: Any, folder: str) -> dict[str, bytes]:
    return {name.removeprefix(f"{folder}/"): s3.cat_file(name) for name in s3.find(folder)}


def test_an_export_is_the_same_bytes_as_a_folder(
    s3: Any, build: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(capsys, "export", build, "--to", tmp_path / "copy")[0] == 0
    code, out, err = run(capsys, "export", build, "--to", "s3://birds/copy/", "--json")
    assert (code, err, json.loads(out)["to"]) == (0, "", "s3://birds/copy/")
    assert there(s3, "birds/copy") == here(tmp_path / "copy")
    assert s3.info("birds/copy/media/audio/20.flac")["ETag"].strip('"').endswith("-2")  # in parts
    code, _, err = run(capsys, "export", build, "--to", "s3://birds/copy")
    assert code == 2
    assert "FG-T001  s3://birds/copy is there already" in err


def test_what_was_broken_off_does_not_look_whole_and_is_completed(
    s3: Any, build: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def breaks(source: Any, target: Any, size: int) -> None:
        target.write(source.read(size))
        target.write(source.read(100))
        raise OSError("the disk cannot be read")

    with monkeypatch.context() as patch:
        patch.setattr(shutil, "copyfileobj", breaks)
        code, _, err = run(capsys, "export", build, "--to", "s3://birds/copy")
    assert code == 1
    assert "FG-D010" in err
    assert "the disk cannot be read" in err
    assert there(s3, "birds/copy") == {}
    assert s3.call_s3("list_multipart_uploads", Bucket="birds").get("Uploads", []) == []

    order: list[str] = []
    upload = remote.upload

    def goes_dead(source: Path, url: str) -> None:
        if source.name == "report.html":
            raise FgbenchError("FG-X001", "the line went dead")
        order.append(source.name)
        upload(source, url)

    with monkeypatch.context() as patch:
        patch.setattr(remote, "upload", goes_dead)
        assert run(capsys, "export", build, "--to", "s3://birds/copy")[0] == 1
    assert {"20.flac", "audio.parquet"} <= set(order)
    assert not {"benchmark.json", "SHA256SUMS"} & {*map(os.path.basename, s3.find("birds/copy"))}
    assert run(capsys, "export", build, "--to", "s3://birds/copy")[0] == 0
    assert there(s3, "birds/copy") == here(build)


def test_nothing_of_anybody_else_is_replaced(
    s3: Any, build: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    s3.pipe_file("birds/theirs/manifests/benchmark.json", b"{}")
    code, _, err = run(capsys, "export", build, "--to", "s3://birds/theirs")
    assert code == 2
    assert "FG-T001" in err
    assert there(s3, "birds/theirs") == {"manifests/benchmark.json": b"{}"}


def test_manifests_are_read_and_written(s3: Any, tmp_path: Path) -> None:
    texts, columns = rows()[0], MANIFESTS[Medium.TEXT]
    write_table("s3://birds/text.parquet", texts, columns)
    write_table(tmp_path / "text.parquet", texts, columns)
    assert read_bytes("s3://birds/text.parquet") == (tmp_path / "text.parquet").read_bytes()
    assert (
        read_table("s3://birds/text.parquet", columns).to_pylist()
        == read_table(tmp_path / "text.parquet", columns).to_pylist()
    )


@pytest.mark.parametrize("address", ["s3://birds/build", "s3://birds/build/manifests/"])
def test_a_benchmark_is_read_where_it_is(
    s3: Any, build: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], address: str
) -> None:
    assert run(capsys, "export", build, "--to", "s3://birds/build")[0] == 0
    local, far = load_benchmark(build), load_benchmark(address)
    assert (far.id, far.files, far.left_out) == (local.id, local.files, local.left_out)
    for medium in local.media:
        assert far.items[medium].ids.tolist() == local.items[medium].ids.tolist()

    expected = run(capsys, "audit", build, "--json")
    assert run(capsys, "audit", address, "--json") == expected

    ids = {m: local.items[m].ids for m in local.media}
    random = np.random.default_rng(0)
    vectors = {m: random.normal(size=(len(i), 4)).astype(np.float32) for m, i in ids.items()}
    write_submission(tmp_path / "sub.npz", ids=ids, embeddings=vectors)
    score = ["score", tmp_path / "sub.npz", "--json", "--benchmark"]
    code, out, _ = run(capsys, *score, build)
    assert code == 0
    assert run(capsys, *score, address)[:2] == (0, out)


def test_a_folder_without_benchmark_json_has_its_own_name(
    s3: Any, build: Path, tmp_path: Path
) -> None:
    for medium in MEDIA:
        if (path := build / "manifests" / f"{medium}.parquet").is_file():
            s3.put_file(str(path), f"birds/plain/{medium}.parquet")
    assert load_benchmark("s3://birds/plain", "split_grouped").id == "plain"


@pytest.fixture
def silent() -> Iterator[str]:
    """An address where somebody listens and never says a word."""
    with socket.socket() as there:
        there.bind(("127.0.0.1", 0))
        there.listen()
        yield f"http://127.0.0.1:{there.getsockname()[1]}"


@pytest.fixture
def strange(tmp_path: Path) -> Iterator[str]:
    """A web server that knows nothing of S3."""
    with ThreadingHTTPServer(("127.0.0.1", 0), SimpleHTTPRequestHandler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


def told(
    capsys: pytest.CaptureFixture[str], build: Path, address: str, verb: str
) -> tuple[int, str]:
    """Exit code and message of an export to an address, or of an audit there."""
    arguments = ["export", build, "--to", address] if verb == "export" else ["audit", address]
    code, out, err = run(capsys, *arguments)
    assert out == ""
    assert "Traceback" not in err
    assert "s3cret" not in err
    return code, err


both = pytest.mark.parametrize("verb", ["export", "audit"])


@both
@pytest.mark.parametrize(
    ("address", "code", "words"),
    [
        ("s3://no-such-bucket/x", "FG-D011", "the bucket's: none is made"),
        ("s3://a b!/x", "FG-D011", "Invalid bucket name"),
        ("gopher://birds/x", "FG-D013", "s3://bucket/name"),
    ],
)
def test_addresses_that_lead_nowhere(
    s3: Any,
    build: Path,
    capsys: pytest.CaptureFixture[str],
    verb: str,
    address: str,
    code: str,
    words: str,
) -> None:
    exit_code, err = told(capsys, build, address, verb)
    assert exit_code == 2
    assert f"{code}  {address}" in err
    assert words in err


@both
def test_no_keys(
    s3: Any,
    build: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    verb: str,
) -> None:
    for name in KEYS:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    exit_code, err = told(capsys, build, "s3://birds/x", verb)
    assert exit_code == 2
    assert "FG-D015" in err
    assert "AWS_ACCESS_KEY_ID" in err


@both
@pytest.mark.parametrize("where", ["silent", "closed"])
def test_a_server_that_does_not_answer(
    s3: Any,
    build: Path,
    silent: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    verb: str,
    where: str,
) -> None:
    monkeypatch.setattr(remote, "_ANSWER", 1.0)
    monkeypatch.setenv("AWS_ENDPOINT_URL", silent if where == "silent" else "http://127.0.0.1:9")
    exit_code, err = told(capsys, build, "s3://birds/x", verb)
    assert exit_code == 2
    assert "FG-D016" in err
    assert "AWS_ENDPOINT_URL" in err


def test_a_server_that_is_not_s3(
    s3: Any,
    build: Path,
    strange: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", strange)
    exit_code, err = told(capsys, build, "s3://birds/x", "export")
    assert exit_code == 1
    assert "FG-D010" in err


@both
def test_s3fs_is_not_installed(
    s3: Any,
    build: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    verb: str,
) -> None:
    registry = import_module("fsspec.registry")._registry
    for protocol in ("s3", "s3a"):
        monkeypatch.delitem(registry, protocol, raising=False)
    monkeypatch.setitem(sys.modules, "s3fs", None)
    exit_code, err = told(capsys, build, "s3://birds/x", verb)
    assert exit_code == 2
    assert "FG-E001  s3:// needs the package s3fs, which is not installed" in err
    assert "pip install s3fs" in err


@pytest.mark.parametrize(
    ("fill", "code"),
    [
        (lambda s3: None, "FG-D011"),
        (lambda s3: s3.pipe_file("birds/x", b"a file"), "FG-D011"),
        (lambda s3: s3.pipe_file("birds/x/large.parquet", bytes(2000)), "FG-D014"),
        (lambda s3: s3.pipe_file("birds/x/text.parquet", b"no table"), "FG-D001"),
    ],
)
def test_what_is_no_folder_of_manifests(
    s3: Any,
    build: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    fill: Callable[[Any], None],
    code: str,
) -> None:
    monkeypatch.setattr(remote, "MAX_BYTES", 1000)
    fill(s3)
    exit_code, err = told(capsys, build, "s3://birds/x", "audit")
    assert exit_code == 2
    assert code in err
