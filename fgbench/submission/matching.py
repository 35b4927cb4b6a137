"""A submission's ids against the benchmark's: missing, extra or foreign, with pointed hints."""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, TypeAlias

from fgbench.protocol import Medium
from fgbench.submission.faults import Code
from fgbench.submission.findings import EXAMPLES, Findings, quote, several

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from fgbench.benchmark import Benchmark

SAMPLE = 2_000
"""Ids that hints look at: a hint needs no more, and a hostile file gets no more."""
LONG = 200
"""Characters beyond which no nearest id is looked for: the search is quadratic."""

Undo: TypeAlias = Callable[[str], str]

SLIPS: Mapping[str, Undo] = {
    "invisible characters": lambda s: "".join(c for c in s if unicodedata.category(c) != "Cf"),
    "another Unicode form": lambda s: unicodedata.normalize("NFC", s),
    "blanks around it": str.strip,
    "backslashes": lambda s: s.replace("\\", "/"),
    "a leading ./": lambda s: s.removeprefix("./"),
    "upper and lower case": str.casefold,
    "zeros in front of numbers": lambda s: re.sub(r"(?<!\d)0+(?=\d)", "", s),
    "the file ending": lambda s: re.sub(r"\.\w{1,5}$", "", s),
}
"""How ids get written differently by accident, each with what undoes it."""


def check_ids(
    ids: Mapping[Medium, NDArray[np.str_]], benchmark: Benchmark, findings: Findings
) -> None:
    """Fault media that the benchmark has not, and ids that are not exactly its test ids."""
    for medium, given in ids.items():
        if medium not in benchmark.items:
            findings.add(
                Code.FOREIGN_MEDIUM,
                f"{medium}_ids",
                f"{len(given):,} items of {medium}",
                expected=f"{', '.join(benchmark.media)} ({benchmark.id})",
            )
            continue
        expected = benchmark.items[medium].ids.tolist()
        given_set, expected_set = set(given.tolist()), set(expected)
        missing = [i for i in expected if i not in given_set]
        extra = [i for i in dict.fromkeys(given.tolist()) if i not in expected_set]
        if missing or extra:
            _report(medium, missing, extra, len(expected), benchmark, findings)


def _report(
    medium: Medium,
    missing: Sequence[str],
    extra: Sequence[str],
    total: int,
    benchmark: Benchmark,
    findings: Findings,
) -> None:
    where = f"{medium}_ids"
    fix = _hint(medium, missing, extra, benchmark)
    if len(missing) == total:
        found = f"none of {benchmark.id}'s {total:,} ids; instead {_examples(extra)}"
        findings.add(
            Code.FOREIGN_IDS, where, found, expected=f"ids such as {quote(missing[0])}", fix=fix
        )
        return
    if missing:
        found = f"{len(missing):,} of {total:,} are missing: {_examples(missing)}"
        findings.add(Code.MISSING_ID, where, found, fix=fix)
    if extra:
        found = f"{len(extra):,} that {benchmark.id} has not: {_examples(extra)}"
        findings.add(Code.EXTRA_ID, where, found, fix=fix)


def _examples(ids: Sequence[str]) -> str:
    return several([quote(i) for i in ids[:EXAMPLES]], len(ids))


def _hint(
    medium: Medium, missing: Sequence[str], extra: Sequence[str], benchmark: Benchmark
) -> str:
    """What seems to have gone wrong with the ids, '' where nothing shows."""
    sample = extra[:SAMPLE]
    if not sample:
        return ""
    if all(i.isdecimal() for i in sample):
        return (
            f"these look like positions: write the ids, as {quote(missing[0])}" if missing else ""
        )
    for other, items in benchmark.items.items():
        if other is not medium and not set(sample).isdisjoint(items.ids.tolist()):
            return f"some are {other} ids: were two media exchanged?"
    if elsewhere := _other_benchmark(medium, sample, benchmark):
        return f"these are test ids of {elsewhere}: --benchmark {elsewhere}"
    return _respelling(medium, missing, sample) or _nearest(missing, sample)


def _other_benchmark(medium: Medium, sample: Sequence[str], benchmark: Benchmark) -> str:
    """The shipped benchmark that has at least half of these ids, '' where none has."""
    from fgbench.benchmark import load_benchmark, shipped  # reads Parquet: only when in doubt

    for other in shipped():
        items = None if other == benchmark.id else load_benchmark(other).items.get(medium)
        if items and 2 * len({*items.ids.tolist()}.intersection(sample)) >= len(sample):
            return other
    return ""


def _respelling(medium: Medium, missing: Sequence[str], sample: Sequence[str]) -> str:
    """The first id that is a missing one but for slips, and which slips these are."""
    folder = re.compile(rf"^(?:.*/)?{medium}/")
    undo: dict[str, Undo] = {**SLIPS, f"the folder {medium}/ in front": lambda s: folder.sub("", s)}

    def plain(text: str) -> str:
        for step in undo.values():
            text = step(text)
        return text

    known = {plain(i): i for i in reversed(missing)}
    spelt = {i: known[p] for i in sample if (p := plain(i)) in known}
    if not spelt:
        return ""
    given, true = next(iter(spelt.items()))
    for slip in reversed(list(undo)):  # leave only those that this one needs, broad ones first
        step = undo.pop(slip)
        if plain(given) != plain(true):
            undo[slip] = step
    alike = ", and so on" if len(spelt) > 1 else ""
    return f"write {quote(true)} for {quote(given)}{alike} (they differ by {', '.join(undo)})"


def _nearest(missing: Sequence[str], sample: Sequence[str]) -> str:
    """What the first ids might have been meant to be, '' where nothing is near."""
    candidates = [i for i in missing[:SAMPLE] if len(i) <= LONG]
    near = [
        f"{quote(close[0])} for {quote(i)}?"
        for i in sample[:EXAMPLES]
        if len(i) <= LONG and (close := difflib.get_close_matches(i, candidates, 1, 0.8))
    ]
    return f"did you mean {' '.join(near)}" if near else ""
