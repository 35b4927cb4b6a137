"""A board under load: uploads of full size that come in at once, while readers read its pages.

``PYTHONPATH=tests python tests/bench/serve.py [--uploads 50] [--readers 200] [--keep FOLDER]``

``fgbench leaderboard serve`` as a host starts it, on fgxmedia-2019, with a published method; ten
teams hand in, each upload with vectors of its own. Readers ask for a whole page, wait for its last
byte, and pause as long as a draw says; a page's time is the client's, who shares the machine with
server and scorer. At the end every upload must be done, once, with the numbers of its own vectors.
``--keep``: where the vectors stay for the next time.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from board_process import API, SUBMISSIONS, BoardProcess, add_team, command, wait
from readers import Readers
from report import describe_machine, table

from fgbench import load_benchmark
from fgbench.benchmark import DEFAULT, Benchmark
from fgbench.leaderboard.serve.states import Role

WIDTH = 160
TEAMS = 10
ALONE = 20.0
"""Seconds that readers have the server for themselves."""
CARD = "method: Method {:03}\nauthors: A. Person\nyear: 2026\nextra_data: false\n"
PATIENCE = 3600.0


@dataclass
class Watch:
    """The memory of a server and of its scorers, looked at every tenth of a second: bytes."""

    board: BoardProcess
    first: int = 0
    server: int = 0
    scorers: dict[int, int] = field(default_factory=dict)
    _over: threading.Event = field(default_factory=threading.Event)

    def run(self) -> None:
        self.first = memory(self.board.pid, "VmRSS")
        while not self._over.wait(0.1):
            self.server = max(self.server, memory(self.board.pid, "VmRSS"))
            for pid, said in self.board.children().items():
                if "serve.scorer" in said:
                    self.scorers[pid] = max(self.scorers.get(pid, 0), memory(pid, "VmHWM"))

    def stop(self) -> None:
        self._over.set()


def memory(pid: int, name: str) -> int:
    """Bytes of a process by /proc; 0 once it has ended."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0
    return next((1024 * int(x.split()[1]) for x in lines if x.startswith(f"{name}:")), 0)


@dataclass(frozen=True)
class Upload:
    """One of the uploads: when its 201 came, and after how many seconds."""

    id: str
    sha256: str
    answered: float
    seconds: float


@dataclass(frozen=True)
class Load:
    """One run: the times of its stretches, and what was handed in."""

    start: float
    received: float
    done: float
    uploads: list[Upload]
    busy: tuple[float, ...]


def draw(folder: Path, number: int, benchmark: Benchmark) -> Path:
    """A submission of full size, noisier than the one before."""
    path = folder / f"{number}.npz"
    if path.exists():
        return path
    rng = np.random.default_rng(number)
    points = np.random.default_rng(0).standard_normal((200, WIDTH), np.float32)
    arrays: dict[str, Any] = {}
    for medium, items in benchmark.items.items():
        noise = rng.standard_normal((len(items), WIDTH), np.float32)
        arrays[medium.value] = points[items.labels] + (2 + number / 50) * noise
        arrays[f"{medium.value}_ids"] = items.ids
    np.savez(part := path.with_suffix(".part.npz"), **arrays)
    part.rename(path)
    return path


def publish_first(board: BoardProcess, tokens: dict[str, str], vectors: Path) -> None:
    """Have the board show a method that was handed in."""
    team, admin = tokens["team-0"], tokens["admin"]
    id = board.upload(team, vectors, CARD.format(0).encode()).document["id"]
    wait(lambda: board.submissions(team)[id]["state"] == "done", 600)
    assert board.call(team, "POST", f"{SUBMISSIONS}/{id}/publication").status == 200
    assert board.call(admin, "POST", f"{API}/publications/{id}/approval").status == 200
    wait(lambda: board.call("", "GET", "/methods/method-000.html").status == 200, 600)


def load(board: BoardProcess, tokens: dict[str, str], files: Sequence[Path]) -> Load:
    """Hand all in at once, and wait until the last is done."""
    go = threading.Barrier(len(files))

    def hand_in(number: int) -> Upload:
        card = CARD.format(1 + number).encode()
        digest = hashlib.sha256(files[number].read_bytes()).hexdigest()
        go.wait()
        start = time.monotonic()
        answer = board.upload(tokens[f"team-{number % TEAMS}"], files[number], card, 0, 600)
        if answer.status != 201:
            raise SystemExit(f"upload {number}: {answer}")
        now = time.monotonic()
        return Upload(answer.document["id"], digest, now, now - start)

    with ThreadPoolExecutor(len(files)) as pool:
        uploads = list(pool.map(hand_in, range(len(files))))
    start = min(upload.answered - upload.seconds for upload in uploads)
    end, busy = time.monotonic() + PATIENCE, []
    mine = [token for name, token in tokens.items() if name != "admin"]
    while any(one["state"] not in ("done", "failed") for one in listed(board, mine).values()):
        assert time.monotonic() < end, "the last is not done"
        busy.append(os.getloadavg()[0])
        time.sleep(1)
    received = max(upload.answered for upload in uploads)
    return Load(start, received, time.monotonic(), uploads, tuple(busy))


def listed(board: BoardProcess, tokens: Sequence[str]) -> dict[str, dict[str, Any]]:
    return {id: one for token in tokens for id, one in board.submissions(token).items()}


def examine(board: BoardProcess, tokens: dict[str, str], uploads: Sequence[Upload]) -> str:
    """What was lost, doubled or mixed up; the audit log is the witness for once."""
    mine = [token for name, token in tokens.items() if name != "admin"]
    known = listed(board, mine)
    entries = board.get(tokens["admin"], f"{API}/audit")["entries"]
    log = Counter((entry["action"], entry["submission"]) for entry in entries)
    bad = [
        upload.id
        for upload in uploads
        if upload.id not in known
        or known[upload.id]["state"] != "done"
        or known[upload.id]["summary"]["submission"] != upload.sha256
        or any(log[action, upload.id] != 1 for action in ("handed in", "checking", "done"))
    ]
    if bad or len(known) != len(uploads) + 1:
        raise SystemExit(f"{len(known)} of {len(uploads) + 1} are there; not as they should: {bad}")
    return f"all {len(uploads)} done, each once, each with the numbers of its own vectors"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--uploads", type=int, default=50)
    parser.add_argument("--readers", type=int, default=200)
    parser.add_argument("--keep", type=Path)
    asked = parser.parse_args()
    machine = describe_machine()
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        vectors = asked.keep or root / "vectors"
        vectors.mkdir(parents=True, exist_ok=True)
        benchmark = load_benchmark(DEFAULT)
        files = [draw(vectors, number, benchmark) for number in range(asked.uploads + 1)]
        data = root / "data"
        tokens = {f"team-{n}": add_team(data, f"team-{n}") for n in range(TEAMS)}
        tokens["admin"] = add_team(data, "admin", Role.ADMIN)
        waiting = str(-(-asked.uploads // TEAMS))
        options = ("--waiting", waiting, "--per-day", str(asked.uploads + 1))
        board = BoardProcess(command(data, DEFAULT, *options), root / "log")
        board.start()
        try:
            run(board, tokens, files, asked.readers)
        finally:
            board.stop()
            if b"ERROR" in board.said():
                print(board.said().decode()[-4000:], file=sys.stderr)
    print("\n".join(f"- {what}: {said}" for what, said in machine.items()))


def run(board: BoardProcess, tokens: dict[str, str], files: Sequence[Path], readers: int) -> None:
    publish_first(board, tokens, files[0])
    site = (Path(board.command[board.command.index("--data") + 1]) / "site").resolve()
    pages = [path for path in site.rglob("*.html") if path.name != "index.html"]
    sizes = [path.stat().st_size for path in (site / "index.html", *pages)]
    paths = ["/", *(f"/{path.relative_to(site)}" for path in sorted(pages))]
    watch = Watch(board)
    watching = threading.Thread(target=watch.run, daemon=True)
    watching.start()
    reading = Readers.start(board.port, paths, readers)
    began = time.monotonic()
    time.sleep(ALONE)
    loaded = load(board, tokens, files[1:])
    reading.stop()
    watch.stop()
    watching.join()
    show(loaded, reading, watch, began, files)
    print(
        f"Pages: {len(paths)}, of {min(sizes):,} to {max(sizes):,} bytes, the first {sizes[0]:,}."
    )
    print(f"Load while they were scored: {min(loaded.busy):.1f} to {max(loaded.busy):.1f}.")
    print(f"{examine(board, tokens, loaded.uploads)}.\n".capitalize())


def show(loaded: Load, reading: Readers, watch: Watch, began: float, files: Sequence[Path]) -> None:
    size = sum(path.stat().st_size for path in files[1:]) / len(loaded.uploads)
    took = [upload.seconds for upload in loaded.uploads]
    scorers = list(watch.scorers.values())
    rows = [
        ["vectors of width", str(WIDTH)],
        ["an upload, MB", f"{size / 1e6:.1f}"],
        ["uploads at once", str(len(loaded.uploads))],
        ["until the last 201, s", f"{loaded.received - loaded.start:.1f}"],
        ["a 201, median, s", f"{np.median(took):.1f}"],
        ["until the last is done, s", f"{loaded.done - loaded.start:.1f}"],
        ["of which a submission", f"{(loaded.done - loaded.received) / len(took):.1f}"],
        ["server before, MB", f"{watch.first / 1e6:.0f}"],
        ["server, most, MB", f"{watch.server / 1e6:.0f}"],
        ["a scorer, most, MB", f"{max(scorers) / 1e6:.0f}"],
    ]
    print("\n".join(table(["server", "figure"], rows)), "\n")
    stretches = (
        ("without uploads", began, loaded.start),
        ("while uploads come in", loaded.start, loaded.received),
        ("while they are scored", loaded.received, loaded.done),
    )
    head = ["readers", "pages", "a second", "p50 ms", "p99 ms", "most ms", "failed"]
    print("\n".join(table(head, [reading.row(*stretch) for stretch in stretches])), "\n")


if __name__ == "__main__":
    main()
