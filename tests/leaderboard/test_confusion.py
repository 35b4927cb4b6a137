"""Confusions summed over tasks, and the kinship of the two species."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from small_runs import make_record, small_ground

from fgbench.benchmark import Taxonomy
from fgbench.leaderboard.confusion import list_confusions

GROUND = small_ground(4)
RECORD = make_record(
    {}, {"i2t": ((1, 2, 3.0), (4, 1, 0.5)), "t2i": ((1, 2, 1.5), (2, 1, 4.5), (3, 4, 1.0))}
)


def test_confusions_are_summed_and_the_commonest_comes_first():
    found = [(c.species, c.shown, c.queries) for c in list_confusions(RECORD, GROUND, 3)]
    assert found == [
        ("label 1", "label 2", 4.5),
        ("label 2", "label 1", 4.5),
        ("label 3", "label 4", 1.0),
    ]
    assert {c.kin for c in list_confusions(RECORD, GROUND, 9)} == {""}


def test_the_closest_rank_in_common_is_named():
    taxonomy = Taxonomy(
        np.array([1, 2, 3, 4]),
        ("One", "Two", "Three", "Four"),
        ("a", "a", "b", "c"),
        ("f", "f", "f", "g"),
        ("o", "o", "o", "p"),
    )
    found = list_confusions(RECORD, replace(GROUND, taxonomy=taxonomy), 9)
    kin = {(c.species, c.shown): c.kin for c in found}
    assert kin["One", "Two"] == kin["Two", "One"] == "genus"
    assert kin["Three", "Four"] == kin["Four", "One"] == "other"
    moved = replace(taxonomy, family=("f", "f", "f", "f"))
    found = list_confusions(RECORD, replace(GROUND, taxonomy=moved), 9)
    assert {(c.species, c.shown): c.kin for c in found}["Three", "Four"] == "family"
