"""Chance levels: against all permutations of small lists, and against simulation."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest

from fgbench.benchmark import Benchmark, Items, load_benchmark
from fgbench.protocol import Medium, SelfMatch, Task
from fgbench.scoring.chance import expected_ap, expected_ap_self_included, expected_map


def ap(relevant: tuple[bool, ...]) -> float:
    """The plain definition: mean precision at the relevant ranks."""
    precisions = [
        sum(relevant[: rank + 1]) / (rank + 1) for rank, is_hit in enumerate(relevant) if is_hit
    ]
    return sum(precisions) / len(precisions)


def every_order(relevant: int, others: int, first: tuple[bool, ...] = ()) -> float:
    """Mean AP over all orders, behind ``first``."""
    items = (True,) * relevant + (False,) * others
    return float(np.mean([ap(first + order) for order in permutations(items)]))


@pytest.mark.parametrize("gallery", range(1, 8))
def test_expected_ap_equals_the_mean_over_all_orders(gallery: int) -> None:
    for relevant in range(1, gallery + 1):
        exact = every_order(relevant, gallery - relevant)
        assert expected_ap(relevant, gallery) == pytest.approx(exact, abs=1e-12)


@pytest.mark.parametrize("gallery", range(1, 9))
def test_self_included_equals_the_mean_over_all_orders_behind_the_query(gallery: int) -> None:
    for relevant in range(1, gallery + 1):
        exact = every_order(relevant - 1, gallery - relevant, first=(True,))
        assert expected_ap_self_included(relevant, gallery) == pytest.approx(exact, abs=1e-12)


@pytest.mark.parametrize("first", [False, True])
def test_agrees_with_simulation_on_a_long_list(first: bool) -> None:
    random = np.random.default_rng(1)
    relevant, gallery, draws = 30, 3000, 2000
    values = np.empty(draws)
    for n in range(draws):
        ranks = 1 + np.sort(random.choice(gallery - first, relevant - first, replace=False))
        ranks = np.concatenate([[1], 1 + ranks]) if first else ranks
        values[n] = np.mean(np.arange(1, relevant + 1) / ranks)
    expected = (expected_ap_self_included if first else expected_ap)(relevant, gallery)
    assert abs(values.mean() - expected) < 5 * values.std() / np.sqrt(draws)


@pytest.mark.parametrize(("relevant", "gallery"), [(0, 5), (6, 5), (0, 0), (-1, 3)])
@pytest.mark.parametrize("expect", [expected_ap, expected_ap_self_included])
def test_impossible_counts(expect: object, relevant: int, gallery: int) -> None:
    with pytest.raises(ValueError, match="relevant"):
        expect(relevant, gallery)  # type: ignore[operator]


def test_levels_of_the_official_lists() -> None:
    """The figures of docs/protocol.md, printed to four digits."""
    benchmark = load_benchmark()
    level = {task.code: expected_map(benchmark, task) for task in benchmark.tasks}
    included = {t.code: expected_map(benchmark, t, SelfMatch.INCLUDED) for t in benchmark.tasks}
    assert {code: round(value, 4) for code, value in level.items() if code.endswith("2t")} == {
        "i2t": 0.0070,
        "v2t": 0.0070,
        "a2t": 0.0070,
    }
    assert level["t2a"] == pytest.approx(expected_ap(30, 6000))
    rounded = {code: round(value, 4) for code, value in level.items() if code.endswith("all")}
    assert rounded == {"i2all": 0.0054, "t2all": 0.0054, "v2all": 0.0059, "a2all": 0.0054}
    rounded = {code: round(value, 4) for code, value in included.items() if code.endswith("all")}
    assert rounded == {"i2all": 0.0153, "t2all": 0.0153, "v2all": 0.0149, "a2all": 0.0153}
    assert included["i2t"] == level["i2t"]


def test_classes_left_out_are_not_asked() -> None:
    def items(medium: Medium, labels: list[int]) -> Items:
        return Items(np.array([f"{medium}/{n}" for n in range(len(labels))]), np.array(labels))

    benchmark = Benchmark(
        id="small",
        title="small",
        items={
            Medium.IMAGE: items(Medium.IMAGE, [0, 0, 1, 2, 2]),
            Medium.AUDIO: items(Medium.AUDIO, [0, 1, 1]),
        },
        split_column="split",
        left_out={Medium.AUDIO: frozenset({2})},
    )
    into_audio = expected_map(benchmark, Task(Medium.IMAGE, Medium.AUDIO))
    assert into_audio == pytest.approx((2 * expected_ap(1, 3) + expected_ap(2, 3)) / 3)
    into_all = expected_map(benchmark, Task(Medium.AUDIO, None))
    assert into_all == pytest.approx(expected_ap(2, 7))
