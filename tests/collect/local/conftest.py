"""Videos whose every frame says which it is, and a copy of CUB with drawn pictures."""

from __future__ import annotations

from pathlib import Path

import pytest
from collect.local.drawings import HEIGHT, WIDTH, Movie, cub_list, ffmpeg, fill, numbered


@pytest.fixture(scope="session")
def movie(tmp_path_factory: pytest.TempPathFactory) -> Movie:
    """Makes ``name`` with so many numbered frames, 25 a second; each is made once."""
    folder = tmp_path_factory.mktemp("movies")

    def make(name: str, frames: int, *codec: str) -> Path:
        path = folder / f"{frames}-{name}"
        if not path.exists():
            raw = ("-f", "rawvideo", "-pix_fmt", "gray", "-s", f"{WIDTH}x{HEIGHT}", "-r", "25")
            data = b"".join(map(numbered, range(frames)))
            ffmpeg(*raw, "-i", "-", "-pix_fmt", "yuv420p", *codec, str(path), data=data)
        return path

    return make


@pytest.fixture(scope="session")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of two whole classes, 5 and 6, as the set unpacks; to be copied, not changed."""
    folder = tmp_path_factory.mktemp("cub") / "CUB_200_2011"
    fill(folder / "images", (5, 6))
    listed = sorted(cub_list(5) + cub_list(6), key=lambda item: item["cub_image_id"])
    lists: dict[str, list[object]] = {
        "images.txt": [item["item_id"].removeprefix("image/") for item in listed],
        "image_class_labels.txt": [item["label"] + 1 for item in listed],
        "train_test_split.txt": [int(item["split"] == "train") for item in listed],
    }
    for name, values in lists.items():
        pairs = zip(listed, values, strict=True)
        lines = [f"{item['cub_image_id']} {value}\n" for item, value in pairs]
        (folder / name).write_text("".join(lines))
    return folder
