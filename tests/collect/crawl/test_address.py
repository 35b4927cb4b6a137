from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fgbench.collect.crawl.address import WAYBACK, Addresses, origins_of
from fgbench.collect.sites.base import Auth, Failure, FetchFailed
from fgbench.settings import Settings, variable


@pytest.fixture
def addresses(site):
    sites = [
        site("wikipedia", hosts=("en.wikipedia.org", "www.wikipedia.org")),
        site("freesound", auth=Auth("FGBENCH_FREESOUND_TOKEN", "https://x/", parameter="token")),
        site("birdsna", hosts=("birdsna.org", "web.archive.org")),
    ]
    bases = {
        variable("wikipedia"): "http://127.0.0.1:8080",
        variable("wayback"): "http://127.0.0.1:8081",
    }
    return Addresses(origins_of(sites), Settings(sites=bases))


@pytest.mark.parametrize(
    ("url", "canonical"),
    [
        ("https://EN.Wikipedia.org:443/w/api.php", "https://en.wikipedia.org/w/api.php"),
        ("https://en.wikipedia.org", "https://en.wikipedia.org/"),
        ("https://en.wikipedia.org./a", "https://en.wikipedia.org/a"),
        ("https://en.wikipedia.org/a?b=1#c", "https://en.wikipedia.org/a?b=1"),
        ("https://en.wikipedia.org/a/../b/./c", "https://en.wikipedia.org/b/c"),
        ("https://en.wikipedia.org/Brandt's?x=a b", "https://en.wikipedia.org/Brandt's?x=a%20b"),
        ("https://en.wikipedia.org/Möwe", "https://en.wikipedia.org/M%C3%B6we"),
        ("http://127.0.0.1:8080/wiki/A", "https://en.wikipedia.org/wiki/A"),
        ("http://127.0.0.1:8081/web/1/http://a//b", "https://web.archive.org/web/1/http://a//b"),
        ("https://freesound.example/s?token=abc&page=2", "https://freesound.example/s?page=2"),
        ("https://freesound.example/s?token=abc", "https://freesound.example/s"),
        ("https://freesound.example/s?a=%5Bkey%5D", "https://freesound.example/s"),
        ("https://freesound.example/s?tokens=abc", "https://freesound.example/s?tokens=abc"),
    ],
)
def test_canonical(addresses, url, canonical):
    assert addresses.canonical(url) == canonical
    assert addresses.canonical(canonical) == canonical


def test_a_stand_in_is_the_host_that_was_asked(addresses):
    near = "http://www.wikipedia.org/a"
    assert addresses.canonical("http://127.0.0.1:8080/b", near) == "http://www.wikipedia.org/b"
    assert addresses.canonical("b?c=1", near) == "http://www.wikipedia.org/b?c=1"


def test_an_override_covers_every_host_of_its_site_and_no_archive(addresses):
    for url, address in {
        "https://en.wikipedia.org/w/api.php?a=b": "http://127.0.0.1:8080/w/api.php?a=b",
        "http://www.wikipedia.org/": "http://127.0.0.1:8080/",
        "https://birdsna.org/x": "https://birdsna.org/x",
        "https://web.archive.org/web/1id_/https://birdsna.org/x": (
            "http://127.0.0.1:8081/web/1id_/https://birdsna.org/x"
        ),
    }.items():
        assert addresses.address(url) == address
    assert addresses.admitted == {("127.0.0.1", 8080), ("127.0.0.1", 8081)}
    assert addresses.real == ("birdsna", "freesound")


def test_the_archive_has_its_limits(addresses):
    assert addresses.origin("https://web.archive.org/web/1/x") is WAYBACK
    index = 60 / WAYBACK.pace_of("https://web.archive.org/cdx/search/cdx?url=/web/")
    copies = 60 / WAYBACK.pace_of("https://web.archive.org/web/20190101id_/https://a/")
    assert (index, copies) == (24, 480)


@pytest.mark.parametrize(
    "url",
    ["", "no url", "ftp://a/b", "https://", "https://a:b@c/", "https://a/\x00", "http://a:x/"],
)
def test_what_is_no_url_is_refused(addresses, url):
    with pytest.raises(FetchFailed) as caught:
        addresses.canonical(url)
    assert caught.value.kind is Failure.BAD_URL
    assert caught.value.url.isprintable()


@given(st.text(st.characters(codec="utf-8", exclude_categories=["Cc"]), max_size=60))
def test_canonical_urls_are_ascii_and_canonical(rest):
    plain = Addresses((), Settings())
    url = plain.canonical(f"https://a.example/{rest}")
    assert url.isascii()
    assert " " not in url
    assert "#" not in url
    assert plain.canonical(url) == url
