"""What a benchmark lists: both sides, with paths and texts."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from small_media import LABELS, TEST, TEXTS, TRAIN, write_small_media

from fgbench.errors import FaultyInput
from fgbench.media.listing import read_listing
from fgbench.protocol import MEDIA, Medium


@pytest.fixture(scope="module")
def build(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_small_media(tmp_path_factory.mktemp("listing") / "build")


def test_a_build_folder_lists_both_sides_and_is_its_own_media_root(build: Path) -> None:
    listing = read_listing(build)
    assert list(listing.train) == list(listing.test) == list(MEDIA)
    assert listing.media_root == build
    for medium in MEDIA:
        train, test = listing.train[medium], listing.test[medium]
        assert train.ids.tolist() == [f"{medium}/{c}/{n}" for c in LABELS for n in range(TRAIN)]
        assert test.labels.tolist() == [label for label in LABELS for _ in range(TEST)]
        assert listing.items(medium) == train.items + test.items
    assert listing.train[Medium.TEXT].items[0].text == f"{TEXTS[3]} worda"
    assert listing.train[Medium.TEXT].items[0].path is None
    paths = [item.path for item in listing.items(Medium.IMAGE)]
    assert all(path is not None and path.is_file() for path in paths)


def test_manifests_alone_have_no_media_root_unless_it_is_given(build: Path, tmp_path: Path) -> None:
    plain = tmp_path / "plain"
    plain.mkdir()
    for name in ("image", "text"):
        pq.write_table(
            pq.read_table(build / "manifests" / f"{name}.parquet"), plain / f"{name}.parquet"
        )
    listing = read_listing(plain)
    assert listing.media_root is None
    assert {item.path for item in listing.items(Medium.IMAGE)} == {None}
    given = read_listing(plain, media_root=build)
    assert given.items(Medium.IMAGE) == read_listing(build).items(Medium.IMAGE)


def test_without_columns_of_content_an_id_is_a_path(build: Path, tmp_path: Path) -> None:
    for name in ("image", "text"):
        table = pq.read_table(build / "manifests" / f"{name}.parquet")
        ids = table["item_id"].to_pylist()
        ids[0] = "../outside"
        columns = {"item_id": ids} | {n: table[n].to_pylist() for n in ("medium", "label", "split")}
        pq.write_table(pa.table(columns), tmp_path / f"{name}.parquet")
    listing = read_listing(tmp_path, media_root=Path("root"))
    for medium in (Medium.IMAGE, Medium.TEXT):
        outside, inside = listing.train[medium].items[:2]
        assert outside.path is None
        assert inside.path == Path(f"root/{medium}/3/1")
    assert read_listing(tmp_path).train[Medium.IMAGE].items[1].path is None


def test_another_split_column_is_followed(build: Path, tmp_path: Path) -> None:
    for name in ("image", "text"):
        table = pq.read_table(build / "manifests" / f"{name}.parquet")
        flipped = ["test" if side == "train" else "train" for side in table["split"].to_pylist()]
        table = table.append_column("mine", pa.array(flipped))
        pq.write_table(table, tmp_path / f"{name}.parquet")
    usual, other = read_listing(tmp_path), read_listing(tmp_path, split_column="mine")
    assert other.train[Medium.IMAGE].items == usual.test[Medium.IMAGE].items
    assert other.test[Medium.TEXT].items == usual.train[Medium.TEXT].items


def test_an_id_in_two_files_is_a_fault(build: Path, tmp_path: Path) -> None:
    folder = tmp_path
    table = pq.read_table(build / "manifests" / "image.parquet")
    pq.write_table(pq.read_table(build / "manifests" / "text.parquet"), folder / "text.parquet")
    pq.write_table(table, folder / "image.parquet")
    again = table.filter(pa.compute.equal(table["split"], "train")).slice(0, 2)
    pq.write_table(again, folder / "more.parquet")
    with pytest.raises(FaultyInput, match=r"FG-F060  image\n.*2 ids.*image/3/0"):
        read_listing(folder)


def test_a_path_out_of_the_media_root_is_a_fault(build: Path, tmp_path: Path) -> None:
    for name in ("image", "text"):
        rows = pq.read_table(build / "manifests" / f"{name}.parquet").to_pylist()
        rows[0] |= {"path": "../../etc/passwd"} if name == "image" else {}
        pq.write_table(pa.Table.from_pylist(rows), tmp_path / f"{name}.parquet")
    with pytest.raises(FaultyInput, match="FG-D008"):
        read_listing(tmp_path, media_root=build)
