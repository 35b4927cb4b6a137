"""Reads benchmark.json: what a folder of manifests says of itself."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fgbench.errors import Fault, FaultyInput, InputError
from fgbench.manifest import show
from fgbench.protocol import MEDIA, Medium

TAXONOMY = "species.parquet"
"""The taxonomy of a folder whose benchmark.json names none, if the file is there."""

SHIPPED_TAXONOMY = "fgbench:species"
"""As ``taxonomy`` in a benchmark.json: the 200 classes that come with the package."""

MAX_BYTES = 1_000_000
"""Of a benchmark.json."""


@dataclass(frozen=True, slots=True)
class Declaration:
    """What a benchmark.json says, or what holds without one."""

    id: str
    title: str
    split_column: str
    manifests: Sequence[str]
    files: Mapping[str, str]
    taxonomy: str | None
    left_out: Mapping[Medium, frozenset[int]]


def _is_plain(name: object) -> bool:
    """Whether it is a file name and no path: nothing outside the folder is ever read."""
    return (
        isinstance(name, str)
        and name.isprintable()
        and name != ".."
        and Path(name).parts == (name,)
    )


def _is_title(value: object) -> bool:
    return isinstance(value, str) and value.isprintable() and 0 < len(value) <= 200


def _is_files(value: object) -> bool:
    return isinstance(value, dict) and all(
        _is_plain(name) and isinstance(digest, str) for name, digest in value.items()
    )


def _is_left_out(value: object) -> bool:
    return isinstance(value, dict) and all(
        medium in set(MEDIA) and isinstance(labels, list) and all(type(x) is int for x in labels)
        for medium, labels in value.items()
    )


FIELDS: Mapping[str, tuple[Callable[[Any], bool], str]] = {
    "id": (_is_title, "a printable string of at most 200 characters"),
    "title": (_is_title, "a printable string of at most 200 characters"),
    "split_column": (_is_title, "the name of a column"),
    "files": (_is_files, "plain file names, each with its SHA-256 (or an empty string)"),
    "taxonomy": (
        lambda value: value == SHIPPED_TAXONOMY or _is_plain(value),
        f"a plain file name, or {SHIPPED_TAXONOMY}",
    ),
    "left_out": (_is_left_out, 'labels by medium, as {"audio": [12, 57]}'),
}
"""The keys of benchmark.json that are read, all optional: a test of the value, and in words."""


def read_declaration(folder: Path) -> Declaration:
    """What ``folder/benchmark.json`` says; without one, all Parquet files there are manifests.

    Raises ``InputError`` or ``FaultyInput`` (FG-B002) where it cannot be used.
    """
    path = folder / "benchmark.json"
    raw = _read_json(path) if path.is_file() else {}
    faults = [
        Fault("FG-B002", f"benchmark.json, `{key}`", show(repr(raw[key])), words, "write it so")
        for key, (fits, words) in FIELDS.items()
        if key in raw and not fits(raw[key])
    ]
    if faults:
        raise FaultyInput(f"The benchmark {folder} cannot be used", faults)
    present = sorted(p.name for p in folder.glob("*.parquet"))
    files = raw.get("files", dict.fromkeys(present, ""))
    taxonomy = raw.get("taxonomy", TAXONOMY if TAXONOMY in present else None)
    name = folder.resolve().name
    return Declaration(
        id=raw.get("id", name),
        title=raw.get("title", name),
        split_column=raw.get("split_column", "split"),
        manifests=[file for file in files if file != taxonomy],
        files=files,
        taxonomy=taxonomy,
        left_out={Medium(m): frozenset(v) for m, v in raw.get("left_out", {}).items()},
    )


def _read_json(path: Path) -> dict[str, Any]:
    what = ""
    try:
        if path.stat().st_size > MAX_BYTES:
            what = f"it has more than {MAX_BYTES:,} bytes"
        elif isinstance(spec := json.loads(path.read_text("utf-8")), dict):
            return spec
        else:
            what = f"it holds a {type(spec).__name__}, not an object"
    except (ValueError, OSError, RecursionError) as error:
        what = str(error) or type(error).__name__
    raise InputError(
        "FG-B002",
        f"{path} cannot be read: {what}",
        why="It says which files are the benchmark.",
        fix='For example {"id": "mine", "files": {"image.parquet": "<its SHA-256>"}}.',
    )
