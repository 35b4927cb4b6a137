"""Ten real classes of birds as a benchmark: images of CUB-200-2011 and texts of the same classes.

Images have their official split and are read where they lie. Texts are sentences of the classes'
Wikipedia articles, split by blocks of sentences in a row, or captions of the images (Reed et al.,
CVPR 2016), half of an image's ten as one text, on its image's side.
"""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq

from fgbench.dataset.schema import Split
from fgbench.protocol import Medium

BLOCK = 4
"""Sentences in a row that stay together: blocks go to training and test in turns."""
SHORTEST = 20
"""Characters of a sentence. What is shorter is debris of the article, as ``jpg|e .``."""
HELD_OUT = 5
"""To choose by, each fifth group of training items of a class stands in for the test items."""


class Texts(StrEnum):
    """WIKIPEDIA: one sentence each. CAPTIONS: five captions of an image each."""

    WIKIPEDIA = "wikipedia"
    CAPTIONS = "captions"


@dataclass(frozen=True)
class Item:
    """A row of a manifest: ``content`` is a path or a text; ``group`` stays on one side."""

    item_id: str
    label: int
    split: Split
    group: str
    content: str


@dataclass(frozen=True)
class BirdBenchmark:
    """Where the manifests and the images lie, and the items in them."""

    benchmark: Path
    media_root: Path
    items: Mapping[Medium, tuple[Item, ...]]

    def counts(self) -> dict[tuple[Medium, Split], int]:
        return Counter((medium, item.split) for medium, of in self.items.items() for item in of)


def write_birds(
    real_data: Path, out: Path, texts: Texts = Texts.WIKIPEDIA, *, held_out: bool = False
) -> BirdBenchmark:
    """Write the manifests into ``out``.

    ``held_out``: without the test items; of each class the last training image or block of
    sentences, and each fifth before it, take their place.
    """
    root = real_data / "images" / "cub_10classes"
    images = [*list_images(real_data, root)]
    read = {Texts.WIKIPEDIA: list_sentences, Texts.CAPTIONS: _captions}[texts]
    items = {Medium.IMAGE: images, Medium.TEXT: [*read(real_data, images)]}
    if held_out:
        items = {medium: _hold_out(of) for medium, of in items.items()}
    out.mkdir(parents=True)
    for medium, of in items.items():
        columns = {
            "item_id": [item.item_id for item in of],
            "medium": [medium.value] * len(of),
            "label": [item.label for item in of],
            "split": [item.split.value for item in of],
            "text" if medium is Medium.TEXT else "path": [item.content for item in of],
        }
        pq.write_table(pa.table(columns), out / f"{medium}.parquet")
    return BirdBenchmark(out, root, {medium: tuple(of) for medium, of in items.items()})


def count_recordings(real_data: Path) -> tuple[int, int]:
    """How many of the open recordings are of the classes that have images here, and of all."""
    names = {folder.name for folder in (real_data / "images" / "cub_10classes").iterdir()}
    with (real_data / "audio" / "mrtanner_cc0" / "attribution.csv").open(encoding="utf-8") as file:
        classes = [row["cub_class"] for row in csv.DictReader(file)]
    return sum(name in names for name in classes), len(classes)


def list_images(real_data: Path, root: Path) -> Iterator[Item]:
    lists = real_data / "cub_metadata"
    sides, labels = (
        dict(line.split() for line in (lists / name).read_text("utf-8").splitlines())
        for name in ("train_test_split.txt", "image_class_labels.txt")
    )
    for line in (lists / "images.txt").read_text("utf-8").splitlines():
        number, path = line.split()
        if (root / path).parent.is_dir():
            split = Split.TRAIN if sides[number] == "1" else Split.TEST
            yield Item(f"image/{number}", int(labels[number]), split, path, path)


def list_sentences(real_data: Path, images: list[Item]) -> Iterator[Item]:
    folder, seen = real_data / "text" / "wikipedia_xlsx", set[str]()
    for label in sorted({image.label for image in images}):
        (path,) = folder.glob(f"{label - 1}_*.xlsx")
        header, *rows = openpyxl.load_workbook(path, read_only=True).active.values
        column = header.index("sentences")
        found = dict.fromkeys(row[column].strip() for row in rows)
        texts = [text for text in found if len(text) >= SHORTEST and text not in seen]
        seen.update(texts)  # articles share some
        for place, text in enumerate(texts):
            block = place // BLOCK
            split = Split.TEST if block % 2 else Split.TRAIN
            yield Item(f"text/{label}/{place:03}", label, split, f"{label}/{block}", text)


def _captions(real_data: Path, images: list[Item]) -> Iterator[Item]:
    for image in images:
        path = real_data / "text" / "captions_10classes" / Path(image.content).with_suffix(".txt")
        lines = [" ".join(line.split()) for line in path.read_text("utf-8").splitlines()]
        for place, half in enumerate((lines[::2], lines[1::2])):
            item_id = f"{image.item_id.replace('image', 'text')}/{place}"
            yield Item(item_id, image.label, image.split, image.group, " ".join(half))


def _hold_out(items: list[Item]) -> list[Item]:
    """The training items alone, some of them as test items."""
    found: list[Item] = []
    training = [item for item in items if item.split is Split.TRAIN]
    for label in sorted({item.label for item in training}):
        mine = [item for item in training if item.label == label]
        groups = [*dict.fromkeys(item.group for item in mine)]
        held = set(groups[:0:-HELD_OUT])
        for item in mine:
            split = Split.TEST if item.group in held else Split.TRAIN
            found.append(Item(item.item_id, label, split, item.group, item.content))
    return found
