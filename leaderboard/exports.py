"""A table as the files that people take away: CSV, JSON, LaTeX; and references as BibTeX."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache

from fgbench.dataset.rendering import address
from fgbench.published import digits

from .board import Method
from .figures import Figure

_FORMULA = ("=", "+", "-", "@")
_LATEX = str.maketrans(
    {
        "\\": r"\textbackslash{}",
        "{": r"\textbraceleft{}",  # BibTeX counts braces, escaped or not
        "}": r"\textbraceright{}",
        "&": r"\&",
        "%": r"\%",
        "$": r"\$",
        "#": r"\#",
        "_": r"\_",
        "~": r"\textasciitilde{}",
        "^": r"\textasciicircum{}",
        "→": r"$\rightarrow$",
        "−": "--",
        "–": "--",
    }
)


@dataclass(frozen=True, slots=True)
class Table:
    """Rows under a header, unrounded. ``stem``: the name of its files, free of directories.

    None in a row: there is no such value.
    """

    stem: str
    title: str
    header: tuple[str, ...]
    rows: tuple[tuple[str | float | None, ...], ...]

    @classmethod
    def of(cls, stem: str, figure: Figure) -> Table:
        """The numbers that a figure draws."""
        return cls(stem, figure.title, figure.header, figure.rows)


def to_csv(table: Table) -> str:
    """One header line, full digits, empty where there is no value.

    Texts are on one line; one that a spreadsheet would take for a formula gets an apostrophe.
    """
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(table.header)
    writer.writerows([_disarm(cell) for cell in row] for row in table.rows)
    return out.getvalue()


def to_json(table: Table) -> str:
    """``title`` and ``rows``: an object a row, null where there is no value."""
    rows = [dict(zip(table.header, row, strict=True)) for row in table.rows]
    return dump({"title": table.title, "rows": rows})


def to_latex(table: Table) -> str:
    """A ``tabular`` of the package booktabs: MAPs to three digits, a dash where there is none."""
    texts = [
        all(isinstance(row[i], str | None) for row in table.rows) for i in range(len(table.header))
    ]
    lines = [
        rf"% {_one_line(table.title)}; needs \usepackage{{booktabs}}",
        rf"\begin{{tabular}}{{{''.join('l' if text else 'r' for text in texts)}}}",
        r"\toprule",
        " & ".join(map(escape_latex, table.header)) + r" \\",
        r"\midrule",
        *(" & ".join(map(_latex_cell, row)) + r" \\" for row in table.rows),
        r"\bottomrule",
        r"\end{tabular}",
    ]
    return "\n".join(lines) + "\n"


FORMATS: Mapping[str, Callable[[Table], str]] = {"csv": to_csv, "json": to_json, "tex": to_latex}
"""By the end of a file's name."""


def to_bibtex(method: Method) -> str:
    """The reference of a method, as far as its card gives one."""
    card = method.card
    authors = card.get("authors", "")
    fields = {
        "title": method.name,
        "author": " and ".join(authors) if isinstance(authors, list) else authors,
        "year": str(card.get("year", "")),
        "note": card.get("paper", ""),
        "url": address(card.get("paper_url") or card.get("code_url")) or "",
    }
    # An address is printable ASCII without braces: the card's check and ``address`` see to that.
    lines = [
        f"  {name} = {{{value if name == 'url' else escape_latex(value)}}},"
        for name, value in fields.items()
        if value
    ]
    return "\n".join([f"@misc{{{method.slug},", *lines, "}"]) + "\n"


def dump(document: object) -> str:
    """Strict JSON on one line; equal documents give equal text."""
    text = json.dumps(document, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return text + "\n"


@lru_cache(4096)  # names come again in thousands of rows
def escape_latex(text: str) -> str:
    """The text without a meaning to TeX."""
    return _one_line(text).translate(_LATEX)


def _disarm(cell: str | float | None) -> str | float | None:
    if not isinstance(cell, str):
        return cell
    text = _one_line(cell)
    return f"'{text}" if text.startswith(_FORMULA) else text


def _latex_cell(cell: str | float | None) -> str:
    if cell is None:
        return "--"
    if isinstance(cell, float):
        return digits(cell)
    return escape_latex(str(cell))


@lru_cache(4096)
def _one_line(text: str) -> str:
    return " ".join(text.split())
