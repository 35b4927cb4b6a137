"""From what each name of a species leads to, to what a site has for it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from fgbench.collect.sites.base import Absent, Hit

if TYPE_CHECKING:
    from fgbench.species import Species


def settle(outcomes: Iterable[Sequence[Hit] | Absent], species: Species) -> Iterator[Hit | Absent]:
    """The pages of the first name that the site knows; where it knows none, why of each name.

    A class that holds several species is asked for by all its names, no page twice: "Sayornis" has
    a page, and so has each phoebe. ``outcomes`` come best name first and are drawn one at a time,
    so that nothing is asked beyond the first name that is known.
    """
    absences: list[Absent] = []
    seen: set[str] = set()
    for outcome in outcomes:
        if isinstance(outcome, Absent):
            absences.append(outcome)
            continue
        for hit in outcome:
            if hit.url not in seen:
                seen.add(hit.url)
                yield hit
        if seen and len(species.species) < 2:
            return
    if absences and not seen:
        reasons = "; ".join(f"{absent.query}: {absent.reason}" for absent in absences)
        yield replace(absences[0], reason=reasons)
