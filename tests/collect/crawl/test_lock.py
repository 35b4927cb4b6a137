"""One process at a time: who has a lock is told, and what a process held goes with it."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from fgbench.collect.crawl.lock import acquire, hold
from fgbench.collect.review.decisions import Decisions
from fgbench.errors import InputError


def refuse(holder: str) -> InputError:
    return InputError("FG-T001", holder, why="", fix="")


def descriptors() -> int:
    """How many files this process has open (Linux)."""
    return len([*Path("/proc/self/fd").iterdir()])


def test_the_holder_is_told(tmp_path):
    held = acquire(tmp_path / "lock", refuse)
    with pytest.raises(InputError) as caught:
        acquire(tmp_path / "lock", refuse)
    assert caught.value.what == f"process {os.getpid()} on {socket.gethostname()}"
    os.close(held)
    os.close(acquire(tmp_path / "lock", refuse))


@pytest.mark.parametrize(
    ("content", "told"), [(b"", "it does not say by which process"), (b"\xff\n", "\ufffd")]
)
def test_a_holder_that_says_nothing(tmp_path, content, told):
    held = acquire(tmp_path / "lock", refuse)
    (tmp_path / "lock").write_bytes(content)
    with pytest.raises(InputError) as caught:
        acquire(tmp_path / "lock", refuse)
    assert caught.value.what == told
    os.close(held)


def test_a_refusal_leaves_no_descriptor_open(tmp_path):
    held = acquire(tmp_path / "lock", refuse)
    before = descriptors()
    for _ in range(5):
        with pytest.raises(InputError):
            acquire(tmp_path / "lock", refuse)
    assert descriptors() == before
    os.close(held)


def test_a_build_and_a_review_do_not_shut_each_other_out(tmp_path):
    with hold(tmp_path), Decisions(tmp_path):
        with pytest.raises(InputError, match="FG-W002"), hold(tmp_path):
            pass
        with pytest.raises(InputError, match="FG-V002"):
            Decisions(tmp_path)
