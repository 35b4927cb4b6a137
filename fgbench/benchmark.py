"""What is scored against: a benchmark is an id and, per medium, test items with labels.

``fgxmedia-2019`` ships with the package; any folder of Parquet files whose rows have ``item_id``
(string), ``medium``, ``label`` (integer) and ``split`` (``train`` / ``test``) is a benchmark too.
A folder with a ``benchmark.json`` reads only what that names.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fgbench import remote
from fgbench.benchmark_json import SHIPPED_TAXONOMY, Declaration, read_declaration
from fgbench.errors import Fault, FaultyInput, InputError
from fgbench.manifest import TEXT, WHOLE, Rows, read_columns, read_test_rows, show
from fgbench.protocol import MEDIA, Medium, Task, tasks

DEFAULT = "fgxmedia-2019"
RANKS = ("species", "genus", "family", "order")


@dataclass(frozen=True, slots=True)
class Items:
    """The test items of one medium, in the order of the benchmark's own list.

    ``ids``: [n] unicode; ``labels``: [n] int64. Equal labels are relevant to each other.
    """

    ids: NDArray[np.str_]
    labels: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.ids)


@dataclass(frozen=True, slots=True)
class Taxonomy:
    """Genus, family and order of each label; the ground of graded relevance and of confusions."""

    labels: NDArray[np.int64]
    names: tuple[str, ...]
    genus: tuple[str, ...]
    family: tuple[str, ...]
    order: tuple[str, ...]

    def gains(self) -> NDArray[np.float32]:
        """Linear gains [L, L] between labels: same species 3, genus 2, family 1, else 0."""
        genus, family = np.asarray(self.genus), np.asarray(self.family)
        same_family = family[:, None] == family[None, :]
        same_genus = same_family & (genus[:, None] == genus[None, :])
        same = np.eye(len(self.labels), dtype=bool)
        gains: NDArray[np.float32] = np.sum([same_family, same_genus, same], 0, dtype=np.float32)
        return gains


@dataclass(frozen=True, slots=True)
class Benchmark:
    """A benchmark: ``items`` holds the test items of each medium, media in the paper's order."""

    id: str
    title: str
    items: Mapping[Medium, Items]
    split_column: str
    files: Mapping[str, str] = field(default_factory=dict)
    """File name to SHA-256, for the record: which manifests exactly were scored against."""
    taxonomy: Taxonomy | None = None
    left_out: Mapping[Medium, frozenset[int]] = field(default_factory=dict)
    """Per gallery medium, labels that the benchmark itself declares to have no test item there:
    queries of these labels are not asked of that medium. Undeclared gaps are a fault."""
    train: Mapping[Medium, int] = field(default_factory=dict)
    """How many training items the manifests list; 0 where they list none."""
    labels: NDArray[np.int64] = field(init=False, repr=False, compare=False)
    """All labels that occur in the test items, ascending."""

    def __post_init__(self) -> None:
        everywhere = [self.items[m].labels for m in self.media]
        found = np.unique(np.concatenate(everywhere)) if everywhere else np.zeros(0, np.int64)
        object.__setattr__(self, "labels", found)

    @property
    def media(self) -> tuple[Medium, ...]:
        return tuple(m for m in MEDIA if m in self.items)

    @property
    def tasks(self) -> tuple[Task, ...]:
        return tasks(self.media)


def shipped() -> dict[str, str]:
    """The benchmarks that come with the package: id to title."""
    found = {}
    for entry in resources.files("fgbench.manifests").iterdir():
        if entry.is_dir() and (spec := entry / "benchmark.json").is_file():
            found[entry.name] = str(json.loads(spec.read_text("utf-8"))["title"])
    return dict(sorted(found.items()))


def load_benchmark(source: str | Path = DEFAULT, split_column: str | None = None) -> Benchmark:
    """Open a shipped benchmark by its id, or a folder of manifests by its path or fsspec URL.

    ``split_column`` overrides the column that says train or test. A build folder, whose manifests
    lie in ``manifests/``, may be named by itself. Raises ``InputError`` or ``FaultyInput`` (codes
    ``FG-B…``) when there is no such benchmark or its manifests cannot be scored against, and
    ``FG-D…`` when a URL cannot be read.
    """
    with opened(str(source)) as folder:
        return _load(folder, split_column)


@contextmanager
def opened(source: str) -> Iterator[Path]:
    """The folder of manifests that an id, a path or a URL names; of a URL, a copy for the while."""
    if (path := remote.local_path(source)) is not None:
        yield locate(str(path))
        return
    build = f"{source.rstrip('/')}/manifests"
    nested = remote.exists(f"{build}/benchmark.json")
    with remote.fetched(build if nested else source) as folder:
        yield folder


def _load(folder: Path, split_column: str | None) -> Benchmark:
    spec = read_declaration(folder)
    column = split_column or spec.split_column
    digests: dict[str, str] = {}
    parts: list[Rows] = []
    faults: list[Fault] = []
    for name in spec.manifests:
        rows, found = read_test_rows(folder / name, column)
        faults += found + _digest(folder / name, spec.files.get(name), digests)
        parts.append(rows)
    taxonomy, found = _read_taxonomy(folder, spec, digests)
    faults += found
    items = _join(parts)
    faults += _repeated(items)
    # What is missing can be told only when every file could be read.
    faults = faults or _too_few(items, parts, column) or _unanswerable(items, spec.left_out)
    if not faults and taxonomy:
        faults = _unplaced(items, taxonomy)
    if faults:
        raise FaultyInput(f"The benchmark {folder} cannot be used", faults)
    return Benchmark(
        id=spec.id,
        title=spec.title,
        items=items,
        split_column=column,
        files=digests,
        taxonomy=taxonomy,
        left_out=spec.left_out,
        train={m: sum(part.train.get(m, 0) for part in parts) for m in items},
    )


def locate(source: str) -> Path:
    """The folder of a shipped benchmark's id, or of a path; ``InputError`` (FG-B001)."""
    if source in (known := shipped()):
        return Path(str(resources.files("fgbench.manifests") / source))
    try:
        folder = Path(source)
        there = folder.is_dir()
        build = folder / "manifests"
        nested = (build / "benchmark.json").is_file()
    except (OSError, ValueError):  # a name that no file system takes
        there = False
    if not there:
        raise InputError(
            "FG-B001",
            f"there is no benchmark {show(source)}: neither a shipped id nor a folder",
            why="A score means nothing without the test items that it is taken against.",
            fix=f"Shipped: {', '.join(known) or 'none'}. "
            "Or give a folder of Parquet manifests (docs/protocol.md, Benchmark).",
        )
    return build if nested else folder


def _digest(path: Path, expected: str | None, digests: dict[str, str]) -> list[Fault]:
    """Note the SHA-256 of the file; a fault if benchmark.json says another."""
    if not path.is_file():
        return []
    with path.open("rb") as file:
        digests[path.name] = hashlib.file_digest(file, "sha256").hexdigest()
    if not expected or digests[path.name] == expected.lower():
        return []
    return [
        Fault(
            "FG-B004",
            path.name,
            f"SHA-256 {digests[path.name][:12]}…",
            f"{show(expected[:12])}…, as benchmark.json says",
            "the file was changed after the benchmark was made: build it again",
        )
    ]


def _join(parts: Sequence[Rows]) -> dict[Medium, Items]:
    items = {}
    for m in MEDIA:
        if any(m in part.ids for part in parts):
            ids = np.concatenate([part.ids[m] for part in parts if m in part.ids])
            labels = np.concatenate([part.labels[m] for part in parts if m in part.ids])
            items[m] = Items(ids, labels)
    return items


def _repeated(items: Mapping[Medium, Items]) -> list[Fault]:
    faults = []
    for m, medium_items in items.items():
        unique, counts = np.unique(medium_items.ids, return_counts=True)
        if (counts > 1).any():
            found = f"{int((counts > 1).sum())} repeated ids, as {show(unique[counts > 1][0])}"
            fix = "give each test item an id of its own"
            faults.append(Fault("FG-B010", m, found, "every item_id once", fix))
    return faults


def _too_few(items: Mapping[Medium, Items], parts: Sequence[Rows], column: str) -> list[Fault]:
    if len(items) >= 2:
        return []
    splits = sorted({value for part in parts for value in part.splits})
    seen = ", ".join(map(show, splits[:5])) or "nothing"
    return [
        Fault(
            "FG-B011",
            f"column `{column}`",
            f"test items of {', '.join(items) or 'no medium'}; the column holds {seen}",
            "test items of two or more media",
            "cross-media retrieval needs two media; --split-column names another column",
        )
    ]


def _unanswerable(
    items: Mapping[Medium, Items], left_out: Mapping[Medium, frozenset[int]]
) -> list[Fault]:
    """Queries without a relevant item: a fault of the benchmark, never a zero."""
    faults = []
    total = Counter(label for part in items.values() for label in part.labels.tolist())
    for task in tasks(items):
        queries = np.unique(items[task.query].labels)
        if task.gallery is None:
            elsewhere = [left_out.get(m, frozenset()) for m in items if m is not task.query]
            declared = frozenset.intersection(*elsewhere)
            alone = [total[label] < 2 and label not in declared for label in queries.tolist()]
            lost = queries[alone]
        else:
            lost = np.setdiff1d(queries, items[task.gallery].labels)
            if len(lost) < len(queries):  # or else nothing would be asked at all
                lost = lost[~np.isin(lost, list(left_out.get(task.gallery, ())))]
        if len(lost):
            found = f"{len(lost)} classes of queries have no other item there, as label {lost[0]}"
            fix = "add items, or declare the classes in benchmark.json: left_out"
            expected = "a relevant item for every query"
            faults.append(Fault("FG-B012", f"task {task.title}", found, expected, fix))
    return faults


def _read_taxonomy(
    folder: Path, spec: Declaration, digests: dict[str, str]
) -> tuple[Taxonomy | None, list[Fault]]:
    """The taxonomy that benchmark.json names: columns label, name, genus, family, order."""
    if spec.taxonomy is None:
        return None, []
    path = folder / spec.taxonomy
    if spec.taxonomy == SHIPPED_TAXONOMY:
        path = Path(str(resources.files("fgbench.manifests") / "species.parquet"))
    names = ("name", "genus", "family", "order")
    columns, faults = read_columns(path, {"label": WHOLE, **dict.fromkeys(names, TEXT)})
    faults += _digest(path, spec.files.get(spec.taxonomy), digests)
    if columns:
        gaps = [name for name, values in columns.items() if any(v is None for v in values)]
        twice = len(set(columns["label"])) < len(columns["label"])
        if gaps or twice:
            found = f"gaps in {', '.join(gaps)}" if gaps else "a label with two rows"
            fix = "one full row for every label"
            faults.append(Fault("FG-B015", path.name, found, "one full row a label", fix))
    if faults:
        return None, faults
    order = np.argsort(columns["label"].astype(np.int64))
    texts = (tuple(columns[name][order].tolist()) for name in names)
    return Taxonomy(columns["label"][order].astype(np.int64), *texts), []


def _unplaced(items: Mapping[Medium, Items], taxonomy: Taxonomy) -> list[Fault]:
    labels = np.unique(np.concatenate([part.labels for part in items.values()]))
    lost = np.setdiff1d(labels, taxonomy.labels)
    if not len(lost):
        return []
    found = f"no row for {len(lost)} labels of test items, as {lost[0]}"
    return [Fault("FG-B015", "the taxonomy", found, "one full row a label", "add the rows")]
