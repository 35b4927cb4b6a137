"""Leakage: each rule by itself, the near-duplicate rule against every pair, the official lists."""

from __future__ import annotations

import random
from collections import defaultdict
from importlib import resources

import pyarrow.parquet as pq
import pytest
from small_build import audio_row, prose, text_row

from fgbench.collect.clean.duplicates import compare, shingle
from fgbench.dataset.audit import audit
from fgbench.dataset.leakage import Rule, Shared, leakage
from fgbench.dataset.schema import Row

SPLIT = "split_paper"
LONG = "one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen"


def pair(rule: Rule, **more: object) -> list[Row]:
    """A train and a test clip that share nothing but what is said."""
    train = audio_row(1, 0, "train", **more)
    test = audio_row(2, 0, "test", **more)
    return [train, test]


@pytest.mark.parametrize(
    ("rule", "shared"),
    [
        (Rule.GROUP, {"group_id": "g"}),
        (Rule.SOURCE, {"source_url": "https://x.example/1#part"}),
        (Rule.CLUSTER, {"cluster_id": "c"}),
        (Rule.SESSION, {"author": "R. Ecordist", "recorded_on": "2019-05-01", "place": "Ely"}),
        (Rule.FILE, {"sha256": "0" * 64}),
    ],
)
def test_what_two_items_share_is_told_by_its_rule_alone(
    rule: Rule, shared: dict[str, object]
) -> None:
    found = leakage(pair(rule, **shared), SPLIT)
    assert found.leaking == 1
    assert {r for r, n in found.rules.items() if n and n.items} == {rule}
    assert found.rules[rule] == Shared(1, 1)


def test_nothing_shared_is_nothing_and_nothing_known_is_null() -> None:
    found = leakage(pair(Rule.GROUP), SPLIT)
    assert found.leaking == 0
    assert found.rules[Rule.SESSION] is None
    assert found.rules[Rule.TEXT] is None
    bare = [
        {"item_id": f"audio/x{n}", "label": 0, "medium": "audio", SPLIT: side}
        for n, side in enumerate(("train", "test"))
    ]
    assert leakage(bare, SPLIT).leaking is None
    assert leakage([audio_row(1, 0, "test")], SPLIT).rules[Rule.GROUP] is None


def test_two_sessions_of_one_day_without_a_place_are_not_one() -> None:
    shared = {"author": "R. Ecordist", "recorded_on": "2019-05-01", "place": None}
    assert leakage(pair(Rule.SESSION, **shared), SPLIT).leaking == 0


def test_leading_numbers_tell_recordings_apart_where_nothing_else_does() -> None:
    names = [
        ("audio/a/22_23_51.png", 0, "train"),
        ("audio/a/22.png", 0, "test"),
        ("audio/a/22_9.png", 0, "test"),
        ("audio/a/220_1.png", 0, "test"),
        ("audio/b/22_7.png", 1, "test"),
        ("audio/b/song_22.png", 1, "test"),
    ]
    clips = [
        {"item_id": name, "label": label, "medium": "audio", SPLIT: side}
        for name, label, side in names
    ]
    assert leakage(clips, SPLIT).rules[Rule.NAME] == Shared(2, 4)
    images = [{**clip, "medium": "image"} for clip in clips]
    assert leakage(images, SPLIT).rules[Rule.NAME] is None


@pytest.mark.parametrize(
    ("train", "test", "items"),
    [
        (LONG, LONG.upper(), 1),
        (LONG, f"{LONG} sixteen", 1),  # 11 shingles of 12
        (f"{LONG} {prose(1)} {prose(2)}", LONG, 1),  # an excerpt
        (LONG, f"{LONG} {prose(1)} {prose(2)}", 1),  # and the other way about
        (LONG, "zero " + LONG.replace("eight", "8"), 0),
        ("Four words, no more", "four words no more!", 1),
    ],
)
def test_texts_that_repeat_each_other_leak(train: str, test: str, items: int) -> None:
    rows = [
        text_row(1, 0, "wikipedia", "train", text=train),
        text_row(2, 1, "fandom", "test", text=test),
    ]
    assert leakage(rows, SPLIT).rules[Rule.TEXT] == Shared(items, 1)


def test_text_leakage_is_that_of_every_pair() -> None:
    draw = random.Random(4)
    stock = [" ".join(draw.choices("abcdefgh", k=30)) for _ in range(40)]
    rows = []
    for n in range(700):
        words = draw.choice(stock).split()
        for _ in range(draw.randint(0, 6)):
            words[draw.randrange(len(words))] = draw.choice("stuvw")
        words = words[draw.randint(0, 9) : draw.randint(12, 30)]
        rows.append(
            text_row(n, 0, "wikipedia", draw.choice(("train", "test", None)), text=" ".join(words))
        )
    train = [shingle(r["text"]) for r in rows if r[SPLIT] == "train"]
    test = [shingle(r["text"]) for r in rows if r[SPLIT] == "test"]
    expected = sum(any(compare(one, two) for two in train) for one in test)
    assert 0 < expected < len(test)
    assert leakage(rows, SPLIT).rules[Rule.TEXT] == Shared(expected, len(test))


def test_the_official_audio_lists_leak_by_1957_of_6000() -> None:
    path = resources.files("fgbench.manifests") / "fgxmedia-2019" / "audio.parquet"
    sides: dict[tuple[int, str], set[str]] = defaultdict(set)
    tests = []
    for row in pq.read_table(str(path)).to_pylist():
        recording = row["label"], row["item_id"].split("/")[-1].split(".")[0].split("_")[0]
        sides[recording].add(row["split"])
        tests += [recording] if row["split"] == "test" else []
    assert sum("train" in sides[recording] for recording in tests) == 1957
    found = audit("fgxmedia-2019")["leakage"]["split"]
    assert found["audio"]["rules"]["name"] == {"items": 1957, "of": 6000}
    assert found["audio"]["leaking"] == 1957
    assert [found[m]["leaking"] for m in ("image", "text", "video")] == [None] * 3
