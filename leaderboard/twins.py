"""The JSON documents of the site: its read API. docs/leaderboard.md says what is in them."""

from __future__ import annotations

from typing import Any

from fgbench.protocol import PROTOCOL_VERSION

from .board import Board, Cell, Method, Row, Rules
from .lead import Lead
from .tables import say

API_VERSION = 1


def board_document(board: Board) -> dict[str, Any]:
    """Every row of every view."""
    return {
        **head(board),
        "items": {m.value: len(board.benchmark.items[m]) for m in board.benchmark.media},
        "measures": list(board.measures),
        "views": {
            rules.value: [_row(row) for row in (*view.rows, *view.apart)]
            for rules, view in board.views.items()
        },
    }


def task_document(board: Board, code: str, leads: dict[Rules, Lead]) -> dict[str, Any]:
    """One task: by view its methods, best first, and how the first two differ."""
    return {
        **head(board),
        "task": code,
        "views": {
            rules.value: [
                {"method": row.method.slug, "name": row.method.name, **_cell(row.cells[code])}
                for row in view.by(code)
            ]
            for rules, view in board.views.items()
        },
        "first_two": {
            rules.value: {
                "first": lead.first.method.slug,
                "second": lead.second.method.slug,
                "difference": lead.pair.difference,
                "ci95": lead.pair.interval,
                "p_holm": lead.pair.p,
                "verdict": lead.pair.verdict.value,
            }
            for rules, lead in leads.items()
            if lead.second is not None and lead.pair is not None
        },
    }


def method_document(board: Board, method: Method) -> dict[str, Any]:
    """One method: its card, and its cells in each view that it stands in."""
    entry = method.entry
    return {
        **head(board),
        "slug": method.slug,
        "card": dict(method.card),
        "submission": entry.submission if entry else None,
        "verified_by": (entry.command or None) if entry else None,
        "views": {
            rules.value: _row(row)
            for rules, view in board.views.items()
            if (row := view.find(method)) is not None
        },
    }


def head(board: Board) -> dict[str, Any]:
    """What every document begins with; of pages without numbers it is all."""
    return {
        "api": API_VERSION,
        "benchmark": board.benchmark.id,
        "title": board.benchmark.title,
        "protocol": PROTOCOL_VERSION,
    }


def _row(row: Row) -> dict[str, Any]:
    return {
        "slug": row.method.slug,
        "name": row.method.name,
        "status": row.status.value,
        "year": row.year,
        "backbone": say(row.card.get("backbone")),
        "extra_data": say(row.card.get("extra_data")),
        "notes": {note.key: note.text for note in row.notes},
        "cells": {measure: _cell(cell) for measure, cell in row.cells.items()},
    }


def _cell(cell: Cell) -> dict[str, Any]:
    return {
        "map": cell.value,
        "ci95": cell.interval,
        "rank": cell.rank,
        "notes": [note.key for note in cell.notes],
    }
