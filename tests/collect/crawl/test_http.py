"""TLS: certificates are checked, the guard and the deadline hold there too."""

from __future__ import annotations

import shlex
import shutil
import socket
import ssl
import subprocess
import threading
import time

import pytest

from fgbench.collect.crawl.guard import Guard
from fgbench.collect.crawl.http import Client, Limits
from fgbench.collect.sites.base import Failure, FetchFailed

URL = "https://aviary.example/"


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """A self-signed certificate for localhost, and its key."""
    if shutil.which("openssl") is None:
        pytest.skip("the Debian package openssl is not installed")
    folder = tmp_path_factory.mktemp("tls")
    files = str(folder / "localhost.crt"), str(folder / "localhost.key")
    subprocess.run(
        [
            *shlex.split("openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost"),
            *("-addext", "subjectAltName=DNS:localhost", "-out", files[0], "-keyout", files[1]),
        ],
        check=True,
        capture_output=True,
    )
    return files


@pytest.fixture
def tls(certificate):
    """Starts a TLS server that answers each request with these pieces, 0.05 s apart."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(*certificate)
    listener = socket.create_server(("127.0.0.1", 0))

    def start(*pieces: bytes) -> int:
        def serve() -> None:
            while True:
                try:
                    plain, _ = listener.accept()
                    with context.wrap_socket(plain, server_side=True) as sock:
                        sock.recv(65536)
                        for piece in pieces:
                            sock.sendall(piece)
                            time.sleep(0.05)
                except ssl.SSLError:
                    continue  # the client did not trust us
                except OSError:
                    return

        threading.Thread(target=serve, daemon=True).start()
        return listener.getsockname()[1]

    yield start
    listener.close()


def make_client(port: int, deadline: float = 5.0) -> Client:
    limits = Limits(connect=2, read=2, deadline=deadline)
    return Client(Guard({("localhost", port)}), "you@lab.example", limits, use_proxy=False)


def test_an_unknown_certificate_is_not_trusted(tls, certificate, monkeypatch):
    port = tls(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nhoot")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", certificate[0])  # nor by the environment's word
    with pytest.raises(FetchFailed) as caught:
        make_client(port).ask(URL, f"https://localhost:{port}/", {})
    assert caught.value.kind is Failure.CONNECTION
    assert caught.value.detail == "SSLError"


def test_tls_goes_through_the_guard_and_under_the_deadline(tls, certificate):
    port = tls(b"HTTP/1.1 200 OK\r\n\r\n", *[b"a"] * 40)
    client = make_client(port, deadline=0.3)
    client._session.verify = certificate[0]
    with pytest.raises(FetchFailed) as caught:
        client.ask(URL, f"https://localhost:{port}/", {})
    assert caught.value.kind is Failure.TIMEOUT
    patient = make_client(port)
    patient._session.verify = certificate[0]
    assert patient.ask(URL, f"https://localhost:{port}/", {}).body == b"a" * 40
    with pytest.raises(FetchFailed) as caught:
        patient.ask(URL, f"https://127.0.0.1:{port}/", {})
    assert caught.value.kind is Failure.PRIVATE_ADDRESS


def test_proxies_are_used_only_when_asked_for_and_never_for_a_stand_in(monkeypatch):
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.example:3128")
    limits = Limits()
    guard = Guard({("127.0.0.1", 8080)})
    monkeypatch.setattr(guard, "resolve", lambda host, port: [])
    without = Client(guard, "", limits, use_proxy=False)
    with_proxy = Client(guard, "", limits, use_proxy=True)
    assert without._proxies(URL) is None
    assert with_proxy._proxies(URL)["https"] == "http://proxy.example:3128"
    assert with_proxy._proxies("https://127.0.0.1:8080/") is None
