"""CUB-200-2011 held against its lists: every fault of a copy is named, and nothing else changes."""

from __future__ import annotations

import hashlib
import os
import shutil
import tarfile
from collections import Counter
from pathlib import Path

import pytest
from collect.local.drawings import cub_list, draw

from fgbench.collect.local import cub, holding
from fgbench.collect.local.found import Found
from fgbench.dataset.io import read_table, write_table
from fgbench.dataset.schema import ABSENT, MANIFESTS, REJECTED
from fgbench.errors import FaultyInput, InputError
from fgbench.protocol import Medium
from fgbench.species import species

BIRDS = species()[5:7]
LISTED = cub_list(5) + cub_list(6)
FIRST = LISTED[0]["item_id"].removeprefix("image/")


@pytest.fixture
def copy(drawn: Path, tmp_path: Path) -> Path:
    """A copy of the set to be spoilt."""
    return Path(shutil.copytree(drawn, tmp_path / "copy"))


def state(folder: Path) -> dict[str, tuple[object, ...]]:
    """All of a folder: contents, and what is kept beside them."""
    return {
        str(path.relative_to(folder)): (
            path.read_bytes() if path.is_file() else None,
            path.lstat().st_mtime_ns,
            path.lstat().st_mode,
            path.lstat().st_nlink,
        )
        for path in sorted(folder.rglob("*"))
    }


def pack(folder: Path, path: Path) -> Path:
    with tarfile.open(path, "w:gz", compresslevel=1) as archive:
        archive.add(folder, "CUB_200_2011")
    return path


def counts(found: Found) -> tuple[int, int, int, int]:
    return len(found.kept), len(found.rejected), len(found.absent), len(found.failed)


def write(found: Found, folder: Path) -> None:
    """As manifests: the schema is checked on the way."""
    write_table(folder / "image.parquet", found.kept, MANIFESTS[Medium.IMAGE])
    write_table(folder / "rejected.parquet", found.rejected, REJECTED)
    write_table(folder / "absent.parquet", found.absent, ABSENT)


def test_a_whole_copy(drawn: Path, tmp_path: Path) -> None:
    before = state(drawn)
    found = cub.rows(drawn, BIRDS, tmp_path / "out")
    assert state(drawn) == before
    assert counts(found) == (len(LISTED), 0, 0, 0)
    assert found.remarks == ()
    for row, item in zip(found.kept, sorted(LISTED, key=lambda i: i["item_id"]), strict=True):
        content = (drawn / "images" / item["item_id"].removeprefix("image/")).read_bytes()
        assert row["item_id"] == item["item_id"]
        assert (row["label"], row["source_id"]) == (item["label"], str(item["cub_image_id"]))
        assert row["split_paper"] == row["split_grouped"] == item["split"]
        assert (row["width"], row["height"]) == (item["width"], item["height"])
        assert (row["bytes"], row["sha256"]) == (len(content), hashlib.sha256(content).hexdigest())
        assert (tmp_path / "out" / row["path"]).read_bytes() == content
        assert row["path"] == f"media/{item['item_id']}"
        assert not row["redistributable"]


def test_images_are_copies_that_no_change_leads_back_from(drawn: Path, tmp_path: Path) -> None:
    before = state(drawn)
    found = cub.rows(drawn, BIRDS, tmp_path)
    for row in found.kept:
        with (tmp_path / row["path"]).open("r+b") as file:
            file.write(b"changed")
    assert state(drawn) == before


@pytest.mark.parametrize("inside", ["", "images", "CUB_200_2011"])
def test_where_the_class_folders_may_lie(drawn: Path, tmp_path: Path, inside: str) -> None:
    source = drawn.parent if inside == "CUB_200_2011" else drawn / inside
    assert counts(cub.rows(source, BIRDS, tmp_path)) == (len(LISTED), 0, 0, 0)


def test_the_archive_gives_what_the_folder_gives(drawn: Path, tmp_path: Path) -> None:
    archive = pack(drawn, tmp_path / "CUB_200_2011.tgz")
    found = cub.rows(archive, BIRDS, tmp_path / "one")
    assert found == cub.rows(drawn, BIRDS, tmp_path / "two")
    for name in ("one", "two"):
        write(found, tmp_path / name / "manifests")
    one, two = (state(tmp_path / name) for name in ("one", "two"))
    assert {name: values[0] for name, values in one.items()} == {
        name: values[0] for name, values in two.items()
    }


def test_manifests_hold_what_was_found_and_are_equal_twice(copy: Path, tmp_path: Path) -> None:
    (copy / "images" / FIRST).write_bytes(b"")
    shutil.rmtree(copy / "images" / BIRDS[1].cub_name)
    for name in ("one", "two"):
        write(cub.rows(copy, BIRDS, tmp_path), tmp_path / name)
    table = read_table(tmp_path / "one" / "image.parquet", MANIFESTS[Medium.IMAGE])
    assert table.num_rows == len(cub_list(5)) - 1
    assert (tmp_path / "one" / "absent.parquet").stat().st_size > 0
    for path in (tmp_path / "one").iterdir():
        assert path.read_bytes() == (tmp_path / "two" / path.name).read_bytes()


def _cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-2000])


def _other_size(path: Path) -> None:
    path.write_bytes(draw(224, 224, 1))


def _bomb(path: Path) -> None:
    """A picture of 65,500 × 65,500 pixels by its header."""
    content = bytearray(path.read_bytes())
    start = content.index(b"\xff\xc0") + 5
    content[start : start + 4] = b"\xff\xdc\xff\xdc"
    path.write_bytes(content)


@pytest.mark.parametrize(
    ("spoil", "reason", "detail"),
    [
        (_cut, "unreadable_picture", "truncated"),
        (lambda path: path.write_bytes(b""), "unreadable_picture", "an empty file"),
        (lambda path: path.write_bytes(b"<html>" * 99), "unreadable_picture", "not a picture"),
        (lambda path: path.write_bytes(path.read_bytes()[:300]), "unreadable_picture", ""),
        (_bomb, "unreadable_picture", "exceeds limit"),
        (_other_size, "other_size", "224 × 224 pixels, listed as"),
    ],
    ids=["cut", "empty", "html", "header", "bomb", "size"],
)
def test_a_spoilt_image_is_rejected_by_name(
    copy: Path, tmp_path: Path, spoil, reason: str, detail: str
) -> None:
    spoil(copy / "images" / FIRST)
    found = cub.rows(copy, BIRDS, tmp_path / "out")
    (row,) = found.rejected
    assert (row["item_id"], row["stage"], row["reason"]) == (f"image/{FIRST}", "clean", reason)
    assert detail in row["detail"]
    assert "0x" not in row["detail"]
    assert counts(found) == (len(LISTED) - 1, 1, 0, 0)
    assert not (tmp_path / "out" / "media" / "image" / FIRST).exists()
    assert found == cub.rows(pack(copy, tmp_path / "copy.tgz"), BIRDS, tmp_path / "out")


def test_what_is_missing_is_absent_with_its_reason(copy: Path, tmp_path: Path) -> None:
    images = copy / "images"
    second, third, fourth = (cub_list(5)[k]["item_id"].removeprefix("image/") for k in (1, 2, 3))
    (images / FIRST).unlink()
    (images / second).rename(images / BIRDS[1].cub_name / Path(second).name)
    (images / third).unlink()
    (images / third).mkdir()
    (images / fourth).unlink()
    os.mkfifo(images / fourth)
    found = cub.rows(copy, species()[5:8], tmp_path / "out")
    third_class = len(cub_list(7))
    assert counts(found) == (len(LISTED) - 4, 0, 4 + third_class, 0)
    assert {row["query"]: row["reason"] for row in found.absent if row["label"] == 5} == {
        FIRST: "missing_file",
        second: "wrong_folder",
        third: "missing_file",
        fourth: "missing_file",
    }
    assert Counter(row["reason"] for row in found.absent)["missing_folder"] == third_class
    assert {row["species"] for row in found.absent} == {BIRDS[0].cub_name, species()[7].cub_name}
    (remark,) = found.remarks
    assert "1 files are not in the official list" in remark
    assert Path(second).name in remark


def test_a_file_that_cannot_be_read_has_failed(copy: Path, tmp_path: Path, monkeypatch) -> None:
    sizes = {f"image/{FIRST}": 40_000}
    (copy / "images" / FIRST).write_bytes(bytes(sizes[f"image/{FIRST}"]))
    monkeypatch.setattr(holding, "LARGEST", 30_000)
    found = cub.rows(copy, BIRDS, tmp_path / "out")
    failed = {failure.query: failure for failure in found.failed}
    assert failed[FIRST].reason == "unreadable_file"
    assert failed[FIRST].detail == "more than 30,000 bytes"
    assert sum(counts(found)) == len(LISTED)


def test_files_that_no_list_has_are_noted_and_not_used(copy: Path, tmp_path: Path) -> None:
    folder = copy / "images" / BIRDS[0].cub_name
    for name in ("extra_1.jpg", "._hidden", "Thumbs.db", "z\x1b[2J.jpg"):
        (folder / name).write_bytes(b"x")
    found = cub.rows(copy, BIRDS, tmp_path / "out")
    assert counts(found) == (len(LISTED), 0, 0, 0)
    (remark,) = found.remarks
    assert "4 files are not in the official list" in remark
    assert "\x1b" not in remark
    assert "…" in remark


def test_lists_of_the_copy_that_say_otherwise_are_noted(copy: Path, tmp_path: Path) -> None:
    for name, wrong in (("train_test_split.txt", "01"), ("image_class_labels.txt", "67")):
        swap = str.maketrans(wrong, wrong[::-1])
        lines = [line.split() for line in (copy / name).read_text().splitlines()]
        lines[:3] = [[number, value.translate(swap)] for number, value in lines[:3]]
        (copy / name).write_text("".join(f"{number} {value}\n" for number, value in lines))
    for source in (copy, pack(copy, tmp_path / "copy.tgz")):
        found = cub.rows(source, BIRDS, tmp_path / "out")
        assert counts(found) == (len(LISTED), 0, 0, 0)
        assert [remark.split(" of ", 1)[0] for remark in found.remarks] == [
            "image_class_labels.txt",
            "train_test_split.txt",
        ]
        assert all(f"in 3 of {len(LISTED)} images" in remark for remark in found.remarks)
    official = {item["item_id"]: item["split"] for item in LISTED}
    assert all(row["split_paper"] == official[row["item_id"]] for row in found.kept)


def test_a_build_that_was_stopped_goes_on(drawn: Path, tmp_path: Path) -> None:
    whole = cub.rows(drawn, BIRDS, tmp_path)
    before = state(tmp_path)
    kept = tmp_path / "media" / "image" / FIRST
    content = kept.read_bytes()
    kept.write_bytes(content[:100])
    (kept.parent / f".{kept.name}.part").write_bytes(content[:50])
    assert cub.rows(drawn, BIRDS, tmp_path) == whole
    assert kept.read_bytes() == content
    others = {name: s for name, s in state(tmp_path).items() if not name.endswith(kept.name)}
    assert {n: s[0] for n, s in others.items()} == {
        n: s[0] for n, s in before.items() if not n.endswith(kept.name)
    }


def test_nothing_of_the_set(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    for source, code in (("empty", "FG-L004"), ("nowhere", "FG-L001")):
        with pytest.raises(InputError) as caught:
            cub.rows(tmp_path / source, BIRDS, tmp_path / "out")
        assert caught.value.code == code
        assert source in str(caught.value)
    assert not (tmp_path / "out").exists()


def test_classes_that_the_copy_lacks_are_no_copy(drawn: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="FG-L004"):
        cub.rows(drawn, species()[:3], tmp_path / "out")


def test_an_archive_with_a_link_is_refused_before_anything_is_written(
    drawn: Path, tmp_path: Path
) -> None:
    path = tmp_path / "set.tgz"
    with tarfile.open(path, "w:gz", compresslevel=1) as archive:
        archive.add(drawn, "CUB_200_2011")
        info = tarfile.TarInfo("CUB_200_2011/../../x.jpg")
        archive.addfile(info)
    with pytest.raises(FaultyInput, match="FG-L002"):
        cub.rows(path, BIRDS, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_the_real_images_of_ten_classes(real_data: Path, tmp_path: Path) -> None:
    source = real_data / "images" / "cub_10classes"
    if not source.is_dir():
        pytest.skip(f"no {source}")
    found = cub.rows(source, species()[:10], tmp_path)
    assert counts(found) == (543, 0, 0, 0)
    assert Counter(row["split_paper"] for row in found.kept) == {"train": 300, "test": 243}
    labels = dict(
        line.split() for line in (real_data / "cub_metadata/image_class_labels.txt").open()
    )
    sides = dict(line.split() for line in (real_data / "cub_metadata/train_test_split.txt").open())
    names = dict(line.split() for line in (real_data / "cub_metadata/images.txt").open())
    for row in found.kept:
        number = row["source_id"]
        assert row["item_id"] == f"image/{names[number]}"
        assert row["label"] == int(labels[number]) - 1
        assert row["split_paper"] == ("train" if sides[number] == "1" else "test")
        assert (tmp_path / row["path"]).read_bytes() == (source / names[number]).read_bytes()
    write(found, tmp_path / "manifests")
