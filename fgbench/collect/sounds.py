"""Sounds: of the recordings that listings name, as many are fetched and cleaned as are needed.

A class needs half as many pieces again as it shall have; there its fetching ends. Rounds alternate:
what may be enough for every class is fetched, one worker a host, and cleaned, side by side on an
engine. Which recordings these are depends on the listings and on what became of those before
alone, so that a second run goes through the same rounds from the store.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from fgbench.collect.clean.audio import MEDIA, Cleaned, Rules, clean_audio, pointer
from fgbench.collect.clean.copies import Key, recording
from fgbench.collect.clean.fingerprints import Landmarks
from fgbench.collect.clean.segments import Pieces
from fgbench.collect.crawl.session import CrawlSession
from fgbench.collect.crawl.workers import run_hosts
from fgbench.collect.harvest import outcome, response_to, unreadable
from fgbench.collect.progress import Progress
from fgbench.collect.reading import Listed, batches
from fgbench.collect.sites.base import Absent, FetchFailed, Hit, RawAudio, Response
from fgbench.dataset.collected import Failed
from fgbench.dataset.schema import Row, Stage, rejection
from fgbench.engine import map_unordered
from fgbench.protocol import Medium
from fgbench.species import species

NOT_NEEDED = "not_needed"
"""Reason: its class has enough without it, and it was not fetched."""
FEW = 16
"""Fewer sounds than this are cleaned in this process: starting others would take longer."""

_GRADES = "ABC DE"
"""Best first; a recording that nobody rated comes after C."""
_HANDY_S = (5.0, 120.0)
"""A recording of such a length comes before others."""
_PIECE_S = 60.0


@dataclass(slots=True)
class Sounds:
    """What became of the recordings: ``rows`` have files or are pointers."""

    rows: list[Row] = field(default_factory=list)
    rejected: list[Row] = field(default_factory=list)
    others: list[Absent | Failed] = field(default_factory=list)
    prints: dict[Key, Landmarks] = field(default_factory=dict)
    """The fingerprints of those that were cleaned."""
    related: dict[Key, Sequence[str]] = field(default_factory=dict)
    """Source ids that belong together with a recording, as its source says."""


@dataclass(frozen=True, slots=True)
class Sound:
    """A fetched recording on its way to a worker. ``place``: in its round."""

    place: int
    raw: RawAudio
    response: Response
    out: Path
    rules: Rules
    decisions: Mapping[str, str]


def enough(per_class: int) -> int:
    """How many accepted pieces end the fetching for a class: some will be copies of others."""
    return -(-per_class * 3 // 2)


def in_order(listed: Iterable[Listed]) -> list[Listed]:
    """Recordings of a class in the order in which they are fetched, no recording twice.

    Sites take turns, in the order in which they first come. Within a site: better quality; no
    other species heard; a length of 5-120 s; the smaller id.
    """
    sites: defaultdict[str, dict[str, Listed]] = defaultdict(dict)
    for one in listed:
        sites[one.site.name].setdefault(one.raw.source_id, one)
    ordered = (sorted(own.values(), key=_preference) for own in sites.values())
    turns = [
        (turn, place, one) for place, own in enumerate(ordered) for turn, one in enumerate(own)
    ]
    return [one for _, _, one in sorted(turns, key=lambda t: t[:2])]


def _preference(listed: Listed) -> tuple[object, ...]:
    raw = listed.raw
    low, high = _HANDY_S
    handy = raw.duration_s is not None and low <= raw.duration_s <= high
    rank = _GRADES.index(raw.quality or " ")
    return rank, bool(raw.other_species), not handy, len(raw.source_id), raw.source_id


def collect_sounds(
    listed: Iterable[Listed],
    per_class: int,
    session: CrawlSession,
    out: Path,
    *,
    rules: Rules,
    decisions: Mapping[str, str],
    engine: str,
    progress: Progress,
) -> Sounds:
    """Rows of the recordings, their files under ``out``; what is not needed is rejected as that.

    Those without an address of a sound are pointers; they are not counted as pieces.
    """
    found = Sounds()
    classes: defaultdict[int, list[Listed]] = defaultdict(list)
    for one in listed:
        classes[one.raw.hit.label].append(one)
    queues: dict[int, Iterator[Listed]] = {}
    for label in sorted(classes):
        ordered = in_order(classes[label])
        found.rows += [_pointer(one) for one in ordered if not one.raw.media_url]
        queues[label] = iter([one for one in ordered if one.raw.media_url])
    pieces: Counter[int] = Counter()
    done = 0
    while batch := [
        one
        for label, queue in queues.items()
        for one in _next(queue, enough(per_class) - pieces[label], rules)
    ]:
        answers = _fetch(batch, session, progress, found)
        sounds = (
            Sound(place, one.raw, _answer(one, session), out, rules, decisions)
            for place, one in enumerate(batch)
            if place in answers
        )
        results: list[tuple[int, Cleaned]] = []
        workers = 1 if engine == "local" and len(answers) < FEW else None
        for some in batches(sounds):
            for result in map_unordered(clean_sound, some, engine=engine, workers=workers):
                results.append(result)
                progress.advance(done + len(results), done + len(answers))
        done += len(answers)
        for place, cleaned in sorted(results, key=lambda result: result[0]):
            pieces[batch[place].raw.hit.label] += _take(found, batch[place], cleaned)
    detail = f"{enough(per_class)} pieces are enough for the class"
    for queue in queues.values():
        found.rejected += [
            rejection(_pointer(one), Stage.SELECT, NOT_NEEDED, detail) for one in queue
        ]
    return found


def _next(queue: Iterator[Listed], wanted: int, rules: Rules) -> Iterator[Listed]:
    """As many recordings as may have the pieces that are wanted."""
    while wanted > 0 and (one := next(queue, None)):
        yield one
        cut = rules.pieces is Pieces.SHORT and one.raw.licence.derivatives
        wanted -= max(1, int((one.raw.duration_s or 0) // _PIECE_S)) if cut else 1


def _fetch(
    batch: Sequence[Listed], session: CrawlSession, progress: Progress, found: Sounds
) -> set[int]:
    """Has the sounds fetched; the places of those that are there."""
    jobs: defaultdict[str, list[Callable[[], tuple[int, Absent | Failed | None]]]]
    jobs = defaultdict(list)
    for place, one in enumerate(batch):
        jobs[one.site.hosts[0]].append(partial(_look, place, one, session))
    fetched = sorted(run_hosts(jobs, session.clock, progress.watch), key=lambda result: result[0])
    found.others += [other for _, other in fetched if other is not None]
    return {place for place, other in fetched if other is None}


def _look(place: int, listed: Listed, session: CrawlSession) -> tuple[int, Absent | Failed | None]:
    hit = _hit(listed)
    session.link(hit)
    try:
        answer = response_to(hit, listed.site, session)
    except FetchFailed as error:
        return place, outcome(listed.site, hit.label, error, query=hit.query)
    if answer.status != 200:
        reason = f"the sound of {hit.source_id} is gone ({answer.status})"
        return place, Absent(hit.site, hit.label, hit.query, reason)
    return place, None


def _answer(listed: Listed, session: CrawlSession) -> Response:
    return response_to(_hit(listed), listed.site, session)


def _hit(listed: Listed) -> Hit:
    """The hit of the sound itself."""
    raw = listed.raw
    return replace(raw.hit, url=raw.media_url, source_id=raw.source_id, title=raw.title)


def clean_sound(sound: Sound) -> tuple[int, Cleaned]:
    """What became of one sound; its files are written. One that trips a decoder is a failure."""
    raw, bird = sound.raw, species()[sound.raw.hit.label]
    try:
        cleaned = clean_audio(
            raw, bird, sound.response, sound.out, rules=sound.rules, decisions=sound.decisions
        )
    except Exception as error:
        failed = unreadable(Medium.AUDIO, replace(raw.hit, url=raw.media_url), error)
        cleaned = Cleaned(failed=failed)
    return sound.place, cleaned


def _take(found: Sounds, listed: Listed, cleaned: Cleaned) -> int:
    """Adds what became of a recording, and returns how many pieces of it are accepted."""
    if cleaned.failed:
        found.others.append(cleaned.failed)
    accepted = [row for row in cleaned.rows if "stage" not in row]
    found.rows += accepted
    found.rejected += [row for row in cleaned.rows if "stage" in row]
    if accepted:
        key = recording(accepted[0])
        found.prints[key], found.related[key] = cleaned.landmarks, listed.raw.related
    return len(accepted)


def _pointer(listed: Listed) -> Row:
    return pointer(listed.raw, species()[listed.raw.hit.label], listed.listing)


def sweep(out: Path, rows: Iterable[Row]) -> None:
    """Removes the files of pieces that no row names: of earlier builds, or half-written ones."""
    named = {row["path"] for row in rows if row.get("path")}
    folder = out / MEDIA
    for path in folder.iterdir() if folder.is_dir() else ():
        if path.is_file() and f"{MEDIA}/{path.name}" not in named:
            path.unlink()
