"""A served board whose process is killed at random moments, and goes on.

``PYTHONPATH=tests python tests/soak/serve.py [--kills 20] [--seed N]``; the suite does three kills.

``fgbench leaderboard serve`` with its own scorer and builder, on a small benchmark. Two teams hand
in, slowly, and ask to publish every other one; an admin says yes; all go on across the kills, and
send again what was not answered. Each kill is a SIGKILL to the server alone, after a drawn while in
a drawn one of the moments. What was true at the kill is read from the files that lie there.
"""

from __future__ import annotations

import argparse
import http.client
import random
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

from board_process import (
    API,
    SUBMISSIONS,
    Answer,
    BoardProcess,
    add_team,
    command,
    command_of,
    wait,
)
from small_board import write_card, write_ground, write_vectors
from soak.evidence import (
    Row,
    examine_board,
    examine_log,
    examine_submission,
    find_under_way,
    read_board,
    read_ledger,
    read_log,
    read_results,
)

from fgbench.leaderboard.serve.states import Role

TEAMS = ("ada", "bo")
AHEAD = 2
"""Submissions that a team has waiting before it hands in another."""
PAUSE = 0.03
"""Seconds after each eighth of an upload."""
PATIENCE = 300.0
LASTING = {"done", "failed"}
SEEN = ("private", "requested", "published")


class Moment(StrEnum):
    """What is under way when the server is killed."""

    UPLOAD = "upload"
    CHECKING = "checking"
    SCORING = "scoring"
    PUBLISHING = "publishing"


LASTS = {
    Moment.UPLOAD: 0.4,
    Moment.CHECKING: 1.0,
    Moment.SCORING: 0.3,
    Moment.PUBLISHING: 2.0,
}
"""Seconds within which the kill is drawn, from when the moment is seen."""


@dataclass
class Story:
    """What the clients know, and what turned out not to be so."""

    folder: Path
    board: BoardProcess
    tokens: dict[str, str]
    heard: dict[str, Path] = field(default_factory=dict)
    asked: set[str] = field(default_factory=set)
    approved: set[str] = field(default_factory=set)
    faults: list[str] = field(default_factory=list)
    over: threading.Event = field(default_factory=threading.Event)
    made: Iterator[int] = field(default_factory=lambda: iter(range(1, 10_000)))

    @property
    def data(self) -> Path:
        return self.folder / "data"

    def expect(self, true: bool, what: str) -> None:
        if not true:
            self.faults.append(what)

    def insist(self, call: Callable[[], Answer], *known: int) -> Answer:
        """Ask until somebody answers; the answers that may come are known."""
        while True:
            try:
                answer = call()
            except (OSError, http.client.HTTPException):
                time.sleep(0.05)
                continue
            self.expect(answer.status in known, f"{answer}")
            return answer


@dataclass(frozen=True)
class Outcome:
    """What there was at the end, and what was under way at each kill."""

    kills: tuple[tuple[Moment, tuple[str, ...]], ...]
    done: int
    given_up: int
    published: int
    faults: tuple[str, ...]


def soak(folder: Path, moments: Sequence[Moment], seed: int) -> Outcome:
    """Kill a server at these moments, let it come to its end, and look at what is left."""
    chance = random.Random(seed)
    ground = write_ground(folder / "ground")
    tokens = {name: add_team(folder / "data", name) for name in TEAMS}
    tokens["host"] = add_team(folder / "data", "host", Role.ADMIN)
    many = ("--per-day", "10000", "--waiting", "100")
    board = BoardProcess(command(folder / "data", ground, *many), folder / "log")
    story = Story(folder, board, tokens)
    board.start()
    try:
        with clients(story):
            kills = tuple((moment, kill(story, moment, chance)) for moment in moments)
        finish(story)
    finally:
        board.stop()
    rows = read_ledger(story.data)
    examine(story, rows)
    states = Counter(row.state for row in rows.values())
    shown = sum(row.visibility == "published" for row in rows.values())
    return Outcome(kills, states["done"], states["failed"], shown, tuple(story.faults))


@contextmanager
def clients(story: Story) -> Iterator[None]:
    """Two teams and an admin at work; at the end all that they began is answered."""
    work = [(be_team, (story, name)) for name in TEAMS] + [(be_admin, (story,))]
    threads = [threading.Thread(target=what, args=given, daemon=True) for what, given in work]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        story.over.set()
        for thread in threads:
            thread.join(PATIENCE)
            story.expect(not thread.is_alive(), "a client was never answered")


def be_team(story: Story, name: str) -> None:
    """Hand in, and ask to publish what is done and has an even number."""
    token, board = story.tokens[name], story.board
    while not story.over.is_set():
        own = story.insist(lambda: board.call(token, "GET", SUBMISSIONS), 200)
        listed = own.document["submissions"]
        if sum(one["state"] not in LASTING for one in listed) < AHEAD:
            hand_in(story, token)
        for one in listed:
            ready = one["state"] == "done" and one["visibility"] == "private"
            if ready and int(one["name"].split()[1]) % 2 == 0:
                path = f"{SUBMISSIONS}/{one['id']}/publication"
                # 409: the server was killed after it had heard and before it said so.
                story.insist(lambda path=path: board.call(token, "POST", path), 200, 409)
                story.asked.add(one["id"])
        time.sleep(0.05)


def hand_in(story: Story, token: str) -> None:
    """The next submission, again and again until it is answered."""
    number = next(story.made)
    vectors = write_vectors(story.folder / f"{number}.npz", number)
    card = write_card(story.folder / f"{number}.yaml", method=f"Method {number:03}").read_bytes()
    answer = story.insist(lambda: story.board.upload(token, vectors, card, PAUSE), 201, 200)
    id = answer.document["id"]
    story.expect(id not in story.heard, f"{id} was given twice")
    story.heard[id] = vectors


def be_admin(story: Story) -> None:
    while not story.over.is_set():
        approve_all(story)
        time.sleep(0.05)


def approve_all(story: Story) -> None:
    token, board = story.tokens["host"], story.board
    asked = story.insist(lambda: board.call(token, "GET", f"{API}/publications"), 200)
    for one in asked.document["requested"]:
        path = f"{API}/publications/{one['id']}/approval"
        story.insist(lambda path=path: board.call(token, "POST", path), 200, 409)
        story.approved.add(one["id"])


def kill(story: Story, moment: Moment, chance: random.Random) -> tuple[str, ...]:
    """Kill the server in a moment and start it again; what was under way."""
    board, approved = story.board, len(story.approved)

    def reached() -> bool:
        if moment is Moment.UPLOAD:
            return any((story.data / "incoming").iterdir())
        if moment is Moment.PUBLISHING:
            return len(story.approved) > approved
        return moment in (row.state for row in read_ledger(story.data).values())

    wait(reached, PATIENCE)
    time.sleep(chance.uniform(0, LASTS[moment]))
    children = board.children()
    known = (dict(story.heard), set(story.asked), set(story.approved))
    board.kill()
    outlive = [pid for pid in children if not ended(pid)]
    story.expect(not outlive, f"processes outlive the server: {outlive}")
    rows, results = read_ledger(story.data), read_results(story.data)
    building = ["building"] * any("leaderboard build" in said for said in children.values())
    under_way = (*sorted(find_under_way(story.data, rows)), *building)
    board.start()
    compare(story, rows, known)
    again = read_results(story.data)
    changed = [id for id, result in results.items() if again.get(id) != result]
    story.expect(not changed, f"results that were there are others now: {changed}")
    return under_way


def ended(pid: int) -> bool:
    end = time.monotonic() + 5
    while command_of(pid) and time.monotonic() < end:
        time.sleep(0.02)
    return not command_of(pid)


def compare(
    story: Story, rows: dict[str, Row], known: tuple[dict[str, Path], set[str], set[str]]
) -> None:
    """What the server says after a kill with what its ledger and its clients knew before."""
    listed: dict[str, dict[str, Any]] = {}
    for name in TEAMS:
        listed |= story.board.submissions(story.tokens[name])
    heard, asked, approved = known
    story.expect(heard.keys() <= rows.keys() <= listed.keys(), "an accepted upload is lost")
    for id, row in rows.items():
        one = listed.get(id, {"state": "", "visibility": "private", "attempts": 0})
        if row.state in LASTING:
            story.expect(one["state"] == row.state, f"{id}: {row} became {one['state']}")
        if row.state in ("checking", "scoring"):
            story.expect(one["attempts"] == row.attempts + 1, f"{id}: {row} was not put back")
        before, now = SEEN.index(row.visibility), SEEN.index(one["visibility"])
        told = 2 if id in approved else 1 if id in asked else 0
        story.expect(now >= max(before, told), f"{id}: {SEEN[told]} became {one['visibility']}")
    running = [id for id, one in listed.items() if one["state"] in ("checking", "scoring")]
    story.expect(len(running) <= 1, f"one scorer, and under way: {running}")


def finish(story: Story) -> None:
    """Until the server has nothing left to do."""
    board, admin = story.board, story.tokens["host"]

    def idle() -> bool:
        approve_all(story)
        own = [one for t in TEAMS for one in board.submissions(story.tokens[t]).values()]
        return all(one["state"] in LASTING for one in own)

    wait(idle, PATIENCE)
    published = board.get(admin, f"{API}/publications")["published"]
    names = {slug_of(int(one["name"].split()[1])) for one in published}
    wait(lambda: read_board(story.data) == names, PATIENCE)
    wait(lambda: not any("leaderboard build" in said for said in board.children().values()))


def examine(story: Story, rows: dict[str, Row]) -> None:
    """What lies there at the end: each upload once, whole, with its result, and nothing else."""
    log = read_log(story.data)
    story.expect(story.heard.keys() == rows.keys(), f"{story.heard.keys() ^ rows.keys()}: unknown")
    published = {id for id, row in rows.items() if row.visibility == "published"}
    story.expect(story.approved == published <= story.asked, f"published are {published}")
    for id in story.heard.keys() & rows.keys():
        folder, vectors = story.data / "submissions" / id, story.heard[id]
        found = (
            *examine_submission(folder, rows[id], vectors),
            *examine_log(log, id, rows[id]),
        )
        story.faults += [f"{id}, {rows[id]}: {fault}" for fault in found]
    names = {slug_of(int(story.heard[id].stem)) for id in published}
    story.faults += examine_board(story.data, rows, names)


def slug_of(number: int) -> str:
    return f"method-{number:03}"


def draw(kills: int, seed: int) -> list[Moment]:
    """Moments in no order, each as often as the others."""
    moments = [list(Moment)[n % len(Moment)] for n in range(kills)]
    random.Random(seed).shuffle(moments)
    return moments


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=time.time_ns() % 10**6)
    options = parser.parse_args()
    print(f"seed {options.seed}", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        outcome = soak(Path(folder), draw(options.kills, options.seed), options.seed)
    for number, (moment, under_way) in enumerate(outcome.kills, 1):
        print(f"{number:3}  killed while {moment}; under way: {', '.join(under_way) or 'nothing'}")
    print(
        f"{outcome.done} done, {outcome.given_up} given up after three kills, "
        f"{outcome.published} published"
    )
    print("\n".join(f"BAD: {fault}" for fault in outcome.faults) or "good")
    sys.exit(bool(outcome.faults))


if __name__ == "__main__":
    main()
