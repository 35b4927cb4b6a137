"""Both splits: halves, whole groups, the coarsest level that works, no dependence on order."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from fgbench.dataset.schema import Row
from fgbench.dataset.split import split
from fgbench.protocol import Medium

LABELS = range(4)


def text(
    number: int, label: int = 0, page: str = "p", section: str | None = "", cluster: str | None = ""
) -> Row:
    return {
        "item_id": f"text/{number:03}",
        "label": label,
        "site": "a",
        "source_url": f"https://a.org/{page}",
        "section": section or None,
        "cluster_id": cluster or None,
    }


@st.composite
def texts(draw: st.DrawFn, shared: bool = True) -> list[Row]:
    """Texts on pages of one class each, and (``shared``) pages and clusters of several."""
    rows = []
    for n in range(draw(st.integers(0, 24))):
        label = draw(st.sampled_from(LABELS))
        page = f"{label}-{draw(st.sampled_from('xyz'))}"
        cluster = draw(st.sampled_from(["", "", "", f"{label}-c"]))
        if shared and draw(st.integers(0, 5)) == 0:
            page, cluster = draw(st.sampled_from("st")), draw(st.sampled_from(["", "c", "d"]))
        rows.append(text(n, label, page, draw(st.sampled_from(["", "Song", "Nest"])), cluster))
    return rows


def sides(rows: Iterable[Row], *names: str) -> dict[tuple[object, ...], set[str]]:
    """The sides on which rows with the same values are, those left out apart."""
    found: defaultdict[tuple[object, ...], set[str]] = defaultdict(set)
    for row in rows:
        if row["split_grouped"] is not None:
            found[tuple(row[name] for name in names)].add(row["split_grouped"])
    return found


@given(texts(), st.integers(0, 3))
@settings(deadline=None, max_examples=150)
def test_no_group_page_section_or_cluster_is_on_both_sides(rows: list[Row], seed: int) -> None:
    done = split(rows, Medium.TEXT, seed)
    articles = [row for row in done if row["group_level"] == "article"]
    sections = [row for row in done if row["group_level"] == "section"]
    assert all(len(on) == 1 for on in sides(done, "group_id").values())
    assert all(len(on) == 1 for on in sides(articles, "source_url").values())
    assert all(len(on) == 1 for on in sides(sections, "source_url", "section").values())
    clusters = sides([row for row in done if row["cluster_id"]], "cluster_id")
    assert all(len(on) == 1 for on in clusters.values())


@given(texts(), st.integers(0, 3))
@settings(deadline=None)
def test_every_class_has_both_sides_or_neither(rows: list[Row], seed: int) -> None:
    done = split(rows, Medium.TEXT, seed)
    assert all(len(on) == 2 for on in sides(done, "label").values())
    for label in LABELS:
        mine = [row for row in done if row["label"] == label]
        assert len({row["group_level"] for row in mine}) <= 1
        for row in mine:
            assert (row["split_grouped"] is None) == (row["group_level"] is None)
            assert (row["split_grouped"] is None) == (row["group_id"] is None)


def joined(rows: list[Row], *names: str) -> list[int]:
    """Sizes of the groups that rows form through equal values, found by merging sets."""
    groups: list[tuple[set[object], int]] = []
    for row in rows:
        keys: set[object] = {tuple(row[name] for name in names)}
        keys |= {row["cluster_id"]} if row["cluster_id"] else set()
        size = 1
        for held in [g for g in groups if g[0] & keys]:
            groups.remove(held)
            keys |= held[0]
            size += held[1]
        groups.append((keys, size))
    return [size for _, size in groups]


def nearest_to_half(sizes: list[int]) -> int:
    sums = {0}
    for size in sizes:
        sums |= {s + size for s in sums}
    return min(abs(2 * s - sum(sizes)) for s in sums)


@given(texts(shared=False), st.integers(0, 3))
@settings(deadline=None)
def test_the_coarsest_level_that_works_and_then_the_nearest_to_half(
    rows: list[Row], seed: int
) -> None:
    done = split(rows, Medium.TEXT, seed)
    for label in {row["label"] for row in rows}:
        mine = [row for row in done if row["label"] == label]
        by_level = {
            "article": joined(mine, "source_url"),
            "section": joined(mine, "source_url", "section"),
        }
        level = next((name for name, sizes in by_level.items() if len(sizes) > 1), None)
        assert {row["group_level"] for row in mine} == {level}
        if level:
            on = Counter(row["split_grouped"] for row in mine)
            assert abs(on["test"] - on["train"]) == nearest_to_half(by_level[level])


@given(texts(), st.randoms())
@settings(deadline=None, max_examples=50)
def test_the_order_of_rows_does_not_matter(rows: list[Row], random: Random) -> None:
    shuffled = list(rows)
    random.shuffle(shuffled)
    done = {row["item_id"]: row for row in split(shuffled, Medium.TEXT)}
    assert [done[row["item_id"]] for row in rows] == split(rows, Medium.TEXT)


@given(texts(), st.integers(0, 3))
def test_paper_split_is_half_and_half_a_class(rows: list[Row], seed: int) -> None:
    done = split(rows, Medium.TEXT, seed)
    for label in {row["label"] for row in rows}:
        on = Counter(row["split_paper"] for row in done if row["label"] == label)
        if on.total() == 1:
            assert on == {None: 1}
        else:
            assert abs(on["test"] - on["train"]) == on.total() % 2


@given(texts(), st.sampled_from(LABELS))
def test_a_new_item_moves_at_most_one_other_in_the_paper_split(rows: list[Row], label: int) -> None:
    before = {r["item_id"]: r["split_paper"] for r in split(rows, Medium.TEXT)}
    after = split([*rows, text(999, label)], Medium.TEXT)
    moved = [r for r in after if before.get(r["item_id"]) not in (None, r["split_paper"])]
    assert len(moved) <= 1


def test_classes_that_share_a_page_have_it_on_one_side() -> None:
    rows = [text(n, label=n % 2, page="genus") for n in range(10)]
    rows += [text(10 + n, label=n % 2, page=f"own{n % 2}") for n in range(10)]
    for seed in range(5):
        done = split(rows, Medium.TEXT, seed)
        assert {row["group_level"] for row in done} == {"article"}
        assert all(len(on) == 1 for on in sides(done, "source_url").values())
        assert all(len(on) == 2 for on in sides(done, "label").values())


def test_a_cluster_between_classes_pulls_their_whole_pages_together() -> None:
    rows = [text(n, label=n // 8, page=f"{n // 4}") for n in range(16)]
    rows[0]["cluster_id"] = rows[8]["cluster_id"] = "text/000"
    for seed in range(5):
        done = split(rows, Medium.TEXT, seed)
        assert len({row["split_grouped"] for row in (*done[:4], *done[8:12])}) == 1
        assert len({row["group_id"] for row in done}) == 3


def test_three_classes_that_cannot_all_have_both_sides_give_up_no_more_than_one() -> None:
    # Pages of two classes each, in a ring: one side for each page leaves one class one-sided.
    rows = [
        text(n, label=(n % 3 + n // 3 % 2) % 3, page=f"{n % 3}", section=f"{n // 6}")
        for n in range(12)
    ]
    levels = {row["label"]: row["group_level"] for row in split(rows, Medium.TEXT)}
    assert sorted(levels.values()) == ["article", "article", "section"]


def test_a_class_of_one_page_without_sections_is_left_out_of_the_grouped_split_only() -> None:
    done = split([text(n) for n in range(6)], Medium.TEXT)
    assert {(r["split_grouped"], r["group_id"], r["group_level"]) for r in done} == {(None,) * 3}
    assert Counter(row["split_paper"] for row in done) == {"train": 3, "test": 3}


def piece(number: int, recording: str, **facts: str | None) -> Row:
    session = {"author": None, "recorded_on": None, "place": None, **facts}
    url = f"https://x.org/{recording}"
    return {
        "item_id": f"audio/{number}",
        "label": 0,
        "site": "x",
        "source_url": url,
        **session,
    }


def test_pieces_of_a_recording_and_of_a_session_stay_together() -> None:
    session = {"author": "A. Bird", "recorded_on": "2019-05-01", "place": "The Wood"}
    rows = [piece(n, f"r{n // 2}") for n in range(4)]
    rows += [piece(4, "r4", **session), piece(5, "r5", **{**session, "author": " a. bird"})]
    rows += [piece(6, "r6", **{**session, "place": None}), piece(7, "r7", author="A. Bird")]
    done = split(rows, Medium.AUDIO)
    assert Counter(Counter(row["group_id"] for row in done).values()) == {2: 3, 1: 2}
    assert done[4]["group_id"] == done[5]["group_id"]
    assert {row["group_level"] for row in done} == {"recording"}
    assert Counter(row["split_grouped"] for row in done) == {"train": 4, "test": 4}


def test_the_seed_decides() -> None:
    rows = [text(n, page=str(n)) for n in range(40)]
    for column in ("split_paper", "split_grouped"):
        drawn = {tuple(r[column] for r in split(rows, Medium.TEXT, seed)) for seed in range(5)}
        assert len(drawn) == 5
