"""A served board over a real PostgreSQL: its API from end to end, and the database going away."""

from __future__ import annotations

import csv
import io
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from board_process import API, SUBMISSIONS, BoardProcess, command, wait
from postgres import Cluster, cluster
from small_board import CARD, write_card, write_ground, write_vectors

from fgbench import load_benchmark, score
from fgbench.leaderboard.serve.ledger import Ledger
from fgbench.leaderboard.serve.states import Role

SCORED_S = 240
"""A scoring gives way to whatever else the machine does, and the first may have to compile."""
AWAY_S = 3
GONE = "FG-H110"


class Slow(io.BytesIO):
    """A file that is read in eight pieces, with a pause before each."""

    def read(self, size: int | None = -1) -> bytes:
        time.sleep(0.2)
        return super().read(-(-len(self.getbuffer()) // 8))


@dataclass
class Board:
    """A server and its database; ``tokens`` by name of team."""

    server: BoardProcess
    database: Cluster
    ground: Path
    data: Path
    tokens: dict[str, str]
    client: httpx.Client

    def call(self, team: str, method: str, path: str, **more: Any) -> httpx.Response:
        headers = {"Authorization": f"Bearer {self.tokens[team]}", **more.pop("headers", {})}
        return self.client.request(method, path, headers=headers, **more)

    def upload(self, team: str, submission: Path, card: Path, slow: bool = False) -> httpx.Response:
        content = submission.read_bytes()
        files = {"card": card.read_bytes(), "submission": Slow(content) if slow else content}
        return self.call(team, "POST", SUBMISSIONS, files=files)

    def find(self, team: str, id: str) -> Any:
        return self.call(team, "GET", f"{SUBMISSIONS}/{id}").json()

    def wait(self, team: str, *listed: str) -> list[Any]:
        """Until they are done or have failed."""
        over = ("done", "failed")

        def are_over() -> bool:
            time.sleep(0.2)
            return all(self.find(team, id)["state"] in over for id in listed)

        wait(are_over, SCORED_S)
        return [self.find(team, id) for id in listed]

    def log(self, id: str) -> list[str]:
        """What was done with a submission, one after the other."""
        entries = self.call("keeper", "GET", f"{API}/audit").json()["entries"]
        return [entry["action"] for entry in reversed(entries) if entry["submission"] == id]

    def shows(self, words: str) -> bool:
        time.sleep(0.2)
        return words in self.client.get("/api/index.json").text


@pytest.fixture(scope="module")
def board(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Board]:
    folder = tmp_path_factory.mktemp("postgres")
    ground = write_ground(folder / "ground")
    with cluster() as database:
        url = database.make()
        ledger = Ledger.open(url)
        tokens = {name: ledger.add_team(name) for name in ("gulls", "terns")}
        tokens["keeper"] = ledger.add_team("keeper", Role.ADMIN)
        ledger.close()
        line = command(folder / "data", ground, "--database", url)
        server = BoardProcess(line, folder / "log")
        server.start()
        try:
            with httpx.Client(base_url=f"http://127.0.0.1:{server.port}", timeout=60) as client:
                yield Board(server, database, ground, folder / "data", tokens, client)
        finally:
            server.stop()
        said = server.said().decode()
        assert "Traceback" not in said, said


def test_from_the_upload_to_the_board_and_back(board: Board, tmp_path: Path) -> None:
    vectors, card = write_vectors(tmp_path / "s.npz", 1), write_card(tmp_path / "card.yaml")
    made = board.upload("gulls", vectors, card)
    assert made.status_code == 201
    id = made.json()["id"]
    again = board.upload("gulls", vectors, card)
    assert (again.status_code, again.json()["id"]) == (200, id)
    (found,) = board.wait("gulls", id)
    assert (found["state"], found["name"]) == ("done", CARD["method"])
    means = score(vectors, load_benchmark(board.ground)).record.means
    assert found["summary"]["means"]["bimodal"]["map"] == means["bimodal"].map

    one = f"{SUBMISSIONS}/{id}"
    tag = board.call("gulls", "GET", one).headers["etag"]
    assert board.call("gulls", "GET", one, headers={"If-None-Match": tag}).status_code == 304
    listed = csv.DictReader(io.StringIO(board.call("gulls", "GET", f"{SUBMISSIONS}.csv").text))
    assert [row["id"] for row in listed] == [id]
    for method, path in (("GET", ""), ("POST", "/publication"), ("DELETE", "")):
        assert board.call("terns", method, f"{one}{path}").status_code == 404

    decision = f"{API}/publications/{id}"
    assert board.call("keeper", "POST", f"{decision}/approval").status_code == 404
    assert board.call("gulls", "POST", f"{one}/publication").json()["visibility"] == "requested"
    told = board.call("keeper", "POST", f"{decision}/refusal", json={"reason": "Say more"})
    assert told.json()["decision"] == "Say more"
    assert board.find("gulls", id)["visibility"] == "refused"
    board.call("gulls", "POST", f"{one}/publication")
    assert board.call("keeper", "POST", f"{decision}/approval").json()["visibility"] == "published"
    wait(lambda: board.shows(CARD["method"]), SCORED_S)
    assert board.call("gulls", "DELETE", one).json()["visibility"] == "withdrawn"
    wait(lambda: not board.shows(CARD["method"]), SCORED_S)
    assert board.log(id) == [
        *("handed in", "checking", "scoring", "done"),
        *("asked to publish", "refused", "asked to publish", "published", "withdrew"),
    ]
    assert not list(board.data.glob("*.sqlite*"))


def test_a_database_that_goes_away_loses_nothing(board: Board, tmp_path: Path) -> None:
    cards = [write_card(tmp_path / f"{n}.yaml", method=f"Method {n}") for n in range(5)]
    files = [write_vectors(tmp_path / f"{n}.npz", 10 + n) for n in range(5)]
    uploads = list(zip(files, cards, strict=True))
    accepted = [board.upload("gulls", *files).json()["id"] for files in uploads[:2]]
    wait(lambda: board.find("gulls", accepted[0])["state"] in ("checking", "scoring"), SCORED_S)
    with ThreadPoolExecutor(2) as pool:
        cut = [pool.submit(board.upload, "gulls", *files, slow=True) for files in uploads[2:4]]
        wait(lambda: len(list(board.data.glob("incoming/*"))) == 2)
        board.database.stop()
        end = time.monotonic() + AWAY_S
        refused = [one.result() for one in cut]
    refused += [
        board.upload("gulls", *uploads[4]),
        board.call("gulls", "GET", SUBMISSIONS),
        board.call("keeper", "GET", f"{API}/audit"),
        board.call("gulls", "GET", "/health"),
    ]
    for answer in refused:
        assert (answer.status_code, answer.json()["code"]) == (503, GONE), answer.text
        assert int(answer.headers["retry-after"]) > 0
    assert board.call("gulls", "GET", "/index.html").status_code == 200, "readers notice nothing"
    time.sleep(max(0, end - time.monotonic()))

    board.database.start()
    assert [found["state"] for found in board.wait("gulls", *accepted)] == ["done", "done"]
    for id in accepted:
        said = board.log(id)
        assert (said[0], said.count("done"), said[-1]) == ("handed in", 1, "done")
    ledger = board.call("gulls", "GET", SUBMISSIONS).json()["submissions"]
    live = {found["id"] for found in ledger if found["visibility"] != "withdrawn"}
    assert live == set(accepted), "what was refused was not kept in part"
    wait(lambda: {path.name for path in board.data.glob("submissions/*")} == live)

    repeated = [board.upload("gulls", *files) for files in uploads[2:]]
    assert [answer.status_code for answer in repeated] == [201] * 3
    (found,) = board.wait("gulls", repeated[0].json()["id"])
    assert (found["state"], found["name"]) == ("done", "Method 2")
    assert board.call("gulls", "GET", "/health").json() == {"ok": True}
