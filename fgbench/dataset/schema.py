"""What a manifest is: its columns, their types and meanings, and how an item gets its id.

One row is one instance. Identity, provenance and process are the same in every medium; what the
instance holds differs. ``rejected`` keeps what was read and not used, ``absent`` what a site does
not have. The dataset card, Croissant and the checks of ``dataset.io`` all read these definitions.
"""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import pyarrow as pa

from fgbench.protocol import MEDIA, Medium

Row = dict[str, Any]
"""A row on its way to a manifest: column name to value; a column left out is null."""


class Split(StrEnum):
    """The side of a split that an item is on."""

    TRAIN = "train"
    TEST = "test"


class Stage(StrEnum):
    """The stage of the build that rejected an item."""

    CLEAN = "clean"
    SEGMENT = "segment"
    DUPLICATES = "duplicates"
    REVIEW = "review"
    SELECT = "select"


class GroupLevel(StrEnum):
    """What the grouped split kept whole in a class."""

    ARTICLE = "article"
    SECTION = "section"
    RECORDING = "recording"


@dataclass(frozen=True, slots=True)
class Column:
    """A column: its Arrow type, its meaning in a line, and which values it may hold.

    ``required``: no nulls. ``values``: the only values allowed; empty is any of the type.
    """

    name: str
    type: pa.DataType
    meaning: str
    required: bool = False
    values: frozenset[str] = frozenset()


def _strings(*names: tuple[str, str]) -> tuple[Column, ...]:
    return tuple(Column(name, pa.string(), meaning) for name, meaning in names)


_IDENTITY = (
    Column("item_id", pa.string(), "Unique in its medium: text/…, audio/… or listed path", True),
    Column("label", pa.int32(), "The class, 0-199: its CUB-200-2011 id less one", True),
    Column("species", pa.string(), "The class's CUB-200-2011 name", True),
    Column("medium", pa.string(), "image, text, video or audio", True, frozenset(MEDIA)),
)
_SPLITS = (
    Column(
        "split_paper",
        pa.string(),
        "train or test, drawn item by item as the paper does; null: one item in the class",
        values=frozenset(Split),
    ),
    Column(
        "split_grouped",
        pa.string(),
        "train or test, whole groups on one side; null: the class is left out of this medium",
        values=frozenset(Split),
    ),
    Column("group_id", pa.string(), "The group: items of one group are on one side of the split"),
    Column(
        "group_level",
        pa.string(),
        "What a group is in this class; null: no grouping leaves both sides non-empty",
        values=frozenset(GroupLevel),
    ),
    Column("cluster_id", pa.string(), "Items of one near-duplicate cluster share it; null: none"),
)
_PROVENANCE = (
    Column("site", pa.string(), "The source's name, as in `fgbench sites list`", True),
    *_strings(
        ("source_url", "Canonical address of the page or recording"),
        ("source_id", "The source's own id of it: revision, recording or catalogue number"),
        ("retrieved_at", "When it was fetched, ISO 8601 UTC: the answer's own Date header"),
        ("archive_url", "Address of the archived copy that was read, where there is one"),
        ("warc_digest", "Digest of the stored answer that it was read from, sha256:…"),
        ("query", "The name that was asked for and found it"),
        ("title", "Title of the page or recording"),
        ("author", "Who wrote or recorded it"),
        ("licence", "The licence as the source states it: an SPDX-like id, or all rights reserved"),
        ("licence_url", "Address of the licence's text"),
    ),
    Column("redistributable", pa.bool_(), "The licence allows passing the item on", True),
    Column("attribution", pa.string(), "The credit line to print beside the item"),
)
_PROCESS = (
    *_strings(
        ("extractor", "rule, or the generic extractor that stood in for the site's own rule"),
        ("cleaner_version", "Version of the cleaning rules"),
        ("parent_id", "Id of the whole (paragraph, recording) that this is a piece of"),
    ),
    Column("start_s", pa.float64(), "Where the piece begins in its recording, seconds"),
    Column("end_s", pa.float64(), "Where the piece ends in its recording, seconds"),
    Column("flags", pa.list_(pa.string()), "What a reader should know of the item, stable codes"),
    Column(
        "activity",
        pa.struct([(name, pa.float32()) for name in ("energy", "flatness", "snr_db", "birdnet")]),
        "Bird activity: band energy 0-1, spectral flatness 0-1, SNR dB, BirdNET score 0-1",
    ),
    Column(
        "review", pa.string(), "keep: a person listened and kept it", values=frozenset({"keep"})
    ),
)
_FILE = (
    Column("path", pa.string(), "The file, relative to the build folder; null: a pointer only"),
    Column("sha256", pa.string(), "SHA-256 of the file, 64 hex digits"),
    Column("bytes", pa.int64(), "Size of the file, bytes"),
)
_CUT = tuple(c for c in _PROCESS if c.name in ("start_s", "end_s", "activity"))
"""What a piece of a recording keeps when it is rejected: where it is, and its scores."""
_PICTURE = (
    Column("width", pa.int32(), "Width, pixels"),
    Column("height", pa.int32(), "Height, pixels"),
)
_DURATION = Column("duration_s", pa.float64(), "Duration, seconds")
_CONTENT: Mapping[Medium, tuple[Column, ...]] = {
    Medium.IMAGE: (*_FILE, *_PICTURE),
    Medium.TEXT: (
        *_strings(
            ("text", "The text, at most 448 characters (NFC code points); null: a pointer only"),
            ("section", "The heading that it stood under on its page"),
        ),
    ),
    Medium.VIDEO: (
        *_FILE,
        _DURATION,
        *_PICTURE,
        Column("frames", pa.int32(), "Number of frames extracted, uniformly spaced"),
    ),
    Medium.AUDIO: (
        *_FILE,
        _DURATION,
        Column("sample_rate", pa.int32(), "Samples a second, Hz"),
        *_strings(
            ("recorded_on", "Date of the recording, ISO 8601"),
            ("place", "Where it was recorded, as the source says"),
        ),
    ),
}

MANIFESTS: Mapping[Medium, tuple[Column, ...]] = {
    medium: (*_IDENTITY, *_SPLITS, *_CONTENT[medium], *_PROVENANCE, *_PROCESS) for medium in MEDIA
}
REJECTED: tuple[Column, ...] = (
    *_IDENTITY,
    Column("stage", pa.string(), "The stage that rejected it", True, frozenset(Stage)),
    Column("reason", pa.string(), "Why it was rejected, a stable code", True),
    Column("detail", pa.string(), "The same for people, with the values"),
    Column("duplicate_of", pa.string(), "item_id of the kept item that it repeats"),
    Column("path", pa.string(), "Its file, for who reviews it, relative to the build folder"),
    Column("sha256", pa.string(), "SHA-256 of the file, 64 hex digits"),
    *_PROVENANCE,
    *_CUT,
)
ABSENT: tuple[Column, ...] = (
    *_IDENTITY[1:],
    *_strings(("site", "The source that was asked"), ("query", "What was asked for")),
    Column("reason", pa.string(), "Why there is nothing: no page, restricted, taken down…", True),
)


def arrow_schema(columns: Iterable[Column]) -> pa.Schema:
    """The Arrow schema of columns, in their order."""
    return pa.schema([pa.field(c.name, c.type, nullable=not c.required) for c in columns])


def rejection(
    row: Row, stage: Stage, reason: str, detail: str = "", duplicate_of: str | None = None
) -> Row:
    """A row of ``rejected`` from the row of an item: identity, provenance and cut stay.

    Its file does not; one that is withheld for review adds ``path`` and ``sha256`` itself.
    """
    kept = {c.name: row[c.name] for c in (*_IDENTITY, *_PROVENANCE, *_CUT) if c.name in row}
    why = {"stage": str(stage), "reason": reason, "detail": detail or None}
    return {**kept, **why, "duplicate_of": duplicate_of}


def is_pointer(row: Row) -> bool:
    """Whether nobody has the item's file: it is known where it is, and no more."""
    return "path" in row and not (row["path"] or row["sha256"])


def source(row: Row) -> str:
    """The page or recording that an item is from: its address without fragment, or its own id."""
    page, _, _ = (row.get("source_url") or "").partition("#")
    return page or f"{row['site']} {row.get('source_id') or row['item_id']}"


def normalise_text(text: str) -> str:
    """The form in which two texts count as the same: NFC, white space folded, case folded.

    Unicode's canonical caseless match (D145), so that it is idempotent.
    """
    folded = unicodedata.normalize("NFD", " ".join(text.split())).casefold()
    return unicodedata.normalize("NFC", folded)


def text_id(text: str) -> str:
    """The id of a text: a hash of its normalised form. Same words, same id, on every site."""
    return f"text/{_digest(normalise_text(text))}"


def audio_id(payload_sha256: str, start_s: float, end_s: float) -> str:
    """The id of a piece of a recording, from the source file's hash and the cut, to the ms."""
    return f"audio/{_digest(f'{payload_sha256.lower()} {start_s:.3f} {end_s:.3f}')}"


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]
