"""A board served in this process, with two rival teams and an admin, and nothing that scores."""

from __future__ import annotations

import asyncio
import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from small_board import write_ground
from starlette.testclient import TestClient
from starlette.types import ASGIApp

from fgbench.leaderboard.serve.app import make_app
from fgbench.leaderboard.serve.openapi import statuses
from fgbench.leaderboard.serve.operations import OPERATIONS
from fgbench.leaderboard.serve.service import Service, open_service
from fgbench.leaderboard.serve.settings import Limits, Settings
from fgbench.leaderboard.serve.states import Role, Team

ORIGIN = "http://127.0.0.1:8000"
CARD = b"method: Alpha\n"
LIMITS = Limits(upload=1 << 20, card=4096, spare=0, per_day=4, waiting=3)
SCORES = {"map": 0.5, "ci95": [0.25, 0.75]}
SUMMARY = {"complete": True, "means": {"bimodal": SCORES}, "scores": {"i2t": SCORES}}


@dataclass
class Hosted:
    """A service with its application; ``tokens`` by name of team; ``now`` is its clock."""

    service: Service
    app: ASGIApp
    tokens: dict[str, str]
    now: list[float]
    _made: int = field(default=0)

    def client(self, **headers: str) -> TestClient:
        """Somebody who calls; every answer of the API is held against its description."""
        https = self.service.settings.url.startswith("https:")
        client = TestClient(
            self.app,
            base_url=self.service.settings.url if https else ORIGIN,
            headers=headers,
            follow_redirects=False,
            raise_server_exceptions=False,
            client=("192.0.2.1", 1),
        )
        client.event_hooks["response"].append(_hold_to_description)
        return client

    def program(self, team: str) -> TestClient:
        """A program with a team's token."""
        return self.client(Authorization=f"Bearer {self.tokens[team]}")

    def browser(self, team: str) -> TestClient:
        """A browser that is signed in."""
        client = self.client(Origin=ORIGIN)
        answer = client.post("/team/session", data={"token": self.tokens[team]})
        assert answer.status_code == 303, answer.text
        return client

    def team(self, name: str) -> Team:
        return next(team for team, _ in self.service.ledger.teams() if team.name == name)

    def hand_in(self, team: str, content: bytes = b"") -> str:
        """The id of a new submission of a team."""
        self._made += 1
        files = parts(content or b"vectors %d" % self._made)
        answer = self.program(team).post("/api/v1/submissions", files=files)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["id"])

    def score(self, id: str, name: str = "Alpha", **summary: Any) -> str:
        """Have the ledger and the vault say that a submission is done."""
        ledger, folder = self.service.ledger, self.service.vault.folder(id)
        while ledger.claim().id != id:
            pass
        ledger.set_name(id, name)
        ledger.advance(id)
        place = f"{id}/{id}"
        (folder / "result" / place).mkdir(parents=True)
        (folder / "result" / place / "record.json").write_text(f'{{"id": "{id}"}}')
        (folder / "result" / place / "per_query.parquet").write_bytes(b"PAR1" + id.encode())
        said = {"method": name, "submission": id.ljust(64, "0"), "place": place}
        ledger.finish(id, SUMMARY | said | summary)
        return id

    def done(self, team: str, name: str = "Alpha", **summary: Any) -> str:
        """The id of a new submission that is scored."""
        return self.score(self.hand_in(team), name, **summary)


@contextmanager
def hosted(
    folder: Path, limits: Limits = LIMITS, change: Callable[[Settings], Settings] = lambda s: s
) -> Iterator[Hosted]:
    """Serve a small benchmark from a folder, without a worker or a builder at work."""
    ground = folder / "ground"
    if not ground.exists():
        write_ground(ground)
    settings = change(Settings(data=folder / "data", benchmark=str(ground), limits=limits))
    now = [1000.0]
    with open_service(settings, lambda: now[0]) as service:
        ledger = service.ledger
        tokens = {name: ledger.add_team(name) for name in ("gulls", "terns")}
        tokens["keeper"] = ledger.add_team("keeper", Role.ADMIN)
        yield Hosted(service, make_app(service), tokens, now)
    shutil.rmtree(folder / "data")


def call(
    app: ASGIApp,
    target: bytes = b"/api/v1",
    host: bytes | list[bytes] | None = b"127.0.0.1:8000",
    method: str = "GET",
) -> tuple[int, dict[bytes, bytes], bytes]:
    """The status, headers and body of an answer, asked for without a client's own mending."""
    path, _, query = target.partition(b"?")
    hosts = host if isinstance(host, list) else [host]
    headers = [(b"host", value) for value in hosts if value is not None]
    scope = {
        "type": "http",
        "method": method,
        "path": unquote(path.decode("latin-1")),
        "raw_path": path,
    }
    scope |= {"query_string": query, "headers": headers, "client": ("192.0.2.1", 1)}
    scope |= {"http_version": "1.1", "scheme": "http", "server": None, "root_path": ""}
    sent = []

    async def receive():
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message):
        sent.append(message)

    asyncio.run(app(scope, receive, send))
    body = b"".join(message.get("body", b"") for message in sent[1:])
    return sent[0]["status"], dict(sent[0]["headers"]), body


def parts(submission: bytes = b"vectors", card: bytes = CARD, name: str = "x") -> dict[str, Any]:
    """The files of an upload, as the client takes them."""
    return {"card": (name, card), "submission": (name, submission)}


def form_token(page: str) -> str:
    """The token of a page's forms."""
    found = re.search(r'name="form" value="([0-9a-f]{64})"', page)
    assert found, page
    return found[1]


def at(settings: Settings, **changes: Any) -> Settings:
    return replace(settings, **changes)


_PATHS = [(re.compile(o.path.replace("{id}", "[^/]+")), o) for o in OPERATIONS]


def _hold_to_description(response: Any) -> None:
    for pattern, operation in _PATHS:
        if pattern.fullmatch(response.url.path) and operation.method == response.request.method:
            assert response.status_code in statuses(operation), (operation, response.status_code)
