"""What a submission is, how it is read and written, and everything that can be wrong with it."""

from fgbench.submission.faults import FAULTS
from fgbench.submission.format import ScoreMatrix, Space, Submission
from fgbench.submission.reader import read_submission
from fgbench.submission.report import Coverage, Report, check
from fgbench.submission.writer import write_submission

__all__ = [
    "FAULTS",
    "Coverage",
    "Report",
    "ScoreMatrix",
    "Space",
    "Submission",
    "check",
    "read_submission",
    "write_submission",
]
