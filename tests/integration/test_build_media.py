"""All four media from the sample world: twice the same, every sum comes out, decisions last."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from fgbench.benchmark import load_benchmark
from fgbench.cli import main
from fgbench.collect.crawl.pace import Patience
from fgbench.collect.crawl.session import CrawlSession
from fgbench.collect.options import Options, decide
from fgbench.collect.pipeline import build
from fgbench.collect.review.decisions import Decision, Decisions
from fgbench.collect.sample import CUB_IDS, sample_copies, sample_world
from fgbench.collect.sample.miniature import KEY
from fgbench.protocol import MEDIA
from fgbench.settings import Settings

SPECIES = ",".join(map(str, CUB_IDS))


def build_sample(folder, world=None, **options):
    """A build of the sample world, or offline of what it said before."""
    usual = {"species": SPECIES, "per_class": 6, "sample": True}
    given = Options(**(usual | {"beside": sample_copies(folder)} | options))
    decision = decide(given, Settings())
    settings = world.settings(Settings()) if world else Settings()
    patience = Patience(pace=0, backoff=0.01, unstated_wait=0.01, tries=2)
    how = {"patience": patience, "offline": world is None}
    return build(folder, decision.recipe, decision.sites, settings, **how)


def contents(folder: Path) -> dict[str, bytes]:
    files = [p for part in ("manifests", "media") for p in (folder / part).rglob("*")]
    return {str(p.relative_to(folder)): p.read_bytes() for p in files if p.is_file()}


def rows(folder, name):
    return pq.read_table(folder / "manifests" / f"{name}.parquet").to_pylist()


@pytest.fixture(scope="module")
def world():
    with sample_world() as world:
        yield world


@pytest.fixture(scope="module")
def built(tmp_path_factory, world):
    return build_sample(tmp_path_factory.mktemp("built"), world)


def test_two_builds_have_the_same_bytes_and_no_url_is_asked_twice(built, tmp_path, world):
    before = len(world.asked)
    build_sample(tmp_path, world)
    first, second = contents(built.folder), contents(tmp_path)
    assert second.keys() == first.keys()
    assert [name for name in first if first[name] != second[name]] == []
    asked = [a for a in world.asked[before:] if a.target != "/robots.txt"]
    with CrawlSession(tmp_path, (), Settings(), offline=True) as session:
        fetches = [f for f in session.journal.fetches() if not f.url.endswith("/robots.txt")]
    assert {fetch.attempts for fetch in fetches if fetch.status} == {1}
    assert len(asked) == sum(fetch.attempts for fetch in fetches)


def test_found_is_kept_and_rejected_and_failed_for_every_medium(built):
    audit = json.loads((built.folder / "manifests" / "audit.json").read_text())
    assert set(audit["counts"]) == {*MEDIA}
    for counts in audit["counts"].values():
        for numbers in (counts, *counts["sites"].values()):
            assert numbers["found"] == numbers["kept"] + numbers["rejected"] + numbers["failed"]
        assert counts["kept"] > 0
        assert counts["failed"] == 0
    assert {site for site, n in audit["counts"]["audio"]["sites"].items() if n["found"]} == {
        *("xeno-canto", "freesound", "macaulay", "avibase", "bird-sounds", "soundcloud")
    }


def test_the_grouped_split_does_not_leak_by_fgbench_audit(built, capsys):
    main(["audit", str(built.folder), "--json"])
    leakage = json.loads(capsys.readouterr().out)["leakage"]["split_grouped"]
    for medium in ("text", "audio"):
        assert leakage[medium]["test"] > 0
        assert leakage[medium]["leaking"] == 0


def test_it_is_a_benchmark_of_what_can_be_seen_and_heard(built):
    benchmark = load_benchmark(built.folder / "manifests")
    assert set(benchmark.media) == {*MEDIA}
    for medium in ("image", "video", "audio"):
        for row in rows(built.folder, medium):
            if row["path"] is not None:
                assert (built.folder / row["path"]).is_file()
            else:
                assert row["split_paper"] is row["split_grouped"] is None
    credits = {row["attribution"] for row in rows(built.folder, "image")}
    assert all("synthetic" in credit for credit in credits)
    named = {row["path"] for table in ("audio", "rejected") for row in rows(built.folder, table)}
    files = {name for name in contents(built.folder) if name.startswith("media/audio/")}
    assert files == named - {None}


def test_ten_decisions_survive_a_build_from_nothing(tmp_path, world):
    one, other = tmp_path / "one", tmp_path / "other"
    how = {"media": "audio", "per_class": 12}
    build_sample(one, world, **how)
    doubts = [row for row in rows(one, "rejected") if row["stage"] == "review"]
    assert len(doubts) >= 10
    decided = {
        row["item_id"]: Decision.KEEP if n % 2 else Decision.DROP
        for n, row in enumerate(doubts[:10])
    }
    with Decisions(one) as decisions:
        for item, decision in decided.items():
            decisions.decide(item, decision)
    build_sample(one, **how)
    other.mkdir()
    shutil.copy(one / "review.parquet", other)
    build_sample(other, world, **how)
    assert contents(other) == contents(one)
    kept = {row["item_id"]: row["review"] for row in rows(other, "audio")}
    rejected = {row["item_id"]: row["reason"] for row in rows(other, "rejected")}
    met = [item for item in decided if item in {*kept, *rejected}]
    assert len(met) >= 8  # what was kept makes up for some that need not be fetched any more
    for item in met:
        if decided[item] is Decision.KEEP:
            assert kept.get(item) == "keep" or rejected[item] == "over_quota"
        else:
            assert rejected[item] == "dropped"
    assert "keep" in kept.values()


def test_the_keys_are_in_no_file(built):
    files = [path for path in built.folder.rglob("*") if path.is_file()]
    assert len(files) > 100
    for path in files:
        assert KEY.encode() not in path.read_bytes(), path
