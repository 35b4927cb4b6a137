"""Fields of a listing: taken where they fit, and empty where they do not."""

from __future__ import annotations

import pytest

from fgbench.collect.sites.base import Hit
from fgbench.collect.sites.listings import (
    amount,
    day,
    left_out,
    lines,
    pages,
    seconds,
    whole,
    words,
)

ODD = [None, True, [], {}, "", "x", -1, float("nan"), float("inf"), float("-inf"), 10**400]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2015-06-23", "2015-06-23"),
        (" 2015-6-3 ", "2015-06-03"),
        ("2015-06-23T08:00:00", "2015-06-23"),
        ("2015-06-00", "2015-06"),
        ("2015-00-00", "2015"),
        ("2015-13-01", "2015"),
        ("2015-02-99", "2015-02"),
        ("2015", "2015"),
        ("0000-00-00", ""),
        ("20150623", ""),
        ("unknown", ""),
        ("", ""),
    ],
)
def test_dates_are_as_exact_as_they_are_known(text, expected):
    assert day(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [("4:13", 253), ("0:09", 9), ("90:00", 5400), ("1:02:03", 3723), ("1:02.5", 62)],
)
def test_lengths_are_seconds(text, expected):
    assert seconds(text) == expected


@pytest.mark.parametrize("text", ["", "413", "4:1", "a:bc", "1:2:3:4", "-1:00", "9999:00", "٤:١٣"])
def test_what_is_no_length_is_none(text):
    assert seconds(text) is None


@pytest.mark.parametrize("value", ODD)
def test_odd_values_are_no_numbers(value):
    assert whole({"n": value}, "n") == 0
    assert amount({"n": value}, "n") is None
    assert lines({"n": value}, "n") == ()
    assert isinstance(words({"n": value}, "n") if value != 10**400 else "", str)


def test_numbers_come_as_numbers_and_as_text():
    assert [whole({"n": value}, "n") for value in (7, "7", "007", "٧", "7.0", 7.0)] == [
        7,
        7,
        7,
        0,
        0,
        0,
    ]
    assert [amount({"n": value}, "n") for value in (7, 0.5, 0)] == [7.0, 0.5, None]


def test_texts_are_on_one_line_and_can_be_written():
    assert words({"n": " a\r\n\tb\u2028c "}, "n") == "a b c"
    assert words({"n": "\ud800x"}, "n").encode("utf-8") == b"?x"
    assert words({"n": 4.5}, "n") == "4.5"
    assert lines({"n": ["a", "", 1, " b\nc "]}, "n") == ("a", "b c")
    assert len(words({"n": "x" * 10**6}, "n")) == 500


@pytest.mark.parametrize(
    ("claimed", "expected"),
    [(0, [1]), (1, [1]), (3, [1, 2, 3]), (4, [1, 2, 3]), (10**15, [1, 2, 3])],
)
def test_pages_are_counted_from_one_up_to_the_most(claimed, expected):
    found = list(pages(claimed, 3))
    assert [page for page, _ in found] == expected
    assert [bool(facts) for _, facts in found] == [False] * (len(found) - 1) + [claimed > 3]


def test_what_is_left_out_is_one_absence_however_much_it_is():
    hit = Hit("freesound", 3, "name", "https://freesound.org/", "x")
    assert list(left_out(hit, "why", [])) == []
    (absent,) = left_out(hit, "why", [str(n) for n in range(2_000)])
    assert (absent.site, absent.label, absent.query) == ("freesound", 3, "name")
    assert absent.reason.startswith("why: 0, 1, 2, ")
    assert absent.reason.endswith("18, 19 and 1,980 more")
