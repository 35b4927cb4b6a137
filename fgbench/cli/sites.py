"""``fgbench sites``: what each source is, what may be done with it, and whether it still works."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import click
from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from fgbench.collect.crawl.session import CrawlSession
from fgbench.collect.crawl.workers import run_hosts
from fgbench.collect.sites import load, names
from fgbench.collect.sites.base import Site
from fgbench.collect.sites.doctor import Examination, Health, examine, why_not_asked
from fgbench.errors import InputError
from fgbench.protocol import Medium
from fgbench.settings import Settings, variable
from fgbench.settings import load as load_settings
from fgbench.species import Species, find

WELL_KNOWN = "Northern Cardinal"
"""The species that ``doctor`` looks up: most of the sites have it."""
_NOT_THERE = "not in that build"
_MARKS = {
    Health.WELL: ("✓", "bold green"),
    Health.AILING: ("✗", "bold red"),
    Health.NOT_ASKED: ("–", "dim"),
}


@click.group("sites")
def command() -> None:
    """List the sources, show one, or check that they still answer as expected."""


@command.command("list")
@click.option("--medium", type=click.Choice([m.value for m in Medium]), help="Only its sources.")
@click.option(
    "--build",
    type=click.Path(path_type=Path),
    help="A build folder: what each source gave there.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def list_sites(medium: str | None, build: Path | None, as_json: bool) -> None:
    """Every source: access, licence, pace, what it needs; with --build, its last result."""
    settings = load_settings()
    results = _results(build) if build else None
    chosen = map(load, names(Medium(medium) if medium else None))
    described = [_describe(site, settings, results) for site in chosen]
    if as_json:
        click.echo(json.dumps(described, ensure_ascii=False, indent=2))
    else:
        console = Console()
        for number, table in enumerate(_tables(described)):
            if number:
                console.print()
            console.print(table)


@command.command("show")
@click.argument("name")
@click.option("--build", type=click.Path(path_type=Path), help="A build folder: its last result.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def show(name: str, build: Path | None, as_json: bool) -> None:
    """Everything that is known of a source, and which rule says what may be asked of it."""
    described = _describe(load(name), load_settings(), _results(build) if build else None)
    if as_json:
        click.echo(json.dumps(described, ensure_ascii=False, indent=2))
        return
    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="dim", no_wrap=True)
    grid.add_column(overflow="fold")
    for label, value in _lines(described):
        grid.add_row(label, Text(value))
    Console().print(grid)


@command.command("doctor")
@click.argument("name", required=False)
@click.option("--species", default=WELL_KNOWN, show_default=True, help="The species to look up.")
@click.option("--contact", help="Where a site's owner can reach you; or set FGBENCH_CONTACT.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def doctor(name: str | None, species: str, contact: str | None, as_json: bool) -> None:
    """Look one species up at NAME, or at every source, and say what of it can still be read.

    One page a source is read, at the source's pace. Exit code 3 where one of them ails.
    """
    settings = load_settings()
    if contact:
        settings = settings.with_contact(contact)
    sites = [load(n) for n in ([name] if name else names())]
    found = list(_examine(sites, find(species), settings))
    if as_json:
        click.echo(json.dumps([e.to_json() for e in found], ensure_ascii=False, indent=2))
    else:
        _print(found, Console())
    if any(examination.health is Health.AILING for examination in found):
        sys.exit(3)


def _describe(
    site: Site, settings: Settings, results: dict[str, dict[str, Any]] | None
) -> dict[str, Any]:
    described: dict[str, Any] = {
        "name": site.name,
        "media": [medium.value for medium in site.media],
        "access": site.access.value,
        "licence": site.licence,
        "pace": site.pace,
        "rule": site.rule,
        "terms_url": site.terms_url,
        "home": site.home,
        "hosts": list(site.hosts),
        "needs": {need: _is_set(need, settings) for need in site.needs},
        "override": {"variable": variable(site.name), "value": settings.override(site.name)},
        "note": site.note,
    }
    if results is not None:
        described["last_result"] = results.get(site.name)
    return described


def _is_set(need: str, settings: Settings) -> bool:
    """Whether the user has set a key, or a variable that names a file; never what to."""
    return need in settings.keys or need in settings.imports


def _results(build: Path) -> dict[str, dict[str, Any]]:
    """What each site gave in a build, by medium, as its audit counts it. Raises ``InputError``."""
    path = build / "manifests" / "audit.json"
    try:
        counts = json.loads(path.read_bytes())["counts"]
        results: dict[str, dict[str, Any]] = {}
        for medium, of_medium in counts.items():
            for site, numbers in of_medium["sites"].items():
                results.setdefault(site, {})[medium] = dict(numbers)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise InputError(
            "FG-X003",
            f"{path} is no audit that can be read ({type(error).__name__})",
            why="A build's last results stand there.",
            fix="Give the --out folder of a build that has finished, or leave --build out.",
        ) from error
    return results


def _tables(described: Sequence[dict[str, Any]]) -> Iterator[Table]:
    """The sites; then what some of them need and gave, which would be too wide beside them."""
    sites = _table("Site", "Media", "Access", "Pace", "Licence")
    needs = _table("Needs", "Variable", "")
    results = _table("Last result", "")
    for site in described:
        name, licence = site["name"], re.split("[:;,.] ?| as ", site["licence"])[0]
        media, pace = ", ".join(site["media"]), f"{site['pace']:g} s"
        sites.add_row(Text(name, style="bold"), media, site["access"], pace, Text(licence))
        for need, is_set in site["needs"].items():
            needs.add_row(name, need, _said(is_set))
        if "last_result" in site:
            results.add_row(name, _result(site) or Text(_NOT_THERE, style="dim"))
    yield from (table for table in (sites, needs, results) if table.row_count or table is sites)


def _table(*headers: str) -> Table:
    """A table of which the last column alone may be broken into lines."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for header in headers:
        table.add_column(header, no_wrap=header != headers[-1], overflow="fold")
    return table


def _needs(site: dict[str, Any]) -> str:
    return ", ".join(f"{need} ({_said(is_set)})" for need, is_set in site["needs"].items())


def _said(is_set: bool) -> str:
    return "set" if is_set else "not set"


def _result(site: dict[str, Any]) -> str:
    kinds = ("found", "kept", "rejected", "failed")
    return "; ".join(
        f"{medium}: "
        + ", ".join(f"{numbers[k]:,} {k}" for k in kinds if numbers.get(k) is not None)
        for medium, numbers in (site["last_result"] or {}).items()
    )


def _lines(site: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """What ``show`` prints, label by label."""
    yield "site", site["name"]
    yield "media", ", ".join(site["media"])
    yield "home", site["home"]
    yield "access", site["access"]
    yield "licence", site["licence"]
    yield "terms", site["terms_url"]
    yield "ruled by", site["rule"]
    yield "pace", f"{site['pace']:g} s between two requests to a host, or more where a host asks it"
    yield "hosts", ", ".join(site["hosts"])
    yield "needs", _needs(site) or "nothing"
    override = site["override"]
    yield "stand-in", f"{override['variable']} = {override['value'] or '(not set)'}"
    if site["note"]:
        yield "note", site["note"]
    if "last_result" in site:
        yield "last result", _result(site) or _NOT_THERE


def _examine(sites: Sequence[Site], species: Species, settings: Settings) -> Iterator[Examination]:
    """Examinations in the order of the sites, which are asked side by side; no page is kept."""
    reasons = {site.name: why_not_asked(site, settings) for site in sites}
    asked = [site for site in sites if not reasons[site.name]]
    examined: dict[str, Examination] = {}
    if asked:
        with (
            TemporaryDirectory(prefix="fgbench-doctor-") as folder,
            CrawlSession(Path(folder), asked, settings) as session,
        ):
            jobs = {s.name: [partial(examine, s, species, session)] for s in asked}
            examined = {e.site: e for e in run_hosts(jobs, session.clock)}
    for site in sites:
        reason = reasons[site.name]
        yield Examination(site.name, reason=reason) if reason else examined[site.name]


def _print(found: Sequence[Examination], console: Console) -> None:
    for examination in found:
        mark = Text(*_MARKS[examination.health])
        line = Text.assemble(mark, " ", (examination.site, "bold"))
        console.print(line.append(f"  {examination.reason or examination.health}"))
        checks = Table.grid(padding=(0, 1))
        checks.add_column(no_wrap=True)
        checks.add_column(no_wrap=True)
        checks.add_column(overflow="fold")
        for check in examination.checks:
            mark = Text(*_MARKS[Health.WELL if check.passed else Health.AILING])
            checks.add_row(mark, check.what, Text(check.detail))
        console.print(Padding(checks, (0, 0, 0, 4)))
