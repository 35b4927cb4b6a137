"""What is run to do a printed table again, and what keeps its figures from being compared."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any

from fgbench.benchmark import DEFAULT, Benchmark, load_benchmark
from fgbench.errors import InputError
from fgbench.media.preset import PRESETS, Form
from fgbench.protocol import MEDIA, Medium
from fgbench.train.dataset import Dataset
from fgbench.train.forms import load_form, plain_config
from fgbench.train.inputs import as_vectors
from fgbench.train.method import Budget, Kind, Scope
from fgbench.train.recipe import Recipe, takes_vectors
from fgbench.train.targets import PrintedTable, Target, targets

NOT_ASKED = "not asked for"


@dataclass(frozen=True, slots=True, eq=False)
class Planned:
    """A row of the table with a recipe for each seed; without any, ``idle`` says why."""

    target: Target
    recipes: tuple[Recipe, ...]
    idle: str = ""


def plan(
    table: PrintedTable,
    form: Form = Form.PAPER,
    budget: Callable[[str], Budget] = lambda name: Budget.FULL,
    seeds: int = 1,
    methods: Collection[str] | None = None,
) -> tuple[Planned, ...]:
    """What is to be run: every row, or those in ``methods``, by their keys.

    Raises ``InputError`` (FG-G060) for a key that the table has not, and what ``load_form`` raises:
    nothing is run before all is known to be sound.
    """
    rows = targets(table)
    keys = [row.key for row in rows]
    if wrong := [key for key in methods or () if key not in keys]:
        raise InputError(
            "FG-G060",
            f"{table.heading} has no row {', '.join(map(repr, wrong))}",
            fix=f"There are: {', '.join(keys)}.",
        )
    return tuple(_planned(row, form, budget, seeds, methods) for row in rows)


def obstacles(row: Planned, data: Dataset, same: bool) -> tuple[str, ...]:
    """Why the row's figures cannot be compared with printed ones, whatever they come to.

    ``same``: whether the benchmark is :func:`official`.
    """
    if not row.recipes:
        return ()
    recipe, preset = row.recipes[0], PRESETS[row.recipes[0].form]
    facts, side = recipe.method.facts, preset.image.crop
    found = []
    if not same:
        found.append("another data set")
    if recipe.config != load_form(facts.name, recipe.form, Budget.FULL, row.target.settings):
        found.append(f"a shorter training: budget {recipe.budget.value}")
    lost = [medium.value for medium in MEDIA if medium not in data.train]
    if lost and facts.scope is Scope.JOINT:
        found.append(f"learnt without {', '.join(lost)}")
    whole = data.changed(as_vectors).test
    vectors = [medium.value for medium, items in whole.items() if takes_vectors(items)]
    if vectors and facts.takes is Kind.MEDIA:
        found.append(f"features stand in for {', '.join(vectors)}")
    shapes = [items.inputs.shape for items in data.test.values()]
    if small := sorted({shape[-1] for shape in shapes if len(shape) > 2} - {side}):
        found.append(f"pictures of {', '.join(map(str, small))} pixels a side, not {side}")
    return tuple(found)


def choices(row: Planned) -> dict[str, tuple[Any, Any]]:
    """Every choice that is not that of the paper's form at full length: that one, and the run's."""
    if not row.recipes:
        return {}
    recipe = row.recipes[0]
    paper = plain_config(load_form(recipe.method.facts.name))
    ours = plain_config(recipe.config)
    return {name: (paper[name], ours[name]) for name in ours if paper[name] != ours[name]}


def _planned(
    row: Target,
    form: Form,
    budget: Callable[[str], Budget],
    seeds: int,
    methods: Collection[str] | None,
) -> Planned:
    if methods is not None and row.key not in methods:
        return Planned(row, (), NOT_ASKED)
    name, chosen = row.baseline, budget(row.baseline)
    recipes = (Recipe.choose(name, form, chosen, row.settings, seed) for seed in range(seeds))
    return Planned(row, tuple(recipes))


def official(benchmark: Benchmark) -> bool:
    """Whether the test items and labels are those that the printed numbers were taken on.

    Training items are not compared: those of videos were never published.
    """
    known = load_benchmark(DEFAULT)
    return known.media == benchmark.media and all(
        _listed(known, medium) == _listed(benchmark, medium) for medium in known.media
    )


def _listed(benchmark: Benchmark, medium: Medium) -> dict[str, int]:
    items = benchmark.items[medium]
    return dict(zip(items.ids.tolist(), items.labels.tolist(), strict=True))
