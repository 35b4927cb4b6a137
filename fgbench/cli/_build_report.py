"""What ``fgbench build-data`` prints: a plan before a build, an account after it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path
from typing import Any

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from fgbench.collect.forecast import BYTES_AN_ANSWER, Forecast
from fgbench.collect.options import NOT_NAMED, Decision
from fgbench.collect.pipeline import MANIFESTS, STEPS, Built
from fgbench.protocol import Medium

_FAILURES = 5
"""Failures of one site that are shown one by one."""


def plan_json(expected: Forecast, decision: Decision) -> dict[str, Any]:
    """The plan as one JSON document."""
    return {
        "recipe": decision.recipe.to_json(),
        "hosts": [asdict(host) for host in expected.hosts],
        "requests": expected.requests,
        "seconds": expected.seconds,
        "bytes": expected.bytes,
        "free_bytes": expected.free,
        "not_asked": dict(decision.left_out),
        "steps": [{"name": step.name, "done": step.fresh.value} for step in STEPS],
    }


def plan_text(expected: Forecast, decision: Decision, folder: Path) -> RenderableType:
    """The plan for people."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("host")
    table.add_column("requests", justify="right")
    table.add_column("at its pace", justify="right")
    for host in expected.hosts:
        table.add_row(Text(host.host), f"{host.requests:,}", _time(host.seconds))
    facts = Table.grid(padding=(0, 2))
    facts.add_row("classes", f"{len(decision.recipe.labels):,}")
    facts.add_row("requests", f"{expected.requests:,} at most; sites stop at the first name known")
    facts.add_row("time", f"{_time(expected.seconds)} at most: hosts are asked side by side")
    size, free = _size(expected.bytes), _size(expected.free)
    each = _size(BYTES_AN_ANSWER)
    facts.add_row("disk", f"{size} at most, at {each} an answer; {free} free at {folder}")
    parts: list[RenderableType] = [Padding(table, (1, 2)), Padding(facts, (0, 2))]
    return Group(*parts, *_left_out(decision.left_out), Text("\nNothing was asked.\n"))


def built_json(built: Built, left_out: Mapping[str, str]) -> dict[str, Any]:
    """What a build came to, as one JSON document; audit.json has the rest."""
    audit = built.audit
    return {
        "complete": not built.failed,
        "manifests": str(built.folder / MANIFESTS),
        "recipe": built.recipe.to_json(),
        "files": audit["files"],
        "counts": audit["counts"],
        "short": {m: classes["short"] for m, classes in audit["classes"].items()},
        "absent": audit["absent"],
        "failed": [asdict(failed) for failed in built.failed],
        "not_asked": dict(left_out),
    }


def built_text(built: Built, left_out: Mapping[str, str]) -> RenderableType:
    """What a build came to, for people."""
    manifests = built.folder / MANIFESTS
    kept = built.audit["counts"][Medium.TEXT]["kept"]
    verdict = f"{kept:,} texts of {_classes(built)} classes."
    mark = ("! ", "bold yellow") if built.failed else ("✓ ", "bold green")
    where = Table.grid(padding=(0, 2))
    where.add_row("report", Text(str(manifests / "report.html")))
    where.add_row("card", Text(str(manifests / "CARD.md")))
    where.add_row("figures", Text(str(manifests / "audit.json")))
    return Group(
        Text(""),
        Text.assemble(mark, (str(manifests), "bold"), f": {verdict}"),
        Padding(_counts(built), (1, 2)),
        *_short(built),
        *_failures(built),
        *_left_out(left_out),
        Padding(where, (1, 2)),
    )


def _classes(built: Built) -> str:
    classes = built.audit["classes"][Medium.TEXT]
    return f"{classes['present']:,} of {classes['asked']:,}"


def _counts(built: Built) -> Table:
    """A row a site, and their sums."""
    names = ("found", "kept", "rejected", "failed")
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("site")
    for name in (*names, "absent"):
        table.add_column(name, justify="right")
    counts = built.audit["counts"][Medium.TEXT]
    absent = (built.audit["absent"] or {}).get(Medium.TEXT, {})
    missing = {site: sum(reasons.values()) for site, reasons in absent.items()}
    for site in built.recipe.sites:
        numbers = counts["sites"].get(site, dict.fromkeys(names, 0))
        row = [f"{numbers[name]:,}" for name in names]
        table.add_row(Text(site), *row, f"{missing.get(site, 0):,}", end_section=True)
    sums = [f"{counts[name]:,}" for name in names]
    table.add_row("all", *sums, f"{sum(missing.values()):,}", style="bold")
    return table


def _short(built: Built) -> Iterator[RenderableType]:
    short = built.audit["classes"][Medium.TEXT]["short"]
    wanted = built.recipe.per_class[Medium.TEXT]
    if not short:
        return
    names = built.audit["names"]
    fewest = sorted(short.items(), key=lambda item: (item[1], int(item[0])))
    shown = ", ".join(f"{names[label]} {number}" for label, number in fewest[:8])
    more = f" and {len(short) - 8} more" if len(short) > 8 else ""
    text = f"{len(short)} classes have fewer than {wanted} texts: {shown}{more}."
    yield Padding(Text(text), (0, 2))


def _failures(built: Built) -> Iterator[RenderableType]:
    """The first failures of each site, and what to do."""
    if not built.failed:
        return
    table = Table.grid(padding=(0, 2))
    for site in dict.fromkeys(failed.site for failed in built.failed):
        of_site = [failed for failed in built.failed if failed.site == site]
        for failed in of_site[:_FAILURES]:
            where = failed.source_url or built.audit["names"][str(failed.label)]
            told = Text.assemble(where, (f"\n{failed.detail}", "dim"))
            table.add_row(Text(site), Text(failed.reason), told)
        if len(of_site) > _FAILURES:
            table.add_row(Text(site), f"and {len(of_site) - _FAILURES} more", "")
    count = f"{len(built.failed)} source{'s' if len(built.failed) != 1 else ''}"
    yield Padding(Text(f"{count} could not be had; --retry-failed asks again:"), (1, 2, 0, 2))
    yield Padding(table, (0, 4))


def _left_out(left_out: Mapping[str, str]) -> Iterator[RenderableType]:
    """Sites that were not asked, by the reason."""
    table = Table.grid(padding=(0, 2))
    for reason in dict.fromkeys(left_out.values()):
        if reason != NOT_NAMED:
            sites = [site for site, why in left_out.items() if why == reason]
            table.add_row(Text(reason, style="dim"), Text(", ".join(sites)))
    if table.row_count:
        yield Padding(Text("Not asked:"), (1, 2, 0, 2))
        yield Padding(table, (0, 4))


def _time(seconds: float) -> str:
    return str(timedelta(seconds=round(seconds)))


def _size(size: float) -> str:
    for unit in ("B", "kB", "MB", "GB"):
        if size < 1000:
            return f"{size:.3g} {unit}"
        size /= 1000
    return f"{size:,.3g} TB"
