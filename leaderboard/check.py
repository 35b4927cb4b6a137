"""``fgbench leaderboard check``: everything that keeps the entries of a store off the board."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Any

from fgbench.benchmark import Benchmark
from fgbench.errors import Fault, FaultyInput
from fgbench.protocol import PROTOCOL_VERSION
from fgbench.record import Record, Status
from fgbench.scoring.run import PER_QUERY, RECORD, Run
from fgbench.scoring.summary import describe_benchmark
from fgbench.scoring.uncertainty import DRAWS, LEVEL, ClusterSums
from fgbench.submission.findings import quote

from .card import card_faults
from .faults import Code, fault
from .names import Named, clash_faults, place, printed_faults
from .recount import count_again, coverage_faults, recount_faults
from .shares import Layout, lay_out, sum_run
from .store import Entry, read_results
from .unproven import shape_faults


@dataclass(frozen=True, slots=True)
class Report:
    """What a check found. ``entries`` are all that could be read, sound or not.

    ``sums``: by slug what ``sum_run`` gives of each whose values are the benchmark's and whose
    scored tasks have one for each query.
    """

    entries: tuple[Entry, ...]
    sums: Mapping[str, ClusterSums]
    faults: tuple[Fault, ...]

    @property
    def ok(self) -> bool:
        return not self.faults


def check_results(
    folder: Path, benchmark: Benchmark, progress: Callable[[float], None] = lambda part: None
) -> Report:
    """Check a store against the benchmark of its board: every fault of every entry at once.

    MAPs, means, classes and intervals are counted again from the per-query values; see ``unproven``
    for what these cannot prove. ``progress`` is told the part done.
    """
    layout = lay_out(benchmark)
    wrong: dict[str, list[Fault]] = {}
    sums: dict[str, ClusterSums] = {}

    def look(entry: Entry, run: Run) -> None:
        where = _record(entry)
        wrong[where], summed = _check_entry(entry, run, layout, benchmark)
        if summed is not None:
            sums[where] = summed

    entries, faults = read_results(folder, look, progress)
    counted = count_again(sums, benchmark)
    for entry in entries:
        where = _record(entry)
        faults += wrong[where]
        if where in counted:
            faults += recount_faults(where, entry.record, counted[where])
    named = [Named(str(e.folder), e.name, e.submission) for e in entries if e.name]
    faults += [f for entry in named for f in printed_faults(entry)]
    faults += [f for one, other in combinations(named, 2) for f in clash_faults(one, other)]
    by_slug = {e.slug: sums[where] for e in entries if (where := _record(e)) in sums}
    return Report(entries, by_slug, tuple(faults))


def _record(entry: Entry) -> str:
    """What faults call its record."""
    return f"{entry.folder}, {RECORD}"


def _check_entry(
    entry: Entry, run: Run, layout: Layout, benchmark: Benchmark
) -> tuple[list[Fault], ClusterSums | None]:
    """Everything that keeps one entry off the board but for its numbers and its neighbours.

    Its sums come with it where its values are the benchmark's and its tasks those of the record.
    """
    record, where, rows = entry.record, _record(entry), run.per_query.num_rows
    faults = [*_place_faults(entry), *_card_faults(record, where)]
    if record.status is not Status.SELF_REPORTED:
        faults.append(fault(Code.STATUS, f"{where}, status", record.status.value))
    wrong = _setting_faults(record, rows, benchmark, where)
    faults += wrong + shape_faults(where, record, benchmark)
    if any(f.code == Code.BENCHMARK for f in wrong):
        return faults, None
    try:
        sums = sum_run(run, layout)
    except FaultyInput as error:
        return [*faults, *error.faults], None
    gaps = coverage_faults(where, record, rows, sums)
    return [*faults, *gaps], None if gaps else sums


def _place_faults(entry: Entry) -> list[Fault]:
    wanted = place(entry.name, entry.submission)
    found = f"{entry.folder.parent.name}/{entry.folder.name}"
    if not entry.name or found == wanted:
        return []
    return [fault(Code.PLACE, str(entry.folder), quote(found), expected=quote(wanted))]


def _card_faults(record: Record, where: str) -> list[Fault]:
    card = record.submission.get("meta")
    if not isinstance(card, dict):
        return [fault(Code.TYPE, f"{where}, submission.meta", "no card")]
    return card_faults(card, f"{where}, submission.meta")


def _setting_faults(record: Record, rows: int, benchmark: Benchmark, where: str) -> list[Fault]:
    """What was scored against, by which rules: to be the same for all entries of a board."""
    of_benchmark = describe_benchmark(benchmark)
    faults = [
        fault(
            Code.BENCHMARK,
            f"{where}, benchmark.{quote(str(key))[1:-1]}",
            _shown(record.benchmark.get(key)),
            expected=_shown(of_benchmark.get(key)),
        )
        for key in dict.fromkeys((*of_benchmark, *record.benchmark))
        if record.benchmark.get(key) != of_benchmark.get(key)
    ]
    if record.benchmark.get("id") != of_benchmark["id"]:
        faults = faults[:1]  # another benchmark differs in everything else as well
    if record.protocol != PROTOCOL_VERSION:
        found, wanted = quote(record.protocol), quote(PROTOCOL_VERSION)
        faults.append(fault(Code.PROTOCOL, f"{where}, protocol", found, expected=wanted))
    for group, wanted_part in (
        ("bootstrap", {"over": "species", "draws": DRAWS, "level": LEVEL, "seed": 0}),
        ("per_query", {"file": PER_QUERY, "rows": rows, "sha256": record.per_query["sha256"]}),
    ):
        part = getattr(record, group)
        if part != wanted_part:
            found, shown = _shown(part), _shown(wanted_part)
            faults.append(fault(Code.SHAPE, f"{where}, {group}", found, expected=shown))
    return faults


def _shown(value: Any) -> str:
    return quote(value) if isinstance(value, str) else quote(str(value))[1:-1]
