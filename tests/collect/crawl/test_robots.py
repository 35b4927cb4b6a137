from __future__ import annotations

import pytest

from fgbench.collect.crawl.robots import Rules
from fgbench.collect.sites.base import Failure

URL = "https://aviary.example/guide/owl?x=1"


def rules(text: str) -> Rules:
    return Rules(200, text.encode(), longest_delay=300)


@pytest.mark.parametrize(
    ("text", "allowed"),
    [
        ("", True),
        ("User-agent: *\nDisallow: /", False),
        ("User-agent: *\nDisallow: /guide", False),
        ("User-agent: *\nDisallow: /*?x=", False),
        ("User-agent: *\nDisallow: /guide$", True),
        ("User-agent: *\nDisallow: /\nAllow: /guide/", True),
        ("User-agent: *\nDisallow: /\n\nUser-agent: fgbench\nDisallow:", True),
        ("User-agent: fgbench\nDisallow: /\n\nUser-agent: *\nDisallow:", False),
        ("User-agent: otherbot\nDisallow: /", True),
        ("\ufeffUser-agent: *\nDisallow: /", False),
        ("<html>not robots at all", True),
    ],
)
def test_who_may_what(text, allowed):
    assert (rules(text).ban(URL) is None) is allowed


@pytest.mark.parametrize(
    ("line", "delay"),
    [
        ("Crawl-delay: 2.5", 2.5),
        ("Request-rate: 1/10s", 10.0),
        ("Crawl-delay: -3", 0.0),
        ("Crawl-delay: nan", 0.0),
        ("Crawl-delay: inf", 0.0),
        (f"Request-rate: {'9' * 400}/1s", 0.0),
        ("Crawl-delay: many", 0.0),
    ],
)
def test_delays(line, delay):
    found = rules(f"User-agent: *\n{line}")
    assert found.delay == delay
    assert found.ban(URL) is None


@pytest.mark.parametrize(
    "line", ["Crawl-delay: 86400", "Crawl-delay: 1e300", f"Request-rate: 1/{'9' * 400}s"]
)
def test_a_delay_beyond_patience_is_a_ban(line):
    kind, detail = rules(f"User-agent: *\n{line}").ban(URL)
    assert kind is Failure.REFUSED_BY_ROBOTS
    assert "more than a run keeps to (300 s)" in detail


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (404, None),
        (410, None),
        (400, None),
        (401, Failure.REFUSED_BY_ROBOTS),
        (403, Failure.REFUSED_BY_ROBOTS),
        (429, Failure.ROBOTS_UNAVAILABLE),
        (301, Failure.ROBOTS_UNAVAILABLE),
        (500, Failure.ROBOTS_UNAVAILABLE),
        (None, Failure.ROBOTS_UNAVAILABLE),
    ],
)
def test_where_there_are_none(status, kind):
    ban = Rules(status, b"User-agent: *\nDisallow:", 300).ban(URL)
    assert (ban and ban[0]) is kind
