"""Regions that a detector finds, against the library's own answer; and when it finds none."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from fgbench.errors import InputError
from fgbench.media.item import MediaItem
from fgbench.media.regions import Detections
from fgbench.protocol import Medium

torch = pytest.importorskip("torch")
pytest.importorskip("torchvision")
from torchvision.models import get_model  # noqa: E402

from fgbench.media.activations import Activations, load_network  # noqa: E402
from fgbench.media.detector import Detector  # noqa: E402

NAME = "fasterrcnn_mobilenet_v3_large_320_fpn"
SIDE = 64


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of a detector drawn at random that takes every proposal for class 1 or 2."""
    torch.manual_seed(3)
    model = get_model(NAME, weights=None, weights_backbone=None)
    with torch.no_grad():
        model.roi_heads.box_predictor.cls_score.bias[1:3] += 4
        model.roi_heads.box_predictor.cls_score.weight *= 5  # so that scores differ
    path = tmp_path_factory.mktemp("weights") / "detector.pt"
    torch.save({"model": model.state_dict()}, path)
    return path


@pytest.fixture(scope="module")
def picture() -> torch.Tensor:
    return torch.rand(3, SIDE, SIDE, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("most", [3, 1000])
def test_boxes_are_those_of_highest_score_that_the_library_finds(weights, picture, most) -> None:
    detector = Detector(Detections(NAME, str(weights), most)).eval()
    with torch.inference_mode():
        vectors, boxes = detector(picture)
        (known,) = detector.model([picture])
    best = known["scores"].argsort(descending=True, stable=True)[:most]
    corners = known["boxes"][best] / SIDE
    assert 3 <= len(boxes) == len(best)
    assert boxes[:, :2].numpy() == pytest.approx(corners[:, :2].numpy(), abs=1e-4)
    ends = (boxes[:, :2] + boxes[:, 2:]).numpy()
    assert ends == pytest.approx(corners[:, 2:].numpy(), abs=1e-4)
    assert vectors.shape == (len(best), 1024)


def test_vectors_are_what_the_box_head_makes_of_these_very_boxes(weights, picture) -> None:
    detector = Detector(Detections(NAME, str(weights), 5)).eval()
    roi, pooled, made = detector.model.roi_heads, [], []
    roi.box_roi_pool.register_forward_hook(lambda _, given, out: pooled.append(given))
    roi.box_head.register_forward_hook(lambda _, given, out: made.append(out))
    with torch.inference_mode():
        vectors, boxes = detector(picture)
    assert len(made) == 2  # of all proposals; then of what was found
    assert torch.equal(vectors, made[-1])
    _, (pooled_boxes,), ((height, width),) = pooled[-1]
    corners = torch.cat((boxes[:, :2], boxes[:, :2] + boxes[:, 2:]), dim=1)
    scaled = corners * torch.tensor([width, height, width, height])
    assert pooled_boxes.numpy() == pytest.approx(scaled.numpy(), abs=1e-2)
    assert vectors.std(0).max() > 0


def test_where_nothing_is_found_the_picture_is_the_one_region(picture) -> None:
    detector = Detector(Detections(NAME, "none", 36)).eval()
    with torch.inference_mode():
        vectors, boxes = detector(picture)
    assert boxes.tolist() == [[0, 0, 1, 1]]
    assert vectors.shape == (1, 1024)


def test_images_have_them_as_parts(weights: Path, tmp_path: Path) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (70, 90, 3), np.uint8)
    Image.fromarray(pixels).save(tmp_path / "1.png")
    item = MediaItem("image/1", Medium.IMAGE, tmp_path / "1.png")
    regions = Detections(NAME, str(weights), 4)
    extractor = Activations("tiny", "none", side=SIDE, regions=regions)
    (found,) = extractor([item])
    assert found.parts.shape == (4, 1024)
    assert found.boxes.shape == (4, 4)
    assert found.picture.shape == (3, 64, 64)
    others = Activations("tiny", "none", side=SIDE, regions=Detections(NAME, str(weights), 5))
    assert extractor.fingerprint != others.fingerprint
    load_network.cache_clear()


@pytest.mark.parametrize("name", ["fasterrcnn_resnet51", "retinanet_resnet50_fpn", "resnet18"])
def test_detectors_without_a_box_head_are_refused(name: str) -> None:
    with pytest.raises(InputError, match="FG-F070"):
        Detector(Detections(name, "none", 36))


def test_weights_of_another_network_are_refused(tmp_path: Path) -> None:
    torch.save(get_model("resnet18", weights=None).state_dict(), tmp_path / "other.pt")
    with pytest.raises(InputError, match="FG-F072"):
        Detector(Detections(NAME, str(tmp_path / "other.pt"), 36))
    with pytest.raises(InputError, match="FG-F071"):
        Detector(Detections(NAME, str(tmp_path / "none.pt"), 36))
