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

from fgbench.collect.forecast import BYTES_A_SOUND, BYTES_AN_ANSWER, Forecast
from fgbench.collect.options import CRAWLED, NOT_NAMED, Decision
from fgbench.collect.pipeline import MANIFESTS, STEPS, Built
from fgbench.collect.sites import load
from fgbench.dataset.remarks import counted, plural
from fgbench.protocol import Medium

_FAILURES = 5
"""Failures of one site that are shown one by one."""


def plan_json(expected: Forecast, decision: Decision) -> dict[str, Any]:
    """The plan as one JSON document."""
    return {
        "recipe": decision.recipe.to_json(),
        "hosts": [asdict(host) for host in expected.hosts],
        "requests": expected.requests,
        "sounds": expected.sounds,
        "seconds": expected.seconds,
        "bytes": expected.bytes,
        "free_bytes": expected.free,
        "not_asked": dict(decision.left_out),
        "steps": [{"name": step.name, "done": step.fresh.value} for step in STEPS],
    }


def plan_text(
    expected: Forecast, decision: Decision, folder: Path, ask_youtube: bool
) -> RenderableType:
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
    if expected.sounds:
        told = f"{expected.sounds:,} of them; and one more for each that has no bird in it"
        facts.add_row("sounds", told)
    facts.add_row("time", f"{_time(expected.seconds)} at most: hosts are asked side by side")
    for medium, path in decision.recipe.copies.items():
        told = f"{path}; room for its files is not in the figures here"
        facts.add_row(f"{plural(medium)} from", Text(told))
    if ask_youtube:
        told = "clips that are not there, one at a time; not in the figures here"
        facts.add_row("YouTube", told)
    size, free = _size(expected.bytes), _size(expected.free)
    each = f"{_size(BYTES_AN_ANSWER)} an answer"
    each += f", {_size(BYTES_A_SOUND)} a sound" if expected.sounds else ""
    facts.add_row("disk", f"{size} at most, at {each}; {free} free at {folder}")
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
        "remarks": {medium: list(remarks) for medium, remarks in built.remarks.items()},
        "not_asked": dict(left_out),
    }


def built_text(built: Built, left_out: Mapping[str, str]) -> RenderableType:
    """What a build came to, for people."""
    manifests = built.folder / MANIFESTS
    verdict = ", ".join(_kept(built, medium) for medium in built.recipe.media)
    mark = ("! ", "bold yellow") if built.failed else ("✓ ", "bold green")
    where = Table.grid(padding=(0, 2))
    where.add_row("report", Text(str(manifests / "report.html")))
    where.add_row("card", Text(str(manifests / "CARD.md")))
    where.add_row("figures", Text(str(manifests / "audit.json")))
    return Group(
        Text(""),
        Text.assemble(mark, (str(manifests), "bold"), f": {verdict}."),
        Padding(_counts(built), (1, 2)),
        *_short(built),
        *_remarks(built),
        *_failures(built),
        *_left_out(left_out),
        Padding(where, (1, 2)),
    )


def _kept(built: Built, medium: Medium) -> str:
    kept, classes = built.audit["counts"][medium]["kept"], built.audit["classes"][medium]
    content = built.audit["content"][medium]
    pointers = content["pointers"] if content else 0
    beside = f" and {pointers:,} pointers" if pointers else ""
    held = f"{counted(kept - pointers, medium)}{beside}"
    return f"{held} of {classes['present']:,} of {classes['asked']:,} classes"


_COUNTS = ("found", "kept", "rejected", "failed")


def _counts(built: Built) -> Table:
    """For each medium a row a site, and their sums."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("medium")
    table.add_column("site")
    for name in (*_COUNTS, "absent"):
        table.add_column(name, justify="right")
    for medium in built.recipe.media:
        counts = built.audit["counts"][medium]
        absent = (built.audit["absent"] or {}).get(medium, {})
        missing = {site: sum(reasons.values()) for site, reasons in absent.items()}
        asked = (site for site in built.recipe.sites if medium in load(site).media)
        for site in asked if medium in CRAWLED else counts["sites"]:
            numbers = counts["sites"].get(site, dict.fromkeys(_COUNTS, 0))
            row = [f"{numbers[name]:,}" for name in _COUNTS]
            table.add_row(medium, Text(site), *row, f"{missing.get(site, 0):,}")
        sums = [f"{counts[name]:,}" for name in _COUNTS]
        table.add_row(medium, "all", *sums, f"{sum(missing.values()):,}", style="bold")
    return table


def _short(built: Built) -> Iterator[RenderableType]:
    names = built.audit["names"]
    for medium, wanted in built.recipe.per_class.items():
        short = built.audit["classes"][medium]["short"]
        fewest = sorted(short.items(), key=lambda item: (item[1], int(item[0])))
        shown = ", ".join(f"{names[label]} {number}" for label, number in fewest[:8])
        more = f" and {len(short) - 8} more" if len(short) > 8 else ""
        text = f"{len(short)} classes have fewer than {counted(wanted, medium)}: {shown}{more}."
        if short:
            yield Padding(Text(text), (0, 2))


def _remarks(built: Built) -> Iterator[RenderableType]:
    for medium, remarks in built.remarks.items():
        for remark in remarks:
            yield Padding(Text(f"{medium}: {remark}."), (0, 2))


def _failures(built: Built) -> Iterator[RenderableType]:
    """The first failures of each site, and what to do."""
    if not built.failed:
        return
    table = Table.grid(padding=(0, 2))
    for site in dict.fromkeys(failed.site for failed in built.failed):
        of_site = [failed for failed in built.failed if failed.site == site]
        for failed in of_site[:_FAILURES]:
            name = built.audit["names"][str(failed.label)]
            where = failed.source_url or failed.query or name
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
