"""Uploads: whole or not at all, once, within their bounds, whatever the form looks like."""

from __future__ import annotations

import asyncio
import errno
import tracemalloc

import pytest
from small_service import CARD, LIMITS, ORIGIN, form_token, hosted, parts

from fgbench.leaderboard.serve import incoming as incoming_files
from fgbench.leaderboard.serve.errors import DatabaseGone
from fgbench.leaderboard.serve.settings import GIB, Limits

SUBMISSIONS = "/api/v1/submissions"
KIND = {"content-type": "multipart/form-data; boundary=B"}


@pytest.fixture
def board(tmp_path):
    with hosted(tmp_path) as board:
        yield board


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    """A board of which nothing is to become."""
    with hosted(tmp_path_factory.mktemp("upload")) as board:
        yield board


def part(name, content=b"x", disposition="form-data", extra=""):
    head = f'Content-Disposition: {disposition}; name="{name}"; filename="f"\r\n{extra}\r\n'
    return b"--B\r\n" + head.encode() + content + b"\r\n"


def form(*found, end=b"--B--\r\n"):
    return b"".join(found) + end


WHOLE = form(part("card", CARD), part("submission", b"vectors"))


def left(board):
    """All files of uploads, in the place that they came in by and in their own."""
    data = board.service.settings.data
    return sorted(
        p for name in ("incoming", "submissions") for p in (data / name).rglob("*") if p.is_file()
    )


def send(board, body, kind=KIND):
    return board.program("gulls").post(SUBMISSIONS, content=body, headers=kind)


def test_what_is_handed_in_is_kept_byte_for_byte(board):
    vectors = bytes(range(256)) * 3000 + b"\r\n--B\r\n--\r\n"
    answer = send(board, form(part("submission", vectors.replace(b"--B", b"--C")), part("card")))
    folder = board.service.vault.folder(answer.json()["id"])
    kept = {path.name: path.read_bytes() for path in folder.iterdir()}
    assert kept == {"submission.npz": vectors.replace(b"--B", b"--C"), "card.yaml": b"x"}


def test_the_same_again_is_no_second_one(board):
    first, again = send(board, WHOLE), send(board, WHOLE)
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json() == again.json()
    assert len(left(board)) == 2
    rival = board.program("terns").post(SUBMISSIONS, content=WHOLE, headers=KIND)
    assert rival.status_code == 201
    assert rival.json()["id"] != first.json()["id"]


@pytest.mark.parametrize(
    ("body", "kind", "status", "code"),
    [
        (form(part("card")), KIND, 422, "FG-H162"),
        (form(part("submission")), KIND, 422, "FG-H162"),
        (form(part("card"), part("card"), part("submission")), KIND, 422, "FG-H162"),
        (form(part("card"), part("submission"), part("more")), KIND, 422, "FG-H162"),
        (form(part("card"), part("submission"), part("form")), KIND, 422, "FG-H162"),
        (form(part(""), part("submission")), KIND, 422, "FG-H162"),
        (form(part("card"), part("submission", b"")), KIND, 422, "FG-H122"),
        (form(part("card", b"x" * 5000), part("submission")), KIND, 413, "FG-H120"),
        (form(part("card"), part("submission", b"x" * (1 << 20) + b"x")), KIND, 413, "FG-H120"),
        (form(part("card"), part("submission", b"x" * (2 << 20))), KIND, 413, "FG-H158"),
        (form(part("card"), part("submission"), end=b""), KIND, 400, "FG-H161"),
        (WHOLE[:-6], KIND, 400, "FG-H161"),
        (b"", KIND, 400, "FG-H161"),
        (b"no form at all", KIND, 400, "FG-H161"),
        (form(part("card", extra="X: " + "y" * 9000 + "\r\n")), KIND, 400, "FG-H161"),
        (
            form(part("card", extra="Content-Transfer-Encoding: base64\r\n"), part("submission")),
            KIND,
            400,
            "FG-H161",
        ),
        (WHOLE, {"content-type": "multipart/form-data"}, 415, "FG-H160"),
        (WHOLE, {"content-type": "multipart/form-data; boundary="}, 415, "FG-H160"),
        (WHOLE, {"content-type": "multipart/form-data; boundary=" + "B" * 300}, 415, "FG-H160"),
        (WHOLE, {"content-type": "multipart/mixed; boundary=B"}, 415, "FG-H160"),
        (WHOLE, {"content-type": "application/zip"}, 415, "FG-H160"),
        (WHOLE, {}, 415, "FG-H160"),
    ],
)
def test_what_is_no_whole_upload_is_refused_and_nothing_is_kept(shared, body, kind, status, code):
    answer = send(shared, body, kind)
    assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text
    assert set(answer.json()) == {"code", "what", "why", "fix"}
    assert left(shared) == []
    assert shared.program("gulls").get(SUBMISSIONS).json() == {"submissions": []}


@pytest.mark.parametrize(
    "name",
    [
        "../../../etc/cron.d/x",
        "/etc/passwd",
        "..\\..\\x",
        "a\x00b",
        "<script>alert(1)</script>",
        "board.sqlite",
        "x" * 3000,
        ".",
        "",
    ],
)
def test_the_sender_s_names_of_files_are_never_looked_at(board, name):
    before = {p for p in board.service.settings.data.rglob("*") if p.is_file()}
    answer = board.program("gulls").post(SUBMISSIONS, files=parts(name=name or "x"))
    assert answer.status_code == 201
    after = {p for p in board.service.settings.data.rglob("*") if p.is_file()} - before
    assert {p.name for p in after} == {"card.yaml", "submission.npz"}
    assert "cron" not in answer.text
    assert "script" not in answer.text


def test_quotas_are_said_before_the_body_is_read_with_when_again(board):
    for _ in range(LIMITS.waiting):
        board.hand_in("gulls")
    answer = board.program("gulls").post(SUBMISSIONS, files=parts(b"one more"))
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "60")
    assert f"of {LIMITS.waiting}" in answer.json()["what"]
    assert board.program("terns").post(SUBMISSIONS, files=parts()).status_code == 201


def test_a_repeated_upload_is_answered_beyond_the_quota_too(board):
    first = board.hand_in("gulls", b"the first")
    for _ in range(LIMITS.waiting - 1):
        board.hand_in("gulls")
    again = board.program("gulls").post(SUBMISSIONS, files=parts(b"the first"))
    assert (again.status_code, again.json()["id"]) == (200, first)
    other = board.program("gulls").post(SUBMISSIONS, files=parts(b"the fifth"))
    assert other.status_code == 429, "of one size with a known one, but another"
    assert len(left(board)) == 2 * LIMITS.waiting


def test_a_team_s_room_is_no_matter_of_time(tmp_path):
    with hosted(tmp_path, Limits(spare=0, team_bytes=100)) as board:
        answer = board.program("gulls").post(SUBMISSIONS, files=parts(b"x" * 200))
        assert (answer.status_code, answer.json()["code"]) == (413, "FG-H132")
        assert "retry-after" not in answer.headers


def test_a_database_that_goes_in_between_is_said(board, monkeypatch):
    def gone(*_):
        raise DatabaseGone

    with monkeypatch.context() as patch:
        patch.setattr(type(board.service.ledger), "accept", gone)
        answer = send(board, WHOLE)
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "60")
    assert send(board, WHOLE).status_code == 201


def test_a_full_disk_is_said_and_nothing_of_the_upload_is_left(board, monkeypatch):
    def full(_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(incoming_files.os, "fsync", full)
    answer = send(board, WHOLE)
    assert (answer.status_code, answer.json()["code"]) == (507, "FG-H121")
    assert left(board) == []


def test_room_that_is_kept_for_the_ledger_is_not_given_away(tmp_path):
    with hosted(tmp_path, Limits(spare=1 << 60)) as board:
        assert send(board, WHOLE).status_code == 507
        assert left(board) == []


def stream(board, body, token, headers=()):
    """Send a body in pieces, and say the status; ``body`` may wait in between."""
    sent = []
    scope = {"type": "http", "method": "POST", "path": SUBMISSIONS, "query_string": b""}
    scope |= {"raw_path": SUBMISSIONS.encode(), "http_version": "1.1", "scheme": "http"}
    scope |= {"client": ("192.0.2.1", 1), "server": None, "root_path": ""}
    scope["headers"] = [
        (b"host", b"127.0.0.1:8000"),
        (b"authorization", f"Bearer {token}".encode()),
        (b"content-type", KIND["content-type"].encode()),
        (b"transfer-encoding", b"chunked"),
        *headers,
    ]

    async def receive():
        try:
            return {"type": "http.request", "body": await anext(body), "more_body": True}
        except StopAsyncIteration:
            return {"type": "http.disconnect"}

    async def send(message):
        sent.append(message)

    return board.app(scope, receive, send), sent


def test_an_upload_that_breaks_off_leaves_nothing(board):
    async def body():
        yield part("card")
        yield part("submission", b"x" * 100_000)[:-30]

    asyncio.run(stream(board, body(), board.tokens["gulls"])[0])
    assert left(board) == []
    assert board.program("gulls").get(SUBMISSIONS).json() == {"submissions": []}


def test_memory_does_not_grow_with_what_is_sent(tmp_path):
    async def body():
        yield part("card") + part("submission", b"")[:-2]
        for _ in range(40 * 16):
            yield b"\r\n--A" * (1 << 14)  # as near to a boundary as it can be

    with hosted(tmp_path, Limits(spare=0, upload=GIB)) as board:
        going, _ = stream(board, body(), board.tokens["gulls"])
        tracemalloc.start()
        asyncio.run(going)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert peak < 12 << 20, f"{peak:,} bytes, of 54 MB sent"
        assert left(board) == []


def test_so_many_at_once_and_the_next_is_told_to_wait(board):
    mine = LIMITS.waiting

    async def run():
        go = asyncio.Event()

        async def body():
            yield part("card")
            await go.wait()

        async def late():
            yield WHOLE

        held = [stream(board, body(), board.tokens["gulls"]) for _ in range(mine)]
        tasks = [asyncio.create_task(going) for going, _ in held]
        while len(list((board.service.settings.data / "incoming").iterdir())) < mine:
            await asyncio.sleep(0.01)
        going, sent = stream(board, late(), board.tokens["gulls"])
        await going
        go.set()
        await asyncio.gather(*tasks)
        return sent

    sent = asyncio.run(run())
    assert sent[0]["status"] == 429
    assert b"FG-H163" in sent[1]["body"]
    assert send(board, WHOLE).status_code == 201, "those that are over make room"


def test_a_page_s_form_begins_with_its_token(board):
    browser = board.browser("gulls")
    token = form_token(browser.get("/team/").text)
    files = parts()
    late = [("card", files["card"]), ("form", (None, token)), ("submission", files["submission"])]
    wrong = [("form", (None, "0" * 64)), *files.items()]
    long = [("form", (None, token * 5)), *files.items()]
    for found in (late, wrong, long, list(files.items())):
        answer = browser.post("/team/submissions", files=found)
        assert answer.status_code == 403, answer.text
    assert left(board) == []
    right = browser.post("/team/submissions", files=[("form", (None, token)), *files.items()])
    assert right.status_code == 303
    foreign = browser.post(
        "/team/submissions",
        files=[("form", (None, token)), *parts(b"other").items()],
        headers={"Origin": ORIGIN.replace("127", "128")},
    )
    assert foreign.status_code == 403
