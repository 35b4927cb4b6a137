"""The API: one's own alone, every answer in its shape, tags that hold, and cookies that do not."""

from __future__ import annotations

import csv
import io
import json

import pytest
from small_service import hosted, parts

from fgbench.errors import Fault
from fgbench.leaderboard.serve.errors import DatabaseGone
from fgbench.leaderboard.serve.states import State

SUBMISSIONS = "/api/v1/submissions"
PUBLICATIONS = "/api/v1/publications"


@pytest.fixture
def board(tmp_path):
    with hosted(tmp_path) as board:
        yield board


def test_what_is_handed_in_is_one_s_own_with_its_state_and_reason(board):
    answer = board.program("gulls").post(SUBMISSIONS, files=parts())
    found = answer.json()
    assert (answer.status_code, found["team"], found["state"]) == (201, "gulls", "received")
    assert answer.headers["location"] == f"{SUBMISSIONS}/{found['id']}"
    assert found["reason"]
    listed = board.program("gulls").get(SUBMISSIONS).json()["submissions"]
    assert listed == [found]
    assert board.program("terns").get(SUBMISSIONS).json() == {"submissions": []}


@pytest.mark.parametrize("publish", [False, True])
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", ""),
        ("GET", "/record.json"),
        ("GET", "/per_query.parquet"),
        ("POST", "/publication"),
        ("DELETE", ""),
    ],
)
def test_another_team_s_looks_like_none(board, method, path, publish):
    found = board.done("gulls")
    if publish:
        board.program("gulls").post(f"{SUBMISSIONS}/{found}/publication")
    rival = board.program("terns")
    other = rival.request(method, f"{SUBMISSIONS}/{found}{path}")
    none = rival.request(method, f"{SUBMISSIONS}/{'0' * 16}{path}")
    assert other.status_code == none.status_code == 404
    assert other.content == none.content
    assert dict(other.headers) == dict(none.headers)
    assert found not in other.text
    assert board.program("gulls").get(f"{SUBMISSIONS}/{found}").json()["visibility"] != "withdrawn"


def test_a_rival_s_files_and_state_stay_after_every_attempt(board):
    found = board.done("gulls")
    before = board.program("gulls").get(f"{SUBMISSIONS}/{found}").content
    rival, keeper = board.program("terns"), board.program("keeper")
    for client in (rival, keeper):
        for method, path in (("DELETE", ""), ("POST", "/publication"), ("GET", "/record.json")):
            assert client.request(method, f"{SUBMISSIONS}/{found}{path}").status_code in (403, 404)
    for path in ("approval", "refusal"):
        body = {"reason": "no"} if path == "refusal" else None
        assert rival.post(f"{PUBLICATIONS}/{found}/{path}", json=body).status_code == 403
        assert keeper.post(f"{PUBLICATIONS}/{found}/{path}", json=body).status_code == 404
    assert board.program("gulls").get(f"{SUBMISSIONS}/{found}").content == before


def test_from_the_request_to_the_board_and_back(board):
    team, keeper, found = board.program("gulls"), board.program("keeper"), board.done("gulls")
    assert keeper.get(f"{SUBMISSIONS}/{found}").status_code == 404
    asked = team.post(f"{SUBMISSIONS}/{found}/publication")
    assert asked.json()["visibility"] == "requested"
    assert team.post(f"{SUBMISSIONS}/{found}/publication").status_code == 409
    assert keeper.get(f"{SUBMISSIONS}/{found}/record.json").json() == {"id": found}
    assert [s["id"] for s in keeper.get(PUBLICATIONS).json()["requested"]] == [found]
    refused = keeper.post(f"{PUBLICATIONS}/{found}/refusal", json={"reason": "No card worth it"})
    assert refused.json()["visibility"] == "refused"
    assert team.get(f"{SUBMISSIONS}/{found}").json()["decision"] == "No card worth it"
    assert keeper.post(f"{PUBLICATIONS}/{found}/approval").status_code == 409
    team.post(f"{SUBMISSIONS}/{found}/publication")
    assert keeper.post(f"{PUBLICATIONS}/{found}/approval").json()["visibility"] == "published"
    assert [s["id"] for s in keeper.get(PUBLICATIONS).json()["published"]] == [found]
    assert team.delete(f"{SUBMISSIONS}/{found}").json()["visibility"] == "withdrawn"
    assert team.get(f"{SUBMISSIONS}/{found}/record.json").status_code == 404
    actions = [e["action"] for e in keeper.get("/api/v1/audit").json()["entries"]]
    assert [a for a in actions if a in ("refused", "published", "withdrew")] == [
        "withdrew",
        "published",
        "refused",
    ]


def test_a_name_that_is_published_is_refused_with_every_fault(board):
    first, second = board.done("gulls", "Alpha"), board.done("terns", "alpha")
    board.program("gulls").post(f"{SUBMISSIONS}/{first}/publication")
    board.program("terns").post(f"{SUBMISSIONS}/{second}/publication")
    keeper = board.program("keeper")
    assert keeper.post(f"{PUBLICATIONS}/{first}/approval").status_code == 200
    answer = keeper.post(f"{PUBLICATIONS}/{second}/approval")
    assert answer.status_code == 409
    assert {fault["code"] for fault in answer.json()["faults"]} == {"FG-L120"}
    assert all(answer.json()["faults"][0].values())


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"json": {"reason": "x" * 401}}, 422),
        ({"json": {"reason": "  "}}, 422),
        ({"json": {"reason": 5}}, 422),
        ({"json": {"reason": "a", "more": 1}}, 422),
        ({"json": ["a"]}, 422),
        ({"content": b"{", "headers": {"content-type": "application/json"}}, 400),
        ({"content": b"[" * 16000, "headers": {"content-type": "application/json"}}, 400),
        ({"content": b'"' + b"x" * 17000, "headers": {"content-type": "application/json"}}, 413),
        ({"data": {"reason": "a"}}, 415),
        ({}, 415),
    ],
)
def test_a_refusal_needs_its_reason(board, body, status):
    found = board.done("gulls")
    board.program("gulls").post(f"{SUBMISSIONS}/{found}/publication")
    answer = board.program("keeper").post(f"{PUBLICATIONS}/{found}/refusal", **body)
    assert answer.status_code == status, answer.text
    assert board.program("keeper").get(PUBLICATIONS).json()["requested"]


@pytest.mark.parametrize(
    "path", ["", ".csv", "/{id}", "/{id}/record.json", "/{id}/per_query.parquet"]
)
def test_a_tag_holds_until_something_changes(board, path):
    found = board.done("gulls")
    client, path = board.program("gulls"), SUBMISSIONS + path.replace("{id}", found)
    first = client.get(path)
    tag = first.headers["etag"]
    assert first.status_code == 200
    for said in (tag, f'"other", W/{tag}', "*"):
        again = client.get(path, headers={"If-None-Match": said})
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
    client.post(f"{SUBMISSIONS}/{found}/publication")
    changed = client.get(path, headers={"If-None-Match": tag})
    assert changed.status_code == 200
    assert changed.headers["etag"] != tag
    assert client.head(path).content == b""


def test_a_reason_is_one_line_in_which_nothing_hides(board):
    found = board.done("gulls")
    board.program("gulls").post(f"{SUBMISSIONS}/{found}/publication")
    said = {"reason": "First line\r\nand  turned \u202eround \ud800"}
    answer = board.program("keeper").post(
        f"{PUBLICATIONS}/{found}/refusal",
        content=json.dumps(said),
        headers={"content-type": "application/json"},
    )
    assert answer.status_code == 200
    told = board.program("gulls").get(f"{SUBMISSIONS}/{found}").json()["decision"]
    assert told == r"First line and turned \u202eround \ud800"


def test_the_table_is_csv_that_no_spreadsheet_runs(board):
    board.done("gulls", "=cmd|' /C calc'!A0")
    answer = board.program("gulls").get(f"{SUBMISSIONS}.csv")
    (row,) = csv.DictReader(io.StringIO(answer.text))
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert row["name"] == "'=cmd|' /C calc'!A0"
    assert row["state"] == "done"


def test_a_fault_is_told_as_the_command_line_tells_it(board):
    found = board.hand_in("gulls")
    board.service.ledger.claim()
    board.service.ledger.fail(
        found, "1 fault in what was handed in.", [Fault("FG-S040", "image", "NaN", "numbers", "x")]
    )
    told = board.program("gulls").get(f"{SUBMISSIONS}/{found}").json()
    assert (told["state"], told["reason"]) == (State.FAILED, "1 fault in what was handed in.")
    assert told["faults"] == [
        {
            "code": "FG-S040",
            "title": "NaN",
            "where": "image",
            "found": "NaN",
            "expected": "numbers",
            "why": "NaN is similar to nothing, and every order of it is arbitrary.",
            "fix": "x",
        }
    ]


@pytest.mark.parametrize(
    "authorization",
    ["", "Bearer", "Bearer ", "Basic Zm9v", "Bearer fgb_", "Bearer x y", "Bearer " + "a" * 300],
)
def test_without_a_token_nothing_is_told(board, authorization):
    answer = board.client(Authorization=authorization).get(SUBMISSIONS)
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == "Bearer"
    assert set(answer.json()) == {"code", "what", "why", "fix"}


def test_a_cookie_is_no_token_and_a_token_no_cookie(board):
    browser = board.browser("gulls")
    assert browser.get(SUBMISSIONS).status_code == 401
    assert browser.post(SUBMISSIONS, files=parts()).status_code == 401
    assert "Sign in" in board.program("gulls").get("/team/").text


def test_a_token_is_taken_once_it_is_replaced(board):
    old = board.program("gulls")
    board.tokens["gulls"] = board.service.ledger.replace_token("gulls")
    assert old.get(SUBMISSIONS).status_code == 401
    assert board.program("gulls").get(SUBMISSIONS).status_code == 200


def test_roles_do_not_mix(board):
    keeper = board.program("keeper")
    assert keeper.post(SUBMISSIONS, files=parts()).status_code == 403
    assert keeper.get(SUBMISSIONS).status_code == 403
    for path in (PUBLICATIONS, "/api/v1/audit"):
        assert board.program("gulls").get(path).status_code == 403


def test_a_database_that_is_gone_is_said_and_not_guessed_at(board, monkeypatch):
    def gone(*_):
        raise DatabaseGone

    monkeypatch.setattr(type(board.service.ledger), "identify", gone)
    answer = board.program("gulls").get(SUBMISSIONS)
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "60")
    assert answer.json()["code"] == "FG-H110"


@pytest.mark.parametrize("path", ["/api/v1/", "/api/v1/nothing", "/api/v1/submissions/a/b"])
def test_what_is_not_there_is_said_without_a_page(board, path):
    answer = board.client().get(path)
    assert answer.status_code == 404
    assert answer.json()["code"] == "FG-H152"


def test_the_index_says_the_limits(board):
    answer = board.client().get("/api/v1").json()
    assert answer["limits"]["upload_bytes"] == 1 << 20
    assert answer["benchmark"]["items"] == dict.fromkeys(("image", "text", "video", "audio"), 24)
