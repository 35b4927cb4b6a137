"""The chain of verbs at addresses of S3 (moto's server on this machine), beside that on files."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from report import table
from score import say
from spent import FGBENCH, HALF, ONE_THREAD, WIDTH, Bench, Spent, middle, shown, spend

ADDRESS = "s3://bench"
VERBS = ("baseline run acmr --features", "check", "score --out", "compare")
KEYS = {"AWS_ACCESS_KEY_ID": "bench", "AWS_SECRET_ACCESS_KEY": "bench", "AWS_REGION": "us-east-1"}


@contextmanager
def server(folder: Path) -> Iterator[dict[str, str]]:
    """moto's S3 in a process of its own with the bucket ``bench``: how to reach it."""
    with (folder / "moto.log").open("w") as log:
        command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", "0"]
        process = subprocess.Popen(command, stdout=log, stderr=log)
    try:
        until = time.monotonic() + 60
        while "Running on " not in (said := (folder / "moto.log").read_text()):
            if time.monotonic() > until or process.poll() is not None:
                raise RuntimeError(said)
            time.sleep(0.1)
        address = said.partition("Running on ")[2].split()[0]
        env = {**KEYS, **ONE_THREAD, "AWS_ENDPOINT_URL": address}
        code = f"import s3fs; s3fs.S3FileSystem().mkdir('{ADDRESS}')"
        spend(sys.executable, "-c", code, env=env)
        yield env
    finally:
        process.terminate()
        process.wait()


def s3(bench: Bench) -> Iterator[str]:
    """The chain on files of this machine, and on those of moto's S3."""
    folder = bench.folder / "s3"
    bench.work("make", folder, HALF, WIDTH)
    copy = "import sys, s3fs; s3fs.S3FileSystem().put(sys.argv[1], 'bench/', recursive=True)"
    with server(bench.folder) as env:
        for name in ("benchmark", "features", "submission.npz"):
            spend(sys.executable, "-c", copy, folder / name, env=env)
        found: dict[str, list[Spent]] = {}
        for base in (str(folder), ADDRESS):
            turns = [
                [spend(*FGBENCH, *command, env=env) for command in chain(base, folder / out)]
                for out in told(base, bench.repeat)
            ]
            for verb, spent in zip(VERBS, zip(*turns, strict=True), strict=True):
                found.setdefault(verb, []).append(middle(spent))
        kept = Path(folder / "run" / "record.json").read_bytes()
        read = "import sys, s3fs; sys.stdout.write(s3fs.S3FileSystem().cat('bench/run/record.json')"
        same = spend(sys.executable, "-c", f"{read}.decode())", env=env).printed == kept.decode()
    rows = [
        (f"`{verb}`", *shown(here)[:2], *shown(there)[:2]) for verb, (here, there) in found.items()
    ]
    yield from table(("verb", "files: wall s", "CPU s", "S3: wall s", "CPU s"), rows)
    yield f"\nThe two records are {'the same bytes' if same else 'NOT the same bytes'}."


def told(base: str, turns: int) -> Iterator[str]:
    """A run's folder for each turn: what is trained is not trained again."""
    for turn in range(turns):
        say(f"the chain at {base}, turn {turn + 1}")
        yield f"run-{'far' if base == ADDRESS else 'here'}-{turn}"


def chain(base: str, out: Path) -> Sequence[Sequence[object]]:
    """The VERBS, which read or write at an address."""
    against = ("--benchmark", f"{base}/benchmark")
    features = ("--features", f"{base}/features", "--budget", "tiny", "--device", "cpu")
    submission = f"{base}/submission.npz"
    return (
        ("baseline", "run", "acmr", *against, *features, "--out", out),
        ("check", submission, *against, "--json"),
        ("score", submission, *against, "--out", f"{base}/run", "--json"),
        ("compare", f"{base}/run", f"{base}/run", *against, "--json"),
    )
