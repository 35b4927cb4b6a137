"""The pages: what a team and an admin read and do, and markup in every field that stays text."""

from __future__ import annotations

import csv
import io

import pytest
from lxml import html
from small_service import ORIGIN, SCORES, form_token, hosted, parts

from fgbench.errors import Fault

MARKUP = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>{{7*191919}}"


@pytest.fixture
def board(tmp_path):
    with hosted(tmp_path) as board:
        yield board


def text(answer):
    return " ".join(" ".join(html.fromstring(answer.text).itertext()).split())


def act(browser, page, path, **data):
    """Send a form of a page."""
    data["form"] = form_token(browser.get(page).text)
    return browser.post(path, data=data)


def test_signing_in_with_what_is_no_token_is_told(board):
    answer = board.client(Origin=ORIGIN).post("/team/session", data={"token": MARKUP})
    assert answer.status_code == 401
    assert "no team's token" in text(answer)
    assert "onerror" not in answer.text


def test_a_team_hands_in_and_finds_it_with_state_and_reason(board):
    browser = board.browser("gulls")
    form = ("form", (None, form_token(browser.get("/team/").text)))
    answer = browser.post("/team/submissions", files=[form, *parts().items()])
    assert answer.status_code == 303
    page = browser.get(answer.headers["location"])
    assert "received" in text(page)
    assert "It waits for its turn." in text(page)
    assert 'http-equiv="refresh"' in page.text, "without JavaScript it follows too"
    listed = browser.get("/team/")
    assert answer.headers["location"] in listed.text
    assert "Waiting 1 of 3" in text(listed)
    assert "at most 1 MiB" in text(listed)


def test_a_page_with_javascript_is_answered_in_json(board):
    browser = board.browser("gulls")
    browser.headers["Accept"] = "application/json"
    form = ("form", (None, form_token(browser.get("/team/").text)))
    made = browser.post("/team/submissions", files=[form, *parts().items()])
    again = browser.post("/team/submissions", files=[form, *parts().items()])
    assert (made.status_code, again.status_code) == (201, 200)
    assert made.json()["id"] == again.json()["id"]
    short = browser.post("/team/submissions", files=[form])
    assert (short.status_code, short.json()["code"]) == (422, "FG-H162")
    (found,) = browser.get("/team/states").json()["submissions"]
    assert (found["id"], found["state"], found["waiting"]) == (made.json()["id"], "received", True)


def test_every_fault_is_there_whole(board):
    found = board.hand_in("gulls")
    board.service.ledger.claim()
    faults = [Fault("FG-S040", f"row {n}", f"NaN {n}", f"wanted {n}", f"do {n}") for n in range(12)]
    board.service.ledger.fail(found, "12 faults in what was handed in.", faults)
    shown = text(board.browser("gulls").get(f"/team/submissions/{found}"))
    assert "12 faults in what was handed in." in shown
    for n in range(12):
        assert f"where row {n} found NaN {n} expected wanted {n} why NaN is similar" in shown
        assert f"fix do {n}" in shown
    assert "http-equiv" not in shown


def test_markup_in_every_field_is_text(board):
    found = board.done("gulls", MARKUP)
    failed = board.hand_in("gulls")
    board.service.ledger.claim()
    fault = Fault(*[MARKUP] * 5)
    board.service.ledger.fail(failed, MARKUP, [fault])
    browser, keeper = board.browser("gulls"), board.browser("keeper")
    act(browser, f"/team/submissions/{found}", f"/team/submissions/{found}/publication")
    act(keeper, "/admin/", f"/admin/publications/{found}/refusal", reason=MARKUP)
    act(browser, f"/team/submissions/{found}", f"/team/submissions/{found}/publication")
    pages = [
        browser.get("/team/"),
        browser.get(f"/team/submissions/{found}"),
        browser.get(f"/team/submissions/{failed}"),
        browser.get(f"/team/submissions/{MARKUP.replace('/', '')}"),
        keeper.get("/admin/"),
        keeper.get(f"/team/submissions/{found}"),
    ]
    for page in pages:
        tree = html.fromstring(page.text)
        assert not tree.xpath("//img | //script[not(@src)] | //style | //*[@style]")
        assert not tree.xpath("//*[@*[starts-with(name(), 'on')]]")
        assert "1343433" not in text(page)
    assert sum(MARKUP in html.fromstring(page.text).text_content() for page in pages) == 5
    assert text(pages[2]).count(MARKUP) == 6


def test_the_numbers_are_there_once_it_is_scored(board):
    means = {"bimodal": {"map": 0.5454, "ci95": [0.1, 0.9]}, "multimodal": SCORES | {"ci95": None}}
    found = board.done("gulls", means=means, complete=False)
    page = board.browser("gulls").get(f"/team/submissions/{found}")
    rows = [
        [cell.text_content() for cell in row]
        for row in html.fromstring(page.text).xpath("//table[@id='numbers']/tbody/tr")
    ]
    assert rows == [
        ["Bi-modal mean", ".545", ".100", ".900"],
        ["X→All mean", ".500", "–", "–"],
        ["I→T", ".500", ".250", ".750"],
    ]
    assert "never ranked" in text(page)


@pytest.mark.parametrize("name", ["record.json", "per_query.parquet"])
def test_the_files_are_one_s_own(board, name):
    found = board.done("gulls")
    path = f"/team/submissions/{found}/{name}"
    answer = board.browser("gulls").get(path)
    assert answer.status_code == 200
    assert answer.headers["content-disposition"].startswith("attachment")
    assert board.browser("terns").get(path).status_code == 404
    assert board.client().get(path).status_code == 401


@pytest.mark.parametrize("path", ["", "/record.json", "/publication", "/withdrawal"])
def test_a_rival_s_page_looks_like_none(board, path):
    found = board.done("gulls")
    rival = board.browser("terns")
    data = {"form": form_token(rival.get("/team/").text)}
    get = path in ("", "/record.json")
    for id in (found, "0" * 16):
        url = f"/team/submissions/{id}{path}"
        answer = rival.get(url) if get else rival.post(url, data=data)
        assert answer.status_code == 404
        assert found not in answer.text
        assert "gulls" not in answer.text
    assert board.service.vault.result(found, "record.json")


def test_from_the_request_to_publication_and_withdrawal(board):
    found = board.done("gulls", "Larus")
    browser, keeper = board.browser("gulls"), board.browser("keeper")
    page = f"/team/submissions/{found}"
    assert keeper.get(page).status_code == 404
    assert act(browser, page, f"{page}/publication").headers["location"] == page
    assert "Larus" in text(keeper.get("/admin/"))
    assert "have yet to decide" in text(browser.get(page))
    said = act(keeper, "/admin/", f"/admin/publications/{found}/refusal", reason="Say more, please")
    assert said.status_code == 303
    assert "An admin said: Say more, please" in text(browser.get(page))
    act(browser, page, f"{page}/publication")
    act(keeper, "/admin/", f"/admin/publications/{found}/approval")
    assert "published" in text(browser.get(page))
    assert "Ask to publish" not in browser.get(page).text
    act(browser, page, f"{page}/withdrawal")
    gone = browser.get(page)
    assert "It is withdrawn; its files are deleted." in text(gone)
    assert "Withdraw and delete" not in gone.text
    assert not html.fromstring(browser.get("/team/").text).xpath("//*[@class='badge state done']")
    assert browser.get(f"{page}/record.json").status_code == 404


def test_a_refusal_without_its_reason_is_told(board):
    found = board.done("gulls")
    board.service.ledger.request_publication(board.team("gulls"), found)
    keeper = board.browser("keeper")
    answer = act(keeper, "/admin/", f"/admin/publications/{found}/refusal", reason=" ")
    assert answer.status_code == 422
    assert "must be told why" in text(answer)
    assert "Signed in" in text(keeper.get("/admin/"))


@pytest.mark.parametrize(
    ("team", "path", "status"),
    [
        (None, "/admin/", 401),
        (None, "/team/states", 401),
        ("gulls", "/admin/", 403),
        ("gulls", "/admin/audit.csv", 403),
        ("keeper", "/team/", 303),
        ("gulls", "/admin/publications/x/approval", 405),
        ("gulls", "/team/session", 405),
    ],
)
def test_pages_are_for_their_own_readers(board, team, path, status):
    client = board.browser(team) if team else board.client()
    assert client.get(path).status_code == status


def test_the_audit_log_says_who_did_what_without_secrets(board):
    found = board.done("gulls")
    keeper = board.browser("keeper")
    answer = keeper.get("/admin/audit.csv")
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert ("gulls", "handed in", found) in [
        (row["actor"], row["action"], row["submission"]) for row in rows
    ]
    assert "keeper" in text(keeper.get("/admin/"))
    for secret in (*board.tokens.values(), "192.0.2.1", "fgb_"):
        assert secret not in answer.text
        assert secret not in keeper.get("/admin/").text


def test_an_admin_sees_why_the_board_is_not_built(board, monkeypatch):
    status = type(board.service.publication.status)(building=False, problem="FG-L120  <b>names</b>")
    monkeypatch.setattr(type(board.service.publication), "status", status)
    page = board.browser("keeper").get("/admin/")
    assert "The board could not be built" in text(page)
    assert "FG-L120 <b>names</b>" in text(page)


@pytest.mark.parametrize(
    "body", [b"form=%ff", b"form=1&form=2", b"a", b"&".join([b"a=1"] * 30), b"form=\xff"]
)
def test_a_form_that_can_be_read_in_two_ways_is_refused(board, body):
    found = board.done("gulls")
    answer = board.browser("gulls").post(
        f"/team/submissions/{found}/withdrawal",
        content=body,
        headers={"content-type": "application/x-www-form-urlencoded"},
    )
    assert answer.status_code == 400
    assert "FG-H161" in answer.text
