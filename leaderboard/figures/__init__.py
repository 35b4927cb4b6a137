"""Figures of the board: inline SVG without scripts, each with the numbers that it draws.

Colours are classes and variables of ``static/figures.css``. Most figures fill the width that they
are given, their text in one size: places along x are in per cent.
"""

from .chart import Point, difficulty, progress, quality
from .drawing import Figure
from .heat import heat_grid, heat_legend
from .interval import Estimate, interval_bar, ranking
from .scale import Scale
from .significance import Pair, significance_matrix
from .species import species_strip

__all__ = [
    "Estimate",
    "Figure",
    "Pair",
    "Point",
    "Scale",
    "difficulty",
    "heat_grid",
    "heat_legend",
    "interval_bar",
    "progress",
    "quality",
    "ranking",
    "significance_matrix",
    "species_strip",
]
