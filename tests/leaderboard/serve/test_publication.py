"""Publication: the board shows what the ledger says is published, and nothing else, ever."""

from __future__ import annotations

import hashlib
import json
import shutil
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from served_board import served
from small_board import hand, write_ground

from fgbench.errors import FaultyInput
from fgbench.leaderboard.serve.errors import Conflict, DatabaseGone
from fgbench.leaderboard.serve.publication import Publication
from fgbench.leaderboard.serve.scorer import summarise
from fgbench.leaderboard.serve.states import Visibility
from fgbench.record import Record

METHODS = {"Alpha": 1, "Beta": 2, "Αlpha": 3, "Gamma": 1}
"""The third begins with a Greek letter; the last has the first one's vectors."""


@pytest.fixture(scope="module")
def board(tmp_path_factory):
    """Four submissions that are done, their results as the scorer leaves them."""
    folder = tmp_path_factory.mktemp("publication")
    ground = write_ground(folder / "ground")
    with served(folder / "data", ground) as made:
        made.scored = {}
        for method, seed in METHODS.items():
            (folder / method).mkdir()
            entry = hand(folder / method / "results", ground, seed, method=method)
            made.scored[method] = found = made.hand(method.encode())
            with made.vault.scratch(found.id) as scratch:
                place = f"{entry.parent.name}/{entry.name}"
                shutil.copytree(entry, scratch / "result" / place)
                record = Record.from_json((entry / "record.json").read_text("utf-8"))
                report = json.dumps(summarise(record, place))
                (scratch / "result" / "report.json").write_text(report, "utf-8")
                made.vault.settle(found.id)
            assert made.ledger.claim().id == found.id
            made.ledger.advance(found.id)
            made.ledger.finish(found.id, made.vault.report(found.id))
        yield made


@pytest.fixture
def publication(board):
    return Publication(board.ledger, board.vault, board.settings)


def publish(board, publication, method):
    id = board.scored[method].id
    board.ledger.request_publication(board.teams["ada"], id)
    return publication.decide(board.teams["host"], id, True)


def shown(board):
    """The methods with a page on the site that is shown."""
    return {p.stem for p in (board.settings.data / "site" / "methods").glob("*.html")}


def store(board):
    results = board.settings.data / "results"
    return {p.name for p in results.iterdir()} if results.exists() else set()


def test_the_board_follows_the_ledger(board, publication):
    publication.sync()
    assert (publication.status.problem, shown(board), store(board)) == ("", set(), set())
    assert (board.settings.data / "site" / "index.html").is_file()

    assert publish(board, publication, "Alpha").visibility is Visibility.PUBLISHED
    digest = board.vault.result(board.scored["Alpha"].id, "record.json").read_bytes()
    badge = f'"{hashlib.sha256(digest).hexdigest()}":\n  status: verified\n  command: again\n'
    stale = f'"{"0" * 64}":\n  status: verified\n  command: again\n'
    (board.settings.data / "verified.yaml").write_text(badge + stale)
    publication.sync()
    first = (board.settings.data / "site").readlink()
    assert (publication.status.problem, shown(board)) == ("", {"alpha"})
    assert store(board) == {"alpha", "verified.yaml"}
    assert "verified" in (board.settings.data / "site" / "methods" / "alpha.html").read_text()
    publication.sync()
    assert (board.settings.data / "site").readlink() == first

    publish(board, publication, "Beta")
    publication.sync()
    assert shown(board) == {"alpha", "beta"}
    assert len(list((board.settings.data / "sites").iterdir())) == 2

    _refuses_clashes(board, publication)
    _keeps_the_old_board(board, publication)
    _takes_back(board, publication)


def _refuses_clashes(board, publication):
    for method, code in (("Αlpha", "FG-L120"), ("Gamma", "FG-L122")):
        with pytest.raises(FaultyInput) as refused:
            publish(board, publication, method)
        assert refused.value.faults[0].code == code
        found = board.now(board.scored[method])
        assert found.visibility is Visibility.REQUESTED
        refusal = publication.decide(board.teams["host"], found.id, False, "The name is taken.")
        assert refusal.visibility is Visibility.REFUSED
    with pytest.raises(Conflict):
        publication.decide(board.teams["host"], board.scored["Beta"].id, True)


def _keeps_the_old_board(board, publication):
    for code in ("print('no luck'); sys.exit(2)", "import os; os.kill(os.getpid(), 9)"):
        broken = (sys.executable, "-c", f"import sys; {code}")
        failing = Publication(board.ledger, board.vault, board.settings, broken)
        failing.sync()
        assert failing.status.problem in ("no luck", "The build ended with -9.")
        assert not failing.status.building
        assert shown(board) == {"alpha", "beta"}
    (board.settings.data / "verified.yaml").write_text("- what")
    publication.sync()
    assert "FG-L110" in publication.status.problem
    assert shown(board) == {"alpha", "beta"}
    (board.settings.data / "verified.yaml").unlink()


def _takes_back(board, publication):
    one = board.scored["Alpha"]
    publication.withdraw(board.teams["ada"], one.id)
    assert not board.vault.folder(one.id).exists()
    publication.sync()
    assert (publication.status.problem, shown(board), store(board)) == ("", {"beta"}, {"beta"})


def test_two_yeses_at_once_never_publish_one_name_twice(tmp_path):
    with served(tmp_path / "data") as board:
        numbers = {"method": "Alpha", "place": "alpha/0"}
        ids = [board.hand(b"%d" % n).id for n in range(6)]
        for number, id in enumerate(ids):
            board.ledger.claim()
            board.ledger.advance(id)
            board.ledger.finish(id, {**numbers, "submission": f"{number:064}"})
            board.ledger.request_publication(board.teams["ada"], id)
        publication = Publication(board.ledger, board.vault, board.settings)

        def say_yes(id):
            try:
                return publication.decide(board.teams["host"], id, True)
            except FaultyInput as error:
                return error.code

        with ThreadPoolExecutor(6) as pool:
            answers = list(pool.map(say_yes, ids))
        assert answers.count("FG-L121") == 5
        assert len(board.ledger.published()) == 1


def test_its_thread_builds_what_is_asked_for_and_waits_for_the_database(tmp_path, monkeypatch):
    with served(tmp_path / "data") as board:
        code = "import pathlib, sys; pathlib.Path(sys.argv[-1]).mkdir()"
        publication = Publication(
            board.ledger, board.vault, board.settings, (sys.executable, "-I", "-c", code)
        )
        published, gone = board.ledger.published, iter([True, True, False])

        def flickers():
            if next(gone, False):
                raise DatabaseGone
            return published()

        monkeypatch.setattr(board.ledger, "published", flickers)
        publication.start()
        end = time.monotonic() + 20
        while not (board.settings.data / "site").is_dir():
            assert time.monotonic() < end
            time.sleep(0.02)
        publication.stop()
