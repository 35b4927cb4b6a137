from __future__ import annotations

import sqlite3
import subprocess
import sys

import pytest

from fgbench.collect.crawl.archive import Archive
from fgbench.collect.crawl.journal import Fetch, Journal, State
from fgbench.collect.crawl.lock import hold
from fgbench.collect.crawl.store import Place
from fgbench.collect.sites.base import Failure
from fgbench.errors import InputError

URL = "https://aviary.example/owl"


def fetch(**changes) -> Fetch:
    given = {
        "url": URL,
        "host": "aviary.example",
        "state": State.DONE,
        "asked_at": "2026-11-01T12:00:00Z",
        "status": 200,
        "place": Place("00001.warc.gz", 100, 50),
        "digest": "sha256:0",
        "date": "2026-11-01T12:00:00Z",
    }
    return Fetch(**(given | changes))


def test_rows_come_back_as_they_were(tmp_path):
    rows = [
        fetch(url="a"),
        fetch(url="b", state=State.FAILED, failure=Failure.TIMEOUT, detail="é", place=None),
        fetch(url="c", state=State.MOVED, target="a"),
    ]
    journal = Journal(tmp_path / "j")
    for row in reversed(rows):
        journal.commit(row)
    journal.close()
    journal = Journal(tmp_path / "j")
    assert list(journal.fetches()) == rows
    assert journal.find("b") == rows[1]
    assert journal.find("nowhere") is None


def test_attempts_add_up_and_the_first_moment_stays(tmp_path):
    journal = Journal(tmp_path / "j")
    journal.commit(fetch(state=State.FAILED, failure=Failure.TIMEOUT, attempts=4, asked_at="1"))
    journal.commit(fetch(attempts=2, asked_at="2"))
    assert journal.find(URL) == fetch(attempts=6, asked_at="2")
    db = sqlite3.connect(tmp_path / "j")
    assert db.execute("SELECT first_asked_at, error_class FROM fetch").fetchall() == [("1", None)]


def test_ends_are_those_of_the_last_place_in_each_file(tmp_path):
    journal = Journal(tmp_path / "j")
    journal.commit(fetch(url="a", place=Place("1", 0, 10)))
    journal.commit(fetch(url="b", place=Place("1", 10, 5)))
    journal.commit(fetch(url="c", place=Place("2", 7, 3)))
    journal.commit(fetch(url="d", place=None))
    assert journal.ends() == {"1": 15, "2": 10}


@pytest.mark.parametrize("content", [b"not a database, but some text that is long enough" * 20])
def test_what_is_no_journal_is_said(tmp_path, content):
    (tmp_path / "j").write_bytes(content)
    with pytest.raises(InputError, match=r"FG-W003.*not a journal"):
        Journal(tmp_path / "j")


def test_another_version_is_said(tmp_path):
    with sqlite3.connect(tmp_path / "j") as db:
        db.execute("PRAGMA user_version = 9")
    with pytest.raises(InputError, match=r"version 9, this fgbench reads version 1"):
        Journal(tmp_path / "j")


def test_a_store_without_its_journal_is_left_alone(tmp_path, clock):
    (tmp_path / "store").mkdir()
    page = tmp_path / "store" / "00001.warc.gz"
    page.write_bytes(b"pages of a year")
    with pytest.raises(InputError, match=r"FG-W004.*journal\.sqlite is missing"):
        Archive(tmp_path, clock)
    assert page.read_bytes() == b"pages of a year"


def test_a_second_build_in_a_folder_says_who_has_it_and_stops(tmp_path):
    code = (
        "import sys, pathlib; from fgbench.collect.crawl.lock import hold\n"
        "with hold(pathlib.Path(sys.argv[1])): print('held', flush=True); sys.stdin.read()"
    )
    other = subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert other.stdout.readline() == "held\n"
    with pytest.raises(InputError, match=rf"FG-W002.*process {other.pid} on"), hold(tmp_path):
        pass
    other.kill()
    other.wait()
    with hold(tmp_path):
        pass


def test_two_sessions_of_one_process_exclude_each_other_too(tmp_path, clock):
    archive = Archive(tmp_path, clock)
    with pytest.raises(InputError, match="FG-W002"):
        Archive(tmp_path, clock)
    archive.close()
    Archive(tmp_path, clock).close()
