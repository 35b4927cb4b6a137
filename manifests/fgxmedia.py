"""Makes the manifests of fgxmedia-2019 from the official lists and from CUB's own lists.

Rows stand as in the lists, train first, then test. The order of the test rows is the official
one: the convention of the paper breaks ties by it.
"""

from __future__ import annotations

from collections.abc import Mapping

import pyarrow as pa

from fgbench.errors import Fault, FaultyInput
from fgbench.protocol import MEDIA, Medium

from .sources import Sources

ID = "fgxmedia-2019"
TITLE = "PKU FG-XMedia (He, Peng and Xie 2019), the official lists"

ITEM = [
    ("item_id", pa.string()),
    ("medium", pa.string()),
    ("label", pa.int16()),
    ("split", pa.string()),
]
IMAGE = [
    ("cub_image_id", pa.int32()),
    ("width", pa.int16()),
    ("height", pa.int16()),
    *((f"box_{side}", pa.int16()) for side in ("x", "y", "w", "h")),
]
"""Width and height in pixels; the bounding box of the bird in pixels from the top left."""

COUNTS = {
    (Medium.IMAGE, "train"): 5994,
    (Medium.IMAGE, "test"): 5794,
    (Medium.TEXT, "train"): 4000,
    (Medium.TEXT, "test"): 4000,
    (Medium.VIDEO, "test"): 5682,
    (Medium.AUDIO, "train"): 6000,
    (Medium.AUDIO, "test"): 6000,
}
"""What the lists must hold. The paper says 5,684 test videos; the list has 5,682, none named."""

Rows = list[tuple[str, int]]


def build_fgxmedia(sources: Sources) -> dict[Medium, pa.Table]:
    """One table a medium. Raises ``FaultyInput`` (FG-M005, FG-M006) where lists contradict."""
    lists = {(m, s): _listed(sources, m, s) for m, s in COUNTS}
    faults = [
        Fault("FG-M005", f"{m} {s}", f"{len(lists[m, s])} rows", f"{n}", "use the official lists")
        for (m, s), n in COUNTS.items()
        if len(lists[m, s]) != n
    ]
    for where, strays in _contradictions(sources, lists).items():
        if strays:
            found = f"{len(strays)} rows, as {min(strays)}"
            faults.append(Fault("FG-M006", where, found, "none", "use the official lists"))
    if faults:
        raise FaultyInput("The official lists are not what they should be", faults)
    tables = {m: _table(m, lists) for m in MEDIA}
    tables[Medium.IMAGE] = _with_cub(sources, tables[Medium.IMAGE])
    return tables


def _listed(sources: Sources, medium: Medium, split: str) -> Rows:
    if medium is Medium.VIDEO:
        labels = sources.lines("fgxmedia_lists/video/testlabel.txt")
        return [(f"video/{n:05d}", int(label)) for n, label in enumerate(labels, start=1)]
    return sources.listed(f"{medium}/{split}.txt")


def _contradictions(
    sources: Sources, lists: Mapping[tuple[Medium, str], Rows]
) -> dict[str, set[tuple[str, int]]]:
    """Rows that disagree with another list: what was checked to the rows that fail."""
    found = {}
    folders: dict[tuple[Medium, int], set[str]] = {}
    for (medium, split), rows in lists.items():
        for item, label in rows:
            folders.setdefault((medium, label), set()).add(item.rpartition("/")[0])
        if split == "test" and medium is not Medium.VIDEO:
            labels = sources.lines(f"fgxmedia_lists/{medium}/testlabel.txt")
            pairs = [(item, int(label)) for (item, _), label in zip(rows, labels, strict=True)]
            found[f"{medium}/testlabel.txt against test.txt"] = set(pairs) - set(rows)
            train = {item for item, _ in lists[medium, "train"]}
            found[f"{medium}, train and test"] = {row for row in rows if row[0] in train}
            found[f"{medium}, repeated"] = set() if len(set(rows)) == len(rows) else set(rows)
    # A class has one folder a medium: CUB's for images and text, at times another for audio.
    for medium in (Medium.IMAGE, Medium.TEXT):
        found[f"{medium}, class in the path against the label"] = {
            (folder, label)
            for (m, label), names in folders.items()
            if m is medium
            for folder in names
            if folder.rpartition("/")[2].rpartition(".")[2] != sources.classes[label + 1][4:]
        }
    audio = {k: v for k, v in folders.items() if k[0] is Medium.AUDIO}
    found["audio, two folders of one class"] = {
        (min(names), label) for (_, label), names in audio.items() if len(names) > 1
    }
    cub = {
        (f"image/{path}", label - 1, "train" if training else "test")
        for path, label, training in sources.images.values()
    }
    for split in ("train", "test"):
        ours = {(item, label) for item, label in lists[Medium.IMAGE, split]}
        theirs = {(item, label) for item, label, s in cub if s == split}
        found[f"image {split} against CUB's own split"] = ours ^ theirs
    return found


def _table(medium: Medium, lists: Mapping[tuple[Medium, str], Rows]) -> pa.Table:
    rows = [
        (item, medium.value, label, split)
        for split in ("train", "test")
        for item, label in lists.get((medium, split), [])
    ]
    columns = [list(column) for column in zip(*rows, strict=True)]
    return pa.table(columns, schema=pa.schema(ITEM))


def _with_cub(sources: Sources, table: pa.Table) -> pa.Table:
    """The image table with CUB's image id, size and bounding box."""
    numbers = {f"image/{path}": number for number, (path, _, _) in sources.images.items()}
    ids = [numbers[item] for item in table["item_id"].to_pylist()]
    rows = [(n, *sources.sizes[sources.images[n][0]], *sources.boxes[n]) for n in ids]
    for (name, kind), column in zip(IMAGE, zip(*rows, strict=True), strict=True):
        table = table.append_column(name, pa.array(column, kind))
    return table
