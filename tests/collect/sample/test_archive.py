"""The Archive: its index as the CDX server's manual and recorded answers have it, and copies."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote_plus, urlencode

import pytest

from fgbench.collect.sample.archive import surt

Index = Callable[..., list[list[str]]]
PSU = "https://sites.psu.edu/fieldbiology/2012/10/12/ring-billed-gull/"


@pytest.fixture
def index(get: Callable) -> Index:
    def ask(url: str, *more: tuple[str, str]) -> Any:
        pairs = [("url", url), ("output", "json"), *more]
        got = get("wayback", f"/cdx/search/cdx?{urlencode(pairs)}")
        assert got.status == 200
        return json.loads(got.body)

    return ask


@pytest.mark.parametrize(
    ("url", "key"),
    [
        ("http://www.archive.org:80/", "org,archive)/"),
        ("https://Sites.PSU.edu/Blog/2015/", "edu,psu,sites)/blog/2015"),
        ("sites.psu.edu", "edu,psu,sites)/"),
        ("http://x.org/a?Share=1", "org,x)/a?share=1"),
    ],
)
def test_keys_are_made_as_the_real_index_makes_them(url: str, key: str):
    assert surt(url) == key


def test_the_table_has_the_real_header_and_one_row_a_capture(index: Index, real_data: Path):
    real = json.loads((real_data / "site_samples" / "wayback" / "cdx_output_json.json").read_text())
    table = index(PSU)
    assert table[0] == real[0]
    assert [len(row) for row in table] == [len(real[0])] * 5
    assert [row[1] for row in table[1:]] == sorted(row[1] for row in table[1:])


def test_what_was_never_archived_gives_an_empty_table(index: Index):
    assert index("nowhere.example/page") == []


def test_a_blocked_host_is_refused_as_the_real_one_refuses(get: Callable, real_data: Path):
    cassette = real_data / "site_samples/wayback/test_search_raises_for_blocked_urls.cassette.yaml"
    packed = re.search(r"!!binary \|\n((?:\s{8}\S+\n)+)", cassette.read_text())
    assert packed
    got = get("wayback", "/cdx/search/cdx?url=birdsoftheworld.org/bow/species/bkfalb&output=json")
    assert got.status == 403
    assert got.body == gzip.decompress(base64.b64decode("".join(packed[1].split())))
    assert "AdministrativeAccessControlException" in got.headers["x-archive-wayback-runtime-error"]


@pytest.mark.parametrize(
    ("url", "scope", "hosts"),
    [
        ("psu.edu", "domain", {"edu,psu,sites"}),
        ("psu.edu", "host", set()),
        ("sites.psu.edu", "host", {"edu,psu,sites"}),
        (
            "neotropical.birds.cornell.edu/Species-Account/",
            "prefix",
            {"edu,cornell,birds,neotropical"},
        ),
        ("birdwatchersdigest.com/bwdsite/", "prefix", {"com,birdwatchersdigest"}),
        ("birdwatchersdigest.com/bwd/", "prefix", set()),
        ("https://www.folksread.com/common-tern-facts", "exact", {"com,folksread"}),
    ],
)
def test_scopes(index: Index, url: str, scope: str, hosts: set[str]):
    rows = index(url, ("matchType", scope))[1:]
    assert {row[0].partition(")")[0] for row in rows} == hosts


def test_filters_dates_fields_and_collapsing(index: Index):
    domain = ("matchType", "domain")
    whole = index("sites.psu.edu", domain)[1:]
    assert {row[3] for row in whole} == {"text/html", "image/jpeg"}
    assert {row[4] for row in whole} == {"200", "301"}
    page = ("filter", "mimetype:text/html"), ("filter", "!statuscode:30.")
    kept = index("sites.psu.edu", domain, *page)[1:]
    assert {(row[3], row[4]) for row in kept} == {("text/html", "200")}
    gulls = index("sites.psu.edu", domain, ("filter", "urlkey:.*ring-?billed.*"))[1:]
    assert gulls
    assert all("ring-billed" in row[0] for row in gulls)
    assert index("sites.psu.edu", domain, ("filter", "urlkey:ring")) == []
    assert [r[1][:4] for r in index(PSU, ("from", "2014"), ("to", "2018"))[1:]] == ["2018"]
    assert index(PSU, ("fl", "timestamp,digest"))[0] == ["timestamp", "digest"]
    assert len(index(PSU, ("collapse", "digest"))) < len(index(PSU))
    assert len(index(PSU, ("collapse", "urlkey"))) == 2
    assert len(index(PSU, ("collapse", "timestamp:3"))) == 1 + len({"201", "202"})


def test_a_long_listing_goes_on_at_its_resume_key(index: Index):
    question = ("matchType", "domain"), ("limit", "7"), ("showResumeKey", "true")
    whole = index("sites.psu.edu", question[0])[1:]
    rows: list[list[str]] = []
    resume: tuple[tuple[str, str], ...] = ()
    while True:
        table = index("sites.psu.edu", *question, *resume)[1:]
        cut = len(table) > 1 and table[-2] == []
        rows += table[:-2] if cut else table
        if not cut:
            break
        resume = (("resumeKey", unquote_plus(table[-1][0])),)
    assert rows == whole
    assert index("sites.psu.edu", question[0], ("limit", "-2"))[1:] == whole[-2:]


def test_every_copy_has_the_bytes_whose_digest_the_index_gives(index: Index, get: Callable):
    hosts = "sites.psu.edu", "cornell.edu", "birdsna.org", "folksread.com", "nhptv.org"
    copies = 0
    for host in (*hosts, "birdwatchersdigest.com"):
        rows = index(host, ("matchType", "domain"), ("filter", "statuscode:200"))[1:]
        for _, timestamp, original, mimetype, _, digest, _ in rows:
            got = get("wayback", f"/web/{timestamp}id_/{original}")
            sha1 = hashlib.sha1(got.body, usedforsecurity=False).digest()
            assert (got.status, base64.b32encode(sha1).decode()) == (200, digest)
            assert got.headers["content-type"] == mimetype
            assert "memento-datetime" in got.headers
            copies += 1
    assert copies > 60


def test_a_copy_of_another_moment_leads_to_the_nearest(get: Callable):
    got = get("wayback", f"/web/20190101000000id_/{PSU}")
    assert got.status == 302
    assert got.headers["location"] == f"/web/20181120081500id_/{PSU}"
    assert get("wayback", f"/web/20181120081500id_/{quote(PSU, safe='')}").status == 200
    assert get("wayback", "/web/20190101000000id_/http://nowhere.example/").status == 404


def test_a_question_that_makes_no_sense_is_a_bad_request(get: Callable):
    for more in (
        "filter=urlkey:(",
        "filter=colour:red",
        "limit=many",
        "collapse=digest:x",
        "collapse=colour",
    ):
        assert (
            get("wayback", f"/cdx/search/cdx?url=sites.psu.edu&matchType=domain&{more}").status
            == 400
        )


def test_an_address_that_is_none_is_a_bad_request(get: Callable):
    assert get("wayback", "/web/20190101000000id_/http://[x/").status == 400
    assert get("wayback", "/cdx/search/cdx?url=http://[x/").status == 400
