"""The whole of it, as a process: an address, a port, an upload that is scored, and an end."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time

import httpx
import pytest
from small_board import write_card, write_ground, write_vectors
from small_service import hosted

from fgbench.errors import InputError
from fgbench.leaderboard.serve.app import make_app
from fgbench.leaderboard.serve.ledger import Ledger
from fgbench.leaderboard.serve.server import serve
from fgbench.leaderboard.serve.service import hosts
from fgbench.leaderboard.serve.settings import Settings
from fgbench.leaderboard.serve.worker import Worker

COMMAND = "from fgbench.cli._leaderboard_serve import serve; serve()"


@pytest.mark.parametrize(
    ("url", "found"),
    [
        ("", {"127.0.0.1:8000", "localhost:8000"}),
        ("https://Board.example.org", {"board.example.org"}),
        ("https://board.example.org/", {"board.example.org"}),
        ("https://board.example.org:443", {"board.example.org"}),
        ("http://board.example.org:8080", {"board.example.org:8080"}),
        ("http://[::1]:8000", {"[::1]:8000"}),
        ("http://[::1]", {"[::1]"}),
    ],
)
def test_what_the_board_is_called(tmp_path, url, found):
    assert hosts(Settings(tmp_path, url=url)) == found


@pytest.mark.parametrize(
    "url",
    [
        "board.example.org",
        "ftp://board.example.org",
        "https://",
        "https://board.example.org/board",
        "https://board.example.org/?a",
        "https://user@board.example.org",
        "https://board.example.org:port",
        "https://[::1",
    ],
)
def test_what_is_no_address_is_said(tmp_path, url):
    with pytest.raises(InputError) as told:
        hosts(Settings(tmp_path, url=url))
    assert told.value.code == "FG-H170"


def test_a_port_that_is_taken_is_said(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(InputError) as told:
        serve(Settings(tmp_path / "data", port=taken.getsockname()[1]), print)
    assert told.value.code == "FG-H171"
    assert not (tmp_path / "data").exists()


def test_the_api_is_not_shadowed_by_the_board(tmp_path):
    with hosted(tmp_path) as board:
        app = make_app(board.service)
        assert callable(app)
        assert board.client().get("/api/v1/openapi.json").json()["openapi"] == "3.1.0"


def test_health_is_a_status(tmp_path, monkeypatch):
    with hosted(tmp_path) as board:
        ill = board.client().get("/health")
        assert (ill.status_code, ill.json()["code"]) == (503, "FG-H167"), "no worker runs here"
        monkeypatch.setattr(Worker, "alive", True)
        assert board.client().get("/health").json() == {"ok": True}


def test_from_the_command_to_a_scored_upload(tmp_path):
    data, ground = tmp_path / "data", write_ground(tmp_path / "ground")
    data.mkdir()
    ledger = Ledger.open(Settings(data).database_url)
    token = ledger.add_team("gulls")
    ledger.close()
    command = [sys.executable, "-c", COMMAND, "--data", str(data), "--benchmark", str(ground)]
    with subprocess.Popen(
        [*command, "--port", "0"], stderr=subprocess.PIPE, text=True, env=os.environ
    ) as process:
        try:
            url = re.search("http://127.0.0.1:[0-9]+", process.stderr.readline())[0]
            with httpx.Client(base_url=url, headers={"Authorization": f"Bearer {token}"}) as client:
                vectors = write_vectors(tmp_path / "s.npz", 1)
                card = write_card(tmp_path / "card.yaml")
                files = {"card": card.read_bytes(), "submission": vectors.read_bytes()}
                found = client.post("/api/v1/submissions", files=files).json()
                deadline = time.monotonic() + 60
                while found["state"] not in ("done", "failed") and time.monotonic() < deadline:
                    time.sleep(0.2)
                    found = client.get(f"/api/v1/submissions/{found['id']}").json()
                record = client.get(f"/api/v1/submissions/{found['id']}/record.json").json()
        finally:
            process.send_signal(signal.SIGTERM)
            log = process.stderr.read()
    assert (found["state"], found["name"]) == ("done", "Alpha")
    assert record["means"]["bimodal"]["map"] == found["summary"]["means"]["bimodal"]["map"]
    assert process.returncode == 0
    assert token not in log
    assert "Traceback" not in log
