"""What lies in the data folder of a served board, read without the server's own code."""

from __future__ import annotations

import hashlib
import json
import shutil
import sqlite3
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

KEPT = {"board.sqlite", "identity", "incoming", "lock", "results", "site", "sites", "submissions"}


@dataclass(frozen=True)
class Row:
    """What the ledger says of a submission."""

    sha256: str
    state: str
    visibility: str
    attempts: int


def read_ledger(data: Path) -> dict[str, Row]:
    """The rows by SQLite's own hand, from a copy: reading would mend what a kill has left."""
    with tempfile.TemporaryDirectory() as folder:
        for path in data.glob("board.sqlite*"):
            shutil.copy(path, folder)
        with closing(sqlite3.connect(Path(folder) / "board.sqlite")) as connection:
            found = connection.execute(
                "SELECT id, sha256, state, visibility, attempts FROM submissions"
            )
            return {id: Row(*values) for id, *values in found}


def read_log(data: Path) -> Counter[tuple[str, str]]:
    """How often the audit log has each action of each submission; of a server that has ended."""
    with closing(sqlite3.connect(data / "board.sqlite")) as connection:
        return Counter(connection.execute("SELECT action, submission FROM audit").fetchall())


def read_results(data: Path) -> dict[str, tuple[int, int]]:
    """Inode and time of each record: the same again unless it was written twice."""
    found = {}
    for path in data.glob("submissions/*/result/*/*/record.json"):
        place = path.stat()
        found[path.parents[3].name] = (place.st_ino, place.st_mtime_ns)
    return found


def read_board(data: Path) -> set[str]:
    """The methods with a page on the site that is shown."""
    return {path.stem for path in (data / "site" / "methods").glob("*.html")}


def find_under_way(data: Path, rows: Mapping[str, Row]) -> Iterator[str]:
    """What a killed server was at, as far as files and ledger tell."""
    if any((data / "incoming").iterdir()):
        yield "upload"
    if {path.name for path in (data / "submissions").iterdir()} - rows.keys():
        yield "accepting"
    yield from {row.state for row in rows.values()} & {"checking", "scoring"}


def examine_submission(folder: Path, row: Row, vectors: Path) -> Iterator[str]:
    """What is wrong with the files of a submission; ``vectors`` and the card beside were sent."""
    digest = hashlib.sha256(vectors.read_bytes()).hexdigest()
    card = hashlib.sha256(vectors.with_suffix(".yaml").read_bytes()).hexdigest()
    if row.sha256 != hashlib.sha256(f"{digest}{card}".encode()).hexdigest():
        yield "it is another upload"
    if hashlib.sha256((folder / "submission.npz").read_bytes()).hexdigest() != digest:
        yield "its file is another"
    done = row.state == "done"
    names = {"card.yaml", "submission.npz"} | ({"result"} if done else set())
    if (there := {path.name for path in folder.iterdir()}) != names:
        yield f"there are {sorted(there)}"
    records = folder.glob("result/*/*/record.json")
    scored = [json.loads(path.read_bytes())["submission"]["sha256"] for path in records]
    if scored != [digest] * done:
        yield f"the records are of {scored}"
    # Cut off three times it is given up, and says so.
    if not done and (row.state, row.attempts) != ("failed", 3):
        yield "it is neither done nor given up"


def examine_log(log: Counter[tuple[str, str]], id: str, row: Row) -> Iterator[str]:
    """What the audit log tells of a submission that its row does not."""
    done = row.state == "done"
    known = {"handed in": 1, "done": done, "failed": not done, "checking": row.attempts + done}
    known["published"] = known["asked to publish"] = row.visibility == "published"
    for action, count in known.items():
        if log[action, id] != count:
            yield f"the log has {action!r} {log[action, id]} times, not {int(count)}"


def examine_board(data: Path, rows: Mapping[str, Row], published: set[str]) -> Iterator[str]:
    """What is shown and is not published, or the other way round; and what is left behind."""
    if read_board(data) != published:
        yield f"the board shows {sorted(read_board(data))}, not {sorted(published)}"
    stored = {path.name for path in (data / "results").iterdir()}
    if stored != published:
        yield f"the board's store has {sorted(stored)}, not {sorted(published)}"
    left = {path.name for path in data.iterdir()} - KEPT
    left |= {path.name for path in (data / "incoming").iterdir()}
    left |= {path.name for path in (data / "sites").iterdir() if not path.name.isdigit()}
    left |= {path.name for path in (data / "submissions").iterdir()} - rows.keys()
    if left or len(list((data / "sites").iterdir())) > 2:
        yield f"left behind: {sorted(left) or 'old sites'}"
