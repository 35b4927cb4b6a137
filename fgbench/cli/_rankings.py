"""Rankings as a terminal shows them."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from fgbench.protocol import Medium
from fgbench.retrieval.catalogue import Catalogue
from fgbench.retrieval.query import Query
from fgbench.retrieval.ranking import Hit, Ranking

ALL = "all"
"""What the gallery of all media is called."""
TITLE = 36
"""Characters of a title: what is left of a line of 80."""
TEXT = 76


def to_text(catalogue: Catalogue, query: Query, rankings: Sequence[Ranking]) -> RenderableType:
    """The rankings for people."""
    item = query.entry.item
    head = Text.assemble("\n  ", (printable(query.entry.species or item.item_id), "bold"))
    head.append(f"  {item.medium}")
    if query.entry.species:
        head.append(f"\n  {printable(item.item_id)}", "dim")
    else:
        if item.text:
            head.append(f"\n  {shorten(printable(item.text), TEXT)}", "dim")
        head.append("\n  From outside the benchmark: nobody says what is right or wrong.", "dim")
    parts: list[RenderableType] = [head]
    for ranking in rankings:
        parts += [Text(""), *_describe(query.medium, ranking)]
        parts.append(Padding(_table(catalogue, ranking), (1, 0, 0, 2)))
    if any(hit.ties > 1 for ranking in rankings for hit in ranking.hits):
        tied = "Tied items share their ranks; they stand in an order drawn by their ids alone."
        parts += [Text(""), Padding(Text(tied, "dim"), (0, 2))]
    return Group(*parts, Text(""))


def _describe(query: Medium, ranking: Ranking) -> list[RenderableType]:
    head = Text.assemble("  ", (f"{query} → {ranking.gallery or ALL}", "bold"))
    if ranking.ap is not None:
        head.append(f"  AP {f'{ranking.ap:.3f}'.removeprefix('0')}")
    if ranking.relevant is None:
        said = f"{ranking.items:,} items."
    elif ranking.relevant:
        right = sum(hit.right is True for hit in ranking.hits)
        said = f"{right} of {len(ranking.hits)} right. Relevant: {ranking.relevant:,} "
        said += f"of {ranking.items:,}."
    else:
        said = f"None of {ranking.items:,} items is relevant: there is no AP."
    measure = Text(f"{said} Score: {ranking.measure}.", "dim")
    return [head, Padding(measure, (0, 2))]


def _table(catalogue: Catalogue, ranking: Ranking) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 1, 0, 0))
    table.add_column("rank", justify="right", no_wrap=True)
    table.add_column("score", justify="right", no_wrap=True)
    if ranking.relevant is not None:
        table.add_column("", no_wrap=True)
    table.add_column("species", max_width=24)
    table.add_column("item", overflow="fold")
    for hit in ranking.hits:
        entry = catalogue.entry(hit.medium, hit.item_id)
        item = Text(printable(hit.item_id))
        if entry.title:
            item.append(f"\n{shorten(printable(entry.title), TITLE)}", "dim")
        verdict = [] if hit.right is None else [_VERDICTS[hit.right]]
        name = Text(printable(entry.species or ""))
        table.add_row(_rank(hit), f"{hit.score:.3f}", *verdict, name, item)
    return table


_VERDICTS = {True: Text("✓ right", "cyan"), False: Text("✗ wrong", "dark_orange")}


def _rank(hit: Hit) -> str:
    return f"{hit.rank:,}" if hit.ties == 1 else f"{hit.rank:,}–{hit.rank + hit.ties - 1:,}"


def shorten(text: str, length: int) -> str:
    return text if len(text) <= length else f"{text[: length - 1]}…"


def printable(text: str) -> str:
    """A text of an input on one line, with what no terminal should be sent as escapes."""
    line = " ".join(text.split())
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in line)
