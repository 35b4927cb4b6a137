"""Boxes that a detector of torchvision finds in a picture, and what its box head makes of each."""

from __future__ import annotations

from pathlib import Path

from fgbench.errors import InputError, MissingExtra
from fgbench.manifest import show
from fgbench.media.backbone import NONE, load_state, weights_not_had
from fgbench.media.regions import Detections

try:
    import torch
    from torch import Tensor, nn
    from torchvision.models import detection, get_model, list_models
    from torchvision.models.detection.generalized_rcnn import GeneralizedRCNN
except ImportError as error:
    raise MissingExtra(error.name or "torch", "train") from error

COCO = "coco"
"""As weights: those that the library has, which it downloads once."""


class Detector(nn.Module):
    """A detector with a box head: Faster, Mask or Keypoint R-CNN. Random weights are always alike.

    Of a picture [3, height, width], 0 to 1, it makes vectors [k, width] and boxes [k, 4] of what it
    finds, by falling score: left, top, width and height as shares. Where it finds nothing, the
    whole picture is the one box. What counts as found is as the library has it: a score over 0.05
    and, with better ones of its class, an overlap of at most one half.

    Raises ``InputError``: FG-F070 no such detector, FG-F071 weights that cannot be had, FG-F072
    weights of another.
    """

    def __init__(self, spec: Detections) -> None:
        super().__init__()
        self.most = spec.most
        self.model = _build(spec.detector, pretrained=spec.weights == COCO)
        if spec.weights not in (COCO, NONE):
            load_state(self.model, spec.detector, Path(spec.weights))

    def forward(self, picture: Tensor) -> tuple[Tensor, Tensor]:
        model = self.model
        images, _ = model.transform([picture])
        maps = model.backbone(images.tensors)
        proposals, _ = model.rpn(images, maps)
        (found,), _ = model.roi_heads(maps, proposals, images.image_sizes)
        height, width = images.image_sizes[0]
        best = found["scores"].argsort(descending=True, stable=True)[: self.most]
        whole = picture.new_tensor([[0, 0, width, height]])
        boxes = found["boxes"][best] if len(best) else whole
        pooled = model.roi_heads.box_roi_pool(maps, [boxes], images.image_sizes)
        shares = boxes / whole[0, 2:].repeat(2)
        shares = torch.cat((shares[:, :2], shares[:, 2:] - shares[:, :2]), dim=1)
        return model.roi_heads.box_head(pooled).flatten(1), shares.clamp(0, 1)


def _build(name: str, pretrained: bool) -> GeneralizedRCNN:
    known = [other for other in list_models(module=detection) if "rcnn" in other]
    if name not in known:
        fix = f"There are: {', '.join(known)}."
        raise InputError("FG-F070", f"there is no detector {show(name)} with a box head", fix=fix)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        try:
            weights = "DEFAULT" if pretrained else None
            model: GeneralizedRCNN = get_model(name, weights=weights, weights_backbone=None)
        except Exception as error:  # of any type, as the library and its host have it
            if not pretrained:
                raise
            fix = "See to the network, or name a file of weights that is here."
            raise weights_not_had(name, str(error), fix) from error
    return model
