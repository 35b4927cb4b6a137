"""The names in a submission's folder."""

from __future__ import annotations

from enum import StrEnum

REPORT = "report.json"
"""What a scoring came to, in ``RESULT`` beside the entry's folder."""
RESULT = "result"
SCRATCH = "scratch"
"""Where a scoring works; its ``RESULT`` is moved up once it is whole."""


class Part(StrEnum):
    """The two files of an upload, whatever their names were."""

    SUBMISSION = "submission.npz"
    CARD = "card.yaml"
