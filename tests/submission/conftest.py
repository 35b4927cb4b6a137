"""A small benchmark of four media, a sound submission for it, and ways to write it."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from fgbench.benchmark import Benchmark, load_benchmark
from fgbench.protocol import MEDIA

COUNTS = {"image": 7, "text": 5, "video": 4, "audio": 6}
ENDINGS = {"image": "jpg", "text": "txt", "video": "mp4", "audio": "wav"}


@pytest.fixture(scope="session")
def benchmark_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("small") / "small-birds"
    folder.mkdir()
    for medium, count in COUNTS.items():
        rows = {
            "item_id": [
                f"{medium}/{i % 2:03d}.Bird/Item_{i:04d}.{ENDINGS[medium]}" for i in range(count)
            ],
            "medium": [medium] * count,
            "label": [i % 2 for i in range(count)],
            "split": ["test"] * count,
        }
        pq.write_table(pa.table(rows), folder / f"{medium}.parquet")
    return folder


@pytest.fixture(scope="session")
def benchmark(benchmark_folder: Path) -> Benchmark:
    return load_benchmark(benchmark_folder)


@pytest.fixture
def members(benchmark: Benchmark) -> dict[str, Any]:
    """The arrays of a sound submission in the common space, width 3."""
    rng = np.random.default_rng(7)
    arrays: dict[str, Any] = {}
    for medium in MEDIA:
        ids = benchmark.items[medium].ids
        arrays[f"{medium}"] = rng.standard_normal((len(ids), 3)).astype(np.float32)
        arrays[f"{medium}_ids"] = ids.copy()
    return arrays


@pytest.fixture
def pair_members(members: dict[str, Any]) -> dict[str, Any]:
    """The arrays of a sound submission in spaces by pair, of two pairs."""
    rng = np.random.default_rng(8)
    arrays = {n: a for n, a in members.items() if n in ("image_ids", "text_ids", "audio_ids")}
    for a, b, width in (("image", "text", 3), ("text", "audio", 5)):
        for medium in (a, b):
            arrays[f"{a}_{b}/{medium}"] = rng.standard_normal((COUNTS[medium], width))
    return {n: a.astype(np.float32) if "/" in n else a for n, a in arrays.items()}


@pytest.fixture
def score_members(members: dict[str, Any]) -> dict[str, Any]:
    """The arrays of a sound submission of score matrices, of image and text."""
    rng = np.random.default_rng(9)
    arrays = {n: a for n, a in members.items() if n in ("image_ids", "text_ids")}
    for q, g in (("image", "text"), ("image", "image"), ("text", "text")):
        arrays[f"scores/{q}_{g}"] = rng.random((COUNTS[q], COUNTS[g]), dtype=np.float32)
    return arrays


@pytest.fixture
def save(tmp_path: Path) -> Callable[..., Path]:
    """Write arrays, or ready .npy bytes, to an .npz as NumPy does."""

    def save(arrays: Mapping[str, Any], *, deflated: bool = False, name: str = "s.npz") -> Path:
        path = tmp_path / name
        method = zipfile.ZIP_DEFLATED if deflated else zipfile.ZIP_STORED
        with zipfile.ZipFile(path, "w", method) as archive:
            for member, array in arrays.items():
                data = array if isinstance(array, bytes) else npy_bytes(array)
                archive.writestr(f"{member}.npy", data)
        return path

    return save


def npy_bytes(array: Any) -> bytes:
    stream = io.BytesIO()
    np.save(stream, array, allow_pickle=True)
    return stream.getvalue()


@pytest.fixture
def npy() -> Callable[[Any], bytes]:
    """The bytes of an array as numpy.save writes them, objects pickled."""
    return npy_bytes
