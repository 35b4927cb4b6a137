"""The dataset card: what a data set is, for people, in Markdown. All its facts are the audit's."""

from __future__ import annotations

from typing import Any

from fgbench.dataset.leakage import MEANING
from fgbench.dataset.remarks import PAPER, biases, counted, limits, plural
from fgbench.dataset.rendering import count, render


def card(document: dict[str, Any]) -> str:
    """CARD.md from an audit. Equal audits give equal text."""
    media = list(document["counts"])
    return render(
        "card.md",
        audit=document,
        media=media,
        classes=sum(any(_has(document, m, label) for m in media) for label in document["names"]),
        plural=plural,
        counted=counted,
        span=span,
        leak=lambda split, medium: leak(document["leakage"][split][medium]),
        meanings={rule.value: meaning for rule, meaning in MEANING.items()},
        silent={m: _silent(document, m) for m in media},
        biases=biases(document),
        limits=limits(document),
        paper=PAPER,
    )


def span(spread: dict[str, Any]) -> str:
    """``40 each``, or from the least to the most."""
    if spread["min"] == spread["max"]:
        return f"{count(spread['min'])} each"
    low, middle, high = (count(spread[key]) for key in ("min", "median", "max"))
    return f"{low} to {high}, median {middle}"


def leak(leakage: dict[str, Any]) -> str:
    """How many test items leak and by which rules, in words."""
    if leakage["leaking"] is None:
        return "not known: nothing to tell it by" if leakage["train"] else "no train items"
    parts = [
        f"{rule} {shared['items']:,}"
        for rule, shared in leakage["rules"].items()
        if shared and shared["items"]
    ]
    told = f"{leakage['leaking']:,} of {leakage['test']:,}"
    return f"{told} ({', '.join(parts)})" if parts else told


def _has(document: dict[str, Any], medium: str, label: str) -> bool:
    return bool(document["classes"][medium]["per_class"][label])


def _silent(document: dict[str, Any], medium: str) -> list[str]:
    sites = document["paper"][medium]["sites"] or {}
    return [site for site, items in sites.items() if not items]
