"""Players in a page: where they take their sound from."""

from __future__ import annotations

import pytest

from fgbench.collect.sites.base import Response
from fgbench.collect.sites.players import sources, tree


def sources_of(body: bytes, *tags: str) -> tuple[str, ...]:
    return sources(tree(Response("https://a.example/", 200, {}, body, "", "sha256:0")), *tags)


def test_sources_are_in_the_pages_order_none_twice():
    body = b"<audio src=b><source src=' a '></audio><!-- <audio src=c> --><audio src=b><audio>"
    assert sources_of(body, "audio", "source") == ("b", "a")
    assert sources_of(body, "iframe") == ()


@pytest.mark.parametrize("body", [b"", b" ", b"\x00", b"<", b"\xff\xfe", b"<audio" * 10_000])
def test_broken_pages_have_none(body):
    assert sources_of(body, "source") == ()


def test_a_deep_page_is_read_in_no_time():
    assert sources_of(b"<p><div>" * 200_000 + b"<source src=x>", "source") in ((), ("x",))
