"""From a recording to audio instances: rows of the manifest, of what was rejected, and files.

Pure but for the files: the same bytes and decisions give the same rows and the same files.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path

from fgbench.collect.clean.activity import Scores, Verdict, best, judge, measure
from fgbench.collect.clean.birdnet import VERSION as BIRDNET_VERSION
from fgbench.collect.clean.birdnet import open_birdnet
from fgbench.collect.clean.fingerprints import Landmarks, landmarks
from fgbench.collect.clean.marks import strip_invisible
from fgbench.collect.clean.segments import (
    SHORTEST_S,
    EncoderEndedError,
    Piece,
    Pieces,
    cut,
    write_flac,
)
from fgbench.collect.clean.spectrum import STRETCH_S, spectrum
from fgbench.collect.review.decisions import Decision
from fgbench.collect.review.doubts import DOUBTFUL
from fgbench.collect.sites.base import RawAudio, Response
from fgbench.dataset.collected import Failed
from fgbench.dataset.io import write_bytes
from fgbench.dataset.schema import Row, Stage, audio_id, rejection
from fgbench.media.decode import RATE, Recording, Samples, UndecodableError
from fgbench.protocol import Medium
from fgbench.species import Species

CLEANER_VERSION = "audio-1"
"""Changes whenever a rule of this package's sound half changes; stands in every row."""
MEDIA = "media/audio"
"""Where in a build folder the files are."""
WHOLE = "no-derivatives"
"""Flag: its licence allows no cuts, so it is the whole recording, as it was fetched."""
ENCODER_ENDED = "encoder_ended"
"""A reason of ``Failed``: ffmpeg was killed or failed; the next build does it again."""


class Reason(StrEnum):
    """Why a piece was rejected, besides the flaws of ``decode``: codes of the column ``reason``."""

    TOO_SHORT = "too_short"
    """Less than a second."""
    NO_BIRD = "no_bird"
    """Nothing in it stands out as a bird's voice does."""
    DOUBTFUL = "doubtful"
    """Maybe a bird: withheld until a person decides."""
    DROPPED = "dropped"
    """A person listened and dropped it."""


@dataclass(frozen=True, slots=True)
class Rules:
    """How a build treats sound. ``birdnet``: ask the detector too (extra ``birdnet``)."""

    pieces: Pieces = Pieces.SHORT
    birdnet: bool = False
    keep_doubtful: bool = False


@dataclass(frozen=True, slots=True)
class Cleaned:
    """What became of a recording: rows (one with a ``stage`` was rejected), or a failure.

    ``landmarks``: its fingerprint, by which ``copies`` knows it again.
    """

    rows: tuple[Row, ...] = ()
    landmarks: Landmarks = field(default_factory=lambda: Landmarks.of(()))
    failed: Failed | None = None


def clean_audio(
    raw: RawAudio,
    bird: Species,
    answer: Response,
    out: Path,
    *,
    rules: Rules = Rules(),
    decisions: Mapping[str, str] | None = None,
) -> Cleaned:
    """The recording's instances, in its order; their files are written under ``out``.

    ``answer`` holds the sound. ``decisions`` (item_id to keep or drop) are a person's and overrule
    the detector. What is in doubt has a file too, for review. A recording whose licence allows no
    derivatives is one item as a whole. Where ffmpeg fails nothing of the recording stays.
    """
    cleaning = _Cleaning(raw, bird, answer, out, rules, decisions or {})
    try:
        return cleaning.run()
    except UndecodableError as error:
        cleaning.withdraw()
        row = cleaning.page | {"item_id": audio_id(cleaning.payload, 0, 0)}
        return Cleaned((rejection(row, Stage.CLEAN, error.flaw, error.detail),))
    except EncoderEndedError as error:
        cleaning.withdraw()
        hit = raw.hit
        return Cleaned(
            failed=Failed(
                Medium.AUDIO, hit.site, hit.label, hit.query, answer.url, ENCODER_ENDED, str(error)
            )
        )


def pointer(raw: RawAudio, bird: Species, answer: Response) -> Row:
    """The row of a recording that is not fetched: where it is, and what its source says of it.

    ``answer`` is what it was read from. Its id is made from its address.
    """
    address = hashlib.sha256(raw.source_url.encode()).hexdigest()
    return _provenance(raw, bird, answer) | {
        "item_id": audio_id(address, 0, 0),
        "path": None,
        "sha256": None,
        "duration_s": raw.duration_s,
        "flags": list(raw.flags),
    }


@dataclass(slots=True)
class _Part:
    """A stretch that may become an item: its row so far, its scores, what its file will hold."""

    row: Row
    scores: Scores
    content: bytes | Samples
    ending: str


@dataclass(slots=True)
class _Cleaning:
    """A recording on its way; ``page`` is what all its rows have in common."""

    raw: RawAudio
    bird: Species
    answer: Response
    out: Path
    rules: Rules
    decisions: Mapping[str, str]
    page: Row = field(init=False)
    payload: str = field(init=False)
    prints: list[Landmarks] = field(default_factory=list)
    written: list[Path] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.page = _provenance(self.raw, self.bird, self.answer)
        self.payload = hashlib.sha256(self.answer.body).hexdigest()

    def run(self) -> Cleaned:
        """Decodes, cuts, judges and writes, piece by piece."""
        recording = Recording(self.answer.body, self.raw.duration_s)
        whole = not self.raw.licence.derivatives
        parts = self._whole(recording) if whole else self._pieces(recording)
        rows = [self._decide(part) for part in parts]
        flags = (*self.raw.flags, *([WHOLE] if whole else []), *recording.flags)
        if self.rules.birdnet:
            flags = (*flags, BIRDNET_VERSION)
        parent = audio_id(self.payload, 0, recording.duration_s) if len(rows) > 1 else None
        for row in rows:
            if "stage" not in row:
                row |= {"parent_id": parent, "flags": [*flags, *row["flags"]]}
        return Cleaned(tuple(rows), Landmarks.of(self.prints))

    def withdraw(self) -> None:
        """Removes what was written."""
        for path in self.written:
            path.unlink(missing_ok=True)

    def _pieces(self, recording: Recording) -> Iterator[_Part]:
        """The recording in pieces."""
        for piece in cut(recording, self.rules.pieces):
            row = self._row(piece.start_s, piece.end_s) | {"sample_rate": RATE}
            yield _Part(row, self._listen(piece), piece.samples, "flac")

    def _whole(self, recording: Recording) -> Iterator[_Part]:
        """The recording as one part, although it is listened to piece by piece."""
        scores = [self._listen(piece) for piece in cut(recording)]
        row = self._row(0.0, recording.duration_s) | {"sample_rate": recording.rate}
        yield _Part(row, best(scores), self.answer.body, recording.ending)

    def _row(self, start_s: float, end_s: float) -> Row:
        return self.page | {
            "item_id": audio_id(self.payload, start_s, end_s),
            "start_s": start_s,
            "end_s": end_s,
            "duration_s": end_s - start_s,
            "flags": [],
        }

    def _listen(self, piece: Piece) -> Scores:
        """The scores of a piece, and its landmarks; BirdNET is asked only what the gate lets by."""
        step = STRETCH_S * RATE
        windows = []
        for start in range(0, len(piece.samples), step):
            sound = spectrum(piece.samples[start : start + step])
            windows.append(measure(sound))
            self.prints.append(landmarks(sound, piece.start + start))
        scores = best(windows)
        if self.rules.birdnet and judge(scores) is not Verdict.DROP:
            scores = replace(scores, birdnet=open_birdnet().hear(piece.samples).score)
        return scores

    def _decide(self, part: _Part) -> Row:
        """The row of a part that is kept, or of one that is rejected."""
        row, scores = part.row, part.scores
        row["activity"] = scores.to_row()
        if row["duration_s"] < SHORTEST_S:
            detail = f"{row['duration_s']:.3f} s"
            return rejection(row, Stage.SEGMENT, Reason.TOO_SHORT, detail)
        decision, verdict = self.decisions.get(row["item_id"]), judge(scores)
        if decision is None and verdict is Verdict.DROP:
            return rejection(row, Stage.SEGMENT, Reason.NO_BIRD, str(scores))
        row |= self._write(part)
        if decision == Decision.KEEP:
            return row | {"review": "keep"}
        if decision is None and verdict is Verdict.KEEP:
            return row
        if decision is None and self.rules.keep_doubtful:
            return row | {"flags": [DOUBTFUL]}
        reason = Reason.DOUBTFUL if decision is None else Reason.DROPPED
        file = {name: row[name] for name in ("path", "sha256")}
        return rejection(row, Stage.REVIEW, reason, str(scores)) | file

    def _write(self, part: _Part) -> Row:
        content = part.content if isinstance(part.content, bytes) else write_flac(part.content)
        name = part.row["item_id"].removeprefix("audio/")
        path = f"{MEDIA}/{name}.{part.ending}"
        self.written.append(self.out / path)
        write_bytes(self.out / path, content)
        return {
            "path": path,
            "sha256": hashlib.sha256(content).hexdigest(),
            "bytes": len(content),
        }


def _provenance(raw: RawAudio, bird: Species, answer: Response) -> Row:
    return {
        "label": bird.label,
        "species": bird.cub_name,
        "medium": Medium.AUDIO.value,
        "site": raw.hit.site,
        "source_url": raw.source_url,
        "source_id": raw.source_id,
        "retrieved_at": answer.date,
        "archive_url": raw.archive_url or None,
        "warc_digest": answer.digest,
        "query": raw.hit.query,
        "title": strip_invisible(raw.title),
        "author": strip_invisible(raw.author) or None,
        "licence": raw.licence.name,
        "licence_url": raw.licence.url or None,
        "redistributable": raw.licence.redistributable,
        "attribution": strip_invisible(raw.attribution) or None,
        "recorded_on": raw.recorded_on or None,
        "place": strip_invisible(raw.place) or None,
        "extractor": raw.extractor,
        "cleaner_version": CLEANER_VERSION,
    }
