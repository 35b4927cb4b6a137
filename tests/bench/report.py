"""The bench's report in Markdown, with the machine that its figures belong to."""

from __future__ import annotations

import os
import platform
import shlex
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from statistics import mean, median
from typing import Any

PACKAGES = (
    "fgbench",
    "numpy",
    "scipy",
    "numba",
    "pyarrow",
    "scikit-learn",
    "torch",
    "torchmetrics",
    "pytorch-metric-learning",
    "pytrec_eval-terrier",
    "ranx",
)


@dataclass(frozen=True)
class Ours:
    """Seconds of each turn: the product and fgbench in one process, and the whole process."""

    product: list[float]
    read: list[float]
    score: list[float]
    whole: list[float]
    peaks: list[float]
    to_product: dict[str, list[float]]
    cold: float
    cold_peak: float
    blas: str

    @classmethod
    def of(cls, inside: Sequence[Mapping[str, Any]], whole: Sequence[Any], cold: Any) -> Ours:
        """Ratios are taken turn by turn, so that a machine that slows down slows both sides."""

        def stretch(name: str) -> list[float]:
            return [seconds for turn in inside for seconds in turn[name]]

        product, read, score = map(stretch, ("product", "read", "score"))
        beside = [(w.wall, median(turn["product"])) for w, turn in zip(whole, inside, strict=True)]
        ratios = {
            "score": [s / p for s, p in zip(score, product, strict=True)],
            "read + score": [(r + s) / p for r, s, p in zip(read, score, product, strict=True)],
            "whole": [wall / p for wall, p in beside],
        }
        walls, peaks = [w.wall for w in whole], [w.peak for w in whole]
        blas = inside[0]["blas"]
        return cls(product, read, score, walls, peaks, ratios, cold.wall, cold.peak, blas)


@dataclass(frozen=True)
class Row:
    """A peer: seconds for ``queries`` of ``of`` queries, its MAPs and fgbench's for the same."""

    title: str
    wall: float = 0.0
    peak: float = 0.0
    seconds: float = 0.0
    queries: int = 0
    of: int = 0
    maps: Mapping[str, float] = field(default_factory=dict)
    expected: Mapping[str, float] = field(default_factory=dict)
    failed: str = ""

    @property
    def all_queries(self) -> float:
        """Seconds for all queries; the sample holds each medium by its share."""
        return self.seconds * self.of / self.queries

    @property
    def furthest(self) -> tuple[str, float]:
        """The task on which the two differ most, and by how much."""
        apart = {code: value - self.expected[code] for code, value in self.maps.items()}
        return max(apart.items(), key=lambda item: abs(item[1]))


def describe_machine() -> dict[str, str]:
    """What the figures belong to, taken before the run starts."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text("utf-8").splitlines() if info.is_file() else []
    models = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9
    threads = {k: v for k, v in sorted(os.environ.items()) if k.endswith("_NUM_THREADS")}
    return {
        "date": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "command": shlex.join(["python", *sys.argv]),
        "processor": f"{models[0] if models else platform.machine()}, "
        f"{len(os.sched_getaffinity(0))} cores in use",
        "memory": f"{memory:.0f} GB",
        "load at start": f"{os.getloadavg()[0]:.2f}",
        "threads": ", ".join(f"{k}={v}" for k, v in threads.items()) or "as each library chooses",
        "system": f"{platform.system()} {platform.release()}, Python {platform.python_version()}",
        "packages": ", ".join(f"{name} {installed(name)}" for name in PACKAGES),
    }


def installed(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "(absent)"


def render(
    machine: Mapping[str, str],
    ours: Ours,
    positive: Sequence[Row],
    signed: Sequence[Row],
    *,
    quick: bool,
) -> str:
    facts = {**machine, "BLAS": ours.blas}
    parts = [
        "**A quick run: it shows that the bench works; its figures mean little.**\n"
        if quick
        else "",
        "### Machine\n",
        *(f"- {name}: {value}" for name, value in facts.items()),
        "\n### fgbench beside the bare product\n",
        *table_ours(ours),
        "\n### Peers, positive features\n",
        *table_peers(positive, median(ours.whole)),
        "\n### The same queries, signed features\n",
        *table_agreement(signed),
    ]
    return "\n".join(parts).strip() + "\n"


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """A Markdown table: words in the first column, then figures; short rows end in empty cells."""
    ruler = ["---", *["---:"] * (len(head) - 1)]
    whole = [[*cells, *[""] * (len(head) - len(cells))] for cells in (head, ruler, *rows)]
    return [f"| {' | '.join(cells)} |" for cells in whole]


def spread(values: Sequence[float], unit: str = "") -> str:
    """Median, and the least and the greatest where there are several."""
    middle = f"{median(values):.2f}{unit}"
    return middle if len(values) == 1 else f"{middle} ({min(values):.2f}–{max(values):.2f})"


def table_ours(ours: Ours) -> list[str]:
    both = [r + s for r, s in zip(ours.read, ours.score, strict=True)]
    cold = [ours.cold / median(ours.product)]
    rows = [
        ("bare float32 product, 512-row blocks", spread(ours.product, " s"), "1"),
        (
            "`fgbench.score(submission, benchmark)`",
            spread(ours.score, " s"),
            spread(ours.to_product["score"], "×"),
        ),
        (
            "the same with `read_submission`",
            spread(both, " s"),
            spread(ours.to_product["read + score"], "×"),
        ),
        (
            "whole process `fgbench score`, kernels compiled before",
            spread(ours.whole, " s"),
            spread(ours.to_product["whole"], "×"),
            f"{max(ours.peaks):.0f} MB",
        ),
        (
            "whole process, first call ever (compiles its kernels)",
            spread([ours.cold], " s"),
            spread(cold, "×"),
            f"{ours.cold_peak:.0f} MB",
        ),
    ]
    head = ("median of the turns (least–greatest)", "wall", "÷ product, same turn", "peak memory")
    return table(head, rows)


def table_peers(peers: Sequence[Row], whole: float) -> list[str]:
    rows: list[tuple[str, ...]] = []
    for peer in peers:
        if peer.failed:
            rows.append((peer.title, f"failed: {peer.failed}"))
            continue
        sampled = peer.queries < peer.of
        rows.append(
            (
                peer.title,
                f"{peer.queries:,}" if sampled else "all",
                f"{peer.wall:.1f} s",
                f"{peer.seconds:.1f} s",
                f"{'≈ ' if sampled else ''}{peer.all_queries:.0f} s",
                f"{peer.all_queries / whole:.1f}×",
                f"{peer.peak:.0f} MB",
                agreement(peer),
            )
        )
    head = (
        "way",
        "queries",
        "process",
        "scoring alone",
        "scoring all queries",
        "÷ whole `fgbench score`",
        "peak memory",
        "greatest difference of a MAP",
    )
    return table(head, rows)


def table_agreement(peers: Sequence[Row]) -> list[str]:
    rows: list[tuple[str, ...]] = []
    for peer in peers:
        if peer.failed:
            rows.append((peer.title, f"failed: {peer.failed}"))
            continue
        means = [
            f"{mean(v for code, v in maps.items() if code.endswith('all') is multimodal):.6f}"
            for multimodal in (False, True)
            for maps in (peer.maps, peer.expected)
        ]
        rows.append((peer.title, f"{peer.queries:,}", *means, agreement(peer)))
    head = (
        "way",
        "queries",
        "bi-modal mean",
        "fgbench's",
        "X→All mean",
        "fgbench's",
        "greatest difference of a MAP",
    )
    return table(head, rows)


def agreement(peer: Row) -> str:
    code, value = peer.furthest
    return f"{value:+.1e} ({code})"
