"""docs/host-a-board.md, as it is written: from nothing to a scored upload."""

from __future__ import annotations

import json
import re
import shlex
import socket
import subprocess
import time
from pathlib import Path

import pytest
from documented import ROOT, environment, read_blocks, run
from small_board import write_card, write_ground, write_vectors

from fgbench.leaderboard.serve.refusals import KINDS

DOC = ROOT / "docs" / "host-a-board.md"
SOURCES = ("leaderboard/serve/*.py", "fgbench/cli/_leaderboard_*.py")


@pytest.fixture
def port() -> str:
    """One that is free: the default may be taken where the test runs."""
    with socket.create_server(("127.0.0.1", 0)) as found:
        return str(found.getsockname()[1])


def test_a_new_host_has_a_scored_upload_by_the_page(tmp_path: Path, port: str) -> None:
    start, hand_in, proxied = [b.commands for b in read_blocks(DOC) if b.kind == "sh"]
    write_ground(tmp_path / "ground")
    write_card(tmp_path / "method.yaml")
    write_vectors(tmp_path / "submission.npz", 1)
    install, *tokens, serve = start
    assert shlex.split(install)[:2] == ["pip", "install"]
    for command in tokens:
        done = run(command, tmp_path)
        assert done.returncode == 0, done.stderr
    known = serve.replace("fgxmedia-2019", "ground") + f" --port {port}"
    with subprocess.Popen(
        shlex.split(known), cwd=tmp_path, env=environment(), stderr=subprocess.PIPE, text=True
    ) as server:
        try:
            assert server.stderr
            assert f"http://127.0.0.1:{port}/" in server.stderr.readline()
            upload, look = [command.replace("8000", port) for command in hand_in]
            accepted = json.loads(run(upload, tmp_path).stdout)
            assert accepted["state"] in ("received", "checking", "scoring", "done")
            deadline = time.monotonic() + 120
            while time.monotonic() < deadline:
                (found,) = json.loads(run(look, tmp_path).stdout)["submissions"]
                if found["state"] in ("done", "failed"):
                    break
                time.sleep(0.5)
            assert (found["id"], found["state"]) == (accepted["id"], "done"), found
            assert found["summary"]["means"]["bimodal"]["map"] > 0
        finally:
            server.terminate()
            server.wait(60)
    (command,) = proxied
    refused = run(f"{command} --port 99999", tmp_path)  # all before it is understood
    assert "99999" in refused.stderr


def test_every_code_is_in_the_table_with_its_status() -> None:
    text = DOC.read_text("utf-8")
    listed = dict(re.findall(r"^\| (FG-H\d+) \| [^|]+ \| ([^|]+) \|$", text, re.M))
    code = "".join(path.read_text() for part in SOURCES for path in sorted(ROOT.glob(part)))
    used = set(re.findall(r'"(FG-H\d+)"', code))
    assert set(listed) == used
    assert {code: int(listed[code]) for code in KINDS} == {c: k.status for c, k in KINDS.items()}


def test_the_options_and_defaults_are_those_of_the_command(tmp_path: Path) -> None:
    said = run("fgbench leaderboard serve --help", tmp_path).stdout
    rows = re.findall(r"^\| (`--[^|]+) \| ([^|]+) \|", DOC.read_text("utf-8"), re.M)
    assert len(rows) == 6
    for options, defaults in rows:
        for option, default in zip(options.split(", "), defaults.split(", "), strict=True):
            (number,) = re.findall(r"\d+", default)
            pattern = rf"{option.strip('`')} INTEGER RANGE\s.*?\[default: {number};"
            assert re.search(pattern, said, re.DOTALL), option
