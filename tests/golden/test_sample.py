"""The shipped sample's numbers, kept: a change that moves one is named in CHANGELOG, Scores."""

from __future__ import annotations

import json
from importlib import resources
from pathlib import Path

import pytest

import fgbench
from fgbench.protocol import PROTOCOL_VERSION

KEPT = json.loads((Path(__file__).parent / "sample.json").read_text())


@pytest.fixture(scope="module")
def record():
    path = resources.files("fgbench.manifests") / "sample_submission.npz"
    return fgbench.score(str(path)).record


def test_every_number_of_the_sample_is_what_it_was(record):
    assert KEPT["protocol"] == PROTOCOL_VERSION, "a new protocol: make the golden file anew"
    found = {code: s.map for code, s in record.scores.items()}
    found |= {f"{code} self": s.map_self_included for code, s in record.scores.items()}
    found = {name: value for name, value in found.items() if value is not None}
    assert found == pytest.approx(KEPT["maps"], abs=1e-6)


def test_intervals_come_from_the_same_draws(record):
    found = {code: list(s.ci95) for code, s in record.scores.items()}
    for code, bounds in found.items():
        # A percentile is one draw of a few species: it moves more than the mean of all.
        assert bounds == pytest.approx(KEPT["ci95"][code], abs=1e-5)
