"""The vault: what is accepted is whole and stays; what is not leaves nothing behind."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from served_board import LIMITS, served

from fgbench.errors import FgbenchError, InputError
from fgbench.leaderboard.serve import incoming as incoming_module
from fgbench.leaderboard.serve.errors import (
    DatabaseGone,
    DiskFull,
    Incomplete,
    QuotaExceeded,
    TooLarge,
)
from fgbench.leaderboard.serve.layout import Part
from fgbench.leaderboard.serve.settings import Limits
from fgbench.leaderboard.serve.vault import Vault


@pytest.fixture
def board(tmp_path):
    with served(tmp_path / "data") as made:
        yield made


def left(board):
    """What lies in the data folder of uploads."""
    data = board.settings.data
    return [sorted(p.name for p in (data / n).iterdir()) for n in ("incoming", "submissions")]


def test_an_upload_is_there_as_it_came_and_for_the_owner_alone(board):
    with board.vault.start() as incoming:
        for piece in (b"PK", b"", b"\0" * 70_000, b"end"):
            incoming.write(Part.SUBMISSION, piece)
        incoming.write(Part.CARD, b"method: Alpha\n")
        found, new = board.vault.keep(incoming, board.teams["ada"], board.ledger)
    submission, card = b"PK" + b"\0" * 70_000 + b"end", b"method: Alpha\n"
    folder = board.vault.folder(found.id)
    assert new
    assert (folder / "submission.npz").read_bytes() == submission
    assert (folder / "card.yaml").read_bytes() == card
    both = "".join(hashlib.sha256(data).hexdigest() for data in (submission, card))
    assert found.sha256 == hashlib.sha256(both.encode()).hexdigest()
    assert found.size == len(submission) + len(card)
    assert left(board) == [[], [found.id]]
    modes = {p.stat().st_mode & 0o077 for p in board.settings.data.rglob("*")}
    assert modes == {0}


def test_a_replay_and_an_upload_that_is_not_kept_leave_nothing(board):
    found = board.hand(b"one")
    assert board.hand(b"one") == found
    assert board.hand(b"one", b"method: Beta\n").id != found.id
    count = len(left(board)[1])
    with board.vault.start() as incoming:
        incoming.write(Part.SUBMISSION, b"two")
    assert left(board)[0] == []
    assert len(left(board)[1]) == count


@pytest.mark.parametrize(
    "parts",
    [{}, {Part.SUBMISSION: b"x"}, {Part.CARD: b"x"}, {Part.SUBMISSION: b"", Part.CARD: b"x"}],
)
def test_half_an_upload_is_refused(board, parts):
    with board.vault.start() as incoming:
        for part, data in parts.items():
            incoming.write(part, data)
        with pytest.raises(Incomplete):
            board.vault.keep(incoming, board.teams["ada"], board.ledger)
    assert left(board) == [[], []]


def test_too_much_is_refused_before_it_is_written(tmp_path):
    with served(tmp_path / "data", limits=Limits(upload=1000, card=10, spare=0)) as board:
        for part, limit in ((Part.SUBMISSION, 1000), (Part.CARD, 10)):
            with board.vault.start() as incoming:
                incoming.write(part, b"x" * limit)
                with pytest.raises(TooLarge):
                    incoming.write(part, b"x")
                assert (incoming.folder / part).stat().st_size == limit
        assert left(board) == [[], []]


def test_a_full_disk_is_said_and_leaves_nothing(board, monkeypatch):
    # The kernel's own refusal.
    monkeypatch.setattr(incoming_module, "create", lambda path: os.open("/dev/full", os.O_WRONLY))
    with board.vault.start() as incoming, pytest.raises(DiskFull):
        incoming.write(Part.SUBMISSION, b"x")
    assert left(board) == [[], []]
    monkeypatch.undo()
    assert board.hand(b"x").state == "received"


def test_what_the_ledger_needs_stays_free(tmp_path):
    free = os.statvfs(tmp_path)
    spare = free.f_bavail * free.f_frsize * 2
    with served(tmp_path / "data", limits=Limits(spare=spare)) as board:
        with board.vault.start() as incoming, pytest.raises(DiskFull):
            incoming.write(Part.SUBMISSION, b"x")
        assert left(board) == [[], []]


def test_what_a_killed_server_was_at_is_gone_at_the_next_start(tmp_path):
    with served(tmp_path / "data") as board:
        found = board.hand(b"one")
        folder = board.vault.folder(found.id)
        (folder / "scratch" / "result").mkdir(parents=True)
        (folder / "scratch" / "result" / "half").write_bytes(b"x")
        (tmp_path / "data" / "incoming" / "half").mkdir()
    with served(tmp_path / "data") as board:
        assert sorted(path.name for path in folder.iterdir()) == ["card.yaml", "submission.npz"]
        assert left(board) == [[], [found.id]]


def test_a_disk_that_breaks_is_no_fault_of_the_team(board, monkeypatch):
    def broken(descriptor):
        raise OSError(5, "Input/output error")

    with board.vault.start() as incoming:
        incoming.write(Part.SUBMISSION, b"x")
        incoming.write(Part.CARD, b"x")
        monkeypatch.setattr(os, "fsync", broken)
        with pytest.raises(FgbenchError) as error:
            board.vault.keep(incoming, board.teams["ada"], board.ledger)
    assert (error.value.code, error.value.exit_code) == ("FG-H123", 1)
    assert left(board) == [[], []]
    assert board.ledger.list_own(board.teams["ada"]) == []


def test_a_quota_leaves_nothing(tmp_path):
    with served(tmp_path / "data", limits=Limits(waiting=1, spare=0)) as board:
        found = board.hand(b"one")
        with pytest.raises(QuotaExceeded):
            board.hand(b"two")
        assert left(board) == [[], [found.id]]


@pytest.mark.parametrize("heard", [False, True])
def test_when_nobody_knows_if_it_was_entered_the_next_sweep_finds_out(board, monkeypatch, heard):
    accept = board.ledger.accept

    def gone(*arguments):
        if heard:
            accept(*arguments)
        raise DatabaseGone

    monkeypatch.setattr(board.ledger, "accept", gone)
    with pytest.raises(DatabaseGone):
        board.hand(b"one")
    monkeypatch.undo()
    assert board.vault.doubtful, "else nobody would sweep"
    board.vault.sweep(board.ledger)
    assert not board.vault.doubtful
    known = [one.id for one in board.ledger.list_own(board.teams["ada"])]
    assert len(known) == heard
    assert left(board) == [[], known]
    assert board.hand(b"one").state == "received"
    assert len(left(board)[1]) == 1


def test_a_sweep_takes_no_upload_that_is_just_coming_in(board):
    stop = threading.Event()

    def sweep():
        while not stop.is_set():
            board.vault.sweep(board.ledger)

    with ThreadPoolExecutor(5) as pool:
        sweeping = pool.submit(sweep)
        ids = {one.id for one in pool.map(lambda n: board.hand(b"%d" % n), range(40))}
        stop.set()
        sweeping.result()
    assert set(left(board)[1]) == ids
    assert {one.id for one in board.ledger.live()} == ids


def test_a_sweep_deletes_what_is_withdrawn(board):
    gone, stays = board.hand(b"one"), board.hand(b"two")
    board.ledger.withdraw(board.teams["ada"], gone.id)
    board.vault.sweep(board.ledger)
    assert left(board) == [[], [stays.id]]


def test_a_start_empties_what_was_under_way(tmp_path):
    with served(tmp_path / "data") as board:
        found = board.hand(b"one")
        (board.settings.data / "incoming" / "dead").mkdir()
        (board.settings.data / "submissions" / "unknown").mkdir()
    with served(tmp_path / "data") as board:
        assert left(board) == [[], [found.id]]


def test_one_server_a_folder(tmp_path):
    with Vault.open(tmp_path / "data", LIMITS):
        code = "import sys, pathlib, fgbench.leaderboard.serve.vault as v; "
        code += "v.Vault.open(pathlib.Path(sys.argv[1]))"
        command = [sys.executable, "-c", code, str(tmp_path / "data")]
        other = subprocess.run(command, capture_output=True, text=True)
        assert "FG-H101" in other.stderr
        with pytest.raises(InputError) as refused:
            Vault.open(tmp_path / "data", LIMITS)
        assert refused.value.code == "FG-H101"
    Vault.open(tmp_path / "data", LIMITS).close()


def test_a_folder_that_cannot_be_used_is_said(tmp_path):
    (tmp_path / "file").write_text("")
    for data in (tmp_path / "file", tmp_path / "file" / "data"):
        with pytest.raises(InputError) as refused:
            Vault.open(data, LIMITS)
        assert refused.value.code == "FG-H100"


def test_an_empty_database_does_not_sweep_a_full_folder(tmp_path):
    with served(tmp_path / "data") as board:
        found = board.hand(b"one")
    with (
        pytest.raises(InputError) as refused,
        served(tmp_path / "data", database=f"sqlite:///{tmp_path}/other.sqlite"),
    ):
        pass
    assert refused.value.code == "FG-H103"
    assert (tmp_path / "data" / "submissions" / found.id / "card.yaml").is_file()
