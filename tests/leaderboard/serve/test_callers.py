"""Who calls: tokens that cannot be guessed at, cookies out of reach, forms of our own alone."""

from __future__ import annotations

import pytest
from small_service import ORIGIN, at, form_token, hosted

from fgbench.leaderboard.serve.attempts import ALL, EACH, MINUTE_S, REMEMBERED, WINDOW_S, Attempts

SUBMISSIONS = "/api/v1/submissions"


@pytest.fixture
def board(tmp_path):
    with hosted(tmp_path) as board:
        yield board


def guess(client, times):
    return [client.get(SUBMISSIONS).status_code for _ in range(times)]


def test_tokens_cannot_be_guessed_at(board):
    wrong = board.client(Authorization="Bearer fgb_wrong")
    assert guess(wrong, EACH + 2) == [401] * EACH + [429] * 2
    refused = board.program("gulls").get(SUBMISSIONS)
    assert refused.status_code == 429, "else the right one could be told from the wrong ones"
    assert refused.headers["retry-after"] == str(WINDOW_S)
    board.now[0] += WINDOW_S
    assert board.program("gulls").get(SUBMISSIONS).status_code == 200


def test_signing_in_and_cookies_count_like_tokens(board):
    for _ in range(EACH // 2):
        client = board.client(Origin=ORIGIN)
        assert client.post("/team/session", data={"token": "fgb_wrong"}).status_code == 401
        client.cookies.set("fgbench", "wrong")
        assert client.get("/team/").status_code == 200
    right = board.client(Origin=ORIGIN).post("/team/session", data={"token": board.tokens["gulls"]})
    assert right.status_code == 429
    assert "set-cookie" not in right.headers


def test_a_client_s_word_for_its_address_is_not_taken(board):
    for n in range(EACH):
        board.client(**{"Authorization": "Bearer fgb_x", "X-Forwarded-For": f"198.51.100.{n}"}).get(
            SUBMISSIONS
        )
    assert board.program("gulls").get(SUBMISSIONS).status_code == 429


def test_the_proxy_s_word_is_taken_for_what_it_saw_itself(tmp_path):
    def behind(settings):
        return at(settings, proxy="192.0.2.1")

    with hosted(tmp_path, change=behind) as board:
        attacker = {"Authorization": "Bearer fgb_x", "X-Forwarded-For": "203.0.113.9, 198.51.100.1"}
        guess(board.client(**attacker), EACH)
        other = board.client(**attacker | {"X-Forwarded-For": "203.0.113.1, 198.51.100.1"})
        assert guess(other, 1) == [429], "the left ones are the client's own invention"
        innocent = board.program("gulls")
        innocent.headers["X-Forwarded-For"] = "198.51.100.2"
        assert innocent.get(SUBMISSIONS).status_code == 200


@pytest.mark.parametrize(
    ("client", "same"),
    [("192.0.2.1", "::ffff:192.0.2.1"), ("2001:db8::1", "2001:db8::ffff"), ("unix", "unix")],
)
def test_one_client_under_two_addresses(client, same):
    attempts = Attempts(lambda: 0.0)
    for _ in range(EACH):
        attempts.fail(client)
    assert attempts.wait(same) == WINDOW_S
    assert attempts.wait("2001:db8:0:1::1") == attempts.wait("192.0.2.2") == 0


def test_many_attackers_do_not_keep_out_whom_is_known_and_fill_no_memory():
    now = [0.0]
    attempts = Attempts(lambda: now[0])
    attempts.succeed("192.0.2.7")
    for n in range(ALL):
        attempts.fail(f"10.0.{n // 256}.{n % 256}")
    assert attempts.wait("192.0.2.7") == 0
    assert attempts.wait("192.0.2.8") == MINUTE_S
    for n in range(REMEMBERED + 100):
        attempts.fail(f"10.{n // 65536}.{n // 256 % 256}.{n % 256}")
    assert len(attempts._failed) == REMEMBERED
    now[0] += MINUTE_S
    assert attempts.wait("192.0.2.8") == 0


def test_the_cookie_is_out_of_reach_and_goes_nowhere_else(board):
    answer = board.client(Origin=ORIGIN).post(
        "/team/session", data={"token": board.tokens["gulls"]}
    )
    name, _, flags = answer.headers["set-cookie"].partition("=")
    assert name == "fgbench"
    assert {"HttpOnly", "Path=/", "SameSite=strict"} <= set(flags.split("; "))
    assert board.tokens["gulls"] not in answer.headers["set-cookie"]


def test_over_https_the_cookie_is_bound_to_it(tmp_path):
    url = "https://board.example.org"
    with hosted(tmp_path, change=lambda s: at(s, url=url)) as board:
        client = board.client(Origin=url)
        answer = client.post("/team/session", data={"token": board.tokens["gulls"]})
        flags = answer.headers["set-cookie"].split("; ")
        assert flags[0].startswith("__Host-fgbench=")
        assert "Secure" in flags
        assert not any(flag.startswith("Domain") for flag in flags)
        assert "Sign out" in client.get("/team/").text
        plain = board.client(Origin=url.replace("https", "http"))
        assert plain.post("/team/session", data={"token": "x"}).status_code == 403


def test_a_session_that_is_over_is_no_attempt_each_time_the_page_is_loaded(board):
    browser = board.browser("gulls")
    board.service.ledger.replace_token("gulls")
    for _ in range(EACH + 1):
        assert browser.get("/team/").status_code == 200
    assert "set-cookie" not in board.client().get("/team/").headers, "one that is kept back is good"


def test_signed_out_is_signed_out_for_whoever_kept_the_cookie(board):
    browser = board.browser("gulls")
    kept = dict(browser.cookies)
    token = form_token(browser.get("/team/").text)
    answer = browser.post("/team/session/end", data={"form": token})
    assert "Max-Age=0" in answer.headers["set-cookie"]
    thief = board.client()
    thief.cookies.update(kept)
    assert "Sign in" in thief.get("/team/").text


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Origin": ORIGIN}, 303),
        ({"Origin": None, "Sec-Fetch-Site": "same-origin"}, 303),
        ({"Origin": None}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": "http://evil.example"}, 403),
        ({"Origin": "http://evil.example", "Sec-Fetch-Site": "same-origin"}, 403),
        ({"Origin": "https://127.0.0.1:8000"}, 403),
        ({"Origin": "http://localhost:8000"}, 403),
        ({"Origin": None, "Sec-Fetch-Site": "same-site"}, 403),
        ({"Origin": None, "Sec-Fetch-Site": "cross-site"}, 403),
    ],
)
def test_a_form_must_come_from_here(board, headers, status):
    found = board.done("gulls")
    browser = board.browser("gulls")
    page = f"/team/submissions/{found}"
    token = form_token(browser.get(page).text)
    del browser.headers["Origin"]
    browser.headers.update({k: v for k, v in headers.items() if v})
    for path, data in ((f"{page}/publication", {}), ("/team/session/end", {})):
        answer = browser.post(path, data={"form": token} | data)
        assert answer.status_code == status, answer.text
    asked = board.service.ledger.requested()
    assert bool(asked) == (status == 303)


@pytest.mark.parametrize("token", [None, "", "0" * 64, "another"])
def test_a_form_must_have_the_token_of_its_session(board, token):
    found = board.done("gulls")
    browser, other = board.browser("gulls"), board.browser("gulls")
    page = f"/team/submissions/{found}"
    if token == "another":
        token = form_token(other.get(page).text)
    answer = browser.post(f"{page}/withdrawal", data={"form": token} if token is not None else {})
    assert answer.status_code == (415 if token is None else 403)
    assert board.service.vault.result(found, "record.json")


def test_signing_in_from_another_site_is_refused(board):
    answer = board.client(Origin="http://evil.example").post(
        "/team/session", data={"token": board.tokens["terns"]}
    )
    assert answer.status_code == 403
    assert "set-cookie" not in answer.headers
