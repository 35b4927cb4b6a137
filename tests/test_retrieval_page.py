"""The page of a query: what is on it, what is left out of it, and that it says so."""

from __future__ import annotations

import re
from base64 import b64decode
from io import BytesIO
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from PIL import Image
from small_gallery import item_id, write_gallery, write_run

from fgbench.errors import InputError
from fgbench.media.item import MediaItem
from fgbench.protocol import MEDIA
from fgbench.retrieval.catalogue import read_catalogue
from fgbench.retrieval.page import Page, make_page
from fgbench.retrieval.picture import picture_item
from fgbench.retrieval.query import find_query
from fgbench.retrieval.ranking import rank_galleries
from fgbench.submission import check

IMAGE, TEXT, VIDEO, AUDIO = MEDIA


@pytest.fixture
def build(tmp_path: Path) -> Path:
    return write_gallery(tmp_path / "build")


def page(build: Path, galleries=(TEXT, VIDEO, AUDIO), top=3, catalogue=None) -> Page:
    catalogue = catalogue or read_catalogue(build)
    report = check(write_run(build / "run") / "submission.npz", catalogue.benchmark)
    query = find_query(item_id(IMAGE, 0), catalogue)
    found = rank_galleries(report.submission, catalogue.benchmark, query, galleries, top)
    return make_page(catalogue, report.submission, query, found)


def pictures(html: str) -> list[Image.Image]:
    found = re.findall(r'src="data:image/(?:jpeg|png);base64,([^"]+)"', html)
    return [Image.open(BytesIO(b64decode(data))) for data in found]


def test_each_medium_is_shown_in_its_way(build):
    made = page(build)
    assert made.lacks == ()
    sizes = [picture.size for picture in pictures(made.html)]
    assert sizes[0] == (240, 160)  # the query itself, which is smaller than a card
    assert sizes.count((720, 160)) == 3  # spectrograms
    assert sizes.count((200, 133)) == 3 * 4  # frames
    assert len(sizes) == 1 + 3 + 3 * 4
    assert made.html.count("<blockquote>") == 3
    assert made.html.count('class="right"') == made.html.count("✓ right</b>") == 2 * 3
    assert made.html.count('class="wrong"') == made.html.count("✗ wrong</b>") == 1 * 3
    assert made.html.count("<dd>1.000</dd>") == 3
    assert "keep this page to yourself" in made.html


def test_equal_inputs_give_equal_bytes(build):
    assert page(build).html == page(build).html


def test_nothing_of_the_data_becomes_markup(build):
    html = page(build).html
    for start in ("<script", "<img src=x", "<b>more", "<i>", "javascript:"):
        assert start not in html
    assert "&lt;script&gt;alert(1)" in html
    assert "\x1b" not in html
    assert set(re.findall(r'href="(\w+):', html)) == {"https"}


def test_a_file_that_cannot_be_decoded_is_named_in_its_place(build):
    (build / "media/image/bird_0.jpg").write_bytes(b"<svg onload=alert(1)>")
    (build / "media/audio/bird_0.flac").unlink()
    for frame in (build / "media/video/bird_0").iterdir():
        frame.unlink()
    made = page(build)
    named = {lack.partition(":")[0]: lack for lack in made.lacks}
    assert set(named) == {"image/bird_0", "audio/bird_0", "video/bird_0"}
    assert "FG-M002" in named["image/bird_0"]
    assert "FG-M008" in named["video/bird_0"]
    assert made.html.count("No picture.") == 3
    assert "<svg" not in made.html


@pytest.mark.parametrize("where", ["../outside.jpg", "{folder}/outside.jpg", "media/link.jpg"])
def test_no_file_from_outside_the_media_root_is_shown(build, tmp_path, where):
    outside = tmp_path / "outside.jpg"
    outside.write_bytes((build / "media/image/bird_0.jpg").read_bytes())
    (build / "media/link.jpg").symlink_to(outside)
    path = build / where.format(folder=tmp_path)
    with pytest.raises(InputError, match="FG-Q008"):
        picture_item(MediaItem("x", IMAGE, path), build)
    assert len(picture_item(MediaItem("x", IMAGE, outside))) == 1


def test_no_frame_from_outside_is_shown(build, tmp_path):
    outside = tmp_path / "outside.jpg"
    frame = build / "media/video/bird_0/01.jpg"
    outside.write_bytes(frame.read_bytes())
    frame.unlink()
    frame.symlink_to(outside)
    with pytest.raises(InputError, match="FG-Q008"):
        picture_item(MediaItem("x", VIDEO, build / "media/video/bird_0.mp4"), build)


def test_pixels_alone_of_a_picture_are_passed_on(tmp_path):
    large = Image.new("RGB", (3000, 1000), "teal")
    exif = Image.Exif()
    exif[0x013B] = "Somebody"
    large.save(tmp_path / "large.jpg", exif=exif)
    assert b"Somebody" in (tmp_path / "large.jpg").read_bytes()
    (picture,) = picture_item(MediaItem("x", IMAGE, tmp_path / "large.jpg"))
    data = b64decode(picture.data.partition(",")[2])
    assert b"Somebody" not in data
    assert Image.open(BytesIO(data)).size == (360, 120)


def test_a_folder_must_be_named_where_files_are_listed(build, tmp_path):
    bare = tmp_path / "bare"
    (build / "manifests").rename(bare)
    with pytest.raises(InputError, match="FG-Q007"):
        page(build, catalogue=read_catalogue(bare))
    assert page(build, catalogue=read_catalogue(bare, media_root=build)).lacks == ()


def test_of_a_benchmark_without_files_the_ids_are_shown(build, tmp_path):
    bare = tmp_path / "bare"
    bare.mkdir()
    wanted = ["item_id", "medium", "label", "split_grouped"]
    for medium in MEDIA:
        table = pq.read_table(build / f"manifests/{medium}.parquet")
        pq.write_table(table.select(wanted), bare / f"{medium}.parquet")
    made = page(build, catalogue=read_catalogue(bare, split_column="split_grouped"))
    assert made.lacks == ()
    assert made.html.count("nothing of it but its id") == 1 + 3 * 3
    assert "text/3" in made.html
    assert pictures(made.html) == []
