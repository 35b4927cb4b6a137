"""The check of a store: a sound one passes, and whatever is changed by hand does not."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from small_board import edit, hand, ids, rewrite, write_card, write_ground, write_vectors

from fgbench import load_benchmark, score
from fgbench.leaderboard.check import check_results
from fgbench.leaderboard.faults import KINDS, Code
from fgbench.leaderboard.handin import hand_in, with_card
from fgbench.leaderboard.names import place
from fgbench.protocol import Medium
from fgbench.submission import write_submission

DOCS = Path(__file__).resolve().parents[2] / "docs" / "leaderboard.md"


@pytest.fixture(scope="session")
def made(tmp_path_factory):
    """A benchmark and a store of two entries."""
    folder = tmp_path_factory.mktemp("board")
    ground = write_ground(folder / "ground")
    hand(folder / "results", ground, 1)
    hand(folder / "results", ground, 2, method="Beta (two)", deviations={"loss": "another"})
    return folder


@pytest.fixture
def ground(made):
    return load_benchmark(made / "ground")


@pytest.fixture
def results(made, tmp_path):
    return Path(shutil.copytree(made / "results", tmp_path / "results"))


@pytest.fixture
def entry(results):
    (found,) = (results / "alpha").iterdir()
    return found


def codes(report):
    return {fault.code for fault in report.faults}


def test_what_the_scorer_wrote_is_sound(results, ground):
    report = check_results(results, ground)
    assert report.faults == ()
    assert [entry.name for entry in report.entries] == ["Alpha", "Beta (two)"]
    assert [entry.slug for entry in report.entries] == ["alpha", "beta-two"]


def test_one_of_two_media_and_one_of_spaces_by_pair_are_sound(tmp_path, made, ground):
    """Incomplete ones have a place on the board, too; the check asks only for what is scored."""
    two = (Medium.IMAGE, Medium.AUDIO)
    rng = np.random.default_rng(0)
    known = {m: ids()[m] for m in two}
    pair = tuple(rng.normal(size=(len(known[m]), 4)) for m in two)
    write_vectors(tmp_path / "two.npz", 5, media=two)
    write_submission(tmp_path / "pair.npz", ids=known, pairs={two: pair})
    for name in ("two", "pair"):
        card = write_card(tmp_path / "card.yaml", method=name)
        given = with_card(tmp_path / f"{name}.npz", card, ground)
        hand_in(score(given, ground), tmp_path / "results")
    report = check_results(tmp_path / "results", ground)
    assert report.faults == ()
    assert [e.record.complete for e in report.entries] == [False, False]


def give(path, value):
    """An edit that sets one value of a record: ``scores.i2t.map``."""
    *into, last = path.split(".")

    def change(document):
        for key in into:
            document = document[key]
        document[last] = value(document[last]) if callable(value) else value

    return change


EDITS = {
    "a higher MAP": ("scores.i2t.map", lambda v: v + 3e-6, Code.VALUE),
    "a higher MAP with the query": ("scores.i2all.map_self_included", 0.9, Code.VALUE),
    "a MAP with the query where it never stands": (
        "scores.i2t.map_self_included",
        0.5,
        Code.VALUE,
    ),
    "a higher mean": ("means.bimodal.map", lambda v: v + 3e-6, Code.VALUE),
    "a mean that is gone": ("means", lambda v: {"bimodal": v["bimodal"]}, Code.VALUE),
    "a mean of nothing": ("means", lambda v: {**v, "x\x1b": v["bimodal"]}, Code.VALUE),
    "a narrower interval": (
        "scores.v2a.ci95",
        lambda v: [v[0] + (v[1] - v[0]) / 3, v[1]],
        Code.VALUE,
    ),
    "no interval": ("means.multimodal.ci95", None, Code.VALUE),
    "another class": ("scores.i2t.classes.3", 0.99, Code.VALUE),
    "a class as text": ("scores.i2t.classes.3", "0.5", Code.VALUE),
    "a class of 400 digits": ("scores.i2t.classes.3", 10**400, Code.VALUE),
    "classes of other labels": ("scores.i2t.classes", {"77": 0.5}, Code.VALUE),
    "classes as a list": ("scores.i2t.classes", [], Code.VALUE),
    "more queries": ("scores.i2t.queries", 25, Code.VALUE),
    "a task that the benchmark has not": (
        "scores",
        lambda v: {**v, "x" * 9999: v["i2t"]},
        Code.QUERIES,
    ),
    "a score that is gone": (
        "scores",
        lambda v: {k: s for k, s in v.items() if k != "i2t"},
        Code.QUERIES,
    ),
    "a value of the paper's convention": ("scores.i2all.map_paper", 0.5, Code.SHAPE),
    "another measure over 1": ("scores.i2t.secondary.hit@1", 1.5, Code.SHAPE),
    "another measure without end": ("scores.i2t.secondary.hit@1", float("1e999"), "FG-K001"),
    "an unknown measure": ("scores.i2t.secondary", {"mine": 1.0}, Code.SHAPE),
    "first places that are no shares": ("scores.i2t.first", {"species": -1}, Code.SHAPE),
    "first places of nothing": ("scores.i2t.first", [], Code.SHAPE),
    "a confusion of no label": ("scores.i2t.confused", [[1, 99, 2.0]], Code.SHAPE),
    "a confusion with itself": ("scores.i2t.confused", [[1, 1, 2.0]], Code.SHAPE),
    "more confusions than queries": ("scores.i2t.confused", [[1, 2, 25]], Code.SHAPE),
    "confusions without end": ("scores.i2t.confused", [[1, 2, 1]] * 21, Code.SHAPE),
    "a confusion of lists": ("scores.i2t.confused", [[[1], {}, 2.0]], Code.SHAPE),
    "a key that writes to the terminal": ("\x1b[2J" + "x" * 10_000, 1, "FG-K001"),
    "NaN": ("scores.i2t.map", float("nan"), "FG-K001"),
    "a MAP over 1": ("scores.i2t.map", 1.2, "FG-K001"),
    "a badge of its own": ("status", "verified", Code.STATUS),
    "from paper": ("status", "from-paper", Code.STATUS),
    "another protocol": ("protocol", "fgx-0", Code.PROTOCOL),
    "another record version": ("record_version", 2, "FG-K001"),
    "another benchmark": ("benchmark.id", "fgxmedia-2019", Code.BENCHMARK),
    "another file": ("benchmark.files", lambda v: {**v, "image.parquet": "0" * 64}, Code.BENCHMARK),
    "more items": ("benchmark.items.image", 25, Code.BENCHMARK),
    "more of a benchmark": ("benchmark.\u202e", "x", Code.BENCHMARK),
    "luckier draws": ("bootstrap.seed", 7, Code.SHAPE),
    "another count of rows": ("per_query.rows", 1, Code.SHAPE),
    "a longer per_query": ("per_query.mine", 1, Code.SHAPE),
    "complete though it says otherwise": ("complete", False, Code.SHAPE),
    "missing though it is there": ("missing", {"i2t": "no text"}, Code.SHAPE),
    "missing as a list": ("missing", [], Code.SHAPE),
    "a merge of one space": ("merge", "zrow", Code.SHAPE),
    "a version that is no text": ("package_version", 1, Code.SHAPE),
    "a version that writes to the terminal": ("package_version", "\x1b[2J", Code.SIGNS),
    "no SHA-256": ("submission.sha256", "../../x", Code.SHAPE),
    "an unknown space": ("submission.space", ["common"], Code.SHAPE),
    "binary as a number": ("submission.binary", 1, Code.SHAPE),
    "media that it has not": ("submission.media", ["smell"], Code.SHAPE),
    "notes as text": ("submission.notes", "<b>", Code.SHAPE),
    "a note of 10,000 signs": ("submission.notes", ["x" * 10_000], Code.BOUNDS),
    "half of a surrogate pair": ("submission.notes", ["\ud800"], "FG-C002"),
    "more in the submission": ("submission.html", "<b>", Code.SHAPE),
    "no card": ("submission.meta", None, Code.TYPE),
    "an empty card": ("submission.meta", {}, Code.MISSING),
    "a name that turns the text around": ("submission.meta.method", "Al\u202epha", Code.SIGNS),
    "a name of 61 signs": ("submission.meta.method", "x" * 61, Code.BOUNDS),
    "a name of 10,000 signs": ("submission.meta.method", "x" * 10_000, Code.BOUNDS),
    "a name of blanks": ("submission.meta.method", " ", Code.BOUNDS),
    "another name": ("submission.meta.method", "Gamma", Code.PLACE),
    "another submission": ("submission.sha256", "f" * 64, Code.PLACE),
    "a link that runs": ("submission.meta.paper_url", "javascript:alert(1)", Code.URL),
    "an unknown field of the card": ("submission.meta.html", "<b>", Code.UNKNOWN),
}


@pytest.mark.parametrize("name", EDITS)
def test_a_record_that_was_edited_is_refused_with_what_differs(name, results, entry, ground):
    path, value, code = EDITS[name]
    edit(entry, give(path, value))
    report = check_results(results, ground)
    assert code in codes(report)
    found = [fault for fault in report.faults if fault.code == code]
    assert all(str(entry) in fault.where for fault in found)
    assert all(text.isprintable() for f in report.faults for text in (f.where, f.found, f.expected))
    assert all(len(f.where) + len(f.found) < 1000 for f in report.faults)


def test_the_last_digits_may_differ_as_between_two_machines(results, entry, ground):
    edit(entry, give("scores.i2t.map", lambda v: v + 5e-7))
    assert check_results(results, ground).ok


def test_intervals_of_another_stream_of_random_numbers_are_sound(results, entry, ground):
    edit(entry, give("scores.v2a.ci95", lambda v: [v[0] + (v[1] - v[0]) / 20, v[1]]))
    assert check_results(results, ground).ok


def test_a_key_that_stands_twice_is_refused(results, entry, ground):
    path = entry / "record.json"
    text = path.read_text().replace('"map": ', '"map": 0.99,\n   "map": ', 1)
    path.write_text(text)
    assert codes(check_results(results, ground)) == {Code.AMBIGUOUS}


def test_a_number_beyond_float64_is_refused(results, entry, ground):
    path = entry / "record.json"
    path.write_text(re.sub(r'"hit@1": [\d.]+', '"hit@1": 1e999', path.read_text(), count=1))
    assert codes(check_results(results, ground)) == {Code.SHAPE}


@pytest.mark.parametrize("levels", [30, 900, 100_000])
def test_a_record_deeper_than_the_stack_is_refused(levels, results, entry, ground):
    (entry / "record.json").write_text('{"a":' * levels + "1" + "}" * levels)
    assert codes(check_results(results, ground)) == {Code.AMBIGUOUS}


def raise_first(table):
    values = table["ap_excluded"].to_numpy().copy()
    values[0] = 1 - values[0]
    return table.set_column(2, "ap_excluded", pa.array(values))


def test_values_that_were_changed_without_the_digest_are_refused(results, entry, ground):
    path = entry / "per_query.parquet"
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    assert codes(check_results(results, ground)) == {"FG-C004"}


def test_values_that_were_changed_with_the_digest_disagree_with_their_means(results, entry, ground):
    rewrite(entry, raise_first)
    report = check_results(results, ground)
    assert codes(report) == {Code.VALUE}
    where = " ".join(fault.where for fault in report.faults)
    assert "scores.i2t.map" in where
    assert "means.bimodal.map" in where
    assert "t2i" not in where


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda t: t.slice(1), Code.QUERIES),
        (lambda t: pa.concat_tables([t, t.slice(0, 1)]), "FG-L101"),
        (
            lambda t: t.set_column(2, "ap_excluded", pa.array([np.nan] * len(t), pa.float32())),
            "FG-L101",
        ),
        (lambda t: t.set_column(0, "item_id", pa.array(["image/x"] * len(t))), "FG-L101"),
        (lambda t: t.drop(["ap_included"]), "FG-C005"),
    ],
)
def test_values_of_other_queries_are_refused(change, code, results, entry, ground):
    rewrite(entry, change)
    assert code in codes(check_results(results, ground))


def test_all_faults_of_all_entries_come_at_once(results, entry, ground):
    other = next((results / "beta-two").iterdir())
    edit(entry, give("status", "verified"))
    edit(entry, give("submission.meta.paper_url", "ftp://x"))
    edit(other, give("means.bimodal.map", 0.999))
    (results / "index.html").write_text("x")
    assert codes(check_results(results, ground)) == {
        Code.STATUS,
        Code.URL,
        Code.VALUE,
        Code.STRAY,
    }


def test_two_submissions_with_one_name_are_refused(results, entry, ground):
    copy = entry.with_name("0" * 12)
    shutil.copytree(entry, copy)
    edit(copy, give("submission.sha256", "0" * 64))
    assert codes(check_results(results, ground)) == {Code.SECOND}


def test_one_submission_under_two_names_is_refused(results, entry, ground):
    copy = results / "gamma" / entry.name
    shutil.copytree(entry, copy)
    edit(copy, give("submission.meta.method", "Gamma"))
    assert codes(check_results(results, ground)) == {Code.TWICE}


@pytest.mark.parametrize("name", ["Аlpha", "ALPHA", "A1pha", "al-pha", "fgcrossnet"])
def test_a_name_that_looks_like_anothers_is_refused(name, results, ground):
    other = next((results / "beta-two").iterdir())
    target = results / place(name, "1" * 64)
    target.parent.mkdir(exist_ok=True)
    other.rename(target)
    (results / "beta-two").rmdir()
    edit(target, give("submission.sha256", "1" * 64))
    edit(target, give("submission.meta.method", name))
    assert codes(check_results(results, ground)) == {Code.LOOK_ALIKE}


def test_the_fault_table_of_the_docs_is_the_codes():
    rows = re.findall(
        r"^\| (FG-L\d+) \| (.*) \| (.*) \| (.*) \| (.*) \|$", DOCS.read_text("utf-8"), re.MULTILINE
    )
    assert rows == [(c, k.title, k.expected, k.why, k.fix) for c, k in KINDS.items()]
    assert set(KINDS) == set(Code)
