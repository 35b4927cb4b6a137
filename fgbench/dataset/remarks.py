"""What a reader should know of a data set, in sentences: each says a figure of its audit.

The card and Croissant's responsible-AI fields both print these.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from fgbench.protocol import Medium

PAPER = (
    "Xiangteng He, Yuxin Peng and Liu Xie. A New Benchmark and Approach for Fine-grained "
    "Cross-media Retrieval. ACM Multimedia 2019."
)
"""Whose data set this is made after: cite it, and the authors of what is used of it."""


def plural(medium: str) -> str:
    """The medium's items, as a sentence names them."""
    return "audio clips" if medium == Medium.AUDIO else f"{medium}s"


def counted(number: int, medium: str) -> str:
    """``7 texts``, ``1 audio clip``."""
    what = plural(medium)
    return f"{number:,} {what.removesuffix('s') if number == 1 else what}"


def share(part: int, whole: int) -> str:
    """``3 of 4 (75 %)``, with a space that does not break before the sign."""
    if not whole:
        return f"{part:,} of 0"
    percent = f"{100 * part / whole:.0f}"
    if percent in ("0", "100") and 0 < part < whole:  # nearly, but not so
        percent = "under 1" if percent == "0" else "over 99"
    return f"{part:,} of {whole:,} ({percent}\u00a0%)"


def biases(document: dict[str, Any]) -> list[str]:
    """In which ways the data is not like the world."""
    found = [sentence for medium in document["counts"] for sentence in _biases(document, medium)]
    if doubtful := ", ".join(document["names"][label] for label in document["notes"]):
        found.append(f"Classes whose label is doubtful, or not one species: {doubtful}.")
    return found


def _biases(document: dict[str, Any], medium: str) -> Iterator[str]:
    what, kept = plural(medium), document["counts"][medium]["kept"]
    sites = {s: c["kept"] for s, c in document["counts"][medium]["sites"].items() if c["kept"]}
    if sites:
        largest = max(sites, key=lambda site: (sites[site], site))
        yield f"{largest} gave {share(sites[largest], kept)} of the {what}, the most of any site."
    items = document["classes"][medium]["items"]
    if items["min"] != items["max"]:
        yield (
            f"A class has {items['min']:,} to {items['max']:,} {what}, the median class "
            f"{items['median']:,g}."
        )
    if medium == Medium.TEXT and document["rejected"] is not None:
        clean = document["rejected"].get(medium, {}).get("clean", {})
        yield f"Texts that are not in English were rejected: {clean.get('not_english', 0):,}."


def limits(document: dict[str, Any]) -> list[str]:
    """What the data cannot be used for, or not without care."""
    return [sentence for medium in document["counts"] for sentence in _limits(document, medium)]


def _limits(document: dict[str, Any], medium: str) -> Iterator[str]:
    what, kept = plural(medium), document["counts"][medium]["kept"]
    classes = document["classes"][medium]
    if classes["short"]:
        yield (
            f"Classes with fewer than {counted(classes['wanted'], medium)}: "
            f"{share(len(classes['short']), classes['asked'])}. They are not padded."
        )
    if missing := classes["asked"] - classes["present"]:
        yield f"Classes with no {what} at all: {share(missing, classes['asked'])}."
    if medium == Medium.TEXT and document["collected"]:
        yield (
            "A text's label is the species that was asked for; a program checked that the page "
            "names it, no person read it."
        )
    content = document["content"][medium]
    if content and content["pointers"]:
        pointers = share(content["pointers"], kept)
        yield f"Pointers among the {what}, which say where an item is and are not it: {pointers}."
    for split in document["benchmark"]["splits"]:
        leak = document["leakage"][split][medium]
        if leak["leaking"]:
            yield (
                f"Under {split}, {share(leak['leaking'], leak['test'])} test {what} "
                f"{'shares' if leak['leaking'] == 1 else 'share'} something with a train item."
            )
        if left_out := document["splits"][split][medium]["left_out"]:
            yield f"Classes left out of {medium} under {split}: {len(left_out):,}."
    if document["counts"][medium]["failed"]:
        yield f"Sources of {what} that could not be had: {document['counts'][medium]['failed']:,}."


def passable(document: dict[str, Any], medium: str) -> int | None:
    """How many items of a medium may be passed on; None where no licence is recorded."""
    licences: list[dict[str, Any]] | None = document["licences"][medium]
    if licences is None:
        return None
    passed: int = sum(line["items"] for line in licences if line["redistributable"])
    return passed
