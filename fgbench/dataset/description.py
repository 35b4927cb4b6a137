"""What stands beside the tables of a folder: audit.json, CARD.md, croissant.json, report.html."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from fgbench.dataset.audit import audit_contents, to_json
from fgbench.dataset.card import card
from fgbench.dataset.collected import AUDIT_FILE, Collected
from fgbench.dataset.contents import read_contents
from fgbench.dataset.croissant import croissant
from fgbench.dataset.io import write_bytes, write_checksums
from fgbench.dataset.report import report


def describe(folder: Path, collected: Collected | None = None) -> dict[str, Any]:
    """Write the four, and then SHA256SUMS of every file of the folder; returns the audit.

    ``folder``: where the tables and benchmark.json are. ``collected``: as for ``audit``, whose
    errors it raises, before anything is written. Equal tables give equal bytes.
    """
    contents = read_contents(folder)
    document = audit_contents(contents, collected)
    files = {**tell(document, contents.folder), "report.html": report(document, contents)}
    for name, text in files.items():
        write_bytes(contents.folder / name, text.encode())
    write_checksums(contents.folder, ["benchmark.json", *contents.files, *files])
    return document


def tell(document: dict[str, Any], folder: Path) -> dict[str, str]:
    """The three that quote no item, by name, of the audit of a folder's tables."""
    return {
        AUDIT_FILE: to_json(document),
        "CARD.md": card(document),
        "croissant.json": croissant(document, folder),
    }
