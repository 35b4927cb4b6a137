"""The submission of a run: its models' embeddings, or what a method compares them by."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import fgbench
from fgbench.submission.writer import write_submission
from fgbench.train.dataset import Dataset
from fgbench.train.embeddings import Embeddings
from fgbench.train.method import Scope, Similarity
from fgbench.train.recipe import Recipe
from fgbench.train.score_matrices import score_matrices
from fgbench.train.taken import is_image_text


def submit(
    path: Path,
    recipe: Recipe,
    data: Dataset,
    models: Sequence[Embeddings],
    compared: Sequence[Similarity],
) -> None:
    """Write the submission, whole or not at all. ``compared``: by what, a model; none: the cosine.

    Raises ``FaultyInput`` as ``write_submission`` does, as where an embedding is no number.
    """
    rows = [model.rows for model in models]
    facts = recipe.method.facts
    content: dict[str, Any] = {
        "ids": {medium: data.test[medium].ids for medium in data.media},
        "meta": _card(recipe, models),
    }
    if compared:
        with tempfile.TemporaryDirectory(prefix=".fgbench-", dir=path.absolute().parent) as folder:
            within = not is_image_text(recipe)
            found = score_matrices([*zip(rows, compared, strict=True)], Path(folder), within=within)
            scores: Any = found
            write_submission(path, scores=scores, **content)
        return
    binary = facts.space == "codes"
    if facts.scope is Scope.JOINT:
        content["embeddings"] = rows[0]
    else:
        content["pairs"] = {(a, b): (of[a], of[b]) for of in rows for a, b in [tuple(of)]}
    write_submission(path, binary=binary, **content)


def _card(recipe: Recipe, models: Sequence[Embeddings]) -> dict[str, Any]:
    """What does not vary from one run of the recipe to the next: no times, no machine."""
    facts = recipe.method.facts
    widths = {rows.shape[1] for model in models for rows in model.rows.values()}
    counts = [model.facts["parameters"] for model in models if "parameters" in model.facts]
    return {
        "method": facts.title,
        "year": facts.year,
        "paper": facts.source,
        "code": f"fgbench {fgbench.__version__}, {facts.name}",
        "dimension": max(widths),
        "parameters": sum(counts) if counts else None,
        "budget": recipe.budget.value,
        "deviations": dict(facts.deviations),
        **{name: value for name, value in recipe.identity().items() if name != "method"},
    }
