"""A quota a class, spread over sites and sources, stable when more comes."""

from __future__ import annotations

from collections import Counter
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from fgbench.dataset.schema import Row
from fgbench.dataset.select import select


def item(number: int, label: int = 0, site: str = "a", page: int = 0) -> Row:
    return {
        "item_id": f"text/{number}",
        "label": label,
        "site": site,
        "source_url": f"https://{site}.org/{label}/{page}",
        "redistributable": True,
    }


@st.composite
def items(draw: st.DrawFn) -> list[Row]:
    places = draw(st.lists(st.tuples(st.integers(0, 2), st.sampled_from("abc"), st.integers(0, 2))))
    return [item(n, *place) for n, place in enumerate(places)]


def ids(rows: list[Row]) -> set[str]:
    return {row["item_id"] for row in rows}


@given(items(), st.integers(1, 6))
def test_nothing_disappears_and_no_class_is_over_its_quota(rows: list[Row], quota: int) -> None:
    done = select(rows, quota, range(4))
    assert ids(done.kept) | ids(done.rejected) == ids(rows)
    assert len(done.kept) + len(done.rejected) == len(rows)
    held = Counter(row["label"] for row in rows)
    kept = Counter(row["label"] for row in done.kept)
    assert all(kept[c] == min(held[c], quota) for c in range(4))
    assert done.short == {c: held[c] for c in range(4) if held[c] < quota}
    assert {(r["stage"], r["reason"]) for r in done.rejected} <= {("select", "over_quota")}


@given(items(), st.integers(1, 8))
def test_a_place_gets_more_than_another_only_where_the_other_has_no_more(
    rows: list[Row], quota: int
) -> None:
    kept = ids(select(rows, quota, ()).kept)
    for places in (("label", "site"), ("label", "site", "source_url")):
        used: Counter[tuple[str, ...]] = Counter()
        left: Counter[tuple[str, ...]] = Counter()
        for row in rows:
            place = tuple(row[name] for name in places)
            (used if row["item_id"] in kept else left)[place] += 1
        for place in left:
            rivals = [used[p] for p in used if p[:-1] == place[:-1]]
            assert max(rivals, default=0) <= used[place] + 1


@given(items(), st.integers(1, 6), st.randoms())
def test_the_order_of_rows_does_not_matter(rows: list[Row], quota: int, random: Random) -> None:
    shuffled = list(rows)
    random.shuffle(shuffled)
    assert ids(select(shuffled, quota, ()).kept) == ids(select(rows, quota, ()).kept)


@given(items(), st.integers(1, 6), st.integers(0, 2), st.sampled_from("abcd"), st.integers(0, 3))
@settings(max_examples=150)
def test_a_new_item_displaces_at_most_one_and_brings_nothing_else_in(
    rows: list[Row], quota: int, label: int, site: str, page: int
) -> None:
    new = item(1000, label, site, page)
    before = ids(select(rows, quota, ()).kept)
    after = ids(select([*rows, new], quota, ()).kept)
    assert after <= before | {new["item_id"]}
    assert len(before - after) <= 1


def test_the_seed_decides() -> None:
    rows = [item(n) for n in range(60)]
    assert len({frozenset(ids(select(rows, 20, (), seed).kept)) for seed in range(5)}) == 5
