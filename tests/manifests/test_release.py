"""The released tables as they lie in the package."""

from __future__ import annotations

import csv
import hashlib
import json
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest

from fgbench.benchmark import load_benchmark
from fgbench.species import species

MANIFESTS = Path(str(resources.files("fgbench.manifests")))
LISTS = MANIFESTS / "fgxmedia-2019"


def rows(medium: str, split: str) -> list[dict[str, Any]]:
    table = pq.read_table(LISTS / f"{medium}.parquet").to_pylist()
    return [row for row in table if row["split"] == split]


def test_check_values_hold_and_cover_every_data_file() -> None:
    listed = {}
    for line in (MANIFESTS / "SHA256SUMS").read_text().splitlines():
        digest, name = line.split("  ")
        listed[name] = digest
    for name, digest in listed.items():
        assert hashlib.sha256((MANIFESTS / name).read_bytes()).hexdigest() == digest, name
    files = (p.relative_to(MANIFESTS) for p in MANIFESTS.rglob("*") if p.is_file())
    data = {f.as_posix() for f in files if f.suffix not in (".py", ".pyc")}
    assert data == set(listed) | {"SHA256SUMS"}


def test_declared_hashes_are_those_of_the_files() -> None:
    spec = json.loads((LISTS / "benchmark.json").read_text())
    for name, digest in spec["files"].items():
        assert hashlib.sha256((LISTS / name).read_bytes()).hexdigest() == digest


def test_all_of_it_stays_small() -> None:
    assert sum(path.stat().st_size for path in LISTS.iterdir()) < 1_000_000
    assert (MANIFESTS / "sample_submission.npz").stat().st_size < 1_200_000


@pytest.mark.parametrize(
    ("medium", "train", "test"),
    [("image", 5994, 5794), ("text", 4000, 4000), ("video", 0, 5682), ("audio", 6000, 6000)],
)
def test_counts(medium: str, train: int, test: int) -> None:
    assert len(rows(medium, "train")) == train
    assert len(rows(medium, "test")) == test
    ids = [row["item_id"] for row in rows(medium, "train") + rows(medium, "test")]
    assert len(set(ids)) == len(ids)
    assert {row["label"] for row in rows(medium, "test")} == set(range(200))


@pytest.mark.parametrize(("medium", "per_class"), [("text", 20), ("audio", 30)])
def test_text_and_audio_are_balanced(medium: str, per_class: int) -> None:
    for split in ("train", "test"):
        counts = np.bincount([row["label"] for row in rows(medium, split)])
        assert (counts == per_class).all()


def test_labels_agree_with_the_class_in_the_path() -> None:
    names = {s.label: s.cub_name for s in species()}
    aliases = {s.label: {a.name for a in s.aliases if a.kind == "audio-folder"} for s in species()}
    for split in ("train", "test"):
        for row in rows("image", split):
            assert row["item_id"].split("/")[1] == names[row["label"]]
        for row in rows("text", split):
            assert row["item_id"].split("/")[1] == names[row["label"]][4:]
        for row in rows("audio", split):
            folder = row["item_id"].split("/")[2].replace("_", " ")
            assert folder in aliases[row["label"]]


def test_videos_are_named_by_position() -> None:
    videos = rows("video", "test")
    assert [row["item_id"] for row in videos] == [f"video/{n:05d}" for n in range(1, 5683)]
    assert [row["label"] for row in videos[:3]] == [39, 119, 50]  # the list is not sorted


def test_image_rows_carry_size_and_box() -> None:
    first = rows("image", "test")[0]
    assert first == {
        "item_id": "image/001.Black_footed_Albatross/Black_Footed_Albatross_0046_18.jpg",
        "medium": "image",
        "label": 0,
        "split": "test",
        "cub_image_id": 1,
        "width": 500,
        "height": 335,
        "box_x": 60,
        "box_y": 27,
        "box_w": 325,
        "box_h": 304,
    }
    images = rows("image", "train") + rows("image", "test")
    assert {row["cub_image_id"] for row in images} == set(range(1, 11789))
    assert all(0 <= row["box_x"] < row["width"] and row["box_w"] > 0 for row in images)
    assert all(0 <= row["box_y"] < row["height"] and row["box_h"] > 0 for row in images)
    over = [
        max(row["box_x"] + row["box_w"] - row["width"], row["box_y"] + row["box_h"] - row["height"])
        for row in images
    ]
    # CUB's own fault, kept and written down in docs/manifests.md.
    assert sum(pixels > 0 for pixels in over) == 30
    assert max(over) == 32


def test_test_rows_are_in_the_official_order(real_data: Path) -> None:
    for medium in ("image", "text", "audio"):
        lines = (real_data / "fgxmedia_lists" / medium / "test.txt").read_text().split("\n")
        official = [line.split(" ")[0].strip() for line in lines if line.strip()]
        assert load_benchmark().items[medium].ids.tolist() == official  # type: ignore[index]
    lines = (real_data / "fgxmedia_lists/video/testlabel.txt").read_text().split()
    assert load_benchmark().items["video"].labels.tolist() == [int(s) for s in lines]  # type: ignore[index]


def test_resolutions_name_a_class_a_field_and_a_reason() -> None:
    with (MANIFESTS / "resolutions.csv").open(newline="") as file:
        decided = list(csv.DictReader(file))
    names = {s.cub_id: s.cub_name for s in species()}
    for row in decided:
        assert names[int(row["cub_id"])] == row["cub_name"]
        assert row["field"] in {"name", "scientific_name", "family", "order", "species"}
        assert row["chosen"]
        assert row["why"]
    keys = [(int(row["cub_id"]), row["field"]) for row in decided]
    assert len(set(keys)) == len(keys)
    assert keys == sorted(keys, key=lambda key: key[0])


def test_sample_covers_the_test_items_and_says_what_it_is() -> None:
    with np.load(MANIFESTS / "sample_submission.npz", allow_pickle=False) as sample:
        for medium, items in load_benchmark().items.items():
            assert sample[f"{medium}_ids"].tolist() == items.ids.tolist()
            assert sample[medium].shape == (len(items), 14)
            assert sample[medium].dtype == np.float16
            assert np.isfinite(sample[medium]).all()
        assert "synthetic" in json.loads(str(sample["meta"]))["method"]


def test_sample_is_between_chance_and_perfection() -> None:
    """MAP of every bi-modal task between .05 and .65, by a plain sort of fifty queries each."""
    benchmark = load_benchmark()
    with np.load(MANIFESTS / "sample_submission.npz", allow_pickle=False) as sample:
        unit = {m: sample[m].astype(np.float32) for m in benchmark.media}
    unit = {m: rows / np.linalg.norm(rows, axis=1, keepdims=True) for m, rows in unit.items()}
    for query in benchmark.media:
        chosen = np.linspace(0, len(unit[query]) - 1, 50).astype(int)
        for gallery in benchmark.media:
            if query is gallery:
                continue
            order = np.argsort(-unit[query][chosen] @ unit[gallery].T, axis=1)
            hits = benchmark.items[gallery].labels[order]
            found = hits == benchmark.items[query].labels[chosen, None]
            precision = np.cumsum(found, axis=1) / np.arange(1, found.shape[1] + 1)
            aps = (precision * found).sum(axis=1) / found.sum(axis=1)
            assert 0.04 < aps.mean() < 0.7, (query, gallery)
