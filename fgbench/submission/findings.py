"""The faults and notes of one submission, as they are found."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from fgbench.errors import Fault
from fgbench.submission.faults import FAULTS, Code

MAX_SHOWN = 10
"""Faults of one code that are listed one by one; the rest are counted."""

EXAMPLES = 3
"""Rows, lines or ids that one fault names; the rest are counted."""


@dataclass(slots=True)
class Findings:
    """Faults and notes; of one code ``MAX_SHOWN`` faults are listed, the others counted."""

    notes: list[str] = field(default_factory=list)
    _listed: list[Fault] = field(default_factory=list)
    _counts: Counter[Code] = field(default_factory=Counter)

    def __bool__(self) -> bool:
        return bool(self._listed)

    def add(self, code: Code, where: str, found: str, *, expected: str = "", fix: str = "") -> None:
        """Note a fault; what is expected and how to mend it come from the table unless given.

        Text of the input is made fit to be printed here, for all faults.
        """
        self._counts[code] += 1
        if self._counts[code] <= MAX_SHOWN:
            kind = FAULTS[code]
            self._listed.append(
                Fault(
                    str(code),
                    _printable(where),
                    _printable(found),
                    expected or kind.expected,
                    _printable(fix) or kind.fix,
                )
            )

    def note(self, text: str) -> None:
        self.notes.append(text)

    @property
    def faults(self) -> tuple[Fault, ...]:
        """The faults in the order of their codes, each code's overflow as one line at its end."""
        overflow = [
            Fault(
                str(code),
                "elsewhere",
                f"{FAULTS[code].title}: {count - MAX_SHOWN:,} more",
                FAULTS[code].expected,
                FAULTS[code].fix,
            )
            for code, count in self._counts.items()
            if count > MAX_SHOWN
        ]
        return tuple(sorted((*self._listed, *overflow), key=lambda f: f.code))


def _printable(text: str) -> str:
    """The text with what no terminal should be sent as escapes: controls, half surrogates."""
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)


def several(shown: Sequence[object], count: int) -> str:
    """``a, b, c and 2,308 more``: the first few of ``count`` things."""
    text = ", ".join(map(str, shown))
    return f"{text} and {count - len(shown):,} more" if count > len(shown) else text


def quote(text: str) -> str:
    """A string of an input, fit to be printed: quoted, escaped, at most about 120 characters."""
    return repr(text if len(text) <= 120 else f"{text[:90]}…{text[-29:]}")
