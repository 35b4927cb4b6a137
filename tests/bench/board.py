"""A board of many methods: seconds to check and to build it, bytes of the first load, and how long
a browser takes to sort and to filter hundreds of rows.

``PYTHONPATH=tests python tests/bench/board.py [--methods 50] [--rows 500] [--keep FOLDER]``

The methods are noise about a point of each of the 200 species, more of it each time, scored at the
full size of fgxmedia-2019. The rows are of a board of eight species, since a row's width in a page
does not hang on the size of its benchmark. ``--keep``: where the entries stay for the next time.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

import numpy as np
from report import describe_machine, table
from small_board import write_card, write_ground, write_vectors

from fgbench import load_benchmark, score
from fgbench.benchmark import DEFAULT, Benchmark
from fgbench.leaderboard.handin import hand_in, with_card
from fgbench.submission import write_submission

WIDTH = 32
FIRST_LOAD = ("index.html", "static/board.css", "static/figures.css", "static/board.js")
CHROMIUM = "/usr/bin/chromium"
SORT = """head => {
  const start = performance.now();
  head.querySelector("button").click();
  document.body.getBoundingClientRect();
  return performance.now() - start;
}"""
TYPE = """word => {
  const start = performance.now();
  const find = document.getElementById("find");
  find.value = word;
  find.dispatchEvent(new Event("input"));
  document.body.getBoundingClientRect();
  return performance.now() - start;
}"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--methods", type=int, default=50)
    parser.add_argument("--rows", type=int, default=500)
    parser.add_argument("--keep", type=Path)
    asked = parser.parse_args()
    machine = describe_machine()
    with tempfile.TemporaryDirectory() as folder:
        root = asked.keep or Path(folder)
        root.mkdir(parents=True, exist_ok=True)
        full = fill(root / f"full-{asked.methods}", asked.methods, load_benchmark(DEFAULT), draw)
        rows = [time_verb("check", full), time_verb("build", full, "--out", str(root / "site"))]
        first = sum((root / "site" / name).stat().st_size for name in FIRST_LOAD)
        ground = root / "ground"
        if not ground.is_dir():
            write_ground(ground)
        many = fill(root / f"rows-{asked.rows}", asked.rows, load_benchmark(ground), small)
        where = ("--benchmark", str(ground))
        rows.append(time_verb("build", many, *where, "--out", str(root / "rows")))
        header = ["fgbench leaderboard", "entries", "wall s", "CPU s", "peak MB"]
        print("\n".join(table(header, rows)), "\n")
        print(f"First load of the board of {asked.methods} methods: {first / 1e3:.0f} KB\n")
        print(
            "\n".join(table(["in Chromium", "rows", "ms, median", "most"], browse(root, asked))),
            "\n",
        )
    print("\n".join(f"{what}: {said}" for what, said in machine.items()))


def fill(
    results: Path, count: int, benchmark: Benchmark, make: Callable[[Path, int, Benchmark], Path]
) -> Path:
    """The store of as many entries, made where it is not there."""
    if results.is_dir():
        return results
    part = results.with_suffix(".part")
    for number in range(count):
        with tempfile.TemporaryDirectory() as folder:
            vectors = make(Path(folder) / "v.npz", number, benchmark)
            card = write_card(Path(folder) / "c.yaml", method=f"Method number {number:03}")
            # A store of its own: the look for a name like it goes through all entries.
            apart = Path(folder) / "results"
            entry = hand_in(score(with_card(vectors, card, benchmark), benchmark), apart)
            target = part / entry.relative_to(apart)
            target.parent.mkdir(parents=True)
            shutil.move(entry, target)
        print(f"\r{results.name}: {number + 1} of {count}", end="", file=sys.stderr)
    print(file=sys.stderr)
    part.rename(results)
    return results


def draw(path: Path, number: int, benchmark: Benchmark) -> Path:
    """A submission of full size, noisier than the one before."""
    rng = np.random.default_rng(number)
    points = np.random.default_rng(0).normal(size=(200, WIDTH)).astype(np.float32)
    rows = {
        m: points[items.labels]
        + rng.normal(scale=2 + number / 50, size=(len(items), WIDTH)).astype(np.float32)
        for m, items in benchmark.items.items()
    }
    ids = {m: items.ids for m, items in benchmark.items.items()}
    write_submission(path, ids=ids, embeddings=rows, meta={})
    return path


def small(path: Path, number: int, benchmark: Benchmark) -> Path:
    return write_vectors(path, number)


def time_verb(verb: str, results: Path, *options: str) -> list[str]:
    """A row of the table: the command in a process of its own."""
    place = (str(results),) if verb == "check" else ("--results", str(results))
    before = time.perf_counter()
    child = subprocess.Popen(
        [sys.executable, "-m", "fgbench", "leaderboard", verb, *place, *options, "--json"],
        stdout=subprocess.DEVNULL,
    )
    _, status, used = os.wait4(child.pid, 0)
    if status:
        raise SystemExit(f"{verb} of {results} failed")
    wall = time.perf_counter() - before
    count = sum(1 for _ in results.glob("*/*/"))
    cpu, peak = used.ru_utime + used.ru_stime, used.ru_maxrss * 1024 / 1e6
    return [verb, str(count), f"{wall:.1f}", f"{cpu:.1f}", f"{peak:.0f}"]


def browse(root: Path, asked: argparse.Namespace) -> list[list[str]]:
    """Milliseconds of script and layout, each action eleven times."""
    from playwright.sync_api import sync_playwright

    rows = []
    with sync_playwright() as api:
        browser = api.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        page.goto((root / "rows" / "index.html").as_uri())
        head = page.locator('#sound-averages thead th[data-key="bimodal"]')
        for name, times in (
            ("sort", [head.evaluate(SORT) for _ in range(11)]),
            ("filter", [page.evaluate(TYPE, word) for word in ("method 1", "", "07", "") * 3][:11]),
        ):
            rows.append([name, str(asked.rows), f"{median(times):.0f}", f"{max(times):.0f}"])
        browser.close()
    return rows


if __name__ == "__main__":
    main()
