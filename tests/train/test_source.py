"""The data set of a benchmark, and a part held out of its training items."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from small_media import LABELS, TEST, TRAIN, write_small_media

from fgbench.errors import FaultyInput, InputError
from fgbench.media.features import Features, feature_path, read_features, write_features
from fgbench.media.parts import ItemParts
from fgbench.protocol import MEDIA, Medium
from fgbench.train.dataset import Dataset, Items
from fgbench.train.inputs import FeatureInputs, PartInputs, as_vectors
from fgbench.train.source import dataset, hold_out


def write_rows(folder: Path, rows: list[tuple[Medium, str, int, str]], **declared: object) -> Path:
    """A folder of one manifest: medium, id, label and side of each item."""
    folder.mkdir(exist_ok=True)
    names = ("medium", "item_id", "label", "split")
    columns = dict(zip(names, zip(*rows, strict=True), strict=True))
    columns["medium"] = [str(medium) for medium in columns["medium"]]
    pq.write_table(pa.table({k: list(v) for k, v in columns.items()}), folder / "items.parquet")
    spec = {"id": "rows", "files": {"items.parquet": ""}, **declared}
    (folder / "benchmark.json").write_text(json.dumps(spec))
    return folder


def rows_of(*counts: tuple[Medium, int, int, int]) -> list[tuple[Medium, str, int, str]]:
    """Of each medium and label so many items of training and of test."""
    return [
        (medium, f"{medium}/{label}/{side}/{n}", label, side)
        for medium, label, train, test in counts
        for side, count in (("train", train), ("test", test))
        for n in range(count)
    ]


def write_all(folder: Path, rows: list[tuple[Medium, str, int, str]], width: int = 2) -> Path:
    """Features of all items, in another order: the label, and the item's place in the list."""
    for medium in {row[0] for row in rows}:
        mine = [row for row in rows if row[0] is medium][::-1]
        numbers = np.array([[row[2], rows.index(row)] + [0] * (width - 2) for row in mine])
        ids = np.array([row[1] for row in mine])
        write_features(feature_path(folder, medium), Features(ids, numbers.astype(np.float32)))
    return folder


TWO = rows_of(
    (Medium.IMAGE, 30, 3, 2),
    (Medium.IMAGE, 4, 2, 2),
    (Medium.TEXT, 4, 2, 1),
    (Medium.TEXT, 30, 1, 1),
)


def test_rows_and_labels_are_joined_by_id(tmp_path: Path) -> None:
    data = dataset(write_rows(tmp_path / "b", TWO), write_all(tmp_path / "f", TWO))
    assert data.media == (Medium.IMAGE, Medium.TEXT)
    assert data.classes == 2
    for side, of_side in (("train", data.train), ("test", data.test)):
        for medium, items in of_side.items():
            mine = [row for row in TWO if row[0] is medium and row[3] == side]
            assert items.ids.tolist() == [row[1] for row in mine]
            assert items.labels.tolist() == [{4: 0, 30: 1}[row[2]] for row in mine]
            taken = items.inputs.take(np.arange(len(items)))
            assert taken.tolist() == [[row[2], TWO.index(row)] for row in mine]


def test_media_are_taken_from_a_build(tmp_path: Path) -> None:
    data = dataset(write_small_media(tmp_path / "build"))
    assert data.media == MEDIA
    for medium in MEDIA:
        assert len(data.train[medium]) == TRAIN * len(LABELS)
        assert data.test[medium].labels.tolist() == [0] * TEST + [1] * TEST
    assert data.train[Medium.VIDEO].inputs.shape == (25, 3, 448, 448)
    assert data.test[Medium.AUDIO].inputs.take(np.array([3])).shape == (1, 3, 448, 448)


def write_parts(folder: Path, *, words: bool) -> Path:
    """Features of ``TWO``: an image has one region more than its place in the list, a text two
    words."""
    write_all(folder, TWO)
    places = [place for place, row in enumerate(TWO) if row[0] is Medium.IMAGE][::-1]
    counts = np.array([place + 1 for place in places])
    rows = np.repeat(np.array(places, np.float32), counts)[:, None]
    boxes = np.tile(np.array([0, 0, 1, 1], np.float32), (len(rows), 1))
    path = feature_path(folder, Medium.IMAGE)
    parts = ItemParts(rows, counts, boxes, np.zeros((len(counts), 3, 8, 8), np.uint8))
    write_features(path, replace(read_features(path), parts=parts))
    if words:
        path = feature_path(folder, Medium.TEXT)
        found = read_features(path)
        numbers = np.arange(2 * len(found.ids), dtype=np.int32) % 3
        parts = ItemParts(numbers, np.full(len(found.ids), 2), vocabulary=np.array(list("abc")))
        parts = replace(parts, word_vectors=np.eye(3, 5, dtype=np.float32))
        write_features(path, replace(found, parts=parts))
    return folder


def test_parts_are_joined_by_id_and_both_sides_have_room_for_the_longest(tmp_path: Path) -> None:
    features = write_parts(tmp_path / "f", words=True)
    data = dataset(write_rows(tmp_path / "b", TWO), features, parts=True)
    for side in (data.train, data.test):
        items = side[Medium.IMAGE]
        places = np.array([[row[1] for row in TWO].index(item) for item in items.ids])
        found = items.inputs.take(np.arange(len(items)))
        assert found.counts.tolist() == (places + 1).tolist()
        assert items.inputs.shape == (9, 1)
        there = np.arange(9) <= places[:, None]
        assert found.parts[..., 0].tolist() == (there * places[:, None]).tolist()
        assert found.boxes.sum(axis=2).tolist() == (2 * there).tolist()
        assert found.pictures.shape == (len(items), 3, 8, 8)
    texts = [data.train[Medium.TEXT].inputs, data.test[Medium.TEXT].inputs]
    assert {(inputs.shape, inputs.words) for inputs in texts} == {((2, 1), 3)}
    numbers = np.concatenate([inputs.parts for inputs in texts])
    assert numbers.dtype == np.int64
    assert set(numbers.tolist()) == {1, 2, 3}  # 0 is where no word is
    assert texts[1].word_vectors.shape == (3, 5)


def test_parts_are_read_where_asked_for_and_where_there_are_any(tmp_path: Path) -> None:
    features, rows = write_parts(tmp_path / "f", words=False), write_rows(tmp_path / "b", TWO)
    asked, plain = dataset(rows, features, parts=True), dataset(rows, features)
    assert isinstance(asked.train[Medium.IMAGE].inputs, PartInputs)
    assert isinstance(asked.train[Medium.TEXT].inputs, FeatureInputs)
    assert isinstance(plain.train[Medium.IMAGE].inputs, FeatureInputs)
    for medium in plain.media:
        both = [as_vectors(data.test[medium].inputs).rows for data in (asked, plain)]
        assert (both[0] == both[1]).all()


def test_faults_of_parts_come_with_the_others(tmp_path: Path) -> None:
    features = write_parts(tmp_path / "f", words=False)
    path = feature_path(features, Medium.IMAGE)
    with np.load(path) as stored:
        arrays = dict(stored)
    np.savez(path, **arrays | {"counts": arrays["counts"] - 1})
    feature_path(features, Medium.TEXT).write_bytes(b"no archive")
    rows = write_rows(tmp_path / "b", TWO)
    with pytest.raises(FaultyInput) as error:
        dataset(rows, features, parts=True)
    assert [fault.code for fault in error.value.faults] == ["FG-F080", "FG-F002"]


def test_a_medium_without_features_is_left_out_and_it_is_said(tmp_path: Path) -> None:
    rows = TWO + rows_of((Medium.AUDIO, 4, 1, 1), (Medium.AUDIO, 30, 1, 1))
    said: list[str] = []
    data = dataset(
        write_rows(tmp_path / "b", rows), write_all(tmp_path / "f", TWO), note=said.append
    )
    assert data.media == (Medium.IMAGE, Medium.TEXT)
    assert said == ["no audio.npz: audio is left out"]


def test_all_faults_of_features_at_once(tmp_path: Path) -> None:
    features = write_all(tmp_path / "f", [row for row in TWO if row[1] != "image/4/train/0"])
    feature_path(features, Medium.TEXT).write_bytes(b"no archive")
    with pytest.raises(FaultyInput) as error:
        dataset(write_rows(tmp_path / "b", TWO), features)
    assert [fault.code for fault in error.value.faults] == ["FG-F052", "FG-F002"]
    assert "image/4/train/0" in str(error.value)


def test_a_class_without_training_items_of_a_medium_is_named(tmp_path: Path) -> None:
    rows = rows_of(
        (Medium.IMAGE, 4, 2, 1),
        (Medium.IMAGE, 9, 2, 1),
        (Medium.TEXT, 4, 2, 1),
        (Medium.TEXT, 9, 0, 1),
    )
    with pytest.raises(FaultyInput, match=r"FG-F061  training items of text\n.*none of label 9"):
        dataset(write_rows(tmp_path / "b", rows), write_all(tmp_path / "f", rows))


def test_unless_the_benchmark_declares_that_it_is_left_out(tmp_path: Path) -> None:
    rows = rows_of((Medium.IMAGE, 4, 2, 2), (Medium.IMAGE, 9, 2, 2), (Medium.TEXT, 4, 2, 2))
    folder = write_rows(tmp_path / "b", rows, left_out={"text": [9]})
    data = dataset(folder, write_all(tmp_path / "f", rows))
    assert data.classes == 2
    assert set(data.train[Medium.TEXT].labels.tolist()) == {0}


def test_a_class_that_is_tested_and_never_trained_is_named(tmp_path: Path) -> None:
    rows = TWO + rows_of((Medium.IMAGE, 50, 0, 2), (Medium.TEXT, 50, 0, 2))
    with pytest.raises(FaultyInput) as error:
        dataset(write_rows(tmp_path / "b", rows), write_all(tmp_path / "f", rows))
    assert [(fault.code, fault.where) for fault in error.value.faults] == [
        ("FG-F062", "test items of image"),
        ("FG-F062", "test items of text"),
    ]


def test_one_medium_is_too_few(tmp_path: Path) -> None:
    features = write_all(tmp_path / "f", [row for row in TWO if row[0] is Medium.IMAGE])
    with pytest.raises(InputError, match="FG-F065"):
        dataset(write_rows(tmp_path / "b", TWO), features)


def test_neither_features_nor_media(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="FG-F063"):
        dataset(write_rows(tmp_path / "b", TWO))


def test_no_training_item_at_all(tmp_path: Path) -> None:
    folder = write_rows(tmp_path / "b", [row for row in TWO if row[3] == "test"])
    with pytest.raises(InputError, match="FG-F064"):
        dataset(folder, tmp_path)


def test_a_medium_without_training_items_is_left_out_and_it_is_said(tmp_path: Path) -> None:
    rows = TWO + rows_of((Medium.VIDEO, 4, 0, 2), (Medium.VIDEO, 30, 0, 1))
    said: list[str] = []
    folder = write_rows(tmp_path / "b", rows)
    data = dataset(folder, write_all(tmp_path / "f", rows), note=said.append)
    assert data.media == (Medium.IMAGE, Medium.TEXT)
    assert said == ["no training item of video: video is left out"]


def test_the_official_lists_are_trained_on_from_their_own_paths(tmp_path: Path) -> None:
    said: list[str] = []
    data = dataset("fgxmedia-2019", media_root=tmp_path, note=said.append)
    assert {m: (len(data.train[m]), len(data.test[m])) for m in data.media} == {
        Medium.IMAGE: (5994, 5794),
        Medium.TEXT: (4000, 4000),
        Medium.AUDIO: (6000, 6000),
    }
    assert data.classes == 200
    assert said == ["no training item of video: video is left out"]
    text = tmp_path / "text/Acadian_Flycatcher/Acadian_Flycatcher_1.txt"
    text.parent.mkdir(parents=True)
    text.write_text("A small flycatcher.")
    place = data.train[Medium.TEXT].ids.tolist().index(str(text.relative_to(tmp_path)))
    taken = data.train[Medium.TEXT].inputs.take(np.array([place]))
    assert np.count_nonzero(taken) == len("A small flycatcher.")


def toy(counts: list[int], skip: str = "") -> Dataset:
    """One medium with so many training items a class; the item ``skip`` is not there."""
    labels = np.repeat(np.arange(len(counts)), counts)
    ids = np.array([f"item/{n}" for n in range(len(labels))])
    keep = ids != skip
    rows = np.arange(len(labels), dtype=np.float32)[:, None]
    items = Items(ids[keep], labels[keep], FeatureInputs(rows[keep]))
    return Dataset({Medium.IMAGE: items}, {Medium.IMAGE: items}, len(counts))


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.integers(1, 12), min_size=1, max_size=5),
    st.floats(0.05, 0.95),
    st.integers(0, 2**32),
)
def test_a_share_of_each_class_is_held_out(counts: list[int], share: float, seed: int) -> None:
    data = toy(counts)
    held = hold_out(data, share, seed)
    train, test = held.train[Medium.IMAGE], held.test[Medium.IMAGE]
    whole = data.train[Medium.IMAGE].ids.tolist()
    assert sorted([*train.ids.tolist(), *test.ids.tolist()]) == sorted(whole)
    assert list(train.ids) == [i for i in whole if i in set(train.ids.tolist())]  # their order
    found = Counter(test.labels.tolist())
    for label, count in enumerate(counts):
        wanted = min(max(round(share * count), 1), count - 1)
        assert found[label] == wanted
    for items in (train, test):
        rows = items.inputs.take(np.arange(len(items)))[:, 0]
        assert [f"item/{int(row)}" for row in rows] == items.ids.tolist()


def test_the_draw_is_seeded_and_does_not_depend_on_other_classes() -> None:
    one, same, other = (hold_out(toy([20, 20]), 0.3, seed) for seed in (0, 0, 1))
    ids = [side.test[Medium.IMAGE].ids.tolist() for side in (one, same, other)]
    assert ids[0] == ids[1] != ids[2]
    less = hold_out(toy([20, 20], skip="item/39"), 0.3, 0).test[Medium.IMAGE]
    assert less.ids[less.labels == 0].tolist() == [i for i in ids[0] if int(i[5:]) < 20]


@pytest.mark.parametrize("share", [0, 1, -0.1, float("nan")])
def test_a_share_is_between_nothing_and_all(share: float) -> None:
    with pytest.raises(ValueError, match="share"):
        hold_out(toy([3]), share)
