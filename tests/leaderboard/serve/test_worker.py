"""The worker: everything is scored once, whatever stops, dies or goes away meanwhile."""

from __future__ import annotations

import logging
import multiprocessing
import random
import time
from collections import Counter
from pathlib import Path

import pytest
import served_board
from postgres import cluster
from served_board import QUICK, fake, serve_and_hand_in, served
from small_board import write_card, write_ground, write_vectors

from fgbench.leaderboard.serve import worker as worker_module
from fgbench.leaderboard.serve.errors import DatabaseGone
from fgbench.leaderboard.serve.settings import Limits
from fgbench.leaderboard.serve.states import State
from fgbench.leaderboard.serve.worker import Worker

UNTIL_GO = "say('scoring'); end = time.time() + 20\n" + (
    "while not pathlib.Path('../../../go').exists() and time.time() < end: time.sleep(0.01)\n"
    "write(); note('ended'); say('done')"
)
HANG = "say('scoring'); time.sleep(60)"


@pytest.fixture(autouse=True)
def _impatient(monkeypatch):
    monkeypatch.setattr(worker_module, "_AWAY", 0.1)


@pytest.fixture(scope="module")
def postgres():
    with cluster() as running:
        yield running


@pytest.fixture
def board(tmp_path):
    with served(tmp_path / "data") as made:
        yield made


@pytest.fixture
def start():
    """Start a worker on a board with a stand-in for the scorer; stopped at the end."""
    running = []

    def starts(board, code):
        worker = Worker(board.ledger, board.vault, board.settings, fake(code))
        worker.start(warmed=False)
        running.append(worker)
        return worker

    yield starts
    for worker in running:
        worker.stop()


def runs(board):
    log = board.settings.data.parent / "runs.log"
    return Counter(log.read_text().splitlines()) if log.exists() else Counter()


def until(what, seconds=20):
    end = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < end
        time.sleep(0.02)


def test_all_are_scored_once_and_leave_their_results_alone(board, start):
    found = [board.hand(b"%d" % n, team=("ada", "bo")[n % 2]) for n in range(6)]
    worker = start(board, QUICK)
    done = board.wait(*found)
    assert {(one.state, one.name, one.reason) for one in done} == {(State.DONE, "Alpha", "")}
    assert [one.summary["submission"] for one in done] == [one.id for one in found]
    assert set(runs(board).values()) == {1}
    for one in found:
        names = sorted(p.name for p in board.vault.folder(one.id).iterdir())
        assert names == ["card.yaml", "result", "submission.npz"]
        assert board.vault.result(one.id, "record.json").read_text() == one.id
    assert worker.alive
    late = board.hand(b"late")
    worker.wake()
    assert board.wait(late)[0].state is State.DONE
    worker.stop()
    assert not worker.alive


def test_the_real_scorer_on_the_real_way(tmp_path):
    ground = write_ground(tmp_path / "ground")
    vectors = write_vectors(tmp_path / "s.npz", 1).read_bytes()
    card = write_card(tmp_path / "card.yaml").read_bytes()
    with served(tmp_path / "data", ground) as board:
        good, bad = board.hand(vectors, card), board.hand(vectors, b"method: Beta\n")
        worker = Worker(board.ledger, board.vault, board.settings)
        worker.start(warmed=False)
        good, bad = board.wait(good, bad)
        worker.stop()
        assert (good.state, good.name, good.summary["place"].split("/")[0]) == (
            State.DONE, "Alpha", "alpha"
        )  # fmt: skip
        assert (bad.state, bad.name, bad.reason) == (
            State.FAILED, "Beta", "3 faults in what was handed in."
        )  # fmt: skip
        assert {f.code for f in bad.faults} == {"FG-L111"}


@pytest.mark.parametrize(
    ("code", "limits", "found"),
    [
        (HANG, {"seconds": 1}, "FG-H141"),
        ("os.kill(os.getpid(), 9)", {}, "FG-H143"),
        ("say('memory')", {}, "FG-H140"),
        ("say('file')", {}, "FG-H142"),
        ("print('rubbish')", {}, "FG-H144"),
    ],
)
def test_what_a_scorer_breaks_on_fails_with_its_reason(tmp_path, start, code, limits, found):
    bounds = Limits(spare=0, **{"seconds": 60, **limits})
    with served(tmp_path / "data", limits=bounds) as board:
        one = board.hand(b"one")
        worker = start(board, code)
        one = board.wait(one)[0]
        assert (one.state, one.faults[0].code) == (State.FAILED, found)
        assert one.reason
        assert not (board.vault.folder(one.id) / "scratch").exists()
        worker.stop()


def test_files_that_are_lost_are_said_to_be(board, start):
    one = board.hand(b"one")
    (board.vault.folder(one.id) / "submission.npz").unlink()
    start(board, QUICK)
    assert board.wait(one)[0].faults[0].code == "FG-H145"


def test_a_result_that_is_not_there_is_tried_again_and_given_up(board, start, caplog):
    one = board.hand(b"one")
    with caplog.at_level(logging.CRITICAL):
        worker = start(board, "say('scoring'); say('done')")
        one = board.wait(one)[0]
    assert (one.state, one.attempts) == (State.FAILED, 3)
    assert "3 times" in one.reason
    assert worker.alive


def test_what_is_withdrawn_while_it_is_scored_is_stopped_and_gone(board, start):
    one, next_one = board.hand(b"one"), board.hand(b"two", team="bo")
    start(board, f"if here == {one.id!r}:\n  {HANG}\n{QUICK}")
    until(lambda: board.now(one).state is State.SCORING)
    board.ledger.withdraw(board.teams["ada"], one.id)
    board.vault.remove(one.id)
    assert board.wait(next_one, seconds=15)[0].state is State.DONE
    until(lambda: not board.vault.folder(one.id).exists())
    assert board.now(one).visibility == "withdrawn"


def test_a_stop_in_good_order_puts_back_and_counts_as_no_attempt(board, start):
    one = board.hand(b"one")
    worker = start(board, HANG)
    until(lambda: board.now(one).state is State.SCORING)
    worker.stop()
    assert (board.now(one).state, board.now(one).attempts) == (State.RECEIVED, 0)
    start(board, QUICK)
    assert board.wait(one)[0].state is State.DONE


def test_what_was_scored_before_a_kill_is_not_scored_again(board, start, monkeypatch):
    one = board.hand(b"one")

    def gone(*arguments):
        raise DatabaseGone

    monkeypatch.setattr(board.ledger, "finish", gone)
    worker = start(board, QUICK)
    until(lambda: board.vault.report(one.id) is not None)
    monkeypatch.setattr(board.ledger, "give_back", gone)
    worker.stop()
    assert board.now(one).state is State.SCORING
    monkeypatch.undo()
    start(board, QUICK)
    assert board.wait(one)[0].state is State.DONE
    assert runs(board) == {f"began {one.id}": 1, f"ended {one.id}": 1}


def test_more_scorers_score_at_once(tmp_path, start):
    with served(tmp_path / "data", limits=Limits(spare=0, scorers=3)) as board:
        found = [board.hand(b"%d" % n) for n in range(4)]
        worker = start(board, UNTIL_GO)
        until(lambda: sum(board.now(one).state is State.SCORING for one in found) == 3)
        assert board.now(found[3]).state is State.RECEIVED
        (tmp_path / "go").touch()
        board.wait(*found)
        worker.stop()
        assert set(runs(board).values()) == {1}


def test_a_database_that_goes_away_is_waited_for(postgres, tmp_path, start):
    with served(tmp_path / "data", database=postgres.make()) as board:
        one, other = board.hand(b"one"), board.hand(b"two")
        worker = start(board, UNTIL_GO)
        until(lambda: board.now(one).state is State.SCORING)
        postgres.stop()
        (tmp_path / "go").touch()
        until(lambda: board.vault.report(one.id) is not None)
        time.sleep(0.5)  # the worker has tried, and tries again
        assert worker.alive
        postgres.start()
        assert {found.state for found in board.wait(one, other)} == {State.DONE}
        assert set(runs(board).values()) == {1}
        assert {found.attempts for found in board.wait(one, other)} == {0}
        worker.stop()


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_kill_9_at_random_moments_loses_and_doubles_nothing(request, tmp_path, monkeypatch, kind):
    sqlite = kind == "sqlite"
    database = "" if sqlite else request.getfixturevalue("postgres").make()
    data, uploads, chance = tmp_path / "data", 24, random.Random(7)
    server_of = multiprocessing.get_context("forkserver")
    server_of.set_forkserver_preload(["served_board"])
    monkeypatch.setenv("PYTHONPATH", str(Path(served_board.__file__).parent))
    for _ in range(20 if sqlite else 10):
        server = server_of.Process(target=serve_and_hand_in, args=(data, database, uploads))
        server.start()
        until((tmp_path / "ready").exists)
        server.join(chance.random() * 0.3)
        assert server.is_alive()
        server.kill()
        server.join()
        (tmp_path / "ready").unlink()
    heard = set((tmp_path / "heard.log").read_text().split())
    with served(data, database=database) as board:
        before = {one.id: one.state for one in board.ledger.list_own(board.teams["ada"])}
        assert heard <= before.keys()
        worker = Worker(board.ledger, board.vault, board.settings, fake(QUICK))
        worker.start(warmed=False)
        found = board.wait(*board.ledger.list_own(board.teams["ada"]))
        worker.stop()
        assert len(found) == len({one.sha256 for one in found}) <= uploads
        audit = Counter((e.action, e.submission) for e in board.ledger.audit(10_000))
        for one in found:
            if one.state is State.FAILED:  # cut off three times: said, and true
                assert one.attempts == 3
                assert "3 times" in one.reason
                continue
            assert one.state is State.DONE
            assert audit["done", one.id] == audit["handed in", one.id] == 1
            assert board.vault.result(one.id, "record.json").read_text() == one.id
        assert not [line for line in runs(board) if line.startswith("AGAIN")]
        there = {path.name for path in (data / "submissions").iterdir()}
        assert there == before.keys()
        assert max(one.attempts for one in found) > 0  # some were cut off
