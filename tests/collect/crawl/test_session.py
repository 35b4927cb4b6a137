"""What a session answers, what it asks, what it writes: against servers that misbehave."""

from __future__ import annotations

import gzip
import hashlib
import logging
import re
import threading
import time
import zlib
from urllib.parse import quote

import pytest

from fgbench.collect.crawl.http import Limits
from fgbench.collect.crawl.journal import State
from fgbench.collect.crawl.pace import Patience
from fgbench.collect.crawl.session import CrawlSession
from fgbench.collect.sites.base import Auth, Failure, FetchFailed, Hit
from fgbench.errors import InputError
from fgbench.settings import Settings

HOME = "https://aviary.example"


def failure(session: CrawlSession, url: str) -> tuple[Failure, str]:
    with pytest.raises(FetchFailed) as caught:
        session.get(url)
    assert caught.value.url == session.canonical(url)
    return caught.value.kind, caught.value.detail


def test_an_answer_is_whole_canonical_and_dated(crawl, server, wire):
    server.routes["/owl"] = wire.status(200, b"<p>hoot", Content_Type="text/html", X_Twice="a")
    response = crawl().get(f"{HOME}:443/owl#top")
    assert (response.url, response.status, response.body) == (f"{HOME}/owl", 200, b"<p>hoot")
    assert response.headers["content-type"] == "text/html"
    assert response.date == "2026-11-01T12:00:00Z"
    assert response.final_url == ""
    assert response.digest == f"sha256:{hashlib.sha256(b'<p>hoot').hexdigest()}"


def test_it_says_who_asks_and_keeps_no_cookies(crawl, server, wire):
    server.routes["/a"] = wire.status(200, b"a", Set_Cookie="visitor=17; Path=/")
    session = crawl()
    session.get(f"{HOME}/a")
    session.get(f"{HOME}/b")
    agent = r"fgbench/\S+ \(\+you@lab\.example\) requests/\S+"
    assert all(re.fullmatch(agent, h["user-agent"]) for h in server.headers)
    assert not any("cookie" in h for h in server.headers)
    assert "set-cookie" not in session.get(f"{HOME}/a").headers


def test_a_known_url_is_answered_from_the_store_also_by_the_next_run(crawl, server, wire):
    server.routes["/owl"] = wire.status(200, b"hoot", X_Robots_Tag="noindex")
    first = crawl().get(f"{HOME}/owl")
    again = crawl()
    assert again.get(f"{HOME}/owl") == first
    assert crawl(offline=True).get(f"{HOME}/owl") == first
    assert server.asked == ["/robots.txt", "/owl"]


def test_offline_asks_nothing_and_says_what_is_missing(crawl, server):
    kind, detail = failure(crawl(offline=True), f"{HOME}/owl")
    assert (kind, detail) == (Failure.OFFLINE, "offline, and not in the store")
    assert server.asked == []
    assert list(crawl().journal.fetches()) == []


def test_a_404_is_an_answer(crawl, server, wire):
    server.routes["/dodo"] = wire.status(410, b"gone")
    session = crawl()
    assert (session.get(f"{HOME}/moa").status, session.get(f"{HOME}/dodo").body) == (404, b"gone")
    assert session.journal.find(f"{HOME}/moa").state is State.ABSENT


def test_gzip_and_deflate_are_undone_and_the_store_says_so(crawl, server, wire):
    text = "Black-footed Albatross " * 100
    packed = gzip.compress(text.encode()[:50]) + gzip.compress(text.encode()[50:]) + b"\0\0"
    server.routes["/gzip"] = wire.status(200, packed, Content_Encoding="gzip")
    server.routes["/zlib"] = wire.status(
        200, zlib.compress(text.encode()), Content_Encoding="deflate"
    )
    bare = zlib.compressobj(wbits=-15)
    body = bare.compress(text.encode()) + bare.flush()
    server.routes["/bare"] = wire.status(200, body, Content_Encoding="deflate")
    session = crawl()
    for path in ("/gzip", "/zlib", "/bare"):
        response = session.get(HOME + path)
        assert response.text() == text
        assert response.headers["content-length"] == str(len(text))
        assert "content-encoding" not in response.headers
    assert response.headers["x-archive-orig-content-encoding"] == "deflate"


def test_500s_pass_after_waiting(crawl, server, wire, clock):
    server.routes["/owl"] = wire.in_turn(
        wire.status(500), wire.status(503), wire.status(200, b"hoot")
    )
    session = crawl()
    assert session.get(f"{HOME}/owl").body == b"hoot"
    assert clock.slept == [1.0, 2.0, 4.0]  # the pace after robots.txt, then the backoff
    assert session.journal.find(f"{HOME}/owl").attempts == 3


@pytest.mark.parametrize(
    ("header", "wait"),
    [("7", 7.0), ("Sun, 01 Nov 2026 12:00:31 GMT", 30.0), ("soon", 60.0), ("-5", 60.0)],
)
def test_retry_after_is_honoured_as_number_and_as_date(crawl, server, wire, clock, header, wait):
    server.routes["/owl"] = wire.in_turn(
        wire.status(429, Retry_After=header), wire.status(200, b"hoot")
    )
    assert crawl().get(f"{HOME}/owl").body == b"hoot"
    assert clock.slept == [1.0, wait]


def test_a_429_storm_puts_the_host_off_and_is_recorded(crawl, server, wire, clock):
    server.routes["/a"] = server.routes["/b"] = wire.status(429)
    session = crawl()
    assert failure(session, f"{HOME}/a") == (
        Failure.RATE_LIMITED,
        "the host answered 429 Too Many Requests",
    )
    kind, detail = failure(session, f"{HOME}/b")
    assert (kind, detail) == (Failure.PUT_OFF, "the host asked 4 times to be asked less (429)")
    assert server.asked == ["/robots.txt", *["/a"] * 4]
    assert clock.slept == [1.0, 60.0, 60.0, 60.0]
    assert failure(crawl(), f"{HOME}/b") == (kind, detail)  # a failure is replayed too
    assert len(server.asked) == 5


def test_a_wait_beyond_the_cap_is_not_sat_out(crawl, server, wire, clock):
    server.routes["/a"] = wire.status(503, Retry_After="86400")
    session = crawl()
    assert failure(session, f"{HOME}/a")[0] is Failure.HTTP_5XX
    assert failure(session, f"{HOME}/b") == (
        Failure.PUT_OFF,
        "the host asked for a wait of 86400 s, longer than a run waits",
    )
    assert clock.slept == [1.0]


def test_retry_failed_asks_again_once_a_run_and_only_for_what_failed(crawl, server, wire):
    server.routes |= {"/good": wire.status(200, b"good"), "/bad": wire.status(403)}
    session = crawl()
    session.get(f"{HOME}/good")
    assert failure(session, f"{HOME}/bad") == (Failure.HTTP_4XX, "the host answered 403 Forbidden")
    server.asked.clear()
    session = crawl(retry_failed=True)
    for _ in range(2):
        session.get(f"{HOME}/good")
        failure(session, f"{HOME}/bad")
    assert server.asked == ["/robots.txt", "/bad"]
    assert failure(crawl(offline=True, retry_failed=True), f"{HOME}/bad")[0] is Failure.HTTP_4XX
    server.routes["/bad"] = wire.status(200, b"mended")
    failure(crawl(), f"{HOME}/bad")
    assert crawl(retry_failed=True).get(f"{HOME}/bad").body == b"mended"
    session = crawl()
    assert session.get(f"{HOME}/bad").body == b"mended"
    assert session.journal.find(f"{HOME}/bad").attempts == 3


def test_a_host_that_never_answers_is_left_alone_after_three_urls(crawl, server, wire, clock):
    silence = threading.Event()
    for path in ("/1", "/2", "/3", "/4"):
        server.routes[path] = wire.raw(then=lambda: silence.wait(5))
    session = crawl(
        limits=Limits(connect=1, read=0.1, deadline=5), patience=Patience(tries=2, strikes=3)
    )
    kinds = [failure(session, f"{HOME}/{n}") for n in range(1, 5)]
    silence.set()
    assert kinds[:3] == [(Failure.TIMEOUT, "no answer in time")] * 3
    assert kinds[3] == (Failure.PUT_OFF, "the host failed 3 requests in a row")
    assert len(server.asked) == 1 + 3 * 2


def test_a_host_that_answers_now_and_then_is_not_left_alone(crawl, server, wire):
    server.routes |= {"/bad": wire.status(500), "/good": wire.status(200, b"good")}
    session = crawl(patience=Patience(tries=1, strikes=2))
    for n in range(3):
        assert failure(session, f"{HOME}/bad?{n}")[0] is Failure.HTTP_5XX
        assert session.get(f"{HOME}/good?{n}").body == b"good"


@pytest.mark.parametrize("where", ["headers", "body", "chunks"])
def test_a_dripping_answer_ends_at_the_deadline(crawl, server, wire, where):
    heads = {
        "headers": b"HTTP/1.1 200 OK\r\nX-Slow: ",
        "body": b"HTTP/1.1 200 OK\r\n\r\n",
        "chunks": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
    }

    def drip(handler):
        handler.close_connection = True
        handler.wfile.write(heads[where])
        for _ in range(100):
            handler.wfile.write(b"1\r\na\r\n" if where == "chunks" else b"a")
            handler.wfile.flush()
            time.sleep(0.05)

    server.routes["/slow"] = drip
    session = crawl(
        limits=Limits(connect=1, read=1, deadline=0.3), patience=Patience(tries=1, strikes=9)
    )
    start = time.monotonic()
    assert failure(session, f"{HOME}/slow") == (Failure.TIMEOUT, "no whole answer in 0.3 s")
    assert time.monotonic() - start < 4  # the drip lasts 5 s, no read of it longer than 0.05 s


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nhalf",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3e8\r\nhalf",
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 20\r\n"
        b"Connection: close\r\n\r\n"  # this body ends, but no further answer will come
        + gzip.compress(b"half of this is lost", mtime=0)[:20],
    ],
    ids=["length", "chunked", "gzip"],
)
def test_a_truncated_body_is_asked_for_again_and_never_kept(crawl, server, wire, answer):
    server.routes["/owl"] = wire.in_turn(wire.raw(answer), wire.status(200, b"whole"))
    assert crawl().get(f"{HOME}/owl").body == b"whole"
    server.routes["/eagle"] = wire.raw(answer)
    session = crawl()
    assert failure(session, f"{HOME}/eagle")[0] is Failure.TRUNCATED
    assert session.journal.find(f"{HOME}/eagle").place is None


def test_two_gigabytes_are_refused_by_their_header(crawl, server, wire):
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 2147483648\r\n\r\n"
    server.routes["/huge"] = wire.raw(head, then=lambda: time.sleep(0.05))
    kind, detail = failure(crawl(), f"{HOME}/huge")
    assert (kind, detail) == (Failure.TOO_LARGE, "2147483648 bytes over 100000 bytes")


def test_a_body_without_end_is_cut_at_the_cap(crawl, server):
    sent = []

    def pour(handler):
        handler.close_connection = True
        handler.wfile.write(b"HTTP/1.1 200 OK\r\n\r\n")
        for _ in range(2000):
            handler.wfile.write(b"x" * 2**20)
            sent.append(2**20)

    server.routes["/huge"] = pour
    session = crawl()
    assert failure(session, f"{HOME}/huge")[0] is Failure.TOO_LARGE
    assert server.asked == ["/robots.txt", "/huge"]  # not tried again
    assert sum(sent) < 100 * 2**20


@pytest.mark.parametrize("members", [1, 3])
def test_a_gzip_bomb_is_not_unpacked(crawl, server, wire, members):
    bomb = gzip.compress(b"\0" * 40_000) * members if members > 2 else gzip.compress(b"\0" * 2**24)
    assert len(bomb) < 100_000
    server.routes["/bomb"] = wire.status(200, bomb, Content_Encoding="gzip")
    kind, detail = failure(crawl(), f"{HOME}/bomb")
    assert kind is Failure.TOO_LARGE
    assert detail == f"unpacked from {len(bomb)} bytes, a body over 100000 bytes"


@pytest.mark.parametrize("coding", ["gzip", "deflate", "br", "gzip, gzip"])
def test_a_false_content_encoding_is_a_failure(crawl, server, wire, coding):
    server.routes["/owl"] = wire.status(200, b"<p>hoot", Content_Encoding=coding)
    assert failure(crawl(), f"{HOME}/owl")[0] is Failure.BAD_ENCODING


def test_many_empty_gzip_members_do_not_cost_hours(crawl, server, wire):
    server.routes["/owl"] = wire.status(200, gzip.compress(b"") * 4000, Content_Encoding="gzip")
    assert failure(crawl(), f"{HOME}/owl") == (Failure.BAD_ENCODING, "more than 100 gzip members")


def test_redirects_are_followed_and_each_hop_is_a_page_of_its_own(crawl, server, wire):
    server.routes |= {
        "/cardinal": wire.status(301, Location="/guide/cardinal"),
        "/guide/cardinal": wire.status(302, Location=f"{HOME}/guide/northern"),
        "/guide/northern": wire.status(200, b"red"),
    }
    session = crawl()
    response = session.get(f"{HOME}/cardinal")
    assert (response.url, response.final_url) == (f"{HOME}/cardinal", f"{HOME}/guide/northern")
    assert session.get(f"{HOME}/guide/northern").body == b"red"
    assert crawl(offline=True).get(f"{HOME}/cardinal") == response
    assert server.asked == ["/robots.txt", "/cardinal", "/guide/cardinal", "/guide/northern"]


def test_the_body_of_a_redirect_is_capped_too(crawl, server, wire):
    bomb = gzip.compress(b"\0" * 2**24)
    head = b"HTTP/1.1 302 Found\r\nLocation: /b\r\nContent-Encoding: gzip\r\n"
    server.routes["/a"] = wire.raw(head + b"\r\n" + bomb)
    assert failure(crawl(), f"{HOME}/a")[0] is Failure.TOO_LARGE


def test_a_redirect_that_names_the_stand_in_is_a_redirect_to_the_site(crawl, server, wire):
    server.routes["/a"] = wire.status(301, Location=f"{server.url}/b")
    server.routes["/b"] = wire.status(200, b"b")
    assert crawl().get(f"{HOME}/a").final_url == f"{HOME}/b"


def test_headers_need_not_be_ascii_nor_on_one_line(crawl, server, wire):
    odd = 'Link: <https://a/Möwe>; rel="next"\r\nX-Folded: a\r\n\tb\r\nX-Nul: a\0b\r\n'.encode()
    server.routes |= {
        "/a": wire.raw(b"HTTP/1.1 302 Gefunden\r\nLocation: /M\xc3\xb6we\r\n\r\n"),
        "/M%C3%B6we": wire.raw(b"HTTP/1.1 200 Sch\xf6n\r\n" + odd + b"\r\nkri"),
    }
    response = crawl().get(f"{HOME}/a")
    assert (response.final_url, response.body) == (f"{HOME}/M%C3%B6we", b"kri")
    assert response.headers["link"] == '<https://a/M%C3%B6we>; rel="next"'
    assert response.headers["x-folded"] == "a b"


@pytest.mark.parametrize("length", [1, 2, 5])
def test_a_redirect_loop_ends(crawl, server, wire, length):
    for n in range(length):
        server.routes[f"/{n}"] = wire.status(302, Location=f"/{(n + 1) % length}")
    session = crawl()
    expected = (Failure.REDIRECT_LOOP, "a loop, or more than 5 redirects")
    assert failure(session, f"{HOME}/0") == expected
    assert failure(session, f"{HOME}/0") == expected
    assert len(server.asked) == 1 + length
    assert session.journal.find(f"{HOME}/0").state is State.FAILED


def test_the_sixth_redirect_is_one_too_many(crawl, server, wire):
    for n in range(7):
        server.routes[f"/{n}"] = wire.status(302, Location=f"/{n + 1}")
    server.routes["/7"] = wire.status(200, b"end")
    session = crawl()
    assert failure(session, f"{HOME}/0")[0] is Failure.REDIRECT_LOOP
    assert session.get(f"{HOME}/2").body == b"end"


@pytest.mark.parametrize(
    ("location", "kind"),
    [
        ("http://127.0.0.1:1/", Failure.PRIVATE_ADDRESS),
        ("http://169.254.169.254/latest/meta-data/", Failure.PRIVATE_ADDRESS),
        ("http://[::1]/", Failure.PRIVATE_ADDRESS),
        ("http://[::ffff:10.0.0.1]/", Failure.PRIVATE_ADDRESS),
        ("http://localhost/", Failure.PRIVATE_ADDRESS),
        ("https://elsewhere.example/", Failure.OFF_SITE),
        ("//elsewhere.example/", Failure.OFF_SITE),
        ("https://aviary.example:8443/", Failure.OFF_SITE),
        ("https://aviary.example.evil.example/", Failure.OFF_SITE),
        ("http://2130706433/", Failure.OFF_SITE),
        ("file:///etc/passwd", Failure.BAD_URL),
        ("gopher://aviary.example/", Failure.BAD_URL),
        ("https://user:secret@aviary.example/", Failure.BAD_URL),
        ("https://[/", Failure.BAD_URL),
    ],
)
def test_redirects_leave_neither_the_site_nor_the_public_network(
    crawl, server, wire, location, kind
):
    server.routes["/a"] = wire.status(302, Location=location)
    session = crawl()
    found, detail = failure(session, f"{HOME}/a")
    assert found is kind
    assert "secret" not in detail
    assert session.journal.find(f"{HOME}/a").state is State.REFUSED
    assert server.asked == ["/robots.txt", "/a"]


def test_another_host_is_followed_where_the_site_names_it(crawl, server, wire, site):
    aviary = site(hosts=("aviary.example", "www.aviary.example"))
    server.routes["/a"] = wire.status(301, Location="http://www.aviary.example/b")
    server.routes["/b"] = wire.status(200, b"b")
    assert crawl(aviary).get(f"{HOME}/a").final_url == "http://www.aviary.example/b"
    assert server.asked == ["/robots.txt", "/a", "/robots.txt", "/b"]  # each host has its rules


def test_the_sites_own_name_must_not_lead_to_a_private_address(tmp_path, clock, site):
    """``localhost`` stands for a name whose owner points it at the machine that asks."""
    settings = Settings(contact="you@lab.example")
    inward = site(hosts=("localhost",), rule="terms")
    with CrawlSession(tmp_path, [inward], settings, clock=clock) as session:
        kind, detail = failure(session, "http://localhost/")
    assert kind is Failure.PRIVATE_ADDRESS
    assert "which is not public" in detail


@pytest.mark.parametrize("url", ["https://elsewhere.example/", f"{HOME}:8443/"])
def test_foreign_hosts_are_not_asked_even_when_an_adapter_wants_it(crawl, server, url):
    assert failure(crawl(), url)[0] is Failure.OFF_SITE
    assert server.asked == []


def test_a_site_must_not_send_us_to_another_of_the_sites(crawl, server, wire, site):
    server.routes["/a"] = wire.status(302, Location="https://other.example/b")
    session = crawl(site(), site("other"))
    assert failure(session, f"{HOME}/a")[0] is Failure.OFF_SITE
    assert session.get("https://other.example/b").status == 404


def test_robots_are_asked_once_a_run_and_obeyed(crawl, server, wire):
    server.routes |= {
        "/robots.txt": wire.status(200, b"User-agent: *\nDisallow: /private\nCrawl-delay: 9"),
        "/open": wire.status(200, b"open"),
    }
    session = crawl()
    assert session.get(f"{HOME}/open").body == b"open"
    assert failure(session, f"{HOME}/private/x") == (
        Failure.REFUSED_BY_ROBOTS,
        "robots.txt disallows it",
    )
    assert failure(session, f"{HOME}/a/../private/x")[0] is Failure.REFUSED_BY_ROBOTS
    assert session.journal.find(f"{HOME}/private/x").state is State.REFUSED
    assert server.asked == ["/robots.txt", "/open"]
    crawl().get(f"{HOME}/open")
    assert server.asked == ["/robots.txt", "/open"]  # nothing was to be asked, so neither were they
    crawl().get(f"{HOME}/new")
    assert server.asked[2:] == ["/robots.txt", "/new"]


def test_the_crawl_delay_is_kept_to(crawl, server, wire, clock):
    server.routes["/robots.txt"] = wire.status(200, b"User-agent: fgbench\nCrawl-delay: 9")
    session = crawl()
    for n in range(3):
        session.get(f"{HOME}/{n}")
    assert clock.slept == [1.0, 9.0, 9.0]


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (503, Failure.ROBOTS_UNAVAILABLE),
        (429, Failure.ROBOTS_UNAVAILABLE),
        (403, Failure.REFUSED_BY_ROBOTS),
        (401, Failure.REFUSED_BY_ROBOTS),
    ],
)
def test_where_robots_cannot_be_had_nothing_is_asked(crawl, server, wire, code, kind):
    server.routes |= {"/robots.txt": wire.status(code), "/owl": wire.status(200, b"hoot")}
    session = crawl()
    assert failure(session, f"{HOME}/owl")[0] is kind
    assert "/owl" not in server.asked
    server.routes["/robots.txt"] = wire.status(404)
    assert crawl(retry_failed=True).get(f"{HOME}/owl").body == b"hoot"


@pytest.mark.parametrize("to", ["/rules", "https://elsewhere.example/robots.txt", "/robots.txt"])
def test_robots_redirects_are_followed_on_the_site_alone(crawl, server, wire, to):
    server.routes |= {
        "/robots.txt": wire.status(301, Location=to),
        "/rules": wire.status(200, b"User-agent: *\nDisallow: /b"),
        "/a": wire.status(200, b"a"),
    }
    session = crawl()
    if to == "/rules":
        assert session.get(f"{HOME}/a").body == b"a"
        assert failure(session, f"{HOME}/b")[0] is Failure.REFUSED_BY_ROBOTS
    else:
        assert failure(session, f"{HOME}/a")[0] is Failure.ROBOTS_UNAVAILABLE
        assert "/a" not in server.asked


def test_an_api_under_its_own_terms_is_not_ruled_by_robots(crawl, server, wire, site):
    server.routes |= {
        "/robots.txt": wire.status(200, b"User-agent: *\nDisallow: /"),
        "/api": wire.status(200, b"{}"),
    }
    assert crawl(site(rule="the API's etiquette")).get(f"{HOME}/api").body == b"{}"
    assert server.asked == ["/api"]


@pytest.mark.parametrize(
    ("tag", "refused"),
    [
        ("noai", True),
        ("noindex, NoImageAI", True),
        ("fgbench: noai", True),
        ("otherbot: noai", False),
        ("otherbot: noindex, noai", False),
        ("noindex, nofollow", False),
    ],
)
def test_noai_is_honoured_and_its_page_not_kept(crawl, server, wire, folder, tag, refused):
    server.routes["/owl"] = wire.status(200, b"a page that must not be kept", X_Robots_Tag=tag)
    session = crawl()
    if not refused:
        assert session.get(f"{HOME}/owl").status == 200
        return
    assert failure(session, f"{HOME}/owl")[0] is Failure.NOAI
    assert session.journal.find(f"{HOME}/owl").place is None
    store = b"".join(gzip.decompress(f.read_bytes()) for f in folder.glob("store/*"))
    assert b"must not be kept" not in store


KEY = "tit+mouse/4711&x"
AUTHS = {
    "parameter": Auth("FGBENCH_AVIARY_KEY", f"{HOME}/api/", parameter="key"),
    "header": Auth("FGBENCH_AVIARY_KEY", f"{HOME}/api/", header="Authorization", scheme="Token"),
}


@pytest.mark.parametrize("way", ["parameter", "header"])
def test_a_key_goes_to_its_site_and_nowhere_else(crawl, server, wire, site, folder, caplog, way):
    """Not into the store, the journal, a log or a message: a site repeats it in all its answers."""
    echo = f'{{"next": "{HOME}/api/2?key={quote(KEY, safe="")}&page=2", "you": "{KEY}"}}'.encode()
    server.routes |= {
        "/api/1": wire.status(200, echo, X_Your_Key=KEY),
        "/api/2": wire.status(401, echo),
        "/api/3": wire.status(302, Location=f"/api/1?key={quote(KEY, safe='')}"),
        "/api/4": wire.raw(b"HTTP/1.1 200 OK\r\nBroken header\r\n\r\n" + KEY.encode()),
        "/api/5": wire.raw(b"nonsense " + KEY.encode()),
        "/page": wire.status(200, b"page"),
    }
    caplog.set_level(logging.DEBUG)
    keyed = site(auth=AUTHS[way], rule="terms")
    session = crawl(keyed, keys={"FGBENCH_AVIARY_KEY": KEY}, patience=Patience(tries=1, strikes=9))
    assert session.has_key("FGBENCH_AVIARY_KEY")
    assert not session.has_key("FGBENCH_OTHER_KEY")
    first = session.get(f"{HOME}/api/1")
    assert first.body.count(b"[key]") == 2
    said = [str(first), repr(session._keys)]
    for n in (2, 3, 4, 5):
        try:
            session.get(f"{HOME}/api/{n}?page=1")
        except FetchFailed as error:
            said += [str(error), repr(error), repr(error.__cause__)]
    session.get(f"{HOME}/page")
    following = session.canonical(f"{HOME}/api/2?key={quote(KEY, safe='')}&page=2")
    assert following == f"{HOME}/api/2?page=2"

    with_key = [
        quote(KEY, safe="") in p or KEY in str(h)
        for p, h in zip(server.asked, server.headers, strict=True)
    ]
    assert with_key == [path.startswith("/api/") for path in server.asked]
    assert failure(session, f"{HOME}/api/2?page=1") == (
        Failure.KEY_REFUSED,
        "the host answered 401 Unauthorized: check FGBENCH_AVIARY_KEY",
    )
    session.__exit__()
    said += [r.getMessage() for r in caplog.records]
    assert any("/api/1" in line for line in said)
    written = [p.read_bytes() for p in folder.rglob("*") if p.is_file()]
    written += [gzip.decompress(p.read_bytes()) for p in folder.glob("store/*.gz")]
    assert any(b"[key]" in w for w in written)
    for form in (KEY, quote(KEY, safe=""), quote(KEY)):
        assert not any(form in line for line in said)
        assert not any(form.encode() in w for w in written)


def test_without_its_key_nothing_is_asked(crawl, server, site):
    keyed = site(auth=AUTHS["header"])
    for options in ({}, {"offline": True}):
        kind, detail = failure(crawl(keyed, **options), f"{HOME}/api/1")
        assert (kind, detail) == (Failure.NO_KEY, "needs a key of your own: set FGBENCH_AVIARY_KEY")
    assert server.asked == []


def test_the_real_network_needs_a_contact(tmp_path, site):
    with pytest.raises(InputError, match=r"FG-W001.*aviary would be asked"):
        CrawlSession(tmp_path, [site()], Settings())
    with CrawlSession(tmp_path, [site()], Settings(), offline=True) as session:
        assert failure(session, f"{HOME}/owl")[0] is Failure.OFFLINE


def test_a_wayback_copy_goes_to_the_archives_stand_in_at_its_own_pace(
    new_server, wire, site, clock, folder
):
    archive = new_server()
    old = "https://birdsna.example/Species-Account/bna/species/bkfalb"
    archive.routes[f"/web/20190101000000id_/{old}"] = wire.status(200, b"old page")
    own = site("birdsna", hosts=("birdsna.example", "web.archive.org"))
    settings = Settings(
        sites={"FGBENCH_SITE_WAYBACK_URL": archive.url, "FGBENCH_SITE_BIRDSNA_URL": archive.url}
    )
    with CrawlSession(folder, [own], settings, clock=clock) as session:
        url = f"https://web.archive.org/web/20190101000000id_/{old}"
        assert session.get(url).body == b"old page"
        session.get("https://web.archive.org/cdx/search/cdx?url=birdsna.example/a")
        session.get("https://web.archive.org/cdx/search/cdx?url=birdsna.example/b")
    assert clock.slept == [0.125, 2.5]
    assert "/robots.txt" not in archive.asked


def test_events_tell_who_waits_for_whom(crawl, server, wire, clock):
    seen = []
    session = crawl(watch=lambda host, event, figure: seen.append((host, event.value, figure)))
    session.get(f"{HOME}/a")
    session.get(f"{HOME}/a")
    host = "aviary.example"
    assert seen == [
        (host, "asked", 1),
        (host, "waiting", 1.0),
        (host, "asked", 1),
        (host, "replayed", 1),
    ]


def test_two_threads_ask_one_url_once(crawl, server, wire):
    server.routes["/owl"] = wire.status(200, b"hoot")
    session = crawl()
    threads = [threading.Thread(target=session.get, args=(f"{HOME}/owl",)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert server.asked == ["/robots.txt", "/owl"]


def test_hits_are_linked(crawl):
    session = crawl()
    hit = Hit("aviary", 0, "Black-footed Albatross", f"{HOME}/bkfalb", "bkfalb", "Albatross")
    session.link(hit)
    session.link(hit)
    rows = session.journal._db.execute("SELECT * FROM hit").fetchall()
    assert [tuple(row) for row in rows] == [
        ("aviary", 0, f"{HOME}/bkfalb", "Black-footed Albatross", "bkfalb", "Albatross")
    ]
