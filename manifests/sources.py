"""Reads the third-party files that the released tables are made from.

Where each file is from, and on what terms its facts are used: LICENSE-DATA.
"""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from fgbench.errors import InputError

HUBANTON = {
    "latin": "taxonomy/hubanton_latin_names.txt",
    "dna": "taxonomy/hubanton_dna_names.txt",
    "en": "taxonomy/hubanton_en_names.txt",
    "xeno-canto": "taxonomy/hubanton_xeno-canto-names.txt",
    "botw": "taxonomy/hubanton_botw_names.txt",
}


@dataclass(frozen=True, slots=True)
class Taxon:
    """A row of the eBird/Clements checklist."""

    category: str
    code: str
    avibase_id: str
    name: str
    scientific_name: str
    order: str
    family: str


@dataclass(frozen=True)
class Sources:
    """A folder of source files; every method reads one of them, in its own order."""

    folder: Path

    def lines(self, path: str) -> list[str]:
        """The lines of a text file without their ends; an empty last line is dropped."""
        file = self.folder / path
        if not file.is_file():
            raise InputError(
                "FG-M001",
                f"{file} is missing",
                why="The tables are made from all of their sources, never from a part.",
                fix="Give --data a folder with the files that docs/manifests.md lists.",
            )
        return file.read_text("utf-8-sig").splitlines()

    def rows(self, path: str) -> Iterator[dict[str, str]]:
        """The rows of a CSV file with a header."""
        return csv.DictReader(self.lines(path))

    @cached_property
    def classes(self) -> dict[int, str]:
        """CUB id (1-200) to CUB's class name, as ``001.Black_footed_Albatross``."""
        pairs = (line.split() for line in self.lines("cub_metadata/classes.txt"))
        return {int(number): name for number, name in pairs}

    @cached_property
    def cub_taxonomy(self) -> dict[int, list[dict[str, str]]]:
        """CUB id to its rows in the CUB taxonomy of 2022: one, or three for class 103."""
        found: dict[int, list[dict[str, str]]] = {}
        for row in self.rows("taxonomy/cub_taxonomy_2022.csv"):
            found.setdefault(int(row["cub_id"]), []).append(row)
        return found

    @cached_property
    def ebird_2025(self) -> list[Taxon]:
        """The eBird/Clements checklist of October 2025."""
        return [
            Taxon(
                row["CATEGORY"],
                row["SPECIES_CODE"],
                row["TAXON_CONCEPT_ID"].rpartition("-")[2],
                row["PRIMARY_COM_NAME"],
                row["SCI_NAME"],
                row["ORDER"],
                row["FAMILY"].partition(" ")[0],
            )
            for row in self.rows("taxonomy/eBird_taxonomy_v2025.csv")
        ]

    @cached_property
    def ebird_2021(self) -> dict[str, tuple[str, str]]:
        """Code to (scientific name, common name) in the checklist of 2021."""
        raw: dict[str, str] = json.loads(
            "\n".join(self.lines("taxonomy/eBird_taxonomy_codes_2021E.json"))
        )
        split = {code: name.partition("_") for code, name in raw.items() if "_" in name}
        return {code: (scientific, common) for code, (scientific, _, common) in split.items()}

    @cached_property
    def wikispecies(self) -> dict[int, str]:
        """CUB id to the name in Wikispecies: a species, or a genus for four classes."""
        pairs = (s.split(maxsplit=1) for s in self.lines("taxonomy/cvjena_classes_wikispecies.txt"))
        return {int(number): name.strip() for number, name in pairs}

    @cached_property
    def wikispecies_parents(self) -> dict[str, list[str]]:
        """Name in Wikispecies to the names above it, from the order down."""
        parents: dict[str, list[str]] = {}
        path: list[str] = []
        for line in self.lines("taxonomy/cvjena_hierarchy_wikispecies.txt"):
            if match := re.fullmatch(r"(-+) (.+)", line.strip()):
                depth = len(match[1]) // 2
                path = [*path[: depth - 1], match[2].partition(" (")[0]]
                parents[path[-1]] = path[:-1]
        return parents

    @cached_property
    def hubanton(self) -> dict[str, dict[int, str]]:
        """List (latin, dna, en, xeno-canto, botw) to CUB id to name."""
        found = {}
        for name, path in HUBANTON.items():
            bare = (s.partition(" #")[0].replace("_", " ").strip() for s in self.lines(path))
            # The list of English names has lost its spaces: put them back before capitals.
            space = r"(?<=[a-z])(?=[A-Z])" if name == "en" else r"(?!)"
            names = [re.sub(space, " ", value) for value in bare if value]
            found[name] = dict(zip(self.classes, names, strict=True))
        return found

    def listed(self, path: str) -> list[tuple[str, int]]:
        """The (item id, label 0-199) rows of an official list, in its order."""
        pairs = (line.rsplit(" ", 1) for line in self.lines(f"fgxmedia_lists/{path}"))
        return [(item, int(label)) for item, label in pairs]

    @cached_property
    def images(self) -> dict[int, tuple[str, int, bool]]:
        """CUB image id to (path, CUB class id, whether it is a training image)."""
        paths = dict(line.split() for line in self.lines("cub_metadata/images.txt"))
        labels = dict(line.split() for line in self.lines("cub_metadata/image_class_labels.txt"))
        train = dict(line.split() for line in self.lines("cub_metadata/train_test_split.txt"))
        return {int(n): (path, int(labels[n]), train[n] == "1") for n, path in paths.items()}

    @cached_property
    def sizes(self) -> dict[str, tuple[int, int]]:
        """Path of a CUB image to its (width, height) in pixels."""
        rows = (
            line.rsplit(",", 2)
            for split in ("train", "test")
            for line in self.lines(f"cub_metadata/wsol_{split}_image_sizes.txt")
        )
        return {path: (int(width), int(height)) for path, width, height in rows}

    @cached_property
    def boxes(self) -> dict[int, tuple[int, int, int, int]]:
        """CUB image id to the bird's (x, y, width, height) in pixels."""
        found = {}
        for line in self.lines("cub_metadata/bounding_boxes.txt"):
            number, *box = line.split()
            x, y, w, h = (int(float(value)) for value in box)
            found[int(number)] = (x, y, w, h)
        return found
