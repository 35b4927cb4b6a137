"""Reading a store: what is an entry, what is not, whose word its status is; and printed rows."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

import pytest
import yaml
from small_board import edit, hand, write_ground

from fgbench.leaderboard.faults import Code
from fgbench.leaderboard.store import from_paper, read_results
from fgbench.protocol import Convention
from fgbench.published import published
from fgbench.record import Status


@pytest.fixture(scope="session")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("store")
    hand(folder / "results", write_ground(folder / "ground"), 1)
    return folder / "results"


@pytest.fixture
def results(made, tmp_path):
    return Path(shutil.copytree(made, tmp_path / "results"))


@pytest.fixture
def entry(results):
    return next((results / "alpha").iterdir())


def digest(entry):
    return hashlib.sha256((entry / "record.json").read_bytes()).hexdigest()


def vouch(results, **given):
    (results / "verified.yaml").write_text(yaml.safe_dump(given))


def test_an_entry_comes_with_record_values_and_status(results, entry):
    seen = []
    (found,), faults = read_results(results, lambda *one: seen.append(one))
    assert faults == []
    assert (found.slug, found.name, found.folder) == ("alpha", "Alpha", entry)
    assert found.record.submission["meta"]["year"] == 2024
    ((same, run),) = seen
    assert same is found
    assert run.per_query.num_rows == found.record.per_query["rows"]
    assert (found.status, found.command) == (Status.SELF_REPORTED, "")


def test_no_results_is_a_fault_and_an_empty_store_is_none(tmp_path):
    entries, faults = read_results(tmp_path / "nowhere")
    assert (entries, [f.code for f in faults]) == ((), [Code.NO_RESULTS])
    assert read_results(tmp_path) == ((), [])


def test_a_readme_may_lie_beside_the_methods(results):
    (results / "README.md").write_text("what this is")
    assert read_results(results)[1] == []


@pytest.mark.parametrize(
    "path",
    [
        "index.html",
        "alpha/notes.txt",
        "alpha/0123456789ab/record.json/x",
        "alpha/ENTRY/run.json",
        "alpha/ENTRY/more/x",
        ".alpha.part/x/y",
        "gamma\x1b[2J/x",
    ],
)
def test_whatever_is_no_part_of_an_entry_is_refused(path, results, entry):
    target = results / path.replace("ENTRY", entry.name)
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text("x")
    _, faults = read_results(results)
    assert {f.code for f in faults} == {Code.STRAY}
    assert all(f.where.isprintable() for f in faults)


def test_an_empty_folder_is_refused(results):
    (results / "gamma").mkdir()
    assert [f.code for f in read_results(results)[1]] == [Code.STRAY]


@pytest.mark.parametrize("level", ["method", "submission", "record.json", "verified.yaml"])
def test_links_are_not_followed(level, results, entry, tmp_path):
    """A link could show a file of the machine that builds the board."""
    if level == "method":
        source = results / "alpha"
    elif level == "submission":
        source = entry
    elif level == "record.json":
        source = entry / level
    else:
        source = results / level
        source.write_text("{}")
    source.rename(tmp_path / "elsewhere")
    source.symlink_to(tmp_path / "elsewhere")
    entries, faults = read_results(results)
    assert Code.STRAY in {f.code for f in faults}
    assert entries == () or level == "verified.yaml"


@pytest.mark.parametrize("status", [Status.VERIFIED, Status.REPRODUCED])
def test_the_maintainers_say_what_is_verified(status, results, entry):
    vouch(results, **{digest(entry): {"status": status.value, "command": "fgbench  score x.npz"}})
    (found,), faults = read_results(results)
    assert faults == []
    assert (found.status, found.command) == (status, "fgbench score x.npz")


def test_an_entry_that_was_edited_loses_its_badge(results, entry):
    vouch(results, **{digest(entry): {"status": "verified", "command": "x"}})
    edit(entry, lambda d: d["scores"]["i2t"].update(map=0.99))
    (found,), faults = read_results(results)
    assert found.status is Status.SELF_REPORTED
    assert [f.code for f in faults] == [Code.VERIFIED]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("[1, 2]", Code.FILE),
        ("a: &x [1]\nb: *x", Code.FILE),
        ("short: {status: verified, command: x}", Code.VERIFIED),
        ("DIGEST: verified", Code.VERIFIED),
        ("DIGEST: {status: verified}", Code.VERIFIED),
        ("DIGEST: {status: from-paper, command: x}", Code.VERIFIED),
        ("DIGEST: {status: [verified], command: x}", Code.VERIFIED),
        ("DIGEST: {status: verified, command: 7}", Code.VERIFIED),
        ("DIGEST: {status: verified, command: ''}", Code.BOUNDS),
        (
            "DIGEST: {status: verified, command: x}\nDIGEST: {status: verified, command: y}",
            Code.FILE,
        ),
    ],
)
def test_a_list_that_is_not_understood_gives_no_badge(text, code, results, entry):
    (results / "verified.yaml").write_text(text.replace("DIGEST", f'"{digest(entry)}"'))
    (found,), faults = read_results(results)
    assert found.status is Status.SELF_REPORTED
    assert code in {f.code for f in faults}


def test_the_printed_rows_are_all_published_methods_each_once():
    rows = from_paper()
    listed = [m.key for row in rows for m in (row.method, *row.variants)]
    assert sorted(listed) == sorted(method.key for method in published())
    assert len({row.slug for row in rows}) == len(rows)
    assert {row.status for row in rows} == {Status.FROM_PAPER}
    assert {row.method.convention for row in rows} == {Convention.PAPER}


def test_ablation_and_reruns_are_variants_and_two_tasks_are_no_sixteen():
    rows = {row.slug: row for row in from_paper()}
    tables = [{v.table for v in m.values.values()} for m in rows["fgcrossnet"].variants]
    assert tables.count({"Table 5"}) == 2
    assert {slug for slug, row in rows.items() if not row.complete} == {"scan", "gxn"}
    assert {"dbfc-net", "safgcmhn", "gasa"} <= {s for s, row in rows.items() if row.complete}
    doubts = {note.key for note in rows["acmr"].method.notes}
    assert {"columns-swapped", "pairwise"} <= doubts
