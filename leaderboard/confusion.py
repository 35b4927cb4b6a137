"""What an entry takes a species for, and how near of kin the two are."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

from fgbench.benchmark import RANKS, Benchmark
from fgbench.record import Record


@dataclass(frozen=True, slots=True)
class Confusion:
    """Queries of one species whose first place showed another, over all tasks; ties in parts.

    ``kin``: the closest rank that both belong to, ``other`` for none, empty where the benchmark has
    no taxonomy.
    """

    label: int
    species: str
    shown_label: int
    shown: str
    queries: float
    kin: str


def list_confusions(record: Record, benchmark: Benchmark, most: int) -> list[Confusion]:
    """The commonest, as far as the record tells, which lists the commonest twenty of each task."""
    counts: dict[tuple[int, int], float] = defaultdict(float)
    for _, score in sorted(record.scores.items()):
        for label, shown, queries in score.confused:
            counts[label, shown] += queries
    names, ranks = name_species(benchmark), list_ranks(benchmark)
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return [
        Confusion(
            label, names[label], shown, names[shown], queries, find_kin(ranks[label], ranks[shown])
        )
        for (label, shown), queries in ordered[:most]
    ]


def name_species(benchmark: Benchmark) -> dict[int, str]:
    """The species by label: by name where the benchmark has a taxonomy."""
    names = {int(label): f"label {label}" for label in benchmark.labels}
    if (taxonomy := benchmark.taxonomy) is not None:
        names |= dict(zip(taxonomy.labels.tolist(), taxonomy.names, strict=True))
    return names


def list_ranks(benchmark: Benchmark) -> dict[int, dict[str, str]]:
    """By label the species' genus, family and order; empty where the benchmark does not tell."""
    ranks: dict[int, dict[str, str]] = {label: {} for label in benchmark.labels.tolist()}
    if (taxonomy := benchmark.taxonomy) is not None:
        for at, label in enumerate(taxonomy.labels.tolist()):
            ranks[label] = {rank: getattr(taxonomy, rank)[at] for rank in RANKS[1:]}
    return ranks


def find_kin(one: Mapping[str, str], other: Mapping[str, str]) -> str:
    """The closest rank that both species belong to, given the ranks of each; as in Confusion."""
    if not one or not other:
        return ""
    return next((rank for rank in one if one[rank] == other[rank]), "other")
