"""The last map of a network, and cells on it, against networks taken apart by hand."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from fgbench.errors import InputError
from fgbench.media.image import normalise
from fgbench.media.item import MediaItem, load
from fgbench.media.preset import PAPER
from fgbench.media.regions import Grid, load_small
from fgbench.protocol import Medium

torch = pytest.importorskip("torch")
backbone = pytest.importorskip("fgbench.media.backbone")
from fgbench.media.activations import Activations, Layer  # noqa: E402
from fgbench.media.feature_map import MapOf, pool_cells  # noqa: E402

SIDE = 96


def trunk_of(name: str) -> torch.nn.Module:
    torch.manual_seed(0)
    return backbone.load_backbone(name, "none")[0].eval()


@pytest.mark.parametrize(
    ("name", "by_hand"),
    [
        ("resnet18", lambda net, x: net.layer4(net.layer3(net.layer2(net.layer1(stem(net, x)))))),
        ("mobilenet_v3_small", lambda net, x: net.features(x)),
        ("tiny", lambda net, x: net[:9](x)),
        ("densenet121", lambda net, x: net.features(x).relu()),
        ("convnext_tiny", lambda net, x: net.features(x)),
        ("swin_t", lambda net, x: net.permute(net.norm(net.features(x)))),
    ],
)
def test_the_map_is_what_is_pooled_in_the_end(name: str, by_hand) -> None:
    trunk, pixels = trunk_of(name), torch.rand(2, 3, SIDE, SIDE)
    with torch.inference_mode():
        expected, rows = by_hand(trunk, pixels), trunk(pixels)
        found_rows, found = MapOf(name, trunk)(pixels)
    assert torch.equal(found, expected)
    assert torch.equal(found_rows, rows)


def stem(net, pixels):
    return net.maxpool(net.relu(net.bn1(net.conv1(pixels))))


@pytest.mark.parametrize("name", ["tf_efficientnet_lite0", "test_resnet.r160_in1k"])
def test_the_map_of_a_network_of_timm_is_its_forward_features(name: str) -> None:
    pytest.importorskip("timm")
    trunk, pixels = trunk_of(name), torch.rand(2, 3, SIDE, SIDE)
    with torch.inference_mode():
        assert torch.equal(MapOf(name, trunk)(pixels)[1], trunk.forward_features(pixels))


@pytest.mark.parametrize("name", ["vit_b_32", "test_vit.r160_in1k"])
def test_a_transformer_has_none(name: str) -> None:
    if "test" in name:
        pytest.importorskip("timm")
    with pytest.raises(InputError, match="FG-F077"):
        MapOf(name, trunk_of(name))


@pytest.mark.parametrize("side", [1, 2, 3])
def test_cells_are_means_of_the_places_that_they_reach(side: int) -> None:
    found = torch.rand(2, 5, 7, 7)
    cells = pool_cells(found, Grid(side))
    for number, cell in enumerate(cells.unbind(1)):
        row, column = divmod(number, side)
        down, right = (slice(n * 7 // side, -(-(n + 1) * 7 // side)) for n in (row, column))
        assert cell.numpy() == pytest.approx(found[:, :, down, right].mean((2, 3)).numpy())


def test_a_grid_finer_than_the_map_is_refused() -> None:
    with pytest.raises(InputError, match=r"FG-F078.*3 × 3"):
        Activations("resnet18", "none", side=SIDE, regions=Grid(4))([])


@pytest.fixture
def images(tmp_path) -> list[MediaItem]:
    rng = np.random.default_rng(0)
    for number in range(3):
        pixels = rng.integers(0, 256, (70, 90, 3), np.uint8)
        Image.fromarray(pixels).save(tmp_path / f"{number}.png")
    return [MediaItem(f"image/{n}", Medium.IMAGE, tmp_path / f"{n}.png") for n in range(3)]


@pytest.mark.parametrize("layer", Layer)
def test_images_have_the_cells_beside_the_vector(layer: Layer, images: list[MediaItem]) -> None:
    plain = Activations("tiny", "none", layer, SIDE)(images)
    found = Activations("tiny", "none", layer, SIDE, regions=Grid(3))(images)
    torch.manual_seed(0)
    trunk = backbone.load_classifier("tiny", "none")[0].eval()
    pixels = np.stack([load(item, PAPER.at_side(SIDE)) for item in images])
    with torch.inference_mode():
        cells = pool_cells(trunk[:9](torch.from_numpy(normalise(pixels))), Grid(3))
    for one, before, expected, item in zip(found, plain, cells, images, strict=True):
        assert (one.vector == before.vector).all()
        assert one.parts == pytest.approx(expected.numpy(), abs=1e-5)
        assert (one.boxes == Grid(3).boxes).all()
        assert (one.picture == load_small(item)).all()


def test_the_frames_of_a_video_are_what_goes_into_the_last_layer(images: list[MediaItem]) -> None:
    spec = Activations("tiny", "none", Layer.LOGITS, SIDE, regions=Grid(3))
    (video,) = spec([MediaItem("video/1", Medium.VIDEO, images[0].path.parent)])
    inner = [one.vector for one in Activations("tiny", "none", Layer.PENULTIMATE, SIDE)(images)]
    assert video.parts == pytest.approx(np.stack(inner), abs=1e-5)
    assert (video.boxes, video.picture) == (None, None)
