"""The lists of YouTube Birds: which clip is of which class, and on which side.

Their form, as two independent programs read it (LukasHedegaard/youtube-dataset-downloader and
wolfstefan/tlf on GitHub): ``train_list.json`` and ``test_list.json`` hold ``[[YouTube id, label],
…]``, ``label2name.json`` maps labels, as strings, to names. Which numbers and spellings they use is
not known here, so that a label is resolved by its name alone. The paper counts 12,666 clips for
training and 5,684 for testing, of the classes of CUB-200-2011.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fgbench.dataset.io import read_bytes
from fgbench.dataset.schema import Split
from fgbench.errors import Fault, FaultyInput, InputError
from fgbench.manifest import show
from fgbench.species import Species, find

HOME = "https://zhuchen03.github.io/projects/fgvc/"
NAMES = "label2name.json"
LISTS: Mapping[str, Split] = {"test_list.json": Split.TEST, "train_list.json": Split.TRAIN}
"""The test list first: a clip that is in both stays in it, so that it is as published."""
OFFICIAL: Mapping[str, int] = {"test_list.json": 5_684, "train_list.json": 12_666}

_LARGEST = 64 * 2**20
_CLIP = re.compile(r"[A-Za-z0-9_-]{11}")


@dataclass(frozen=True, slots=True)
class ListedClip:
    """A clip as it stands in a list. ``youtube_id``: 11 letters, digits, - and _."""

    youtube_id: str
    bird: Species
    split: Split


def read_lists(folder: Path) -> tuple[tuple[ListedClip, ...], tuple[str, ...]]:
    """Every entry of the lists in their order, and remarks on how many there are.

    Raises ``InputError`` where there are no lists (FG-L010), ``FaultyInput`` with every kind of
    fault of what is in them (FG-L011).
    """
    missing = [name for name in (NAMES, *LISTS) if not (folder / name).is_file()]
    if missing:
        raise InputError(
            "FG-L010",
            f"{folder} has no {', '.join(missing)}",
            why="The lists of YouTube Birds say which clips are of which bird. Their authors give "
            "them out (C. Zhu and others, ECCV 2018); fgbench may not.",
            fix=f"Get the three lists at {HOME} (before: https://www.cs.umd.edu/~chenzhu/fgvc/) or "
            f"from the authors, and put them in {folder}.",
        )
    faults: list[Fault] = []
    birds = _birds(folder / NAMES, faults)
    clips: list[ListedClip] = []
    remarks = []
    for name, split in LISTS.items():
        entries = _entries(folder / name, birds, faults)
        clips += [ListedClip(clip, birds[label], split) for clip, label in entries]
        if not faults and len(entries) != OFFICIAL[name]:
            remarks.append(
                f"{name} has {len(entries):,} entries; the paper counts {OFFICIAL[name]:,}"
            )
    if faults:
        raise FaultyInput(f"The lists in {folder} cannot be used", faults)
    return tuple(clips), tuple(remarks)


def _birds(path: Path, faults: list[Fault]) -> dict[str, Species]:
    """The class behind each label, found by its name; each name that is no class is a fault."""
    content = _json(path, faults)
    expected, fix = 'labels and names: {"0": "Black footed Albatross", …}', "restore the file"
    if not isinstance(content, dict):
        if content is not None:
            faults.append(Fault("FG-L011", path.name, type(content).__name__, expected, fix))
        return {}
    birds: dict[str, Species] = {}
    labels: defaultdict[Species, list[str]] = defaultdict(list)
    for label, name in content.items():
        try:
            birds[label] = find(_spelt(name))
        except InputError as error:
            where = f"{path.name}, label {show(label)}"
            faults.append(Fault("FG-L011", where, error.what, "a class", error.fix))
        else:
            labels[birds[label]].append(label)
    for bird, several in labels.items():
        if len(several) > 1:
            found = f"labels {', '.join(map(show, several[:5]))} are all {bird.cub_name}"
            faults.append(Fault("FG-L011", path.name, found, "one label a class", fix))
    return birds


def _spelt(name: object) -> str:
    """A name to look for: a number would be taken for a CUB id."""
    if not isinstance(name, str) or name.strip().isdigit():
        raise InputError("FG-L011", f"{show(name)} is not a name", fix="restore the file")
    return name


def _entries(
    path: Path, birds: Mapping[str, Species], faults: list[Fault]
) -> list[tuple[str, str]]:
    """The clips and labels of one list. Entries of one fault are told in one."""
    content = _json(path, faults)
    if content is None:
        return []
    if not isinstance(content, list):
        found, expected = type(content).__name__, "a list of pairs: [[YouTube id, label], …]"
        faults.append(Fault("FG-L011", path.name, found, expected, "restore the file"))
        return []
    entries: list[tuple[str, str]] = []
    wrong: defaultdict[str, list[Any]] = defaultdict(list)
    for entry in content:
        if not (isinstance(entry, list) and len(entry) == 2):
            wrong["a pair: YouTube id, label"].append(entry)
        elif not (isinstance(entry[0], str) and _CLIP.fullmatch(entry[0])):
            wrong["a YouTube id: 11 letters, digits, - and _"].append(entry)
        elif (label := str(entry[1])) in birds:
            entries.append((entry[0], label))
        elif birds:
            wrong[f"a label of {NAMES}"].append(entry)
    faults += _told(path.name, wrong)
    return entries


def _told(where: str, wrong: Mapping[str, list[Any]]) -> Iterable[Fault]:
    for expected, entries in wrong.items():
        more = f" and {len(entries) - 1:,} more" if len(entries) > 1 else ""
        yield Fault("FG-L011", where, show(entries[0]) + more, expected, "restore the file")


def _json(path: Path, faults: list[Fault]) -> Any:
    """What a JSON file holds; None, and a fault, where it holds none."""
    try:
        if path.stat().st_size > _LARGEST:
            raise ValueError(f"more than {_LARGEST:,} bytes")
        return json.loads(read_bytes(path))
    except (OSError, ValueError, RecursionError) as error:
        found = show(str(error).partition("\n")[0]) or type(error).__name__
        faults.append(Fault("FG-L011", path.name, found, "a JSON file", "restore the file"))
        return None
