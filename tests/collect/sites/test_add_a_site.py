"""docs/add-a-site.md, done as it says: every file that it prints is written, and works."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import tomllib
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from documented import ROOT, read_files

from fgbench.cli import main
from fgbench.collect import sites
from fgbench.collect.crawl.session import CrawlSession
from fgbench.collect.harvest import harvest
from fgbench.collect.queries import queries_for
from fgbench.settings import Settings
from fgbench.species import find

DOC = ROOT / "docs" / "add-a-site.md"


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A stranger's package with the doc's files, on the path as pip would leave it."""
    files = read_files(DOC)
    assert set(files) == {"marshbook.py", "marshbook.html", "test_marshbook.py", "pyproject.toml"}
    for name, text in files.items():
        (tmp_path / name).write_text(text, "utf-8")
    project = tomllib.loads(files["pyproject.toml"])["project"]
    info = tmp_path / f"{project['name'].replace('-', '_')}-{project['version']}.dist-info"
    info.mkdir()
    points = "".join(
        f"[{group}]\n" + "".join(f"{name} = {value}\n" for name, value in entries.items())
        for group, entries in project["entry-points"].items()
    )
    (info / "entry_points.txt").write_text(points)
    metadata = f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {project['version']}\n"
    (info / "METADATA").write_text(metadata)
    monkeypatch.syspath_prepend(str(tmp_path))
    yield tmp_path
    sys.modules.pop("marshbook", None)


@pytest.fixture
def marshbook(package: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The made-up site itself, on loopback: its base URL."""
    root = tmp_path_factory.mktemp("site")
    (root / "birds").mkdir()
    (root / "birds" / "marsh-wren").write_bytes((package / "marshbook.html").read_bytes())

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(root)))
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def test_the_strangers_own_test_passes(package: Path) -> None:
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_marshbook.py"]
    environment = {**os.environ, "PYTHONPATH": str(package), "PYTHONDONTWRITEBYTECODE": "1"}
    run = subprocess.run(command, cwd=package, env=environment, capture_output=True, text=True)
    assert run.returncode == 0, run.stdout + run.stderr
    assert "3 passed" in run.stdout


def test_the_site_is_like_any_other(
    package: Path,
    marshbook: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert "marshbook" in sites.names()
    monkeypatch.setattr(type(sites.load("marshbook")), "pace", 0.0)
    monkeypatch.setenv("FGBENCH_SITE_MARSHBOOK_URL", marshbook)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(package))
    main(["sites", "show", "marshbook", "--json"])
    shown = json.loads(capsys.readouterr().out)
    assert (shown["access"], shown["override"]["value"]) == ("research_copy", marshbook)
    main(["sites", "doctor", "marshbook", "--species", "Marsh Wren", "--json"])
    (found,) = json.loads(capsys.readouterr().out)
    assert found["health"] == "well"
    assert "2 of 3: appearance, where it lives" in {c["detail"] for c in found["checks"]}


def test_a_build_takes_its_pages(
    package: Path,
    marshbook: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    site = sites.load("marshbook")
    monkeypatch.setattr(type(site), "pace", 0.0)
    settings = Settings(sites={"FGBENCH_SITE_MARSHBOOK_URL": marshbook})
    birds = {bird: queries_for(bird) for bird in (find("Marsh Wren"), find("Laysan Albatross"))}
    with CrawlSession(tmp_path / "out", [site], settings) as session:
        found = harvest([site], birds, session, lambda *_: None)
    assert [hit.url for hit in found.hits] == ["https://marshbook.example/birds/marsh-wren"]
    assert [absent.label for absent in found.absent] == [find("Laysan Albatross").label]
    assert found.failed == []
