"""A small build, made by hand: three classes, three sites, texts and audio, every kind of row.

Its figures are few enough to count by eye; the tests say them as literals. Names of people and
pages are hostile: whoever prints them must escape them.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

from fgbench.dataset.collected import Collected, Failed
from fgbench.dataset.io import write_benchmark, write_bytes, write_table
from fgbench.dataset.schema import ABSENT, MANIFESTS, REJECTED, Row, rejection, text_id
from fgbench.protocol import Medium
from fgbench.species import species

HOSTILE = "<script>document.title='hit'</script>\n# |x| *y* `z` </td>"
SECRET = "all rights reserved"
FREE = {
    "licence": "CC-BY-SA-4.0",
    "licence_url": "https://creativecommons.org/licenses/by-sa/4.0/",
    "redistributable": True,
}
KEPT_BACK = {"licence": SECRET, "licence_url": "javascript:alert(1)", "redistributable": False}


def prose(number: int) -> str:
    """A sentence of its own: no five words in a row are those of another number."""
    return f"The bird sings {' '.join(f'word{number}x{k}' for k in range(8))}."


def text_row(number: int, label: int, site: str, side: str | None, **more: object) -> Row:
    """A text on its own page of ``site``; ``side`` of both splits."""
    text = str(more.pop("text", prose(number)))
    licence = FREE if site != "audubon" else KEPT_BACK
    return {
        "item_id": text_id(text),
        "label": label,
        "species": species()[label].cub_name,
        "medium": Medium.TEXT.value,
        "split_paper": side,
        "split_grouped": side,
        "group_id": f"group {number}",
        "group_level": "article",
        "text": text,
        "site": site,
        "source_url": f"https://{site}.example/page/{number}",
        "source_id": str(number),
        "retrieved_at": f"2019-01-{number % 28 + 1:02}T00:00:00Z",
        "query": species()[label].name,
        "title": HOSTILE,
        "author": '"><img src=x onerror=alert(1)>',
        "attribution": f"{species()[label].name}, {site}",
        "extractor": "rule",
        "cleaner_version": "text-1",
        "flags": [],
        **licence,
        **more,
    }


def audio_row(number: int, label: int, side: str | None, **more: object) -> Row:
    """An audio clip, its file in media/audio."""
    row = text_row(number, label, "xeno-canto", side)
    del row["text"]
    name = f"media/audio/{number}.flac"
    return {
        **row,
        "item_id": f"audio/{number}",
        "medium": Medium.AUDIO.value,
        "group_level": "recording",
        "path": name,
        "sha256": hashlib.sha256(name.encode()).hexdigest(),
        "bytes": len(name),
        "duration_s": 10.5 + number,
        "sample_rate": 22050,
        "activity": {"snr_db": 3.5, "birdnet": 0.5},
        **more,
    }


def rows() -> tuple[list[Row], list[Row], list[Row]]:
    """Texts, audio clips and rejected rows."""
    texts = [
        text_row(1, 0, "wikipedia", "train"),
        text_row(2, 0, "wikipedia", "test"),
        text_row(3, 0, "audubon", "train"),
        text_row(4, 0, "audubon", "test"),
        text_row(5, 1, "wikipedia", "train"),
        # On one page with the one before, and so a leak of both splits.
        text_row(6, 1, "wikipedia", "test", source_url="https://wikipedia.example/page/5#Song"),
        text_row(7, 1, "fandom", None),
    ]
    clips = [audio_row(20 + n, n // 2, ("train", "test")[n % 2]) for n in range(4)]
    rejected = [
        rejection(text_row(8, 0, "wikipedia", None), "clean", "too_short", prose(8)),
        rejection(text_row(9, 1, "audubon", None), "clean", "not_english", prose(9)),
        rejection(
            text_row(1, 0, "fandom", None), "duplicates", "exact", "repeats", text_id(prose(1))
        ),
    ]
    return texts, clips, rejected


def collected() -> Collected:
    """What the build that left these rows knows besides: class 2 was asked for in vain."""
    return Collected(
        labels=(0, 1, 2),
        per_class={Medium.TEXT: 4, Medium.AUDIO: 2},
        read={
            Medium.TEXT: {"wikipedia": 5, "audubon": 3, "fandom": 2, "ebird": 0},
            Medium.AUDIO: {"xeno-canto": 4},
        },
        failed=(
            Failed(
                Medium.TEXT, "audubon", 2, "Sooty Albatross", "https://a.example/?<b>", "timeout"
            ),
        ),
        options={"seed": 0, "as_of": "newest"},
    )


def write_build(folder: Path) -> Path:
    """Write the tables and media of the build; returns the folder of its manifests."""
    texts, clips, rejected = rows()
    manifests = folder / "manifests"
    write_table(manifests / "text.parquet", texts, MANIFESTS[Medium.TEXT])
    write_table(manifests / "audio.parquet", clips, MANIFESTS[Medium.AUDIO])
    write_table(manifests / "rejected.parquet", rejected, REJECTED)
    absent = {"label": 2, "species": species()[2].cub_name, "medium": "text", "site": "wikipedia"}
    write_table(manifests / "absent.parquet", [{**absent, "reason": "no page"}], ABSENT)
    for clip in clips:
        write_bytes(folder / clip["path"], clip["path"].encode())
    write_benchmark(manifests, "small", "A small build & <b>more</b>")
    return manifests
