"""A data set as a method takes it: its media, and vectors or parts."""

from __future__ import annotations

from fgbench.errors import InputError
from fgbench.protocol import Medium
from fgbench.train.dataset import Dataset
from fgbench.train.inputs import PartInputs, as_vectors
from fgbench.train.method import Kind, Scope
from fgbench.train.recipe import Recipe


def as_taken(data: Dataset, recipe: Recipe) -> Dataset:
    """The media and the inputs that the recipe's method takes.

    Raises ``InputError``: FG-G045 where a medium is lacking, FG-G046 where parts are.
    """
    facts = recipe.method.facts
    if is_image_text(recipe):
        wanted = (Medium.IMAGE, Medium.TEXT)
        if lacking := [medium.value for medium in wanted if medium not in data.media]:
            raise InputError(
                "FG-G045",
                f"{facts.name} learns images and texts, and there is no {' and no '.join(lacking)}",
                fix="Add the medium, with training items and inputs, or choose another method.",
            )
        data = data.only(*wanted)
    if facts.takes is not Kind.PARTS:
        return data.changed(as_vectors)
    if lacking := [m.value for m in data.media if not isinstance(data.test[m].inputs, PartInputs)]:
        raise InputError(
            "FG-G046",
            f"{facts.name} takes parts of items, and there are none of {', '.join(lacking)}",
            why="It compares regions, words, frames or windows, which a vector does not hold.",
            fix="Extract them with fgbench features --parts, and name that folder: --features.",
        )
    return data


def is_image_text(recipe: Recipe) -> bool:
    """Whether images and texts alone are learnt, and compared with each other alone."""
    limited = recipe.method.facts.scope is Scope.IMAGE_TEXT
    return limited and not getattr(recipe.config, "extended", False)
