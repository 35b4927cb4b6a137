"""Whole groups, halves as near as they allow: against all divisions there are."""

from __future__ import annotations

from itertools import product
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fgbench.dataset.halve import EXHAUSTIVE, Group, halve


def cost(groups: list[Group], test: set[str]) -> tuple[int, int]:
    """One-sided classes, and how far in all the two sides of the classes differ."""
    one_sided = apart = 0
    for label in {label for g in groups for label in g.sizes}:
        sides = [0, 0]
        for g in groups:
            sides[g.name in test] += g.sizes.get(label, 0)
        one_sided += 0 in sides
        apart += abs(sides[0] - sides[1])
    return one_sided, apart


groups_of = st.lists(
    st.dictionaries(st.integers(0, 3), st.integers(1, 9), min_size=1, max_size=3), max_size=8
).map(lambda sizes: [Group(f"g{n}", held) for n, held in enumerate(sizes)])


@given(groups_of, st.integers(0, 5))
@settings(deadline=None, max_examples=200)
def test_no_division_of_whole_groups_is_nearer_to_half(groups: list[Group], seed: int) -> None:
    best = min(
        cost(groups, {g.name for g, chosen in zip(groups, sides, strict=True) if chosen})
        for sides in product((False, True), repeat=len(groups))
    )
    assert cost(groups, halve(groups, seed)) == best


@given(groups_of, st.randoms())
@settings(deadline=None, max_examples=50)
def test_the_order_of_the_groups_does_not_matter(groups: list[Group], random: Random) -> None:
    shuffled = list(groups)
    random.shuffle(shuffled)
    assert halve(shuffled, 3) == halve(groups, 3)


@pytest.mark.parametrize("seed", range(20))
def test_many_shared_groups_are_divided_so_that_no_single_move_helps(seed: int) -> None:
    rng = Random(seed)
    groups = [
        Group(f"g{k}", {c: rng.choice((1, 2, 30)) for c in rng.sample(range(12), 2)})
        for k in range(EXHAUSTIVE + 8)
    ]
    test = halve(groups, seed)
    for moved in groups:
        assert cost(groups, test ^ {moved.name}) >= cost(groups, test)


def test_many_shared_groups_leave_no_class_one_sided_where_each_has_groups_of_its_own() -> None:
    n = 2 * EXHAUSTIVE
    groups = [Group(f"s{k}", {k: 3, k + 1: 3}) for k in range(n)]
    groups += [Group(f"o{k}.{j}", {k: 1}) for k in range(n + 1) for j in range(9)]
    one_sided, apart = cost(groups, halve(groups, 0))
    odd = sum(sum(g.sizes.get(c, 0) for g in groups) % 2 for c in range(n + 1))
    assert (one_sided, apart) == (0, odd)


@pytest.mark.parametrize("sizes", [(30, 10), (2, 1)])
def test_which_of_two_equal_divisions_is_drawn(sizes: tuple[int, int]) -> None:
    # A big article and a small one: neither is always the test side.
    drawn = {
        frozenset(halve([Group("big", {c: sizes[0]}), Group("small", {c: sizes[1]})], 0))
        for c in range(40)
    }
    assert drawn == {frozenset({"big"}), frozenset({"small"})}
