"""A build with items in doubt, made by hand: two classes, sound that is drawn and played.

Titles are hostile: whoever shows them must show them as text.
"""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import imageio_ffmpeg
import numpy as np
import pyarrow.parquet as pq
import soundfile

from fgbench.dataset.io import write_table
from fgbench.dataset.schema import MANIFESTS, REJECTED, Row, Stage, audio_id, text_id
from fgbench.protocol import Medium
from fgbench.species import species

HOSTILE = "<img src=x onerror=\"document.title='hit'\"><script>document.title='hit'</script>"
RATE = 22_050
FIRST, SECOND = 0, 9
"""The labels: Black-footed Albatross and Red-winged Blackbird."""


def song(hz: float, duration_s: float = 2.0) -> np.ndarray[Any, Any]:
    """Two notes of a quarter of a second each, in faint noise."""
    at = np.arange(int(duration_s * RATE)) / RATE
    noise = np.random.default_rng(int(hz)).normal(0, 0.005, at.size)
    notes = (at % (duration_s / 2)) < 0.25
    return (0.4 * np.sin(2 * np.pi * hz * at) * notes + noise).astype(np.float32)


def piece(number: int, label: int, ending: str = "wav", **more: object) -> Row:
    """An audio piece of a recording; its file is ``path``."""
    item = audio_id(f"{number:064x}", 0, 2)
    return {
        "item_id": item,
        "label": label,
        "species": species()[label].cub_name,
        "medium": Medium.AUDIO.value,
        "site": "xeno-canto",
        "source_url": f"https://xeno-canto.org/{number}",
        "source_id": f"XC{number}",
        "title": HOSTILE,
        "author": "A. Recordist <script>1</script>",
        "licence": "CC-BY-NC-SA-4.0",
        "licence_url": "javascript:document.title='hit'",
        "redistributable": True,
        "path": f"media/audio/{item.removeprefix('audio/')}.{ending}",
        "start_s": 0.0,
        "end_s": 2.0,
        "activity": {"energy": 0.31, "flatness": 0.42, "snr_db": 4.5},
        **more,
    }


def in_doubt(row: Row) -> Row:
    """The row as ``rejected`` has it."""
    why = {"stage": Stage.REVIEW.value, "reason": "doubtful", "detail": "SNR 4.5 dB of 6"}
    return {**row, **why}


def write_doubts(folder: Path, pieces: int = 4, ending: str = "wav") -> list[str]:
    """Writes a build of ``pieces`` doubtful pieces and a text; returns the ids, as shown."""
    rows = [piece(n, FIRST if n < pieces / 2 else SECOND, ending) for n in range(pieces)]
    for n, row in enumerate(rows):
        (folder / row["path"]).parent.mkdir(parents=True, exist_ok=True)
        write_sound(folder / row["path"], song(2000 + 500 * n))
    text = {**rows[-1], "item_id": text_id("A song?"), "medium": "text", "label": SECOND}
    text |= dict.fromkeys(("path", "start_s", "end_s", "activity"))
    write_rejected(folder, [*map(in_doubt, rows), in_doubt(text)])
    return [
        row["item_id"] for row in sorted([*rows, text], key=lambda r: (r["label"], r["item_id"]))
    ]


def write_sound(path: Path, samples: np.ndarray[Any, Any]) -> None:
    """Writes a sound file of the format that its ending names; all but WAV by ffmpeg."""
    wave = path.with_suffix(".wav")
    soundfile.write(wave, samples, RATE)
    if path != wave:
        ffmpeg = [imageio_ffmpeg.get_ffmpeg_exe(), "-nostdin", "-loglevel", "error", "-y"]
        subprocess.run([*ffmpeg, "-i", str(wave), str(path)], check=True)
        wave.unlink()


def write_rejected(folder: Path, rows: list[Row]) -> None:
    """Writes rejected.parquet."""
    write_table(folder / "manifests" / "rejected.parquet", rows, REJECTED)


def write_kept(folder: Path, rows: list[Row]) -> None:
    """Writes the audio manifest."""
    write_table(folder / "manifests" / "audio.parquet", rows, MANIFESTS[Medium.AUDIO])


def decided(folder: Path) -> dict[str, str]:
    """What review.parquet holds, read by pyarrow alone."""
    rows = pq.read_table(folder / "review.parquet").to_pylist()
    return {row["item_id"]: row["decision"] for row in rows}
