"""``fgbench sites``: what is printed, what is never printed, and how it ends."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from fgbench.cli import main
from fgbench.collect.sites import SITES
from fgbench.collect.sites.audubon import Audubon
from fgbench.settings import variable

FIXTURES = Path(__file__).resolve().parents[1] / "collect" / "sites" / "fixtures"
BIRD = "/field-guide/bird/northern-cardinal"
Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """Calls the verb: exit code, stdout, stderr. The screen is wide; nobody's settings count."""
    for name in [name for name in os.environ if name.startswith("FGBENCH_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("COLUMNS", "250")
    monkeypatch.setenv("XDG_CONFIG_HOME", "/nonexistent")

    def call(*arguments: str) -> tuple[int, str, str]:
        code = 0
        try:
            main(["sites", *arguments])
        except SystemExit as end:
            code = int(end.code or 0)
        printed = capsys.readouterr()
        return code, printed.out, printed.err

    return call


@pytest.fixture
def serve(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., list[str]]]:
    """Stands in for sites on loopback with pages by path; returns the paths that are asked for."""
    servers = []
    monkeypatch.setattr(Audubon, "pace", 0.0)

    def start(pages: dict[str, bytes], *sites: str) -> list[str]:
        asked: list[str] = []

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                asked.append(self.path)
                body = pages.get(self.path, b"")
                self.send_response(200 if self.path in pages else 404)
                self.send_header("Content-Type", "text/html; charset=utf-8")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        servers.append(server)
        for site in sites:
            monkeypatch.setenv(variable(site), f"http://127.0.0.1:{server.server_port}")
        return asked

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


def page(year: int) -> bytes:
    return (FIXTURES / "audubon" / f"page-{year}.html").read_bytes()


def test_list_has_a_line_for_every_site(run: Run) -> None:
    code, out, err = run("list")
    assert (code, err) == (0, "")
    table = out.split("\n\n")[0].splitlines()
    lines = {line.split()[0]: line for line in table[1:]}
    assert list(lines) == list(SITES)
    assert "open" in lines["wikipedia"]
    assert "research_copy" in lines["audubon"]
    assert "All rights reserved" in lines["audubon"]
    assert "5 s" in lines["audubon"]


def test_list_fits_an_ordinary_terminal(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    counts = {"found": 120_000, "kept": 100_000, "rejected": 15_000, "failed": 5_000}
    audit = {"counts": {m: {"sites": {"wikipedia": counts}} for m in ("text", "audio")}}
    (tmp_path / "manifests").mkdir()
    (tmp_path / "manifests" / "audit.json").write_text(json.dumps(audit))
    monkeypatch.setenv("COLUMNS", "80")
    out = run("list", "--build", str(tmp_path))[1]
    assert max(map(len, out.splitlines())) <= 80
    assert "…" not in out
    described = json.loads(run("list", "--json")[1])
    needs = [(site["name"], need) for site in described for need in site["needs"]]
    assert len(needs) >= 4
    lines = [line.split() for line in out.splitlines()]
    for name, need in needs:
        assert [name, need, "not", "set"] in lines
    for site in described:
        assert [site["name"], *site["media"], site["access"]] in [line[:3] for line in lines]


def test_list_of_one_medium(run: Run) -> None:
    assert len(json.loads(run("list", "--medium", "text", "--json")[1])) >= 12
    assert json.loads(run("list", "--medium", "video", "--json")[1]) == []
    assert run("list", "--medium", "video")[0] == 0


def test_what_a_site_needs_is_shown_and_no_value(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("FGBENCH_BIRDSNA_IMPORT", raising=False)
    assert "FGBENCH_BIRDSNA_IMPORT (not set)" in run("show", "birdsna")[1]
    monkeypatch.setenv("FGBENCH_BIRDSNA_IMPORT", "/a/secret/place")
    for arguments in (("show", "birdsna"), ("list",), ("show", "birdsna", "--json")):
        code, out, err = run(*arguments)
        assert code == 0
        assert "secret" not in out + err
    assert "FGBENCH_BIRDSNA_IMPORT (set)" in run("show", "birdsna")[1]


def test_show_says_what_rules_and_where_it_is_asked(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = run("show", "audubon")[1]
    for said in ("robots.txt", "https://www.audubon.org/terms-use", "FGBENCH_SITE_AUDUBON_URL"):
        assert said in out
    assert "(not set)" in out
    monkeypatch.setenv("FGBENCH_SITE_AUDUBON_URL", "http://127.0.0.1:8080")
    described = json.loads(run("show", "audubon", "--json")[1])
    assert described["override"] == {
        "variable": "FGBENCH_SITE_AUDUBON_URL",
        "value": "http://127.0.0.1:8080",
    }
    assert described["rule"] == "robots.txt"
    assert json.loads(run("show", "wikipedia", "--json")[1])["rule"] != "robots.txt"


def test_an_unknown_site_is_the_callers_fault(run: Run) -> None:
    code, out, err = run("show", "audobon")
    assert (code, out) == (2, "")
    assert "FG-X001" in err
    assert "audubon" in err


def test_the_last_result_of_a_build(run: Run, tmp_path: Path) -> None:
    counts = {"found": 1200, "kept": 1000, "rejected": 150, "failed": 50}
    audit = {"counts": {"text": {**counts, "sites": {"audubon": counts}}}}
    (tmp_path / "manifests").mkdir()
    (tmp_path / "manifests" / "audit.json").write_text(json.dumps(audit))
    said = "text: 1,200 found, 1,000 kept, 150 rejected, 50 failed"
    assert said in run("show", "audubon", "--build", str(tmp_path))[1]
    assert "not in that build" in run("show", "nhpbs", "--build", str(tmp_path))[1]
    assert said in run("list", "--build", str(tmp_path))[1]
    listed = json.loads(run("list", "--build", str(tmp_path), "--json")[1])
    results = {site["name"]: site["last_result"] for site in listed}
    assert results["audubon"] == {"text": counts}
    assert results["nhpbs"] is None


@pytest.mark.parametrize("content", [None, "", "[]", '{"counts": 1}', '{"counts": {"text": []}}'])
def test_a_folder_that_is_no_build(run: Run, tmp_path: Path, content: str | None) -> None:
    (tmp_path / "manifests").mkdir()
    if content is not None:
        (tmp_path / "manifests" / "audit.json").write_text(content)
    code, out, err = run("list", "--build", str(tmp_path))
    assert (code, out) == (2, "")
    assert "FG-X003" in err


def test_doctor_finds_a_site_well(run: Run, serve: Callable[..., list[str]]) -> None:
    asked = serve({BIRD: page(2021)}, "audubon")
    code, out, _ = run("doctor", "audubon")
    assert code == 0
    assert out.startswith("✓ audubon  well")
    assert "feeding behavior" in out
    assert asked == ["/robots.txt", BIRD]  # one page
    (found,) = json.loads(run("doctor", "audubon", "--json")[1])
    assert found["health"] == "well"
    assert {check["what"] for check in found["checks"] if check["passed"]} == {
        "page",
        "text",
        "rule",
        "species",
        "headings",
    }


PROSE = (
    b"<p>The made-up bird of this page sings from a fence, and eats made-up seeds in winter.</p>"
)


@pytest.mark.parametrize(
    ("served", "failed"),
    [
        ({}, "page"),
        ({BIRD: b"<h1>Northern Cardinal</h1>"}, "text"),
        ({BIRD: b"<main><h2>Redesigned</h2>" + PROSE * 3 + b"</main>"}, "rule"),
        ({BIRD: b"<h1>Scarlet Tanager</h1><h2>Diet</h2><p>Made-up seeds.</p>"}, "species"),
        ({"/robots.txt": b"User-agent: *\nDisallow: /", BIRD: PROSE}, "answer"),
    ],
)
def test_doctor_says_what_ails(
    run: Run, serve: Callable[..., list[str]], served: dict[str, bytes], failed: str
) -> None:
    serve(served, "audubon")
    code, out, err = run("doctor", "audubon", "--json")
    (found,) = json.loads(out)
    assert (code, err, found["health"]) == (3, "", "ailing")
    assert failed in {check["what"] for check in found["checks"] if not check["passed"]}
    assert run("doctor", "audubon")[1].startswith("✗ audubon  ailing")


def test_doctor_asks_the_species_that_it_is_told(run: Run, serve: Callable[..., list[str]]) -> None:
    asked = serve({}, "audubon")
    run("doctor", "audubon", "--species", "1")
    assert asked == ["/robots.txt", "/field-guide/bird/black-footed-albatross"]
    assert run("doctor", "audubon", "--species", "no such bird")[0] == 2


def test_doctor_tells_who_asks_or_does_not_ask(run: Run) -> None:
    code, out, err = run("doctor", "audubon")
    assert (code, out) == (2, "")
    assert "FG-W001" in err


def test_doctor_leaves_imports_alone(run: Run) -> None:
    code, out, _ = run("doctor", "birdsna", "--json")
    (found,) = json.loads(out)
    assert (code, found["health"]) == (0, "not asked")
    assert "import" in found["reason"]
