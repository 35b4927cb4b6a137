"""Whether PyAV has to be told that a file's tags may be no UTF-8."""

from __future__ import annotations

from functools import cache
from importlib.metadata import version
from typing import Any


@cache
def any_tags() -> dict[str, Any]:
    """Arguments of ``av.open`` for a file of unknown origin.

    Before version 19 it raised for tags that are no UTF-8; since then it takes them as they are,
    and no such argument.
    """
    before = int(version("av").partition(".")[0]) < 19
    return {"metadata_errors": "replace"} if before else {}
