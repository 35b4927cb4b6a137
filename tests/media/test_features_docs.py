"""docs/features.md names every code, and no other."""

from __future__ import annotations

import re
from pathlib import Path

from fgbench.submission.faults import Code

ROOT = Path(__file__).resolve().parents[2]


def test_the_codes_are_those_of_the_code() -> None:
    of_files = {code.replace("FG-S", "FG-F") for code in Code}
    sources = [*(ROOT / "fgbench").rglob("*.py")]
    raised = {c for path in sources for c in re.findall(r'"(FG-F\d{3})"', path.read_text("utf-8"))}
    listed = set(
        re.findall(r"^\| (FG-F\d{3}) \|", (ROOT / "docs/features.md").read_text("utf-8"), re.M)
    )
    assert raised <= listed
    assert listed <= raised | of_files
