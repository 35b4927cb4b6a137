"""``fgbench features``: what is written, what is printed, and how it ends."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from small_media import LABELS, TEST, TEXTS, TRAIN, write_small_media

from fgbench.cli import main
from fgbench.media.features import read_features
from fgbench.protocol import MEDIA, Medium

ITEMS = len(LABELS) * (TRAIN + TEST)
WORDS = 2 * 3 + TRAIN
"""Three of each class that are no stop words, and one of each number of a training text."""


@pytest.fixture
def run(calling):
    return calling("features")


@pytest.fixture
def build(tmp_path: Path) -> Path:
    return write_small_media(tmp_path / "build")


def test_handcrafted_features_of_four_media(run, build: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    code, printed, _ = run("--benchmark", build, "--out", out, "--json")
    assert code == 0
    document = json.loads(printed)
    assert document["faults"] == []
    widths = {"image": 256, "text": WORDS, "video": 256, "audio": 128}
    assert {m: facts["width"] for m, facts in document["media"].items()} == widths
    for medium in MEDIA:
        found = read_features(out / f"{medium}.npz")
        assert found.rows.shape == (ITEMS, widths[medium])
        assert set(found.ids) == {f"{medium}/{c}/{n}" for c in LABELS for n in range(5)}


def test_the_vocabulary_is_that_of_the_training_texts(run, build: Path, tmp_path: Path) -> None:
    run("--benchmark", build, "--out", tmp_path / "out", "--media", "text")
    with np.load(tmp_path / "out" / "text.npz") as stored:
        rows = dict(zip(stored["ids"].tolist(), stored["features"], strict=True))
    # each text has a word of its own number; those of numbers 3 and 4 are in test texts alone
    assert {rows[f"text/3/{n}"].sum() for n in range(TRAIN)} == {4}
    assert {rows[f"text/3/{n}"].sum() for n in (3, 4)} == {3}


def test_items_that_cannot_be_used_are_named_and_the_other_media_written(
    run, build: Path, tmp_path: Path
) -> None:
    for name in ("3-0.png", "7-4.png"):
        (build / "media/image" / name).write_bytes(b"broken")
    (build / "media/audio/3-1.wav").unlink()
    call = ("--benchmark", build, "--out", tmp_path / "out", "--media", "image,text,audio")
    code, printed, errors = run(*call)
    assert code == 3
    assert [name for name in MEDIA if (tmp_path / "out" / f"{name}.npz").exists()] == [Medium.TEXT]
    assert [item for item in ("image/3/0", "image/7/4", "audio/3/1") if item not in errors] == []
    assert "image.npz is not written: 2 faults." in errors
    assert "text" in printed
    code, printed, _ = run(*call, "--json")
    assert code == 3
    assert [fault["code"] for fault in json.loads(printed)["faults"]] == [
        "FG-M002",
        "FG-M002",
        "FG-M001",
    ]


def test_nothing_written_ends_with_2(run, build: Path, tmp_path: Path) -> None:
    (build / "media/image/3-0.png").unlink()
    call = ("--benchmark", build, "--out", tmp_path / "out", "--media", "image")
    code, printed, _ = run(*call)
    assert (code, printed) == (2, "Nothing is written.\n")


def test_a_network_for_pictures(run, build: Path, tmp_path: Path) -> None:
    pytest.importorskip("torchvision")
    call = ("--benchmark", build, "--out", tmp_path / "out", "--extractor", "paper")
    call += ("--backbone", "tiny", "--side", 32, "--device", "cpu", "--media", "image,text")
    code, printed, _ = run(*call, "--weights", "none", "--layer", "penultimate", "--json")
    assert code == 0
    media = json.loads(printed)["media"]
    assert (media["image"]["width"], media["text"]["width"]) == (64, WORDS)


def test_parts_of_four_media_without_a_network(run, build: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    call = ("--benchmark", build, "--out", out, "--parts", "--regions", "grid:3x3")
    code, printed, _ = run(*call, "--word-count", 3, "--longest", 4, "--json")
    assert code == 0
    counted = {m: facts["parts"] for m, facts in json.loads(printed)["media"].items()}
    windows = 1 + 4000 // 512
    each = {"image": 9, "text": 4, "video": 2, "audio": windows}
    assert counted == {medium: count * ITEMS for medium, count in each.items()}
    image, text, video, audio = (read_features(out / f"{m}.npz", parts=True).parts for m in MEDIA)
    assert (image.rows.shape, image.boxes.shape) == ((9 * ITEMS, 256), (9 * ITEMS, 4))
    assert image.pictures.shape == (ITEMS, 3, 64, 64)
    assert (video.rows.shape[1], audio.rows.shape[1]) == (256, 128)
    # of each class three training texts: all words of both but those with the text's own letter
    words = " ".join(TEXTS[label] for label in LABELS).split()
    assert set(text.vocabulary.tolist()) == {"<unk>", *words}


def test_parts_by_a_network_and_vectors_of_words(run, build: Path, tmp_path: Path) -> None:
    pytest.importorskip("torchvision")
    (tmp_path / "words.txt").write_text("owl 1 2\n")
    call = ("--benchmark", build, "--out", tmp_path / "out", "--extractor", "paper", "--parts")
    call += ("--backbone", "tiny", "--weights", "none", "--side", 32, "--device", "cpu")
    call += ("--word-count", 1, "--word-vectors", tmp_path / "words.txt")
    code, _, errors = run(*call)
    assert code == 2
    assert "FG-F078" in errors  # a map of 4 × 4 places for the usual 6 × 6 cells
    assert run(*call, "--regions", "grid:4x4")[0] == 0
    parts = {m: read_features(tmp_path / "out" / f"{m}.npz", parts=True).parts for m in MEDIA}
    assert {m: p.rows.shape[1] for m, p in parts.items() if not p.words} == dict.fromkeys(
        (Medium.IMAGE, Medium.VIDEO, Medium.AUDIO), 64
    )
    text = parts[Medium.TEXT]
    assert text.word_vectors[text.vocabulary.tolist().index("owl")].tolist() == [1, 2]
    assert text.word_vectors.sum() == 3
    note = json.loads((tmp_path / "out" / "image.json").read_text())
    assert "grid:4x4" in note["extractor"]


def test_a_method_of_parts_takes_them_and_one_of_vectors_leaves_them(
    run, build: Path, tmp_path: Path
) -> None:
    pytest.importorskip("accelerate")
    features = tmp_path / "features"
    call = ("--benchmark", build, "--media", "image,text", "--out", features)
    assert run(*call, "--parts", "--regions", "grid:2x2", "--word-count", 1)[0] == 0
    data = ("--benchmark", str(build), "--features", str(features))
    for name in ("scan", "jrl"):
        options = ("--budget", "tiny", "--out", str(tmp_path / name))
        main(["baseline", "run", name, *data, *options])
        described = json.loads((tmp_path / name / "run.json").read_text("utf-8"))
        shapes = {"scan": [[4, 256], [7, 1]], "jrl": [[256], [WORDS]]}
        assert [described["inputs"][m] for m in ("image", "text")] == shapes[name]
        assert (tmp_path / name / "submission.npz").is_file()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--media", "image,smell"), "smell: not among"),
        (("--extractor", "paper"), "needs --weights"),
        (("--extractor", "paper", "--weights", "none", "--backbone", "resnet51"), "FG-F070"),
        (("--extractor", "paper", "--weights", "nowhere.pt"), "FG-F071"),
        (("--parts", "--regions", "grid:3x4"), "FG-F076"),
        (("--parts", "--regions", "detector:x", "--detector-weights", "none"), "need a network"),
        (("--parts", "--word-count", "99"), "FG-F066"),
        (("--parts", "--word-count", "1", "--word-vectors", "nowhere"), "FG-F084"),
        (("--engine", "ftp://x"), "FG-E002"),
        (("--split-column", "none"), "FG-B006"),
    ],
)
def test_a_wrong_call_ends_with_2_and_writes_nothing(
    run, build: Path, tmp_path: Path, options: tuple[str, ...], said: str
) -> None:
    if "paper" in options:
        pytest.importorskip("torchvision")
    code, _, errors = run("--benchmark", build, "--out", tmp_path / "out", *options)
    assert code == 2
    assert said in errors
    assert not [*(tmp_path / "out").glob("*.npz")]


def test_manifests_alone_need_a_media_root(run, build: Path, tmp_path: Path) -> None:
    plain = tmp_path / "plain"
    (build / "manifests").rename(plain)
    code, _, errors = run("--benchmark", plain, "--out", tmp_path / "out")
    assert code == 2
    assert "FG-F068" in errors
    call = ("--benchmark", plain, "--out", tmp_path / "out", "--media", "image")
    assert run(*call, "--media-root", build)[0] == 0


def test_handcrafted_features_need_no_torch(build: Path, tmp_path: Path) -> None:
    script = (
        "import sys\n"
        "from fgbench.cli import main\n"
        f"main(['features', '--benchmark', {str(build)!r}, '--out', {str(tmp_path / 'out')!r},"
        " '--media', 'image,text', '--parts', '--word-count', '2'])\n"
        "print(*sorted({'torch', 'torchvision', 'numba', 'librosa'} & set(sys.modules)))\n"
    )
    ended = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert ended.returncode == 0
    assert ended.stdout.splitlines()[-1] == ""
