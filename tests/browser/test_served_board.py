"""A served board in real Chromium: two rival teams and an admin, with JavaScript and without."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from board_process import API, SUBMISSIONS, BoardProcess, add_team, command, wait
from small_board import COUNT, HOSTILE, ids, write_card, write_ground, write_vectors

from fgbench import load_benchmark, score
from fgbench.cli import main
from fgbench.leaderboard.serve.states import Role
from fgbench.protocol import MEDIA
from fgbench.submission import write_submission

api = pytest.importorskip("playwright.sync_api", reason="needs the package playwright")
expect = api.expect

WAIT_MS = 60_000
SCORED_S = 240
"""A scoring gives way to whatever else the machine does, and the first may have to compile."""
UPSTREAM = 400_000
"""Bytes a second of the connection whose progress is watched."""
OF_ALL = dict.fromkeys(("gulls", "terns", "auks", "petrels"), Role.TEAM) | {"keeper": Role.ADMIN}
SCREENS = [
    {"viewport": {"width": width, "height": 900}, "color_scheme": scheme}
    for width, scheme in ((1280, "light"), (375, "dark"), (1280, "dark"), (375, "light"))
]
NOBODY = "0123456789abcdef"
"""An id that no submission has."""
NOTE = """() => {
  const bar = document.querySelector("#progress");
  const tell = () => bar.hidden || note(
    bar.querySelector("progress").value, document.querySelector("#sent").textContent);
  new MutationObserver(tell).observe(bar, {subtree: true, childList: true, attributes: true});
}"""


@dataclass
class Board:
    """A server in a process of its own; ``tokens`` by name of team."""

    server: BoardProcess
    ground: Path
    tokens: dict[str, str]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.port}"

    def hand_in(self, team: str, submission: Path, card: Path) -> str:
        answer = self.server.upload(self.tokens[team], submission, card.read_bytes())
        assert answer.status == 201, answer
        return str(answer.document["id"])

    def wait(self, team: str, *listed: str) -> None:
        """Until they are done or have failed."""
        token, over = self.tokens[team], ("done", "failed")

        def are_over() -> bool:
            time.sleep(0.2)
            now = self.server.submissions(token)
            return all(now[id]["state"] in over for id in listed)

        wait(are_over, SCORED_S)

    def act(self, team: str, method: str, path: str, **fields: str) -> int:
        body = json.dumps(fields).encode() if fields else None
        kind = {"content-type": "application/json"} if fields else {}
        return self.server.call(self.tokens[team], method, f"{API}{path}", body, **kind).status

    def shows(self, words: str) -> bool:
        """Whether the board that everybody reads has these words."""
        return words.encode() in self.server.call("", "GET", "/api/index.json").body


@pytest.fixture(scope="module")
def board(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Board]:
    folder = tmp_path_factory.mktemp("served")
    ground = write_ground(folder / "ground")
    tokens = {team: add_team(folder / "data", team, role) for team, role in OF_ALL.items()}
    server = BoardProcess(command(folder / "data", ground), folder / "log")
    server.start()
    wait(lambda: server.call("", "GET", "/").status == 200, SCORED_S)
    yield Board(server, ground, tokens)
    server.stop()
    said = server.said()
    at = said.find(b"Traceback")
    assert at < 0, said[max(at - 2000, 0) : at + 5000].decode()
    assert not any(token.encode() in said for token in tokens.values())


@contextmanager
def opened(browser: Any, board: Board, *, loud: bool = False, **options: Any) -> Iterator[Any]:
    """A browser at the sign-in page. That it says or asks elsewhere is a failure; a ``loud`` one
    may say that a page was refused."""
    context = browser.new_context(base_url=board.url, **options)
    context.set_default_timeout(WAIT_MS)
    expect.set_options(timeout=WAIT_MS)
    page = context.new_page()
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("dialog", lambda dialog: (said.append(dialog.message), dialog.dismiss()))
    page.on("request", lambda r: r.url.startswith(board.url) or said.append(r.url))
    page.goto("/team/")
    yield page
    refused = re.compile(r"Failed to load resource: .* status of 4\d\d")
    assert [line for line in said if not (loud and refused.match(line))] == []
    context.close()


def sign_in(page: Any, board: Board, team: str) -> Any:
    page.get_by_label("Token").fill(board.tokens[team])
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_text(f"Signed in as {team}.")).to_be_visible()
    return page


def choose(page: Any, submission: Path, card: Path) -> None:
    page.get_by_label("Card").set_input_files(card)
    page.get_by_label("submission.npz").set_input_files(submission)


def id_of(page: Any) -> str:
    """Of the submission whose page is open."""
    page.wait_for_url("**/team/submissions/*")
    return str(page.url).rpartition("/")[2]


def words(page: Any) -> str:
    return " ".join(page.locator("main").inner_text().split())


def follow(page: Any) -> list[str]:
    """The states that the page shows, one after the other, until the last."""
    seen: list[str] = []
    step = page.locator(".stages :is(.now, .good, .bad)")
    while not {"done", "failed"} & set(seen):
        if (now := step.text_content()) not in seen[-1:]:
            seen.append(now)
        page.wait_for_timeout(50)
    return seen


def write_wide(path: Path) -> Path:
    """A submission of about 1.5 MB, which does not arrive in one piece."""
    rng = np.random.default_rng(7)
    rows = {medium: rng.normal(size=(COUNT, 4096)) for medium in MEDIA}
    write_submission(path, ids=ids(), embeddings=rows, meta={})
    return path


def assert_unseen(board: Board, page: Any, id: str, name: str) -> None:
    """A rival finds nothing of a submission: what is there and what is not look the same."""
    for path in ("", "/record.json", "/per_query.parquet"):
        found = [page.request.get(f"/team/submissions/{one}{path}") for one in (id, NOBODY)]
        assert [answer.status for answer in found] == [404, 404]
        assert found[0].text() == found[1].text()
        called = [
            board.server.call(board.tokens["terns"], "GET", f"{SUBMISSIONS}/{one}{path}")
            for one in (id, NOBODY)
        ]
        assert called[0].status == 404
        assert called[0] == called[1]
    for path in ("/team/", "/team/states"):
        seen = page.request.get(path).text()
        assert id not in seen
        assert name not in seen
    assert id not in board.server.submissions(board.tokens["terns"])
    near = f"{int(id, 16) + 1:016x}"
    assert page.request.get(f"/team/submissions/{near}").status == 404
    for method, path in (("POST", "/publication"), ("DELETE", "")):
        assert board.act("terns", method, f"/submissions/{id}{path}") == 404


def assert_fits(page: Any) -> None:
    """Nothing is beyond the screen, and its colours are those that were asked for."""
    width = page.viewport_size["width"]
    dark = page.evaluate("matchMedia('(prefers-color-scheme: dark)').matches")
    for _ in range(50):  # a page that is still being put together is given time
        across = page.evaluate("document.documentElement.scrollWidth")
        red = page.evaluate("parseInt(getComputedStyle(document.body).backgroundColor.slice(4))")
        if across <= width and (red < 128) is dark:
            break
        page.wait_for_timeout(100)
    assert across <= width, page.url
    assert (red < 128) is dark, page.url


def assert_open_to_all(page: Any) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    found = axe.run(page).response["violations"]
    assert [(v["id"], v["nodes"][0]["html"]) for v in found] == [], page.url


def test_an_upload_shows_its_progress_and_can_be_stopped(
    browser: Any, board: Board, tmp_path: Path
) -> None:
    files = write_wide(tmp_path / "wide.npz"), write_card(tmp_path / "card.yaml", method="Wide")
    noted: list[tuple[float, str]] = []
    with opened(browser, board) as page:
        page.expose_function("note", lambda part, sent: noted.append((part, sent)))
        sign_in(page, board, "auks")
        net = page.context.new_cdp_session(page)
        slow = {"offline": False, "latency": 0, "downloadThroughput": -1}
        net.send("Network.enable")
        net.send("Network.emulateNetworkConditions", slow | {"uploadThroughput": UPSTREAM})
        page.evaluate(NOTE)
        choose(page, *files)
        page.get_by_role("button", name="Hand in").click()
        expect(page.get_by_role("progressbar", name="upload")).to_be_visible()
        expect(page.get_by_role("button", name="Hand in")).to_be_disabled()
        expect(page.locator("#sent")).to_contain_text(" of 1.5")
        page.get_by_role("button", name="Stop").click()
        expect(page.get_by_role("alert")).to_contain_text("Stopped; nothing was handed in.")
        expect(page.get_by_role("progressbar")).to_be_hidden()
        assert board.server.submissions(board.tokens["auks"]) == {}

        noted.clear()
        page.get_by_role("button", name="Hand in").click()
        id = id_of(page)
    parts = [part for part, _ in noted]
    assert parts == sorted(parts)
    assert len({part for part in parts if 0 < part < 1}) >= 3
    assert any(re.fullmatch(r"[\d.,]+ [KM]iB of 1\.5\d* MiB", sent) for _, sent in noted)
    assert board.act("auks", "DELETE", f"/submissions/{id}") == 200


def test_two_rivals_and_an_admin(browser: Any, board: Board, tmp_path: Path) -> None:
    vectors = write_vectors(tmp_path / "s.npz", 1)
    card = write_card(tmp_path / "card.yaml", method="Larus")
    with (
        opened(browser, board) as gulls,
        opened(browser, board) as rival,
        opened(browser, board) as keeper,
    ):
        sign_in(gulls, board, "gulls")
        sign_in(rival, board, "terns")
        sign_in(keeper, board, "keeper")
        choose(gulls, vectors, card)
        gulls.get_by_role("button", name="Hand in").click()
        id = id_of(gulls)
        assert_scored(board, gulls, id, vectors)
        assert_unseen(board, rival, id, "Larus")
        assert keeper.request.get(f"/team/submissions/{id}").status == 404, "it is private"

        gulls.get_by_role("button", name="Ask to publish").click()
        expect(gulls.get_by_text("who have yet to decide")).to_be_visible()
        assert_unseen(board, rival, id, "Larus")
        assert not board.shows("Larus")

        reason = f"Say which data {HOSTILE}"
        decide(keeper, id, "Refuse", reason)
        gulls.reload()
        expect(gulls.get_by_text(f"An admin said: {reason}")).to_be_visible()
        assert not board.shows("Larus")
        gulls.get_by_role("button", name="Ask to publish").click()
        decide(keeper, id, "Publish")
        wait(lambda: board.shows("Larus"), SCORED_S)
        gulls.reload()
        expect(gulls.get_by_text("Everybody: it is on the board")).to_be_visible()
        assert_published(rival, id)
        assert_unseen(board, rival, id, "Larus")

        gulls.get_by_text("Withdraw…").click()
        gulls.get_by_role("button", name="Withdraw and delete").click()
        expect(gulls.get_by_text("It is withdrawn; its files are deleted.")).to_be_visible()
        wait(lambda: not board.shows("Larus"), SCORED_S)
        assert rival.request.get("/methods/larus.html").status == 404
        assert gulls.request.get(f"/team/submissions/{id}/record.json").status == 404


def assert_scored(board: Board, page: Any, id: str, vectors: Path) -> None:
    """Its states are shown in their order, and its numbers are those of ``fgbench score``."""
    seen = follow(page)
    way = ["received", "checking", "scoring", "done"]
    assert seen == [state for state in way if state in seen]
    assert len(seen) > 1
    assert seen[-1] == "done"
    log = board.server.get(board.tokens["keeper"], f"{API}/audit")["entries"]
    told = [entry["action"] for entry in reversed(log) if entry["submission"] == id]
    assert told == ["handed in", *way[1:]]
    record = score(vectors, load_benchmark(board.ground)).record
    mean = record.means["bimodal"]
    shown = page.get_by_role("row", name="Bi-modal mean").get_by_role("cell").all_text_contents()
    numbers = (mean.map, *(mean.ci95 or ()))
    assert shown == [f"{number:.3f}".removeprefix("0") for number in numbers]
    assert page.locator("#numbers tbody tr").count() == len(record.means) + len(record.scores)


def decide(page: Any, id: str, verdict: str, reason: str = "") -> None:
    """An admin reads what is asked for, and decides on the page of all requests."""
    page.goto("/admin/")
    page.get_by_role("link", name="Larus").click()
    assert id_of(page) == id
    assert page.get_by_role("button", name="Withdraw").count() == 0
    page.get_by_role("link", name="Admin").first.click()
    request = page.get_by_role("region", name="Larus")
    if reason:
        request.get_by_label("Reason").fill(reason)
    request.get_by_role("button", name=verdict).click()
    expect(page.get_by_text("No team asks to publish anything now.")).to_be_visible()


def assert_published(page: Any, id: str) -> None:
    """The board shows the method to whoever comes, and not where it came from."""
    page.goto("/")
    page.get_by_role("link", name="Larus").first.click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Larus")
    assert id not in page.content()
    assert "gulls" not in page.content()
    page.get_by_role("link", name="Team", exact=True).click()
    expect(page.get_by_text("Signed in as terns.")).to_be_visible()


def test_the_whole_report_of_what_is_faulty(
    browser: Any, board: Board, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Every fault with every one of its words, as the command line tells them."""
    card = write_card(tmp_path / "card.yaml", year=None, yeer=2024, parameters="many")
    with np.load(write_vectors(tmp_path / "sound.npz", 4)) as sound:
        arrays = dict(sound)
    arrays["image"][3, 4] = np.nan
    arrays["text_ids"][0] = "text/99"
    vectors = tmp_path / "submission.npz"
    np.savez(vectors, **arrays)
    with pytest.raises(SystemExit):
        main(["check", str(vectors), "--benchmark", str(board.ground), "--json"])
    told = json.loads(capsys.readouterr().out)["faults"]
    with opened(browser, board) as page:
        sign_in(page, board, "auks")
        choose(page, vectors, card)
        page.get_by_role("button", name="Hand in").click()
        assert follow(page)[-1] == "failed"
        page.get_by_role("heading", name=re.compile(r"^\d+ faults$")).wait_for()
        report = words(page)
        assert page.locator(".faults > li").count() == len(told) + 3
        for fault in told:
            for label in ("code", "title", "found", "expected", "why", "fix"):
                assert " ".join(fault[label].split()) in report, label
        for expected in ("no year", "did you mean year?", "parameters", "a whole number"):
            assert expected in report
        assert str(board.ground.parent) not in page.content()
        page.goto("/team/")
        expect(page.get_by_role("row", name=re.compile("failed"))).to_contain_text("faults in what")


def test_without_javascript_the_forms_do(browser: Any, board: Board, tmp_path: Path) -> None:
    vectors = write_vectors(tmp_path / "s.npz", 2)
    card = write_card(tmp_path / "card.yaml", method="Sterna")
    with opened(browser, board, loud=True, java_script_enabled=False) as page:
        page.get_by_label("Token").fill(HOSTILE)
        page.get_by_role("button", name="Sign in").click()
        expect(page.get_by_role("alert")).to_contain_text("This is no team's token.")
        sign_in(page, board, "terns")
        choose(page, vectors, card)
        page.get_by_role("button", name="Hand in").click()
        id = id_of(page)
        assert follow(page)[-1] == "done", "the page loads itself again"
        page.get_by_role("button", name="Ask to publish").click()
        assert "who have yet to decide" in words(page)
        with opened(browser, board, java_script_enabled=False) as admin:
            sign_in(admin, board, "keeper")
            request = admin.get_by_role("region", name="Sterna")
            request.get_by_label("Reason").fill("Not yet")
            request.get_by_role("button", name="Refuse").click()
            expect(admin.get_by_text("No team asks")).to_be_visible()
        page.reload()
        assert "An admin said: Not yet" in words(page)
        page.get_by_text("Withdraw…").click()
        page.get_by_role("button", name="Withdraw and delete").click()
        assert "It is withdrawn" in words(page)
        page.get_by_role("button", name="Sign out").click()
        expect(page.get_by_role("heading", name="Hand in to this board")).to_be_visible()
        page.goto(f"/team/submissions/{id}")
        assert "you are not signed in" in words(page).casefold()


@pytest.fixture(scope="module")
def listed(board: Board, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The ids of submissions of one team by what has become of them, with markup in every field."""
    folder = tmp_path_factory.mktemp("listed")
    texts = ("backbone", "paper", "command", "licence", "notes", "extra_data")
    spoilt = dict.fromkeys(texts, HOSTILE)
    lists = {"authors": [HOSTILE, "B. Person"], "deviations": {HOSTILE: HOSTILE}}
    found = {}
    for seed, name in enumerate(("published", "refused", "requested", "withdrawn")):
        card = folder / f"{name}.yaml"
        write_card(card, method=f"{name} {HOSTILE}", **spoilt, **lists)
        found[name] = board.hand_in("petrels", write_vectors(folder / f"{name}.npz", seed), card)
    card = write_card(
        folder / "failed.yaml", method="failed", **{HOSTILE: HOSTILE, "year": HOSTILE}
    )
    found["failed"] = board.hand_in("petrels", write_vectors(folder / "failed.npz", 9), card)
    assert board.act("petrels", "DELETE", f"/submissions/{found['withdrawn']}") == 200
    board.wait("petrels", *(id for name, id in found.items() if name != "withdrawn"))
    for name in ("published", "refused", "requested"):
        assert board.act("petrels", "POST", f"/submissions/{found[name]}/publication") == 200
    publications = "/publications"
    assert board.act("keeper", "POST", f"{publications}/{found['published']}/approval") == 200
    refusal = f"{publications}/{found['refused']}/refusal"
    assert board.act("keeper", "POST", refusal, reason=HOSTILE) == 200
    wait(lambda: board.shows("published"), SCORED_S)
    return found


def tour(browser: Any, board: Board, listed: dict[str, str], **screen: Any) -> Iterator[Any]:
    """A browser at each kind of page in turn; none of them says anything on the console."""
    with opened(browser, board, **screen) as page:
        yield page
        page.goto("/submit.html")
        yield page
        page.goto("/team/")
        yield sign_in(page, board, "petrels")
        for id in listed.values():
            page.goto(f"/team/submissions/{id}")
            yield page
    with opened(browser, board, loud=True, **screen) as page:
        yield sign_in(page, board, "keeper")
        page.goto(f"/team/submissions/{NOBODY}")
        yield page


@pytest.mark.parametrize("screen", SCREENS)
def test_every_page_fits_and_is_silent(
    browser: Any, board: Board, listed: dict[str, str], screen: dict[str, Any]
) -> None:
    for page in tour(browser, board, listed, **screen):
        assert_fits(page)


@pytest.mark.parametrize("screen", SCREENS[:2])
def test_nobody_is_shut_out(
    browser: Any, board: Board, listed: dict[str, str], screen: dict[str, Any]
) -> None:
    for page in tour(browser, board, listed, **screen):
        assert_open_to_all(page)


@pytest.mark.parametrize("screen", SCREENS[:2])
def test_what_waits_says_so(
    browser: Any, board: Board, tmp_path: Path, screen: dict[str, Any]
) -> None:
    card = write_card(tmp_path / "card.yaml")
    files = [write_vectors(tmp_path / f"{seed}.npz", seed) for seed in range(20, 24)]
    with opened(browser, board, **screen) as page:
        sign_in(page, board, "auks")
        waiting = [board.hand_in("auks", file, card) for file in files]
        # Else the page would be loaded anew under the test.
        page.route("**/team/states", lambda route: route.fulfill(json={"submissions": []}))
        page.goto(f"/team/submissions/{waiting[-1]}")
        expect(page.get_by_role("status")).to_have_text("It waits for its turn.")
        assert_fits(page)
        assert_open_to_all(page)
        page.goto("/team/")
        expect(page.get_by_text("Waiting", exact=True).locator("+ dd")).to_have_text(
            re.compile("[1-4] of 5")
        )
        assert_fits(page)
        assert_open_to_all(page)
    for id in waiting:
        assert board.act("auks", "DELETE", f"/submissions/{id}") == 200


def test_markup_in_every_field_is_text(
    browser: Any, board: Board, listed: dict[str, str], tmp_path: Path
) -> None:
    named = tmp_path / "<img src=x onerror=alert(1)>.npz"
    named.write_bytes(b"no archive")
    with opened(browser, board) as team, opened(browser, board) as admin:
        sign_in(team, board, "petrels")
        choose(team, named, write_card(tmp_path / f"{HOSTILE.replace('/', '')}.yaml"))
        team.get_by_role("button", name="Hand in").click()
        assert follow(team)[-1] == "failed"
        assert "onerror" not in team.content()
        sign_in(admin, board, "keeper")
        for page, path in (
            (team, "/team/"),
            *(
                (team, f"/team/submissions/{listed[name]}")
                for name in listed
                if name != "withdrawn"
            ),
            (admin, "/admin/"),
            (admin, f"/team/submissions/{listed['requested']}"),
            (team, "/"),
        ):
            page.goto(path)
            assert HOSTILE in words(page), path
            assert page.locator("script:not([src])").count() == 0
        team.get_by_role("link", name=f"published {HOSTILE}").first.click()
        expect(team.get_by_role("heading", level=1)).to_have_text(f"published {HOSTILE}")
        assert words(team).count(HOSTILE) >= 8
