"""What is wrong with an item, and all that is wrong with many at once."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

from fgbench.errors import Fault, FaultyInput

R = TypeVar("R")


def unusable(code: str, where: str, found: str, expected: str, fix: str) -> FaultyInput:
    """The error of one item, to be raised; ``code`` is ``FG-M…``."""
    return FaultyInput("An item cannot be used", [Fault(code, where, found, expected, fix)])


def gather(outcomes: Iterable[R | Fault]) -> list[R]:
    """What was loaded, in order. Raises ``FaultyInput`` with every fault where there is one."""
    loaded: list[R] = []
    faults: list[Fault] = []
    for outcome in outcomes:
        if isinstance(outcome, Fault):
            faults.append(outcome)
            loaded.clear()  # none of it will be handed out
        elif not faults:
            loaded.append(outcome)
    if faults:
        raise FaultyInput("Some items cannot be used", faults)
    return loaded
