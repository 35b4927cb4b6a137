"""A served board behind a real nginx, set up as docs/host-a-board.md says."""

from __future__ import annotations

import hashlib
import http.client
import json
import re
import shutil
import socket
import ssl
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import numpy as np
import pytest
from board_process import SUBMISSIONS, BoardProcess, add_team, command, wait
from documented import ROOT, read_blocks
from small_board import COUNT, ids, write_card, write_ground

from fgbench.leaderboard.serve.attempts import EACH
from fgbench.protocol import MEDIA
from fgbench.submission import write_submission

DOCUMENT = ROOT / "docs/host-a-board.md"
WHERE = "/usr/bin:/usr/sbin:/usr/local/bin:/usr/local/sbin"
UPLOAD = 8
"""MiB an upload, at most."""
SCORED_S = 240
"""A scoring gives way to whatever else the machine does, and the first may have to compile."""
FRAME = """\
{user}
pid nginx.pid;
worker_processes 1;
events {{}}
http {{
access_log access.log;
client_body_temp_path body;
proxy_temp_path proxy;
fastcgi_temp_path fastcgi;
uwsgi_temp_path uwsgi;
scgi_temp_path scgi;
{site}
}}
"""


@dataclass
class Behind:
    """A board, and nginx before it. ``url`` is what users type; ``plain`` the port of http."""

    server: BoardProcess
    port: int
    plain: int
    certificate: Path
    token: str

    @property
    def url(self) -> str:
        return f"https://localhost:{self.port}"

    @property
    def trusting(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=str(self.certificate))

    def client(self, token: str = "", address: str = "127.0.0.2", **headers: str) -> httpx.Client:
        """Somebody who calls over https from an address."""
        line = httpx.HTTPTransport(verify=self.trusting, local_address=address)
        known = {"Authorization": f"Bearer {token}"} if token else {}
        return httpx.Client(base_url=self.url, transport=line, headers=known | headers, timeout=30)


@pytest.fixture(scope="module")
def behind(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Behind]:
    folder = tmp_path_factory.mktemp("nginx")
    programs = {name: shutil.which(name, path=WHERE) for name in ("nginx", "openssl")}
    for name, found in programs.items():
        if found is None:
            pytest.skip(f"no {name} (apt-get install {name})")
    own, port, plain = free_ports(3)
    ground = write_ground(folder / "ground")
    token = add_team(folder / "data", "gulls")
    options = ("--port", str(own), "--proxy", "127.0.0.1", "--upload", str(UPLOAD))
    line = command(folder / "data", ground, *options, "--url", f"https://localhost:{port}")
    server = BoardProcess(line, folder / "log", own)
    certificate = make_certificate(str(programs["openssl"]), folder)
    site = set_up(own, port, plain, certificate)
    with running(server), serving(str(programs["nginx"]), folder, site, port):
        yield Behind(server, port, plain, certificate, token)


def free_ports(count: int) -> list[int]:
    listeners = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [listener.getsockname()[1] for listener in listeners]
    for listener in listeners:
        listener.close()
    return ports


def make_certificate(openssl: str, folder: Path) -> Path:
    made = folder / "fullchain.pem"
    kind = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2")
    name = ("-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost")
    files = ("-keyout", str(folder / "privkey.pem"), "-out", str(made))
    command = [openssl, "req", "-x509", *kind, *name, *files]
    subprocess.run(command, check=True, capture_output=True, timeout=60)
    return made


def set_up(own: int, port: int, plain: int, certificate: Path) -> str:
    """What the document prints, with the ports and the certificate of this test."""
    site = next(block.text for block in read_blocks(DOCUMENT) if block.kind == "nginx")
    for found, ours in (
        (r"listen 443 ssl;", f"listen 127.0.0.1:{port} ssl;"),
        (r"listen 80;", f"listen 127.0.0.1:{plain};"),
        (r"http://127\.0\.0\.1:8000;", f"http://127.0.0.1:{own};"),
        (r"/etc/letsencrypt/live/board\.example\.org", str(certificate.parent)),
        (r"server_name board\.example\.org;", "server_name localhost;"),
    ):
        site, count = re.subn(found, ours, site)
        assert count, found
    return site


@contextmanager
def running(server: BoardProcess) -> Iterator[None]:
    """The board, until the end; it says the address of users, not the one that it listens at."""
    with server.log.open("wb") as log:
        server.process = subprocess.Popen(server.command, stdout=log, stderr=log)
    try:
        wait(lambda: b"is the board" in server.said())
        yield
    finally:
        server.stop()


@contextmanager
def serving(nginx: str, folder: Path, site: str, port: int) -> Iterator[None]:
    """nginx in a folder of its own."""
    (folder / "nginx.conf").write_text(FRAME.format(user=user(), site=site))
    command = [nginx, "-p", str(folder), "-c", "nginx.conf", "-e", "error.log"]
    with subprocess.Popen([*command, "-g", "daemon off;"], stderr=subprocess.PIPE) as process:
        try:
            wait(lambda: process.poll() is not None or answers(port))
            assert process.poll() is None, process.stderr.read().decode()
            yield
        finally:
            process.terminate()


def user() -> str:
    """Its workers may read what this test may."""
    return "user root;" if Path("/proc/self").stat().st_uid == 0 else ""


def answers(port: int) -> bool:
    with socket.socket() as line:
        return line.connect_ex(("127.0.0.1", port)) == 0


def files(submission: bytes) -> dict[str, bytes]:
    return {"card": b"method: Large\n", "submission": submission}


def test_several_megabytes_arrive_and_are_scored(behind: Behind, tmp_path: Path) -> None:
    vectors, card = tmp_path / "s.npz", write_card(tmp_path / "card.yaml")
    rows = {m: np.random.default_rng(1).normal(size=(COUNT, 12_000)) for m in MEDIA}
    write_submission(vectors, ids=ids(), embeddings=rows, meta={})
    sent = {"card": card.read_bytes(), "submission": vectors.read_bytes()}
    assert len(sent["submission"]) > 4 << 20
    with behind.client(behind.token) as client:
        answer = client.post(SUBMISSIONS, files=sent)
        assert (answer.status_code, answer.is_success) == (201, True), answer.text
        place = answer.headers["location"]
        assert client.get(place).status_code == 200, "the address leads through nginx, too"

        def is_over() -> bool:
            time.sleep(0.2)
            return client.get(place).json()["state"] in ("done", "failed")

        wait(is_over, SCORED_S)
        record = client.get(f"{place}/record.json").json()
    assert record["submission"]["sha256"] == hashlib.sha256(sent["submission"]).hexdigest()


@pytest.mark.parametrize("declared", [True, False])
def test_an_upload_that_is_too_large_is_told_so_by_the_board(
    behind: Behind, declared: bool
) -> None:
    content = b"x" * ((UPLOAD + 2) << 20)
    with behind.client(behind.token) as client:
        if declared:
            answer = client.post(SUBMISSIONS, files=files(content))
        else:
            request = client.build_request("POST", SUBMISSIONS, files=files(content))
            kind = {"content-type": request.headers["content-type"]}
            pieces = (piece for piece in request.stream)
            answer = client.post(SUBMISSIONS, content=pieces, headers=kind)
    assert answer.status_code == 413
    assert answer.json()["code"] in ("FG-H158", "FG-H120")
    assert re.search(rf"at most {UPLOAD}[.\d]* MiB", answer.json()["what"])


def test_ten_gigabytes_are_refused_before_they_are_sent(behind: Behind) -> None:
    line = http.client.HTTPSConnection("localhost", behind.port, context=behind.trusting, timeout=9)
    line.putrequest("POST", SUBMISSIONS)
    line.putheader("Authorization", f"Bearer {behind.token}")
    line.putheader("Content-Type", "multipart/form-data; boundary=B")
    line.putheader("Content-Length", str(10 << 30))
    line.endheaders()
    answer = line.getresponse()
    assert (answer.status, json.loads(answer.read())["code"]) == (413, "FG-H158")
    line.close()


def test_attempts_are_counted_by_who_calls_whatever_they_say(behind: Behind) -> None:
    statuses = []
    for n in range(EACH + 2):
        forged = {"X-Forwarded-For": f"198.51.100.{n}", "X-Real-IP": f"198.51.100.{n}"}
        with behind.client("fgb_wrong", "127.0.0.66", **forged) as guesser:
            statuses.append(guesser.get(SUBMISSIONS).status_code)
    assert statuses == [401] * EACH + [429] * 2
    with behind.client(behind.token, "127.0.0.66") as same:
        assert same.get(SUBMISSIONS).status_code == 429
    with behind.client(behind.token, "127.0.0.67") as other:
        assert other.get(SUBMISSIONS).status_code == 200


def test_a_browser_is_signed_in_for_https_alone(behind: Behind) -> None:
    with behind.client(Origin=behind.url) as browser:
        answer = browser.post("/team/session", data={"token": behind.token})
        assert answer.status_code == 303, answer.text
        assert answer.headers["location"] == "/team/"
        assert "max-age" in answer.headers["strict-transport-security"]
        name, *flags = answer.headers["set-cookie"].split("; ")
        assert name.startswith("__Host-")
        assert {"Secure", "HttpOnly", "SameSite=strict"} <= set(flags)
        assert "Signed in as" in browser.get("/team/").text
    with behind.client(Origin=f"http://localhost:{behind.port}") as forged:
        assert forged.post("/team/session", data={"token": behind.token}).status_code == 403
    with httpx.Client(base_url=f"http://localhost:{behind.plain}") as plain:
        moved = plain.get("/team/?a=1")
        assert (moved.status_code, moved.headers["location"]) == (
            301,
            "https://localhost/team/?a=1",
        )
        assert "set-cookie" not in moved.headers


def test_under_another_name_nothing_is_served(behind: Behind) -> None:
    for name in ("evil.example", "localhost", f"localhost:{behind.server.port}"):
        with behind.client(behind.token, Host=name) as client:
            assert client.get(SUBMISSIONS).status_code == 421, name
    direct = f"http://127.0.0.1:{behind.server.port}"
    for host in (f"127.0.0.1:{behind.server.port}", "evil.example"):
        beside = {"Host": host, "X-Forwarded-Host": f"localhost:{behind.port}"}
        answer = httpx.get(f"{direct}/team/", headers=beside)
        assert (answer.status_code, answer.json()["code"]) == (421, "FG-H150")


def test_the_board_is_read_once(behind: Behind) -> None:
    with behind.client() as reader:
        wait(lambda: reader.get("/").status_code == 200, SCORED_S)
        first = reader.get("/index.html")
        assert "<h1" in first.text
        again = reader.get("/index.html", headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
