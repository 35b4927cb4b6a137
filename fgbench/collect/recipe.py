"""What a build is made of: media, classes, sites, date, quota, seed. Kept in the build folder.

``OUT/build.json`` is why ``--offline`` alone makes the same manifests again, and why pages of the
sample world never mix with those of real sites.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from fgbench.collect.clean.audio import Rules
from fgbench.collect.clean.birdnet import VERSION as BIRDNET_VERSION
from fgbench.collect.clean.segments import Pieces
from fgbench.dataset.io import read_bytes, write_bytes
from fgbench.errors import InputError
from fgbench.protocol import Medium
from fgbench.species import find

FILE = "build.json"
_FORMAT = 1


@dataclass(frozen=True, slots=True)
class Recipe:
    """All that decides, with the answers of the sites, what the manifests say."""

    media: tuple[Medium, ...]
    labels: tuple[int, ...]
    sites: tuple[str, ...]
    """In the order in which their copies of a text are preferred."""
    per_class: Mapping[Medium, int]
    as_of: str | None = None
    seed: int = 0
    sample: bool = False
    """Whether the sample world stood in for the sites."""
    rules: Rules = field(default_factory=Rules)
    """How recordings are treated."""
    soundcloud_audio: bool = False
    """Whether SoundCloud's free tracks are fetched."""
    copies: Mapping[Medium, Path] = field(default_factory=dict)
    """Where on this machine the user has the sets that a medium is read from."""

    def to_json(self) -> dict[str, Any]:
        """As in build.json; classes by their CUB ids."""
        return {
            "format": _FORMAT,
            "media": list(self.media),
            "species": [label + 1 for label in self.labels],
            "sites": list(self.sites),
            "per_class": dict(self.per_class),
            "as_of": self.as_of,
            "seed": self.seed,
            "sample": self.sample,
            "sound": asdict(self.rules) | {"soundcloud_audio": self.soundcloud_audio},
            "copies": {medium: str(path) for medium, path in self.copies.items()},
        }

    def options(self) -> dict[str, str | int]:
        """As the audit keeps them; what it knows by itself is left out.

        So is where the copies lie: that is of this machine alone.
        """
        options: dict[str, str | int] = {
            "sites": ",".join(self.sites),
            "as_of": self.as_of or "newest",
            "seed": self.seed,
            "world": "sample (synthetic)" if self.sample else "real",
        }
        if Medium.AUDIO in self.media:
            sound = {"doubtful": "kept" if self.rules.keep_doubtful else "withheld"}
            detector = BIRDNET_VERSION if self.rules.birdnet else "gate"
            options |= {"pieces": self.rules.pieces.value, "detector": detector, **sound}
        return options


def read_recipe(folder: Path) -> Recipe | None:
    """The recipe of a build folder, if it has one. Raises ``InputError`` where it is damaged."""
    path = folder / FILE
    if not path.is_file():
        return None
    try:
        content = json.loads(read_bytes(path))
        if content["format"] != _FORMAT:
            raise ValueError(f"format {content['format']!r}, this fgbench reads {_FORMAT}")
        labels = tuple(find(int(cub_id)).label for cub_id in content["species"])
        sound = content["sound"]
        return Recipe(
            media=tuple(map(Medium, content["media"])),
            labels=labels,
            sites=tuple(map(str, content["sites"])),
            per_class={Medium(m): int(n) for m, n in content["per_class"].items()},
            as_of=content["as_of"] and str(date.fromisoformat(content["as_of"])),
            seed=int(content["seed"]),
            sample=bool(content["sample"]),
            rules=Rules(
                Pieces(sound["pieces"]), bool(sound["birdnet"]), bool(sound["keep_doubtful"])
            ),
            soundcloud_audio=bool(sound["soundcloud_audio"]),
            copies={Medium(m): Path(path) for m, path in content["copies"].items()},
        )
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError, InputError) as error:
        raise InputError(
            "FG-U001",
            f"{path} is not what a build writes: {type(error).__name__}: {error}",
            why="It says what this folder is built from.",
            fix="Bring it back from a copy, or delete it and give all options again.",
        ) from error


def write_recipe(folder: Path, recipe: Recipe) -> None:
    """Writes build.json, so that the folder can be built again with no more than ``--offline``."""
    write_bytes(folder / FILE, (json.dumps(recipe.to_json(), indent=2) + "\n").encode())
