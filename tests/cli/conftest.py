"""Calling a verb as a user does, and fixtures that verbs of training need."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from train.lab import birds, install, toys

from fgbench.cli import main

__all__ = ["birds", "calling", "install", "toys"]

Call = Callable[..., tuple[int, str, str]]


@pytest.fixture
def calling(capsys: pytest.CaptureFixture[str]) -> Callable[[str], Call]:
    """Calls a verb, whose arguments then give exit code, stdout and stderr."""

    def choose(verb: str) -> Call:
        def run(*arguments: object) -> tuple[int, str, str]:
            code = 0
            try:
                main([verb, *map(str, arguments)])
            except SystemExit as end:
                code = int(end.code or 0)
            return (code, *capsys.readouterr())

        return run

    return choose
