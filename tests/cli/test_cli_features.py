"""``fgbench features``: what is written, what is printed, and how it ends."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from small_media import LABELS, TEST, TRAIN, write_small_media

from fgbench.cli import main
from fgbench.media.features import read_features
from fgbench.protocol import MEDIA, Medium

ITEMS = len(LABELS) * (TRAIN + TEST)
WORDS = 2 * 3 + TRAIN
"""Three of each class that are no stop words, and one of each number of a training text."""


def run(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str, str]:
    """Exit code, stdout and stderr."""
    code = 0
    try:
        main(["features", *map(str, arguments)])
    except SystemExit as end:
        code = int(end.code or 0)
    printed = capsys.readouterr()
    return code, printed.out, printed.err


@pytest.fixture
def build(tmp_path: Path) -> Path:
    return write_small_media(tmp_path / "build")


def test_handcrafted_features_of_four_media(capsys, build: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    code, printed, _ = run(capsys, "--benchmark", build, "--out", out, "--json")
    assert code == 0
    document = json.loads(printed)
    assert document["faults"] == []
    widths = {"image": 256, "text": WORDS, "video": 256, "audio": 128}
    assert {m: facts["width"] for m, facts in document["media"].items()} == widths
    for medium in MEDIA:
        found = read_features(out / f"{medium}.npz")
        assert found.rows.shape == (ITEMS, widths[medium])
        assert set(found.ids) == {f"{medium}/{c}/{n}" for c in LABELS for n in range(5)}


def test_the_vocabulary_is_that_of_the_training_texts(capsys, build: Path, tmp_path: Path) -> None:
    run(capsys, "--benchmark", build, "--out", tmp_path / "out", "--media", "text")
    with np.load(tmp_path / "out" / "text.npz") as stored:
        rows = dict(zip(stored["ids"].tolist(), stored["features"], strict=True))
    # each text has a word of its own number; those of numbers 3 and 4 are in test texts alone
    assert {rows[f"text/3/{n}"].sum() for n in range(TRAIN)} == {4}
    assert {rows[f"text/3/{n}"].sum() for n in (3, 4)} == {3}


def test_items_that_cannot_be_used_are_named_and_the_other_media_written(
    capsys, build: Path, tmp_path: Path
) -> None:
    for name in ("3-0.png", "7-4.png"):
        (build / "media/image" / name).write_bytes(b"broken")
    (build / "media/audio/3-1.wav").unlink()
    call = ("--benchmark", build, "--out", tmp_path / "out", "--media", "image,text,audio")
    code, printed, errors = run(capsys, *call)
    assert code == 3
    assert [name for name in MEDIA if (tmp_path / "out" / f"{name}.npz").exists()] == [Medium.TEXT]
    assert [item for item in ("image/3/0", "image/7/4", "audio/3/1") if item not in errors] == []
    assert "image.npz is not written: 2 faults." in errors
    assert "text" in printed
    code, printed, _ = run(capsys, *call, "--json")
    assert code == 3
    assert [fault["code"] for fault in json.loads(printed)["faults"]] == [
        "FG-M002",
        "FG-M002",
        "FG-M001",
    ]


def test_nothing_written_ends_with_2(capsys, build: Path, tmp_path: Path) -> None:
    (build / "media/image/3-0.png").unlink()
    call = ("--benchmark", build, "--out", tmp_path / "out", "--media", "image")
    code, printed, _ = run(capsys, *call)
    assert (code, printed) == (2, "Nothing is written.\n")


def test_a_network_for_pictures(capsys, build: Path, tmp_path: Path) -> None:
    pytest.importorskip("torchvision")
    call = ("--benchmark", build, "--out", tmp_path / "out", "--extractor", "paper")
    call += ("--backbone", "tiny", "--side", 32, "--device", "cpu", "--media", "image,text")
    code, printed, _ = run(capsys, *call, "--weights", "none", "--layer", "penultimate", "--json")
    assert code == 0
    media = json.loads(printed)["media"]
    assert (media["image"]["width"], media["text"]["width"]) == (64, WORDS)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--media", "image,smell"), "smell: not among"),
        (("--extractor", "paper"), "needs --weights"),
        (("--extractor", "paper", "--weights", "none", "--backbone", "resnet51"), "FG-F070"),
        (("--extractor", "paper", "--weights", "nowhere.pt"), "FG-F071"),
        (("--engine", "ftp://x"), "FG-E002"),
        (("--split-column", "none"), "FG-B006"),
    ],
)
def test_a_wrong_call_ends_with_2_and_writes_nothing(
    capsys, build: Path, tmp_path: Path, options: tuple[str, ...], said: str
) -> None:
    if "paper" in options:
        pytest.importorskip("torchvision")
    code, _, errors = run(capsys, "--benchmark", build, "--out", tmp_path / "out", *options)
    assert code == 2
    assert said in errors
    assert not [*(tmp_path / "out").glob("*.npz")]


def test_manifests_alone_need_a_media_root(capsys, build: Path, tmp_path: Path) -> None:
    plain = tmp_path / "plain"
    (build / "manifests").rename(plain)
    code, _, errors = run(capsys, "--benchmark", plain, "--out", tmp_path / "out")
    assert code == 2
    assert "FG-F068" in errors
    call = ("--benchmark", plain, "--out", tmp_path / "out", "--media", "image")
    assert run(capsys, *call, "--media-root", build)[0] == 0


def test_handcrafted_features_need_no_torch(build: Path, tmp_path: Path) -> None:
    script = (
        "import sys\n"
        "from fgbench.cli import main\n"
        f"main(['features', '--benchmark', {str(build)!r}, '--out', {str(tmp_path / 'out')!r},"
        " '--media', 'image,text'])\n"
        "print(*sorted({'torch', 'torchvision', 'numba', 'librosa'} & set(sys.modules)))\n"
    )
    ended = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert ended.returncode == 0
    assert ended.stdout.splitlines()[-1] == ""
