"""Copies of a recording: which stays, which goes, what shares a cluster."""

from __future__ import annotations

import random

import numpy as np
import pytest

from fgbench.collect.clean.copies import Key, drop_copies, recording
from fgbench.collect.clean.fingerprints import Landmarks
from fgbench.dataset.schema import Row, audio_id

SITES = ("xeno-canto", "freesound")


def landmarks(number: int, peaks: int) -> Landmarks:
    """18 frames a peak, three partners each, in order of time; those of different numbers have
    nothing in common."""
    rng = np.random.default_rng(number)
    partners = rng.choice(4096, 3 * peaks, replace=False)
    codes = (np.repeat(rng.integers(0, 128, peaks), 3) << 12 | partners).astype(np.uint32)
    frames = np.repeat(np.sort(rng.integers(0, 18 * peaks, peaks, np.int32)), 3)
    return Landmarks(codes, frames)


def sound(number: int) -> Landmarks:
    """A print of half a minute."""
    return Landmarks.of([landmarks(number, 100)])


def row(
    name: str, *, label: int = 0, site: str = "xeno-canto", piece: int = 0, **more: object
) -> Row:
    return {
        "item_id": audio_id(name.encode().hex(), 20 * piece, 20 * piece + 20),
        "label": label,
        "medium": "audio",
        "site": site,
        "source_url": f"https://{site}.org/{name}",
        "source_id": name,
        "redistributable": True,
        "path": f"media/audio/{name}{piece}.flac",
        "duration_s": 20.0,
        **more,
    }


def outcome(rows, numbers=(), related=()):
    """Names kept with their cluster, and names rejected with the name that they repeat."""
    prints = {recording(r): sound(n) for r, n in zip(rows, numbers, strict=False) if n is not None}
    found = drop_copies(rows, prints, dict(related), SITES)
    names = {r["item_id"]: r["source_id"] for r in rows}
    kept = [(r["source_id"], r["cluster_id"] and names[r["cluster_id"]]) for r in found.kept]
    return kept, [
        (r["source_id"], r["reason"], names.get(r["duplicate_of"])) for r in found.rejected
    ]


def test_strangers_stay() -> None:
    assert outcome([row("a"), row("b")], (1, 2)) == ([("a", None), ("b", None)], [])


def test_all_pieces_of_the_worse_copy_go() -> None:
    rows = [row("b", site="freesound", piece=n) for n in (0, 1)] + [
        row("a", piece=n) for n in (0, 1)
    ]
    kept, rejected = outcome(rows, (1, 1, 1, 1))
    assert kept == [("a", None), ("a", None)]
    assert rejected == [("b", "same_recording", "a")] * 2


@pytest.mark.parametrize(
    ("better", "worse"),
    [
        ({}, {"path": None}),
        ({"duration_s": 1.0}, {"redistributable": False}),
        ({"duration_s": 30.0, "site": "freesound"}, {"duration_s": 20.0}),
        ({}, {"site": "freesound"}),
        ({"site": "freesound"}, {"site": "elsewhere"}),
    ],
)
def test_the_better_copy_stays(better: Row, worse: Row) -> None:
    for rows in ([row("a", **better), row("b", **worse)], [row("b", **worse), row("a", **better)]):
        kept, rejected = outcome(rows, (1, 1))
        assert kept == [("a", None)]
        assert rejected == [("b", "same_recording", "a")]


def test_a_pointer_to_a_recording_that_is_there_goes() -> None:
    pointer = row("x", site="avibase", path=None, source_url="https://xeno-canto.org/a")
    kept, rejected = outcome([pointer, row("a")], (None, 1))
    assert (kept, rejected) == ([("a", None)], [("x", "same_recording", "a")])


def test_copies_of_two_classes_share_a_cluster() -> None:
    kept, rejected = outcome([row("a"), row("b", label=5), row("c", label=5)], (1, 1, 2))
    assert kept == [("a", kept[0][1]), ("b", kept[0][1]), ("c", None)]
    assert kept[0][1] in ("a", "b")
    assert rejected == []


def test_one_file_under_two_classes_tells_neither() -> None:
    twice = [row("a"), {**row("a", label=7), "source_url": "https://xeno-canto.org/z"}]
    kept, rejected = outcome([*twice, row("b")], (1, 1, 2))
    assert kept == [("b", None)]
    assert rejected == [("a", "exact_across_classes", None)] * 2


def test_one_file_at_two_addresses_is_one() -> None:
    """Whatever there is to hear in it."""
    again = {**row("a", site="freesound"), "source_url": "https://freesound.org/9"}
    kept, rejected = outcome([row("a"), again])
    assert kept == [("a", None)]
    assert rejected == [("a", "same_recording", "a")]


def test_what_belongs_together_shares_a_cluster() -> None:
    rows = [row("a"), row("b"), row("c"), row("b", site="freesound", label=3)]
    rows[3]["item_id"] = audio_id("99", 0, 1)
    related: dict[Key, tuple[str, ...]] = {recording(rows[0]): ("b", "gone", "a")}
    kept, rejected = outcome(rows, (1, 2, 3, 4), related)
    assert kept[0][1] == kept[1][1] is not None
    assert kept[2:] == [("c", None), ("b", None)]
    assert rejected == []


def test_only_direct_copies_go() -> None:
    """Two excerpts of a long recording that may not be passed on say different things."""
    whole = landmarks(4, 200)
    rows = [row("first"), row("long", redistributable=False), row("last")]
    parts = (slice(0, 200), slice(0, 600), slice(400, 600))
    prints = {
        recording(r): Landmarks.of([Landmarks(whole.codes[part], whole.frames[part])])
        for r, part in zip(rows, parts, strict=True)
    }
    found = drop_copies(rows, prints, {})
    assert [r["source_id"] for r in found.kept] == ["first", "last"]
    assert [r["source_id"] for r in found.rejected] == ["long"]


def test_order_makes_no_difference() -> None:
    rows = [
        row(name, site=site, label=label, piece=piece)
        for number, (name, site, label) in enumerate(
            [(f"r{n}", SITES[n % 2], n % 3) for n in range(24)]
        )
        for piece in range(number % 3 + 1)
    ]
    prints = {recording(r): sound(int(r["source_id"][1:]) // 4) for r in rows}
    expected = drop_copies(rows, prints, {}, SITES)
    assert expected.rejected
    assert any(r["cluster_id"] for r in expected.kept)
    for seed in range(5):
        mixed = random.Random(seed).sample(rows, len(rows))
        found = drop_copies(mixed, prints, {}, SITES)
        for part in ("kept", "rejected"):
            by_id = [
                sorted(getattr(o, part), key=lambda r: r["item_id"]) for o in (expected, found)
            ]
            assert by_id[0] == by_id[1]
