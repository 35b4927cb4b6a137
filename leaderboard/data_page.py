"""The page of the data: what is in it, where it is from, what leaks, and whose licence it has."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from fgbench.dataset.card import leak, span
from fgbench.dataset.leakage import MEANING
from fgbench.dataset.remarks import biases, limits
from fgbench.dataset.rendering import count

from .exports import Table
from .ground import Ground
from .templating import Page, Templates
from .twins import head

PATH = "data.html"
FILES = "data"
"""The folder of the texts that describe the data."""


def data_page(templates: Templates, ground: Ground) -> Page:
    """The page of the benchmark's items. All its figures are the audit's."""
    audit = ground.audit
    media, title = list(audit["counts"]), ground.benchmark.title
    items = Table(
        "data-items",
        f"{title}: items",
        ("medium", "items", "train", "test", "species", "in the paper"),
        tuple(
            (
                medium,
                audit["counts"][medium]["kept"],
                *(audit["splits"][scored][medium][side] for side in ("train", "test")),
                audit["classes"][medium]["present"],
                audit["paper"][medium]["items"]["paper"],
            )
            for medium in media
            for scored in audit["benchmark"]["splits"][:1]
        ),
    )
    sites = Table(
        "data-sites",
        f"{title}: sources",
        ("medium", "site", "found", "kept", "rejected", "failed"),
        tuple(
            (medium, site, *(found[key] for key in ("found", "kept", "rejected", "failed")))
            for medium in media
            for site, found in audit["counts"][medium]["sites"].items()
        ),
    )
    licences = Table(
        "data-licences",
        f"{title}: licences",
        ("medium", "licence", "items", "may be passed on"),
        tuple(
            (medium, licence, items, "yes" if free else "no")
            for medium in media
            for (licence, free), items in _by_licence(audit["licences"][medium] or ())
        ),
    )
    tables = [table for table in (items, sites, licences) if table.rows]
    html = templates.render(
        PATH,
        PATH,
        audit=audit,
        media=media,
        items=items,
        sites=sites,
        licences=licences,
        span=span,
        leak=leak,
        count=count,
        meanings={rule.value: meaning for rule, meaning in MEANING.items()},
        remarks=[*biases(dict(audit)), *limits(dict(audit))],
        files=[f"{FILES}/{name}" for name in ground.files],
    )
    document = {
        **head(templates.board),
        "manifests": dict(audit["files"]),
        "audit": f"{FILES}/audit.json",
    }
    return Page(PATH, html, document, tuple(tables))


def _by_licence(lines: Iterable[Mapping[str, Any]]) -> list[tuple[tuple[str, bool], int]]:
    """Items by name of the licence and whether it lets them be passed on, the commonest first.

    The audit tells apart where a licence is said, too.
    """
    counts: Counter[tuple[str, bool]] = Counter()
    for line in lines:
        counts[line["licence"], line["redistributable"]] += line["items"]
    return sorted(counts.items(), key=lambda item: (-item[1], item[0]))
