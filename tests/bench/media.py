"""Spectrograms beside the way of the authors' audio.py, and how fast each medium is prepared.

``python tests/bench/media.py [DATA] [--turns 3] [--seconds 4,12,60]``

DATA is a folder with recordings, and perhaps JPEG files, anywhere below it; without it, and for
``--seconds``, songs and photographs are made up. The authors' way is rebuilt here: librosa.load,
librosa.stft, librosa.display.specshow drawn by matplotlib into a PNG file of 700 × 700 pixels, and
that read, resized and cropped as their loader does. Both ways start from the same file and end in
an array of the same shape; recordings are tried as they are, as the FLAC files that ``fgbench
build-data`` makes of them, and without decoding, from the samples. The ways take turns at each
file, and the fastest turn counts, in seconds of the processor.
"""

from __future__ import annotations

import argparse
import tempfile
import time
import warnings
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TypeVar

import librosa
import librosa.display
import matplotlib as mpl
import numpy as np
import soundfile
from matplotlib import pyplot as plt
from numpy.typing import NDArray
from PIL import Image
from report import describe_machine, installed, table

from fgbench.media.audio import draw, load_audio
from fgbench.media.decode import RATE, Recording
from fgbench.media.image import load_image, normalise
from fgbench.media.preset import PAPER, RELEASED
from fgbench.media.text import encode

T = TypeVar("T")
SOUNDS = {".mp3", ".wav", ".flac", ".ogg"}
PACKAGES = ("librosa", "matplotlib", "numpy", "pillow", "soundfile", "soxr")
TEXT = "A small bird with a black cap, a white cheek and a buff flank; it calls chick-a-dee. " * 5


def load_as_authors(path: Path, png: Path) -> NDArray[np.uint8]:
    samples, _ = librosa.load(path)
    return draw_as_authors(samples, png)


def draw_as_authors(samples: NDArray[np.float32], png: Path) -> NDArray[np.uint8]:
    """The picture [3, 448, 448] of a sound, by way of a PNG file, as their scripts make it."""
    levels = librosa.amplitude_to_db(np.abs(librosa.stft(samples)), ref=np.max)
    figure = plt.figure()
    librosa.display.specshow(levels)
    figure.set_size_inches(7 / 3, 7 / 3)
    figure.gca().xaxis.set_major_locator(plt.NullLocator())
    figure.gca().yaxis.set_major_locator(plt.NullLocator())
    figure.subplots_adjust(top=1, bottom=0, right=1, left=0, hspace=0, wspace=0)
    figure.gca().margins(0, 0)
    figure.savefig(png, format="png", transparent=True, dpi=300, pad_inches=0)
    plt.close(figure)
    with Image.open(png) as picture:
        resized = picture.convert("RGB").resize((512, 512), Image.Resampling.BILINEAR)
    return np.asarray(resized.crop((32, 32, 480, 480))).transpose(2, 0, 1)


def clock(work: Callable[[], object]) -> float:
    """Seconds of the processor."""
    start = time.process_time()
    work()
    return time.process_time() - start


def make_song(path: Path, seconds: float) -> Path:
    """Chirps over noise, as a 16-bit file."""
    rng = np.random.default_rng(7)
    at = np.arange(int(seconds * 44_100)) / 44_100
    song = 0.5 * np.sin(2 * np.pi * (3000 + 800 * np.sin(9 * at)) * at) * (at % 1 < 0.4)
    soundfile.write(path, song + 0.01 * rng.standard_normal(len(at)), 44_100, subtype="PCM_16")
    return path


def make_photo(path: Path) -> Path:
    """A JPEG file of the size of most of CUB's."""
    noise = np.random.default_rng(7).integers(0, 256, (47, 63, 3), np.uint8)
    Image.fromarray(noise).resize((500, 375), Image.Resampling.BICUBIC).save(path, quality=95)
    return path


def as_built(path: Path, folder: Path) -> Path:
    """The recording as a build keeps it: FLAC, mono, 32 kHz, 16 bits."""
    target = folder / f"{path.parent.name}-{path.stem}.flac"
    soundfile.write(target, np.concatenate([*Recording(path.read_bytes())]), RATE)
    return target


def compare(
    name: str, sounds: Sequence[T], ways: Mapping[str, Callable[[T], object]], turns: int
) -> list[str]:
    """A row: milliseconds a sound of the authors' way and of ours, and how many times as fast."""
    for work in ways.values():
        work(sounds[0])  # libraries are loaded, kernels compiled
    spent = dict.fromkeys(ways, 0.0)
    for sound in sounds:
        taken = [
            {way: clock(partial(work, sound)) for way, work in ways.items()} for _ in range(turns)
        ]
        for way in ways:
            spent[way] += min(turn[way] for turn in taken)
    authors, *ours = spent.values()
    times = [f"{1000 * seconds / len(sounds):.1f}" for seconds in spent.values()]
    return [name, str(len(sounds)), *times, *(f"{authors / seconds:.1f}×" for seconds in ours)]


def describe_likeness(files: Sequence[Path], png: Path) -> str:
    """How far the released preset is from what matplotlib draws, in steps of 255."""
    theirs = np.stack([load_as_authors(path, png) for path in files])
    ours = np.stack([load_audio(path, RELEASED.audio) for path in files])
    apart = np.abs(theirs.astype(int) - ours)
    return f"mean {apart.mean():.2f}, 99.9 % within {np.quantile(apart, 0.999):.0f}"


def measure_others(photos: Sequence[Path], turns: int) -> list[list[str]]:
    """Items a second of one core for images and texts, the fastest turn."""
    work: dict[str, Callable[[], object]] = {
        "image, bytes": lambda: [load_image(path, PAPER.image) for path in photos],
        "image, normalised": lambda: [normalise(load_image(p, PAPER.image)) for p in photos],
        "text": lambda: [encode(TEXT, PAPER.text) for _ in photos],
    }
    best = {name: min(clock(way) for _ in range(turns)) for name, way in work.items()}
    return [[name, f"{len(photos) / seconds:,.0f}"] for name, seconds in best.items()]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path, nargs="?")
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--seconds", default="4,12,60")
    options = parser.parse_args()
    mpl.use("Agg")
    warnings.simplefilter("ignore")
    machine = {**describe_machine(), "packages": ", ".join(f"{p} {installed(p)}" for p in PACKAGES)}
    found = sorted(options.data.rglob("*")) if options.data else []
    recorded = [path for path in found if path.suffix in SOUNDS]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        png = folder / "drawn.png"
        photos = [path for path in found if path.suffix == ".jpg"][:200]
        photos = photos or [make_photo(folder / "photo.jpg")] * 200
        made = [float(seconds) for seconds in options.seconds.split(",") if seconds]
        built = [as_built(path, folder) for path in recorded]
        sets = {
            "as recorded": recorded,
            "as built": built,
            **{f"made up, {s:g} s": [make_song(folder / f"{s}.wav", s)] for s in made},
        }
        from_file: dict[str, Callable[[Path], object]] = {
            "authors": lambda path: load_as_authors(path, png),
            "paper": lambda path: load_audio(path, PAPER.audio),
            "released": lambda path: load_audio(path, RELEASED.audio),
        }
        from_samples: dict[str, Callable[[NDArray[np.float32]], object]] = {
            "authors": lambda samples: draw_as_authors(samples, png),
            "paper": lambda samples: draw(samples, PAPER.audio),
            "released": lambda samples: draw(samples, RELEASED.audio),
        }
        rows = [compare(k, files, from_file, options.turns) for k, files in sets.items() if files]
        decoded = [librosa.load(path)[0] for path in built]
        if decoded:
            rows.append(compare("decoded before", decoded, from_samples, options.turns))
        likeness = describe_likeness(built, png) if built else "no recordings"
        others = measure_others(photos, options.turns)
    head = (
        "recordings",
        "files",
        "authors, ms",
        "paper, ms",
        "released, ms",
        "÷ paper",
        "÷ released",
    )
    print(*(f"- {name}: {value}" for name, value in machine.items()), "", sep="\n")
    print(*table(head, rows), "", f"Released preset beside matplotlib: {likeness}.", "", sep="\n")
    print(*table(("one core", "items a second"), others), sep="\n")


if __name__ == "__main__":
    main()
