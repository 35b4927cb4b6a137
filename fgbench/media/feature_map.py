"""The last map of a picture in a network, and the cells of a grid on it."""

from __future__ import annotations

from fgbench.errors import InputError, MissingExtra
from fgbench.manifest import show
from fgbench.media.regions import Grid

try:
    import torch
    from torch import Tensor, nn
    from torch.nn.functional import adaptive_avg_pool2d
except ImportError as error:
    raise MissingExtra(error.name or "torch", "train") from error

_SIDE = 224
"""Of the picture that is tried: in a smaller one the last map may be a single point."""


class MapOf(nn.Module):
    """A trunk: of pictures what it makes of them [b, width], and its last map [b, c, h, w].

    That map is the last output with two equal axes of places, with no sequence of tokens behind it.
    The trunk is in eval mode from here on: trying it out would move its batch norms. Raises
    ``InputError`` (FG-F077) where a network has no such map, as transformers.
    """

    def __init__(self, name: str, trunk: nn.Module) -> None:
        super().__init__()
        self.trunk = trunk.eval()
        self._found: list[Tensor] = []
        place = _find(name, trunk)
        trunk.get_submodule(place).register_forward_hook(
            lambda module, given, made: self._found.append(made)
        )

    def forward(self, pixels: Tensor) -> tuple[Tensor, Tensor]:
        self._found.clear()
        rows = self.trunk(pixels)
        found = self._found[-1]
        self._found.clear()
        return rows, found


def pool_cells(found: Tensor, grid: Grid) -> Tensor:
    """The cells of maps [b, c, h, w], row by row [b, cells, c]: the mean of what each reaches.

    A cell reaches whole places of the map, so that neighbours share some where it does not divide.
    Raises ``InputError`` (FG-F078) where there are more cells than places.
    """
    if grid.side > min(found.shape[2:]):
        raise InputError(
            "FG-F078",
            f"the network's last map has {found.shape[2]} × {found.shape[3]} places",
            why=f"{grid} would have the same numbers in several cells.",
            fix="Give a larger --side, or a coarser grid: --regions.",
        )
    return adaptive_avg_pool2d(found, grid.side).flatten(2).transpose(1, 2)


def _find(name: str, trunk: nn.Module) -> str:
    """The name of the module whose output the map is."""
    last: list[str] = []

    def look(place: str, made: object) -> None:
        if not isinstance(made, Tensor) or made.dim() not in (3, 4):
            return
        if made.dim() == 4 and made.shape[2] == made.shape[3]:
            if made.shape[2] > 1:
                last[:] = [place]
        else:  # tokens, or places in front of channels
            last.clear()

    hooks = [
        module.register_forward_hook(lambda _, given, made, place=place: look(place, made))
        for place, module in trunk.named_modules()
    ]
    trouble = "its layers give none"
    try:
        device = next(trunk.parameters()).device
        with torch.inference_mode():
            trunk(torch.zeros(1, 3, _SIDE, _SIDE, device=device))
    except (RuntimeError, ValueError, AssertionError) as error:
        last.clear()
        trouble = str(error).partition("\n")[0]
    for hook in hooks:
        hook.remove()
    if not last:
        raise InputError(
            "FG-F077",
            f"{name} has no map of a picture: {show(trouble)}",
            why="The cells of a grid are taken from a convolutional network's last map.",
            fix="Name such a network: --backbone resnet50; or take the regions of a detector.",
        )
    return last[0]
