"""Real birds in three media: what is on which side, and that methods and scores take it."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("openpyxl", reason="openpyxl reads the real sentences")

import pyarrow.parquet as pq
import soundfile
from integration.three_media import PIECE_S, write_three_media

from fgbench.benchmark import load_benchmark
from fgbench.dataset.audit import audit
from fgbench.media.decode import RATE
from fgbench.protocol import Medium
from fgbench.train.source import dataset

PUBLISHED = {"train": 300, "test": 243}
"""Images of CUB-200-2011's classes 1-10, by its own split."""
HEARD = {36, 42, 52, 67, 79, 87, 88, 89, 91, 103, 107, 110, 127, 132, 171, 186, 193}
"""CUB ids of the classes that the 18 recordings are of, as their folders say."""
MALLARD = 87
"""The one of them without a photo."""


@pytest.fixture(scope="module")
def birds(real_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_three_media(real_data, tmp_path_factory.mktemp("three") / "birds")


def rows(birds: Path, medium: Medium) -> list[dict]:
    return pq.read_table(birds / "manifests" / f"{medium}.parquet").to_pylist()


def classes(birds: Path, medium: Medium, split: str) -> set[int]:
    return {row["label"] + 1 for row in rows(birds, medium) if row["split"] == split}


def test_the_ten_classes_have_their_published_split_and_photos_go_by_turns(birds: Path) -> None:
    counts, photos = dict.fromkeys(PUBLISHED, 0), []
    for row in rows(birds, Medium.IMAGE):
        if row["label"] < 10:
            counts[row["split"]] += 1
        else:
            photos.append((row["path"], row["label"] + 1, row["split"]))
    assert counts == PUBLISHED
    assert {label for _, label, _ in photos} == HEARD - {MALLARD}
    assert [split for *_, split in sorted(photos)] == (["train", "test"] * 9)[:17]


def test_texts_are_of_all_classes_on_both_sides(birds: Path) -> None:
    every = HEARD | set(range(1, 11))
    assert classes(birds, Medium.TEXT, "train") == classes(birds, Medium.TEXT, "test") == every


def test_each_recording_trains_with_its_beginning_and_tests_with_its_end(birds: Path) -> None:
    of_source = defaultdict(list)
    for row in rows(birds, Medium.AUDIO):
        of_source[row["source_id"]].append((row["start_s"], row["split"]))
        samples, rate = soundfile.read(birds / row["path"])
        assert rate == RATE
        assert len(samples) / rate == pytest.approx(row["end_s"] - row["start_s"], abs=1e-3)
        assert PIECE_S <= row["duration_s"] < 2 * PIECE_S
    assert len(of_source) == 18
    for pieces in of_source.values():
        sides = [split for _, split in sorted(pieces)]
        train = sides.count("train")
        assert sides == ["train"] * train + ["test"] * (len(sides) - train)
        assert 0 <= train - (len(sides) - train) <= 1
        assert train < len(sides)


def test_the_audit_says_what_leaks(birds: Path) -> None:
    leaks = audit(birds)["leakage"]["split"]
    for medium, whole in (("audio", True), ("text", True), ("image", False)):
        assert leaks[medium]["leaking"] == (leaks[medium]["test"] if whole else 0)
    assert leaks["text"]["rules"]["group"]["items"] == leaks["text"]["rules"]["text"]["items"] == 0
    assert leaks["audio"]["rules"]["file"]["items"] == 0


def test_it_declares_what_each_medium_lacks_on_a_side(birds: Path) -> None:
    left_out = load_benchmark(birds).left_out
    both = classes(birds, Medium.IMAGE, "train") & classes(birds, Medium.IMAGE, "test")
    assert {label + 1 for label in left_out[Medium.IMAGE]} == HEARD - both
    assert left_out[Medium.AUDIO] == set(range(10))
    assert Medium.TEXT not in left_out


def test_scores_have_six_and_three_tasks(birds: Path) -> None:
    assert [task.code for task in load_benchmark(birds).tasks] == [
        *("i2t", "i2a", "t2i", "t2a", "a2i", "a2t"),
        *("i2all", "t2all", "a2all"),
    ]


def test_methods_get_its_media(birds: Path) -> None:
    data = dataset(birds)
    for medium, shape in ((Medium.IMAGE, (3, 448, 448)), (Medium.AUDIO, (3, 448, 448))):
        first, last = 0, len(data.test[medium]) - 1
        taken = data.test[medium].inputs.take(np.array([first, last]))
        assert taken.shape == (2, *shape)
    common = [set(data.train[medium].labels.tolist()) for medium in data.media]
    assert set.intersection(*common)  # what joint methods bring together


def test_it_is_the_same_when_made_again(birds: Path, real_data: Path, tmp_path: Path) -> None:
    again = write_three_media(real_data, tmp_path / "again")
    for path in sorted((birds / "manifests").iterdir()):
        assert (again / "manifests" / path.name).read_bytes() == path.read_bytes()
