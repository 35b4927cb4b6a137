"""A run: a recipe and a data set in, a folder out, with ``submission.npz`` in the end.

::

    RUN/config.yaml      the recipe, and fingerprints of the data
    RUN/checkpoint.pt    of a method that is trained; log.jsonl, log.csv; embeddings.npz
    RUN/pairs/image_text the same of each pair, for a method that learns two media at a time
    RUN/submission.npz   RUN/run.json: form, budget, versions, times, deviations
"""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fgbench.errors import InputError
from fgbench.protocol import Medium
from fgbench.train.dataset import Dataset
from fgbench.train.fit import Fit
from fgbench.train.hardware import Hardware
from fgbench.train.method import Scope
from fgbench.train.recipe import (
    FILE,
    Recipe,
    check_identity,
    fingerprint,
    read_config,
    takes_vectors,
    write_config,
)
from fgbench.train.submission import submit
from fgbench.train.taken import as_taken

if TYPE_CHECKING:
    from fgbench.train.machine import Machine
    from fgbench.train.network import Network

SUBMISSION = "submission.npz"
DESCRIPTION = "run.json"
_PACKAGES = ("fgbench", "numpy", "scipy", "torch", "torchvision", "accelerate")

Progress = Callable[[float], None]
USUAL = Hardware()


class Run:
    """A recipe on a data set, in a folder. Under ``torchrun``, one process of several.

    What an earlier call did is not done again. Raises, at once, ``FaultyInput`` where the folder
    is another run's (FG-G031), and ``InputError`` where the method cannot be run so (FG-G040 to
    FG-G046).
    """

    def __init__(
        self, recipe: Recipe, data: Dataset, out: Path, hardware: Hardware = USUAL
    ) -> None:
        data = as_taken(data, recipe)
        self._recipe, self._data, self._out = recipe, data, out
        self._fingerprint = fingerprint(data)
        self._machine = _machine(recipe, data, hardware)
        self._main = self._machine is None or self._machine.main
        if (found := read_config(out)) is not None:
            found.pop("budget")  # says how the configuration came about
            wanted = {**recipe.identity(), "data": self._fingerprint}
            check_identity(str(out / FILE), found, wanted)
        elif self._main:
            out.mkdir(parents=True, exist_ok=True)
            write_config(out, recipe, self._fingerprint)

    def train(self, progress: Progress = lambda part: None) -> None:
        """Train every model to the end."""
        parts = self._parts()
        for number, media in enumerate(parts):
            model = self._model(media)
            model.train(_part_of(progress, number, len(parts)))
        self._describe("train")

    def embed(self) -> Path:
        """Embed the test items by every model, and write the submission; returns its path."""
        models = [self._model(media) for media in self._parts()]
        embeddings = [model.embed() for model in models]
        path = self._out / SUBMISSION
        if self._main:
            compared = [similar for model in models if (similar := model.similarity) is not None]
            submit(path, self._recipe, self._data, embeddings, compared)
        self._describe("embed")
        return path

    def _parts(self) -> list[tuple[Medium, ...]]:
        """The media of each model."""
        if self._recipe.method.facts.scope is Scope.JOINT:
            return [self._data.media]
        return list(combinations(self._data.media, 2))

    def _folder(self, media: tuple[Medium, ...]) -> Path:
        if self._recipe.method.facts.scope is Scope.JOINT:
            return self._out
        return self._out / "pairs" / "_".join(media)

    def _model(self, media: tuple[Medium, ...]) -> Fit | Network:
        folder, data = self._folder(media), self._data.only(*media)
        folder.mkdir(parents=True, exist_ok=True)
        of_media = {medium.value: self._fingerprint[medium] for medium in media}
        identity = {**self._recipe.identity(), "data": of_media}
        if self._machine is None:
            return Fit(self._recipe, data, folder, identity)
        from fgbench.train.network import Network

        return Network(self._recipe, data, folder, identity, self._machine)

    def _describe(self, verb: str) -> None:
        """Write ``run.json``: what may differ from one run of a recipe to the next, too.

        A call that finds all done leaves what is said of those that did it.
        """
        if not self._main:
            return
        path, seconds = self._out / DESCRIPTION, self._seconds()
        before = _read_description(path)
        if before.get("seconds") == seconds:
            return
        here = self._machine.described if self._machine else {"device": "cpu"}
        facts = self._recipe.method.facts
        described = {
            **self._recipe.identity(),
            "budget": self._recipe.budget.value,
            "deviations": dict(facts.deviations),
            "inputs": {m.value: list(of.inputs.shape) for m, of in self._data.test.items()},
            "features": [m.value for m, of in self._data.test.items() if takes_vectors(of)],
            "computing": {**before.get("computing", {}), verb: here},
            "seconds": seconds,
            "versions": {"python": platform.python_version(), **_versions()},
        }
        draft = path.with_name(f".{DESCRIPTION}.draft")
        draft.write_text(json.dumps(described, indent=2, ensure_ascii=False) + "\n", "utf-8")
        draft.replace(path)

    def _seconds(self) -> dict[str, float]:
        """What the logs say of time, over all calls: stage by stage, over all models."""
        seconds: dict[str, float] = {}
        for media in self._parts():
            path = self._folder(media) / "log.jsonl"
            for line in path.read_text("utf-8").splitlines() if path.exists() else ():
                said = json.loads(line)
                if "seconds" in said:
                    stage = said["stage"]
                    seconds[stage] = seconds.get(stage, 0.0) + said["seconds"]
        return seconds


def _machine(recipe: Recipe, data: Dataset, hardware: Hardware) -> Machine | None:
    """None for a closed form, which needs no torch."""
    if not hasattr(recipe.method, "fit"):
        from fgbench.train.machine import Machine

        pixels = any(len(items.inputs.shape) > 2 for items in data.test.values())
        return Machine(hardware, pixels=pixels)
    if int(os.environ.get("WORLD_SIZE", "1")) > 1:
        raise InputError(
            "FG-G044",
            f"{recipe.method.facts.name} is a closed form, of one process",
            fix="Start it without torchrun.",
        )
    return None


def _read_description(path: Path) -> dict[str, Any]:
    """Nothing where there is none, or none that can be read: it is written anew."""
    try:
        found = json.loads(path.read_text("utf-8"))
    except (FileNotFoundError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _part_of(progress: Progress, number: int, parts: int) -> Progress:
    return lambda done: progress((number + done) / parts)


def _versions() -> dict[str, str]:
    found = {}
    for package in _PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue  # none of the run's, then
    return found
