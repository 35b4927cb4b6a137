"""Best so far: the steps by hand, of printed numbers and of a board."""

from __future__ import annotations

from itertools import permutations

from small_runs import (
    draw_values,
    fill,
    list_queries,
    make_record,
    make_run,
    small_ground,
    sum_runs,
)

from fgbench.leaderboard.history import Step, best_so_far, trace_published, trace_standing
from fgbench.leaderboard.standing import rank
from fgbench.protocol import SelfMatch, tasks
from fgbench.published import published

RESULTS = [(2019, "b", 0.3), (2019, "a", 0.3), (2020, "c", 0.3), (2021, "d", 0.4), (2019, "e", 0.1)]


def test_steps_are_years_that_raised_the_best():
    for results in permutations(RESULTS):
        assert best_so_far(results) == (Step(2019, "a", 0.3), Step(2021, "d", 0.4))


def test_nothing_has_no_steps():
    assert best_so_far([]) == ()


def test_the_published_record_of_image_to_text():
    # The rerun of FGCrossNet, .546, is a variant: it never leads.
    assert trace_published(published())["i2t"] == (
        Step(2019, "fgcrossnet", 0.21),
        Step(2020, "dbfc-net-cosine-plus", 0.322),
        Step(2021, "gasa", 0.339),
    )
    steps = trace_published(published())
    assert set(steps) == {task.code for task in tasks()} | {"bimodal", "multimodal"}


def test_a_board_has_the_years_of_its_cards():
    ground = small_ground()
    queries = list_queries(ground)
    levels = {"good": 0.6, "better": 0.7, "undated": 0.9, "words": 0.9, "yes": 0.9}
    frames = {n: fill(queries, draw_values(queries, v, seed=1)) for n, v in levels.items()}
    sums = sum_runs({n: make_run(frame, n) for n, frame in frames.items()}, ground)
    cards = [{"year": 2023}, {"year": 2022}, None, {"year": "1900"}, {"year": True}]
    records = dict(zip(levels, map(make_record, cards), strict=True))
    standing = rank(sums, ground.media)[SelfMatch.EXCLUDED]
    traced = trace_standing(standing, records)
    assert list(traced) == list(standing.rankings)
    for measure, steps in traced.items():
        (step,) = steps
        maps = {p.entry: p.map for p in standing.rankings[measure].positions}
        assert step == Step(2022, "better", maps["better"])
