"""fgbench: fine-grained cross-media retrieval. Data, scorer, baselines, board."""

from __future__ import annotations

from importlib import import_module
from importlib.metadata import version
from typing import Any

__version__ = version("fgbench")

_PUBLIC = {
    "load_benchmark": "fgbench.benchmark",
    "read_submission": "fgbench.submission",
    "check": "fgbench.submission",
    "score": "fgbench.scoring.score",
    "compare": "fgbench.scoring.comparison",
}
__all__ = ["__version__", *_PUBLIC]


def __getattr__(name: str) -> Any:
    """Public functions on first use: importing fgbench imports neither numba nor torch."""
    if name in _PUBLIC:
        return getattr(import_module(_PUBLIC[name]), name)
    raise AttributeError(f"module 'fgbench' has no attribute {name!r}")
