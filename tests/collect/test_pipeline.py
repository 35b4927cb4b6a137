"""The build from a filled store: what becomes of every page, and that nothing disappears."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from dataclasses import replace

import pyarrow.parquet as pq
import pytest

from fgbench.collect import pipeline
from fgbench.collect.pipeline import STEPS, Work, build
from fgbench.collect.recipe import Recipe, read_recipe
from fgbench.collect.sites.base import Failure
from fgbench.dataset.io import verify_checksums
from fgbench.errors import FgbenchError, InputError
from fgbench.protocol import Medium
from fgbench.settings import Settings

GULL, TERN = 58, 140  # California Gull, Arctic Tern
A, V = "https://aviary.example", "https://volary.example"
CLIFF = "It nests on the ledges of sea cliffs and lays two or three eggs there in May."
FISH = "The adults plunge for small fish close to the shore and carry them to the young."
MOULT = "In winter the black cap gives way to a white forehead and a dark bill."
RANGE = "Birds of the north spend the colder months of the year far out on the open sea."
CALLS = "A harsh and rolling call is given by both parents when anyone comes near the nest."
GERMAN = "Der Vogel brütet auf den Klippen und legt im Mai zwei oder drei Eier in das Nest."


@pytest.fixture
def recipe():
    return Recipe((Medium.TEXT,), (GULL, TERN), ("aviary", "volary"), {Medium.TEXT: 3})


@pytest.fixture
def answers(page):
    """One of everything: kept, rejected, repeated, over the quota, absent, failed, unreadable."""
    return {
        f"{A}/list/{GULL}": ["gull", "gull-too", "gone", "late"],
        f"{A}/gull": page(GULL, CLIFF, FISH, "Too short.", GERMAN),
        f"{A}/gull-too": page(TERN, "This page is about another bird than the one asked for."),
        f"{A}/gone": 404,
        f"{A}/late": Failure.TIMEOUT,
        f"{A}/list/{TERN}": ["tern"],
        f"{A}/tern": page(TERN, MOULT, RANGE),
        f"{V}/list/{GULL}": ["copy", "broken"],
        f"{V}/copy": page(GULL, CLIFF, MOULT.replace("black", "brown"), CALLS, RANGE[:60] + "."),
        f"{V}/broken": b'{"title": "California Gull"}',
        f"{V}/list/{TERN}": 404,
    }


@pytest.fixture
def built(tmp_path, recipe, answers, aviary, volary, fill):
    fill(tmp_path, answers)
    return build(tmp_path, recipe, (aviary, volary), Settings(), offline=True)


def table(built, name):
    return pq.read_table(built.folder / "manifests" / f"{name}.parquet").to_pylist()


def test_every_page_ends_where_it_should(built):
    texts = {(row["label"], row["site"]): row for row in table(built, "text")}
    assert {row["text"] for row in table(built, "text")} >= {MOULT, RANGE}
    assert Counter(row["label"] for row in table(built, "text")) == {GULL: 3, TERN: 2}
    assert texts[TERN, "aviary"]["source_url"] == f"{A}/tern"
    assert texts[TERN, "aviary"]["retrieved_at"] == "2026-11-01T12:00:00Z"
    rejected = {(r["site"], r["stage"], r["reason"]) for r in table(built, "rejected")}
    assert rejected >= {
        ("aviary", "clean", "too_short"),
        ("aviary", "clean", "not_english"),
        ("aviary", "clean", "wrong_species"),
        ("volary", "duplicates", "exact"),
        ("volary", "select", "over_quota"),
    }
    assert {(r["site"], r["label"], r["reason"]) for r in table(built, "absent")} == {
        ("aviary", GULL, "taken down"),
        ("volary", TERN, "no page"),
    }
    failed = [(f.site, f.label, f.query, f.source_url, f.reason) for f in built.failed]
    assert failed == [
        ("aviary", GULL, "California Gull", f"{A}/late", "timeout"),
        ("volary", GULL, "California Gull", f"{V}/broken", "unreadable"),
    ]
    assert "paragraphs" in built.failed[1].detail


def test_found_is_kept_and_rejected_and_failed_everywhere(built):
    counts = json.loads((built.folder / "manifests" / "audit.json").read_text())["counts"]["text"]
    assert set(counts["sites"]) == {"aviary", "volary"}
    for numbers in (counts, *counts["sites"].values()):
        total = numbers["kept"] + numbers["rejected"] + numbers["failed"]
        assert numbers["found"] == total > 0
    assert counts["found"] == 4 + 1 + 2 + 4 + 2  # paragraphs read, and two sources that failed
    assert counts["kept"] == len(table(built, "text")) == 3 + 2
    assert counts["rejected"] == len(table(built, "rejected"))


@pytest.mark.parametrize("loses", ["texts", "rejected"])
def test_a_step_that_loses_an_item_is_found_out(
    tmp_path, recipe, answers, aviary, volary, fill, monkeypatch, loses
):
    def lose(work: Work) -> None:
        setattr(work, loses, getattr(work, loses)[1:])

    steps = [replace(s, run=lose) if s.name == "furniture" else s for s in STEPS]
    monkeypatch.setattr(pipeline, "STEPS", steps)
    fill(tmp_path, answers)
    with pytest.raises(FgbenchError, match="FG-A001") as caught:
        build(tmp_path, recipe, (aviary, volary), Settings(), offline=True)
    assert caught.value.exit_code == 1
    assert not (tmp_path / "manifests" / "SHA256SUMS").exists()


def test_equal_answers_give_equal_bytes_whatever_order_they_came_in(
    tmp_path, recipe, answers, aviary, volary, fill
):
    seen = []
    for name, order in ("one", list(answers)), ("two", sorted(answers, reverse=True)):
        fill(tmp_path / name, {url: answers[url] for url in order})
        build(tmp_path / name, recipe, (aviary, volary), Settings(), offline=True)
        files = sorted((tmp_path / name / "manifests").iterdir())
        seen.append({f.name: hashlib.sha256(f.read_bytes()).hexdigest() for f in files})
    assert seen[0] == seen[1]
    assert set(seen[0]) == {
        *("text.parquet", "rejected.parquet", "absent.parquet", "benchmark.json"),
        *("audit.json", "CARD.md", "croissant.json", "report.html", "SHA256SUMS"),
    }


def test_the_sums_cover_every_file_but_themselves(built):
    folder = built.folder / "manifests"
    assert set(verify_checksums(folder)) == {f.name for f in folder.iterdir()} - {"SHA256SUMS"}


def test_steps_take_and_give_what_they_say(
    tmp_path, recipe, answers, aviary, volary, fill, monkeypatch
):
    class Watched:
        """A ``Work`` that writes down who touches what."""

        def __init__(self, work):
            object.__setattr__(self, "inner", work)
            object.__setattr__(self, "took", set())
            object.__setattr__(self, "gave", set())

        def __getattr__(self, name):
            self.took.add(name)
            return getattr(self.inner, name)

        def __setattr__(self, name, value):
            self.gave.add(name)
            setattr(self.inner, name, value)

    def watching(step):
        def run(work):
            watched = Watched(work)
            step.run(watched)
            assert watched.took == set(step.takes), step.name
            assert watched.gave == set(step.gives), step.name

        return replace(step, run=run)

    monkeypatch.setattr(pipeline, "STEPS", [watching(step) for step in STEPS])
    fill(tmp_path, answers)
    built = build(tmp_path, recipe, (aviary, volary), Settings(), offline=True)
    assert built.audit["counts"]["text"]["kept"] == 5
    given = {"folder", "recipe", "sites", "session", "downloads", "engine", "progress"}
    for step in STEPS:
        assert set(step.takes) <= given, step.name
        given |= set(step.gives)


def test_nothing_is_found_and_that_is_an_answer_too(tmp_path, recipe, aviary, fill):
    recipe = replace(recipe, sites=("aviary",))
    fill(tmp_path, {f"{A}/list/{label}": 404 for label in recipe.labels})
    built = build(tmp_path, recipe, (aviary,), Settings(), offline=True)
    assert table(built, "text") == []
    assert len(table(built, "absent")) == 2
    assert built.audit["counts"]["text"]["found"] == 0


def test_what_is_not_stored_fails_offline_and_is_counted(tmp_path, recipe, aviary, page, fill):
    recipe = replace(recipe, sites=("aviary",))
    fill(tmp_path, {f"{A}/list/{GULL}": ["gull"], f"{A}/gull": page(GULL, CLIFF)})
    built = build(tmp_path, recipe, (aviary,), Settings(), offline=True)
    assert [(f.label, f.reason) for f in built.failed] == [(TERN, "offline")]
    assert built.audit["counts"]["text"]["sites"]["aviary"] == {
        "found": 2,
        "kept": 1,
        "rejected": 0,
        "failed": 1,
    }


def test_offline_without_pages_is_the_users_mistake(tmp_path, recipe, aviary):
    with pytest.raises(InputError, match="FG-U006"):
        build(tmp_path / "none", recipe, (aviary,), Settings(), offline=True)
    assert not (tmp_path / "none").exists()


def test_sample_and_real_pages_never_share_a_folder(built, recipe, aviary, volary):
    with pytest.raises(InputError, match="FG-U005"):
        build(built.folder, replace(recipe, sample=True), (aviary, volary), Settings())
    assert read_recipe(built.folder) == recipe


def test_a_second_build_in_the_folder_says_so(built, recipe, aviary, volary, monkeypatch):
    def try_another(work: Work) -> None:
        with pytest.raises(InputError, match="FG-W002"):
            build(work.folder, recipe, (aviary, volary), Settings(), offline=True)

    monkeypatch.setattr(pipeline, "STEPS", [replace(STEPS[0], run=try_another)])
    build(built.folder, recipe, (aviary, volary), Settings(), offline=True)


def test_a_page_found_twice_under_one_species_is_read_once(tmp_path, recipe, aviary, page, fill):
    recipe = replace(recipe, labels=(GULL,), sites=("aviary",))
    fill(tmp_path, {f"{A}/list/{GULL}": ["gull", "gull"], f"{A}/gull": page(GULL, CLIFF)})
    built = build(tmp_path, recipe, (aviary,), Settings(), offline=True)
    assert built.audit["counts"]["text"]["found"] == 1


def test_our_own_errors_are_no_outcome_of_a_page(tmp_path, recipe, aviary, answers, fill):
    class Saving(type(aviary)):
        def find(self, species, queries, session):
            raise FgbenchError("FG-D010", "the disk is full")

    fill(tmp_path, answers)
    with pytest.raises(FgbenchError, match="FG-D010"):
        build(tmp_path, replace(recipe, sites=("aviary",)), (Saving(),), Settings(), offline=True)


def test_a_users_own_file_stands_for_the_answer(tmp_path, recipe, aviary, page, fill):
    class Shelf(type(aviary)):
        needs = ("FGBENCH_AVIARY_IMPORT",)
        place = None

        def saved(self, hit):
            if hit.source_id != "own":
                return None
            body = json.dumps(page(GULL, FISH)).encode()
            return replace(self.other, url=hit.url, body=body)

    shelf = Shelf()
    fill(tmp_path, {f"{A}/list/{GULL}": ["gull", "own"], f"{A}/gull": page(GULL, CLIFF)})
    recipe = replace(recipe, labels=(GULL,), sites=("aviary",))
    with pipeline.CrawlSession(tmp_path, (shelf,), Settings(), offline=True) as session:
        shelf.other = session.get(f"{A}/gull")
    own = tmp_path / "own"
    settings = Settings(imports={"FGBENCH_AVIARY_IMPORT": own})
    built = build(tmp_path, recipe, (shelf,), settings, offline=True)
    assert shelf.place == own
    assert {row["text"] for row in table(built, "text")} == {CLIFF, FISH}
    assert built.failed == ()
