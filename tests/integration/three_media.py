"""Real birds in three media, in a folder such as a build leaves: images, texts and recordings.

Images are the ten classes of ``bird_benchmark`` with their official split, and photos of classes
that have recordings, by turns for training and for test. Texts are sentences of the Wikipedia
articles of all these classes. Sounds are the recordings in pieces.

**Both sides of audio are halves of the same recordings**: a class has one, and one class has two.
No class of the ten has a recording, so that the photos are all that images and sounds have in
common. Figures on this folder show that the chain runs on real files, not how well a method does.
"""

from __future__ import annotations

import csv
import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path

import numpy as np
import pyarrow as pa
from integration.bird_benchmark import Item, list_images, list_sentences

from fgbench.benchmark_json import SHIPPED_TAXONOMY
from fgbench.collect.clean.activity import Verdict, judge, measure
from fgbench.collect.clean.segments import write_flac
from fgbench.collect.clean.spectrum import spectrum
from fgbench.dataset.io import write_bytes, write_table
from fgbench.dataset.schema import MANIFESTS, Column, Row, Split, audio_id
from fgbench.media.decode import RATE, Recording, Samples
from fgbench.protocol import Medium
from fgbench.species import find

PIECE_S = 2
"""Seconds of a piece; the last takes the rest too. A build's, of ten and more, would leave most of
these recordings whole, and so their classes without a test item."""
SPLIT = Column("split", pa.string(), "train or test", required=True, values=frozenset(Split))
FILLED = {
    *("item_id", "label", "species", "medium", "group_id", "text", "path", "sha256"),
    *("site", "source_url", "source_id", "start_s", "end_s", "duration_s", "activity"),
}
"""The columns of a build's manifests that are filled here."""
IMAGES, SOUNDS = Path("media/image"), Path("media/audio")
TEN, OPEN = "cub_10classes", "mrtanner_cc0"
"""Folders of images; the second of recordings too."""


@dataclass(frozen=True)
class Source:
    """A recording: the CUB id of its class, its file, and its address, where that is told."""

    label: int
    file: Path
    url: str | None


def write_three_media(real_data: Path, out: Path) -> Path:
    """Write ``out/manifests`` and ``out/media``, whose pictures are links; returns ``out``."""
    (out / IMAGES).mkdir(parents=True)
    for name in (TEN, OPEN):
        (out / IMAGES / name).symlink_to((real_data / "images" / name).resolve())
    images = [*list_images(real_data, out / IMAGES / TEN)]
    recordings = [*_recordings(real_data / "audio" / OPEN)]
    rows = {
        Medium.IMAGE: [*_image_rows(images, out), *_photo_rows(out)],
        Medium.TEXT: [*_text_rows(list_sentences(real_data, [*images, *recordings]))],
        Medium.AUDIO: [row for one in recordings for row in _piece_rows(one, out)],
    }
    for medium, of_medium in rows.items():
        columns = [column for column in MANIFESTS[medium] if column.name in FILLED]
        write_table(out / "manifests" / f"{medium}.parquet", of_medium, [*columns, SPLIT])
    _declare(rows, out / "manifests")
    return out


def _declare(rows: Mapping[Medium, Sequence[Row]], manifests: Path) -> None:
    """Write benchmark.json: a class is left out of a medium that does not have it on both sides.

    Training asks that of a class without training items, scoring of one without test items.
    """
    every = {row["label"] for of_medium in rows.values() for row in of_medium}
    left_out = {}
    for medium, of_medium in rows.items():
        train, test = ({r["label"] for r in of_medium if r["split"] == side} for side in Split)
        left_out[medium] = sorted(every - (train & test))
    names = [f"{medium}.parquet" for medium in rows]
    spec = {
        "id": "three-media",
        "title": "Birds in images, texts and recordings",
        "split_column": SPLIT.name,
        "files": {name: _digest((manifests / name).read_bytes()) for name in names},
        "taxonomy": SHIPPED_TAXONOMY,
        "left_out": {medium: lost for medium, lost in left_out.items() if lost},
    }
    write_bytes(manifests / "benchmark.json", json.dumps(spec, indent=2).encode())


def _row(medium: Medium, cub_id: int, split: Split, **other: object) -> Row:
    bird = find(cub_id)
    identity = {"medium": medium, "label": bird.label, "species": bird.cub_name, "split": split}
    return identity | other


def _image_rows(images: Iterable[Item], out: Path) -> Iterator[Row]:
    for image in images:
        yield _row(Medium.IMAGE, image.label, image.split, **_picture(out, TEN, image.content))


def _photo_rows(out: Path) -> Iterator[Row]:
    """By turns for training and for test: without the one nothing ties images to sounds, without
    the other nothing could be asked between them."""
    root = out / IMAGES / OPEN
    for photo, split in zip(sorted(root.glob("*/*.jpg")), cycle(Split), strict=False):
        name = photo.relative_to(root).as_posix()
        yield _row(Medium.IMAGE, _cub_id(photo), split, **_picture(out, OPEN, name))


def _picture(out: Path, folder: str, name: str) -> Row:
    path = IMAGES / folder / name
    sha256 = _digest((out / path).read_bytes())
    return {"item_id": f"image/{name}", "path": path.as_posix(), "sha256": sha256, "site": folder}


def _text_rows(sentences: Iterable[Item]) -> Iterator[Row]:
    for item in sentences:
        article = {"site": "wikipedia", "source_id": find(item.label).cub_name}
        block = {"item_id": item.item_id, "group_id": item.group, "text": item.content}
        yield _row(Medium.TEXT, item.label, item.split, **block, **article)


def _recordings(folder: Path) -> Iterator[Source]:
    with (folder / "attribution.csv").open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            path = folder / row["cub_class"] / f"{row['id']}.mp3"
            yield Source(_cub_id(path), path, row["audioSourceUrl"] or None)


def _cub_id(file: Path) -> int:
    return int(file.parent.name.partition(".")[0])


def _piece_rows(recording: Source, out: Path) -> Iterator[Row]:
    """Pieces in which anything stands out, doubtful ones too: the first half is for training."""
    content = recording.file.read_bytes()
    found = []
    for start, samples in _cut(np.concatenate([*Recording(content)])):
        scores = measure(spectrum(samples))
        if judge(scores) is not Verdict.DROP:
            found.append((start, samples, scores.to_row()))
    half = (len(found) + 1) // 2
    for place, (start, samples, activity) in enumerate(found):
        start_s, end_s = start / RATE, (start + len(samples)) / RATE
        item_id = audio_id(_digest(content), start_s, end_s)
        path, flac = SOUNDS / f"{item_id.removeprefix('audio/')}.flac", write_flac(samples)
        write_bytes(out / path, flac)
        yield _row(
            Medium.AUDIO,
            recording.label,
            Split.TRAIN if place < half else Split.TEST,
            item_id=item_id,
            path=path.as_posix(),
            sha256=_digest(flac),
            site=OPEN,
            source_id=recording.file.stem,
            source_url=recording.url,
            start_s=start_s,
            end_s=end_s,
            duration_s=end_s - start_s,
            activity=activity,
        )


def _cut(samples: Samples) -> Iterator[tuple[int, Samples]]:
    """Pieces, each with the place of its first sample."""
    step = PIECE_S * RATE
    starts = range(0, len(samples) - step + 1, step)
    for start, end in zip(starts, [*starts[1:], len(samples)], strict=True):
        yield start, samples[start:end]


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
