"""Ranges as players ask for them (RFC 9110, section 14)."""

from __future__ import annotations

from pathlib import Path

import pytest

from fgbench.collect.review.sound import byte_range, content_type


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ("", (0, 100)),
        ("bytes=0-", (0, 100)),
        ("bytes=10-", (10, 100)),
        ("bytes=10-19", (10, 20)),
        ("bytes=10-1000", (10, 100)),
        ("bytes=99-99", (99, 100)),
        ("bytes=-10", (90, 100)),
        ("bytes=-1000", (0, 100)),
        ("bytes=100-", (100, 100)),
        ("bytes=-0", (100, 100)),
        ("bytes=20-10", (100, 100)),
        ("bytes=0-1,5-6", (0, 100)),
        ("bytes=-", (0, 100)),
        ("items=0-1", (0, 100)),
        ("bytes=" + "9" * 400 + "-", (0, 100)),
    ],
)
def test_a_range(asked, expected):
    assert byte_range(asked, 100) == expected


def test_kinds():
    assert content_type(Path("a.FLAC")) == "audio/flac"
    assert content_type(Path("a.html")) == "application/octet-stream"
