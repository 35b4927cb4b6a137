"""25 frames of each of many clips: time and memory against the number of clips.

``python tests/bench/video.py [--clips 250,500,1000] [--seconds 10] [--engine local]``

One clip of 640 × 480 pixels, made by imageio-ffmpeg's ffmpeg, stands under as many names, with
lists of that length; ``youtube_birds.rows`` runs in a process of its own, once a size. Peak memory
is the sum over that process and its workers, sampled every 50 ms; pages that they share count more
than once.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import imageio_ffmpeg
from build import memory

from fgbench.collect.local import youtube_birds
from fgbench.collect.local.downloads import Downloads
from fgbench.settings import Settings
from fgbench.species import species


def fill(folder: Path, clip: Path, clips: int) -> None:
    """A folder as a user has it: lists, and the clips beside them."""
    names = {str(bird.label): bird.cub_name for bird in species()}
    train = [[f"{k:011}", k % len(names)] for k in range(clips)]
    for name, content in (("label2name", names), ("train_list", train), ("test_list", [])):
        (folder / f"{name}.json").write_text(json.dumps(content))
    for youtube_id, _ in train:
        os.link(clip, folder / f"{youtube_id}.mp4")


def run(folder: Path, engine: str) -> None:
    """All of it, in this process and its workers."""
    out = folder / "out"
    found = youtube_birds.rows(folder, species(), out, Downloads(out, Settings()), engine=engine)
    print(f"{len(found.kept):8,}", end=" ", flush=True)


def make(path: Path, seconds: int) -> None:
    source = f"testsrc2=size=640x480:rate=25:duration={seconds}"
    quiet = ("-nostdin", "-y", "-loglevel", "error", "-f", "lavfi", "-i", source)
    command = [imageio_ffmpeg.get_ffmpeg_exe(), *quiet, "-c:v", "libx264", str(path)]
    subprocess.run(command, check=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clips", default="250,500,1000")
    parser.add_argument("--seconds", type=int, default=10)
    parser.add_argument("--engine", default="local")
    parser.add_argument("--inside", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.inside:
        run(Path(options.inside), options.engine)
        return
    print("    kept   seconds   peak MB")
    for clips in map(int, options.clips.split(",")):
        with tempfile.TemporaryDirectory() as folder:
            clip = Path(folder) / "clip.mp4"
            make(clip, options.seconds)
            fill(Path(folder), clip, clips)
            start, peak = time.perf_counter(), 0
            command = [sys.executable, __file__, "--inside", folder, "--engine", options.engine]
            child = subprocess.Popen(command)
            while child.poll() is None:
                peak = max(peak, memory(child.pid))
                time.sleep(0.05)
            wall = time.perf_counter() - start
            if child.returncode:
                sys.exit(child.returncode)
            print(f"{wall:9.1f} {peak / 1e6:9.0f}", flush=True)


if __name__ == "__main__":
    main()
