"""The birds of the sample world, and what each of its sites writes about them.

The words are in ``birds.toml`` and ``prose.toml``, written for this project. Every bird gets the
same paragraphs of a site in the same order, with phrases of its own.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from string import Formatter
from typing import Any

SYNTHETIC = "synthetic sample text"
"""Stands on every page and in a header of every answer."""


@dataclass(frozen=True, slots=True)
class Bird:
    """A class of the benchmark that the sample world has. ``phrases`` fill its paragraphs."""

    cub_id: int
    name: str
    scientific: str
    code: str
    """The eBird code of 2019, in the addresses of Cornell's sites."""
    kin: str
    """The name of its look-alike, which is in the sample world too."""
    phrases: Mapping[str, Any] = field(compare=False)

    @property
    def group(self) -> str:
        """What it and its look-alike both are: albatross, gull, tern, warbler."""
        return str(self.phrases["short"])


@dataclass(frozen=True, slots=True)
class Section:
    """Paragraphs under a heading; the heading of a page's lead is ``""``."""

    heading: str
    paragraphs: tuple[str, ...]


@cache
def birds() -> tuple[Bird, ...]:
    """All eight, by CUB id: four pairs of look-alikes."""
    return tuple(
        Bird(b["cub_id"], b["name"], b["scientific"], b["code"], b["kin"], b)
        for b in _table("birds.toml")["bird"]
    )


def bird_named(name: str) -> Bird:
    """The one of that common name."""
    return next(b for b in birds() if b.name == name)


@cache
def write(style: str, bird: Bird) -> tuple[Section, ...]:
    """What a site writes about a bird. ``style``: a table of ``prose.toml``, "allaboutbirds.id"."""
    table: Any = _table("prose.toml")
    for key in style.split("."):
        table = table[key]
    return tuple(
        Section(heading, tuple(_SENTENCES.vformat(text, (), bird.phrases) for text in texts))
        for heading, texts in table.items()
    )


def write_group(group: str) -> str:
    """A paragraph that one site prints word for word for both birds of a group."""
    return str(_table("prose.toml")["audubon-group"][group])


@cache
def _table(file: str) -> Mapping[str, Any]:
    return tomllib.loads((resources.files(__package__) / file).read_text(encoding="utf-8"))


class _Sentences(Formatter):
    """``str.format`` with ``!c``: the phrase with a capital at its start."""

    def convert_field(self, value: Any, conversion: str | None) -> Any:
        if conversion == "c":
            return value[:1].upper() + value[1:]
        return super().convert_field(value, conversion)


_SENTENCES = _Sentences()


def paragraphs(sections: Sequence[Section]) -> tuple[str, ...]:
    """All paragraphs, headings gone."""
    return tuple(text for section in sections for text in section.paragraphs)
