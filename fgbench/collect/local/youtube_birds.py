"""YouTube Birds by its lists: the clips that the user has or downloads, and 25 frames of each.

A clip is looked for in the user's folder first, anywhere below it, as ``<YouTube id>.mp4`` or with
another ending of a video; then among the downloads of the build folder. ``OUT/media/video`` gets
``<id>.mp4`` as a hard link, or a copy where the file system has no links, and its frames in
``<id>/01.jpg``… ``25.jpg``. The user's folder is only read.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from fgbench.collect.local.downloads import SITE, SUFFIXES, Downloads
from fgbench.collect.local.found import Found, absence
from fgbench.collect.local.frames import Unusable, extract
from fgbench.collect.local.refusals import Missing
from fgbench.collect.local.youtube_lists import ListedClip, read_lists
from fgbench.collect.sites.licences import licence_of
from fgbench.dataset.collected import Failed
from fgbench.dataset.schema import Row, Stage, rejection
from fgbench.engine import map_unordered
from fgbench.errors import FgbenchError
from fgbench.protocol import Medium
from fgbench.species import Species

MEDIA = "media/video"
"""Where in a build folder the clips and their frames are."""

PAGE = "https://www.youtube.com/watch?v="
"""Where a clip is for a reader, its id added."""
FEW = 20
"""Fewer clips than this are decoded in this process: starting others would take longer."""


@dataclass(frozen=True, slots=True)
class _Held:
    """A clip that is on disk, on its way to a worker."""

    row: Row
    """Identity, the official side and provenance."""
    video: Path
    out: Path


def rows(
    source: Path,
    species: Iterable[Species],
    out: Path,
    downloads: Downloads,
    *,
    engine: str = "local",
) -> Found:
    """Every clip of these classes in the lists in ``source``; what is decoded goes to ``out``.

    Clips are downloaded only where ``downloads`` asks. The workers of ``engine`` must see
    ``source`` and ``out``. Raises ``InputError`` where the lists are not there or not right
    (FG-L010, FG-L011).
    """
    entries, remarks = read_lists(source)
    labels = {bird.label for bird in species}
    clips, repeated = _distinct(entry for entry in entries if entry.bird.label in labels)
    local = _local_files(source)
    held: list[_Held] = []
    absent: list[Row] = []
    failed: list[Failed] = []
    for clip in clips:
        video = local.get(clip.youtube_id) or downloads.get(clip.youtube_id)
        if isinstance(video, Path):
            held.append(_Held(_row(clip, _known(clip, video, local, downloads)), video, out))
        elif video.absent:
            absent.append(absence(clip.bird, Medium.VIDEO, SITE, clip.youtube_id, video.reason))
        else:
            failed.append(_failed(clip, video))
    workers = 1 if engine == "local" and len(held) < FEW else None
    taken = sorted(map_unordered(_take, held, engine=engine, workers=workers), key=_by_id)
    return Found(
        kept=tuple(row for row in taken if "stage" not in row),
        rejected=(*(row for row in taken if "stage" in row), *repeated),
        absent=tuple(absent),
        failed=tuple(failed),
        remarks=remarks,
    )


def _distinct(clips: Iterable[ListedClip]) -> tuple[list[ListedClip], list[Row]]:
    """Each clip once, where it stands first; a rejection for every other time."""
    first: dict[str, ListedClip] = {}
    repeated = []
    for clip in clips:
        kept = first.setdefault(clip.youtube_id, clip)
        if kept is not clip:
            row = _row(clip, {})
            detail = f"it is in {kept.split} as {kept.bird.cub_name} already"
            repeated.append(
                rejection(row, Stage.DUPLICATES, "listed_twice", detail, row["item_id"])
            )
    return list(first.values()), repeated


def _local_files(source: Path) -> dict[str, Path]:
    """The user's videos by their names without ending; of one name, the first by path."""
    files: dict[str, Path] = {}
    for folder, below, names in os.walk(source):
        below.sort()
        for name in sorted(names):
            path = Path(folder, name)
            if path.suffix.lower() in SUFFIXES and path.is_file():
                files.setdefault(path.stem, path)
    return files


def _known(
    clip: ListedClip, video: Path, local: Mapping[str, Path], downloads: Downloads
) -> dict[str, Any]:
    return {} if local.get(clip.youtube_id) is video else downloads.info(clip.youtube_id)


def _row(clip: ListedClip, info: Mapping[str, Any]) -> Row:
    """Identity, the official side, and provenance as far as YouTube told it."""
    licence = licence_of("", _licence_name(info))
    author = str(info.get("uploader") or info.get("channel") or "")
    page = f"{PAGE}{clip.youtube_id}"
    return {
        "item_id": f"video/{clip.youtube_id}",
        "label": clip.bird.label,
        "species": clip.bird.cub_name,
        "medium": Medium.VIDEO.value,
        "split_paper": clip.split.value,
        "split_grouped": clip.split.value,
        "site": SITE,
        "source_url": page,
        "source_id": clip.youtube_id,
        "licence": licence.name,
        "redistributable": licence.redistributable,
        "attribution": f"{author}, {page}" if author else page,
        "title": str(info.get("title") or "") or None,
        "author": author or None,
        "retrieved_at": _moment(info.get("epoch")),
    }


def _licence_name(info: Mapping[str, Any]) -> str:
    """YouTube knows two licences: its own, which it does not name, and one of Creative Commons."""
    stated = str(info.get("license") or "")
    by = "Creative Commons Attribution"
    return by if stated.startswith(by) else stated


def _moment(epoch: object) -> str | None:
    """When yt-dlp asked for the clip: its answers carry no date of their own here."""
    if not isinstance(epoch, int) or not 0 < epoch < 2**33:
        return None
    return datetime.fromtimestamp(epoch, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _failed(clip: ListedClip, video: Missing) -> Failed:
    page = f"{PAGE}{clip.youtube_id}"
    label, query = clip.bird.label, clip.youtube_id
    return Failed(Medium.VIDEO, SITE, label, query, page, video.reason, video.detail)


def _take(held: _Held) -> Row:
    """The row of a clip on disk, its frames and file in place; or its rejection."""
    row, video = held.row, held.video
    name = f"{MEDIA}/{row['source_id']}"
    path = f"{name}{video.suffix.lower()}"
    try:
        with video.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
            size = file.tell()
    except OSError as error:
        return rejection(row, Stage.CLEAN, "unreadable_video", str(error.strerror))
    try:
        clip = extract(video, digest, held.out / name)
        _place(video, held.out / path)
    except Unusable as error:
        return rejection(row, Stage.CLEAN, error.reason, error.detail)
    except OSError as error:
        raise FgbenchError(
            "FG-L013",
            f"{held.out / path} or its frames could not be written: {error}",
            why="What was there before is unchanged; other clips are whole.",
            fix="See to disk space and permissions, then run the same command again.",
        ) from error
    return {
        **row,
        "path": path,
        "sha256": digest,
        "bytes": size,
        "duration_s": clip.duration_s,
        "width": clip.width,
        "height": clip.height,
        "frames": clip.frames,
        "flags": list(clip.flags),
    }


def _place(video: Path, target: Path) -> None:
    """Has ``target`` be the file ``video``: a hard link costs no space, a copy is second best."""
    if target.exists() and target.samefile(video):
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(f".{target.name}.part")
    part.unlink(missing_ok=True)
    try:
        os.link(video.resolve(), part)
    except OSError:  # another file system, or one without links
        shutil.copyfile(video, part)
    part.replace(target)


def _by_id(row: Row) -> str:
    return str(row["item_id"])
