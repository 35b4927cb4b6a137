"""The accounts of a build: found = kept + rejected + failed, for each medium and each site.

Instances are counted where they are read and again in the tables; sources that failed count one
each. Nothing may be lost in between.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from fgbench.dataset.collected import Collected
from fgbench.dataset.schema import Row
from fgbench.errors import FgbenchError
from fgbench.protocol import Medium


def account(
    media: Mapping[Medium, Sequence[Row]],
    rejected: Sequence[Row] | None,
    collected: Collected | None,
) -> dict[str, Any]:
    """For each medium, and for each of its sites under ``sites``, the four counts.

    Without ``collected`` nobody counted what was read: ``found`` and ``failed`` are null, and so is
    ``rejected`` without its table. Raises ``FgbenchError`` (FG-A001), naming every sum that fails.
    """
    counts: dict[str, Any] = {
        medium.value: _account(medium, rows, rejected, collected) for medium, rows in media.items()
    }
    wrong = [
        f"{name}: read {numbers['found'] - numbers['failed']:,}, "
        f"kept {numbers['kept']:,}, rejected {numbers['rejected'] or 0:,}"
        for medium, of_medium in counts.items()
        for name, numbers in ((medium, of_medium), *of_medium["sites"].items())
        if numbers["found"] is not None
        and numbers["found"] != numbers["kept"] + (numbers["rejected"] or 0) + numbers["failed"]
    ]
    if wrong:
        raise FgbenchError(
            "FG-A001",
            f"the accounts do not come out. {'; '.join(wrong)}",
            why="Everything that was read must be kept or rejected, or items were lost or added.",
            fix="Build again from the store (--offline). If it happens again, it is our fault: "
            "please report it.",
        )
    return counts


def _account(
    medium: Medium,
    rows: Sequence[Row],
    rejected: Sequence[Row] | None,
    collected: Collected | None,
) -> dict[str, Any]:
    kept = Counter(row.get("site") or "" for row in rows)
    refused = Counter(row["site"] for row in rejected or () if row["medium"] == medium)
    read = collected.read.get(medium, {}) if collected else {}
    failed = Counter(f.site for f in collected.failed if f.medium == medium) if collected else {}
    sites = {}
    for site in sorted({*kept, *refused, *read, *failed} - {""}):
        sites[site] = {
            "found": read.get(site, 0) + failed.get(site, 0) if collected else None,
            "kept": kept[site],
            "rejected": None if rejected is None else refused[site],
            "failed": failed.get(site, 0) if collected else None,
        }
    return {
        "found": sum(read.values()) + sum(failed.values()) if collected else None,
        "kept": len(rows),
        "rejected": None if rejected is None else refused.total(),
        "failed": sum(failed.values()) if collected else None,
        "sites": sites,
    }
