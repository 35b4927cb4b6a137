"""A board served by a process of its own, as its host starts it; killed and started again."""

from __future__ import annotations

import contextlib
import http.client
import json
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fgbench.leaderboard.serve.ledger import Ledger
from fgbench.leaderboard.serve.settings import Settings
from fgbench.leaderboard.serve.states import Role

API = "/api/v1"
SUBMISSIONS = f"{API}/submissions"
PIECE = 1 << 16
_BOUNDARY = "a-boundary-that-no-file-has"
_SERVE = """
import dataclasses, functools, json, resource, sys
from pathlib import Path
from fgbench.leaderboard.serve import publication, server, service
from fgbench.leaderboard.serve.settings import Limits, Settings
settings = Settings(data=Path(sys.argv[1]), benchmark=sys.argv[2], port=0)
"""
_START = "\nserver.serve(settings, lambda url: print(url, flush=True))"


def command(data: Path, benchmark: str | Path, *options: str) -> tuple[str, ...]:
    """The command line of a host."""
    where = ("--data", str(data), "--benchmark", str(benchmark), "--port", "0")
    return (sys.executable, "-m", "fgbench", "leaderboard", "serve", *where, *options)


def altered(data: Path, benchmark: str | Path, code: str) -> tuple[str, ...]:
    """The same server, after code that changes ``settings`` or what it is made of."""
    return (sys.executable, "-c", f"{_SERVE}{code}{_START}", str(data), str(benchmark))


def add_team(data: Path, name: str, role: Role = Role.TEAM) -> str:
    """The token of a new team, of a board that may be served at the time."""
    data.mkdir(exist_ok=True, mode=0o700)
    ledger = Ledger.open(Settings(data=data).database_url)
    try:
        return ledger.add_team(name, role)
    finally:
        ledger.close()


@dataclass(frozen=True)
class Answer:
    """What the server said."""

    status: int
    body: bytes

    @property
    def document(self) -> Any:
        return json.loads(self.body)


@dataclass
class BoardProcess:
    """A server that runs from ``start`` to ``kill`` or ``stop``; ``log`` has all that it said."""

    command: Sequence[str]
    log: Path
    port: int = 0
    process: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    def start(self, seconds: float = 120) -> None:
        """Begin, and wait for the address that it says."""
        with self.log.open("ab") as log:
            begin = log.tell()
            self.process = subprocess.Popen(self.command, stdout=log, stderr=log)
        end = time.monotonic() + seconds
        while not (found := re.search(rb"http://127\.0\.0\.1:(\d+)", self.said(begin))):
            assert self.process.poll() is None, self.said(begin).decode()
            assert time.monotonic() < end, self.said(begin).decode()
            time.sleep(0.02)
        self.port = int(found[1])

    @property
    def pid(self) -> int:
        assert self.process is not None
        return self.process.pid

    def said(self, begin: int = 0) -> bytes:
        return self.log.read_bytes()[begin:]

    def kill(self) -> None:
        """SIGKILL to the server alone: what it started is its own to take along."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """In good order."""
        self._end(signal.SIGTERM)

    def _end(self, how: signal.Signals) -> None:
        if self.process is not None:
            self.process.send_signal(how)
            self.process.wait(60)
            self.process = None

    def call(
        self,
        token: str,
        method: str,
        path: str,
        body: bytes | Iterable[bytes] | None = None,
        seconds: float = 60,
        **headers: str,
    ) -> Answer:
        """One request over a connection of its own. Raises ``OSError`` or ``HTTPException``."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=seconds)
        known = {"authorization": f"Bearer {token}"} if token else {}
        try:
            # It may have answered before it had all.
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                connection.request(method, path, body, known | headers)
            found = connection.getresponse()
            return Answer(found.status, found.read())
        finally:
            connection.close()

    def get(self, token: str, path: str) -> Any:
        answer = self.call(token, "GET", path)
        assert answer.status == 200, answer
        return answer.document

    def submissions(self, token: str) -> dict[str, dict[str, Any]]:
        """A team's own by their ids."""
        return {one["id"]: one for one in self.get(token, SUBMISSIONS)["submissions"]}

    def upload(
        self, token: str, submission: Path, card: bytes, pause: float = 0, seconds: float = 60
    ) -> Answer:
        """Hand in, a piece of the file at a time with a pause after each."""
        headers, head, tail = form(card, submission.stat().st_size)
        body = _body(head, submission, tail, pause)
        return self.call(token, "POST", SUBMISSIONS, body, seconds, **headers)

    def children(self) -> dict[int, str]:
        """The processes that it has started and that run, with their command lines."""
        found = {}
        for thread in Path(f"/proc/{self.pid}/task").iterdir():
            try:
                pids = (thread / "children").read_text().split()
            except OSError:  # the thread has ended
                continue
            found |= {int(pid): command_of(int(pid)) for pid in pids}
        return {pid: said for pid, said in found.items() if said}


def command_of(pid: int) -> str:
    """The command line of a process; empty once it has ended."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode().strip()
    except OSError:
        return ""


def form(card: bytes, size: int) -> tuple[dict[str, str], bytes, bytes]:
    """An upload with a submission of so many bytes: headers, and what comes before and after."""
    opens = f"--{_BOUNDARY}\r\nContent-Disposition: form-data; name="
    first = f'{opens}"card"; filename="card.yaml"\r\n\r\n'.encode() + card
    second = f'\r\n{opens}"submission"; filename="submission.npz"\r\n\r\n'.encode()
    head, tail = first + second, f"\r\n--{_BOUNDARY}--\r\n".encode()
    kind = f"multipart/form-data; boundary={_BOUNDARY}"
    length = str(len(head) + size + len(tail))
    return {"content-type": kind, "content-length": length}, head, tail


def _body(head: bytes, submission: Path, tail: bytes, pause: float) -> Iterator[bytes]:
    yield head
    with submission.open("rb") as file:
        piece = PIECE if not pause else max(1, submission.stat().st_size // 8)
        while data := file.read(piece):
            yield data
            time.sleep(pause)
    yield tail


def wait(what: Any, seconds: float = 120) -> Any:
    """The first true value that a call returns."""
    end = time.monotonic() + seconds
    while not (found := what()):
        assert time.monotonic() < end, "it took too long"
        time.sleep(0.02)
    return found
