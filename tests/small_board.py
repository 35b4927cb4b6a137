"""A small benchmark, entries of a store on it made by the scorer, and ways to spoil them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import yaml

from fgbench import load_benchmark, score
from fgbench.leaderboard.handin import hand_in, with_card
from fgbench.protocol import MEDIA
from fgbench.submission import write_submission

SPECIES = 8
COUNT = 24
"""Test items of each medium, three of a species."""
HOSTILE = "<script>document.title = 'caught'</script>"
CARD = {
    "method": "Alpha",
    "authors": ["A. Person", "B. Person"],
    "year": 2024,
    "extra_data": False,
    "paper_url": "https://example.org/paper?a=1",
}


def write_ground(folder: Path) -> Path:
    """A benchmark of four media."""
    folder.mkdir()
    for medium in MEDIA:
        columns = {
            "item_id": ids()[medium].tolist(),
            "medium": [medium.value] * COUNT,
            "label": np.arange(COUNT) % SPECIES,
            "split": ["test"] * COUNT,
        }
        pq.write_table(pa.table(columns), folder / f"{medium}.parquet")
    return folder


def ids() -> dict[Any, np.ndarray]:
    return {m: np.array([f"{m}/{n:02}" for n in range(COUNT)]) for m in MEDIA}


def write_vectors(path: Path, seed: int, media=MEDIA, meta: dict[str, Any] | None = None) -> Path:
    """A submission of noise about a point of each species."""
    points = np.random.default_rng(0).normal(size=(SPECIES, 8))
    rng = np.random.default_rng(seed)
    rows = {m: points[np.arange(COUNT) % SPECIES] + rng.normal(size=(COUNT, 8)) for m in media}
    known = {m: ids()[m] for m in media}
    write_submission(path, ids=known, embeddings=rows, meta=meta or {})
    return path


def write_card(path: Path, **fields: Any) -> Path:
    """The usual card with other fields; those that are None are left out."""
    path.write_text(yaml.safe_dump({**CARD, **fields}), "utf-8")
    return path


def hand(results: Path, ground: Path, seed: int, **fields: Any) -> Path:
    """Hand a submission in: the folder of its entry."""
    vectors = write_vectors(results.parent / f"{seed}.npz", seed)
    card = write_card(results.parent / f"{seed}.yaml", **fields)
    given = with_card(vectors, card, load_benchmark(ground), results)
    return hand_in(score(given, load_benchmark(ground)), results)


def edit(entry: Path, change: Callable[[dict[str, Any]], object]) -> None:
    """Change a record by hand, in the scorer's own layout."""
    document = json.loads((entry / "record.json").read_text("utf-8"))
    change(document)
    text = json.dumps(document, indent=1, ensure_ascii=False) + "\n"
    (entry / "record.json").write_text(text, "utf-8", "surrogatepass")


def rewrite(entry: Path, change: Callable[[pa.Table], pa.Table]) -> None:
    """Change the per-query values, and the record's digest and count of them with them."""
    path = entry / "per_query.parquet"
    table = change(pq.read_table(path))
    pq.write_table(table, path)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    edit(entry, lambda d: d["per_query"].update(sha256=digest, rows=table.num_rows))
