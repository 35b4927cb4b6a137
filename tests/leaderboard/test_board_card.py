"""The card: what it may hold, whoever wrote it."""

from __future__ import annotations

from pathlib import Path

import pytest
from small_board import CARD, write_card

from fgbench.leaderboard.card import FIELDS, card_faults, complete, read_card
from fgbench.leaderboard.faults import Code

DOCS = Path(__file__).resolve().parents[2] / "docs" / "leaderboard.md"


def codes(faults):
    return {fault.code for fault in faults}


def test_a_card_with_every_field_is_sound_and_tidied(tmp_path):
    fields = {
        "pretraining": ["ImageNet", "  a\n b "],
        "generalist": True,
        "code_url": "http://example.org:8080/%C3%A9?q=a+b#c",
        "deviations": {"epochs": "60"},
        "parameters": 10**9,
        "embedding_time": 1.5,
        "notes": "Two\n\nlines, and Cafe\u0301 <b>",
    }
    card, faults = read_card(write_card(tmp_path / "card.yaml", **fields))
    assert faults == []
    assert card["pretraining"] == ["ImageNet", "a b"]
    assert card["notes"] == "Two lines, and Café <b>"


def test_all_faults_of_a_card_come_at_once(tmp_path):
    path = write_card(
        tmp_path / "card.yaml", year="2024", method=None, paper_url="javascript:x", titel="x"
    )
    faults = read_card(path)[1]
    assert codes(faults) == {Code.TYPE, Code.MISSING, Code.URL, Code.UNKNOWN}
    assert all(str(path) in fault.where for fault in faults)


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)",
        "JaVaScRiPt:alert(1)",
        " https://example.org",
        "data:text/html,<script>",
        "//example.org",
        "example.org",
        "https://",
        "https://github.com@evil.example",
        'https://example.org/"onmouseover=x',
        "https://example.org/<script>",
        "https://exämple.org",
        "https://[::1",
        "ftp://example.org",
    ],
)
def test_a_link_is_http_and_what_it_shows(url):
    assert codes(card_faults({**CARD, "code_url": url}, "card")) == {Code.URL}


@pytest.mark.parametrize(
    ("name", "value", "code"),
    [
        ("method", "\u200bAlpha", Code.SIGNS),
        ("method", "Al\u2066pha", Code.SIGNS),
        ("method", "\u3164", Code.SIGNS),
        ("method", "A\x00", Code.SIGNS),
        ("paper_url", "java\tscript:alert(1)", Code.SIGNS),
        ("method", "A" + "\u0336" * 5, Code.SIGNS),
        ("method", "", Code.BOUNDS),
        ("method", " Alpha", None),
        ("method", "<script>alert('1')</script>", None),
        ("method", "模型 α", None),
        ("method", True, Code.TYPE),
        ("year", True, Code.TYPE),
        ("year", 24, Code.BOUNDS),
        pytest.param("year", 10**4000, Code.BOUNDS, id="a year of 4,000 digits"),
        ("embedding_time", float("nan"), Code.BOUNDS),
        ("embedding_time", -1, Code.BOUNDS),
        ("authors", [], Code.BOUNDS),
        pytest.param("authors", ["x"] * 51, Code.BOUNDS, id="51 authors"),
        ("authors", ["x", 3], Code.TYPE),
        ("authors", [["x"]], Code.TYPE),
        ("authors", {"x": "y"}, Code.TYPE),
        ("deviations", {"x": None}, Code.TYPE),
        ("deviations", {"x" * 61: "y"}, Code.BOUNDS),
        pytest.param("notes", "x" * 2001, Code.BOUNDS, id="notes of 2,001 signs"),
        ("generalist", "no", Code.TYPE),
    ],
)
def test_a_value_is_of_its_type_and_within_bounds(name, value, code):
    faults = card_faults({**CARD, name: value}, "card")
    assert codes(faults) == ({code} if code else set())
    assert all(len(str(fault)) < 1000 and fault.found.isprintable() for fault in faults)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "- a list",
        "just text",
        "method: [",
        "method: !!python/object/apply:os.system ['true']",
        "method: !mine x",
        "a: &a [x]\nb: [*a, *a]",
        "method: A\nmethod: B",
        "3: x",
        "? [a]\n: x",
        "a: " + "[" * 50 + "]" * 50,
        "a: " + "[" * 5000,
        "method: \x07",
        "x: " + "y" * 40_000,
        "year: " + "9" * 5000,
        "year: 2024-99-99",
    ],
)
def test_a_file_that_is_no_card_is_said_to_be_none(text, tmp_path):
    path = tmp_path / "card.yaml"
    path.write_text(text)
    faults = read_card(path)[1]
    assert Code.FILE in codes(faults)
    assert all(fault.found.isprintable() for fault in faults)


def test_a_file_that_is_no_text_or_no_file_is_said_to_be_none(tmp_path):
    (tmp_path / "card.yaml").write_bytes(b"method: \xff\xfe")
    for path in (tmp_path / "card.yaml", tmp_path / "nowhere.yaml", tmp_path):
        assert codes(read_card(path)[1]) == {Code.FILE}


def test_the_submissions_meta_fills_in_fields_and_nothing_else():
    meta = {"method": "old", "dimension": 8, "parameters": None, "seed": 3, "licence": " MIT "}
    whole = complete({**CARD, "licence": "GPL"}, meta)
    assert whole == {**CARD, "dimension": 8, "licence": "GPL"}


def test_the_docs_have_every_field_and_their_card_is_sound(tmp_path):
    text = DOCS.read_text("utf-8")
    for name, field in FIELDS.items():
        (row,) = [line for line in text.splitlines() if line.startswith(f"| `{name}` |")]
        _, needed, kind, bounds, what = (cell.strip() for cell in row.strip("|").split("|"))
        assert (needed == "yes") is field.needed
        assert what == field.what
        words = {str: "text", int: "whole number", float: "number", bool: "`true`", list: "list"}
        assert all(words.get(k, "by name") in kind for k in field.kinds if float not in field.kinds)
        number = {int, float} & set(field.kinds)
        wanted = field.span if number else f"{field.longest:,} signs"
        assert bounds == ("" if field.kinds == (bool,) else wanted)
    path = tmp_path / "method.yaml"
    path.write_text(text.split("```yaml\n")[1].split("```")[0])
    assert read_card(path)[1] == []
