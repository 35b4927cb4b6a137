"""Running out of memory, said as what it is."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from fgbench.errors import InputError


@contextmanager
def memory_named(doing: str) -> Iterator[None]:
    """Turns running out of memory, on a card too, into ``InputError`` FG-G042."""
    try:
        yield
    except (MemoryError, RuntimeError) as error:
        # torch's is a RuntimeError, of a class of its own on a card and by its words on a CPU.
        of_torch = type(error).__name__ == "OutOfMemoryError" or "allocate memory" in str(error)
        if not isinstance(error, MemoryError) and not of_torch:
            raise
        reason = str(error).partition("\n")[0][:200]
        raise InputError(
            "FG-G042",
            f"out of memory in {doing}: {reason or type(error).__name__}",
            why="What was done until the last checkpoint is kept.",
            fix="Cut each step with --slices 2 (or 4, 8), take --precision bf16 or another "
            "--device, or a smaller batch or width (--set).",
        ) from error
