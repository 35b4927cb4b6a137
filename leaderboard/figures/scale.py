"""Where a number lies along an axis, and which numbers are written on it."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import count, takewhile

_STEPS = (1.0, 2.0, 2.5, 5.0, 10.0)
_MOST_TICKS = 5
_SLACK = 1e-9


@dataclass(frozen=True, slots=True)
class Scale:
    """Numbers from ``low`` to ``high``, ``step`` from one written number to the next.

    ``step`` 0: by powers of ten.
    """

    low: float
    high: float
    step: float

    @classmethod
    def around(cls, values: Iterable[float], span: float) -> Scale:
        """The scale between round numbers that holds the values and is at least ``span`` long.

        Its step is at least half of ``span``. What is never negative has no scale below zero.
        """
        known = [_finite(value) for value in values] or [0.0]
        low, high = min(known), max(known)
        floor = 0.0 if low >= 0 else -math.inf
        if high - low < span:
            middle = (low + high) / 2
            low = max(middle - span / 2, floor)
            high = low + span
        step = max(_round_step((high - low) / _MOST_TICKS), span / 2)
        first, last = math.floor(low / step + _SLACK), math.ceil(high / step - _SLACK)
        return cls(first * step, last * step, step)

    @classmethod
    def powers(cls, values: Iterable[float]) -> Scale:
        """The scale from one power of ten to another that holds the values, all above zero."""
        known = list(values) or [1.0]
        if unfit := [value for value in known if not value > 0]:
            raise ValueError(f"{unfit[0]!r} has no place among powers of ten")
        low = math.floor(math.log10(_finite(min(known))))
        high = math.ceil(math.log10(_finite(max(known))))
        return cls(10.0**low, 10.0 ** max(high, low + 1), 0)

    def place(self, value: float) -> float:
        """How far along the axis the value lies, in per cent.

        Raises ``ValueError`` for what lies beside it or is no number: a drawing would lie.
        """
        slack = _SLACK * (self.high - self.low)
        if not self.low - slack <= value <= self.high + slack:
            raise ValueError(f"{value!r} lies beside the axis from {self.low:g} to {self.high:g}")
        if self.step:
            return 100 * (value - self.low) / (self.high - self.low)
        return 100 * math.log(value / self.low) / math.log(self.high / self.low)

    @property
    def ticks(self) -> tuple[float, ...]:
        """The numbers to write, ascending."""
        top = self.high * (1 + _SLACK)
        if not self.step:
            return tuple(takewhile(lambda tick: tick <= top, (self.low * 10**i for i in count())))
        steps = round((self.high - self.low) / self.step)
        return tuple(round(self.low + i * self.step, 10) for i in range(steps + 1))


def write_map(value: float) -> str:
    """A MAP on an axis: as few digits as it takes, without the leading zero."""
    return f"{value:g}".removeprefix("0") or "0"


def _round_step(least: float) -> float:
    power = 10.0 ** math.floor(math.log10(least))
    return next(step * power for step in _STEPS if step * power >= least * (1 - _SLACK))


def _finite(value: float) -> float:
    if not math.isfinite(value):
        raise ValueError(f"{value!r} has no place on an axis")
    return value
