"""What is scored against: a benchmark is an id and, per medium, test items with labels.

``fgxmedia-2019`` ships with the package; any folder of Parquet files whose rows have ``item_id``
(string), ``medium``, ``label`` (integer) and ``split`` (``train`` / ``test``) is a benchmark too.
A folder with a ``benchmark.json`` reads only what that names.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from fgbench.errors import Fault, FaultyInput, InputError
from fgbench.protocol import MEDIA, Medium, Task, tasks

if TYPE_CHECKING:
    from numpy.typing import NDArray

DEFAULT = "fgxmedia-2019"
COLUMNS = ("item_id", "medium", "label")
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
        return (same_family * 1 + same_genus * 1 + same * 1).astype(np.float32)


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

    @property
    def media(self) -> tuple[Medium, ...]:
        return tuple(m for m in MEDIA if m in self.items)

    @property
    def tasks(self) -> tuple[Task, ...]:
        return tasks(self.media)

    @property
    def labels(self) -> NDArray[np.int64]:
        """All labels that occur in the test items, ascending."""
        return np.unique(np.concatenate([self.items[m].labels for m in self.media]))


def shipped() -> dict[str, str]:
    """The benchmarks that come with the package: id to title."""
    found = {}
    for entry in resources.files("fgbench.manifests").iterdir():
        if entry.is_dir() and (spec := entry / "benchmark.json").is_file():
            found[entry.name] = str(json.loads(spec.read_text())["title"])
    return dict(sorted(found.items()))


def load_benchmark(source: str | Path = DEFAULT, split_column: str | None = None) -> Benchmark:
    """Open a shipped benchmark by its id, or a folder of manifests by its path.

    ``split_column`` overrides the column that says train or test. A build folder, whose manifests
    lie in ``manifests/``, may be named by itself. Raises ``InputError`` or ``FaultyInput`` (codes
    ``FG-B…``) when there is no such benchmark or its manifests cannot be scored against.
    """
    folder = _locate(str(source))
    spec = _read_spec(folder)
    column = split_column or spec.get("split_column") or "split"
    faults: list[Fault] = []
    rows: list[pa.Table] = []
    digests: dict[str, str] = {}
    for name, expected in _files(folder, spec).items():
        path = folder / name
        if not path.is_file():
            faults.append(
                Fault(
                    "FG-B003",
                    name,
                    "no such file",
                    "a Parquet file",
                    f"restore it, or take it out of {folder / 'benchmark.json'}",
                )
            )
            continue
        digests[name] = hashlib.sha256(path.read_bytes()).hexdigest()
        if expected and digests[name] != expected:
            faults.append(
                Fault(
                    "FG-B004",
                    name,
                    f"SHA-256 {digests[name][:12]}…",
                    f"{expected[:12]}…, as benchmark.json says",
                    "the file was changed after the benchmark was made: build it again",
                )
            )
        table, table_faults = _read_rows(path, column)
        faults += table_faults
        if table is not None:
            rows.append(table)
    if faults:
        raise FaultyInput(f"The benchmark {folder} cannot be used", faults)
    left_out = _left_out(folder, spec)
    items = _collect(folder, rows, column, left_out)
    return Benchmark(
        id=str(spec.get("id") or folder.name),
        title=str(spec.get("title") or folder.name),
        items=items,
        split_column=column,
        files=digests,
        taxonomy=_read_taxonomy(folder, spec, digests),
        left_out=left_out,
    )


def _locate(source: str) -> Path:
    if source in (known := shipped()):
        return Path(str(resources.files("fgbench.manifests") / source))
    folder = Path(source)
    if not folder.is_dir():
        raise InputError(
            "FG-B001",
            f"there is no benchmark {source!r}: neither a shipped id nor a folder",
            why="A score means nothing without the test items that it is taken against.",
            fix=f"Shipped: {', '.join(known) or 'none'}. "
            "Or give a folder of Parquet manifests (docs/protocol.md, Benchmark).",
        )
    build = folder / "manifests"
    return build if (build / "benchmark.json").is_file() else folder


def _read_spec(folder: Path) -> dict[str, Any]:
    path = folder / "benchmark.json"
    if not path.is_file():
        return {}
    try:
        spec = json.loads(path.read_text("utf-8"))
        files = spec.get("files", {})
        sane = isinstance(files, dict) and all(
            isinstance(v, str) and Path(k).name == k for k, v in files.items()
        )
    except (ValueError, AttributeError) as error:
        raise InputError("FG-B002", f"{path} is not readable JSON: {error}") from error
    if not sane:
        raise InputError(
            "FG-B002",
            f"{path}: `files` must map plain file names to their SHA-256",
            fix='For example {"id": "mine", "files": {"image.parquet": "<sha256>"}}.',
        )
    return dict(spec)


def _files(folder: Path, spec: Mapping[str, Any]) -> dict[str, str]:
    """The manifests to read, each with the SHA-256 that it must have ('' where none is stated)."""
    if "files" in spec:
        return {k: v for k, v in spec["files"].items() if k != spec.get("taxonomy")}
    names = sorted(p.name for p in folder.glob("*.parquet"))
    return dict.fromkeys((n for n in names if n != "species.parquet"), "")


def _read_rows(path: Path, column: str) -> tuple[pa.Table | None, list[Fault]]:
    fix = (
        "rename or add it; or list in a benchmark.json which files are the benchmark's "
        "(docs/protocol.md, Benchmark)"
    )
    try:
        schema = pq.read_schema(path)
    except (pa.ArrowInvalid, OSError) as error:
        return None, [Fault("FG-B005", path.name, str(error), "a Parquet file", "write it again")]
    wanted = (*COLUMNS, column)
    missing = [c for c in wanted if c not in schema.names]
    if missing:
        found = ", ".join(schema.names[:12])
        return None, [
            Fault("FG-B006", f"{path.name}, column `{c}`", f"columns {found}", f"a column `{c}`", fix)
            for c in missing
        ]
    table = pq.read_table(path, columns=list(wanted))
    faults = [
        Fault(
            "FG-B007",
            f"{path.name}, column `{name}`",
            str(table.schema.field(name).type),
            kind,
            "write the column with that type",
        )
        for name, kind, test in (
            ("item_id", "string", _is_string),
            ("label", "integer", pa.types.is_integer),
        )
        if not test(table.schema.field(name).type)
    ]
    return table, faults


def _is_string(kind: pa.DataType) -> bool:
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


def _left_out(folder: Path, spec: Mapping[str, Any]) -> dict[Medium, frozenset[int]]:
    """``left_out`` of benchmark.json: medium to the labels without a test item there."""
    try:
        return {
            Medium(m): frozenset(int(label) for label in labels)
            for m, labels in spec.get("left_out", {}).items()
        }
    except (AttributeError, TypeError, ValueError) as error:
        raise InputError(
            "FG-B002",
            f"{folder / 'benchmark.json'}: `left_out` must map a medium to a list of labels",
            fix=f'For example {{"left_out": {{"audio": [12, 57]}}}}. ({error})',
        ) from error


def _collect(
    folder: Path,
    rows: list[pa.Table],
    column: str,
    left_out: Mapping[Medium, frozenset[int]],
) -> dict[Medium, Items]:
    faults: list[Fault] = []
    parts: dict[Medium, list[pa.Table]] = {}
    known = {m.value for m in MEDIA}
    for table in rows:
        split = np.asarray(table[column].to_pylist(), dtype=object)
        medium = np.asarray(table["medium"].to_pylist(), dtype=object)
        for value in sorted({str(v) for v in medium} - known):
            faults.append(
                Fault("FG-B008", "column `medium`", value, ", ".join(sorted(known)), "use one of these")
            )
        for m in MEDIA:
            test = table.filter(pa.array((medium == m.value) & (split == "test")))
            if test.num_rows:
                parts.setdefault(m, []).append(test)
    items: dict[Medium, Items] = {}
    for m in MEDIA:
        if m not in parts:
            continue
        table = pa.concat_tables(parts[m], promote_options="permissive")
        if table["label"].null_count or table["item_id"].null_count:
            faults.append(
                Fault("FG-B009", m, "null ids or labels", "one for every test item", "fill them in")
            )
            continue
        ids = np.asarray(table["item_id"].to_pylist(), dtype=np.str_)
        items[m] = Items(ids, np.asarray(table["label"].to_numpy(), dtype=np.int64))
        unique, counts = np.unique(ids, return_counts=True)
        if (counts > 1).any():
            faults.append(
                Fault(
                    "FG-B010",
                    m,
                    f"{int((counts > 1).sum())} repeated ids, as {unique[counts > 1][0]!r}",
                    "every item_id once",
                    "give each test item an id of its own",
                )
            )
    if len(items) < 2 and not faults:
        faults.append(
            Fault(
                "FG-B011",
                str(folder),
                f"test items of {', '.join(items) or 'no medium'} (column `{column}`)",
                "test items of two or more media",
                "cross-media retrieval needs two media; see --split-column",
            )
        )
    if not faults:
        faults = _unanswerable(items, left_out)
    if faults:
        raise FaultyInput(f"The benchmark {folder} cannot be used", faults)
    return items


def _unanswerable(
    items: Mapping[Medium, Items], left_out: Mapping[Medium, frozenset[int]]
) -> list[Fault]:
    """Queries without a relevant item: a fault of the benchmark, never a zero (protocol, 5)."""
    faults = []
    for q in items:
        for g in items:
            if q is g:
                continue
            lost = np.setdiff1d(items[q].labels, items[g].labels)
            lost = lost[~np.isin(lost, list(left_out.get(g, ())))]
            if len(lost):
                faults.append(
                    Fault(
                        "FG-B012",
                        f"task {Task(q, g).title}",
                        f"{len(lost)} classes of {q} queries have no {g} item, as label {lost[0]}",
                        "a relevant item for every query",
                        "add items, or declare the classes in benchmark.json: left_out",
                    )
                )
    return faults


def _read_taxonomy(
    folder: Path, spec: Mapping[str, Any], digests: dict[str, str]
) -> Taxonomy | None:
    """The taxonomy file: columns label, name, genus, family, order. Named in benchmark.json."""
    name = str(spec.get("taxonomy") or "species.parquet")
    if Path(name).name != name:
        raise InputError("FG-B002", f"{folder}: `taxonomy` must be a plain file name, not {name!r}")
    path = folder / name
    if name == "species.parquet" and not path.is_file() and "taxonomy" in spec:
        path = Path(str(resources.files("fgbench.manifests") / name))
    if not path.is_file():
        return None
    digests[name] = hashlib.sha256(path.read_bytes()).hexdigest()
    columns = ["label", "name", "genus", "family", "order"]
    table = pq.read_table(path, columns=columns).sort_by("label")
    values = {c: table[c].to_pylist() for c in columns}
    return Taxonomy(
        np.asarray(values["label"], dtype=np.int64),
        *(tuple(str(v) for v in values[c]) for c in columns[1:]),
    )
