"""What a build makes of a world in which things go wrong: an account of it, and nothing worse."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from fgbench.collect.crawl.http import Limits
from fgbench.collect.crawl.pace import Patience
from fgbench.collect.options import Options, decide
from fgbench.collect.pipeline import build
from fgbench.collect.sample import FaultKind, SiteFault, sample_world
from fgbench.errors import InputError
from fgbench.settings import Secret, Settings

SPECIES, SITES = "61,64", "wikipedia,fandom,audubon,ebird"
PATIENT = Patience(pace=0, backoff=0.01, unstated_wait=0.01, tries=2, strikes=2)
LIMITS = Limits(connect=5, read=1.5, deadline=6, body=2_000_000)


def build_sample(folder, *faults, sites=SITES, settings=None, **how):
    """A build of a part of the sample world with faults, and what it was asked."""
    with sample_world(faults) as world:
        decision = decide(Options("text", SPECIES, sites, sample=True), Settings())
        built = build(
            folder,
            decision.recipe,
            decision.sites,
            world.settings(settings or Settings()),
            limits=LIMITS,
            patience=PATIENT,
            **how,
        )
    return built, world.asked


def contents(folder: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in (folder / "manifests").iterdir()}


def rows(folder, name="text"):
    return pq.read_table(folder / "manifests" / f"{name}.parquet").to_pylist()


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    built, _ = build_sample(tmp_path_factory.mktemp("undisturbed"))
    assert built.failed == ()
    return contents(built.folder)


@pytest.mark.parametrize(
    ("kind", "site", "reason"),
    [
        (FaultKind.TOO_MANY_BARE, "fandom", "rate_limited"),
        (FaultKind.SERVER_ERROR, "fandom", "http_5xx"),
        (FaultKind.SILENT, "fandom", "timeout"),
        (FaultKind.TRUNCATED, "fandom", "truncated"),
        (FaultKind.AWAY, "fandom", "off_site"),
        (FaultKind.PRIVATE, "fandom", "private_address"),
        (FaultKind.LOOP, "fandom", "redirect_loop"),
        (FaultKind.HUGE, "fandom", "too_large"),
        (FaultKind.HUGE_UNSTATED, "fandom", "too_large"),
        (FaultKind.BOMB, "fandom", "too_large"),
        (FaultKind.WRONG_CHARSET, "wikipedia", "bad_encoding"),
    ],
)
def test_a_fault_of_one_site_is_counted_and_mended(tmp_path, undisturbed, kind, site, reason):
    """The others are built as ever; once it is gone, --retry-failed makes all as it should be."""
    built, _ = build_sample(tmp_path, SiteFault(kind, site))
    assert {failed.site for failed in built.failed} == {site}
    assert reason in {failed.reason for failed in built.failed}
    counts = built.audit["counts"]["text"]["sites"]
    assert counts[site]["kept"] == 0
    assert counts[site]["failed"] == len(built.failed) > 0
    assert {row["site"] for row in rows(tmp_path)} == set(SITES.split(",")) - {site}
    again, asked = build_sample(tmp_path)
    assert again.failed == built.failed  # not asked again unless told to
    assert {a.target for a in asked} == set()
    mended, asked = build_sample(tmp_path, retry_failed=True)
    assert mended.failed == ()
    assert contents(tmp_path) == undisturbed
    assert {a.site for a in asked if a.target != "/robots.txt"} == {site}


@pytest.mark.parametrize(
    "fault",
    [
        SiteFault(FaultKind.TOO_MANY, "fandom", times=1, seconds=0),
        SiteFault(FaultKind.TOO_MANY_DATE, "wikipedia", times=1, seconds=0),
        SiteFault(FaultKind.SERVER_ERROR, "audubon", "/field*", times=1),
        SiteFault(FaultKind.MOVED, "wikipedia", "/w/api.php*"),
    ],
)
def test_what_passes_leaves_no_trace_but_patience(tmp_path, fault):
    built, asked = build_sample(tmp_path, fault)
    assert built.failed == ()
    assert any(one.fault for one in asked)
    assert {row["site"] for row in rows(tmp_path)} == set(SITES.split(","))


def test_a_site_that_bans_robots_is_left_alone(tmp_path):
    built, asked = build_sample(tmp_path, SiteFault(FaultKind.BANNED, "ebird", "/robots.txt"))
    assert built.failed == ()
    assert {a.target for a in asked if a.site == "ebird"} == {"/robots.txt"}
    absent = [row["reason"] for row in rows(tmp_path, "absent") if row["site"] == "ebird"]
    assert absent == ["refused_by_robots: robots.txt disallows it"] * 2


def test_no_robots_for_now_is_no_page_for_now(tmp_path):
    built, asked = build_sample(tmp_path, SiteFault(FaultKind.UNAVAILABLE, "ebird", "/robots.txt"))
    assert {(f.site, f.reason) for f in built.failed} == {("ebird", "robots_unavailable")}
    assert {a.target for a in asked if a.site == "ebird"} == {"/robots.txt"}


def test_hostile_pages_are_only_data(tmp_path):
    faults = [
        SiteFault(kind, site)
        for site, kind in (
            ("wikipedia", FaultKind.HOSTILE),
            ("audubon", FaultKind.HOSTILE),
            ("fandom", FaultKind.TRAVERSAL),
            ("ebird", FaultKind.TRAVERSAL),
        )
    ]
    folder = tmp_path / "a" / "b" / "c" / "d" / "out"
    build_sample(folder, *faults)
    assert not any("alert(" in row["text"] or "<" in row["text"] for row in rows(folder))
    outside = {p for p in tmp_path.rglob("*") if p.is_file() and not p.is_relative_to(folder)}
    assert outside == set()
    assert {p.name for p in folder.iterdir()} == {
        *(".lock", "build.json", "journal.sqlite", "manifests", "store"),
    }
    report = (folder / "manifests" / "report.html").read_text()
    assert "document.location" not in report


def test_the_users_keys_are_in_no_file(tmp_path):
    keys = {"FGBENCH_EBIRD_KEY": Secret("hunter2-hunter2"), "FGBENCH_X_TOKEN": Secret("swordfish")}
    build_sample(tmp_path, settings=Settings(keys=keys))
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert len(files) > 10
    for path in files:
        found = path.read_bytes()
        assert b"hunter2" not in found, path
        assert b"swordfish" not in found, path


def test_two_builds_on_one_folder(tmp_path):
    with sample_world(delays={"wikipedia": 0.2}) as world:
        command = [sys.executable, "-m", "fgbench", "build-data", "--sites", "wikipedia", "--out"]
        options = ["--species", SPECIES, "--contact", "you@lab.example"]
        first = subprocess.Popen(
            [*command, str(tmp_path), *options],
            env={**os.environ, **world.environ},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        while not (tmp_path / "build.json").exists():
            assert first.poll() is None, first.communicate()
        decision = decide(Options(species=SPECIES, sites="wikipedia"), Settings())
        with pytest.raises(InputError, match="FG-W002"):
            build(tmp_path, decision.recipe, decision.sites, world.settings(Settings()))
        first.kill()
        first.communicate()
        assert len(world.asked) < 10


def test_a_full_disk_is_said_and_nothing_is_lost(tmp_path, undisturbed):
    """A limit on the size of files stands in for the disk: writing fails in the same way."""
    code = (
        "import resource, sys\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))\n"
        "from fgbench.cli import main\n"
        "main(sys.argv[1:])\n"
    )
    arguments = ["--sample", "--media", "text", "--species", SPECIES, "--sites", SITES]
    arguments += ["--out", str(tmp_path)]
    done = subprocess.run(
        [sys.executable, "-c", code, "build-data", *arguments], capture_output=True, text=True
    )
    assert done.returncode == 1, done.stderr
    assert "FG-W005" in done.stderr
    assert "it continues" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "manifests").exists()
    before = json.loads((tmp_path / "build.json").read_text())
    built, _ = build_sample(tmp_path)
    assert built.failed == ()
    assert contents(tmp_path) == undisturbed
    assert before == built.recipe.to_json()
