"""The sample world's two sets, as the build reads them: whole, the same again, nobody else's."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections import Counter
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from collect.local.drawings import cub_list
from PIL import Image

from fgbench.collect.local import cub, youtube_birds
from fgbench.collect.local.downloads import Downloads
from fgbench.collect.local.found import Found
from fgbench.collect.sample import CUB_IDS, sets
from fgbench.collect.sample.sets import write_sets
from fgbench.errors import InputError
from fgbench.protocol import Medium
from fgbench.settings import Settings
from fgbench.species import species

BIRDS = [species()[cub_id - 1] for cub_id in CUB_IDS]
LISTED = {item["item_id"]: item for bird in BIRDS for item in cub_list(bird.label)}


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with both sets; not to be changed."""
    folder = tmp_path_factory.mktemp("sample")
    assert write_sets(folder) == {
        Medium.IMAGE: folder / "CUB_200_2011",
        Medium.VIDEO: folder / "youtube-birds",
    }
    return folder


@pytest.fixture(scope="module")
def images(whole: Path, tmp_path_factory: pytest.TempPathFactory) -> Found:
    return cub.rows(whole / "CUB_200_2011", BIRDS, tmp_path_factory.mktemp("out"))


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two images and two clips a class: soon drawn."""
    monkeypatch.setattr(sets, "IMAGES_A_SIDE", 1)
    monkeypatch.setattr(sets, "CLIPS_A_SIDE", 1)


def contents(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def stamps(folder: Path) -> dict[Path, tuple[int, int]]:
    found = ((path, path.stat()) for path in folder.rglob("*"))
    return {path: (stat.st_ino, stat.st_mtime_ns) for path, stat in found}


def test_cub_takes_every_picture_and_has_the_others_as_absent(images: Found) -> None:
    assert (len(images.kept), len(images.rejected), len(images.failed)) == (192, 0, 0)
    assert images.remarks == ()
    sides = Counter((row["label"], row["split_paper"]) for row in images.kept)
    assert sides == {(bird.label, side): 12 for bird in BIRDS for side in ("train", "test")}
    kept = {row["item_id"]: row for row in images.kept}
    assert {f"image/{row['query']}" for row in images.absent} == LISTED.keys() - kept.keys()
    assert {row["reason"] for row in images.absent} == {"missing_file"}
    for item_id, row in kept.items():
        item = LISTED[item_id]
        assert (row["split_paper"], row["source_id"]) == (item["split"], str(item["cub_image_id"]))


def test_youtube_birds_takes_the_clips_and_has_one_as_absent(whole: Path, tmp_path: Path) -> None:
    downloads = Downloads(tmp_path, Settings())
    found = youtube_birds.rows(whole / "youtube-birds", BIRDS, tmp_path, downloads)
    assert (len(found.kept), len(found.rejected), len(found.failed)) == (63, 0, 0)
    (absent,) = found.absent
    assert (absent["query"], absent["reason"]) == ("syn_001_04z", "not_downloaded")
    sides = Counter((row["label"], row["split_paper"]) for row in found.kept)
    assert sides == {(b.label, s): 4 for b in BIRDS for s in ("train", "test")} | {(0, "train"): 3}
    short = [row for row in found.kept if row["frames"] < 25]
    assert [(row["frames"], row["flags"]) for row in short] == [(9, ["few_frames"])]
    assert all(2 <= row["duration_s"] <= 4.1 for row in found.kept if row not in short)


def test_no_clip_of_these_ids_can_be_on_youtube(whole: Path) -> None:
    """An id there is 64 bits in base64: of the last of its 11 signs, two bits are always zero."""
    possible = "AEIMQUYcgkosw048"
    for path in (whole / "youtube-birds" / "clips").iterdir():
        assert len(path.stem) == 11
        assert path.stem[-1] not in possible


def test_everything_says_that_it_is_synthetic_and_is_small(whole: Path) -> None:
    files = contents(whole)
    assert sum(map(len, files.values())) < 15_000_000
    for name, content in files.items():
        if name.endswith((".jpg", ".mp4", "README.txt")):
            assert b"synthetic: drawn for the sample world" in content


def test_colours_tell_species_apart_but_not_perfectly(whole: Path, images: Found) -> None:
    """The nearest picture of the other side, by the colours of the whole: chance is 1 in 8."""

    def colours(row: dict) -> np.ndarray:
        content = (whole / "CUB_200_2011/images" / row["source_name"]).read_bytes()
        image = Image.open(BytesIO(content)).convert("RGB").resize((96, 72))
        shades = np.asarray(image).reshape(-1, 3) // 64 @ (16, 4, 1)
        return np.sqrt(np.bincount(shades, minlength=64) / len(shades))

    kept = [{**row, "source_name": row["item_id"].removeprefix("image/")} for row in images.kept]
    labels = np.array([row["label"] for row in kept])
    test = np.array([row["split_paper"] == "test" for row in kept])
    found = np.array([colours(row) for row in kept])
    apart = ((found[test][:, None] - found[~test][None]) ** 2).sum(axis=-1)
    right = (labels[~test][apart.argmin(axis=1)] == labels[test]).mean()
    assert 0.25 < right < 0.8


def test_what_is_whole_is_left_alone(whole: Path) -> None:
    before = stamps(whole)
    write_sets(whole)
    assert stamps(whole) == before


KILLED = """
import os, signal, sys
from itertools import count
from pathlib import Path
from fgbench.collect.sample import sets

sets.IMAGES_A_SIDE = sets.CLIPS_A_SIDE = 1
write, number = sets.write_bytes, count(1)

def write_or_die(target, data):
    if next(number) == int(sys.argv[2]):
        os.kill(os.getpid(), signal.SIGKILL)
    write(target, data)

sets.write_bytes = write_or_die
sets.write_sets(Path(sys.argv[1]))
"""


@pytest.mark.usefixtures("few")
@pytest.mark.parametrize("write", [1, 12, 27])
def test_after_a_kill_it_is_made_whole_with_the_same_bytes(tmp_path: Path, write: int) -> None:
    write_sets(tmp_path / "other")
    folder = tmp_path / "killed"
    done = subprocess.run([sys.executable, "-c", KILLED, folder, str(write)])
    assert done.returncode == -signal.SIGKILL
    assert (folder / "CUB_200_2011").exists() == (write == 27)
    assert not (folder / "youtube-birds").exists()
    write_sets(folder)
    assert contents(folder) == contents(tmp_path / "other")


@pytest.mark.usefixtures("few")
@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("CUB_200_2011/images.txt", lambda path: path.write_bytes(b"")),
        ("youtube-birds/clips/syn_179_02z.mp4", lambda path: path.unlink()),
        ("youtube-birds/SHA256SUMS", lambda path: path.unlink()),
    ],
    ids=["emptied", "removed", "unsummed"],
)
def test_what_is_damaged_is_drawn_again(tmp_path: Path, name: str, change) -> None:
    write_sets(tmp_path)
    before = contents(tmp_path)
    change(tmp_path / name)
    assert contents(tmp_path) != before
    write_sets(tmp_path)
    assert contents(tmp_path) == before


@pytest.mark.usefixtures("few")
def test_what_another_release_has_drawn_is_drawn_again(tmp_path: Path, monkeypatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(sets, "version", lambda name: "0")
        write_sets(tmp_path)
    before = stamps(tmp_path / "youtube-birds" / "clips")
    write_sets(tmp_path)
    assert stamps(tmp_path / "youtube-birds" / "clips") != before


@pytest.mark.usefixtures("few")
@pytest.mark.parametrize(
    ("medium", "name"), [(Medium.IMAGE, "CUB_200_2011"), (Medium.VIDEO, "youtube-birds")]
)
def test_only_the_sets_that_are_asked_for_are_drawn(
    tmp_path: Path, medium: Medium, name: str
) -> None:
    assert write_sets(tmp_path, [medium]) == {medium: tmp_path / name}
    assert [path.name for path in tmp_path.iterdir()] == [name]


@pytest.mark.usefixtures("few")
@pytest.mark.parametrize("name", ["CUB_200_2011", "youtube-birds"])
def test_a_set_of_the_users_is_not_replaced(tmp_path: Path, name: str) -> None:
    mine = tmp_path / name / "README.txt"
    mine.parent.mkdir()
    mine.write_text("Caltech-UCSD Birds-200-2011\n")
    before = contents(tmp_path)
    with pytest.raises(InputError, match="FG-L005") as caught:
        write_sets(tmp_path)
    assert str(tmp_path / name) in str(caught.value)
    assert contents(tmp_path) == before
