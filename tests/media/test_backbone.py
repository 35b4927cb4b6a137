"""Networks by name, weights from files of many kinds, and what layers give."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from fgbench.errors import Fault, InputError
from fgbench.media.activations import Activations, Layer
from fgbench.media.image import normalise
from fgbench.media.item import MediaItem, load
from fgbench.media.preset import PAPER
from fgbench.protocol import Medium

torch = pytest.importorskip("torch")
backbone = pytest.importorskip("fgbench.media.backbone")
from torchvision.models import resnet18  # noqa: E402

SIDE = 64


@pytest.fixture(scope="module")
def network() -> torch.nn.Module:
    torch.manual_seed(1)
    return resnet18(num_classes=5).eval()


@pytest.fixture(scope="module")
def weights(network: torch.nn.Module, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("weights") / "resnet18.pt"
    torch.save(network.state_dict(), path)
    return path


@pytest.fixture
def pictures(tmp_path: Path) -> list[MediaItem]:
    (tmp_path / "clip").mkdir()
    rng = np.random.default_rng(0)
    for number in range(3):
        pixels = rng.integers(0, 256, (70, 90, 3), np.uint8)
        Image.fromarray(pixels).save(tmp_path / "clip" / f"{number}.png")
    return [MediaItem(f"image/{n}", Medium.IMAGE, tmp_path / "clip" / f"{n}.png") for n in range(3)]


def save(folder: Path, stored: object) -> str:
    torch.save(stored, folder / "stored.pt")
    return str(folder / "stored.pt")


@pytest.mark.parametrize(
    ("name", "width"),
    [("tiny", 64), ("resnet18", 512), ("mobilenet_v3_small", 1024)],
)
def test_a_trunk_has_the_width_that_it_says(name: str, width: int) -> None:
    trunk, found = backbone.load_backbone(name, "none")
    assert found == width
    assert trunk.eval()(torch.zeros(2, 3, SIDE, SIDE)).shape == (2, width)


def test_a_network_of_timm_by_its_name() -> None:
    pytest.importorskip("timm")
    trunk, width = backbone.load_backbone("test_resnet.r160_in1k", "none")
    assert trunk.eval()(torch.zeros(2, 3, SIDE, SIDE)).shape == (2, width)


@pytest.mark.parametrize(
    "wrap",
    [
        lambda state: state,
        lambda state: {f"module.{key}": value for key, value in state.items()},
        lambda state: {"epoch": 3, "optimiser": [1], "state_dict": state},
        lambda state: {"model": {f"net.{key}": value for key, value in state.items()}},
    ],
)
def test_files_of_many_kinds_give_the_same_network(wrap, network, tmp_path) -> None:
    trunk, head = backbone.load_classifier("resnet18", save(tmp_path, wrap(network.state_dict())))
    pixels = torch.rand(2, 3, SIDE, SIDE)
    with torch.inference_mode():
        assert torch.equal(head(trunk.eval()(pixels)), network(pixels))


def test_safetensors_are_read(network, tmp_path: Path) -> None:
    safetensors = pytest.importorskip("safetensors.torch")
    safetensors.save_file(network.state_dict(), tmp_path / "w.safetensors")
    _, head = backbone.load_classifier("resnet18", str(tmp_path / "w.safetensors"))
    assert torch.equal(head.weight, network.fc.weight)


def test_a_checkpoint_of_fgcrossnet_gives_its_logits(tmp_path: Path) -> None:
    from fgbench.train.uniform import UniformNetwork

    trunk, width = backbone.load_backbone("tiny", "none")
    model = UniformNetwork(
        trunk, width, 7, side=SIDE, vectors={}, centres=["center"], softmax=False
    ).eval()
    path = save(tmp_path, {"model": model.state_dict(), "learners": {"a": torch.ones(2)}})
    found_trunk, head = backbone.load_classifier("tiny", path)
    pixels = torch.rand(2, 3, SIDE, SIDE)
    with torch.inference_mode():
        expected = model({Medium.IMAGE: pixels})[Medium.IMAGE]
        assert torch.equal(head(found_trunk.eval()(pixels)), expected)


def test_a_trunk_needs_no_last_layer_but_logits_do(network, tmp_path: Path) -> None:
    state = {key: value for key, value in network.state_dict().items() if "fc." not in key}
    path = save(tmp_path, state)
    trunk, width = backbone.load_backbone("resnet18", path)
    assert width == 512
    assert torch.equal(trunk.conv1.weight, network.conv1.weight)
    with pytest.raises(InputError, match="FG-F072"):
        backbone.load_classifier("resnet18", path)


def test_weights_of_another_network_are_refused(weights: Path) -> None:
    with pytest.raises(InputError, match=r"FG-F072.*not the weights of resnet34.*layer1\.2"):
        backbone.load_backbone("resnet34", str(weights))


@pytest.mark.parametrize("name", ["resnet51", "squeezenet1_0", "../resnet18"])
def test_unknown_networks_are_named(name: str) -> None:
    with pytest.raises(InputError, match="FG-F070"):
        backbone.load_backbone(name, "none")


def test_a_file_is_never_run(tmp_path: Path) -> None:
    class Trap:
        def __reduce__(self):
            return (Path.touch, (tmp_path / "run",))

    (tmp_path / "trap.pt").write_bytes(pickle.dumps(Trap()))
    torch.save({"conv1.weight": Trap()}, tmp_path / "zip.pt")
    (tmp_path / "run").unlink(missing_ok=True)
    for name in ("trap.pt", "zip.pt", "nowhere.pt"):
        with pytest.raises(InputError, match="FG-F071"):
            backbone.load_backbone("resnet18", str(tmp_path / name))
    assert not (tmp_path / "run").exists()


def test_normalised_on_the_device_equals_numpy() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (2, 4, 3, 5, 6), np.uint8)
    found = backbone.normalised(torch.from_numpy(pixels)).numpy()
    assert found == pytest.approx(normalise(pixels), abs=1e-6)


@pytest.mark.parametrize("layer", Layer)
def test_activations_are_what_the_layer_gives(layer, network, weights, pictures) -> None:
    found = [one.vector for one in Activations("resnet18", str(weights), layer, SIDE)(pictures)]
    pixels = np.stack([load(item, PAPER.at_side(SIDE)) for item in pictures])
    inputs = torch.from_numpy(normalise(pixels))
    with torch.inference_mode():
        last = {}
        network.fc.register_forward_pre_hook(lambda _, given: last.update(into=given[0]))
        expected = network(inputs)
    wanted = expected if layer is Layer.LOGITS else last["into"]
    assert np.stack(found) == pytest.approx(wanted.numpy(), abs=1e-4)


def test_a_video_is_the_mean_over_its_frames(weights: Path, pictures: list[MediaItem]) -> None:
    extractor = Activations("resnet18", str(weights), side=SIDE)
    folder = pictures[0].path.parent
    (video,) = extractor([MediaItem("video/1", Medium.VIDEO, folder)])
    frames = [frame.vector for frame in extractor(pictures)]
    assert video.vector == pytest.approx(np.mean(frames, axis=0), abs=1e-4)


def test_faults_stand_among_the_rows(weights: Path, pictures: list[MediaItem]) -> None:
    extractor = Activations("resnet18", str(weights), side=SIDE)
    broken = MediaItem("image/x", Medium.IMAGE, pictures[0].path.with_name("none.png"))
    one, fault, other = extractor([pictures[0], broken, pictures[1]])
    assert isinstance(fault, Fault)
    assert fault.code == "FG-M001"
    assert one.vector == pytest.approx(extractor(pictures[:1])[0].vector, abs=1e-4)
    assert other.vector == pytest.approx(extractor(pictures[1:2])[0].vector, abs=1e-4)


def test_random_weights_are_the_same_every_time(pictures: list[MediaItem]) -> None:
    rows = []
    for seed in (1, 2):
        torch.manual_seed(seed)
        before = torch.get_rng_state()
        rows.append(Activations("tiny", "none", side=SIDE)(pictures)[0].vector)
        assert torch.equal(torch.get_rng_state(), before)
        from fgbench.media.activations import load_network

        load_network.cache_clear()
    assert (rows[0] == rows[1]).all()


def test_a_side_that_a_network_cannot_take_is_named() -> None:
    with pytest.raises(InputError, match="FG-F073"):
        Activations("vit_b_16", "none", side=100)([])


def test_the_fingerprint_tells_weights_apart(weights: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.pt"
    other.write_bytes(weights.read_bytes() + b"\0")
    prints = {Activations("resnet18", str(path)).fingerprint for path in (weights, other)}
    assert len(prints) == 2
