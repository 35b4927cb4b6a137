"""Options of ``fgbench features``, and the extractors that they stand for."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from fgbench.protocol import Medium

if TYPE_CHECKING:
    from fgbench.media.activations import Activations
    from fgbench.media.extractor import Extractor
    from fgbench.media.listing import Listing
    from fgbench.media.regions import Detections, Grid


class Kind(StrEnum):
    """Which features. HANDCRAFTED: without a network. PAPER: section 3.3 of the paper."""

    HANDCRAFTED = "handcrafted"
    PAPER = "paper"


def network_options(function: Callable[..., None]) -> Callable[..., None]:
    """Of the network for pictures."""
    for option in reversed(
        [
            click.option(
                "--backbone", default="resnet50", show_default=True, help="Of torchvision or timm."
            ),
            click.option(
                "--weights",
                metavar="FILE|imagenet|none",
                help="Of the backbone. paper needs it.",
            ),
            click.option("--layer", type=click.Choice(["logits", "penultimate"]), default="logits"),
            click.option("--side", type=click.IntRange(16, 4096), default=448, show_default=True),
            click.option("--device", type=click.Choice(["auto", "cpu", "cuda"]), default="auto"),
        ]
    ):
        function = option(function)
    return function


def part_options(function: Callable[..., None]) -> Callable[..., None]:
    """Of the parts of items."""
    for option in reversed(
        [
            click.option(
                "--parts", "with_parts", is_flag=True, help="Also regions, words, frames, windows."
            ),
            click.option(
                "--regions",
                metavar="grid:NxN|detector:NAME",
                default="grid:6x6",
                show_default=True,
                help="Of images.",
            ),
            click.option(
                "--detector-weights", metavar="FILE|coco|none", help="A detector needs them."
            ),
            click.option(
                "--most",
                type=click.IntRange(1, 1000),
                default=36,
                show_default=True,
                help="Boxes of a detector, those of highest score.",
            ),
            click.option(
                "--word-count",
                type=click.IntRange(1),
                default=4,
                show_default=True,
                help="How often a word is in the training texts to count as one.",
            ),
            click.option(
                "--longest",
                type=click.IntRange(1, 10_000),
                default=96,
                show_default=True,
                help="Words of a text; the rest is cut off.",
            ),
            click.option(
                "--word-vectors",
                metavar="FILE",
                type=click.Path(path_type=Path),
                help="Of word2vec or GloVe, as text.",
            ),
        ]
    ):
        function = option(function)
    return function


def choose(
    kind: Kind, listing: Listing, media: Sequence[Medium], engine: str, choices: Mapping[str, Any]
) -> tuple[dict[Medium, Extractor], int | None]:
    """The extractor of each medium, and how many workers there can be (None: one a core).

    ``choices``: the values of ``network_options`` and ``part_options``, by name.
    """
    from fgbench.media.cepstra import Cepstra
    from fgbench.media.extractor import choose_extractors
    from fgbench.media.regions import Grid, parse_regions
    from fgbench.media.tokens import WordRule

    regions, words = None, None
    if choices["with_parts"]:
        regions = parse_regions(choices["regions"], choices["detector_weights"], choices["most"])
        words = WordRule(choices["word_count"], choices["longest"], choices["word_vectors"])
    if kind is Kind.PAPER:
        from fgbench.media.windows import Windows

        network = _load_network(regions, engine, choices)
        sounds: Extractor = Windows(replace(network, regions=None)) if regions else Cepstra()
        workers = None if network.device == "cpu" else 1
        return choose_extractors(listing, media, network, sounds, words), workers
    from fgbench.media.histograms import Histograms

    if regions is not None and not isinstance(regions, Grid):
        raise click.UsageError("--regions of a detector need a network: --extractor paper.")
    extractors = choose_extractors(
        listing, media, Histograms(regions), Cepstra(parts=choices["with_parts"]), words
    )
    return extractors, None


def _load_network(
    regions: Grid | Detections | None, engine: str, choices: Mapping[str, Any]
) -> Activations:
    """What is wrong with the network is said here, before the work begins."""
    from fgbench.media.activations import Activations, Layer, choose_device, load_network

    if not (weights := choices["weights"]):
        raise click.UsageError(
            "--extractor paper needs --weights: a file of the fine-tuned network (a checkpoint of "
            "fgcrossnet, or a state dictionary), imagenet, or none."
        )
    device = choose_device(choices["device"]) if engine == "local" else "cpu"
    spec = Activations(
        choices["backbone"], weights, Layer(choices["layer"]), choices["side"], device, regions
    )
    load_network(spec)
    return spec
