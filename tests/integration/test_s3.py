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
import requests
from small_build import audio_row, collected, rows, write_build
from small_features import write_small_features

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
def scored(build: Path, tmp_path: Path) -> Path:
    """A submission to the small build."""
    items = load_benchmark(build).items
    rng = np.random.default_rng(0)
    vectors = {m: rng.normal(size=(len(i), 4)).astype(np.float32) for m, i in items.items()}
    ids = {m: i.ids for m, i in items.items()}
    write_submission(tmp_path / "sub.npz", ids=ids, embeddings=vectors)
    return tmp_path / "sub.npz"


def test_a_submission_is_scored_and_compared_where_it_is(
    s3: Any, build: Path, scored: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    s3.put_file(str(scored), "birds/sub.npz")
    against = ("--benchmark", build, "--json")
    code, said, _ = run(capsys, "check", scored, *against)
    there_code, there_said, _ = run(capsys, "check", "s3://birds/sub.npz", *against)
    assert (code, there_code) == (0, 0)
    expected = json.loads(said) | {"path": "s3://birds/sub.npz"}
    assert json.loads(there_said) == expected

    here_run, there_run = tmp_path / "run", "s3://birds/runs/one/"
    assert run(capsys, "score", scored, *against, "--out", here_run)[0] == 0
    assert run(capsys, "score", "s3://birds/sub.npz", *against, "--out", there_run)[0] == 0
    written = there(s3, "birds/runs/one")
    assert set(written) == {"record.json", "per_query.parquet", "run.json"}
    for name in ("record.json", "per_query.parquet"):
        assert written[name] == (here_run / name).read_bytes()

    code, said, _ = run(capsys, "compare", here_run, there_run, *against)
    assert code == 0
    found = json.loads(said)
    assert found["b"]["name"] == "one"  # as the folder, since the submission names no method
    assert {row["difference"] for row in found["tasks"].values()} == {0}


def test_a_record_comes_last_and_replaces_no_other(
    s3: Any,
    build: Path,
    scored: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    command = ("score", scored, "--benchmark", build, "--out", "s3://birds/run")
    order: list[str] = []
    write = remote.write

    def goes_dead(url: str, data: bytes) -> None:
        if url.endswith("run.json"):
            raise FgbenchError("FG-X001", "the line went dead")
        order.append(url)
        write(url, data)

    with monkeypatch.context() as patch:
        patch.setattr(remote, "write", goes_dead)
        assert run(capsys, *command)[0] == 1
    assert order == ["s3://birds/run/per_query.parquet"]
    assert set(there(s3, "birds/run")) == {"per_query.parquet"}
    code, _, err = run(capsys, "compare", "s3://birds/run", "s3://birds/run", "--benchmark", build)
    assert code == 2
    assert err.count("FG-C001") == 2
    assert run(capsys, *command)[0] == 0
    assert run(capsys, *command)[0] == 0  # the same submission's own

    s3.pipe_file("birds/run/record.json", b"somebody's own")
    code, _, err = run(capsys, *command)
    assert code == 2
    assert "FG-R002  s3://birds/run holds the record of another submission" in err
    assert s3.cat_file("birds/run/record.json") == b"somebody's own"
    assert run(capsys, *command, "--force")[0] == 0
    assert json.loads(s3.cat_file("birds/run/record.json"))["record_version"] == 1


def test_a_method_learns_from_features_where_they_are(
    s3: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    small = write_small_features(tmp_path)
    s3.put(str(small.features), "birds/", recursive=True)
    s3.pipe_file("birds/features/notes.txt", b"not a feature file")
    command = ("baseline", "run", "jrl", "--benchmark", small.benchmark, "--set", "references=5")
    assert run(capsys, *command, "--features", small.features, "--out", tmp_path / "one")[0] == 0
    far = ("--features", "s3://birds/features", "--out", tmp_path / "two")
    code, _, err = run(capsys, *command, *far)
    assert (code, err) == (0, "")
    one, two = (tmp_path / name / "submission.npz" for name in ("one", "two"))
    assert one.read_bytes() == two.read_bytes()


@pytest.fixture
def calls(build: Path, scored: Path, tmp_path: Path) -> dict[str, tuple[object, ...]]:
    """A call of each verb that reads or writes at an address, but for the address."""
    small = write_small_features(tmp_path / "small")
    against = ("--benchmark", build)
    learn = ("baseline", "run", "jrl", "--benchmark", small.benchmark, "--out", tmp_path / "jrl")
    return {
        "check": ("check", *against),
        "score": ("score", *against),
        "write": ("score", scored, *against, "--out"),
        "compare": ("compare", *against, "s3://birds/x"),
        "features": (*learn, "--features"),
    }


each = pytest.mark.parametrize("name", ["check", "score", "write", "compare", "features"])


def refused(
    capsys: pytest.CaptureFixture[str], call: tuple[object, ...], address: str, exit_code: int = 2
) -> str:
    """What a call says that is refused."""
    code, out, err = run(capsys, *call, address)
    assert (code, out) == (exit_code, "")
    assert "Traceback" not in err
    assert "s3cret" not in err
    return err


@each
def test_what_is_not_there(
    s3: Any, calls: dict[str, Any], capsys: pytest.CaptureFixture[str], name: str
) -> None:
    err = refused(capsys, calls[name], "s3://no-such-bucket/x.npz")
    assert "FG-D011" in err
    assert "s3://no-such-bucket/x.npz" in err
    if name != "write":
        assert "FG-D011" in refused(capsys, calls[name], "s3://birds/x")


@each
def test_keys_that_have_no_right(
    s3: Any, server: str, calls: dict[str, Any], capsys: pytest.CaptureFixture[str], name: str
) -> None:
    try:
        requests.post(f"{server}/moto-api/reset-auth", data="0", timeout=10)
        err = refused(capsys, calls[name], "s3://birds/x")
    finally:
        requests.post(f"{server}/moto-api/reset-auth", data="inf", timeout=10)
    assert "FG-D015" in err
    assert "AWS_ACCESS_KEY_ID" in err


@each
def test_s3fs_is_not_installed_for_any_verb(
    s3: Any,
    monkeypatch: pytest.MonkeyPatch,
    calls: dict[str, Any],
    capsys: pytest.CaptureFixture[str],
    name: str,
) -> None:
    registry = import_module("fsspec.registry")._registry
    for protocol in ("s3", "s3a"):
        monkeypatch.delitem(registry, protocol, raising=False)
    monkeypatch.setitem(sys.modules, "s3fs", None)
    err = refused(capsys, calls[name], "s3://birds/x")
    assert "FG-E001" in err
    assert "pip install s3fs" in err


def test_what_is_no_submission_and_no_features(
    s3: Any, calls: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    s3.pipe_file("birds/sub.npz", b"no archive")
    s3.pipe_file("birds/features/image.npz", b"no archive")
    code, said, _ = run(capsys, *calls["check"], "s3://birds/sub.npz")
    assert code == 2
    assert "s3://birds/sub.npz: 1 fault" in said
    assert "FG-S002" in said
    assert "FG-S002" in refused(capsys, calls["score"], "s3://birds/sub.npz")
    err = refused(capsys, calls["features"], "s3://birds/features")
    assert "The features s3://birds/features cannot be used" in err
    assert "FG-F002" in err
    s3.pipe_file("birds/none/x.txt", b"")
    err = refused(capsys, calls["features"], "s3://birds/none")
    assert "FG-F001  s3://birds/none" in err


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
