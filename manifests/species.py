"""Makes species.parquet: the 200 classes, from eleven sources that do not all agree.

Whatever the sources disagree about has a row in resolutions.csv, which quotes them as they are and
says what was chosen and why. The build stops when a row is missing, needless or misquotes.
Genus, family and order of every class are those of the eBird/Clements checklist of October 2025.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from fgbench.errors import Fault, FaultyInput

from .claims import Claim, Claims, differ, quote
from .sources import Sources, Taxon


def _texts(*names: str) -> pa.DataType:
    return pa.struct([(name, pa.string()) for name in names])


SCHEMA = pa.schema(
    [
        ("label", pa.int16()),
        ("cub_id", pa.int16()),
        ("cub_name", pa.string()),
        ("name", pa.string()),
        ("scientific_name", pa.string()),
        ("genus", pa.string()),
        ("family", pa.string()),
        ("order", pa.string()),
        ("ebird_code", pa.string()),
        ("ebird_code_2025", pa.string()),
        ("avibase_id", pa.string()),
        ("species", pa.list_(_texts("scientific_name", "name", "ebird_code"))),
        ("aliases", pa.list_(_texts("name", "kind", "source"))),
        ("note", pa.string()),
        ("sources", _texts("name", "scientific_name", "taxonomy", "ebird_code", "species")),
    ]
)


@dataclass(frozen=True, slots=True)
class Resolution:
    """A decision made by hand; ``rejected`` values are wrong, hence no aliases either."""

    said: str
    chosen: str
    rejected: frozenset[str]
    why: str


Resolutions = Mapping[tuple[int, str], Resolution]
"""By CUB id and field: name, scientific_name, family, order, or species (chosen: eBird codes)."""


def read_resolutions(path: Path) -> Resolutions:
    """The decisions of resolutions.csv."""
    with path.open(encoding="utf-8", newline="") as file:
        return {
            (int(row["cub_id"]), row["field"]): Resolution(
                row["said"],
                row["chosen"],
                frozenset(filter(None, row["rejected"].split("; "))),
                row["why"],
            )
            for row in csv.DictReader(file)
        }


def build_species(sources: Sources, resolutions: Resolutions) -> pa.Table:
    """The table of the 200 classes, by label. Raises ``FaultyInput`` (FG-M003…) on misfits."""
    builder = _Builder(Claims(sources), resolutions, [], set())
    rows = [builder.row(cub_id) for cub_id in sorted(sources.classes)]
    for cub_id, field in sorted(resolutions.keys() - builder.used):
        builder.misfit(cub_id, field, "FG-M004", "a resolution", "none: the sources agree")
    if builder.faults:
        raise FaultyInput("resolutions.csv does not fit the sources", builder.faults)
    return pa.Table.from_pylist(rows, schema=SCHEMA)


@dataclass(frozen=True)
class _Builder:
    claims: Claims
    resolutions: Resolutions
    faults: list[Fault]
    used: set[tuple[int, str]]

    def misfit(self, cub_id: int, field: str, code: str, found: str, expected: str) -> None:
        where = f"class {cub_id}, {field}"
        self.faults.append(Fault(code, where, found, expected, "decide it in resolutions.csv"))

    def row(self, cub_id: int) -> dict[str, Any]:
        claims = self.claims
        common = [(source, value) for source, value, _ in claims.common_names(cub_id)]
        scientific = claims.scientific_names(cub_id)
        name = self.settle(cub_id, "name", common)
        binomial = self.settle(cub_id, "scientific_name", scientific)
        genus = binomial.partition(" ")[0]
        species = self.members(cub_id, binomial)
        mixed = self.resolutions.get((cub_id, "species"))
        if not species:
            found = mixed.chosen if mixed else binomial
            self.misfit(cub_id, "species", "FG-M003", found, "species of the 2025 checklist")
            return {}
        ranks = claims.higher_ranks(cub_id, species[0])
        taxon = species[0] if species[0].scientific_name == binomial else None
        return {
            "label": cub_id - 1,
            "cub_id": cub_id,
            "cub_name": claims.sources.classes[cub_id],
            # Where the sources agree, the checklist has the spelling; CUB's lacks apostrophes.
            "name": name if (cub_id, "name") in self.resolutions else species[0].name,
            "scientific_name": binomial,
            "genus": genus,
            "family": self.settle(cub_id, "family", ranks["family"]),
            "order": self.settle(cub_id, "order", ranks["order"]),
            "ebird_code": claims.ebird_code(cub_id),
            "ebird_code_2025": taxon.code if taxon else None,
            "avibase_id": taxon.avibase_id if taxon else None,
            "species": [
                {"scientific_name": t.scientific_name, "name": t.name, "ebird_code": t.code}
                for t in species
            ],
            "aliases": self.aliases(cub_id, binomial, species),
            "note": mixed.why if mixed else None,
            "sources": {
                "name": self.origin(cub_id, "name"),
                "scientific_name": self.origin(cub_id, "scientific_name"),
                "taxonomy": "ebird-2025",
                "ebird_code": "cub-taxonomy",
                "species": self.origin(cub_id, "species"),
            },
        }

    def origin(self, cub_id: int, field: str) -> str:
        return "resolutions.csv" if (cub_id, field) in self.resolutions else "ebird-2025"

    def settle(self, cub_id: int, field: str, claims: list[Claim]) -> str:
        """The value that all claim, or else the one that was chosen by hand."""
        if not differ(claims):
            return claims[0][1]
        self.used.add((cub_id, field))
        resolution = self.resolutions.get((cub_id, field))
        if resolution is None or resolution.said != quote(claims):
            found = resolution.said if resolution else "no resolution"
            self.misfit(cub_id, field, "FG-M003", found, quote(claims))
        return resolution.chosen if resolution else claims[0][1]

    def members(self, cub_id: int, scientific_name: str) -> list[Taxon]:
        """The species of the 2025 checklist that the label may show, the likeliest first."""
        checklist = self.claims.checklist
        resolution = self.resolutions.get((cub_id, "species"))
        if resolution is None:
            return [t for t in checklist.values() if t.scientific_name == scientific_name]
        self.used.add((cub_id, "species"))
        codes = resolution.chosen.split("; ")
        return [checklist[code] for code in codes] if set(codes) <= checklist.keys() else []

    def aliases(self, cub_id: int, binomial: str, species: list[Taxon]) -> list[dict[str, str]]:
        """Every name that a source uses, bar rejected ones and those that are no name (a/b)."""
        wrong = frozenset[str]().union(
            *(r.rejected for (k, _), r in self.resolutions.items() if k == cub_id)
        )
        found = [(binomial, "scientific", self.origin(cub_id, "scientific_name"))]
        found += [(v, kind, s) for s, v, kind in self.claims.common_names(cub_id)]
        found += [(v, "other-scientific", s) for s, v in self.claims.scientific_names(cub_id)]
        if len(species) > 1:
            found += [(t.name, "member", "ebird-2025") for t in species]
            found += [(t.scientific_name, "member-scientific", "ebird-2025") for t in species]
        kept: dict[tuple[str, str], str] = {}
        for name, kind, source in found:
            repeated = kind == "other-scientific" and name == binomial
            if name not in wrong and not repeated and not set(name) & set("/[("):
                kept.setdefault((name, kind), source.partition(" ")[0])
        return [{"name": n, "kind": k, "source": s} for (n, k), s in kept.items()]
