"""Names: their folders, and which of them a reader could mistake."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fgbench.leaderboard.names import looks_like, place, slug
from fgbench.published import published


@given(st.text(max_size=80))
def test_a_folder_is_safe_whatever_the_name(name):
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", slug(name))
    assert len(slug(name)) <= 64


@given(st.text(max_size=20), st.text(max_size=20))
def test_to_look_alike_is_mutual_and_of_equal_names(one, other):
    assert looks_like(one, one)
    assert looks_like(one, other) is looks_like(other, one)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("ACMR", "acmr"),
        ("ACMR", "АСМR"),  # Cyrillic
        ("GXN", "GΧΝ"),  # Greek
        ("FGCrossNet", "FG-CrossNet"),
        ("FGCrossNet", "FG CrossNet"),
        ("FGCrossNet", "FG−CrossNet"),
        ("JRL", "ＪＲＬ"),
        ("Alpha", "AIpha"),
        ("Alpha", "A1pha"),
        ("MODEL 10", "M0DEL 1O"),
        ("Cafe", "Café"),
        ("Net", "Ne\u034ft"),
        ("A+", "A plus"),
    ],
)
def test_what_a_reader_could_mistake(one, other):
    assert looks_like(one, other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("A", "A+"),
        ("ViT", "VLT"),
        ("VIT-B", "VLT-B"),
        ("v1.0", "v10"),
        ("模型", "型模"),
        ("Б", "Г"),
    ],
)
def test_what_no_reader_would(one, other):
    assert not looks_like(one, other)


def test_published_methods_do_not_look_alike():
    names = [method.name for method in published()]
    assert not [(a, b) for a in names for b in names if a < b and looks_like(a, b)]


def test_a_folder_is_the_name_and_the_start_of_the_digest():
    assert place("DBFC-Net (cosine+)", "0123456789abcdef" * 4) == (
        "dbfc-net-cosine-plus/0123456789ab"
    )
    assert slug("模型") != slug("型模")
