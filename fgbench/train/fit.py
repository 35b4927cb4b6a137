"""One model of a run in closed form. Needs no torch."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, cast

import numpy as np

from fgbench.train.dataset import Dataset
from fgbench.train.embeddings import Embeddings
from fgbench.train.log import RunLog
from fgbench.train.memory import memory_named
from fgbench.train.method import ClosedForm, Similarity
from fgbench.train.recipe import Recipe


class Fit:
    """What a method comes to on a data set; its embeddings are all that is kept of it."""

    def __init__(
        self, recipe: Recipe, data: Dataset, folder: Path, identity: Mapping[str, Any]
    ) -> None:
        self._recipe, self._data, self._identity = recipe, data, identity
        self._path = folder / "embeddings.npz"
        self._log = RunLog(folder / "log.jsonl")

    def train(self, progress: Callable[[float], None]) -> None:
        """Fit, and embed the test items, unless that was done."""
        if Embeddings.read(self._path, self._identity) is None:
            self._log.rewind(0)
            since = time.monotonic()
            method = cast(ClosedForm, self._recipe.method)
            rng = np.random.default_rng(self._recipe.seed)
            with memory_named(f"fitting {method.facts.name}"):
                fitted = method.fit(self._data, self._recipe.config, rng, self._log)
            self._log(stage="fit", seconds=time.monotonic() - since)
            since = time.monotonic()
            with memory_named("embedding"):
                rows = {m: fitted.embed(m, of.inputs) for m, of in self._data.test.items()}
            self._log(stage="embed", seconds=time.monotonic() - since)
            Embeddings(rows, {}).write(self._path, self._identity)
            self._log.tabulate()
        progress(1.0)

    @property
    def similarity(self) -> Similarity | None:
        """What compares the embeddings; None: the cosine."""
        method: Any = self._recipe.method
        if not hasattr(method, "similarity"):
            return None
        found: Similarity | None = method.similarity(self._recipe.config, None)
        return found

    def embed(self) -> Embeddings:
        """The embeddings of the test items; fits where that was not done."""
        self.train(lambda part: None)
        found = Embeddings.read(self._path, self._identity)
        assert found is not None, "written just now"  # noqa: S101
        return found
