"""What the paper says of its data set (He, Peng and Xie 2019), to compare with.

Instances of a class: ``fgbench.dataset.select.PER_CLASS``. The paper counts nothing by site.
"""

from __future__ import annotations

from collections.abc import Mapping

from fgbench.protocol import Medium

CLASSES = 200

ITEMS: Mapping[Medium, int] = {
    Medium.IMAGE: 11_788,
    Medium.TEXT: 8_000,
    Medium.VIDEO: 18_350,
    Medium.AUDIO: 12_000,
}
"""Table 1, last column: train and test together."""

SITES: Mapping[Medium, tuple[str, ...]] = {
    Medium.TEXT: (
        "wikipedia",
        "allaboutbirds",
        "audubon",
        "birdsna",
        "fandom",
        "nhpbs",
        "ebird",
        "mnbirdatlas",
        "psu",
        "birdwatchersdigest",
        "folksread",
        "neotropical",
    ),
    Medium.AUDIO: (
        "xeno-canto",
        "bird-sounds",
        "findsounds",
        "freesound",
        "macaulay",
        "avibase",
        "soundcloud",
    ),
}
"""Table 2, in its order, by the names of ``fgbench sites list``."""
