"""CUB-200-2011 on the user's disk, held against the lists that ship with fgbench.

An image is kept when it is where the list says, decodes, and has the size that the boxes of the set
are drawn on. A picture whose data are damaged but complete may decode all the same: the lists have
no hashes to tell. Kept images are copied to ``OUT/media/image``.
"""

from __future__ import annotations

import hashlib
import struct
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from importlib import resources
from io import BytesIO
from pathlib import Path

import pyarrow.parquet as pq

from fgbench.collect.local.found import Found, absence
from fgbench.collect.local.holding import Holding, open_holding
from fgbench.collect.sites.licences import ALL_RIGHTS_RESERVED
from fgbench.dataset.collected import Failed
from fgbench.dataset.io import write_bytes
from fgbench.dataset.schema import Row, Split, Stage, rejection
from fgbench.errors import InputError, MissingExtra
from fgbench.manifest import show
from fgbench.protocol import Medium
from fgbench.species import Species

try:
    from PIL import Image, UnidentifiedImageError
except ImportError as error:
    raise MissingExtra("pillow", "build") from error

SITE = "cub-200-2011"
HOME = "https://www.vision.caltech.edu/datasets/cub_200_2011/"
MEDIA = "media/image"
"""Where in a build folder the images are."""

LISTS = NAMES, LABELS, SPLIT = "images.txt", "image_class_labels.txt", "train_test_split.txt"
"""The set's own lists, beside the folder of images: an image's number, and its name or value."""
_TOPS = ("CUB_200_2011/images/", "images/", "")
"""Where in a copy the class folders may lie."""
_FORMATS = ("JPEG", "PNG", "GIF", "BMP")
"""All are .jpg by name; what a file is, it says itself."""
_ATTRIBUTION = (
    "Photograph from Caltech-UCSD Birds-200-2011 (C. Wah, S. Branson, P. Welinder, P. Perona, "
    f"S. Belongie; CNS-TR-2011-001), {HOME}"
)
_UNREADABLE = (OSError, SyntaxError, ValueError, struct.error, Image.DecompressionBombError)
"""What Pillow raises for pictures that it cannot decode."""


@dataclass(frozen=True, slots=True)
class Listed:
    """An image of the official list. ``name`` is ``class folder/file``; sizes in pixels."""

    name: str
    item_id: str
    bird: Species
    split: Split
    image_id: int
    width: int
    height: int


def rows(source: Path, species: Iterable[Species], out: Path) -> Found:
    """Every image of these classes in the copy at ``source``, a folder or the set's .tgz.

    Raises ``InputError`` (FG-L…) where the copy has none of them or is not safe to read; then
    nothing was written.
    """
    listed = listed_images(species)
    holding = open_holding(source)
    top = _class_folders(source, holding, listed)
    there = holding.two_deep(top)
    kept: list[Row] = []
    rejected: list[Row] = []
    failed: list[Failed] = []
    own: dict[str, Mapping[str, str]] = {}
    lists = {f"{top.removesuffix('images/')}{name}": name for name in LISTS} if top else {}
    here = {top + image.name: image for image in listed if image.name in there}
    for name, content in holding.read([*here, *lists]):
        if name in lists:
            own[lists[name]] = _numbered(content)
        elif isinstance(content, OSError):
            failed.append(_failed(here[name], content))
        elif wrong := _wrong(here[name], content):
            rejected.append(rejection(_row(here[name]), Stage.CLEAN, *wrong))
        else:
            kept.append(_keep(here[name], content, out))
    return Found(
        kept=tuple(sorted(kept, key=_by_id)),
        rejected=tuple(sorted(rejected, key=_by_id)),
        absent=tuple(_absences(listed, there, holding.folders(top))),
        failed=tuple(sorted(failed, key=lambda f: f.query)),
        remarks=(*_extra(there, listed), *_disagreements(own, listed)),
    )


def listed_images(species: Iterable[Species]) -> list[Listed]:
    """The official list, of these classes."""
    birds = {bird.label: bird for bird in species}
    table = resources.files("fgbench.manifests") / "fgxmedia-2019" / "image.parquet"
    with table.open("rb") as file:
        items = pq.read_table(file).to_pylist()
    return [
        Listed(
            name=item["item_id"].removeprefix("image/"),
            item_id=item["item_id"],
            bird=birds[item["label"]],
            split=Split(item["split"]),
            image_id=item["cub_image_id"],
            width=item["width"],
            height=item["height"],
        )
        for item in items
        if item["label"] in birds
    ]


def _class_folders(source: Path, holding: Holding, listed: Iterable[Listed]) -> str:
    """Where in the copy the class folders lie. Raises ``InputError`` (FG-L004) where nowhere."""
    wanted = {image.name for image in listed}
    shared = {top: len(wanted & holding.two_deep(top)) for top in _TOPS}
    top = max(_TOPS, key=lambda top: shared[top])
    if not shared[top]:
        raise InputError(
            "FG-L004",
            f"{source} has no image of the classes asked for",
            why="Class folders such as 001.Black_footed_Albatross were looked for in it, in "
            "images/ and in CUB_200_2011/images/.",
            fix=f"Give the folder or the .tgz of CUB-200-2011, from {HOME}",
        )
    return top


def _wrong(image: Listed, content: bytes) -> tuple[str, str] | None:
    """Why the picture is not the listed one: reason and detail; None where it is.

    The size is looked at first, so that no bomb is unpacked.
    """
    try:
        with Image.open(BytesIO(content), formats=_FORMATS) as picture:
            if picture.size != (image.width, image.height):
                width, height = picture.size
                found = f"{width} × {height} pixels, listed as {image.width} × {image.height}"
                return "other_size", found
            picture.load()
    except UnidentifiedImageError:  # its text holds an address in memory
        return "unreadable_picture", "not a picture" if content else "an empty file"
    except _UNREADABLE as error:
        return "unreadable_picture", show(str(error))
    return None


def _keep(image: Listed, content: bytes, out: Path) -> Row:
    """The row of an image that is copied to the build folder, or is there already."""
    path = f"{MEDIA}/{image.name}"
    target = out / path
    if not (target.is_file() and target.read_bytes() == content):
        write_bytes(target, content)
    return {
        **_row(image),
        "split_paper": image.split.value,
        "split_grouped": image.split.value,
        "path": path,
        "sha256": hashlib.sha256(content).hexdigest(),
        "bytes": len(content),
        "width": image.width,
        "height": image.height,
    }


def _row(image: Listed) -> Row:
    """Identity and provenance. No address: the set names the source of none of its photographs."""
    return {
        "item_id": image.item_id,
        "label": image.bird.label,
        "species": image.bird.cub_name,
        "medium": Medium.IMAGE.value,
        "site": SITE,
        "source_id": str(image.image_id),
        "licence": ALL_RIGHTS_RESERVED.name,
        "redistributable": False,
        "attribution": _ATTRIBUTION,
    }


def _failed(image: Listed, error: OSError) -> Failed:
    why = error.strerror or type(error).__name__
    return Failed(Medium.IMAGE, SITE, image.bird.label, image.name, "", "unreadable_file", why)


def _by_id(row: Row) -> str:
    return str(row["item_id"])


def _absences(
    listed: Iterable[Listed], there: Collection[str], folders: Collection[str]
) -> Iterable[Row]:
    """Listed images that are not where they should be, and why."""
    elsewhere = {name.partition("/")[2] for name in there}
    for image in listed:
        if image.name in there:
            continue
        folder, _, file = image.name.partition("/")
        if folder not in folders:
            reason = "missing_folder"
        else:
            reason = "wrong_folder" if file in elsewhere else "missing_file"
        yield absence(image.bird, Medium.IMAGE, SITE, image.name, reason)


def _extra(there: Collection[str], listed: Iterable[Listed]) -> list[str]:
    """A remark on files in the class folders asked for that no list has."""
    classes = {image.bird.cub_name for image in listed}
    names = {image.name for image in listed}
    mine = {name for name in there if name.partition("/")[0] in classes}
    if not (extra := sorted(mine - names)):
        return []
    which = ", ".join(show(name) for name in extra[:3]) + (", …" if len(extra) > 3 else "")
    return [f"{len(extra):,} files are not in the official list and not used: {which}"]


def _disagreements(own: Mapping[str, Mapping[str, str]], listed: Iterable[Listed]) -> list[str]:
    """A remark for each of the copy's own lists that says otherwise than the official one."""
    numbers = {name: number for number, name in own.get(NAMES, {}).items()}
    official: defaultdict[str, dict[str, str]] = defaultdict(dict)
    for image in listed:
        if number := numbers.get(image.name):
            official[LABELS][number] = str(image.bird.cub_id)
            official[SPLIT][number] = "1" if image.split is Split.TRAIN else "0"
    remarks = []
    for name, expected in official.items():
        found = own.get(name, {})
        other = sum(found.get(number, value) != value for number, value in expected.items())
        if other:
            remarks.append(
                f"{name} of this copy differs from the official list in {other:,} of "
                f"{len(expected):,} images; the official list is used"
            )
    return remarks


def _numbered(content: bytes | OSError) -> dict[str, str]:
    """The lines of one of the set's own lists; none where the copy lacks it."""
    if isinstance(content, OSError):
        return {}
    lines = content.decode("utf-8", "replace").splitlines()
    return {number: value for number, _, value in (line.partition(" ") for line in lines)}
