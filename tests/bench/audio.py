"""The sound half of a build: times real time a core, and memory, against the length of a file.

``PYTHONPATH=tests python tests/bench/audio.py [DATA] [--minutes 90,180,360] [--formats mp3,m4a]``

DATA is a folder with recordings (``**/*.mp3``, ``*.wav``…); without one, drawn sounds take their
place. One after the other, again and again, they make one long file. A process of its own decodes,
cuts and judges it with one thread; another has ``clean_audio`` do all of a build's work on it,
fingerprints and FLAC files included. Then other ways to decode, or to decode and to find what is
not silent, get the shortest of the files, each in a process of its own. Times are the processor's,
children's included, after the libraries are loaded. ``--prints N`` compares N made-up fingerprints.
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import imageio_ffmpeg

THREADS = {f"{name}_NUM_THREADS": "1" for name in ("OMP", "OPENBLAS", "MKL", "NUMBA")}
CODECS = {
    "mp3": ("-c:a", "libmp3lame", "-b:a", "128k"),
    "ogg": ("-c:a", "libvorbis", "-q:a", "4"),
    "opus": ("-c:a", "libopus", "-ar", "48000"),
    "flac": ("-c:a", "flac"),
    "m4a": ("-c:a", "aac", "-b:a", "128k"),
    "wav": ("-c:a", "pcm_s16le", "-rf64", "auto"),
}
JOINED = {"mp3", "m4a", "wav"}
"""What can be joined without being encoded anew."""
RATE = 32_000
FFMPEG = imageio_ffmpeg.get_ffmpeg_exe()
QUIET = (FFMPEG, "-nostdin", "-y", "-loglevel", "error")


def sources(data: Path | None, folder: Path) -> list[Path]:
    """The recordings in ``data``, or ten drawn ones of 12 s, written to ``folder``."""
    if data:
        endings = {".mp3", ".wav", ".flac", ".ogg"}
        return sorted(p for p in data.rglob("*") if p.suffix in endings)
    import sounds

    files = [folder / f"drawn{seed}.wav" for seed in range(10)]
    for seed, file in enumerate(files):
        file.write_bytes(sounds.wav(sounds.scene(seed, 12)))
    return files


def make_round(folder: Path, files: list[Path], ending: str) -> Path:
    """A file of all the files, one after the other, at 44.1 kHz in mono."""
    parts = [folder / f"part{number}.wav" for number in range(len(files))]
    for file, part in zip(files, parts, strict=True):
        subprocess.run([*QUIET, "-i", file, "-ac", "1", "-ar", "44100", part], check=True)
    ending = ending if ending in JOINED else "wav"
    return join(folder, parts, f"round.{ending}", *CODECS[ending])


def join(folder: Path, parts: list[Path], name: str, *options: str) -> Path:
    listed = folder / "list.txt"
    listed.write_text("".join(f"file '{part}'\n" for part in parts))
    source = ("-f", "concat", "-safe", "0", "-i", listed)
    subprocess.run([*QUIET, *source, *options, folder / name], check=True)
    return folder / name


def make(folder: Path, one_round: Path, minutes: int, ending: str) -> Path:
    """A file of that length: the round, again and again."""
    rounds = [one_round] * (minutes + 1)  # a round is over a minute
    codec = ("-c", "copy") if ending in JOINED else CODECS[ending]
    return join(folder, rounds, f"{minutes}.{ending}", "-t", str(60 * minutes), *codec)


def judge_pieces(path: Path) -> tuple[float, int]:
    """Decode, cut, judge: seconds of sound, and pieces."""
    from fgbench.collect.clean.activity import judge, measure
    from fgbench.collect.clean.segments import cut
    from fgbench.collect.clean.spectrum import spectrum
    from fgbench.media.decode import Recording

    recording, pieces = Recording(path.read_bytes()), 0
    for piece in cut(recording):
        judge(measure(spectrum(piece.samples)))
        pieces += 1
    return recording.duration_s, pieces


def clean(path: Path) -> tuple[float, int]:
    """All that a build does with a recording."""
    from fgbench.collect.clean.audio import clean_audio
    from fgbench.collect.sites.base import Hit, Licence, RawAudio, Response
    from fgbench.species import species

    hit = Hit("bench", 0, "x", "https://bench.example/1", "1")
    raw = RawAudio(hit, "x", hit.url, "1", Licence("CC0-1.0", "", redistributable=True))
    answer = Response(hit.url, 200, {}, path.read_bytes(), "2026-11-01T12:00:00Z", "sha256:0")
    with tempfile.TemporaryDirectory() as out:
        rows = clean_audio(raw, species()[0], answer, Path(out)).rows
    return max(row.get("end_s", 0) for row in rows), len(rows)


def decode_only(path: Path) -> tuple[float, int]:
    from fgbench.media.decode import Recording

    return sum(map(len, Recording(path.read_bytes()))) / RATE, 0


def soundfile_blocks(path: Path) -> tuple[float, int]:
    import soundfile

    rate = soundfile.info(path).samplerate
    return sum(len(block) for block in soundfile.blocks(path, 1 << 18)) / rate, 0


def pyav(path: Path) -> tuple[float, int]:
    import av

    resampler, size = av.AudioResampler("s16", "mono", RATE), 0
    with av.open(str(path)) as file:
        for frame in file.decode(audio=0):
            size += sum(part.to_ndarray().shape[1] for part in resampler.resample(frame))
    return size / RATE, 0


def ffmpeg_pipe(path: Path) -> tuple[float, int]:
    """As audioread's ffmpeg backend and moviepy read."""
    command = [*QUIET, "-i", path, "-ac", "1", "-ar", str(RATE), "-f", "s16le", "-"]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        size = sum(map(len, iter(lambda: process.stdout.read(1 << 20), b"")))
    return size / 2 / RATE, 0


def librosa_split(path: Path) -> tuple[float, int]:
    import librosa

    sound, rate = librosa.load(path, sr=RATE)
    return len(sound) / rate, len(librosa.effects.split(sound, top_db=30))


def pydub_silence(path: Path) -> tuple[float, int]:
    from pydub import AudioSegment
    from pydub.silence import detect_nonsilent

    AudioSegment.converter = FFMPEG
    sound = AudioSegment.from_file(path, codec="mp3")
    found = detect_nonsilent(sound, 500, sound.dBFS - 16, seek_step=10)
    return len(sound) / 1000, len(found)


WORK = {
    "fgbench: decode, cut, judge": judge_pieces,
    "fgbench: all of clean_audio": clean,
}
PEERS = {
    "fgbench: decode to 32 kHz mono": decode_only,
    "soundfile.blocks, own rate": soundfile_blocks,
    "PyAV to 32 kHz mono": pyav,
    "ffmpeg through a pipe, to 32 kHz mono": ffmpeg_pipe,
    "librosa.load to 32 kHz, effects.split": librosa_split,
    "pydub.from_file, detect_nonsilent(seek_step=10)": pydub_silence,
}


def peak() -> float:
    """The most megabytes that this process held; ``ru_maxrss`` starts with what its parent had."""
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) / 1e3


def inside(path: Path, name: str, warm: Path) -> None:
    """Prints what a process needs for one file, and its own peak. ``warm``: a short one before."""
    work = {**WORK, **PEERS}[name]
    work(warm)
    start, children = time.process_time(), resource.getrusage(resource.RUSAGE_CHILDREN)
    seconds, pieces = work(path)
    ended = resource.getrusage(resource.RUSAGE_CHILDREN)
    used = time.process_time() - start
    used += ended.ru_utime + ended.ru_stime - children.ru_utime - children.ru_stime
    size = path.stat().st_size / 1e6
    row = f"{path.suffix[1:]} | {seconds / 60:.0f} | {size:.0f} | {pieces or ''} | {used:.1f}"
    print(f"| {name} | {row} | {seconds / used:.0f}× | {peak():.0f} |", flush=True)


def measure(name: str, path: Path, warm: Path) -> None:
    command = [sys.executable, __file__, str(path), "--inside", name, "--warm", str(warm)]
    subprocess.run(command, check=True, env={**os.environ, **THREADS})


def compare(recordings: int) -> None:
    """Fingerprints of which each fiftieth is a copy, with a third of its landmarks."""
    import numpy as np

    from fgbench.collect.clean.fingerprints import Landmarks, same_recordings

    rng = np.random.default_rng(1)
    prints: list[Landmarks] = []
    copied: dict[int, Landmarks] = {}
    for number in range(recordings):
        # 160 peaks in half a minute, each in five pairs, the lower pitches more often
        peaks = (184 * rng.beta(2, 5, 160)).astype(np.uint32).repeat(5)
        codes = peaks << 12 | rng.integers(0, 4096, 800, np.uint32)
        frames = np.sort(rng.integers(0, 1800, 160)).astype(np.int32).repeat(5)
        if number % 50 == 49:
            of = copied[number - 25]
            third = (rng.random(160) < 1 / 3).repeat(5)
            codes[: third.sum()] = of.codes[third]
            frames[: third.sum()] = of.frames[third] + 77
        if number % 50 == 24:
            copied[number] = Landmarks(codes, frames)
        prints.append(Landmarks.of([Landmarks(codes, frames)]))
    began = time.process_time()
    found = same_recordings(prints)
    seconds = time.process_time() - began
    print(f"{recordings:,} prints: {len(found):,} copies of {recordings // 50:,},", end=" ")
    print(f"{seconds:.1f} s, {peak():.0f} MB", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path, nargs="?")
    parser.add_argument("--minutes", default="90,180,360")
    parser.add_argument("--formats", default="mp3")
    parser.add_argument("--prints", default="")
    parser.add_argument("--inside", help=argparse.SUPPRESS)
    parser.add_argument("--warm", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.inside:
        inside(options.data, options.inside, options.warm)
        return
    for count in filter(None, options.prints.split(",")):
        compare(int(count))
    print("| way | format | minutes | MB | pieces | CPU s | × real time | peak MB |")
    print("| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: |", flush=True)
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        files = sources(options.data, folder)
        lengths = sorted(map(int, filter(None, options.minutes.split(","))))
        for ending in options.formats.split(","):
            one_round = make_round(folder, files, ending)
            warm = make(folder, one_round, 1, ending)
            for minutes in lengths:
                path = make(folder, one_round, minutes, ending)
                for name in WORK:
                    measure(name, path, warm)
                if ending == "mp3" and minutes == lengths[0]:
                    for name in PEERS:
                        measure(name, path, warm)
                path.unlink()


if __name__ == "__main__":
    main()
