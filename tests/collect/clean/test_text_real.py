"""The filters against real Wikipedia sentences on all 200 classes, and real captions.

The sentences come lower-cased and with template remains such as ``{convert|71|cm}``: what is
rejected as markup there is rejected rightly.
"""

from collections import Counter
from pathlib import Path

import pytest

from fgbench.collect.clean.filters import Reason, is_mojibake, reason_against
from fgbench.collect.clean.marks import strip_marks

LEFT = ("{", "}", "[[", "]]", "file:", "image:", "'''", "filename=")


def reason(text: str) -> Reason | None:
    return Reason.MOJIBAKE if is_mojibake(text) else reason_against(strip_marks(text))


@pytest.fixture(scope="module")
def sentences(real_data: Path) -> list[str]:
    openpyxl = pytest.importorskip("openpyxl", reason="openpyxl reads the real sentences")
    found = []
    for path in sorted((real_data / "text" / "wikipedia_xlsx").glob("*.xlsx")):
        header, *rows = openpyxl.load_workbook(path, read_only=True).active.values
        found += [str(row[header.index("sentences")]) for row in rows]
    assert len(found) == 8255
    return found


def test_real_sentences_pass_but_for_damaged_ones(sentences: list[str]) -> None:
    prose = [s for s in sentences if len(strip_marks(s)) >= 40 and not any(x in s for x in LEFT)]
    reasons = Counter(map(reason, prose))
    assert len(prose) > 7500
    assert reasons[None] >= 0.996 * len(prose)


def test_damaged_sentences_do_not(sentences: list[str]) -> None:
    damaged = [s for s in sentences if "{convert" in s or "{r|" in s]
    assert len(damaged) > 50
    assert {reason(s) for s in damaged} <= {Reason.MARKUP, Reason.TOO_SHORT}


def test_short_ones_are_too_short(sentences: list[str]) -> None:
    short = [s for s in sentences if len(strip_marks(s)) < 40]
    assert len(short) > 500
    assert None not in {reason(s) for s in short}


def test_real_captions_pass_but_for_damaged_ones(real_data: Path) -> None:
    files = sorted((real_data / "text" / "captions_10classes").glob("*/*.txt"))
    captions = [line.strip() for f in files for line in f.read_text("utf-8").splitlines()]
    assert len(captions) == 5430
    damaged = [c for c in captions if "\ufffd" in c]
    assert {reason(c) for c in damaged} == {Reason.MOJIBAKE}
    assert {reason(c) for c in captions if len(c) >= 40 and c not in damaged} == {None}
