"""Parts in feature files: they read back, unasked they are not read, every fault is named."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fgbench.errors import FaultyInput
from fgbench.media.features import Features, read_features, read_folder, write_features
from fgbench.media.parts import ItemParts
from fgbench.protocol import Medium

IDS = np.array(["a", "b", "c"])
ROWS = np.arange(6, dtype=np.float32).reshape(3, 2)
COUNTS = np.array([2, 1, 3])
VECTORS = np.arange(24, dtype=np.float32).reshape(6, 4) / 7
BOXES = np.tile(np.array([0.25, 0, 0.5, 1], np.float32), (6, 1))
PICTURES = np.random.default_rng(0).integers(0, 256, (3, 3, 8, 8), np.uint8)
NUMBERS = np.array([0, 3, 1, 1, 2, 0], np.int32)
WORDS = np.array(["<unk>", "owl", "möwe", "bird's"])
REGIONS = {"ids": IDS, "features": ROWS, "parts": VECTORS, "counts": COUNTS, "boxes": BOXES}
TEXTS = {"ids": IDS, "features": ROWS, "words": NUMBERS, "counts": COUNTS, "vocabulary": WORDS}


def write(path: Path, arrays: dict[str, np.ndarray], **changed: np.ndarray | None) -> Path:
    kept = {name: array for name, array in (arrays | changed).items() if array is not None}
    np.savez(path, **kept)
    return path


def codes(path: Path) -> list[str]:
    with pytest.raises(FaultyInput) as error:
        read_features(path, parts=True)
    assert all(fault.fix and fault.where.startswith(path.name) for fault in error.value.faults)
    return [fault.code for fault in error.value.faults]


def test_regions_read_back(tmp_path: Path) -> None:
    path = tmp_path / "image.npz"
    parts = ItemParts(VECTORS, COUNTS, BOXES, PICTURES)
    write_features(path, Features(IDS, ROWS, parts))
    found = read_features(path, parts=True).parts
    assert (found.rows == VECTORS).all()
    assert (found.counts == COUNTS).all()
    assert (found.boxes == BOXES).all()
    assert (found.pictures == PICTURES).all()
    assert found.words == 0
    with np.load(path) as plain:  # as any other tool reads it
        assert plain["parts"].dtype == np.float32
        assert (plain["counts"] == COUNTS).all()


def test_words_read_back(tmp_path: Path) -> None:
    path, vectors = tmp_path / "text.npz", np.eye(4, 3, dtype=np.float32)
    parts = ItemParts(NUMBERS, COUNTS, vocabulary=WORDS, word_vectors=vectors)
    write_features(path, Features(IDS, ROWS, parts))
    found = read_features(path, parts=True).parts
    assert found.rows.tolist() == NUMBERS.tolist()
    assert found.vocabulary.tolist() == WORDS.tolist()
    assert (found.word_vectors == vectors).all()
    assert found.words == 4


def test_equal_parts_give_equal_bytes(tmp_path: Path) -> None:
    for name in ("one.npz", "two.npz"):
        write_features(tmp_path / name, Features(IDS, ROWS, ItemParts(VECTORS, COUNTS, BOXES)))
    assert (tmp_path / "one.npz").read_bytes() == (tmp_path / "two.npz").read_bytes()


def test_unasked_they_are_not_read_whatever_they_hold(tmp_path: Path) -> None:
    path = write(tmp_path / "image.npz", REGIONS, parts=VECTORS * np.nan, counts=COUNTS - 5)
    assert read_features(path).parts is None
    assert read_features(write(path, {"ids": IDS, "features": ROWS}), parts=True).parts is None


@pytest.mark.parametrize(
    "stored",
    [VECTORS.astype(np.float16), VECTORS.astype(np.float64), np.asfortranarray(VECTORS)],
)
def test_other_numbers_and_orders_are_read(tmp_path: Path, stored: np.ndarray) -> None:
    path = write(tmp_path / "image.npz", REGIONS, parts=stored)
    found = read_features(path, parts=True).select(IDS[[2, 0]]).parts
    assert found.rows.dtype == np.float32
    assert found.rows == pytest.approx(VECTORS[[3, 4, 5, 0, 1]], abs=1e-3)


def test_packed_files_are_read(tmp_path: Path) -> None:
    np.savez_compressed(tmp_path / "image.npz", **REGIONS)
    assert (read_features(tmp_path / "image.npz", parts=True).parts.rows == VECTORS).all()


def test_words_without_a_vocabulary_are_as_many_as_their_numbers(tmp_path: Path) -> None:
    path = write(tmp_path / "text.npz", TEXTS, vocabulary=None)
    assert read_features(path, parts=True).parts.words == 4
    assert codes(write(path, TEXTS, vocabulary=None, words=np.full(6, 10**9))) == ["FG-F081"]
    assert codes(write(path, TEXTS, vocabulary=None, words=np.full(6, -1))) == ["FG-F081"]


@pytest.mark.parametrize(
    ("arrays", "changed", "expected"),
    [
        (REGIONS, {"counts": None}, ["FG-F032"]),
        (REGIONS, {"counts": COUNTS[:2]}, ["FG-F023"]),
        (REGIONS, {"counts": COUNTS * 1.0}, ["FG-F021"]),
        (REGIONS, {"counts": COUNTS[None]}, ["FG-F022"]),
        (REGIONS, {"counts": np.array([3, 0, 3])}, ["FG-F080"]),
        (REGIONS, {"counts": np.array([7, -2, 1])}, ["FG-F080"]),
        (REGIONS, {"counts": np.array([2, 2, 3])}, ["FG-F080"]),
        (REGIONS, {"counts": np.full(3, 2**63, np.uint64)}, ["FG-F080"]),
        (REGIONS, {"words": NUMBERS}, ["FG-F082", "FG-F082"]),
        (REGIONS, {"parts": VECTORS[:, 0]}, ["FG-F022"]),
        (REGIONS, {"parts": VECTORS[:, :0]}, ["FG-F026"]),
        (REGIONS, {"parts": np.zeros((6, 20_000), np.float16)}, ["FG-F025"]),
        (REGIONS, {"parts": VECTORS.astype("U")}, ["FG-F021"]),
        (REGIONS, {"parts": np.where(VECTORS == 1, np.nan, VECTORS)}, ["FG-F040"]),
        (REGIONS, {"parts": np.full((6, 4), 1e300)}, ["FG-F041"]),
        (REGIONS, {"boxes": BOXES[:, :3]}, ["FG-F025"]),
        (REGIONS, {"boxes": BOXES[:5]}, ["FG-F023"]),
        (REGIONS, {"boxes": BOXES * 448}, ["FG-F083"]),
        (REGIONS, {"boxes": -BOXES}, ["FG-F083"]),
        (REGIONS, {"boxes": BOXES * np.nan}, ["FG-F083"]),
        (REGIONS, {"pictures": PICTURES[:2]}, ["FG-F023"]),
        (REGIONS, {"pictures": PICTURES[:, :1]}, ["FG-F022"]),
        (REGIONS, {"pictures": PICTURES.astype(np.uint16)}, ["FG-F021"]),
        (TEXTS, {"words": NUMBERS + 1}, ["FG-F081"]),
        (TEXTS, {"words": NUMBERS - 1}, ["FG-F081"]),
        (TEXTS, {"words": WORDS[NUMBERS]}, ["FG-F021"]),
        (TEXTS, {"vocabulary": WORDS[[0, 1, 1, 2]]}, ["FG-F051"]),
        (TEXTS, {"vocabulary": np.arange(4)}, ["FG-F021"]),
        (TEXTS, {"word_vectors": np.ones((3, 2))}, ["FG-F023"]),
        (TEXTS, {"word_vectors": np.full((4, 2), np.inf)}, ["FG-F041"]),
        (TEXTS, {"boxes": BOXES}, ["FG-F082"]),
        (REGIONS, {"ids": None}, ["FG-F032"]),
        (
            REGIONS,
            {"features": ROWS * np.nan, "parts": VECTORS * np.nan, "counts": COUNTS * 0},
            ["FG-F040", "FG-F040", "FG-F080"],
        ),
    ],
)
def test_each_fault_has_its_code(tmp_path: Path, arrays, changed, expected: list[str]) -> None:
    assert codes(write(tmp_path / "image.npz", arrays, **changed)) == expected


def test_a_fault_names_member_row_and_value(tmp_path: Path) -> None:
    write(tmp_path / "text.npz", TEXTS, words=np.array([0, 1, 4, 9, 2, 0]))
    with pytest.raises(FaultyInput, match=r"text\.npz, words\n.*row 2: 4, row 3: 9") as error:
        read_folder(tmp_path, {Medium.TEXT: IDS}, parts=True)
    assert "0 to 3" in error.value.faults[0].expected


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_a_spoilt_file_gives_the_parts_that_were_written_or_faults(tmp_path_factory, data) -> None:
    path = tmp_path_factory.mktemp("spoilt") / "image.npz"
    write_features(path, Features(IDS, ROWS, ItemParts(VECTORS, COUNTS, BOXES, PICTURES)))
    content = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(1, 3))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    path.write_bytes(content)
    faults, found = (), None
    try:
        found = read_features(path, parts=True).parts
    except FaultyInput as error:
        faults = error.faults
    assert all(fault.code.startswith("FG-F") for fault in faults)
    if found is not None:  # else a fault, or a member's name was spoilt
        assert (found.rows == VECTORS).all()
        assert (found.select(np.arange(3)).counts == COUNTS).all()


def test_nothing_faulty_is_written(tmp_path: Path) -> None:
    parts = ItemParts(VECTORS, COUNTS, BOXES)
    with pytest.raises(FaultyInput, match="FG-F080"):
        write_features(
            tmp_path / "image.npz", Features(IDS, ROWS, replace(parts, counts=COUNTS + 1))
        )
    assert not [*tmp_path.iterdir()]
