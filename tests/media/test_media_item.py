"""Items of all media, one fault and many, and what is imported for them."""

from __future__ import annotations

import pickle
import subprocess
import sys
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import soundfile
from PIL import Image

from fgbench.engine import map_unordered
from fgbench.errors import Fault, FaultyInput
from fgbench.media.faults import gather
from fgbench.media.item import MediaItem, attempt, load
from fgbench.media.preset import PRESETS, Form
from fgbench.protocol import MEDIA, Medium


@pytest.fixture
def items(tmp_path: Path) -> dict[Medium, MediaItem]:
    pixels = np.random.default_rng(0).integers(0, 256, (50, 60, 3), np.uint8)
    (tmp_path / "clip").mkdir()
    for name in ("bird.jpg", "clip/01.jpg", "clip/02.jpg"):
        Image.fromarray(pixels).save(tmp_path / name)
    soundfile.write(tmp_path / "song.flac", np.sin(np.arange(9000)) / 2, 22_050)
    return {
        Medium.IMAGE: MediaItem("image/1", Medium.IMAGE, tmp_path / "bird.jpg"),
        Medium.TEXT: MediaItem("text/1", Medium.TEXT, text="a small bird"),
        Medium.VIDEO: MediaItem("video/1", Medium.VIDEO, tmp_path / "clip.mp4"),
        Medium.AUDIO: MediaItem("audio/1", Medium.AUDIO, tmp_path / "song.flac"),
    }


@pytest.mark.parametrize("form", Form)
def test_each_medium_has_its_array(form: Form, items: dict[Medium, MediaItem]) -> None:
    preset = PRESETS[form].at_side(32)
    found = {medium: load(items[medium], preset) for medium in MEDIA}
    assert {medium: (array.shape, array.dtype) for medium, array in found.items()} == {
        Medium.IMAGE: ((3, 32, 32), np.uint8),
        Medium.TEXT: ((448,), np.int64),
        Medium.VIDEO: ((2, 3, 32, 32), np.uint8),
        Medium.AUDIO: ((3, 32, 32), np.uint8),
    }


def test_every_form_has_a_preset() -> None:
    assert set(PRESETS) == set(Form)


def test_all_faults_at_once_each_with_its_item(
    items: dict[Medium, MediaItem], tmp_path: Path
) -> None:
    broken = [
        MediaItem("image/2", Medium.IMAGE, tmp_path / "nowhere.jpg"),
        MediaItem("text/2", Medium.TEXT, text=""),
        MediaItem("audio/2", Medium.AUDIO, tmp_path / "bird.jpg"),
        MediaItem("video/2", Medium.VIDEO),
        MediaItem("text/3", Medium.TEXT),
    ]
    read = partial(load, preset=PRESETS[Form.PAPER].at_side(16))
    outcomes = [attempt(read, item) for item in [*items.values(), *broken]]
    assert pickle.loads(pickle.dumps(outcomes[-1])) == outcomes[-1]
    with pytest.raises(FaultyInput) as caught:
        gather(outcomes)
    told = [(fault.code, fault.where.split()[0]) for fault in caught.value.faults]
    codes = ["FG-M001", "FG-M004", "FG-M005", "FG-M001", "FG-M001"]
    assert told == list(zip(codes, [item.item_id for item in broken], strict=True))
    assert caught.value.exit_code == 2


def test_what_is_whole_is_gathered_in_order() -> None:
    assert gather(iter([3, 1, 2])) == [3, 1, 2]
    assert gather([]) == []


def test_faults_cross_processes(items: dict[Medium, MediaItem], tmp_path: Path) -> None:
    bad = MediaItem("image/2", Medium.IMAGE, tmp_path / "nowhere.jpg")
    work = partial(attempt, partial(load, preset=PRESETS[Form.PAPER].at_side(16)))
    outcomes = list(map_unordered(work, [items[Medium.IMAGE], bad], workers=2))
    (fault,) = (outcome for outcome in outcomes if isinstance(outcome, Fault))
    assert fault.code == "FG-M001"
    assert fault.where.startswith("image/2 ")


def imported(code: str, names: set[str]) -> set[str]:
    """Which of these modules the code imports in a process of its own."""
    asked = f"import sys\n{code}\nprint(*({names!r} & sys.modules.keys()))"
    run = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True)
    return set(run.stdout.split())


def test_names_are_had_without_decoders() -> None:
    code = "import fgbench.media.item, fgbench.media.faults"
    heavy = {"PIL", "av", "librosa", "matplotlib", "numba", "scipy", "soundfile", "soxr", "torch"}
    assert imported(code, heavy) == set()


def test_no_preparation_needs_torch_or_matplotlib(items: dict[Medium, MediaItem]) -> None:
    facts = [(i.item_id, str(i.medium), str(i.path), i.text) for i in items.values()]
    code = (
        "from pathlib import Path\n"
        "from fgbench.media.item import MediaItem, load\n"
        "from fgbench.media.preset import PAPER, RELEASED\n"
        "from fgbench.protocol import Medium\n"
        f"for item in {facts}:\n"
        "    for preset in (PAPER, RELEASED):\n"
        "        load(MediaItem(item[0], Medium(item[1]), Path(item[2]), item[3]), preset)\n"
    )
    assert imported(code, {"librosa", "matplotlib", "numba", "torch"}) == set()
