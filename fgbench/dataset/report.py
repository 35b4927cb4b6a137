"""The report: one HTML file with plots and their numbers, for people. It asks the network nothing.

Every medium that has items gets the sections for which its tables hold something. All figures are
the audit's; the examples are rows, of what may be passed on.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fgbench import __version__
from fgbench.dataset.card import leak, span
from fgbench.dataset.contents import Contents
from fgbench.dataset.draw import draw
from fgbench.dataset.leakage import MEANING
from fgbench.dataset.plot import Part, bar, columns, strip
from fgbench.dataset.remarks import biases, counted, limits, passable, plural, share
from fgbench.dataset.rendering import count, render
from fgbench.dataset.schema import Row
from fgbench.errors import InputError
from fgbench.protocol import Medium

if TYPE_CHECKING:
    from markupsafe import Markup

LISTED = 100
"""Failed sources that are listed one by one; audit.json lists them all."""


def report(document: dict[str, Any], contents: Contents) -> str:
    """report.html from an audit and the contents that it is of. Equal inputs give equal text."""
    failed = (document["collected"] or {}).get("failed", [])
    return render(
        "report.html",
        audit=document,
        media=[_medium(document, contents, medium) for medium in document["counts"]],
        figures=list(_figures(document)),
        plural=plural,
        meanings={rule.value: meaning for rule, meaning in MEANING.items()},
        remarks=[*biases(document), *limits(document)],
        failed=failed[:LISTED],
        unlisted=max(0, len(failed) - LISTED),
        version=__version__,
    )


def _figures(document: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """What stands at the top: a number and what it is."""
    for medium, counts in document["counts"].items():
        number, what = counted(counts["kept"], medium).split(" ", 1)
        yield number, what
    classes = [c["present"] for c in document["classes"].values()]
    yield f"{max(classes, default=0):,} of {len(document['names']):,}", "classes"
    sites = {s for c in document["counts"].values() for s, n in c["sites"].items() if n["kept"]}
    if sites:
        yield count(len(sites)), "sites"
    free = [(passable(document, m), c["kept"]) for m, c in document["counts"].items()]
    known = [(part, kept) for part, kept in free if part is not None and kept]
    if known:
        part, kept = (sum(numbers) for numbers in zip(*known, strict=True))
        yield f"{100 * part / kept:.0f} %", "may be passed on"


def _medium(document: dict[str, Any], contents: Contents, medium: str) -> dict[str, Any]:
    """What the template shows of one medium; a section without data is empty."""
    rejected = (document["rejected"] or {}).get(medium) or {}
    reasons = [(s, r, n) for s, counts in rejected.items() for r, n in counts.items()]
    return {
        "name": medium,
        "what": plural(medium),
        "sites": list(_sites(document["counts"][medium]["sites"])),
        "classes": _classes(document, medium),
        "strips": list(_strips(document, medium)),
        "reasons": _bars([(f"{stage}: {reason}", n) for stage, reason, n in reasons], "rejected"),
        "lengths": _lengths(document["measures"][medium], plural(medium)),
        "licences": _licences(document["licences"][medium] or []),
        "splits": [_split(document, split, medium) for split in document["benchmark"]["splits"]],
        "absent": _absent(document, medium),
        "span": span(document["classes"][medium]["items"]),
        "examples": [
            example | {"picture": _spectrogram(example, contents.folder.parent)}
            for example in _examples(contents.items.get(Medium(medium), ()))
        ],
    }


def _sites(sites: dict[str, dict[str, int | None]]) -> Iterator[dict[str, Any]]:
    """Sites by what they gave, each with a bar of kept, rejected, failed."""
    sums = {name: sum(n[look] or 0 for look in _LOOKS) for name, n in sites.items()}
    most = max(sums.values(), default=0)
    for name in sorted(sites, key=lambda name: (-(sites[name]["kept"] or 0), name)):
        numbers = sites[name]
        parts = [Part(n, f"{name}, {look}: {n:,}", look) for look in _LOOKS if (n := numbers[look])]
        yield {"name": name, "numbers": numbers, "plot": bar(parts, most)}


_LOOKS = ("kept", "rejected", "failed")


def _classes(document: dict[str, Any], medium: str) -> dict[str, Any]:
    found, names = document["classes"][medium], document["names"]
    wanted, what = found["wanted"], plural(medium)
    parts = [
        Part(n, f"{names[c]}: {n:,}", "kept" if wanted is None or n >= wanted else "short")
        for c, n in found["per_class"].items()
    ]
    sites = list(found["per_site"])
    rows = [
        (int(c) + 1, names[c], n, [found["per_site"][site].get(c, 0) for site in sites])
        for c, n in found["per_class"].items()
    ]
    label = f"Number of {what} in each class"
    return {**found, "plot": columns(parts, wanted, label), "sites": sites, "rows": rows}


def _strips(document: dict[str, Any], medium: str) -> Iterator[tuple[str, int, Markup]]:
    """Per site a strip with a cell for each class."""
    found, names = document["classes"][medium], document["names"]
    most = max((n for site in found["per_site"].values() for n in site.values()), default=1)
    for site, numbers in found["per_site"].items():
        parts = [
            Part(numbers.get(c, 0), f"{site}, {names[c]}: {numbers.get(c, 0):,}")
            for c in found["per_class"]
        ]
        label = f"{site}: items in {len(numbers)} of {len(parts)} classes"
        yield site, len(numbers), strip(parts, most, label)


def _bars(counts: Sequence[tuple[str, int]], look: str) -> list[dict[str, Any]]:
    """A bar each, the longest first."""
    most = max((n for _, n in counts), default=0)
    return [
        {"name": name, "items": n, "plot": bar([Part(n, f"{name}: {n:,}", look)], most)}
        for name, n in sorted(counts, key=lambda pair: (-pair[1], pair[0]))
    ]


def _licences(lines: list[dict[str, Any]]) -> list[dict[str, Any]]:
    most = max((line["items"] for line in lines), default=0)
    shown = []
    for line in lines:
        name, n = line["licence"] or "not stated", line["items"]
        part = Part(n, f"{name}: {n:,}", "kept" if line["redistributable"] else "rejected")
        shown.append({**line, "licence": name, "plot": bar([part], most)})
    return shown


def _lengths(measure: dict[str, Any] | None, what: str) -> dict[str, Any] | None:
    """The histogram of lengths or durations; bins with nothing at either end are left out."""
    if measure is None:
        return None
    tops = [b["to"] for b in measure["bins"]]
    names = [
        f"over {low:,}" if high is None else f"over {low:,} to {high:,}"
        for low, high in zip([0, *tops], tops, strict=False)
    ]
    rows = [(name, b["items"]) for name, b in zip(names, measure["bins"], strict=True)]
    used = [i for i, (_, n) in enumerate(rows) if n]
    rows = rows[used[0] : used[-1] + 1]
    parts = [Part(n, f"{name} {measure['unit']}: {n:,}") for name, n in rows]
    plot = columns(parts, label=f"Number of {what} by {measure['unit']}")
    most = max(n for _, n in rows)
    return {
        **measure,
        "rows": rows,
        "most": most,
        "plot": plot,
        "span": span(measure).removesuffix(" each"),
    }


def _split(document: dict[str, Any], split: str, medium: str) -> dict[str, Any]:
    sides = document["splits"][split][medium]
    looks = {"train": "kept", "test": "test", "neither": "rejected"}
    parts = [Part(n, f"{side}: {n:,}", look) for side, look in looks.items() if (n := sides[side])]
    leakage = document["leakage"][split][medium]
    rules = [
        {"rule": rule, "told": (told := share(n["items"], n["of"])), "plot": _part_of(n, told)}
        for rule, n in leakage["rules"].items()
        if n
    ]
    whole = sum(sides[side] for side in looks)
    return {
        "name": split,
        **sides,
        "plot": bar(parts, whole),
        "leak": leak(leakage),
        "rules": rules,
        "names": {key: _named(document, sides[key]) for key in ("left_out", "one_sided")},
    }


def _part_of(shared: dict[str, int], told: str) -> Markup:
    return bar([Part(shared["items"], told, "failed")], shared["of"])


def _named(document: dict[str, Any], labels: Sequence[int]) -> str:
    return ", ".join(document["names"][str(label)] for label in labels)


def _absent(document: dict[str, Any], medium: str) -> list[tuple[str, str, int]]:
    found = (document["absent"] or {}).get(medium) or {}
    return [(site, why, n) for site, reasons in found.items() for why, n in reasons.items()]


def _examples(rows: Sequence[Row]) -> list[Row]:
    """An item of each site, drawn from what may be passed on."""
    chosen: dict[str, Row] = {}
    for row in rows:
        if row.get("redistributable") and (row.get("text") or row.get("path")):
            held = chosen.setdefault(row["site"], row)
            chosen[row["site"]] = min(held, row, key=lambda r: draw(0, "example", r["item_id"]))
    origin = ("site", "source_url", "title", "author", "licence")
    shown = ("medium", "species", *origin, "text", "path")
    return [{name: chosen[site].get(name) for name in shown} for site in sorted(chosen)]


def _spectrogram(example: Row, build: Path) -> str | None:
    """A sound drawn, as the address of a picture; None where its file is not in the build folder,
    or not what its row says: an example is no check.

    ``picture`` needs the packages that decode sound, which an audit does not.
    """
    if example["medium"] != Medium.AUDIO or not example["path"]:
        return None
    file = (build / example["path"]).resolve()
    if not (file.is_relative_to((build / "media").resolve()) and file.is_file()):
        return None
    from fgbench.media.picture import draw as drawn

    try:
        picture = drawn(file).spectrogram
    except InputError:
        return None
    return f"data:image/png;base64,{b64encode(picture).decode()}"
