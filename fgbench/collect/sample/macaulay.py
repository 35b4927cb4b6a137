"""The miniature Macaulay Library: a list as its catalogue exports it, and the sounds beside it.

Nothing is asked of it over the network, so it is no server but a folder.
"""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from functools import cache
from pathlib import Path

from fgbench.collect.sample.encoder import SYNTHETIC_SOUND, Format
from fgbench.collect.sample.prose import Bird, bird_named, birds
from fgbench.collect.sample.server import DATE
from fgbench.collect.sample.take import Numbered, Take, content
from fgbench.dataset.io import write_bytes

_HEADER = (
    "ML Catalog Number,Format,Common Name,Scientific Name,Background Species,Recordist,Date,Year,"
    "Month,Day,Time,Country,Country-State-County,State,County,Locality,Latitude,Longitude,Age/Sex,"
    "Behaviors,Playback,Captive,Collected,Specimen ID,Home Archive Catalog Number,Recorder,"
    "Microphone,Accessory,Partner Institution,eBird Checklist ID,Unconfirmed,Air Temp(°C),"
    "Water Temp(°C),Media notes,Observation Details,Parent Species,eBird Species Code,"
    "Taxon Category,Taxonomic Sort,Recordist 2,Average Community Rating,Number of Ratings,"
    "Asset Tags,Original Image Height,Original Image Width"
)
WITH_SOUND = 1
"""The place of the row whose sound the user has."""
_PLACES = WITH_SOUND, 2, 3


@dataclass(frozen=True, slots=True)
class Asset(Numbered):
    """A row of the list."""

    @property
    def take(self) -> Take:
        """What is heard in it."""
        length = 8 + self.bird.cub_id % 5
        return Take(self.bird, 200 + self.place, length, format=Format.FLAC)


def assets(bird: Bird) -> tuple[Asset, ...]:
    """The rows of a species."""
    return tuple(Asset(bird, place) for place in _PLACES)


def write_export(folder: Path) -> None:
    """Writes the list and the sounds to a folder, all of the one date of the sample world."""
    when = parsedate_to_datetime(DATE).timestamp()
    for name, body in _files():
        path = folder / name
        write_bytes(path, body)
        os.utime(path, (when, when))


@cache
def _files() -> tuple[tuple[str, bytes], ...]:
    every = [asset for bird in birds() for asset in assets(bird)]
    sounds = ((a.number, a.take) for a in every if a.place == WITH_SOUND)
    table = io.StringIO(newline="")
    writer = csv.DictWriter(table, _HEADER.split(","), restval="")
    writer.writeheader()
    writer.writerows(map(_row, every))
    return (
        ("ML_synthetic_export.csv", table.getvalue().encode("utf-8-sig")),
        *((f"ML{number}.{sound.format}", content(sound)) for number, sound in sounds),
    )


def _row(asset: Asset) -> Mapping[str, object]:
    bird, place = asset.bird, asset.place
    kin = bird_named(bird.kin)
    month, day = 4 + place, 1 + bird.cub_id % 27
    return {
        "ML Catalog Number": asset.number,
        "Format": "Audio",
        "Common Name": bird.name,
        "Scientific Name": bird.scientific,
        "Background Species": f"{kin.scientific} -- {kin.name}" if place == 2 else "",
        "Recordist": f"Recordist {'XYZ'[(place + bird.cub_id) % 3]}",
        "Date": f"2017-{month:02}-{day:02}",
        "Year": 2017,
        "Month": month,
        "Day": day,
        "Country": "Nowhere",
        "Locality": f"Sample shore {place}",
        "Behaviors": "Synthetic song",
        "Unconfirmed": "Unconfirmed" if place == 3 else "",
        "Media notes": f"A {SYNTHETIC_SOUND}.",
        "eBird Species Code": bird.code,
        "Taxon Category": "Species",
        "Average Community Rating": ("4.50", "3.20", "0")[place - 1],
        "Number of Ratings": (12, 3, 0)[place - 1],
    }
