"""fgbench at other sizes and on other machines' storage: seconds and memory, in tables.

``python tests/bench/scale.py [--parts build,score,sampled,matrices,train,s3] [--repeat N]
[--quick] [--out FILE]``

Every figure is of processes of their own: wall seconds by the clock, CPU seconds and peak memory by
the operating system. CPU seconds are of all that a command started; peak memory is that of its
largest process. This process stays small, since Linux hands a parent's peak down to its child.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import statistics
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from report import describe_machine, table
from scale_s3 import s3
from score import say
from spent import FGBENCH, HALF, HERE, ONE_THREAD, WIDTH, Bench, Spent, cpu, middle, shown, spend

NARROW = 32
"""The width of embeddings that stay on disk."""
QUERIES = 2_000
ITEMS = 21_476
"""Test items of fgxmedia-2019."""


def digest(folder: Path) -> str:
    """Of all manifests and media of a build, by their names."""
    sha = hashlib.sha256()
    for path in sorted(
        path for part in ("manifests", "media") for path in folder.glob(f"{part}/**/*")
    ):
        if path.is_file():
            sha.update(f"{path.relative_to(folder)} ".encode())
            sha.update(hashlib.sha256(path.read_bytes()).digest())
    return sha.hexdigest()


def build(bench: Bench) -> Iterator[str]:
    """The sample world on this machine's cores, and on a cluster of two workers."""
    sys.path.insert(0, str(HERE.parent))
    from dask_cluster import started

    rows = []
    few = ("--media", "text", "--species", "61,64") if bench.quick else ("--per-class", "6")
    for name in ("local", "dask"):
        found, digests = [], set()
        for turn in range(bench.repeat):
            say(f"build-data, {name}, turn {turn + 1}")
            out = bench.folder / f"{name}-{turn}"
            command = (*FGBENCH, "build-data", "--sample", *few, "--out", out)
            before = cpu()
            if name == "local":
                spent = spend(*command)
            else:
                (bench.folder / f"cluster-{turn}").mkdir()
                with started(bench.folder / f"cluster-{turn}") as cluster:
                    cluster.add_worker("--no-nanny")
                    cluster.add_worker("--no-nanny")
                    spent = spend(*command, "--engine", cluster.engine)
            found.append(Spent(spent.wall, cpu() - before, spent.peak))
            digests.add(digest(out)[:12])
        rows.append((name, *shown(middle(found)), ", ".join(sorted(digests))))
    head = ("engine", "wall s", "CPU s", "peak MB", "SHA-256 of manifests and media")
    yield from table(head, rows)


def score(bench: Bench) -> Iterator[str]:
    """``fgbench score --out``, from start to exit."""
    rows = []
    for times in bench.sizes(1, 2, 4):
        folder = bench.folder / f"score-{times}"
        bench.work("make", folder, times, WIDTH)
        command = (
            *FGBENCH,
            "score",
            folder / "submission.npz",
            "--benchmark",
            folder / "benchmark",
        )
        out = ("--out", folder / "run", "--json")
        if not rows:
            spend(*command, *out)  # compiles its kernels, where that was never done
        say(f"score, {times} times the items")
        spent = bench.often(*command, *out)
        values = (folder / "run" / "per_query.parquet").stat().st_size / 1e6
        file = (folder / "submission.npz").stat().st_size / 1e6
        size = f"{round(times * ITEMS):,}"
        rows.append((f"{times}×", size, f"{file:.0f}", *shown(spent), f"{values:.1f}"))
    head = ("items", "test items", "file MB", "wall s", "CPU s", "peak MB", "per-query values MB")
    yield from table(head, rows)


def sampled(bench: Bench) -> Iterator[str]:
    """A sample of the queries against a gallery that is read block by block."""
    rows, queries = [], 200 if bench.quick else QUERIES
    for times in bench.sizes(1, 10, 100):
        folder = bench.folder / f"gallery-{times}"
        bench.work("gallery", folder, times, NARROW)
        say(f"{queries:,} queries against {times} times the gallery")
        turns = bench.repeat if times < 100 else 1
        command = (sys.executable, HERE / "scale_work.py", "rank", folder, queries)
        done = [spend(*command) for _ in range(turns)]
        said = [json.loads(one.printed) for one in done]
        wall, used = (statistics.median(one[key] for one in said) for key in ("seconds", "cpu"))
        asked, items = said[0]["queries"], said[0]["items"]
        size = (folder / "gallery.f32").stat().st_size / 1e6
        rows.append(
            (
                f"{times}×",
                f"{items:,}",
                f"{size:.0f}",
                str(said[0]["step"]),
                *shown(Spent(wall, used, max(one.peak for one in done))),
                f"{1000 * used / asked:.1f}",
                f"≈ {used / asked * items / 3600:,.2f} h",
                str(turns),
            )
        )
    head = ("gallery", "items", "MB on disk", "queries a block", "wall s", "CPU s", "peak MB")
    more = ("CPU ms a query", "all items as queries, CPU", "turns")
    yield from table((*head, *more), rows)
    folder = bench.folder / "score-sampled"
    bench.work("make", folder, 1, NARROW)
    command = (*FGBENCH, "score", folder / "submission.npz", "--benchmark", folder / "benchmark")
    spend(*command, "--out", folder / "run")
    values = folder / "run" / "per_query.parquet"
    apart = bench.work("apart", bench.folder / "gallery-1", values, queries)
    yield f"\nAt 1× no AP is further than {float(apart):.1e} from that of `fgbench score`."


def matrices(bench: Bench) -> Iterator[str]:
    """``fgbench score`` of ten score matrices, which stay in the file."""
    rows = []
    for times in bench.sizes(0.5, 1, 2):
        folder = bench.folder / f"matrices-{times}"
        bench.work("matrices", folder, times)
        file = folder / "submission.npz"
        say(f"score matrices, {times} times the items")
        spent = bench.often(*FGBENCH, "score", file, "--benchmark", folder / "benchmark", "--json")
        size = f"{round(times * ITEMS):,}"
        rows.append((f"{times}×", size, f"{file.stat().st_size / 1e6:,.0f}", *shown(spent)))
        file.unlink()
    yield from table(("items", "test items", "file MB", "wall s", "CPU s", "peak MB"), rows)


def train(bench: Bench) -> Iterator[str]:
    """One process, and two that share each step's rows: a thread each, so that none spins."""
    folder = bench.folder / "train"
    bench.work("make", folder, HALF, WIDTH)
    data = ("--benchmark", folder / "benchmark", "--features", folder / "features")
    verb = ("-m", "fgbench", "baseline", "run", "acmr", *data, "--budget", "tiny")
    launcher = ("-m", "torch.distributed.run", "--standalone", "--nproc_per_node", "2")
    rows = []
    for name, before in (("one process", ()), ("torchrun, two processes, gloo", launcher)):
        found, seconds = [], []
        for turn in range(bench.repeat):
            say(f"training, {name}, turn {turn + 1}")
            out = folder / f"{len(rows)}-{turn}"
            command = (sys.executable, *before, *verb, "--device", "cpu", "--out", out)
            found.append(spend(*command, env=ONE_THREAD))
            seconds.append(trained(out))
        rows.append((name, f"{statistics.median(seconds):.1f}", *shown(middle(found))))
    yield from table(("way", "training s", "wall s", "CPU s", "peak MB a process"), rows)


def trained(out: Path) -> float:
    """Seconds of all epochs, those of every pair of media together."""
    logs = [path.read_text().splitlines() for path in out.rglob("log.jsonl")]
    lines = [json.loads(line) for log in logs for line in log]
    return sum(float(line["seconds"]) for line in lines if line["stage"] == "train")


PARTS = {
    "score": score,
    "sampled": sampled,
    "matrices": matrices,
    "train": train,
    "s3": s3,
    "build": build,  # last: it makes this process larger
}


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--parts", default=",".join(PARTS), help=f"some of {','.join(PARTS)}")
    parser.add_argument("--repeat", type=int, default=3, metavar="N", help="medians of (default 3)")
    parser.add_argument("--quick", action="store_true", help="once, the least size: no figures")
    parser.add_argument("--out", type=Path, default=Path("bench-out/scale.md"), metavar="FILE")
    options = parser.parse_args()
    chosen = [name for name in options.parts.split(",") if name]
    if unknown := sorted(set(chosen) - set(PARTS)):
        parser.error(f"no part {', '.join(unknown)}; there are {', '.join(PARTS)}")
    lines = [f"- {name}: {value}" for name, value in describe_machine().items()]
    repeat = 1 if options.quick else options.repeat
    for name in (name for name in PARTS if name in chosen):
        with tempfile.TemporaryDirectory(prefix="fgbench-scale-") as folder:
            load = os.getloadavg()[0]
            lines += [
                "",
                f"### {name}",
                "",
                *PARTS[name](Bench(Path(folder), repeat, options.quick)),
            ]
            lines += ["", f"Load before {load:.1f}, after {os.getloadavg()[0]:.1f}."]
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text("\n".join(lines) + "\n", "utf-8")
    print("\n".join(lines))
    say(f"written to {options.out}")


if __name__ == "__main__":
    main()
