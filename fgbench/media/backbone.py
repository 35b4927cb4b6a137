"""Networks that classify pictures, by name: a trunk, and the last layer behind it."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from fgbench.errors import InputError, MissingExtra
from fgbench.manifest import show

try:
    import torch
    import torchvision
    from torch import Tensor, nn
except ImportError as error:
    raise MissingExtra(error.name or "torch", "train") from error

IMAGENET, NONE = "imagenet", "none"
"""As weights: those that the library has, which it downloads once; or drawn at random."""
TINY = "tiny"
"""As name: a small network of ours, to try things out with. It has no weights to download."""


def load_backbone(name: str, weights: str) -> tuple[nn.Module, int]:
    """A trunk, which makes [b, width] of pictures [b, 3, side, side], and its width.

    As ``load_classifier``, without the last layer, which a file need not have.
    """
    trunk, head, _ = _load(name, weights)
    return trunk, head.in_features


def load_classifier(name: str, weights: str) -> tuple[nn.Module, nn.Linear]:
    """A trunk and the last layer, which makes [b, classes] of what the trunk gives.

    ``name``: a classifier of torchvision, of timm where that is installed, or ``tiny``.
    ``weights``: ``imagenet``, ``none`` (from torch's generator) or a file: a state dictionary of
    the network, or a checkpoint that holds one, as those of fgcrossnet do. Raises ``InputError``:
    FG-F070 no such network, FG-F071 weights that cannot be had, FG-F072 weights of another network.
    """
    trunk, head, is_whole = _load(name, weights)
    if not is_whole:
        raise InputError(
            "FG-F072",
            f"{weights} has no last layer of {name}",
            why="What a layer drawn at random gives would look like what a trained one gives.",
            fix="Name a file with the last layer, or take what goes into it: penultimate.",
        )
    return trunk, head


def _load(name: str, weights: str) -> tuple[nn.Module, nn.Linear, bool]:
    """Trunk and last layer, and whether the last layer too is as ``weights`` say."""
    model = _build(name, pretrained=weights == IMAGENET)
    place, head = _last_linear(name, model)
    parent, _, attribute = place.rpartition(".")
    setattr(model.get_submodule(parent), attribute, nn.Identity())
    if weights in (IMAGENET, NONE):
        return model, head, True
    state, prefix = load_state(model, name, Path(weights))
    stored = _read_head(state, prefix, place, head.in_features)
    return model, stored or head, stored is not None


def load_state(model: nn.Module, name: str, path: Path) -> tuple[Mapping[str, Tensor], str]:
    """Give a network the weights of a file: all that is in it, and what stands before its names.

    Raises ``InputError``: FG-F071 weights that cannot be had, FG-F072 weights of another network.
    """
    state = _read_state(path)
    prefix = _find(model.state_dict(), state, name, path)
    model.load_state_dict({key: state[prefix + key] for key in model.state_dict()})
    return state, prefix


def normalised(pixels: Tensor) -> Tensor:
    """Bytes of pictures [..., 3, height, width] as ``image.normalise`` makes floats of them."""
    from fgbench.media.image import MEAN, STD

    scale, offset = (torch.from_numpy(a).to(pixels.device) for a in (1 / (255 * STD), -MEAN / STD))
    return pixels.float() * scale[:, None, None] + offset[:, None, None]


def _build(name: str, pretrained: bool) -> nn.Module:
    if name == TINY:
        if pretrained:
            raise weights_not_had(
                name, "it is none of a library's networks", "Say none, or name a file."
            )
        return _tiny()
    try:
        if name in (known := torchvision.models.list_models(module=torchvision.models)):
            weights = "DEFAULT" if pretrained else None
            model: nn.Module = torchvision.models.get_model(name, weights=weights)
            return model
        return _build_timm(name, pretrained, known)
    except InputError:
        raise
    except Exception as error:  # of any type, as the library and its host have it
        if not pretrained:
            raise
        fix = "See to the network, or name a file of weights that is here."
        raise weights_not_had(name, str(error), fix) from error


def _build_timm(name: str, pretrained: bool, known: list[str]) -> nn.Module:
    try:
        from timm import create_model, is_model
    except ImportError as error:
        raise _unknown(name, known, " More: pip install timm.") from error
    if not is_model(name):
        raise _unknown(name, known)
    model: nn.Module = create_model(name, pretrained=pretrained)
    return model


def _unknown(name: str, known: list[str], more: str = "") -> InputError:
    near = difflib.get_close_matches(name, known, n=3)
    return InputError(
        "FG-F070",
        f"there is no network {show(name)}",
        why="Networks are those of torchvision and, where it is installed, timm.",
        fix=(f"Did you mean {' or '.join(near)}?" if near else "As resnet50.") + more,
    )


def _tiny() -> nn.Module:
    blocks: list[nn.Module] = []
    for before, after in ((3, 16), (16, 32), (32, 64)):
        convolution = nn.Conv2d(before, after, 3, stride=2, padding=1, bias=False)
        blocks += [convolution, nn.BatchNorm2d(after), nn.ReLU()]
    return nn.Sequential(*blocks, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, 1000))


def _last_linear(name: str, model: nn.Module) -> tuple[str, nn.Linear]:
    found = [(place, m) for place, m in model.named_modules() if isinstance(m, nn.Linear)]
    if not found:
        why = "It is cut at its last fully connected layer."
        raise InputError("FG-F070", f"{name} has no such layer", why=why, fix="As resnet50.")
    return found[-1]


def _read_state(path: Path) -> dict[str, Tensor]:
    """Every tensor of a file by its dotted name. Nothing of the file is run."""
    try:
        if path.suffix == ".safetensors":
            from safetensors.torch import load_file

            return dict(load_file(path))
        stored = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # a file that is none fails in many ways, none of them ours
        fix = "Name imagenet, none, or a file that torch.save or safetensors wrote."
        raise weights_not_had(str(path), str(error), fix) from error
    return dict(_flatten(stored, ""))


def _flatten(stored: Any, prefix: str) -> Iterator[tuple[str, Tensor]]:
    if isinstance(stored, Tensor):
        yield prefix.removesuffix("."), stored
    elif isinstance(stored, Mapping):
        for key, value in stored.items():
            yield from _flatten(value, f"{prefix}{key}.")


def _find(wanted: Mapping[str, Tensor], state: Mapping[str, Tensor], name: str, path: Path) -> str:
    """What stands in the file before the names of the trunk: ``module.``, ``model.trunk.``…"""
    first = next(iter(wanted))
    prefixes = [k.removesuffix(first) for k in state if k == first or k.endswith(f".{first}")]
    misfits = {
        prefix: [
            key
            for key, tensor in wanted.items()
            if prefix + key not in state or state[prefix + key].shape != tensor.shape
        ]
        for prefix in prefixes
    }
    if fitting := [prefix for prefix, keys in misfits.items() if not keys]:
        return fitting[0]
    nearest = min(misfits.values(), key=len, default=list(wanted))
    raise InputError(
        "FG-F072",
        f"{path} has not the weights of {name}: {len(nearest):,} of {len(wanted):,} are missing "
        f"or of another shape, as {show(nearest[0])}",
        why="A network with some weights drawn at random would look like a trained one.",
        fix="Name the network that the file is of.",
    )


def _read_head(
    state: Mapping[str, Tensor], prefix: str, place: str, width: int
) -> nn.Linear | None:
    """The last layer: where the network has it, or behind a checkpoint's ``trunk``."""
    for name in (prefix + place, prefix.removesuffix("trunk.") + "fc"):
        weight, bias = state.get(f"{name}.weight"), state.get(f"{name}.bias")
        if weight is not None and weight.dim() == 2 and weight.shape[1] == width:
            head = nn.Linear(width, len(weight), bias=bias is not None)
            head.load_state_dict({"weight": weight} | ({} if bias is None else {"bias": bias}))
            return head
    return None


def weights_not_had(name: str, reason: str, fix: str) -> InputError:
    short = show(reason.partition("\n")[0])
    return InputError("FG-F071", f"no weights for {name}: {short}", fix=fix)
