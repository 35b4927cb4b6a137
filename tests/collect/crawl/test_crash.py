"""A build that is killed, or that fills the disk, loses what was in flight and nothing else."""

from __future__ import annotations

import random
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest

from fgbench.collect.crawl.session import CrawlSession
from fgbench.errors import FgbenchError
from fgbench.settings import Settings

SCRIPT = Path(__file__).with_name("crawl_pages.py")
PAGES = 60
KILLS = 3


@pytest.fixture
def library(server, wire):
    """A server of pages whose size and content follow from their path."""
    for name in ("one", "two"):
        for n in range(PAGES):
            server.routes[f"/{name}/{n}"] = wire.status(200, page(name, n))
    return server


def page(name: str, n: int) -> bytes:
    return random.Random(f"{name}{n}").randbytes(50 * n)


def start(folder: Path, address: str, largest: int = 0) -> subprocess.Popen[str]:
    command = [sys.executable, str(SCRIPT), str(folder), address, str(PAGES), str(largest)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def journalled(folder: Path) -> set[str]:
    """Paths that are done, read from the journal as it was left."""
    if not (folder / "journal.sqlite").exists():
        return set()
    db = sqlite3.connect(folder / "journal.sqlite")
    try:
        rows = db.execute("SELECT url FROM fetch WHERE state = 'done'").fetchall()
    except sqlite3.OperationalError:  # killed before the tables were there
        rows = []
    finally:
        db.close()
    return {"/" + url.split("/", 3)[3] for (url,) in rows}


def everything(folder: Path, site) -> dict[str, object]:
    """Every answer, from the store alone; each body is the one that was served."""
    with CrawlSession(folder, [site("one"), site("two")], Settings(), offline=True) as session:
        responses = {}
        for name in ("one", "two"):
            for n in range(PAGES):
                response = session.get(f"https://{name}.example/{name}/{n}")
                assert response.body == page(name, n)
                responses[response.url] = response
        return responses


def test_kill_9_at_any_moment(library, tmp_path, site):
    seed = random.randrange(10**6)
    print(f"seed {seed}")  # shown when it fails
    chance = random.Random(seed)
    folder = tmp_path / "out"
    for _ in range(KILLS):
        before, known = len(library.asked), journalled(folder)
        run = start(folder, library.url)
        stop = before + chance.randrange(5, PAGES // 2)
        while len(library.asked) < stop and run.poll() is None:
            time.sleep(0.001)
        time.sleep(chance.random() * 0.01)
        run.kill()
        run.wait()
        assert known.isdisjoint(library.asked[before:])
    before, known = len(library.asked), journalled(folder)
    assert known
    out, err = start(folder, library.url).communicate(timeout=60)
    assert (out, err) == (f"{2 * PAGES}\n", "")
    assert known.isdisjoint(library.asked[before:])
    asked = [path for path in library.asked if path != "/robots.txt"]
    assert len(asked) <= 2 * PAGES + 2 * KILLS  # at most the one request in flight, a host and kill
    after = everything(folder, site)
    undisturbed = tmp_path / "undisturbed"
    start(undisturbed, library.url).communicate(timeout=60)
    assert after == everything(undisturbed, site)


@pytest.mark.parametrize("largest", [20_000, 60_000])
def test_a_full_disk_is_said_and_the_next_run_goes_on(library, tmp_path, site, largest):
    """A limit on file sizes stands for the full disk: writes fail half-way, in store or journal."""
    folder = tmp_path / "out"
    run = start(folder, library.url, largest)
    _, err = run.communicate(timeout=60)
    assert run.returncode == 1
    assert err.startswith("FG-W005")
    assert "Traceback" not in err
    assert "run the same command again" in err
    known = journalled(folder)
    before = len(library.asked)
    assert start(folder, library.url).communicate(timeout=60)[1] == ""
    assert known.isdisjoint(library.asked[before:])
    everything(folder, site)


def test_a_journal_that_cannot_grow_is_said(crawl, server, wire):
    server.routes["/owl"] = wire.status(200, b"hoot")
    session = crawl()
    session.journal._db.execute("PRAGMA max_page_count = 1")
    url = f"https://aviary.example/owl?{'x' * 9000}"
    with pytest.raises(FgbenchError, match=r"FG-W005.*journal\.sqlite could not be written"):
        session.get(url)
    assert crawl().get(url).body == b"hoot"
