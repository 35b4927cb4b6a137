"""Miniature copies of CUB-200-2011 and YouTube Birds for the eight birds, everything in them drawn.

In the shapes that ``--cub`` and ``--youtube-birds`` read. The first has the names, numbers, sizes
and sides of 24 real images a class; the second has nothing of the real lists, which may not be
passed on.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path

import numpy as np

from fgbench.collect.local import cub, youtube_lists
from fgbench.collect.sample.clip import draw_clip
from fgbench.collect.sample.figure import plumages
from fgbench.collect.sample.picture import COMMENT, draw_picture
from fgbench.dataset.io import SUMS, verify_checksums, write_bytes, write_checksums
from fgbench.dataset.schema import Split
from fgbench.errors import InputError
from fgbench.protocol import Medium
from fgbench.species import Species, species

NAMES: Mapping[Medium, str] = {Medium.IMAGE: "CUB_200_2011", Medium.VIDEO: "youtube-birds"}
"""What the folder of each set is called."""
IMAGES_A_SIDE = 12
"""Of a class: the first of each side by their numbers in CUB."""
CLIPS_A_SIDE = 4
FRAMES = 26, 48
"""The fewest and the most of a clip: 25 can be taken from each."""
SHORT = {"syn_002_08z": 9}
"""A clip with fewer frames than that, and how many."""
MISSING = frozenset({"syn_001_04z"})
"""Listed, and not there."""

_README = "README.txt"

Files = Iterator[tuple[str, bytes]]
"""Names in a set, and contents."""


def write_sets(folder: Path, media: Iterable[Medium] = NAMES) -> dict[Medium, Path]:
    """Where in ``folder`` the set of each medium lies, once it is there and whole.

    Equal bytes with the same releases of fgbench, Pillow, PyAV and NumPy. A set that these have
    made is left as it is; one that is damaged or older is replaced. Raises ``InputError``
    (FG-L005) where something else has its name.
    """
    birds = [species()[cub_id - 1] for cub_id in plumages()]
    places = {medium: folder / NAMES[medium] for medium in media}
    for place in places.values():
        _check_ours(place)
    for medium, place in places.items():
        _complete(place, _pictures(birds) if medium is Medium.IMAGE else _clips(birds))
    return places


def _check_ours(place: Path) -> None:
    readme = place / _README
    ours = readme.is_file() and readme.read_bytes().startswith(COMMENT.encode())
    if place.exists() and not ours:
        raise InputError(
            "FG-L005",
            f"{place} is there already and is not of the sample world",
            why="It would be replaced by drawings.",
            fix="Give another --out, or move it away.",
        )


def _complete(place: Path, files: Files) -> None:
    """Draws a set beside its place and moves it there when it is whole, if it is not there yet."""
    readme = _readme()
    part, old = (place.with_name(f".{place.name}.{suffix}") for suffix in ("part", "old"))
    shutil.rmtree(part, ignore_errors=True)
    shutil.rmtree(old, ignore_errors=True)
    if _is_whole(place, readme):
        return
    names = []
    for name, content in (*files, (_README, readme)):
        write_bytes(part / name, content)
        names.append(name)
    write_checksums(part, names)
    if place.exists():
        place.replace(old)
    part.replace(place)
    shutil.rmtree(old, ignore_errors=True)


def _is_whole(place: Path, readme: bytes) -> bool:
    if not (place / SUMS).is_file() or (place / _README).read_bytes() != readme:
        return False
    try:
        verify_checksums(place)
    except InputError:
        return False
    return True


def _readme() -> bytes:
    releases = ", ".join(f"{name} {version(name)}" for name in ("fgbench", "pillow", "av", "numpy"))
    return f"{COMMENT}.\nMade with {releases}.\n".encode()


def _pictures(birds: Sequence[Species]) -> Files:
    """The images of both sides, and the set's own lists of just these."""
    images = []
    listed = sorted(cub.listed_images(birds), key=lambda image: image.image_id)
    for bird in birds:
        for split in (Split.TRAIN, Split.TEST):
            images += [i for i in listed if (i.bird, i.split) == (bird, split)][:IMAGES_A_SIDE]
    for image in images:
        size, rng = (image.width, image.height), np.random.default_rng([0, image.image_id])
        yield f"images/{image.name}", draw_picture(plumages()[image.bird.cub_id], size, rng)
    values = {
        cub.NAMES: [image.name for image in images],
        cub.LABELS: [str(image.bird.cub_id) for image in images],
        cub.SPLIT: [str(int(image.split is Split.TRAIN)) for image in images],
    }
    for name, column in values.items():
        lines = (f"{i.image_id} {value}\n" for i, value in zip(images, column, strict=True))
        yield name, "".join(lines).encode()


def _clips(birds: Sequence[Species]) -> Files:
    """The clips of both sides but those that are missing, and the lists of all."""
    lists: dict[str, list[tuple[str, int]]] = {name: [] for name in youtube_lists.LISTS}
    for bird in birds:
        ids = [_youtube_id(bird, number) for number in range(1, 2 * CLIPS_A_SIDE + 1)]
        for name, split in youtube_lists.LISTS.items():
            mine = ids[:CLIPS_A_SIDE] if split is Split.TRAIN else ids[CLIPS_A_SIDE:]
            lists[name] += [(youtube_id, bird.label) for youtube_id in mine]
        for number, youtube_id in enumerate(ids):
            if youtube_id not in MISSING:
                rng = np.random.default_rng([1, bird.cub_id, number])
                frames = int(rng.integers(*FRAMES, endpoint=True))
                content = draw_clip(plumages()[bird.cub_id], SHORT.get(youtube_id, frames), rng)
                yield f"clips/{youtube_id}.mp4", content
    names = {str(bird.label): bird.cub_name.partition(".")[2].replace("_", " ") for bird in birds}
    for name, value in (*lists.items(), (youtube_lists.NAMES, names)):
        yield name, (json.dumps(value, indent=1) + "\n").encode()


def _youtube_id(bird: Species, number: int) -> str:
    """An id that no clip on YouTube has: those are 64 bits in 11 signs, and never end in a z."""
    return f"syn_{bird.cub_id:03}_{number:02}z"
