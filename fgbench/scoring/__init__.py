"""Stage 3: from similarities to the sixteen numbers."""

from fgbench.scoring.score import Result, score

__all__ = ["Result", "score"]
