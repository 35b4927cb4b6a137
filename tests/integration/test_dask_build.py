"""A build on a dask cluster of two worker processes: byte for byte the one on this machine."""

from __future__ import annotations

import hashlib
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from dask_cluster import Cluster, started

pytest.importorskip("distributed", reason="the extra [dask] is not installed")


def begin(out: Path, *options: str) -> subprocess.Popen[str]:
    """``fgbench build-data``: texts and sounds of two species of the sample world."""
    command = [sys.executable, "-m", "fgbench", "build-data", "--sample", "--out", str(out)]
    recipe = ["--media", "text,audio", "--species", "61,64", "--per-class", "3"]
    return subprocess.Popen(
        [*command, *recipe, *options], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def built(build: subprocess.Popen[str], out: Path) -> dict[str, str]:
    """The SHA-256 of every manifest and media file, once the build is done."""
    _, err = build.communicate(timeout=180)
    assert build.returncode == 0, err
    return {
        str(path.relative_to(out)): hashlib.sha256(path.read_bytes()).hexdigest()
        for folder in ("manifests", "media")
        for path in sorted((out / folder).rglob("*"))
        if path.is_file()
    }


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with started(tmp_path_factory.mktemp("cluster")) as cluster:
        cluster.add_worker("--no-nanny")
        cluster.add_worker("--no-nanny")
        yield cluster


@pytest.fixture(scope="module")
def local(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    out = tmp_path_factory.mktemp("local")
    return built(begin(out), out)


def test_a_cluster_builds_the_same_bytes(
    cluster: Cluster, local: dict[str, str], tmp_path: Path
) -> None:
    assert {"manifests/SHA256SUMS", "manifests/text.parquet"} <= set(local)
    assert any(name.startswith("media/audio/") for name in local)
    assert built(begin(tmp_path, "--engine", cluster.engine), tmp_path) == local
    asked = cluster.scheduler.log.read_text()  # type: ignore[attr-defined]
    assert "Receive client connection" in asked


def test_a_worker_that_ends_midway_changes_no_byte(
    cluster: Cluster, local: dict[str, str], tmp_path: Path
) -> None:
    third = cluster.add_worker("--no-nanny")
    build = begin(tmp_path, "--engine", cluster.engine)
    until = time.monotonic() + 120
    while not [*(tmp_path / "media").rglob("*.*")] and time.monotonic() < until:
        assert build.poll() is None
        time.sleep(0.01)
    third.kill()
    assert built(build, tmp_path) == local
