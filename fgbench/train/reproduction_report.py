"""The report of a table done again: JSON, HTML and Markdown of one content.

It holds no time and no machine: equal runs give equal bytes.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from fgbench import __version__
from fgbench.dataset.rendering import render
from fgbench.protocol import MEDIA, PROTOCOL_VERSION, tasks
from fgbench.published import MEAN_BIMODAL, MEAN_MULTIMODAL, Note, Value, digits
from fgbench.scoring.uncertainty import DRAWS, LEVEL
from fgbench.train.forms import plain_config
from fgbench.train.measurement import Measure
from fgbench.train.plan import choices
from fgbench.train.reproduction import Reproduction, Row
from fgbench.train.targets import RULE

TITLES = {
    **{task.code: task.title for task in tasks(MEDIA)},
    **dict.fromkeys((MEAN_BIMODAL, MEAN_MULTIMODAL), "mean"),
}
"""Of the columns, for people."""


def write_report(found: Reproduction, out: Path) -> tuple[Path, ...]:
    """Write ``OUT/table3.html``, ``.md`` and ``.json``, each whole; returns their paths."""
    out.mkdir(parents=True, exist_ok=True)
    texts = render_report(found)
    return tuple(_write(out / f"{found.table}.{kind}", text) for kind, text in texts.items())


def render_report(found: Reproduction) -> dict[str, str]:
    """The texts of the report: ``html``, ``md`` and ``json``."""
    document = describe(found)
    scale = _scale(document)
    view = {
        "document": document,
        "names": {row["key"]: row["name"] for row in document["rows"]},
        "shared": _shared(document),
        "benchmark": _benchmark(document),
        "shown": lambda tasks: ", ".join(TITLES[code] for code in tasks),
        "titles": TITLES,
        "digits": digits,
        "signed": signed,
        "zip": zip,
    }
    plot = {"scale": scale, "place": lambda map: f"{100 * map / scale:.2f}%"}
    return {
        "html": render("reproduction.html", **view, **plot),
        "md": render("reproduction.md", **view),
        "json": json.dumps(document, indent=1, ensure_ascii=False, allow_nan=False) + "\n",
    }


def describe(found: Reproduction) -> dict[str, Any]:
    """All that the report says, as plain values."""
    benchmark, order = found.benchmark, found.order
    rows = [_row(row, found.cells) for row in found.rows]
    return {
        "table": found.table.value,
        "heading": found.table.heading,
        "benchmark": {
            "id": benchmark.id,
            "title": benchmark.title,
            "split_column": benchmark.split_column,
            "files": dict(benchmark.files),
        },
        "complete": found.complete,
        "columns": list(found.cells),
        "rows": rows,
        "order": order
        and {
            "tasks": list(order.tasks),
            "printed": [list(pair) for pair in order.printed],
            "ours": [list(pair) for pair in order.ours],
            "same": order.same,
        },
        "rule": RULE,
        "notes": {note.key: note.text for note in _notes(found)},
        "interval": {"over": "species", "draws": DRAWS, "level": LEVEL},
        "self_match": "included",
        "protocol": PROTOCOL_VERSION,
        "package_version": __version__,
    }


def signed(difference: float) -> str:
    """A difference of two MAPs."""
    return f"{'−' if difference < 0 else '+'}{digits(abs(difference))}"


def _row(row: Row, columns: tuple[str, ...]) -> dict[str, Any]:
    recipe = row.planned.recipes[0] if row.planned.recipes else None
    return {
        "key": row.target.key,
        "name": row.target.name,
        "state": row.state,
        "method": recipe and recipe.method.facts.name,
        "form": recipe and recipe.form.value,
        "budget": recipe and recipe.budget.value,
        "config": plain_config(recipe.config) if recipe else {},
        "choices": {
            name: {"paper": paper, "here": here}
            for name, (paper, here) in choices(row.planned).items()
        },
        "deviations": dict(recipe.method.facts.deviations) if recipe else {},
        "obstacles": list(row.obstacles),
        "submissions": {str(seed): digest for seed, digest in row.submissions.items()},
        "failed": {str(seed): said for seed, said in row.failed.items()},
        "cells": {
            name: _cell(row, name, printed)
            for name in columns
            if (printed := row.target.printed.get(name)) is not None
        },
    }


def _cell(row: Row, name: str, printed: Value) -> dict[str, Any]:
    return {
        "paper": float(printed.value),
        **_figures(row.measures.get(name)),
        "verdict": row.verdict(name).value,
        "notes": [note.key for note in printed.notes],
    }


def _figures(measure: Measure | None) -> dict[str, Any]:
    if measure is None:
        return dict.fromkeys(("ours", "ci95", "spread", "seeds"))
    return {
        "ours": measure.map,
        "ci95": measure.ci95 and list(measure.ci95),
        "spread": measure.spread,
        "seeds": list(measure.seeds),
    }


def _notes(found: Reproduction) -> Iterator[Note]:
    """Those on the printed numbers, each once, in the order of the table."""
    cells = [
        row.target.printed[name]
        for row in found.rows
        for name in found.cells
        if name in row.target.printed
    ]
    yield from dict.fromkeys(note for value in cells for note in value.notes)


def _benchmark(document: dict[str, Any]) -> str:
    title, key = document["benchmark"]["title"], document["benchmark"]["id"]
    return key if title == key else f"{title} ({key})"


def _shared(document: dict[str, Any]) -> list[str]:
    """The obstacles of every row that has a method: they are said once, at the top."""
    each = [row["obstacles"] for row in document["rows"] if row["method"]]
    return [reason for reason in each[0] if all(reason in of for of in each)] if each else []


def _scale(document: dict[str, Any]) -> float:
    """The upper end of the plots' axis: the next tenth above every number in them."""
    ends = [
        end
        for row in document["rows"]
        for cell in row["cells"].values()
        for end in (cell["paper"], cell["ours"] or 0.0, *(cell["ci95"] or ()))
    ]
    return min(1.0, (int(10 * max(ends, default=0.0)) + 1) / 10)


def _write(path: Path, text: str) -> Path:
    draft = path.with_name(f".{path.name}.draft")
    draft.write_text(text, "utf-8")
    draft.replace(path)
    return path
