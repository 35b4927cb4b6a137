"""A real MediaWiki on loopback: Debian's code where it lies, a database and pages of our own."""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen
from xml.sax.saxutils import escape

CODE = Path("/usr/share/mediawiki")
_LOADS = ("intl", "mbstring", "pdo_sqlite", "xml")


def missing() -> str:
    """The Debian packages that a wiki lacks here, or ``""``."""
    php = shutil.which("php")
    if php is None:
        return "php-cli"
    loaded = subprocess.run([php, "-m"], capture_output=True, text=True, check=True).stdout.split()
    packages = {"intl": "php-intl", "mbstring": "php-mbstring", "xml": "php-xml"}
    lacking = [packages.get(name, "php-sqlite3") for name in _LOADS if name not in loaded]
    if not (CODE / "maintenance" / "install.php").is_file():
        lacking.append("mediawiki")
    return ", ".join(lacking)


def export(pages: Mapping[str, Iterable[tuple[str, str]]]) -> str:
    """A dump to import: titles with their revisions, each a timestamp and its wikitext."""
    return "".join(
        (
            '<mediawiki xmlns="http://www.mediawiki.org/xml/export-0.11/" version="0.11">',
            *(f"<page><title>{escape(t)}</title>{_revisions(r)}</page>" for t, r in pages.items()),
            "</mediawiki>",
        )
    )


def _revisions(revisions: Iterable[tuple[str, str]]) -> str:
    return "".join(
        f"<revision><timestamp>{when}</timestamp><contributor><username>Admin</username>"
        "</contributor><model>wikitext</model><format>text/x-wiki</format>"
        f'<text xml:space="preserve">{escape(text)}</text></revision>'
        for when, text in revisions
    )


@contextmanager
def wiki(folder: Path, script_path: str, settings: str, dump: str) -> Iterator[str]:
    """The scheme and host of a running wiki with these settings (PHP) and the pages of a dump.

    Its API is at ``<script_path>/api.php``. Whatever happens, its processes are ended.
    """
    (folder / "db").mkdir(parents=True)
    root = _document_root(folder, script_path)
    port = _free_port()
    base = f"http://127.0.0.1:{port}"
    environment = {**os.environ, "MW_CONFIG_FILE": str(folder / "LocalSettings.php")}
    _maintain(
        [
            *("install.php", "--confpath", str(folder), "--dbtype", "sqlite", "--dbname", "wiki"),
            *("--dbpath", str(folder / "db"), "--server", base, "--scriptpath", script_path),
            *("--lang", "en", "--pass", secrets.token_hex(16), "Birds", "Admin"),
        ],
        {k: v for k, v in os.environ.items() if k != "MW_CONFIG_FILE"},
    )
    with (folder / "LocalSettings.php").open("a", encoding="utf-8") as file:
        file.write(settings)
    (folder / "dump.xml").write_text(dump, encoding="utf-8")
    _maintain(["importDump.php", str(folder / "dump.xml")], environment)
    _maintain(["runJobs.php"], environment)
    with (folder / "server.log").open("wb") as log:
        server = subprocess.Popen(
            ["php", "-S", f"127.0.0.1:{port}", "-t", str(root)],
            env={**environment, "PHP_CLI_SERVER_WORKERS": "2"},
            stdout=log,
            stderr=log,
            start_new_session=True,  # its workers outlive it: the group is ended as one
        )
        try:
            _await(f"{base}{script_path}/api.php?action=query&format=json", server)
            yield base
        finally:
            os.killpg(server.pid, signal.SIGKILL)
            server.wait()


def _document_root(folder: Path, script_path: str) -> Path:
    if not script_path:
        return CODE
    root = folder / "root"
    root.mkdir()
    (root / script_path.strip("/")).symlink_to(CODE)
    return root


def _maintain(call: list[str], environment: Mapping[str, str]) -> None:
    script = str(CODE / "maintenance" / call[0])
    done = subprocess.run(
        ["php", script, *call[1:]], env=environment, capture_output=True, text=True, timeout=120
    )
    if done.returncode:
        raise RuntimeError(f"{call[0]} failed:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _await(url: str, server: subprocess.Popen[bytes]) -> None:
    for _ in range(200):
        if server.poll() is not None:
            raise RuntimeError(f"the wiki's server ended with {server.returncode}")
        try:
            with urlopen(url, timeout=30):
                return
        except (URLError, ConnectionError):
            time.sleep(0.05)
    raise RuntimeError("the wiki's server did not answer in time")
