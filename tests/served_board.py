"""A board that is served, without its server: data folder, ledger, teams, and things handed in."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from fgbench.leaderboard.serve.layout import Part
from fgbench.leaderboard.serve.ledger import Ledger
from fgbench.leaderboard.serve.settings import Limits, Settings
from fgbench.leaderboard.serve.states import Role, Submission, Team
from fgbench.leaderboard.serve.vault import Vault
from fgbench.leaderboard.serve.worker import Worker

LIMITS = Limits(per_day=1000, waiting=1000, spare=0, seconds=60)


@dataclass
class Served:
    """One board with the teams ada and bo, and the admin host."""

    settings: Settings
    vault: Vault
    ledger: Ledger
    teams: dict[str, Team]

    def hand(self, submission: bytes, card: bytes = b"method: Alpha\n", team="ada") -> Submission:
        with self.vault.start() as incoming:
            incoming.write(Part.SUBMISSION, submission)
            incoming.write(Part.CARD, card)
            return self.vault.keep(incoming, self.teams[team], self.ledger)[0]

    def now(self, found: Submission) -> Submission:
        team = next(t for t in self.teams.values() if t.name == found.team)
        return self.ledger.find(team, found.id)

    def wait(self, *found: Submission, seconds: float = 30) -> list[Submission]:
        """Until the server has no more work with them."""
        end = time.monotonic() + seconds
        while any((one := self.now(f)).waiting for f in found):
            assert time.monotonic() < end, one
            time.sleep(0.02)
        return [self.now(f) for f in found]


@contextmanager
def served(
    data: Path, benchmark: str | Path = "none", limits: Limits = LIMITS, database: str = ""
) -> Iterator[Served]:
    settings = Settings(data=data, benchmark=str(benchmark), limits=limits, database=database)
    with Vault.open(data, limits) as vault:
        ledger = Ledger.open(settings.database_url, limits)
        known = {team.name: team for team, _ in ledger.teams()}
        for name, role in (("ada", Role.TEAM), ("bo", Role.TEAM), ("host", Role.ADMIN)):
            if name not in known:
                known[name] = ledger.identify(ledger.add_team(name, role))
        vault.join(ledger)
        yield Served(settings, vault, ledger, known)
        ledger.close()


FAKE = """
import json, os, pathlib, sys, time
log = pathlib.Path("../../../runs.log")
here = pathlib.Path.cwd().name
def say(said, **values):
    print(json.dumps({"said": said, **values}), flush=True)
def note(what):
    with log.open("a") as file:
        file.write(f"{what} {here}\\n")
def write():
    entry = pathlib.Path("scratch/result/alpha/0")
    entry.mkdir(parents=True)
    (entry / "record.json").write_text(here)
    numbers = {"method": "Alpha", "submission": here, "place": "alpha/0"}
    pathlib.Path("scratch/result/report.json").write_text(json.dumps(numbers))
note("began" if not pathlib.Path("result").exists() else "AGAIN")
say("checking", name="Alpha")
"""
"""The head of a stand-in for the scorer, which starts in hundredths of a second."""


def fake(code: str) -> tuple[str, ...]:
    """A scorer that does as the code says, and notes in runs.log that it began."""
    return (sys.executable, "-I", "-S", "-c", FAKE + code)


QUICK = "say('scoring'); time.sleep(0.02); write(); note('ended'); say('done')"


def serve_and_hand_in(data: Path, database: str, uploads: int) -> None:
    """A server that hands in to itself until it is killed; ``heard.log`` has what it accepted, and
    ``ready`` says that there is something."""
    with served(data, database=database) as board:
        worker = Worker(board.ledger, board.vault, board.settings, fake(QUICK))
        worker.start(warmed=False)
        for number in range(uploads):
            found = board.hand(b"%d" % number)
            worker.wake()
            with (data.parent / "heard.log").open("a") as file:
                file.write(f"{found.id}\n")
            (data.parent / "ready").touch()
        time.sleep(600)
