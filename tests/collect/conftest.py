"""A site whose answers lie in a store already, so that builds need no network."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from fgbench.collect.crawl.archive import Archive
from fgbench.collect.crawl.http import Answer
from fgbench.collect.crawl.journal import State
from fgbench.collect.crawl.pace import SystemClock
from fgbench.collect.crawl.verdict import Verdict, failed
from fgbench.collect.sites.base import (
    Absent,
    Access,
    Failure,
    Hit,
    Licence,
    Paragraph,
    RawAudio,
    RawText,
    Site,
)
from fgbench.protocol import Medium
from fgbench.species import species

HEADERS = (("Date", "Sun, 01 Nov 2026 12:00:00 GMT"), ("Content-Type", "application/json"))


class Aviary(Site):
    """``/list/<label>`` names pages; a page is a title and paragraphs, in JSON."""

    name = "aviary"
    media = (Medium.TEXT,)
    home = "https://aviary.example/"
    hosts = ("aviary.example",)
    terms_url = "https://aviary.example/terms"
    access = Access.OPEN
    licence = "CC0, all of it."
    pace = 1.0
    requests_per_query = 2
    needs = ()
    auth = None
    rule = "the aviary's terms"
    note = "Made up."

    def find(self, species, queries, session) -> Iterator[Hit | Absent]:
        answer = session.get(f"{self.home}list/{species.label}")
        if answer.status == 404:
            yield Absent(self.name, species.label, species.name, "no page")
            return
        for page in json.loads(answer.body):
            yield Hit(self.name, species.label, species.name, f"{self.home}{page}", page)

    def read(self, hit, response) -> Iterator[RawText | Absent]:
        if response.status == 404:
            yield Absent(self.name, hit.label, hit.query, "taken down")
            return
        page = json.loads(response.body)
        yield RawText(
            hit=hit,
            title=page["title"],
            paragraphs=tuple(Paragraph(text, "Habits") for text in page["paragraphs"]),
            source_url=hit.url,
            source_id=hit.source_id,
            licence=Licence("CC0-1.0", "", redistributable=True),
        )


class Volary(Aviary):
    """Another like it."""

    name = "volary"
    home = "https://volary.example/"
    hosts = ("volary.example",)


def bird_page(label: int, *paragraphs: str) -> dict[str, object]:
    return {"title": species()[label].name, "paragraphs": paragraphs}


def fill_store(folder: Path, answers: Mapping[str, object]) -> None:
    """Stores answers as a crawl would: JSON, a status alone (404), or a ``Failure``."""
    archive = Archive(folder, SystemClock())
    for url, content in answers.items():
        if isinstance(content, Failure):
            archive.note(url, failed(content, "as the test says"))
        elif isinstance(content, int):
            archive.note(url, Verdict(State.ABSENT), Answer(content, "", HEADERS, b"", ()))
        else:
            body = content if isinstance(content, bytes) else json.dumps(content).encode()
            archive.note(url, Verdict(State.DONE), Answer(200, "OK", HEADERS, body, ()))
    archive.close()


@pytest.fixture
def aviary() -> Aviary:
    return Aviary()


@pytest.fixture
def volary() -> Volary:
    return Volary()


@pytest.fixture
def page() -> Callable[..., dict[str, object]]:
    return bird_page


@pytest.fixture
def fill() -> Callable[[Path, Mapping[str, object]], None]:
    return fill_store


class Chorus(Aviary):
    """``/list/<label>`` holds records of sounds: how ``RawAudio`` differs from the usual."""

    name = "chorus"
    media = (Medium.AUDIO,)
    home = "https://chorus.example/"
    hosts = ("chorus.example",)

    def find(self, species, queries, session) -> Iterator[Hit | Absent]:
        yield Hit(self.name, species.label, species.name, f"{self.home}list/{species.label}", "")

    def read(self, hit, response) -> Iterator[RawAudio]:
        for record in json.loads(response.body):
            number = record["source_id"]
            usual = {
                "title": f"Song {number}",
                "source_url": f"{self.home}{number}",
                "media_url": f"{self.home}{number}.flac",
                "author": "A. Recordist",
            }
            free = Licence("CC-BY-4.0", "", redistributable=True)
            yield RawAudio(hit=hit, licence=free, **(usual | record))


class Choir(Chorus):
    """Another like it."""

    name = "choir"
    home = "https://choir.example/"
    hosts = ("choir.example",)


@pytest.fixture
def chorus() -> Chorus:
    return Chorus()


@pytest.fixture
def choir() -> Choir:
    return Choir()
