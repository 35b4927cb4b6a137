"""Drawn photographs: a bird before a background, with the word that says what they are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from io import BytesIO

import numpy as np

from fgbench.collect.sample.figure import Plumage, Pose, draw_figure
from fgbench.errors import MissingExtra

try:
    from PIL import Image, ImageColor, ImageDraw, ImageFilter, ImageFont
except ImportError as error:
    raise MissingExtra("pillow", "build") from error

WORD = "synthetic"
"""Stands in a corner of everything that is drawn."""
COMMENT = "synthetic: drawn for the sample world of fgbench, not photographed or filmed"


class Footing(StrEnum):
    """What a bird is on."""

    GROUND = "ground"
    WATER = "water"
    AIR = "air"
    TWIG = "twig"


@dataclass(frozen=True, slots=True)
class Backdrop:
    """A kind of background. ``slope``: its colours from top to bottom.

    ``specks``: the colours of what lies about in it; each is ``flat`` times as wide as high.
    """

    footing: Footing
    slope: tuple[str, str, str]
    specks: tuple[str, ...]
    flat: float


BACKDROPS: Mapping[str, Backdrop] = {
    "sea": Backdrop(
        Footing.WATER, ("#a9c4d6", "#5f89a3", "#3f6a85"), ("#6f9ab3", "#36607a", "#c9dbe4"), 9
    ),
    "sand": Backdrop(
        Footing.GROUND, ("#b5cbd8", "#cdbd9b", "#bda97f"), ("#a89468", "#ddd0b2", "#8f8a63"), 4
    ),
    "stone": Backdrop(
        Footing.GROUND, ("#9da5a8", "#8a8a86", "#77756f"), ("#a6a49d", "#5f5e5a", "#bab8b0"), 2
    ),
    "lawn": Backdrop(
        Footing.GROUND, ("#9fb68d", "#7f9f5c", "#678748"), ("#8fae6b", "#587a3c", "#b3b97d"), 3
    ),
    "sky": Backdrop(Footing.AIR, ("#7fa9cf", "#a3c3dd", "#c9dbe8"), ("#d5e2ec", "#93b6d4"), 4),
    "leaves": Backdrop(
        Footing.TWIG, ("#7f9a55", "#5d7d3f", "#46632f"), ("#8fae5f", "#3c5a2b", "#a9b877"), 1
    ),
    "twigs": Backdrop(
        Footing.TWIG, ("#a9a894", "#8c8768", "#6d6a4c"), ("#7b7550", "#b6b193", "#59603a"), 1
    ),
}
"""By the names in ``plumage.toml``."""


def draw_picture(bird: Plumage, size: tuple[int, int], rng: np.random.Generator) -> bytes:
    """A JPEG of that many pixels across and down; what is left open, ``rng`` draws."""
    backdrop = choose_backdrop(bird, rng)
    image = draw_backdrop(backdrop, size, rng)
    figure = draw_figure(bird, draw_pose(backdrop, rng), round(min(size) * rng.uniform(0.4, 0.65)))
    figure.thumbnail((size[0], round(size[1] * 0.9)))
    x, y = (int(rng.integers(a - b + 1)) for a, b in zip(size, figure.size, strict=True))
    if backdrop.footing is Footing.TWIG:
        _draw_twig(image, (x + figure.width // 2, y + figure.height), rng)
    image.paste(figure, (x, y), figure)
    image = _lit(image, rng)
    mark(image)
    buffer = BytesIO()
    image.save(buffer, "JPEG", quality=85, comment=COMMENT)
    return buffer.getvalue()


def choose_backdrop(bird: Plumage, rng: np.random.Generator) -> Backdrop:
    """One of those that the bird is seen in."""
    return BACKDROPS[bird.backdrops[int(rng.integers(len(bird.backdrops)))]]


def draw_pose(backdrop: Backdrop, rng: np.random.Generator) -> Pose:
    """Any that suits the backdrop. One bird in five is young."""
    flies = backdrop.footing is Footing.AIR or (
        backdrop.footing is not Footing.TWIG and rng.random() < 0.25
    )
    young = rng.random() < 0.2
    return Pose(
        lift=rng.uniform(20, 110) if flies else None,
        stands=backdrop.footing in (Footing.GROUND, Footing.TWIG) and not flies,
        tilt=rng.uniform(-6, 22),
        nod=rng.uniform(0, 8),
        left=rng.random() < 0.5,
        young=rng.uniform(0.25, 0.8) if young else rng.uniform(0, 0.12),
    )


def draw_backdrop(
    backdrop: Backdrop, size: tuple[int, int], rng: np.random.Generator
) -> Image.Image:
    """A slope of colours with blurred specks on it."""
    wide, high = (max(8, pixels // 4) for pixels in size)
    image = Image.new("RGB", (1, len(backdrop.slope)))
    for row, colour in enumerate(backdrop.slope):
        image.putpixel((0, row), ImageColor.getrgb(colour))
    image = image.resize((wide, high), Image.Resampling.BILINEAR)
    draw = ImageDraw.Draw(image)
    for _ in range(int(rng.integers(15, 45))):
        x, y, half = rng.uniform(0, wide), rng.uniform(0, high), rng.uniform(0.01, 0.06) * high
        colour = backdrop.specks[rng.integers(len(backdrop.specks))]
        draw.ellipse(
            (x - half * backdrop.flat, y - half, x + half * backdrop.flat, y + half), colour
        )
    blurred = image.filter(ImageFilter.GaussianBlur(1 + high / 100))
    return blurred.resize(size, Image.Resampling.BICUBIC)


def _draw_twig(image: Image.Image, under: tuple[int, int], rng: np.random.Generator) -> None:
    """A twig from rim to rim through that point."""
    slope, (x, y) = rng.uniform(-0.15, 0.15), under
    ends = [(at, y + (at - x) * slope) for at in (0, image.width)]
    ImageDraw.Draw(image).line(ends, "#57452f", image.height // 40 + 1)


def mark(image: Image.Image) -> None:
    """Puts the word in its lower left corner."""
    font, draw = ImageFont.load_default(), ImageDraw.Draw(image)
    _, _, right, high = draw.textbbox((3, 0), WORD, font=font)
    top = image.height - high - 3
    draw.rectangle((0, top, right + 3, image.height), "#202020")
    draw.text((3, top), WORD, "#f0f0f0", font=font)


def _lit(image: Image.Image, rng: np.random.Generator) -> Image.Image:
    """The image in another light, with the grain of a sensor."""
    light = rng.uniform(0.8, 1.1) * rng.uniform(0.96, 1.04, 3)
    grain = rng.normal(0, 4, (image.height, image.width, 1))
    return Image.fromarray(np.clip(np.asarray(image) * light + grain, 0, 255).astype(np.uint8))
