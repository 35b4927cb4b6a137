"""A build of texts on the sample world: what is asked, what is left, that it can be repeated."""

from __future__ import annotations

import json
import shutil
from collections import defaultdict
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from fgbench.collect.crawl.pace import Patience
from fgbench.collect.crawl.session import CrawlSession
from fgbench.collect.options import Options, decide
from fgbench.collect.pipeline import build
from fgbench.collect.sample import CUB_IDS, sample_world
from fgbench.collect.sample.miniature import KEY
from fgbench.dataset.io import verify_checksums
from fgbench.settings import Settings

SPECIES = ",".join(map(str, CUB_IDS))


def build_sample(folder, world=None, *, species=SPECIES, options=None, **how):
    """A build of the sample world, or offline of what it said before."""
    given = Options(media="text", species=species, sample=True, **(options or {}))
    settings = world.settings(Settings()) if world else Settings()
    decision = decide(given, settings)
    patience = Patience(pace=0, backoff=0.01, unstated_wait=0.01, tries=2)
    return build(folder, decision.recipe, decision.sites, settings, patience=patience, **how)


def contents(folder: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in (folder / "manifests").iterdir()}


@pytest.fixture(scope="module")
def world():
    with sample_world() as world:
        yield world


@pytest.fixture(scope="module")
def built(tmp_path_factory, world):
    """A build that nothing disturbed; ``built.asked`` is what it asked."""
    before = len(world.asked)
    built = build_sample(tmp_path_factory.mktemp("built"), world)
    return built, world.asked[before:]


def rows(folder, name):
    return pq.read_table(folder / "manifests" / f"{name}.parquet").to_pylist()


def test_every_site_gives_something_and_no_url_is_asked_twice(built):
    built, asked = built
    assert built.failed == ()
    sites = built.audit["counts"]["text"]["sites"]
    assert set(sites) == set(built.recipe.sites)
    assert all(numbers["found"] > 0 for numbers in sites.values())
    assert {row["label"] + 1 for row in rows(built.folder, "text")} == set(CUB_IDS)
    with CrawlSession(built.folder, (), Settings(), offline=True) as session:
        fetches = [f for f in session.journal.fetches() if not f.url.endswith("/robots.txt")]
    assert {fetch.attempts for fetch in fetches if fetch.status} == {1}
    pages = [a for a in asked if a.target != "/robots.txt"]
    assert len(pages) == sum(fetch.attempts for fetch in fetches)


def test_the_world_is_asked_under_its_robots_rules(built):
    built, asked = built
    refused = {row["site"] for row in rows(built.folder, "absent") if "robots" in row["reason"]}
    assert refused == {"audubon"}
    robots = {a.site for a in asked if a.target == "/robots.txt"}
    assert {"audubon", "allaboutbirds", "nhpbs", "ebird", "mnbirdatlas"} <= robots


def test_accounts_hold_in_the_file(built):
    counts = json.loads((built[0].folder / "manifests" / "audit.json").read_text())["counts"]
    for numbers in (counts["text"], *counts["text"]["sites"].values()):
        assert numbers["found"] == numbers["kept"] + numbers["rejected"] + numbers["failed"]


def test_no_group_is_on_both_sides(built):
    sides = defaultdict(set)
    for row in rows(built[0].folder, "text"):
        if row["group_id"]:
            sides[row["group_id"]].add(row["split_grouped"])
    assert len(sides) > len(CUB_IDS)
    assert all(len(of_group) == 1 for of_group in sides.values())


def test_an_offline_build_asks_nothing_and_gives_the_same_bytes(built, tmp_path, world):
    built, _ = built
    first, before = contents(built.folder), len(world.asked)
    assert build_sample(built.folder, offline=True).failed == ()
    assert contents(built.folder) == first
    shutil.copytree(built.folder / "store", tmp_path / "store")
    shutil.copy(built.folder / "journal.sqlite", tmp_path)
    build_sample(tmp_path, offline=True)
    assert contents(tmp_path) == first
    assert len(world.asked) == before


def test_a_second_run_asks_only_for_robots(built, world):
    built, _ = built
    first, before = contents(built.folder), len(world.asked)
    build_sample(built.folder, world)
    assert contents(built.folder) == first
    assert {a.target for a in world.asked[before:]} <= {"/robots.txt"}


def test_another_world_of_the_same_kind_gives_the_same_bytes(built, tmp_path):
    with sample_world() as other:
        build_sample(tmp_path, other)
    assert contents(tmp_path) == contents(built[0].folder)


def test_workers_and_batches_give_the_same_bytes(built, tmp_path, world, monkeypatch):
    monkeypatch.setattr("fgbench.collect.reading.FEW", 0)
    monkeypatch.setattr("fgbench.collect.reading.BATCH", 100_000)
    build_sample(tmp_path, world)
    assert contents(tmp_path) == contents(built[0].folder)


def test_sums_hold_and_the_key_is_in_no_file(built):
    folder = built[0].folder
    assert len(verify_checksums(folder / "manifests")) == 8
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert len(files) > 10
    for path in files:
        assert KEY.encode() not in path.read_bytes(), path


def test_hosts_are_asked_side_by_side(tmp_path):
    sites = ("wikipedia", "fandom", "nhpbs", "ebird")
    with sample_world(delays=dict.fromkeys(sites, 0.05)) as world:
        build_sample(tmp_path, world, options={"sites": ",".join(sites)})
        times = defaultdict(list)
        for asked in world.asked:
            times[asked.site].append(asked.at)
    first_end = min(max(times[site]) for site in sites)
    assert max(min(times[site]) for site in sites) < first_end


def test_as_of_takes_the_revisions_of_the_day(built, tmp_path, world):
    options = {"sites": "wikipedia", "as_of": "2013-01-01"}
    old = build_sample(tmp_path, world, options=options)
    now = {r["source_id"] for r in rows(built[0].folder, "text") if r["site"] == "wikipedia"}
    then = {r["source_id"] for r in rows(tmp_path, "text")}
    assert then
    assert not then & now
    assert old.audit["collected"]["options"]["as_of"] == "2013-01-01"


def test_the_manifests_open_unchanged_elsewhere(built):
    import datasets
    import duckdb
    import mlcroissant
    import pandas as pd
    import polars as pl

    folder = built[0].folder / "manifests"
    path, kept = str(folder / "text.parquet"), built[0].audit["counts"]["text"]["kept"]
    assert len(pd.read_parquet(path)) == kept
    assert pl.read_parquet(path).height == kept
    found = duckdb.connect().execute("SELECT count(*) FROM read_parquet(?)", [path])
    assert found.fetchall() == [(kept,)]
    loaded = datasets.Dataset.from_parquet(path, cache_dir=str(folder.parent / "cache"))
    assert loaded.num_rows == kept
    described = mlcroissant.Dataset(jsonld=str(folder / "croissant.json"))
    assert not described.metadata.ctx.issues.errors
