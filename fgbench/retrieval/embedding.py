"""Embedding something from outside a benchmark with the network that a run has trained."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from fgbench.errors import InputError
from fgbench.media.item import MediaItem
from fgbench.media.preset import PRESETS
from fgbench.retrieval.catalogue import Catalogue
from fgbench.submission import Space, Submission
from fgbench.train.dataset import Items
from fgbench.train.recipe import FILE, Recipe, read_config

if TYPE_CHECKING:
    from numpy.typing import NDArray

RUN_FILE = "run.json"


@dataclass(frozen=True, slots=True)
class _Trained:
    """What a run was trained on. ``shapes``: of an item of each medium, as it was tested."""

    shapes: Mapping[str, tuple[int, ...]]
    vectors: bool


def embed_outside(
    item: MediaItem,
    run: Path,
    submission: Submission,
    catalogue: Catalogue,
    split_column: str | None = None,
    device: str = "auto",
) -> NDArray[np.float32]:
    """The embedding [d] of an item, by the network of the run in a folder. Needs torch.

    The benchmark, with its media root, must be the one that the run was trained on: what a network
    is built like depends on it. Raises ``InputError``: FG-Q006 where the run has no network that
    takes such items, FG-Q007 where the media root is not known, FG-G030 to FG-G033 for what is
    wrong in the folder; ``FaultyInput`` (FG-M…) where the item itself cannot be used.
    """
    if submission.space is not Space.COMMON:
        raise _unable(run, "its media are compared pair by pair, and it was asked from outside")
    if not (run / FILE).is_file():
        raise _unable(run, f"it has a submission and no network: no file {FILE}")
    recipe = Recipe.read(run)
    if hasattr(recipe.method, "fit"):
        raise _unable(run, f"{recipe.method.facts.name} is a closed form, which leaves no network")
    trained = _read_trained(run / RUN_FILE)
    if trained.vectors:
        raise _unable(run, "it has learnt from feature files, and takes vectors")
    if item.medium not in trained.shapes:
        raise _unable(run, f"it has learnt {', '.join(trained.shapes)}, and no {item.medium}")
    if catalogue.media_root is None:
        raise InputError(
            "FG-Q007",
            "nobody says where the benchmark's files lie",
            why="The run was trained on them, and its network is built as for them.",
            fix="Name the folder that their paths begin in: --media-root.",
        )
    return _embed(item, run, recipe, trained, catalogue, split_column, device)


def _read_trained(path: Path) -> _Trained:
    try:
        found = json.loads(path.read_bytes())
        shapes = {
            str(m): tuple(int(n) for n in shape) for m, shape in dict(found["inputs"]).items()
        }
        return _Trained(shapes, bool(found["features"]))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(
            "FG-Q006",
            f"{path} does not say what the run was trained on: {str(error)[:200]}",
            why="A query is prepared as the items were.",
            fix="Let fgbench baseline embed write it again.",
        ) from error


def _embed(
    item: MediaItem,
    run: Path,
    recipe: Recipe,
    trained: _Trained,
    catalogue: Catalogue,
    split_column: str | None,
    device: str,
) -> NDArray[np.float32]:
    from fgbench.train.hardware import Device, Hardware
    from fgbench.train.inputs import MediaInputs
    from fgbench.train.machine import Machine
    from fgbench.train.network import Network
    from fgbench.train.source import dataset

    side = next((shape[-1] for shape in trained.shapes.values() if len(shape) > 2), None)
    preset = PRESETS[recipe.form]
    preset = preset.at_side(side) if side else preset
    machine = Machine(Hardware(Device(device), workers=0), pixels=side is not None)
    identity = {**recipe.identity(), "data": _fingerprints(run)}
    data = dataset(catalogue.source, None, catalogue.media_root, split_column, preset)
    network = Network(recipe, data, run, identity, machine)
    inputs = MediaInputs((item,), item.medium, preset)
    one = Items(np.array([item.item_id]), np.zeros(1, np.int64), inputs)
    row: NDArray[np.float32] = network.embed_items(item.medium, one)[0]
    return row


def _fingerprints(run: Path) -> Mapping[str, str]:
    found = read_config(run)
    assert found is not None, "the recipe was read from it"  # noqa: S101
    fingerprints: Mapping[str, str] = found["data"]
    return fingerprints


def _unable(run: Path, why: str) -> InputError:
    return InputError(
        "FG-Q006",
        f"the run {run} cannot embed what is from outside the benchmark: {why}",
        why="Only the network that made the test items' embeddings can make one beside them.",
        fix="Ask with a test item's id; or take a run of a network that was trained on media "
        "(--media-root), as of fgcrossnet.",
    )
