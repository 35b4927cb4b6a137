"""One family of errors: what happened, why it matters, what to do.

Every error has a stable code ``FG-<area><number>``. The command line prints them without a
traceback; the exit code says whose fault it was (1 ours, 2 the input or the call, 3 done in part).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault of an input: where it is, what was found, what was expected, how to mend it."""

    code: str
    where: str
    found: str
    expected: str
    fix: str

    def __str__(self) -> str:
        return (
            f"{self.code}  {self.where}\n  found     {self.found}\n"
            f"  expected  {self.expected}\n  fix       {self.fix}"
        )


class FgbenchError(Exception):
    """What happened (``what``), why it matters (``why``) and what to do (``fix``)."""

    exit_code = 1

    def __init__(self, code: str, what: str, *, why: str = "", fix: str = "") -> None:
        super().__init__(code, what, why, fix)
        self.code, self.what, self.why, self.fix = code, what, why, fix

    def __str__(self) -> str:
        return "\n".join(s for s in (f"{self.code}  {self.what}", self.why, self.fix) if s)


class InputError(FgbenchError):
    """The call or its input is at fault. Nothing was written."""

    exit_code = 2


class FaultyInput(InputError):
    """An input with faults; ``faults`` holds all of them, not only the first."""

    def __init__(self, what: str, faults: Sequence[Fault]) -> None:
        count = f"{len(faults)} fault{'s' if len(faults) != 1 else ''}"
        super().__init__(faults[0].code, f"{what}: {count}", why="Nothing was written.")
        self.faults = tuple(faults)

    def __str__(self) -> str:
        return "\n\n".join((f"{self.what}. {self.why}", *map(str, self.faults)))


class MissingExtra(InputError):
    """A package of an optional extra is not installed; says the pip line that installs it."""

    def __init__(self, package: str, extra: str) -> None:
        super().__init__(
            "FG-E001",
            f"this needs the package {package}, which is not installed",
            why=f"It belongs to the optional extra [{extra}].",
            fix=f'pip install "fgbench[{extra}]"',
        )
