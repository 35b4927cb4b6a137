"""Decisions: on the disk as they are made, replayed by content, one reviewer at a time."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from doubtful_build import decided

from fgbench.collect.review.decisions import REVIEW_FILE, Decision, Decisions, replay
from fgbench.errors import FaultyInput, FgbenchError, InputError

KEEP, DROP = Decision.KEEP, Decision.DROP


def test_nobody_has_reviewed(tmp_path):
    assert replay(tmp_path) == {}
    with Decisions(tmp_path) as decisions:
        assert decisions.get("audio/1") is None
        assert decisions.undo({"audio/1"}) is None
    assert not (tmp_path / REVIEW_FILE).exists()


def test_the_last_decision_counts(tmp_path):
    with Decisions(tmp_path, "B. Listener") as decisions:
        decisions.decide("audio/1", KEEP)
        decisions.decide("audio/2", DROP)
        decisions.decide("audio/1", DROP)
        assert decisions.all() == {"audio/1": DROP, "audio/2": DROP}
    assert replay(tmp_path) == {"audio/1": DROP, "audio/2": DROP}
    rows = pq.read_table(tmp_path / REVIEW_FILE).to_pylist()
    assert {row["reviewer"] for row in rows} == {"B. Listener"}
    assert all(row["decided_at"].endswith("+00:00") for row in rows)


def test_each_is_on_the_disk_before_the_next(tmp_path):
    with Decisions(tmp_path) as decisions:
        for number in range(5):
            decisions.decide(f"audio/{number}", KEEP)
            assert len(decided(tmp_path)) == number + 1


def test_undo_restores_what_was_decided_before(tmp_path):
    with Decisions(tmp_path) as decisions:
        decisions.decide("a", KEEP)
        decisions.decide("b", KEEP)
        decisions.decide("a", DROP)
        every = {"a", "b"}
        assert decisions.undo(every) == "a"
        assert decided(tmp_path) == {"a": "keep", "b": "keep"}
        assert decisions.undo(every) == "b"
        assert decisions.undo(every) == "a"
        assert decisions.undo(every) is None
    assert decided(tmp_path) == {}


def test_undo_reaches_into_earlier_runs_latest_first(tmp_path):
    for item in ("z", "a", "m"):
        with Decisions(tmp_path) as decisions:
            decisions.decide(item, KEEP)
    with Decisions(tmp_path) as decisions:
        assert [decisions.undo({"z", "a", "m"}) for _ in range(4)] == ["m", "a", "z", None]


def test_undo_leaves_items_alone_that_are_not_on_show(tmp_path):
    with Decisions(tmp_path) as decisions:
        decisions.decide("shown", KEEP)
        decisions.decide("of an older build", DROP)
        assert decisions.undo({"shown"}) == "shown"
        assert decisions.undo({"shown"}) is None
    assert replay(tmp_path) == {"of an older build": DROP}


def test_a_decision_that_cannot_be_written_was_not_made(tmp_path, monkeypatch):
    with Decisions(tmp_path) as decisions:
        decisions.decide("a", KEEP)

        def full(*args):
            raise OSError(28, "No space left on device")

        with monkeypatch.context() as patch:
            patch.setattr(os, "fsync", full)
            with pytest.raises(FgbenchError, match="FG-D010"):
                decisions.decide("b", KEEP)
            with pytest.raises(FgbenchError, match="FG-D010"):
                decisions.undo({"a"})
        assert decisions.all() == replay(tmp_path) == {"a": KEEP}
        assert decisions.undo({"a", "b"}) == "a"


def test_one_reviewer_at_a_time(tmp_path):
    with Decisions(tmp_path), pytest.raises(InputError, match="FG-V002") as caught:
        Decisions(tmp_path)
    assert f"process {os.getpid()}" in str(caught.value)
    with Decisions(tmp_path):  # it was let go of
        pass


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "FG-D001"),
        (b"not parquet", "FG-D001"),
        ({"item_id": ["a"]}, "FG-D004"),
        ({"item_id": ["a"], "decision": ["maybe"]}, "FG-D006"),
        ({"item_id": [None], "decision": ["keep"]}, "FG-D005"),
        ({"item_id": ["a", "a"], "decision": ["keep", "drop"]}, "FG-D007"),
    ],
)
def test_a_damaged_file_is_named_and_kept(tmp_path, content, code):
    path = tmp_path / REVIEW_FILE
    if isinstance(content, bytes):
        path.write_bytes(content)
    else:
        more = {"decided_at": ["2026"], "reviewer": [None]}
        size = len(content["item_id"])
        pq.write_table(pa.table(content | {k: v * size for k, v in more.items()}), path)
    before = path.read_bytes()
    for use in (replay, Decisions):
        with pytest.raises(InputError) as caught:
            use(tmp_path)
        error = caught.value
        codes = {f.code for f in error.faults} if isinstance(error, FaultyInput) else {error.code}
        assert code in codes
    assert path.read_bytes() == before
    path.unlink()
    with Decisions(tmp_path):  # the lock was let go of
        pass


WRITER = """
import sys
from pathlib import Path
from fgbench.collect.review.decisions import Decision, Decisions
with Decisions(Path(sys.argv[1])) as decisions:
    print("ready", flush=True)
    for number in range(100_000):
        decisions.decide(f"audio/{sys.argv[2]}-{number}", Decision.KEEP)
        print(number, flush=True)
"""


def test_killed_at_any_moment_it_loses_nothing_that_it_confirmed(tmp_path):
    chance = random.Random(2019)
    for run in range(4):
        before = set(replay(tmp_path))
        writer = subprocess.Popen(
            [sys.executable, "-c", WRITER, str(tmp_path), str(run)],
            stdout=subprocess.PIPE,
            text=True,
        )
        assert writer.stdout is not None
        assert writer.stdout.readline() == "ready\n"  # the lock of the one killed before is gone
        said = [writer.stdout.readline() for _ in range(chance.randrange(1, 20))]
        time.sleep(chance.uniform(0, 0.005))  # amid a decision
        writer.send_signal(signal.SIGKILL)
        said += writer.stdout
        confirmed = {f"audio/{run}-{line.strip()}" for line in said if line.endswith("\n")}
        writer.wait()
        writer.stdout.close()
        after = set(replay(tmp_path))
        assert before | confirmed <= after
        assert len(after - before - confirmed) <= 1  # written, and killed before it could say so
