"""``fgbench build-data`` from a filled store: time and memory against the number of texts.

``python tests/bench/build.py [--texts 8000,16000,32000] [--engine local]``

A made-up site's pages, of the length and markup of an encyclopaedia's, are put into a store; then
the build runs offline in a process of its own, once a size. Peak memory is the sum over that
process and its workers, sampled every 50 ms; pages that they share count more than once.
"""

from __future__ import annotations

import argparse
import os
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

from fgbench.collect.crawl.archive import Archive
from fgbench.collect.crawl.http import Answer
from fgbench.collect.crawl.journal import State
from fgbench.collect.crawl.pace import SystemClock
from fgbench.collect.crawl.verdict import Verdict
from fgbench.collect.pipeline import build
from fgbench.collect.progress import Silence
from fgbench.collect.recipe import Recipe
from fgbench.collect.sites.base import Access, Hit, Licence, RawText, Site
from fgbench.collect.sites.page import Layout, parse
from fgbench.protocol import Medium
from fgbench.settings import Settings
from fgbench.species import Species, species

CLASSES, PARAGRAPHS = 200, 20
"""Paragraphs a page: 8,000 texts are two pages a class."""
COPIED = 0.1
"""Part of the paragraphs that repeat another page's, with a word changed or cut short."""
HEADERS = (("Date", "Sun, 01 Nov 2026 12:00:00 GMT"), ("Content-Type", "text/html; charset=utf-8"))
HOME = "https://bench.example/"

_PARTS = (
    "the adults|the young|both parents|the males|the females|most pairs|winter flocks|migrants|"
    "the birds of the south|older birds|single birds|small groups",
    "feed on|search for|carry|store|catch|defend|drop|share|swallow|bring back|look for|take",
    "small fish|beetles and ants|ripe berries|seeds of grasses|the larvae of moths|snails|worms|"
    "crabs and shrimps|spiders|fallen fruit|frogs|the eggs of other birds",
    "along the shore|in open woods|near the nest|above the canopy|at the edge of fields|on rocks|"
    "in wet meadows|under dense shrubs|on the open sea|among reeds|in gardens|on high moors",
    "in early spring|during the rains|after dusk|in the first week of June|when food is scarce|"
    "for most of the year|in cold winters|before they leave|at low tide|on calm mornings|"
    "while the eggs are incubated|once the young have fledged",
)
_WORDS = [part.split("|") for part in _PARTS]


class BenchSite(Site):
    """``page/<label>-<number>``; as many a class as ``pages`` says."""

    name = "bench"
    media = (Medium.TEXT,)
    home = HOME
    hosts = ("bench.example",)
    terms_url = HOME
    access = Access.OPEN
    licence = "CC0"
    pace = 1.0
    requests_per_query = 1
    needs = ()
    auth = None
    rule = "none"
    note = "made up"

    def __init__(self, pages: int) -> None:
        self.pages = pages

    def find(self, species: Species, queries: object, session: object) -> Iterator[Hit]:
        for number in range(self.pages):
            name = f"{species.label}-{number}"
            yield Hit(self.name, species.label, species.name, f"{HOME}page/{name}", name)

    def read(self, hit, response) -> Iterator[RawText]:
        page = parse(response)
        paragraphs, extractor = page.read(Layout(lead=True))
        licence = Licence("CC0-1.0", "", redistributable=True)
        yield RawText(
            hit, page.name, paragraphs, hit.url, hit.source_id, licence, extractor=extractor
        )


def sentence(rng: random.Random) -> str:
    words = " ".join(rng.choice(part) for part in _WORDS)
    return f"{words[0].upper()}{words[1:]}, {rng.randrange(2, 4000)} of them in all."


def paragraphs(rng: random.Random, before: list[str]) -> Iterator[str]:
    for _ in range(PARAGRAPHS):
        text = " ".join(sentence(rng) for _ in range(3))
        if before and rng.random() < COPIED:
            text = rng.choice(before)
            text = text.replace(" of them ", " of these ", 1) if rng.random() < 0.5 else text[:150]
        before.append(text)
        yield text


def markup(title: str, texts: list[str], rng: random.Random) -> str:
    """A page of some 100 kB: links and reference marks in the text, tables and lists beside it."""
    cells = "".join(
        f"<tr><td class=x><a href='/wiki/{rng.random()}'>{rng.random()}</a></td></tr>"
        for _ in range(400)
    )
    body = "".join(
        f"<h2><span class='mw-headline'>Part {n}</span></h2><p>"
        + text.replace(" in ", " <a href='/wiki/In' title='In'>in</a> ").replace(
            ". ", f".<sup class='reference'><a href='#{n}'>[{n}]</a></sup> "
        )
        + "</p>"
        for n, text in enumerate(texts)
    )
    scripts = "<script>" + "var a = 1;" * 4000 + "</script>"
    return f"<html><title>{title}</title>{scripts}<h1>{title}</h1>{body}<table>{cells}</table>"


def fill(folder: Path, pages: int) -> int:
    """Puts the pages in the store; returns their size."""
    rng, before, size = random.Random(2019), [], 0
    archive = Archive(folder, SystemClock())
    for bird in species()[:CLASSES]:
        for number in range(pages):
            body = markup(bird.name, list(paragraphs(rng, before)), rng).encode()
            url = f"{HOME}page/{bird.label}-{number}"
            archive.note(url, Verdict(State.DONE), Answer(200, "OK", HEADERS, body, ()))
            size += len(body)
    archive.close()
    return size


class Steps(Silence):
    """Notes when each step began."""

    def __init__(self) -> None:
        self.began: list[tuple[str, float]] = []

    def step(self, name: str) -> None:
        self.began.append((name, time.perf_counter()))


def run_build(folder: Path, pages: int, engine: str) -> None:
    steps = Steps()
    recipe = Recipe(
        (Medium.TEXT,), tuple(range(CLASSES)), ("bench",), {Medium.TEXT: pages * PARAGRAPHS}
    )
    site, settings = BenchSite(pages), Settings()
    built = build(folder, recipe, (site,), settings, offline=True, engine=engine, progress=steps)
    steps.step("")
    for (name, start), (_, end) in pairwise(steps.began):
        if end - start > 0.5:
            print(f"{name}: {end - start:.1f} s", file=sys.stderr)
    counts = built.audit["counts"]["text"]
    print(f"{counts['found']:>8,} {counts['kept']:>8,} {counts['rejected']:>9,}", end=" ")


def cpu() -> float:
    """Processor seconds of all children that have ended: what a shared machine does not blur."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def memory(pid: int) -> int:
    """Resident bytes of a process and all that it started."""
    total, parents = 0, {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            parents[int(entry.name)] = int(fields[1]), int(fields[21]) * os.sysconf("SC_PAGE_SIZE")
    family = {pid}
    while more := {p for p, (parent, _) in parents.items() if parent in family} - family:
        family |= more
    for process in family & set(parents):
        total += parents[process][1]
    return total


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--texts", default="8000,16000,32000")
    parser.add_argument("--engine", default="local")
    parser.add_argument("--inside", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.inside:
        run_build(Path(options.inside[0]), int(options.inside[1]), options.engine)
        return
    print("   texts     kept  rejected  pages MB   seconds     cpu s   peak MB")
    for texts in map(int, options.texts.split(",")):
        pages = texts // CLASSES // PARAGRAPHS
        with tempfile.TemporaryDirectory() as folder:
            size = fill(Path(folder), pages)
            command = [sys.executable, __file__, "--inside", folder, str(pages)]
            start, peak, spent = time.perf_counter(), 0, cpu()
            child = subprocess.Popen([*command, "--engine", options.engine])
            while child.poll() is None:
                peak = max(peak, memory(child.pid))
                time.sleep(0.05)
            wall = time.perf_counter() - start
            if child.returncode:
                sys.exit(child.returncode)
            print(
                f"{size / 1e6:9.1f} {wall:9.1f} {cpu() - spent:9.1f} {peak / 1e6:9.0f}", flush=True
            )


if __name__ == "__main__":
    main()
