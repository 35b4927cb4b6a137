"""One model of a run that is a network: built, trained, and its embeddings."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from accelerate.utils import gather_object, set_seed
from numpy.typing import NDArray
from torch.nn import Module

from fgbench.errors import InputError
from fgbench.protocol import Medium
from fgbench.train.checkpoint import read_checkpoint
from fgbench.train.dataset import Dataset, Items
from fgbench.train.embeddings import Embeddings
from fgbench.train.loading import cut_blocks, load_blocks
from fgbench.train.log import RunLog
from fgbench.train.loop import Training, train_network
from fgbench.train.machine import Machine
from fgbench.train.memory import memory_named
from fgbench.train.method import Similarity, Trained
from fgbench.train.recipe import Recipe


class Network:
    """A network of a run, its checkpoint and its log in ``folder``."""

    def __init__(
        self,
        recipe: Recipe,
        data: Dataset,
        folder: Path,
        identity: Mapping[str, Any],
        machine: Machine,
    ) -> None:
        self._recipe, self._data, self._identity = recipe, data, identity
        self._method = cast(Trained, recipe.method)
        self._machine, self._folder = machine, folder
        self._log = RunLog(folder / "log.jsonl")

    @cached_property
    def model(self) -> Module:
        """Its weights as they are drawn from the recipe's seed."""
        set_seed(self._recipe.seed)
        with memory_named(f"building {self._method.facts.name}"):
            return self._method.build(self._data, self._recipe.config)

    def train(self, progress: Callable[[float], None]) -> None:
        """Train to the end, from where an earlier run came to. Raises as ``train_network``."""
        training = Training(
            self.model,
            self._method.stages(self._data, self._recipe.config),
            self._data,
            self._recipe.seed,
            self._identity,
            self._checkpoint,
            self._log,
        )
        try:
            train_network(training, self._machine, progress)
        finally:
            if self._machine.main:
                self._log.tabulate()

    def embed(self) -> Embeddings:
        """The embeddings of the test items. Raises ``InputError`` FG-G034 before it is trained."""
        path = self._folder / "embeddings.npz"
        found = Embeddings.read(path, self._identity)
        if found is not None:
            return found
        rows = {}
        for medium, items in self._data.test.items():
            since = time.monotonic()
            rows[medium] = self.embed_items(medium, items)
            if self._machine.main:
                seconds = time.monotonic() - since
                self._log(stage="embed", medium=medium.value, items=len(items), seconds=seconds)
        parameters = sum(p.numel() for p in self.model.parameters())
        precision = self._machine.precision.value
        found = Embeddings(rows, {"parameters": parameters, "precision": precision})
        if self._machine.main:
            found.write(path, self._identity)
            self._log.tabulate()
        return found

    def embed_items(self, medium: Medium, items: Items) -> NDArray[np.float32]:
        """The embeddings [n, …] of whole items; of several processes, each computes some blocks.

        Raises what ``trained``, ``load_blocks`` and ``memory_named`` say.
        """
        model, machine = self.trained.eval(), self._machine
        share = machine.share
        blocks = list(enumerate(cut_blocks(items)))[share.rank :: share.world]
        found = []
        with (
            memory_named(f"embedding {medium} items"),
            torch.inference_mode(),
            machine.accelerator.autocast(),
        ):
            loaded = load_blocks(items, [places for _, places in blocks], machine.loading)
            for (number, _), inputs in zip(blocks, loaded, strict=True):
                rows = self._method.embed(model, medium, machine.place(inputs))
                found.append((number, rows.float().cpu().numpy()))
        every = dict(gather_object(found))
        return np.concatenate([every[number] for number in sorted(every)])

    @property
    def similarity(self) -> Similarity | None:
        """What compares the embeddings; None: the cosine."""
        method: Any = self._method
        if (
            not hasattr(method, "similarity")
            or method.similarity(self._recipe.config, None) is None
        ):
            return None
        found: Similarity = method.similarity(self._recipe.config, self.trained.eval())
        return found

    @property
    def _checkpoint(self) -> Path:
        return self._folder / "checkpoint.pt"

    @cached_property
    def trained(self) -> Module:
        """The model with the weights that it was trained to.

        Raises ``InputError``: FG-G034 before that, FG-G035 where it is of other data.
        """
        self._machine.accelerator.wait_for_everyone()  # one writes what all read
        found = read_checkpoint(self._checkpoint, self._identity, self._machine.computing)
        if found is None or not found.done:
            raise InputError(
                "FG-G034",
                f"{self._folder} holds no network that is trained to the end",
                why="Only then are its embeddings what the recipe says.",
                fix="Go on with fgbench baseline train, with the same --out.",
            )
        try:
            self.model.load_state_dict(found.model)
        except RuntimeError as error:
            raise InputError(
                "FG-G035",
                f"the network in {self._folder} is of another benchmark or split than this",
                why="What it is built like depends on the training items.",
                fix="Name the benchmark and split that it was trained on.",
            ) from error
        self._machine.adopt(self.model)
        return self.model
