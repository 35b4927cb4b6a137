"""What the sources say about each class, field by field, so that disagreements show."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from fgbench.species import name_key

from .sources import Sources, Taxon

Claim = tuple[str, str]
"""(source, value)."""


def differ(claims: Iterable[Claim]) -> bool:
    """Whether the values differ by more than spelling."""
    return len({name_key(value) for _, value in claims}) > 1


def quote(claims: Iterable[Claim]) -> str:
    """The claims in one line, values that differ by spelling alone together under the first.

    >>> quote([("a", "Gray Jay"), ("b", "Blue Jay"), ("c", "Grey_Jay")])
    'Gray Jay [a, c]; Blue Jay [b]'
    """
    said: dict[str, tuple[str, list[str]]] = {}
    for source, value in claims:
        said.setdefault(name_key(value), (value, []))[1].append(source)
    return "; ".join(f"{value} [{', '.join(sources)}]" for value, sources in said.values())


@dataclass(frozen=True)
class Claims:
    """What the sources say; every method takes a CUB id (1-200)."""

    sources: Sources

    @cached_property
    def checklist(self) -> dict[str, Taxon]:
        """The 2025 checklist by code."""
        return {taxon.code: taxon for taxon in self.sources.ebird_2025}

    @cached_property
    def _species_by_name(self) -> dict[str, Taxon]:
        return {name_key(t.name): t for t in self.sources.ebird_2025 if t.category == "species"}

    @cached_property
    def _scientific(self) -> set[str]:
        return {taxon.scientific_name for taxon in self.sources.ebird_2025}

    @cached_property
    def _audio_folders(self) -> dict[int, str]:
        rows = self.sources.listed("audio/test.txt")
        return {label + 1: item.split("/")[-2] for item, label in rows}

    def ebird_code(self, cub_id: int) -> str | None:
        """The code that the CUB taxonomy gives; None where it gives several species."""
        rows = self.sources.cub_taxonomy[cub_id]
        return rows[0]["ebird_species_code"] if len(rows) == 1 else None

    def common_names(self, cub_id: int) -> list[tuple[str, str, str]]:
        """(source, value, kind of name)."""
        cub = self.sources.classes[cub_id][4:]
        code = self.ebird_code(cub_id)
        found = [
            ("cub", cub.replace("_", " "), "cub"),
            ("fgxmedia", self._audio_folders[cub_id].replace("_", " "), "audio-folder"),
        ]
        for row in self.sources.cub_taxonomy[cub_id]:
            found.append(("cub-taxonomy", row["common_name"], "inaturalist"))
        if code in self.checklist:
            found.append(("ebird-2025", self.checklist[code].name, "ebird"))
        if code in self.sources.ebird_2021:
            found.append(("ebird-2021", self.sources.ebird_2021[code][1], "ebird"))
        for name, kind in (
            ("en", "ioc"),
            ("xeno-canto", "xeno-canto"),
            ("botw", "birds-of-the-world"),
        ):
            value = self.sources.hubanton[name][cub_id]
            if value not in self._scientific:  # these lists fall back on the scientific name
                found.append((f"hubanton-{name}", value, kind))
        return found

    def scientific_names(self, cub_id: int) -> list[Claim]:
        """(source, value); eBird of 2025 twice: for the CUB taxonomy's code and for CUB's name."""
        code = self.ebird_code(cub_id)
        found = [
            ("cub-taxonomy", row["scientific_name"]) for row in self.sources.cub_taxonomy[cub_id]
        ]
        if code in self.sources.ebird_2021:
            found.append(("ebird-2021", self.sources.ebird_2021[code][0]))
        if code in self.checklist:
            found.append(("ebird-2025 by code", self.checklist[code].scientific_name))
        if taxon := self._species_by_name.get(name_key(self.sources.classes[cub_id][4:])):
            found.append(("ebird-2025 by name", taxon.scientific_name))
        found.append(("wikispecies", self.sources.wikispecies[cub_id]))
        for name in ("latin", "dna"):
            found.append((f"hubanton-{name}", self.sources.hubanton[name][cub_id]))
        for name in ("xeno-canto", "botw"):
            value = self.sources.hubanton[name][cub_id]
            if value in self._scientific:
                found.append((f"hubanton-{name}", value))
        return found

    def higher_ranks(self, cub_id: int, taxon: Taxon) -> dict[str, list[Claim]]:
        """(source, value) for the family and the order."""
        row = self.sources.cub_taxonomy[cub_id][0]
        above = self.sources.wikispecies_parents[self.sources.wikispecies[cub_id]]
        families = [("wikispecies", name) for name in above if name.endswith("idae")]
        return {
            "family": [("cub-taxonomy", row["family"]), ("ebird-2025", taxon.family), *families],
            "order": [
                ("cub-taxonomy", row["order"]),
                ("ebird-2025", taxon.order),
                ("wikispecies", above[0]),
            ],
        }
