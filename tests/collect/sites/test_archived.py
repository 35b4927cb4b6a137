"""Sites of which copies are left: pages by name or code in their address, and reading them."""

from __future__ import annotations

import re
from collections.abc import Sequence

import pytest

from fgbench.collect.queries import queries_for
from fgbench.collect.sites.archived import CodedPages, NamedPages, in_address
from fgbench.collect.sites.base import Absent, FetchFailed, Hit, Response
from fgbench.collect.sites.wayback import Capture, NotArchived
from fgbench.species import find, species


def capture(path: str) -> Capture:
    return Capture(f"example,a){path}", "20190101000000", f"http://a.example{path}", "A" * 32)


class Named(NamedPages):
    name, home, terms_url, publisher = "named", "", "", "A publisher"

    def __init__(self, *paths: str, why: str = "") -> None:
        self.paths, self.why, self.names = paths, why, ""

    def look(self, names: str, session: object) -> Sequence[Capture]:
        if self.why:
            raise NotArchived(self.why)
        self.names = names
        return [capture(path) for path in self.paths]


class Coded(CodedPages):
    name, home, terms_url, publisher = "coded", "", "", "A publisher"

    def __init__(self, **paths: tuple[str, ...]) -> None:
        self.paths, self.codes = paths, []

    def look(self, code: str, session: object) -> Sequence[Capture]:
        self.codes.append(code)
        if code not in self.paths:
            raise NotArchived("the Internet Archive has no copy")
        return [capture(path) for path in self.paths[code]]


def found(site, name, shelf):
    bird = find(name)
    return list(site.find(bird, queries_for(bird), shelf({})))


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("Black-footed Albatross", "/black-footed-albatross"),
        ("Black-footed Albatross", "/birds/black_footed_albatross.php"),
        ("Black-footed Albatross", "/blackfootedalbatross.htm"),
        ("Black-footed Albatross", "/2015/10/12/the-black-footed-albatrosses-of-midway/"),
        ("Ruby-throated Hummingbird", "/hummingbirds/rubythroated-hummingbird.php"),
        ("Phoebastria nigripes", "/phoebastria%20nigripes"),
        ("Brewer's Blackbird", "/brewers-blackbird"),
        ("Mallard", "/ducks/mallard.php"),
        ("Mallard", "/mallard/"),
        ("Mallard", "/mallard"),
    ],
)
def test_a_name_is_found_in_an_address_however_it_is_written(name, path):
    assert re.search(in_address(name), f"example,a){path}")


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("Common Tern", "/uncommon-terns"),
        ("Common Tern", "/common/tern"),
        ("Common Tern", "/common-ternlet"),
        ("Mallard", "/mallard-fillmore-comics"),
        ("Mallard", "/the-mallard"),
        ("鳥", "/anything"),
        ("", "/anything"),
    ],
)
def test_other_words_in_an_address_are_not_the_name(name, path):
    assert not re.search(in_address(name), f"example,a){path}")


def test_every_name_of_every_class_makes_an_expression_without_signs_that_java_reads_otherwise():
    for bird in species():
        for query in queries_for(bird):
            expression = in_address(query.text)
            address = query.text.lower().replace("'", "")
            assert re.search(expression, f"example,a)/{address}")
            assert re.fullmatch(r"[a-z0-9%\[\]{},?!<()|$/.:=^-]+", expression)


def test_pages_are_hits_under_the_best_name_in_their_address(shelf):
    site = Named("/phoebastria-nigripes", "/about", "/black-footed-albatross")
    hits = found(site, "Black-footed Albatross", shelf)
    assert [(hit.query, hit.facts["original"]) for hit in hits] == [
        ("Phoebastria nigripes", "http://a.example/phoebastria-nigripes"),
        ("Black-footed Albatross", "http://a.example/black-footed-albatross"),
    ]
    assert hits[0].url == (
        "https://web.archive.org/web/20190101000000id_/http://a.example/phoebastria-nigripes"
    )
    assert re.search(site.names, "a)/phoebastria-nigripes")


def test_the_same_page_with_parameters_is_not_another(shelf):
    site = Named("/mallard/?share=facebook", "/mallard/")
    assert [hit.facts["original"] for hit in found(site, "Mallard", shelf)] == [
        "http://a.example/mallard/"
    ]


def test_where_no_address_has_a_name_the_species_is_absent(shelf):
    (absent,) = found(Named("/about"), "Mallard", shelf)
    assert absent == Absent("named", 86, "Mallard", "no archived address has one of its names")


def test_where_the_site_is_not_archived_the_species_is_absent(shelf):
    (absent,) = found(Named(why="the Internet Archive shows no copies"), "Mallard", shelf)
    assert absent == Absent("named", 86, "Mallard", "the Internet Archive shows no copies")


def test_the_first_code_that_has_pages_gives_them_all(shelf):
    site = Coded(euhgul1=("/b", "/c"), amhgul1=("/d",))
    hits = found(site, "Herring Gull", shelf)
    assert site.codes == ["hergul", "euhgul1", "amhgul1"]  # a class of two species: both
    assert [hit.query for hit in hits] == ["euhgul1", "euhgul1", "amhgul1"]
    site = Coded(mallar3=("/b", "/c"), mallar=("/d",))
    hits = found(site, "Mallard", shelf)
    assert len({hit.query for hit in hits}) == 1


def test_a_species_none_of_whose_codes_has_a_page_is_absent(shelf):
    (absent,) = found(Coded(), "Bobolink", shelf)
    assert absent.query == "boboli"
    assert absent.reason == "boboli: the Internet Archive has no copy"


def response(body: bytes, status: int = 200) -> Response:
    url = "https://web.archive.org/web/20190101000000id_/http://a.example/mallard"
    headers = {"x-archive-orig-content-encoding": "gzip"}
    return Response(url, status, headers, body, "", "sha256:0")


def the_hit(shelf) -> Hit:
    (hit,) = found(Named("/mallard"), "Mallard", shelf)
    return hit


def test_a_copy_that_is_gone_is_absent(shelf):
    (absent,) = Named().read(the_hit(shelf), response(b"", 404))
    assert isinstance(absent, Absent)


def test_a_copy_that_is_not_whole_is_a_failure(shelf):
    hit = the_hit(shelf)
    answer = Response(hit.url, 200, {}, b"<p>Half a pa", "", "sha256:0")
    with pytest.raises(FetchFailed, match="SHA-1"):
        list(Named().read(hit, answer))


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<script>document.write('x')</script>",
        b"<div>" * 10_000 + b"<p>deep</p>" + b"</div>" * 10_000,
        b"<p>" * 10_000,
        b"<table><tr><td>" * 1000,
        b"<!-- never closed <p>nothing",
    ],
)
def test_a_page_without_text_is_absent(shelf, body):
    (absent,) = Named().read(the_hit(shelf), response(body))
    assert absent.reason.startswith("no text on its page https://web.archive.org/web/2019")


def test_what_a_hostile_page_says_is_only_data(shelf):
    body = b"<h1>../../etc/passwd</h1><p>A\x00 name<script>x()</script> that is data.</p>"
    (raw,) = Named().read(the_hit(shelf), response(body))
    assert raw.title == "../../etc/passwd"
    assert "x()" not in raw.paragraphs[0].text
    assert raw.source_url == "http://a.example/mallard"
    assert not raw.licence.redistributable
