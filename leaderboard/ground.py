"""What a board stands on: its benchmark, and what can be counted of the benchmark's items."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fgbench.benchmark import Benchmark, load_benchmark, opened
from fgbench.dataset.audit import audit_contents
from fgbench.dataset.contents import Contents, read_contents
from fgbench.dataset.description import tell


@dataclass(frozen=True, slots=True)
class Ground:
    """A benchmark and what stands beside its items.

    ``audit``: the document of ``fgbench audit``. ``files``: by name the texts that describe the
    data and quote none of it. ``licences``: by label how many items are under which licence, the
    commonest first; empty where the manifests name none.
    """

    benchmark: Benchmark
    audit: Mapping[str, Any]
    files: Mapping[str, str]
    licences: Mapping[int, Mapping[str, int]]


def read_ground(source: str | Path, split_column: str | None = None) -> Ground:
    """Read a benchmark as ``load_benchmark`` does, and count it; raises what either raises."""
    with opened(str(source)) as folder:
        benchmark = load_benchmark(folder, split_column)
        contents = read_contents(folder, split_column)
        document = audit_contents(contents)
        return Ground(benchmark, document, tell(document, folder), _licences(contents))


def _licences(contents: Contents) -> dict[int, dict[str, int]]:
    counts: dict[int, Counter[str]] = defaultdict(Counter)
    for rows in contents.items.values():
        for row in rows:
            if licence := row.get("licence"):
                counts[row["label"]][licence] += 1
    return {
        label: dict(sorted(found.items(), key=lambda item: (-item[1], item[0])))
        for label, found in sorted(counts.items())
    }
