"""The sound half of a build: times real time a core, and memory, against the length of a file.

``python tests/bench/audio.py DATA [--minutes 10,60,360] [--formats mp3,ogg,flac,m4a,wav]``

DATA is a folder with recordings (``**/*.mp3``, ``*.wav``). One after the other, again and again,
they make one long file, which a process of its own decodes, cuts and judges with one thread; then
another has ``clean_audio`` do all of a build's work, fingerprints and FLAC files included. Times
are the processor's and the clock's. ``--prints N`` compares N made-up fingerprints.
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from itertools import cycle
from pathlib import Path

THREADS = {f"{name}_NUM_THREADS": "1" for name in ("OMP", "OPENBLAS", "MKL", "NUMBA")}
CODECS = {
    "mp3": ("-c:a", "libmp3lame", "-b:a", "128k"),
    "ogg": ("-c:a", "libvorbis", "-q:a", "4"),
    "opus": ("-c:a", "libopus", "-ar", "48000"),
    "flac": ("-c:a", "flac"),
    "m4a": ("-c:a", "aac", "-b:a", "128k"),
    "wav": ("-c:a", "pcm_s16le", "-rf64", "auto"),
}


def sources(data: Path) -> list[Path]:
    return sorted(p for p in data.rglob("*") if p.suffix in {".mp3", ".wav", ".flac", ".ogg"})


def make(folder: Path, files: list[Path], minutes: int, ending: str) -> Path:
    """A file of that length, of all the files in turn, at 44.1 kHz in mono."""
    import imageio_ffmpeg

    ffmpeg = [imageio_ffmpeg.get_ffmpeg_exe(), "-nostdin", "-y", "-loglevel", "error"]
    parts = []
    for number, file in enumerate(files):
        parts.append(folder / f"{number}.wav")
        subprocess.run([*ffmpeg, "-i", file, "-ac", "1", "-ar", "44100", parts[-1]], check=True)
    seconds = [(part, part.stat().st_size / 88_200) for part in parts]
    listed, total = [], 0.0
    for part, length in cycle(seconds):
        if total > 60 * minutes:
            break
        listed.append(f"file '{part}'\n")
        total += length
    (folder / "list.txt").write_text("".join(listed))
    target = folder / f"long.{ending}"
    joined = ("-f", "concat", "-safe", "0", "-i", folder / "list.txt", "-t", str(60 * minutes))
    subprocess.run([*ffmpeg, *joined, *CODECS[ending], target], check=True)
    return target


def judge_pieces(content: bytes) -> tuple[float, int]:
    """Decode, cut, judge: seconds of sound, and pieces."""
    from fgbench.collect.clean.activity import judge, measure
    from fgbench.collect.clean.decode import Recording
    from fgbench.collect.clean.segments import cut
    from fgbench.collect.clean.spectrum import spectrum

    recording, pieces = Recording(content), 0
    for piece in cut(recording):
        judge(measure(spectrum(piece.samples)))
        pieces += 1
    return recording.duration_s, pieces


def clean(content: bytes) -> tuple[float, int]:
    """All that a build does with a recording."""
    from fgbench.collect.clean.audio import clean_audio
    from fgbench.collect.sites.base import Hit, Licence, RawAudio, Response
    from fgbench.species import species

    hit = Hit("bench", 0, "x", "https://bench.example/1", "1")
    raw = RawAudio(hit, "x", hit.url, "1", Licence("CC0-1.0", "", redistributable=True))
    answer = Response(hit.url, 200, {}, content, "2026-11-01T12:00:00Z", "sha256:0")
    with tempfile.TemporaryDirectory() as out:
        rows = clean_audio(raw, species()[0], answer, Path(out)).rows
    return max(row.get("end_s", 0) for row in rows), len(rows)


WORK = {"judge": judge_pieces, "clean": clean}


def inside(path: Path, work: str) -> None:
    """Prints what a process needs for one file, what it started included."""
    from fgbench.collect.clean import audio  # noqa: F401  the libraries are loaded before

    content = path.read_bytes()
    start, began = time.process_time(), time.perf_counter()
    children = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
    seconds, pieces = WORK[work](content)
    used = time.process_time() - start
    used += resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - children
    clock = time.perf_counter() - began
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3
    print(
        f"{seconds / 60:8.1f} {len(content) / 1e6:8.1f} {pieces:7d} {used:9.1f} "
        f"{seconds / used:7.0f}× {clock:8.1f} {peak:8.0f}"
    )


def compare(recordings: int) -> None:
    """Fingerprints of which each fiftieth is a copy, with a third of its landmarks."""
    import numpy as np

    from fgbench.collect.clean.fingerprints import Landmarks, same_recordings

    rng = np.random.default_rng(1)
    prints: list[Landmarks] = []
    for number in range(recordings):
        codes = (2**20 * rng.beta(2, 5, 800)).astype(np.uint32)
        frames = np.sort(rng.integers(0, 1800, 800)).astype(np.int32)
        if number % 50 == 49:
            of = prints[number - 25]
            third = rng.random(len(of.codes)) < 1 / 3
            codes[: third.sum()] = of.codes[third]
            frames[: third.sum()] = of.frames[third] + 77
        prints.append(Landmarks.of([Landmarks(codes, frames)]))
    began = time.perf_counter()
    found = same_recordings(prints)
    seconds = time.perf_counter() - began
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3
    print(f"{recordings:7,} prints: {len(found):,} copies of {recordings // 50:,},", end=" ")
    print(f"{seconds:.1f} s, {peak:.0f} MB", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("--minutes", default="10,60,360")
    parser.add_argument("--formats", default="mp3")
    parser.add_argument("--prints", default="")
    parser.add_argument("--inside", choices=WORK, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.inside:
        inside(options.data, options.inside)
        return
    for count in filter(None, options.prints.split(",")):
        compare(int(count))
    files = sources(options.data)
    print("work format  minutes       MB  pieces     CPU s real time    clock  peak MB")
    for ending in options.formats.split(","):
        for minutes in map(int, filter(None, options.minutes.split(","))):
            with tempfile.TemporaryDirectory() as folder:
                path = make(Path(folder), files, minutes, ending)
                for work in WORK:
                    print(f"{work} {ending:>5}", end=" ", flush=True)
                    command = [sys.executable, __file__, str(path), "--inside", work]
                    subprocess.run(command, check=True, env={**os.environ, **THREADS})


if __name__ == "__main__":
    main()
