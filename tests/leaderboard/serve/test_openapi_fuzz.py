"""The API under schemathesis: what fits the document and what does not is answered as it says."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from small_service import ORIGIN, hosted

from fgbench.leaderboard.serve import attempts
from fgbench.leaderboard.serve.openapi import describe
from fgbench.leaderboard.serve.operations import OPERATIONS
from fgbench.leaderboard.serve.settings import Limits
from fgbench.leaderboard.serve.worker import Worker

schemathesis = pytest.importorskip("schemathesis", reason="needs the package schemathesis")
ALL = list(HealthCheck)


@pytest.fixture(scope="module")
def board(tmp_path_factory):
    plenty = Limits(spare=0, per_day=10**6, waiting=10**6)
    with (
        pytest.MonkeyPatch.context() as patch,
        hosted(tmp_path_factory.mktemp("fuzz"), plenty) as b,
    ):
        patch.setattr(attempts, "EACH", 10**6)
        patch.setattr(attempts, "ALL", 10**6)
        patch.setattr(Worker, "alive", True)  # it scores nothing here, and may say that it does
        yield b


@pytest.mark.parametrize("team", ["gulls", "keeper"])
@pytest.mark.parametrize("operation", OPERATIONS, ids=[o.name for o in OPERATIONS])
def test_every_answer_is_one_that_is_described(operation, team, board):
    schema = schemathesis.openapi.from_dict(describe())
    schema.app = board.app
    token = {"Authorization": f"Bearer {board.tokens[team]}"}

    @settings(max_examples=12, deadline=None, derandomize=True, suppress_health_check=ALL)
    @given(case=schema[operation.path][operation.method].as_strategy())
    def ask(case):
        case.call_and_validate(headers=token, base_url=ORIGIN)

    ask()
