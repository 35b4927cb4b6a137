"""Repeats, against a comparison of all pairs."""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from collections.abc import Iterable

import pytest

from fgbench.collect.clean import duplicates
from fgbench.collect.clean.duplicates import Repeat, compare, drop_repeats, shingle
from fgbench.dataset.schema import Row, text_id

SITES = ("wikipedia", "fandom")


def row(text: str, label: int = 0, site: str = "wikipedia", **more: object) -> Row:
    return {
        "item_id": text_id(text),
        "label": label,
        "medium": "text",
        "text": text,
        "site": site,
        "source_url": f"https://{site}.org/{label}",
        "redistributable": True,
        **more,
    }


def words(n: int, first: int = 0) -> str:
    return " ".join(f"w{k}" for k in range(first, first + n))


def reasons(rows: Iterable[Row]) -> list[str]:
    return [r["reason"] for r in drop_repeats(list(rows), SITES).rejected]


# The definitions again, of strings and floats: texts here have single spaces and no signs.
def oracle_shingles(text: str) -> set[str]:
    w = text.lower().split(" ")
    return {" ".join(w[k : k + 5]) for k in range(len(w) - 4)} if len(w) > 5 else {" ".join(w)}


def jaccard(a: str, b: str) -> float:
    x, y = oracle_shingles(a), oracle_shingles(b)
    return len(x & y) / len(x | y)


def covered(a: str, b: str) -> float:
    """The share of a's shingles that b has."""
    x, y = oracle_shingles(a), oracle_shingles(b)
    return len(x & y) / len(x)


def alike(a: str, b: str) -> bool:
    return jaccard(a, b) >= 0.8 or max(covered(a, b), covered(b, a)) >= 0.9


def corpus(seed: int, size: int = 250) -> list[Row]:
    """Random texts with planted copies, edits, excerpts, extensions and joints of two."""
    rng = random.Random(seed)
    texts: list[str] = []
    for _ in range(size):
        fresh = " ".join(f"v{rng.randrange(60)}" for _ in range(rng.randint(1, 40)))
        if texts and rng.random() < 0.6:
            old = rng.choice(texts).split()
            cut = rng.randrange(len(old) + 1)
            edited = [*old]
            edited[rng.randrange(len(old))] = "edited"
            fresh = rng.choice(
                [
                    " ".join(old),
                    " ".join(old).upper(),
                    " ".join(edited),
                    " ".join(old[cut:]) or fresh,
                    " ".join([*old, *fresh.split()[:cut]]),
                    " ".join([*old, *rng.choice(texts).split()]),
                ]
            )
        texts.append(fresh)
    return [
        row(
            text,
            rng.randrange(4),
            rng.choice([*SITES, "blog"]),
            source_id=str(n),
            redistributable=rng.random() < 0.7,
        )
        for n, text in enumerate(texts)
    ]


@pytest.mark.parametrize("seed", range(12))
def test_what_is_kept_and_rejected_is_what_all_pairs_say(seed: int) -> None:
    rows = corpus(seed)
    done = drop_repeats(rows, SITES)
    assert len(done.kept) + len(done.rejected) == len(rows)
    kept = {r["item_id"]: r for r in done.kept}
    assert len(kept) == len(done.kept)
    text_of = {r["item_id"]: r["text"] for r in rows}
    for r in done.rejected:
        text = text_of[r["item_id"]]
        if r["reason"] == "exact_across_classes":
            assert len({other["label"] for other in rows if other["item_id"] == r["item_id"]}) > 1
            assert r["item_id"] not in kept
            continue
        original = kept[r["duplicate_of"]]
        assert original["label"] == r["label"]
        if r["reason"] == "exact":
            assert original["item_id"] == r["item_id"]
        elif r["reason"] == "near":
            assert jaccard(text, original["text"]) >= 0.8
        else:
            assert r["reason"] == "excerpt"
            assert covered(text, original["text"]) >= 0.9
    check_kept(done.kept)


def check_kept(kept: list[Row]) -> None:
    """None of a class repeats another; what is alike is linked into clusters, and only that."""
    neighbours: defaultdict[str, set[str]] = defaultdict(set)
    for n, a in enumerate(kept):
        for b in kept[:n]:
            if alike(a["text"], b["text"]):
                neighbours[a["item_id"]].add(b["item_id"])
                neighbours[b["item_id"]].add(a["item_id"])
                if a["label"] == b["label"]:
                    assert jaccard(a["text"], b["text"]) < 0.8
                    # One contains the other, and the one of worse provenance is the longer.
                    longer, shorter = sorted((a, b), key=lambda r: len(r["text"]), reverse=True)
                    assert covered(longer["text"], shorter["text"]) < 0.9
                    assert place(longer) > place(shorter)
    for r in kept:
        cluster, todo = {r["item_id"]}, [r["item_id"]]
        while todo:
            new = neighbours[todo.pop()] - cluster
            cluster |= new
            todo += new
        assert r["cluster_id"] == (min(cluster) if len(cluster) > 1 else None)


def place(r: Row) -> tuple[bool, int]:
    return not r["redistributable"], [*SITES, "blog"].index(r["site"])


def test_the_corpora_hold_repeats_of_every_kind() -> None:
    found = {reason for seed in range(3) for reason in reasons(corpus(seed))}
    assert found == {"exact", "exact_across_classes", "near", "excerpt"}


@pytest.mark.parametrize("seed", range(3))
def test_the_order_of_rows_does_not_matter(seed: int) -> None:
    rows = corpus(seed)
    shuffled = random.Random(seed).sample(rows, len(rows))
    done, again = drop_repeats(rows, SITES), drop_repeats(shuffled, SITES)
    for one, other in ((done.kept, again.kept), (done.rejected, again.rejected)):
        assert sorted(map(repr, one)) == sorted(map(repr, other))


@pytest.mark.parametrize(
    ("same", "apart", "reason"),
    [(40, 10, ["near"]), (39, 11, []), (90, 10, ["near"])],
)
def test_near_begins_at_a_jaccard_of_four_fifths(same: int, apart: int, reason: list[str]) -> None:
    # Shingles shared, and shingles that only one of the two has (half of them each).
    a = words(same + 4) + " " + " ".join(f"a{k}" for k in range(apart // 2))
    b = words(same + 4) + " " + " ".join(f"b{k}" for k in range(apart - apart // 2))
    assert jaccard(a, b) == pytest.approx(same / (same + apart))
    assert reasons([row(a), row(b, site="blog")]) == reason


@pytest.mark.parametrize(("shared", "reason"), [(18, ["excerpt"]), (17, [])])
def test_an_excerpt_has_nine_tenths_of_its_shingles_in_the_longer(
    shared: int, reason: list[str]
) -> None:
    excerpt = words(shared + 4, first=100) + " " + words(20 - shared, first=900)
    assert covered(excerpt, words(400)) == shared / 20
    assert reasons([row(words(400)), row(excerpt, site="blog")]) == reason


def test_a_longer_text_that_contains_a_better_one_stays_in_its_cluster() -> None:
    done = drop_repeats([row(words(30)), row(words(90), site="blog")], SITES)
    assert done.rejected == []
    assert len({r["cluster_id"] for r in done.kept} - {None}) == 1


def test_two_excerpts_of_one_text_go_and_are_not_repeats_of_each_other() -> None:
    excerpts = [row(words(20), site="fandom"), row(words(20, 60), site="blog")]
    assert reasons([row(words(90)), *excerpts]) == ["excerpt", "excerpt"]
    assert reasons(excerpts) == []


def test_a_sentence_of_two_classes_stays_in_both_and_ties_them() -> None:
    one, other = words(30) + " least tern", words(30) + " common tern"
    done = drop_repeats([row(one, 1), row(other, 2), row("quite another thing", 3)], SITES)
    assert [r["cluster_id"] is None for r in done.kept] == [False, False, True]
    assert done.kept[0]["cluster_id"] == done.kept[1]["cluster_id"]


def test_the_same_text_under_two_classes_tells_neither() -> None:
    done = drop_repeats([row(words(9), 1), row(words(9).upper(), 2), row(words(9), 1)], SITES)
    assert done.kept == []
    assert [r["reason"] for r in done.rejected] == ["exact_across_classes"] * 3
    assert {r["detail"] for r in done.rejected} == {"the same text stands under the labels 1, 2"}


@pytest.mark.parametrize(
    ("better", "worse"),
    [
        ({"site": "blog"}, {"redistributable": False}),
        ({"site": "blog"}, {"extractor": "trafilatura"}),
        ({"site": "wikipedia"}, {"site": "fandom"}),
        ({"site": "fandom"}, {"site": "blog"}),
    ],
)
def test_the_text_of_better_provenance_stays(better: Row, worse: Row) -> None:
    first, second = row(words(30), **better), row(words(31), **worse)
    done = drop_repeats([second, first], SITES)
    assert [r["text"] for r in done.kept] == [words(30)]
    assert done.rejected[0]["duplicate_of"] == first["item_id"]
    assert first["source_url"] in done.rejected[0]["detail"]


def test_of_equal_standing_the_longer_text_stays() -> None:
    assert [r["text"] for r in drop_repeats([row(words(20)), row(words(60))]).kept] == [words(60)]


def test_short_texts_repeat_only_as_a_whole() -> None:
    assert reasons([row("Sings."), row("It sings."), row("Sings at night.")]) == []
    assert reasons([row("Sings at night."), row("Sings, at night!")]) == ["near"]
    assert reasons([row("!?"), row("?!"), row("…")]) == []


def test_signs_and_case_make_no_difference_but_words_do() -> None:
    a = shingle("The Wren’s song: loud, long; Ünlike others (it seems).")
    assert a == shingle("the wren’s song, loud long u\u0308nlike others it seems")
    assert compare(a, shingle("the robin’s song, loud long ünlike others it seems")) is None
    assert compare(a, a) is Repeat.NEAR


@pytest.mark.parametrize("classes", [1, 5])
def test_thousands_of_copies_are_not_compared_with_each_other(
    monkeypatch: pytest.MonkeyPatch, classes: int
) -> None:
    calls: Counter[str] = Counter()

    def counted(*pair: duplicates.Shingles) -> Repeat | None:
        calls["all"] += 1
        return compare(*pair)

    monkeypatch.setattr(duplicates, "compare", counted)
    copies = [row(f"{words(60)} z{k}", k % classes) for k in range(1000)]
    assert len(drop_repeats(copies, SITES).kept) == classes
    assert calls["all"] <= 1000 * classes


def test_no_texts_are_no_repeats() -> None:
    assert drop_repeats([]) == duplicates.Distinct([], [])
