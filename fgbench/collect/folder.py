"""What a build leaves in ``OUT/manifests``: tables, what describes them, sums of all files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from fgbench.collect.recipe import Recipe
from fgbench.collect.sites.base import Absent
from fgbench.dataset.audit import Document, audit_contents, to_json
from fgbench.dataset.card import card
from fgbench.dataset.collected import AUDIT_FILE, Collected
from fgbench.dataset.contents import ABSENT_FILE, REJECTED_FILE, read_contents
from fgbench.dataset.croissant import croissant
from fgbench.dataset.io import SUMS, write_benchmark, write_bytes, write_checksums, write_table
from fgbench.dataset.report import report
from fgbench.dataset.schema import ABSENT, MANIFESTS, REJECTED, Row
from fgbench.protocol import Medium
from fgbench.species import species

_REBUILT = "fgxmedia-rebuilt", "FG-Xmedia, rebuilt"
_SAMPLE = "fgxmedia-sample", "FG-Xmedia, rebuilt from the synthetic sample world"


def write_tables(
    folder: Path,
    recipe: Recipe,
    items: Sequence[Row],
    rejected: Sequence[Row],
    absent: Sequence[Absent],
) -> None:
    """Writes the tables and benchmark.json. SHA256SUMS is gone until ``write_description``."""
    (folder / SUMS).unlink(missing_ok=True)  # without it a folder is unfinished
    write_table(folder / f"{Medium.TEXT}.parquet", items, MANIFESTS[Medium.TEXT])
    write_table(folder / REJECTED_FILE, rejected, REJECTED)
    write_table(folder / ABSENT_FILE, map(_absent, absent), ABSENT)
    write_benchmark(folder, *(_SAMPLE if recipe.sample else _REBUILT))


def _absent(absent: Absent) -> Row:
    return {
        "label": absent.label,
        "species": species()[absent.label].cub_name,
        "medium": Medium.TEXT.value,
        "site": absent.site,
        "query": absent.query,
        "reason": absent.reason,
    }


def write_description(folder: Path, collected: Collected) -> Document:
    """Writes audit, card, Croissant and report and, last of all, SHA256SUMS; returns the audit.

    Raises ``FgbenchError`` (FG-A001) where found = kept + rejected + failed does not hold.
    """
    contents = read_contents(folder)
    document = audit_contents(contents, collected)
    described = {
        AUDIT_FILE: to_json(document),
        "CARD.md": card(document),
        "croissant.json": croissant(document, folder),
        "report.html": report(document, contents),
    }
    for name, text in described.items():
        write_bytes(folder / name, text.encode())
    write_checksums(folder, (*contents.files, "benchmark.json", *described))
    return document
