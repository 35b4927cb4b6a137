"""Birds of North America: pages that a subscriber saved, and archived introductions."""

from __future__ import annotations

import os

import pytest

from fgbench.collect.sites.base import Absent, Access, FetchFailed, Hit
from fgbench.collect.sites.birdsna import FOLDER, BirdsNA
from fgbench.errors import InputError
from fgbench.settings import load

BOW = "https://birdsoftheworld.org/bow/species"


@pytest.fixture
def folder(tmp_path, monkeypatch):
    saved = tmp_path / "saved"
    saved.mkdir()
    monkeypatch.setenv(FOLDER, str(saved))
    return saved


def found(asked, shelf, name="Black-footed Albatross", pages=None):
    site = BirdsNA(load().imports.get(FOLDER))
    return site, list(site.find(*asked(name), shelf(pages or {})))


def test_a_saved_page_is_known_by_the_address_that_it_was_saved_from(folder, fixture, asked, shelf):
    (folder / "x1.html").write_bytes(fixture("birdsna/saved.html"))
    site, (hit,) = found(asked, shelf)
    assert hit.url == f"{BOW}/bkfalb/cur/breeding"
    assert hit.source_id == "bkfalb/breeding"
    (raw,) = site.read(hit, site.saved(hit))
    kept = [(p.section, p.text) for p in raw.paragraphs if p.section != "References"]
    assert kept == [
        (
            "Pair Formation",
            "Pairs form over several seasons of dancing on the sand of the colony.",
        ),
        ("Eggs", "The single egg is dull white, and both parents sit on it for two months."),
    ]
    assert raw.source_url == f"{BOW}/bkfalb/cur/breeding"
    assert raw.archive_url == ""
    assert not raw.licence.redistributable
    assert raw.about[-1] == "Phoebastria nigripes"
    assert found(asked, shelf, "Laysan Albatross")[1][0].reason  # a link in it names another


@pytest.mark.parametrize(
    ("file", "section"),
    [
        ("bkfalb.html", "introduction"),
        ("bkfalb-breeding.htm", "breeding"),
        ("bkfalb_Breeding.HTML", "breeding"),
        ("Black-footed Albatross.html", "introduction"),
        ("Black_footed_Albatross-diet.html", "diet"),
        ("Phoebastria nigripes.html", "introduction"),
    ],
)
def test_a_saved_page_without_an_address_is_known_by_its_files_name(
    folder, asked, shelf, file, section
):
    (folder / file).write_bytes(b"<h1>Black-footed Albatross</h1><p>Text of the page.</p>")
    _, (hit,) = found(asked, shelf)
    assert hit.url == f"{BOW}/bkfalb/cur/{section}"
    assert isinstance(found(asked, shelf, "Bobolink")[1][0], Absent)


def test_what_stands_for_an_answer_has_the_files_date_and_digest(folder, asked, shelf):
    (folder / "bkfalb.html").write_bytes(b"<p>Text.</p>")
    os.utime(folder / "bkfalb.html", (1_500_000_000, 1_500_000_000))
    site, (hit,) = found(asked, shelf)
    answer = site.saved(hit)
    assert (answer.url, answer.status, answer.date) == (hit.url, 200, "2017-07-14T02:40:00Z")
    assert answer.body == b"<p>Text.</p>"
    assert answer.digest == (
        "sha256:0a8ab663d3beca8694da1f92e5509afdaeeb153a95a0be7decee9eed07220014"
    )


def test_other_files_are_left_alone(folder, asked, shelf):
    (folder / "notes.txt").write_text("bkfalb")
    (folder / "bkfalb_files").mkdir()
    _, (absent,) = found(asked, shelf)
    assert isinstance(absent, Absent)


def test_without_a_folder_the_archive_alone_is_asked(asked, shelf, monkeypatch):
    monkeypatch.delenv(FOLDER, raising=False)
    site = BirdsNA()
    session = shelf({})
    (absent,) = site.find(*asked("Bobolink"), session)
    assert absent.reason == "boboli: the Internet Archive has no copy of its introduction"
    assert [url.partition("url=")[2].partition("&")[0] for url in session.asked] == [
        "birdsna.org/Species-Account/bna/species/boboli/introduction",
        "birdsoftheworld.org/bow/species/boboli/cur/introduction",
    ]
    assert site.saved(Hit("birdsna", 0, "x", "https://web.archive.org/x", "x")) is None


def test_a_folder_that_is_not_there_is_the_users_mistake(asked, shelf, monkeypatch, tmp_path):
    monkeypatch.setenv(FOLDER, str(tmp_path / "nowhere"))
    with pytest.raises(InputError, match="FG-I001") as error:
        found(asked, shelf)
    assert "nowhere" in error.value.what
    assert FOLDER in error.value.fix


def test_a_file_of_no_reasonable_size_is_refused(folder, asked, shelf):
    with (folder / "bkfalb.html").open("wb") as file:
        file.truncate(33 * 2**20)
    with pytest.raises(InputError, match="FG-I001"):
        found(asked, shelf)


def test_a_hostile_address_in_a_saved_page_is_no_address(folder, asked, shelf):
    body = b'<link rel="canonical" href="https://birdsoftheworld.org/bow/species/../../etc">'
    (folder / "bkfalb.html").write_bytes(body + b"<p>Text.</p>")
    _, (hit,) = found(asked, shelf)
    assert hit.url == f"{BOW}/bkfalb/cur/introduction"


def test_it_needs_a_folder_of_the_users_own():
    assert BirdsNA.access is Access.IMPORT
    assert BirdsNA.needs == (FOLDER,)


def test_a_copy_that_is_not_whole_is_a_failure(asked, shelf):
    facts = {"original": "https://birdsna.org/x", "digest": "A" * 32}
    hit = Hit("birdsna", 0, "x", "https://web.archive.org/x", "x", facts=facts)
    site, session = BirdsNA(), shelf({hit.url: b"<p>cut"})
    with pytest.raises(FetchFailed, match="SHA-1"):
        list(site.read(hit, session.get(hit.url)))
