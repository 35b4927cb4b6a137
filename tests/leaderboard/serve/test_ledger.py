"""The ledger, on SQLite and PostgreSQL: what may follow what, who may see it, what counts."""

from __future__ import annotations

import sqlite3
import threading
from concurrent.futures import ThreadPoolExecutor
from itertools import count

import pytest
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from postgres import cluster

from fgbench.errors import Fault, FaultyInput, InputError
from fgbench.leaderboard.serve import database
from fgbench.leaderboard.serve.errors import (
    Conflict,
    DatabaseGone,
    NotAllowed,
    QuotaExceeded,
    UnknownSubmission,
    Withdrawn,
)
from fgbench.leaderboard.serve.ledger import Ledger
from fgbench.leaderboard.serve.settings import DAY, GIB, Limits
from fgbench.leaderboard.serve.states import Role, State, Visibility

SUMMARY = {"method": "Alpha", "submission": "5" * 64, "place": "alpha/555555555555"}
FAULT = Fault("FG-S040", "submission.npz, image", "NaN", "numbers", "look")


class Clock:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.now = 1_700_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture(scope="module")
def postgres():
    with cluster() as running:
        yield running


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request, tmp_path):
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/board.sqlite"
    return request.getfixturevalue("postgres").make()


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def ledger(url, clock):
    opened = Ledger.open(url, clock=clock)
    yield opened
    opened.close()


@pytest.fixture
def teams(ledger):
    return {
        name: ledger.identify(ledger.add_team(name, role))
        for name, role in (("ada", Role.TEAM), ("bo", Role.TEAM), ("host", Role.ADMIN))
    }


_NUMBERS = count()


def upload(ledger, team, sha256="", size=1000):
    id = f"{next(_NUMBERS):016x}"
    return ledger.accept(team, id, sha256 or f"{id:0>64}", size)[0]


def score_next(ledger):
    found = ledger.claim()
    ledger.advance(found.id)
    return ledger.finish(found.id, SUMMARY)


def test_an_upload_goes_its_way_and_every_step_raises_the_version(ledger, teams, clock):
    found = upload(ledger, teams["ada"])
    assert (found.state, found.visibility, found.version) == ("received", "private", 1)
    clock.now += 5
    steps = [
        ledger.claim(),
        ledger.set_name(found.id, "Alpha"),
        ledger.advance(found.id),
        ledger.finish(found.id, SUMMARY),
        ledger.request_publication(teams["ada"], found.id),
        ledger.decide(teams["host"], found.id, True, "Welcome."),
        ledger.withdraw(teams["ada"], found.id),
    ]
    assert [step.version for step in steps] == [2, 3, 4, 5, 6, 7, 8]
    assert [step.state for step in steps] == ["checking"] * 2 + ["scoring"] + ["done"] * 4
    assert [step.visibility for step in steps[3:]] == [
        "private", "requested", "published", "withdrawn"
    ]  # fmt: skip
    assert (steps[3].summary, steps[3].name, steps[5].decision) == (SUMMARY, "Alpha", "Welcome.")
    assert (steps[0].received, steps[0].updated) == (clock.now - 5, clock.now)
    assert steps[-1].summary == {}


def test_the_log_tells_every_step_and_who_took_it(ledger, teams):
    found = upload(ledger, teams["ada"])
    score_next(ledger)
    ledger.request_publication(teams["ada"], found.id)
    ledger.decide(teams["host"], found.id, False, "No code.")
    told = [(e.actor, e.action, e.submission) for e in reversed(ledger.audit())]
    id = found.id
    assert told[3:] == [
        ("ada", "handed in", id),
        ("server", "checking", id),
        ("server", "scoring", id),
        ("server", "done", id),
        ("ada", "asked to publish", id),
        ("host", "refused", id),
    ]
    assert ledger.audit(1)[0].detail == "No code."


def test_what_is_refused_leaves_no_trace(ledger, teams):
    found = upload(ledger, teams["ada"])
    before = ledger.audit()
    for attempt in (
        lambda: ledger.advance(found.id),
        lambda: ledger.finish(found.id, SUMMARY),
        lambda: ledger.fail(found.id, "no"),
        lambda: ledger.request_publication(teams["ada"], found.id),
    ):
        with pytest.raises(Conflict):
            attempt()
    for attempt in (
        lambda: ledger.request_publication(teams["bo"], found.id),
        lambda: ledger.withdraw(teams["bo"], found.id),
        lambda: ledger.withdraw(teams["host"], found.id),
        lambda: ledger.decide(teams["host"], found.id, True),
        lambda: ledger.decide(teams["host"], "f" * 16, True),
    ):
        with pytest.raises(UnknownSubmission):
            attempt()
    with pytest.raises(NotAllowed):
        ledger.decide(teams["ada"], found.id, True)
    with pytest.raises(NotAllowed):
        upload(ledger, teams["host"])
    assert ledger.audit() == before
    assert ledger.find(teams["ada"], found.id) == found


def test_nobody_publishes_unasked_and_a_refusal_says_why(ledger, teams):
    found = upload(ledger, teams["ada"])
    score_next(ledger)
    assert ledger.find(teams["host"], found.id) is None
    ledger.request_publication(teams["ada"], found.id)
    assert [one.id for one in ledger.requested()] == [found.id]
    with pytest.raises(Conflict, match="without a reason"):
        ledger.decide(teams["host"], found.id, False, " ")
    for unprintable in ("a\x00b", "a\u202eb", "\ud800", "a" * 1001):
        with pytest.raises(FaultyInput):
            ledger.decide(teams["host"], found.id, False, unprintable)
    ledger.decide(teams["host"], found.id, False, "No code.")
    assert ledger.find(teams["ada"], found.id).decision == "No code."
    with pytest.raises(Conflict):
        ledger.decide(teams["host"], found.id, True)
    assert ledger.request_publication(teams["ada"], found.id).decision == ""
    assert ledger.decide(teams["host"], found.id, True).visibility is Visibility.PUBLISHED
    assert [one.id for one in ledger.published()] == [found.id]
    with pytest.raises(Conflict):
        ledger.request_publication(teams["ada"], found.id)


def test_a_rival_sees_nothing_at_any_stage(ledger, teams):
    found = upload(ledger, teams["ada"])
    for step in (
        lambda: None,
        lambda: score_next(ledger),
        lambda: ledger.request_publication(teams["ada"], found.id),
        lambda: ledger.decide(teams["host"], found.id, True),
        lambda: ledger.withdraw(teams["ada"], found.id),
    ):
        step()
        assert ledger.find(teams["bo"], found.id) is None
        assert ledger.list_own(teams["bo"]) == []
        assert [one.id for one in ledger.list_own(teams["ada"])] == [found.id]


def test_a_replay_is_the_same_submission_and_counts_for_nothing(ledger, teams):
    first = upload(ledger, teams["ada"], "a" * 64)
    again, new = ledger.accept(teams["ada"], "0" * 15 + "x", "a" * 64, 1000)
    assert (again, new) == (first, False)
    assert ledger.usage(teams["ada"]).day == 1
    assert ledger.accept(teams["bo"], "0" * 15 + "y", "a" * 64, 1000)[1]
    ledger.withdraw(teams["ada"], first.id)
    assert ledger.accept(teams["ada"], "0" * 15 + "z", "a" * 64, 1000)[1]


def test_quotas_say_what_is_used_up_and_when_to_come_again(ledger, teams, clock):
    ada = teams["ada"]
    ledger.limits = Limits(per_day=3, waiting=2, team_bytes=5 * GIB)
    first = upload(ledger, ada)
    clock.now += 3600
    upload(ledger, ada)
    with pytest.raises(QuotaExceeded) as waiting:
        upload(ledger, ada)
    assert (waiting.value.code, waiting.value.retry_after) == ("FG-H131", 60)
    score_next(ledger)
    failed = ledger.claim()
    ledger.fail(failed.id, "1 fault.", [FAULT])
    with pytest.raises(QuotaExceeded) as size:
        upload(ledger, ada, size=5 * GIB)
    assert (size.value.code, size.value.retry_after) == ("FG-H132", 0)
    upload(ledger, ada)
    upload(ledger, ada)
    score_next(ledger)
    ledger.withdraw(ada, first.id)  # frees its bytes, not its place of the day
    usage = ledger.usage(ada)
    assert (usage.day, usage.waiting, usage.size) == (3, 1, 3000)
    with pytest.raises(QuotaExceeded) as day:
        ledger.check_quota(ada, 1)
    assert day.value.code == "FG-H130"
    assert DAY - 3600 < day.value.retry_after <= DAY - 3600 + 1
    clock.now += day.value.retry_after
    upload(ledger, ada)
    ledger.check_quota(teams["bo"], 1)


def test_the_oldest_comes_first_but_no_team_waits_for_all_of_another(ledger, teams, clock):
    order = []
    for name in ("ada", "ada", "ada", "bo", "bo"):
        clock.now += 1
        order.append(upload(ledger, teams[name]).id)
    claimed = [ledger.claim().id for _ in order]
    assert claimed == [order[0], order[3], order[1], order[4], order[2]]
    assert ledger.claim() is None


def test_what_is_withdrawn_is_not_scored(ledger, teams):
    one, other = upload(ledger, teams["ada"]), upload(ledger, teams["ada"])
    ledger.withdraw(teams["ada"], one.id)
    assert ledger.claim().id == other.id
    ledger.withdraw(teams["ada"], other.id)
    for late in (
        lambda: ledger.advance(other.id),
        lambda: ledger.fail(other.id, "no"),
        lambda: ledger.give_back(other.id),
        lambda: ledger.set_name(other.id, "Alpha"),
    ):
        with pytest.raises(Withdrawn):
            late()
    assert ledger.release() == 0
    assert ledger.live() == []
    assert ledger.withdraw(teams["ada"], other.id).version == 3


def test_said_twice_is_said_once(ledger, teams):
    found = upload(ledger, teams["ada"])
    ledger.claim()
    assert ledger.advance(found.id) == ledger.advance(found.id)
    assert ledger.finish(found.id, SUMMARY) == ledger.finish(found.id, SUMMARY)
    assert [e.action for e in ledger.audit()].count("done") == 1
    with pytest.raises(Conflict):
        ledger.fail(found.id, "no")


def test_a_stop_puts_back_what_was_running_and_gives_up_the_third_time(ledger, teams):
    found = upload(ledger, teams["ada"])
    held = upload(ledger, teams["bo"])
    ledger.claim()
    ledger.claim()
    assert ledger.release({held.id}) == 1
    assert ledger.find(teams["ada"], found.id).attempts == 1
    assert ledger.find(teams["bo"], held.id).state is State.CHECKING
    ledger.claim()
    ledger.give_back(found.id)
    assert ledger.find(teams["ada"], found.id).attempts == 1
    ledger.claim()
    ledger.advance(found.id)
    ledger.release({held.id})
    assert ledger.find(teams["ada"], found.id).state is State.RECEIVED
    ledger.claim()
    ledger.release({held.id})
    last = ledger.find(teams["ada"], found.id)
    assert (last.state, last.attempts) == (State.FAILED, 3)
    assert "3 times" in last.reason
    assert ledger.claim() is None


def test_faults_come_back_as_they_were(ledger, teams):
    odd = Fault("FG-L113", "card.yaml, <b>", "'\u202e\ud800", "a, b", "“c”")
    found = upload(ledger, teams["ada"])
    ledger.claim()
    assert ledger.fail(found.id, "2 faults.", [FAULT, odd]).faults == (FAULT, odd)
    assert ledger.find(teams["ada"], found.id).reason == "2 faults."


def test_two_claims_at_once_never_give_one_submission(url, ledger, teams):
    ledger.limits = Limits(per_day=100, waiting=100)
    ids = [upload(ledger, teams[name]).id for name in ("ada", "bo") * 12]
    others = [Ledger.open(url) for _ in range(3)]
    start = threading.Barrier(8)

    def claim_all(number):
        start.wait()
        taken = []
        while (found := others[number % 3].claim()) is not None:
            taken.append(found.id)
        return taken

    with ThreadPoolExecutor(8) as pool:
        claimed = [id for taken in pool.map(claim_all, range(8)) for id in taken]
    for other in others:
        other.close()
    assert sorted(claimed) == sorted(ids)


def test_uploads_at_once_neither_double_nor_pass_the_quota(url, ledger, teams):
    ledger.limits = Limits(per_day=4, waiting=4)
    start = threading.Barrier(8)

    def hand_in(number):
        start.wait()
        sha256 = "a" * 64 if number < 4 else f"{number:064}"
        try:
            return ledger.accept(teams["ada"], f"{number:016}", sha256, 1)[1]
        except QuotaExceeded:
            return None

    with ThreadPoolExecutor(8) as pool:
        new = list(pool.map(hand_in, range(8)))
    assert new.count(True) == 4
    assert len(ledger.list_own(teams["ada"])) == 4
    assert new[:4].count(True) <= 1


def test_another_version_is_refused_with_what_to_do(url, ledger, monkeypatch):
    monkeypatch.setattr(database, "VERSION", 2)
    with pytest.raises(InputError) as refused:
        Ledger.open(url)
    assert refused.value.code == "FG-H102"
    assert "version 1" in refused.value.what
    assert refused.value.fix


def test_a_ledger_has_one_data_folder(ledger):
    with pytest.raises(InputError) as foreign:
        ledger.bind("a" * 32, fresh=False)
    assert foreign.value.code == "FG-H103"
    ledger.bind("b" * 32, fresh=True)
    ledger.bind("b" * 32, fresh=False)
    with pytest.raises(InputError):
        ledger.bind("a" * 32, fresh=True)


@pytest.mark.parametrize(
    "url", ["mysql://u:secret@h/d", "sqlite://", "sqlite:///:memory:", "://secret", "board.sqlite"]
)
def test_other_databases_are_refused_without_their_password(url):
    with pytest.raises(InputError) as refused:
        Ledger.open(url)
    assert refused.value.code == "FG-H104"
    assert "secret" not in str(refused.value)


def test_a_postgres_that_is_gone_is_said_to_be_and_comes_back(postgres):
    opened = Ledger.open(postgres.make())
    ada = opened.identify(opened.add_team("ada"))
    postgres.stop()
    try:
        for call in (opened.claim, opened.teams, lambda: upload(opened, ada)):
            with pytest.raises(DatabaseGone):
                call()
    finally:
        postgres.start()
    assert upload(opened, ada).state is State.RECEIVED
    opened.close()


def test_a_sqlite_that_another_program_holds_counts_as_gone(tmp_path, monkeypatch):
    monkeypatch.setattr(database, "BUSY", 0.1)
    opened = Ledger.open(f"sqlite:///{tmp_path}/board.sqlite")
    with sqlite3.connect(tmp_path / "board.sqlite", isolation_level=None) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(DatabaseGone):
            opened.add_team("ada")
        assert opened.teams() == []
        other.execute("ROLLBACK")
    opened.add_team("ada")
    opened.close()


def test_sqlite_keeps_what_is_committed_and_its_files_to_itself(tmp_path):
    opened = Ledger.open(f"sqlite:///{tmp_path}/board.sqlite")
    opened.add_team("ada")
    modes = {path.name: path.stat().st_mode & 0o777 for path in tmp_path.iterdir()}
    assert modes.keys() >= {"board.sqlite", "board.sqlite-wal"}
    assert set(modes.values()) == {0o600}
    with opened._reading() as connection:
        settings = [
            connection.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys")
        ]
    assert settings == ["wal", 2, 1]
    opened.close()


class Model(RuleBasedStateMachine):
    """The ledger against a dictionary: any call in any order, from any state."""

    def __init__(self) -> None:
        super().__init__()
        self.states: dict[str, str] = {}
        self.visible: dict[str, str] = {}
        self.attempts: dict[str, int] = {}

    @initialize()
    def open(self) -> None:
        import tempfile

        self.folder = tempfile.TemporaryDirectory()
        many = Limits(per_day=10_000, waiting=10_000)
        self.ledger = Ledger.open(f"sqlite:///{self.folder.name}/board.sqlite", many, Clock())
        self.ada = self.ledger.identify(self.ledger.add_team("ada"))
        self.host = self.ledger.identify(self.ledger.add_team("host", Role.ADMIN))

    def teardown(self) -> None:
        self.ledger.close()
        self.folder.cleanup()

    def pick(self, data) -> str:
        return data.draw(st.sampled_from(sorted(self.states)))

    def expect(self, call, allowed: bool):
        if allowed:
            return call()
        with pytest.raises((Conflict, UnknownSubmission)):
            call()
        return None

    @rule()
    def hand_in(self) -> None:
        id = upload(self.ledger, self.ada).id
        self.states[id], self.visible[id], self.attempts[id] = "received", "private", 0

    @rule()
    def claim(self) -> None:
        waiting = [
            id
            for id, state in self.states.items()
            if state == "received" and self.visible[id] != "withdrawn"
        ]
        found = self.ledger.claim()
        assert (found.id if found else None) == (min(waiting) if waiting else None)
        if found:
            self.states[found.id] = "checking"

    def move(self, data, call, state: str, before: set[str]) -> None:
        id = self.pick(data)
        may = self.visible[id] != "withdrawn" and self.states[id] in before | {state}
        if self.expect(lambda: call(id), may):
            self.states[id] = state

    @precondition(lambda self: self.states)
    @rule(data=st.data())
    def advance(self, data) -> None:
        self.move(data, self.ledger.advance, "scoring", {"checking"})

    @precondition(lambda self: self.states)
    @rule(data=st.data())
    def finish(self, data) -> None:
        self.move(data, lambda id: self.ledger.finish(id, SUMMARY), "done", {"scoring"})

    @precondition(lambda self: self.states)
    @rule(data=st.data())
    def fail(self, data) -> None:
        self.move(data, lambda id: self.ledger.fail(id, "no"), "failed", {"checking", "scoring"})

    @precondition(lambda self: self.states)
    @rule(data=st.data())
    def give_back(self, data) -> None:
        self.move(data, self.ledger.give_back, "received", {"checking", "scoring"})

    @rule()
    def release(self) -> None:
        self.ledger.release()
        for id, state in self.states.items():
            if state in ("checking", "scoring") and self.visible[id] != "withdrawn":
                self.attempts[id] += 1
                self.states[id] = "received" if self.attempts[id] < 3 else "failed"

    @precondition(lambda self: self.states)
    @rule(data=st.data())
    def ask(self, data) -> None:
        id = self.pick(data)
        may = self.states[id] == "done" and self.visible[id] in ("private", "refused")
        if self.expect(lambda: self.ledger.request_publication(self.ada, id), may):
            self.visible[id] = "requested"

    @precondition(lambda self: self.states)
    @rule(data=st.data(), yes=st.booleans())
    def decide(self, data, yes) -> None:
        id = self.pick(data)
        may = self.visible[id] == "requested"
        if self.expect(lambda: self.ledger.decide(self.host, id, yes, "so"), may):
            self.visible[id] = "published" if yes else "refused"

    @precondition(lambda self: self.states)
    @rule(data=st.data())
    def withdraw(self, data) -> None:
        id = self.pick(data)
        self.ledger.withdraw(self.ada, id)
        self.visible[id] = "withdrawn"

    @invariant()
    def agrees(self) -> None:
        if not hasattr(self, "ledger"):
            return
        found = {one.id: one for one in self.ledger.list_own(self.ada)}
        assert {id: one.state.value for id, one in found.items()} == self.states
        assert {id: one.visibility.value for id, one in found.items()} == self.visible
        assert {id: one.attempts for id, one in found.items()} == self.attempts
        assert all(one.reason for one in found.values() if one.state is State.FAILED)
        published = {one.id for one in self.ledger.published()}
        assert published == {id for id, seen in self.visible.items() if seen == "published"}


TestModel = Model.TestCase
TestModel.settings = hypothesis_settings(
    max_examples=25, stateful_step_count=30, deadline=None, derandomize=True, database=None
)
