"""Ranks against their definition, against ``fgbench compare``, and what must not move them."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from functools import cache

import numpy as np
import pytest
from small_runs import draw_values, fill, list_queries, make_run, small_ground, sum_runs

from fgbench.leaderboard.standing import rank
from fgbench.protocol import MEDIA, Medium, SelfMatch
from fgbench.scoring.comparison import compare
from fgbench.scoring.run import read_run
from fgbench.scoring.score import score
from fgbench.scoring.significance import Verdict
from fgbench.submission import write_submission

SPECIES = 14
"""2^14 is more than 10,000: signs are drawn."""
GROUND = small_ground(SPECIES)
QUERIES = list_queries(GROUND)
LEVELS = {"low": 0.3, "mid": 0.45, "middle": 0.46, "high": 0.7}
MEASURES = [*dict.fromkeys(QUERIES["task"]), "bimodal", "multimodal"]


@cache
def frames():
    return {
        name: fill(QUERIES, draw_values(QUERIES, level, seed))
        for seed, (name, level) in enumerate(LEVELS.items())
    }


def stand(frames, ground=GROUND, **options):
    runs = {name: make_run(frame, name) for name, frame in frames.items()}
    return rank(sum_runs(runs, ground), ground.media, **options)


@cache
def board():
    return stand(frames())


def found_ranks(ranking):
    return {position.entry: position.rank for position in ranking.positions}


def submit(folder, ground, name, noise):
    rng = np.random.default_rng(len(name))
    centres = np.random.default_rng(0).normal(size=(SPECIES + 1, 8))
    given = {
        m: centres[items.labels] + noise * rng.normal(size=(len(items), 8))
        for m, items in ground.items.items()
    }
    path = folder / f"{name}.npz"
    ids = {m: items.ids for m, items in ground.items.items()}
    write_submission(path, ids=ids, embeddings=given, meta={"method": name})
    return score(path, ground)


def test_the_board_says_what_score_and_compare_say(tmp_path):
    results = {
        name: submit(tmp_path, GROUND, name, noise)
        for name, noise in (("a", 0.8), ("bb", 0.9), ("ccc", 2.5))
    }
    runs = {name: read_run(result, name)[0] for name, result in results.items()}
    standings = rank(sum_runs(runs, GROUND), GROUND.media)
    for ranking in standings[SelfMatch.EXCLUDED].rankings.values():
        for position in ranking.positions:
            record = results[position.entry].record
            known = {**record.scores, **record.means}[ranking.measure]
            assert position.map == pytest.approx(known.map, abs=1e-12)
            assert position.ci95 == pytest.approx(known.ci95, abs=1e-12)
    verdicts = set()
    for self_match, standing in standings.items():
        assert not standing.exact
        for a, b in (("a", "bb"), ("a", "ccc"), ("ccc", "bb")):
            known = compare(results[a], results[b], benchmark=GROUND, self_match=self_match)
            rows = standing.compare(a, b)
            assert [r.key for r in rows] == [r.key for r in known.tasks + known.means]
            for row, other in zip(rows, known.tasks + known.means, strict=True):
                assert (row.test.p, row.p_holm) == (other.test.p, other.p_holm)
                assert (row.verdict, row.test.queries) == (other.verdict, other.test.queries)
                numbers = row.a, row.b, row.test.difference
                wanted = other.a, other.b, other.test.difference
                assert numbers == pytest.approx(wanted, abs=1e-12)
                ends, known_ends = row.test.interval, other.test.interval
                assert replace(ends, low=0, high=0) == replace(known_ends, low=0, high=0)
                assert ends.low == pytest.approx(known_ends.low, abs=1e-12)
                assert ends.high == pytest.approx(known_ends.high, abs=1e-12)
                verdicts.add(row.verdict)
    assert verdicts == set(Verdict)


@pytest.mark.parametrize("self_match", SelfMatch)
def test_a_rank_is_one_and_the_entries_significantly_better(self_match):
    standing = board()[self_match]
    assert list(standing.rankings) == MEASURES
    for at, measure in enumerate(MEASURES):
        ranking = standing.rankings[measure]
        for position in ranking.positions:
            others = [e for e in LEVELS if e != position.entry]
            rows = [standing.compare(position.entry, other)[at] for other in others]
            better = sum(row.p_holm <= 0.05 and row.b > row.a for row in rows)
            assert position.rank == 1 + better
        values = [position.map for position in ranking.positions]
        assert values == sorted(values, reverse=True)
    assert found_ranks(standing.rankings["bimodal"]) == {"high": 1, "middle": 2, "mid": 2, "low": 4}


def test_matrices_are_mirrored():
    for ranking in board()[SelfMatch.EXCLUDED].rankings.values():
        matrix = ranking.matrix
        assert matrix.entries == tuple(position.entry for position in ranking.positions)
        difference, low, high = map(np.array, (matrix.difference, matrix.low, matrix.high))
        assert difference.tolist() == (-difference.T).tolist()
        assert low.tolist() == (-high.T).tolist()
        assert np.array(matrix.p).tolist() == np.array(matrix.p).T.tolist()
        turned = {Verdict.A: Verdict.B, Verdict.B: Verdict.A, Verdict.NEITHER: Verdict.NEITHER}
        for i in range(4):
            assert matrix.verdict(i, i) is Verdict.NEITHER
            for j in range(4):
                assert matrix.verdict(j, i) is turned[matrix.verdict(i, j)]


def test_the_order_of_entries_is_nothing():
    assert stand(dict(reversed(frames().items()))) == board()


def test_a_copy_ties_and_moves_nobody_elses_verdict():
    both = stand(frames() | {"again": frames()["mid"]})
    for self_match, standing in both.items():
        for row, alone in zip(
            standing.compare("low", "high"), board()[self_match].compare("low", "high"), strict=True
        ):
            assert row == alone
        for row in standing.compare("again", "mid"):
            assert (row.test.difference, row.test.p) == (0, 1)
        for ranking in standing.rankings.values():
            ranks = found_ranks(ranking)
            assert ranks["again"] == ranks["mid"]
            names = [position.entry for position in ranking.positions]
            assert names.index("mid") == names.index("again") + 1


def test_better_in_every_species_is_first_alone():
    best = fill(QUERIES, np.minimum(frames()["high"]["ap_excluded"] + 0.2, 1))
    standings = stand(frames() | {"best": best})
    for standing in standings.values():
        for ranking in standing.rankings.values():
            ranks = found_ranks(ranking)
            assert ranks.pop("best") == 1
            assert min(ranks.values()) == 2


def test_conventions_do_not_mix():
    lifted = frames()["low"].copy()
    lifted["ap_included"] = lifted["ap_included"].where(lifted["ap_included"].isna(), 0.99)
    standings = stand(frames() | {"low": lifted})
    assert standings[SelfMatch.EXCLUDED] == board()[SelfMatch.EXCLUDED]
    included = standings[SelfMatch.INCLUDED].rankings
    for measure in MEASURES:
        multimodal = measure.endswith("all") or measure == "multimodal"
        assert (found_ranks(included[measure])["low"] == 1) is multimodal
        if not multimodal:
            assert included[measure].positions == (
                board()[SelfMatch.INCLUDED].rankings[measure].positions
            )


def test_incomplete_entries_stand_apart_and_count_for_nobody():
    best = fill(QUERIES, np.ones(len(QUERIES)))
    gaps = {
        "bimodal alone": best[~best["task"].str.endswith("all")],
        "one pair": best[best["task"].isin(["i2t", "t2i"])],
        "none": best[:0],
    }
    for self_match, standing in stand(frames() | gaps).items():
        for measure, ranking in standing.rankings.items():
            alone = board()[self_match].rankings[measure]
            assert (ranking.positions, ranking.matrix) == (alone.positions, alone.matrix)
            apart = {position.entry for position in ranking.apart}
            assert ("one pair" in apart) is (measure in ("i2t", "t2i"))
            bimodal = measure == "bimodal" or len(measure) == len("i2t")
            assert ("bimodal alone" in apart) is bimodal
            assert "none" not in apart
            for position in ranking.apart:
                assert (position.map, *position.ci95) == pytest.approx((1, 1, 1))
                assert position.rank is None


def test_an_entry_alone_is_first():
    standing = stand({"one": frames()["low"]})[SelfMatch.EXCLUDED]
    assert standing.entries == ("one",)
    assert all(found_ranks(r) == {"one": 1} for r in standing.rankings.values())
    assert standing.rankings["i2t"].matrix.p == ((1.0,),)


def test_no_entry_no_position():
    standing = rank({}, MEDIA)[SelfMatch.EXCLUDED]
    assert list(standing.rankings) == MEASURES
    assert all(not r.positions and not r.apart for r in standing.rankings.values())


def test_two_media_make_two_tasks_and_two():
    ground = small_ground(SPECIES, (Medium.IMAGE, Medium.TEXT))
    queries = list_queries(ground)
    given = {n: fill(queries, draw_values(queries, v, 9)) for n, v in LEVELS.items()}
    standing = stand(given, ground)[SelfMatch.EXCLUDED]
    assert list(standing.rankings) == ["i2t", "t2i", "i2all", "t2all", "bimodal", "multimodal"]
    assert standing.rankings["bimodal"].queries == sum(map(len, ground.items.values()))
    assert found_ranks(standing.rankings["i2t"])["high"] == 1


def test_one_species_separates_nothing_and_has_no_interval():
    ground = small_ground(1)
    queries = list_queries(ground)
    given = {n: fill(queries, draw_values(queries, v, 9)) for n, v in LEVELS.items()}
    standing = stand(given, ground)[SelfMatch.EXCLUDED]
    assert standing.exact
    for ranking in standing.rankings.values():
        assert set(found_ranks(ranking).values()) == {1}
        assert ranking.matrix.low is ranking.matrix.high is None
        assert all(position.ci95 is None for position in ranking.positions)
    assert standing.compare("low", "high")[0].test.interval is None


def test_a_standing_is_plain_json():
    standing = stand(frames() | {"part": frames()["low"][:30]})[SelfMatch.EXCLUDED]
    document = json.loads(json.dumps(asdict(standing), allow_nan=False))
    assert document["rankings"]["i2t"]["positions"][0]["entry"] == "high"
